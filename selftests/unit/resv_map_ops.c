// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is done to small and large maps to compare the cost: the n-th region
 * covers PITCH * n and the index behind it, and there is room up to the next
 * for one that touches neither.
 */
#include <stdlib.h>

#include "resv_map_ops.h"

#define PITCH	8
#define LENGTH	2
#define MIDDLE	5

static void add(struct resv_map *map, unsigned long from, unsigned long to)
{
	struct region_change change;

	if (region_chg(map, from, to, NULL, &change) < 0)
		abort();
	region_add(&change);
}

static void del(struct resv_map *map, unsigned long from, unsigned long to)
{
	if (region_del(map, from, to) < 0)
		abort();
}

static void count_one(struct resv_map *map, unsigned long nth)
{
	if (region_count(map, PITCH * nth, PITCH * nth + 1) != 1)
		abort();
}

static void chg_abort(struct resv_map *map, unsigned long nth)
{
	struct region_change change;

	if (region_chg(map, PITCH * nth, PITCH * nth + 4, NULL, &change) != 2)
		abort();
	region_abort(&change);
}

static void add_del(struct resv_map *map, unsigned long nth)
{
	add(map, PITCH * nth + MIDDLE, PITCH * nth + MIDDLE + 1);
	del(map, PITCH * nth + MIDDLE, PITCH * nth + MIDDLE + 1);
}

static void grow_shrink(struct resv_map *map, unsigned long nth)
{
	add(map, PITCH * nth + LENGTH, PITCH * nth + LENGTH + 1);
	del(map, PITCH * nth + LENGTH, PITCH * nth + LENGTH + 1);
}

static void join_split(struct resv_map *map, unsigned long nth)
{
	add(map, PITCH * nth + LENGTH, PITCH * (nth + 1));
	del(map, PITCH * nth + LENGTH, PITCH * (nth + 1));
}

const struct map_op map_ops[NR_MAP_OPS] = {
	{ "region_count", false, count_one },
	{ "region_chg, region_abort", true, chg_abort },
	{ "add a region, delete it", true, add_del },
	{ "extend a region, cut it", true, grow_shrink },
	{ "join two regions, split them", true, join_split },
};

/* Fill an empty map. The operations may be run on all regions but the last. */
void map_make_regions(struct resv_map *map, unsigned long regions)
{
	unsigned long i;

	for (i = 0; i < regions; i++)
		add(map, PITCH * i, PITCH * i + LENGTH);
}
