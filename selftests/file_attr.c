// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attributes and permissions: what stat says, when times change, who may do what, and
 * mounts that are mapped to other users, read-only or noexec.
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "shifted_mount.h"

RHUGEFS_FIXTURE(attr);

#define ANN	1000
#define BOB	2000

#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

static mode_t mode_of(const char *name)
{
	return look(name).st_mode & 07777;
}

/* --- what is told -------------------------------------------------------- */

TEST_F(attr, sizes_and_blocks)
{
	struct statx stat;
	int fd;

	mount_own(NULL);
	fd = make("file", 0640);
	ASSERT_EQ(statx(fd, "", AT_EMPTY_PATH, STATX_ALL, &stat), 0);
	ASSERT_EQ(stat.stx_blksize, HUGE);
	ASSERT_EQ(stat.stx_blocks, 0);
	ASSERT_EQ(stat.stx_mode, S_IFREG | 0640);
	ASSERT_EQ(pwrite(fd, "x", 1, 2 * HUGE + 10), 1);
	ASSERT_EQ(pwrite(fd, "x", 1, 0), 1);
	ASSERT_EQ(statx(fd, "", AT_EMPTY_PATH, STATX_ALL, &stat), 0);
	ASSERT_EQ(stat.stx_blocks, 2 * HUGE / 512);
	ASSERT_EQ(stat.stx_size, 2 * HUGE + 11);
	/* Part of a page keeps it. */
	ASSERT_EQ(fallocate(fd, PUNCH, 0, HUGE - 1), 0);
	ASSERT_EQ(look("file").st_blocks, 2 * HUGE / 512);
	ASSERT_EQ(fallocate(fd, PUNCH, 0, HUGE), 0);
	ASSERT_EQ(look("file").st_blocks, HUGE / 512);
	/* What is promised is not there. */
	ASSERT_NE(map_huge(fd, 0, 4, 0), NULL);
	ASSERT_EQ(look("file").st_blocks, HUGE / 512);
	ASSERT_EQ(look("file").st_size, 4 * HUGE);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_EQ(look("file").st_blocks, 0);
	ASSERT_EQ(look(".").st_blksize, HUGE);
	ASSERT_EQ(look(".").st_blocks, 0);
}

TEST_F(attr, modes_and_owners)
{
	mount_own(NULL);
	close(make("file", 0644));
	ASSERT_EQ(chmod("file", 06755), 0);
	ASSERT_EQ(mode_of("file"), 06755);
	/* To whom it is given does not get the caller's rights. */
	ASSERT_EQ(chown("file", ANN, BOB), 0);
	ASSERT_EQ(look("file").st_uid, ANN);
	ASSERT_EQ(look("file").st_gid, BOB);
	ASSERT_EQ(mode_of("file"), 0755);
	ASSERT_EQ(chown("file", -1, ANN), 0);
	ASSERT_EQ(look("file").st_uid, ANN);
	ASSERT_EQ(look("file").st_gid, ANN);
	ASSERT_EQ(symlink("file", "link"), 0);
	ASSERT_EQ(lchown("link", BOB, BOB), 0);
	ASSERT_EQ(look("link").st_uid, BOB);
	ASSERT_EQ(look("file").st_uid, ANN);
	ASSERT_EQ(chmod("link", 0600), 0);
	ASSERT_EQ(mode_of("file"), 0600);
	umask(027);
	close(make("masked", 0777));
	ASSERT_EQ(mode_of("masked"), 0750);
	ASSERT_EQ(mkdir("dir", 0777), 0);
	ASSERT_EQ(mode_of("dir"), 0750);
	ASSERT_EQ(mkfifo("fifo", 0666), 0);
	ASSERT_EQ(mode_of("fifo"), 0640);
}

static int write_a_byte(void *name)
{
	int fd;

	become(ANN);
	fd = open(name, O_WRONLY);
	return fd < 0 || pwrite(fd, "x", 1, 0) != 1;
}

/* Who writes to a program must not have it run as its owner. */
TEST_F(attr, set_user_id_ends_with_a_write)
{
	mount_own(NULL);
	close(make("file", 0600));
	ASSERT_EQ(chmod("file", 06777), 0);
	ASSERT_EQ(reap(spawn(write_a_byte, "file")), 0);
	ASSERT_EQ(mode_of("file"), 0777);
}

