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
 * Whether somebody may have pages is decided in one place and at one moment:
 * pool->spare, the number of pages that nobody was promised, over all nodes.
 * Who takes his pages out of it has been told yes, and finds them on the nodes,
 * nearest first; they may move while he looks, but there are always enough.
 * Who does not get them there has been refused because at that moment there
 * were too few. Who may only have pages on certain nodes finds them first, with all
 * nodes locked, and then takes as many out of spare; see plan.c. Else no lock is held
 * over more than one node, except for the moment in which a promise changes nodes.
 * Keeping a promise does not touch spare.
 *
 * The pool owns one reference to each of its pages for as long as it has them,
 * also while they are in use. A count above that is somebody outside.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/topology.h>

#include "park.h"
#include "poison.h"
#include "pool.h"

/**
 * pool_node_free() - Put a page on one of the node's free lists.
 * @node: the page's node
 * @folio: a page to which only the pool has a reference
 * @zeroed: it is known to hold only zeroes
 *
 * Context: @node->lock is held, and dropped by zeroing_unlock().
 */
void pool_node_free(struct pool_node *node, struct folio *folio, bool zeroed)
{
	lockdep_assert_held(&node->lock);

	node->events++;
	node->counts.free++;
	if (huge_page_is_poisoned(folio)) {
		list_add(&folio->lru, &node->poisoned);
		poison_wake();
		return;
	}
	list_add(&folio->lru, zeroed ? &node->zeroed : &node->dirty);
	if (zeroed)
		node->counts.zeroed++;
}

/* The first page of the lists of free ones, off it; NULL where there is none. */
static struct folio *pool_node_pop(struct pool_node *node, bool *zeroed)
{
	struct list_head *list = *zeroed ? &node->zeroed : &node->dirty;
	struct folio *folio;

	if (list_empty(&node->zeroed) && list_empty(&node->dirty))
		zeroing_call_back(node);
	if (list_empty(list))
		list = *zeroed ? &node->dirty : &node->zeroed;
	*zeroed = list == &node->zeroed;

	folio = list_first_entry_or_null(list, struct folio, lru);
	if (!folio)
		return NULL;
	list_del(&folio->lru);
	if (*zeroed)
		node->counts.zeroed--;
	return folio;
}

/* Lay those aside that have errors; where there is no other, one of these. */
static struct folio *pool_node_pick(struct pool_node *node, bool *zeroed)
{
	bool want_zeroed = *zeroed;
	struct folio *folio;

	while ((folio = pool_node_pop(node, zeroed))) {
		if (!huge_page_is_poisoned(folio))
			return folio;
		list_add(&folio->lru, &node->poisoned);
		poison_wake();
		*zeroed = want_zeroed;
	}
	folio = list_first_entry_or_null(&node->poisoned, struct folio, lru);
	if (folio)
		list_del(&folio->lru);
	*zeroed = false;
	return folio;
}

/**
 * pool_node_take() - Take a page off a free list.
 * @node: the node
 * @zeroed: in: a zeroed page is preferred to a dirty one; out: it is one
 *
 * Context: @node->lock is held, and dropped by zeroing_unlock(). The caller has made
 * sure that there is a free page that is his to take.
 * Return: the page, which may have a memory error if it is the last.
 */
struct folio *pool_node_take(struct pool_node *node, bool *zeroed)
{
	struct folio *folio;

	lockdep_assert_held(&node->lock);

	folio = pool_node_pick(node, zeroed);
	if (WARN_ON_ONCE(!folio))
		return NULL;
	node->events++;
	node->counts.free--;
	return folio;
}

/* Take @pages out of what may be had, all or none, and leave at least @leave. */
static bool pool_admit_leaving(struct pool *pool, unsigned long pages,
			       unsigned long leave)
{
	long spare = atomic_long_read(&pool->spare);

	do {
		if (spare < 0 || pages > spare || leave > spare - pages)
			return false;
	} while (!atomic_long_try_cmpxchg(&pool->spare, &spare, spare - pages));
	return true;
}

/**
 * pool_admit() - Take pages out of what may be had, all or none.
 * @pool: the pool
 * @pages: huge pages
 *
 * Context: any.
 * Return: whether there were so many; the caller then finds them by pool_place() or
 * pool_take(), or gives them up by pool_spare().
 */
bool pool_admit(struct pool *pool, unsigned long pages)
{
	return pool_admit_leaving(pool, pages, 0);
}

/**
 * pool_spare() - Say that pages may be had which a node has already.
 * @pool: the pool
 * @pages: huge pages, free and not promised
 */
void pool_spare(struct pool *pool, unsigned long pages)
{
	atomic_long_add(pages, &pool->spare);
}

/* Take a page that nobody was promised, or NULL. */
static struct folio *pool_node_take_spare(struct pool_node *node, bool *zeroed)
{
	struct folio *folio = NULL;

	spin_lock(&node->lock);
	if (node->counts.free > node->counts.resv)
		folio = pool_node_take(node, zeroed);
	zeroing_unlock(node);
	return folio;
}

/**
 * pool_take() - Take a page that nobody was promised.
 * @pool: the pool
 * @wish: where it should lie; any node is allowed
 * @zeroed: in: a zeroed page is preferred to a dirty one; out: it is one
 *
 * Context: pool_admit() said yes to one page. May reschedule; no lock of the pool is
 * held.
 * Return: the page.
 */
