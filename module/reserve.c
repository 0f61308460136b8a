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
#include "reserve.h"
#include "stats.h"
#include "surplus.h"
#include "trace.h"

/**
 * reserve_create() - Make an empty reserve.
 * @quota: the mount's share, out of which its pages are to come
 * @inode: the file
 * @private: it is for a private mapping of the file
 *
 * Context: may sleep.
 * Return: the reserve, or NULL where memory is short.
 */
struct reserve *reserve_create(struct quota *quota, const struct inode *inode,
			       bool private)
{
	int nr_nodes = quota->pool->nr_nodes;
	struct reserve *reserve;

	reserve = kzalloc(struct_size(reserve, promise.on_node, nr_nodes),
			  GFP_KERNEL_ACCOUNT);
	if (!reserve)
		return NULL;
	init_rwsem(&reserve->lock);
	resv_map_init(&reserve->map);
	reserve->quota = quota;
	reserve->inode = inode;
	reserve->private = private;
	reserve->promise.nr_nodes = nr_nodes;
	return reserve;
}

/**
 * reserve_destroy() - Free a reserve.
 * @reserve: one from which everything was forgotten and released, or NULL
 */
void reserve_destroy(struct reserve *reserve)
{
	kfree(reserve);
}

/**
 * reserve_range() - Promise a page for each index of a range.
 * @reserve: the file's reserve
 * @from: first index, in huge pages
 * @to: index behind the last one, greater than @from
 *
 * Indices that were promised before are not promised again.
 *
 * Context: may sleep. Nobody claims in the file meanwhile.
 * Return: 0, or with nothing changed -ENOSPC where the pool has too few pages or the
 * mount may not use so many,
 * -ENOMEM where memory is short, -EINTR where a fatal signal ended the wait.
 */
int reserve_range(struct reserve *reserve, unsigned long from, unsigned long to)
{
	struct region_change change;
	long missing;
	int err;

	if (inject(INJECT_SIGNAL) || down_write_killable(&reserve->lock))
		return -EINTR;
	missing = region_chg(&reserve->map, from, to, &change);
	if (missing < 0) {
		err = missing;
		goto unlock;
	}
	err = quota_reserve(reserve->quota, missing, numa_mem_id(),
			    &reserve->promise);
	if (err)
		region_abort(&change);
	else
		region_add(&change);
	trace_reserve(reserve, from, to, missing, err);
unlock:
	up_write(&reserve->lock);
	return err;
}

/**
 * reserve_forget() - Take a range out of the map.
 * @reserve: the file's reserve
 * @from: first index, in huge pages
 * @to: index behind the last one, REGION_END for all that follow
 *
 * What was promised for the range stays promised until reserve_release() is
 * told how much of it is not needed for pages.
 *
 * Context: may sleep. Nobody claims in the range until it has been released.
 * Return: number of indices that were in the map, or -ENOMEM with nothing
 * changed. A range up to REGION_END does not fail.
 */
long reserve_forget(struct reserve *reserve, unsigned long from,
		    unsigned long to)
{
	long forgotten;

	down_write(&reserve->lock);
	forgotten = region_del(&reserve->map, from, to);
	up_write(&reserve->lock);
	return forgotten;
}

/**
 * reserve_release() - End promises that no index stands for any more.
 * @reserve: the file's reserve
 * @pages: huge pages: the indices that were forgotten less the pages that the
 *	file held there
 *
 * Context: may sleep.
 */
void reserve_release(struct reserve *reserve, unsigned long pages)
{
	unsigned long released;

	/*
	 * Of a private mapping other indices are claimed and restored meanwhile: units
	 * that come and go on two nodes could be missed on both.
	 */
	down_write(&reserve->lock);
	released = quota_unreserve(reserve->quota, pages, &reserve->promise);
	up_write(&reserve->lock);
	trace_unreserve(reserve, released);
	WARN_ONCE(released != pages,
		  "rhugefs: %lu promises to end, %lu were there\n",
		  pages, released);
}

/*
 * Take the page that was promised for an index, NULL if none was. With the
 * lock held nothing is added to the promise between the look at one node's
 * share and at the next, and so a unit for this index is found wherever it
 * lies: the others that are there are enough for the others who claim.
 */
