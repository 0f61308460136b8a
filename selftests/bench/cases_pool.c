// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool itself: what it costs to make it larger and smaller, and to zero its pages
 * ahead.
 */
#include <unistd.h>

#include "bench.h"

/* For @arg. */
enum {
	GROW,
	SHRINK,
};

static void resize(const struct bench_case *which, struct subject *subject,
		   struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	long nr = pool_read(subject, "nr_hugepages");

	if (which->arg == GROW)
		lap_start(lap);
	pool_write(subject, "nr_hugepages", nr + pages);
	if (which->arg == GROW)
		lap_stop(lap, pages);
	need(pool_read(subject, "nr_hugepages") == nr + (long)pages);
	if (which->arg == SHRINK)
		lap_start(lap);
	pool_write(subject, "nr_hugepages", nr);
	if (which->arg == SHRINK)
		lap_stop(lap, pages);
	need(pool_read(subject, "nr_hugepages") == nr);
}

static const char *no_background(void)
{
	return pool_can_zero_in_background() ? NULL :
	       "this module does not zero in the background";
}

/* All that is free; whoever waits looks often, and takes part of the time. */
static void zero_ahead(const struct bench_case *which, struct subject *subject,
		       struct lap *lap)
{
	long free = pool_read(subject, "free_hugepages");

	need(pool_read(subject, "zeroed_hugepages") == 0);
	lap_start(lap);
	pool_zero_in_background(true);
	while (pool_read(subject, "zeroed_hugepages") < free)
		usleep(1000);
	lap_stop(lap, free);
	pool_zero_in_background(false);
}

static const struct bench_case cases[] = {
	{
		.name = "pool-grow",
		.unit = "page",
		.what = "writing 64 more to nr_hugepages",
		.on = ON_HUGE,
		.samples = 5,
		.pages = 64,
		.arg = GROW,
		.sample = resize,
	}, {
		.name = "pool-shrink",
		.unit = "page",
		.what = "writing 64 less to nr_hugepages",
		.on = ON_HUGE,
		.samples = 5,
		.pages = 64,
		.arg = SHRINK,
		.sample = resize,
	}, {
		.name = "pool-grow-256",
		.unit = "page",
		.what = "writing 256 more to nr_hugepages on two processors",
		.run = RUN_CLOCK,
		.on = ON_HUGE,
		.samples = 5,
		.pages = 256,
		.arg = GROW,
		.sample = resize,
	}, {
		.name = "zero-ahead",
		.unit = "page",
		.what = "zeroing all free pages in the background",
		.on = ON_OURS,
		.samples = 3,
		.missing = no_background,
		.sample = zero_ahead,
	}, {
		.name = "zero-ahead-clock",
		.unit = "page",
		.what = "zeroing all free pages in the background, one thread",
		.run = RUN_CLOCK,
		.on = ON_OURS,
		.samples = 3,
		.missing = no_background,
		.sample = zero_ahead,
	},
};

const struct case_table pool_table = { cases, ARRAY_SIZE(cases) };
