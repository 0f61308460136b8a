// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory errors. The kernel cannot do anything about an error in one of these pages,
 * which are on no LRU list: it flags the small page, and kills who has just stumbled over
 * it. It does trace each error, and that is where this module hears of it. So what
 * hands out, maps or frees pages need only ask whether any error was ever heard of.
 *
 * A huge page with an error is lost as a whole. It is taken out of all page tables at
 * once, and not mapped again: who touches it gets SIGBUS with BUS_MCEERR_AR. It leaves the
 * pool when it is free, and is withheld from everybody for as long as the machine runs.
 *
 * Promises are kept where that can be. A free page that is needed for one counts as
 * free until promises were moved to other nodes, or the page allocator has given another
 * page; until then only who finds no other is told that his page is lost.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/tracepoint.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "huge_page.h"
#include "inode.h"
#include "plan.h"
#include "poison.h"
#include "pool.h"
#include "private.h"
#include "resize.h"
#include "super.h"

/* Until another page is asked for again where there was none. */
#define POISON_RETRY	HZ

/* Pages looked at before a node's lock is dropped. */
#define POISON_BATCH	256

/*
 * The pages of the pool, by number of huge page frame. POISON_KNOWN: has an error.
 * POISON_NEW: was not looked for since in page tables and on free lists.
 */
static DEFINE_XARRAY(poison_pages);
#define POISON_KNOWN	XA_MARK_0
#define POISON_NEW	XA_MARK_1

/* An error was found in a page of the pool since the module was loaded. */
bool poison_heard __read_mostly;

static struct pool *poison_pool;
static struct tracepoint *poison_tracepoint;

static unsigned long poison_frame(const struct folio *folio)
{
	return folio_pfn((struct folio *)folio) >> HUGE_ORDER;
}

/**
 * poison_is_known() - Has an error been found in a page?
 * @folio: a page of the pool
 *
 * Context: any. For huge_page_is_poisoned(), which is what others ask.
 * Return: true if so.
 */
bool poison_is_known(const struct folio *folio)
{
	return xa_get_mark(&poison_pages, poison_frame(folio), POISON_KNOWN);
}

/**
 * poison_before() - How much of a huge page can be read?
 * @folio: the page, with a reference
 * @from: first byte in it that is wanted
 * @bytes: how many of them
 *
 * Return: bytes from @from on before the first small page with an error, @bytes at most.
 */
size_t poison_before(struct folio *folio, size_t from, size_t bytes)
{
	size_t at;

	if (!huge_page_is_poisoned(folio))
		return bytes;
	for (at = round_down(from, PAGE_SIZE); at < from + bytes;
	     at += PAGE_SIZE)
		if (PageHWPoison(folio_page(folio, at / PAGE_SIZE)))
			return at > from ? at - from : 0;
	return bytes;
}

/*
 * The kernel flags a small page first and traces the error last. Who was not watched, or is
 * about to be watched no more, has to look.
 */
static bool poison_is_flagged(struct folio *folio)
{
	unsigned int i;

	for (i = 0; i < HUGE_NR; i++)
		if (PageHWPoison(folio_page(folio, i)))
			return true;
	return false;
}

/* --- what comes and goes --------------------------------------------------- */

/**
 * poison_watch() - Hear of errors in a page from now on.
 * @folio: a page from the page allocator, which is about to join the pool
 *
 * Context: may sleep.
 * Return: false where memory is short.
 */
bool poison_watch(struct folio *folio)
{
	unsigned long frame = poison_frame(folio);

	if (xa_err(xa_store(&poison_pages, frame, xa_mk_value(1), GFP_KERNEL)))
		return false;
	if (poison_is_flagged(folio)) {
		xa_set_mark(&poison_pages, frame, POISON_KNOWN);
		WRITE_ONCE(poison_heard, true);
	}
	return true;
}

/* Hear no more of a page; whether it has an error. */
static bool poison_unwatch(struct folio *folio)
{
	unsigned long frame = poison_frame(folio);
	bool known;

	xa_lock(&poison_pages);
	known = xa_get_mark(&poison_pages, frame, POISON_KNOWN);
	__xa_erase(&poison_pages, frame);
	xa_unlock(&poison_pages);
	return known || poison_is_flagged(folio);
}

/**
 * poison_release() - Give a page back to the page allocator, unless it has an error.
 * @folio: a page that has left the pool
 *
 * One with an error stays where it is, with the pool's reference, and is counted.
 *
 * Context: no lock of the pool is held.
 * Return: false where it has an error.
 */
