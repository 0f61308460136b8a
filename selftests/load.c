// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading: what nr_hugepages= accepts, what is taken where, what
 * happens where memory is short, and that every page comes back. The module is
 * not loaded when this starts, nor when it ends.
 */
#include "rhugefs_test.h"

#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#define MIB		(1024 * 1024L)

/* --- loading ------------------------------------------------------------- */

/* Load the module with these parameters: 0 or an errno. */
static int load(const char *params)
{
	const char *path = getenv("RHUGEFS_KO") ?: "/lib/rhugefs.ko";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	must(fd >= 0);
	err = syscall(SYS_finit_module, fd, params, 0) ? errno : 0;
	close(fd);
	return err;
}

static int load_pages(const char *request)
{
	char params[256];

	snprintf(params, sizeof(params), "nr_hugepages=%s", request);
	return load(params);
}

/* Unload it: 0 or an errno. */
static int unload(void)
{
	return syscall(SYS_delete_module, "rhugefs", O_NONBLOCK) ? errno : 0;
}

static bool is_loaded(void)
{
	return access("/sys/module/rhugefs/refcnt", F_OK) == 0;
}

static int mount_here(void)
{
	return mount("none", mnt_dir(), "rhugefs", 0, "");
}

static int unmount_here(void)
{
	return umount(mnt_dir());
}

/* --- the system's memory ------------------------------------------------- */

/* A number of /proc/meminfo, or of a node's own, in bytes. */
static long memory_count(int nid, const char *name)
{
	char path[64] = "/proc/meminfo", line[128];
	long value = -1;
	FILE *file;
	char *at;

	if (nid >= 0)
		snprintf(path, sizeof(path),
			 "/sys/devices/system/node/node%d/meminfo", nid);
	file = fopen(path, "r");
	must(file);
	while (value < 0 && fgets(line, sizeof(line), file)) {
		at = strstr(line, name);
		if (at && (at == line || at[-1] == ' '))
			value = atol(at + strlen(name)) * 1024;
	}
	fclose(file);
	must(value >= 0);
	return value;
}

/* What a node has, with what was reserved at boot, in bytes. */
static long node_memory(int nid)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	long pages, present = 0;
	char line[128];
	int node, at = -1;

	must(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Node %d, zone", &node) == 1)
			at = node;
		else if (at == nid && sscanf(line, " present %ld", &pages) == 1)
			present += pages;
	}
	fclose(file);
	return present * 4096;
}

/* Not every kernel has each of them. */
static void tell_if_there(const char *path, const char *text)
{
	int err = tell_kernel(path, text);

	must(!err || err == ENOENT);
}

/*
 * Free pages that the kernel keeps for a processor alone are not in MemFree, and
 * on a small machine with few processors they are tens of MiB. Keep that short,
 * or go back to the default; lists that are too long are cut by and by, as the
 * processor updates its statistics.
 */
static void processor_lists(bool keep_short)
{
	tell_if_there("/proc/sys/vm/percpu_pagelist_high_fraction",
		      keep_short ? "1000000" : "0");
}

/* Have the kernel free what it keeps in caches and for processors. */
static void settle(void)
{
	int i;

	tell_if_there("/proc/sys/vm/drop_caches", "3");
	for (i = 0; i < 30; i++)
		tell_if_there("/proc/sys/vm/stat_refresh", "1");
}

/*
 * Memory that the rest of the system may take or give meanwhile, in bytes. A kernel
 * that notes who has each page also finds each page that was left behind, and keeps
 * what is freed for a while, to see whether somebody still uses it.
 */
static long noise(void)
{
	if (access("/sys/kernel/debug/page_owner_stacks", F_OK) == 0)
		return 32 * MIB;
	return 4 * MIB;
}

/* Free memory of the whole system and of the first two nodes. */
struct memory {
	long all;
	long node[2];
};

static struct memory memory_free(void)
{
	bool two = access("/sys/devices/system/node/node1", F_OK) == 0;

	settle();
	return (struct memory){
		.all = memory_count(-1, "MemFree:"),
		.node = { memory_count(0, "MemFree:"),
			  two ? memory_count(1, "MemFree:") : 0 },
	};
}

