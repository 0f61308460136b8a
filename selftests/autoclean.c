// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mount option autoclean: files go with the last who has them open or mapped.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "rhugefs_test.h"

#define DIR	"/tmp/autoclean"

RHUGEFS_FIXTURE(autoclean);

static void mount_with(const char *options)
{
	must(mkdir(DIR, 0755) == 0 || errno == EEXIST);
	must(mount("none", DIR, "rhugefs", 0, options) == 0);
}

/* Twice in a row the file may just be removed: the kernel tries no third time. */
static int file_there(const char *name)
{
	int fd;

	do
		fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	while (fd < 0 && errno == ESTALE);
	must(fd >= 0);
	return fd;
}

static bool exists(const char *name)
{
	return access(name, F_OK) == 0;
}

/* A moment later. */
static bool goes(const char *name)
{
	long end = now_ms() + POOL_PATIENCE;

	while (exists(name) && now_ms() < end)
		usleep(1000);
	return !exists(name);
}

/* Not a moment later either. */
static bool stays(const char *name)
{
	usleep(100000);
	return exists(name);
}

/* Busy as long as something of it is still open somewhere. */
static int leave(void)
{
	return umount(DIR) ? errno : 0;
}

TEST_F(autoclean, with_the_last_descriptor)
{
	char *map;
	int fd, second;

	mount_with("autoclean");
	fd = file_there(DIR "/file");
	second = open(DIR "/file", O_RDONLY | O_CLOEXEC);
	map = map_huge(fd, 0, 2, 0);
	*map = 1;
	close(fd);
	close(second);
	ASSERT_TRUE(stays(DIR "/file"));
	ASSERT_POOL(1, 1);
	ASSERT_EQ(unmap_huge(map, 2), 0);
	ASSERT_TRUE(goes(DIR "/file"));
	ASSERT_POOL(0, 0);
	ASSERT_EQ(leave(), 0);
}

TEST_F(autoclean, in_a_directory_that_can_go_then)
{
	int fd;

	mount_with("autoclean");
	ASSERT_EQ(mkdir(DIR "/dir", 0755), 0);
	fd = file_there(DIR "/dir/file");
	ASSERT_EQ(rename(DIR "/dir/file", DIR "/dir/other"), 0);
	close(fd);
	ASSERT_TRUE(goes(DIR "/dir/other"));
	ASSERT_EQ(rmdir(DIR "/dir"), 0);
	ASSERT_EQ(leave(), 0);
}

static int map_and_wait(void *arg)
{
	char *map = map_huge(file_there(DIR "/file"), 0, 3, 0);

	must(map && touch_pages(map, 3) == 3);
	sync_meet(arg);
	pause();
	return 0;
}

/* What the option is for. */
TEST_F(autoclean, of_a_killed_program)
{
	struct sync *sync = share(sizeof(*sync));
	int status;
	pid_t pid;

	mount_with("autoclean");
	sync->parties = 2;
	pid = spawn(map_and_wait, sync);
	sync_meet(sync);
	ASSERT_POOL(3, 0);
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT_TRUE(goes(DIR "/file"));
	ASSERT_POOL(0, 0);
	ASSERT_EQ(leave(), 0);
}

TEST_F(autoclean, what_stays)
{
	int fd;

	mount_with("autoclean");
	/* Never opened; several names; no regular file. */
	ASSERT_EQ(mknod(DIR "/never", S_IFREG | 0600, 0), 0);
	fd = file_there(DIR "/linked");
	ASSERT_EQ(link(DIR "/linked", DIR "/linked2"), 0);
	close(fd);
	ASSERT_EQ(mkfifo(DIR "/fifo", 0600), 0);
	close(open(DIR "/fifo", O_RDWR | O_CLOEXEC));
	ASSERT_EQ(symlink("never", DIR "/symlink"), 0);
	ASSERT_TRUE(stays(DIR "/never"));
	ASSERT_TRUE(exists(DIR "/linked"));
	ASSERT_TRUE(exists(DIR "/linked2"));
	ASSERT_TRUE(exists(DIR "/fifo"));
	ASSERT_TRUE(exists(DIR "/symlink"));
	/* One name less, and opened once more. */
	ASSERT_EQ(unlink(DIR "/linked2"), 0);
	close(open(DIR "/linked", O_RDONLY | O_CLOEXEC));
	ASSERT_TRUE(goes(DIR "/linked"));
	ASSERT_EQ(leave(), 0);
}

TEST_F(autoclean, only_files_of_its_time)
{
	int fd;

	mount_with("noautoclean");
	close(file_there(DIR "/before"));
	ASSERT_EQ(mount("none", DIR, NULL, MS_REMOUNT, "autoclean"), 0);
	close(file_there(DIR "/during"));
	ASSERT_TRUE(goes(DIR "/during"));
	close(file_there(DIR "/before"));
	/* Nothing is said of it. */
	ASSERT_EQ(mount("none", DIR, NULL, MS_REMOUNT, "nr_inodes=100"), 0);
	fd = file_there(DIR "/later");
	ASSERT_EQ(mount("none", DIR, NULL, MS_REMOUNT, "noautoclean"), 0);
	close(fd);
	close(file_there(DIR "/after"));
	ASSERT_TRUE(goes(DIR "/later"));
	ASSERT_TRUE(stays(DIR "/after"));
	ASSERT_TRUE(exists(DIR "/before"));
	ASSERT_EQ(leave(), 0);
}

