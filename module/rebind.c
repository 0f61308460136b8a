// SPDX-License-Identifier: GPL-2.0-only
/*
 * Promises under several policies: those of a range move when it gets another policy,
 * and those of a range whose parts have different policies are made all or none.
 *
 * In both cases what is promised is collected in promises that nobody else knows, and
 * becomes the file's when nothing can fail any more.
 */
#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "rebind.h"
#include "surplus.h"

/* --- another policy ------------------------------------------------------ */

/**
 * struct rebind - a range of a reserve on its way to another policy
 * @reserve: the reserve
 * @from: first index, in huge pages
 * @to: index behind the last one
 * @promise: to which the range is to belong
 * @units: huge pages promised for it, and not consumed
 * @moves: some of them belong to another promise
 * @given: the units, by what they belong to, by sibling
 */
struct rebind {
	struct reserve *reserve;
	unsigned long from;
	unsigned long to;
	struct promise *promise;
	unsigned long units;
	bool moves;
	struct list_head given;
};

/* How many indices of the range belong to @promise and have no page. */
static unsigned long rebind_count(struct rebind *rebind,
				  struct promise *promise, reserve_held_fn held,
				  void *data)
{
	unsigned long at = rebind->from, units = 0;
	struct region_run run;

	while (region_run(&rebind->reserve->map, at, rebind->to, &run)) {
		if (run.of == promise)
			units += run.to - run.from - held(data, run.from, run.to);
		at = run.to;
		cond_resched();
	}
	return units;
}

/* Take the range's share out of a promise. */
static int rebind_collect(struct rebind *rebind, struct promise *promise,
			  reserve_held_fn held, void *data)
{
	struct pool *pool = rebind->reserve->quota->pool;
	unsigned long units;
	struct promise *given;

	units = rebind_count(rebind, promise, held, data);
	if (!units)
		return 0;
	given = promise_create(pool, promise->scope);
	if (!given)
		return -ENOMEM;
	pool_hand_over(pool, promise, given, units);
	list_add(&given->sibling, &rebind->given);
	rebind->units += units;
	rebind->moves |= promise != rebind->promise;
	return 0;
}

static int rebind_collect_all(struct rebind *rebind, reserve_held_fn held,
			      void *data)
{
	struct reserve *reserve = rebind->reserve;
	struct promise *promise;
	int err;

	err = rebind_collect(rebind, &reserve->promise, held, data);
	list_for_each_entry(promise, &reserve->others, sibling) {
		if (fatal_signal_pending(current))
			err = -EINTR;
		if (err)
			break;
		err = rebind_collect(rebind, promise, held, data);
	}
	return err;
}

/* What is left goes to where it was, or with everything to where it is to be. */
static void rebind_finish(struct rebind *rebind, bool back)
{
	struct reserve *reserve = rebind->reserve;
	struct pool *pool = reserve->quota->pool;
	struct promise *given, *next, *to;

	list_for_each_entry_safe(given, next, &rebind->given, sibling) {
		list_del(&given->sibling);
		to = back ? reserve_promise(reserve, given->scope) :
			    rebind->promise;
		pool_hand_over(pool, given, to, pool_promised(pool, given));
		promise_destroy(given);
	}
}

/* What lies where it may, though perhaps not where it should, may also stay. */
static int rebind_move(struct rebind *rebind, const struct wish *wish)
{
	int err;

	err = surplus_move(rebind->reserve->quota->pool, rebind->units, wish,
			   rebind->promise, &rebind->given);
	return rebind->moves ? err : 0;
}

/* Which node each index wants that is promised and has no page, in sum. */
static void rebind_spread(struct rebind *rebind, const struct wish *wish,
			  reserve_held_fn held, void *data)
{
	unsigned long at = rebind->from;
	struct region_run run;

	while (wish->spread &&
	       region_run(&rebind->reserve->map, at, rebind->to, &run)) {
		at = run.to;
		if (!held(data, run.from, run.to)) {
			wish_spread_range(wish, run.from, run.to);
			continue;
		}
		for (; run.from < run.to; run.from++) {
			if (!held(data, run.from, run.from + 1))
				wish_spread_range(wish, run.from, run.from + 1);
			cond_resched();
		}
	}
}

static int rebind_locked(struct rebind *rebind, const struct wish *wish,
			 reserve_held_fn held, void *data)
{
	struct region_change change;
	int err;

	err = region_prepare(&change, &rebind->reserve->map, rebind->from,
			     rebind->to, rebind->promise);
	if (err)
		return err;
	err = rebind_collect_all(rebind, held, data);
	if (!err) {
		rebind_spread(rebind, wish, held, data);
		err = rebind_move(rebind, wish);
	}
	rebind_finish(rebind, err);
	if (err)
		region_abort(&change);
	else
		region_assign(&change);
	return err;
}

/**
 * rebind_range() - Let what is promised for a range lie where another policy wants it.
 * @reserve: the file's or mapping's reserve
 * @from: first index, in huge pages
 * @to: index behind the last one, greater than @from
 * @wish: where the pages should lie
 * @held: says how many pages there are in a part of the range
 * @data: for @held
 *
 * Pages that are there stay where they are.
 *
 * Context: invalidate_lock is held exclusively; may sleep.
 * Return: 0, or with nothing changed -ENOSPC where there are too few pages, -ENOMEM where
 * memory is short, -EINTR where a fatal signal ended the wait.
 */
