// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure: loading and unloading. See sweep.h. The module is not loaded
 * when this starts, nor when it ends.
 */
#include "sweep.h"

#define PARAMS		"nr_hugepages=0:4,1:4"
#define PAGES		8

/*
 * Free memory that the rest of the kernel may take meanwhile, mostly for what its
 * own checks keep for later. What loads that failed would leave behind is more.
 */
#define NOISE		(40L << 20)

static int load_with(int fd, const char *params)
{
	return syscall(SYS_finit_module, fd, params, 0) ? errno : 0;
}

static int load(int fd)
{
	return load_with(fd, PARAMS);
}

static int unload(void)
{
	return syscall(SYS_delete_module, "rhugefs", O_NONBLOCK) ? errno : 0;
}

static int open_module(void)
{
	int fd = open(getenv("RHUGEFS_KO") ?: "/lib/rhugefs.ko",
		      O_RDONLY | O_CLOEXEC);

	must(fd >= 0);
	return fd;
}

/* Bytes that nobody has, with what is in caches and on processors' lists. */
static long memory_free(void)
{
	char line[128];
	long kib = -1;
	FILE *file;
	int i;

	must(tell_kernel("/proc/sys/vm/drop_caches", "3") == 0);
	for (i = 0; i < 20; i++)
		must(tell_kernel("/proc/sys/vm/stat_refresh", "1") == 0);
	file = fopen("/proc/meminfo", "re");
	must(file);
	while (kib < 0 && fgets(line, sizeof(line), file))
		sscanf(line, "MemFree: %ld", &kib);
	fclose(file);
	must(kib >= 0);
	return kib * 1024;
}

/* Whether it is what it was, in a while. */
static bool memory_is_back(long before)
{
	long end = now_ms() + POOL_PATIENCE, now;

	do {
		now = memory_free();
		if (now >= before - NOISE)
			return true;
		usleep(200000);
	} while (now_ms() < end);
	dprintf(STDOUT_FILENO, "# %ld KiB less are free than before\n",
		(before - now) / 1024);
	return false;
}

FIXTURE(sweep) {
	long memory;
	pid_t pid;
};

FIXTURE_SETUP(sweep)
{
	self->pid = getpid();
	ASSERT_FALSE(sweep_loaded());
	self->memory = memory_free();
}

/* See RHUGEFS_FIXTURE for why only the parent looks. */
FIXTURE_TEARDOWN_PARENT(sweep)
{
	if (getpid() == self->pid)
		return;
	EXPECT_FALSE(sweep_loaded());
	EXPECT_TRUE(memory_is_back(self->memory));
}

/* The one test there is, of each scenario. */
TEST_F_TIMEOUT(sweep, points, SWEEP_TIMEOUT)
{
	if (!sweep_wanted(variant->name))
		SKIP(return, "SWEEP asks for another");
	ASSERT_TRUE(sweep_passed(variant->name, variant->sweep));
}

/* --- insmod -------------------------------------------------------------- */

static void prepare_insmod(struct scene *scene)
{
	must(!sweep_loaded());
	scene->fd = open_module();
}

static int act_insmod(struct scene *scene)
{
	return load(scene->fd);
}

/* A node that gives a page less is no failure, and neither is no debugfs. */
static void verify_insmod(struct scene *scene, int err)
{
	struct pools pools;

	must(sweep_loaded() == !err);
	if (err)
		return;
	pools = pools_read();
	must(pools_sane(&pools));
	must(pools.all.nr == PAGES || fail_fired());
	must(pools.all.nr <= PAGES);
	must(pools.all.free == pools.all.nr);
	must(fail_fired() || access(SELFCHECK, F_OK) == 0);
}

static void tidy_insmod(struct scene *scene)
{
	must(close(scene->fd) == 0);
	must(unload() == 0);
}

SWEEP(insmod)
{
	.loads = true,
	.least = 50,
	.sample = 12,
	.errnos = { ENOMEM },
	.prepare = prepare_insmod,
	.act = act_insmod,
	.verify = verify_insmod,
	.tidy = tidy_insmod,
};

SWEEP(core_insmod)
{
	.loads = true,
	.core = true,
	.least = 100,
	.errnos = { ENOMEM },
	.prepare = prepare_insmod,
	.act = act_insmod,
	.verify = verify_insmod,
	.tidy = tidy_insmod,
};

/* --- rmmod --------------------------------------------------------------- */

static void prepare_rmmod(struct scene *scene)
{
	int fd = open_module();

	must(load(fd) == 0);
	must(close(fd) == 0);
}

static int act_rmmod(struct scene *scene)
{
	return unload();
}

static void verify_rmmod(struct scene *scene, int err)
{
	must(!err && !sweep_loaded());
}

static void tidy_rmmod(struct scene *scene)
{
}

SWEEP(rmmod)
{
	.least = 0,
	.prepare = prepare_rmmod,
	.act = act_rmmod,
	.verify = verify_rmmod,
	.tidy = tidy_rmmod,
};

SWEEP(core_rmmod)
{
	.core = true,
	.least = 0,
	.prepare = prepare_rmmod,
	.act = act_rmmod,
	.verify = verify_rmmod,
	.tidy = tidy_rmmod,
};

/* --- a node that has nothing --------------------------------------------- */

FIXTURE(node) {
};

FIXTURE_SETUP(node)
{
	const struct fail_range nowhere = FAIL_NOWHERE;

	ASSERT_FALSE(sweep_loaded());
	fail_where(&nowhere, &nowhere);
}

