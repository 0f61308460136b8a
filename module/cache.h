/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_CACHE_H
#define RHUGEFS_CACHE_H

#include <linux/mutex.h>
#include <linux/xarray.h>

#include "reserve.h"

/**
 * struct cache - the huge pages of one file
 * @mapping: the inode's mapping, which the pages point back to; constant
 * @reserve: what the file was promised; constant
 * @pages: page by index. Looked up under the mapping's invalidate_lock, at
 *	least shared, which keeps what was found from going away; an entry is
 *	added under the index mutex besides, removed under the exclusive lock
 * @nr_pages: number of pages in @pages, for stat(2)
 * @privates_lock: guards @privates
 * @privates: the file's private mappings, struct private by its id. Whether there
 *	is one is asked without the lock: who finds none under the index mutex has
 *	been faster than every private fault of that index
 */
struct cache {
	struct address_space *mapping;
	struct reserve *reserve;
	struct xarray pages;
	atomic_long_t nr_pages;
	struct mutex privates_lock;
	struct xarray privates;
};

/**
 * typedef cache_fill_fn - put into a new page what it is to hold
 * @claim: the page, which nobody else can see yet; its zeroed is to be kept true
 * @data: the caller's
 *
 * Nothing may be waited for that needs a lock of the file: the index mutex is held.
 *
 * Return: 0, or a negative errno where the page is not to be.
 */
typedef int (*cache_fill_fn)(struct claim *claim, void *data);

void cache_locks_init(void);
void cache_init(struct cache *cache, struct address_space *mapping,
		struct reserve *reserve);
struct mutex *cache_lock_index(struct cache *cache, unsigned long index);
struct mutex *cache_trylock_index(struct cache *cache, unsigned long index);
void cache_unlock_index(struct mutex *mutex);
int cache_claim(struct cache *cache, unsigned long index, bool want_zeroed,
		struct claim *claim);
void cache_cancel(struct cache *cache, struct claim *claim);
int cache_enter(struct cache *cache, struct claim *claim);
struct folio *cache_find(struct cache *cache, unsigned long index);
struct folio *cache_get(struct cache *cache, unsigned long index);
struct folio *cache_get_filled(struct cache *cache, unsigned long index,
			       bool want_zeroed, cache_fill_fn fill, void *data);
unsigned long cache_remove(struct cache *cache, unsigned long from,
			   unsigned long to);
unsigned long cache_count(struct cache *cache, unsigned long from,
			  unsigned long to);
void cache_zero(struct cache *cache, loff_t from, loff_t to);

#endif
