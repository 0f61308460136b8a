// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many at the same page, and everybody at everything: whatever comes of it, a page
 * of a file is one page, and no count drifts.
 */
#include "rhugefs_test.h"

#include <linux/falloc.h>
#include <pthread.h>
#include <sys/stat.h>

static int punch(int fd, long from, long len)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from,
			 len);
}

/* --- one page, touched by many ------------------------------------------- */

#define CROWD		8
#define CROWD_ROUNDS	40

RHUGEFS_FIXTURE(crowd);

FIXTURE_VARIANT(crowd) {
	bool processes;		/* or threads */
	bool reserved;
	bool readers;		/* every other one reads first */
	bool last;		/* it is the last page there is */
};

FIXTURE_VARIANT_ADD(crowd, threads) {
	.reserved = true,
};

FIXTURE_VARIANT_ADD(crowd, threads_that_read_first) {
	.reserved = true, .readers = true,
};

FIXTURE_VARIANT_ADD(crowd, threads_for_the_last_page) {
	.last = true,
};

FIXTURE_VARIANT_ADD(crowd, threads_for_the_last_page_which_is_theirs) {
	.reserved = true, .last = true,
};

FIXTURE_VARIANT_ADD(crowd, processes) {
	.processes = true, .reserved = true,
};

FIXTURE_VARIANT_ADD(crowd, processes_that_read_first_for_the_last_page) {
	.processes = true, .readers = true, .last = true,
};

struct crowd {
	FIXTURE_VARIANT(crowd) variant;
	struct sync sync;
	int fd;
	char *map;
};

struct crowd_member {
	struct crowd *crowd;
	int number;
};

/* A counter in each page: had two pages been there for a while, it would lag. */
static long *crowd_counter(struct crowd *crowd)
{
	return (long *)(crowd->map + HUGE / 2);
}

static int crowd_touch(void *arg)
{
	struct crowd_member *member = arg;
	struct crowd *crowd = member->crowd;
	int round;

	run_on(member->number);
	for (round = 0; round < CROWD_ROUNDS; round++) {
		sync_start(&crowd->sync);
		if (crowd->variant.readers && member->number % 2)
			must(can_read(crowd->map + member->number * 4096));
		else
			must(can_write(crowd->map + member->number * 4096));
		__atomic_add_fetch(crowd_counter(crowd), 1, __ATOMIC_RELAXED);
		sync_meet(&crowd->sync);
		if (member->number)
			continue;
		must(*crowd_counter(crowd) == CROWD);
		/* It takes its promise along: make that anew. */
		must(punch(crowd->fd, 0, HUGE) == 0);
		if (crowd->variant.reserved)
			must(unmap_huge(map_huge(crowd->fd, 0, 1, 0), 1) == 0);
	}
	return 0;
}

static void *crowd_thread(void *arg)
{
	return (void *)(long)crowd_touch(arg);
}

static void crowd_run_threads(struct crowd_member *member)
{
	pthread_t thread[CROWD];
	void *ret;
	int i;

	for (i = 0; i < CROWD; i++)
		must(!pthread_create(&thread[i], NULL, crowd_thread, &member[i]));
	for (i = 0; i < CROWD; i++)
		must(!pthread_join(thread[i], &ret) && !ret);
}

static void crowd_run_processes(struct crowd_member *member)
{
	pid_t pid[CROWD];
	int i;

	for (i = 0; i < CROWD; i++)
		pid[i] = spawn(crowd_touch, &member[i]);
	for (i = 0; i < CROWD; i++)
		must(reap(pid[i]) == 0);
}

TEST_F_TIMEOUT(crowd, takes_one_page, 300)
{
	struct crowd_member member[CROWD];
	struct crowd *crowd = share(sizeof(*crowd));
	long others = 0;
	char *map;
	int i;

	if (variant->last)
		others = self->before.all.free - 1;
	if (others)
		ASSERT_NE(map_new(others, 0), NULL);
	crowd->sync.parties = CROWD;
	crowd->variant = *variant;
	crowd->fd = file_new();
	/* Small in a larger mapping, whose other pages nobody touches. */
	crowd->map = map_huge(crowd->fd, 0, 2, MAP_NORESERVE);
	ASSERT_NE(crowd->map, NULL);
	if (variant->reserved) {
		map = map_huge(crowd->fd, 0, 1, 0);
		ASSERT_NE(map, NULL);
	}
	ASSERT_POOL(0, others + variant->reserved);

	for (i = 0; i < CROWD; i++)
		member[i] = (struct crowd_member){ crowd, i };
	if (variant->processes)
		crowd_run_processes(member);
	else
		crowd_run_threads(member);
	ASSERT_POOL(0, others + variant->reserved);

	/* Once more, and look before it is gone. */
	ASSERT_TRUE(can_write(crowd->map));
	ASSERT_POOL(1, others);
}

/* --- all at once --------------------------------------------------------- */

#define MIX_RACERS	4
#define MIX_FILES	3
#define MIX_INDICES	12
#define MIX_MAPS	16
#define MIX_OWN		8
#define MIX_PAGES	32	/* for all of them: there is much refusing */
#define MIX_SECONDS	6

RHUGEFS_FIXTURE(mix);

struct mix {
	struct sync sync;
	int fd[MIX_FILES];
	unsigned long seed;
	long end;
};

struct mix_racer {
	struct mix *mix;
	int number;
	unsigned long state;
	int own_fd;
	char *map[MIX_MAPS];
	long pages[MIX_MAPS];
};

