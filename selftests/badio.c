// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad offsets, lengths, flags and descriptors, by table: what a call answers on a file
 * of rhugefs, beside what it answers in this very kernel on a file of tmpfs and of
 * hugetlbfs. A program that knows tmpfs should not be surprised; where it would be, the
 * row says why. A call that fails leaves size, position, contents and pool as they were.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/statfs.h>

#include "badio.h"

/* As tmpfs, whose answer depends on the kernel. */
#define TMPFS	LONG_MIN

struct row {
	const char *what;
	subject_call call;
	long arg[3];
	long want;		/* the answer, or a negative errno, or TMPFS */
	const char *unlike;	/* why tmpfs may answer otherwise */
	bool no_hugetlbfs;	/* the kernel would not survive it there */
};

#define LIMIT	"files end with a whole huge page"
#define WHOLE	"whole huge pages are mapped"
#define POOL	"pages are promised to whoever maps, as on hugetlbfs"
#define CAN	"this one can"

static const struct row reads[] = {
	{ "pread at -1", bad_pread, { -1, 1 }, -EINVAL },
	{ "pread at LONG_MIN", bad_pread, { LONG_MIN, 1 }, -EINVAL },
	{ "pread nothing at -1", bad_pread, { -1, 0 }, -EINVAL },
	{ "pread nothing", bad_pread, { 0, 0 }, 0 },
	{ "pread nothing, no buffer", bad_pread, { 0, 0, 1 }, 0 },
	{ "pread -1 bytes", bad_pread, { 0, -1 }, -EFAULT },
	{ "pread LONG_MAX bytes", bad_pread, { 0, LONG_MAX }, -EFAULT },
	{ "pread into no buffer", bad_pread, { 0, 1, 1 }, -EFAULT },
	{ "pread a hole into no buffer", bad_pread, { HUGE, 1, 1 }, -EFAULT },
	{ "pread over the end", bad_pread, { 2 * HUGE - 5, HUGE }, 5 },
	{ "pread at the end", bad_pread, { 2 * HUGE, 1 }, 0 },
	{ "pread at the end, no buffer", bad_pread, { 2 * HUGE, 1, 1 }, 0 },
	{ "pread before the limit", bad_pread, { MAX - 1, 1 }, 0 },
	{ "pread over the limit", bad_pread, { MAX - 1, 2 }, 0 },
	{ "pread at the limit", bad_pread, { MAX, 1 }, 0 },
	{ "pread at LONG_MAX - 1", bad_pread, { LONG_MAX - 1, 1 }, 0 },
	{ "pread at LONG_MAX", bad_pread, { LONG_MAX, 1 }, -EINVAL },
	{ "pread to the overflow", bad_pread, { LONG_MAX - 9, 10 }, -EINVAL },
	{ "read, write-only", bad_read_wo, { 1 }, -EBADF },
	{ "readv no pieces", bad_readv, { 0 }, 0 },
	{ "readv -1 pieces", bad_readv, { -1 }, -EINVAL },
	{ "readv too many pieces", bad_readv, { 1025 }, -EINVAL },
	{ "readv a negative piece", bad_readv, { 2, 1, -1 }, -EINVAL },
	{ "readv empty pieces", bad_readv, { 2, 0, 0 }, 0 },
	{ "readv huge pieces", bad_readv, { 2, LONG_MAX, LONG_MAX }, -EFAULT },
	{ "preadv2 here", bad_preadv2, { -1, 5 }, 5 },
	{ "preadv2 at -2", bad_preadv2, { -2, 1 }, -EINVAL },
	{ "preadv2 NOWAIT", bad_preadv2, { 0, 1, RWF_NOWAIT }, -EOPNOTSUPP },
	{ "preadv2 HIPRI", bad_preadv2, { 0, 1, RWF_HIPRI }, TMPFS },
	{ "preadv2 SYNC", bad_preadv2, { 0, 1, RWF_SYNC }, 1 },
	{ "preadv2 APPEND", bad_preadv2, { 0, 1, RWF_APPEND }, TMPFS },
	{ "preadv2 flag 0x20", bad_preadv2, { 0, 1, 0x20 }, TMPFS },
	{ "preadv2 flag 0x40", bad_preadv2, { 0, 1, 0x40 }, TMPFS },
	{ "preadv2 flag 0x80", bad_preadv2, { 0, 1, 0x80 }, TMPFS },
	{ "preadv2 unknown flag", bad_preadv2, { 0, 1, 1 << 30 }, -EOPNOTSUPP },
	{ "readahead", bad_readahead, { 0, HUGE }, TMPFS },
	{ "readahead at -1", bad_readahead, { -1, 1 }, TMPFS },
};

