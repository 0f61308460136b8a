/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_RESERVE_ENV_H
#define SHIM_RESERVE_ENV_H

/*
 * What module/reserve.c and what is below it see of the kernel beside shim/actors,
 * included before all else.
 */
#include <errno.h>
#include <stdlib.h>

#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/types.h>

#include <asm/barrier.h>

#include "actors.h"

/* Who meets a writer waits until he is done. */
#define seqcount_point()	actor_point()
#define seqcount_wait(count)						\
	do {								\
		while ((count)->sequence & 1)				\
			actor_yield();					\
	} while (0)

/* Tracepoints are for those who look. */
#define RHUGEFS_TRACE_H

enum trace_resize { RESIZE_TRIM };

#define trace_reserve(...)	((void)0)
#define trace_unreserve(...)	((void)0)
#define trace_claim(...)	((void)0)
#define trace_commit(...)	((void)0)
#define trace_cancel(...)	((void)0)
#define trace_give(...)		((void)0)
#define trace_resize(...)	((void)0)

#define struct_size_t(type, member, n)	\
	(offsetof(type, member) + (n) * sizeof(*((type *)NULL)->member))

/* Where the module says that it does not matter there is no point. */
#define data_race(x)		(x)

/* A look without a lock; lists, which had it before, are always locked. */
#undef READ_ONCE
#define READ_ONCE(x)		({ actor_point(); (x); })

#define kzalloc_node(size, flags, nid)	\
	((void)(nid), kzalloc(size, flags))
#define kmalloc_array(n, size, flags)	kmalloc((n) * (size), flags)

#ifndef swap
#define swap(a, b)			\
	do {				\
		typeof(a) __a = (a);	\
					\
		(a) = (b);		\
		(b) = __a;		\
	} while (0)
#endif

#endif
