// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes and threads that want the same pages at the same time. Whoever comes
 * first, the outcome must be one that some order of one after the other gives:
 * a promise is kept, and a refusal is true, that is, there was an order in which
 * the pages were not there. A pool that refuses two who each want the last pages,
 * since each has seen the other's half-made reservation, fails here as does one
 * that promises them to both.
 */
#include "rhugefs_test.h"

#include <linux/falloc.h>
#include <pthread.h>
#include <sys/stat.h>

/* --- preparations -------------------------------------------------------- */

/* A processor of that node, or any. */
static int cpu_of_node(int nid)
{
	char path[80];
	int cpu;

	for (cpu = 0; cpu < processors(); cpu++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%d/node%d", cpu, nid);
		if (access(path, F_OK) == 0)
			return cpu;
	}
	return 0;
}

/*
 * Reserve all but @on_node[0] pages of node 0, @on_node[1] of node 1; all of the
 * other nodes. A reservation is made where its maker runs, as long as that node
 * has the pages. False where there are no such nodes.
 */
static bool leave(const long *on_node)
{
	struct pools pools = pools_read();
	int nid, fd = file_new();
	long pages, first = 0;

	for (nid = 0; nid < pools.nr_nodes || nid < 2; nid++) {
		pages = pools.node[nid].free - pools.node[nid].resv;
		if (nid < 2)
			pages -= on_node[nid];
		if (pages < 0)
			return false;
		if (!pages)
			continue;
		run_on(cpu_of_node(nid));
		must(map_huge(fd, first, pages, 0));
		first += pages;
	}
	must(pool_unpromised() == on_node[0] + on_node[1]);
	return true;
}

/*
 * A race ends after so many rounds, or where the machine has other things to do
 * when the time is up that it was given, but not before it has come to these.
 */
#define FEW_ROUNDS	100

static bool enough(int done, int wanted, long end)
{
	return done >= wanted || (done >= FEW_ROUNDS && now_ms() > end);
}

/* A short while, so that peers do not always meet in the same place. */
static void dawdle(unsigned long *state)
{
	unsigned long spins = chance_of(state, 4) ? chance_of(state, 400) :
						    chance_of(state, 20000);

	while (spins--)
		__asm__ volatile("" ::: "memory");
}

static int punch(int fd, long from, long len)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from,
			 len);
}

/* --- for the last pages -------------------------------------------------- */

#define MAX_RACERS	4

/* For a round. */
#define LAST_PAGES_MS	1
#define DUEL_MS		6

RHUGEFS_FIXTURE(last_pages);

FIXTURE_VARIANT(last_pages) {
	long left[2];		/* on node 0 and 1 when the race begins */
	long want[MAX_RACERS];	/* by each racer; 0: no more racers */
	bool by_fallocate;	/* odd racers allocate in place of mapping */
	bool same_file;		/* one file, racer n from page n on */
	int rounds;
};

FIXTURE_VARIANT_ADD(last_pages, one_page) {
	.left = { 1, 0 }, .want = { 1, 1 }, .rounds = 4000,
};

FIXTURE_VARIANT_ADD(last_pages, one_page_on_the_other_node) {
	.left = { 0, 1 }, .want = { 1, 1 }, .rounds = 2000,
};

FIXTURE_VARIANT_ADD(last_pages, one_page_on_each_node) {
	.left = { 1, 1 }, .want = { 2, 2 }, .rounds = 4000,
};

FIXTURE_VARIANT_ADD(last_pages, for_both_of_them) {
	.left = { 1, 1 }, .want = { 1, 1 }, .rounds = 2000,
};

FIXTURE_VARIANT_ADD(last_pages, many_pages_over_both_nodes) {
	.left = { 17, 5 }, .want = { 22, 22 }, .rounds = 2000,
};

FIXTURE_VARIANT_ADD(last_pages, one_too_few_for_both) {
	.left = { 6, 7 }, .want = { 7, 7 }, .rounds = 2000,
};

FIXTURE_VARIANT_ADD(last_pages, one_node_against_both) {
	.left = { 3, 4 }, .want = { 7, 3 }, .rounds = 2000,
};

FIXTURE_VARIANT_ADD(last_pages, one_node_against_both_the_other_way) {
	.left = { 3, 4 }, .want = { 4, 7 }, .rounds = 2000,
};

