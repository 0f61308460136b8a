// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking pages away from a file: by truncation, by punching holes, by removing
 * its name, alone and while others fault on it and read it. What is taken away
 * reads as zeroes when it comes again, what is beyond the end raises SIGBUS, and
 * a page that has left a file is reached through that file no more.
 */
#include "rhugefs_test.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>

#define SMALL		4096UL
#define PUNCH		(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

RHUGEFS_FIXTURE(truncate);

static unsigned long huge_count(unsigned long bytes)
{
	return (bytes + HUGE - 1) >> HUGE_SHIFT;
}

static unsigned long min_of(unsigned long a, unsigned long b)
{
	return a < b ? a : b;
}

static unsigned long max_of(unsigned long a, unsigned long b)
{
	return a > b ? a : b;
}

static off_t file_size(int fd)
{
	struct stat st;

	must(fstat(fd, &st) == 0);
	return st.st_size;
}

/* Huge pages that the file says it has. */
static unsigned long file_pages(int fd)
{
	struct stat st;

	must(fstat(fd, &st) == 0);
	return st.st_blocks * 512UL >> HUGE_SHIFT;
}

/* A new file with that many pages, none of them zero anywhere. */
static int file_full(unsigned long pages)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, pages, 0);

	must(map);
	memset(map, 0x5a, pages * HUGE);
	must(unmap_huge(map, pages) == 0);
	return fd;
}

/* Whether read(2) shows just @bytes bytes, and these are those of @model. */
static bool reads_as(int fd, const char *model, unsigned long bytes)
{
	char *buf = malloc(bytes + 1);
	bool same;

	must(buf);
	same = pread(fd, buf, bytes + 1, 0) == (ssize_t)bytes &&
	       !memcmp(buf, model, bytes);
	free(buf);
	return same;
}

/* --- truncation ---------------------------------------------------------- */

TEST_F(truncate, down_and_up_shows_zeroes)
{
	static const unsigned long sizes[] = {
		0, 1, SMALL - 1, SMALL, SMALL + 1, HUGE - 1, HUGE, HUGE + 1,
		2 * HUGE - SMALL, 2 * HUGE + 12345,
	};
	char *model = malloc(3 * HUGE);
	char *map;
	int i, fd;

	for (i = 0; i < (int)(sizeof(sizes) / sizeof(*sizes)); i++) {
		fd = file_full(3);
		map = map_huge(fd, 0, 3, 0);
		ASSERT_NE(map, NULL);
		ASSERT_EQ(touch_pages(map, 3), 3);
		memset(map, 0x5a, 3 * HUGE);

		ASSERT_EQ(ftruncate(fd, sizes[i]), 0);
		ASSERT_EQ(file_size(fd), sizes[i]);
		ASSERT_EQ(file_pages(fd), huge_count(sizes[i]));
		/* What was promised behind the end is promised no more. */
		ASSERT_POOL(huge_count(sizes[i]), 0);

		ASSERT_EQ(ftruncate(fd, 3 * HUGE), 0);
		memset(model, 0x5a, sizes[i]);
		memset(model + sizes[i], 0, 3 * HUGE - sizes[i]);
		ASSERT_TRUE(reads_as(fd, model, 3 * HUGE))
			TH_LOG("read(2) after size %lu", sizes[i]);
		ASSERT_EQ(memcmp(map, model, 3 * HUGE), 0)
			TH_LOG("mapping after size %lu", sizes[i]);
		ASSERT_EQ(unmap_huge(map, 3), 0);
		close(fd);
		ASSERT_POOL(0, 0);
	}
}

TEST_F(truncate, beyond_the_new_end_is_sigbus)
{
	int fd = file_full(4);
	char *map = map_huge(fd, 0, 4, 0);
	int i;

	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 4), 4);
	ASSERT_EQ(ftruncate(fd, HUGE + 1), 0);
	ASSERT_TRUE(can_read(map));
	ASSERT_TRUE(can_write(map + HUGE));
	for (i = 2; i < 4; i++) {
		ASSERT_FALSE(can_read(map + i * HUGE));
		ASSERT_FALSE(can_write(map + i * HUGE + SMALL));
	}
	ASSERT_POOL(2, 0);
	ASSERT_EQ(ftruncate(fd, 3 * HUGE), 0);
	ASSERT_TRUE(can_write(map + 2 * HUGE));
	ASSERT_FALSE(can_write(map + 3 * HUGE));
	ASSERT_POOL(3, 0);
}

