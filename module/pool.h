/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_POOL_H
#define RHUGEFS_POOL_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "promise.h"
#include "wish.h"
#include "zeroing.h"

/**
 * struct pool_counts - what sysfs shows, in huge pages
 * @nr: in the pool: free, used by files, or parked
 * @free: on the free lists, promised ones included
 * @resv: promised and not yet consumed; never more than @free
 * @zeroed: free and known to hold only zeroes
 * @parked: given back while somebody outside still held a reference
 * @surplus: of @nr those that are to go as soon as nobody uses them
 * @poisoned: not in the pool any more, and withheld, since they have memory errors
 */
struct pool_counts {
	unsigned long nr;
	unsigned long free;
	unsigned long resv;
	unsigned long zeroed;
	unsigned long parked;
	unsigned long surplus;
	unsigned long poisoned;
};

/**
 * struct pool_node - the pool's share on one NUMA node
 * @lock: guards @counts, the four lists, and what promises have on this node; never
 *	held while a page is allocated, zeroed or freed to the buddy allocator. Inside
 *	of it only that of a node with a higher id is taken
 * @counts: this node's counts
 * @zeroed: free pages known to hold only zeroes, linked by folio->lru
 * @dirty: free pages with whatever their last owner left in them; but for the one that
 *	is in hand, see @zeroing
 * @parked: pages waiting until the last foreign reference is dropped
 * @poisoned: free pages with memory errors, which only who finds no other one gets
 * @events: changes of @counts so far, but for zeroing, of which nobody has more or less
 *	pages; @lock
 * @poison_failed: when the page allocator last had no page for one with an error, in
 *	jiffies, 0 for never; a hint, no lock
 * @nid: its id; constant
 * @near: ids of all nodes, this one first, then by distance; constant
 * @zeroing: the thread that zeroes, and the free page that it has in hand
 */
struct pool_node {
	spinlock_t lock;
	struct pool_counts counts;
	struct list_head zeroed;
	struct list_head dirty;
	struct list_head parked;
	struct list_head poisoned;
	unsigned long events;
	unsigned long poison_failed;
	int nid;
	int *near;
	struct zeroing zeroing;
} ____cacheline_aligned_in_smp;

/**
 * struct plan_node - a node while a plan is made; all of it guarded by all nodes' locks
 * @spare: pages that nobody was promised and the plan does not use
 * @given: units of what is given that the plan does not use
 * @used: units of it that the plan uses
 * @take: pages for the one who asks
 * @leave: units of the scope that is looked at which are still to go elsewhere
 * @come: those of it which are still to come
 * @from: node from which promises can move here, NUMA_NO_NODE where the way begins
 * @by: the scope of those promises
 * @queued: not about this node: the ids of those that were reached, one after the other
 */
struct plan_node {
	unsigned long spare;
	unsigned long given;
	unsigned long used;
	unsigned long take;
	unsigned long leave;
	unsigned long come;
	int from;
	struct scope *by;
	int queued;
};

/**
 * struct pool - all huge pages of the module
 * @spare: free pages that were promised to nobody and are not spoken for. Who
 *	wants pages first takes as many out of here, all or none, and is then
 *	sure to find them on the nodes: what the nodes have free and not
 *	promised is never less. Pages show up on a node first and here second.
 *	What changes often begins here, apart from what every fault reads
 * @nr_surplus: sum of the nodes' surplus, so that who frees need not look at all
 * @gathered: surplus pages that nobody may have but who gathered them; neither in
 *	@spare nor promised
 * @nr_overcommit: most surplus pages that may be taken on demand; a plain word,
 *	changed at any time
 * @resize_mutex: held while the number of pages is changed on request
 * @gather_mutex: held while surplus pages come and go
 * @growing: how many let the pool grow just now
 * @quota_events: changes of the mounts' shares so far
 * @node: share of each possible node, by id; constant
 * @nr_nodes: length of @node; constant
 * @any: scope of who may have pages anywhere; constant
 * @plan_lock: held while a plan is made, outside of nodes' locks; guards @scopes
 * @scopes: all other scopes
 * @plan_busy: those scopes that have units, while a plan is made; all nodes' locks
 * @plan: what is known of the nodes while a plan is made, by node id; all nodes' locks
 * @plan_tail: how many nodes were reached; likewise
 * @moves: promises are moved: who looks on one node after the other for something that
 *	he knows to be there looks again if that was meanwhile; written with all nodes'
 *	locks held
 * @park_mutex: held while parked pages are looked at: who finds none must find those
 *	to be had that another has just found
 * @park_work: looks whether parked pages have come free
 * @park_delay: jiffies until @park_work looks again; a hint, without a lock
 */