FIXTURE_VARIANT_ADD(last_pages, four_racers) {
	.left = { 3, 3 }, .want = { 3, 3, 4, 1 }, .rounds = 1000,
};

FIXTURE_VARIANT_ADD(last_pages, fallocate_against_mmap) {
	.left = { 2, 1 }, .want = { 3, 3 }, .by_fallocate = true, .rounds = 1000,
};

/* Both ask for the same pages but one: only together they are too many. */
FIXTURE_VARIANT_ADD(last_pages, of_one_file) {
	.left = { 2, 2 }, .want = { 4, 4 }, .same_file = true, .rounds = 2000,
};

struct last_pages {
	struct sync sync;
	const FIXTURE_VARIANT(last_pages) *variant;
	int racers;
	int fd;			/* for all of them, or -1 */
	unsigned long seed;
	bool yes[MAX_RACERS];
	bool over;
};

struct last_pages_racer {
	struct last_pages *race;
	int number;
};


/* First page of a racer in his file. */
static long last_pages_first(const struct last_pages *race, int racer)
{
	return race->fd < 0 ? 0 : racer;
}

/* Whether page @index of racer @of's file is one that racer @racer asked for. */
static bool last_pages_wants(const struct last_pages *race, int racer, int of,
			     long index)
{
	long first = last_pages_first(race, racer);

	return (race->fd >= 0 || racer == of) && index >= first &&
	       index < first + race->variant->want[racer];
}

/* How many pages those take who were told yes, and @also. */
static long last_pages_cost(const struct last_pages *race, int also)
{
	long cost = 0, index;
	int file, files = race->fd < 0 ? race->racers : 1;
	int racer;

	for (file = 0; file < files; file++) {
		for (index = 0; index < 64; index++) {
			for (racer = 0; racer < race->racers; racer++)
				if ((race->yes[racer] || racer == also) &&
				    last_pages_wants(race, racer, file, index))
					break;
			cost += racer < race->racers;
		}
	}
	return cost;
}

/*
 * Whether what they were told can have come about in some order: that is so if
 * those who were told no could have come last.
 */
static bool last_pages_fair(const struct last_pages *race)
{
	long left = race->variant->left[0] + race->variant->left[1];
	int racer;

	if (last_pages_cost(race, -1) > left)
		return false;
	for (racer = 0; racer < race->racers; racer++)
		if (!race->yes[racer] && last_pages_cost(race, racer) <= left)
			return false;
	return true;
}

static void last_pages_tell(const struct last_pages *race, int round)
{
	int i;

	for (i = 0; i < race->racers; i++)
		dprintf(STDOUT_FILENO, "# round %d: racer %d wanted %ld: %s\n",
			round, i, race->variant->want[i],
			race->yes[i] ? "yes" : "no");
}

static int last_pages_race(void *arg)
{
	struct last_pages_racer *racer = arg;
	struct last_pages *race = racer->race;
	int me = racer->number;
	long first = last_pages_first(race, me), want = race->variant->want[me];
	unsigned long state = race->seed + me;
	int fd = race->fd < 0 ? file_new() : race->fd;
	bool allocate = race->variant->by_fallocate && me % 2;
	long end = now_ms() + race->variant->rounds * LAST_PAGES_MS;
	char *map = NULL;
	int round;

	for (round = 0; !race->over; round++) {
		/* Now from the node that has the pages, now from the other. */
		if (round % 64 == 0)
			run_on(me + round / 64);
		sync_start(&race->sync);
		dawdle(&state);
		if (allocate) {
			race->yes[me] = !fallocate(fd, 0, first * HUGE,
						   want * HUGE);
			must(race->yes[me] || errno == ENOSPC);
		} else {
			map = map_huge(fd, first, want, 0);
			race->yes[me] = map;
			must(map || errno == ENOMEM);
		}
		sync_meet(&race->sync);
		if (me == 0 && !last_pages_fair(race)) {
			last_pages_tell(race, round);
			return 1;
		}
		/* Clearing pages takes far longer than promising them. */
		if (map && round % (16 * want) == 0)
			must(touch_pages(map, want) == want);
		if (map)
			must(unmap_huge(map, want) == 0);
		map = NULL;
		/* Of one file nothing may go before all are done with it. */
		if (race->fd >= 0)
			sync_meet(&race->sync);
		if (race->fd < 0 || me == 0)
			must(ftruncate(fd, 0) == 0);
		if (me == 0)
			race->over = enough(round + 1, race->variant->rounds,
					    end);
		sync_meet(&race->sync);
	}
	if (me == 0)
		dprintf(STDOUT_FILENO, "# %d rounds\n", round);
	return 0;
}

