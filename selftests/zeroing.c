// SPDX-License-Identifier: GPL-2.0-only
/*
 * The threads that zero free pages in the background: how far they go, that nobody finds
 * fewer pages because of them, and that they are in nobody's way. What the pages then
 * hold is looked at in zeroed.c.
 */
#include "zeroing.h"

#include <dirent.h>

RHUGEFS_FIXTURE(zeroing);

/* --- how far they go ----------------------------------------------------- */

static const char *node_dir(int nid)
{
	static char dir[32];

	snprintf(dir, sizeof(dir), "/node%d", nid);
	return dir;
}

TEST_F_TIMEOUT(zeroing, goes_up_to_the_high_watermark, 60)
{
	static const struct {
		long low;
		long high;
	} marks[] = {
		{ 0, 0 }, { 0, 100 }, { 1, 1 }, { 25, 50 }, { 51, 51 },
		{ 10, 90 }, { 100, 100 },
	};
	long free, wanted;
	unsigned int i;
	int nid;

	for (i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		use_all_for_good();
		ASSERT_EQ(pool_count("", "zeroed"), 0);
		ASSERT_EQ(watermarks(marks[i].low, marks[i].high), 0);
		for (nid = 0; nid < self->before.nr_nodes; nid++) {
			free = self->before.node[nid].free;
			wanted = marks[i].low ?
				 (free * marks[i].high + 99) / 100 : 0;
			ASSERT_TRUE(zeroed_becomes(node_dir(nid), wanted))
				TH_LOG("watermarks %ld and %ld", marks[i].low,
				       marks[i].high);
		}
	}
}

/* Take so many pages, of node 0 if it has them, and give them back used. */
static void use(unsigned long pages)
{
	char *map = map_new(pages, 0);

	must(map && touch_pages(map, pages) == pages);
	must(unmap_huge(map, pages) == 0);
}

TEST_F_TIMEOUT(zeroing, rests_until_the_low_watermark, 60)
{
	long free = self->before.node[0].free;
	long ahead, i;

	run_on(0);
	use_all_for_good();
	ASSERT_EQ(watermarks(25, 75), 0);
	ASSERT_TRUE(zeroed_becomes("", self->before.all.free * 3 / 4));
	ahead = stat_read("zeroed_ahead");
	/* Each takes a zeroed page and gives it back as it is then. */
	for (i = free * 3 / 4; i > free / 4; i--)
		use(1);
	ASSERT_TRUE(zeroed_becomes("/node0", free / 4));
	ASSERT_EQ(stat_read("zeroed_ahead"), ahead);
	use(1);
	ASSERT_TRUE(zeroed_becomes("/node0", free * 3 / 4));
	/* What is taken counts as what is given back. */
	ASSERT_NE(map_new(free * 3 / 4, MAP_POPULATE), NULL);
	ASSERT_TRUE(zeroed_becomes("/node0", ((free - free * 3 / 4) * 3 + 3) / 4));
}

