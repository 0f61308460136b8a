// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time what a map of few regions costs against one of many, at places chosen at
 * random and at places that follow each other. Nothing here passes or fails.
 */
#include <stdio.h>
#include <time.h>

#include "prng.h"
#include "resv_map_ops.h"

#define FEW	10
#define MANY	100000
#define RUNS	100000
#define ROUNDS	7

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static double round_ns(struct resv_map *map, unsigned long regions,
		       const struct map_op *op, bool at_random)
{
	unsigned long i, nth = 0;
	double start = now_ns();
	u64 prng = 1;

	for (i = 0; i < RUNS; i++) {
		nth = (at_random ? prng_next(&prng) : nth + 1) % (regions - 1);
		op->run(map, nth);
	}
	return (now_ns() - start) / RUNS;
}

/* Whatever else the machine does makes it slower only: take the best. */
static double best_ns(unsigned long regions, const struct map_op *op,
		      bool at_random)
{
	struct resv_map map;
	double ns, best = 0;
	int i;

	resv_map_init(&map);
	map_make_regions(&map, regions);
	for (i = 0; i < ROUNDS; i++) {
		ns = round_ns(&map, regions, op, at_random);
		if (!i || ns < best)
			best = ns;
	}
	region_del(&map, 0, REGION_END);
	return best;
}

static void compare(bool at_random)
{
	const struct map_op *op;
	double few, many;

	printf("%-30s %12s %12s %7s\n",
	       at_random ? "ns, places at random" : "ns, places in order",
	       "10 regions", "10^5 regions", "ratio");
	for (op = map_ops; op < map_ops + NR_MAP_OPS; op++) {
		few = best_ns(FEW, op, at_random);
		many = best_ns(MANY, op, at_random);
		printf("%-30s %12.1f %12.1f %7.2f\n", op->name, few, many,
		       many / few);
	}
}

int main(void)
{
	compare(false);
	compare(true);
	return 0;
}
