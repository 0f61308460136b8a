// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of files without touching them: asked for ahead, given back, read and written.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

/* For @arg, what stands in the way of those who take pages from a file. */
enum {
	UNMAPPED,
	MAPPED,
};

/* In 512 bytes, whatever the size of its pages is. */
static long file_blocks(int fd)
{
	struct stat stat;

	need(fstat(fd, &stat) == 0);
	return stat.st_blocks;
}

static bool has_pages(int fd, unsigned long pages)
{
	return file_blocks(fd) == (long)(pages * (HUGE / 512));
}

/* --- asking ahead -------------------------------------------------------------- */

static void populate(const struct bench_case *which, struct subject *subject,
		     struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	int fd = file_new(subject);
	long faults;
	char *map;

	need(fd < 0 || ftruncate(fd, pages * HUGE) == 0);
	lap_start(lap);
	map = map_pages(subject, fd, 0, pages, which->flags | MAP_POPULATE);
	lap_stop(lap, 1);
	faults = faults_now();
	write_pages(map, pages, 4);
	need(faults_now() == faults);
	expect_pages(map, pages, 4);
	unmap_pages(map, pages);
	if (fd >= 0)
		need(close(fd) == 0);
}

static void allocate(const struct bench_case *which, struct subject *subject,
		     struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	int fd = file_new(subject), err;
	char *map;

	lap_start(lap);
	err = fallocate(fd, 0, 0, pages * HUGE);
	lap_stop(lap, 1);
	need(err == 0);
	need(has_pages(fd, pages));
	map = map_pages(subject, fd, 0, pages, MAP_SHARED);
	expect_pages(map, pages, 0);
	unmap_pages(map, pages);
	need(close(fd) == 0);
}

/* --- giving back --------------------------------------------------------------- */

static void truncate_file(const struct bench_case *which,
			  struct subject *subject, struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	int fd = file_filled(subject, pages), err;
	char *map = NULL;

	if (which->arg == MAPPED) {
		map = map_pages(subject, fd, 0, pages, MAP_SHARED);
		write_pages(map, pages, 1);
	}
	lap_start(lap);
	err = ftruncate(fd, 0);
	lap_stop(lap, pages);
	need(err == 0);
	need(has_pages(fd, 0));
	if (map)
		unmap_pages(map, pages);
	need(close(fd) == 0);
}

/* Each page by a call of its own. */
static void punch_file(const struct bench_case *which, struct subject *subject,
		       struct lap *lap)
{
	unsigned long pages = scaled(which->pages), i;
	int fd = file_filled(subject, pages), err = 0;
	char *map = NULL;

	if (which->arg == MAPPED) {
		map = map_pages(subject, fd, 0, pages, MAP_SHARED);
		write_pages(map, pages, 1);
	}
	lap_start(lap);
	for (i = 0; i < pages; i++)
		err |= fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				 i * HUGE, HUGE);
	lap_stop(lap, pages);
	need(err == 0);
	need(has_pages(fd, 0));
	if (map)
		unmap_pages(map, pages);
	need(close(fd) == 0);
}

/* --- reading and writing ------------------------------------------------------- */

/* From and into where; in memory of its own, which no fault has to bring. */
static char *buffer(char value)
{
	static char *mem;

	if (!mem)
		mem = malloc(MIB);
	need(mem);
	memset(mem, value, MIB);
	return mem;
}

static void with_file(const struct bench_case *which, struct subject *subject)
{
	subject->fd = file_filled(subject, which->pages);
}

static void without_file(const struct bench_case *which,
			 struct subject *subject)
{
	need(close(subject->fd) == 0);
}

static void read_file(const struct bench_case *which, struct subject *subject,
		      struct lap *lap)
{
	unsigned long calls = which->pages * HUGE / MIB, i;
	char *mem = buffer(9);
	ssize_t got;

	for (i = 0; i < calls; i++) {
		lap_start(lap);
		got = pread(subject->fd, mem, MIB, i * MIB);
		lap_stop(lap, 1);
		need(got == MIB);
		need(mem[0] == !(i * MIB % HUGE) && !mem[MIB - 1]);
	}
}

