/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_MINMAX_H
#define SHIM_LINUX_MINMAX_H

#include <linux/kernel.h>

#ifndef min3
#define min3(x, y, z)	min(min(x, y), z)
#endif

#endif
