// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may have pages only on certain nodes is told yes if there is any way to keep all
 * promises together with his. Where those nodes have too few pages that nobody was
 * promised, promises of others that may as well be kept elsewhere move: each that moves
 * makes room for the one before it, and the last of them goes where there is a page. So
 * the answer is that of a maximum flow, found along shortest paths (Edmonds and Karp),
 * where the capacities are the nodes' free pages and what flows are the units of
 * promises.
 *
 * All nodes' locks are held over it, and first it is worked out in numbers by scope,
 * which are few, whether it can be done. Only then promises are touched, and then
 * nothing can fail. Who wants new pages and means any node does not come here: for him it
 * is enough that there are pages at all.
 *
 * Who asks may have something to give for it: what is kept for his mount, or what he was
 * promised elsewhere and does not need any more then. That page is as good as one that
 * nobody was promised, for him and for those who move.
 */
#include <linux/mm.h>

#include "plan.h"

/**
 * plan_begin() - Let nothing change in the pool.
 * @plan: filled in
 * @pool: the pool
 * @wish: where the pages are to be
 * @given: a list of promises, by sibling, that the caller gives for it; or NULL
 *
 * Context: plan_end() follows. Between them all nodes' locks are held.
 */
void plan_begin(struct plan *plan, struct pool *pool, const struct wish *wish,
		struct list_head *given)
	__acquires(&pool->plan_lock)
{
	int nid;

	*plan = (struct plan){ .pool = pool, .wish = wish, .given = given };
	spin_lock(&pool->plan_lock);
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		spin_lock_nest_lock(&pool->node[nid]->lock, &pool->plan_lock);
		/* So many locks are more than sparse can count. */
		__release(&pool->node[nid]->lock);
	}
}

/**
 * plan_end() - Undo plan_begin().
 * @plan: the plan
 */
void plan_end(struct plan *plan)
	__releases(&plan->pool->plan_lock)
{
	struct pool *pool = plan->pool;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++) {
		__acquire(&pool->node[nid]->lock);
		zeroing_unlock(pool->node[nid]);
	}
	spin_unlock(&pool->plan_lock);
}

/* --- in numbers ---------------------------------------------------------- */

static void plan_load_nodes(struct plan *plan)
{
	struct pool *pool = plan->pool;
	struct promise *given;
	struct plan_node *at;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++) {
		at = &pool->plan[nid];
		*at = (struct plan_node){
			.spare = pool->node[nid]->counts.free -
				 pool->node[nid]->counts.resv,
		};
		if (!plan->given)
			continue;
		list_for_each_entry(given, plan->given, sibling)
			at->given += given->on_node[nid];
	}
}

/* Those that have nothing may be many. */
static bool plan_load_scope(struct pool *pool, struct scope *scope)
{
	bool busy = false;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++) {
		scope->plan[nid] = scope->units[nid];
		pool->any->plan[nid] -= scope->units[nid];
		busy |= scope->units[nid];
	}
	return busy;
}

/* What every scope has on each node, less what is given. */
static void plan_load_scopes(struct plan *plan)
{
	struct pool *pool = plan->pool;
	struct promise *given;
	struct scope *scope;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++)
		pool->any->plan[nid] = pool->node[nid]->counts.resv;
	INIT_LIST_HEAD(&pool->plan_busy);
	list_for_each_entry(scope, &pool->scopes, link)
		if (plan_load_scope(pool, scope))
			list_add(&scope->busy, &pool->plan_busy);
	list_add(&pool->any->busy, &pool->plan_busy);
	if (!plan->given)
		return;
	list_for_each_entry(given, plan->given, sibling)
		for (nid = 0; nid < pool->nr_nodes; nid++)
			given->scope->plan[nid] -= given->on_node[nid];
}

/* Use pages of a node: such that nobody was promised, and then what is given. */
static unsigned long plan_use(struct plan_node *at, unsigned long pages)
{
	unsigned long spare = min(pages, at->spare);
	unsigned long given = min(pages - spare, at->given);

	at->spare -= spare;
	at->given -= given;
	at->used += given;
	return spare + given;
}

