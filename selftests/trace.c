// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints: each says what has happened, to which page of which file.
 */
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fail.h"
#include "pool_size.h"
#include "private_test.h"

#define TRACING	"/sys/kernel/tracing/instances/rhugefs"

static const char *const events[] = {
	"reserve", "unreserve", "claim", "commit", "cancel", "fault", "cow",
	"give", "park", "zero", "resize",
};

#define NR_EVENTS	(sizeof(events) / sizeof(*events))

FIXTURE(trace) {
	struct pools before;
};

static void put(const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), TRACING "/%s", name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/*
 * Tracepoints are switched by patching code, and an emulated processor may trip over what
 * is patched while it runs that; so nothing is zeroed in the background meanwhile. A
 * thread may be at its last page.
 */
static void stop_zeroing(void)
{
	must(watermarks(0, 0) == 0);
	usleep(300000);
}

FIXTURE_SETUP(trace)
{
	self->before = pools_read();
	stop_zeroing();
	ASSERT_TRUE(mkdir(TRACING, 0700) == 0 || errno == EEXIST);
	put("trace", "\n");
	put("events/rhugefs/enable", "1");
}

FIXTURE_TEARDOWN_PARENT(trace)
{
	put("events/rhugefs/enable", "0");
	/* Else the module would be in use. */
	EXPECT_EQ(rmdir(TRACING), 0);
	EXPECT_TRUE(pools_restored(&self->before));
}

/* How often @event was traced with all of @fields in this order. */
static int __attribute__((format(printf, 2, 3)))
traced(const char *event, const char *format, ...)
{
	FILE *trace = fopen(TRACING "/trace", "re");
	char fields[256], name[32], line[512];
	va_list args;
	int times = 0;
	char *at;

	must(trace);
	va_start(args, format);
	vsnprintf(fields, sizeof(fields), format, args);
	va_end(args);
	snprintf(name, sizeof(name), ": %s: ", event);
	while (fgets(line, sizeof(line), trace)) {
		at = strstr(line, name);
		times += at && strstr(at, fields);
	}
	fclose(trace);
	return times;
}

/* For a test that fails: what there is instead. */
static bool traced_times(int times, const char *event, const char *fields)
{
	char line[512];
	FILE *trace;

	if (traced(event, "%s", fields) == times)
		return true;
	printf("# wanted %d times %s: %s\n", times, event, fields);
	trace = fopen(TRACING "/trace", "re");
	must(trace);
	while (fgets(line, sizeof(line), trace))
		if (line[0] != '#')
			printf("#  %s", line);
	fclose(trace);
	return false;
}

/* How every event about a file begins. */
static const char *fields_of(int fd)
{
	static char fields[64];
	struct stat stat;

	must(fstat(fd, &stat) == 0);
	snprintf(fields, sizeof(fields), "dev=%u:%u ino=%lu ",
		 major(stat.st_dev), minor(stat.st_dev),
		 (unsigned long)stat.st_ino);
	return fields;
}

#define ASSERT_TRACED(times, event, format, ...) do {			\
	char fields_[256];						\
									\
	snprintf(fields_, sizeof(fields_), format, ##__VA_ARGS__);	\
	ASSERT_TRUE(traced_times(times, event, fields_));		\
} while (0)

TEST_F(trace, all_events_are_there)
{
	char path[128];
	unsigned int i;

	for (i = 0; i < NR_EVENTS; i++) {
		snprintf(path, sizeof(path),
			 TRACING "/events/rhugefs/%s/format", events[i]);
		EXPECT_EQ(access(path, R_OK), 0);
	}
}

TEST_F(trace, shared)
{
	int fd = file_new();
	const char *file = fields_of(fd);
	char *map;

	ASSERT_EQ(map_huge(fd, 0, self->before.all.nr + 1, 0), NULL);
	ASSERT_TRACED(1, "reserve", "%sprivate=0 from=0 to=%ld pages=%ld err=-28",
		      file, self->before.all.nr + 1,
		      self->before.all.nr + 1);
	map = map_huge(fd, 2, 3, 0);
	ASSERT_TRACED(1, "reserve", "%sprivate=0 from=2 to=5 pages=3 err=0",
		      file);
	ASSERT_NE(map_huge(fd, 4, 2, 0), NULL);
	ASSERT_TRACED(1, "reserve", "%sprivate=0 from=4 to=6 pages=1 err=0",
		      file);
	ASSERT_TRUE(can_write(map + HUGE + 5));
	ASSERT_TRACED(1, "claim", "%sprivate=0 index=3 promised=1", file);
	ASSERT_TRACED(1, "commit", "%sprivate=0 index=3 promised=1", file);
	ASSERT_TRACED(1, "fault", "%sindex=3 address=0x%lx write=1 what=mapped",
		      file, (unsigned long)map + HUGE + 5);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_TRACED(1, "give", "kept=0");
	ASSERT_TRACED(1, "unreserve", "%sprivate=0 pages=3", file);
	ASSERT_FALSE(can_read(map));
	ASSERT_TRACED(1, "fault", "%sindex=2 address=0x%lx write=0 what=sigbus",
		      file, (unsigned long)map);
}

