// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of one operation grows with the logarithm of the number of regions.
 * It is counted in basic blocks (shim/steps.c) and hence the same in every run.
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
#define LIMIT	4

static unsigned long mean_steps(unsigned long regions, const struct map_op *op)
{
	unsigned long before, i;
	struct resv_map map;
	u64 prng = 1;

	resv_map_init(&map);
	map_make_regions(&map, regions);
	before = steps_taken();
	for (i = 0; i < RUNS; i++)
		op->run(&map, prng_below(&prng, regions - 1));
	before = (steps_taken() - before) / RUNS;
	region_del(&map, 0, REGION_END);
	return before;
}

static bool logarithmic(const struct map_op *op)
{
	unsigned long few = mean_steps(FEW, op), many = mean_steps(MANY, op);

	ksft_print_msg("%s: %lu steps with %d regions, %lu with %d\n", op->name,
		       few, FEW, many, MANY);
	/* Without a step there is no hook, and the test would see nothing. */
	return few && many <= LIMIT * few;
}

int main(void)
{
	const struct map_op *op;

	ksft_print_header();
	ksft_set_plan(NR_MAP_OPS);
	for (op = map_ops; op < map_ops + NR_MAP_OPS; op++)
		ksft_test_result(logarithmic(op), "cost: %s\n", op->name);
	ksft_finished();
}