static const struct row writes[] = {
	{ "pwrite at -1", bad_pwrite, { -1, 1 }, -EINVAL },
	{ "pwrite at LONG_MIN", bad_pwrite, { LONG_MIN, 1 }, -EINVAL },
	{ "pwrite nothing", bad_pwrite, { 0, 0 }, 0 },
	{ "pwrite nothing far out", bad_pwrite, { MAX, 0 }, 0 },
	{ "pwrite -1 bytes", bad_pwrite, { 0, -1 }, -EFAULT },
	{ "pwrite LONG_MAX bytes", bad_pwrite, { 0, LONG_MAX }, -EFAULT },
	{ "pwrite from no buffer", bad_pwrite, { 0, 1, 1 }, -EFAULT },
	{ "pwrite a hole from no buffer", bad_pwrite, { HUGE, 1, 1 }, -EFAULT },
	{ "pwrite behind from no buffer", bad_pwrite, { 9 * HUGE, 1, 1 },
	  -EFAULT },
	{ "pwrite before the limit", bad_pwrite, { MAX - 1, 1 }, 1 },
	{ "pwrite over the limit", bad_pwrite, { MAX - 1, 2 }, 1, LIMIT },
	{ "pwrite at the limit", bad_pwrite, { MAX, 1 }, -EFBIG, LIMIT },
	{ "pwrite at LONG_MAX - 1", bad_pwrite, { LONG_MAX - 1, 1 }, -EFBIG,
	  LIMIT },
	{ "pwrite at LONG_MAX", bad_pwrite, { LONG_MAX, 1 }, -EINVAL },
	{ "pwrite to the overflow", bad_pwrite, { LONG_MAX - 9, 10 }, -EINVAL },
	{ "write, read-only", bad_write_ro, { 1 }, -EBADF },
	{ "write nothing, read-only", bad_write_ro, { 0 }, -EBADF },
	{ "writev no pieces", bad_writev, { 0 }, 0 },
	{ "writev -1 pieces", bad_writev, { -1 }, -EINVAL },
	{ "writev too many pieces", bad_writev, { 1025 }, -EINVAL },
	{ "writev a negative piece", bad_writev, { 2, 1, -1 }, -EINVAL },
	{ "writev huge pieces", bad_writev, { 2, LONG_MAX, LONG_MAX }, -EFAULT },
	{ "pwritev2 at -2", bad_pwritev2, { -2, 1 }, -EINVAL },
	{ "pwritev2 NOWAIT", bad_pwritev2, { 0, 1, RWF_NOWAIT }, -EOPNOTSUPP },
	{ "pwritev2 APPEND at 0", bad_pwritev2, { 0, 9, RWF_APPEND }, 9 },
	{ "pwritev2 SYNC", bad_pwritev2, { 0, 1, RWF_SYNC }, 1 },
	{ "pwritev2 DSYNC", bad_pwritev2, { 0, 1, RWF_DSYNC }, 1 },
	{ "pwritev2 HIPRI", bad_pwritev2, { 0, 1, RWF_HIPRI }, TMPFS },
	{ "pwritev2 flag 0x20", bad_pwritev2, { 0, 1, 0x20 }, TMPFS },
	{ "pwritev2 flag 0x40", bad_pwritev2, { 0, 1, 0x40 }, TMPFS },
	{ "pwritev2 unknown flag", bad_pwritev2, { 0, 1, 1 << 30 },
	  -EOPNOTSUPP },
};

