/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_PLAN_H
#define RHUGEFS_PLAN_H

#include "pool.h"
#include "wish.h"

/**
 * struct plan - pages for one who may only have them on certain nodes
 * @pool: the pool
 * @wish: the nodes
 * @given: a list of promises, by sibling, whose units may be used up for it, or NULL
 * @moves: others' promises are to be moved
 * @reached: where it cannot be solved: the nodes on which further pages would help
 */
struct plan {
	struct pool *pool;
	const struct wish *wish;
	struct list_head *given;
	bool moves;
	struct nodeset reached;
};

void plan_begin(struct plan *plan, struct pool *pool, const struct wish *wish,
		struct list_head *given);
unsigned long plan_solve(struct plan *plan, unsigned long pages);
void plan_apply(struct plan *plan, struct promise *promise,
		unsigned long given);
struct folio *plan_take(struct plan *plan, unsigned long given, bool *zeroed);
bool plan_adds_up(struct pool *pool);
void plan_make_room(struct pool *pool, int nid, unsigned long pages);
void plan_end(struct plan *plan);

#endif
