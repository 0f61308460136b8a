// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy of reservation: what it takes to promise pages to a file, to keep
 * a promise when a page is touched, and to end it. This is the only room that
 * knows both the map and the mount's share in the pool.
 *
 * mmap() promises a range: the map says which indices of it are new, the pool
 * promises as many pages, and only then does the map take them in. A fault
 * claims a page for one index. Where the index is in the map the page comes
 * out of the promise; where it is not (MAP_NORESERVE), out of what nobody was
 * promised. The claim is committed once the page is ready, or cancelled, and
 * then everything is as it was. Every page that a file holds is in its map,
 * so that what was promised and not consumed is a matter of subtraction.
 *
 * Who promises or forgets a range keeps everybody else from claiming in the
 * file (by its invalidate_lock, exclusively here and shared there), and who
 * claims an index lets nobody else claim the same (by the index mutex). So an
 * index that was not promised when it was claimed is not promised when the
 * claim is committed either, and a file is never refused a promise on account
 * of a page that it is about to have.
 */
#include <linux/errno.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "inject.h"
#include "poison.h"
#include "reserve.h"
#include "stats.h"
#include "surplus.h"
#include "trace.h"

/**
 * reserve_init() - Make an empty reserve.
 * @reserve: memory for it, of reserve_size()
 * @user: who is charged for its pages, held for as long as it is there
 * @inode: the file
 * @private: it is for a private mapping of the file
 *
 * To be undone by reserve_end().
 */
void reserve_init(struct reserve *reserve, struct quota_user *user,
		  const struct inode *inode, bool private)
{
	struct quota *quota = user->quota;

	init_rwsem(&reserve->lock);
	resv_map_init(&reserve->map);
	INIT_LIST_HEAD(&reserve->others);
	reserve->quota = quota;
	reserve->user = user;
	reserve->inode = inode;
	reserve->private = private;
	reserve->forgotten = NULL;
	promise_init(&reserve->promise, quota->pool, quota->kept.scope);
}

/**
 * reserve_end() - End a reserve that may still be looked at.
 * @reserve: one from which everything was forgotten and released
 *
 * Context: process; its memory is the caller's to free.
 */
void reserve_end(struct reserve *reserve)
{
	struct pool *pool = reserve->quota->pool;
	struct promise *other, *next;
	struct scope *scope;

	list_for_each_entry_safe(other, next, &reserve->others, sibling) {
		scope = other->scope;
		promise_destroy(other);
		scope_put(pool, scope);
	}
	INIT_LIST_HEAD(&reserve->others);
	promise_exit(&reserve->promise);
}

/**
 * reserve_charge() - Charge another user for all of a reserve.
 * @reserve: a file's reserve
 * @user: the user, held; in his place the caller has to put the one who was charged
 *
 * Context: the file's invalidate_lock is held exclusively; may sleep.
 */
void reserve_charge(struct reserve *reserve, struct quota_user *user)
{
	down_write(&reserve->lock);
	quota_move_charge(reserve->user, user,
			  region_count(&reserve->map, 0, REGION_END));
	reserve->user = user;
	up_write(&reserve->lock);
}

static struct promise *reserve_other_promise(struct reserve *reserve,
					     struct scope *scope)
{
	struct promise *promise;

	list_for_each_entry(promise, &reserve->others, sibling)
		if (promise->scope == scope)
			return promise;
	promise = promise_create(reserve->quota->pool, scope);
	if (promise) {
		scope_hold(reserve->quota->pool, scope);
		list_add(&promise->sibling, &reserve->others);
	}
	return promise;
}

/**
 * reserve_promise() - Find the promise of pages within a scope, or make it.
 * @reserve: the reserve; its lock is held for writing
 * @scope: the scope, which the caller has got
 *
 * Context: may sleep.
 * Return: the promise, which stays as long as the reserve, or NULL where memory is short.
 */
struct promise *reserve_promise(struct reserve *reserve, struct scope *scope)
{
	lockdep_assert_held_write(&reserve->lock);

	if (reserve->promise.scope == scope)
		return &reserve->promise;
	return reserve_other_promise(reserve, scope);
}

/**
 * reserve_spread() - Say how many indices that are not in the map want which node.
 * @reserve: the reserve; its lock is held
 * @from: first index, in huge pages
 * @to: index behind the last one
 * @wish: where pages should lie, which depends on the index
 */
void reserve_spread(struct reserve *reserve, unsigned long from,
		    unsigned long to, const struct wish *wish)
{
	struct region_run run;

	while (region_run(&reserve->map, from, to, &run)) {
		wish_spread_range(wish, from, run.from);
		from = run.to;
		cond_resched();
	}
	wish_spread_range(wish, from, to);
}

