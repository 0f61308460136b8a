// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time what a map of few regions costs against one of many, at places chosen at
 * random and at places that follow each other. Nothing here passes or fails.
 *
 *   bench_resv_map                         time everything
 *   bench_resv_map REGIONS NTH AT_RANDOM   do one thing a few times, for
 *                                          bench_instructions.sh to count
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "prng.h"
#include "resv_map_ops.h"

#define FEW	10
#define MANY	100000
#define RUNS	100000
#define ROUNDS	7
#define COUNTED	1000

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* Known by its name to bench_instructions.sh, which counts nothing else. */
static noinline void do_round(struct resv_map *map, unsigned long regions,
			      const struct map_op *op, bool at_random,
			      unsigned long runs)
{
	unsigned long i, nth = 0;
	u64 prng = 1;

	for (i = 0; i < runs; i++) {
		nth = (at_random ? prng_next(&prng) : nth + 1) % (regions - 1);
		op->run(map, nth);
	}
}

static double round_ns(struct resv_map *map, unsigned long regions,
		       const struct map_op *op, bool at_random)
{
	double start = now_ns();

	do_round(map, regions, op, at_random, RUNS);
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

static void be_counted(unsigned long regions, const struct map_op *op,
		       bool at_random)
{
	struct resv_map map;

	resv_map_init(&map);
	map_make_regions(&map, regions);
	do_round(&map, regions, op, at_random, COUNTED);
	printf("%s\n", op->name);
}

int main(int argc, char **argv)
{
	if (argc == 4) {
		be_counted(strtoul(argv[1], NULL, 0),
			   &map_ops[atoi(argv[2]) % NR_MAP_OPS], atoi(argv[3]));
		return 0;
	}
	compare(false);
	compare(true);
	return 0;
}
