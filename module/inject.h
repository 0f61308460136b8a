/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_INJECT_H
#define RHUGEFS_INJECT_H

#include <linux/types.h>

struct dentry;

/**
 * enum inject_point - failures that no failing allocation brings about
 * @INJECT_COPY: copying to or from user space stops short
 * @INJECT_NODE: the page allocator has nothing more on a node
 * @INJECT_POOL: the pool has nothing that was not promised
 * @INJECT_SIGNAL: a fatal signal ends a wait or a long loop
 * @INJECT_NR: number of points
 */
enum inject_point {
	INJECT_COPY,
	INJECT_NODE,
	INJECT_POOL,
	INJECT_SIGNAL,
	INJECT_NR
};

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
bool inject(enum inject_point point);
void inject_create(struct dentry *dir);
#else
static inline bool inject(enum inject_point point)
{
	return false;
}

static inline void inject_create(struct dentry *dir)
{
}
#endif

#endif
