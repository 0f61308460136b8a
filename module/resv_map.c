// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reserve map: which huge pages of a file, by index, have been promised.
 *
 * The map is a set of disjoint regions in an interval tree, so that looking,
 * adding and deleting cost the logarithm of their number, and a step more for
 * each region that lies in the range. Two regions that meet become one, hence a
 * map never holds more regions than it has gaps plus one. An index stays in the
 * map from the moment it is promised until it is deleted, whether or not a page
 * has been put there meanwhile: the map says what was promised, the page cache
 * says what of it was consumed.
 *
 * Adding is done in two steps. region_chg() looks, counts and allocates, and
 * may fail; region_add() only links and cannot. Whoever adds can thus take
 * what must be taken from subpool and pool between the two and still turn back
 * at every point. Deleting may split a region and so need memory; it allocates
 * before it changes anything.
 *
 * Nothing here knows of locks, files or pools, and the file compiles in user
 * space too, where its tests run. The two steps and the names are those of
 * mm/hugetlb.c; the structure is not.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "resv_map.h"

static struct file_region *region_of(struct interval_tree_node *node)
{
	return node ? container_of(node, struct file_region, node) : NULL;
}

/* Region with the lowest index among those that have one in [from, to). */
static struct file_region *region_first(struct resv_map *map,
					unsigned long from, unsigned long to)
{
	return region_of(interval_tree_iter_first(&map->regions, from, to - 1));
}

/*
 * Regions are disjoint, so the next one in the tree's order is the next one by
 * index, and needs no search.
 */
static struct file_region *region_next(struct file_region *region,
				       unsigned long to)
{
	struct rb_node *rb = rb_next(&region->node.rb);
	struct file_region *next;

	if (!rb)
		return NULL;
	next = region_of(rb_entry(rb, struct interval_tree_node, rb));
	return next->node.start < to ? next : NULL;
}

static struct file_region *region_alloc(void)
{
	return kmalloc(sizeof(struct file_region), GFP_KERNEL_ACCOUNT);
}

static void region_insert(struct resv_map *map, struct file_region *region,
			  unsigned long from, unsigned long to)
{
	region->node.start = from;
	region->node.last = to - 1;
	interval_tree_insert(&region->node, &map->regions);
}

static void region_remove(struct resv_map *map, struct file_region *region)
{
	interval_tree_remove(&region->node, &map->regions);
}

/**
 * resv_map_init() - Make an empty map.
 * @map: memory for it
 */
void resv_map_init(struct resv_map *map)
{
	map->regions = RB_ROOT_CACHED;
}

/**
 * region_count() - Count what is in the map.
 * @map: the map
 * @from: first index, in huge pages
 * @to: index behind the last one
 *
 * Context: the caller's lock is held, at least shared. May reschedule.
 * Return: number of indices of [from, to) that are in the map.
 */
unsigned long region_count(struct resv_map *map, unsigned long from,
			   unsigned long to)
{
	struct file_region *region;
	unsigned long count = 0;

	if (from >= to)
		return 0;
	for (region = region_first(map, from, to); region;
	     region = region_next(region, to)) {
		count += min(region->node.last, to - 1) -
			 max(region->node.start, from) + 1;
		cond_resched();
	}
	return count;
}

/**
 * resv_map_valid() - Check what every map must be.
 * @map: the map
 *
 * Context: the caller's lock is held, at least shared. May reschedule.
 * Return: whether all regions are in order, disjoint and do not touch.
 */
bool resv_map_valid(struct resv_map *map)
{
	struct file_region *region = region_first(map, 0, REGION_END);
	struct file_region *next;

	for (; region; region = next) {
		next = region_next(region, REGION_END);
		if (region->node.start > region->node.last)
			return false;
		if (next && region->node.last + 1 >= next->node.start)
			return false;
		cond_resched();
	}
	return true;
}

