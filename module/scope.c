// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scopes: which nodes a promise may lie on. Promises that were made under policies
 * with the same nodes share one, so that who looks for a promise that can make room
 * looks at a few scopes and not at all promises.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/slab.h>

#include "pool.h"
#include "scope.h"

static struct scope *scope_create(struct pool *pool,
				  const struct nodeset *nodes)
{
	struct scope *scope = kzalloc(sizeof(*scope), GFP_KERNEL_ACCOUNT);

	if (!scope)
		return NULL;
	scope->units = kcalloc(2 * pool->nr_nodes, sizeof(*scope->units),
			       GFP_KERNEL_ACCOUNT);
	if (!scope->units) {
		kfree(scope);
		return NULL;
	}
	scope->plan = scope->units + pool->nr_nodes;
	scope->users = 1;
	scope->nodes = *nodes;
	spin_lock_init(&scope->lock);
	INIT_LIST_HEAD(&scope->promises);
	return scope;
}

static void scope_destroy(struct scope *scope)
{
	if (!scope)
		return;
	WARN_ON_ONCE(!list_empty(&scope->promises));
	kfree(scope->units);
	kfree(scope);
}

static struct scope *scope_find(struct pool *pool, const struct nodeset *nodes)
{
	struct scope *scope;

	lockdep_assert_held(&pool->plan_lock);

	list_for_each_entry(scope, &pool->scopes, link)
		if (nodeset_equal(&scope->nodes, nodes))
			return scope;
	return NULL;
}

/* Enter @scope, unless another one for these nodes is there already. */
static struct scope *scope_enter(struct pool *pool,
				 const struct nodeset *nodes,
				 struct scope *scope)
{
	struct scope *found;

	spin_lock(&pool->plan_lock);
	found = scope_find(pool, nodes);
	if (found) {
		found->users++;
	} else if (scope) {
		list_add(&scope->link, &pool->scopes);
		found = scope;
	}
	spin_unlock(&pool->plan_lock);
	return found;
}

/**
 * scope_get() - Find the scope of the nodes that are allowed, or make one.
 * @pool: the pool
 * @wish: says which ones
 *
 * Context: may sleep.
 * Return: the scope, for scope_put(), or NULL where memory is short.
 */
struct scope *scope_get(struct pool *pool, const struct wish *wish)
{
	struct scope *scope, *fresh;

	if (wish->any)
		return pool->any;
	scope = scope_enter(pool, &wish->allowed, NULL);
	if (scope)
		return scope;
	fresh = scope_create(pool, &wish->allowed);
	if (!fresh)
		return NULL;
	scope = scope_enter(pool, &wish->allowed, fresh);
	if (scope != fresh)
		scope_destroy(fresh);
	return scope;
}

/**
 * scope_hold() - Get a scope once more.
 * @pool: the pool
 * @scope: the scope, which somebody has got and not put
 */
void scope_hold(struct pool *pool, struct scope *scope)
{
	if (scope->any)
		return;
	spin_lock(&pool->plan_lock);
	scope->users++;
	spin_unlock(&pool->plan_lock);
}

/**
 * scope_put() - Undo scope_get().
 * @pool: the pool
 * @scope: the scope; NULL is allowed
 */
void scope_put(struct pool *pool, struct scope *scope)
{
	bool last;

	if (!scope || scope->any)
		return;
	spin_lock(&pool->plan_lock);
	last = !--scope->users;
	if (last)
		list_del(&scope->link);
	spin_unlock(&pool->plan_lock);
	if (last)
		scope_destroy(scope);
}

/**
 * scope_init() - Make the scope of any node.
 * @pool: a pool in the making
 *
 * Return: 0, or -ENOMEM.
 */
int scope_init(struct pool *pool)
{
	struct nodeset all;

	INIT_LIST_HEAD(&pool->scopes);
	nodeset_fill(&all);
	pool->any = scope_create(pool, &all);
	if (!pool->any)
		return -ENOMEM;
	pool->any->any = true;
	return 0;
}

/**
 * scope_exit() - Undo scope_init().
 * @pool: a pool that nobody has a promise of
 */
void scope_exit(struct pool *pool)
{
	scope_destroy(pool->any);
}
