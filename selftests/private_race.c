// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads and processes that do to the same private mapping, at the same time, what
 * changes what is mapped: write, fork, drop, move, unmap, truncate. What was
 * written and not dropped is never lost, and nobody sees what another process
 * wrote.
 */
#include <pthread.h>

#include "private_test.h"

RHUGEFS_FIXTURE(race);

#define PAGES		8UL
#define THREADS		4
#define CHILDREN	4
#define RACE_MS		2500

/*
 * Each thread owns a word in each page and counts in it; what it reads must be what
 * it has written last.
 */
struct race {
	char *map;
	int fd;
	unsigned long pages;
	unsigned long seed;
	int over;
	unsigned long rounds[THREADS];
};

struct racer {
	struct race *race;
	int number;
};

static bool race_over(struct race *race)
{
	return __atomic_load_n(&race->over, __ATOMIC_ACQUIRE);
}

static struct race *race_new(unsigned long pages)
{
	struct race *race = share(sizeof(*race));

	race->fd = file_new();
	race->pages = pages;
	race->map = map_private(race->fd, 0, pages, 0);
	race->seed = seed_get();
	must(race->map);
	return race;
}

static volatile unsigned long *race_word(struct race *race, unsigned long page,
					 int number)
{
	return (volatile unsigned long *)(race->map + page * HUGE +
					  number * 4096);
}

static void run_threads(struct race *race, int threads,
			void *(*work)(void *arg), void (*meanwhile)(struct race *))
{
	struct racer racer[THREADS];
	pthread_t thread[THREADS];
	int i;

	race->over = 0;
	for (i = 0; i < threads; i++) {
		racer[i] = (struct racer){ race, i };
		must(pthread_create(&thread[i], NULL, work, &racer[i]) == 0);
	}
	meanwhile(race);
	__atomic_store_n(&race->over, 1, __ATOMIC_RELEASE);
	for (i = 0; i < threads; i++)
		must(pthread_join(thread[i], NULL) == 0);
}

/* Count in a word of one's own in every page, by chance. */
static void *count_up(void *arg)
{
	struct racer *racer = arg;
	struct race *race = racer->race;
	unsigned long state = race->seed + racer->number, page;
	unsigned long last[PAGES] = { 0 };

	for (page = 0; page < race->pages; page++)
		last[page] = *race_word(race, page, racer->number);
	while (!race_over(race)) {
		page = chance_of(&state, race->pages);
		must(*race_word(race, page, racer->number) == last[page]);
		*race_word(race, page, racer->number) = ++last[page];
		race->rounds[racer->number]++;
		/* Only who gives others time to get in between is in a race. */
		if (!chance_of(&state, 8))
			sched_yield();
	}
	for (page = 0; page < race->pages; page++)
		must(*race_word(race, page, racer->number) == last[page]);
	return NULL;
}

/* --- fork ---------------------------------------------------------------- */

/* What a child finds stays as it was, whatever the others write. */
static int child_of_race(void *arg)
{
	struct race *race = arg;
	unsigned long seen[PAGES][THREADS], page, n;
	int number;

	for (page = 0; page < race->pages; page++)
		for (number = 0; number < THREADS; number++)
			seen[page][number] = *race_word(race, page, number);
	for (n = 0; n < 3; n++) {
		sched_yield();
		for (page = 0; page < race->pages; page++)
			for (number = 0; number < THREADS; number++)
				must(*race_word(race, page, number) ==
				     seen[page][number] + n);
		for (page = 0; page < race->pages; page++)
			for (number = 0; number < THREADS; number++)
				++*race_word(race, page, number);
	}
	return 0;
}

static void fork_for_a_while(struct race *race)
{
	long end = now_ms() + RACE_MS;
	pid_t pid[CHILDREN];
	int i, rounds = 0;

	while (now_ms() < end || rounds < 5) {
		for (i = 0; i < CHILDREN; i++)
			pid[i] = spawn(child_of_race, race);
		if (!(rounds % 4))
			must(selfcheck_ok() || rounds);
		for (i = 0; i < CHILDREN; i++)
			must(reap(pid[i]) == 0);
		rounds++;
	}
}

/* Four threads and four children, all of whom write to all pages. */
TEST_F_TIMEOUT(race, writers_and_forks, 90)
{
	struct race *race = race_new(4);

	run_threads(race, THREADS, count_up, fork_for_a_while);
	ASSERT_POOL(4, 0);
}

