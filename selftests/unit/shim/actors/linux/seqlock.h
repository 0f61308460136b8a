/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ACTORS_SEQLOCK_H
#define SHIM_ACTORS_SEQLOCK_H

#include <linux/spinlock.h>

struct seqcount {
	unsigned int sequence;
	spinlock_t *lock;
};

#define seqcount_spinlock_t	struct seqcount

static inline void seqcount_spinlock_init(seqcount_spinlock_t *count,
					  spinlock_t *lock)
{
	count->sequence = 0;
	count->lock = lock;
}

/* Who meets a writer waits until he is done. */
static inline unsigned int read_seqcount_begin(const seqcount_spinlock_t *count)
{
	actor_point();
	while (count->sequence & 1)
		actor_yield();
	return count->sequence;
}

static inline bool read_seqcount_retry(const seqcount_spinlock_t *count,
				       unsigned int seq)
{
	actor_point();
	return count->sequence != seq;
}

static inline void write_seqcount_begin(seqcount_spinlock_t *count)
{
	lockdep_assert_held(count->lock);
	assert(!(count->sequence++ & 1));
	actor_point();
}

static inline void write_seqcount_end(seqcount_spinlock_t *count)
{
	lockdep_assert_held(count->lock);
	assert(count->sequence++ & 1);
}

#endif
