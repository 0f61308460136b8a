// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carving the pool's pages out of the buddy allocator and giving them back: when the
 * module is loaded and unloaded, when somebody asks for another number, and when pages
 * are wanted that the pool does not have. No spinlock is held over it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpuset.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "crew.h"
#include "huge_page.h"
#include "inject.h"
#include "park.h"
#include "plan.h"
#include "poison.h"
#include "resize.h"
#include "surplus.h"
#include "trace.h"

/*
 * On that node or nowhere. Compaction and reclaim are tried as long as they
 * help; for a page of this order the OOM killer is never called. Not from
 * ZONE_MOVABLE, since these pages stay where they are.
 */
#define RESIZE_GFP	(GFP_HIGHUSER | __GFP_THISNODE | __GFP_NOWARN | \
			 __GFP_RETRY_MAYFAIL)

/* The same, where it is not to be worked hard for. */
#define RESIZE_EASY_GFP	((RESIZE_GFP & ~__GFP_RETRY_MAYFAIL) | __GFP_NORETRY)

/*
 * Part of the machine's memory that is left to it, whatever is asked for. Who
 * asks for all of it wants many pages, and not a machine that cannot start
 * another program.
 */
#define RESIZE_LEAVE	64

/*
 * How often a node is asked for one page before it counts as having none. After a
 * compaction in vain the kernel leaves out the next ones, up to 63 of them, and what
 * is asked for meanwhile fails at once; even the next one that is not left out may only
 * rewind to where memory begins. An allocation takes two such turns. To leave out costs
 * next to nothing; but now and then the kernel's own compaction, which has been woken,
 * is given time.
 */
#define RESIZE_TRIES	256
#define RESIZE_PAUSE	16

/* Huge pages that are worth more than one processor, and are carved at a time. */
#define RESIZE_BULK	32

/* Huge pages that could be taken at most. */
static unsigned long resize_room(void)
{
	long room = si_mem_available() - (long)(totalram_pages() / RESIZE_LEAVE);

	return room > 0 ? DIV_ROUND_UP(room, HUGE_NR) : 0;
}

static bool resize_leaves_enough(void)
{
	return resize_room();
}

static struct folio *resize_alloc_once(int nid, gfp_t gfp)
{
	struct folio *folio = __folio_alloc_node(gfp, HUGE_ORDER, nid);

	if (!folio)
		return NULL;
	if (!poison_watch(folio)) {
		folio_put(folio);
		return NULL;
	}
	/* The page allocator leaves what an earlier owner put there. */
	folio->index = 0;
	return folio;
}

/*
 * A page of a node, or NULL where it has none at so many @tries. Only now and then the
 * kernel is to work hard for it: the other tries wait for compaction, and need not push
 * out what others have in memory.
 */
static struct folio *resize_alloc(int nid, int tries)
{
	gfp_t gfp = RESIZE_GFP;
	struct folio *folio;

	if (!resize_leaves_enough() || inject(INJECT_NODE))
		return NULL;
	for (;;) {
		folio = resize_alloc_once(nid, gfp);
		if (folio || !--tries || signal_pending(current) ||
		    !resize_leaves_enough())
			break;
		gfp = RESIZE_GFP;
		if (tries % RESIZE_PAUSE) {
			gfp = RESIZE_EASY_GFP;
			cond_resched();
		} else {
			schedule_timeout_interruptible(1);
		}
	}
	return folio;
}

/**
 * struct carving - what several processors carve on one node
 * @crew: those who do
 * @pool: the pool
 * @nid: node id
 * @got: how many pages it was so far
 */
struct carving {
	struct crew crew;
	struct pool *pool;
	int nid;
	atomic_long_t got;
};

/* One page that is there without much ado. */
static bool resize_carve_piece(struct crew *crew, unsigned long nth)
{
	struct carving *carving = container_of(crew, struct carving, crew);
	struct folio *folio;

	/* Each of the others may be about to take one, too. */
	if (signal_pending(crew->owner) || resize_room() <= CREW_MOST + 1 ||
	    inject(INJECT_NODE))
		return false;
	folio = resize_alloc_once(carving->nid, RESIZE_EASY_GFP);
	if (!folio)
		return false;
	pool_add(carving->pool, folio, want_init_on_alloc(RESIZE_GFP));
	atomic_long_inc(&carving->got);
	return true;
}