static const struct row seeks[] = {
	{ "lseek SET -1", bad_lseek, { -1, SEEK_SET }, -EINVAL },
	{ "lseek SET the limit", bad_lseek, { MAX, SEEK_SET }, MAX },
	{ "lseek SET behind it", bad_lseek, { MAX + 1, SEEK_SET }, -EINVAL,
	  LIMIT },
	{ "lseek SET LONG_MAX", bad_lseek, { LONG_MAX, SEEK_SET }, -EINVAL,
	  LIMIT },
	{ "lseek CUR -8", bad_lseek, { -8, SEEK_CUR }, -EINVAL },
	{ "lseek CUR -7", bad_lseek, { -7, SEEK_CUR }, 0 },
	{ "lseek CUR LONG_MAX", bad_lseek, { LONG_MAX, SEEK_CUR }, -EINVAL },
	{ "lseek CUR LONG_MIN", bad_lseek, { LONG_MIN, SEEK_CUR }, -EINVAL },
	{ "lseek END -1 - size", bad_lseek, { -2 * HUGE - 1, SEEK_END },
	  -EINVAL },
	{ "lseek END 1", bad_lseek, { 1, SEEK_END }, 2 * HUGE + 1 },
	{ "lseek END LONG_MAX", bad_lseek, { LONG_MAX, SEEK_END }, -EINVAL },
	{ "lseek DATA -1", bad_lseek, { -1, SEEK_DATA }, -ENXIO },
	{ "lseek DATA in the hole", bad_lseek, { HUGE, SEEK_DATA }, -ENXIO },
	{ "lseek DATA at the end", bad_lseek, { 2 * HUGE, SEEK_DATA }, -ENXIO },
	{ "lseek DATA LONG_MAX", bad_lseek, { LONG_MAX, SEEK_DATA }, -ENXIO },
	{ "lseek HOLE -1", bad_lseek, { -1, SEEK_HOLE }, -ENXIO },
	{ "lseek HOLE in the hole", bad_lseek, { HUGE + 3, SEEK_HOLE },
	  HUGE + 3 },
	{ "lseek HOLE at the end", bad_lseek, { 2 * HUGE, SEEK_HOLE }, -ENXIO },
	{ "lseek unknown whence", bad_lseek, { 0, 5 }, -EINVAL },
	{ "lseek whence -1", bad_lseek, { 0, -1 }, -EINVAL },
};

static const struct row sizes[] = {
	{ "ftruncate -1", bad_ftruncate, { -1 }, -EINVAL },
	{ "ftruncate LONG_MIN", bad_ftruncate, { LONG_MIN }, -EINVAL },
	{ "ftruncate to 1", bad_ftruncate, { 1 }, 0 },
	{ "ftruncate to the limit", bad_ftruncate, { MAX }, 0 },
	{ "ftruncate behind it", bad_ftruncate, { MAX + 1 }, -EFBIG, LIMIT },
	{ "ftruncate LONG_MAX", bad_ftruncate, { LONG_MAX }, -EFBIG, LIMIT },
	{ "ftruncate, read-only", bad_ftruncate_ro, { 0 }, -EINVAL },
	{ "fallocate nothing", bad_fallocate, { 0, 0, 0 }, -EINVAL },
	{ "fallocate -1 bytes", bad_fallocate, { 0, 0, -1 }, -EINVAL },
	{ "fallocate at -1", bad_fallocate, { 0, -1, 1 }, -EINVAL },
	{ "fallocate to the overflow", bad_fallocate, { 0, LONG_MAX, 1 },
	  -EFBIG },
	{ "fallocate the last page", bad_fallocate, { 0, MAX - SMALL, SMALL },
	  0 },
	/*
	 * hugetlbfs makes a page for the last 2 MiB before LONG_MAX, and does not find it
	 * again when the inode ends: "kernel BUG at fs/inode.c", in clear_inode().
	 */
	{ "fallocate over the limit", bad_fallocate, { 0, MAX - 1, 2 }, -EFBIG,
	  LIMIT, true },
	{ "fallocate over it, keep size", bad_fallocate, { KEEP, MAX - 1, 2 },
	  -EFBIG, LIMIT, true },
	{ "fallocate 1 TiB", bad_fallocate, { 0, 0, 1L << 40 }, -ENOSPC },
	{ "fallocate 1 TiB, keep size", bad_fallocate, { KEEP, 0, 1L << 40 },
	  -ENOSPC },
	{ "fallocate all there can be", bad_fallocate, { 0, 0, MAX }, -ENOSPC },
	{ "fallocate, read-only", bad_fallocate_ro, { 0, 0, 1 }, -EBADF },
	{ "punch, not keeping the size", bad_fallocate, { PUNCH, 0, HUGE },
	  -EOPNOTSUPP },
	{ "punch nothing", bad_fallocate, { PUNCH | KEEP, 0, 0 }, -EINVAL },
	{ "punch at -1", bad_fallocate, { PUNCH | KEEP, -1, 2 }, -EINVAL },
	{ "punch all there can be", bad_fallocate, { PUNCH | KEEP, 0, MAX }, 0 },
	{ "punch behind the end", bad_fallocate, { PUNCH | KEEP, 9 * HUGE, 1 },
	  0 },
	{ "punch over the limit", bad_fallocate, { PUNCH | KEEP, MAX - 1, 2 },
	  -EFBIG, LIMIT },
	{ "punch, read-only", bad_fallocate_ro, { PUNCH | KEEP, 0, HUGE },
	  -EBADF },
	{ "zero", bad_fallocate, { ZERO, 0, 1 }, 0, CAN },
	{ "zero nothing", bad_fallocate, { ZERO, 0, 0 }, -EINVAL },
	{ "zero 1 TiB", bad_fallocate, { ZERO, 0, 1L << 40 }, -ENOSPC, CAN },
	{ "zero over the limit", bad_fallocate, { ZERO, MAX - 1, 2 }, -EFBIG,
	  CAN },
	{ "punch and zero", bad_fallocate, { PUNCH | KEEP | ZERO, 0, HUGE },
	  TMPFS },
	{ "no hide stale", bad_fallocate, { 4, 0, 1 }, -EOPNOTSUPP },
	{ "collapse", bad_fallocate, { 8, 0, HUGE }, -EOPNOTSUPP },
	{ "collapse and keep size", bad_fallocate, { 8 | KEEP, 0, HUGE },
	  TMPFS },
	{ "insert", bad_fallocate, { 0x20, 0, HUGE }, -EOPNOTSUPP },
	{ "insert and punch", bad_fallocate, { 0x20 | PUNCH | KEEP, 0, HUGE },
	  TMPFS },
	{ "unshare", bad_fallocate, { 0x40, 0, HUGE }, -EOPNOTSUPP },
	{ "unknown mode", bad_fallocate, { 0x80, 0, HUGE }, -EOPNOTSUPP },
	{ "mode -1", bad_fallocate, { -1, 0, HUGE }, -EOPNOTSUPP },
};

