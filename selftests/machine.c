// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens to a machine, and what the kernel does with memory on its own, while files
 * are used: processors that go and come, compaction, daemons that look for pages to merge
 * or to collapse, and calls that split entries or look into pages, over a part of a huge
 * page and over all of it. Contents and counts stay.
 */
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "rhugefs_test.h"

#define SMALL	4096UL
#define PAGES	4

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED	(1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC		(1 << 15)
#endif
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY		1
#endif

RHUGEFS_FIXTURE(machine);

static void read_all(const char *path)
{
	static char buf[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

/* --- two mappings, and what is in them -------------------------------------- */

struct maps {
	char *map[2];
	int fd;
};

static struct maps maps_new(void)
{
	struct maps maps = { .fd = file_new() };
	int i;

	maps.map[0] = map_huge(maps.fd, 0, PAGES, 0);
	maps.map[1] = map_private(maps.fd, 0, PAGES, 0);
	for (i = 0; i < 2; i++) {
		must(maps.map[i]);
		bytes_stir(maps.map[i], PAGES * HUGE, i);
	}
	return maps;
}

static bool maps_intact(const struct maps *maps)
{
	int i;

	for (i = 0; i < 2; i++)
		if (!bytes_stirred(maps->map[i], PAGES * HUGE, i))
			return false;
	return true;
}

/* They can be written to, with what they had. */
static bool maps_writable(const struct maps *maps)
{
	int i;

	for (i = 0; i < 2; i++)
		bytes_stir(maps->map[i], PAGES * HUGE, i);
	return maps_intact(maps);
}

static void maps_end(struct maps *maps)
{
	must(unmap_huge(maps->map[0], PAGES) == 0);
	must(unmap_huge(maps->map[1], PAGES) == 0);
	close(maps->fd);
}

/* Parts of both mappings: small pages, across the border of two, whole ones. */
static const struct part {
	unsigned long from;
	unsigned long bytes;
} parts[] = {
	{ 0, SMALL }, { 7 * SMALL, SMALL }, { HUGE - SMALL, 2 * SMALL },
	{ SMALL, HUGE }, { HUGE, HUGE }, { 2 * HUGE - SMALL, HUGE + 2 * SMALL },
	{ 0, PAGES * HUGE },
};

static bool each_part(const struct maps *maps,
		      void (*act)(char *addr, unsigned long bytes, long arg),
		      long arg)
{
	unsigned int i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < ARRAY_SIZE(parts); j++) {
			act(maps->map[i] + parts[j].from, parts[j].bytes, arg);
			if (!maps_intact(maps)) {
				dprintf(STDOUT_FILENO,
					"# mapping %u, part %u, %ld\n", i, j,
					arg);
				return false;
			}
		}
	}
	return maps_writable(maps);
}

/* --- calls ------------------------------------------------------------------- */

static void advise(char *addr, unsigned long bytes, long advice)
{
	madvise(addr, bytes, advice);
}

TEST_F_TIMEOUT(machine, advice, 120)
{
	static const int advice[] = {
		MADV_COLD, MADV_PAGEOUT, MADV_FREE, MADV_MERGEABLE,
		MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_COLLAPSE, MADV_NOHUGEPAGE,
		MADV_HUGEPAGE, MADV_WILLNEED, MADV_SEQUENTIAL,
	};
	struct maps maps = maps_new();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(advice); i++)
		ASSERT_TRUE(each_part(&maps, advise, advice[i]));
	maps_end(&maps);
}

static void split(char *addr, unsigned long bytes, long pid)
{
	char text[96];

	snprintf(text, sizeof(text), "%ld,0x%lx,0x%lx", pid,
		 (unsigned long)addr, (unsigned long)addr + bytes);
	tell_kernel("/sys/kernel/debug/split_huge_pages", text);
}

TEST_F_TIMEOUT(machine, split, 120)
{
	struct maps maps = maps_new();

	if (access("/sys/kernel/debug/split_huge_pages", W_OK) != 0)
		SKIP(return, "this kernel does not split huge pages on request");
	ASSERT_TRUE(each_part(&maps, split, getpid()));
	/* All there are in memory, of everybody. */
	tell_kernel("/sys/kernel/debug/split_huge_pages", "1");
	ASSERT_TRUE(maps_intact(&maps));
	ASSERT_TRUE(maps_writable(&maps));
	maps_end(&maps);
}

TEST_F_TIMEOUT(machine, looked_into, 120)
{
	static const char *const clear[] = { "1", "2", "3", "4", "5" };
	struct maps maps = maps_new();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(clear); i++) {
		tell_kernel("/proc/self/clear_refs", clear[i]);
		ASSERT_TRUE(maps_intact(&maps));
		ASSERT_TRUE(maps_writable(&maps));
		read_all("/proc/self/smaps");
	}
	read_all("/proc/kpageflags");
	read_all("/proc/kpagecount");
	read_all("/proc/kpagecgroup");
	read_all("/sys/kernel/mm/page_idle/bitmap");
	ASSERT_TRUE(maps_intact(&maps));
	maps_end(&maps);
}

/* --- userfaultfd ---------------------------------------------------------------- */