TEST_F_TIMEOUT(zeroing, promised_pages_are_zeroed, 60)
{
	long all = self->before.all.free, avoided, zeroed;
	char *map;

	use_all_for_good();
	map = map_new(all, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(watermarks(100, 100), 0);
	ASSERT_TRUE(zeroed_becomes("", all));
	ASSERT_POOL(0, all);
	avoided = stat_read("zeroings_avoided");
	zeroed = stat_read("zeroed");
	ASSERT_EQ(touch_pages(map, all), all);
	ASSERT_EQ(stat_read("zeroings_avoided"), avoided + all);
	ASSERT_EQ(stat_read("zeroed"), zeroed);
}

/* Zeroes are for those who want them. */
TEST_F_TIMEOUT(zeroing, copies_leave_zeroed_pages_alone, 60)
{
	long half = self->before.all.free / 2, avoided, zeroed;
	char *map, *buf = malloc(HUGE);
	int fd = file_new();

	run_on(0);
	use_all_for_good();
	ASSERT_EQ(watermarks(50, 50), 0);
	ASSERT_TRUE(zeroed_becomes("", half));
	ASSERT_EQ(set_count("", "zeroed_low", 0), 0);
	avoided = stat_read("zeroings_avoided");
	zeroed = stat_read("zeroed");

	memset(buf, 1, HUGE);
	ASSERT_EQ(write(fd, buf, HUGE), HUGE);
	ASSERT_EQ(pool_count("", "zeroed"), half);
	map = map_private(fd, 0, 1, 0);
	*map = 2;
	ASSERT_EQ(pool_count("", "zeroed"), half);
	ASSERT_POOL(2, 0);
	ASSERT_EQ(stat_read("zeroings_avoided"), avoided);

	ASSERT_EQ(touch_pages(map_new(1, 0), 1), 1);
	ASSERT_EQ(fallocate(fd, 0, HUGE, HUGE), 0);
	ASSERT_EQ(pool_count("", "zeroed"), half - 2);
	ASSERT_EQ(stat_read("zeroings_avoided"), avoided + 2);
	ASSERT_EQ(stat_read("zeroed"), zeroed);
	free(buf);
}

/* --- nobody finds fewer pages -------------------------------------------- */

static long now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void spin_us(long us)
{
	long end = now_us() + us;

	while (now_us() < end)
		;
}

/* How long it takes at best until the only page there is has been zeroed, in us. */
static long zeroing_takes(void)
{
	long start, takes = LONG_MAX;
	int i;

	for (i = 0; i < 5; i++) {
		use(1);
		start = now_us();
		while (!pool_count("", "zeroed"))
			must(now_us() < start + ZEROING_PATIENCE * 1000);
		if (takes > now_us() - start)
			takes = now_us() - start;
	}
	return takes;
}

/* Enough if it was so many times, or after so long, in ms. */
#define HANDS		30
#define HANDS_PATIENCE	15000

/*
 * The only page there is, promised, is taken at every moment of its zeroing, from another
 * processor than the thread's; and it changes for nobody who has it.
 */
TEST_F_TIMEOUT(zeroing, the_last_page_is_there_for_who_was_promised_it, 60)
{
	unsigned long seed = seed_get(), rounds = 0;
	long end, takes, called;
	char *map;

	run_on(1);
	ASSERT_EQ(resize_node(1, 0), 0);
	ASSERT_EQ(resize_node(0, 1), 0);
	ASSERT_EQ(watermarks(100, 100), 0);
	takes = zeroing_takes();
	called = stat_read("called_back");
	for (end = now_ms() + HANDS_PATIENCE; now_ms() < end; rounds++) {
		map = map_new(1, 0);
		ASSERT_NE(map, NULL);
		/* The thread's processor may be halted, or not be running. */
		spin_us(chance_of(&seed, 1 + (takes << chance_of(&seed, 4))));
		ASSERT_TRUE(can_read(map));
		ASSERT_TRUE(bytes_are(map, 0, HUGE));
		bytes_stir(map, HUGE, rounds);
		ASSERT_TRUE(bytes_stirred(map, HUGE, rounds));
		ASSERT_EQ(unmap_huge(map, 1), 0);
		if (stat_read("called_back") > called + HANDS)
			break;
	}
	/* How often is a matter of luck. */
	TH_LOG("%lu rounds, %ld times out of the thread's hand; zeroing takes %ld us",
	       rounds, stat_read("called_back") - called, takes);
	ASSERT_TRUE(pool_size_restored(&self->before));
}

TEST_F_TIMEOUT(zeroing, a_pool_that_is_promised_is_all_there, 60)
{
	long all = self->before.all.free, end;
	char *map;

	ASSERT_EQ(watermarks(100, 100), 0);
	for (end = now_ms() + 3000; now_ms() < end;) {
		map = map_new(all, 0);
		ASSERT_NE(map, NULL);
		ASSERT_EQ(map_new(1, 0), NULL);
		ASSERT_EQ(touch_pages(map, all), all);
		ASSERT_EQ(unmap_huge(map, all), 0);
	}
	ASSERT_TRUE(selfcheck_ok());
}

TEST_F_TIMEOUT(zeroing, the_pool_shrinks_meanwhile, 60)
{
	long all = self->before.all.nr;
	int i;

	ASSERT_EQ(watermarks(100, 100), 0);
	for (i = 0; i < 20; i++) {
		use_all();
		usleep(i * 200);
		ASSERT_EQ(resize(i % 2), 0);
		ASSERT_EQ(pool_read().nr, i % 2);
		ASSERT_EQ(pool_read().free, i % 2);
		ASSERT_TRUE(selfcheck_ok());
		ASSERT_EQ(resize(all), 0);
	}
	ASSERT_TRUE(pool_size_restored(&self->before));
}

static int spin_for_ever(void *arg)
{
	run_on(*(int *)arg);
	for (;;)
		sync_spin();
	return 0;
}

/*
 * All that differs at a moment is a mistake, also while pages are in hand; and they are so
 * for long where processors have better things to do.
 */
TEST_F_TIMEOUT(zeroing, counts_are_true_meanwhile, 60)
{
	int nr = processors() < 8 ? processors() : 8, i;
	pid_t busy[8];

	ASSERT_EQ(watermarks(100, 100), 0);
	for (i = 0; i < nr; i++)
		busy[i] = spawn(spin_for_ever, &i);
	for (i = 0; i < 20; i++) {
		use_all();
		usleep(i * 100);
		ASSERT_TRUE(selfcheck_ok());
	}
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(kill(busy[i], SIGKILL), 0);
		ASSERT_EQ(waitpid(busy[i], NULL, 0), busy[i]);
	}
	/* Who was held goes on. */
	ASSERT_TRUE(zeroed_becomes("", self->before.all.free));
	ASSERT_EQ(watermarks(50, 100), 0);
	use_all();
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_TRUE(zeroed_becomes("", self->before.all.free));
}