/* Another process has the pages in its page tables, too. */
static int still_there(void *arg)
{
	struct {
		struct sync sync;
		int fd;
	} *talk = arg;
	char *map = map_huge(talk->fd, 0, 2, 0);

	must(map && map[0] == 0x5a && map[HUGE] == 0x5a);
	sync_meet(&talk->sync);
	sync_meet(&talk->sync);
	must(map[0] == 0x5a && !can_read(map + HUGE));
	return 0;
}

TEST_F(truncate, reaches_other_processes)
{
	struct {
		struct sync sync;
		int fd;
	} *talk = share(sizeof(*talk));
	pid_t pid;

	talk->sync.parties = 2;
	talk->fd = file_full(2);
	pid = spawn(still_there, talk);
	sync_meet(&talk->sync);
	ASSERT_EQ(ftruncate(talk->fd, HUGE), 0);
	sync_meet(&talk->sync);
	ASSERT_EQ(reap(pid), 0);
	ASSERT_POOL(1, 0);
}

TEST_F(truncate, by_opening)
{
	char path[256];
	int fd = file_named("truncate-by-opening");
	char *map = map_huge(fd, 0, 2, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 1), 1);
	ASSERT_POOL(1, 1);
	snprintf(path, sizeof(path), "%s/truncate-by-opening", mnt_dir());
	close(open(path, O_RDWR | O_TRUNC));
	ASSERT_EQ(file_size(fd), 0);
	ASSERT_POOL(0, 0);
	ASSERT_FALSE(can_read(map));
	ASSERT_EQ(file_unlink("truncate-by-opening"), 0);
}

/* Extending promises and takes nothing. */
TEST_F(truncate, up_is_free)
{
	int fd = file_new();

	ASSERT_EQ(ftruncate(fd, 1000 * HUGE + 1), 0);
	ASSERT_EQ(file_size(fd), 1000 * HUGE + 1);
	ASSERT_EQ(file_pages(fd), 0);
	ASSERT_POOL(0, 0);
}

/* --- holes --------------------------------------------------------------- */

#define PAGES		4

struct hole {
	unsigned long from;
	unsigned long len;
};

/* Huge pages of a file of PAGES full ones that lie in a hole as a whole. */
static unsigned long swallowed(const struct hole *hole)
{
	unsigned long first = huge_count(hole->from);
	unsigned long end = min_of((hole->from + hole->len) >> HUGE_SHIFT,
				   PAGES);

	return end > first ? end - first : 0;
}

/* Punch a file with these contents; whether size, counts and bytes are right. */
static bool punch_right(const struct pools *before, const struct hole *hole,
			int fd, char *map, const char *model)
{
	unsigned long left = PAGES - swallowed(hole);

	return fallocate(fd, PUNCH, hole->from, hole->len) == 0 &&
	       file_size(fd) == PAGES * HUGE && file_pages(fd) == left &&
	       pools_moved(before, left, 0) &&
	       reads_as(fd, model, PAGES * HUGE) &&
	       !memcmp(map, model, PAGES * HUGE) &&
	       /* Having looked has filled the hole. */
	       pools_moved(before, PAGES, 0);
}

static bool punch_and_look(const struct pools *before, const struct hole *hole)
{
	unsigned long size = PAGES * HUGE;
	unsigned long from = min_of(hole->from, size);
	unsigned long to = min_of(hole->from + hole->len, size);
	char *model = malloc(size);
	int fd = file_full(PAGES);
	char *map = map_huge(fd, 0, PAGES, 0);
	bool right;

	must(model && map);
	bytes_stir(map, size, hole->from);
	memcpy(model, map, size);
	memset(model + from, 0, to - from);
	right = punch_right(before, hole, fd, map, model);

	must(unmap_huge(map, PAGES) == 0);
	close(fd);
	free(model);
	return right && pools_moved(before, 0, 0);
}

