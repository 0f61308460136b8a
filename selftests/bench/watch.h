/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child that does one thing, and its parent, who wants the processor for a moment
 * again and again meanwhile.
 */
#ifndef RHUGEFS_BENCH_WATCH_H
#define RHUGEFS_BENCH_WATCH_H

#include <stdbool.h>

/**
 * struct watched - what came of it, in nanoseconds
 * @took: from when the child began until it was done, or gone
 * @late: how long the parent waited for the processor at worst
 * @killed: the child was killed before it was done
 * @gone_after: how long it took to be gone then
 */
struct watched {
	double took;
	double late;
	bool killed;
	double gone_after;
};

typedef void (*watch_fn)(void *data);

void watch(watch_fn prepare, watch_fn run, void *data, double kill_after,
	   struct watched *watched);

#endif