/* What there is without moving anything: as it is to be spread, then by distance. */
static unsigned long plan_use_own(struct plan *plan, unsigned long pages)
{
	const struct wish *wish = plan->wish;
	struct pool *pool = plan->pool;
	struct pool_node *node;
	unsigned long got;
	int i;

	for (i = 0; wish->spread && i < pool->nr_nodes; i++) {
		if (!nodeset_has(&wish->allowed, i))
			continue;
		got = plan_use(&pool->plan[i], min(pages, wish->spread[i]));
		pool->plan[i].take += got;
		pages -= got;
	}
	for_each_wished(pool, wish, i, node) {
		got = plan_use(&pool->plan[node->nid], pages);
		pool->plan[node->nid].take += got;
		pages -= got;
	}
	return pages;
}

/* Promises of @scope could move from node @from: where to that was not reached yet. */
static int plan_reach_by(struct plan *plan, struct scope *scope, int from,
			 struct nodeset *reached)
{
	struct plan_node *at;
	int nid;

	if (!scope->plan[from])
		return NUMA_NO_NODE;
	for (nid = 0; nid < plan->pool->nr_nodes; nid++) {
		if (!nodeset_has(&scope->nodes, nid) ||
		    nodeset_has(reached, nid))
			continue;
		nodeset_add(reached, nid);
		at = &plan->pool->plan[nid];
		at->from = from;
		at->by = scope;
		plan->pool->plan[plan->pool->plan_tail++].queued = nid;
		if (at->spare || at->given)
			return nid;
	}
	return NUMA_NO_NODE;
}

static int plan_reach_from(struct plan *plan, int from,
			   struct nodeset *reached)
{
	struct scope *scope;
	int found;

	list_for_each_entry(scope, &plan->pool->plan_busy, busy) {
		found = plan_reach_by(plan, scope, from, reached);
		if (found != NUMA_NO_NODE)
			return found;
	}
	return NUMA_NO_NODE;
}

/* A node that has a page, to which promises can move so that a wished one gets room. */
static int plan_search(struct plan *plan)
{
	struct pool *pool = plan->pool;
	struct nodeset reached = {};
	int nid, head, found = NUMA_NO_NODE;

	pool->plan_tail = 0;
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		if (!nodeset_has(&plan->wish->allowed, nid))
			continue;
		nodeset_add(&reached, nid);
		pool->plan[nid].from = NUMA_NO_NODE;
		pool->plan[pool->plan_tail++].queued = nid;
	}
	for (head = 0; head < pool->plan_tail && found == NUMA_NO_NODE; head++)
		found = plan_reach_from(plan, pool->plan[head].queued, &reached);
	plan->reached = reached;
	return found;
}

/* Move as much as can be along the way to @nid, at most @pages. */
static unsigned long plan_flow(struct plan *plan, int nid, unsigned long pages)
{
	struct plan_node *nodes = plan->pool->plan;
	struct plan_node *at;
	int i;

	for (i = nid; nodes[i].from != NUMA_NO_NODE; i = nodes[i].from)
		pages = min(pages, nodes[i].by->plan[nodes[i].from]);
	pages = plan_use(&nodes[nid], pages);
	for (i = nid; nodes[i].from != NUMA_NO_NODE; i = at->from) {
		at = &nodes[i];
		at->by->plan[at->from] -= pages;
		at->by->plan[i] += pages;
	}
	nodes[i].take += pages;
	return pages;
}

/**
 * plan_solve() - Find out whether pages can be had.
 * @plan: the plan
 * @pages: huge pages wanted
 *
 * Return: 0, or how many cannot be had.
 */
unsigned long plan_solve(struct plan *plan, unsigned long pages)
{
	int nid;

	plan->moves = false;
	plan_load_nodes(plan);
	pages = plan_use_own(plan, pages);
	if (!pages)
		return 0;
	plan->moves = true;
	plan_load_scopes(plan);
	while (pages) {
		nid = plan_search(plan);
		if (nid == NUMA_NO_NODE)
			break;
		pages -= plan_flow(plan, nid, pages);
	}
	return pages;
}

