/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_SEQLOCK_H
#define SHIM_LINUX_SEQLOCK_H

#include <linux/spinlock.h>

/* Where there is nobody else there is no point, and never a writer to be met. */
#ifndef seqcount_point
#define seqcount_point()	((void)0)
#define seqcount_wait(count)	assert(!((count)->sequence & 1))
#endif

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

static inline unsigned int read_seqcount_begin(const seqcount_spinlock_t *count)
{
	seqcount_point();
	seqcount_wait(count);
	return count->sequence;
}

static inline bool read_seqcount_retry(const seqcount_spinlock_t *count,
				       unsigned int seq)
{
	seqcount_point();
	return count->sequence != seq;
}

static inline void write_seqcount_begin(seqcount_spinlock_t *count)
{
	lockdep_assert_held(count->lock);
	assert(!(count->sequence++ & 1));
	seqcount_point();
}

static inline void write_seqcount_end(seqcount_spinlock_t *count)
{
	lockdep_assert_held(count->lock);
	assert(count->sequence++ & 1);
}

#endif
