// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wishes that depend on the index: how many of several pages should lie on which node.
 */
#include <linux/slab.h>

#include "pool.h"
#include "wish.h"

/**
 * wish_begin() - Be ready to promise pages as they are wanted.
 * @wish: where they should lie
 * @pool: the pool
 *
 * Context: may sleep.
 * Return: the scope of the promise, for wish_end(), or NULL where memory is short.
 */
struct scope *wish_begin(struct wish *wish, struct pool *pool)
{
	struct scope *scope = scope_get(pool, wish);

	if (!scope || !wish->interleave)
		return scope;
	wish->spread = kcalloc(pool->nr_nodes, sizeof(*wish->spread),
			       GFP_KERNEL);
	if (wish->spread)
		return scope;
	scope_put(pool, scope);
	return NULL;
}

/**
 * wish_end() - Undo it.
 * @wish: the wish
 * @pool: the pool
 * @scope: what wish_begin() returned
 */
void wish_end(struct wish *wish, struct pool *pool, struct scope *scope)
{
	kfree(wish->spread);
	wish->spread = NULL;
	scope_put(pool, scope);
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
	unsigned long nodes = nodeset_weight(&wish->preferred), nth = 0, first;
	int nid;

	for_each_node_of(nid, &wish->preferred) {
		/* The first index that is this node's. */
		first = from + (nth++ + nodes - from % nodes) % nodes;
		if (first < to)
			wish->spread[nid] += (to - first - 1) / nodes + 1;
	}
}
