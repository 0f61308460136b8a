// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page cache of a file: which huge page holds which index.
 *
 * The pages are kept in an xarray of the module's own and not in the mapping's
 * i_pages, where the kernel would take them for page cache that it may write
 * back, reclaim, split or count as such.
 */
#include <linux/hash.h>
#include <linux/pagemap.h>

#include "cache.h"
#include "huge_page.h"
#include "inode.h"

/*
 * Two faults on one index must not both fill it, and a lock for each index
 * would be many. Two indices that share a mutex only wait for each other.
 * Taken inside of invalidate_lock. Who has one only tries to get further ones.
 */
#define INDEX_MUTEX_BITS	8

static struct mutex index_mutex[BIT(INDEX_MUTEX_BITS)];

/**
 * cache_locks_init() - Make the index mutexes ready, once for all files.
 */
void cache_locks_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(index_mutex); i++)
		mutex_init(&index_mutex[i]);
}

/**
 * cache_init() - Make an empty cache.
 * @cache: memory for it
 * @mapping: the inode's mapping
 * @reserve: the inode's reserve
 */
void cache_init(struct cache *cache, struct address_space *mapping,
		struct reserve *reserve)
{
	cache->mapping = mapping;
	cache->reserve = reserve;
	xa_init_flags(&cache->pages, XA_FLAGS_ACCOUNT);
	atomic_long_set(&cache->nr_pages, 0);
	mutex_init(&cache->privates_lock);
	xa_init_flags(&cache->privates, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
}

static struct mutex *cache_index_mutex(struct cache *cache, unsigned long index)
{
	unsigned long key = (unsigned long)cache / L1_CACHE_BYTES + index;

	return &index_mutex[hash_long(key, INDEX_MUTEX_BITS)];
}

/**
 * cache_lock_index() - Keep everybody else from filling an index, and from
 *	copying, sharing or dropping a private page of it.
 * @cache: the file's cache
 * @index: the index, in huge pages
 *
 * Context: invalidate_lock is held shared; may sleep. No other index is locked.
 * Return: what cache_unlock_index() wants.
 */
struct mutex *cache_lock_index(struct cache *cache, unsigned long index)
{
	struct mutex *mutex = cache_index_mutex(cache, index);

	mutex_lock(mutex);
	return mutex;
}

/**
 * cache_trylock_index() - The same for who has locked another one already.
 * @cache: the file's cache
 * @index: the index, in huge pages
 *
 * Return: what cache_unlock_index() wants, or NULL where somebody, who may be the
 * caller, holds a mutex that serves this index, too.
 */
struct mutex *cache_trylock_index(struct cache *cache, unsigned long index)
{
	struct mutex *mutex = cache_index_mutex(cache, index);

	return mutex_trylock(mutex) ? mutex : NULL;
}

/**
 * cache_unlock_index() - Undo it.
 * @mutex: what cache_lock_index() returned
 */
void cache_unlock_index(struct mutex *mutex)
{
	mutex_unlock(mutex);
}

/**
 * cache_find() - Look a page up.
 * @cache: the file's cache
 * @index: the index, in huge pages
 *
 * Context: invalidate_lock is held, at least shared; who wants to keep the
 * page beyond it takes a reference.
 * Return: the page, or NULL.
 */
struct folio *cache_find(struct cache *cache, unsigned long index)
{
	return xa_load(&cache->pages, index);
}

/* The entry was set aside by xa_reserve(), so that storing cannot fail. */
static void cache_insert(struct cache *cache, struct claim *claim)
{
	huge_page_attach(claim->folio, cache->mapping,
			 claim->index << HUGE_ORDER);
	WARN_ON_ONCE(xa_is_err(xa_store(&cache->pages, claim->index,
					claim->folio, 0)));
	atomic_long_inc(&cache->nr_pages);
	/* Private mappings may show the page of zeroes in its place. */
	if (!xa_empty(&cache->privates))
		unmap_mapping_range(cache->mapping, huge_pos(claim->index),
				    HUGE_SIZE, 1);
}

/**
 * cache_claim() - Take a page for an index that has none.
 * @cache: the file's cache
 * @index: the index, in huge pages; its mutex is held
 * @want_zeroed: a page that is zeroed already is worth more to the caller than
 *	one that is not
 * @claim: filled in on success; for cache_enter() or cache_cancel()
 *
 * Context: as for cache_find(). May sleep.
 * Return: 0, or with nothing changed -ENOSPC where there is no huge page to be had,
 * -ENOMEM where memory is short otherwise.
 */
int cache_claim(struct cache *cache, unsigned long index, bool want_zeroed,
		struct claim *claim)
{
	struct inode *inode = cache->mapping->host;
	struct wish wish;
	int err;

