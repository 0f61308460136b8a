// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mount's share in the pool: its subpool, and the pages that are kept for its
 * minimum. Every page that a mount uses or is promised goes through here.
 *
 * Whether somebody may have pages is decided under the quota's lock, by the subpool
 * and by the pool together, so that a yes of the one never has to be taken back on
 * account of a no of the other: what the subpool lacks is taken out of pool->spare,
 * which is one atomic step. Only if that fails the lock is dropped, and the pool
 * looks for more.
 *
 * A page that is given back while somebody outside holds it stays in use, for the
 * mount, too, until it is not parked any more. The mount may be gone by then.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "inject.h"
#include "park.h"
#include "plan.h"
#include "quota.h"
#include "surplus.h"
#include "trace.h"

/**
 * quota_create() - Make a share without limits.
 * @pool: the pool
 * @nodes: where its pages may lie, NULL for anywhere
 * @user_max: most huge pages of each user, SUBPOOL_NO_MAX where users are not told
 *	apart
 *
 * Context: may sleep.
 * Return: the share with one reference, or NULL where memory is short.
 */
struct quota *quota_create(struct pool *pool, const nodemask_t *nodes,
			   unsigned long user_max)
{
	struct wish wish = { .any = !nodes || pool->nr_nodes == 1 };
	struct scope *scope;
	struct quota *quota;

	if (nodes)
		nodeset_read(&wish.allowed, nodes);
	scope = scope_get(pool, &wish);
	if (!scope)
		return NULL;
	quota = kzalloc(struct_size(quota, kept.on_node, pool->nr_nodes),
			GFP_KERNEL);
	if (!quota) {
		scope_put(pool, scope);
		return NULL;
	}
	refcount_set(&quota->ref, 1);
	spin_lock_init(&quota->lock);
	subpool_init(&quota->subpool);
	quota_users_init(quota, user_max);
	quota->pool = pool;
	wish_within(&quota->wish, scope);
	promise_init(&quota->kept, pool, scope);
	INIT_LIST_HEAD(&quota->given);
	list_add(&quota->kept.sibling, &quota->given);
	return quota;
}

static void quota_put(struct quota *quota)
{
	if (!refcount_dec_and_test(&quota->ref))
		return;
	WARN_ON_ONCE(quota->subpool.used_hpages);
	promise_exit(&quota->kept);
	quota_users_exit(quota);
	scope_put(quota->pool, quota->kept.scope);
	kfree(quota);
}

/* What the pool must have so that pages can be used, or -ENOSPC for a limit. */
static long quota_missing(struct quota_user *user, unsigned long pages)
{
	struct quota *quota = user->quota;

	lockdep_assert_held(&quota->lock);

	if (user != &quota->everybody &&
	    (pages > quota->user_max ||
	     user->used_hpages > quota->user_max - pages))
		return -ENOSPC;
	return subpool_missing(&quota->subpool, pages);
}

static void quota_charge(struct quota_user *user, unsigned long pages)
{
	subpool_get_pages(&user->quota->subpool, pages);
	WRITE_ONCE(user->used_hpages, user->used_hpages + pages);
	atomic_long_inc(&user->quota->pool->quota_events);
}

/* How many pages go back to the pool; the rest is kept. */
static unsigned long quota_uncharge(struct quota_user *user,
				    unsigned long pages)
{
	lockdep_assert_held(&user->quota->lock);

	WRITE_ONCE(user->used_hpages, user->used_hpages - pages);
	return subpool_put_pages(&user->quota->subpool, pages);
}

/*
 * Take pages out of the subpool and, as far as it lacks them, out of what the pool
 * may give; all or nothing. How many the pool has to find, or -ENOSPC where the
 * subpool or the user's limit says no, -EAGAIN where the pool does.
 */
static long quota_admit(struct quota_user *user, unsigned long pages,
			struct hunt *hunt)
{
	long missing = quota_missing(user, pages);

	/* What is parked counts as used, and may have come free. */
	hunt->pages = max(missing, 0L);
	if (missing < 0)
		return missing;
	if (!surplus_admit(hunt, missing))
		return -EAGAIN;
	quota_charge(user, pages);
	return missing;
}

/*
 * The same for who may only have pages on certain nodes, and where they are: those that
 * are kept and not of use there are given up for others. @promise is NULL for one page,
 * which is taken at once.
 */
