/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The system calls that take a file, a range of addresses or a mount, and the kinds of
 * their arguments.
 */
#ifndef RHUGEFS_CALLS_TABLE_H
#define RHUGEFS_CALLS_TABLE_H

#include <assert.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/mempolicy.h>
#include <linux/mount.h>
#include <linux/userfaultfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "values.h"

/* Of later kernels than the headers that the tests are built with. */
#ifndef SYS_cachestat
#define SYS_cachestat		451
#endif
#ifndef SYS_statmount
#define SYS_statmount		457
#define SYS_listmount		458
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED	24
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif
#ifndef SYS_mseal
#define SYS_mseal		462
#endif

/* --- kinds of flags ------------------------------------------------------- */

BITS_OF(prot, PROT_READ, PROT_READ, PROT_WRITE, PROT_EXEC);
LIST_OF(map_how, MAP_SHARED | MAP_FIXED, MAP_PRIVATE | MAP_FIXED,
	MAP_SHARED_VALIDATE | MAP_FIXED, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE,
	MAP_SHARED | MAP_FIXED | MAP_POPULATE, MAP_SHARED, MAP_PRIVATE | MAP_LOCKED,
	MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, MAP_SHARED | MAP_FIXED_NOREPLACE,
	MAP_SHARED_VALIDATE | MAP_SYNC, MAP_PRIVATE | MAP_GROWSDOWN | MAP_FIXED,
	MAP_PRIVATE | MAP_HUGETLB | MAP_ANONYMOUS | MAP_FIXED);
BITS_OF(remap_how, MREMAP_MAYMOVE, MREMAP_MAYMOVE, MREMAP_FIXED, MREMAP_DONTUNMAP);
LIST_OF(advice, MADV_DONTNEED, MADV_DONTNEED, MADV_REMOVE, MADV_FREE, MADV_COLD,
	MADV_PAGEOUT, MADV_WILLNEED, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
	MADV_DONTNEED_LOCKED, MADV_COLLAPSE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_MERGEABLE,
	MADV_UNMERGEABLE, MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK,
	MADV_KEEPONFORK, MADV_DONTDUMP, MADV_DODUMP, MADV_NORMAL, MADV_RANDOM,
	MADV_SEQUENTIAL, MADV_HWPOISON, 26);
BITS_OF(sync_how, MS_ASYNC, MS_SYNC, MS_INVALIDATE);
BITS_OF(policy_mode, MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE, MPOL_LOCAL,
	MPOL_PREFERRED_MANY, MPOL_F_STATIC_NODES, MPOL_F_RELATIVE_NODES,
	MPOL_F_NUMA_BALANCING);
BITS_OF(policy_how, MPOL_MF_STRICT, MPOL_MF_MOVE, MPOL_MF_MOVE_ALL);
BITS_OF(policy_ask, MPOL_F_NODE, MPOL_F_ADDR, MPOL_F_ADDR, MPOL_F_MEMS_ALLOWED);
LIST_OF(most_nodes, 8, 8, 2, 1, 64, 65, 1025, 40000, 0, -1);
BITS_OF(open_how_bits, O_RDWR, O_RDWR, O_WRONLY, O_CREAT, O_CREAT, O_EXCL, O_TRUNC,
	O_APPEND, O_DIRECT, O_DIRECTORY, O_PATH, O_NOFOLLOW, O_SYNC, O_NOATIME,
	O_NONBLOCK, O_TMPFILE);
BITS_OF(at_how, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_REMOVEDIR, AT_SYMLINK_FOLLOW,
	AT_RECURSIVE);
BITS_OF(fallocate_mode, FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE,
	FALLOC_FL_PUNCH_HOLE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE,
	FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE, FALLOC_FL_UNSHARE_RANGE);
LIST_OF(whence, SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE);
BITS_OF(splice_how, SPLICE_F_MOVE, SPLICE_F_NONBLOCK, SPLICE_F_MORE, SPLICE_F_GIFT);
BITS_OF(read_how, RWF_HIPRI, RWF_NOWAIT, RWF_APPEND, RWF_DSYNC);
LIST_OF(fcntl_what, F_DUPFD, F_GETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_OFD_SETLK,
	F_SETLEASE, F_GETLEASE, F_NOTIFY, F_SETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS,
	F_GET_RW_HINT, F_SET_RW_HINT, F_SET_FILE_RW_HINT);
LIST_OF(ioctl_what, FIGETBSZ, FIONREAD, FIBMAP, FS_IOC_GETFLAGS, FS_IOC_SETFLAGS,
	FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR, FS_IOC_GETVERSION, FICLONE, FICLONERANGE,
	FIDEDUPERANGE, FIFREEZE, FITHAW, FITRIM, FIOASYNC, FIONBIO, FIOQSIZE,
	_IOWR('f', 11, char[32]), UFFDIO_API, UFFDIO_REGISTER, UFFDIO_UNREGISTER,
	UFFDIO_WAKE, UFFDIO_COPY, UFFDIO_ZEROPAGE, UFFDIO_WRITEPROTECT,
	UFFDIO_CONTINUE, _IOWR('f', 16, char[96]));