	err = xa_reserve(&cache->pages, index, GFP_KERNEL);
	if (err)
		return err;
	policy_wish(&wish, inode, file_policy_at(inode, index), index);
	err = reserve_claim(cache->reserve, index, &wish, want_zeroed, claim);
	if (err)
		xa_release(&cache->pages, index);
	return err;
}

/**
 * cache_cancel() - Undo cache_claim().
 * @cache: the file's cache
 * @claim: the claim, whose page was shown to nobody
 *
 * Context: as for cache_claim().
 */
void cache_cancel(struct cache *cache, struct claim *claim)
{
	reserve_cancel(claim);
	xa_release(&cache->pages, claim->index);
}

/**
 * cache_enter() - Put the page of a claim at its index.
 * @cache: the file's cache
 * @claim: the claim, whose page holds what it is to hold
 *
 * Context: as for cache_claim().
 * Return: 0, or -ENOMEM where memory is short, and the claim is cancelled.
 */
int cache_enter(struct cache *cache, struct claim *claim)
{
	int err = reserve_commit(claim);

	if (err)
		cache_cancel(cache, claim);
	else
		cache_insert(cache, claim);
	return err;
}

/* Put a page at an index that has none; its mutex is held. On an error nothing is changed. */
static struct folio *cache_add(struct cache *cache, unsigned long index,
			       bool want_zeroed, cache_fill_fn fill, void *data)
{
	struct claim claim;
	int err;

	err = cache_claim(cache, index, want_zeroed, &claim);
	if (err)
		return ERR_PTR(err);
	err = fill(&claim, data);
	if (err) {
		cache_cancel(cache, &claim);
		return ERR_PTR(err);
	}
	err = cache_enter(cache, &claim);
	return err ? ERR_PTR(err) : claim.folio;
}

/**
 * cache_get_filled() - Look a page up, or make one where there is none.
 * @cache: the file's cache
 * @index: the index, in huge pages
 * @want_zeroed: @fill gains by a page that is zeroed already
 * @fill: puts into a new page what it is to hold
 * @data: for @fill
 *
 * Context: as for cache_find(). May sleep.
 * Return: the page, or with nothing changed an ERR_PTR: -ENOSPC where there is
 * no huge page to be had, -ENOMEM where memory is short otherwise, what @fill says.
 */
struct folio *cache_get_filled(struct cache *cache, unsigned long index,
			       bool want_zeroed, cache_fill_fn fill, void *data)
{
	struct mutex *mutex = cache_lock_index(cache, index);
	struct folio *folio = cache_find(cache, index);

	if (!folio)
		folio = cache_add(cache, index, want_zeroed, fill, data);
	cache_unlock_index(mutex);
	return folio;
}

static int cache_fill_zeroes(struct claim *claim, void *data)
{
	if (!claim->zeroed)
		huge_page_zero(claim->folio);
	claim->zeroed = true;
	return 0;
}

/**
 * cache_get() - Look a page up, or put a page of zeroes where there is none.
 * @cache: the file's cache
 * @index: the index, in huge pages
 *
 * Context: as for cache_find(). May sleep.
 * Return: the page, or what cache_get_filled() returns.
 */
struct folio *cache_get(struct cache *cache, unsigned long index)
{
	return cache_get_filled(cache, index, true, cache_fill_zeroes, NULL);
}

/**
 * cache_remove() - Give a range's pages back to the pool.
 * @cache: the file's cache
 * @from: first index, in huge pages
 * @to: index behind the last one, REGION_END for all that follow
 *
 * Context: invalidate_lock is held exclusively, or nobody else knows the
 * inode any more; the range is mapped nowhere. May sleep.
 * Return: number of pages that were there.
 */
unsigned long cache_remove(struct cache *cache, unsigned long from,
			   unsigned long to)
{
	unsigned long index, removed = 0;
	struct folio *folio;

	if (from >= to)
		return 0;
	xa_for_each_range(&cache->pages, index, folio, from, to - 1) {
		xa_erase(&cache->pages, index);
		huge_page_detach(folio);
		quota_give(cache->reserve->user, folio);
		removed++;
		cond_resched();
	}
	atomic_long_sub(removed, &cache->nr_pages);
	return removed;
}

/**
 * cache_count() - Count a range's pages.
 * @cache: the file's cache
 * @from: first index, in huge pages
 * @to: index behind the last one, greater than @from
 *
 * Context: as for cache_find(). May reschedule.
 * Return: number of pages that are there.
 */
unsigned long cache_count(struct cache *cache, unsigned long from,
			  unsigned long to)
{
	unsigned long index, count = 0;
	struct folio *folio;

	xa_for_each_range(&cache->pages, index, folio, from, to - 1) {
		count++;
		cond_resched();
	}
	return count;
}

/**
 * cache_zero() - Clear a range of bytes within one huge page.
 * @cache: the file's cache
 * @from: first byte of the file
 * @to: byte behind the last one, in the same huge page or just behind it
 *
 * Where there is no page the range reads as zeroes already.
 *
 * Context: as for cache_find(). May sleep.
 */
void cache_zero(struct cache *cache, loff_t from, loff_t to)
{
	struct folio *folio = cache_find(cache, huge_index(from));

	if (folio && from < to)
		huge_page_zero_range(folio, from & ~HUGE_MASK,
				     (from & ~HUGE_MASK) + (to - from));
}