TEST_F(autoclean, read_only)
{
	int fd;

	mount_with("autoclean");
	close(file_there(DIR "/file"));
	ASSERT_TRUE(goes(DIR "/file"));
	ASSERT_EQ(mknod(DIR "/file", S_IFREG | 0600, 0), 0);
	fd = open(DIR "/file", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(mount("none", DIR, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	close(fd);
	ASSERT_TRUE(stays(DIR "/file"));
	ASSERT_EQ(leave(), 0);
}

/* --- what is opened just then -------------------------------------------- */

static int close_again_and_again(void *arg)
{
	int i;

	for (i = 0; i < 1500; i++)
		close(file_there(DIR "/contested"));
	return 0;
}

/* Who has opened a file by its name has the one that bears it. */
TEST_F(autoclean, not_of_who_opens_it_meanwhile)
{
	struct stat by_fd, by_name;
	int fd, i;
	pid_t pid;

	mount_with("autoclean");
	pid = spawn(close_again_and_again, NULL);
	for (i = 0; i < 1500; i++) {
		fd = file_there(DIR "/contested");
		if (i % 2)
			usleep(100);
		ASSERT_EQ(fstat(fd, &by_fd), 0);
		ASSERT_EQ(by_fd.st_nlink, 1);
		ASSERT_EQ(stat(DIR "/contested", &by_name), 0);
		ASSERT_EQ(by_name.st_ino, by_fd.st_ino);
		close(fd);
	}
	ASSERT_EQ(reap(pid), 0);
	ASSERT_TRUE(goes(DIR "/contested"));
	ASSERT_EQ(leave(), 0);
}

/* What an unlinked file had is there at once, and not when the work item comes by. */
TEST_F(autoclean, unlinked_at_once)
{
	char *map, *all;
	int fd, i;

	mount_with("autoclean");
	for (i = 0; i < 50; i++) {
		fd = file_there(DIR "/file");
		map = map_huge(fd, 0, 3, 0);
		*map = 1;
		ASSERT_EQ(unmap_huge(map, 3), 0);
		close(fd);
		ASSERT_TRUE(unlink(DIR "/file") == 0 || errno == ENOENT);
		/* Unless the work item has been here first, and has not finished. */
		all = map_new(self->before.all.free, 0);
		if (!all)
			usleep(20000);
		else
			ASSERT_EQ(unmap_huge(all, self->before.all.free), 0);
	}
	ASSERT_POOL(0, 0);
	ASSERT_EQ(leave(), 0);
}

static int link_again_and_again(void *arg)
{
	int i;

	for (i = 0; i < 1500; i++) {
		if (link(DIR "/one/file", DIR "/two/file") == 0 && i % 2)
			must(unlink(DIR "/two/file") == 0 || errno == ENOENT);
		rename(DIR "/two/file", DIR "/one/file");
	}
	return 0;
}

/* A name that a file is given just then is one by which it can be opened. */
TEST_F(autoclean, linked_meanwhile)
{
	int fd, i;
	pid_t pid;

	mount_with("autoclean");
	ASSERT_EQ(mkdir(DIR "/one", 0755), 0);
	ASSERT_EQ(mkdir(DIR "/two", 0755), 0);
	pid = spawn(link_again_and_again, NULL);
	for (i = 0; i < 1500; i++)
		close(file_there(DIR "/one/file"));
	ASSERT_EQ(reap(pid), 0);
	fd = open(DIR "/two/file", O_RDWR | O_CLOEXEC);
	ASSERT_TRUE(fd >= 0 || errno == ENOENT);
	close(fd);
	unlink(DIR "/one/file");
	ASSERT_TRUE(goes(DIR "/two/file"));
	ASSERT_EQ(leave(), 0);
}

/* The last of several names. */
TEST_F(autoclean, when_one_name_is_left)
{
	int fd;

	mount_with("autoclean");
	fd = file_there(DIR "/a");
	ASSERT_EQ(link(DIR "/a", DIR "/b"), 0);
	close(fd);
	ASSERT_TRUE(stays(DIR "/a"));
	ASSERT_EQ(unlink(DIR "/a"), 0);
	ASSERT_TRUE(goes(DIR "/b"));
	close(file_there(DIR "/c.tmp"));
	ASSERT_EQ(leave(), 0);
}

/* --- all at once --------------------------------------------------------- */

#define ROUNDS	150

static int open_and_close(void *arg)
{
	unsigned long state = *(unsigned long *)arg;
	char name[64], other[64];
	int fd, i;

	for (i = 0; i < ROUNDS; i++) {
		snprintf(name, sizeof(name), DIR "/%lu", chance_of(&state, 3));
		snprintf(other, sizeof(other), DIR "/%lu", chance_of(&state, 3));
		fd = file_there(name);
		switch (chance_of(&state, 5)) {
		case 0:
			must(rename(name, other) == 0 || errno == ENOENT);
			break;
		case 1:
			must(unlink(name) == 0 || errno == ENOENT);
			break;
		case 2:
			must(link(name, other) == 0 || errno == ENOENT ||
			     errno == EEXIST);
			break;
		default:
			must(pwrite(fd, "x", 1, 0) == 1);
		}
		close(fd);
	}
	return 0;
}

TEST_F_TIMEOUT(autoclean, against_everybody, 90)
{
	unsigned long state = seed_get();
	pid_t pids[4];
	int i;

	mount_with("autoclean");
	for (i = 0; i < 4; i++, state++)
		pids[i] = spawn(open_and_close, &state);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(reap(pids[i]), 0);
	ASSERT_TRUE(selfcheck_ok());
	/* At once, with what is left to do. */
	close(file_there(DIR "/last"));
	ASSERT_EQ(leave(), 0);
}

TEST_HARNESS_MAIN