static bool memory_is_back(const struct memory *before)
{
	long end = now_ms() + POOL_PATIENCE;
	struct memory now;

	do {
		now = memory_free();
		if (now.all >= before->all - noise() &&
		    now.node[0] >= before->node[0] - noise() &&
		    now.node[1] >= before->node[1] - noise())
			return true;
		usleep(100000);
	} while (now_ms() < end);
	dprintf(STDOUT_FILENO,
		"# kB free before: %ld, node0 %ld, node1 %ld; now: %ld, %ld, %ld\n",
		before->all / 1024, before->node[0] / 1024,
		before->node[1] / 1024, now.all / 1024, now.node[0] / 1024,
		now.node[1] / 1024);
	return false;
}

/* Write to all memory that is free but for a part that the system needs. */
static int use_up_memory(void *arg)
{
	size_t size = (memory_count(-1, "MemFree:") - 96 * MIB) & ~(HUGE - 1);
	char *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	must(mem != MAP_FAILED);
	memset(mem, 0xee, size);
	return 0;
}

FIXTURE(load) {
	struct memory before;
};

FIXTURE_SETUP(load)
{
	ASSERT_FALSE(is_loaded());
	processor_lists(true);
	self->before = memory_free();
}

/* In the parent, when all that the test had mapped and open is gone. */
FIXTURE_TEARDOWN_PARENT(load)
{
	unmount_here();
	must(!is_loaded() || unload() == 0);
	EXPECT_FALSE(is_loaded());
	EXPECT_NE(access("/sys/fs/rhugefs", F_OK), 0);
	EXPECT_TRUE(memory_is_back(&self->before));
	processor_lists(false);
}

static bool two_nodes(void)
{
	return access("/sys/devices/system/node/node1", F_OK) == 0 &&
	       access("/sys/devices/system/node/node2", F_OK) != 0;
}

/* --- what can be asked for ----------------------------------------------- */

struct request_case {
	const char *request;
	long node[2];
};

TEST_F(load, number_or_list)
{
	static const struct request_case cases[] = {
		/* spread evenly, what is left over on the first nodes */
		{ "8", { 4, 4 } }, { "7", { 4, 3 } }, { "1", { 1, 0 } },
		{ "40", { 20, 20 } },
		/* node by node, in any order */
		{ "0:5,1:3", { 5, 3 } }, { "1:2,0:4", { 4, 2 } },
		{ "1:3", { 0, 3 } }, { "0:2", { 2, 0 } },
		{ "0:0,1:1", { 0, 1 } },
		/* nothing */
		{ "0", { 0, 0 } }, { "0:0,1:0", { 0, 0 } },
	};
	const struct request_case *c;
	struct pools pools;

	if (!two_nodes())
		SKIP(return, "this needs a machine with two nodes");
	for (c = cases; c < cases + sizeof(cases) / sizeof(*cases); c++) {
		ASSERT_EQ(load_pages(c->request), 0)
			TH_LOG("%s", c->request);
		pools = pools_read();
		ASSERT_EQ(unload(), 0);
		ASSERT_TRUE(pools_sane(&pools) && pools.nr_nodes == 2 &&
			    pools.node[0].nr == c->node[0] &&
			    pools.node[1].nr == c->node[1] &&
			    pools.all.free == pools.all.nr &&
			    pools.all.resv == 0)
			pools_print(c->request, &pools);
	}
}

TEST_F(load, default_is_a_share_of_each_node)
{
	struct pools pools;
	int log = log_open();
	int lines = 0, nid;
	const char *line;

	ASSERT_EQ(load(""), 0);
	while ((line = log_next(log))) {
		lines++;
		ASSERT_NE(strstr(line, "1/32"), NULL)
			TH_LOG("%s", line);
	}
	ASSERT_EQ(lines, 1);
	pools = pools_read();
	for (nid = 0; nid < pools.nr_nodes; nid++)
		ASSERT_EQ(pools.node[nid].nr, node_memory(nid) / 32 / HUGE);
	ASSERT_LT(0, pools.all.nr);
}

