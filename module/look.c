// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at everything at one moment. The pool cannot be stopped as a whole without
 * stalling everybody; instead each node counts the events that change its counts.
 * Where none came between the first and the last look, all that was seen is of one
 * moment. Otherwise the look is repeated, and so it is where what was seen does not
 * agree: a page that somebody has just taken, or an inode that is just being evicted,
 * may account for the difference.
 */
#include <linux/jiffies.h>
#include <linux/sched/signal.h>

#include "look.h"

/* Together about a second, more than evicting a file should take. */
#define LOOK_TRIES	25
#define LOOK_PAUSE	40	/* ms */

/**
 * look_quietly() - Print what there is at a moment at which nothing changes.
 * @seq: where to print
 * @pool: the pool
 * @look: looks and prints
 * @data: for @look
 *
 * Where there is too little room in @seq it is left at that: there will be more room
 * and another look.
 *
 * Context: may sleep.
 * Return: 1 where what was printed is of one moment, whether or not it agrees; 0
 * where the pool did not come to rest for as long as one look takes; what @look
 * returned as an error, or -EINTR where a fatal signal came.
 */
int look_quietly(struct seq_file *seq, struct pool *pool, look_fn look,
		 void *data)
{
	size_t start = seq->count;
	unsigned long events;
	int tries, agrees;
	bool still;

	for (tries = 1; ; tries++) {
		events = pool_events(pool);
		agrees = look(seq, data);
		if (agrees < 0)
			return agrees;
		if (seq_has_overflowed(seq))
			return 1;
		still = pool_events(pool) == events;
		if ((still && agrees) || tries == LOOK_TRIES)
			return still;
		schedule_timeout_killable(msecs_to_jiffies(LOOK_PAUSE));
		if (fatal_signal_pending(current))
			return -EINTR;
		seq->count = start;
	}
}
