// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that their file has given up while somebody outside still holds a
 * reference: a get_user_pages() pin, a read(2) in progress, a pipe. Such a
 * page must not be handed to anyone, and nothing tells when the last such
 * reference goes. So it is parked, counts as in use, and is looked at again:
 * soon at first, since most of these references are gone within milliseconds,
 * then ever more rarely, and at once when somebody is short of pages.
 *
 * No new reference can appear meanwhile that lasts. The page has left the page
 * tables and the page cache before it comes here; get_user_pages_fast() and who
 * walks over page frames may raise the count for a moment, without looking at
 * the page, and drop it again. That can only park a page that need not be, or
 * find one on the free list with such a passing reference, which harms nobody.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "park.h"
#include "quota.h"
#include "stats.h"
#include "trace.h"

#define PARK_DELAY_MIN	msecs_to_jiffies(10)
#define PARK_DELAY_MAX	HZ

/* Pages looked at before the node's lock is dropped. */
#define PARK_BATCH	64

/*
 * Look at up to PARK_BATCH of the node's parked pages, each of which goes
 * either to @unused or to the end of the parked ones.
 */
static void park_scan_batch(struct pool_node *node, unsigned long *unseen,
			    struct list_head *unused)
{
	struct folio *folio;
	int i;

	spin_lock(&node->lock);
	for (i = 0; i < PARK_BATCH && *unseen; i++, (*unseen)--) {
		folio = list_first_entry_or_null(&node->parked, struct folio,
						 lru);
		if (!folio) {
			*unseen = 0;
			break;
		}
		if (folio_ref_count(folio) > 1) {
			list_move_tail(&folio->lru, &node->parked);
			continue;
		}
		list_move_tail(&folio->lru, unused);
		node->counts.parked--;
		node->events++;
	}
	spin_unlock(&node->lock);
}

/* Let each go back to the mount that gave it up. */
static unsigned long park_free(struct list_head *unused)
{
	struct folio *folio, *next;
	unsigned long freed = 0;
	struct quota_user *user;

	list_for_each_entry_safe(folio, next, unused, lru) {
		list_del(&folio->lru);
		user = folio->private;
		folio->private = NULL;
		stats_count(STAT_UNPARKED);
		quota_unpark(user, folio);
		freed++;
	}
	return freed;
}

/**
 * park_collect() - Put parked pages that nobody holds any more on the free
 *	lists.
 * @pool: the pool
 *
 * Context: no lock of the pool or of a quota is held; may sleep.
 * Return: huge pages that became free.
 */
unsigned long park_collect(struct pool *pool)
{
	unsigned long freed, unseen;
	struct pool_node *node;
	LIST_HEAD(unused);
	int nid;

	mutex_lock(&pool->park_mutex);
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		node = pool->node[nid];
		unseen = READ_ONCE(node->counts.parked);
		while (unseen) {
			park_scan_batch(node, &unseen, &unused);
			cond_resched();
		}
	}
	freed = park_free(&unused);
	mutex_unlock(&pool->park_mutex);
	return freed;
}

static bool park_is_empty(struct pool *pool)
{
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++)
		if (READ_ONCE(pool->node[nid]->counts.parked))
			return false;
	return true;
}

static void park_work(struct work_struct *work)
{
	struct pool *pool = container_of(to_delayed_work(work), struct pool,
					 park_work);
	unsigned long delay = READ_ONCE(pool->park_delay);

	if (park_collect(pool))
		delay = PARK_DELAY_MIN;
	else
		delay = min_t(unsigned long, 2 * delay, PARK_DELAY_MAX);
	WRITE_ONCE(pool->park_delay, delay);
	if (!park_is_empty(pool))
		queue_delayed_work(system_unbound_wq, &pool->park_work, delay);
}

/**
 * park_page() - Keep a page until the last foreign reference is dropped.
 * @pool: the pool
 * @folio: a page that has left page tables and page cache
 * @user: who is charged for it, held for the page, as is his share
 *
 * Context: no lock of the pool is held.
 */
void park_page(struct pool *pool, struct folio *folio, struct quota_user *user)
{
	struct pool_node *node = pool->node[folio_nid(folio)];

	folio->private = user;
	stats_count(STAT_PARKED);
	trace_park(folio);
	spin_lock(&node->lock);
	list_add_tail(&folio->lru, &node->parked);
	node->events++;
	node->counts.parked++;
	spin_unlock(&node->lock);

	/* A look that is due soon must not be put off by each further page. */
	if (READ_ONCE(pool->park_delay) > PARK_DELAY_MIN) {
		WRITE_ONCE(pool->park_delay, PARK_DELAY_MIN);
		mod_delayed_work(system_unbound_wq, &pool->park_work,
				 PARK_DELAY_MIN);
	} else {
		queue_delayed_work(system_unbound_wq, &pool->park_work,
				   PARK_DELAY_MIN);
	}
}

/**
 * park_remove() - Take a parked page out of the pool, whoever still holds it.
 * @pool: the pool, which nobody uses any more
 * @nid: node to take from
 *
 * Return: a page that the last of its holders will free, or NULL.
 */
struct folio *park_remove(struct pool *pool, int nid)
{
	struct pool_node *node = pool->node[nid];
	struct folio *folio;

	spin_lock(&node->lock);
	folio = list_first_entry_or_null(&node->parked, struct folio, lru);
	if (folio) {
		list_del_init(&folio->lru);
		node->counts.parked--;
		node->counts.nr--;
	}
	spin_unlock(&node->lock);
	if (folio) {
		quota_leave(folio->private);
		folio->private = NULL;
	}
	return folio;
}

/**
 * park_init() - Prepare to park pages.
 * @pool: a pool in the making
 */
void park_init(struct pool *pool)
{
	pool->park_delay = PARK_DELAY_MIN;
	mutex_init(&pool->park_mutex);
	INIT_DELAYED_WORK(&pool->park_work, park_work);
}

/**
 * park_exit() - Stop looking at parked pages.
 * @pool: a pool that gets no more pages back
 *
 * Context: sleeps until a look in progress is over.
 */
void park_exit(struct pool *pool)
{
	cancel_delayed_work_sync(&pool->park_work);
}
