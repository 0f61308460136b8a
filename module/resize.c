// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carving the pool's pages out of the buddy allocator and giving them back. No lock
 * is held over it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "huge_page.h"
#include "inject.h"
#include "park.h"
#include "resize.h"

/*
 * On that node or nowhere. Compaction and reclaim are tried as long as they
 * help; for a page of this order the OOM killer is never called. Not from
 * ZONE_MOVABLE, since these pages stay where they are.
 */
#define RESIZE_GFP	(GFP_HIGHUSER | __GFP_THISNODE | __GFP_NOWARN | \
			 __GFP_RETRY_MAYFAIL)

/*
 * Part of the machine's memory that is left to it, whatever is asked for. Who
 * asks for all of it wants many pages, and not a machine that cannot start
 * another program.
 */
#define RESIZE_LEAVE	64

static bool resize_leaves_enough(void)
{
	return si_mem_available() > (long)(totalram_pages() / RESIZE_LEAVE);
}

/* Carve up to @pages on one node; how many it was. */
static unsigned long resize_carve(struct pool *pool, int nid,
				  unsigned long pages)
{
	struct folio *folio;
	unsigned long got;

	for (got = 0; got < pages; got++) {
		if (fatal_signal_pending(current))
			break;
		if (!resize_leaves_enough() || inject(INJECT_NODE))
			break;
		folio = __folio_alloc_node(RESIZE_GFP, HUGE_ORDER, nid);
		if (!folio)
			break;
		/* The page allocator leaves what an earlier owner put there. */
		folio->index = 0;
		pool_add(pool, folio, want_init_on_alloc(RESIZE_GFP));
		cond_resched();
	}
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
	missing = resize_carve_all(pool, request, got);
	kfree(got);
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
		while ((folio = pool_remove(pool, nid)) ||
		       (folio = park_remove(pool, nid))) {
			folio_put(folio);
			cond_resched();
		}
	}
}