/* Promise what is missing in a range; the map's lock is held for writing. */
static int reserve_missing(struct reserve *reserve, unsigned long from,
			   unsigned long to, const struct wish *wish,
			   struct promise *promise)
{
	struct region_change change __uninitialized;
	long missing;
	int err;

	missing = region_chg(&reserve->map, from, to, promise, &change);
	if (missing < 0)
		return missing;
	if (wish->spread)
		reserve_spread(reserve, from, to, wish);
	err = quota_reserve(reserve->user, missing, wish, promise);
	if (err)
		region_abort(&change);
	else
		region_add(&change);
	trace_reserve(reserve, from, to, missing, err);
	return err;
}

static int reserve_within(struct reserve *reserve, unsigned long from,
			  unsigned long to, const struct wish *wish,
			  struct scope *scope)
{
	struct promise *promise;
	int err = -ENOMEM;

	if (inject(INJECT_SIGNAL) || down_write_killable(&reserve->lock))
		return -EINTR;
	promise = reserve_promise(reserve, scope);
	if (promise)
		err = reserve_missing(reserve, from, to, wish, promise);
	up_write(&reserve->lock);
	return err;
}

/**
 * reserve_range() - Promise a page for each index of a range.
 * @reserve: the file's reserve
 * @from: first index, in huge pages
 * @to: index behind the last one, greater than @from
 * @wish: where the pages should lie; says the same afterwards
 *
 * Indices that were promised before are not promised again, wherever their pages may
 * lie.
 *
 * Context: may sleep. Nobody claims in the file meanwhile.
 * Return: 0, or with nothing changed -ENOSPC where the pool has too few pages there or
 * the mount may not use so many,
 * -ENOMEM where memory is short, -EINTR where a fatal signal ended the wait.
 */
int reserve_range(struct reserve *reserve, unsigned long from, unsigned long to,
		  struct wish *wish)
{
	struct pool *pool = reserve->quota->pool;
	struct scope *scope;
	int err;

	/* On any node there is nothing to find out, and nothing to undo. */
	if (wish->any && !wish->interleave)
		return reserve_within(reserve, from, to, wish, pool->any);
	scope = wish_begin(wish, pool);
	if (!scope)
		return -ENOMEM;
	err = reserve_within(reserve, from, to, wish, scope);
	wish_end(wish, pool, scope);
	return err;
}

/* The first part of a range that belongs to one promise, and what is not in the map. */
static struct promise *reserve_part(struct reserve *reserve, unsigned long from,
				    unsigned long *to)
{
	struct promise *promise = &reserve->promise;
	struct region_run run;

	if (list_empty(&reserve->others) ||
	    !region_run(&reserve->map, from, *to, &run))
		return promise;
	promise = run.of;
	while (region_run(&reserve->map, run.to, *to, &run)) {
		if (run.of != promise) {
			*to = run.from;
			break;
		}
		cond_resched();
	}
	return promise;
}

/**
 * reserve_forget() - Take a range, or the first part of it, out of the map.
 * @reserve: the file's reserve
 * @from: first index, in huge pages
 * @to: index behind the last one, REGION_END for all that follow
 * @forgotten: filled in with what was taken out; where its end is before @to the caller
 *	goes on from there
 *
 * What was promised for it stays promised until reserve_release() is told how many
 * pages there are.
 *
 * Context: may sleep. Nobody claims in the range until it has been released, nor forgets
 * another one.
 * Return: 0, or -ENOMEM with nothing changed. A range up to REGION_END does not fail,
 * nor does any part of a range but the first.
 */
int reserve_forget(struct reserve *reserve, unsigned long from,
		   unsigned long to, struct forgotten *forgotten)
{
	long indices;

	down_write(&reserve->lock);
	forgotten->promise = reserve_part(reserve, from, &to);
	indices = region_del(&reserve->map, from, to);
	if (indices >= 0)
		reserve->forgotten = forgotten->promise;
	up_write(&reserve->lock);
	forgotten->from = from;
	forgotten->to = to;
	forgotten->indices = max(indices, 0L);
	return min(indices, 0L);
}

/* End promises that no index stands for any more. */
static void reserve_unreserve(struct reserve *reserve, struct promise *promise,
			      unsigned long pages)
{
	unsigned long released;

	released = quota_unreserve(reserve->user, pages, promise);
	trace_unreserve(reserve, released);
	WARN_ONCE(released != pages,
		  "rhugefs: %lu promises to end, %lu were there\n",
		  pages, released);
}