static long quota_plan(struct quota_user *user, unsigned long pages,
		       struct hunt *hunt, struct promise *promise, bool *zeroed,
		       struct folio **folio)
{
	long missing = quota_missing(user, pages);
	struct quota *quota = user->quota;
	struct plan plan;

	hunt->pages = max(missing, 0L);
	hunt->lacks = 0;
	if (missing < 0)
		return missing;
	plan_begin(&plan, quota->pool, hunt->wish, &quota->given);
	hunt->lacks = plan_solve(&plan, pages);
	hunt->reached = plan.reached;
	if (hunt->lacks || !surplus_admit(hunt, missing)) {
		plan_end(&plan);
		return -EAGAIN;
	}
	if (promise)
		plan_apply(&plan, promise, pages - missing);
	else
		*folio = plan_take(&plan, pages - missing, zeroed);
	plan_end(&plan);
	quota_charge(user, pages);
	return 0;
}

static long quota_try_reserve(struct quota_user *user, unsigned long pages,
			      struct hunt *hunt, struct promise *promise)
{
	struct quota *quota = user->quota;
	long missing;

	spin_lock(&quota->lock);
	if (!promise->scope->any) {
		missing = quota_plan(user, pages, hunt, promise, NULL, NULL);
	} else {
		missing = quota_admit(user, pages, hunt);
		if (missing >= 0 && missing < pages)
			pool_hand_over(quota->pool, &quota->kept, promise,
				       pages - missing);
	}
	spin_unlock(&quota->lock);
	if (missing > 0)
		pool_place(quota->pool, missing, hunt->wish, promise);
	return missing;
}

/**
 * quota_reserve() - Promise pages to somebody.
 * @user: who is charged
 * @pages: huge pages wanted
 * @wish: where they should lie
 * @promise: raised by @pages on success, unchanged otherwise; its scope is where they
 *	may; its owner's lock is held for writing
 *
 * Context: may sleep.
 * Return: 0, or -ENOSPC where so many cannot be promised.
 */
int quota_reserve(struct quota_user *user, unsigned long pages,
		  const struct wish *wish, struct promise *promise)
{
	struct hunt hunt = { .pool = user->quota->pool, .wish = wish };
	long missing;

	if (!pages)
		return 0;
	if (inject(INJECT_POOL))
		return -ENOSPC;
	do
		missing = quota_try_reserve(user, pages, &hunt, promise);
	while (missing < 0 && surplus_hunt(&hunt));
	surplus_end(&hunt);
	return missing < 0 ? -ENOSPC : 0;
}

/**
 * quota_reserve_spare() - Promise a page that is there to be had.
 * @user: who is charged
 * @wish: as for quota_reserve()
 * @promise: as for quota_reserve()
 *
 * Context: may reschedule; as for quota_reserve().
 * Return: 0, or -ENOSPC where every free page is promised; none is looked for.
 */
int quota_reserve_spare(struct quota_user *user, const struct wish *wish,
			struct promise *promise)
{
	struct hunt hunt = { .pool = user->quota->pool, .wish = wish };

	if (inject(INJECT_POOL) ||
	    quota_try_reserve(user, 1, &hunt, promise) < 0)
		return -ENOSPC;
	return 0;
}

/**
 * quota_unreserve() - Take back promises that were not consumed.
 * @user: who was charged
 * @pages: huge pages to be taken back
 * @promise: lowered by that many; has as many
 *
 * Context: may sleep.
 * Return: huge pages that were taken back.
 */
unsigned long quota_unreserve(struct quota_user *user, unsigned long pages,
			      struct promise *promise)
{
	struct quota *quota = user->quota;
	unsigned long back;

	if (!pages)
		return 0;
	spin_lock(&quota->lock);
	back = quota_uncharge(user, pages);
	if (back < pages)
		pool_hand_over(quota->pool, promise, &quota->kept,
			       pages - back);
	atomic_long_inc(&quota->pool->quota_events);
	spin_unlock(&quota->lock);
	back = pages - back + pool_unreserve(quota->pool, back, promise);
	surplus_trim(quota->pool);
	return back;
}