TEST_F(load, an_empty_pool_promises_nothing)
{
	struct statfs fs;
	char *map;
	int fd;

	ASSERT_EQ(load_pages("0"), 0);
	ASSERT_EQ(mount_here(), 0);
	ASSERT_EQ(statfs(mnt_dir(), &fs), 0);
	ASSERT_EQ(fs.f_blocks, 0);
	ASSERT_EQ(fs.f_bfree, 0);
	fd = file_new();
	ASSERT_EQ(map_huge(fd, 0, 1, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_EQ(fallocate(fd, 0, 0, 1), -1);
	ASSERT_EQ(errno, ENOSPC);
	map = map_huge(fd, 0, 1, MAP_NORESERVE);
	ASSERT_NE(map, NULL);
	ASSERT_FALSE(can_write(map));
	ASSERT_FALSE(can_read(map));
}

TEST_F(load, malformed_requests)
{
	static const char *const requests[] = {
		"", "abc", "-1", "1K", "1.5", "0x10", "5x", "1,2", ":", ",",
		"1:", ":1", "0:1,", ",0:1", "0:1,,1:1", "0:1:1", "0:-1",
		"-1:1", "0:abc", "abc:1", "0:1,1:abc", "0:1,1", "0:1;1:1",
		"0:0x10", "0:1x",
		/* no such node, or no more than a number */
		"9:1", "0:1,9:1", "1000000:1", "4294967296:1",
		"18446744073709551616:1",
		/* twice */
		"0:1,0:2", "0:1,1:1,0:1",
		/* more than a number holds */
		"18446744073709551616", "0:18446744073709551616",
		"0:18446744073709551615,1:1",
	};
	char wanted[128];
	int log = log_open();
	int i;

	for (i = 0; i < (int)(sizeof(requests) / sizeof(*requests)); i++) {
		ASSERT_EQ(load_pages(requests[i]), EINVAL)
			TH_LOG("%s", requests[i]);
		ASSERT_FALSE(is_loaded());
		snprintf(wanted, sizeof(wanted), "nr_hugepages=%s",
			 requests[i]);
		ASSERT_TRUE(log_names(log, wanted))
			TH_LOG("the log does not name %s", wanted);
	}
	ASSERT_EQ(load("nr_hugepages"), EINVAL);
	ASSERT_EQ(load("\"nr_hugepages=1 2\""), EINVAL);
	ASSERT_FALSE(is_loaded());
}

TEST_F(load, watermarks_of_zeroing)
{
	static const struct {
		const char *params;
		const char *named;	/* what the log says, NULL where it may be */
	} marks[] = {
		{ "nr_hugepages=2 zeroed_low=0 zeroed_high=0", NULL },
		{ "nr_hugepages=2 zeroed_low=100", NULL },
		{ "nr_hugepages=2 zeroed_low=30 zeroed_high=30", NULL },
		{ "nr_hugepages=2 zeroed_high=101",
		  "zeroed_high=101 is more than 100 percent" },
		{ "nr_hugepages=2 zeroed_low=4294967295",
		  "zeroed_low=4294967295 exceeds zeroed_high=100" },
		{ "nr_hugepages=2 zeroed_low=31 zeroed_high=30",
		  "zeroed_low=31 exceeds zeroed_high=30" },
		/* The kernel itself names these. */
		{ "nr_hugepages=2 zeroed_low=half", "" },
		{ "nr_hugepages=2 zeroed_low=-1", "" },
		{ "nr_hugepages=2 zeroed_high=50%", "" },
		{ "nr_hugepages=2 zeroed_high=", "" },
	};
	int log = log_open();
	int i, wanted;

	for (i = 0; i < (int)(sizeof(marks) / sizeof(*marks)); i++) {
		wanted = marks[i].named ? EINVAL : 0;
		ASSERT_EQ(load(marks[i].params), wanted)
			TH_LOG("%s", marks[i].params);
		ASSERT_EQ(is_loaded(), !wanted);
		ASSERT_TRUE(!wanted || !*marks[i].named ||
			    log_names(log, marks[i].named))
			TH_LOG("the log does not say: %s", marks[i].named);
		ASSERT_TRUE(wanted || unload() == 0);
	}
}

TEST_F(load, only_once)
{
	ASSERT_EQ(load_pages("2"), 0);
	ASSERT_EQ(load_pages("4"), EEXIST);
	ASSERT_EQ(pool_read().nr, 2);
}

/* --- short of memory ----------------------------------------------------- */

static int work_a_little(void *arg)
{
	char *mem = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(mem != MAP_FAILED);
	memset(mem, 1, 4 * MIB);
	return 0;
}

/* Whether processes still start and get memory. */
static bool system_is_well(void)
{
	int i;

	for (i = 0; i < 10; i++)
		if (reap(spawn(work_a_little, NULL)))
			return false;
	return true;
}

/* Whether the log has one warning, and it has all these words in it. */
static bool warned_once(int log, const char *const words[])
{
	int warnings = 0, i;
	bool told = true;
	const char *line;

	while ((line = log_next(log))) {
		if ((atoi(line) & 7) != 4 /* a warning */)
			continue;
		warnings++;
		for (i = 0; words[i]; i++)
			told = told && strstr(line, words[i]);
		if (!told)
			dprintf(STDOUT_FILENO, "# %s\n", line);
	}
	return told && warnings == 1;
}

TEST_F_TIMEOUT(load, more_than_a_node_has, 60)
{
	char got[32];
	const char *const words[] = { "node0", "node1", " 4", "9999", got, NULL };
	int log = log_open();
	struct pools pools;

	if (!two_nodes())
		SKIP(return, "this needs a machine with two nodes");
	ASSERT_EQ(load_pages("0:4,1:9999"), 0);
	pools = pools_read();
	ASSERT_TRUE(pools_sane(&pools));
	ASSERT_EQ(pools.node[0].nr, 4);
	/* Most of what was free there; how much is in one piece is chance. */
	ASSERT_LT((self->before.node[1] / HUGE) / 2, pools.node[1].nr);
	snprintf(got, sizeof(got), " %ld", pools.node[1].nr);
	ASSERT_TRUE(warned_once(log, words));
	ASSERT_TRUE(system_is_well());

	/* What was got is as good as any. */
	ASSERT_EQ(mount_here(), 0);
	ASSERT_EQ(touch_pages(map_huge(file_new(), 0, pools.all.nr, 0),
			      pools.all.nr), pools.all.nr);
	ASSERT_TRUE(system_is_well());
}

/*
 * To take all memory there is leaves none for the system: it gets along with
 * what the test then gives back, but must have come that far.
 */
TEST_F_TIMEOUT(load, more_than_all_nodes_have, 60)
{
	char got[32];
	const char *const words[] = { "node0", "99999", got, NULL };
	char *ballast = mmap(NULL, 96 * MIB, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int log = log_open();
	struct pools pools;
	int err;

	ASSERT_NE(ballast, MAP_FAILED);
	err = load_pages("99999");
	ASSERT_EQ(munmap(ballast, 96 * MIB), 0);
	ASSERT_EQ(err, 0);
	pools = pools_read();
	ASSERT_TRUE(pools_sane(&pools));
	ASSERT_LT((self->before.all / HUGE) / 2, pools.all.nr);
	snprintf(got, sizeof(got), " %ld", pools.all.nr);
	ASSERT_TRUE(warned_once(log, words));
	ASSERT_TRUE(system_is_well());
}

#define HUGETLB_NODE1							\
	"/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages"

static void hugetlb_set_node1(const char *pages)
{
	tell_if_there(HUGETLB_NODE1, pages);
}

/* In the parent, the hugetlb pages must not stay where an assertion fails. */
FIXTURE(exhausted) {
	struct memory before;
};

FIXTURE_SETUP(exhausted)
{
	if (access(HUGETLB_NODE1, W_OK) || !two_nodes())
		SKIP(return, "this needs hugetlb and two nodes");
	ASSERT_FALSE(is_loaded());
	processor_lists(true);
	self->before = memory_free();
	/* All that can be had of the size that we need, twice. */
	hugetlb_set_node1("9999");
	hugetlb_set_node1("9999");
}

FIXTURE_TEARDOWN_PARENT(exhausted)
{
	must(!is_loaded() || unload() == 0);
	if (!access(HUGETLB_NODE1, W_OK)) {
		hugetlb_set_node1("0");
		EXPECT_TRUE(memory_is_back(&self->before));
	}
	processor_lists(false);
}

/* Load until that node gives nothing more, as others free memory meanwhile. */
static int load_until_refused(const char *request)
{
	int err = 0, i;

	for (i = 0; i < 10 && !err; i++) {
		err = load_pages(request);
		if (err)
			break;
		must(unload() == 0);
		hugetlb_set_node1("9999");
	}
	return err;
}

TEST_F_TIMEOUT(exhausted, nothing_to_be_had, 60)
{
	int log = log_open();

	ASSERT_EQ(load_until_refused("1:4"), ENOMEM);
	ASSERT_FALSE(is_loaded());
	ASSERT_TRUE(log_names(log, "node1"));
}

/* A number says nothing of nodes: others give what one does not have. */
TEST_F_TIMEOUT(exhausted, a_number_is_taken_where_there_is_some, 60)
{
	struct pools pools;
	int i;

	if (load_until_refused("1:4") != ENOMEM)
		SKIP(return, "node 1 still has memory");
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(load_pages("8"), 0);
		pools = pools_read();
		/* The page of zeroes may have left one on node 1 this time. */
		if (pools.node[0].nr >= 7)
			break;
		/* What was refused in vain has made the kernel compact more since. */
		ASSERT_EQ(unload(), 0);
		hugetlb_set_node1("9999");
	}
	EXPECT_TRUE(i < 10 && pools.all.nr == 8)
		pools_print("after loading", &pools);
}

/* More pages on a node than the self-check looks at without pausing. */
#define MANY		260

TEST_F_TIMEOUT(load, many_pages_on_a_node, 60)
{
	char request[16], text[64];
	FILE *file;

	if (!two_nodes() ||
	    memory_count(1, "MemFree:") < (long)(MANY * HUGE) + 128 * MIB)
		SKIP(return, "node 1 does not have so much memory");
	snprintf(request, sizeof(request), "1:%d", MANY);
	ASSERT_EQ(load_pages(request), 0);
	ASSERT_EQ(pool_read_node(1).free, MANY);
	file = fopen("/sys/kernel/debug/rhugefs/selfcheck", "re");
	ASSERT_NE(file, NULL);
	ASSERT_NE(fgets(text, sizeof(text), file), NULL);
	fclose(file);
	ASSERT_STREQ(text, "ok\n");
}

static int load_much(void *arg)
{
	/* Either may come first, the signal or the end. */
	load_pages("300");
	return 0;
}

TEST_F_TIMEOUT(load, killed_while_loading, 60)
{
	unsigned long state = seed_get();
	pid_t pid;
	int i, killed = 0;

	for (i = 0; i < 5; i++) {
		pid = spawn(load_much, NULL);
		usleep(100000 + chance_of(&state, 600000));
		kill(pid, SIGKILL);
		ASSERT_EQ(waitpid(pid, NULL, 0), pid);
		killed += !is_loaded();
		must(!is_loaded() || unload() == 0);
	}
	TH_LOG("%d of %d were killed in time", killed, i);
}

/* --- unloading ----------------------------------------------------------- */

/*
 * delete_module(2) itself refuses with EWOULDBLOCK what is in use, and rmmod(8)
 * says so before it comes to that.
 */
TEST_F(load, busy_while_mounted_or_mapped)
{
	char *map;
	int fd;

	ASSERT_EQ(load_pages("4"), 0);
	ASSERT_EQ(mount_here(), 0);
	ASSERT_EQ(unload(), EWOULDBLOCK);

	fd = file_new();
	map = map_huge(fd, 0, 2, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 1), 1);
	ASSERT_EQ(umount2(mnt_dir(), 0), -1);
	ASSERT_EQ(errno, EBUSY);
	ASSERT_EQ(umount2(mnt_dir(), MNT_DETACH), 0);
	/* Mounted nowhere, but open and mapped; then mapped alone. */
	ASSERT_EQ(unload(), EWOULDBLOCK);
	close(fd);
	ASSERT_EQ(unload(), EWOULDBLOCK);
	ASSERT_TRUE(can_write(map + HUGE));
	ASSERT_EQ(pool_read().free, 2);
	ASSERT_EQ(unmap_huge(map, 2), 0);
	ASSERT_EQ(unload(), 0);
}

TEST_F(load, a_count_open_at_unload)
{
	char text[32];
	int fd;

	ASSERT_EQ(load_pages("4"), 0);
	fd = open(POOL_SYSFS "/nr_hugepages", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(unload(), 0);
	ASSERT_EQ(read(fd, text, sizeof(text)), -1);
	ASSERT_EQ(errno, ENODEV);
}

static int read_counts(void *arg)
{
	const int *over = arg;

	while (!__atomic_load_n(over, __ATOMIC_ACQUIRE)) {
		char text[32];
		int fd = open(POOL_SYSFS "/node0/free_hugepages", O_RDONLY);
		int i;

		for (i = 0; fd >= 0 && i < 50; i++)
			if (pread(fd, text, sizeof(text), 0) < 0)
				break;
		close(fd);
	}
	return 0;
}

TEST_F(load, counts_read_all_the_while)
{
	int *over = share(sizeof(*over));
	pid_t pid = spawn(read_counts, over);
	int i;

	for (i = 0; i < 5; i++) {
		ASSERT_EQ(load_pages("0:2"), 0);
		usleep(20000);
		ASSERT_EQ(unload(), 0);
	}
	__atomic_store_n(over, 1, __ATOMIC_RELEASE);
	ASSERT_EQ(reap(pid), 0);
}

/* With a child that takes pages of its own. */
static int use_privately(void *fd)
{
	char *map = map_private(*(int *)fd, 0, 6, 0);
	pid_t pid;

	must(map && touch_pages(map, 4) == 4);
	pid = fork();
	if (!pid) {
		touch_pages(map, 6);
		_exit(0);
	}
	must(pid > 0 && touch_pages(map, 6) == 6 && reap(pid) == 0);
	return 0;
}

/* Map, touch, cut, pin, and leave some of it to be freed by the unmounting. */
static void use_a_little(void)
{
	struct pin pin = pin_new();
	int fd;
	char *map;

	must(mount_here() == 0);
	fd = file_named("used");
	map = map_huge(fd, 0, 24, 0);
	must(map);
	must(touch_pages(map, 20) == 20);
	pin_add(&pin, map, 4096);
	must(reap(spawn(use_privately, &fd)) == 0);
	must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       4 * HUGE + 5, 6 * HUGE) == 0);
	must(ftruncate(fd, 18 * HUGE + 1) == 0);
	must(unmap_huge(map, 24) == 0);
	must(pwrite(fd, "traffic", 7, 22 * HUGE) == 7);
	close(fd);
	must(unmount_here() == 0);
	pin_end(&pin);
}