/*
 * Carve on a node with several processors, for the kernel may zero what it gives, and
 * stop where it becomes difficult; how many it was. Others than the caller's task are not
 * bound by its cpuset.
 */
static unsigned long resize_carve_quickly(struct pool *pool, int nid,
					  unsigned long pages)
{
	struct carving *carving;
	unsigned long got;

	if (pages < RESIZE_BULK || !node_isset(nid, cpuset_current_mems_allowed))
		return 0;
	carving = kzalloc(sizeof(*carving), GFP_KERNEL);
	if (!carving)
		return 0;
	carving->pool = pool;
	carving->nid = nid;
	crew_run(&carving->crew, nid, pages, pages, resize_carve_piece);
	got = atomic_long_read(&carving->got);
	kfree(carving);
	return got;
}

/* Carve up to @pages on one node; how many it was. */
static unsigned long resize_carve(struct pool *pool, int nid,
				  unsigned long pages)
{
	struct folio *folio;
	unsigned long got;

	for (got = resize_carve_quickly(pool, nid, pages); got < pages; got++) {
		if (fatal_signal_pending(current))
			break;
		folio = resize_alloc(nid, RESIZE_TRIES);
		if (!folio)
			break;
		pool_add(pool, folio, want_init_on_alloc(RESIZE_GFP));
		cond_resched();
	}
	return got;
}

/**
 * resize_alloc_one() - Take a page from the page allocator.
 * @nid: node id
 * @zeroed: set to whether it holds only zeroes
 *
 * Context: may sleep.
 * Return: a page that is not in the pool yet, but is watched by poison_watch(), or NULL.
 */
struct folio *resize_alloc_one(int nid, bool *zeroed)
{
	*zeroed = want_init_on_alloc(RESIZE_GFP);
	return resize_alloc(nid, 1);
}

/**
 * resize_gather() - Take surplus pages for one who asked for them.
 * @pool: the pool; its gather_mutex is held
 * @wish: where they should lie
 * @pages: huge pages wanted
 *
 * Context: may sleep long.
 * Return: how many are in the pool now for the caller alone; see surplus_add().
 */
unsigned long resize_gather(struct pool *pool, const struct wish *wish,
			    unsigned long pages)
{
	struct pool_node *node;
	unsigned long got = 0;
	struct folio *folio;
	bool zeroed;
	int i;

	/* Who asks for what cannot be must not have all memory moved for it. */
	if (pages > resize_room())
		return 0;
	atomic_inc(&pool->growing);
	for_each_wished(pool, wish, i, node) {
		while (got < pages && node_state(node->nid, N_MEMORY) &&
		       !fatal_signal_pending(current)) {
			folio = resize_alloc_one(node->nid, &zeroed);
			if (!folio)
				break;
			surplus_add(pool, folio, zeroed);
			got++;
			cond_resched();
		}
	}
	atomic_dec(&pool->growing);
	trace_resize(RESIZE_GATHER, wish->nid, pages, got);
	return got;
}

/* Carve on other nodes what their neighbours could not give. */
static unsigned long resize_carve_elsewhere(struct pool *pool,
					    const struct request *request,
					    unsigned long *got,
					    unsigned long missing)
{
	unsigned long more;
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		if (!missing)
			break;
		/* A node that fell short has been asked enough. */
		if (got[nid] < request->on_node[nid])
			continue;
		more = resize_carve(pool, nid, missing);
		got[nid] += more;
		missing -= more;
	}
	return missing;
}

/* Log lines hold some 900 characters: enough for the nodes of large machines. */
#define RESIZE_REPORT	800

/* One line that names each node, what was asked of it and what it gave. */
static void resize_report(const struct request *request,
			  const unsigned long *got, unsigned long missing)
{
	char *text = kzalloc(RESIZE_REPORT, GFP_KERNEL);
	int nid, len = 0;

	for_each_node_state(nid, N_MEMORY) {
		if (!text)
			break;
		len += scnprintf(text + len, RESIZE_REPORT - len,
				 ", node%d %lu of %lu", nid, got[nid],
				 request->on_node[nid]);
	}
	if (missing)
		pr_warn("%lu huge pages were asked for, %lu could be had%s\n",
			request->total, request->total - missing, text ?: "");
	else
		pr_notice("%lu huge pages, spread unevenly%s\n",
			  request->total, text ?: "");
	kfree(text);
}