bool poison_release(struct folio *folio)
{
	struct pool_node *node = poison_pool->node[folio_nid(folio)];

	if (!poison_unwatch(folio)) {
		folio_put(folio);
		return true;
	}
	spin_lock(&node->lock);
	node->counts.poisoned++;
	node->events++;
	spin_unlock(&node->lock);
	pr_warn("huge page %lx of node%d is withheld, for it has a memory error\n",
		folio_pfn(folio), folio_nid(folio));
	return false;
}

/* --- free pages ------------------------------------------------------------ */

/*
 * Turn a list once round, from its end, and lay what has an error aside. What comes
 * meanwhile comes to the front, and has been looked at.
 */
static void poison_sort_list(struct pool_node *node, struct list_head *list,
			     unsigned long most)
{
	struct folio *folio;
	unsigned long i;

	spin_lock(&node->lock);
	for (i = 0; i < most && !list_empty(list); i++) {
		folio = list_last_entry(list, struct folio, lru);
		if (huge_page_is_poisoned(folio)) {
			list_move(&folio->lru, &node->poisoned);
			node->events++;
			if (list == &node->zeroed)
				node->counts.zeroed--;
		} else {
			list_move(&folio->lru, list);
		}
		if ((i + 1) % POISON_BATCH)
			continue;
		spin_unlock(&node->lock);
		cond_resched();
		spin_lock(&node->lock);
	}
	spin_unlock(&node->lock);
}

/* No page is on its way from one list to the other meanwhile. */
static void poison_sort(struct pool *pool)
{
	struct pool_counts counts;
	struct pool_node *node;
	int nid;

	zeroing_hold(pool);
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		node = pool->node[nid];
		pool_count_node(pool, nid, &counts);
		poison_sort_list(node, &node->zeroed, counts.free);
		poison_sort_list(node, &node->dirty, counts.free);
	}
	zeroing_release(pool);
}

/* A page that was laid aside and is needed for no promise, out of the pool. */
static struct folio *poison_remove(struct pool *pool, struct pool_node *node)
{
	struct folio *folio = NULL;

	spin_lock(&node->lock);
	if (!list_empty(&node->poisoned) &&
	    node->counts.free > node->counts.resv && pool_admit(pool, 1)) {
		folio = list_first_entry(&node->poisoned, struct folio, lru);
		list_del(&folio->lru);
		node->events++;
		node->counts.free--;
		node->counts.nr--;
		if (node->counts.surplus) {
			node->counts.surplus--;
			atomic_long_dec(&pool->nr_surplus);
		}
	}
	zeroing_unlock(node);
	return folio;
}

/* What is needed for no promise, or could be kept for it elsewhere, goes. */
static void poison_withhold(struct pool *pool, struct pool_node *node)
{
	struct folio *folio;

	while (!list_empty_careful(&node->poisoned)) {
		folio = poison_remove(pool, node);
		if (!folio) {
			plan_make_room(pool, node->nid, 1);
			folio = poison_remove(pool, node);
		}
		if (!folio)
			break;
		poison_release(folio);
	}
}

/* Let a page stand for one that was laid aside, whatever that was needed for. */
static struct folio *poison_swap(struct pool_node *node, struct folio *folio,
				 bool zeroed)
{
	struct folio *lost;

	spin_lock(&node->lock);
	lost = list_first_entry_or_null(&node->poisoned, struct folio, lru);
	if (lost) {
		list_replace(&lost->lru, &folio->lru);
		list_move(&folio->lru, zeroed ? &node->zeroed : &node->dirty);
		node->counts.zeroed += zeroed;
		node->events++;
	}
	zeroing_unlock(node);
	return lost ?: folio;
}

/*
 * Have a page from the page allocator for each that cannot go; false where that fails. It
 * may take long: who has to look for new errors, @looks, does so first.
 */
static bool poison_replace(struct pool_node *node, bool looks)
{
	unsigned long failed = READ_ONCE(node->poison_failed);
	struct folio *folio;
	bool zeroed;

	while (!list_empty_careful(&node->poisoned) &&
	       !(looks && xa_marked(&poison_pages, POISON_NEW))) {
		if (failed && time_before(jiffies, failed + POISON_RETRY))
			return false;
		folio = resize_alloc_one(node->nid, &zeroed);
		if (!folio) {
			WRITE_ONCE(node->poison_failed, jiffies ?: 1);
			return false;
		}
		poison_release(poison_swap(node, folio, zeroed));
	}
	return true;
}

/* False where some had to stay. */
static bool poison_take_out(struct pool *pool, bool looks)
{
	bool settled = true;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++)
		poison_withhold(pool, pool->node[nid]);
	for (nid = 0; nid < pool->nr_nodes; nid++)
		settled &= poison_replace(pool->node[nid], looks);
	return settled;
}

