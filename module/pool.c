// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool: free lists and counts of each NUMA node, and the promises made on
 * them.
 *
 * Each node counts the pages it has (nr), those on its free lists (free) and
 * how many of the free ones are promised to somebody (resv). What a newcomer
 * may have is free - resv. A promise is a unit of a node's resv together with
 * a unit in its owner's struct promise; both are made, moved and ended
 * together, so at every quiet moment a node's resv is the sum of what all
 * owners hold on it.
 *
 * One node's lock is enough for whatever that node can satisfy alone. Only
 * who finds it short takes placement_lock too and goes over all nodes, nearest
 * first. That makes a refusal exact: pages set aside for a reservation that
 * spreads over several nodes are seen by nobody as missing before it is known
 * whether it succeeds.
 *
 * The pool owns one reference to each of its pages for as long as it has them,
 * also while they are in use. A count above that is somebody outside.
 */
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/topology.h>

#include "inject.h"
#include "park.h"
#include "pool.h"

/* Ids of the nodes by distance from node @home, which comes first itself. */
#define for_each_near(pool, home, i, node)				\
	for (i = 0; i < (pool)->nr_nodes &&				\
	     ((node) = (pool)->node[(pool)->node[home]->near[i]]); i++)

/**
 * pool_node_free() - Put a page on one of the node's free lists.
 * @node: the page's node
 * @folio: a page to which only the pool has a reference
 * @zeroed: it is known to hold only zeroes
 *
 * Context: @node->lock is held.
 */
void pool_node_free(struct pool_node *node, struct folio *folio, bool zeroed)
{
	lockdep_assert_held(&node->lock);

	list_add(&folio->lru, zeroed ? &node->zeroed : &node->dirty);
	node->events++;
	node->counts.free++;
	if (zeroed)
		node->counts.zeroed++;
}

/*
 * Take a page off a free list. @zeroed says on entry which kind is wanted, on
 * return which was got. The caller has made sure that there is a free page
 * that is his to take.
 */
static struct folio *pool_node_take(struct pool_node *node, bool *zeroed)
{
	struct list_head *list = *zeroed ? &node->zeroed : &node->dirty;
	struct folio *folio;

	lockdep_assert_held(&node->lock);

	if (list_empty(list))
		list = *zeroed ? &node->dirty : &node->zeroed;
	*zeroed = list == &node->zeroed;

	folio = list_first_entry(list, struct folio, lru);
	list_del(&folio->lru);
	node->events++;
	node->counts.free--;
	if (*zeroed)
		node->counts.zeroed--;
	return folio;
}

/* Take a page that nobody was promised, or NULL. */
static struct folio *pool_node_take_spare(struct pool_node *node, bool *zeroed)
{
	struct folio *folio = NULL;

	if (inject(INJECT_NODE))
		return NULL;
	spin_lock(&node->lock);
	if (node->counts.free > node->counts.resv)
		folio = pool_node_take(node, zeroed);
	spin_unlock(&node->lock);
	return folio;
}

/* Promise up to @pages of the node's pages; how many it was. */
static unsigned long pool_node_reserve(struct pool_node *node,
				       unsigned long pages)
{
	if (inject(INJECT_NODE))
		return 0;
	spin_lock(&node->lock);
	pages = min(pages, node->counts.free - node->counts.resv);
	node->counts.resv += pages;
	node->events++;
	spin_unlock(&node->lock);
	return pages;
}

static void pool_node_unreserve(struct pool_node *node, unsigned long pages)
{
	spin_lock(&node->lock);
	if (!WARN_ON_ONCE(node->counts.resv < pages))
		node->counts.resv -= pages;
	node->events++;
	spin_unlock(&node->lock);
}

/* Promise all of @pages on this one node, or nothing. */
static bool pool_node_reserve_all(struct pool_node *node, unsigned long pages)
{
	bool enough;

	if (inject(INJECT_NODE))
		return false;
	spin_lock(&node->lock);
	enough = node->counts.free - node->counts.resv >= pages;
	if (enough) {
		node->counts.resv += pages;
		node->events++;
	}
	spin_unlock(&node->lock);
	return enough;
}

