// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mount option fork_reserve: a child is promised the pages that its copies
 * need, or the fork is as it is without the option.
 */
#include "rhugefs_test.h"

#define PAGES	4

RHUGEFS_FIXTURE(fork_reserve);

static long touch(long map, long pages, long c)
{
	return touch_pages((char *)map, pages);
}

static long look(long map, long b, long c)
{
	return can_read((char *)map) ? *(char *)map : -1;
}

static long drop(long map, long pages, long c)
{
	return madvise((char *)map, pages * HUGE, MADV_DONTNEED);
}

/* All pages that are left are somebody else's from now on. */
static void take_the_rest(long but)
{
	must(map_new(pool_unpromised() - but, 0));
}

TEST_F(fork_reserve, child_is_promised_its_copies)
{
	char *map = map_private(file_new(), 0, PAGES, 0);
	struct peer child;

	ASSERT_EQ(touch_pages(map, 2), 2);
	ASSERT_POOL(2, 2);
	child = peer_new();
	ASSERT_POOL(2, 2 + PAGES);
	take_the_rest(0);
	/* Pages that were shared, and holes. */
	ASSERT_EQ(peer_call(&child, touch, (long)map, PAGES, 0), PAGES);
	ASSERT_EQ(touch_pages(map, PAGES), PAGES);
	ASSERT_EQ(peer_call(&child, drop, (long)map, 2, 0), 0);
	ASSERT_EQ(peer_call(&child, touch, (long)map, 2, 0), 2);
	peer_exit(&child);
	ASSERT_TRUE(can_read(map));
}

TEST_F(fork_reserve, child_that_writes_nothing_gives_all_back)
{
	char *map = map_private(file_new(), 0, PAGES, 0);
	struct peer child;

	ASSERT_EQ(touch_pages(map, PAGES), PAGES);
	child = peer_new();
	ASSERT_POOL(PAGES, PAGES);
	peer_exit(&child);
	ASSERT_POOL(PAGES, 0);
}

TEST_F(fork_reserve, owner_writes_first)
{
	char *map = map_private(file_new(), 0, PAGES, 0);
	long copied = stat_read("copied"), taken = stat_read("taken_back");
	struct peer child;

	ASSERT_EQ(touch_pages(map, PAGES), PAGES);
	child = peer_new();
	take_the_rest(0);
	/* Nothing is left for a copy but what the child was promised. */
	map[0] = 77;
	ASSERT_EQ(stat_read("copied"), copied + 1);
	ASSERT_EQ(stat_read("taken_back"), taken);
	ASSERT_EQ(peer_call(&child, look, (long)map, 0, 0), 1);
	ASSERT_EQ(peer_call(&child, touch, (long)map, PAGES, 0), PAGES);
	ASSERT_EQ(map[0], 77);
	peer_exit(&child);
}

TEST_F(fork_reserve, pinned_page_is_copied_at_once)
{
	char *map = map_private(file_new(), 0, PAGES, 0);
	struct pin pin = pin_new();
	struct peer child;

	ASSERT_EQ(touch_pages(map, 2), 2);
	pin_add(&pin, map, 4096);
	child = peer_new();
	/* Out of what the child was promised. */
	ASSERT_POOL(3, 2 + PAGES - 1);
	ASSERT_EQ(peer_call(&child, look, (long)map, 0, 0), 1);
	map[0] = 9;
	ASSERT_POOL(3, 2 + PAGES - 1);
	ASSERT_EQ(peer_call(&child, look, (long)map, 0, 0), 1);
	peer_exit(&child);
	pin_end(&pin);
}

TEST_F(fork_reserve, grandchildren_too)
{
	char *map = map_private(file_new(), 0, PAGES, 0);
	struct peer child;
	pid_t pid;

	ASSERT_EQ(touch_pages(map, PAGES), PAGES);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		child = peer_new();
		/* Each of the three has a page for each index. */
		must(pool_read().resv == 2 * PAGES);
		must(peer_call(&child, touch, (long)map, PAGES, 0) == PAGES);
		must(pool_read().resv == PAGES);
		must(touch_pages(map, PAGES) == PAGES);
		peer_exit(&child);
		_exit(0);
	}
	ASSERT_EQ(reap(pid), 0);
	ASSERT_POOL(PAGES, 0);
}

TEST_F(fork_reserve, pool_cannot_cover_it)
{
	char *map = map_private(file_new(), 0, PAGES, 0);
	long unreserved = stat_read("fork_unreserved");
	struct peer child;

	ASSERT_EQ(touch_pages(map, PAGES), PAGES);
	take_the_rest(PAGES - 1);
	child = peer_new();
	ASSERT_EQ(stat_read("fork_unreserved"), unreserved + 1);
	ASSERT_EQ(peer_call(&child, touch, (long)map, PAGES, 0), PAGES - 1);
	ASSERT_EQ(touch_pages(map, PAGES), PAGES);
	peer_exit(&child);
}

TEST_F(fork_reserve, unreserved_mapping_stays_so)
{
	char *map = map_private(file_new(), 0, PAGES, MAP_NORESERVE);
	struct peer child;

	ASSERT_EQ(touch_pages(map, PAGES), PAGES);
	child = peer_new();
	ASSERT_POOL(PAGES, 0);
	peer_exit(&child);
}

TEST_F(fork_reserve, mounts_show_it)
{
	char options[4096];
	FILE *mounts = fopen("/proc/mounts", "r");
	bool found = false;

	ASSERT_NE(mounts, NULL);
	while (fgets(options, sizeof(options), mounts))
		found |= strstr(options, mnt_dir()) &&
			 strstr(options, ",fork_reserve");
	fclose(mounts);
	ASSERT_TRUE(found);
}

TEST_HARNESS_MAIN