TEST_F(trace, private)
{
	int fd = file_new();
	const char *file = fields_of(fd);
	struct peer child;
	char *map, *rest;

	map = map_private(fd, 0, 2, 0);
	ASSERT_TRACED(1, "reserve", "%sprivate=1 from=0 to=2 pages=2 err=0",
		      file);
	ASSERT_TRUE(can_write(map));
	ASSERT_TRACED(1, "claim", "%sprivate=1 index=0 promised=1", file);
	ASSERT_TRACED(1, "cow", "%smapping=0 index=0 what=new", file);
	child = peer_new();
	ASSERT_TRUE(peer_write(&child, map, 2));
	ASSERT_TRACED(1, "claim", "%sprivate=1 index=0 promised=0", file);
	ASSERT_TRACED(1, "cow", "%smapping=1 index=0 what=copy", file);
	ASSERT_TRUE(can_write(map));
	ASSERT_TRACED(1, "cow", "%smapping=0 index=0 what=reuse", file);
	peer_exit(&child);

	child = peer_new();
	rest = map_new(pool_unpromised(), 0);
	ASSERT_NE(rest, NULL);
	ASSERT_TRUE(can_write(map));
	ASSERT_TRACED(1, "cow", "%smapping=1 index=0 what=take", file);
	ASSERT_EQ(peer_look(&child, map), -1);
	ASSERT_TRACED(1, "cow", "%smapping=1 index=0 what=refuse", file);
	peer_exit(&child);
	ASSERT_EQ(unmap_huge(map, 2), 0);
	ASSERT_TRACED(1, "unreserve", "%sprivate=1 pages=1", file);
}

TEST_F(trace, parked)
{
	struct pin pin = pin_new();
	char *map = map_new(1, 0);

	*map = 1;
	pin_add(&pin, map, 4096);
	ASSERT_EQ(unmap_huge(map, 1), 0);
	ASSERT_TRACED(1, "park", "references=1");
	ASSERT_TRACED(0, "give", "pfn=");
	pin_end(&pin);
	ASSERT_POOL(0, 0);
	ASSERT_TRACED(1, "give", "pfn=");
}

TEST_F(trace, zeroed)
{
	long end = now_ms() + POOL_PATIENCE;
	char *map;

	ASSERT_EQ(watermarks(100, 100), 0);
	map = map_new(1, MAP_POPULATE);
	ASSERT_EQ(unmap_huge(map, 1), 0);
	while (pool_count("", "zeroed") < self->before.all.free &&
	       now_ms() < end)
		usleep(10000);
	/* It is said after it is done. */
	stop_zeroing();
	ASSERT_LE(1, traced("zero", "zeroed=1"));
}

TEST_F(trace, resized)
{
	long all = self->before.all.nr, on_1 = self->before.node[1].nr;
	char *map;

	ASSERT_EQ(resize_node(1, on_1 - 3), 0);
	ASSERT_TRACED(1, "resize", "why=set nid=1 wanted=-3 changed=-3");
	ASSERT_EQ(resize(all), 0);
	ASSERT_TRACED(1, "resize", "why=set nid=-1 wanted=3 changed=3");
	ASSERT_EQ(resize_node(1, on_1), 0);
	ASSERT_EQ(overcommit(2), 0);
	map = map_new(all + 2, 0);
	ASSERT_TRACED(1, "resize", "wanted=2 changed=2");
	ASSERT_TRACED(1, "resize", "why=gather");
	ASSERT_EQ(unmap_huge(map, all + 2), 0);
	ASSERT_LE(1, traced("resize", "why=trim"));
	ASSERT_TRUE(pool_size_restored(&self->before));
}

/* A copy that stops short, where the kernel lets that happen. */
TEST_F(trace, cancelled)
{
	long cancels = stat_read("cancels");
	int fd = file_new();
	const char *file = fields_of(fd);

	if (!fail_has(FAIL_COPY))
		SKIP(return, "the module has no points of failure here");
	/* As often as a new page is tried to be filled. */
	fail_next(FAIL_COPY, 3);
	ASSERT_EQ(pwrite(fd, "x", 1, HUGE), 1);
	ASSERT_EQ(stat_read("cancels"), cancels + 3);
	ASSERT_TRACED(3, "cancel", "%sprivate=0 index=1 promised=0", file);
	ASSERT_TRACED(1, "commit", "%sprivate=0 index=1 promised=0", file);
	ASSERT_POOL(1, 0);
	ASSERT_EQ(pread(fd, &(char){ 0 }, 1, HUGE), 1);
}

TEST_HARNESS_MAIN