/* Promise @pages over all nodes, those near @nid first, or nothing. */
static bool pool_reserve_spread(struct pool *pool, unsigned long pages, int nid,
				struct promise *promise)
{
	unsigned long missing = pages;
	struct pool_node *node;
	int i;

	spin_lock(&pool->placement_lock);
	for_each_near(pool, nid, i, node) {
		node->tentative = pool_node_reserve(node, missing);
		missing -= node->tentative;
	}
	for_each_near(pool, nid, i, node) {
		if (missing)
			pool_node_unreserve(node, node->tentative);
		else
			atomic_long_add(node->tentative,
					&promise->on_node[pool->node[nid]->near[i]]);
	}
	spin_unlock(&pool->placement_lock);
	return !missing;
}

/**
 * pool_reserve() - Promise free pages to somebody.
 * @pool: the pool
 * @pages: huge pages wanted
 * @nid: node id near which they should lie
 * @promise: raised by @pages on success, unchanged otherwise
 *
 * Context: may sleep; no lock of the pool is held.
 * Return: 0, or -ENOMEM where so many cannot be promised.
 */
int pool_reserve(struct pool *pool, unsigned long pages, int nid,
		 struct promise *promise)
{
	if (!pages)
		return 0;
	if (pool_node_reserve_all(pool->node[nid], pages)) {
		atomic_long_add(pages, &promise->on_node[nid]);
		return 0;
	}
	do {
		if (pool_reserve_spread(pool, pages, nid, promise))
			return 0;
	} while (park_collect(pool));
	return -ENOMEM;
}

/* Take up to @pages units out of a promise's share on one node. */
static unsigned long promise_pop(struct promise *promise, int nid,
				 unsigned long pages)
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
 * pool_unreserve() - Take back promises that were not consumed.
 * @pool: the pool
 * @pages: huge pages to be taken back
 * @promise: lowered by that many
 *
 * Context: any; no lock of the pool is held.
 * Return: huge pages that were taken back, fewer only where the promise held
 * fewer.
 */
unsigned long pool_unreserve(struct pool *pool, unsigned long pages,
			     struct promise *promise)
{
	unsigned long left = pages, popped;
	int nid;

	for (nid = 0; nid < pool->nr_nodes && left; nid++) {
		popped = promise_pop(promise, nid, left);
		if (!popped)
			continue;
		pool_node_unreserve(pool->node[nid], popped);
		left -= popped;
	}
	return pages - left;
}

/*
 * The promise lies on node @promised. Where a node nearer to @nid has a page
 * that nobody was promised, that page is better: take it and let the promise
 * go. Under placement_lock, so that nobody who counts what is left sees both
 * gone.
 */
static struct folio *pool_take_nearer(struct pool *pool, int nid, int promised,
				      bool *zeroed)
{
	struct folio *folio = NULL;
	struct pool_node *node;
	int i;

	spin_lock(&pool->placement_lock);
	for_each_near(pool, nid, i, node) {
		if (node == pool->node[promised])
			break;
		folio = pool_node_take_spare(node, zeroed);
		if (folio) {
			pool_node_unreserve(pool->node[promised], 1);
			break;
		}
	}
	spin_unlock(&pool->placement_lock);
	return folio;
}

/**
 * pool_take_promised() - Take a page that was promised.
 * @pool: the pool
 * @nid: node id near which it should lie
 * @promise: lowered by one
 * @zeroed: in: a zeroed page is preferred to a dirty one; out: it is one
 *
 * Context: no lock of the pool is held.
 * Return: the page, or NULL where @promise has nothing left.
 */
struct folio *pool_take_promised(struct pool *pool, int nid,
				 struct promise *promise, bool *zeroed)
{
	struct pool_node *node;
	struct folio *folio;
	int i, promised;

	for_each_near(pool, nid, i, node) {
		promised = pool->node[nid]->near[i];
		if (promise_pop(promise, promised, 1))
			goto found;
	}
	return NULL;
found:
	if (promised != nid) {
		folio = pool_take_nearer(pool, nid, promised, zeroed);
		if (folio)
			return folio;
	}
	spin_lock(&node->lock);
	node->counts.resv--;
	folio = pool_node_take(node, zeroed);
	spin_unlock(&node->lock);
	return folio;
}

