/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_PROMISE_H
#define RHUGEFS_PROMISE_H

#include <linux/atomic.h>

/**
 * struct promise - where the pages lie that were promised and not yet consumed
 * @nr_nodes: length of @on_node
 * @on_node: huge pages per node id. Raised under its owner's lock, lowered by
 *	whoever gets to it first: each unit is a page on that node's free lists
 *	which nobody else may take
 */
struct promise {
	int nr_nodes;
	atomic_long_t on_node[];
};

unsigned long promise_sum(struct promise *promise);
unsigned long promise_pop(struct promise *promise, int nid,
			  unsigned long pages);
void promise_move(struct promise *from, struct promise *to,
		  unsigned long pages);

#endif