TEST_F(attr, set_group_id_directories)
{
	mount_own(NULL);
	ASSERT_EQ(mkdir("dir", 0755), 0);
	ASSERT_EQ(chown("dir", 0, BOB), 0);
	ASSERT_EQ(chmod("dir", 02755), 0);
	close(make("dir/file", 0644));
	ASSERT_EQ(mkdir("dir/sub", 0755), 0);
	ASSERT_EQ(symlink("x", "dir/link"), 0);
	ASSERT_EQ(look("dir/file").st_gid, BOB);
	ASSERT_EQ(look("dir/link").st_gid, BOB);
	ASSERT_EQ(mode_of("dir/file"), 0644);
	ASSERT_EQ(look("dir/sub").st_gid, BOB);
	ASSERT_EQ(mode_of("dir/sub"), 02755);
}

/* --- times --------------------------------------------------------------- */

#define LONG_AGO	1000000000

/* Set both times of "file" to long ago, and the directory's. */
static void age(void)
{
	struct timespec times[2] = { { LONG_AGO, 1 }, { LONG_AGO, 2 } };

	must(utimensat(AT_FDCWD, "file", times, 0) == 0);
	must(utimensat(AT_FDCWD, ".", times, 0) == 0);
	/* The clock that is looked at ticks every 4 ms at least. */
	usleep(20000);
}