struct pool {
	struct pool_node **node;
	int nr_nodes;
	struct scope *any;
	unsigned long nr_overcommit;
	atomic_long_t nr_surplus;
	atomic_long_t spare ____cacheline_aligned_in_smp;
	atomic_long_t gathered;
	atomic_long_t quota_events;
	atomic_t growing;
	struct mutex resize_mutex;
	struct mutex gather_mutex;
	struct mutex park_mutex;
	struct delayed_work park_work;
	unsigned long park_delay;
	spinlock_t plan_lock;
	struct list_head scopes;
	struct list_head plan_busy;
	struct plan_node *plan;
	int plan_tail;
	seqcount_spinlock_t moves;
};

/* The next node as they are wanted, first the preferred ones, or NULL. */
static __always_inline struct pool_node *
pool_next_wished(struct pool *pool, const struct wish *wish, int *nth)
{
	const int *near = pool->node[wish->nid]->near;
	bool first;
	int nid;

	for (; *nth < 2 * pool->nr_nodes; ++*nth) {
		first = *nth < pool->nr_nodes;
		nid = near[first ? *nth : *nth - pool->nr_nodes];
		if (nodeset_has(&wish->allowed, nid) &&
		    nodeset_has(&wish->preferred, nid) == first) {
			++*nth;
			return pool->node[nid];
		}
	}
	return NULL;
}

#define for_each_wished(pool, wish, i, node)				\
	for (i = 0; ((node) = pool_next_wished(pool, wish, &(i)));)

struct pool *pool_create(void);
void pool_destroy(struct pool *pool);

bool pool_admit(struct pool *pool, unsigned long pages);
void pool_place(struct pool *pool, unsigned long pages,
		const struct wish *wish, struct promise *promise);
unsigned long pool_unreserve(struct pool *pool, unsigned long pages,
			     struct promise *promise);
unsigned long pool_promised(struct pool *pool,
			    const struct promise *promise);
void pool_hand_over(struct pool *pool, struct promise *from, struct promise *to,
		    unsigned long pages);

struct folio *pool_take_promised(struct pool *pool, const struct wish *wish,
				 struct promise *promise, bool *zeroed);
struct folio *pool_take(struct pool *pool, const struct wish *wish,
			bool *zeroed);
void pool_put_back(struct pool *pool, struct folio *folio, bool zeroed,
		   struct promise *promise);

void pool_add(struct pool *pool, struct folio *folio, bool zeroed);
struct folio *pool_remove(struct pool *pool, int nid, bool surplus);
struct folio *pool_try_remove(struct pool *pool, int nid, unsigned long leave);

bool pool_may_have_spare(struct pool *pool, const struct nodeset *nodes);
void pool_count_node(struct pool *pool, int nid, struct pool_counts *counts);
void pool_count_within(struct pool *pool, const struct nodeset *nodes,
		       struct pool_counts *counts);
void pool_count(struct pool *pool, struct pool_counts *counts);
unsigned long pool_events(struct pool *pool);

/* For park.c, quota.c and plan.c: what may be had, and the lists of one node. */
void pool_spare(struct pool *pool, unsigned long pages);
struct folio *pool_node_take(struct pool_node *node, bool *zeroed);
void pool_node_free(struct pool_node *node, struct folio *folio, bool zeroed);

#endif
