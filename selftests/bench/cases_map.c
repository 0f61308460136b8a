// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings come and go: what it costs to reserve, to unmap what was touched and what
 * was not, to copy a mapping to a child.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* What of it is timed, for @arg. */
enum {
	TIME_MMAP = 1,
	TIME_MUNMAP = 2,
	TIME_BOTH = TIME_MMAP | TIME_MUNMAP,
};

static void check_reserved(const struct subject *subject, long before,
			   long pages)
{
	need(pool_read(subject, "resv_hugepages") - before == pages);
}

/* A mapping of a new file that nobody touches. */
static void reserve(const struct bench_case *which, struct subject *subject,
		    struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	long resv = pool_read(subject, "resv_hugepages");
	int fd = file_new(subject), err;
	char *map;

	if (which->arg & TIME_MMAP)
		lap_start(lap);
	map = try_map(subject, fd, 0, pages, which->flags);
	if (which->arg == TIME_MMAP)
		lap_stop(lap, 1);
	need(map != MAP_FAILED);
	if (which->arg != TIME_BOTH)
		check_reserved(subject, resv, pages);
	if (which->arg == TIME_MUNMAP)
		lap_start(lap);
	err = munmap(map, pages * HUGE);
	if (which->arg & TIME_MUNMAP)
		lap_stop(lap, 1);
	need(err == 0);
	/* What a file was promised stays with it. */
	check_reserved(subject, resv, which->flags & MAP_SHARED ? pages : 0);
	need(close(fd) == 0);
	check_reserved(subject, resv, 0);
}

/* What a file was promised and has not used goes when it is cut. */
static void unreserve_file(const struct bench_case *which,
			   struct subject *subject, struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	long resv = pool_read(subject, "resv_hugepages");
	int fd = file_new(subject), err;

	unmap_pages(map_pages(subject, fd, 0, pages, MAP_SHARED), pages);
	check_reserved(subject, resv, pages);
	lap_start(lap);
	err = ftruncate(fd, 0);
	lap_stop(lap, 1);
	need(err == 0);
	check_reserved(subject, resv, 0);
	need(close(fd) == 0);
}

/* --- unmapping what was touched ---------------------------------------------- */

static void with_file(const struct bench_case *which, struct subject *subject)
{
	subject->fd = file_filled(subject, scaled(which->pages));
}

static void without_file(const struct bench_case *which,
			 struct subject *subject)
{
	need(close(subject->fd) == 0);
}

/* The pages are the file's and stay. */
static void munmap_shared(const struct bench_case *which,
			  struct subject *subject, struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	char *map = map_pages(subject, subject->fd, 0, pages, MAP_SHARED);
	int err;

	write_pages(map, pages, 1);
	lap_start(lap);
	err = munmap(map, pages * HUGE);
	lap_stop(lap, 1);
	need(err == 0);
}

/* The pages are the mapping's and go with it. */
static void munmap_private(const struct bench_case *which,
			   struct subject *subject, struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	char *map = map_new(subject, pages, MAP_PRIVATE);
	int err;

	write_pages(map, pages, 1);
	lap_start(lap);
	err = munmap(map, pages * HUGE);
	lap_stop(lap, 1);
	need(err == 0);
}

/* --- children ----------------------------------------------------------------- */

/* The others' mappings, which are there too, must not be copied meanwhile. */
static void with_private(const struct bench_case *which,
			 struct subject *subject)
{
	subject->len = scaled(which->pages) * HUGE;
	subject->map = map_new(subject, scaled(which->pages), MAP_PRIVATE);
	need(madvise(subject->map, subject->len, MADV_DONTFORK) == 0);
}

static void without_private(const struct bench_case *which,
			    struct subject *subject)
{
	need(munmap(subject->map, subject->len) == 0);
}