TEST_F_TIMEOUT(load, unloading_while_pages_are_zeroed, 60)
{
	char *map;
	int i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(load("nr_hugepages=0:16,1:16 zeroed_low=100"), 0);
		ASSERT_EQ(mount_here(), 0);
		map = map_new(32, 0);
		ASSERT_NE(map, NULL);
		ASSERT_EQ(touch_pages(map, 32), 32);
		ASSERT_EQ(unmap_huge(map, 32), 0);
		ASSERT_EQ(unmount_here(), 0);
		usleep(i * 300);
		ASSERT_EQ(unload(), 0);
	}
}

/* Unless LOADS says another number, which is to be so many that the medians differ. */
#define CYCLES		20
#define CYCLES_LEAST	10

static int cycles(void)
{
	const char *text = getenv("LOADS");
	int wanted = text && *text ? atoi(text) : CYCLES;

	return wanted < CYCLES_LEAST ? CYCLES_LEAST : wanted;
}

/* Load, use, unload; what is free afterwards. */
static struct memory cycle(void)
{
	struct pool pool;

	must(load_pages("0:32,1:32") == 0);
	pool = pool_read();
	must(pool.nr == 64 && pool.free == 64 && pool.resv == 0);
	use_a_little();
	must(unload() == 0);
	return memory_free();
}