/* Into pages that are there. */
static void write_file(const struct bench_case *which, struct subject *subject,
		       struct lap *lap)
{
	unsigned long calls = which->pages * HUGE / MIB, i;
	char *mem = buffer(5), *map;
	ssize_t put;

	for (i = 0; i < calls; i++) {
		lap_start(lap);
		put = pwrite(subject->fd, mem, MIB, i * MIB);
		lap_stop(lap, 1);
		need(put == MIB);
	}
	map = map_pages(subject, subject->fd, 0, which->pages, MAP_SHARED);
	need(map[0] == 5 && map[which->pages * HUGE - 1] == 5);
	unmap_pages(map, which->pages);
}

/* Into a new file. */
static void write_new(const struct bench_case *which, struct subject *subject,
		      struct lap *lap)
{
	struct subject other = *subject;

	other.fd = file_new(subject);
	write_file(which, &other, lap);
	need(has_pages(other.fd, which->pages));
	need(close(other.fd) == 0);
}

/* --- the table ----------------------------------------------------------------- */

#define ASK(how, call, state, state_words, number, function, subjects)	\
	{								\
		.name = how "-" state_words "-" #number,		\
		.unit = "call",						\
		.what = call " of " #number " pages, " state_words,	\
		.on = (subjects),					\
		.samples = 9,						\
		.pool = (state),					\
		.takes = (number),					\
		.pages = (number),					\
		.flags = MAP_SHARED,					\
		.sample = function,					\
	}

#define GIVE_BACK(how, call, kind, suffix, words, function)		\
	{								\
		.name = how suffix,					\
		.unit = "page",						\
		.what = call " of 64 pages" words,			\
		.on = ON_FILES,						\
		.pages = 64,						\
		.arg = (kind),						\
		.sample = function,					\
	}

static const struct bench_case cases[] = {
	ASK("populate", "mmap() with MAP_POPULATE", POOL_ZEROED, "zeroed", 64,
	    populate, ON_ALL),
	ASK("populate", "mmap() with MAP_POPULATE", POOL_DIRTY, "dirty", 64,
	    populate, ON_ALL),
	ASK("fallocate", "fallocate()", POOL_ZEROED, "zeroed", 64, allocate,
	    ON_FILES),
	ASK("fallocate", "fallocate()", POOL_DIRTY, "dirty", 64, allocate,
	    ON_FILES),
	GIVE_BACK("truncate", "ftruncate()", UNMAPPED, "", "", truncate_file),
	GIVE_BACK("truncate", "ftruncate()", MAPPED, "-mapped",
		  " that are mapped", truncate_file),
	GIVE_BACK("punch", "punching each", UNMAPPED, "", "", punch_file),
	GIVE_BACK("punch", "punching each", MAPPED, "-mapped",
		  " that are mapped", punch_file),
	{
		.name = "read",
		.unit = "MiB",
		.what = "read() of 1 MiB of a page that is there",
		.on = ON_FILES,
		.pages = 4,
		.begin = with_file,
		.sample = read_file,
		.end = without_file,
	}, {
		.name = "write",
		.unit = "MiB",
		.what = "write() of 1 MiB to a page that is there",
		.on = ON(OURS) | ON(TMPFS),
		.pages = 4,
		.begin = with_file,
		.sample = write_file,
		.end = without_file,
	}, {
		.name = "write-new",
		.unit = "MiB",
		.what = "write() of 1 MiB to a new file, nothing zeroed beforehand",
		.on = ON(OURS) | ON(TMPFS),
		.pages = 4,
		.sample = write_new,
	}, {
		.name = "fallocate-1g",
		.unit = "call",
		.what = "fallocate() of 1 GiB on two processors, nothing zeroed beforehand",
		.run = RUN_CLOCK,
		.on = ON_FILES,
		.samples = 5,
		.pages = 512,
		.sample = allocate,
	}, {
		.name = "populate-1g",
		.unit = "call",
		.what = "mmap() of 1 GiB with MAP_POPULATE, nothing zeroed beforehand",
		.run = RUN_CLOCK,
		.on = ON_ALL,
		.samples = 5,
		.pages = 512,
		.flags = MAP_SHARED,
		.sample = populate,
	},
};

const struct case_table file_table = { cases, ARRAY_SIZE(cases) };