TEST_F(truncate, punch_frees_whole_pages_and_clears_parts)
{
	static const struct hole holes[] = {
		/* within one huge page */
		{ 0, 1 }, { 1, 1 }, { SMALL, SMALL }, { HUGE - 1, 1 },
		{ 100, HUGE - 200 }, { HUGE + 1, HUGE - 1 }, { 0, HUGE - 1 },
		/* just huge pages */
		{ 0, HUGE }, { HUGE, HUGE }, { HUGE, 2 * HUGE },
		{ 0, PAGES * HUGE },
		/* a part at either end or both, with and without a whole one */
		{ HUGE - 1, 2 }, { HUGE - SMALL, 2 * SMALL },
		{ HUGE / 2, HUGE }, { HUGE - 1, HUGE + 1 }, { HUGE, HUGE + 1 },
		{ HUGE - 1, HUGE + 2 }, { 777, 3 * HUGE },
		{ 1, PAGES * HUGE - 2 },
		/* over the end of the file and behind it */
		{ 3 * HUGE + 5, HUGE }, { 2 * HUGE, 5 * HUGE },
		{ 4 * HUGE, HUGE }, { 4 * HUGE + 1, 12345 },
		{ 3 * HUGE, INT64_MAX - 3 * HUGE - HUGE },
		{ HUGE / 2, INT64_MAX - 3 * HUGE },
	};
	int i;

	for (i = 0; i < (int)(sizeof(holes) / sizeof(*holes)); i++) {
		ASSERT_TRUE(punch_and_look(&self->before, &holes[i]))
			TH_LOG("hole of %lu at %lu", holes[i].len,
			       holes[i].from);
	}
}

TEST_F(truncate, punch_at_random)
{
	unsigned long state = seed_get(), a, b;
	struct hole hole;
	int i;

	for (i = 0; i < 20; i++) {
		a = chance_of(&state, PAGES * HUGE);
		b = chance_of(&state, PAGES * HUGE);
		hole.from = min_of(a, b);
		hole.len = max_of(a, b) - hole.from + 1;
		ASSERT_TRUE(punch_and_look(&self->before, &hole))
			TH_LOG("hole of %lu at %lu", hole.len, hole.from);
	}
}

TEST_F(truncate, punch_keeps_a_ragged_size)
{
	unsigned long size = 2 * HUGE + 4321;
	char *model = malloc(size);
	int fd = file_full(3);

	ASSERT_NE(model, NULL);
	memset(model, 0x5a, size);
	ASSERT_EQ(ftruncate(fd, size), 0);

	memset(model + 2 * HUGE + 4000, 0, 321);
	ASSERT_EQ(fallocate(fd, PUNCH, 2 * HUGE + 4000, HUGE), 0);
	ASSERT_EQ(file_size(fd), size);
	ASSERT_TRUE(reads_as(fd, model, size));
	ASSERT_POOL(3, 0);

	/* The whole of the last page, though the file ends within it. */
	memset(model + 2 * HUGE, 0, 4321);
	ASSERT_EQ(fallocate(fd, PUNCH, 2 * HUGE, HUGE), 0);
	ASSERT_EQ(file_size(fd), size);
	ASSERT_TRUE(reads_as(fd, model, size));
	ASSERT_POOL(2, 0);
}

TEST_F(truncate, punch_ends_promises)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 4, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 2), 2);
	ASSERT_POOL(2, 2);
	ASSERT_EQ(fallocate(fd, PUNCH, HUGE, 2 * HUGE), 0);
	ASSERT_POOL(1, 1);
	/* Promised to nobody now, but there is one to be had. */
	ASSERT_TRUE(can_write(map + HUGE));
	ASSERT_POOL(2, 1);
	ASSERT_EQ(fallocate(fd, PUNCH, 0, 4 * HUGE), 0);
	ASSERT_POOL(0, 0);
	ASSERT_EQ(fallocate(fd, PUNCH, 0, 4 * HUGE), 0);
	ASSERT_POOL(0, 0);
}