/**
 * poison_settle() - Take free pages with errors out of the pool.
 * @pool: the pool
 *
 * Those that are needed for promises are replaced, where there are other pages.
 *
 * Context: may sleep long; no lock of the pool or of a quota is held.
 */
void poison_settle(struct pool *pool)
{
	poison_take_out(pool, false);
}

/* --- pages in use ---------------------------------------------------------- */

/* Take what has an error out of the page tables; faults know of it by now. */
static void poison_unmap_file(struct inode *inode, void *unused)
{
	struct huge_inode *huge = huge_inode(inode);
	struct address_space *mapping = inode->i_mapping;
	struct private *private;
	unsigned long id, index;
	struct folio *folio;

	/* Pairs with inode_make_file(): without it the cache is not ready. */
	if (!smp_load_acquire(&huge->reserve))
		return;
	/* Who has looked at a page before is to have mapped it by now. */
	filemap_invalidate_lock(mapping);
	xa_for_each(&huge->cache.pages, index, folio) {
		if (huge_page_is_poisoned(folio))
			unmap_mapping_range(mapping, huge_pos(index), HUGE_SIZE,
					    1);
		cond_resched();
	}
	mutex_lock(&huge->cache.privates_lock);
	xa_for_each(&huge->cache.privates, id, private) {
		for_each_private_entry(private, index, folio, 0, REGION_END) {
			if (!xa_is_value(folio) && huge_page_is_poisoned(folio))
				unmap_mapping_range(mapping, huge_pos(index),
						    HUGE_SIZE, 1);
			cond_resched();
		}
	}
	mutex_unlock(&huge->cache.privates_lock);
	filemap_invalidate_unlock(mapping);
}

static void poison_visit_mount(struct super_block *sb, void *unused)
{
}

/* Whether there was an error since this was last asked. */
static bool poison_is_new(void)
{
	unsigned long frame;
	bool found = false;
	void *entry;

	xa_for_each_marked(&poison_pages, frame, entry, POISON_NEW) {
		xa_clear_mark(&poison_pages, frame, POISON_NEW);
		found = true;
	}
	return found;
}

/* --- errors ---------------------------------------------------------------- */

static void poison_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(poison_work, poison_work_fn);

static void poison_work_fn(struct work_struct *work)
{
	struct pool *pool = poison_pool;

	if (poison_is_new()) {
		super_visit(poison_unmap_file, poison_visit_mount, NULL);
		poison_sort(pool);
	}
	if (!poison_take_out(pool, true))
		queue_delayed_work(system_unbound_wq, &poison_work,
				   POISON_RETRY);
}

/**
 * poison_wake() - A free page with an error was found, or any page that is new.
 *
 * Context: any; a node's lock may be held.
 */
void poison_wake(void)
{
	mod_delayed_work(system_unbound_wq, &poison_work, 0);
}

/*
 * The kernel has found an error in a page frame. Preemption is off. Each of the calls says
 * so once more to whom it may concern, and there may be several.
 */
static void poison_hear(void *unused, unsigned long pfn, int type, int result)
{
	unsigned long frame = pfn >> HUGE_ORDER;
	bool ours;

	xa_lock(&poison_pages);
	ours = xa_load(&poison_pages, frame);
	if (ours) {
		__xa_set_mark(&poison_pages, frame, POISON_KNOWN);
		__xa_set_mark(&poison_pages, frame, POISON_NEW);
		WRITE_ONCE(poison_heard, true);
	}
	xa_unlock(&poison_pages);
	if (ours)
		poison_wake();
}

static void poison_find(struct tracepoint *tracepoint, void *unused)
{
	if (!strcmp(tracepoint->name, "memory_failure_event"))
		poison_tracepoint = tracepoint;
}

/**
 * poison_create() - Hear of memory errors.
 * @pool: an empty pool
 *
 * Where this cannot be it is logged, and errors go unnoticed.
 */
void poison_create(struct pool *pool)
{
	poison_pool = pool;
	for_each_kernel_tracepoint(poison_find, NULL);
	if (poison_tracepoint &&
	    !tracepoint_probe_register(poison_tracepoint, poison_hear, NULL))
		return;
	poison_tracepoint = NULL;
	pr_warn("the kernel does not tell of memory errors: pages that have some are not withheld\n");
}

/**
 * poison_destroy() - Hear no more of memory errors.
 *
 * Context: the pool is empty, and stays so; may sleep.
 */
void poison_destroy(void)
{
	if (poison_tracepoint) {
		tracepoint_probe_unregister(poison_tracepoint, poison_hear,
					    NULL);
		tracepoint_synchronize_unregister();
	}
	cancel_delayed_work_sync(&poison_work);
	/* An entry that could not be stored may have left nodes. */
	xa_destroy(&poison_pages);
}
