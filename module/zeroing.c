// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zeroing free pages before somebody wants them. Each node that has memory has a thread
 * that runs when the node's processors have nothing better to do. It begins when less
 * than zeroed_low percent of the node's free pages are zeroed, and goes on up to
 * zeroed_high percent.
 *
 * It does so whatever is promised: who reserves all of the pool and touches it later is
 * the one who gains most. So the page that the thread has in hand still counts as free,
 * and may be the very one that somebody is entitled to. Nobody waits for the thread, and
 * nobody finds fewer pages than the counts say, because of this:
 *
 * - At every moment at which nobody holds the node's lock, its free pages are those on
 *   the two lists and the one in hand. Who takes a page holds that lock; where both lists
 *   are empty he calls the page back, and it is on the dirty list.
 * - The thread writes to the page in steps of a small page. In each it holds
 *   zeroing->lock and has seen that the page is still in its hand. To call the page
 *   back takes that lock, too. So it waits for one step at most, and after it nothing is
 *   written; nor on its way to memory, since a step ends with a barrier.
 * - No one but the thread lays a page in its hand, and it does so only when it has
 *   finished with the one before. So a page that was called back is not taken for the
 *   next one.
 *
 * The thread takes spinlocks only, and so it is not preempted while it keeps anybody
 * waiting, however low its priority.
 *
 * Nobody wakes it in vain, and nobody need look often whether he should: that it sleeps
 * is said under the node's lock, under which the share changes, and who changes it looks
 * at one flag first.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/memory.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/notifier.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/isolation.h>
#include <linux/topology.h>
#include <linux/workqueue.h>
#include <uapi/linux/sched/types.h>

#include "huge_page.h"
#include "pool.h"
#include "stats.h"
#include "trace.h"
#include "zeroing.h"

static unsigned int zeroed_low = 75;
module_param(zeroed_low, uint, 0444);
MODULE_PARM_DESC(zeroed_low,
		 "percent of a node's free pages below which zeroing them begins (default: 75)");

static unsigned int zeroed_high = 100;
module_param(zeroed_high, uint, 0444);
MODULE_PARM_DESC(zeroed_high,
		 "percent of a node's free pages up to which they are zeroed (default: 100)");

/* Guards the threads, and held while a watermark changes. */
static DEFINE_MUTEX(zeroing_mutex);

static struct pool *zeroing_pool;

/* --- the share ----------------------------------------------------------- */

static bool zeroing_is_below(struct pool_node *node, unsigned int percent)
{
	return 100 * node->counts.zeroed < percent * node->counts.free;
}

/**
 * zeroing_unlock() - Unlock a node whose lists have changed.
 * @node: the node, whose lock is held
 *
 * Where this makes the share too small the thread is woken, without the node's lock.
 * Only where several nodes are locked those of the others may still be.
 */
void zeroing_unlock(struct pool_node *node) __releases(&node->lock)
{
	struct zeroing *zeroing = &node->zeroing;
	bool wake;

	wake = zeroing->asleep && !zeroing->held &&
	       (zeroing->filling ||
		zeroing_is_below(node, READ_ONCE(zeroed_low)));
	if (wake)
		WRITE_ONCE(zeroing->asleep, false);
	spin_unlock(&node->lock);
	if (wake)
		wake_up(&zeroing->wait);
}

/* --- the page in hand ---------------------------------------------------- */

/**
 * zeroing_call_back() - Have the page that the thread has in hand on the dirty list.
 * @node: the node; where there is no such page nothing happens
 *
 * Context: @node->lock is held. Spins for as long as zeroing a small page takes.
 */
void zeroing_call_back(struct pool_node *node)
{
	struct zeroing *zeroing = &node->zeroing;
	struct folio *folio = zeroing->folio;

	lockdep_assert_held(&node->lock);

	if (!folio)
		return;
	spin_lock(&zeroing->lock);
	zeroing->folio = NULL;
	spin_unlock(&zeroing->lock);
	list_add(&folio->lru, &node->dirty);
}

/*
 * Lay a page in the thread's hand, the one that has been free for longest: others take
 * those that the caches still know. NULL where there is nothing to do; the thread is
 * woken when there is.
 */
static struct folio *zeroing_begin(struct pool_node *node)
{
	struct zeroing *zeroing = &node->zeroing;
	struct folio *folio = NULL;

	spin_lock(&node->lock);
	if (zeroing_is_below(node, READ_ONCE(zeroed_low)))
		zeroing->filling = true;
	if (list_empty(&node->dirty) ||
	    !zeroing_is_below(node, READ_ONCE(zeroed_high)))
		zeroing->filling = false;
	if (zeroing->filling && !zeroing->held) {
		folio = list_last_entry(&node->dirty, struct folio, lru);
		list_del(&folio->lru);
		zeroing->folio = folio;
	} else {
		WRITE_ONCE(zeroing->asleep, true);
	}
	spin_unlock(&node->lock);
	return folio;
}