/* A page that is kept, if there is one: with the lock held none is added unseen. */
static long quota_try_take(struct quota_user *user, struct hunt *hunt,
			   bool *zeroed, struct folio **folio)
{
	struct quota *quota = user->quota;
	long missing;

	spin_lock(&quota->lock);
	if (hunt->wish->any) {
		missing = quota_admit(user, 1, hunt);
		if (!missing)
			*folio = pool_take_promised(quota->pool, hunt->wish,
						    &quota->kept, zeroed);
	} else {
		missing = quota_plan(user, 1, hunt, NULL, zeroed, folio);
	}
	spin_unlock(&quota->lock);
	return missing;
}

/**
 * quota_take() - Take a page that nobody was promised.
 * @user: who is charged
 * @wish: where it should lie
 * @zeroed: in: a zeroed page is preferred to a dirty one; out: it is one
 *
 * Context: may sleep.
 * Return: the page, or NULL where the mount's maximum or the user's is reached or every
 * free page is promised to others.
 */
struct folio *quota_take(struct quota_user *user, const struct wish *wish,
			 bool *zeroed)
{
	struct hunt hunt = { .pool = user->quota->pool, .wish = wish };
	bool want_zeroed = *zeroed;
	struct folio *folio = NULL;
	long missing;

	if (inject(INJECT_POOL))
		return NULL;
	do {
		*zeroed = want_zeroed;
		missing = quota_try_take(user, &hunt, zeroed, &folio);
	} while (missing < 0 && surplus_hunt(&hunt));
	surplus_end(&hunt);
	return missing > 0 ? pool_take(user->quota->pool, wish, zeroed) : folio;
}

/*
 * Put a page that is in use no more where it belongs. Of one that is kept the unit
 * is added with the lock held.
 */
static void quota_free(struct quota_user *user, struct folio *folio, bool zeroed)
{
	struct quota *quota = user->quota;
	bool kept;

	spin_lock(&quota->lock);
	kept = !quota_uncharge(user, 1);
	trace_give(folio, zeroed, kept);
	pool_put_back(quota->pool, folio, zeroed, kept ? &quota->kept : NULL);
	spin_unlock(&quota->lock);
	surplus_trim(quota->pool);
}

/**
 * quota_put_back() - Undo quota_take().
 * @user: who was charged
 * @folio: a page that nobody else has seen
 * @zeroed: it holds only zeroes
 */
void quota_put_back(struct quota_user *user, struct folio *folio, bool zeroed)
{
	quota_free(user, folio, zeroed);
}

/**
 * quota_give() - Give back a page that was in use.
 * @user: who was charged
 * @folio: the page, no longer mapped and in no cache
 *
 * Reading the count orders before whatever the next owner writes, by control
 * dependency; folio_put() of the last holder orders before the count.
 */
void quota_give(struct quota_user *user, struct folio *folio)
{
	if (folio_ref_count(folio) > 1) {
		refcount_inc(&user->quota->ref);
		park_page(user->quota->pool, folio, quota_user_hold(user));
		return;
	}
	quota_free(user, folio, false);
}

/**
 * quota_unpark() - Free a page that was parked.
 * @user: who is charged for it
 * @folio: the page, to which only the pool has a reference
 */
void quota_unpark(struct quota_user *user, struct folio *folio)
{
	struct quota *quota = user->quota;

	quota_free(user, folio, false);
	quota_user_put(user);
	quota_put(quota);
}

/**
 * quota_leave() - A parked page leaves the pool, whoever still holds it.
 * @user: who is charged for it
 */
void quota_leave(struct quota_user *user)
{
	struct quota *quota = user->quota;

	spin_lock(&quota->lock);
	quota_uncharge(user, 1);
	spin_unlock(&quota->lock);
	quota_user_put(user);
	quota_put(quota);
}

/**
 * quota_move_charge() - Charge another user for what one was charged for.
 * @from: who was charged
 * @to: who will be, of the same share, whatever his limit says
 * @pages: huge pages
 */
void quota_move_charge(struct quota_user *from, struct quota_user *to,
		       unsigned long pages)
{
	struct quota *quota = from->quota;

	spin_lock(&quota->lock);
	WRITE_ONCE(from->used_hpages, from->used_hpages - pages);
	WRITE_ONCE(to->used_hpages, to->used_hpages + pages);
	atomic_long_inc(&quota->pool->quota_events);
	spin_unlock(&quota->lock);
}

