// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promises made on the nodes' pages, taken back, handed over and kept.
 *
 * What a promise has on a node is guarded by that node's lock. Who knows that there is
 * something for him, on whichever node, looks on one after the other. Meanwhile a plan
 * may have moved it from a node where he has not looked yet to one where he has; but all
 * nodes are locked then, and the sequence count tells him to look again.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "pool.h"

/* Promise up to @pages of the node's pages; how many it was. */
static unsigned long pool_node_reserve(struct pool_node *node,
				       unsigned long pages,
				       struct promise *promise)
{
	spin_lock(&node->lock);
	pages = min(pages, node->counts.free - node->counts.resv);
	node->counts.resv += pages;
	node->events++;
	promise_add(promise, node->nid, pages);
	spin_unlock(&node->lock);
	return pages;
}

/* As many as can be where the wish would have them; how many are left. */
static noinline unsigned long pool_place_spread(struct pool *pool,
						unsigned long pages,
						const struct wish *wish,
						struct promise *promise)
{
	int nid;

	for (nid = 0; nid < pool->nr_nodes && pages; nid++)
		pages -= pool_node_reserve(pool->node[nid],
					   min(pages, wish->spread[nid]),
					   promise);
	return pages;
}

/**
 * pool_place() - Promise pages to somebody who was admitted.
 * @pool: the pool
 * @pages: huge pages, for which pool_admit() said yes
 * @wish: where they should lie; any node is allowed
 * @promise: raised by @pages; its scope is any node
 *
 * Context: may reschedule; no lock of the pool is held.
 */
void pool_place(struct pool *pool, unsigned long pages,
		const struct wish *wish, struct promise *promise)
{
	struct pool_node *node;
	int i;

	if (wish->spread)
		pages = pool_place_spread(pool, pages, wish, promise);
	/* Mostly the node that comes first has them all. */
	else if (nodeset_has(&wish->preferred, wish->nid))
		pages -= pool_node_reserve(pool->node[wish->nid], pages,
					   promise);
	while (pages) {
		for_each_wished(pool, wish, i, node) {
			pages -= pool_node_reserve(node, pages, promise);
			if (!pages)
				return;
		}
		cond_resched();
	}
}

/*
 * Take up to @pages of a promise away on a node, for @to, or to end them where that is
 * NULL; how many it was.
 */
static unsigned long pool_node_withdraw(struct pool *pool,
					struct pool_node *node,
					struct promise *from,
					struct promise *to, unsigned long pages)
{
	spin_lock(&node->lock);
	pages = min(pages, from->on_node[node->nid]);
	promise_add(from, node->nid, -pages);
	if (to) {
		promise_add(to, node->nid, pages);
	} else {
		node->counts.resv -= pages;
		pool_spare(pool, pages);
	}
	node->events++;
	spin_unlock(&node->lock);
	return pages;
}

/* The same on all nodes; how many were not there. */
static unsigned long pool_withdraw(struct pool *pool, struct promise *from,
				   struct promise *to, unsigned long pages)
{
	unsigned int seq;
	int nid;

	while (pages) {
		seq = read_seqcount_begin(&pool->moves);
		for (nid = 0; nid < pool->nr_nodes && pages; nid++)
			if (promise_on(from, nid))
				pages -= pool_node_withdraw(pool,
							    pool->node[nid],
							    from, to, pages);
		if (!read_seqcount_retry(&pool->moves, seq))
			break;
	}
	return pages;
}

/**
 * pool_unreserve() - Take back promises that were not consumed.
 * @pool: the pool
 * @pages: huge pages to be taken back
 * @promise: lowered by that many
 *
 * Context: process; no lock of the pool is held.
 * Return: huge pages that were taken back, fewer only where the promise held
 * fewer.
 */
unsigned long pool_unreserve(struct pool *pool, unsigned long pages,
			     struct promise *promise)
{
	return pages - pool_withdraw(pool, promise, NULL, pages);
}

/**
 * pool_promised() - How much is promised.
 * @pool: the pool
 * @promise: the promise
 *
 * Return: huge pages over all nodes, also while somebody moves them.
 */
unsigned long pool_promised(struct pool *pool, const struct promise *promise)
{
	unsigned long sum;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&pool->moves);
		sum = promise_sum(promise);
	} while (read_seqcount_retry(&pool->moves, seq));
	return sum;
}

