// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the pool has too few pages: parked pages that have come free, then surplus
 * pages from the buddy allocator, up to nr_overcommit_hugepages. Who asks for pages
 * gathers what is missing before he is told yes; what was gathered is nobody else's,
 * so that two who gather at the same time do not take each other's. Surplus pages go
 * back as soon as there is a page that nobody uses or was promised.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "inject.h"
#include "park.h"
#include "plan.h"
#include "poison.h"
#include "resize.h"
#include "surplus.h"
#include "trace.h"

/**
 * surplus_admit() - Take pages out of what may be had, and of what was gathered.
 * @hunt: the search
 * @pages: huge pages, at most what is wanted
 *
 * Context: any.
 * Return: whether there are enough, all or none.
 */
bool surplus_admit(struct hunt *hunt, unsigned long pages)
{
	unsigned long gathered = min(pages, hunt->gathered);

	if (!pool_admit(hunt->pool, pages - gathered))
		return false;
	if (gathered) {
		hunt->gathered -= gathered;
		atomic_long_sub(gathered, &hunt->pool->gathered);
	}
	return true;
}

/* How many surplus pages there may be more. */
static unsigned long surplus_room(struct pool *pool)
{
	long limit = min_t(unsigned long, READ_ONCE(pool->nr_overcommit),
			   LONG_MAX);
	long room = limit - atomic_long_read(&pool->nr_surplus);

	return max(room, 0L);
}

/* Where pages are allowed, and if none can be had there, once where others could move. */
static unsigned long surplus_gather_near(struct hunt *hunt, unsigned long pages)
{
	unsigned long got = resize_gather(hunt->pool, hunt->wish, pages);
	struct wish wish = { .nid = hunt->wish->nid };

	if (got || !hunt->lacks || hunt->widened)
		return got;
	hunt->widened = true;
	nodeset_andnot(&wish.allowed, &hunt->reached, &hunt->wish->allowed);
	wish.preferred = wish.allowed;
	return resize_gather(hunt->pool, &wish, pages);
}

/*
 * Gather what is missing beside that which may be had. Whether that may now do: either
 * something was gathered, or somebody else has given back enough meanwhile.
 */
static bool surplus_gather(struct hunt *hunt)
{
	struct pool *pool = hunt->pool;
	unsigned long got = 0;
	long missing;

	if (!(hunt->pages || hunt->lacks) || !surplus_room(pool) ||
	    mutex_lock_killable(&pool->gather_mutex))
		return false;
	missing = hunt->pages - hunt->gathered -
		  max(atomic_long_read(&pool->spare), 0L);
	missing = max_t(long, missing, hunt->lacks);
	/* Rather none than a part of what would not do. */
	if (missing > 0 && missing <= surplus_room(pool))
		got = surplus_gather_near(hunt, missing);
	hunt->gathered += got;
	mutex_unlock(&pool->gather_mutex);
	return got || missing <= 0;
}

/**
 * surplus_hunt() - Look for more pages.
 * @hunt: the search
 *
 * Context: may sleep; no lock of the pool or of a quota is held.
 * Return: true if it is worth another try. Where nothing was found it is once more,
 * since somebody else may have found it.
 */
bool surplus_hunt(struct hunt *hunt)
{
	if (hunt->last || fatal_signal_pending(current))
		return false;
	hunt->last = !park_collect(hunt->pool) && !surplus_gather(hunt);
	return true;
}

/**
 * surplus_end() - End a search: what was gathered in vain goes back.
 * @hunt: the search
 *
 * Context: may sleep; no lock of the pool or of a quota is held.
 */
void surplus_end(struct hunt *hunt)
{
	if (hunt->gathered) {
		pool_spare(hunt->pool, hunt->gathered);
		atomic_long_sub(hunt->gathered, &hunt->pool->gathered);
		hunt->gathered = 0;
	}
	surplus_trim(hunt->pool);
}

/* Promise pages on the nodes that are allowed, either new ones or for what is @given. */
static bool surplus_try_plan(struct hunt *hunt, unsigned long pages,
			     struct promise *promise, struct list_head *given)
{
	struct plan plan;
	bool found;

	plan_begin(&plan, hunt->pool, hunt->wish, given);
	hunt->lacks = plan_solve(&plan, pages);
	hunt->reached = plan.reached;
	found = !hunt->lacks && (given || surplus_admit(hunt, pages));
	if (found)
		plan_apply(&plan, promise, given ? pages : 0);
	plan_end(&plan);
	return found;
}

static bool surplus_try_reserve(struct hunt *hunt, struct promise *promise)
{
	if (!promise->scope->any)
		return surplus_try_plan(hunt, hunt->pages, promise, NULL);
	if (!surplus_admit(hunt, hunt->pages))
		return false;
	pool_place(hunt->pool, hunt->pages, hunt->wish, promise);
	return true;
}

/**
 * surplus_reserve() - Promise pages to somebody, whatever it takes.
 * @pool: the pool
 * @pages: huge pages wanted
 * @wish: where they should lie
 * @promise: raised by @pages on success, unchanged otherwise
 *
 * Context: may sleep; no lock of the pool or of a quota is held.
 * Return: 0, or -ENOSPC where so many cannot be promised.
 */