/* Nobody else knows his own file: what was promised there must be there. */
static void mix_own(struct mix_racer *racer)
{
	long from = chance_of(&racer->state, MIX_OWN);
	long pages = 1 + chance_of(&racer->state, MIX_OWN - from);
	char *map = map_huge(racer->own_fd, from, pages, 0);

	if (map) {
		must(touch_pages(map, pages) == pages);
		must(unmap_huge(map, pages) == 0);
	} else {
		must(errno == ENOMEM);
	}
	if (chance_of(&racer->state, 2))
		must(ftruncate(racer->own_fd,
			       chance_of(&racer->state, MIX_OWN) * HUGE) == 0);
	else
		must(punch(racer->own_fd, chance_of(&racer->state, MIX_OWN) *
			   HUGE, 2 * HUGE) == 0);
}

static void mix_map(struct mix_racer *racer, int fd)
{
	int slot = chance_of(&racer->state, MIX_MAPS);
	long from = chance_of(&racer->state, MIX_INDICES);
	int flags = chance_of(&racer->state, 3) ? 0 : MAP_NORESERVE;

	if (racer->map[slot])
		must(unmap_huge(racer->map[slot], racer->pages[slot]) == 0);
	racer->pages[slot] = 1 + chance_of(&racer->state, MIX_INDICES - from);
	racer->map[slot] = map_huge(fd, from, racer->pages[slot], flags);
	must(racer->map[slot] || (!flags && errno == ENOMEM));
}

/* The others may have taken it away: both answers are right. */
static void mix_touch(struct mix_racer *racer)
{
	int slot = chance_of(&racer->state, MIX_MAPS);
	char *addr = racer->map[slot];

	if (!addr)
		return;
	addr += chance_of(&racer->state, racer->pages[slot]) * HUGE;
	if (chance_of(&racer->state, 2))
		can_write(addr);
	else
		can_read(addr);
}

static void mix_change(struct mix_racer *racer, int fd)
{
	long from = chance_of(&racer->state, 2 * MIX_INDICES);
	long len = 1 + chance_of(&racer->state, 2 * MIX_INDICES - from);
	int keep = chance_of(&racer->state, 2) ? FALLOC_FL_KEEP_SIZE : 0;

	from *= HUGE / 2;
	len *= HUGE / 2;
	switch (chance_of(&racer->state, 3)) {
	case 0:
		must(ftruncate(fd, from) == 0);
		break;
	case 1:
		must(punch(fd, from, len) == 0);
		break;
	default:
		must(fallocate(fd, keep, from, len) == 0 || errno == ENOSPC);
		break;
	}
}

static int mix_run(void *arg)
{
	struct mix_racer *racer = arg;
	struct mix *mix = racer->mix;

	racer->own_fd = file_new();
	racer->state = mix->seed + racer->number;
	run_on(racer->number);
	sync_meet(&mix->sync);
	while (now_ms() < mix->end) {
		int fd = mix->fd[chance_of(&racer->state, MIX_FILES)];

		switch (chance_of(&racer->state, 16)) {
		case 0 ... 3:
			mix_own(racer);
			break;
		case 4 ... 7:
			mix_map(racer, fd);
			break;
		case 8 ... 13:
			mix_touch(racer);
			break;
		default:
			mix_change(racer, fd);
			break;
		}
	}
	return 0;
}

TEST_F_TIMEOUT(mix, all_at_once, 300)
{
	static struct mix_racer racer[MIX_RACERS];
	struct mix *mix = share(sizeof(*mix));
	struct stat st;
	long others, used = 0;
	pid_t pid[MIX_RACERS];
	int i;

	others = self->before.all.free - MIX_PAGES;
	ASSERT_NE(map_new(others, 0), NULL);
	for (i = 0; i < MIX_FILES; i++)
		mix->fd[i] = file_new();
	mix->sync.parties = MIX_RACERS;
	mix->seed = seed_get();
	mix->end = now_ms() + MIX_SECONDS * 1000;
	for (i = 0; i < MIX_RACERS; i++) {
		racer[i] = (struct mix_racer){ .mix = mix, .number = i };
		pid[i] = spawn(mix_run, &racer[i]);
	}
	for (i = 0; i < MIX_RACERS; i++)
		ASSERT_EQ(reap(pid[i]), 0);

	/* What is left is what the files say they hold, and what they reserve. */
	for (i = 0; i < MIX_FILES; i++) {
		ASSERT_EQ(fstat(mix->fd[i], &st), 0);
		used += st.st_blocks * 512 / HUGE;
	}
	ASSERT_POOL(used, pool_count("", "resv") - self->before.all.resv);
	for (i = 0; i < MIX_FILES; i++)
		ASSERT_EQ(ftruncate(mix->fd[i], 0), 0);
	ASSERT_POOL(0, others);
}

/* --- counting amid changes ----------------------------------------------- */

#define CHECKS		3

/* Take pages and give them back, with no rest in between. */
static int mix_churn(void *arg)
{
	char *map;

	for (;;) {
		map = map_new(2, 0);
		must(map && touch_pages(map, 1) == 1);
		must(unmap_huge(map, 2) == 0);
	}
}

/* What is on its way must not be taken for lost. */
TEST_F_TIMEOUT(mix, self_check_amid_changes, 60)
{
	int i, status;
	char text[256];
	pid_t pid;
	FILE *file;

	pid = spawn(mix_churn, NULL);
	for (i = 0; i < CHECKS; i++) {
		file = fopen("/sys/kernel/debug/rhugefs/selfcheck", "re");
		if (!file)
			SKIP(break, "there is no debugfs");
		ASSERT_NE(fgets(text, sizeof(text), file), NULL);
		fclose(file);
		ASSERT_TRUE(!strncmp(text, "ok", 2) ||
			    !strncmp(text, "busy", 4))
			TH_LOG("%s", text);
	}
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT_TRUE(WIFSIGNALED(status));
}

TEST_HARNESS_MAIN