/* --- in deed ------------------------------------------------------------- */

static unsigned long plan_units(struct plan *plan, struct scope *scope, int nid)
{
	unsigned long units = plan->pool->node[nid]->counts.resv;
	struct scope *other;

	if (!scope->any)
		return scope->units[nid];
	list_for_each_entry(other, &plan->pool->plan_busy, busy)
		if (!other->any)
			units -= other->units[nid];
	return units;
}

static bool plan_is_given(struct plan *plan, struct promise *promise)
{
	struct promise *given;

	if (plan->given)
		list_for_each_entry(given, plan->given, sibling)
			if (given == promise)
				return true;
	return false;
}

/* How many units of a scope are to leave a node, and how many are to come. */
static void plan_compare(struct plan *plan, struct scope *scope)
{
	struct pool *pool = plan->pool;
	struct promise *given;
	unsigned long units;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++) {
		units = plan_units(plan, scope, nid);
		if (plan->given)
			list_for_each_entry(given, plan->given, sibling)
				if (given->scope == scope)
					units -= given->on_node[nid];
		pool->plan[nid].leave = units - min(units, scope->plan[nid]);
		pool->plan[nid].come = scope->plan[nid] -
				       min(units, scope->plan[nid]);
	}
}

static void plan_move(struct pool *pool, struct promise *promise, int from,
		      int to, unsigned long pages)
{
	promise_add(promise, from, -pages);
	promise_add(promise, to, pages);
	pool->node[from]->counts.resv -= pages;
	pool->node[to]->counts.resv += pages;
	pool->plan[from].leave -= pages;
	pool->plan[to].come -= pages;
}

/* Move what @promise has where too much is to where it is wanted. */
static void plan_move_promise(struct pool *pool, struct promise *promise)
{
	unsigned long pages;
	int from, to;

	for (from = 0; from < pool->nr_nodes; from++) {
		for (to = 0; to < pool->nr_nodes; to++) {
			pages = min3(pool->plan[from].leave,
				     pool->plan[to].come,
				     promise->on_node[from]);
			if (pages)
				plan_move(pool, promise, from, to, pages);
		}
	}
}

static bool plan_is_done(struct pool *pool)
{
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++)
		if (pool->plan[nid].come)
			return false;
	return true;
}

static void plan_move_scope(struct plan *plan, struct scope *scope)
{
	struct promise *promise, *next;

	plan_compare(plan, scope);
	spin_lock(&scope->lock);
	list_for_each_entry_safe(promise, next, &scope->promises, link) {
		if (plan_is_done(plan->pool))
			break;
		if (!promise_sum(promise))
			list_del_init(&promise->link);
		else if (!plan_is_given(plan, promise))
			plan_move_promise(plan->pool, promise);
	}
	spin_unlock(&scope->lock);
	WARN_ONCE(!plan_is_done(plan->pool),
		  "rhugefs: promises to move were not there\n");
}

/* Use up @pages of what is given on a node. */
static void plan_use_up(struct plan *plan, int nid, unsigned long pages)
{
	struct promise *given;
	unsigned long units;

	list_for_each_entry(given, plan->given, sibling) {
		units = min(pages, given->on_node[nid]);
		promise_add(given, nid, -units);
		plan->pool->node[nid]->counts.resv -= units;
		pages -= units;
	}
}

/* Use up what is needed on each node, and then as much as makes @given in all. */
static void plan_use_given(struct plan *plan, unsigned long given)
{
	struct pool *pool = plan->pool;
	struct plan_node *at;
	unsigned long more;
	int nid;

	for (nid = 0; nid < pool->nr_nodes; nid++)
		given -= pool->plan[nid].used;
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		at = &pool->plan[nid];
		more = min(given, at->given);
		given -= more;
		plan_use_up(plan, nid, at->used + more);
	}
}