struct folio *pool_take(struct pool *pool, const struct wish *wish,
			bool *zeroed)
{
	struct pool_node *node;
	struct folio *folio;
	int i;

	for (;;) {
		for_each_wished(pool, wish, i, node) {
			folio = pool_node_take_spare(node, zeroed);
			if (folio)
				return folio;
		}
		cond_resched();
	}
}

/**
 * pool_put_back() - Put a page on a free list, and perhaps promise it.
 * @pool: the pool
 * @folio: a page to which nobody outside can have a reference that lasts: he never
 *	saw it, or was found not to have one after it was unmapped
 * @zeroed: it holds only zeroes
 * @promise: promise to restore by one, on the page's own node, or NULL
 *
 * A reference to such a page can only be a passing look by its frame number,
 * which is no reason to park it.
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
		promise_add(promise, nid, 1);
	} else {
		pool_spare(pool, 1);
	}
	zeroing_unlock(node);
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
	zeroing_unlock(node);
	pool_spare(pool, 1);
}

/* Let a page go that nobody was promised; the node's lock is held. */
static struct folio *pool_node_remove(struct pool *pool, struct pool_node *node,
				      bool surplus, unsigned long leave)
{
	struct folio *folio;
	bool zeroed = false;

	if (surplus ? !node->counts.surplus :
		      node->counts.nr == node->counts.surplus)
		return NULL;
	/* The node's spare page may be another's who is still looking for it. */
	if (node->counts.free <= node->counts.resv ||
	    !pool_admit_leaving(pool, 1, leave))
		return NULL;
	folio = pool_node_take(node, &zeroed);
	if (!folio)
		return NULL;
	node->counts.nr--;
	if (surplus) {
		node->counts.surplus--;
		atomic_long_dec(&pool->nr_surplus);
	}
	return folio;
}

/**
 * pool_remove() - Take a free page that nobody was promised out of the pool.
 * @pool: the pool
 * @nid: node id to take it from
 * @surplus: it counts as one of the surplus pages, and else as none of them
 *
 * Return: the page, for the buddy allocator, or NULL where there is none.
 */
struct folio *pool_remove(struct pool *pool, int nid, bool surplus)
{
	struct pool_node *node = pool->node[nid];
	struct folio *folio;

	spin_lock(&node->lock);
	folio = pool_node_remove(pool, node, surplus, 0);
	zeroing_unlock(node);
	return folio;
}

/**
 * pool_try_remove() - The same of a page that is not surplus, without waiting.
 * @pool: the pool
 * @nid: node id to take it from
 * @leave: huge pages over all nodes that are to be there still for others
 *
 * Return: the page, or NULL where there is none or somebody is at work there.
 */
struct folio *pool_try_remove(struct pool *pool, int nid, unsigned long leave)
{
	struct pool_node *node = pool->node[nid];
	struct folio *folio;

	if (!spin_trylock(&node->lock))
		return NULL;
	folio = pool_node_remove(pool, node, false, leave);
	zeroing_unlock(node);
	return folio;
}

/**
 * pool_may_have_spare() - Is there a page that nobody was promised?
 * @pool: the pool
 * @nodes: where to look
 *
 * Context: any; no lock is taken.
 * Return: whether there seems to be one.
 */
bool pool_may_have_spare(struct pool *pool, const struct nodeset *nodes)
{
	struct pool_counts *counts;
	bool spare;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++) {
		counts = &pool->node[nid]->counts;
		/* A guess will do: who goes and finds none has lost nothing. */
		spare = data_race(counts->free > counts->resv);
		if (spare && nodeset_has(nodes, nid))
			return true;
	}
	return false;
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
 * pool_count_within() - Add up the counts of some nodes.
 * @pool: the pool
 * @nodes: the nodes
 * @counts: filled in; the sum of moments that differ where others are at work
 */
void pool_count_within(struct pool *pool, const struct nodeset *nodes,
		       struct pool_counts *counts)
{
	struct pool_counts one;
	int nid;

	*counts = (struct pool_counts){};
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		if (!nodeset_has(nodes, nid))
			continue;
		pool_count_node(pool, nid, &one);
		counts->nr += one.nr;
		counts->free += one.free;
		counts->resv += one.resv;
		counts->zeroed += one.zeroed;
		counts->parked += one.parked;
		counts->surplus += one.surplus;
		counts->poisoned += one.poisoned;
	}
}

/**
 * pool_count() - Add up the counts of all nodes.
 * @pool: the pool
 * @counts: as for pool_count_within()
 */
void pool_count(struct pool *pool, struct pool_counts *counts)
{
	pool_count_within(pool, &pool->any->nodes, counts);
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
	unsigned long events = atomic_long_read(&pool->quota_events);
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
	zeroing_init_node(node);
	node->nid = nid;
	INIT_LIST_HEAD(&node->zeroed);
	INIT_LIST_HEAD(&node->dirty);
	INIT_LIST_HEAD(&node->parked);
	INIT_LIST_HEAD(&node->poisoned);
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
	park_init(pool);
	mutex_init(&pool->resize_mutex);
	mutex_init(&pool->gather_mutex);
	spin_lock_init(&pool->plan_lock);
	seqcount_spinlock_init(&pool->moves, &pool->plan_lock);
	pool->nr_nodes = nr_node_ids;
	pool->plan = kcalloc(pool->nr_nodes, sizeof(*pool->plan), GFP_KERNEL);
	if (!pool->plan || scope_init(pool))
		goto free_pool;
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
	scope_exit(pool);
	kfree(pool->plan);
	kfree(pool);
}
