// SPDX-License-Identifier: GPL-2.0-only
/*
 * Growing the pool from memory that has been fragmented, in several ways: how many of
 * the huge pages that free memory would make can be had, and that nothing is lost over
 * it. Each way tells its numbers in one line, which scripts/fragment.sh makes a table
 * of.
 *
 * All of memory is filled with small pages, and then every second one is let go: half
 * of memory is free, and hardly two pages of it lie side by side. A huge page can be had
 * only where the kernel moves 256 others out of its way. Where one of them cannot be
 * moved the other 511 are of no use.
 */
#include <linux/falloc.h>
#include <stdint.h>

#include "rhugefs_test.h"

#define SMALL		4096UL
#define HUGE_NR		(HUGE / SMALL)
#define PER_MIB		((1L << 20) / SMALL)

#define NODES		2

/* What is left free when memory is full: with less the OOM killer may come. */
#define KEEP_KIB	4096L
#define FULL_KIB	(KEEP_KIB + 8192)

/* What a test leaves behind in slabs and the like, at most, in small pages. */
#define MARGIN		(4 * PER_MIB)

/* What the kernel has of a number in a file of lines "NAME NUMBER". */
static long number_in(const char *path, const char *name)
{
	size_t len = strlen(name);
	FILE *file = fopen(path, "re");
	long value = -1;
	char line[256];

	must(file);
	while (value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, len))
			sscanf(line + len, "%ld", &value);
	fclose(file);
	must(value >= 0);
	return value;
}

/* Free small pages, those on the processors' own lists too. */
static long free_pages(void)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	long pages = 0, number;
	char line[256];

	must(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " pages free %ld", &number) == 1 ||
		    sscanf(line, " count: %ld", &number) == 1)
			pages += number;
	fclose(file);
	return pages;
}

/* Huge pages that could be had without moving anything. */
static long free_blocks(void)
{
	FILE *file = fopen("/proc/buddyinfo", "re");
	long number, blocks = 0;
	char line[512], *at;
	int order, len;

	must(file);
	while (fgets(line, sizeof(line), file)) {
		at = strstr(line, "zone");
		must(at && sscanf(at, "zone %*s%n", &len) == 0);
		at += len;
		for (order = 0; sscanf(at, "%ld%n", &number, &len) == 1;
		     order++, at += len)
			if (SMALL << order >= HUGE)
				blocks += number * ((SMALL << order) / HUGE);
	}
	fclose(file);
	return blocks;
}

/*
 * What keeps memory from being fragmented as a test wants it, and what it is set to
 * meanwhile. The kernel keeps up to a twentieth of a small machine's memory for itself,
 * and more after it had to mix what moves with what does not; it tidies up on its own;
 * and it has pages on each processor's own list, which are not seen in any block.
 */
static const struct {
	const char *path;
	long value;
} knobs[] = {
	{ "/proc/sys/vm/min_free_kbytes", KEEP_KIB },
	{ "/proc/sys/vm/watermark_boost_factor", 0 },
	{ "/proc/sys/vm/compaction_proactiveness", 0 },
	{ "/proc/sys/vm/percpu_pagelist_high_fraction", INT_MAX },
};

#define KNOBS	((int)(sizeof(knobs) / sizeof(*knobs)))

static void write_number(const char *path, long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld\n", value);
	must(tell_kernel(path, text) == 0);
}

static void resize(long pages)
{
	write_number(POOL_SYSFS "/nr_hugepages", pages);
}

FIXTURE(fragment) {
	struct pools before;
	long free;
	long blocks;
	long knob[KNOBS];
};

static void turn_knobs(void)
{
	int i;

	for (i = 0; i < KNOBS; i++)
		write_number(knobs[i].path, knobs[i].value);
}

static void turn_knobs_back(const long *knob)
{
	int i;

	for (i = 0; i < KNOBS; i++)
		write_number(knobs[i].path, knob[i]);
}

/* Caches go first: what comes and goes with them is not to be taken for lost. */
FIXTURE_SETUP(fragment)
{
	int i;

	if (getenv("GUEST_SLOW") && atoi(getenv("GUEST_SLOW")) > 1)
		SKIP(return, "takes minutes in kernels that check everything");
	for (i = 0; i < KNOBS; i++)
		self->knob[i] = number_in(knobs[i].path, "");
	write_number("/proc/sys/vm/drop_caches", 3);
	self->before = pools_read();
	self->free = free_pages();
	self->blocks = free_blocks();
	ASSERT_EQ(self->before.nr_nodes, NODES);
	ASSERT_EQ(self->before.all.nr, 0);
}

