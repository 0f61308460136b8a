// SPDX-License-Identifier: GPL-2.0-only
/*
 * What private mappings cost, in zeroed and copied huge pages as the module counts
 * them: no work that could have been spared.
 */
#include "pool_size.h"
#include "private_test.h"

RHUGEFS_FIXTURE(cost);

struct cost {
	long zeroed;
	long copied;
};

static struct cost cost_now(void)
{
	return (struct cost){ stat_read("zeroed"), stat_read("copied") };
}

static bool cost_is(struct cost *since, long zeroed, long copied)
{
	struct cost now = cost_now();
	bool is = now.zeroed - since->zeroed == zeroed &&
		  now.copied - since->copied == copied;

	if (!is)
		dprintf(STDOUT_FILENO, "# %ld zeroed, %ld copied\n",
			now.zeroed - since->zeroed, now.copied - since->copied);
	*since = now;
	return is;
}

/* Every page has been used, so that none is known to hold zeroes, nor is made so. */
static void use_all(void)
{
	unsigned long all = pool_unpromised();
	char *map = map_new(all, 0);

	must(map && touch_pages(map, all) == all);
	must(watermarks(0, 0) == 0);
	must(unmap_huge(map, all) == 0);
}

TEST_F(cost, without_fork)
{
	char *file, *map;
	struct cost cost;
	int fd;

	use_all();
	fd = file_new();
	file = map_huge(fd, 3, 1, 0);
	map = map_private(fd, 0, 4, 0);
	cost = cost_now();
	/* To read costs nothing. */
	ASSERT_EQ(map[0], 0);
	ASSERT_TRUE(cost_is(&cost, 0, 0));
	/* To write to a hole: one zeroing, read before or not. */
	map[0] = 1;
	map[HUGE] = 1;
	ASSERT_TRUE(cost_is(&cost, 2, 0));
	/* In place of the file's page: one copy, and no zeroing for it. */
	file[0] = 1;
	ASSERT_TRUE(cost_is(&cost, 1, 0));
	map[3 * HUGE] = 2;
	ASSERT_TRUE(cost_is(&cost, 0, 1));
	/* Once is enough. */
	map[0] = 2;
	ASSERT_EQ(mprotect(map, HUGE, PROT_READ), 0);
	ASSERT_EQ(mprotect(map, HUGE, PROT_READ | PROT_WRITE), 0);
	map[0] = 3;
	ASSERT_TRUE(cost_is(&cost, 0, 0));
}

static int just_exit(void *arg)
{
	return 0;
}

static int exec_true(void *arg)
{
	char *const argv[] = { "true", NULL };

	execv("/bin/true", argv);
	return 2;
}

TEST_F(cost, of_children_that_are_gone)
{
	char *map = map_private(file_new(), 0, 4, 0);
	struct cost cost;

	ASSERT_EQ(touch_pages(map, 4), 4);
	cost = cost_now();
	ASSERT_EQ(reap(spawn(just_exit, NULL)), 0);
	ASSERT_EQ(touch_pages(map, 4), 4);
	ASSERT_EQ(reap(spawn(exec_true, NULL)), 0);
	ASSERT_EQ(touch_pages(map, 4), 4);
	ASSERT_TRUE(cost_is(&cost, 0, 0));
	ASSERT_POOL(4, 0);
}

TEST_F(cost, of_one_that_lives)
{
	char *map = map_private(file_new(), 0, 2, 0);
	struct cost cost;
	struct peer child;

	ASSERT_EQ(touch_pages(map, 2), 2);
	cost = cost_now();
	child = peer_new();
	ASSERT_EQ(peer_look(&child, map), 1);
	ASSERT_TRUE(cost_is(&cost, 0, 0));
	/* Two want one each: one copy. */
	map[0] = 2;
	ASSERT_TRUE(peer_write(&child, map, 3));
	map[0] = 4;
	ASSERT_TRUE(cost_is(&cost, 0, 1));
	/* What one has dropped the other has for itself. */
	ASSERT_TRUE(peer_unmap(&child, map + HUGE, 1));
	map[HUGE] = 5;
	ASSERT_TRUE(cost_is(&cost, 0, 0));
	peer_exit(&child);
}

TEST_HARNESS_MAIN
