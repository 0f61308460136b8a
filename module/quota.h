/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_QUOTA_H
#define RHUGEFS_QUOTA_H

#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/uidgid.h>
#include <linux/xarray.h>

#include "pool.h"
#include "subpool.h"

struct quota;

/**
 * struct quota_user - what one user has of a mount's share
 * @quota: the share; constant
 * @uid: the user; constant
 * @ref: for what he is held: files, private mappings, parked pages; the lock of the
 *	share's @users. Of its @everybody it is not counted
 * @used_hpages: huge pages in use or promised that he is charged for; the share's @lock
 */
struct quota_user {
	struct quota *quota;
	kuid_t uid;
	unsigned long ref;
	unsigned long used_hpages;
};

/**
 * struct quota - a mount's share in the pool
 * @ref: one for the mount, one for each of its pages that is parked
 * @lock: guards @subpool, and adding to @kept; a node's lock is taken inside
 * @pool: the pool; constant
 * @subpool: how much is used, and may be
 * @users_apart: users are charged one by one; constant
 * @user_max: most huge pages of each user, SUBPOOL_NO_MAX for any number; @lock
 * @users: users who are charged for something, by user id; its own lock, inside of which
 *	none is taken
 * @everybody: who is charged where users are not told apart
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
	bool users_apart;
	unsigned long user_max;
	struct xarray users;
	struct quota_user everybody;
	struct list_head given;
	struct wish wish;
	struct promise kept;
};

struct quota *quota_create(struct pool *pool, const nodemask_t *nodes,
			   unsigned long user_max);
void quota_end(struct quota *quota);
int quota_set(struct quota *quota, unsigned long min_hpages,
	      unsigned long max_hpages);
void quota_set_user_max(struct quota *quota, unsigned long max_hpages);
unsigned long quota_user_max(struct quota *quota);
unsigned long quota_parked(struct quota *quota);
void quota_read(struct quota *quota, struct subpool *subpool);

int quota_reserve(struct quota_user *user, unsigned long pages,
		  const struct wish *wish, struct promise *promise);
int quota_reserve_spare(struct quota_user *user, const struct wish *wish,
			struct promise *promise);
unsigned long quota_unreserve(struct quota_user *user, unsigned long pages,
			      struct promise *promise);
struct folio *quota_take(struct quota_user *user, const struct wish *wish,
			 bool *zeroed);
void quota_put_back(struct quota_user *user, struct folio *folio, bool zeroed);
void quota_give(struct quota_user *user, struct folio *folio);
void quota_move_charge(struct quota_user *from, struct quota_user *to,
		       unsigned long pages);
void quota_leave(struct quota_user *user);
void quota_unpark(struct quota_user *user, struct folio *folio);

void quota_users_init(struct quota *quota, unsigned long max_hpages);
void quota_users_exit(struct quota *quota);
struct quota_user *quota_user_get(struct quota *quota, kuid_t uid);
struct quota_user *quota_user_hold(struct quota_user *user);
void quota_user_put(struct quota_user *user);
unsigned long quota_user_charged(struct quota *quota);

#endif
