// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mount options size and min_size: what a mount may use of the pool, and what is
 * kept for it. Each test mounts for itself, beside the mount that is there.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "own_mount.h"

#define DIR	"/tmp/subpool"

RHUGEFS_FIXTURE(subpool);

/* Mount, with an errno where that is refused. */
static int mount_with(const char *options)
{
	must(mkdir(DIR, 0755) == 0 || errno == EEXIST);
	return mount("none", DIR, "rhugefs", 0, options) ? errno : 0;
}

static int remount_with(const char *options)
{
	return mount("none", DIR, NULL, MS_REMOUNT, options) ? errno : 0;
}

static int file_there(void)
{
	int fd = open(DIR, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	must(fd >= 0);
	return fd;
}

/* Total and free huge pages, as statfs() has them. */
static bool shows(long total, long free)
{
	struct statfs fs;

	must(statfs(DIR, &fs) == 0);
	if (fs.f_blocks == total && fs.f_bfree == free && fs.f_bavail == free)
		return true;
	printf("# shown: %ld of %ld free\n", (long)fs.f_bfree,
	       (long)fs.f_blocks);
	return false;
}

/* The options in force, as /proc/mounts has them. */
static bool options_have(const char *wanted)
{
	return line_has("/proc/mounts", " " DIR " ", wanted);
}

static long try_write(long map, long value, long c)
{
	return can_write_value((char *)map, value);
}

static int leave(void)
{
	return umount(DIR) ? errno : 0;
}

/* --- the maximum --------------------------------------------------------- */

TEST_F(subpool, size_bounds_what_is_reserved_and_used)
{
	char *map, *more;
	int fd;

	ASSERT_EQ(mount_with("size=16M"), 0);
	ASSERT_TRUE(options_have(",size=16M"));
	ASSERT_TRUE(shows(8, 8));
	fd = file_there();
	ASSERT_EQ(map_huge(fd, 0, 9, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_POOL(0, 0);
	map = map_huge(fd, 0, 6, 0);
	ASSERT_NE(map, NULL);
	ASSERT_TRUE(shows(8, 2));
	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_TRUE(shows(8, 2));
	ASSERT_EQ(fallocate(fd, 0, 6 * HUGE, 3 * HUGE), -1);
	ASSERT_EQ(errno, ENOSPC);
	ASSERT_EQ(fallocate(fd, 0, 6 * HUGE, HUGE), 0);
	ASSERT_POOL(4, 3);
	/* Not reserved, and the last one. */
	more = map_huge(file_there(), 0, 2, MAP_NORESERVE);
	ASSERT_TRUE(can_write(more));
	ASSERT_FALSE(can_write(more + HUGE));
	ASSERT_TRUE(shows(8, 0));
	ASSERT_EQ(ftruncate(fd, 2 * HUGE), 0);
	ASSERT_TRUE(shows(8, 5));
	ASSERT_TRUE(can_write(more + HUGE));
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_POOL(4, 0);
	umount2(DIR, MNT_DETACH);
}

TEST_F(subpool, size_bounds_private_mappings)
{
	struct peer child;
	char *map;

	ASSERT_EQ(mount_with("size=8M"), 0);
	map = map_private(file_there(), 0, 3, 0);
	ASSERT_NE(map, NULL);
	ASSERT_TRUE(shows(4, 1));
	ASSERT_EQ(touch_pages(map, 3), 3);
	child = peer_new();
	/* One copy fits, be the pool as large as it may. */
	ASSERT_TRUE(peer_call(&child, try_write, (long)map, 9, 0));
	ASSERT_TRUE(shows(4, 0));
	ASSERT_FALSE(peer_call(&child, try_write, (long)(map + HUGE), 9, 0));
	/* The owner goes on, at the child's expense. */
	ASSERT_TRUE(can_write_value(map + 2 * HUGE, 7));
	ASSERT_TRUE(selfcheck_ok());
	peer_exit(&child);
	ASSERT_TRUE(shows(4, 1));
	umount2(DIR, MNT_DETACH);
}

TEST_F(subpool, share_of_the_pool)
{
	long all = self->before.all.nr;

	ASSERT_EQ(mount_with("size=50%,min_size=25%"), 0);
	ASSERT_TRUE(shows(all / 2, all / 2));
	ASSERT_POOL(0, all / 4);
	ASSERT_EQ(leave(), 0);
	ASSERT_EQ(mount_with("size=3M"), 0);
	ASSERT_TRUE(shows(1, 1));
	ASSERT_EQ(leave(), 0);
}

/* --- the minimum --------------------------------------------------------- */

TEST_F(subpool, minimum_is_kept)
{
	long all = pool_unpromised();
	char *map, *theirs;
	int fd;

	ASSERT_EQ(mount_with("min_size=6M"), 0);
	ASSERT_TRUE(options_have(",min_size=6M"));
	ASSERT_POOL(0, 3);
	ASSERT_TRUE(shows(all, all));
	/* Of 5 the 3 that are kept come first, 2 from the pool. */
	fd = file_there();
	map = map_huge(fd, 0, 5, 0);
	ASSERT_NE(map, NULL);
	ASSERT_POOL(0, 5);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_POOL(0, 3);
	/* Nobody else gets them, and they are there when all else is gone. */
	ASSERT_EQ(map_new(all - 2, 0), NULL);
	theirs = map_new(all - 3, 0);
	ASSERT_NE(theirs, NULL);
	ASSERT_NE(map_huge(fd, 0, 1, 0), NULL);
	map = map_huge(file_there(), 0, 2, MAP_NORESERVE);
	ASSERT_EQ(touch_pages(map, 2), 2);
	ASSERT_POOL(2, all - 2);
	ASSERT_EQ(map_huge(fd, 0, 2, 0), NULL);
	ASSERT_TRUE(selfcheck_ok());
	umount2(DIR, MNT_DETACH);
}

TEST_F(subpool, freed_pages_fill_the_minimum_first)
{
	long all = pool_unpromised();
	char *map, *theirs;
	int fd;

	ASSERT_EQ(mount_with("min_size=6M"), 0);
	fd = file_there();
	map = map_huge(fd, 0, 5, 0);
	ASSERT_EQ(touch_pages(map, 5), 5);
	theirs = map_new(all - 5, 0);
	ASSERT_NE(theirs, NULL);
	ASSERT_EQ(ftruncate(fd, HUGE), 0);
	/* 1 used and 2 kept; 2 went back. */
	ASSERT_POOL(1, all - 5 + 2);
	ASSERT_EQ(map_new(3, 0), NULL);
	ASSERT_NE(map_new(2, 0), NULL);
	ASSERT_TRUE(selfcheck_ok());
	umount2(DIR, MNT_DETACH);
}

TEST_F(subpool, minimum_that_is_not_there)
{
	long all = pool_unpromised();
	char options[64];
	int log = log_open();

	snprintf(options, sizeof(options), "min_size=%ldM", 2 * (all + 1));
	ASSERT_EQ(mount_with(options), ENOMEM);
	ASSERT_TRUE(log_names(log, "min_size"));
	ASSERT_POOL(0, 0);
	ASSERT_EQ(mount_with("min_size=100%"), 0);
	ASSERT_POOL(0, all);
	ASSERT_EQ(map_new(1, 0), NULL);
	ASSERT_EQ(leave(), 0);
	ASSERT_POOL(0, 0);
}

TEST_F(subpool, pinned_when_unmounted)
{
	struct pin pin = pin_new();
	char *map;
	int fd;

	ASSERT_EQ(mount_with("size=8M,min_size=4M"), 0);
	fd = file_there();
	map = map_huge(fd, 0, 1, 0);
	*map = 1;
	pin_add(&pin, map, 4096);
	ASSERT_EQ(unmap_huge(map, 1), 0);
	close(fd);
	/* Parked, it is in use: of the minimum one is kept. */
	ASSERT_POOL(1, 1);
	ASSERT_TRUE(shows(4, 3));
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_EQ(leave(), 0);
	ASSERT_POOL(1, 0);
	ASSERT_TRUE(selfcheck_ok());
	pin_end(&pin);
	ASSERT_POOL(0, 0);
}

/* --- changing them ------------------------------------------------------- */

TEST_F(subpool, remount)
{
	long all = pool_unpromised();
	char options[64];
	char *map;
	int log;

	ASSERT_EQ(mount_with("size=16M,min_size=4M"), 0);
	map = map_huge(file_there(), 0, 4, 0);
	ASSERT_EQ(touch_pages(map, 1), 1);
	ASSERT_POOL(1, 3);
	/* Larger, smaller, and not below what is used. */
	ASSERT_EQ(remount_with("size=20M"), 0);
	ASSERT_TRUE(shows(10, 6));
	ASSERT_EQ(remount_with("min_size=12M"), 0);
	ASSERT_POOL(1, 5);
	ASSERT_EQ(remount_with("size=8M,min_size=8M"), 0);
	ASSERT_POOL(1, 3);
	ASSERT_TRUE(shows(4, 0));
	log = log_open();
	ASSERT_EQ(remount_with("size=6M,min_size=2M"), EINVAL);
	ASSERT_TRUE(log_names(log, "size"));
	ASSERT_EQ(remount_with("min_size=10M"), EINVAL);
	ASSERT_TRUE(log_names(log, "min_size"));
	ASSERT_TRUE(shows(4, 0));
	ASSERT_TRUE(options_have(",size=8M,min_size=8M"));
	/* What cannot be kept changes nothing, nor what is named beside it. */
	snprintf(options, sizeof(options),
		 "nr_inodes=50,size=%ldM,min_size=%ldM", 4 * all,
		 2 * (all + 1));
	ASSERT_EQ(remount_with(options), ENOMEM);
	ASSERT_TRUE(options_have(",size=8M,min_size=8M"));
	ASSERT_FALSE(options_have("nr_inodes"));
	ASSERT_POOL(1, 3);
	ASSERT_TRUE(selfcheck_ok());
	umount2(DIR, MNT_DETACH);
}

/* --- all at once --------------------------------------------------------- */

#define WORKERS		4
#define ROUNDS		60
#define LIMIT		10

struct crowd {
	unsigned long seed;
	int nr;
};

/* Map, touch and cut files of a mount that has less than all of them want. */
static int work(void *arg)
{
	struct crowd *crowd = arg;
	unsigned long state = crowd->seed + crowd->nr, pages, touched;
	char *map;
	int fd, i;

	for (i = 0; i < ROUNDS; i++) {
		fd = file_there();
		pages = 1 + chance_of(&state, 6);
		if (chance_of(&state, 2))
			map = map_huge(fd, 0, pages, 0);
		else
			map = map_private(fd, 0, pages, 0);
		must(map || errno == ENOMEM);
		if (map) {
			/* Who was told yes is not refused. */
			touched = chance_of(&state, pages + 1);
			must(touch_pages(map, touched) == touched);
			must(unmap_huge(map, pages) == 0);
		}
		close(fd);
	}
	return 0;
}

TEST_F(subpool, many_want_more_than_there_is)
{
	struct crowd crowd = { .seed = seed_get() };
	pid_t pids[WORKERS];
	int i;

	ASSERT_EQ(mount_with("size=20M,min_size=8M"), 0);
	for (i = 0; i < WORKERS; i++) {
		crowd.nr = i;
		pids[i] = spawn(work, &crowd);
	}
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(remount_with(i % 2 ? "min_size=8M" : "min_size=14M"),
			  0);
		usleep(20000);
	}
	for (i = 0; i < WORKERS; i++)
		ASSERT_EQ(reap(pids[i]), 0);
	ASSERT_TRUE(shows(LIMIT, LIMIT));
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_EQ(leave(), 0);
}

TEST_HARNESS_MAIN
