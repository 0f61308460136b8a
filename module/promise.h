/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_PROMISE_H
#define RHUGEFS_PROMISE_H

#include <linux/compiler.h>
#include <linux/list.h>

#include "scope.h"

/**
 * struct promise - where the pages lie that were promised and not yet consumed
 * @scope: on which nodes they may; constant. A page that was given back, and is
 *	promised again, may lie elsewhere
 * @link: among those with this scope; see struct scope
 * @sibling: among the further promises of one reserve; its lock
 * @nr_nodes: length of @on_node
 * @on_node: huge pages per node id; the node's lock. Each unit is a page on that
 *	node's free lists which nobody else may take. Added to by one at a time,
 *	under its owner's lock; taken from, or moved within the scope, at any time
 */
struct promise {
	struct scope *scope;
	struct list_head link;
	struct list_head sibling;
	int nr_nodes;
	unsigned long on_node[];
};

void promise_init(struct promise *promise, struct pool *pool,
		  struct scope *scope);
void promise_exit(struct promise *promise);
struct promise *promise_create(struct pool *pool, struct scope *scope);
void promise_destroy(struct promise *promise);

unsigned long promise_on(const struct promise *promise, int nid);
unsigned long promise_sum(const struct promise *promise);
void promise_tell_scope(struct promise *promise, int nid, long pages);

/**
 * promise_add() - Add units on one node, or take some away.
 * @promise: the promise
 * @nid: node id
 * @pages: huge pages, negative to take away as many
 *
 * Context: the node's lock is held; the node's own count is the caller's to change.
 */
static inline void promise_add(struct promise *promise, int nid, long pages)
{
	WRITE_ONCE(promise->on_node[nid], promise->on_node[nid] + pages);
	if (promise->nr_nodes > 1 && pages)
		promise_tell_scope(promise, nid, pages);
}

#endif