static const struct row maps[] = {
	{ "mmap nothing", bad_mmap, { 0 }, -EINVAL },
	{ "mmap a small page", bad_mmap, { SMALL }, -EINVAL, WHOLE },
	{ "mmap at a small page", bad_mmap, { HUGE, SMALL }, -EINVAL, WHOLE },
	{ "mmap at a byte", bad_mmap, { HUGE, 1 }, -EINVAL },
	{ "mmap at LONG_MIN", bad_mmap, { HUGE, LONG_MIN }, -EOVERFLOW },
	{ "mmap at -2 MiB", bad_mmap, { HUGE, -HUGE }, -EOVERFLOW },
	{ "mmap the last page", bad_mmap, { HUGE, MAX - HUGE }, 0 },
	{ "mmap over the limit", bad_mmap, { 2 * HUGE, MAX - HUGE },
	  -EOVERFLOW, LIMIT },
	{ "mmap at the limit", bad_mmap, { HUGE, MAX }, -EOVERFLOW, LIMIT },
	{ "mmap 1 TiB", bad_mmap, { 1L << 40 }, -ENOMEM, POOL },
	{ "mmap 1 TiB, no promise", bad_mmap,
	  { 1L << 40, 0, MAP_SHARED | MAP_NORESERVE }, 0 },
	{ "mmap LONG_MAX bytes", bad_mmap, { LONG_MAX }, -ENOMEM },
	{ "mmap -1 bytes", bad_mmap, { -1 }, -ENOMEM },
	{ "mmap neither shared nor private", bad_mmap, { HUGE, 0, MAP_NORESERVE },
	  -EINVAL },
	{ "mmap at a fixed bad address", bad_mmap,
	  { HUGE, 0, MAP_SHARED | MAP_FIXED }, TMPFS },
	{ "mmap MAP_SYNC", bad_mmap, { HUGE, 0, MAP_SHARED_VALIDATE | MAP_SYNC },
	  -EOPNOTSUPP },
	{ "mmap unknown flag, validated", bad_mmap,
	  { HUGE, 0, MAP_SHARED_VALIDATE | 1 << 22 }, -EOPNOTSUPP },
	{ "mmap unknown flag", bad_mmap, { HUGE, 0, MAP_SHARED | 1 << 22 }, 0 },
	{ "mmap MAP_HUGETLB", bad_mmap, { HUGE, 0, MAP_SHARED | MAP_HUGETLB },
	  -EINVAL },
	{ "mmap MAP_GROWSDOWN", bad_mmap, { HUGE, 0, MAP_SHARED | MAP_GROWSDOWN },
	  -EINVAL },
	{ "mmap to write, read-only", bad_mmap_ro, { HUGE, 0, PROT_WRITE },
	  -EACCES },
	{ "mmap behind the end, read-only", bad_mmap_ro,
	  { HUGE, 2 * HUGE, PROT_READ }, -ENOMEM,
	  "who cannot write cannot have pages promised behind the end" },
	{ "mmap to read, write-only", bad_mmap_wo, { HUGE, 0, PROT_READ },
	  -EACCES },
	{ "mmap to write, write-only", bad_mmap_wo, { HUGE, 0, PROT_WRITE },
	  -EACCES },
	{ "remove a byte's address", bad_remove, { 1, HUGE, MAP_SHARED },
	  -EINVAL },
	{ "remove nothing", bad_remove, { 0, 0, MAP_SHARED }, 0 },
	{ "remove -1 bytes", bad_remove, { 0, -1, MAP_SHARED }, -EINVAL },
	{ "remove a small page", bad_remove, { 0, SMALL, MAP_SHARED }, 0 },
	{ "remove a page", bad_remove, { 0, HUGE, MAP_SHARED }, 0 },
	{ "remove from a private mapping", bad_remove, { 0, HUGE, MAP_PRIVATE },
	  -EACCES },
	{ "remove, mapped read-only", bad_remove,
	  { 0, HUGE, MAP_SHARED | MAP_ANONYMOUS }, -EACCES },
};

