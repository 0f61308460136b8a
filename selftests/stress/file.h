/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is done to files through their descriptors: reading, writing, cutting, filling,
 * looking, and what comes of it.
 */
#ifndef RHUGEFS_STRESS_FILE_H
#define RHUGEFS_STRESS_FILE_H

#include <linux/falloc.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "taking.h"

#define FILE_BYTES	(FILE_PAGES * HUGE)

/* --- choosing ------------------------------------------------------------ */

static inline bool file_is_own(const struct actor *actor,
			       const struct file *file)
{
	return file >= actor->own && file < actor->own + OWN_FILES;
}

/* For messages: the files of all come first. */
static inline int file_nr(const struct actor *actor, const struct file *file)
{
	return file_is_own(actor, file) ? FILES + (file - actor->own) :
					  file - actor->run->file;
}

/* One that is open. */
static inline struct file *file_pick(struct actor *actor)
{
	struct file *file = &actor->own[pick(actor, OWN_FILES)];

	if (!one_in(actor, 3) || !file->id || file->fd < 0)
		file = &actor->run->file[pick(actor, FILES)];
	return file;
}

/* A part of a page in which the actor may write. */
static inline int part_pick(struct actor *actor, const struct file *file)
{
	return file_is_own(actor, file) ? pick(actor, PARTS) : actor->nr;
}

/* One more often than the one behind it: who is to meet needs a place. */
static inline int page_pick(struct actor *actor)
{
	return pick(actor, 1 + pick(actor, FILE_PAGES));
}

/* Mostly where a page begins, large or small, or at a word; now and then anywhere. */
static inline unsigned long bytes_pick(struct actor *actor, unsigned long most)
{
	unsigned long at = word_offset(pick(actor, FILE_WORDS)) +
			   8 * pick(actor, 2);

	switch (pick(actor, 6)) {
	case 0:
		return pick(actor, most / 8 + 1) * 8;
	case 1:
		return pick(actor, most / 4096 + 1) * 4096;
	case 2:
		return at < most ? at : most;
	default:
		return pick(actor, most / HUGE + 1) * HUGE;
	}
}

/* --- reading ------------------------------------------------------------- */

/* In brackets: the last write before, what was last taken, since when the page is there. */
static inline void word_judge(struct actor *actor, const struct file *file,
			      int nr, const struct look *look,
			      unsigned long value)
{
	const char *wrong = look_end(look, file, nr, value);

	if (wrong)
		fail(actor, "file %d page %d word %d is %#lx: %s (%u at %#lx, %u-%u, %u)",
		     file_nr(actor, file), word_page(nr), nr % PAGE_WORDS, value,
		     wrong, look->last.count, look->last.span, look->start,
		     look->end, look->whole.since);
	count(&actor->run->tally.read);
}

static inline ssize_t file_splice(struct actor *actor, const struct file *file,
				  unsigned long at, void *buffer, size_t bytes)
{
	loff_t from = at;
	ssize_t moved;
	int ends[2];

	sure(actor, pipe2(ends, O_CLOEXEC) == 0);
	moved = splice(file->fd, &from, ends[1], NULL, bytes, 0);
	if (moved > 0)
		sure(actor, read(ends[0], buffer, moved) == moved);
	close(ends[0]);
	close(ends[1]);
	return moved;
}

static inline ssize_t file_read_bytes(struct actor *actor,
				      const struct file *file, unsigned long at,
				      void *buffer, size_t bytes)
{
	struct iovec pieces[2] = {
		{ buffer, bytes / 2 }, { buffer + bytes / 2, bytes - bytes / 2 },
	};

	switch (pick(actor, 6)) {
	case 0:
		return preadv(file->fd, pieces, 2, at);
	case 1:
		return bytes < 4096 ?
			       file_splice(actor, file, at, buffer, bytes) :
			       pread(file->fd, buffer, bytes, at);
	default:
		return pread(file->fd, buffer, bytes, at);
	}
}

