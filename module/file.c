// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be done with an open file but mapping it and writing to it: reading,
 * seeking, allocating, punching holes.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "autoclean.h"
#include "compat.h"
#include "file.h"
#include "fill.h"
#include "huge_page.h"
#include "inject.h"
#include "inode.h"
#include "mmap.h"
#include "poison.h"
#include "truncate.h"
#include "write.h"

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

/*
 * Copy @bytes at @pos, all in one huge page; how many could be copied, or -EIO where there
 * is a memory error.
 */
static ssize_t file_read_page(struct inode *inode, loff_t pos, size_t bytes,
			      struct iov_iter *to)
{
	struct folio *folio = file_get_page(inode, huge_index(pos));
	ssize_t copied = -EIO;
	size_t sound;

	if (inject(INJECT_COPY))
		bytes /= 2;
	if (!folio)
		return iov_iter_zero(bytes, to);
	sound = poison_before(folio, pos & ~HUGE_MASK, bytes);
	if (sound || !bytes)
		copied = compat_copy_to_iter(folio, pos & ~HUGE_MASK, sound,
					     to);
	folio_put(folio);
	return copied;
}

static ssize_t file_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t copied, done = 0;
	size_t bytes;
	loff_t left;

	if (iocb->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	while (iov_iter_count(to)) {
		left = i_size_read(inode) - iocb->ki_pos;
		if (left <= 0)
			break;
		bytes = HUGE_SIZE - (iocb->ki_pos & ~HUGE_MASK);
		bytes = min3(bytes, iov_iter_count(to), (size_t)left);
		copied = file_read_page(inode, iocb->ki_pos, bytes, to);
		if (copied < 0)
			return done ? done : copied;
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

/*
 * First byte from @pos on that is in a page, or in none where @hole; @end where there
 * is none. What mmap() or a fault changes meanwhile may or may not be seen.
 */
static loff_t file_seek_page(struct inode *inode, loff_t pos, loff_t end,
			     bool hole)
{
	struct xarray *pages = &huge_inode(inode)->cache.pages;
	unsigned long index = huge_index(pos), found;
	struct folio *folio;

	if (!hole) {
		found = index;
		if (!xa_find(pages, &found, huge_index(end - 1), XA_PRESENT))
			return end;
		return max(pos, huge_pos(found));
	}
	xa_for_each_range(pages, found, folio, index, huge_index(end - 1)) {
		if (found != index)
			break;
		index++;
		cond_resched();
	}
	return min(max(pos, huge_pos(index)), end);
}

static loff_t file_llseek(struct file *file, loff_t pos, int whence)
{
	struct inode *inode = file_inode(file);
	loff_t end;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek(file, pos, whence);
	filemap_invalidate_lock_shared(inode->i_mapping);
	end = i_size_read(inode);
	if (pos < 0 || pos >= end) {
		pos = -ENXIO;
	} else {
		pos = file_seek_page(inode, pos, end, whence == SEEK_HOLE);
		if (whence == SEEK_DATA && pos == end)
			pos = -ENXIO;
		else
			pos = vfs_setpos(file, pos, inode->i_sb->s_maxbytes);
	}
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return pos;
}

/* A page of zeroes where there is none; where there is one [from, to) of it. */
static int file_zero_page(struct inode *inode, loff_t from, loff_t to)
{
	struct cache *cache = &huge_inode(inode)->cache;
	struct folio *folio;
	int err = 0;

	filemap_invalidate_lock_shared(inode->i_mapping);
	if (cache_find(cache, huge_index(from))) {
		cache_zero(cache, from, to);
	} else {
		folio = cache_get(cache, huge_index(from));
		if (IS_ERR(folio))
			err = PTR_ERR(folio);
	}
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return err;
}

/*
 * Let [from, to) be zeroes; all of it was promised. What has a page keeps it; who writes
 * through a mapping at that time may find it cleared or not.
 */
static int file_zero(struct inode *inode, loff_t from, loff_t to)
{
	loff_t next;
	int err;

	for (; from < to; from = next) {
		if (fatal_signal_pending(current) || inject(INJECT_SIGNAL))
			return -EINTR;
		next = min(huge_pos(huge_index(from) + 1), to);
		err = file_zero_page(inode, from, next);
		if (err)
			return err;
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

	/* Limits of files are limits of what they hold, too, as on tmpfs. */
	err = inode_newsize_ok(inode, to);
	if (err)
		return err;
	filemap_invalidate_lock(inode->i_mapping);
	err = file_policy_reserve(inode, first, end);
	filemap_invalidate_unlock(inode->i_mapping);
	if (err)
		return err;
	if (mode & FALLOC_FL_ZERO_RANGE)
		err = file_zero(inode, from, to);
	else
		err = fill_range(inode, first, end);
	if (err)
		return err;
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		truncate_extend(inode, to, to);
	return 0;
}

static long file_fallocate(struct file *file, int mode, loff_t from, loff_t len)
{
	struct inode *inode = file_inode(file);
	loff_t to = from + len;
	int err;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
		     FALLOC_FL_ZERO_RANGE))
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

static int file_open(struct inode *inode, struct file *file)
{
	int err = generic_file_open(inode, file);

	if (err)
		return err;
	/* There is no cache to go around, so that is no different. */
	file->f_mode |= FMODE_CAN_ODIRECT;
	return autoclean_open(inode);
}

static int file_release(struct inode *inode, struct file *file)
{
	autoclean_closed(inode);
	return 0;
}

const struct file_operations file_operations_huge = {
	.owner = THIS_MODULE,
	.open = file_open,
	.release = file_release,
	.llseek = file_llseek,
	.read_iter = file_read_iter,
	.write_iter = write_file,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
	.mmap = mmap_file,
	.get_unmapped_area = mmap_find_address,
	.fallocate = file_fallocate,
	.fsync = noop_fsync,
};
