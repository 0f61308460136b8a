// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private mappings: what they promise, what they consume, and who sees what. One
 * step at a time; races are in private_race.c.
 */
#include "rhugefs_test.h"

RHUGEFS_FIXTURE(private);

/* --- orders to a child, who inherits the caller's mappings ---------------- */

static long try_write(long map, long value, long c)
{
	return can_write_value((char *)map, value);
}

/* The byte there, or -1 where that is SIGBUS. */
static long look(long map, long b, long c)
{
	return can_read((char *)map) ? *(char *)map : -1;
}

static long unmap(long map, long pages, long c)
{
	return unmap_huge((char *)map, pages) ? -errno : 0;
}

static long child_write(const struct peer *peer, char *at, char value)
{
	return peer_call(peer, try_write, (long)at, value, 0);
}

static long child_look(const struct peer *peer, char *at)
{
	return peer_call(peer, look, (long)at, 0, 0);
}

static int drop(char *map, size_t bytes)
{
	return madvise(map, bytes, MADV_DONTNEED);
}

/* --- promises ------------------------------------------------------------ */

TEST_F(private, mmap_reserves_for_itself)
{
	int fd = file_new();
	char *one = map_private(fd, 0, 3, 0), *two;

	ASSERT_NE(one, NULL);
	ASSERT_POOL(0, 3);
	ASSERT_EQ(lseek(fd, 0, SEEK_END), 3 * HUGE);
	/* The same range once more is another promise. */
	two = map_private(fd, 0, 3, 0);
	ASSERT_NE(two, NULL);
	ASSERT_POOL(0, 6);
	ASSERT_EQ(touch_pages(one, 2), 2);
	ASSERT_POOL(2, 4);
	ASSERT_EQ(unmap_huge(one, 3), 0);
	ASSERT_POOL(0, 3);
	ASSERT_EQ(unmap_huge(two, 3), 0);
	ASSERT_POOL(0, 0);
}

TEST_F(private, mmap_refuses_what_is_not_there)
{
	long all = pool_unpromised();
	int fd = file_new();
	char *map;

	ASSERT_EQ(map_private(fd, 0, all + 1, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_EQ(lseek(fd, 0, SEEK_END), 0);
	ASSERT_POOL(0, 0);
	map = map_private(fd, 0, all, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(map_private(fd, 0, 1, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_EQ(touch_pages(map, all), all);
	ASSERT_POOL(all, 0);
}

TEST_F(private, noreserve_takes_what_is_left)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 4, MAP_NORESERVE);
	long all = pool_unpromised();
	char *rest;

	ASSERT_NE(map, NULL);
	ASSERT_POOL(0, 0);
	ASSERT_EQ(touch_pages(map, 2), 2);
	ASSERT_POOL(2, 0);
	rest = map_private(fd, 0, all - 2, 0);
	ASSERT_NE(rest, NULL);
	ASSERT_FALSE(can_write(map + 2 * HUGE));
	ASSERT_POOL(2, all - 2);
}

/* --- who sees what ------------------------------------------------------- */

TEST_F(private, writes_stay_here)
{
	int fd = file_new();
	char *file = map_huge(fd, 0, 2, 0);
	char *mine = map_private(fd, 0, 2, 0);

	ASSERT_NE(file, NULL);
	ASSERT_NE(mine, NULL);
	file[5] = 1;
	ASSERT_EQ(mine[5], 1);
	/* Neither the file's page nor a hole costs a page to read. */
	ASSERT_EQ(mine[HUGE], 0);
	ASSERT_POOL(1, 3);
	file[6] = 2;
	ASSERT_EQ(mine[6], 2);
	file[HUGE + 7] = 3;
	ASSERT_EQ(mine[HUGE + 7], 3);
	ASSERT_POOL(2, 2);

	mine[5] = 9;
	ASSERT_EQ(file[5], 1);
	ASSERT_EQ(mine[6], 2);
	ASSERT_POOL(3, 1);
	file[6] = 4;
	ASSERT_EQ(mine[6], 2);
	ASSERT_EQ(mine[HUGE + 7], 3);
}

TEST_F(private, hole_then_write)
{
	int fd = file_new();
	char *mine = map_private(fd, 0, 2, 0);

	ASSERT_NE(mine, NULL);
	ASSERT_TRUE(bytes_are(mine, 0, 2 * HUGE));
	ASSERT_POOL(0, 2);
	mine[HUGE] = 1;
	ASSERT_POOL(1, 1);
	ASSERT_TRUE(bytes_are(mine + HUGE + 1, 0, HUGE - 1));
	ASSERT_TRUE(bytes_are(mine, 0, HUGE));
}

/* --- fork ---------------------------------------------------------------- */

TEST_F(private, child_writes_a_copy)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 2, 0);
	struct peer child;

	map[0] = 1;
	child = peer_new();
	ASSERT_POOL(1, 1);
	ASSERT_EQ(child_look(&child, map), 1);
	ASSERT_TRUE(child_write(&child, map, 2));
	ASSERT_POOL(2, 1);
	ASSERT_EQ(map[0], 1);
	ASSERT_EQ(child_look(&child, map), 2);
	/* The last holder needs no copy. */
	map[0] = 3;
	ASSERT_POOL(2, 1);
	ASSERT_EQ(child_look(&child, map), 2);
	peer_exit(&child);
	ASSERT_POOL(1, 1);
}

TEST_F(private, parent_writes_a_copy)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 1, 0);
	struct peer child;

	map[0] = 1;
	child = peer_new();
	map[0] = 2;
	ASSERT_POOL(2, 0);
	ASSERT_EQ(child_look(&child, map), 1);
	ASSERT_TRUE(child_write(&child, map, 3));
	ASSERT_POOL(2, 0);
	ASSERT_EQ(map[0], 2);
	peer_exit(&child);
	ASSERT_POOL(1, 0);
}

