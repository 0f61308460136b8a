/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_SCOPE_H
#define RHUGEFS_SCOPE_H

#include <linux/list.h>
#include <linux/spinlock.h>

#include "nodeset.h"

struct pool;
struct wish;

/**
 * struct scope - the nodes on which the pages of a promise may lie
 * @link: among the pool's scopes; pool->plan_lock
 * @busy: among those that have units while a plan is made; all nodes' locks
 * @users: how many hold it; pool->plan_lock
 * @any: it is all nodes, also those that get memory later; constant
 * @nodes: the nodes; constant
 * @lock: guards @promises; taken inside of nodes' locks
 * @promises: those with this scope that may have units, where there is more than one
 *	node. One that finds itself in no list when it gets a unit enters; it may be
 *	taken out while it has none by who holds all nodes' locks
 * @units: by node id, those of all promises with this scope; the node's lock. Not kept
 *	for @any: what others do not have of a node's resv is of that
 * @plan: by node id, where the units are to be; all nodes' locks
 */
struct scope {
	struct list_head link;
	struct list_head busy;
	unsigned long users;
	bool any;
	struct nodeset nodes;
	spinlock_t lock;
	struct list_head promises;
	unsigned long *units;
	unsigned long *plan;
};

struct scope *scope_get(struct pool *pool, const struct wish *wish);
void scope_hold(struct pool *pool, struct scope *scope);
void scope_put(struct pool *pool, struct scope *scope);
int scope_init(struct pool *pool);
void scope_exit(struct pool *pool);

#endif
