// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving free pages back when memory is short. The kernel asks all who can give
 * something back when it is told to drop what it can do without.
 */
#include "rhugefs_test.h"

#define FLOOR		20

FIXTURE(shrink) {
	struct pools before;
};

static void tell(const char *path, const char *text)
{
	must(tell_kernel(path, text) == 0);
}

static void tell_number(const char *path, long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", number);
	tell(path, text);
}

/* More than once: a shrinker may be busy, or be asked for a part. */
static void shrink_all(void)
{
	int i;

	for (i = 0; i < 20; i++)
		tell("/proc/sys/vm/drop_caches", "2");
}

FIXTURE_SETUP(shrink)
{
	self->before = pools_read();
	ASSERT_EQ(self->before.nr_nodes, 2);
	tell(PARAMETERS "reclaim", "1");
	tell_number(PARAMETERS "min_free_hugepages", FLOOR);
}

FIXTURE_TEARDOWN_PARENT(shrink)
{
	tell(PARAMETERS "reclaim", "0");
	tell_number(PARAMETERS "min_free_hugepages", 0);
	tell_number(POOL_SYSFS "/node0/nr_hugepages", self->before.node[0].nr);
	tell_number(POOL_SYSFS "/node1/nr_hugepages", self->before.node[1].nr);
	EXPECT_TRUE(pools_restored(&self->before));
}

TEST_F(shrink, free_pages_go_but_for_the_floor)
{
	shrink_all();
	ASSERT_EQ(pool_read().nr, FLOOR);
	ASSERT_EQ(pool_read().free, FLOOR);
	tell_number(PARAMETERS "min_free_hugepages", 0);
	shrink_all();
	ASSERT_EQ(pool_read().nr, 0);
}

TEST_F(shrink, reserved_and_used_pages_stay)
{
	char *map = map_new(30, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 10), 10);
	shrink_all();
	ASSERT_EQ(pool_read().nr, 30 + FLOOR);
	ASSERT_EQ(pool_read().resv, 20);
	ASSERT_EQ(touch_pages(map, 30), 30);
}

TEST_F(shrink, nothing_goes_unless_it_was_asked_for)
{
	tell(PARAMETERS "reclaim", "0");
	shrink_all();
	ASSERT_EQ(pool_read().nr, self->before.all.nr);
}

/* Somebody takes and gives back while the kernel asks. */
static int map_and_unmap(void *arg)
{
	char *map;
	int i;

	for (i = 0; i < 300; i++) {
		map = map_new(1 + i % 4, 0);
		must(map || errno == ENOMEM);
		if (!map)
			continue;
		must(touch_pages(map, 1 + i % 4) == 1 + i % 4);
		must(unmap_huge(map, 1 + i % 4) == 0);
	}
	return 0;
}

TEST_F(shrink, while_the_pool_is_used)
{
	pid_t pid = spawn(map_and_unmap, NULL);
	int i;

	for (i = 0; i < 5; i++) {
		shrink_all();
		tell_number(POOL_SYSFS "/nr_hugepages", 40);
	}
	ASSERT_EQ(reap(pid), 0);
	ASSERT_EQ(pool_read().resv, 0);
}

TEST_HARNESS_MAIN