static struct folio *pool_take_spread(struct pool *pool, int nid, bool *zeroed)
{
	struct folio *folio = NULL;
	struct pool_node *node;
	int i;

	spin_lock(&pool->placement_lock);
	for_each_near(pool, nid, i, node) {
		folio = pool_node_take_spare(node, zeroed);
		if (folio)
			break;
	}
	spin_unlock(&pool->placement_lock);
	return folio;
}

/**
 * pool_take() - Take a page that nobody was promised.
 * @pool: the pool
 * @nid: node id near which it should lie
 * @zeroed: in: a zeroed page is preferred to a dirty one; out: it is one
 *
 * Context: may sleep; no lock of the pool is held.
 * Return: the page, or NULL where every free page is promised.
 */
struct folio *pool_take(struct pool *pool, int nid, bool *zeroed)
{
	struct folio *folio = pool_node_take_spare(pool->node[nid], zeroed);

	while (!folio) {
		folio = pool_take_spread(pool, nid, zeroed);
		if (!folio && !park_collect(pool))
			break;
	}
	return folio;
}

/**
 * pool_put_back() - Undo the taking of a page that nobody else has seen.
 * @pool: the pool
 * @folio: the page
 * @zeroed: it holds only zeroes
 * @promise: promise to restore by one, on the page's own node, or NULL
 *
 * A reference that somebody holds to such a page can only be a passing look
 * by its frame number, which is no reason to park it.
 *
 * Context: no lock of the pool is held.
 */
void pool_put_back(struct pool *pool, struct folio *folio, bool zeroed,
		   struct promise *promise)
{
	int nid = folio_nid(folio);
	struct pool_node *node = pool->node[nid];

	spin_lock(&node->lock);
	pool_node_free(node, folio, zeroed);
	if (promise) {
		node->counts.resv++;
		atomic_long_inc(&promise->on_node[nid]);
	}
	spin_unlock(&node->lock);
}

/**
 * pool_give() - Give back a page that was in use.
 * @pool: the pool
 * @folio: the page, no longer mapped and in no cache
 *
 * Reading the count orders before whatever the next owner writes, by control
 * dependency; folio_put() of the last holder orders before the count.
 *
 * Context: no lock of the pool is held.
 */
void pool_give(struct pool *pool, struct folio *folio)
{
	struct pool_node *node = pool->node[folio_nid(folio)];

	if (folio_ref_count(folio) > 1) {
		park_page(pool, folio);
		return;
	}
	spin_lock(&node->lock);
	pool_node_free(node, folio, false);
	spin_unlock(&node->lock);
}

/**
 * pool_add() - Make a page part of the pool.
 * @pool: the pool
 * @folio: a page from the buddy allocator, with one reference
 * @zeroed: it holds only zeroes
 */
void pool_add(struct pool *pool, struct folio *folio, bool zeroed)
{
	struct pool_node *node = pool->node[folio_nid(folio)];

	spin_lock(&node->lock);
	node->counts.nr++;
	pool_node_free(node, folio, zeroed);
	spin_unlock(&node->lock);
}

/**
 * pool_remove() - Take a free page that nobody was promised out of the pool.
 * @pool: the pool
 * @nid: node id to take it from
 *
 * Return: the page, for the buddy allocator, or NULL where there is none.
 */
struct folio *pool_remove(struct pool *pool, int nid)
{
	struct pool_node *node = pool->node[nid];
	struct folio *folio = NULL;
	bool zeroed = false;

	spin_lock(&node->lock);
	if (node->counts.free > node->counts.resv) {
		folio = pool_node_take(node, &zeroed);
		node->counts.nr--;
	}
	spin_unlock(&node->lock);
	return folio;
}

/**
 * pool_count_node() - Read one node's counts.
 * @pool: the pool
 * @nid: node id
 * @counts: filled in, consistent within the node
 */
