// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that grow from two sides: fallocate() and ftruncate() with the file's
 * lock, mmap() without it. What a mapping was told, nobody may cut off again.
 */
#include <linux/falloc.h>
#include <sys/stat.h>

#include "rhugefs_test.h"

#define ROUNDS		4000

/* Fewer where the machine is busy with other things, in ms. */
#define PATIENCE	8000

#define ALLOCATED	2
#define MAPPED		8

/* How far apart the two may start, in turns of an empty loop. */
#define SPREAD		3000

struct race {
	struct sync start;
	struct sync end;
	unsigned long seed;
	bool over;
	int fd;
};

static void wait_turns(unsigned long turns)
{
	while (turns--)
		sync_spin();
}

static int allocate(void *arg)
{
	struct race *race = arg;
	unsigned long state = race->seed + 1;

	run_on(1);
	for (;;) {
		sync_start(&race->start);
		if (race->over)
			return 0;
		wait_turns(chance_of(&state, SPREAD));
		must(fallocate(race->fd, 0, 0, ALLOCATED * HUGE) == 0);
		sync_meet(&race->end);
	}
}

static off_t size_of(int fd)
{
	struct stat st;

	must(fstat(fd, &st) == 0);
	return st.st_size;
}

RHUGEFS_FIXTURE(grow);

TEST_F(grow, fallocate_does_not_cut_off_what_mmap_was_promised)
{
	struct race *race = share(sizeof(*race));
	unsigned long state;
	int i, cut = 0;
	long start;
	char *map;
	pid_t pid;

	race->start.parties = 2;
	race->end.parties = 2;
	race->seed = seed_get();
	race->fd = file_new();
	state = race->seed;
	pid = spawn(allocate, race);
	run_on(0);
	start = now_ms();
	for (i = 0; i < ROUNDS && now_ms() - start < PATIENCE; i++) {
		must(ftruncate(race->fd, HUGE) == 0);
		sync_start(&race->start);
		wait_turns(chance_of(&state, SPREAD));
		map = map_huge(race->fd, 0, MAPPED, 0);
		sync_meet(&race->end);
		must(map);
		cut += size_of(race->fd) != MAPPED * HUGE;
		must(unmap_huge(map, MAPPED) == 0);
	}
	race->over = true;
	sync_start(&race->start);
	ASSERT_EQ(0, reap(pid));
	ASSERT_EQ(0, cut);
}

TEST_F(grow, fallocate_keeps_a_larger_size)
{
	int fd = file_new();

	ASSERT_EQ(0, ftruncate(fd, 5 * HUGE + 1));
	ASSERT_EQ(0, fallocate(fd, 0, HUGE, HUGE));
	ASSERT_EQ(5 * HUGE + 1, size_of(fd));
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_KEEP_SIZE, 6 * HUGE, HUGE));
	ASSERT_EQ(5 * HUGE + 1, size_of(fd));
	ASSERT_EQ(0, fallocate(fd, 0, 6 * HUGE, 1));
	ASSERT_EQ(6 * HUGE + 1, size_of(fd));
}

TEST_HARNESS_MAIN