LIST_OF(futex_what, FUTEX_WAKE, FUTEX_WAIT, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE,
	FUTEX_WAKE_OP, FUTEX_LOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_UNLOCK_PI,
	FUTEX_WAIT_BITSET, FUTEX_WAKE | FUTEX_PRIVATE_FLAG);
BITS_OF(link_how, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH);
BITS_OF(rename_how, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT);
BITS_OF(mount_how, MS_BIND, MS_REC, MS_REMOUNT, MS_MOVE, MS_PRIVATE, MS_RDONLY);
BITS_OF(umount_how, MNT_DETACH, MNT_FORCE, MNT_EXPIRE, UMOUNT_NOFOLLOW);
BITS_OF(tree_how, OPEN_TREE_CLONE, O_CLOEXEC, AT_EMPTY_PATH, AT_RECURSIVE);
BITS_OF(sync_range_how, 1, 2, 4);
LIST_OF(file_type, S_IFREG | 0600, S_IFIFO | 0600, S_IFCHR | 0600, S_IFSOCK | 0600,
	S_IFDIR | 0700);
LIST_OF(userfault_how, 1, 1 | O_NONBLOCK, 0);
LIST_OF(lock_how, LOCK_SH | LOCK_NB, LOCK_EX | LOCK_NB, LOCK_UN);
LIST_OF(config_what, 0, 1, 2, 3, 4, 5, 6, 7, 8);
LIST_OF(group_how, FAN_REPORT_FID, FAN_REPORT_FID | FAN_REPORT_DFID_NAME, 0);
LIST_OF(mark_how, FAN_MARK_ADD, FAN_MARK_ADD, FAN_MARK_REMOVE, FAN_MARK_FLUSH);
BITS_OF(watch_what, IN_MODIFY, IN_OPEN, IN_ALL_EVENTS, IN_ONLYDIR, IN_MASK_ADD, IN_ONESHOT);
LIST_OF(stat_mask, STATX_ALL, STATX_BASIC_STATS, STATX_DIOALIGN, -1);
LIST_OF(prctl_what, 0x53564d41 /* PR_SET_VMA */);
LIST_OF(uring_what, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16);

/* --- the calls ------------------------------------------------------------ */

/**
 * struct call - one that is made
 * @name: its name
 * @nr: its number
 * @arg: the kinds of its arguments
 * @opens: what it returns is a descriptor
 * @never: nobody without rights may succeed
 * @most: number of the argument, from 1, that its result does not exceed
 */
struct call {
	const char *name;
	long nr;
	const struct kind *arg[ARGS];
	bool opens;
	bool never;
	int most;
};

#define CALL(call, ...)		{ #call, SYS_##call, { __VA_ARGS__ } }
#define OPENS(call, ...)	{ #call, SYS_##call, { __VA_ARGS__ }, .opens = true }
#define NEVER(call, ...)	{ #call, SYS_##call, { __VA_ARGS__ }, .never = true }
#define NEVER_OPENS(call, ...)	{ #call, SYS_##call, { __VA_ARGS__ }, .opens = true, .never = true }
#define MOVES(call, nth, ...)	{ #call, SYS_##call, { __VA_ARGS__ }, .most = nth }