/* Carve what is asked for; how much of it could not be had. */
static unsigned long resize_carve_all(struct pool *pool,
				      const struct request *request,
				      unsigned long *got)
{
	unsigned long missing = request->total;
	bool uneven = false;
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		got[nid] = resize_carve(pool, nid, request->on_node[nid]);
		missing -= got[nid];
		uneven |= got[nid] < request->on_node[nid];
	}
	if (missing && !request->by_node)
		missing = resize_carve_elsewhere(pool, request, got, missing);
	if (uneven)
		resize_report(request, got, missing);
	return missing;
}

/**
 * resize_load() - Fill an empty pool.
 * @pool: the pool
 * @request: what to take; a node short of it is logged
 *
 * Context: may sleep long. On an error the caller calls resize_unload().
 * Return: 0 where all or part could be had, -ENOMEM where nothing could,
 * -EINTR where a fatal signal came meanwhile.
 */
int resize_load(struct pool *pool, const struct request *request)
{
	unsigned long *got, missing;

	got = kcalloc(request->nr_nodes, sizeof(*got), GFP_KERNEL);
	if (!got)
		return -ENOMEM;
	atomic_inc(&pool->growing);
	missing = resize_carve_all(pool, request, got);
	atomic_dec(&pool->growing);
	kfree(got);
	trace_resize(RESIZE_LOAD, NUMA_NO_NODE, request->total,
		     request->total - missing);
	if (fatal_signal_pending(current))
		return -EINTR;
	return request->total && missing == request->total ? -ENOMEM : 0;
}

/**
 * resize_unload() - Give every page back to the buddy allocator.
 * @pool: a pool that nobody uses any more, and whose parked pages nobody looks
 *	at
 *
 * A parked page has lost mapping and index already; with the pool's reference
 * gone the last of its holders frees it.
 */
void resize_unload(struct pool *pool)
{
	struct folio *folio;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++) {
		while ((folio = pool_remove(pool, nid, false)) ||
		       (folio = pool_remove(pool, nid, true)) ||
		       (folio = park_remove(pool, nid))) {
			poison_release(folio);
			cond_resched();
		}
	}
}

/* Nodes that a request is about. */
static bool resize_concerns(int nid, int wanted)
{
	return node_state(nid, N_MEMORY) &&
	       (wanted == NUMA_NO_NODE || wanted == nid);
}

/* Pages that are not surplus. */
static unsigned long resize_persistent(struct pool *pool, int nid)
{
	struct pool_counts counts;

	pool_count_node(pool, nid, &counts);
	return counts.nr - counts.surplus;
}

/*
 * Of the nodes that are not in @done the one with the fewest, or most, pages that
 * are not surplus; NUMA_NO_NODE where none is left. So nodes become even.
 */
static int resize_next_node(struct pool *pool, int wanted, bool fewest,
			    const struct nodeset *done)
{
	unsigned long pages, best = 0;
	int nid, found = NUMA_NO_NODE;

	for (nid = 0; nid < pool->nr_nodes; nid++) {
		if (!resize_concerns(nid, wanted) || nodeset_has(done, nid))
			continue;
		pages = resize_persistent(pool, nid);
		if (found == NUMA_NO_NODE ||
		    (fewest ? pages < best : pages > best)) {
			found = nid;
			best = pages;
		}
	}
	return found;
}

/*
 * How many pages to carve at a time so that nodes are even in the end: where each of
 * @nodes could still get as many, the last ones level what is uneven by then.
 */
static unsigned long resize_stride(unsigned long pages, unsigned long nodes)
{
	return pages >= max(nodes, 1UL) * RESIZE_BULK ? RESIZE_BULK : 1;
}

static unsigned long resize_count_concerned(struct pool *pool, int wanted)
{
	unsigned long nodes = 0;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++)
		nodes += resize_concerns(nid, wanted);
	return nodes;
}

