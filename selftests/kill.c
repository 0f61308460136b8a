// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whoever is killed leaves all counts as they were, at whatever moment it comes
 * upon him; and so does an mmap() that fails. What is tried is chosen at random.
 */
#include "rhugefs_test.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/resource.h>

#define PUNCH		(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/* Most pages that a victim asks for at a time: some of it can be refused. */
#define ASK_MAX		40

RHUGEFS_FIXTURE(kill);

/* A victim works until it is killed. */
struct victim {
	unsigned long state;
	/* A file that outlives it, or -1. */
	int fd;
	/* Set when it has come to work. */
	int *at_work;
};

static void victim_begin(struct victim *victim)
{
	__atomic_store_n(victim->at_work, 1, __ATOMIC_RELEASE);
}

/* A mapping of a new file, in one of the ways there are; or none. */
static char *victim_map(struct victim *victim, unsigned long pages)
{
	static const int flags[] = {
		0, 0, 0, MAP_NORESERVE, MAP_POPULATE,
		MAP_POPULATE | MAP_NORESERVE,
	};
	int fd = file_new();
	char *map;

	map = map_huge(fd, 0, pages,
		       flags[chance_of(&victim->state,
				       sizeof(flags) / sizeof(*flags))]);
	close(fd);
	return map;
}

/* Make mappings and end them, touching none, or those of MAP_POPULATE all. */
static int maps(void *arg)
{
	struct victim *victim = arg;
	unsigned long pages;
	char *map;

	victim_begin(victim);
	for (;;) {
		pages = 1 + chance_of(&victim->state, ASK_MAX);
		map = victim_map(victim, pages);
		if (map && chance_of(&victim->state, 4))
			unmap_huge(map, pages);
	}
	return 0;
}

/* Touch all of one mapping after another. */
static int faults(void *arg)
{
	struct victim *victim = arg;
	unsigned long pages;
	char *map;

	victim_begin(victim);
	for (;;) {
		pages = 1 + chance_of(&victim->state, ASK_MAX);
		map = victim_map(victim, pages);
		if (!map)
			continue;
		touch_pages(map, pages);
		unmap_huge(map, pages);
	}
	return 0;
}

static void *fault_for_ever(void *arg)
{
	struct victim *victim = arg;
	unsigned long state = victim->state ^ (uintptr_t)&state;
	char *map = map_huge(victim->fd, 0, ASK_MAX, MAP_NORESERVE);

	must(map);
	for (;;)
		can_write(map + chance_of(&state, ASK_MAX) * HUGE);
}

/* Threads that fault, and one that takes away what they fault in. */
static int faults_in_threads(void *arg)
{
	struct victim *victim = arg;
	pthread_t thread;
	int i;

	for (i = 0; i < 3; i++)
		must(pthread_create(&thread, NULL, fault_for_ever, victim) ==
		     0);
	victim_begin(victim);
	for (;;) {
		must(ftruncate(victim->fd, ASK_MAX * HUGE) == 0);
		usleep(chance_of(&victim->state, 2000));
		must(ftruncate(victim->fd, chance_of(&victim->state, ASK_MAX) *
			       HUGE) == 0);
	}
}

/* Change the file in all the ways there are. */
static int changes_a_file(void *arg)
{
	struct victim *victim = arg;
	unsigned long from, len;

	if (victim->fd < 0)
		victim->fd = file_new();
	victim_begin(victim);
	for (;;) {
		from = chance_of(&victim->state, ASK_MAX * HUGE);
		len = 1 + chance_of(&victim->state, ASK_MAX * HUGE);
		switch (chance_of(&victim->state, 4)) {
		case 0:
			fallocate(victim->fd, 0, from, len);
			break;
		case 1:
			fallocate(victim->fd, FALLOC_FL_KEEP_SIZE, from, len);
			break;
		case 2:
			fallocate(victim->fd, PUNCH, from, len);
			break;
		case 3:
			must(ftruncate(victim->fd, len) == 0);
			break;
		}
	}
}

/* Children that inherit mappings, and make more of their own. */
static int forks(void *arg)
{
	struct victim *victim = arg;
	char *map = victim_map(victim, 4);
	pid_t pid;

	victim_begin(victim);
	for (;;) {
		pid = spawn(faults, victim);
		if (map)
			touch_pages(map, 4);
		usleep(chance_of(&victim->state, 3000));
		kill(pid, SIGKILL);
		must(waitpid(pid, NULL, 0) == pid);
		chance(&victim->state);
	}
}

