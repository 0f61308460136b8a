// SPDX-License-Identifier: GPL-2.0-only
/*
 * The self-check: count again what is really there, on every list, in every
 * map and cache, and compare with the counts that are kept.
 *
 * A file is looked at under its invalidate_lock and its reserve's lock, so
 * that nothing of it is under way. What differs at a moment at which nothing
 * changes is wrong.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "check.h"
#include "huge_page.h"
#include "inode.h"
#include "look.h"
#include "plan.h"
#include "private.h"
#include "private_page.h"
#include "super.h"

/* Pages of a list looked at before the node's lock is dropped. */
#define CHECK_BATCH	256

/**
 * struct check_node - what was found on one node, in huge pages
 * @counts: nr is the sum of all pages found, the rest as on the lists
 * @promised: promised to files and not consumed
 */
struct check_node {
	struct pool_counts counts;
	unsigned long promised;
};

/**
 * struct check - one look at everything
 * @seq: where differences are printed
 * @pool: the pool
 * @used: promised to or held by the files of the mount that is being looked at, in
 *	huge pages
 * @held: how many private mappings of the file that is being looked at hold a page,
 *	by page frame
 * @err: -ENOMEM where memory was short
 * @node: what was found, by node id
 */
struct check {
	struct seq_file *seq;
	struct pool *pool;
	unsigned long used;
	struct xarray held;
	int err;
	struct check_node *node;
};

static void check_page(struct check *check, struct folio *folio, int nid,
		       struct address_space *mapping, unsigned long index)
{
	if (folio_nid(folio) != nid)
		seq_printf(check->seq, "page %lx: is of node %d, listed on %d\n",
			   folio_pfn(folio), folio_nid(folio), nid);
	if (folio_order(folio) != HUGE_ORDER)
		seq_printf(check->seq, "page %lx: order is %u\n",
			   folio_pfn(folio), folio_order(folio));
	if (folio_ref_count(folio) < 1)
		seq_printf(check->seq, "page %lx: the pool's reference is gone\n",
			   folio_pfn(folio));
	if (folio->mapping != mapping || folio->index != index)
		seq_printf(check->seq, "page %lx: points to a wrong file or index\n",
			   folio_pfn(folio));
}

/*
 * Turn a list once round, in batches, until the page that came first comes
 * first again. Changes between two batches are events, and end in another
 * look; @limit ends this one where that page has gone meanwhile.
 */
static unsigned long check_list(struct check *check, int nid,
				struct list_head *list, unsigned long limit)
{
	struct pool_node *node = check->pool->node[nid];
	struct list_head *first;
	unsigned long seen = 0;

	spin_lock(&node->lock);
	first = list->next;
	while (!list_empty(list) && seen < limit) {
		if (seen && list->next == first)
			break;
		check_page(check, list_first_entry(list, struct folio, lru),
			   nid, NULL, 0);
		list_rotate_left(list);
		if (++seen % CHECK_BATCH)
			continue;
		spin_unlock(&node->lock);
		cond_resched();
		spin_lock(&node->lock);
	}
	spin_unlock(&node->lock);
	return seen;
}

static void check_lists(struct check *check, int nid)
{
	struct pool_node *node = check->pool->node[nid];
	struct pool_counts *found = &check->node[nid].counts;
	struct pool_counts kept;

	pool_count_node(check->pool, nid, &kept);
	found->zeroed = check_list(check, nid, &node->zeroed, kept.nr + 1);
	found->free = found->zeroed +
		      check_list(check, nid, &node->dirty, kept.nr + 1) +
		      check_list(check, nid, &node->poisoned, kept.nr + 1);
	found->parked = check_list(check, nid, &node->parked, kept.nr + 1);
	found->nr += found->free + found->parked;
}

static unsigned long check_cache(struct check *check, struct inode *inode)
{
	struct huge_inode *huge = huge_inode(inode);
	unsigned long index, pages = 0;
	struct folio *folio;

	xa_for_each(&huge->cache.pages, index, folio) {
		check_page(check, folio, folio_nid(folio), inode->i_mapping,
			   index << HUGE_ORDER);
		if (!region_count(&huge->reserve->map, index, index + 1))
			seq_printf(check->seq,
				   "inode %lu: page at %lu is not in the map\n",
				   inode->i_ino, index);
		check->node[folio_nid(folio)].counts.nr++;
		pages++;
		cond_resched();
	}
	return pages;
}

