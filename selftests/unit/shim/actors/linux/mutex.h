/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ACTORS_MUTEX_H
#define SHIM_ACTORS_MUTEX_H

#include "actors.h"

#define mutex			actor_lock

#define mutex_init(lock)		actor_lock_init(lock)
#define mutex_lock(lock)		actor_lock_write(lock)
#define mutex_trylock(lock)		actor_try_write(lock)
#define mutex_unlock(lock)		actor_unlock_write(lock)

/* Nobody is killed. */
#define mutex_lock_killable(lock)	(actor_lock_write(lock), 0)

#endif