/* The child touches nothing of it, and is gone. */
static void fork_exit(const struct bench_case *which, struct subject *subject,
		      struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	int status;
	pid_t pid, reaped;

	write_pages(subject->map, pages, 3);
	need(madvise(subject->map, subject->len, MADV_DOFORK) == 0);
	lap_start(lap);
	pid = fork();
	if (!pid)
		_exit(0);
	reaped = waitpid(pid, &status, 0);
	lap_stop(lap, 1);
	need(pid > 0 && reaped == pid);
	need(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	need(madvise(subject->map, subject->len, MADV_DONTFORK) == 0);
	expect_pages(subject->map, pages, 3);
}

/* The same with nothing mapped: what of it is no matter of huge pages. */
static void fork_nothing(const struct bench_case *which,
			 struct subject *subject, struct lap *lap)
{
	int status;
	pid_t pid, reaped;

	lap_start(lap);
	pid = fork();
	if (!pid)
		_exit(0);
	reaped = waitpid(pid, &status, 0);
	lap_stop(lap, 1);
	need(pid > 0 && reaped == pid);
	need(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* --- the table ---------------------------------------------------------------- */

#define RESERVE(whose, number, of_what, kind, part, words)		\
	{								\
		.name = of_what "-" whose "-" #number,			\
		.unit = "call",						\
		.what = words " of " #number " untouched pages, " whose, \
		.on = ON_HUGE,						\
		.pages = (number),					\
		.flags = (kind),					\
		.arg = (part),						\
		.sample = reserve,					\
	}

#define MMAP(whose, number, kind)					\
	RESERVE(whose, number, "mmap", kind, TIME_MMAP, "mmap()")

#define MUNMAP(whose, number, kind)					\
	RESERVE(whose, number, "munmap", kind, TIME_MUNMAP, "munmap()")

#define BOTH(whose, number, kind)					\
	RESERVE(whose, number, "mmap-munmap", kind, TIME_BOTH,		\
		"mmap() and munmap()")

#define UNRESERVE(number)						\
	{								\
		.name = "unreserve-file-" #number,			\
		.unit = "call",						\
		.what = "ftruncate() of a file with " #number " reserved pages", \
		.on = ON_HUGE,						\
		.pages = (number),					\
		.sample = unreserve_file,				\
	}

#define FORK(number)							\
	{								\
		.name = "fork-exit-" #number,				\
		.unit = "call",						\
		.what = "fork(), exit, wait with " #number " private pages", \
		.on = ON_MEMORY,					\
		.pages = (number),					\
		.begin = with_private,					\
		.sample = fork_exit,					\
		.end = without_private,					\
	}

static const struct bench_case cases[] = {
	MMAP("shared", 1, MAP_SHARED),
	MMAP("shared", 64, MAP_SHARED),
	MMAP("shared", 512, MAP_SHARED),
	MUNMAP("shared", 1, MAP_SHARED),
	MUNMAP("shared", 64, MAP_SHARED),
	MUNMAP("shared", 512, MAP_SHARED),
	BOTH("shared", 1, MAP_SHARED),
	BOTH("shared", 64, MAP_SHARED),
	BOTH("shared", 512, MAP_SHARED),
	MMAP("private", 1, MAP_PRIVATE),
	MMAP("private", 64, MAP_PRIVATE),
	MMAP("private", 512, MAP_PRIVATE),
	MUNMAP("private", 1, MAP_PRIVATE),
	MUNMAP("private", 64, MAP_PRIVATE),
	MUNMAP("private", 512, MAP_PRIVATE),
	BOTH("private", 1, MAP_PRIVATE),
	BOTH("private", 64, MAP_PRIVATE),
	BOTH("private", 512, MAP_PRIVATE),
	UNRESERVE(1),
	UNRESERVE(64),
	UNRESERVE(512),
	{
		.name = "munmap-mapped-512",
		.unit = "call",
		.what = "munmap() of 512 touched pages of a file",
		.on = ON_FILES,
		.pages = 512,
		.begin = with_file,
		.sample = munmap_shared,
		.end = without_file,
	}, {
		.name = "munmap-mapped-private-64",
		.unit = "call",
		.what = "munmap() of 64 touched private pages, which are freed",
		.on = ON_MEMORY,
		.pages = 64,
		.sample = munmap_private,
	}, {
		.name = "fork-exit-0",
		.unit = "call",
		.what = "fork(), exit, wait with no huge page",
		.on = ON_ALL,
		.sample = fork_nothing,
	},
	FORK(128),
	FORK(512),
};

const struct case_table map_table = { cases, ARRAY_SIZE(cases) };
