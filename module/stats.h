/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_STATS_H
#define RHUGEFS_STATS_H

struct seq_file;

/**
 * enum stat_event - what is counted since the module was loaded
 * @STAT_FAULTS: page faults in mappings of files
 * @STAT_CLAIMS: huge pages taken for an index of a file or mapping
 * @STAT_CANCELS: of these put back unused, because of an error
 * @STAT_ZEROED: huge pages zeroed for a fault or an allocation
 * @STAT_ZEROED_AHEAD: huge pages zeroed in the background, before anybody wanted them
 * @STAT_CALLED_BACK: huge pages that were wanted while they were zeroed in the background
 * @STAT_ZEROINGS_AVOIDED: huge pages that were known to hold zeroes when they were
 *	wanted so
 * @STAT_COPIED: huge pages copied for private mappings
 * @STAT_TAKEN_BACK: private pages that an owner took from its children
 * @STAT_PARKED: pages given back while somebody outside held a reference
 * @STAT_UNPARKED: of these no longer held
 * @STAT_REFUSED: accesses to private mappings that got SIGBUS for want of a
 *	page
 * @STAT_FORK_UNRESERVED: mappings that a child got on a mount with
 *	fork_reserve without the reservation
 * @STAT_ELSEWHERE: huge pages taken on a node that policy or cpuset do not allow any
 *	more, since the promise lay there
 * @STAT_NR: number of events
 */
enum stat_event {
	STAT_FAULTS,
	STAT_CLAIMS,
	STAT_CANCELS,
	STAT_ZEROED,
	STAT_ZEROED_AHEAD,
	STAT_CALLED_BACK,
	STAT_ZEROINGS_AVOIDED,
	STAT_COPIED,
	STAT_TAKEN_BACK,
	STAT_PARKED,
	STAT_UNPARKED,
	STAT_REFUSED,
	STAT_FORK_UNRESERVED,
	STAT_ELSEWHERE,
	STAT_NR
};

void stats_count(enum stat_event event);
void stats_show(struct seq_file *seq);

#endif