static int child_may_be_refused(void *arg)
{
	struct race *race = arg;
	unsigned long page;

	for (page = 0; page < race->pages; page++)
		can_write_value(race->map + page * HUGE + HUGE / 2, page);
	return 0;
}

static void fork_with_no_page_left(struct race *race)
{
	long end = now_ms() + RACE_MS;
	pid_t pid[CHILDREN];
	int i, rounds = 0;

	while (now_ms() < end || rounds < 5) {
		for (i = 0; i < CHILDREN; i++)
			pid[i] = spawn(child_may_be_refused, race);
		for (i = 0; i < CHILDREN; i++)
			must(reap(pid[i]) == 0);
		rounds++;
	}
}

/* The same where the owner has to take every page back. */
TEST_F_TIMEOUT(race, writers_and_forks_with_no_page_left, 90)
{
	struct race *race = race_new(4);
	unsigned long page;

	leave_unpromised(0);
	run_threads(race, THREADS, count_up, fork_with_no_page_left);
	for (page = 0; page < 4; page++)
		ASSERT_EQ(race->map[page * HUGE + HUGE / 2], 0);
	ASSERT_TRUE(selfcheck_ok());
}

/* --- drops --------------------------------------------------------------- */

/*
 * Pages but the last are dropped at random; what is written to the last one, of
 * which only parts are, must stay.  In a dropped page a thread finds what it wrote
 * last, or nothing.
 */
static void *write_and_be_dropped(void *arg)
{
	struct racer *racer = arg;
	struct race *race = racer->race;
	unsigned long state = race->seed + racer->number, page, found;
	unsigned long keep = race->pages - 1, last[PAGES] = { 0 };

	while (!race_over(race)) {
		page = chance_of(&state, race->pages);
		found = *race_word(race, page, racer->number);
		must(found == last[page] || (page != keep && !found));
		*race_word(race, page, racer->number) = ++last[page];
		race->rounds[racer->number]++;
		if (!chance_of(&state, 8))
			sched_yield();
	}
	must(*race_word(race, keep, racer->number) == last[keep]);
	return NULL;
}

static void drop_for_a_while(struct race *race)
{
	unsigned long state = race->seed + 100, keep = race->pages - 1, page;
	volatile unsigned long *mine;
	long end = now_ms() + RACE_MS;

	while (now_ms() < end) {
		page = chance_of(&state, keep);
		must(drop(race->map + page * HUGE, HUGE) == 0);
		/* What is written after that is not dropped. */
		mine = (unsigned long *)(race->map + page * HUGE + HUGE / 2);
		must(*mine == 0);
		*mine = state;
		sched_yield();
		must(*mine == state);
		/* The last page in part, together with a whole one. */
		must(drop(race->map + (keep - 1) * HUGE, 2 * HUGE - 4096) == 0);
		if (!chance_of(&state, 4))
			must(drop(race->map + keep * HUGE + 4096, 8192) == 0);
		if (!chance_of(&state, 20))
			usleep(15000);
	}
}

TEST_F_TIMEOUT(race, writers_and_drops, 90)
{
	struct race *race = race_new(4);

	run_threads(race, THREADS, write_and_be_dropped, drop_for_a_while);
	ASSERT_EQ(drop(race->map, 4 * HUGE), 0);
	ASSERT_POOL(0, 4);
	ASSERT_TRUE(selfcheck_ok());
}

/*
 * A child of it looks at what it has, which does not change, but may be taken from
 * it. Pages in between may be elsewhere just now.
 */
static bool read_word(volatile unsigned long *word, unsigned long *value)
{
	touch_prepare();
	if (sigsetjmp(touch_env, 0))
		return false;
	touch_armed = 1;
	*value = *word;
	touch_armed = 0;
	return true;
}

static int child_looks(void *arg)
{
	struct race *race = arg;
	unsigned long before, after, page;

	for (page = 0; page < race->pages; page += 2) {
		if (!read_word(race_word(race, page, 0), &before))
			continue;
		sched_yield();
		if (!read_word(race_word(race, page, 0), &after))
			continue;
		must(before == after);
	}
	return 0;
}

static void *fork_in_a_thread(void *arg)
{
	struct racer *racer = arg;

	while (!race_over(racer->race))
		must(reap(spawn(child_looks, racer->race)) == 0);
	return NULL;
}

static void *write_or_fork(void *arg)
{
	struct racer *racer = arg;

	return racer->number ? write_and_be_dropped(arg) :
			       fork_in_a_thread(arg);
}

