// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pool of few nodes as the tests of plans need it, and what must be true of it
 * whatever was asked: its pages are numbers, and who was promised some is known by
 * a number, too. The nodes lie in a row, which is their distance.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/slab.h>

#include "expect.h"
#include "small_pool.h"

static struct folio folio_of[MAX_NODES];

/* What of pool.c a plan needs: there are no lists of pages here. */
struct folio *pool_node_take(struct pool_node *node, bool *zeroed)
{
	lockdep_assert_held(&node->lock);
	if (!expect(node->counts.free))
		return NULL;
	node->counts.free--;
	folio_of[node->nid].nid = node->nid;
	return &folio_of[node->nid];
}

/* Nobody zeroes them either. */
void zeroing_unlock(struct pool_node *node)
{
	spin_unlock(&node->lock);
}

/* --- making one ---------------------------------------------------------- */

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static int *nodes_near(int nid, int nr_nodes)
{
	int *near = must(kcalloc(nr_nodes, sizeof(*near), GFP_KERNEL));
	int away, nr = 0;

	near[nr++] = nid;
	for (away = 1; nr < nr_nodes; away++) {
		if (nid - away >= 0)
			near[nr++] = nid - away;
		if (nid + away < nr_nodes)
			near[nr++] = nid + away;
	}
	return near;
}

static struct pool_node *node_create(int nid, int nr_nodes, unsigned long free)
{
	struct pool_node *node = must(kzalloc(sizeof(*node), GFP_KERNEL));

	spin_lock_init(&node->lock);
	node->nid = nid;
	node->near = nodes_near(nid, nr_nodes);
	node->counts.nr = free;
	node->counts.free = free;
	return node;
}

/* Begin with a pool that has promised nothing. */
void small_pool_init(struct small_pool *small, int nr_nodes,
		     const unsigned long *free)
{
	struct pool *pool = &small->pool;
	int nid;

	memset(small, 0, sizeof(*small));
	INIT_LIST_HEAD(&small->given);
	spin_lock_init(&pool->plan_lock);
	seqcount_spinlock_init(&pool->moves, &pool->plan_lock);
	pool->nr_nodes = nr_nodes;
	/* Of the heap, so that an access beyond the last node is seen. */
	pool->plan = must(kcalloc(nr_nodes, sizeof(*pool->plan), GFP_KERNEL));
	pool->node = must(kcalloc(nr_nodes, sizeof(*pool->node), GFP_KERNEL));
	for (nid = 0; nid < nr_nodes; nid++)
		pool->node[nid] = node_create(nid, nr_nodes, free[nid]);
	if (scope_init(pool))
		abort();
}

static void small_pool_end(struct small_pool *small, int nr)
{
	struct promise *promise = small->promise[nr];
	struct scope *scope = promise->scope;
	int nid;

	for (nid = 0; nid < small->pool.nr_nodes; nid++)
		small_pool_add(small, nr, nid, -promise->on_node[nid]);
	promise_destroy(promise);
	scope_put(&small->pool, scope);
}

/* End all promises, and the pool. */
void small_pool_exit(struct small_pool *small)
{
	struct pool *pool = &small->pool;
	int nid;

	while (small->nr)
		small_pool_end(small, --small->nr);
	scope_exit(pool);
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		kfree(pool->node[nid]->near);
		kfree(pool->node[nid]);
	}
	kfree(pool->node);
	kfree(pool->plan);
}

/* Pages on these nodes and no others. */
struct wish small_pool_wish(const struct small_pool *small, unsigned int nodes)
{
	unsigned int all = (1U << small->pool.nr_nodes) - 1;
	struct wish wish = { .any = !nodes || (nodes & all) == all };

	if (wish.any)
		nodeset_fill(&wish.allowed);
	else
		wish.allowed.bits[0] = nodes;
	wish.preferred = wish.allowed;
	return wish;
}

static int small_pool_enter(struct small_pool *small, const struct wish *wish)
{
	struct scope *scope = must(scope_get(&small->pool, wish));

	assert(small->nr < MAX_DEALS);
	small->promise[small->nr] = must(promise_create(&small->pool, scope));
	small->is_given[small->nr] = false;
	return small->nr++;
}

/* Let somebody be promised pages; as which number he goes. */
int small_pool_deal(struct small_pool *small, const struct deal *deal)
{
	struct wish wish = small_pool_wish(small, deal->nodes);
	int nid, nr = small_pool_enter(small, &wish);

	small->is_given[nr] = deal->given;
	if (deal->given)
		list_add_tail(&small->promise[nr]->sibling, &small->given);
	for (nid = 0; nid < small->pool.nr_nodes; nid++)
		small_pool_add(small, nr, nid, deal->on[nid]);
	return nr;
}

/* Let him have more on a node, or less. */
void small_pool_add(struct small_pool *small, int nr, int nid, long pages)
{
	struct pool_node *node = small->pool.node[nid];

	spin_lock(&node->lock);
	promise_add(small->promise[nr], nid, pages);
	node->counts.resv += pages;
	spin_unlock(&node->lock);
}

