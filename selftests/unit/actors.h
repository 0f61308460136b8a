/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_ACTORS_H
#define UNIT_ACTORS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Two actors in one thread, of which one runs at a time. Who comes to a point, where he
 * takes a lock, may go on or let the other go on; which it was is known, so that all
 * ways in which two can meet are gone through one after the other. Where it is asked for
 * there are more points, at atomic operations and where a lock is let go.
 */

#define NR_ACTORS	2

/**
 * struct actor_lock - any lock
 * @written: somebody has it for himself
 * @readers: how many have it together with others
 */
struct actor_lock {
	bool written;
	int readers;
};

void actor_point(void);
void actor_yield(void);
int actor_self(void);

void actor_lock_init(struct actor_lock *lock);
void actor_lock_read(struct actor_lock *lock);
void actor_unlock_read(struct actor_lock *lock);
void actor_lock_write(struct actor_lock *lock);
void actor_unlock_write(struct actor_lock *lock);
bool actor_try_write(struct actor_lock *lock);

/**
 * struct play - what two actors do
 * @begin: make what they act on
 * @act: what each does; who he is
 * @end: whether all is as it must be; unmake it
 * @data: for these three
 * @fine: atomic operations, and letting go of a lock, are points, too
 * @most: how often one who could go on may be interrupted, negative for any number
 */
struct play {
	void (*begin)(void *data);
	void (*act)(void *data, int self);
	bool (*end)(void *data);
	void *data;
	bool fine;
	int most;
};

/**
 * struct run - what came of it
 * @schedules: how many there were
 * @longest: points of the longest
 * @right: each one ended, and as it must
 */
struct run {
	unsigned long schedules;
	int longest;
	bool right;
};

void actors_play(const struct play *play, struct run *run);

#endif