static const struct row copies[] = {
	{ "sendfile at -1", bad_sendfile, { -1, 1 }, -EINVAL },
	{ "sendfile nothing", bad_sendfile, { 0, 0 }, 0 },
	{ "sendfile -1 bytes", bad_sendfile, { 0, -1 }, -EINVAL },
	{ "sendfile at the end", bad_sendfile, { 2 * HUGE, 1 }, 0 },
	{ "sendfile at LONG_MAX", bad_sendfile, { LONG_MAX, 1 }, TMPFS },
	{ "sendfile to a read-only one", bad_sendfile_to, { 1, 0 }, -EBADF },
	{ "sendfile to one that appends", bad_sendfile_to, { 1, 1 }, -EINVAL },
	{ "sendfile from a write-only one", bad_sendfile_to, { 1, 2, 1 },
	  -EBADF },
	{ "splice out at -1", bad_splice_out, { -1, 1 }, -EINVAL },
	{ "splice out nothing", bad_splice_out, { 0, 0 }, 0 },
	{ "splice out at the end", bad_splice_out, { 2 * HUGE, 1 }, 0 },
	{ "splice out at LONG_MAX", bad_splice_out, { LONG_MAX, 1 }, TMPFS },
	{ "splice out, unknown flag", bad_splice_out, { 0, 1, 1 << 10 },
	  -EINVAL },
	{ "splice in at -1", bad_splice_in, { -1, 1 }, -EINVAL },
	{ "splice in over the limit", bad_splice_in, { MAX, 1 }, -EFBIG,
	  LIMIT },
	{ "splice in at LONG_MAX", bad_splice_in, { LONG_MAX, 1 }, TMPFS },
	{ "splice without a pipe", bad_splice_files, { 1 }, -EINVAL },
	{ "splice to a read-only one", bad_splice_ro, { 1 }, -EBADF },
	{ "splice to one that appends", bad_splice_append, { 1 }, -EINVAL },
	{ "copy at -1", bad_copy, { -1, 0, 1 }, TMPFS },
	{ "copy to -1", bad_copy, { 0, -1, 1 }, TMPFS },
	{ "copy nothing", bad_copy, { 0, 0, 0 }, 0 },
	{ "copy -1 bytes", bad_copy, { 0, 0, -1 }, TMPFS },
	{ "copy at the end", bad_copy, { 2 * HUGE, 0, 1 }, 0 },
	{ "copy at LONG_MAX", bad_copy, { LONG_MAX, 0, 1 }, TMPFS },
	{ "copy to the limit", bad_copy, { 0, MAX, 1 }, -EFBIG, LIMIT },
	{ "copy to LONG_MAX", bad_copy, { 0, LONG_MAX, 1 }, TMPFS },
	{ "copy onto itself", bad_copy_self, { 0, 10, 20 }, -EINVAL },
	{ "copy within", bad_copy_self, { 0, 100, 20 }, 20 },
	{ "copy with a flag", bad_copy_to, { 1, 2, 1 }, -EINVAL },
	{ "copy to a read-only one", bad_copy_to, { 1, 0 }, -EBADF },
	{ "copy to one that appends", bad_copy_to, { 1, 1 }, -EBADF },
	{ "copy to a pipe", bad_copy_to, { 1, 3 }, -EINVAL },
};