static int compare_long(const void *a, const void *b)
{
	long diff = *(const long *)a - *(const long *)b;

	return diff < 0 ? -1 : diff > 0;
}

static long median_of_five(const long *values)
{
	long sorted[5];

	memcpy(sorted, values, sizeof(sorted));
	qsort(sorted, 5, sizeof(*sorted), compare_long);
	return sorted[2];
}

TEST_F_TIMEOUT(load, again_and_again, 240)
{
	int nr = cycles(), i;
	struct memory before, now;
	long *all = calloc(nr, sizeof(*all)), lost;

	/* The first time the kernel makes caches that it keeps. */
	cycle();
	before = memory_free();
	for (i = 0; i < nr; i++) {
		now = cycle();
		all[i] = now.all;
		TH_LOG("cycle %d: kB free %ld, node0 %ld, node1 %ld", i,
		       now.all / 1024, now.node[0] / 1024, now.node[1] / 1024);
	}
	ASSERT_TRUE(memory_is_back(&before));
	/* Less than half of a huge page in all cycles together. */
	lost = median_of_five(all) - median_of_five(all + nr - 5);
	TH_LOG("%ld kB less free after %d cycles than at the beginning",
	       lost / 1024, nr);
	ASSERT_LT(lost, MIB);
	free(all);
}

