// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking pages and promises away from a file: truncation, hole punching, the
 * end of the inode.
 *
 * The file's invalidate_lock is held exclusively, so that no fault looks on:
 * faults hold it shared from the look into the cache until the page is mapped.
 * First the map forgets the range, the only step that may fail; then the range
 * is unmapped everywhere, its pages go back to the pool, and the promises
 * behind those indices that held no page end.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "huge_page.h"
#include "inode.h"
#include "private.h"
#include "truncate.h"

/* Free what a forgotten part of a range holds. */
static void truncate_free(struct inode *inode, struct forgotten *forgotten)
{
	struct huge_inode *huge = huge_inode(inode);

	reserve_release(huge->reserve, forgotten,
			cache_remove(&huge->cache, forgotten->from,
				     forgotten->to));
}

/*
 * Forget a range, empty the page tables, which may show @cows of private mappings, and
 * free it. Where it was promised under several policies it is forgotten in parts, of
 * which only the first may fail.
 */
static int truncate_range(struct inode *inode, unsigned long from,
			  unsigned long to, bool cows)
{
	struct reserve *reserve = huge_inode(inode)->reserve;
	struct forgotten forgotten;
	int err;

	err = reserve_forget(reserve, from, to, &forgotten);
	if (err)
		return err;
	unmap_mapping_range(inode->i_mapping, huge_pos(from),
			    to == REGION_END ? 0 : huge_pos(to - from), cows);
	truncate_free(inode, &forgotten);
	while (forgotten.to < to) {
		WARN_ON_ONCE(reserve_forget(reserve, forgotten.to, to,
					    &forgotten));
		truncate_free(inode, &forgotten);
		cond_resched();
	}
	return 0;
}

/*
 * Make a file larger, whose contents are as they are to be from @data on. What a mapping
 * has stored behind the end, in its last page, is no contents. i_rwsem is held, so that
 * nobody has just written there and not said so yet; which mmap(), when it makes a file
 * larger, cannot know.
 */
static void truncate_grow(struct inode *inode, loff_t size, loff_t data)
{
	loff_t end = i_size_read(inode);
	loff_t page_end = huge_pos(huge_count(end));

	cache_zero(&huge_inode(inode)->cache, end, min(data, page_end));
	i_size_write(inode, size);
}

/**
 * truncate_size() - Set the size of a regular file.
 * @inode: the inode
 * @size: new size in bytes
 *
 * What lies in the last huge page behind a smaller size is cleared, so that
 * extending the file again shows zeroes.
 *
 * Context: i_rwsem is held exclusively. May sleep.
 */
void truncate_size(struct inode *inode, loff_t size)
{
	struct address_space *mapping = inode->i_mapping;
	struct huge_inode *huge = huge_inode(inode);
	unsigned long first = huge_count(size);

	filemap_invalidate_lock(mapping);
	if (size > i_size_read(inode)) {
		truncate_grow(inode, size, size);
		goto unlock;
	}
	i_size_write(inode, size);
	truncate_range(inode, first, REGION_END, true);
	private_truncate(&huge->cache, first);
	cache_zero(&huge->cache, size, huge_pos(first));
unlock:
	filemap_invalidate_unlock(mapping);
}

/**
 * truncate_extend() - Make a file at least so large.
 * @inode: a regular file's inode
 * @size: size in bytes
 * @data: first byte from which on the contents are as they are to be
 *
 * mmap() may have extended it further meanwhile, which must not be undone.
 *
 * Context: i_rwsem is held exclusively. May sleep.
 */
void truncate_extend(struct inode *inode, loff_t size, loff_t data)
{
	filemap_invalidate_lock(inode->i_mapping);
	if (size > i_size_read(inode))
		truncate_grow(inode, size, data);
	filemap_invalidate_unlock(inode->i_mapping);
}

/* Clear the bytes of a punched range that do not fill a huge page. */
static void truncate_zero_edges(struct inode *inode, loff_t from, loff_t to)
{
	struct cache *cache = &huge_inode(inode)->cache;
	loff_t head_end = huge_pos(huge_count(from));
	loff_t tail_start = huge_pos(huge_index(to));

	if (from < head_end)
		cache_zero(cache, from, min(head_end, to));
	if (tail_start >= head_end && tail_start < to)
		cache_zero(cache, tail_start, to);
}

/**
 * truncate_punch() - Make a range of bytes a hole.
 * @inode: a regular file's inode
 * @from: first byte
 * @to: byte behind the last one
 *
 * Whole huge pages go back to the pool, with what was promised for them; of
 * those that the range covers in part the part is cleared.
 *
 * Context: i_rwsem is held exclusively. May sleep.
 * Return: 0, or -ENOMEM with nothing changed.
 */
int truncate_punch(struct inode *inode, loff_t from, loff_t to)
{
	unsigned long first = huge_count(from), end = huge_index(to);
	int err = 0;

	filemap_invalidate_lock(inode->i_mapping);
	if (first < end)
		err = truncate_range(inode, first, end, false);
	if (!err)
		truncate_zero_edges(inode, from, to);
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}

/**
 * truncate_all() - Take everything from a file that nobody can reach any more.
 * @inode: a regular file's inode, being evicted
 *
 * Context: may sleep.
 */
void truncate_all(struct inode *inode)
{
	filemap_invalidate_lock(inode->i_mapping);
	truncate_range(inode, 0, REGION_END, true);
	filemap_invalidate_unlock(inode->i_mapping);
}