/* --- in nobody's way ----------------------------------------------------- */

/* A line of /proc/PID/NAME that begins with @key, or of any other file. */
static const char *line_of(const char *path, const char *key)
{
	static char line[256];
	FILE *file = fopen(path, "re");
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, key, strlen(key));
	if (file)
		fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return found ? line + strlen(key) : NULL;
}

/* Process id of a node's thread, or 0. */
static pid_t thread_of(int nid)
{
	char wanted[32], path[300];
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	const char *name;
	pid_t pid = 0;

	must(proc);
	snprintf(wanted, sizeof(wanted), "rhugefs_zero/%d", nid);
	while (!pid && (entry = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		name = line_of(path, "");
		if (name && !strcmp(name, wanted))
			pid = atoi(entry->d_name);
	}
	closedir(proc);
	return pid;
}

static bool runs_on_its_node(int nid)
{
	char path[64], cpus[256];
	const char *allowed;

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/cpulist",
		 nid);
	snprintf(cpus, sizeof(cpus), "%s", line_of(path, ""));
	snprintf(path, sizeof(path), "/proc/%d/status", thread_of(nid));
	allowed = line_of(path, "Cpus_allowed_list:\t");
	if (*cpus && (!allowed || strcmp(allowed, cpus)))
		dprintf(STDOUT_FILENO, "# node %d: runs on %s, not on %s\n",
			nid, allowed, cpus);
	return !*cpus || (allowed && !strcmp(allowed, cpus));
}

static long times_woken(int nid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", thread_of(nid));
	return atol(line_of(path, "voluntary_ctxt_switches:\t"));
}

TEST_F(zeroing, one_idle_thread_for_each_node)
{
	int nid;

	for (nid = 0; nid < self->before.nr_nodes; nid++) {
		ASSERT_EQ(!!thread_of(nid), pool_has_node(nid));
		if (!pool_has_node(nid))
			continue;
		ASSERT_EQ(sched_getscheduler(thread_of(nid)), SCHED_IDLE);
		ASSERT_TRUE(runs_on_its_node(nid));
	}
}

/* Nothing to do, or nothing yet: not even woken. */
TEST_F_TIMEOUT(zeroing, who_sleeps_is_left_alone, 60)
{
	long woken;

	run_on(0);
	use_all_for_good();
	woken = times_woken(0);
	usleep(ZEROING_NOTHING * 1000);
	use_all();
	ASSERT_EQ(times_woken(0), woken);

	ASSERT_EQ(watermarks(10, 100), 0);
	ASSERT_TRUE(zeroed_becomes("", self->before.all.free));
	woken = times_woken(0);
	use(3);
	usleep(ZEROING_NOTHING * 1000);
	ASSERT_EQ(times_woken(0), woken);
}

