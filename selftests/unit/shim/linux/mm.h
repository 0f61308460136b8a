/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_MM_H
#define SHIM_LINUX_MM_H

#include <linux/bug.h>
#include <linux/minmax.h>
#include <linux/mm_types.h>

#endif