/* Files with names: what has one outlives who made it. */
static int makes_files(void *arg)
{
	struct victim *victim = arg;
	char *map;
	int fd;

	victim_begin(victim);
	for (;;) {
		fd = file_named("killed");
		map = map_huge(fd, 0, 3, 0);
		if (map) {
			touch_pages(map, 2);
			unmap_huge(map, 3);
		}
		close(fd);
		file_unlink("killed");
	}
	return 0;
}

/* Read all of a file at a time: every part of it into the same memory. */
static int reads(void *arg)
{
	struct victim *victim = arg;
	struct iovec into[ASK_MAX];
	char *mem = mmap(NULL, HUGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int fd = file_new(), i;

	must(mem != MAP_FAILED);
	for (i = 0; i < ASK_MAX; i++)
		into[i] = (struct iovec){ mem, HUGE };
	must(fallocate(fd, 0, 0, ASK_MAX / 2 * HUGE) == 0);
	must(ftruncate(fd, ASK_MAX * HUGE) == 0);
	victim_begin(victim);
	for (;;)
		must(preadv(fd, into, ASK_MAX, 0) == ASK_MAX * HUGE);
}

/* Have it looked at whether all is well while somebody changes everything. */
static int checks(void *arg)
{
	struct victim *victim = arg;
	char text[256];
	int fd;

	spawn(faults, victim);
	victim_begin(victim);
	for (;;) {
		fd = open(SELFCHECK, O_RDONLY | O_CLOEXEC);
		must(fd >= 0);
		must(read(fd, text, sizeof(text)) > 0);
		must(!strncmp(text, "ok", 2) || !strncmp(text, "busy", 4));
		close(fd);
	}
}

/*
 * Start, wait a moment, kill, and wait until it is gone, with its own children:
 * they die with it, and are ours to wait for.
 */
static void kill_one(int (*work)(void *arg), struct victim *victim,
		     unsigned long most_us)
{
	unsigned long moment = chance_of(&victim->state, most_us);
	pid_t pid;
	int status;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	*victim->at_work = 0;
	pid = spawn(work, victim);
	while (!__atomic_load_n(victim->at_work, __ATOMIC_ACQUIRE))
		usleep(100);
	usleep(moment);
	must(kill(pid, SIGKILL) == 0);
	must(waitpid(pid, &status, 0) == pid);
	/* One that had ended by itself has proved nothing. */
	must(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	/* The child has drawn from a copy. */
	chance(&victim->state);
}

static struct victim victim_new(int fd)
{
	return (struct victim){
		.state = seed_get(),
		.fd = fd,
		.at_work = share(sizeof(int)),
	};
}

/* Rounds per way of working, and microseconds that a victim lives at most. */
#define ROUNDS		100
#define LIFE		20000

/* All that the victim had goes with it. */
#define KILL_AND_COUNT(work, rounds)					\
	do {								\
		struct victim victim = victim_new(-1);			\
		int round;						\
									\
		for (round = 0; round < (rounds); round++) {		\
			kill_one(work, &victim, LIFE);			\
			file_unlink("killed");				\
			ASSERT_POOL(0, 0)				\
				TH_LOG("after round %d", round);	\
		}							\
	} while (0)

TEST_F_TIMEOUT(kill, while_mapping, 120)
{
	KILL_AND_COUNT(maps, ROUNDS);
}

TEST_F_TIMEOUT(kill, while_faulting, 120)
{
	KILL_AND_COUNT(faults, ROUNDS);
}

TEST_F_TIMEOUT(kill, while_changing_a_file, 120)
{
	KILL_AND_COUNT(changes_a_file, ROUNDS);
}

TEST_F_TIMEOUT(kill, while_forking, 120)
{
	KILL_AND_COUNT(forks, ROUNDS / 2);
}

TEST_F_TIMEOUT(kill, while_making_files, 120)
{
	KILL_AND_COUNT(makes_files, ROUNDS);
}

TEST_F_TIMEOUT(kill, while_reading, 120)
{
	KILL_AND_COUNT(reads, ROUNDS / 4);
}

TEST_F_TIMEOUT(kill, while_checking, 120)
{
	if (access(SELFCHECK, R_OK))
		SKIP(return, "there is no debugfs");
	KILL_AND_COUNT(checks, ROUNDS / 4);
}

/*
 * The file stays, and with it what it got; but nothing is lost between it and
 * the pool, and when it is emptied all is back.
 */
#define KILL_AND_EMPTY(work, rounds)					\
	do {								\
		struct victim victim = victim_new(file_new());		\
		int round;						\
									\
		for (round = 0; round < (rounds); round++) {		\
			kill_one(work, &victim, LIFE);			\
			ASSERT_EQ(ftruncate(victim.fd, 0), 0);		\
			ASSERT_POOL(0, 0)				\
				TH_LOG("after round %d", round);	\
		}							\
	} while (0)

TEST_F_TIMEOUT(kill, while_changing_a_file_that_stays, 120)
{
	KILL_AND_EMPTY(changes_a_file, ROUNDS);
}

TEST_F_TIMEOUT(kill, while_threads_fault, 120)
{
	KILL_AND_EMPTY(faults_in_threads, ROUNDS);
}

/* --- mmap() that fails --------------------------------------------------- */

TEST_F(kill, mmap_of_too_much)
{
	struct pool pool = pool_read();
	int fd = file_new();
	long pages;

	for (pages = pool.nr + 1; pages < 1L << 40; pages *= 3) {
		ASSERT_EQ(map_huge(fd, 0, pages, 0), NULL);
		ASSERT_EQ(errno, ENOMEM);
		ASSERT_EQ(lseek(fd, 0, SEEK_END), 0);
		ASSERT_POOL(0, 0);
	}
	/* Of a file that has some of it. */
	ASSERT_NE(map_huge(fd, 3, 2, 0), NULL);
	ASSERT_EQ(map_huge(fd, 0, pool.nr + 1, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_EQ(lseek(fd, 0, SEEK_END), 5 * HUGE);
	ASSERT_POOL(0, 2);
	/* Not a page less than there are. */
	ASSERT_NE(map_huge(fd, 0, pool.nr, 0), NULL);
	ASSERT_POOL(0, pool.nr);
}

TEST_F(kill, mmap_beyond_the_address_space_allowed)
{
	struct rlimit limit = { 64 * HUGE, 64 * HUGE };
	int fd = file_new();

	ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
	ASSERT_EQ(map_huge(fd, 0, 64, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_EQ(lseek(fd, 0, SEEK_END), 0);
	ASSERT_POOL(0, 0);
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	bool written = fd >= 0 &&
		       write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return false;
	text[len] = '\0';
	return true;
}

#define MAP_COUNT	"/proc/sys/vm/max_map_count"

/* Mappings that a process may have: enough for itself, few for the test. */
#define FEW		100

/* With no mapping left to be had, neither a new one nor a split of one is. */
TEST_F(kill, mmap_and_split_beyond_the_number_allowed)
{
	char limit[32], *map, *last;
	int fd = file_new(), i;

	map = map_huge(fd, 0, 4, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 3), 3);
	if (!read_text(MAP_COUNT, limit, sizeof(limit)) ||
	    !write_text(MAP_COUNT, "100"))
		SKIP(return, "cannot lower " MAP_COUNT);
	for (i = 0, last = map; i < FEW && last; i++)
		last = map_huge(file_new(), 0, 1, MAP_NORESERVE);
	i = errno;
	/* The hole's edges would be two mappings more. */
	EXPECT_EQ(munmap(map + HUGE, HUGE), -1);
	EXPECT_EQ(errno, ENOMEM);
	EXPECT_EQ(mprotect(map + HUGE, HUGE, PROT_READ), -1);
	EXPECT_EQ(errno, ENOMEM);
	EXPECT_EQ(map_huge(file_new(), 0, 3, 0), NULL);
	EXPECT_TRUE(write_text(MAP_COUNT, limit));

	ASSERT_EQ(last, NULL);
	ASSERT_EQ(i, ENOMEM);
	ASSERT_EQ(map[HUGE], 2);
	ASSERT_POOL(3, 1);
}

TEST_HARNESS_MAIN