TEST_F_TIMEOUT(last_pages, go_to_those_who_were_told_so, 100)
{
	struct last_pages_racer racer[MAX_RACERS];
	struct last_pages *race = share(sizeof(*race));
	pid_t pid[MAX_RACERS];
	int i;

	race->variant = variant;
	race->seed = seed_get();
	race->fd = variant->same_file ? file_new() : -1;
	while (race->racers < MAX_RACERS && variant->want[race->racers])
		race->racers++;
	race->sync.parties = race->racers;
	if (!leave(variant->left))
		SKIP(return, "no two nodes with so many pages");
	ASSERT_POOL(0, self->before.all.free - variant->left[0] -
		       variant->left[1]);

	for (i = 0; i < race->racers; i++) {
		racer[i] = (struct last_pages_racer){ race, i };
		pid[i] = spawn(last_pages_race, &racer[i]);
	}
	for (i = 0; i < race->racers; i++)
		ASSERT_EQ(reap(pid[i]), 0);
	ASSERT_POOL(0, self->before.all.free - variant->left[0] -
		       variant->left[1]);
}

/* --- two who do not want the same ---------------------------------------- */

/*
 * A duel: two processes that each do one thing at the same time, round after
 * round. @check sees what both were answered and judges; @clean undoes what was
 * done. Both are called by one of the two while the other one waits.
 */
struct duel {
	struct sync sync;
	int fd[2];		/* files to quarrel about */
	char *map[2];		/* of them, made before the duel */
	long pages;		/* what the duel is about */
	int rounds;
	unsigned long seed;
	long (*act[2])(struct duel *duel);
	bool (*fair)(struct duel *duel);
	void (*clean)(struct duel *duel);
	long answer[2];
	bool over;
};

struct duellist {
	struct duel *duel;
	int number;
};

static int duel_fight(void *arg)
{
	struct duellist *duellist = arg;
	struct duel *duel = duellist->duel;
	int me = duellist->number, round;
	unsigned long state = duel->seed + me;
	long end = now_ms() + duel->rounds * DUEL_MS;

	for (round = 0; !duel->over; round++) {
		if (round % 64 == 0)
			run_on(me + round / 64);
		sync_start(&duel->sync);
		dawdle(&state);
		duel->answer[me] = duel->act[me](duel);
		sync_meet(&duel->sync);
		if (me == 0 && !duel->fair(duel)) {
			dprintf(STDOUT_FILENO, "# round %d: answers %ld, %ld\n",
				round, duel->answer[0], duel->answer[1]);
			return 1;
		}
		if (me == 0) {
			duel->clean(duel);
			duel->over = enough(round + 1, duel->rounds, end);
		}
		sync_meet(&duel->sync);
	}
	if (me == 0)
		dprintf(STDOUT_FILENO, "# %d rounds\n", round);
	return 0;
}

/* Whether all rounds were fair. */
static bool duel_run(struct duel *duel)
{
	struct duellist first = { duel, 0 }, second = { duel, 1 };
	pid_t pid[2];

	duel->sync.parties = 2;
	duel->seed = seed_get();
	pid[0] = spawn(duel_fight, &first);
	pid[1] = spawn(duel_fight, &second);
	/* The one who judges: the other waits in vain once he has ended. */
	if (reap(pid[0]) == 0)
		return reap(pid[1]) == 0;
	must(kill(pid[1], SIGKILL) == 0);
	must(waitpid(pid[1], NULL, 0) == pid[1]);
	return false;
}

static void duel_clean(struct duel *duel)
{
	must(punch(duel->fd[0], 0, 64 * HUGE) == 0);
	must(punch(duel->fd[1], 0, 64 * HUGE) == 0);
}

static long duel_touch(struct duel *duel)
{
	return can_write(duel->map[0]);
}

/* Reserve in the second file, and use it where told that one can. */
static long duel_reserve(struct duel *duel)
{
	char *map = map_huge(duel->fd[1], 0, duel->pages, 0);

	if (!map)
		return 0;
	must(can_write(map + (duel->pages - 1) * HUGE));
	must(unmap_huge(map, duel->pages) == 0);
	return 1;
}

