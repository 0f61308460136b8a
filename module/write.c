// SPDX-License-Identifier: GPL-2.0-only
/*
 * write(2): a huge page at a time.
 *
 * i_rwsem is held exclusively, so that no page of the file goes meanwhile: whoever
 * takes pages from a file holds it, too. It does not keep pages from coming, since
 * faults make them without it.
 *
 * Where there is a page it is copied into as it is, with no other lock held: the
 * program's memory may be a mapping of this very page. Where there is none the new page
 * is filled before anyone sees it, so that only what is not written of it need be zeroed.
 * The index mutex is held then, and a fault on the program's memory would want the same
 * or another: so that is touched before, and copied without faults.
 */
#include <linux/err.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "huge_page.h"
#include "inject.h"
#include "inode.h"
#include "poison.h"
#include "truncate.h"
#include "write.h"

/* Bytes copied without a fault, during which nothing else runs on the processor. */
#define WRITE_BATCH	SZ_64K

/* How often a new page is tried to be filled. */
#define WRITE_TRIES	3

/**
 * struct write_piece - a part of a write that lies in one huge page
 * @from: what is written, from the piece's first byte on; moves on with @copied
 * @index: the huge page
 * @offset: first byte in it
 * @bytes: how many of them
 * @copied: how many have been copied; @bytes where no memory was missing
 */
struct write_piece {
	struct iov_iter *from;
	unsigned long index;
	size_t offset;
	size_t bytes;
	size_t copied;
};

static void write_copy_without_faults(struct write_piece *piece,
				      struct folio *folio)
{
	size_t at, bytes, copied;

	while (piece->copied < piece->bytes) {
		at = piece->offset + piece->copied;
		bytes = min(piece->bytes - piece->copied,
			    WRITE_BATCH - at % WRITE_BATCH);
		if (inject(INJECT_COPY))
			bytes /= 2;
		copied = copy_page_from_iter_atomic(folio_page(folio,
							       at / PAGE_SIZE),
						    at % PAGE_SIZE, bytes,
						    piece->from);
		piece->copied += copied;
		if (copied < bytes || !bytes)
			break;
		cond_resched();
	}
}

/* What is not written of a new page is zero. */
static int write_fill(struct claim *claim, void *data)
{
	struct write_piece *piece = data;
	bool zeroed = claim->zeroed;
	size_t end;

	/* How much a copy that fails has written is not for sure. */
	claim->zeroed = false;
	write_copy_without_faults(piece, claim->folio);
	if (!piece->copied)
		return -EAGAIN;
	end = piece->offset + piece->copied;
	if (!zeroed)
		huge_page_zero_range(claim->folio, 0, piece->offset);
	if (!zeroed || end < piece->offset + piece->bytes)
		huge_page_zero_range(claim->folio, end, HUGE_SIZE);
	return 0;
}

/*
 * Make the piece's page with what is to be written. 0 where another one is there
 * already.
 */
static ssize_t write_new(struct inode *inode, struct write_piece *piece)
{
	struct cache *cache = &huge_inode(inode)->cache;
	struct folio *folio;

	if (fault_in_iov_iter_readable(piece->from, piece->bytes) ==
	    piece->bytes)
		return -EFAULT;
	filemap_invalidate_lock_shared(inode->i_mapping);
	folio = cache_get_filled(cache, piece->index,
				 piece->bytes < HUGE_SIZE, write_fill, piece);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	if (!IS_ERR(folio))
		return piece->copied;
	iov_iter_revert(piece->from, piece->copied);
	/* Memory that was there before may have gone again. */
	return PTR_ERR(folio) == -EAGAIN ? 0 : PTR_ERR(folio);
}

static ssize_t write_existing(struct folio *folio, struct write_piece *piece)
{
	size_t bytes = poison_before(folio, piece->offset, piece->bytes);

	if (!bytes)
		return -EIO;
	if (inject(INJECT_COPY))
		bytes /= 2;
	piece->copied = copy_page_from_iter(folio_page(folio, 0), piece->offset,
					    bytes, piece->from);
	return piece->copied ? piece->copied : -EFAULT;
}

/*
 * The program's memory may go again as often as it is touched: then a page of zeroes
 * is made first.
 */
static int write_make_page(struct inode *inode, struct write_piece *piece)
{
	struct folio *folio;

	filemap_invalidate_lock_shared(inode->i_mapping);
	folio = cache_get(&huge_inode(inode)->cache, piece->index);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return PTR_ERR_OR_ZERO(folio);
}

/* How many bytes could be written, more than 0, or a negative errno. */
static ssize_t write_piece(struct inode *inode, struct write_piece *piece)
{
	struct folio *folio;
	ssize_t copied;
	int tries;

	for (tries = 0; ; tries++) {
		if (fatal_signal_pending(current) || inject(INJECT_SIGNAL))
			return -EINTR;
		/* It stays: i_rwsem is held. */
		folio = cache_find(&huge_inode(inode)->cache, piece->index);
		if (folio)
			return write_existing(folio, piece);
		copied = tries < WRITE_TRIES ? write_new(inode, piece) :
					       write_make_page(inode, piece);
		if (copied)
			return copied;
		cond_resched();
	}
}

/* How much could be written, or a negative errno where nothing could. */
static ssize_t write_pieces(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct write_piece piece;
	ssize_t copied = 0, done = 0;
	loff_t start;

	while (iov_iter_count(from)) {
		piece = (struct write_piece){
			.from = from,
			.index = huge_index(iocb->ki_pos),
			.offset = iocb->ki_pos & ~HUGE_MASK,
		};
		piece.bytes = min(iov_iter_count(from),
				  HUGE_SIZE - piece.offset);
		copied = write_piece(inode, &piece);
		if (copied < 0)
			break;
		start = iocb->ki_pos;
		iocb->ki_pos += copied;
		done += copied;
		if (iocb->ki_pos > i_size_read(inode))
			truncate_extend(inode, iocb->ki_pos, start);
		cond_resched();
	}
	return done ? done : copied;
}

/**
 * write_file() - Write to a file.
 * @iocb: the open file and where to write
 * @from: what to write
 *
 * Context: file_operations->write_iter; may sleep.
 * Return: bytes written, which are fewer than wanted where pages or the program's
 * memory run out, a fatal signal comes or a page has a memory error; or with nothing
 * written a negative errno.
 */
ssize_t write_file(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t written;

	if (iocb->ki_flags & IOCB_NOWAIT)
		return -EAGAIN;
	inode_lock(inode);
	written = generic_write_checks(iocb, from);
	if (written <= 0)
		goto unlock;
	written = file_modified(iocb->ki_filp);
	if (!written)
		written = write_pieces(iocb, from);
unlock:
	inode_unlock(inode);
	return written;
}