TEST_F(private, child_outlives_the_mapping)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 2, 0);
	struct peer child;

	ASSERT_EQ(touch_pages(map, 2), 2);
	child = peer_new();
	ASSERT_EQ(unmap_huge(map, 2), 0);
	ASSERT_POOL(2, 0);
	ASSERT_EQ(child_look(&child, map + HUGE), 2);
	ASSERT_TRUE(child_write(&child, map, 5));
	ASSERT_POOL(2, 0);
	ASSERT_EQ(peer_call(&child, unmap, (long)map, 2, 0), 0);
	ASSERT_POOL(0, 0);
	peer_exit(&child);
}

TEST_F(private, owner_takes_the_page_back)
{
	long all = pool_unpromised();
	int fd = file_new(), log = log_open();
	char *map = map_private(fd, 0, all, 0);
	struct peer child;

	ASSERT_EQ(touch_pages(map, all), all);
	child = peer_new();
	ASSERT_EQ(child_look(&child, map), 1);
	ASSERT_TRUE(can_write_value(map, 77));
	ASSERT_EQ(child_look(&child, map), -1);
	ASSERT_FALSE(child_write(&child, map, 1));
	ASSERT_TRUE(log_names(log, "SIGBUS"));
	/* What was not taken is still to be read, but not to be written. */
	ASSERT_EQ(child_look(&child, map + HUGE), 2);
	ASSERT_FALSE(child_write(&child, map + HUGE, 1));
	ASSERT_EQ(child_look(&child, map + HUGE), 2);
	ASSERT_POOL(all, 0);
	ASSERT_EQ(map[0], 77);
	peer_exit(&child);
	ASSERT_POOL(all, 0);
}

/* --- dropping ------------------------------------------------------------ */

TEST_F(private, dropped_shows_the_file_again)
{
	int fd = file_new();
	char *file = map_huge(fd, 0, 1, 0);
	char *map = map_private(fd, 0, 3, 0);

	file[0] = 1;
	ASSERT_EQ(touch_pages(map, 3), 3);
	map[0] = 9;
	ASSERT_POOL(4, 0);
	ASSERT_EQ(drop(map, HUGE), 0);
	ASSERT_EQ(map[0], 1);
	ASSERT_POOL(3, 1);
	ASSERT_EQ(drop(map + HUGE, 2 * HUGE), 0);
	ASSERT_EQ(map[HUGE], 0);
	ASSERT_POOL(1, 3);
	ASSERT_EQ(touch_pages(map, 3), 3);
	/* Before anybody else has looked. */
	ASSERT_EQ(drop(map, 3 * HUGE), 0);
	map[HUGE + 1] = 4;
	ASSERT_EQ(map[HUGE], 0);
	ASSERT_EQ(map[0], 1);
	ASSERT_POOL(2, 2);
}