FIXTURE_TEARDOWN_PARENT(node)
{
	if (sweep_loaded())
		EXPECT_EQ(unload(), 0);
}

/* Load, with the page allocator's @nth page not to be had. */
static int load_without(const char *params, unsigned int nth)
{
	int fd = open_module();
	int err;

	fail_arm(nth);
	err = load_with(fd, params);
	fail_disarm();
	must(fail_fired());
	must(close(fd) == 0);
	return err;
}

static bool node_has(int nid, long pages)
{
	struct pool pool = pool_read_node(nid);

	return pool.nr == pages && pool.free == pages && pool.resv == 0;
}

#define NO_TWO_NODES	"there are not two nodes with memory"

static bool two_nodes(void)
{
	return access("/sys/devices/system/node/node1", F_OK) == 0;
}

/* So many in all, wherever they are. */
TEST_F(node, another_gives_more)
{
	if (!two_nodes())
		SKIP(return, NO_TWO_NODES);
	ASSERT_EQ(load_without("nr_hugepages=8", 3), 0);
	ASSERT_TRUE(node_has(0, 2));
	ASSERT_TRUE(node_has(1, 6));
	ASSERT_TRUE(sweep_selfcheck_ok());
}

/* Where nodes are named no other takes their place. */
TEST_F(node, another_gives_its_own)
{
	if (!two_nodes())
		SKIP(return, NO_TWO_NODES);
	ASSERT_EQ(load_without("nr_hugepages=0:4,1:4", 1), 0);
	ASSERT_TRUE(node_has(0, 0));
	ASSERT_TRUE(node_has(1, 4));
	ASSERT_TRUE(sweep_selfcheck_ok());
}

TEST_F(node, nothing_at_all)
{
	ASSERT_EQ(load_without("nr_hugepages=0:4", 1), ENOMEM);
	ASSERT_FALSE(sweep_loaded());
}

/* --- no memory for the pool itself --------------------------------------- */

FIXTURE(start) {
};

FIXTURE_SETUP(start)
{
	ASSERT_FALSE(sweep_loaded());
	fail_where(&sweep_run.area, &sweep_run.area);
}

FIXTURE_TEARDOWN_PARENT(start)
{
	if (sweep_loaded())
		EXPECT_EQ(unload(), 0);
}

/* Load, with the @nth point of failure failing. */
static int load_failing(const char *params, unsigned int nth)
{
	int fd = open_module();
	int err;

	fail_arm(nth);
	err = load_with(fd, params);
	fail_disarm();
	must(close(fd) == 0);
	return err;
}

/* Refused for this when the pool has just been made, and when its threads have, too. */
#define REFUSED_EARLY	"nr_hugepages=0 zeroed_high=101"
#define REFUSED_LATER	"nr_hugepages=none"

/* Points of failure that such a load comes by. */
static unsigned int points_of(const char *params)
{
	must(load_failing(params, FAIL_NEVER) == EINVAL);
	return fail_passed();
}

/* Let each of these points fail; how often that made a load fail. */
static unsigned int try_points(unsigned int from, unsigned int to)
{
	unsigned int nth, failed = 0;

	for (nth = from; nth <= to; nth++) {
		int err = load_failing(PARAMS, nth);

		must(!err || err == ENOMEM);
		must(fail_fired());
		must(sweep_loaded() == !err);
		must(err || unload() == 0);
		failed += err == ENOMEM;
	}
	return failed;
}

/* Points tried: more than making the pool has, but not all before it. */
#define LAST_POINTS	24

/*
 * The last points of failure that a load comes by which is refused early are those of
 * making the pool, and of what goes before and after.
 */
TEST_F(start, no_memory_for_the_pool)
{
	unsigned int last = points_of(REFUSED_EARLY);

	ASSERT_LT(LAST_POINTS, last);
	/* The pool and its nodes' array, two of each node. */
	ASSERT_LE(6, try_points(last - LAST_POINTS + 1, last));
}

/* Making a thread has many more points, but in another thread. */
#define LATER_POINTS	(LAST_POINTS + 16)

/*
 * The same of a load that is refused when the threads are there. How many points there
 * are before varies with what the kernel has in store.
 */
TEST_F_TIMEOUT(start, no_memory_for_the_threads, 120)
{
	unsigned int last = points_of(REFUSED_LATER);

	ASSERT_LT(LATER_POINTS, last);
	ASSERT_LE(6, try_points(last - LATER_POINTS + 1, last));
}

/* Where the kernel puts modules is told by one that it has put there. */
static struct fail_range find_area(void)
{
	struct fail_range module;
	int fd = open_module();

	must(load(fd) == 0);
	must(close(fd) == 0);
	must(fail_module_range(&module));
	must(unload() == 0);
	return fail_area(&module);
}

/*
 * Parts of the kernel that are told of a new module, of its branches that can be patched
 * and its tracepoints say, warn by design where they have no memory for that.
 */
static void spare_those_who_are_told(void)
{
	struct fail_range range;

	must(fail_function_range("notifier_call_chain", &range));
	fail_nowhere_in(&range);
}

int main(int argc, char **argv)
{
	const char *missing = fail_missing();

	if (missing)
		return fail_skip(missing);
	sweep_run.seed = seed_get();
	sweep_run.area = find_area();
	fail_prepare();
	spare_those_who_are_told();
	return test_harness_run(argc, argv);
}