/* --- looking at it ------------------------------------------------------- */

/* The nodes where he may have pages, of those that there are. */
unsigned int small_pool_nodes(const struct small_pool *small, int nr)
{
	return small->promise[nr]->scope->nodes.bits[0] &
	       ((1UL << small->pool.nr_nodes) - 1);
}

/* How much is given up in all. */
unsigned long small_pool_given(const struct small_pool *small)
{
	unsigned long sum = 0;
	int nr;

	for (nr = 0; nr < small->nr; nr++)
		if (small->is_given[nr])
			sum += promise_sum(small->promise[nr]);
	return sum;
}

void small_pool_read(const struct small_pool *small, struct holdings *held)
{
	const struct pool *pool = &small->pool;
	int nid, nr;

	/* Also what lies between is compared. */
	memset(held, 0, sizeof(*held));
	held->moves = pool->moves.sequence;
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		held->free[nid] = pool->node[nid]->counts.free;
		held->resv[nid] = pool->node[nid]->counts.resv;
		held->events[nid] = pool->node[nid]->events;
		for (nr = 0; nr < small->nr; nr++)
			held->on[nr][nid] = small->promise[nr]->on_node[nid];
	}
}

static void print_row(const char *title, const struct small_pool *small,
		      const unsigned long *row)
{
	char text[64] = "";
	int nid, at = 0;

	for (nid = 0; nid < small->pool.nr_nodes; nid++)
		at += snprintf(text + at, sizeof(text) - at, " %lu", row[nid]);
	ksft_print_msg("  %s:%s\n", title, text);
}

/* What one needs to make a case of it. */
void small_pool_print(const struct small_pool *small,
		      const struct holdings *held, const struct ask *ask)
{
	char title[64];
	int nr;

	print_row("free", small, held->free);
	for (nr = 0; nr < small->nr; nr++) {
		snprintf(title, sizeof(title), "promise %d, nodes %#x%s", nr,
			 small_pool_nodes(small, nr),
			 small->is_given[nr] ? ", given" : "");
		print_row(title, small, held->on[nr]);
	}
	ksft_print_msg("  wanted: %lu, nodes %#x, rather %#x, near %d\n",
		       ask->pages, ask->nodes, ask->rather, ask->nid);
	print_row("spread", small, ask->spread);
}

static bool locks_sound(const struct small_pool *small)
{
	const struct scope *scope;
	int nid;

	for (nid = 0; nid < small->pool.nr_nodes; nid++)
		if (!expect(!small->pool.node[nid]->lock.held))
			return false;
	list_for_each_entry(scope, &small->pool.scopes, link)
		if (!expect(!scope->lock.held))
			return false;
	return expect(!small->pool.plan_lock.held) &&
	       expect(!small->pool.any->lock.held) &&
	       expect(!(small->pool.moves.sequence & 1));
}

static bool node_sound(const struct small_pool *small, int nid)
{
	const struct pool_counts *counts = &small->pool.node[nid]->counts;
	unsigned long sum = 0;
	int nr;

	for (nr = 0; nr < small->nr; nr++)
		sum += small->promise[nr]->on_node[nid];
	return expect(counts->resv == sum) && expect(counts->resv <= counts->free);
}

static bool scope_sound(const struct small_pool *small, const struct scope *scope)
{
	unsigned long sum;
	int nid, nr;

	for (nid = 0; nid < small->pool.nr_nodes; nid++) {
		sum = 0;
		for (nr = 0; nr < small->nr; nr++)
			if (small->promise[nr]->scope == scope)
				sum += small->promise[nr]->on_node[nid];
		if (!expect(scope->units[nid] == sum))
			return false;
	}
	return true;
}

static bool promise_listed(const struct promise *promise)
{
	const struct promise *other;

	list_for_each_entry(other, &promise->scope->promises, link)
		if (other == promise)
			return true;
	return false;
}

static bool promise_sound(const struct small_pool *small, int nr)
{
	const struct promise *promise = small->promise[nr];
	int nid;

	for (nid = 0; nid < small->pool.nr_nodes; nid++)
		if (promise->on_node[nid] &&
		    !expect(nodeset_has(&promise->scope->nodes, nid)))
			return false;
	/* Who looks for one that can make room must find it. */
	if (promise_sum(promise))
		return expect(promise_listed(promise));
	return expect(promise_listed(promise) != list_empty(&promise->link));
}

/* All that is true at every quiet moment. */
bool small_pool_sound(const struct small_pool *small)
{
	const struct scope *scope;
	int nid, nr;

	if (!locks_sound(small))
		return false;
	for (nid = 0; nid < small->pool.nr_nodes; nid++)
		if (!node_sound(small, nid))
			return false;
	list_for_each_entry(scope, &small->pool.scopes, link)
		if (!scope_sound(small, scope))
			return false;
	for (nr = 0; nr < small->nr; nr++)
		if (!promise_sound(small, nr))
			return false;
	return true;
}
