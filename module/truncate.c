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

/* Free what an already forgotten range holds, @forgotten indices of it. */
static void truncate_free(struct inode *inode, unsigned long from,
			  unsigned long to, unsigned long forgotten)
{
	struct huge_inode *huge = huge_inode(inode);
	unsigned long removed;

	removed = cache_remove(&huge->cache, from, to);
	reserve_release(huge->reserve, forgotten - removed);
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
	long forgotten;

	filemap_invalidate_lock(mapping);
	if (size > i_size_read(inode)) {
		truncate_grow(inode, size, size);
		goto unlock;
	}
	forgotten = reserve_forget(huge->reserve, first, REGION_END);
	i_size_write(inode, size);
	unmap_mapping_range(mapping, huge_pos(first), 0, 1);
	truncate_free(inode, first, REGION_END, forgotten);
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

	cache_zero(cache, from, min(head_end, to));
	if (tail_start >= head_end)
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
	struct address_space *mapping = inode->i_mapping;
	unsigned long first = huge_count(from), end = huge_index(to);
	long forgotten = 0;

	filemap_invalidate_lock(mapping);
	if (first < end) {
		forgotten = reserve_forget(huge_inode(inode)->reserve, first,
					   end);
		if (forgotten < 0)
			goto unlock;
		unmap_mapping_range(mapping, huge_pos(first),
				    huge_pos(end - first), 0);
		truncate_free(inode, first, end, forgotten);
	}
	truncate_zero_edges(inode, from, to);
unlock:
	filemap_invalidate_unlock(mapping);
	return min(forgotten, 0L);
}

/**
 * truncate_all() - Take everything from a file that nobody can reach any more.
 * @inode: a regular file's inode, being evicted
 *
 * Context: may sleep.
 */
void truncate_all(struct inode *inode)
{
	long forgotten;

	filemap_invalidate_lock(inode->i_mapping);
	forgotten = reserve_forget(huge_inode(inode)->reserve, 0, REGION_END);
	truncate_free(inode, 0, REGION_END, forgotten);
	filemap_invalidate_unlock(inode->i_mapping);
}
