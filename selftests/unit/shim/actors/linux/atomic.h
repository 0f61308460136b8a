/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ACTORS_ATOMIC_H
#define SHIM_ACTORS_ATOMIC_H

#include <linux/types.h>

#include "actors.h"

/* One step each, before which another may come. */
static inline long atomic_long_read(const atomic_long_t *v)
{
	actor_point();
	return v->counter;
}

static inline void atomic_long_add(long i, atomic_long_t *v)
{
	actor_point();
	v->counter += i;
}

static inline bool atomic_long_try_cmpxchg(atomic_long_t *v, long *old,
					   long to)
{
	bool same;

	actor_point();
	same = v->counter == *old;
	if (same)
		v->counter = to;
	else
		*old = v->counter;
	return same;
}

#define atomic_long_sub(i, v)	atomic_long_add(-(long)(i), v)
#define atomic_long_inc(v)	atomic_long_add(1, v)
#define atomic_long_dec(v)	atomic_long_add(-1, v)

#endif
