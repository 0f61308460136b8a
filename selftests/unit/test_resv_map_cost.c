// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of one operation grows with the logarithm of the number of regions, and not
 * at all where it is done next to the last one. It is counted in basic blocks
 * (shim/steps.c) and hence the same in every run.
 */
#include <kselftest.h>

#include "prng.h"
#include "resv_map_ops.h"
#include "steps.h"

#define RUNS	500

/*
 * There are 1,000 times as many regions; the logarithm is 4 times as large. No
 * more, so that a map which searches one by one fails soon.
 */
#define FEW	10
#define MANY	10000
#define LIMIT	3

/* In percent. What the tree does to stay even differs a little. */
#define FLAT	125

static unsigned long mean_steps(unsigned long regions, const struct map_op *op,
				bool at_random)
{
	unsigned long before, i, nth = 0;
	struct resv_map map;
	u64 prng = 1;

	resv_map_init(&map);
	map_make_regions(&map, regions);
	before = steps_taken();
	for (i = 0; i < RUNS; i++) {
		nth = (at_random ? prng_next(&prng) : nth + 1) % (regions - 1);
		op->run(&map, nth);
	}
	before = (steps_taken() - before) / RUNS;
	region_del(&map, 0, REGION_END);
	return before;
}

static bool grows_by(const struct map_op *op, bool at_random, int percent)
{
	unsigned long few = mean_steps(FEW, op, at_random);
	unsigned long many = mean_steps(MANY, op, at_random);

	ksft_print_msg("%s: %lu steps with %d regions, %lu with %d\n", op->name,
		       few, FEW, many, MANY);
	/* Without a step there is no hook, and the test would see nothing. */
	return few && 100 * many <= percent * few;
}

int main(void)
{
	const struct map_op *op;

	ksft_print_header();
	ksft_set_plan(2 * NR_MAP_OPS);
	for (op = map_ops; op < map_ops + NR_MAP_OPS; op++)
		ksft_test_result(grows_by(op, true, 100 * LIMIT),
				 "at random: %s\n", op->name);
	for (op = map_ops; op < map_ops + NR_MAP_OPS; op++)
		ksft_test_result(grows_by(op, false,
					  op->changes ? FLAT : 100 * LIMIT),
				 "in order: %s\n", op->name);
	ksft_finished();
}
