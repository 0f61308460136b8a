// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that want the same pages at the same time. Whoever comes first, the
 * outcome must be one that some order of one after the other gives: a promise is
 * kept, and a refusal is true, that is, there was an order in which the pages were
 * not there. A pool that refuses two who each want the last pages, since each has
 * seen the other's half-made reservation, fails here as does one that promises
 * them to both.
 */
#include "rhugefs_test.h"

#include <linux/falloc.h>
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
	FIXTURE_VARIANT(last_pages) variant;
	struct sync sync;
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
	       index < first + race->variant.want[racer];
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
	long left = race->variant.left[0] + race->variant.left[1];
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
			round, i, race->variant.want[i],
			race->yes[i] ? "yes" : "no");
}

static int last_pages_race(void *arg)
{
	struct last_pages_racer *racer = arg;
	struct last_pages *race = racer->race;
	int me = racer->number;
	long first = last_pages_first(race, me), want = race->variant.want[me];
	unsigned long state = race->seed + me;
	int fd = race->fd < 0 ? file_new() : race->fd;
	bool allocate = race->variant.by_fallocate && me % 2;
	long end = now_ms() + race->variant.rounds * LAST_PAGES_MS;
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
			race->over = enough(round + 1, race->variant.rounds,
					    end);
		sync_meet(&race->sync);
	}
	if (me == 0)
		dprintf(STDOUT_FILENO, "# %d rounds\n", round);
	return 0;
}

