// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be done with an open file but mapping it: reading, allocating,
 * punching holes.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "compat.h"
#include "file.h"
#include "huge_page.h"
#include "inject.h"
#include "inode.h"
#include "mmap.h"
#include "truncate.h"

/*
 * The page at @index with a reference, or NULL for a hole. Copying to user
 * space may fault on this very file, so no lock is held over it; the reference
 * keeps the page from being handed out meanwhile.
 */
static struct folio *file_get_page(struct inode *inode, unsigned long index)
{
	struct folio *folio;

	filemap_invalidate_lock_shared(inode->i_mapping);
	folio = cache_find(&huge_inode(inode)->cache, index);
	if (folio)
		folio_get(folio);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return folio;
}

/* Copy @bytes at @pos, all in one huge page; how many could be copied. */
static size_t file_read_page(struct inode *inode, loff_t pos, size_t bytes,
			     struct iov_iter *to)
{
	struct folio *folio = file_get_page(inode, huge_index(pos));
	size_t copied;

	if (inject(INJECT_COPY))
		bytes /= 2;
	if (!folio)
		return iov_iter_zero(bytes, to);
	copied = copy_page_to_iter(folio_page(folio, 0), pos & ~HUGE_MASK,
				   bytes, to);
	folio_put(folio);
	return copied;
}

static ssize_t file_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	size_t bytes, copied;
	ssize_t done = 0;
	loff_t left;

	while (iov_iter_count(to)) {
		left = i_size_read(inode) - iocb->ki_pos;
		if (left <= 0)
			break;
		bytes = HUGE_SIZE - (iocb->ki_pos & ~HUGE_MASK);
		bytes = min3(bytes, iov_iter_count(to), (size_t)left);
		copied = file_read_page(inode, iocb->ki_pos, bytes, to);
		iocb->ki_pos += copied;
		done += copied;
		if (copied < bytes)
			return done ? done : -EFAULT;
		if (fatal_signal_pending(current))
			return done;
		cond_resched();
	}
	file_accessed(iocb->ki_filp);
	return done;
}

/* Put a page wherever [from, to) has none; all of it was promised. */
static int file_fill(struct inode *inode, unsigned long from, unsigned long to)
{
	struct cache *cache = &huge_inode(inode)->cache;
	struct folio *folio;
	unsigned long index;

	for (index = from; index < to; index++) {
		if (fatal_signal_pending(current) || inject(INJECT_SIGNAL))
			return -EINTR;
		filemap_invalidate_lock_shared(inode->i_mapping);
		folio = cache_get(cache, index);
		filemap_invalidate_unlock_shared(inode->i_mapping);
		if (IS_ERR(folio))
			return PTR_ERR(folio);
		cond_resched();
	}
	return 0;
}

/*
 * All of the range is promised before the first page is taken: where the pool
 * has too few, nothing is. What a fatal signal or a shortage of other memory
 * leaves behind is promised to the file, as what is allocated before such an
 * end stays allocated on other file systems.
 */
static int file_allocate(struct inode *inode, int mode, loff_t from, loff_t to)
{
	unsigned long first = huge_index(from), end = huge_count(to);
	int err;

	if (!(mode & FALLOC_FL_KEEP_SIZE)) {
		err = inode_newsize_ok(inode, to);
		if (err)
			return err;
	}
	filemap_invalidate_lock(inode->i_mapping);
	err = reserve_range(huge_inode(inode)->reserve, first, end);
	filemap_invalidate_unlock(inode->i_mapping);
	if (err)
		return err;
	err = file_fill(inode, first, end);
	if (err)
		return err;
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		truncate_extend(inode, to);
	return 0;
}

static long file_fallocate(struct file *file, int mode, loff_t from, loff_t len)
{
	struct inode *inode = file_inode(file);
	loff_t to = from + len;
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;

	inode_lock(inode);
	err = file_modified(file);
	if (err)
		goto unlock;
	if (mode & FALLOC_FL_PUNCH_HOLE)
		err = truncate_punch(inode, from, to);
	else
		err = file_allocate(inode, mode, from, to);
unlock:
	inode_unlock(inode);
	return err;
}

const struct file_operations file_operations_huge = {
	.owner = THIS_MODULE,
	.llseek = generic_file_llseek,
	.read_iter = file_read_iter,
	.mmap = mmap_file,
	.get_unmapped_area = mmap_find_address,
	.fallocate = file_fallocate,
	.fsync = noop_fsync,
};
