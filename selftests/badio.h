/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the table of badio.c is made of: calls with up to three arguments, on a file of
 * each of three file systems.
 */
#ifndef RHUGEFS_BADIO_H
#define RHUGEFS_BADIO_H

#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>

#include "own_mount.h"

#define SMALL	4096L

/* The largest size of a file. */
#define MAX	0x7fffffffffe00000L

#define KEEP	FALLOC_FL_KEEP_SIZE
#define PUNCH	FALLOC_FL_PUNCH_HOLE
#define ZERO	FALLOC_FL_ZERO_RANGE

/* A file of two huge pages, of which the first is there, and what goes with it. */
struct subject {
	int fd;
	int ro;
	int wo;
	int append;
	int other;		/* another such file, empty */
	int filler;		/* has all that was left, where that is wanted */
	int pipe[2];		/* with ten bytes in it */
	char *buf;		/* of two huge pages */
};

typedef long (*subject_call)(struct subject *s, long a, long b, long c);

#define POSITION	7

static inline int subject_reopen(int fd, int flags)
{
	char path[64];
	int copy;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy = open(path, flags | O_CLOEXEC);
	must(copy >= 0);
	return copy;
}

static inline void subject_new(struct subject *s, const char *dir)
{
	char *map;

	s->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	s->other = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	must(s->fd >= 0 && s->other >= 0);
	must(ftruncate(s->fd, 2 * HUGE) == 0);
	map = map_huge(s->fd, 0, 1, 0);
	must(map);
	memset(map, 'x', SMALL);
	must(unmap_huge(map, 1) == 0);
	must(lseek(s->fd, POSITION, SEEK_SET) == POSITION);
	s->ro = subject_reopen(s->fd, O_RDONLY);
	s->wo = subject_reopen(s->fd, O_WRONLY);
	s->append = subject_reopen(s->fd, O_RDWR | O_APPEND);
	must(pipe2(s->pipe, O_CLOEXEC) == 0);
	must(write(s->pipe[1], "0123456789", 10) == 10);
	s->buf = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(s->buf != MAP_FAILED);
}

static inline void subject_end(struct subject *s)
{
	close(s->fd);
	close(s->ro);
	close(s->wo);
	close(s->append);
	close(s->other);
	close(s->filler);
	close(s->pipe[0]);
	close(s->pipe[1]);
	must(munmap(s->buf, 2 * HUGE) == 0);
}

static inline bool subject_unchanged(struct subject *s)
{
	bool same = lseek(s->fd, 0, SEEK_CUR) == POSITION &&
		    lseek(s->fd, 0, SEEK_END) == 2 * HUGE &&
		    lseek(s->other, 0, SEEK_END) == 0;

	return same && pread(s->ro, s->buf, 2 * SMALL, 0) == 2 * SMALL &&
	       bytes_are(s->buf, 'x', SMALL) &&
	       bytes_are(s->buf + SMALL, 0, SMALL);
}

/* --- the calls ----------------------------------------------------------- */

static inline long bad_pread(struct subject *s, long at, long len, long buf)
{
	return syscall(SYS_pread64, s->ro, buf ?: (long)s->buf, len, at);
}

static inline long bad_pwrite(struct subject *s, long at, long len, long buf)
{
	return syscall(SYS_pwrite64, s->fd, buf ?: (long)s->buf, len, at);
}

static inline long bad_read_wo(struct subject *s, long len, long b, long c)
{
	return read(s->wo, s->buf, len);
}

static inline long bad_write_ro(struct subject *s, long len, long b, long c)
{
	return write(s->ro, s->buf, len);
}

/* The position is set, and a byte read or written there. */
static inline long bad_read_at(struct subject *s, long at, long len, long c)
{
	must(lseek(s->ro, at, SEEK_SET) == at);
	return syscall(SYS_read, s->ro, s->buf, len);
}

/* Two pieces, of these lengths, @count times told. */
static inline long bad_readv(struct subject *s, long count, long a, long b)
{
	struct iovec iov[2] = { { s->buf, a }, { s->buf + SMALL, b } };

	return syscall(SYS_readv, s->ro, count > 1024 ? NULL : iov, count);
}

static inline long bad_writev(struct subject *s, long count, long a, long b)
{
	struct iovec iov[2] = { { s->buf, a }, { s->buf + SMALL, b } };

	return syscall(SYS_writev, s->wo, count > 1024 ? NULL : iov, count);
}

static inline long bad_preadv2(struct subject *s, long at, long len, long flags)
{
	struct iovec iov = { s->buf, len };

	return syscall(SYS_preadv2, s->ro, &iov, 1, at, 0, flags);
}

static inline long bad_pwritev2(struct subject *s, long at, long len, long flags)
{
	struct iovec iov = { s->buf, len };

	return syscall(SYS_pwritev2, s->wo, &iov, 1, at, 0, flags);
}

static inline long bad_lseek(struct subject *s, long at, long whence, long c)
{
	return syscall(SYS_lseek, s->fd, at, whence);
}

static inline long bad_ftruncate(struct subject *s, long size, long b, long c)
{
	return syscall(SYS_ftruncate, s->fd, size);
}

static inline long bad_ftruncate_ro(struct subject *s, long size, long b, long c)
{
	return syscall(SYS_ftruncate, s->ro, size);
}