static const struct call calls[] = {
	/* Address ranges. What makes mappings stands here twice, like what ends them. */
	CALL(mmap, page, length, prot, map_how, fd, offset),
	CALL(mmap, page, length, prot, map_how, fd, offset),
	CALL(munmap, page, length),
	CALL(mremap, page, length, length, remap_how, page),
	CALL(mprotect, page, length, prot),
	CALL(pkey_mprotect, page, length, prot, any),
	CALL(madvise, page, length, advice),
	CALL(madvise, page, length, advice),
	CALL(process_madvise, fd, ranges, few, advice, none),
	CALL(mincore, page, length, buffer),
	CALL(msync, page, length, sync_how),
	CALL(mlock, page, length),
	CALL(mlock2, page, length, any),
	CALL(munlock, page, length),
	CALL(remap_file_pages, page, length, none, any, none),
	CALL(mseal, page, length, none),
	CALL(mbind, page, length, policy_mode, nodes, most_nodes, policy_how),
	CALL(set_mempolicy_home_node, page, length, any, none),
	CALL(get_mempolicy, buffer, nodes, most_nodes, page, policy_ask),
	CALL(set_mempolicy, policy_mode, nodes, most_nodes),
	CALL(migrate_pages, self, most_nodes, nodes, nodes),
	CALL(move_pages, self, few, numbers, nodes, buffer, policy_how),
	CALL(process_vm_readv, self, vector, few, ranges, few, none),
	CALL(process_vm_writev, self, ranges, few, vector, few, none),
	CALL(futex, page, futex_what, any, soon, page, any),
	CALL(prctl, prctl_what, none, page, length, word),
	OPENS(userfaultfd, userfault_how),

	/* Contents of files. */
	MOVES(read, 3, fd, buffer, amount),
	MOVES(write, 3, fd, buffer, amount),
	MOVES(pread64, 3, fd, buffer, amount, offset),
	MOVES(pwrite64, 3, fd, buffer, amount, offset),
	CALL(readv, fd, vector, few),
	CALL(writev, fd, vector, few),
	CALL(preadv2, fd, vector, few, offset, none, read_how),
	CALL(pwritev2, fd, vector, few, offset, none, read_how),
	MOVES(sendfile, 4, fd, fd, offset_at, amount),
	MOVES(splice, 5, fd, offset_at, fd, offset_at, amount, splice_how),
	MOVES(tee, 3, fd, fd, amount, splice_how),
	CALL(vmsplice, fd, vector, few, splice_how),
	MOVES(copy_file_range, 5, fd, offset_at, fd, offset_at, amount, none),
	CALL(lseek, fd, offset, whence),
	CALL(truncate, path, offset),
	CALL(ftruncate, fd, offset),
	CALL(fallocate, fd, fallocate_mode, offset, length),
	CALL(fallocate, fd, fallocate_mode, offset, length),
	CALL(readahead, fd, offset, length),
	CALL(fadvise64, fd, offset, length, any),
	CALL(cachestat, fd, numbers, buffer, none),
	CALL(fsync, fd),
	CALL(fdatasync, fd),
	CALL(syncfs, fd),
	CALL(sync_file_range, fd, offset, length, sync_range_how),
	CALL(io_submit, aio, few, requests),
	CALL(io_getevents, aio, none, few, buffer, soon),

	/* Files themselves. */
	OPENS(openat, at, path, open_how_bits, mode),
	OPENS(openat, at, path, open_how_bits, mode),
	OPENS(openat2, at, path, how, how_size),
	OPENS(dup, fd),
	CALL(close, fd),
	CALL(fcntl, fd, fcntl_what, any),
	CALL(flock, fd, lock_how),
	CALL(ioctl, fd, ioctl_what, numbers),
	CALL(ioctl, fd, ioctl_what, numbers),
	CALL(fstat, fd, buffer),
	CALL(newfstatat, at, path, buffer, at_how),
	CALL(statx, at, path, at_how, stat_mask, buffer),
	CALL(statfs, path, buffer),
	CALL(fstatfs, fd, buffer),
	MOVES(getdents64, 3, fd, buffer, amount),
	CALL(mkdirat, at, path, mode),
	CALL(unlinkat, at, path, at_how),
	CALL(renameat2, at, path, at, path, rename_how),
	CALL(linkat, at, path, at, path, link_how),
	CALL(symlinkat, path, at, path),
	CALL(readlinkat, at, path, buffer, amount),
	CALL(mknodat, at, path, file_type, none),
	CALL(fchmod, fd, mode),
	CALL(fchmodat, at, path, mode),
	CALL(fchown, fd, user, user),
	CALL(fchownat, at, path, user, user, at_how),
	CALL(utimensat, at, path, numbers, at_how),
	CALL(faccessat2, at, path, any, at_how),
	CALL(setxattr, path, word, buffer, amount, none),
	CALL(getxattr, path, word, buffer, amount),
	CALL(listxattr, path, buffer, amount),
	CALL(fremovexattr, fd, word),
	CALL(name_to_handle_at, at, path, numbers, buffer, at_how),
	CALL(chdir, path),
	CALL(fchdir, fd),
	OPENS(inotify_init1, none),
	CALL(inotify_add_watch, fd, path, watch_what),
	OPENS(fanotify_init, group_how, none),
	CALL(fanotify_mark, fd, mark_how, watch_what, at, path),
	CALL(io_uring_register, uring, uring_what, ranges, few),

	/* Mounts, and what else is not for everybody. */
	NEVER(mount, path, path, type, mount_how, word),
	NEVER(mount, path, path, type, none, none),
	NEVER(umount2, path, umount_how),
	NEVER(pivot_root, path, path),
	NEVER(chroot, path),
	NEVER_OPENS(fsopen, type, none),
	NEVER_OPENS(fspick, at, path, at_how),
	NEVER(fsconfig, fd, config_what, word, word, fd),
	NEVER_OPENS(fsmount, fd, any, any),
	NEVER(move_mount, at, path, at, path, any),
	NEVER(mount_setattr, at, path, at_how, numbers, few),
	OPENS(open_tree, at, path, tree_how),
	CALL(statmount, mount_request, buffer, amount, none),
	CALL(listmount, mount_request, buffer, few, none),
	NEVER(open_by_handle_at, fd, numbers, open_how_bits),
	NEVER(quotactl, any, path, any, buffer),
	NEVER(swapon, path, any),
	NEVER(swapoff, path),
	NEVER(acct, path),
};

static_assert(ARRAY_SIZE(calls) <= MOST_CALLS, "MOST_CALLS is too small");

#endif