/* --- pinned at unload ---------------------------------------------------- */

#define PINNED		8
#define PATTERN		0x6b

/* Load, pin a small page of each of some huge pages, unload. */
static struct pin pin_over_unload(void)
{
	struct pin pin = pin_new();
	int fd, i;
	char *map;

	must(load_pages("0:8,1:8") == 0);
	must(mount_here() == 0);
	fd = file_new();
	map = map_huge(fd, 0, PINNED, 0);
	must(map);
	memset(map, PATTERN, PINNED * HUGE);
	for (i = 0; i < PINNED; i++)
		pin_add(&pin, map + i * HUGE + i * 4096, 4096);
	must(unmap_huge(map, PINNED) == 0);
	close(fd);
	must(unmount_here() == 0);
	must(pool_read().free == 16 - PINNED);
	must(unload() == 0);
	return pin;
}

TEST_F_TIMEOUT(load, what_is_pinned_outlives_the_module, 60)
{
	struct pin pin = pin_over_unload();
	struct memory pinned = memory_free();
	int i;

	ASSERT_LE(pinned.all, self->before.all - PINNED * HUGE + noise());
	/* Had a page been freed, it would be overwritten now. */
	ASSERT_EQ(reap(spawn(use_up_memory, NULL)), 0);
	for (i = 0; i < PINNED; i++)
		ASSERT_TRUE(pin_drop(&pin, 4096, PATTERN));
	/* The last to let go frees it; the pipe is still open. */
	ASSERT_TRUE(memory_is_back(&self->before));
}

TEST_F_TIMEOUT(load, what_is_pinned_outlives_the_next_one, 60)
{
	struct pin pin = pin_over_unload();
	char *map;

	ASSERT_EQ(load_pages("0:32,1:32"), 0);
	ASSERT_EQ(mount_here(), 0);
	map = map_huge(file_new(), 0, 64, 0);
	ASSERT_NE(map, NULL);
	memset(map, 0xee, 64 * HUGE);
	ASSERT_TRUE(pin_drop(&pin, PINNED * 4096, PATTERN));
	ASSERT_EQ(pool_read().free, 0);
	ASSERT_EQ(pool_read().nr, 64);
	/* They are not this pool's, and none of its pages has gone with them. */
	ASSERT_TRUE(bytes_are(map, 0xee, 64 * HUGE));
}

TEST_HARNESS_MAIN
