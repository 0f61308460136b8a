// SPDX-License-Identifier: GPL-2.0-only
/*
 * The size of the pool while it is used: nr_hugepages, in all and by node, and surplus
 * pages. Every test leaves the pool as large as it found it.
 */
#include "pool_size.h"

FIXTURE(resize) {
	struct pools before;
};

static long nr(void)
{
	return pool_read().nr;
}

static long nr_on(int nid)
{
	return pool_read_node(nid).nr;
}

FIXTURE_SETUP(resize)
{
	self->before = pools_read();
	ASSERT_EQ(self->before.nr_nodes, 2);
	ASSERT_EQ(self->before.all.free, self->before.all.nr);
}

/* In the parent: what the test had mapped is gone by now. */
FIXTURE_TEARDOWN_PARENT(resize)
{
	EXPECT_TRUE(pool_size_restored(&self->before));
}

/* --- what is asked for --------------------------------------------------- */

TEST_F(resize, total_is_spread_evenly)
{
	ASSERT_EQ(resize(140), 0);
	ASSERT_EQ(nr(), 140);
	ASSERT_EQ(nr_on(0), 70);
	ASSERT_EQ(resize(101), 0);
	ASSERT_EQ(nr(), 101);
	ASSERT_LE(50, nr_on(0));
	ASSERT_LE(50, nr_on(1));
	ASSERT_EQ(resize(0), 0);
	ASSERT_EQ(nr(), 0);
	ASSERT_EQ(map_new(1, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_EQ(resize(6), 0);
	ASSERT_EQ(nr_on(1), 3);
	ASSERT_NE(map_new(6, 0), NULL);
	ASSERT_TRUE(selfcheck_ok());
}

TEST_F(resize, node_by_node)
{
	ASSERT_EQ(resize_node(0, 80), 0);
	ASSERT_EQ(nr_on(0), 80);
	ASSERT_EQ(nr_on(1), self->before.node[1].nr);
	ASSERT_EQ(resize_node(1, 2), 0);
	ASSERT_EQ(nr_on(1), 2);
	ASSERT_EQ(nr(), 82);
	/* What is uneven becomes more even. */
	ASSERT_EQ(resize(100), 0);
	ASSERT_EQ(nr_on(0), 80);
	ASSERT_EQ(nr_on(1), 20);
	ASSERT_EQ(resize(70), 0);
	ASSERT_EQ(nr_on(0), 50);
	ASSERT_EQ(nr_on(1), 20);
}

TEST_F(resize, malformed)
{
	static const char *const bad[] = {
		"x\n", "\n", " ", "-1\n", "1 2\n", "0x\n", "4M\n", "1:3\n",
		"18446744073709551616\n",
	};
	int log, i;

	for (i = 0; i < (int)(sizeof(bad) / sizeof(*bad)); i++) {
		log = log_open();
		EXPECT_EQ(write_count("", "nr_hugepages", bad[i]), EINVAL);
		EXPECT_TRUE(log_names(log, "nr_hugepages="));
		EXPECT_EQ(write_count("/node1", "nr_hugepages", bad[i]),
			  EINVAL);
		EXPECT_EQ(write_count("", "nr_overcommit_hugepages", bad[i]),
			  EINVAL);
		EXPECT_TRUE(log_names(log, "nr_overcommit_hugepages="));
		close(log);
	}
	EXPECT_EQ(nr(), self->before.all.nr);
	EXPECT_NE(access(POOL_SYSFS "/node0/nr_overcommit_hugepages", F_OK),
		  0);
}

TEST_F(resize, more_than_there_is)
{
	int log = log_open();

	ASSERT_EQ(resize_node(1, 1000000), 0);
	ASSERT_LT(nr_on(1), 1000000);
	ASSERT_LT(self->before.node[1].nr, nr_on(1));
	ASSERT_TRUE(log_names(log, "node1"));
	ASSERT_EQ(resize(self->before.all.nr), 0);
	ASSERT_EQ(nr(), self->before.all.nr);
}

/* --- what is in the way -------------------------------------------------- */

TEST_F(resize, reserved_pages_stay)
{
	char *map = map_new(100, 0);
	int log = log_open();

	ASSERT_NE(map, NULL);
	ASSERT_EQ(resize(10), 0);
	ASSERT_TRUE(log_names(log, "surplus"));
	/* All that was promised, and no more. */
	ASSERT_EQ(nr(), 100);
	ASSERT_EQ(surplus(), 90);
	ASSERT_EQ(map_new(1, 0), NULL);
	ASSERT_EQ(touch_pages(map, 100), 100);
	ASSERT_EQ(nr(), 100);
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_EQ(unmap_huge(map, 100), 0);
	ASSERT_EQ(nr(), 10);
	ASSERT_EQ(surplus(), 0);
}

TEST_F(resize, surplus_pages_can_stay_after_all)
{
	char *map = map_new(60, 0);

	ASSERT_EQ(touch_pages(map, 60), 60);
	ASSERT_EQ(resize(20), 0);
	ASSERT_EQ(surplus(), 40);
	ASSERT_EQ(resize(50), 0);
	ASSERT_EQ(surplus(), 10);
	ASSERT_EQ(nr(), 60);
	ASSERT_EQ(unmap_huge(map, 60), 0);
	ASSERT_EQ(nr(), 50);
	ASSERT_EQ(surplus(), 0);
}

TEST_F(resize, private_pages_too)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 30, 0);

	ASSERT_EQ(touch_pages(map, 20), 20);
	ASSERT_EQ(resize(0), 0);
	ASSERT_EQ(nr(), 30);
	ASSERT_EQ(surplus(), 30);
	ASSERT_EQ(madvise(map, 5 * HUGE, MADV_DONTNEED), 0);
	ASSERT_EQ(touch_pages(map, 30), 30);
	ASSERT_EQ(unmap_huge(map, 30), 0);
	ASSERT_EQ(nr(), 0);
}