/**
 * quota_set_user_max() - Change the limit of each user.
 * @quota: a share that tells users apart
 * @max_hpages: most huge pages of each; who has more keeps them
 */
void quota_set_user_max(struct quota *quota, unsigned long max_hpages)
{
	spin_lock(&quota->lock);
	WRITE_ONCE(quota->user_max, max_hpages);
	spin_unlock(&quota->lock);
}

/**
 * quota_user_max() - The limit of each user.
 * @quota: the mount's share
 *
 * Return: huge pages, SUBPOOL_NO_MAX where users are not told apart.
 */
unsigned long quota_user_max(struct quota *quota)
{
	return READ_ONCE(quota->user_max);
}

/* Change the limits if @found has what the minimum lacks; else how much it lacks. */
static long quota_try_set(struct quota *quota, unsigned long min_hpages,
			  unsigned long max_hpages, struct promise *found)
{
	struct pool *pool = quota->pool;
	long have = pool_promised(pool, found), lacks;
	unsigned long excess = 0;

	spin_lock(&quota->lock);
	lacks = -EINVAL;
	if (!subpool_fits(&quota->subpool, min_hpages, max_hpages))
		goto unlock;
	lacks = subpool_lacks(&quota->subpool, min_hpages);
	if (lacks > have)
		goto unlock;
	excess = lacks < 0 ? -lacks : 0;
	subpool_set(&quota->subpool, min_hpages, max_hpages);
	if (lacks > 0)
		pool_hand_over(pool, found, &quota->kept, lacks);
	pool_hand_over(pool, &quota->kept, found, excess);
	atomic_long_inc(&pool->quota_events);
	lacks = 0;
unlock:
	spin_unlock(&quota->lock);
	return lacks;
}

/**
 * quota_set() - Change the limits.
 * @quota: the mount's share
 * @min_hpages: new minimum
 * @max_hpages: new maximum, SUBPOOL_NO_MAX for none
 *
 * Context: may sleep.
 * Return: 0, or with nothing changed -EINVAL where more is used than the new maximum
 * or it is below the minimum, -ENOSPC where the pool has too few pages to keep,
 * -ENOMEM where memory is short.
 */
int quota_set(struct quota *quota, unsigned long min_hpages,
	      unsigned long max_hpages)
{
	struct pool *pool = quota->pool;
	struct promise *found;
	long lacks;
	int err;

	found = promise_create(pool, quota->kept.scope);
	if (!found)
		return -ENOMEM;
	/* What is parked counts as used, and may have come free. */
	park_collect(pool);
	do {
		lacks = quota_try_set(quota, min_hpages, max_hpages, found);
		err = min(lacks, 0L);
		/* What is used may change until the next try. */
		if (lacks > 0)
			err = surplus_reserve(pool, lacks - pool_promised(pool, found),
					      &quota->wish, found);
	} while (lacks > 0 && !err);
	pool_unreserve(pool, pool_promised(pool, found), found);
	surplus_trim(pool);
	promise_destroy(found);
	return err;
}

/**
 * quota_end() - End a mount's share.
 * @quota: a share of which nothing is in use but pages that are parked; NULL is
 *	allowed
 *
 * Context: may sleep.
 */
void quota_end(struct quota *quota)
{
	unsigned long kept;

	if (!quota)
		return;
	spin_lock(&quota->lock);
	kept = quota->subpool.rsv_hpages;
	quota->subpool.min_hpages = 0;
	quota->subpool.rsv_hpages = 0;
	atomic_long_inc(&quota->pool->quota_events);
	spin_unlock(&quota->lock);
	/* With no minimum nothing is added to it any more. */
	pool_unreserve(quota->pool, kept, &quota->kept);
	surplus_trim(quota->pool);
	quota_put(quota);
}

/**
 * quota_read() - Read how much is used and may be.
 * @quota: the mount's share
 * @subpool: filled in
 */
void quota_read(struct quota *quota, struct subpool *subpool)
{
	spin_lock(&quota->lock);
	*subpool = quota->subpool;
	spin_unlock(&quota->lock);
}

/**
 * quota_parked() - How many of the mount's pages are parked.
 * @quota: the share of a mount that is there
 *
 * Return: huge pages.
 */
unsigned long quota_parked(struct quota *quota)
{
	return refcount_read(&quota->ref) - 1;
}