static inline long bad_fallocate(struct subject *s, long mode, long at, long len)
{
	return syscall(SYS_fallocate, s->fd, mode, at, len);
}

static inline long bad_fallocate_ro(struct subject *s, long mode, long at,
				    long len)
{
	return syscall(SYS_fallocate, s->ro, mode, at, len);
}

/* 0 for any address. */
static inline long bad_mmap_fd(int fd, long prot, long len, long at, long flags)
{
	long map = syscall(SYS_mmap, NULL, len, prot, flags, fd, at);

	if (map == -1)
		return -1;
	/* hugetlbfs maps less than a page, and unmaps only whole ones. */
	must(syscall(SYS_munmap, map, len) == 0 ||
	     syscall(SYS_munmap, map, (len + HUGE - 1) & -HUGE) == 0);
	return 0;
}

static inline long bad_mmap(struct subject *s, long len, long at, long flags)
{
	return bad_mmap_fd(s->fd, PROT_READ | PROT_WRITE, len, at,
			   flags ?: MAP_SHARED);
}

static inline long bad_mmap_ro(struct subject *s, long len, long at, long prot)
{
	return bad_mmap_fd(s->ro, prot, len, at, MAP_SHARED);
}

static inline long bad_mmap_wo(struct subject *s, long len, long at, long prot)
{
	return bad_mmap_fd(s->wo, prot, len, at, MAP_SHARED);
}

/* Of a mapping of both pages, from @at on; what is said of writing only is kept. */
static inline long bad_remove(struct subject *s, long at, long len, long flags)
{
	char *map = mmap(NULL, 2 * HUGE, flags & MAP_ANONYMOUS ? PROT_READ :
			 PROT_READ | PROT_WRITE,
			 (flags & ~MAP_ANONYMOUS) | MAP_NORESERVE,
			 flags & MAP_ANONYMOUS ? s->ro : s->fd, 0);
	long answer;
	int err;

	must(map != MAP_FAILED);
	answer = madvise(map + at, len, MADV_REMOVE);
	err = errno;
	must(munmap(map, 2 * HUGE) == 0);
	errno = err;
	return answer;
}

static inline long bad_sendfile(struct subject *s, long at, long len, long c)
{
	loff_t offset = at;

	return syscall(SYS_sendfile, s->pipe[1], s->ro, &offset, len);
}

/* From the first to the second, by which descriptors these are. */
static inline long bad_sendfile_to(struct subject *s, long len, long c, long d)
{
	loff_t offset = 0;
	int to[] = { s->ro, s->append, s->other };

	return syscall(SYS_sendfile, to[c], d ? s->wo : s->fd, &offset, len);
}

static inline long bad_splice_out(struct subject *s, long at, long len,
				  long flags)
{
	loff_t offset = at;

	return syscall(SYS_splice, s->ro, &offset, s->pipe[1], NULL, len, flags);
}

static inline long bad_splice_in(struct subject *s, long at, long len,
				 long flags)
{
	loff_t offset = at;

	return syscall(SYS_splice, s->pipe[0], NULL, s->wo, &offset, len, flags);
}

static inline long bad_splice_files(struct subject *s, long len, long b, long c)
{
	return syscall(SYS_splice, s->ro, NULL, s->other, NULL, len, 0);
}

static inline long bad_splice_ro(struct subject *s, long len, long b, long c)
{
	return syscall(SYS_splice, s->pipe[0], NULL, s->ro, NULL, len, 0);
}

static inline long bad_splice_append(struct subject *s, long len, long b, long c)
{
	return syscall(SYS_splice, s->pipe[0], NULL, s->append, NULL, len, 0);
}

static inline long bad_copy(struct subject *s, long from, long to, long len)
{
	loff_t in = from, out = to;

	return syscall(SYS_copy_file_range, s->ro, &in, s->other, &out, len, 0);
}

static inline long bad_copy_self(struct subject *s, long from, long to, long len)
{
	loff_t in = from, out = to;

	return syscall(SYS_copy_file_range, s->fd, &in, s->fd, &out, len, 0);
}

static inline long bad_copy_to(struct subject *s, long len, long c, long flags)
{
	loff_t in = 0, out = 0;
	int to[] = { s->ro, s->append, s->other, s->pipe[1] };

	return syscall(SYS_copy_file_range, s->ro, &in, to[c],
		       c == 3 ? NULL : &out, len, flags);
}

static inline long bad_sync_range(struct subject *s, long at, long len,
				  long flags)
{
	return syscall(SYS_sync_file_range, s->fd, at, len, flags);
}

static inline long bad_fadvise(struct subject *s, long at, long len, long advice)
{
	return syscall(SYS_fadvise64, s->fd, at, len, advice);
}

static inline long bad_fcntl(struct subject *s, long command, long arg, long c)
{
	return fcntl(s->fd, command, arg);
}

static inline long bad_readahead(struct subject *s, long at, long len, long c)
{
	return syscall(SYS_readahead, s->fd, at, len);
}

static inline long bad_ioctl(struct subject *s, long command, long b, long c)
{
	char arg[256] = { 0 };

	return ioctl(s->fd, command, arg);
}

#endif