/* In the parent: what the test held is gone by now. */
FIXTURE_TEARDOWN_PARENT(fragment)
{
	if (!self->free)
		return;
	turn_knobs_back(self->knob);
	resize(0);
	EXPECT_TRUE(pools_restored(&self->before));
	EXPECT_TRUE(selfcheck_ok());
	write_number("/proc/sys/vm/drop_caches", 3);
	EXPECT_LT(self->free - MARGIN, free_pages());
}

/* --- filling memory ------------------------------------------------------ */

#define PIPE_PAGES	256
#define PIPES		64

/* Memory that is held, and of each page of it where it lies. */
struct hold {
	char *map;
	long most;
	long pages;
	uint64_t *frame;
	int file;
	struct pin pipe[PIPES];
	long piped;
};

/* Get all that is needed later while there still is memory. */
static void hold_prepare(struct hold *hold)
{
	long most = number_in("/proc/meminfo", "MemTotal:") * 1024 / SMALL, i;

	hold->most = most;
	hold->map = mmap(NULL, most * SMALL, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(hold->map != MAP_FAILED);
	must(!madvise(hold->map, most * SMALL, MADV_NOHUGEPAGE));
	must(!madvise(hold->map, most * SMALL, MADV_DONTFORK));
	hold->frame = mmap(NULL, most * sizeof(*hold->frame),
			   PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	must(hold->frame != MAP_FAILED);
	hold->file = memfd_create("fragment", MFD_CLOEXEC);
	must(hold->file >= 0);
	for (i = 0; i < PIPES; i++)
		hold->pipe[i] = pin_new();
}

static bool memory_is_full(void)
{
	return number_in("/proc/meminfo", "MemFree:") < FULL_KIB;
}

static void fill_anonymous(struct hold *hold)
{
	while (!memory_is_full()) {
		must(!madvise(hold->map + hold->pages * SMALL, 1 << 20,
			      MADV_POPULATE_WRITE));
		hold->pages += PER_MIB;
	}
}

/* A file in the page cache that nothing can be written back to. */
static void fill_file(struct hold *hold)
{
	while (!memory_is_full()) {
		must(!fallocate(hold->file, 0, hold->pages * SMALL, 1 << 20));
		hold->pages += PER_MIB;
	}
}

#define FRAME_MASK	((1UL << 55) - 1)
#define FRAME_PRESENT	(1UL << 63)

static void find_frames(struct hold *hold)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	long i, first = (unsigned long)hold->map / SMALL;
	size_t len = hold->pages * sizeof(uint64_t);

	must(fd >= 0);
	must(pread(fd, hold->frame, len, first * sizeof(uint64_t)) == len);
	close(fd);
	for (i = 0; i < hold->pages; i++) {
		must(hold->frame[i] & FRAME_PRESENT);
		hold->frame[i] &= FRAME_MASK;
	}
}

static void drop_page(struct hold *hold, long i)
{
	must(!madvise(hold->map + i * SMALL, SMALL, MADV_DONTNEED));
}

static void drop_every_second(struct hold *hold)
{
	long i;

	for (i = 0; i < hold->pages; i++)
		if (hold->frame[i] & 1)
			drop_page(hold, i);
}

static void punch_every_second(struct hold *hold)
{
	long i;

	for (i = 0; i < hold->pages; i += 2)
		must(!fallocate(hold->file,
				FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				i * SMALL, SMALL));
}

/* A page of a pipe is the kernel's, and stays where it is. */
static void write_pipes(struct hold *hold, long pages)
{
	static const char page[SMALL] = "x";

	for (; pages; pages--, hold->piped++) {
		must(hold->piped < PIPES * PIPE_PAGES);
		must(write(hold->pipe[hold->piped / PIPE_PAGES].in, page,
			   SMALL) == SMALL);
	}
}

/*
 * Where memory is full, what was left free is taken first: so more is let go before
 * the pipes are filled, in all these small pages for each block there is.
 */
#define LET_GO		12

static bool is_chosen(uint64_t frame, int percent)
{
	return frame / HUGE_NR * 61 % 100 < percent;
}

/*
 * Put pages of pipes into @percent of the blocks. The kernel prefers blocks that have
 * such already. Where all are full there is nothing to prefer, and it takes what was
 * let go, the last first: so that is done in stripes over all of the blocks.
 */
static void plant_unmovable(struct hold *hold, int percent)
{
	int stripe, step = HUGE_NR * percent / (LET_GO * 100);
	long i, let_go = 0;

	for (stripe = 0; stripe + step <= HUGE_NR; stripe += step)
		for (i = 0; i < hold->pages; i++) {
			if (hold->frame[i] % HUGE_NR != stripe ||
			    !is_chosen(hold->frame[i], percent))
				continue;
			drop_page(hold, i);
			let_go++;
		}
	write_pipes(hold, let_go);
}

/* --- growing ------------------------------------------------------------- */

/* What the kernel counts, by the names that the table has for it. */
static const struct {
	const char *what;
	const char *name;
} counters[] = {
	{ "stalls", "compact_stall " },
	{ "successes", "compact_success " },
	{ "moved", "pgmigrate_success " },
};

#define COUNTERS	((int)(sizeof(counters) / sizeof(*counters)))

struct row {
	long free_mib;
	long blocks;
	long held;
	long target;
	long reached;
	long node[NODES];
	long count[COUNTERS];
	long ms;
	long again;
	bool log_agrees;
};

static void count_events(struct row *row, int sign)
{
	int i;

	for (i = 0; i < COUNTERS; i++)
		row->count[i] += sign * number_in("/proc/vmstat",
						  counters[i].name);
}

/* Whether the log has a line for each node that says what can be read now. */
static bool log_agrees(int log, const struct row *row)
{
	bool found[NODES] = { false };
	const char *line;
	char want[128];
	int nid;

	while ((line = log_next(log)))
		for (nid = 0; nid < NODES; nid++) {
			snprintf(want, sizeof(want),
				 ";rhugefs: %ld huge pages were asked for, node%d has %ld, of which 0 are surplus",
				 row->target, nid, row->node[nid]);
			found[nid] = found[nid] || strstr(line, want);
		}
	return found[0] && found[1];
}

/* Ask for as many huge pages as all that is free would make. */
static void grow(struct row *row)
{
	int nid, log = log_open();

	row->target = row->free_mib / 2;
	count_events(row, -1);
	row->ms = -now_ms();
	resize(row->target);
	row->ms += now_ms();
	count_events(row, 1);
	row->reached = pool_read().nr;
	for (nid = 0; nid < NODES; nid++)
		row->node[nid] = pool_read_node(nid).nr;
	row->log_agrees = log_agrees(log, row);
	close(log);
}

static void tell(const char *way, const struct row *row)
{
	char text[512];
	int i, len;

	len = snprintf(text, sizeof(text),
		       "# fragment: way %s free %ld blocks %ld held %ld target %ld reached %ld node0 %ld node1 %ld percent %ld ms %ld again %ld again_percent %ld",
		       way, row->free_mib, row->blocks, row->held, row->target,
		       row->reached, row->node[0], row->node[1],
		       row->reached * 100 / row->target, row->ms, row->again,
		       row->again * 100 / row->target);
	for (i = 0; i < COUNTERS; i++)
		len += snprintf(text + len, sizeof(text) - len, " %s %ld",
				counters[i].what, row->count[i]);
	dprintf(STDOUT_FILENO, "%s\n", text);
}

/* The machine still does what it is asked to while the pool has all it could get. */
static int live(void *arg)
{
	size_t len = 4UL << 20;
	char *mem = malloc(len);

	must(mem);
	memset(mem, 1, len);
	return bytes_are(mem, 1, len) ? 0 : 1;
}

/* What an administrator can do who has got too little. */
static void grow_again(struct row *row)
{
	write_number("/proc/sys/vm/compact_memory", 1);
	resize(row->target);
	row->again = pool_read().nr;
}

/*
 * Grow from what is free now, shrink, and let go of all memory but the pipes: the
 * blocks that do not come back are those that have a page of theirs.
 */
static void measure(const long *knob, long before, struct hold *hold,
		    struct row *row, const char *way)
{
	row->free_mib = free_pages() / PER_MIB;
	row->blocks = free_blocks();
	turn_knobs_back(knob);
	grow(row);
	grow_again(row);
	must(reap(spawn(live, NULL)) == 0);
	must(selfcheck_ok());
	turn_knobs();
	resize(0);
	must(!madvise(hold->map, hold->most * SMALL, MADV_DONTNEED));
	must(!ftruncate(hold->file, 0));
	row->held = before - free_blocks();
	tell(way, row);
}

static struct hold hold;
static struct row row;

/*
 * What share of the target there must be, in per cent. It differs much from run to run
 * how far compaction goes, so this is some half of the least that was seen.
 */
#define SHARE_FRESH	70
#define SHARE_FRAGMENTED 5

/* More than lay there ready, and that by moving others away. */
#define ASSERT_GROWN()							\
do {									\
	ASSERT_LT(row.blocks, row.reached);				\
	ASSERT_LE(row.target * SHARE_FRAGMENTED, row.reached * 100);	\
	ASSERT_LE(row.reached, row.again);				\
	ASSERT_LT(0, row.count[0]);					\
	ASSERT_EQ(row.node[0] + row.node[1], row.reached);		\
	ASSERT_TRUE(row.log_agrees);					\
} while (0)

TEST_F_TIMEOUT(fragment, fresh, 60)
{
	turn_knobs();
	hold_prepare(&hold);
	measure(self->knob, self->blocks, &hold, &row, "fresh");
	ASSERT_LE(row.target * SHARE_FRESH, row.reached * 100);
	ASSERT_TRUE(row.log_agrees);
}

TEST_F_TIMEOUT(fragment, movable, 60)
{
	turn_knobs();
	hold_prepare(&hold);
	fill_anonymous(&hold);
	find_frames(&hold);
	drop_every_second(&hold);
	measure(self->knob, self->blocks, &hold, &row, "movable");
	ASSERT_GROWN();
}

TEST_F_TIMEOUT(fragment, page_cache, 60)
{
	turn_knobs();
	hold_prepare(&hold);
	fill_file(&hold);
	punch_every_second(&hold);
	measure(self->knob, self->blocks, &hold, &row, "page_cache");
	ASSERT_GROWN();
}

static void measure_unmovable(const long *knob, long before, const char *way,
			      int percent)
{
	turn_knobs();
	hold_prepare(&hold);
	fill_anonymous(&hold);
	find_frames(&hold);
	plant_unmovable(&hold, percent);
	drop_every_second(&hold);
	measure(knob, before, &hold, &row, way);
}

TEST_F_TIMEOUT(fragment, unmovable_in_10_percent, 60)
{
	measure_unmovable(self->knob, self->blocks, "unmovable_10", 10);
	ASSERT_LE(self->blocks * 4, row.held * 100);
	ASSERT_GROWN();
}

TEST_F_TIMEOUT(fragment, unmovable_in_50_percent, 60)
{
	measure_unmovable(self->knob, self->blocks, "unmovable_50", 50);
	ASSERT_LE(self->blocks * 15, row.held * 100);
	ASSERT_GROWN();
}

/* --- signals ------------------------------------------------------------- */

static void on_signal(int sig)
{
}

/* Whoever has set a handler lives on, with a part of what he asked for. */
static int grow_long(void *arg)
{
	struct sigaction action = { .sa_handler = on_signal };

	must(!sigaction(SIGUSR1, &action, NULL));
	resize(*(long *)arg);
	return 0;
}

#define SIGNAL_AT	5

/* How many pages there are after a signal that came when there were SIGNAL_AT. */
static long grow_until(int sig, long target)
{
	long end = now_ms() + POOL_PATIENCE;
	pid_t pid = spawn(grow_long, &target);
	int status;

	while (pool_read().nr < SIGNAL_AT && now_ms() < end)
		usleep(1000);
	must(!kill(pid, sig));
	must(waitpid(pid, &status, 0) == pid);
	must(sig == SIGKILL ? WIFSIGNALED(status) : !status);
	return pool_read().nr;
}

TEST_F_TIMEOUT(fragment, signals_end_it, 60)
{
	long target, reached;

	turn_knobs();
	hold_prepare(&hold);
	fill_anonymous(&hold);
	find_frames(&hold);
	drop_every_second(&hold);
	target = free_pages() / PER_MIB / 2;
	turn_knobs_back(self->knob);
	reached = grow_until(SIGUSR1, target);
	ASSERT_LE(SIGNAL_AT, reached);
	ASSERT_LT(reached, target / 2);
	resize(0);
	reached = grow_until(SIGKILL, target);
	ASSERT_LE(SIGNAL_AT, reached);
	ASSERT_LT(reached, target / 2);
	/* What was begun can be gone on with. */
	resize(target);
	ASSERT_LT(reached, pool_read().nr);
}

TEST_HARNESS_MAIN