TEST_F(truncate, punch_behind_the_end)
{
	int fd = file_new();

	ASSERT_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, HUGE, 3 * HUGE), 0);
	ASSERT_EQ(file_size(fd), 0);
	ASSERT_EQ(file_pages(fd), 3);
	ASSERT_POOL(3, 0);
	ASSERT_EQ(fallocate(fd, PUNCH, 2 * HUGE, HUGE), 0);
	ASSERT_EQ(file_size(fd), 0);
	ASSERT_POOL(2, 0);
	/* Extended over what is left, the file shows zeroes. */
	ASSERT_EQ(ftruncate(fd, 4 * HUGE), 0);
	ASSERT_TRUE(bytes_are(mmap(NULL, 4 * HUGE, PROT_READ, MAP_SHARED, fd,
				   0), 0, 4 * HUGE));
	ASSERT_POOL(4, 0);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_POOL(0, 0);
}

TEST_F(truncate, fallocate_extends_to_the_byte)
{
	int fd = file_new();

	ASSERT_EQ(fallocate(fd, 0, HUGE - 1, 2), 0);
	ASSERT_EQ(file_size(fd), HUGE + 1);
	ASSERT_POOL(2, 0);
	/* What is there is kept. */
	ASSERT_EQ(fallocate(fd, 0, 0, HUGE), 0);
	ASSERT_EQ(file_size(fd), HUGE + 1);
	ASSERT_POOL(2, 0);
}

