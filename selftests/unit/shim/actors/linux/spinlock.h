/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ACTORS_SPINLOCK_H
#define SHIM_ACTORS_SPINLOCK_H

#include <linux/compiler.h>

#include "actors.h"

#define spinlock_t		struct actor_lock
#define SINGLE_DEPTH_NESTING	1

#define lockdep_assert_held(lock)	\
	assert((lock)->written || (lock)->readers)
#define lockdep_assert_held_write(lock)	assert((lock)->written)

#define spin_lock_init(lock)		actor_lock_init(lock)
#define spin_lock(lock)			actor_lock_write(lock)
#define spin_lock_nested(lock, depth)	((void)(depth), actor_lock_write(lock))
#define spin_lock_nest_lock(lock, outer)				\
	do {								\
		lockdep_assert_held(outer);				\
		actor_lock_write(lock);					\
	} while (0)
#define spin_trylock(lock)		actor_try_write(lock)
#define spin_unlock(lock)		actor_unlock_write(lock)

#endif