/* Pages that fork() has made read-only are written while others are dropped. */
TEST_F_TIMEOUT(race, writers_drops_and_forks, 90)
{
	struct race *race = race_new(4);

	run_threads(race, THREADS, write_or_fork, drop_for_a_while);
	ASSERT_EQ(drop(race->map, 4 * HUGE), 0);
	ASSERT_POOL(0, 4);
	ASSERT_TRUE(selfcheck_ok());
}

/* With no page left for copies, the owner's claims must still come out even. */
TEST_F_TIMEOUT(race, drops_and_forks_with_no_page_left, 90)
{
	struct race *race = race_new(4);
	long all = self->before.all.free;

	leave_unpromised(0);
	run_threads(race, 1, fork_in_a_thread, drop_for_a_while);
	ASSERT_EQ(drop(race->map, 4 * HUGE), 0);
	ASSERT_POOL(0, all);
	ASSERT_EQ(touch_pages(race->map, 4), 4);
}

/* --- moves, ends of pieces, protections ---------------------------------- */

/*
 * The page of a thread is never moved itself, but those beside it: the piece it lies
 * in is split and its neighbours come and go.
 */
static void *count_in_even_pages(void *arg)
{
	struct racer *racer = arg;
	struct race *race = racer->race;
	unsigned long state = race->seed + racer->number, page;
	unsigned long last[PAGES] = { 0 };

	while (!race_over(race)) {
		page = chance_of(&state, race->pages / 2) * 2;
		must(*race_word(race, page, racer->number) == last[page]);
		*race_word(race, page, racer->number) = ++last[page];
		if (!chance_of(&state, 8))
			sched_yield();
	}
	return NULL;
}

static void *fork_or_count(void *arg)
{
	struct racer *racer = arg;

	return racer->number ? count_in_even_pages(arg) :
			       fork_in_a_thread(arg);
}

static void move_for_a_while(struct race *race)
{
	char *place = nothing_there(race->pages);
	unsigned long state = race->seed + 200, page, n = 0;
	long end = now_ms() + RACE_MS;
	char *at, *to;

	while (now_ms() < end) {
		page = chance_of(&state, race->pages / 2) * 2 + 1;
		at = race->map + page * HUGE;
		to = place + page * HUGE;
		/* Far from the words that threads count in. */
		*(volatile unsigned long *)(at + HUGE / 2) = ++n;
		must(moved_to(at, to, 1));
		must(*(volatile unsigned long *)(to + HUGE / 2) == n);
		*(volatile unsigned long *)(to + HUGE / 2) = ++n;
		if (chance_of(&state, 2))
			must(mprotect(to, HUGE, PROT_READ) == 0 &&
			     mprotect(to, HUGE, PROT_READ | PROT_WRITE) == 0);
		must(moved_to(to, at, 1));
		must(*(volatile unsigned long *)(at + HUGE / 2) == n);
	}
}

TEST_F_TIMEOUT(race, writers_and_moves, 90)
{
	struct race *race = race_new(PAGES);

	run_threads(race, THREADS, count_in_even_pages, move_for_a_while);
	ASSERT_TRUE(selfcheck_ok());
	/* In as many pieces as there are pages, each of which is ended once. */
	ASSERT_EQ(touch_pages(race->map, PAGES), PAGES);
	ASSERT_POOL(PAGES, 0);
	ASSERT_EQ(unmap_huge(race->map, PAGES), 0);
	ASSERT_POOL(0, 0);
}

/*
 * A page that others touch is moved there and back: they find it, or nothing is
 * mapped there, which here is SIGSEGV, and they try again.
 */
static __thread sigjmp_buf away_env;

static void away(int sig)
{
	siglongjmp(away_env, 1);
}

static void *count_in_what_moves(void *arg)
{
	struct racer *racer = arg;
	struct race *race = racer->race;
	volatile unsigned long last = 0, found;

	signal(SIGSEGV, away);
	for (;;) {
		if (sigsetjmp(away_env, 1)) {
			if (race_over(race))
				break;
			continue;
		}
		found = *race_word(race, 0, racer->number);
		/* It may have been written just when it went away. */
		must(found == last || found == last + 1);
		last = found;
		if (race_over(race))
			break;
		*race_word(race, 0, racer->number) = last + 1;
	}
	return NULL;
}