static unsigned long check_promise(struct check *check, struct promise *promise)
{
	unsigned long units, sum = 0;
	int nid;

	for (nid = 0; nid < promise->nr_nodes; nid++) {
		units = promise_on(promise, nid);
		check->node[nid].promised += units;
		sum += units;
	}
	return sum;
}

static void check_differ(struct check *check, const char *where,
			 unsigned long id, const char *what,
			 unsigned long kept, unsigned long found)
{
	if (kept != found)
		seq_printf(check->seq, "%s %lu: %s is %lu, found %lu\n", where,
			   id, what, kept, found);
}

/* How many indices belong to a promise and have no page. */
static unsigned long check_unconsumed(struct reserve *reserve,
				      struct promise *promise,
				      reserve_held_fn held, void *data)
{
	unsigned long indices = 0;
	struct region_run run = {};

	while (region_run(&reserve->map, run.to, REGION_END, &run)) {
		if (run.of == promise)
			indices += run.to - run.from -
				   held(data, run.from, run.to);
		cond_resched();
	}
	return indices;
}

/* All promises of a reserve, each with the indices that belong to it; their sum. */
static unsigned long check_reserve(struct check *check, struct reserve *reserve,
				   reserve_held_fn held, void *data)
{
	const char *what = reserve->private ? "private promise" : "promise";
	unsigned long sum, units;
	struct promise *promise;

	sum = check_promise(check, &reserve->promise);
	check_differ(check, "inode", reserve->inode->i_ino, what, sum,
		     check_unconsumed(reserve, &reserve->promise, held, data));
	list_for_each_entry(promise, &reserve->others, sibling) {
		units = check_promise(check, promise);
		check_differ(check, "inode", reserve->inode->i_ino, what, units,
			     check_unconsumed(reserve, promise, held, data));
		sum += units;
	}
	if (!resv_map_valid(&reserve->map))
		seq_printf(check->seq, "inode %lu: %s: regions overlap or touch\n",
			   reserve->inode->i_ino, what);
	return sum;
}

/* Count one who holds a page; true if he is the first. */
static bool check_hold(struct check *check, struct folio *folio)
{
	unsigned long pfn = folio_pfn(folio);
	void *held = xa_load(&check->held, pfn);
	unsigned long holders = held ? xa_to_value(held) : 0;

	if (xa_is_err(xa_store(&check->held, pfn, xa_mk_value(holders + 1),
			       GFP_KERNEL)))
		check->err = -ENOMEM;
	return !holders;
}

static void check_holders(struct check *check)
{
	unsigned long pfn;
	void *held;

	xa_for_each(&check->held, pfn, held) {
		check_differ(check, "page", pfn, "holders",
			     private_page_holders(pfn_folio(pfn)),
			     xa_to_value(held));
		cond_resched();
	}
	xa_destroy(&check->held);
}

static void check_private_pages(struct check *check, struct private *private)
{
	struct cache *cache = private_cache(private);
	unsigned long index;
	struct folio *folio;

	for_each_private_entry(private, index, folio, 0, REGION_END) {
		cond_resched();
		if (xa_is_value(folio))
			continue;
		if (!check_hold(check, folio))
			continue;
		check_page(check, folio, folio_nid(folio), cache->mapping,
			   private_page_pgoff(folio, index));
		check->node[folio_nid(folio)].counts.nr++;
		check->used++;
	}
}

/* An address space may end meanwhile, but not what is on the list. */
static void check_privates(struct check *check, struct inode *inode)
{
	struct cache *cache = &huge_inode(inode)->cache;
	struct private *private;
	unsigned long id;

	mutex_lock(&cache->privates_lock);
	xa_for_each(&cache->privates, id, private) {
		check_private_pages(check, private);
		if (!private->reserve)
			continue;
		down_read(&private->reserve->lock);
		check->used += check_reserve(check, private->reserve,
					     private_count, private);
		up_read(&private->reserve->lock);
	}
	check_holders(check);
	mutex_unlock(&cache->privates_lock);
}

static unsigned long check_held(void *data, unsigned long from,
				unsigned long to)
{
	return cache_count(data, from, to);
}

static void check_inode(struct inode *inode, void *data)
{
	struct huge_inode *huge = huge_inode(inode);
	struct check *check = data;
	unsigned long pages;

	/* Pairs with inode_make_file(): without it the cache is not ready. */
	if (!smp_load_acquire(&huge->reserve) || check->err ||
	    fatal_signal_pending(current))
		return;
	filemap_invalidate_lock(inode->i_mapping);
	down_read(&huge->reserve->lock);
	pages = check_cache(check, inode);
	check->used += pages + check_reserve(check, huge->reserve, check_held,
					     &huge->cache);
	check_differ(check, "inode", inode->i_ino, "nr_pages",
		     atomic_long_read(&huge->cache.nr_pages), pages);
	up_read(&huge->reserve->lock);
	check_privates(check, inode);
	filemap_invalidate_unlock(inode->i_mapping);
}

