// SPDX-License-Identifier: GPL-2.0-only
/*
 * Filling many holes at once, by several processors: holes and nothing else, with zeroes
 * and nothing else, whoever comes meanwhile.
 */
#include <pthread.h>

#include "rhugefs_test.h"

RHUGEFS_FIXTURE(fill);

#define PAGES		60
#define PUNCH		(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/* The pool's pages are full of this when they are taken next. */
static void soil(void)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 2 * PAGES, 0);

	must(map);
	memset(map, 0xa5, 2 * PAGES * HUGE);
	must(unmap_huge(map, 2 * PAGES) == 0);
	close(fd);
}

static bool is_zero(const char *map, size_t page)
{
	return bytes_are(map + page * HUGE, 0, HUGE);
}

TEST_F(fill, with_zeroes_only)
{
	int fd = file_new();
	size_t i;
	char *map;

	soil();
	ASSERT_EQ(fallocate(fd, 0, 0, PAGES * HUGE), 0);
	ASSERT_POOL(PAGES, 0);
	map = map_huge(fd, 0, PAGES, 0);
	ASSERT_NE(map, NULL);
	for (i = 0; i < PAGES; i++)
		ASSERT_TRUE(is_zero(map, i));
	ASSERT_TRUE(selfcheck_ok());
}

TEST_F(fill, holes_only)
{
	int fd = file_new();
	size_t i;
	char *map;

	soil();
	map = map_huge(fd, 0, PAGES, MAP_NORESERVE);
	ASSERT_NE(map, NULL);
	for (i = 0; i < PAGES; i += 3)
		bytes_stir(map + i * HUGE, HUGE, i);
	ASSERT_EQ(fallocate(fd, 0, 5, (PAGES - 1) * HUGE), 0);
	ASSERT_POOL(PAGES, 0);
	for (i = 0; i < PAGES; i++)
		ASSERT_TRUE(i % 3 ? is_zero(map, i) :
				    bytes_stirred(map + i * HUGE, HUGE, i));
}

/* What cannot be promised is not begun. */
TEST_F(fill, all_or_nothing)
{
	int fd = file_new();
	long all = pool_unpromised();

	ASSERT_FAILS(fallocate(fd, 0, 0, (all + 1) * HUGE), ENOSPC);
	ASSERT_POOL(0, 0);
	ASSERT_EQ(fallocate(fd, 0, 0, all * HUGE), 0);
	ASSERT_POOL(all, 0);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_POOL(0, 0);
}

/* --- beside others ------------------------------------------------------- */

struct arena {
	char *map;
	int fd;
	int stop;
	unsigned long seed;
};

static bool is_over(struct arena *arena)
{
	return __atomic_load_n(&arena->stop, __ATOMIC_ACQUIRE);
}

/* Whoever finds a page finds zeroes, or what he wrote: its byte is its index. */
static void *toucher(void *arg)
{
	struct arena *arena = arg;
	unsigned long state = arena->seed + 1, page;
	char *byte, seen;

	while (!is_over(arena)) {
		page = chance_of(&state, PAGES);
		byte = arena->map + page * HUGE + chance_of(&state, HUGE);
		seen = __atomic_load_n(byte, __ATOMIC_RELAXED);
		must(seen == 0 || seen == (char)(page + 1));
		__atomic_store_n(byte, page + 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void *puncher(void *arg)
{
	struct arena *arena = arg;
	unsigned long state = arena->seed + 2;

	while (!is_over(arena))
		must(fallocate(arena->fd, PUNCH,
			       chance_of(&state, PAGES) * HUGE,
			       (1 + chance_of(&state, 9)) * HUGE) == 0);
	return NULL;
}

static void *other_filler(void *arg)
{
	struct arena *arena = arg;
	unsigned long state = arena->seed + 3;
	int fd = file_new();

	while (!is_over(arena)) {
		must(fallocate(fd, 0, chance_of(&state, PAGES / 3) * HUGE,
			       PAGES / 3 * HUGE) == 0);
		must(ftruncate(fd, 0) == 0);
	}
	close(fd);
	return NULL;
}

#define ROUNDS	40

TEST_F_TIMEOUT(fill, beside_faults_and_holes, 60)
{
	static void *(*const work[])(void *arena) = {
		toucher, puncher, other_filler,
	};
	pthread_t thread[ARRAY_SIZE(work)];
	struct arena arena = { .fd = file_new(), .seed = seed_get() };
	unsigned int i;

	soil();
	arena.map = map_huge(arena.fd, 0, PAGES, MAP_NORESERVE);
	ASSERT_NE(arena.map, NULL);
	for (i = 0; i < ARRAY_SIZE(work); i++)
		ASSERT_EQ(pthread_create(&thread[i], NULL, work[i], &arena), 0);
	for (i = 0; i < ROUNDS; i++)
		ASSERT_EQ(fallocate(arena.fd, 0, 0, PAGES * HUGE), 0);
	__atomic_store_n(&arena.stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < ARRAY_SIZE(work); i++)
		ASSERT_EQ(pthread_join(thread[i], NULL), 0);
	ASSERT_EQ(fallocate(arena.fd, 0, 0, PAGES * HUGE), 0);
	ASSERT_POOL(PAGES, 0);
	ASSERT_TRUE(selfcheck_ok());
}

/* What a killed process was filling is the file's as far as it came, and whole. */
static int fill_for_ever(void *arg)
{
	int fd = *(int *)arg;

	for (;;) {
		must(fallocate(fd, 0, 0, PAGES * HUGE) == 0);
		must(fallocate(fd, PUNCH, 0, PAGES * HUGE) == 0);
	}
}

TEST_F(fill, killed_in_between)
{
	unsigned long state = seed_get();
	int fd = file_new(), round;
	char *map;
	pid_t pid;
	size_t i;

	soil();
	map = map_huge(fd, 0, PAGES, MAP_NORESERVE);
	ASSERT_NE(map, NULL);
	for (round = 0; round < 10; round++) {
		pid = spawn(fill_for_ever, &fd);
		usleep(chance_of(&state, 60000));
		ASSERT_EQ(kill(pid, SIGKILL), 0);
		ASSERT_EQ(waitpid(pid, NULL, 0), pid);
		for (i = 0; i < PAGES; i++)
			ASSERT_TRUE(is_zero(map, i));
		ASSERT_POOL(PAGES, 0);
		memset(map, 0xa5, PAGES * HUGE);
		ASSERT_EQ(fallocate(fd, PUNCH, 0, PAGES * HUGE), 0);
		ASSERT_POOL(0, 0);
	}
}

TEST_HARNESS_MAIN
