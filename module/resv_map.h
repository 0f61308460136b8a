/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_RESV_MAP_H
#define RHUGEFS_RESV_MAP_H

#include <linux/limits.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/types.h>

/* End of a range that has none: above every index of a file. */
#define REGION_END	((unsigned long)LONG_MAX)

/**
 * struct file_region - promised huge pages that follow each other
 * @rb: its place among the map's regions
 * @next: while it is in no map: the next one that an addition has in store
 * @link: and in their list
 * @from: the first one
 * @to: behind the last one
 * @of: to what its indices belong, as the caller means it
 */
struct file_region {
	union {
		struct rb_node rb;
		struct file_region *next;
	};
	struct list_head link;
	unsigned long from;
	unsigned long to;
	void *of;
};

/**
 * struct resv_map - the huge pages of a file or mapping that were promised
 * @regions: disjoint struct file_region, by index; those that touch each other
 *	belong to different things
 * @in_order: the same
 * @near: one of them, near which the map was changed last, or NULL. The first step of
 *	an addition moves it too, and some callers let others look meanwhile: it is
 *	read and written in one piece
 * @first: memory for one region, which is all that most maps ever have
 * @first_used: there is a region in it, or it is in store for one
 *
 * The caller's lock guards all of it: held exclusively from region_chg() to
 * region_add() or region_abort() and around region_del(), at least shared
 * around the functions that only look.
 */
struct resv_map {
	struct rb_root regions;
	struct list_head in_order;
	struct file_region *near;
	struct file_region first;
	bool first_used;
};

/**
 * struct region_run - indices that follow each other and belong to the same
 * @from: the first one
 * @to: behind the last one
 * @of: to what they belong
 */
struct region_run {
	unsigned long from;
	unsigned long to;
	void *of;
};

/**
 * struct region_change - an addition between its two steps
 * @map: the map to be changed
 * @from: first index to be covered
 * @to: index behind the last one
 * @of: to what the indices belong that are added
 * @gaps: how many parts of the range are in no region
 * @mixed: other indices of the range belong to something else
 * @grows: a region that is alike is in the range or touches it
 * @spare: memory for the regions that the second step may insert
 */
struct region_change {
	struct resv_map *map;
	unsigned long from;
	unsigned long to;
	void *of;
	unsigned long gaps;
	bool mixed;
	bool grows;
	struct file_region *spare;
};

void resv_map_init(struct resv_map *map);
long region_chg(struct resv_map *map, unsigned long from, unsigned long to,
		void *of, struct region_change *change);
void region_add(struct region_change *change);
void region_abort(struct region_change *change);
long region_del(struct resv_map *map, unsigned long from, unsigned long to);
unsigned long region_count(struct resv_map *map, unsigned long from,
			   unsigned long to);
bool region_run(struct resv_map *map, unsigned long from, unsigned long to,
		struct region_run *run);
int region_prepare(struct region_change *change, struct resv_map *map,
		   unsigned long from, unsigned long to, void *of);
void region_assign(struct region_change *change);
bool resv_map_valid(struct resv_map *map);

#endif
