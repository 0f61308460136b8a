// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wishes that depend on the index: how many of several pages should lie on which node.
 */
#include <linux/errno.h>
#include <linux/slab.h>

#include "wish.h"

/**
 * wish_spread_begin() - Be ready to spread pages.
 * @wish: where they should lie
 * @nr_nodes: how many nodes there may be
 *
 * Context: may sleep. wish_spread_end() follows, also after an error.
 * Return: 0, or -ENOMEM.
 */
int wish_spread_begin(struct wish *wish, int nr_nodes)
{
	if (!wish->interleave)
		return 0;
	wish->spread = kcalloc(nr_nodes, sizeof(*wish->spread), GFP_KERNEL);
	return wish->spread ? 0 : -ENOMEM;
}

/**
 * wish_spread_end() - Undo it.
 * @wish: the wish
 */
void wish_spread_end(struct wish *wish)
{
	kfree(wish->spread);
	wish->spread = NULL;
}

/**
 * wish_spread_range() - Spread a page for each index of a range.
 * @wish: where they should lie, and which depends on the index
 * @from: first index, in huge pages
 * @to: index behind the last one
 */
void wish_spread_range(const struct wish *wish, unsigned long from,
		       unsigned long to)
{
	unsigned long nodes = nodes_weight(wish->preferred), nth = 0, first;
	int nid;

	for_each_node_mask(nid, wish->preferred) {
		/* The first index that is this node's. */
		first = from + (nth++ + nodes - from % nodes) % nodes;
		if (first < to)
			wish->spread[nid] += (to - first - 1) / nodes + 1;
	}
}
