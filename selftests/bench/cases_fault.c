// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults: the first touch of a page, of one that is there already, and the write to a
 * page that somebody else reads, too.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* At most so many mappings of one page. */
#define MAX_ALONE	64

/* Touch every page of a mapping; a fault may map others, too. */
static void timed_touch(struct lap *lap, char *map, unsigned long pages,
			char value)
{
	long faults = faults_now();

	lap_start(lap);
	write_pages(map, pages, value);
	lap_stop(lap, pages);
	expect_faults(faults, pages);
}

static void first_touch(const struct bench_case *which, struct subject *subject,
			struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	char *map = map_new(subject, pages, which->flags);

	timed_touch(lap, map, pages, 7);
	expect_pages(map, pages, 7);
	unmap_pages(map, pages);
}

static void with_file(const struct bench_case *which, struct subject *subject)
{
	subject->fd = file_filled(subject, scaled(which->pages));
}

static void without_file(const struct bench_case *which,
			 struct subject *subject)
{
	need(close(subject->fd) == 0);
}

static void minor_fault(const struct bench_case *which, struct subject *subject,
			struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	char *map = map_pages(subject, subject->fd, 0, pages, which->flags);

	timed_touch(lap, map, pages, 1);
	expect_pages(map, pages, 1);
	unmap_pages(map, pages);
}

/* By reading, which a private mapping may do without a page of its own. */
static void minor_read(const struct bench_case *which, struct subject *subject,
		       struct lap *lap)
{
	unsigned long pages = scaled(which->pages), i;
	char *map = map_pages(subject, subject->fd, 0, pages, which->flags);
	long faults = faults_now(), sum = 0;

	lap_start(lap);
	for (i = 0; i < pages; i++)
		sum += ((volatile char *)map)[i * HUGE];
	lap_stop(lap, pages);
	expect_faults(faults, pages);
	need(sum == (long)pages);
	unmap_pages(map, pages);
}

/* Each page through a mapping of its own, so that no fault can map another one. */
static void minor_alone(const struct bench_case *which, struct subject *subject,
			struct lap *lap)
{
	unsigned long pages = scaled(which->pages), i;
	char *map[MAX_ALONE];
	long faults;

	for (i = 0; i < pages; i++)
		map[i] = map_pages(subject, subject->fd, i, 1, which->flags);
	faults = faults_now();
	lap_start(lap);
	for (i = 0; i < pages; i++)
		*(volatile char *)map[i] = 1;
	lap_stop(lap, pages);
	need(faults_now() - faults == (long)pages);
	for (i = 0; i < pages; i++) {
		expect_pages(map[i], 1, 1);
		unmap_pages(map[i], 1);
	}
}

/* In place of the file's page, which has not been mapped here before. */
static void cow_of_file(const struct bench_case *which, struct subject *subject,
			struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	char *map = map_pages(subject, subject->fd, 0, pages, MAP_PRIVATE);
	char *file = map_pages(subject, subject->fd, 0, pages, MAP_SHARED);

	timed_touch(lap, map, pages, 2);
	expect_pages(map, pages, 2);
	expect_pages(file, pages, 1);
	unmap_pages(map, pages);
	unmap_pages(file, pages);
}

/* A child that lives until its parent has done with it. */
static pid_t make_reader(int pipe_fds[2])
{
	pid_t pid;
	char byte;

	need(pipe(pipe_fds) == 0);
	pid = fork();
	need(pid >= 0);
	if (!pid) {
		close(pipe_fds[1]);
		_exit(read(pipe_fds[0], &byte, 1) != 0);
	}
	close(pipe_fds[0]);
	return pid;
}

static void reap(pid_t pid)
{
	int status;

	need(waitpid(pid, &status, 0) == pid);
	need(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* What a child has inherited and still needs; to read shows that it is mapped. */
static void cow_of_child(const struct bench_case *which,
			 struct subject *subject, struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	char *map = map_new(subject, pages, MAP_PRIVATE);
	int pipe_fds[2];
	pid_t pid;

	write_pages(map, pages, 1);
	pid = make_reader(pipe_fds);
	expect_pages(map, pages, 1);
	lap_start(lap);
	write_pages(map, pages, 2);
	lap_stop(lap, pages);
	expect_pages(map, pages, 2);
	close(pipe_fds[1]);
	reap(pid);
	unmap_pages(map, pages);
}

static const struct bench_case cases[] = {
	{
		.name = "first-touch-zeroed-shared",
		.unit = "page",
		.what = "write to a new page of a file, pool zeroed beforehand",
		.on = ON_ALL,
		.pool = POOL_ZEROED,
		.takes = 16,
		.pages = 16,
		.flags = MAP_SHARED,
		.sample = first_touch,
	}, {
		.name = "first-touch-zeroed-private",
		.unit = "page",
		.what = "write to a hole of a private mapping, pool zeroed beforehand",
		.on = ON_HUGE,
		.pool = POOL_ZEROED,
		.takes = 16,
		.pages = 16,
		.flags = MAP_PRIVATE,
		.sample = first_touch,
	}, {
		.name = "first-touch-dirty-shared",
		.unit = "page",
		.what = "write to a new page of a file, nothing zeroed beforehand",
		.on = ON_ALL,
		.pages = 16,
		.flags = MAP_SHARED,
		.sample = first_touch,
	}, {
		.name = "first-touch-dirty-private",
		.unit = "page",
		.what = "write to a hole of a private mapping, nothing zeroed beforehand",
		.on = ON_HUGE,
		.pages = 16,
		.flags = MAP_PRIVATE,
		.sample = first_touch,
	}, {
		.name = "minor-fault",
		.unit = "page",
		.what = "write to a page that the file has, in a new mapping",
		.on = ON_FILES,
		.pages = 64,
		.flags = MAP_SHARED,
		.begin = with_file,
		.sample = minor_fault,
		.end = without_file,
	}, {
		.name = "minor-fault-alone",
		.unit = "page",
		.what = "write to a page that the file has, in a new mapping of this page",
		.on = ON_FILES,
		.pages = MAX_ALONE,
		.flags = MAP_SHARED,
		.begin = with_file,
		.sample = minor_alone,
		.end = without_file,
	}, {
		.name = "minor-fault-read",
		.unit = "page",
		.what = "read a page that the file has, in a new mapping",
		.on = ON_FILES,
		.pages = 64,
		.flags = MAP_SHARED,
		.begin = with_file,
		.sample = minor_read,
		.end = without_file,
	}, {
		.name = "minor-fault-private",
		.unit = "page",
		.what = "read a page that the file has, in a new private mapping",
		.on = ON_HUGE,
		.pages = 64,
		.flags = MAP_PRIVATE,
		.begin = with_file,
		.sample = minor_read,
		.end = without_file,
	}, {
		.name = "cow-file",
		.unit = "page",
		.what = "write to a page of the file in a private mapping",
		.on = ON_HUGE,
		.pages = 16,
		.begin = with_file,
		.sample = cow_of_file,
		.end = without_file,
	}, {
		.name = "cow-fork",
		.unit = "page",
		.what = "write to a private page that a living child has inherited",
		.on = ON_HUGE,
		.pages = 16,
		.sample = cow_of_child,
	},
};

const struct case_table fault_table = { cases, ARRAY_SIZE(cases) };