int surplus_reserve(struct pool *pool, unsigned long pages,
		    const struct wish *wish, struct promise *promise)
{
	struct hunt hunt = { .pool = pool, .pages = pages, .wish = wish };
	bool reserved;

	if (inject(INJECT_POOL))
		return -ENOSPC;
	do
		reserved = surplus_try_reserve(&hunt, promise);
	while (!reserved && surplus_hunt(&hunt));
	surplus_end(&hunt);
	return reserved ? 0 : -ENOSPC;
}

/**
 * surplus_move() - Promise pages in the place of others.
 * @pool: the pool
 * @pages: huge pages that were promised, and are to be
 * @wish: where they should lie
 * @promise: raised by @pages on success, unchanged otherwise; its scope is where they
 *	may; its owner's lock is held for writing
 * @given: a list of promises, by sibling, that have as many pages together and nothing
 *	left on success, unchanged otherwise
 *
 * Context: may sleep; no lock of the pool or of a quota is held.
 * Return: 0, or -ENOSPC where there are too few.
 */
int surplus_move(struct pool *pool, unsigned long pages,
		 const struct wish *wish, struct promise *promise,
		 struct list_head *given)
{
	struct hunt hunt = { .pool = pool, .wish = wish };
	bool moved;

	if (!pages)
		return 0;
	do
		moved = surplus_try_plan(&hunt, pages, promise, given);
	while (!moved && surplus_hunt(&hunt));
	surplus_end(&hunt);
	return moved ? 0 : -ENOSPC;
}

/**
 * surplus_add() - Make a page part of the pool for one who asked for it.
 * @pool: the pool
 * @folio: a page from the buddy allocator, with one reference
 * @zeroed: it holds only zeroes
 *
 * Nobody else may have it: as if pool_admit() had said yes to one page.
 */
void surplus_add(struct pool *pool, struct folio *folio, bool zeroed)
{
	struct pool_node *node = pool->node[folio_nid(folio)];

	spin_lock(&node->lock);
	node->counts.nr++;
	node->counts.surplus++;
	atomic_long_inc(&pool->nr_surplus);
	atomic_long_inc(&pool->gathered);
	pool_node_free(node, folio, zeroed);
	zeroing_unlock(node);
}

/**
 * surplus_mark() - Let pages go as soon as nobody uses them.
 * @pool: the pool
 * @nid: node id
 * @pages: huge pages
 *
 * Return: for how many of them that was possible.
 */
unsigned long surplus_mark(struct pool *pool, int nid, unsigned long pages)
{
	struct pool_node *node = pool->node[nid];

	spin_lock(&node->lock);
	pages = min(pages, node->counts.nr - node->counts.surplus);
	node->counts.surplus += pages;
	node->events++;
	atomic_long_add(pages, &pool->nr_surplus);
	spin_unlock(&node->lock);
	return pages;
}

/**
 * surplus_keep() - Keep pages that were to go.
 * @pool: the pool
 * @nid: node id
 * @pages: huge pages
 *
 * Return: how many of them there were.
 */
unsigned long surplus_keep(struct pool *pool, int nid, unsigned long pages)
{
	struct pool_node *node = pool->node[nid];

	spin_lock(&node->lock);
	pages = min(pages, node->counts.surplus);
	node->counts.surplus -= pages;
	node->events++;
	atomic_long_sub(pages, &pool->nr_surplus);
	spin_unlock(&node->lock);
	return pages;
}

/* Give a node's surplus pages back that nobody uses or was promised. */
static void surplus_trim_node(struct pool *pool, int nid)
{
	struct folio *folio;
	long gone = 0;

	while ((folio = pool_remove(pool, nid, true))) {
		poison_release(folio);
		gone++;
		cond_resched();
	}
	if (gone)
		trace_resize(RESIZE_TRIM, nid, -gone, -gone);
}

/* Is there a surplus page that nobody uses, was promised or is about to fetch? */
static bool surplus_is_idle(struct pool *pool)
{
	struct pool_counts counts;
	int nid;

	if (atomic_long_read(&pool->spare) <= 0)
		return false;
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		pool_count_node(pool, nid, &counts);
		if (counts.surplus && counts.free > counts.resv)
			return true;
	}
	return false;
}

/**
 * surplus_trim() - Give surplus pages back that nobody uses.
 * @pool: the pool
 *
 * Who comes while somebody else does this, or gathers, leaves it to him: he looks
 * again when he has let others in. Who gathers counts on what he sees, and comes here
 * when he is done.
 *
 * Context: may sleep; no lock of the pool or of a quota is held.
 */
void surplus_trim(struct pool *pool)
{
	int nid;

	if (!atomic_long_read(&pool->nr_surplus))
		return;
	do {
		/* What the caller has freed is seen by whoever has the mutex. */
		smp_mb();
		if (atomic_long_read(&pool->spare) <= 0 ||
		    !mutex_trylock(&pool->gather_mutex))
			return;
		for (nid = 0; nid < pool->nr_nodes; nid++)
			surplus_trim_node(pool, nid);
		mutex_unlock(&pool->gather_mutex);
		/* Pairs with the one of a caller who was not let in. */
		smp_mb();
	} while (surplus_is_idle(pool));
}