/* Zero a small page; false where the whole is not in the thread's hand any more. */
static bool zeroing_step(struct zeroing *zeroing, struct page *page)
{
	bool in_hand;

	/* Who calls the page back spins: no interrupt's work is to be done meanwhile. */
	spin_lock_bh(&zeroing->lock);
	in_hand = zeroing->folio;
	if (in_hand)
		small_page_zero_uncached(page);
	spin_unlock_bh(&zeroing->lock);
	return in_hand;
}

/*
 * Put a page of zeroes on the list, unless it was called back. Who has pages and how many
 * is the same as before: that is no event.
 */
static bool zeroing_end(struct pool_node *node, struct folio *folio)
{
	bool in_hand;

	spin_lock(&node->lock);
	in_hand = node->zeroing.folio;
	if (in_hand) {
		node->zeroing.folio = NULL;
		list_add(&folio->lru, &node->zeroed);
		node->counts.zeroed++;
	}
	spin_unlock(&node->lock);
	return in_hand;
}

static void zeroing_page(struct pool_node *node, struct folio *folio)
{
	unsigned long i;
	bool zeroed;

	for (i = 0; i < HUGE_NR; i++) {
		if (!zeroing_step(&node->zeroing, folio_page(folio, i)))
			break;
		/* It may go on for minutes, and who changes code waits for every task. */
		cond_resched_tasks_rcu_qs();
	}
	zeroed = zeroing_end(node, folio);
	stats_count(zeroed ? STAT_ZEROED_AHEAD : STAT_CALLED_BACK);
	trace_zero(folio_pfn(folio), node->nid, zeroed);
}

/**
 * zeroing_hold() - Let nothing be zeroed in the background, and no page be in hand.
 * @pool: the pool
 *
 * Context: zeroing_release() follows. No lock of the pool is held.
 */
void zeroing_hold(struct pool *pool)
{
	struct pool_node *node;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++) {
		node = pool->node[nid];
		spin_lock(&node->lock);
		node->zeroing.held++;
		zeroing_call_back(node);
		spin_unlock(&node->lock);
	}
}

/**
 * zeroing_release() - Undo zeroing_hold().
 * @pool: the pool
 */
void zeroing_release(struct pool *pool)
{
	struct pool_node *node;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++) {
		node = pool->node[nid];
		spin_lock(&node->lock);
		node->zeroing.held--;
		zeroing_unlock(node);
	}
}

/* --- the threads --------------------------------------------------------- */

/*
 * Keep to the node's processors, but for those that are kept free of such work. Where
 * they have changed since, and only then: somebody may have meant it otherwise.
 */
static void zeroing_bind(struct pool_node *node)
{
	const struct cpumask *cpus = cpumask_of_node(node->nid);
	struct zeroing *zeroing = &node->zeroing;
	cpumask_var_t allowed;

	/* Reclaim might take locks that others then wait for; so rather later. */
	if (cpumask_equal(&zeroing->cpus, cpus) ||
	    !alloc_cpumask_var(&allowed, GFP_NOWAIT | __GFP_NOWARN))
		return;
	cpumask_copy(&zeroing->cpus, cpus);
	cpumask_and(allowed, &zeroing->cpus,
		    housekeeping_cpumask(HK_TYPE_DOMAIN));
	cpumask_and(allowed, allowed, housekeeping_cpumask(HK_TYPE_KTHREAD));
	if (cpumask_intersects(allowed, cpu_online_mask))
		set_cpus_allowed_ptr(current, allowed);
	free_cpumask_var(allowed);
}

static int zeroing_thread(void *data)
{
	struct pool_node *node = data;
	struct folio *folio;

	set_freezable();
	while (!kthread_should_stop()) {
		zeroing_bind(node);
		while (!kthread_should_stop() && (folio = zeroing_begin(node))) {
			zeroing_page(node, folio);
			try_to_freeze();
		}
		wait_event_freezable(node->zeroing.wait,
				     !READ_ONCE(node->zeroing.asleep) ||
				     kthread_should_stop());
	}
	return 0;
}

static int zeroing_start(struct pool_node *node)
{
	const struct sched_attr idle = { .sched_policy = SCHED_IDLE };
	struct task_struct *task;

	task = kthread_create_on_node(zeroing_thread, node, node->nid,
				      "rhugefs_zero/%d", node->nid);
	if (IS_ERR(task))
		return PTR_ERR(task);
	WARN_ON_ONCE(sched_setattr_nocheck(task, &idle));
	node->zeroing.task = task;
	wake_up_process(task);
	return 0;
}

static void zeroing_stop(struct pool_node *node)
{
	/* Where others are busy one of its priority would take long to come to its end. */
	sched_set_normal(node->zeroing.task, 0);
	kthread_stop(node->zeroing.task);
	node->zeroing.task = NULL;
}

