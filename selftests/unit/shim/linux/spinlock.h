/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_SPINLOCK_H
#define SHIM_LINUX_SPINLOCK_H

#include <assert.h>
#include <stdbool.h>

#include <linux/compiler.h>

/*
 * With one thread a lock that is held already would be waited for in vain, so that it
 * is told at once.
 */
struct spinlock {
	bool held;
};

#define spinlock_t	struct spinlock

#define lockdep_assert_held(lock)	assert((lock)->held)

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->held = false;
}

static inline void spin_lock(spinlock_t *lock)
{
	assert(!lock->held);
	lock->held = true;
}

static inline void spin_unlock(spinlock_t *lock)
{
	assert(lock->held);
	lock->held = false;
}

#define spin_lock_nest_lock(lock, outer)				\
	do {								\
		lockdep_assert_held(outer);				\
		spin_lock(lock);					\
	} while (0)

#endif