/* A file may end before what is wanted only if it may have been cut. */
static inline void file_may_end(struct actor *actor, const struct look *look,
				ssize_t bytes)
{
	if (bytes < 0)
		fail(actor, "read: %s", error_name(errno));
	if (hold_kept(&look->whole))
		fail(actor, "the file ended, which it does not");
}

static inline void file_read_word(struct actor *actor, const struct file *file,
				  int nr)
{
	struct look look = look_begin(file, nr);
	unsigned long value;
	ssize_t bytes = file_read_bytes(actor, file, word_offset(nr), &value,
					sizeof(value));

	if (bytes == sizeof(value))
		word_judge(actor, file, nr, &look, value);
	else
		file_may_end(actor, &look, bytes);
}

static inline void file_read_part(struct actor *actor, const struct file *file,
				  int page, int part)
{
	static __thread char buffer[PART_SIZE];
	int first = word_of(page, part, 0), i;
	unsigned long at = word_offset(first);
	struct look look[PART_WORDS];
	ssize_t bytes;

	for (i = 0; i < PART_WORDS; i++)
		look[i] = look_begin(file, first + i);
	bytes = file_read_bytes(actor, file, at, buffer, PART_SIZE);
	if (bytes != PART_SIZE) {
		file_may_end(actor, &look[0], bytes);
		return;
	}
	for (i = 0; i < PART_WORDS; i++)
		word_judge(actor, file, first + i, &look[i],
			   *(unsigned long *)(buffer +
					      word_offset(first + i) - at));
}

/* --- writing ------------------------------------------------------------- */

static inline void file_wrote(struct actor *actor, struct file *file,
			      int first, int words, unsigned long to,
			      unsigned int start)
{
	unsigned int end = now(actor);
	int i;

	for (i = 0; i < words; i++)
		word_end(file, first + i, end);
	__atomic_add_fetch(&actor->run->tally.written, words, __ATOMIC_RELAXED);
	file_was_promised(actor, file, word_page(first), word_page(first) + 1,
			  start);
	file_grew(actor, file, to, start);
}

/*
 * Write one word or those of a part, from memory that is mapped but maybe not there, as
 * it is dropped once what is to be written is in it; or if @source is NULL, from any.
 */
static inline void file_write(struct actor *actor, struct file *file, int first,
			      int words, char *source)
{
	static __thread char buffer[PART_SIZE];
	int page = word_page(first), i;
	struct promises promises = promises_begin(file, page, page + 1);
	unsigned long at = word_offset(first), bytes;
	char *from = source ?: buffer;
	unsigned int start = now(actor);
	ssize_t written;

	bytes = words == 1 ? sizeof(long) : PART_SIZE;
	for (i = 0; i < words; i++)
		*(unsigned long *)(from + word_offset(first + i) - at) =
			word_begin(file, first + i, start);
	if (source)
		sure(actor, madvise((char *)((long)source & ~(HUGE - 1)), HUGE,
				    MADV_DONTNEED) == 0);
	written = pwrite(file->fd, from, bytes, at);
	if (written == (ssize_t)bytes)
		file_wrote(actor, file, first, words, at + bytes, start);
	else
		may_be_refused(actor, &promises, written < 0 ? errno : 0,
			       ENOSPC);
}

/* --- taking and filling -------------------------------------------------- */

static inline void file_punch(struct actor *actor, struct file *file,
			      unsigned long from, unsigned long to)
{
	struct taking taking = {
		.file = file, .from = from, .to = to, .kind = TAKE_HOLE,
	};
	int err;

	note(actor, "punch file %d from %#lx to %#lx", file_nr(actor, file),
	     from, to);
	taking_begin(actor, &taking);
	err = fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			from, to - from) ? errno : 0;
	taking_end(actor, &taking, !err);
	if (err)
		fail(actor, "punch: %s", error_name(err));
}