/**
 * reserve_release() - End the promises of a range that was forgotten.
 * @reserve: the file's reserve
 * @forgotten: the range
 * @held: huge pages that the file held there
 *
 * Context: may sleep.
 */
void reserve_release(struct reserve *reserve, struct forgotten *forgotten,
		     unsigned long held)
{
	/*
	 * Of a private mapping other indices are claimed and restored meanwhile: units
	 * that come and go on two nodes could be missed on both.
	 */
	down_write(&reserve->lock);
	reserve_unreserve(reserve, forgotten->promise,
			  forgotten->indices - held);
	reserve->forgotten = NULL;
	up_write(&reserve->lock);
}

/* To what promise an index belongs, NULL where it is not in the map. */
static struct promise *reserve_of(struct reserve *reserve, unsigned long index)
{
	struct region_run run;

	lockdep_assert_held(&reserve->lock);

	return region_run(&reserve->map, index, index + 1, &run) ? run.of :
								   NULL;
}

/* The same of one that may just have been forgotten, and is not released yet. */
static struct promise *reserve_was_of(struct reserve *reserve,
				      unsigned long index)
{
	return reserve_of(reserve, index) ?: reserve->forgotten;
}

/**
 * reserve_release_index() - End the promise of one index, which stays in the map.
 * @reserve: the reserve
 * @index: an index in the map, in huge pages, for which there is a page that had not
 *	been promised
 *
 * Context: may sleep.
 */
void reserve_release_index(struct reserve *reserve, unsigned long index)
{
	down_write(&reserve->lock);
	reserve_unreserve(reserve, reserve_of(reserve, index), 1);
	up_write(&reserve->lock);
}

/*
 * Take the page that was promised for an index, if one was. With the
 * lock held nothing is added to the promise between the look at one node's
 * share and at the next, and so a unit for this index is found wherever it
 * lies: the others that are there are enough for the others who claim.
 */
static void reserve_take_promised(struct claim *claim, const struct wish *wish)
{
	struct reserve *reserve = claim->reserve;
	struct promise *promise;

	down_read(&reserve->lock);
	promise = reserve_of(reserve, claim->index);
	if (promise) {
		claim->folio = pool_take_promised(reserve->quota->pool, wish,
						  promise, &claim->zeroed);
		if (!WARN_ONCE(!claim->folio,
			       "rhugefs: index %lu is promised, no page is\n",
			       claim->index))
			claim->promise = promise;
	}
	up_read(&reserve->lock);
}

/* A page that was promised, if @promised, and else or where there is none another. */
static void reserve_find(struct claim *claim, const struct wish *wish,
			 bool promised, bool want_zeroed)
{
	struct reserve *reserve = claim->reserve;

	claim->zeroed = want_zeroed;
	if (promised)
		reserve_take_promised(claim, wish);
	/* It may have come from another node than that of the promise. */
	surplus_trim(reserve->quota->pool);
	if (!claim->folio)
		claim->folio = quota_take(claim->user, wish, &claim->zeroed);
	trace_claim(claim);
	if (claim->folio)
		stats_count(STAT_CLAIMS);
}

/*
 * The same without those that have memory errors. One that was found goes back, so that it
 * can go for good; others may find it at the same time.
 */
static void reserve_find_sound(struct claim *claim, const struct wish *wish,
			       bool promised, bool want_zeroed)
{
	struct pool *pool = claim->reserve->quota->pool;
	int tries;

	for (tries = pool->nr_nodes + 2; tries; tries--) {
		reserve_find(claim, wish, promised, want_zeroed);
		if (!claim->folio || !huge_page_is_poisoned(claim->folio))
			break;
		reserve_cancel(claim);
		poison_settle(pool);
		cond_resched();
	}
}

/*
 * Take the page that was promised, if @promised, and else or where there is none
 * one that was promised to nobody.
 */
static int reserve_take(struct claim *claim, const struct wish *wish,
			bool promised, bool want_zeroed)
{
	reserve_find_sound(claim, wish, promised, want_zeroed);
	if (!claim->folio)
		return -ENOSPC;
	if (want_zeroed && claim->zeroed)
		stats_count(STAT_ZEROINGS_AVOIDED);
	if (!nodeset_has(&wish->allowed, folio_nid(claim->folio)))
		stats_count(STAT_ELSEWHERE);
	return 0;
}

/**
 * reserve_claim() - Take a page for an index that has none.
 * @reserve: the file's reserve
 * @index: the index, in huge pages; the caller holds its mutex
 * @wish: where the page should lie. One that was promised may lie elsewhere: what
 *	counts is what was allowed then
 * @want_zeroed: a page that is zeroed already is worth more to the caller than
 *	one that is not
 * @claim: filled in on success
 *
 * Context: may sleep. The range is not forgotten meanwhile.
 * Return: 0, or -ENOSPC where the index was not promised and there is no page
 * that was not promised to others.
 */