TEST_F(private, dropping_a_part_drops_nothing)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 3, 0);

	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_EQ(drop(map, 4096), 0);
	ASSERT_EQ(drop(map + HUGE - 4096, 4096), 0);
	ASSERT_EQ(map[0], 1);
	ASSERT_EQ(drop(map + 4096, HUGE - 4096), 0);
	ASSERT_EQ(map[0], 1);
	/* Of three pages only the one in the middle is covered as a whole. */
	ASSERT_EQ(drop(map + 4096, 3 * HUGE - 8192), 0);
	ASSERT_EQ(map[0], 1);
	ASSERT_EQ(map[HUGE], 0);
	ASSERT_EQ(map[2 * HUGE], 3);
	ASSERT_POOL(2, 1);
}

TEST_F(private, dropped_while_a_child_holds_it)
{
	long all = pool_unpromised();
	int fd = file_new();
	char *map = map_private(fd, 0, all, 0);
	struct peer child;

	ASSERT_EQ(touch_pages(map, all), all);
	child = peer_new();
	ASSERT_EQ(drop(map, HUGE), 0);
	ASSERT_EQ(map[0], 0);
	ASSERT_EQ(child_look(&child, map), 1);
	ASSERT_TRUE(can_write_value(map, 5));
	ASSERT_EQ(child_look(&child, map), -1);
	ASSERT_POOL(all, 0);
	peer_exit(&child);
}

TEST_F(private, truncated)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 3, 0);

	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_EQ(ftruncate(fd, HUGE), 0);
	ASSERT_POOL(1, 2);
	ASSERT_FALSE(can_read(map + HUGE));
	ASSERT_EQ(map[0], 1);
	ASSERT_EQ(ftruncate(fd, 3 * HUGE), 0);
	ASSERT_EQ(map[2 * HUGE], 0);
	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_POOL(3, 0);
}

/* --- pieces -------------------------------------------------------------- */

TEST_F(private, unmapped_in_parts)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 6, 0);

	ASSERT_EQ(touch_pages(map + HUGE, 2), 2);
	ASSERT_POOL(2, 4);
	ASSERT_EQ(unmap_huge(map + 2 * HUGE, 2), 0);
	ASSERT_POOL(1, 3);
	ASSERT_EQ(mprotect(map + HUGE, HUGE, PROT_READ), 0);
	ASSERT_POOL(1, 3);
	ASSERT_EQ(unmap_huge(map, 6), 0);
	ASSERT_POOL(0, 0);
}

TEST_F(private, moved)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 4, 0), *to, *part;

	ASSERT_EQ(touch_pages(map, 2), 2);
	to = mmap(NULL, 16 * HUGE, PROT_NONE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	to = (char *)(((unsigned long)to + HUGE - 1) & ~(HUGE - 1));
	ASSERT_EQ(mremap(map, 4 * HUGE, 4 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 to), to);
	ASSERT_POOL(2, 2);
	ASSERT_EQ(to[HUGE], 2);
	/* A part of it, then both parts are written. */
	part = to + 8 * HUGE;
	ASSERT_EQ(mremap(to + HUGE, 2 * HUGE, 2 * HUGE,
			 MREMAP_MAYMOVE | MREMAP_FIXED, part), part);
	ASSERT_POOL(2, 2);
	ASSERT_EQ(part[0], 2);
	ASSERT_EQ(touch_pages(part, 2), 2);
	ASSERT_POOL(3, 1);
	ASSERT_EQ(unmap_huge(part, 2), 0);
	ASSERT_POOL(1, 1);
	ASSERT_EQ(to[0], 1);
	ASSERT_EQ(unmap_huge(to, 4), 0);
	ASSERT_POOL(0, 0);
}

TEST_HARNESS_MAIN