TEST_F_TIMEOUT(last_pages, go_to_those_who_were_told_so, 300)
{
	struct last_pages_racer racer[MAX_RACERS];
	struct last_pages *race = share(sizeof(*race));
	pid_t pid[MAX_RACERS];
	int i;

	race->variant = *variant;
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
 * round. @fair sees what both were answered and judges; @clean undoes what was
 * done. Both are called by one of the two while the other one waits.
 */
struct duel {
	long (*act[2])(struct duel *duel);
	bool (*fair)(struct duel *duel);
	void (*clean)(struct duel *duel);
	struct sync sync;
	int fd[2];		/* files to quarrel about */
	char *map[2];		/* of them, made before the duel */
	long pages;		/* what the duel is about */
	int rounds;
	unsigned long seed;
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

/* Leave so many pages; two files, the first one mapped unreserved. */
static struct duel *duel_new(const long *left, int rounds)
{
	struct duel *duel = share(sizeof(*duel));

	duel->pages = left[0] + left[1];
	duel->rounds = rounds;
	duel->fd[0] = file_new();
	duel->fd[1] = file_new();
	duel->map[0] = map_huge(duel->fd[0], 0, 2, MAP_NORESERVE);
	must(duel->map[0]);
	duel->clean = duel_clean;
	return leave(left) ? duel : NULL;
}

/* All that is left for a mapping, or a page of it for a fault, but not both. */
TEST_F_TIMEOUT(duel, unreserved_fault_against_mmap, 300)
{
	struct duel *duel = duel_new(variant->left, variant->rounds);

	if (!duel)
		SKIP(return, "no two nodes with so many pages");
	duel->act[0] = duel_touch;
	duel->act[1] = duel_reserve;
	duel->fair = duel_one_of_them;
	ASSERT_TRUE(duel_run(duel));
	ASSERT_POOL(0, self->before.all.free - duel->pages);
}

TEST_F_TIMEOUT(duel, unreserved_fault_against_fallocate, 300)
{
	struct duel *duel = duel_new(variant->left, variant->rounds);

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
TEST_F_TIMEOUT(duel, unreserved_fault_and_mmap_of_the_same_page, 300)
{
	struct duel *duel = duel_new(variant->left, variant->rounds);

	if (!duel)
		SKIP(return, "no two nodes with so many pages");
	duel->fd[1] = duel->fd[0];
	duel->act[0] = duel_touch;
	duel->act[1] = duel_reserve;
	duel->fair = duel_both;
	ASSERT_TRUE(duel_run(duel));
	ASSERT_POOL(0, self->before.all.free - duel->pages);
}

TEST_F_TIMEOUT(duel, unreserved_fault_and_fallocate_of_the_same_page, 300)
{
	struct duel *duel = duel_new(variant->left, variant->rounds);

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
TEST_F_TIMEOUT(race, fallocate_never_shortens_what_mmap_made_longer, 300)
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

/* --- pages on their way back --------------------------------------------- */

#define PARKED_PAGES	4

/*
 * Take all that is left, have a pipe hold on to it, give it back, and let the pipe
 * go: nobody holds these pages any more, but the pool has yet to find that out.
 */
static void parked_make(struct duel *duel)
{
	unsigned long state = duel->seed++;
	struct pin pin = pin_new();
	char *map;
	int i;

	must(ftruncate(duel->fd[0], 0) == 0);
	must(ftruncate(duel->fd[1], 0) == 0);
	map = map_huge(duel->fd[0], 0, PARKED_PAGES, 0);
	must(map);
	for (i = 0; i < PARKED_PAGES; i++) {
		must(can_write(map + i * HUGE));
		pin_add(&pin, map + i * HUGE, 4096);
	}
	must(unmap_huge(map, PARKED_PAGES) == 0);
	must(ftruncate(duel->fd[0], 0) == 0);
	must(pool_unpromised() == 0);
	pin_end(&pin);
	/* Now before it looks, now while, now after it. */
	usleep(chance_of(&state, 15000));
}

static long parked_reserve(int fd)
{
	char *map = map_huge(fd, 0, PARKED_PAGES / 2, 0);

	if (!map)
		return 0;
	must(unmap_huge(map, PARKED_PAGES / 2) == 0);
	return 1;
}

static long parked_reserve_first(struct duel *duel)
{
	return parked_reserve(duel->fd[0]);
}

static long parked_reserve_second(struct duel *duel)
{
	return parked_reserve(duel->fd[1]);
}

/*
 * Whoever of the two looks for such pages, or if the pool does just now: they are
 * enough for both.
 */
TEST_F_TIMEOUT(race, what_was_let_go_is_there_for_both, 300)
{
	const long left[2] = { PARKED_PAGES / 2, PARKED_PAGES / 2 };
	struct duel *duel = share(sizeof(*duel));

	if (!leave(left))
		SKIP(return, "no two nodes with so many pages");
	duel->rounds = 200;
	duel->fd[0] = file_new();
	duel->fd[1] = file_new();
	duel->act[0] = parked_reserve_first;
	duel->act[1] = parked_reserve_second;
	duel->fair = duel_both;
	duel->clean = parked_make;
	parked_make(duel);
	ASSERT_TRUE(duel_run(duel));
	ASSERT_POOL(0, self->before.all.free - PARKED_PAGES);
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

TEST_F_TIMEOUT(race, touching_what_was_promised_refuses_nobody, 300)
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

/* --- without rounds ------------------------------------------------------ */

/*
 * Where an answer is certain whatever the others are doing, nobody has to wait for
 * anybody: each asks and gives back as fast as he can, which makes for far more
 * collisions than rounds do.
 */
#define RUSH_MS		2500

enum rush_answer { YES, NO, EITHER };

struct rush {
	struct sync sync;
	unsigned long seed;
	long end;
	long left;
	long held;		/* for certain, by all of them */
};

struct rusher {
	struct rush *rush;
	int number;
	long least;		/* asks for so many pages, or */
	long most;		/* up to so many */
	enum rush_answer answer;
};

static int rush_run(void *arg)
{
	struct rusher *rusher = arg;
	struct rush *rush = rusher->rush;
	unsigned long state = rush->seed + rusher->number, tries;
	int fd = file_new();
	long want;
	char *map;

	sync_start(&rush->sync);
	for (tries = 0; tries % 16 || now_ms() < rush->end; tries++) {
		if (tries % 512 == 0)
			run_on(rusher->number + tries / 512);
		want = rusher->least +
		       chance_of(&state, rusher->most - rusher->least + 1);
		map = map_huge(fd, 0, want, 0);
		if (!map) {
			must(errno == ENOMEM);
			must(rusher->answer != YES);
			continue;
		}
		must(rusher->answer != NO);
		/* Counted only while they are held: the truth may be more. */
		must(__atomic_add_fetch(&rush->held, want, __ATOMIC_SEQ_CST) <=
		     rush->left);
		if (tries % 128 == 0)
			must(can_write(map + (want - 1) * HUGE));
		__atomic_sub_fetch(&rush->held, want, __ATOMIC_SEQ_CST);
		must(unmap_huge(map, want) == 0);
		must(ftruncate(fd, 0) == 0);
	}
	dprintf(STDOUT_FILENO, "# pid %d: %lu tries\n", getpid(), tries);
	return 0;
}

RHUGEFS_FIXTURE(rush);

FIXTURE_VARIANT(rush) {
	long left[2];
	struct rusher rusher[MAX_RACERS];
};

/* Who asks for too much takes nothing, not even for a moment. */
FIXTURE_VARIANT_ADD(rush, refused_disturb_nobody) {
	.left = { 3, 4 },
	.rusher = {
		{ .least = 8, .most = 9, .answer = NO },
		{ .least = 7, .most = 7, .answer = YES },
	},
};

FIXTURE_VARIANT_ADD(rush, refused_disturb_nobody_on_one_node) {
	.left = { 0, 5 },
	.rusher = {
		{ .least = 6, .most = 70, .answer = NO },
		{ .least = 5, .most = 5, .answer = YES },
	},
};

/* Together they ask for all there is, over and across the nodes. */
FIXTURE_VARIANT_ADD(rush, enough_for_all) {
	.left = { 3, 4 },
	.rusher = {
		{ .least = 1, .most = 4, .answer = YES },
		{ .least = 2, .most = 2, .answer = YES },
		{ .least = 1, .most = 1, .answer = YES },
	},
};

FIXTURE_VARIANT_ADD(rush, never_more_than_there_are) {
	.left = { 3, 4 },
	.rusher = {
		{ .least = 4, .most = 4, .answer = EITHER },
		{ .least = 4, .most = 4, .answer = EITHER },
	},
};

FIXTURE_VARIANT_ADD(rush, never_more_than_there_are_for_four) {
	.left = { 4, 4 },
	.rusher = {
		{ .least = 1, .most = 7, .answer = EITHER },
		{ .least = 1, .most = 8, .answer = EITHER },
		{ .least = 5, .most = 6, .answer = EITHER },
		{ .least = 8, .most = 9, .answer = EITHER },
	},
};

TEST_F_TIMEOUT(rush, answers_are_certain, 300)
{
	struct rusher rusher[MAX_RACERS];
	struct rush *rush = share(sizeof(*rush));
	pid_t pid[MAX_RACERS];
	int i;

	if (!leave(variant->left))
		SKIP(return, "no two nodes with so many pages");
	rush->left = variant->left[0] + variant->left[1];
	rush->seed = seed_get();
	rush->end = now_ms() + RUSH_MS;
	while (rush->sync.parties < MAX_RACERS &&
	       variant->rusher[rush->sync.parties].most)
		rush->sync.parties++;
	for (i = 0; i < rush->sync.parties; i++) {
		rusher[i] = variant->rusher[i];
		rusher[i].rush = rush;
		rusher[i].number = i;
		pid[i] = spawn(rush_run, &rusher[i]);
	}
	for (i = 0; i < rush->sync.parties; i++)
		ASSERT_EQ(reap(pid[i]), 0);
	ASSERT_POOL(0, self->before.all.free - rush->left);
}

TEST_HARNESS_MAIN