static struct folio *reserve_take_promised(struct reserve *reserve,
					   unsigned long index, int nid,
					   bool *zeroed)
{
	struct folio *folio = NULL;

	down_read(&reserve->lock);
	if (region_count(&reserve->map, index, index + 1)) {
		folio = pool_take_promised(reserve->quota->pool, nid,
					   &reserve->promise, zeroed);
		WARN_ONCE(!folio, "rhugefs: index %lu is promised, no page is\n",
			  index);
	}
	up_read(&reserve->lock);
	return folio;
}

/*
 * Take the page that was promised, if @promised, and else or where there is none
 * one that was promised to nobody.
 */
static int reserve_take(struct claim *claim, bool promised, bool want_zeroed)
{
	struct reserve *reserve = claim->reserve;
	int nid = numa_mem_id();

	claim->zeroed = want_zeroed;
	claim->folio = promised ? reserve_take_promised(reserve, claim->index,
							nid, &claim->zeroed) :
				  NULL;
	claim->promised = claim->folio;
	/* It may have come from another node than that of the promise. */
	surplus_trim(reserve->quota->pool);
	if (!claim->folio)
		claim->folio = quota_take(reserve->quota, nid, &claim->zeroed);
	trace_claim(claim);
	if (!claim->folio)
		return -ENOSPC;
	stats_count(STAT_CLAIMS);
	if (want_zeroed && claim->zeroed)
		stats_count(STAT_ZEROINGS_AVOIDED);
	return 0;
}

/**
 * reserve_claim() - Take a page for an index that has none.
 * @reserve: the file's reserve
 * @index: the index, in huge pages; the caller holds its mutex
 * @want_zeroed: a page that is zeroed already is worth more to the caller than
 *	one that is not
 * @claim: filled in on success
 *
 * Context: may sleep. The range is not forgotten meanwhile.
 * Return: 0, or -ENOSPC where the index was not promised and there is no page
 * that was not promised to others.
 */
int reserve_claim(struct reserve *reserve, unsigned long index,
		  bool want_zeroed, struct claim *claim)
{
	*claim = (struct claim){ .reserve = reserve, .index = index };
	return reserve_take(claim, true, want_zeroed);
}

/**
 * reserve_claim_beyond() - Take a page for which nothing was promised.
 * @reserve: the file's reserve, of which only the mount's share counts
 * @index: what it is taken for, in huge pages; does not go into the map
 * @want_zeroed: as for reserve_claim()
 * @claim: filled in on success
 *
 * Context: may sleep.
 * Return: 0, or -ENOSPC where there is no page that was not promised to others.
 */
int reserve_claim_beyond(struct reserve *reserve, unsigned long index,
			 bool want_zeroed, struct claim *claim)
{
	*claim = (struct claim){
		.reserve = reserve,
		.index = index,
		.beyond = true,
	};
	return reserve_take(claim, false, want_zeroed);
}

/* Put a claimed index that was not promised into the map. */
static int reserve_enter(struct reserve *reserve, unsigned long index)
{
	struct region_change change;
	long missing;

	down_write(&reserve->lock);
	missing = region_chg(&reserve->map, index, index + 1, &change);
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

	if (!claim->promised && !claim->beyond)
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
	if (claim->promised)
		pool_put_back(reserve->quota->pool, claim->folio,
			      claim->zeroed, &reserve->promise);
	else
		quota_put_back(reserve->quota, claim->folio, claim->zeroed);
	up_write(&reserve->lock);
	claim->folio = NULL;
}

/**
 * reserve_restore() - Give a page back and promise one again for its index.
 * @reserve: a reserve in whose map the index is
 * @folio: a page that had been claimed for it, used by nobody any more
 *
 * Context: may sleep.
 */
void reserve_restore(struct reserve *reserve, struct folio *folio)
{
	down_write(&reserve->lock);
	pool_put_back(reserve->quota->pool, folio, false, &reserve->promise);
	up_write(&reserve->lock);
}

/**
 * reserve_replace() - Promise another page for an index whose page goes to
 *	somebody else.
 * @reserve: a reserve in whose map the index is
 *
 * Context: may sleep.
 * Return: 0, or -ENOSPC where every free page is promised.
 */
int reserve_replace(struct reserve *reserve)
{
	int err;

	down_write(&reserve->lock);
	err = quota_reserve_spare(reserve->quota, numa_mem_id(),
				  &reserve->promise);
	up_write(&reserve->lock);
	return err;
}