static long duel_fallocate(struct duel *duel)
{
	int err = fallocate(duel->fd[1], 0, 0, duel->pages * HUGE);

	must(!err || errno == ENOSPC);
	return !err;
}

static bool duel_one_of_them(struct duel *duel)
{
	return duel->answer[0] + duel->answer[1] == 1;
}

static bool duel_both(struct duel *duel)
{
	return duel->answer[0] && duel->answer[1];
}

RHUGEFS_FIXTURE(duel);

FIXTURE_VARIANT(duel) {
	long left[2];
	int rounds;
};

FIXTURE_VARIANT_ADD(duel, page_on_the_first_node) {
	.left = { 1, 0 }, .rounds = 200,
};

FIXTURE_VARIANT_ADD(duel, page_on_the_second_node) {
	.left = { 0, 1 }, .rounds = 200,
};

FIXTURE_VARIANT_ADD(duel, pages_on_both_nodes) {
	.left = { 2, 2 }, .rounds = 200,
};

/* Leave what the variant says; two files, the first one mapped unreserved. */
static struct duel *duel_new(const FIXTURE_VARIANT(duel) *variant)
{
	struct duel *duel = share(sizeof(*duel));

	duel->pages = variant->left[0] + variant->left[1];
	duel->rounds = variant->rounds;
	duel->fd[0] = file_new();
	duel->fd[1] = file_new();
	duel->map[0] = map_huge(duel->fd[0], 0, 2, MAP_NORESERVE);
	must(duel->map[0]);
	duel->clean = duel_clean;
	return leave(variant->left) ? duel : NULL;
}

/* All that is left for a mapping, or a page of it for a fault, but not both. */
TEST_F_TIMEOUT(duel, unreserved_fault_against_mmap, 100)
{
	struct duel *duel = duel_new(variant);

	if (!duel)
		SKIP(return, "no two nodes with so many pages");
	duel->act[0] = duel_touch;
	duel->act[1] = duel_reserve;
	duel->fair = duel_one_of_them;
	ASSERT_TRUE(duel_run(duel));
	ASSERT_POOL(0, self->before.all.free - duel->pages);
}

TEST_F_TIMEOUT(duel, unreserved_fault_against_fallocate, 100)
{
	struct duel *duel = duel_new(variant);

	if (!duel)
		SKIP(return, "no two nodes with so many pages");
	duel->act[0] = duel_touch;
	duel->act[1] = duel_fallocate;
	duel->fair = duel_one_of_them;
	ASSERT_TRUE(duel_run(duel));
	ASSERT_POOL(0, self->before.all.free - duel->pages);
}

/*
 * The fault and the mapping want the same pages of the same file: there are
 * enough, in whichever order they come.
 */
TEST_F_TIMEOUT(duel, unreserved_fault_and_mmap_of_the_same_page, 100)
{
	struct duel *duel = duel_new(variant);

	if (!duel)
		SKIP(return, "no two nodes with so many pages");
	duel->fd[1] = duel->fd[0];
	duel->act[0] = duel_touch;
	duel->act[1] = duel_reserve;
	duel->fair = duel_both;
	ASSERT_TRUE(duel_run(duel));
	ASSERT_POOL(0, self->before.all.free - duel->pages);
}

TEST_F_TIMEOUT(duel, unreserved_fault_and_fallocate_of_the_same_page, 100)
{
	struct duel *duel = duel_new(variant);

	if (!duel)
		SKIP(return, "no two nodes with so many pages");
	duel->fd[1] = duel->fd[0];
	duel->act[0] = duel_touch;
	duel->act[1] = duel_fallocate;
	duel->fair = duel_both;
	ASSERT_TRUE(duel_run(duel));
	ASSERT_POOL(0, self->before.all.free - duel->pages);
}

/* --- the size of a file -------------------------------------------------- */

/*
 * A file of a single byte is to become one page long, its page being there
 * already, and four pages long, all of them promised.
 */
static long size_fallocate(struct duel *duel)
{
	return !fallocate(duel->fd[0], 0, 0, HUGE);
}