void pool_count_node(struct pool *pool, int nid, struct pool_counts *counts)
{
	struct pool_node *node = pool->node[nid];

	spin_lock(&node->lock);
	*counts = node->counts;
	spin_unlock(&node->lock);
}

/**
 * pool_count() - Add up the counts of all nodes.
 * @pool: the pool
 * @counts: filled in; the sum of moments that differ where others are at work
 */
void pool_count(struct pool *pool, struct pool_counts *counts)
{
	struct pool_counts one;
	int nid;

	*counts = (struct pool_counts){};
	spin_lock(&pool->placement_lock);
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		pool_count_node(pool, nid, &one);
		counts->nr += one.nr;
		counts->free += one.free;
		counts->resv += one.resv;
		counts->zeroed += one.zeroed;
		counts->parked += one.parked;
	}
	spin_unlock(&pool->placement_lock);
}

/**
 * pool_events() - How often counts have changed so far.
 * @pool: the pool
 *
 * Return: a number that differs from an earlier one if any count was changed
 * in between.
 */
unsigned long pool_events(struct pool *pool)
{
	unsigned long events = 0;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++) {
		spin_lock(&pool->node[nid]->lock);
		events += pool->node[nid]->events;
		spin_unlock(&pool->node[nid]->lock);
	}
	return events;
}

/* Nearer first; what is equally far is taken round robin from @home on. */
static int pool_cmp_near(const void *a, const void *b, const void *home)
{
	int near = *(const int *)a, far = *(const int *)b;
	int from = *(const int *)home;
	int diff = node_distance(from, near) - node_distance(from, far);

	if (diff)
		return diff;
	return (near + nr_node_ids - from) % nr_node_ids -
	       (far + nr_node_ids - from) % nr_node_ids;
}

static int *pool_near(int nid, int nr_nodes)
{
	int *near = kmalloc_array(nr_nodes, sizeof(*near), GFP_KERNEL);
	int i;

	if (!near)
		return NULL;
	for (i = 0; i < nr_nodes; i++)
		near[i] = i;
	swap(near[0], near[nid]);
	sort_r(near + 1, nr_nodes - 1, sizeof(*near), pool_cmp_near, NULL,
	       &nid);
	return near;
}

static struct pool_node *pool_node_create(int nid, int nr_nodes)
{
	struct pool_node *node;

	node = kzalloc_node(sizeof(*node), GFP_KERNEL,
			    node_online(nid) ? nid : NUMA_NO_NODE);
	if (!node)
		return NULL;
	spin_lock_init(&node->lock);
	INIT_LIST_HEAD(&node->zeroed);
	INIT_LIST_HEAD(&node->dirty);
	INIT_LIST_HEAD(&node->parked);
	node->near = pool_near(nid, nr_nodes);
	if (!node->near) {
		kfree(node);
		return NULL;
	}
	return node;
}

/**
 * pool_create() - Make an empty pool for all nodes that there may ever be.
 *
 * Return: the pool, or NULL where memory is short.
 */
struct pool *pool_create(void)
{
	struct pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	int nid;

	if (!pool)
		return NULL;
	spin_lock_init(&pool->placement_lock);
	park_init(pool);
	pool->nr_nodes = nr_node_ids;
	pool->node = kcalloc(pool->nr_nodes, sizeof(*pool->node), GFP_KERNEL);
	if (!pool->node)
		goto free_pool;
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		pool->node[nid] = pool_node_create(nid, pool->nr_nodes);
		if (!pool->node[nid])
			goto free_pool;
	}
	return pool;

free_pool:
	pool_destroy(pool);
	return NULL;
}

/**
 * pool_destroy() - Free an empty pool.
 * @pool: a pool whose pages have all been removed
 */
void pool_destroy(struct pool *pool)
{
	int nid;

	for (nid = 0; pool->node && nid < pool->nr_nodes; nid++) {
		if (!pool->node[nid])
			continue;
		WARN_ON_ONCE(pool->node[nid]->counts.nr);
		kfree(pool->node[nid]->near);
		kfree(pool->node[nid]);
	}
	kfree(pool->node);
	kfree(pool);
}
