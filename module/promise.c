// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promises: where the pages lie that somebody may still take.
 */
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "pool.h"
#include "promise.h"

/**
 * promise_init() - Make an empty promise.
 * @promise: memory for it
 * @pool: the pool
 * @scope: on which nodes its pages may lie; as long as the promise is there it is not
 *	put
 */
void promise_init(struct promise *promise, struct pool *pool,
		  struct scope *scope)
{
	int nid;

	promise->scope = scope;
	promise->nr_nodes = pool->nr_nodes;
	for (nid = 0; nid < pool->nr_nodes; nid++)
		promise->on_node[nid] = 0;
	INIT_LIST_HEAD(&promise->link);
	INIT_LIST_HEAD(&promise->sibling);
}

/**
 * promise_exit() - Undo promise_init().
 * @promise: a promise that has nothing left, and to which nobody adds
 */
void promise_exit(struct promise *promise)
{
	struct scope *scope = promise->scope;

	WARN_ON_ONCE(promise_sum(promise));
	if (promise->nr_nodes == 1)
		return;
	spin_lock(&scope->lock);
	list_del_init(&promise->link);
	spin_unlock(&scope->lock);
}

/**
 * promise_create() - Make an empty promise of its own.
 * @pool: the pool
 * @scope: as for promise_init()
 *
 * Context: may sleep.
 * Return: the promise, or NULL where memory is short.
 */
struct promise *promise_create(struct pool *pool, struct scope *scope)
{
	struct promise *promise;

	promise = kmalloc(struct_size(promise, on_node, pool->nr_nodes),
			  GFP_KERNEL_ACCOUNT);
	if (promise)
		promise_init(promise, pool, scope);
	return promise;
}

/**
 * promise_destroy() - Undo promise_create().
 * @promise: as for promise_exit(); NULL is allowed
 */
void promise_destroy(struct promise *promise)
{
	if (!promise)
		return;
	promise_exit(promise);
	kfree(promise);
}

/**
 * promise_on() - How much is promised on a node.
 * @promise: the promise
 * @nid: node id
 *
 * Return: huge pages, at some moment where others are at work.
 */
unsigned long promise_on(const struct promise *promise, int nid)
{
	return READ_ONCE(promise->on_node[nid]);
}

/**
 * promise_sum() - How much is promised.
 * @promise: the promise
 *
 * Return: huge pages over all nodes; at moments that differ where others are at work.
 */
unsigned long promise_sum(const struct promise *promise)
{
	unsigned long sum = 0;
	int nid;

	for (nid = 0; nid < promise->nr_nodes; nid++)
		sum += promise_on(promise, nid);
	return sum;
}

static void promise_enter(struct promise *promise)
{
	struct scope *scope = promise->scope;

	spin_lock(&scope->lock);
	list_add(&promise->link, &scope->promises);
	spin_unlock(&scope->lock);
}

/**
 * promise_tell_scope() - Let a promise's scope know of what was added.
 * @promise: a promise of a pool with several nodes
 * @nid: node id
 * @pages: as for promise_add(), but not 0
 */
void promise_tell_scope(struct promise *promise, int nid, long pages)
{
	if (!promise->scope->any)
		promise->scope->units[nid] += pages;
	if (list_empty(&promise->link))
		promise_enter(promise);
}