int rebind_range(struct reserve *reserve, unsigned long from, unsigned long to,
		 struct wish *wish, reserve_held_fn held, void *data)
{
	struct rebind rebind = { .reserve = reserve, .from = from, .to = to };
	struct pool *pool = reserve->quota->pool;
	struct scope *scope;
	int err;

	scope = wish_begin(wish, pool);
	if (!scope)
		return -ENOMEM;
	INIT_LIST_HEAD(&rebind.given);
	err = down_write_killable(&reserve->lock);
	if (err)
		goto end;
	rebind.promise = reserve_promise(reserve, scope);
	err = rebind.promise ? rebind_locked(&rebind, wish, held, data) :
			       -ENOMEM;
	up_write(&reserve->lock);
end:
	wish_end(wish, pool, scope);
	return err;
}

/* --- several policies ---------------------------------------------------- */

/*
 * Two who take one part after the other would refuse each other what neither has in the
 * end. Taken outside of reserves' locks.
 */
static DEFINE_MUTEX(pieces_mutex);

/**
 * struct piece - a part of a range that has one policy
 * @link: among the range's pieces
 * @from: first index, in huge pages
 * @to: index behind the last one
 * @wish: where its pages should lie
 * @scope: where they may
 * @change: its addition to the map, between the two steps
 * @units: what it was promised
 */
struct piece {
	struct list_head link;
	unsigned long from;
	unsigned long to;
	struct wish wish;
	struct scope *scope;
	struct region_change change;
	struct promise *units;
};

/**
 * pieces_add() - Add a piece to a range.
 * @pieces: the range's pieces
 * @from: first index, in huge pages
 * @to: index behind the last one
 * @wish: where its pages should lie
 *
 * Return: 0, or -ENOMEM.
 */
int pieces_add(struct list_head *pieces, unsigned long from, unsigned long to,
	       const struct wish *wish)
{
	struct piece *piece = kzalloc(sizeof(*piece), GFP_KERNEL_ACCOUNT);

	if (!piece)
		return -ENOMEM;
	piece->from = from;
	piece->to = to;
	piece->wish = *wish;
	list_add_tail(&piece->link, pieces);
	return 0;
}

/* Promise the piece's pages, but not yet to the reserve. */
static int piece_reserve(struct reserve *reserve, struct piece *piece)
{
	struct pool *pool = reserve->quota->pool;
	struct promise *promise;
	long missing;

	piece->scope = wish_begin(&piece->wish, pool);
	if (!piece->scope)
		return -ENOMEM;
	piece->units = promise_create(pool, piece->scope);
	promise = reserve_promise(reserve, piece->scope);
	if (!piece->units || !promise)
		return -ENOMEM;
	missing = region_chg(&reserve->map, piece->from, piece->to, promise,
			     &piece->change);
	if (missing < 0)
		return missing;
	if (piece->wish.spread)
		reserve_spread(reserve, piece->from, piece->to, &piece->wish);
	return quota_reserve(reserve->user, missing, &piece->wish,
			     piece->units);
}

static void piece_finish(struct reserve *reserve, struct piece *piece)
{
	struct pool *pool = reserve->quota->pool;

	pool_hand_over(pool, piece->units, piece->change.of,
		       pool_promised(pool, piece->units));
	region_add(&piece->change);
}

/**
 * pieces_reserve() - Promise a page for each index of a range in pieces.
 * @reserve: the file's reserve
 * @pieces: the pieces; to be freed afterwards in any case
 *
 * Context: as for reserve_range().
 * Return: what reserve_range() returns.
 */
int pieces_reserve(struct reserve *reserve, struct list_head *pieces)
{
	struct piece *piece;
	int err = 0;

	if (mutex_lock_killable(&pieces_mutex))
		return -EINTR;
	down_write(&reserve->lock);
	list_for_each_entry(piece, pieces, link) {
		err = fatal_signal_pending(current) ? -EINTR :
						      piece_reserve(reserve, piece);
		if (err)
			break;
		cond_resched();
	}
	list_for_each_entry(piece, pieces, link) {
		if (err)
			break;
		piece_finish(reserve, piece);
		cond_resched();
	}
	/* What the map has in store goes back with its lock held. */
	if (err)
		pieces_free(reserve, pieces);
	up_write(&reserve->lock);
	mutex_unlock(&pieces_mutex);
	return err;
}

static void piece_free(struct reserve *reserve, struct piece *piece)
{
	struct pool *pool = reserve->quota->pool;
	unsigned long units;

	region_abort(&piece->change);
	if (piece->units) {
		units = pool_promised(pool, piece->units);
		if (units)
			quota_unreserve(reserve->user, units, piece->units);
		promise_destroy(piece->units);
	}
	wish_end(&piece->wish, pool, piece->scope);
	kfree(piece);
}

/**
 * pieces_free() - Free pieces, and undo what was not finished.
 * @reserve: the file's reserve; its lock is held for writing if a piece was begun and
 *	not finished
 * @pieces: the pieces
 *
 * Context: may sleep.
 */
void pieces_free(struct reserve *reserve, struct list_head *pieces)
{
	struct piece *piece, *next;

	list_for_each_entry_safe(piece, next, pieces, link) {
		list_del(&piece->link);
		piece_free(reserve, piece);
		cond_resched();
	}
}