static inline void file_truncate(struct actor *actor, struct file *file,
				 unsigned long size)
{
	struct taking taking = {
		.file = file, .from = size, .to = ULONG_MAX, .kind = TAKE_CUT,
	};

	note(actor, "truncate file %d to %#lx", file_nr(actor, file), size);
	taking_begin(actor, &taking);
	sure(actor, ftruncate(file->fd, size) == 0);
	taking_end(actor, &taking, true);
	file_grew(actor, file, size, taking.start);
}

static inline void file_allocate(struct actor *actor, struct file *file,
				 unsigned long from, unsigned long to, int mode)
{
	int first = from / HUGE, end = (to + HUGE - 1) / HUGE, err;
	struct promises promises = promises_begin(file, first, end);
	struct taking taking = {
		.file = file, .from = from, .to = to, .kind = TAKE_ZERO,
	};
	unsigned int start = now(actor);

	note(actor, "fallocate %#x file %d from %#lx to %#lx", mode,
	     file_nr(actor, file), from, to);
	if (mode & FALLOC_FL_ZERO_RANGE)
		taking_begin(actor, &taking);
	err = fallocate(file->fd, mode, from, to - from) ? errno : 0;
	if (mode & FALLOC_FL_ZERO_RANGE)
		taking_end(actor, &taking, !err);
	if (err) {
		note(actor, "fallocate: %s", error_name(err));
		may_be_refused(actor, &promises, err, ENOSPC);
		return;
	}
	file_was_promised(actor, file, first, end, start);
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		file_grew(actor, file, to, start);
}

/* --- looking ------------------------------------------------------------- */

static inline void file_seek(struct actor *actor, struct file *file)
{
	int whence = pick(actor, 2) ? SEEK_DATA : SEEK_HOLE;
	unsigned long from = bytes_pick(actor, FILE_BYTES);
	off_t found = lseek(file->fd, from, whence);

	if (found >= 0 ? found < from || found > FILE_BYTES : errno != ENXIO)
		fail(actor, "lseek from %#lx: %#lx, %s", from, found,
		     error_name(errno));
}

static inline void file_look(struct actor *actor, struct file *file)
{
	struct statfs fs;
	struct stat stat;

	sure(actor, fstat(file->fd, &stat) == 0);
	sure(actor, stat.st_size <= FILE_BYTES);
	sure(actor, !file->is_steady || stat.st_size == FILE_BYTES);
	sure(actor, stat.st_blocks <= FILE_BYTES / 512);
	sure(actor, stat.st_blocks % (HUGE / 512) == 0);
	sure(actor, stat.st_ino == file->ino);
	sure(actor, fstatfs(file->fd, &fs) == 0);
	sure(actor, fs.f_bfree <= fs.f_blocks && fs.f_bsize == HUGE);
}

/* What does nothing to such a file must not do any harm either. */
static inline void file_advise(struct actor *actor, struct file *file)
{
	switch (pick(actor, 5)) {
	case 0:
		sure(actor, fsync(file->fd) == 0);
		return;
	case 1:
		sure(actor, fdatasync(file->fd) == 0);
		return;
	case 2:
		sure(actor, sync_file_range(file->fd, 0, FILE_BYTES, 7) == 0);
		return;
	case 3:
		sure(actor, !posix_fadvise(file->fd, 0, FILE_BYTES,
					   pick(actor, 6)));
		return;
	default:
		/* There is nothing to be read ahead. */
		readahead(file->fd, 0, FILE_BYTES);
	}
}

/* --- files of one's own -------------------------------------------------- */

static inline void file_begin(struct actor *actor, struct file *file, int fd)
{
	struct stat stat;

	sure(actor, fd >= 0 && fstat(fd, &stat) == 0);
	*file = (struct file){
		.id = new_id(actor), .fd = fd, .ino = stat.st_ino,
	};
}

/* Its mappings may live on. */
static inline void file_close(struct actor *actor, struct file *file)
{
	note(actor, "close file %d", file_nr(actor, file));
	sure(actor, close(file->fd) == 0);
	file->fd = -1;
}

#endif
