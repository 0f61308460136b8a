// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a private mapping has, many entries at a time. At fork() and at the end of a
 * mapping there may be thousands, of which each on its own would cost several walks from
 * the root of the tree, and a lock. Here a leaf's worth is read in one walk, and is erased
 * in one, by who keeps everybody else out meanwhile.
 */
#include <linux/bits.h>
#include <linux/math.h>
#include <linux/minmax.h>

#include "private.h"
#include "private_leaf.h"

/**
 * private_leaf_read() - Read the first entries of a range.
 * @leaf: filled in
 * @private: the mapping
 * @from: first index, in huge pages
 * @to: index behind the last one, greater than @from
 * @mark: which entries have this mark is to be known
 *
 * The leaf covers the range up to its end, or less; between @from and the leaf there is
 * nothing.
 *
 * Context: invalidate_lock is held exclusively.
 * Return: false where there is no entry in the range.
 */
bool private_leaf_read(struct private_leaf *leaf, struct private *private,
		       unsigned long from, unsigned long to, xa_mark_t mark)
{
	XA_STATE(xas, &private->pages, from);
	bool marks = xa_marked(&private->pages, mark);
	void *entry;

	leaf->nr = 0;
	leaf->to = to;
	leaf->marked = 0;
	rcu_read_lock();
	xas_for_each(&xas, entry, to - 1) {
		if (xas_retry(&xas, entry))
			continue;
		if (!leaf->nr) {
			leaf->from = max(from, round_down(xas.xa_index,
							  PRIVATE_LEAF_NR));
			leaf->to = min(to, round_down(leaf->from,
						      PRIVATE_LEAF_NR) +
						   PRIVATE_LEAF_NR);
			to = leaf->to;
		}
		if (marks && xas_get_mark(&xas, mark))
			leaf->marked |= BIT_ULL(leaf->nr);
		leaf->at[leaf->nr] = xas.xa_index - leaf->from;
		leaf->entry[leaf->nr++] = entry;
	}
	rcu_read_unlock();
	return leaf->nr;
}

/**
 * private_leaf_erase() - Take entries that were read out of a mapping.
 * @leaf: the entries
 * @private: the mapping
 *
 * Context: invalidate_lock has been held exclusively since they were read.
 */
void private_leaf_erase(struct private_leaf *leaf, struct private *private)
{
	/* Nothing is allocated where nothing is stored. */
	WARN_ON_ONCE(xa_is_err(xa_store_range(&private->pages, leaf->from,
					      leaf->to - 1, NULL, 0)));
}