/* Surplus pages stay first, then new ones come. */
static void resize_grow(struct pool *pool, int wanted, unsigned long pages)
{
	unsigned long nodes = resize_count_concerned(pool, wanted);
	struct nodeset done = {};
	unsigned long stride, got;
	bool easy = true;
	int nid;

	for (nid = 0; nid < pool->nr_nodes && pages; nid++)
		if (resize_concerns(nid, wanted))
			pages -= surplus_keep(pool, nid, pages);
	atomic_inc(&pool->growing);
	while (pages && !signal_pending(current)) {
		nid = resize_next_node(pool, wanted, true, &done);
		if (nid == NUMA_NO_NODE)
			break;
		stride = easy ? resize_stride(pages, nodes) : 1;
		got = resize_carve_quickly(pool, nid, stride);
		easy = got == stride;
		if (!got)
			got = resize_carve(pool, nid, 1);
		if (!got)
			nodeset_add(&done, nid);
		pages -= got;
	}
	atomic_dec(&pool->growing);
}

/*
 * Pages that nobody uses or was promised go now, others when they are free; whether
 * there are such.
 */
static bool resize_shrink(struct pool *pool, int wanted, unsigned long pages)
{
	bool marked = false;
	struct nodeset done = {};
	struct folio *folio;
	int nid;

	/* Promises that may as well be kept elsewhere are no reason to stay. */
	if (wanted != NUMA_NO_NODE)
		plan_make_room(pool, wanted, pages);
	while (pages && !signal_pending(current)) {
		nid = resize_next_node(pool, wanted, false, &done);
		if (nid == NUMA_NO_NODE)
			break;
		folio = pool_remove(pool, nid, false);
		if (!folio) {
			nodeset_add(&done, nid);
			continue;
		}
		poison_release(folio);
		pages--;
		cond_resched();
	}
	done = (struct nodeset){};
	while (pages && !signal_pending(current)) {
		nid = resize_next_node(pool, wanted, false, &done);
		if (nid == NUMA_NO_NODE)
			break;
		if (surplus_mark(pool, nid, 1)) {
			marked = true;
			pages--;
		} else {
			nodeset_add(&done, nid);
		}
		cond_resched();
	}
	return marked;
}

static unsigned long resize_sum(struct pool *pool, int wanted)
{
	unsigned long sum = 0;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++)
		if (resize_concerns(nid, wanted))
			sum += resize_persistent(pool, nid);
	return sum;
}

/* A line for each node where it did not come as it was wanted. */
static void resize_report_short(struct pool *pool, int wanted,
				unsigned long pages)
{
	struct pool_counts counts;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++) {
		if (!resize_concerns(nid, wanted))
			continue;
		pool_count_node(pool, nid, &counts);
		pr_notice("%lu huge pages were asked for, node%d has %lu, of which %lu are surplus\n",
			  pages, nid, counts.nr, counts.surplus);
	}
}

/**
 * resize_set() - Change the number of pages that are not surplus.
 * @pool: the pool
 * @nid: node id, or NUMA_NO_NODE for all nodes together
 * @pages: huge pages wanted; what cannot be done is logged, a line for each node
 *
 * Context: may sleep long. A signal ends it where it is.
 * Return: 0, or -ERESTARTSYS where a signal came before anything was done.
 */
int resize_set(struct pool *pool, int nid, unsigned long pages)
{
	unsigned long had, have;
	bool marked = false;

	if (mutex_lock_interruptible(&pool->resize_mutex))
		return -ERESTARTSYS;
	/* As far as it goes without: what is parked may be free by now. */
	park_collect(pool);
	had = resize_sum(pool, nid);
	if (pages > had)
		resize_grow(pool, nid, pages - had);
	else
		marked = resize_shrink(pool, nid, had - pages);
	surplus_trim(pool);
	have = resize_sum(pool, nid);
	trace_resize(RESIZE_SET, nid, pages - had, have - had);
	if (have != pages || marked)
		resize_report_short(pool, nid, pages);
	mutex_unlock(&pool->resize_mutex);
	return 0;
}