/**
 * pool_hand_over() - Let what was promised to one be promised to another.
 * @pool: the pool
 * @from: lowered by @pages
 * @to: raised by @pages; its owner's lock is held
 * @pages: huge pages, of which @from has as many
 *
 * Context: no lock of the pool is held.
 */
void pool_hand_over(struct pool *pool, struct promise *from, struct promise *to,
		    unsigned long pages)
{
	pages = pool_withdraw(pool, from, to, pages);
	WARN_ONCE(pages, "rhugefs: %lu promises to hand over were not there\n",
		  pages);
}

/*
 * Take a page of @node that nobody was promised, and let one that was promised
 * on @promised go in its place. What may be had is the same before and after,
 * so it must be the same throughout: both nodes are locked, by rising id.
 */
static struct folio *pool_node_swap(struct pool_node *node,
				    struct pool_node *promised,
				    struct promise *promise, bool *zeroed)
{
	struct pool_node *first = node->nid < promised->nid ? node : promised;
	struct pool_node *second = first == node ? promised : node;
	struct folio *folio = NULL;

	spin_lock(&first->lock);
	spin_lock_nested(&second->lock, SINGLE_DEPTH_NESTING);
	if (node->counts.free > node->counts.resv &&
	    promise->on_node[promised->nid])
		folio = pool_node_take(node, zeroed);
	if (folio) {
		promise_add(promise, promised->nid, -1);
		promised->counts.resv--;
		promised->events++;
	}
	zeroing_unlock(second);
	zeroing_unlock(first);
	return folio;
}

/*
 * The promise has a unit on node @promised. Where a node that is wanted more, and is one
 * of those that were promised, has a page that nobody was promised, that one is better.
 */
static struct folio *pool_take_nearer(struct pool *pool,
				      const struct wish *wish,
				      struct pool_node *promised,
				      struct promise *promise, bool *zeroed)
{
	struct folio *folio;
	struct pool_node *node;
	int i;

	for_each_wished(pool, wish, i, node) {
		if (node == promised)
			break;
		if (READ_ONCE(node->counts.free) == 0 ||
		    !nodeset_has(&promise->scope->nodes, node->nid))
			continue;
		folio = pool_node_swap(node, promised, promise, zeroed);
		if (folio)
			return folio;
	}
	return NULL;
}

static struct folio *pool_node_take_promised(struct pool_node *node,
					     struct promise *promise,
					     bool *zeroed)
{
	struct folio *folio = NULL;

	spin_lock(&node->lock);
	if (promise->on_node[node->nid]) {
		promise_add(promise, node->nid, -1);
		node->counts.resv--;
		folio = pool_node_take(node, zeroed);
	}
	zeroing_unlock(node);
	return folio;
}

/* Where the promise has a unit: where it is wanted most, or else anywhere. */
static struct pool_node *pool_find_promised(struct pool *pool,
					    const struct wish *wish,
					    struct promise *promise)
{
	struct pool_node *node;
	int i;

	for_each_wished(pool, wish, i, node)
		if (promise_on(promise, node->nid))
			return node;
	for (i = 0; i < pool->nr_nodes; i++)
		if (promise_on(promise, i))
			return pool->node[i];
	return NULL;
}

/**
 * pool_take_promised() - Take a page that was promised.
 * @pool: the pool
 * @wish: where it should lie
 * @promise: lowered by one
 * @zeroed: in: a zeroed page is preferred to a dirty one; out: it is one
 *
 * Another who has a unit of the same promise may take it where it was seen, and leave
 * one elsewhere.
 *
 * Context: no lock of the pool is held.
 * Return: the page, or NULL where @promise has nothing left.
 */
struct folio *pool_take_promised(struct pool *pool, const struct wish *wish,
				 struct promise *promise, bool *zeroed)
{
	struct pool_node *node;
	struct folio *folio;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&pool->moves);
		while ((node = pool_find_promised(pool, wish, promise))) {
			folio = pool_take_nearer(pool, wish, node, promise,
						 zeroed);
			if (!folio)
				folio = pool_node_take_promised(node, promise,
								zeroed);
			if (folio)
				return folio;
		}
	} while (read_seqcount_retry(&pool->moves, seq));
	return NULL;
}
