/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_RESV_MAP_H
#define RHUGEFS_RESV_MAP_H

#include <linux/interval_tree.h>
#include <linux/limits.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/* End of a range that has none: above every index of a file. */
#define REGION_END	((unsigned long)LONG_MAX)

/**
 * struct resv_map - the huge pages of a file or mapping that were promised
 * @regions: disjoint struct file_region that never touch each other, by index
 *
 * The caller's lock guards all of it: held exclusively from region_chg() to
 * region_add() or region_abort() and around region_del(), at least shared
 * around the functions that only look.
 */
struct resv_map {
	struct rb_root_cached regions;
};

/**
 * struct file_region - promised huge pages that follow each other
 * @node: first and last index, both included
 */
struct file_region {
	struct interval_tree_node node;
};

/**
 * struct region_change - an addition between its two steps
 * @map: the map to be changed
 * @from: first index to be covered
 * @to: index behind the last one
 * @spare: memory for the region that the second step inserts, NULL where it
 *	has nothing to do
 */
struct region_change {
	struct resv_map *map;
	unsigned long from;
	unsigned long to;
	struct file_region *spare;
};

void resv_map_init(struct resv_map *map);
long region_chg(struct resv_map *map, unsigned long from, unsigned long to,
		struct region_change *change);
void region_add(struct region_change *change);
void region_abort(struct region_change *change);
long region_del(struct resv_map *map, unsigned long from, unsigned long to);
unsigned long region_count(struct resv_map *map, unsigned long from,
			   unsigned long to);
bool resv_map_valid(struct resv_map *map);

#endif