/* What the files of a mount have, and what it keeps. */
static void check_mount(struct super_block *sb, void *data)
{
	struct quota *quota = super_info(sb)->quota;
	struct check *check = data;
	struct subpool subpool;

	quota_read(quota, &subpool);
	check_differ(check, "mount", 0, "used", subpool.used_hpages,
		     check->used + quota_parked(quota));
	check_differ(check, "mount", 0, "charged to users", subpool.used_hpages,
		     quota_user_charged(quota));
	check_differ(check, "mount", 0, "rsv", subpool.rsv_hpages,
		     check_promise(check, &quota->kept));
	if (subpool_lacks(&subpool, subpool.min_hpages))
		seq_printf(check->seq, "mount: %lu kept, %lu used of at least %lu\n",
			   subpool.rsv_hpages, subpool.used_hpages,
			   subpool.min_hpages);
	check->used = 0;
}

static void check_node(struct check *check, int nid)
{
	struct check_node *found = &check->node[nid];
	struct pool_counts kept;

	pool_count_node(check->pool, nid, &kept);
	check_differ(check, "node", nid, "nr", kept.nr, found->counts.nr);
	check_differ(check, "node", nid, "free", kept.free, found->counts.free);
	check_differ(check, "node", nid, "zeroed", kept.zeroed,
		     found->counts.zeroed);
	check_differ(check, "node", nid, "parked", kept.parked,
		     found->counts.parked);
	check_differ(check, "node", nid, "resv", kept.resv, found->promised);
	if (kept.surplus > kept.nr)
		seq_printf(check->seq, "node %d: surplus %lu exceeds nr %lu\n",
			   nid, kept.surplus, kept.nr);
	if (kept.resv > kept.free)
		seq_printf(check->seq, "node %d: resv %lu exceeds free %lu\n",
			   nid, kept.resv, kept.free);
}

static void check_pool(struct check *check)
{
	struct pool_counts kept;

	pool_count(check->pool, &kept);
	check_differ(check, "pool", 0, "surplus",
		     atomic_long_read(&check->pool->nr_surplus), kept.surplus);
	if (!plan_adds_up(check->pool))
		seq_puts(check->seq, "pool: scopes and promises differ\n");
	check_differ(check, "pool", 0, "spare",
		     atomic_long_read(&check->pool->spare),
		     kept.free - kept.resv -
		     atomic_long_read(&check->pool->gathered));
}

static int check_once(struct seq_file *seq, void *data)
{
	struct check *check = data;
	size_t start = seq->count;
	int nid;

	memset(check->node, 0, check->pool->nr_nodes * sizeof(*check->node));
	check->used = 0;
	zeroing_hold(check->pool);
	super_visit(check_inode, check_mount, check);
	for (nid = 0; nid < check->pool->nr_nodes; nid++)
		check_lists(check, nid);
	for (nid = 0; nid < check->pool->nr_nodes; nid++)
		check_node(check, nid);
	check_pool(check);
	zeroing_release(check->pool);
	return check->err ? check->err : seq->count == start;
}

/**
 * check_show() - Print what differs, or "ok".
 * @seq: where to print
 * @pool: the pool
 *
 * Where the pool did not come to rest for as long as one look takes, a line
 * that begins with "busy" takes the place of "ok".
 *
 * Context: may sleep, and takes the invalidate_lock of every file in turn.
 * Return: 0, or -ENOMEM, -EINTR where a fatal signal came.
 */
int check_show(struct seq_file *seq, struct pool *pool)
{
	struct check check = { .seq = seq, .pool = pool };
	size_t start = seq->count;
	int still;

	check.node = kcalloc(pool->nr_nodes, sizeof(*check.node), GFP_KERNEL);
	if (!check.node)
		return -ENOMEM;
	xa_init(&check.held);
	still = look_quietly(seq, pool, check_once, &check);
	kfree(check.node);
	if (still < 0)
		return still;
	if (!still) {
		seq->count = start;
		seq_puts(seq, "busy: the pool did not come to rest\n");
	} else if (seq->count == start) {
		seq_puts(seq, "ok\n");
	}
	return 0;
}
