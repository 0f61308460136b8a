/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_COUNTERS_H
#define RHUGEFS_COUNTERS_H

struct seq_file;

/**
 * enum counter - what is counted since the module was loaded
 * @COUNTER_ZEROED: huge pages zeroed for a fault or an allocation
 * @COUNTER_COPIED: huge pages copied for private mappings
 * @COUNTER_TAKEN_BACK: private pages that an owner took from its children
 * @COUNTER_REFUSED: accesses to private mappings that got SIGBUS for want of a
 *	page
 * @COUNTER_FORK_UNRESERVED: mappings that a child got on a mount with
 *	fork_reserve without the reservation
 * @COUNTER_NR: number of counters
 */
enum counter {
	COUNTER_ZEROED,
	COUNTER_COPIED,
	COUNTER_TAKEN_BACK,
	COUNTER_REFUSED,
	COUNTER_FORK_UNRESERVED,
	COUNTER_NR
};

void counters_count(enum counter counter);
void counters_show(struct seq_file *seq);

#endif
