/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_QUOTA_H
#define RHUGEFS_QUOTA_H

#include <linux/refcount.h>
#include <linux/spinlock.h>

#include "pool.h"
#include "subpool.h"

/**
 * struct quota - a mount's share in the pool
 * @ref: one for the mount, one for each of its pages that is parked
 * @lock: guards @subpool, and adding to @kept; a node's lock is taken inside
 * @pool: the pool; constant
 * @subpool: how much is used, and may be
 * @given: a list that has @kept alone
 * @wish: where pages may lie, and those are looked for that are kept: the nodes to which
 *	the mount is bound; constant
 * @kept: where the pages lie that are kept for the minimum: as many units as
 *	@subpool's rsv_hpages at every quiet moment
 */
struct quota {
	refcount_t ref;
	spinlock_t lock;
	struct pool *pool;
	struct subpool subpool;
	struct list_head given;
	struct wish wish;
	struct promise kept;
};

struct quota *quota_create(struct pool *pool, const nodemask_t *nodes);
void quota_end(struct quota *quota);
int quota_set(struct quota *quota, unsigned long min_hpages,
	      unsigned long max_hpages);
unsigned long quota_parked(struct quota *quota);
void quota_read(struct quota *quota, struct subpool *subpool);

int quota_reserve(struct quota *quota, unsigned long pages,
		  const struct wish *wish, struct promise *promise);
int quota_reserve_spare(struct quota *quota, const struct wish *wish,
			struct promise *promise);
unsigned long quota_unreserve(struct quota *quota, unsigned long pages,
			      struct promise *promise);
struct folio *quota_take(struct quota *quota, const struct wish *wish,
			 bool *zeroed);
void quota_put_back(struct quota *quota, struct folio *folio, bool zeroed);
void quota_give(struct quota *quota, struct folio *folio);
void quota_leave(struct quota *quota);
void quota_unpark(struct quota *quota, struct folio *folio);

#endif