/* A thread for each node that has memory, and for no other. */
static int zeroing_update_nodes(struct pool *pool)
{
	struct pool_node *node;
	int nid, err = 0;

	mutex_lock(&zeroing_mutex);
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		node = pool->node[nid];
		if (node_state(nid, N_MEMORY) && !node->zeroing.task)
			err = zeroing_start(node) ?: err;
		else if (!node_state(nid, N_MEMORY) && node->zeroing.task)
			zeroing_stop(node);
	}
	mutex_unlock(&zeroing_mutex);
	return err;
}

static void zeroing_update_work(struct work_struct *work)
{
	if (zeroing_update_nodes(zeroing_pool))
		pr_warn("memory is short, nothing is zeroed beforehand on a node with new memory\n");
}

static DECLARE_WORK(zeroing_work, zeroing_update_work);

/* A node has its first memory, or its last has gone; the pool's never goes. */
static int zeroing_memory_changed(struct notifier_block *block,
				  unsigned long action, void *data)
{
	if (action == MEM_ONLINE || action == MEM_OFFLINE)
		schedule_work(&zeroing_work);
	return NOTIFY_OK;
}

static struct notifier_block zeroing_memory_notifier = {
	.notifier_call = zeroing_memory_changed,
};

/* --- the watermarks ------------------------------------------------------ */

static int zeroing_check(unsigned int low, unsigned int high)
{
	if (high > 100)
		pr_err("zeroed_high=%u is more than 100 percent\n", high);
	else if (low > high)
		pr_err("zeroed_low=%u exceeds zeroed_high=%u\n", low, high);
	else
		return 0;
	return -EINVAL;
}

/* zeroing_mutex is held. Who slept by the old ones wakes up by the new ones. */
static int zeroing_set(struct pool *pool, unsigned int low, unsigned int high)
{
	int nid, err = zeroing_check(low, high);

	lockdep_assert_held(&zeroing_mutex);

	if (err)
		return err;
	WRITE_ONCE(zeroed_low, low);
	WRITE_ONCE(zeroed_high, high);
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		spin_lock(&pool->node[nid]->lock);
		zeroing_unlock(pool->node[nid]);
	}
	return 0;
}

/**
 * zeroing_low() - Read the low watermark.
 *
 * Return: percent of a node's free pages below which zeroing begins.
 */
unsigned int zeroing_low(void)
{
	return READ_ONCE(zeroed_low);
}

/**
 * zeroing_high() - Read the high watermark.
 *
 * Return: percent of a node's free pages up to which it goes on.
 */
unsigned int zeroing_high(void)
{
	return READ_ONCE(zeroed_high);
}

/**
 * zeroing_set_low() - Change the low watermark.
 * @pool: the pool
 * @percent: new value
 *
 * Return: 0, or -EINVAL where it would exceed the high one, with a message that says so.
 */
int zeroing_set_low(struct pool *pool, unsigned int percent)
{
	int err;

	mutex_lock(&zeroing_mutex);
	err = zeroing_set(pool, percent, zeroed_high);
	mutex_unlock(&zeroing_mutex);
	return err;
}

/**
 * zeroing_set_high() - Change the high watermark.
 * @pool: the pool
 * @percent: new value
 *
 * Return: 0, or -EINVAL where it would be less than the low one or more than 100, with
 * a message that says so.
 */
int zeroing_set_high(struct pool *pool, unsigned int percent)
{
	int err;

	mutex_lock(&zeroing_mutex);
	err = zeroing_set(pool, zeroed_low, percent);
	mutex_unlock(&zeroing_mutex);
	return err;
}

/* --- life and death ------------------------------------------------------ */

/**
 * zeroing_init_node() - Prepare to zero pages of a node.
 * @node: a node in the making
 */
void zeroing_init_node(struct pool_node *node)
{
	spin_lock_init(&node->zeroing.lock);
	init_waitqueue_head(&node->zeroing.wait);
}

/**
 * zeroing_create() - Start the threads.
 * @pool: the pool
 *
 * Context: may sleep.
 * Return: 0, -EINVAL for bad watermarks, with a message; or why there is no thread.
 */
int zeroing_create(struct pool *pool)
{
	int err = zeroing_check(zeroed_low, zeroed_high);

	if (err)
		return err;
	zeroing_pool = pool;
	/* Whichever node gets memory from now on is seen by one of the two. */
	err = register_memory_notifier(&zeroing_memory_notifier);
	if (err)
		return err;
	err = zeroing_update_nodes(pool);
	if (err)
		zeroing_destroy(pool);
	return err;
}

/**
 * zeroing_destroy() - Stop them.
 * @pool: the pool; what comes to it later stays as it is
 *
 * Context: sleeps until each is done with the page in its hand.
 */
void zeroing_destroy(struct pool *pool)
{
	int nid;

	unregister_memory_notifier(&zeroing_memory_notifier);
	cancel_work_sync(&zeroing_work);
	mutex_lock(&zeroing_mutex);
	for (nid = 0; nid < pool->nr_nodes; nid++)
		if (pool->node[nid]->zeroing.task)
			zeroing_stop(pool->node[nid]);
	mutex_unlock(&zeroing_mutex);
}
