/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_LIMITS_H
#define SHIM_LINUX_LIMITS_H

/* The C library's <limits.h> needs the header of this name, we need both. */
#include_next <linux/limits.h>
#include <limits.h>

#endif
