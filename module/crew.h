/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_CREW_H
#define RHUGEFS_CREW_H

#include <linux/atomic.h>
#include <linux/workqueue.h>

/* Processors at most that help: memory is not faster for more of them. */
#define CREW_MOST	8

struct crew;

/**
 * typedef crew_fn - do one piece of the work
 * @crew: the crew
 * @nth: which piece
 *
 * Context: may sleep, perhaps in another task than the owner.
 * Return: false where no further piece is to be begun.
 */
typedef bool crew_fn(struct crew *crew, unsigned long nth);

/**
 * struct crew_hand - one who helps
 * @work: what he does
 * @crew: for whom
 */
struct crew_hand {
	struct work_struct work;
	struct crew *crew;
};

/**
 * struct crew - many pieces of work that several processors share
 * @fn: does one of them
 * @owner: the task that waits for all of it
 * @pieces: how many there are
 * @next: the next that nobody has begun
 * @hand: those who help
 */
struct crew {
	crew_fn *fn;
	struct task_struct *owner;
	unsigned long pieces;
	atomic_long_t next;
	struct crew_hand hand[CREW_MOST];
};

void crew_run(struct crew *crew, int nid, unsigned long pieces,
	      unsigned long worth, crew_fn *fn);

#endif
