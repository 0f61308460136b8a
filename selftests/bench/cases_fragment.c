// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files with many reservations that do not touch each other: every second page is
 * reserved. Each takes a page of the pool, but none is ever touched.
 */
#include <unistd.h>

#include "bench.h"

/* The last of a file of two fragments is not before this. */
#define LEAST	2

static unsigned long fragments_of(const struct bench_case *which)
{
	unsigned long fragments = scaled(which->pages);

	return fragments < LEAST ? LEAST : fragments;
}

/* A file with the first @fragments of them. */
static int file_fragmented(const struct subject *subject,
			   unsigned long fragments)
{
	int fd = file_new(subject);
	unsigned long i;

	for (i = 0; i < fragments; i++)
		unmap_pages(map_pages(subject, fd, 2 * i, 1, MAP_SHARED), 1);
	return fd;
}

static void with_fragments(const struct bench_case *which,
			   struct subject *subject)
{
	long resv = pool_read(subject, "resv_hugepages");
	unsigned long fragments = fragments_of(which) - 1;

	subject->fd = file_fragmented(subject, fragments);
	need(pool_read(subject, "resv_hugepages") - resv == (long)fragments);
}

static void without_fragments(const struct bench_case *which,
			      struct subject *subject)
{
	need(close(subject->fd) == 0);
}

/* The last one of them, which is cut off again. */
static void last_fragment(const struct bench_case *which,
			  struct subject *subject, struct lap *lap)
{
	unsigned long last = 2 * (fragments_of(which) - 1);
	long resv = pool_read(subject, "resv_hugepages");
	char *map;

	lap_start(lap);
	map = try_map(subject, subject->fd, last, 1, MAP_SHARED);
	lap_stop(lap, 1);
	need(map != MAP_FAILED);
	need(pool_read(subject, "resv_hugepages") - resv == 1);
	unmap_pages(map, 1);
	need(ftruncate(subject->fd, last * HUGE) == 0);
	need(pool_read(subject, "resv_hugepages") == resv);
}

/* All that is missing between them, by one call. */
static void all_holes(const struct bench_case *which, struct subject *subject,
		      struct lap *lap)
{
	unsigned long fragments = fragments_of(which);
	int fd = file_fragmented(subject, fragments);
	long resv = pool_read(subject, "resv_hugepages");
	char *map;

	lap_start(lap);
	map = try_map(subject, fd, 0, 2 * fragments, MAP_SHARED);
	lap_stop(lap, 1);
	need(map != MAP_FAILED);
	need(pool_read(subject, "resv_hugepages") - resv == (long)fragments);
	unmap_pages(map, 2 * fragments);
	need(close(fd) == 0);
}

#define FRAGMENT(number)						\
	{								\
		.name = "fragment-" #number,				\
		.unit = "call",						\
		.what = "mmap() of fragment number " #number " of a file", \
		.run = RUN_MANY,					\
		.on = ON_HUGE,						\
		.pages = (number),					\
		.begin = with_fragments,				\
		.sample = last_fragment,				\
		.end = without_fragments,				\
	}

static const struct bench_case cases[] = {
	FRAGMENT(100),
	FRAGMENT(500),
	FRAGMENT(1000),
	FRAGMENT(2000),
	FRAGMENT(4000),
	{
		.name = "holes-2000",
		.unit = "call",
		.what = "one mmap() that reserves 2000 single pages between others",
		.run = RUN_MANY,
		.on = ON_HUGE,
		.samples = 3,
		.pages = 2000,
		.sample = all_holes,
	},
};

const struct case_table fragment_table = { cases, ARRAY_SIZE(cases) };