static bool processor_set(int cpu, const char *online)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online",
		 cpu);
	return tell_kernel(path, online) == 0;
}

TEST_F_TIMEOUT(zeroing, processors_go_and_come, 60)
{
	int nid, last = self->before.nr_nodes - 1;

	ASSERT_EQ(watermarks(100, 100), 0);
	if (processors() < 2 || !processor_set(1, "0"))
		SKIP(return, "no processor can go");
	use_all();
	EXPECT_TRUE(zeroed_becomes("", self->before.all.free));
	ASSERT_TRUE(processor_set(1, "1"));
	use_all();
	ASSERT_TRUE(zeroed_becomes("", self->before.all.free));
	for (nid = 0; nid <= last; nid++)
		ASSERT_TRUE(runs_on_its_node(nid));
}

/* As far as suspending goes with the machine: whoever runs is to freeze. */
TEST_F_TIMEOUT(zeroing, freezes_and_goes_on, 60)
{
	ASSERT_EQ(watermarks(0, 0), 0);
	if (access("/sys/power/pm_test", W_OK))
		SKIP(return, "the kernel cannot try to suspend");
	ASSERT_EQ(tell_kernel("/sys/power/pm_test", "freezer"), 0);
	use_all();
	ASSERT_EQ(watermarks(100, 100), 0);
	ASSERT_EQ(tell_kernel("/sys/power/state", "freeze"), 0);
	ASSERT_EQ(tell_kernel("/sys/power/pm_test", "none"), 0);
	ASSERT_TRUE(zeroed_becomes("", self->before.all.free));
	/* And so does one that sleeps. */
	ASSERT_EQ(tell_kernel("/sys/power/pm_test", "freezer"), 0);
	ASSERT_EQ(tell_kernel("/sys/power/state", "freeze"), 0);
	ASSERT_EQ(tell_kernel("/sys/power/pm_test", "none"), 0);
	use_all();
	ASSERT_TRUE(zeroed_becomes("", self->before.all.free));
}

/* --- what can be asked for ----------------------------------------------- */

TEST_F(zeroing, bad_watermarks)
{
	static const char *const bad[] = {
		"", "\n", "many", "-1", "+", "1.5", "50%", "5 5", "0x10",
		"4294967296", "101", "1000000",
	};
	static const char *const names[] = { "zeroed_low", "zeroed_high" };
	int log = log_open();
	char wanted[64];
	unsigned int i, j;

	ASSERT_EQ(watermarks(20, 60), 0);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		for (j = 0; *bad[i] && j < 2; j++) {
			ASSERT_EQ(write_count("", names[j], bad[i]), EINVAL)
				TH_LOG("%s=%s", names[j], bad[i]);
			snprintf(wanted, sizeof(wanted), "%s=%.*s", names[j],
				 (int)strcspn(bad[i], "\n"), bad[i]);
			ASSERT_TRUE(log_names(log, wanted))
				TH_LOG("the log does not name %s", wanted);
		}
	}
	ASSERT_EQ(set_count("", "zeroed_low", 61), EINVAL);
	ASSERT_TRUE(log_names(log, "zeroed_low=61 exceeds zeroed_high=60"));
	ASSERT_EQ(set_count("", "zeroed_high", 19), EINVAL);
	ASSERT_TRUE(log_names(log, "zeroed_low=20 exceeds zeroed_high=19"));
	ASSERT_STREQ(line_of(POOL_SYSFS "/zeroed_low", ""), "20");
	ASSERT_STREQ(line_of(POOL_SYSFS "/zeroed_high", ""), "60");
	ASSERT_STREQ(line_of("/sys/module/rhugefs/parameters/zeroed_high", ""),
		     "60");
	/* One for all nodes. */
	ASSERT_NE(access(POOL_SYSFS "/node0/zeroed_low", F_OK), 0);
	ASSERT_NE(access(POOL_SYSFS "/node0/zeroed_high", F_OK), 0);
}

TEST_HARNESS_MAIN