int reserve_claim(struct reserve *reserve, unsigned long index,
		  const struct wish *wish, bool want_zeroed,
		  struct claim *claim)
{
	*claim = (struct claim){
		.reserve = reserve,
		.user = reserve->user,
		.index = index,
	};
	return reserve_take(claim, wish, true, want_zeroed);
}

/**
 * reserve_claim_beyond() - Take a page for which nothing was promised.
 * @reserve: the file's reserve, of which only the mount's share counts
 * @user: who is charged
 * @index: what it is taken for, in huge pages; does not go into the map
 * @wish: where the page should lie
 * @want_zeroed: as for reserve_claim()
 * @claim: filled in on success
 *
 * Context: may sleep.
 * Return: 0, or -ENOSPC where there is no page that was not promised to others.
 */
int reserve_claim_beyond(struct reserve *reserve, struct quota_user *user,
			 unsigned long index, const struct wish *wish,
			 bool want_zeroed, struct claim *claim)
{
	*claim = (struct claim){
		.reserve = reserve,
		.user = user,
		.index = index,
		.beyond = true,
	};
	return reserve_take(claim, wish, false, want_zeroed);
}

/* Put a claimed index that was not promised into the map. */
static int reserve_enter(struct reserve *reserve, unsigned long index)
{
	struct region_change change __uninitialized;
	long missing;

	down_write(&reserve->lock);
	missing = region_chg(&reserve->map, index, index + 1, &reserve->promise,
			     &change);
	if (missing >= 0)
		region_add(&change);
	up_write(&reserve->lock);
	return min(missing, 0L);
}

/**
 * reserve_commit() - Make a claim final.
 * @claim: the claim; the page is the file's or mapping's from now on
 *
 * A claim for an index that was promised has nothing left to do, nor has one
 * beyond. Any other puts its index into the map.
 *
 * Context: may sleep. The range is neither promised nor forgotten meanwhile.
 * Return: 0, or -ENOMEM where memory is short: the claim is then still to be
 * cancelled. Never for a claim that has nothing left to do.
 */
int reserve_commit(struct claim *claim)
{
	int err = 0;

	if (!claim->promise && !claim->beyond)
		err = reserve_enter(claim->reserve, claim->index);
	if (!err)
		trace_commit(claim);
	return err;
}

/**
 * reserve_cancel() - Undo a claim.
 * @claim: the claim; its page was shown to nobody
 *
 * Afterwards counts and map are as before the claim, save that a promise now
 * lies on the node from which the page came.
 *
 * Context: may sleep.
 */
void reserve_cancel(struct claim *claim)
{
	struct reserve *reserve = claim->reserve;

	trace_cancel(claim);
	stats_count(STAT_CANCELS);
	/* reserve_take_promised() says why adding to a promise needs the lock. */
	down_write(&reserve->lock);
	if (claim->promise)
		pool_put_back(reserve->quota->pool, claim->folio, claim->zeroed,
			      claim->promise);
	else
		quota_put_back(claim->user, claim->folio, claim->zeroed);
	up_write(&reserve->lock);
	claim->folio = NULL;
	claim->promise = NULL;
}

/**
 * reserve_restore() - Give a page back and promise one again for its index.
 * @reserve: the reserve
 * @index: the index, in huge pages, which is in the map or was forgotten and is not
 *	released
 * @folio: a page that had been claimed for it, used by nobody any more
 *
 * If another policy is in force since, the promise may now lie where that does not
 * allow it; a page that is where it should be is better when one is claimed.
 *
 * Context: may sleep.
 */
void reserve_restore(struct reserve *reserve, unsigned long index,
		     struct folio *folio)
{
	down_write(&reserve->lock);
	pool_put_back(reserve->quota->pool, folio, false,
		      reserve_was_of(reserve, index));
	up_write(&reserve->lock);
}

/**
 * reserve_replace() - Promise another page for an index whose page goes to
 *	somebody else.
 * @reserve: the reserve
 * @index: as for reserve_restore()
 *
 * Context: may sleep.
 * Return: 0, or -ENOSPC where every free page is promised that may be used for it.
 */
int reserve_replace(struct reserve *reserve, unsigned long index)
{
	struct promise *promise;
	struct wish wish;
	int err;

	down_write(&reserve->lock);
	promise = reserve_was_of(reserve, index);
	wish_within(&wish, promise->scope);
	err = quota_reserve_spare(reserve->user, &wish, promise);
	up_write(&reserve->lock);
	return err;
}