static int uffd_new(unsigned long features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Register with every mode, write-protect and let go; each may be refused. */
static void watch(char *addr, unsigned long bytes, long fd)
{
	struct uffdio_range range = { (unsigned long)addr, bytes };
	struct uffdio_register reg = { .range = range };
	struct uffdio_writeprotect protect = { .range = range };
	unsigned long mode;

	for (mode = 1; mode < 8; mode++) {
		reg.mode = mode;
		if (ioctl(fd, UFFDIO_REGISTER, &reg))
			continue;
		/* What would be missing would be waited for in vain. */
		if (mode == UFFDIO_REGISTER_MODE_WP) {
			protect.mode = UFFDIO_WRITEPROTECT_MODE_WP;
			ioctl(fd, UFFDIO_WRITEPROTECT, &protect);
			protect.mode = 0;
			ioctl(fd, UFFDIO_WRITEPROTECT, &protect);
		}
		must(ioctl(fd, UFFDIO_UNREGISTER, &range) == 0);
	}
}

TEST_F_TIMEOUT(machine, userfaultfd, 120)
{
	struct maps maps = maps_new();
	int fd = uffd_new(0);

	if (fd < 0)
		SKIP(return, "this kernel has no userfaultfd");
	ASSERT_TRUE(each_part(&maps, watch, fd));
	close(fd);
	/* Any memory may be write-protected so, on 6.12. */
	fd = uffd_new(UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_WP_UNPOPULATED);
	if (fd >= 0) {
		ASSERT_TRUE(each_part(&maps, watch, fd));
		close(fd);
	}
	maps_end(&maps);
}

/* --- events while there is traffic --------------------------------------------- */

struct traffic {
	int over;
	long rounds;
};

static int look_and_write(void *arg)
{
	struct maps *maps = arg;

	must(maps_intact(maps));
	/* A copy of its own, which nobody else sees, where there is one to be had. */
	touch_pages(maps->map[1], 1);
	return 0;
}

/* New files and mappings, filled, looked at and given back, until it is over. */
static int traffic_work(void *arg)
{
	struct traffic *traffic = arg;
	struct maps maps;
	pid_t pid;

	while (!__atomic_load_n(&traffic->over, __ATOMIC_SEQ_CST)) {
		maps = maps_new();
		must(maps_intact(&maps));
		pid = spawn(look_and_write, &maps);
		must(bytes_stirred(maps.map[1], PAGES * HUGE, 1));
		must(reap(pid) == 0);
		must(maps_writable(&maps));
		maps_end(&maps);
		__atomic_add_fetch(&traffic->rounds, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

/* Do something to the machine again and again while two processes are at work. */
static bool survives(void (*event)(int nth), int times)
{
	struct traffic *traffic = share(sizeof(*traffic));
	pid_t pid[2];
	bool well = true;
	int i;

	for (i = 0; i < 2; i++)
		pid[i] = spawn(traffic_work, traffic);
	for (i = 0; i < times; i++) {
		event(i);
		usleep(20000);
	}
	/* As long as nothing has been done meanwhile nothing is shown. */
	while (__atomic_load_n(&traffic->rounds, __ATOMIC_SEQ_CST) < 4)
		usleep(20000);
	__atomic_store_n(&traffic->over, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < 2; i++)
		well &= reap(pid[i]) == 0;
	return well && selfcheck_ok();
}

static void plug_processor(int nth)
{
	tell_kernel("/sys/devices/system/cpu/cpu1/online", nth % 2 ? "1" : "0");
}

TEST_F_TIMEOUT(machine, processors, 240)
{
	if (access("/sys/devices/system/cpu/cpu1/online", W_OK) != 0)
		SKIP(return, "no processor can go here");
	ASSERT_TRUE(survives(plug_processor, 20));
	ASSERT_EQ(processors(), 2);
}

static void compact(int nth)
{
	tell_kernel("/proc/sys/vm/compact_memory", "1");
	tell_kernel("/proc/sys/vm/drop_caches", "3");
}

TEST_F_TIMEOUT(machine, compaction, 240)
{
	ASSERT_TRUE(survives(compact, 20));
}

#define KHUGEPAGED	"/sys/kernel/mm/transparent_hugepage/"
#define KSM		"/sys/kernel/mm/ksm/"

/* Who looks for pages to collapse or to merge finds these mappings as well. */
static void daemons(int nth)
{
	struct maps maps = maps_new();
	int i;

	for (i = 0; i < 2; i++) {
		madvise(maps.map[i], PAGES * HUGE, MADV_HUGEPAGE);
		madvise(maps.map[i], PAGES * HUGE, MADV_MERGEABLE);
	}
	usleep(50000);
	must(maps_intact(&maps));
	maps_end(&maps);
}

TEST_F_TIMEOUT(machine, daemons, 240)
{
	tell_kernel(KHUGEPAGED "enabled", "always");
	tell_kernel(KHUGEPAGED "khugepaged/scan_sleep_millisecs", "0");
	tell_kernel(KHUGEPAGED "khugepaged/alloc_sleep_millisecs", "0");
	tell_kernel(KHUGEPAGED "khugepaged/pages_to_scan", "65536");
	tell_kernel(KSM "sleep_millisecs", "0");
	tell_kernel(KSM "pages_to_scan", "10000");
	tell_kernel(KSM "run", "1");
	EXPECT_TRUE(survives(daemons, 20));
	tell_kernel(KSM "run", "2");
	tell_kernel(KSM "run", "0");
	tell_kernel(KHUGEPAGED "khugepaged/scan_sleep_millisecs", "10000");
	tell_kernel(KHUGEPAGED "enabled", "madvise");
}

TEST_HARNESS_MAIN
