/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ACTORS_SCHED_H
#define SHIM_ACTORS_SCHED_H

#include "actors.h"

/* Who goes round in circles waits for the other. */
#define cond_resched()		actor_yield()

#endif