TEST_F(truncate, madv_remove_punches)
{
	int fd = file_full(3);
	char *map = map_huge(fd, 0, 3, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(madvise(map + HUGE, HUGE, MADV_REMOVE), 0);
	ASSERT_POOL(2, 0);
	ASSERT_TRUE(bytes_are(map + HUGE, 0, HUGE));
	ASSERT_EQ(madvise(map + SMALL, 2 * SMALL, MADV_REMOVE), 0);
	ASSERT_TRUE(bytes_are(map, 0x5a, SMALL));
	ASSERT_TRUE(bytes_are(map + SMALL, 0, 2 * SMALL));
	ASSERT_TRUE(bytes_are(map + 3 * SMALL, 0x5a, HUGE - 3 * SMALL));
	ASSERT_TRUE(bytes_are(map + 2 * HUGE, 0x5a, HUGE));
	ASSERT_POOL(3, 0);
}

/* --- the name ------------------------------------------------------------ */

TEST_F(truncate, unlinked_while_mapped)
{
	int fd = file_named("unlinked-while-mapped");
	char *map = map_huge(fd, 0, 3, 0);

	ASSERT_NE(map, NULL);
	ASSERT_TRUE(can_write_value(map, 9));
	ASSERT_EQ(file_unlink("unlinked-while-mapped"), 0);
	ASSERT_POOL(1, 2);
	close(fd);
	ASSERT_POOL(1, 2);
	ASSERT_EQ(map[0], 9);
	ASSERT_TRUE(can_write(map + HUGE));
	ASSERT_POOL(2, 1);
	ASSERT_EQ(munmap(map, HUGE), 0);
	ASSERT_POOL(2, 1);
	ASSERT_EQ(munmap(map + HUGE, 2 * HUGE), 0);
	ASSERT_POOL(0, 0);
}

TEST_F(truncate, overwritten_by_rename)
{
	char from[256], to[256];
	int one = file_named("rename-from");
	int two = file_named("rename-to");

	snprintf(from, sizeof(from), "%s/rename-from", mnt_dir());
	snprintf(to, sizeof(to), "%s/rename-to", mnt_dir());
	ASSERT_EQ(fallocate(one, 0, 0, HUGE), 0);
	ASSERT_EQ(fallocate(two, 0, 0, 2 * HUGE), 0);
	ASSERT_POOL(3, 0);
	close(one);
	close(two);
	ASSERT_POOL(3, 0);
	ASSERT_EQ(rename(from, to), 0);
	ASSERT_POOL(1, 0);
	ASSERT_EQ(unlink(to), 0);
	ASSERT_POOL(0, 0);
}

/* --- against others ------------------------------------------------------ */

/* Milliseconds that each race is given. */
#define RACE		4000
#define RACE_PAGES	6

/*
 * What those who race share. All that is ever written to the file is @stamp, so
 * that any other byte but zero has come from elsewhere.
 */
struct race {
	struct sync sync;
	int fd;
	char stamp;
	bool by_punching;
	unsigned long seed;
	int over;
	unsigned long touched;
	unsigned long refused;
};

static bool race_on(const struct race *race)
{
	return !__atomic_load_n(&race->over, __ATOMIC_ACQUIRE);
}

static void race_count(unsigned long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/* Where in a page racers write: all of it is looked at by race_inherit(). */
#define RACE_STEP	512

/*
 * Fault all over the file, by reading and writing, for as long as it lasts. What
 * is in the page tables is dropped often, as without it there are no faults, and
 * is written to more than once, in case that the page is not ours any more.
 */
static void *race_touch(void *arg)
{
	struct race *race = arg;
	unsigned long state = race->seed ^ (uintptr_t)&state;
	char *map = map_huge(race->fd, 0, RACE_PAGES, MAP_NORESERVE);
	bool touched;
	char *page;
	int i;

	must(map);
	while (race_on(race)) {
		page = map + chance_of(&state, RACE_PAGES) * HUGE;
		if (chance_of(&state, 4) == 0)
			touched = can_read(page);
		else
			touched = can_write_value(page, race->stamp);
		race_count(touched ? &race->touched : &race->refused);
		for (i = 0; touched && i < 8; i++)
			touched = can_write_value(page + RACE_STEP *
					chance_of(&state, HUGE / RACE_STEP),
					race->stamp);
		if (chance_of(&state, 4) == 0)
			must(madvise(map, RACE_PAGES * HUGE, MADV_DONTNEED) ==
			     0);
	}
	must(unmap_huge(map, RACE_PAGES) == 0);
	return NULL;
}

static int race_touch_process(void *arg)
{
	race_touch(arg);
	return 0;
}

/* Read the file: every byte is the stamp or zero. */
static void *race_read(void *arg)
{
	struct race *race = arg;
	unsigned long state = race->seed ^ (uintptr_t)&state;
	char *buf = malloc(HUGE);
	ssize_t i, len;

	must(buf);
	while (race_on(race)) {
		len = pread(race->fd, buf, 64 * SMALL,
			    chance_of(&state, RACE_PAGES * HUGE));
		must(len >= 0);
		for (i = 0; i < len; i++)
			must(buf[i] == 0 || buf[i] == race->stamp);
	}
	free(buf);
	return NULL;
}

/* Take pages away and let them come again. */
static void *race_take_away(void *arg)
{
	struct race *race = arg;
	unsigned long state = race->seed, from;

	while (race_on(race)) {
		from = chance_of(&state, RACE_PAGES * HUGE);
		if (chance_of(&state, 2))
			from &= ~(HUGE - 1);
		if (race->by_punching) {
			must(fallocate(race->fd, PUNCH, from,
				       1 + chance_of(&state, RACE_PAGES * HUGE)) ==
			     0);
		} else {
			must(ftruncate(race->fd, from) == 0);
			must(ftruncate(race->fd, RACE_PAGES * HUGE) == 0);
		}
		/* To be taken away, pages must have come. */
		usleep(chance_of(&state, 3000));
	}
	return NULL;
}

/*
 * Live on the pages that the racers lose: take some, see that they are zero,
 * mark them, and see that nobody else has written to them meanwhile.
 */
static int race_inherit(void *arg)
{
	struct race *race = arg;
	int fd = file_new();
	char *map = map_huge(fd, 0, RACE_PAGES, MAP_NORESERVE);
	unsigned long pos;
	char mine = ~race->stamp;

	must(map);
	while (race_on(race)) {
		must(ftruncate(fd, RACE_PAGES * HUGE) == 0);
		for (pos = 0; pos < RACE_PAGES * HUGE; pos += RACE_STEP) {
			must(map[pos] == 0);
			map[pos] = mine;
		}
		sched_yield();
		for (pos = 0; pos < RACE_PAGES * HUGE; pos += RACE_STEP)
			must(map[pos] == mine);
		must(ftruncate(fd, 0) == 0);
	}
	return 0;
}

/* Three threads and two processes that fault, one that takes pages away. */
static void race_run(struct race *race)
{
	void *(*const threads[])(void *arg) = {
		race_touch, race_touch, race_read, race_take_away,
	};
	pthread_t thread[4];
	pid_t pid[3];
	int i;

	must(ftruncate(race->fd, RACE_PAGES * HUGE) == 0);
	pid[0] = spawn(race_touch_process, race);
	pid[1] = spawn(race_touch_process, race);
	pid[2] = spawn(race_inherit, race);
	for (i = 0; i < 4; i++)
		must(pthread_create(&thread[i], NULL, threads[i], race) == 0);
	usleep(RACE * 1000);
	__atomic_store_n(&race->over, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 4; i++)
		must(pthread_join(thread[i], NULL) == 0);
	for (i = 0; i < 3; i++)
		must(reap(pid[i]) == 0);
	dprintf(STDOUT_FILENO, "# %lu touched, %lu refused\n", race->touched,
		race->refused);
}

static struct race *race_new(bool by_punching)
{
	struct race *race = share(sizeof(*race));

	race->fd = file_new();
	race->stamp = 0x35;
	race->by_punching = by_punching;
	race->seed = seed_get();
	return race;
}

TEST_F_TIMEOUT(truncate, truncation_against_faults, 120)
{
	struct race *race = race_new(false);

	race_run(race);
	ASSERT_LT(0, race->touched);
	ASSERT_LT(0, race->refused);
	/* What the file says it has is what the pool misses. */
	ASSERT_POOL(file_pages(race->fd), 0);
	ASSERT_EQ(ftruncate(race->fd, 0), 0);
	ASSERT_EQ(file_pages(race->fd), 0);
	ASSERT_POOL(0, 0);
}

TEST_F_TIMEOUT(truncate, punching_against_faults, 120)
{
	struct race *race = race_new(true);

	race_run(race);
	ASSERT_LT(0, race->touched);
	/* A hole is no end: there is always a page to be had. */
	ASSERT_EQ(race->refused, 0);
	ASSERT_EQ(file_size(race->fd), RACE_PAGES * HUGE);
	ASSERT_POOL(file_pages(race->fd), 0);
	ASSERT_EQ(fallocate(race->fd, PUNCH, 0, RACE_PAGES * HUGE), 0);
	ASSERT_EQ(file_pages(race->fd), 0);
	ASSERT_POOL(0, 0);
}

/* Mappings are made, which extends the file and promises, as it is cut short. */
static void *race_map(void *arg)
{
	struct race *race = arg;
	unsigned long state = race->seed ^ (uintptr_t)&state;
	unsigned long first, pages;
	char *map;

	while (race_on(race)) {
		first = chance_of(&state, RACE_PAGES);
		pages = 1 + chance_of(&state, RACE_PAGES - first);
		map = map_huge(race->fd, first, pages, 0);
		must(map);
		race_count(can_write_value(map + (pages - 1) * HUGE,
					   race->stamp) ?
			   &race->touched : &race->refused);
		must(unmap_huge(map, pages) == 0);
	}
	return NULL;
}

TEST_F_TIMEOUT(truncate, truncation_against_mmap, 120)
{
	struct race *race = race_new(false);
	pthread_t threads[4];
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, race_map, race), 0);
	ASSERT_EQ(pthread_create(&threads[3], NULL, race_take_away, race), 0);
	usleep(RACE / 2 * 1000);
	__atomic_store_n(&race->over, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(pthread_join(threads[i], NULL), 0);
	TH_LOG("%lu touched, %lu refused", race->touched, race->refused);
	ASSERT_LT(0, race->touched);
	ASSERT_EQ(ftruncate(race->fd, 0), 0);
	ASSERT_EQ(file_pages(race->fd), 0);
	ASSERT_POOL(0, 0);
}

TEST_HARNESS_MAIN