TEST_F(resize, pinned_page)
{
	struct pin pin = pin_new();
	char *map = map_new(1, 0);
	long end;

	*map = 1;
	pin_add(&pin, map, 4096);
	ASSERT_EQ(unmap_huge(map, 1), 0);
	ASSERT_EQ(resize(0), 0);
	ASSERT_EQ(nr(), 1);
	ASSERT_EQ(surplus(), 1);
	pin_end(&pin);
	for (end = now_ms() + POOL_PATIENCE; nr() && now_ms() < end; )
		usleep(20000);
	ASSERT_EQ(nr(), 0);
}

/* --- surplus pages on demand --------------------------------------------- */

TEST_F(resize, reservations_beyond_the_pool)
{
	long all = pool_unpromised();
	char *map;

	ASSERT_EQ(map_new(all + 1, 0), NULL);
	ASSERT_EQ(overcommit(5), 0);
	ASSERT_EQ(map_new(all + 6, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_EQ(surplus(), 0);
	ASSERT_EQ(nr(), all);
	map = map_new(all + 5, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(surplus(), 5);
	ASSERT_EQ(map_new(1, 0), NULL);
	/* A limit that comes later takes nothing away. */
	ASSERT_EQ(overcommit(0), 0);
	ASSERT_EQ(touch_pages(map, all + 5), all + 5);
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_EQ(unmap_huge(map, all + 5), 0);
	ASSERT_EQ(surplus(), 0);
	ASSERT_EQ(nr(), all);
}

TEST_F(resize, faults_beyond_the_pool)
{
	char *map = map_new(4, MAP_NORESERVE), *mine;
	struct peer child;

	ASSERT_EQ(resize(0), 0);
	ASSERT_FALSE(can_write(map));
	ASSERT_EQ(overcommit(3), 0);
	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_FALSE(can_write(map + 3 * HUGE));
	ASSERT_EQ(surplus(), 3);
	ASSERT_EQ(unmap_huge(map, 4), 0);
	ASSERT_EQ(nr(), 0);
	mine = map_private(file_new(), 0, 1, 0);
	ASSERT_TRUE(can_write(mine));
	child = peer_new();
	/* The copy of a parent. */
	ASSERT_TRUE(can_write_value(mine, 3));
	ASSERT_EQ(surplus(), 2);
	peer_exit(&child);
	ASSERT_EQ(surplus(), 1);
}

TEST_F(resize, fallocate_beyond_the_pool)
{
	int fd = file_new();
	long all = nr();

	ASSERT_EQ(overcommit(2), 0);
	ASSERT_EQ(fallocate(fd, 0, 0, (all + 3) * HUGE), -1);
	ASSERT_EQ(errno, ENOSPC);
	ASSERT_EQ(nr(), all);
	ASSERT_EQ(fallocate(fd, 0, 0, (all + 2) * HUGE), 0);
	ASSERT_EQ(nr(), all + 2);
	ASSERT_EQ(surplus(), 2);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_EQ(nr(), all);
	ASSERT_EQ(surplus(), 0);
}

/* --- all at once --------------------------------------------------------- */

#define ROUNDS		150
#define MOST		60

struct order {
	unsigned long seed;
	int nr;
};

/* Somebody who was told yes must not notice. */
static int map_and_touch(void *arg)
{
	struct order *order = arg;
	unsigned long state = order->seed + order->nr, pages;
	char *map;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pages = 1 + chance_of(&state, 8);
		if (chance_of(&state, 2))
			map = map_new(pages, 0);
		else
			map = map_private(file_new(), 0, pages, 0);
		must(map || errno == ENOMEM);
		if (!map)
			continue;
		must(touch_pages(map, pages) == pages);
		must(unmap_huge(map, pages) == 0);
	}
	return 0;
}

static int change_sizes(void *arg)
{
	struct order *order = arg;
	unsigned long state = order->seed + order->nr;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		switch (chance_of(&state, 4)) {
		case 0:
			must(resize(chance_of(&state, MOST)) == 0);
			break;
		case 1:
			must(overcommit(chance_of(&state, 10)) == 0);
			break;
		default:
			must(resize_node(chance_of(&state, 2),
					 chance_of(&state, MOST / 2)) == 0);
		}
	}
	return 0;
}

TEST_F_TIMEOUT(resize, everybody_at_everything, 60)
{
	struct order order = { .seed = seed_get() };
	pid_t pids[4];
	int i;

	for (i = 0; i < 4; i++) {
		order.nr = i;
		pids[i] = spawn(i % 2 ? change_sizes : map_and_touch, &order);
	}
	for (i = 0; i < 4; i++)
		ASSERT_EQ(reap(pids[i]), 0);
	ASSERT_EQ(overcommit(0), 0);
	ASSERT_EQ(resize(12), 0);
	ASSERT_EQ(nr(), 12);
	ASSERT_EQ(surplus(), 0);
}

TEST_HARNESS_MAIN