/**
 * region_chg() - First step of adding a range: look, count, allocate.
 * @map: the map, left as it is
 * @from: first index, in huge pages
 * @to: index behind the last one, greater than @from
 * @change: filled in for region_add() or region_abort(), one of which must
 *	follow unless this fails
 *
 * Context: the caller's lock is held exclusively, and stays so until the
 * second step. May sleep.
 * Return: number of indices of [from, to) that are not in the map yet, or
 * -EINVAL where the range is empty or goes beyond REGION_END, -ENOMEM.
 */
long region_chg(struct resv_map *map, unsigned long from, unsigned long to,
		struct region_change *change)
{
	long missing;

	if (from >= to || to > REGION_END)
		return -EINVAL;

	change->map = map;
	change->from = from;
	change->to = to;
	change->spare = NULL;
	missing = to - from - region_count(map, from, to);
	if (missing) {
		change->spare = region_alloc();
		if (!change->spare)
			return -ENOMEM;
	}
	return missing;
}

/**
 * region_add() - Second step of adding a range: put it into the map.
 * @change: what region_chg() prepared
 *
 * What overlaps or touches the range is merged with it into one region.
 *
 * Context: the caller's lock has been held exclusively since region_chg().
 */
void region_add(struct region_change *change)
{
	struct resv_map *map = change->map;
	unsigned long from = change->from, to = change->to;
	unsigned long touch = from ? from - 1 : 0;
	struct file_region *region, *next;

	/* All of it was there already. */
	if (!change->spare)
		return;
	for (region = region_first(map, touch, to + 1); region; region = next) {
		next = region_next(region, to + 1);
		from = min(from, region->node.start);
		to = max(to, region->node.last + 1);
		region_remove(map, region);
		kfree(region);
		cond_resched();
	}
	region_insert(map, change->spare, from, to);
	change->spare = NULL;
}

/**
 * region_abort() - Give up an addition between its two steps.
 * @change: what region_chg() prepared
 */
void region_abort(struct region_change *change)
{
	kfree(change->spare);
	change->spare = NULL;
}

/* Take [from, to) out of the one region that lies around it on both sides. */
static long region_split(struct resv_map *map, struct file_region *region,
			 unsigned long from, unsigned long to)
{
	unsigned long start = region->node.start;
	unsigned long end = region->node.last + 1;
	struct file_region *behind = region_alloc();

	if (!behind)
		return -ENOMEM;
	region_remove(map, region);
	region_insert(map, region, start, from);
	region_insert(map, behind, to, end);
	return to - from;
}

/* Take [from, to), which does not lie inside @region, out of @region. */
static long region_trim(struct resv_map *map, struct file_region *region,
			unsigned long from, unsigned long to)
{
	unsigned long start = region->node.start;
	unsigned long end = region->node.last + 1;

	region_remove(map, region);
	if (start < from)
		region_insert(map, region, start, from);
	else if (end > to)
		region_insert(map, region, to, end);
	else
		kfree(region);
	return min(end, to) - max(start, from);
}

/**
 * region_del() - Take a range out of the map.
 * @map: the map
 * @from: first index, in huge pages
 * @to: index behind the last one, REGION_END for all that follow
 *
 * Only a range with promised indices on both sides of it can split a region
 * and need memory; deleting to REGION_END cannot fail. hugetlb repairs its
 * counts after such a failure (hugetlb_fix_reserve_counts()); here the memory
 * is had before anything changes, and the caller asks before it frees a page.
 *
 * Context: the caller's lock is held exclusively. May sleep.
 * Return: number of indices that were deleted, or -ENOMEM with the map as it
 * was.
 */
long region_del(struct resv_map *map, unsigned long from, unsigned long to)
{
	struct file_region *region, *next;
	long deleted = 0;

	if (from >= to)
		return 0;
	region = region_first(map, from, to);
	if (region && region->node.start < from && region->node.last >= to)
		return region_split(map, region, from, to);

	for (; region; region = next) {
		next = region_next(region, to);
		deleted += region_trim(map, region, from, to);
		cond_resched();
	}
	return deleted;
}