static void move_it_for_a_while(struct race *race)
{
	char *place = nothing_there(1);
	long end = now_ms() + RACE_MS;
	unsigned long n = 0;
	volatile unsigned long *mine;

	while (now_ms() < end) {
		mine = (unsigned long *)(race->map + HUGE / 2);
		*mine = ++n;
		must(moved_to(race->map, place, 1));
		mine = (unsigned long *)(place + HUGE / 2);
		must(*mine == n);
		*mine = ++n;
		must(moved_to(place, race->map, 1));
		mine = (unsigned long *)(race->map + HUGE / 2);
		must(*mine == n);
	}
}

TEST_F_TIMEOUT(race, faults_and_moves, 90)
{
	struct race *race = race_new(1);

	run_threads(race, 3, count_in_what_moves, move_it_for_a_while);
	ASSERT_POOL(1, 0);
	ASSERT_TRUE(selfcheck_ok());
}

static void unmap_for_a_while(struct race *race)
{
	unsigned long state = race->seed + 300, page, count = 0;
	long end = now_ms() + RACE_MS;
	char *map, *at;

	while (now_ms() < end || count < 20) {
		map = map_private(race->fd, 0, PAGES, 0);
		must(map);
		touch_pages(map, chance_of(&state, PAGES));
		for (page = 1; page < PAGES; page += 2) {
			at = race->map + page * HUGE;
			*(volatile char *)at = 1;
			must(unmap_huge(at, 1) == 0);
			/* Its place is taken by one of another mapping. */
			must(moved_to(map + page * HUGE, at, 1));
		}
		must(unmap_huge(map, PAGES) == 0);
		count++;
	}
}

TEST_F_TIMEOUT(race, writers_and_ends_of_pieces, 90)
{
	struct race *race = race_new(PAGES);

	run_threads(race, THREADS, fork_or_count, unmap_for_a_while);
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_EQ(touch_pages(race->map, PAGES), PAGES);
	ASSERT_EQ(unmap_huge(race->map, PAGES), 0);
	ASSERT_POOL(0, 0);
}

/* --- truncation ---------------------------------------------------------- */

/* SIGBUS, nothing or what was written last. */
static void *write_and_be_truncated(void *arg)
{
	struct racer *racer = arg;
	struct race *race = racer->race;
	unsigned long state = race->seed + racer->number;

	while (!race_over(race)) {
		char *at = race->map + chance_of(&state, race->pages) * HUGE;

		switch (chance_of(&state, 10)) {
		case 0:
			must(drop(at, HUGE) == 0);
			break;
		case 1:
			must(reap(spawn(child_may_be_refused, race)) == 0);
			break;
		case 2:
		case 3:
			can_read(at);
			break;
		default:
			can_write_value(at + racer->number, racer->number);
		}
	}
	return NULL;
}

static void truncate_for_a_while(struct race *race)
{
	unsigned long state = race->seed + 400, pages;
	long end = now_ms() + RACE_MS;

	while (now_ms() < end) {
		pages = chance_of(&state, race->pages);
		must(ftruncate(race->fd, pages * HUGE) == 0);
		if (chance_of(&state, 2))
			sched_yield();
		must(ftruncate(race->fd, race->pages * HUGE) == 0);
		if (!chance_of(&state, 10))
			usleep(10000);
	}
}

TEST_F_TIMEOUT(race, truncation_and_everything, 90)
{
	struct race *race = race_new(4);

	run_threads(race, 3, write_and_be_truncated, truncate_for_a_while);
	ASSERT_EQ(ftruncate(race->fd, 0), 0);
	ASSERT_POOL(0, 4);
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_EQ(ftruncate(race->fd, 4 * HUGE), 0);
	ASSERT_TRUE(bytes_are(race->map, 0, 4 * HUGE));
	ASSERT_EQ(touch_pages(race->map, 4), 4);
}

TEST_F_TIMEOUT(race, truncation_and_everything_with_no_page_left, 90)
{
	struct race *race = race_new(4);
	long all = self->before.all.free;

	leave_unpromised(0);
	run_threads(race, 3, write_and_be_truncated, truncate_for_a_while);
	ASSERT_EQ(ftruncate(race->fd, 0), 0);
	ASSERT_POOL(0, all);
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_EQ(ftruncate(race->fd, 4 * HUGE), 0);
	ASSERT_EQ(touch_pages(race->map, 4), 4);
}