/**
 * plan_apply() - Promise the pages.
 * @plan: a plan that was solved
 * @promise: raised by what was wanted, or NULL if somebody takes the pages at once
 * @given: how many units of the given promises are used up for it: what is wanted less
 *	what was taken out of pool->spare, and at least what the plan uses of them
 */
void plan_apply(struct plan *plan, struct promise *promise, unsigned long given)
{
	struct pool *pool = plan->pool;
	struct scope *scope;
	int nid;

	if (plan->moves) {
		write_seqcount_begin(&pool->moves);
		list_for_each_entry(scope, &pool->plan_busy, busy)
			plan_move_scope(plan, scope);
		write_seqcount_end(&pool->moves);
	}
	if (plan->given)
		plan_use_given(plan, given);
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		pool->node[nid]->events++;
		if (!promise)
			continue;
		pool->node[nid]->counts.resv += pool->plan[nid].take;
		promise_add(promise, nid, pool->plan[nid].take);
	}
}

/**
 * plan_take() - Take the page at once.
 * @plan: a plan for one page that was solved
 * @given: as for plan_apply()
 * @zeroed: in: a zeroed page is preferred to a dirty one; out: it is one
 *
 * Return: the page.
 */
struct folio *plan_take(struct plan *plan, unsigned long given, bool *zeroed)
{
	struct pool *pool = plan->pool;
	int nid = 0;

	plan_apply(plan, NULL, given);
	while (nid < pool->nr_nodes - 1 && !pool->plan[nid].take)
		nid++;
	return pool_node_take(pool->node[nid], zeroed);
}

/**
 * plan_make_room() - Move promises away from a node that is to have fewer pages.
 * @pool: the pool
 * @nid: node id
 * @pages: huge pages of it that should be promised to nobody; if that cannot be, as many
 *	as can
 *
 * Context: no lock of the pool is held.
 */
void plan_make_room(struct pool *pool, int nid, unsigned long pages)
{
	struct wish wish = { .nid = nid };
	unsigned long lacks;
	struct plan plan;

	nodeset_add(&wish.allowed, nid);
	wish.preferred = wish.allowed;
	plan_begin(&plan, pool, &wish, NULL);
	lacks = plan_solve(&plan, pages);
	if (lacks && lacks < pages)
		lacks = plan_solve(&plan, pages - lacks);
	if (!lacks)
		plan_apply(&plan, NULL, 0);
	plan_end(&plan);
}

/* Is what a scope has on each node what its promises have? */
static bool plan_scope_adds_up(struct plan *plan, struct scope *scope)
{
	struct plan_node *nodes = plan->pool->plan;
	struct promise *promise, *next;
	bool same = true;
	int nid;

	for (nid = 0; nid < plan->pool->nr_nodes; nid++)
		nodes[nid].used = 0;
	spin_lock(&scope->lock);
	list_for_each_entry_safe(promise, next, &scope->promises, link) {
		for (nid = 0; nid < plan->pool->nr_nodes; nid++)
			nodes[nid].used += promise->on_node[nid];
		if (!promise_sum(promise))
			list_del_init(&promise->link);
	}
	spin_unlock(&scope->lock);
	for (nid = 0; nid < plan->pool->nr_nodes; nid++)
		same &= nodes[nid].used == plan_units(plan, scope, nid);
	return same;
}

/**
 * plan_adds_up() - Is everything there that plans go by?
 * @pool: the pool
 *
 * Context: no lock of the pool is held.
 * Return: whether all promises are with their scopes.
 */
bool plan_adds_up(struct pool *pool)
{
	struct scope *scope;
	struct plan plan;
	bool same = true;

	/* With one node nothing moves. */
	if (pool->nr_nodes == 1)
		return true;
	plan_begin(&plan, pool, NULL, NULL);
	plan_load_scopes(&plan);
	list_for_each_entry(scope, &pool->plan_busy, busy)
		same &= plan_scope_adds_up(&plan, scope);
	plan_end(&plan);
	return same;
}
