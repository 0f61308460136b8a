// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promises: where the pages lie that somebody may still take.
 */
#include <linux/bug.h>
#include <linux/minmax.h>

#include "promise.h"

/**
 * promise_sum() - How much is promised.
 * @promise: the promise
 *
 * Return: huge pages over all nodes.
 */
unsigned long promise_sum(struct promise *promise)
{
	unsigned long sum = 0;
	int nid;

	for (nid = 0; nid < promise->nr_nodes; nid++)
		sum += atomic_long_read(&promise->on_node[nid]);
	return sum;
}

/**
 * promise_pop() - Take units out of a promise's share on one node.
 * @promise: lowered by what was taken
 * @nid: node id
 * @pages: most huge pages that are wanted
 *
 * Context: any.
 * Return: huge pages that were taken.
 */
unsigned long promise_pop(struct promise *promise, int nid, unsigned long pages)
{
	long units = atomic_long_read(&promise->on_node[nid]);
	unsigned long popped;

	do {
		popped = min_t(unsigned long, units, pages);
		if (!popped)
			return 0;
	} while (!atomic_long_try_cmpxchg(&promise->on_node[nid], &units,
					  units - popped));
	return popped;
}

/**
 * promise_move() - Let what was promised to one be promised to another.
 * @from: lowered by @pages
 * @to: raised by @pages; its owner's lock is held
 * @pages: huge pages, of which @from has as many
 *
 * Context: any.
 */
void promise_move(struct promise *from, struct promise *to,
		  unsigned long pages)
{
	unsigned long popped;
	int nid;

	for (nid = 0; nid < from->nr_nodes && pages; nid++) {
		popped = promise_pop(from, nid, pages);
		atomic_long_add(popped, &to->on_node[nid]);
		pages -= popped;
	}
	WARN_ONCE(pages, "rhugefs: %lu promises to move were not there\n",
		  pages);
}