static const struct row others[] = {
	{ "sync_file_range", bad_sync_range, { 0, 0, 7 }, 0 },
	{ "sync_file_range at -1", bad_sync_range, { -1, 1, 2 }, -EINVAL },
	{ "sync_file_range -1 bytes", bad_sync_range, { 0, -1, 2 }, -EINVAL },
	{ "sync_file_range overflow", bad_sync_range, { LONG_MAX, 2, 2 },
	  -EINVAL },
	{ "sync_file_range unknown flag", bad_sync_range, { 0, 1, 8 }, -EINVAL },
	{ "fadvise -1 bytes", bad_fadvise, { 0, -1, POSIX_FADV_DONTNEED },
	  -EINVAL },
	{ "fadvise unknown", bad_fadvise, { 0, 1, 99 }, -EINVAL },
	{ "fadvise at -1", bad_fadvise, { -1, 1, POSIX_FADV_DONTNEED }, 0 },
	{ "fadvise WILLNEED all", bad_fadvise,
	  { 0, LONG_MAX, POSIX_FADV_WILLNEED }, 0 },
	{ "fadvise DONTNEED all", bad_fadvise,
	  { 0, LONG_MAX, POSIX_FADV_DONTNEED }, 0 },
	{ "fadvise RANDOM", bad_fadvise, { 0, 0, POSIX_FADV_RANDOM }, 0 },
	{ "F_SETFL O_DIRECT", bad_fcntl, { F_SETFL, O_DIRECT }, 0, CAN },
	{ "F_SETFL O_APPEND", bad_fcntl, { F_SETFL, O_APPEND }, 0 },
	{ "F_SETFL O_ASYNC", bad_fcntl, { F_SETFL, O_ASYNC }, 0 },
	{ "F_SETFL -1", bad_fcntl, { F_SETFL, -1 }, 0, CAN },
	{ "F_SETPIPE_SZ", bad_fcntl, { F_SETPIPE_SZ, SMALL }, -EBADF },
	{ "F_ADD_SEALS", bad_fcntl, { F_ADD_SEALS, 1 }, -EINVAL,
	  "seals are for memfd_create(), which tmpfs serves" },
	{ "FIGETBSZ", bad_ioctl, { FIGETBSZ }, 0 },
	{ "FS_IOC_GETFLAGS", bad_ioctl, { FS_IOC_GETFLAGS }, -ENOTTY,
	  "there are no file flags" },
	{ "FS_IOC_FIEMAP", bad_ioctl, { FS_IOC_FIEMAP }, -EOPNOTSUPP },
	{ "FICLONERANGE", bad_ioctl, { FICLONERANGE }, TMPFS },
	{ "unknown ioctl", bad_ioctl, { 0x12345678 }, -ENOTTY },
};

/* --- the three of them --------------------------------------------------- */

#define TMPFS_DIR	"/tmp/own-tmpfs"
#define HUGETLB_DIR	"/tmp/own-hugetlbfs"
#define HUGETLB_NR	"/proc/sys/vm/nr_hugepages"
#define HUGETLB_PAGES	6

static bool has_hugetlbfs;

