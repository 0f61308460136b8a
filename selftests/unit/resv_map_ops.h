/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_RESV_MAP_OPS_H
#define UNIT_RESV_MAP_OPS_H

#include "resv_map.h"

/*
 * One that is done at the @nth of a map's regions and leaves it as it was, which does
 * not mean that it changes nothing meanwhile.
 */
struct map_op {
	const char *name;
	bool changes;
	void (*run)(struct resv_map *map, unsigned long nth);
};

#define NR_MAP_OPS 5

extern const struct map_op map_ops[NR_MAP_OPS];

void map_make_regions(struct resv_map *map, unsigned long regions);

#endif
