// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filling holes of a file with pages of zeroes, many at a time: to zero one takes
 * most of what it costs, and several processors can do that side by side. Everything
 * else is done by who asks for it, since whose pages they are, and where they should
 * lie, is his.
 */
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "crew.h"
#include "fill.h"
#include "huge_page.h"
#include "inject.h"
#include "inode.h"

/*
 * Indices whose mutexes are held at a time. Others wait for them, as the mutexes serve
 * all files: as many as keep the processors busy.
 */
#define FILL_MOST	(CREW_MOST + 1)

/**
 * struct fill - holes that are being filled
 * @crew: zeroes the pages
 * @cache: the file's cache
 * @nr: how many holes
 * @claim: a page for each
 * @mutex: that of its index
 */
struct fill {
	struct crew crew;
	struct cache *cache;
	unsigned int nr;
	struct claim claim[FILL_MOST];
	struct mutex *mutex[FILL_MOST];
};

/* Claim a page for an index if it is a hole; false where to stop, and in @err why. */
static bool fill_claim_index(struct fill *fill, unsigned long index, int *err)
{
	struct cache *cache = fill->cache;
	struct mutex *mutex;

	if (fatal_signal_pending(current) || inject(INJECT_SIGNAL)) {
		*err = -EINTR;
		return false;
	}
	if (cache_find(cache, index))
		return true;
	mutex = fill->nr ? cache_trylock_index(cache, index) :
			   cache_lock_index(cache, index);
	if (!mutex)
		return false;
	if (!cache_find(cache, index)) {
		*err = cache_claim(cache, index, true,
				   &fill->claim[fill->nr]);
		if (!*err) {
			fill->mutex[fill->nr++] = mutex;
			return true;
		}
	}
	cache_unlock_index(mutex);
	return !*err;
}

/* Claim a page for the first holes of a range; where to go on, and in @err why there. */
static unsigned long fill_claim(struct fill *fill, unsigned long from,
				unsigned long to, int *err)
{
	unsigned long index;

	fill->nr = 0;
	for (index = from; index < to && fill->nr < FILL_MOST; index++) {
		if (!fill_claim_index(fill, index, err))
			break;
		cond_resched();
	}
	return index;
}

static bool fill_zero(struct crew *crew, unsigned long nth)
{
	struct fill *fill = container_of(crew, struct fill, crew);
	struct claim *claim = &fill->claim[nth];

	if (!claim->zeroed)
		huge_page_zero(claim->folio);
	claim->zeroed = true;
	return true;
}

static void fill_zero_all(struct fill *fill)
{
	unsigned int i, dirty = 0;

	for (i = 0; i < fill->nr; i++)
		dirty += !fill->claim[i].zeroed;
	/* On the node of the first: those of others are likely on the same. */
	if (dirty)
		crew_run(&fill->crew, folio_nid(fill->claim[0].folio),
			 fill->nr, dirty, fill_zero);
}

/* What was claimed before an error is the file's nevertheless. */
static int fill_enter(struct fill *fill)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < fill->nr; i++) {
		err = cache_enter(fill->cache, &fill->claim[i]) ?: err;
		cache_unlock_index(fill->mutex[i]);
	}
	return err;
}

static int fill_some(struct fill *fill, unsigned long *from, unsigned long to)
{
	struct address_space *mapping = fill->cache->mapping;
	int err = 0, enter_err;

	filemap_invalidate_lock_shared(mapping);
	*from = fill_claim(fill, *from, to, &err);
	fill_zero_all(fill);
	enter_err = fill_enter(fill);
	filemap_invalidate_unlock_shared(mapping);
	return enter_err ?: err;
}

/**
 * fill_range() - Put a page of zeroes wherever a range has none.
 * @inode: a regular file's inode
 * @from: first index, in huge pages
 * @to: index behind the last one
 *
 * Context: may sleep; no lock of the file but i_rwsem is held.
 * Return: 0, or -ENOSPC, -ENOMEM or -EINTR, where what came before is filled.
 */
int fill_range(struct inode *inode, unsigned long from, unsigned long to)
{
	struct fill *fill = kmalloc(sizeof(*fill), GFP_KERNEL);
	int err = 0;

	if (!fill)
		return -ENOMEM;
	fill->cache = &huge_inode(inode)->cache;
	while (from < to && !err) {
		err = fill_some(fill, &from, to);
		cond_resched();
	}
	kfree(fill);
	return err;
}
