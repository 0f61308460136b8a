/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ACTORS_RWSEM_H
#define SHIM_ACTORS_RWSEM_H

#include <linux/spinlock.h>

#define rw_semaphore		actor_lock

#define init_rwsem(lock)		actor_lock_init(lock)
#define down_read(lock)			actor_lock_read(lock)
#define up_read(lock)			actor_unlock_read(lock)
#define down_write(lock)		actor_lock_write(lock)
#define up_write(lock)			actor_unlock_write(lock)

/* Nobody is killed. */
#define down_write_killable(lock)	(actor_lock_write(lock), 0)

#endif
