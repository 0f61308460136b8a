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
 * were too few. No lock is held over more than one node, except for the moment
 * in which a promise changes nodes. Keeping a promise does not touch spare.
 *
 * The pool owns one reference to each of its pages for as long as it has them,
 * also while they are in use. A count above that is somebody outside.
 */
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/topology.h>

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

	folio = list_first_entry_or_null(list, struct folio, lru);
	if (WARN_ON_ONCE(!folio))
		return NULL;
	list_del(&folio->lru);
	node->events++;
	node->counts.free--;
	if (*zeroed)
		node->counts.zeroed--;
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
	spin_unlock(&node->lock);
	return folio;
}

/* Promise up to @pages of the node's pages; how many it was. */
static unsigned long pool_node_reserve(struct pool_node *node,
				       unsigned long pages)
{
	spin_lock(&node->lock);
	pages = min(pages, node->counts.free - node->counts.resv);
	node->counts.resv += pages;
	node->events++;
	spin_unlock(&node->lock);
	return pages;
}

/* End the promise of @pages of the node's pages; how many there were to end. */
static unsigned long pool_node_unreserve(struct pool *pool,
					 struct pool_node *node,
					 unsigned long pages)
{
	spin_lock(&node->lock);
	if (WARN_ON_ONCE(pages > node->counts.resv))
		pages = node->counts.resv;
	node->counts.resv -= pages;
	node->events++;
	pool_spare(pool, pages);
	spin_unlock(&node->lock);
	return pages;
}

/**
 * pool_place() - Promise pages to somebody who was admitted.
 * @pool: the pool
 * @pages: huge pages, for which pool_admit() said yes
 * @nid: node id near which they should lie
 * @promise: raised by @pages
 *
 * Context: may reschedule; no lock of the pool is held.
 */
void pool_place(struct pool *pool, unsigned long pages, int nid,
		struct promise *promise)
{
	unsigned long left = pages, got;
	struct pool_node *node;
	int i;

	while (left) {
		for_each_near(pool, nid, i, node) {
			got = pool_node_reserve(node, left);
			atomic_long_add(got, &promise->on_node[node->nid]);
			left -= got;
			if (!left)
				break;
		}
		cond_resched();
	}
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
	unsigned long left = pages, popped;
	int nid;

	for (nid = 0; nid < pool->nr_nodes && left; nid++) {
		popped = promise_pop(promise, nid, left);
		if (!popped)
			continue;
		left -= pool_node_unreserve(pool, pool->node[nid], popped);
	}
	return pages - left;
}

/*
 * Take a page of @node that nobody was promised, and let one that was promised
 * on @promised go in its place. What may be had is the same before and after,
 * so it must be the same throughout: both nodes are locked, by rising id.
 */
static struct folio *pool_node_swap(struct pool_node *node,
				    struct pool_node *promised, bool *zeroed)
{
	struct pool_node *first = node->nid < promised->nid ? node : promised;
	struct pool_node *second = first == node ? promised : node;
	struct folio *folio = NULL;

	spin_lock(&first->lock);
	spin_lock_nested(&second->lock, SINGLE_DEPTH_NESTING);
	if (node->counts.free > node->counts.resv)
		folio = pool_node_take(node, zeroed);
	if (folio) {
		promised->counts.resv--;
		promised->events++;
	}
	spin_unlock(&second->lock);
	spin_unlock(&first->lock);
	return folio;
}

/*
 * The promise lies on node @promised. Where a node nearer to @nid has a page
 * that nobody was promised, that page is better.
 */
static struct folio *pool_take_nearer(struct pool *pool, int nid,
				      struct pool_node *promised, bool *zeroed)
{
	struct folio *folio;
	struct pool_node *node;
	int i;

	for_each_near(pool, nid, i, node) {
		if (node == promised)
			break;
		if (READ_ONCE(node->counts.free) == 0)
			continue;
		folio = pool_node_swap(node, promised, zeroed);
		if (folio)
			return folio;
	}
	return NULL;
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
	int i;

	for_each_near(pool, nid, i, node)
		if (promise_pop(promise, node->nid, 1))
			goto found;
	return NULL;
found:
	folio = pool_take_nearer(pool, nid, node, zeroed);
	if (folio)
		return folio;
	spin_lock(&node->lock);
	node->counts.resv--;
	folio = pool_node_take(node, zeroed);
	spin_unlock(&node->lock);
	return folio;
}

/**
 * pool_take() - Take a page that nobody was promised.
 * @pool: the pool
 * @nid: node id near which it should lie
 * @zeroed: in: a zeroed page is preferred to a dirty one; out: it is one
 *
 * Context: pool_admit() said yes to one page. May reschedule; no lock of the pool is
 * held.
 * Return: the page.
 */
struct folio *pool_take(struct pool *pool, int nid, bool *zeroed)
{
	struct pool_node *node;
	struct folio *folio;
	int i;

	for (;;) {
		for_each_near(pool, nid, i, node) {
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
		atomic_long_inc(&promise->on_node[nid]);
	} else {
		pool_spare(pool, 1);
	}
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
	spin_unlock(&node->lock);
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
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		pool_count_node(pool, nid, &one);
		counts->nr += one.nr;
		counts->free += one.free;
		counts->resv += one.resv;
		counts->zeroed += one.zeroed;
		counts->parked += one.parked;
		counts->surplus += one.surplus;
	}
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
	node->nid = nid;
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
	park_init(pool);
	mutex_init(&pool->resize_mutex);
	mutex_init(&pool->gather_mutex);
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