/*
 * The owner ends, with pages that a child holds as well, while the file is
 * truncated and no page is left: what has to be tried again later must not be when
 * there is nobody left to try it for.
 */
#define ENDS	60

struct ending {
	struct sync sync;
	int fd;
};

static int own_and_end(void *arg)
{
	struct ending *ending = arg;
	char *map = map_private(ending->fd, 0, PAGES, 0);
	struct peer child;

	must(map && touch_pages(map, PAGES) == PAGES);
	leave_unpromised(0);
	child = peer_new();
	sync_start(&ending->sync);
	must(unmap_huge(map, PAGES) == 0);
	sync_meet(&ending->sync);
	peer_kill(&child);
	return 0;
}

TEST_F_TIMEOUT(race, end_and_truncation, 90)
{
	struct ending *ending = share(sizeof(*ending));
	unsigned long state = seed_get();
	int i, spins;
	pid_t pid;

	ending->sync.parties = 2;
	ending->fd = file_new();
	for (i = 0; i < ENDS; i++) {
		pid = spawn(own_and_end, ending);
		sync_start(&ending->sync);
		for (spins = chance_of(&state, 3000); spins; spins--)
			sync_spin();
		ASSERT_EQ(ftruncate(ending->fd, 0), 0);
		sync_meet(&ending->sync);
		ASSERT_EQ(reap(pid), 0);
		ASSERT_POOL(0, 0);
	}
	/* What was put off comes due half a second later. */
	usleep(700000);
	ASSERT_TRUE(selfcheck_ok());
}

/* --- ends while dropped pages go back ------------------------------------ */

/* In microseconds: between these it is that a dropped page goes back. */
#define GOES_BACK_MIN	8000
#define GOES_BACK_MAX	17000

#define MAPPINGS	40

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/*
 * The only page of a mapping was dropped and goes back, and just then the mapping ends.
 * Of many mappings one after the other, so that some meet.
 */
TEST_F_TIMEOUT(race, end_while_a_dropped_page_goes_back, 90)
{
	unsigned long state = seed_get();
	int fd = file_new(), i, k;
	char *map[MAPPINGS];
	long end;

	for (i = 0; i < 150; i++) {
		for (k = 0; k < MAPPINGS; k++) {
			map[k] = map_private(fd, 0, 1, 0);
			ASSERT_NE(map[k], NULL);
			ASSERT_TRUE(can_write(map[k]));
		}
		for (k = 0; k < MAPPINGS; k++)
			ASSERT_EQ(drop(map[k], HUGE), 0);
		end = now_us() + GOES_BACK_MIN +
		      chance_of(&state, GOES_BACK_MAX - GOES_BACK_MIN);
		while (now_us() < end)
			;
		for (k = 0; k < MAPPINGS; k++)
			ASSERT_EQ(unmap_huge(map[k], 1), 0);
	}
	ASSERT_POOL(0, 0);
	ASSERT_TRUE(selfcheck_ok());
}

/* --- kills --------------------------------------------------------------- */

static int do_everything(void *arg)
{
	struct race *race = arg;
	struct racer racer[THREADS];
	pthread_t thread;
	int i;

	for (i = 0; i < THREADS; i++) {
		racer[i] = (struct racer){ race, i };
		must(pthread_create(&thread, NULL, write_and_be_truncated,
				    &racer[i]) == 0);
	}
	for (;;)
		truncate_for_a_while(race);
}

static int own_everything(void *arg)
{
	struct race *race = arg;

	race->map = map_private(race->fd, 0, race->pages, 0);
	must(race->map);
	return do_everything(race);
}

/* Whoever is killed in the middle of anything leaves nothing behind. */
TEST_F_TIMEOUT(race, kills, 90)
{
	struct race *race = share(sizeof(*race));
	unsigned long state = seed_get();
	int i, status;
	pid_t pid;

	race->fd = file_new();
	race->pages = 3;
	race->seed = state;
	for (i = 0; i < 30; i++) {
		pid = spawn(own_everything, race);
		usleep(10000 + chance_of(&state, 60000));
		ASSERT_EQ(kill(pid, SIGKILL), 0);
		ASSERT_EQ(waitpid(pid, &status, 0), pid);
		ASSERT_TRUE(WIFSIGNALED(status));
		ASSERT_EQ(WTERMSIG(status), SIGKILL);
		ASSERT_POOL(0, 0);
	}
	ASSERT_TRUE(selfcheck_ok());
}

TEST_HARNESS_MAIN