static long nanoseconds(struct timespec time)
{
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

#define ATIME_MOVES	1	/* the file's */
#define MTIME_MOVES	2
#define CTIME_MOVES	4
#define DIR_MOVES	8	/* the directory's */

/* Which times are no longer what they were at age(), or since @before. */
static int changed(const struct stat *before)
{
	struct stat now = look("file"), dir = look(".");
	int what = 0;

	if (now.st_atim.tv_sec != LONG_AGO)
		what |= ATIME_MOVES;
	if (now.st_mtim.tv_sec != LONG_AGO)
		what |= MTIME_MOVES;
	if (nanoseconds(now.st_ctim) > nanoseconds(before->st_ctim))
		what |= CTIME_MOVES;
	if (dir.st_mtim.tv_sec != LONG_AGO)
		what |= DIR_MOVES;
	return what;
}

#define ASSERT_CHANGES(call, what)					\
	do {								\
		age();							\
		before = look("file");					\
		ASSERT_LE(0, (long)(call))				\
			TH_LOG("%s", #call);				\
		ASSERT_EQ(changed(&before), what)			\
			TH_LOG("%s", #call);				\
	} while (0)

TEST_F(attr, when_times_change)
{
	struct stat before;
	char byte;
	int fd;

	mount_own(NULL);
	fd = make("file", 0600);
	ASSERT_CHANGES(0, 0);
	ASSERT_CHANGES(pwrite(fd, "x", 1, 0), MTIME_MOVES | CTIME_MOVES);
	ASSERT_CHANGES(pwrite(fd, "x", 0, 0), 0);
	ASSERT_CHANGES(pread(fd, &byte, 1, 0), ATIME_MOVES);
	ASSERT_CHANGES(chmod("file", 0640), CTIME_MOVES);
	ASSERT_CHANGES(chown("file", 0, 0), CTIME_MOVES);
	ASSERT_CHANGES(ftruncate(fd, HUGE), MTIME_MOVES | CTIME_MOVES);
	ASSERT_CHANGES(ftruncate(fd, HUGE), MTIME_MOVES | CTIME_MOVES);
	ASSERT_CHANGES(fallocate(fd, 0, 0, 2 * HUGE), MTIME_MOVES | CTIME_MOVES);
	ASSERT_CHANGES(fallocate(fd, PUNCH, 0, HUGE), MTIME_MOVES | CTIME_MOVES);
	ASSERT_CHANGES(link("file", "file2"), CTIME_MOVES | DIR_MOVES);
	ASSERT_CHANGES(unlink("file2"), CTIME_MOVES | DIR_MOVES);
	ASSERT_CHANGES(symlink("x", "symlink"), DIR_MOVES);
	ASSERT_CHANGES(mkdir("dir", 0700), DIR_MOVES);
	ASSERT_CHANGES(rmdir("dir"), DIR_MOVES);
	ASSERT_CHANGES(rename("symlink", "other"), DIR_MOVES);
	ASSERT_EQ(rename("file", "file3"), 0);
	ASSERT_EQ(symlink("file3", "file"), 0);
	ASSERT_EQ(rename("file3", "file"), 0);
	ASSERT_EQ(look("file").st_size, 2 * HUGE);
}

TEST_F(attr, times_that_are_set)
{
	struct timespec times[2] = { { 123, 123456789 }, { -5, 987654321 } };
	struct stat stat;

	mount_own(NULL);
	close(make("file", 0600));
	ASSERT_EQ(utimensat(AT_FDCWD, "file", times, 0), 0);
	stat = look("file");
	ASSERT_EQ(nanoseconds(stat.st_atim), nanoseconds(times[0]));
	ASSERT_EQ(nanoseconds(stat.st_mtim), nanoseconds(times[1]));
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = UTIME_NOW;
	ASSERT_EQ(utimensat(AT_FDCWD, "file", times, 0), 0);
	stat = look("file");
	ASSERT_EQ(stat.st_atim.tv_nsec, 123456789);
	ASSERT_NE(stat.st_mtim.tv_sec, -5);
	times[0].tv_nsec = 1000000000;
	ASSERT_FAILS(utimensat(AT_FDCWD, "file", times, 0), EINVAL);
}

/* --- who may ------------------------------------------------------------- */

static int refused_call(long answer, int error, int line)
{
	if (answer == -1 && errno == error)
		return 0;
	dprintf(STDOUT_FILENO, "# %s:%d: %ld, %s\n", __FILE__, line, answer,
		strerror(errno));
	return 1;
}

#define REFUSED(call, error)	refused_call((long)(call), error, __LINE__)

/* Root's files, in root's directory, that everybody may read. */
static int do_what_is_not_allowed(void *arg)
{
	int bad = 0, fd;

	become(ANN);
	bad += REFUSED(open("secret", O_RDONLY), EACCES);
	bad += REFUSED(open("public", O_RDWR), EACCES);
	bad += REFUSED(open("new", O_CREAT | O_RDWR, 0600), EACCES);
	bad += REFUSED(open(".", O_TMPFILE | O_RDWR, 0600), EACCES);
	bad += REFUSED(mkdir("new", 0700), EACCES);
	bad += REFUSED(symlink("x", "new"), EACCES);
	bad += REFUSED(mkfifo("new", 0700), EACCES);
	bad += REFUSED(unlink("public"), EACCES);
	bad += REFUSED(rename("public", "new"), EACCES);
	bad += REFUSED(truncate("public", 0), EACCES);
	bad += REFUSED(chmod("public", 0777), EPERM);
	bad += REFUSED(chown("public", ANN, ANN), EPERM);
	bad += REFUSED(utimensat(AT_FDCWD, "public", NULL, 0), EACCES);
	bad += REFUSED(open("closed/in", O_RDONLY), EACCES);
	/* In the directory where all may write. */
	bad += REFUSED(mknod("all/dev", S_IFCHR | 0600, makedev(1, 3)), EPERM);
	must(mknod("all/whiteout", S_IFCHR | 0600, 0) == 0);
	bad += REFUSED(open("public", O_RDONLY | O_NOATIME), EPERM);
	fd = open("public", O_RDONLY);
	must(fd >= 0);
	bad += REFUSED(fchmod(fd, 0777), EPERM);
	bad += REFUSED(ftruncate(fd, 0), EINVAL);
	bad += REFUSED(fallocate(fd, 0, 0, HUGE), EBADF);
	bad += REFUSED(mmap(NULL, HUGE, PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	bad += REFUSED(write(fd, "x", 1), EBADF);
	return bad;
}

TEST_F(attr, nothing_without_permission)
{
	mount_own(NULL);
	umask(0);
	close(make("secret", 0600));
	close(make("public", 0644));
	ASSERT_EQ(mkdir("closed", 0700), 0);
	close(make("closed/in", 0666));
	ASSERT_EQ(mkdir("all", 0777), 0);
	ASSERT_EQ(reap(spawn(do_what_is_not_allowed, NULL)), 0);
	ASSERT_EQ(look("public").st_uid, 0);
	ASSERT_EQ(mode_of("public"), 0644);
	ASSERT_POOL(0, 0);
}

static int anns_part(void *arg)
{
	become(ANN);
	umask(0);
	close(make("sticky/ann", 0666));
	return mkdir("sticky/dir", 0777);
}

static int bobs_part(void *arg)
{
	int bad = 0;

	become(BOB);
	bad += REFUSED(unlink("sticky/ann"), EPERM);
	bad += REFUSED(rename("sticky/ann", "sticky/bob"), EPERM);
	bad += REFUSED(rmdir("sticky/dir"), EPERM);
	close(make("sticky/bob", 0600));
	bad += REFUSED(rename("sticky/bob", "sticky/ann"), EPERM);
	bad += REFUSED(syscall(SYS_renameat2, AT_FDCWD, "sticky/bob", AT_FDCWD,
			       "sticky/ann", RENAME_EXCHANGE), EPERM);
	return bad || unlink("sticky/bob");
}

static int anns_end(void *arg)
{
	become(ANN);
	return unlink("sticky/ann") || rmdir("sticky/dir");
}

TEST_F(attr, sticky_directories)
{
	mount_own(NULL);
	ASSERT_EQ(mkdir("sticky", 0700), 0);
	ASSERT_EQ(chmod("sticky", 01777), 0);
	ASSERT_EQ(reap(spawn(anns_part, NULL)), 0);
	ASSERT_EQ(reap(spawn(bobs_part, NULL)), 0);
	ASSERT_EQ(look("sticky/ann").st_uid, ANN);
	ASSERT_EQ(reap(spawn(anns_end, NULL)), 0);
}

/* --- other mounts of it -------------------------------------------------- */

static int work_as_a_shifted_user(void *arg)
{
	int plain = open(OWN_DIR, O_PATH), fds = open("/proc/self/fd", O_PATH);
	char name[16];
	int fd, bad = 0;

	must(plain >= 0 && fds >= 0 && chdir(OTHER_DIR) == 0);
	become(SHIFT + 7);
	fd = open("made", O_CREAT | O_EXCL | O_RDWR, 0600);
	must(fd >= 0 && pwrite(fd, "x", 1, 0) == 1);
	must(map_huge(fd, 0, 1, 0));
	must(mkdir("dir", 0700) == 0);
	must(symlink("x", "link") == 0);
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	must(fd >= 0);
	snprintf(name, sizeof(name), "%d", fd);
	must(linkat(fds, name, AT_FDCWD, "tmpfile", AT_SYMLINK_FOLLOW) == 0);
	must(syscall(SYS_renameat2, AT_FDCWD, "link", AT_FDCWD, "moved",
		     RENAME_WHITEOUT) == 0);
	must(chmod("made", 0640) == 0);
	/* The same file by its other name belongs to somebody else. */
	bad += REFUSED(openat(plain, "made", O_RDWR), EACCES);
	return bad;
}

TEST_F(attr, mapped_to_other_users)
{
	int err;

	mount_own(NULL);
	umask(0);
	ASSERT_EQ(chmod(".", 0777), 0);
	close(make("file", 0600));
	ASSERT_EQ(chown("file", 5, 6), 0);
	err = mount_shifted(shifted_namespace());
	if (err)
		SKIP(return, "no idmapped mounts: %s", strerror(err));
	ASSERT_EQ(look(OTHER_DIR "/file").st_uid, SHIFT + 5);
	ASSERT_EQ(look(OTHER_DIR "/file").st_gid, SHIFT + 6);
	ASSERT_EQ(reap(spawn(work_as_a_shifted_user, NULL)), 0);
	ASSERT_EQ(look("made").st_uid, 7);
	ASSERT_EQ(look("made").st_gid, 7);
	ASSERT_EQ(mode_of("made"), 0640);
	ASSERT_EQ(look("dir").st_uid, 7);
	ASSERT_EQ(look("moved").st_uid, 7);
	ASSERT_EQ(look("tmpfile").st_uid, 7);
	ASSERT_EQ(look("link").st_uid, 7);
	ASSERT_TRUE(S_ISCHR(look("link").st_mode));
	ASSERT_EQ(look(OTHER_DIR "/made").st_uid, SHIFT + 7);
	ASSERT_EQ(chown(OTHER_DIR "/file", SHIFT + 9, -1), 0);
	ASSERT_EQ(look("file").st_uid, 9);
	/* Whom the mount does not know makes nothing there. */
	ASSERT_FAILS(open(OTHER_DIR "/root", O_CREAT | O_RDWR, 0600),
		     EOVERFLOW);
	ASSERT_FAILS(chown(OTHER_DIR "/file", 3, -1), EOVERFLOW);
}

TEST_F(attr, read_only)
{
	int fd, old;

	mount_own(NULL);
	old = make("file", 0666);
	ASSERT_EQ(pwrite(old, "x", 1, 0), 1);
	ASSERT_EQ(mkdir("dir", 0777), 0);
	close(old);
	ASSERT_EQ(mount(NULL, ".", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	ASSERT_FAILS(open("file", O_RDWR), EROFS);
	ASSERT_FAILS(open("file", O_RDONLY | O_TRUNC), EROFS);
	ASSERT_FAILS(open("new", O_CREAT | O_RDWR, 0600), EROFS);
	ASSERT_FAILS(open(".", O_TMPFILE | O_RDWR, 0600), EROFS);
	ASSERT_FAILS(mkdir("new", 0700), EROFS);
	ASSERT_FAILS(mkfifo("new", 0700), EROFS);
	ASSERT_FAILS(symlink("x", "new"), EROFS);
	ASSERT_FAILS(link("file", "new"), EROFS);
	ASSERT_FAILS(unlink("file"), EROFS);
	ASSERT_FAILS(rmdir("dir"), EROFS);
	ASSERT_FAILS(rename("file", "new"), EROFS);
	ASSERT_FAILS(truncate("file", 0), EROFS);
	ASSERT_FAILS(chmod("file", 0600), EROFS);
	ASSERT_FAILS(chown("file", 1, 1), EROFS);
	ASSERT_FAILS(utimensat(AT_FDCWD, "file", NULL, 0), EROFS);
	ASSERT_FAILS(access("file", W_OK), EROFS);
	fd = open("file", O_RDONLY);
	ASSERT_FAILS(mmap(NULL, HUGE, PROT_WRITE, MAP_SHARED, fd, 0), EACCES);
	ASSERT_FAILS(fchmod(fd, 0600), EROFS);
	ASSERT_NE(mmap(NULL, HUGE, PROT_READ, MAP_SHARED, fd, 0), MAP_FAILED);
	ASSERT_POOL(1, 0);
	ASSERT_EQ(mount(NULL, ".", NULL, MS_REMOUNT, NULL), 0);
	ASSERT_LE(0, open("file", O_RDWR));
}

static int run_script(void *arg)
{
	execl("./script", "script", NULL);
	return errno;
}

TEST_F(attr, noexec)
{
	static const char script[] = "#!/bin/sh\nexit 33\n";
	int fd, prot = PROT_READ | PROT_EXEC;
	char *map;

	mount_own(NULL);
	fd = make("script", 0755);
	ASSERT_EQ(write(fd, script, sizeof(script) - 1), sizeof(script) - 1);
	close(fd);
	ASSERT_EQ(reap(spawn(run_script, NULL)), 33);
	fd = open("script", O_RDONLY);
	ASSERT_NE(mmap(NULL, HUGE, prot, MAP_SHARED, fd, 0), MAP_FAILED);
	ASSERT_EQ(mount(NULL, ".", NULL, MS_REMOUNT | MS_NOEXEC, NULL), 0);
	ASSERT_EQ(reap(spawn(run_script, NULL)), EACCES);
	ASSERT_FAILS(mmap(NULL, HUGE, prot, MAP_SHARED, fd, 0), EPERM);
	ASSERT_FAILS(mmap(NULL, HUGE, prot, MAP_PRIVATE, fd, 0), EPERM);
	map = mmap(NULL, HUGE, PROT_READ, MAP_SHARED, fd, 0);
	ASSERT_NE(map, MAP_FAILED);
	ASSERT_FAILS(mprotect(map, HUGE, prot), EACCES);
	ASSERT_POOL(1, 0);
}

TEST_HARNESS_MAIN
