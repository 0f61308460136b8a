/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_NODEMASK_H
#define SHIM_LINUX_NODEMASK_H

#include <linux/bitmap.h>
#include <linux/types.h>

/* It needs bool, and has no header for it. */
#include <linux/numa.h>

struct nodemask {
	DECLARE_BITMAP(bits, MAX_NUMNODES);
};

#define nodemask_t	struct nodemask

#endif