static bool hugetlb_pages(long wanted)
{
	char text[32];
	long got = 0;
	int fd = open(HUGETLB_NR, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return false;
	snprintf(text, sizeof(text), "%ld", wanted);
	must(write(fd, text, strlen(text)) > 0);
	must(pread(fd, text, sizeof(text) - 1, 0) > 0);
	got = atol(text);
	close(fd);
	return got >= wanted;
}

static void mount_three(void)
{
	own_namespace();
	signal(SIGXFSZ, SIG_IGN);
	mount_at(OWN_DIR, "rhugefs", 0, NULL);
	mount_at(TMPFS_DIR, "tmpfs", 0, "size=32M");
	has_hugetlbfs = hugetlb_pages(HUGETLB_PAGES);
	if (has_hugetlbfs) {
		mount_at(HUGETLB_DIR, "hugetlbfs", 0, NULL);
		return;
	}
	/* It may have got some. */
	hugetlb_pages(0);
	dprintf(STDOUT_FILENO, "# no hugetlbfs, or no pages for it\n");
}

static const char *answer_name(long answer, char *text)
{
	if (answer < 0)
		return strerrorname_np(-answer);
	sprintf(text, answer > HUGE ? "0x%lx" : "%ld", answer);
	return text;
}

static long ask(const struct row *row, struct subject *s)
{
	long answer = row->call(s, row->arg[0], row->arg[1], row->arg[2]);

	return answer == -1 ? -errno : answer;
}

/* Leave nothing to others: @fd has it, until it is closed. */
static long fill(int fd)
{
	struct statfs stat;
	char *map;
	long pages;

	must(fstatfs(fd, &stat) == 0);
	if (stat.f_bsize < HUGE) {
		must(fallocate(fd, 0, 0, stat.f_bfree * stat.f_bsize) == 0);
		return stat.f_bfree;
	}
	/* What a file was promised stays when it is no longer mapped. */
	for (pages = 0; (map = map_huge(fd, pages, 1, 0)); pages++)
		must(unmap_huge(map, 1) == 0);
	return pages;
}

static bool fill_first;

static long prepare(struct subject *s, const char *dir)
{
	subject_new(s, dir);
	s->filler = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	must(s->filler >= 0);
	return fill_first ? fill(s->filler) : 0;
}

static long ask_other(const struct row *row, const char *dir)
{
	struct subject s;
	long answer;

	prepare(&s, dir);
	answer = ask(row, &s);
	subject_end(&s);
	return answer;
}

/* Whether rhugefs answers as it should, and nothing has changed if that is no. */
static bool ask_ours(const struct row *row, const struct pools *before,
		     long want, long *answer)
{
	struct subject s;
	long promised;
	bool right;

	promised = prepare(&s, OWN_DIR);
	must(pools_moved(before, 1, promised));
	*answer = ask(row, &s);
	right = *answer == want;
	if (*answer < 0)
		right = subject_unchanged(&s) &&
			pools_moved(before, 1, promised) && right;
	subject_end(&s);
	return pools_moved(before, 0, 0) && right;
}

static bool row_is_right(const struct row *row, const struct pools *before)
{
	bool with_hugetlbfs = has_hugetlbfs && !row->no_hugetlbfs, right;
	long ours, tmpfs, hugetlbfs = 0;
	char text[3][32];

	tmpfs = ask_other(row, TMPFS_DIR);
	if (with_hugetlbfs)
		hugetlbfs = ask_other(row, HUGETLB_DIR);
	right = ask_ours(row, before, row->want == TMPFS ? tmpfs : row->want,
			 &ours) && (row->unlike || ours == tmpfs);
	dprintf(STDOUT_FILENO, "# %-32s %-12s %-12s %-12s %s%s\n", row->what,
		answer_name(ours, text[0]), answer_name(tmpfs, text[1]),
		with_hugetlbfs ? answer_name(hugetlbfs, text[2]) : "-",
		ours != tmpfs && row->unlike ? row->unlike : "",
		right ? "" : "  <- WRONG");
	return right;
}

static int rows_wrong(const struct row *row, int count,
		      const struct pools *before)
{
	int wrong = 0;

	dprintf(STDOUT_FILENO, "# %-32s %-12s %-12s %-12s\n", "", "rhugefs",
		"tmpfs", "hugetlbfs");
	for (; count--; row++)
		wrong += !row_is_right(row, before);
	return wrong;
}

RHUGEFS_FIXTURE(badio);

#define ASSERT_ROWS(rows)						\
	do {								\
		ASSERT_EQ(rows_wrong(rows, sizeof(rows) / sizeof(*(rows)), \
				     &self->before), 0);		\
		ASSERT_TRUE(selfcheck_ok());				\
		ASSERT_TRUE(!has_hugetlbfs || hugetlb_pages(0));	\
	} while (0)

TEST_F_TIMEOUT(badio, reads, 60)
{
	mount_three();
	ASSERT_ROWS(reads);
}

TEST_F_TIMEOUT(badio, writes, 60)
{
	mount_three();
	ASSERT_ROWS(writes);
}

TEST_F_TIMEOUT(badio, seeks, 60)
{
	mount_three();
	ASSERT_ROWS(seeks);
}

TEST_F_TIMEOUT(badio, sizes, 60)
{
	mount_three();
	ASSERT_ROWS(sizes);
}

TEST_F_TIMEOUT(badio, maps, 60)
{
	mount_three();
	ASSERT_ROWS(maps);
}

TEST_F_TIMEOUT(badio, copies, 60)
{
	mount_three();
	ASSERT_ROWS(copies);
}

TEST_F_TIMEOUT(badio, others, 60)
{
	mount_three();
	ASSERT_ROWS(others);
}

/* --- limits -------------------------------------------------------------- */

/* Files are as large as they may be already. */
static const struct row limited[] = {
	{ "limit: pwrite to it", bad_pwrite, { 2 * HUGE - 1, 2 }, 1 },
	{ "limit: pwrite at it", bad_pwrite, { 2 * HUGE, 1 }, -EFBIG },
	{ "limit: pwritev2 APPEND", bad_pwritev2, { 0, 1, RWF_APPEND },
	  -EFBIG },
	{ "limit: ftruncate over it", bad_ftruncate, { 3 * HUGE }, -EFBIG },
	{ "limit: ftruncate to less", bad_ftruncate, { HUGE + 1 }, 0 },
	{ "limit: fallocate over it", bad_fallocate, { 0, 0, 3 * HUGE },
	  -EFBIG },
	{ "limit: fallocate, keep size", bad_fallocate, { KEEP, 2 * HUGE, HUGE },
	  -EFBIG },
	{ "limit: zero over it", bad_fallocate, { ZERO, 0, 3 * HUGE }, -EFBIG,
	  CAN },
	{ "limit: punch behind it", bad_fallocate,
	  { PUNCH | KEEP, 2 * HUGE, HUGE }, 0 },
	{ "limit: splice at it", bad_splice_in, { 2 * HUGE, 1 }, -EFBIG },
	{ "limit: copy to it", bad_copy, { 0, 2 * HUGE, 1 }, -EFBIG },
	{ "limit: mmap behind it", bad_mmap, { 4 * HUGE }, 0 },
};

TEST_F(badio, file_size_limit)
{
	struct rlimit limit = { 2 * HUGE, RLIM_INFINITY };

	mount_three();
	ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ASSERT_ROWS(limited);
}

static const struct row full[] = {
	{ "full: pwrite into a hole", bad_pwrite, { HUGE, 1 }, -ENOSPC },
	{ "full: pwrite behind the end", bad_pwrite, { 2 * HUGE, 1 }, -ENOSPC },
	{ "full: pwrite what is there", bad_pwrite, { 0, 5 }, 5 },
	{ "full: pwrite over both", bad_pwrite, { HUGE - 5, 10 }, 5,
	  "pages are larger" },
	{ "full: fallocate", bad_fallocate, { 0, HUGE, HUGE }, -ENOSPC },
	{ "full: fallocate more", bad_fallocate, { 0, 0, 9 * HUGE }, -ENOSPC },
	{ "full: zero a hole", bad_fallocate, { ZERO, HUGE, 1 }, -ENOSPC, CAN },
	{ "full: zero what is there", bad_fallocate, { ZERO, 0, 9 }, 0, CAN },
	{ "full: punch", bad_fallocate, { PUNCH | KEEP, 0, 2 * HUGE }, 0 },
	{ "full: ftruncate up", bad_ftruncate, { 9 * HUGE }, 0 },
	{ "full: mmap a hole", bad_mmap, { HUGE, HUGE }, -ENOMEM, POOL },
	{ "full: mmap over both", bad_mmap, { 2 * HUGE }, -ENOMEM, POOL },
	{ "full: mmap privately", bad_mmap, { HUGE, 0, MAP_PRIVATE }, -ENOMEM,
	  POOL },
	{ "full: mmap what is there", bad_mmap, { HUGE }, 0 },
	{ "full: pread a hole", bad_pread, { HUGE, 9 }, 9 },
	{ "full: splice into a hole", bad_splice_in, { HUGE, 9 }, -ENOSPC },
	{ "full: copy to another", bad_copy, { 0, 0, 9 }, -ENOSPC },
};

TEST_F(badio, nothing_left)
{
	mount_three();
	fill_first = true;
	ASSERT_ROWS(full);
}

TEST_HARNESS_MAIN