static long size_mmap(struct duel *duel)
{
	char *map = map_huge(duel->fd[0], 0, 4, 0);

	must(map);
	must(unmap_huge(map, 4) == 0);
	return 1;
}

static bool size_fair(struct duel *duel)
{
	struct stat st;

	must(fstat(duel->fd[0], &st) == 0);
	if (st.st_size != 4 * HUGE)
		dprintf(STDOUT_FILENO, "# size %ld\n", (long)st.st_size);
	return duel_both(duel) && st.st_size == 4 * HUGE;
}

static void size_clean(struct duel *duel)
{
	must(ftruncate(duel->fd[0], 1) == 0);
}

RHUGEFS_FIXTURE(race);

/* Neither makes a file shorter, so the longer one stands in the end. */
TEST_F_TIMEOUT(race, fallocate_never_shortens_what_mmap_made_longer, 100)
{
	struct duel *duel = share(sizeof(*duel));

	duel->rounds = 2000;
	duel->fd[0] = file_new();
	duel->act[0] = size_fallocate;
	duel->act[1] = size_mmap;
	duel->fair = size_fair;
	duel->clean = size_clean;
	ASSERT_EQ(fallocate(duel->fd[0], 0, 0, 1), 0);
	ASSERT_TRUE(duel_run(duel));
	ASSERT_POOL(1, 0);
}

/* --- promises that move -------------------------------------------------- */

#define MOVE_PAGES	24
#define MOVE_BATCHES	8

struct move {
	struct sync sync;
	bool touching;
	long left;
	long tries;
};

/*
 * Touch pages that were promised on one node from another one, which may give its
 * own pages in their place.
 */
static int move_touch(void *arg)
{
	struct move *move = arg;
	int fd = file_new(), batch, page;
	char *map;

	for (batch = 0; batch < MOVE_BATCHES; batch++) {
		run_on(cpu_of_node(batch % 2));
		map = map_huge(fd, 0, MOVE_PAGES, 0);
		must(map);
		__atomic_store_n(&move->touching, true, __ATOMIC_RELEASE);
		sync_meet(&move->sync);
		run_on(cpu_of_node(!(batch % 2)));
		for (page = 0; page < MOVE_PAGES; page++)
			must(can_write(map + page * HUGE));
		__atomic_store_n(&move->touching, false, __ATOMIC_RELEASE);
		sync_meet(&move->sync);
		must(unmap_huge(map, MOVE_PAGES) == 0);
		must(ftruncate(fd, 0) == 0);
	}
	return 0;
}

/* Reserve all that is left, again and again. */
static int move_reserve(void *arg)
{
	struct move *move = arg;
	int fd = file_new(), batch;
	char *map;

	for (batch = 0; batch < MOVE_BATCHES; batch++) {
		run_on(batch);
		sync_meet(&move->sync);
		while (__atomic_load_n(&move->touching, __ATOMIC_ACQUIRE)) {
			map = map_huge(fd, 0, move->left, 0);
			must(map && "a touch of promised pages takes no others");
			must(unmap_huge(map, move->left) == 0);
			must(ftruncate(fd, 0) == 0);
			move->tries++;
		}
		sync_meet(&move->sync);
	}
	return 0;
}

TEST_F_TIMEOUT(race, touching_what_was_promised_refuses_nobody, 100)
{
	const long left[2] = { MOVE_PAGES + 3, MOVE_PAGES + 3 };
	struct move *move = share(sizeof(*move));
	pid_t toucher, reserver;

	if (!leave(left))
		SKIP(return, "no two nodes with so many pages");
	move->sync.parties = 2;
	move->left = left[0] + left[1] - MOVE_PAGES;
	toucher = spawn(move_touch, move);
	reserver = spawn(move_reserve, move);
	ASSERT_EQ(reap(reserver), 0);
	ASSERT_EQ(reap(toucher), 0);
	ASSERT_LT(100, move->tries);
	ASSERT_POOL(0, self->before.all.free - left[0] - left[1]);
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
	struct sync sync;
	const FIXTURE_VARIANT(crowd) *variant;
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
		if (crowd->variant->readers && member->number % 2)
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
		if (crowd->variant->reserved)
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

TEST_F_TIMEOUT(crowd, takes_one_page, 100)
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
	crowd->variant = variant;
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

TEST_F_TIMEOUT(race, all_at_once, 100)
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

TEST_HARNESS_MAIN
