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
 * What was promised on different terms belongs to different things, and regions
 * that do so stay apart where they meet. hugetlb keeps the cgroup that was charged
 * in the same way.
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
			  unsigned long from, unsigned long to, void *of)
{
	region->node.start = from;
	region->node.last = to - 1;
	region->of = of;
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
 * Return: whether all regions are in order, disjoint and do not touch where they
 * could be one.
 */
bool resv_map_valid(struct resv_map *map)
{
	struct file_region *region = region_first(map, 0, REGION_END);
	struct file_region *next;

	for (; region; region = next) {
		next = region_next(region, REGION_END);
		if (region->node.start > region->node.last)
			return false;
		if (next && region->node.last >= next->node.start)
			return false;
		if (next && region->node.last + 1 == next->node.start &&
		    region->of == next->of)
			return false;
		cond_resched();
	}
	return true;
}

/**
 * region_run() - Find promised indices that belong to the same.
 * @map: the map
 * @from: first index to look at, in huge pages
 * @to: index behind the last one
 * @run: filled in with the first of them in [from, to), up to the first gap, or
 *	to the first one that belongs to something else
 *
 * Context: the caller's lock is held, at least shared.
 * Return: whether there are any.
 */
bool region_run(struct resv_map *map, unsigned long from, unsigned long to,
		struct region_run *run)
{
	struct file_region *region;

	region = from < to ? region_first(map, from, to) : NULL;
	if (!region)
		return false;
	run->from = max(region->node.start, from);
	run->to = min(region->node.last + 1, to);
	run->of = region->of;
	return true;
}

/* Have @regions in store. */
static int region_store(struct region_change *change, unsigned long regions)
{
	struct file_region *region;

	while (regions--) {
		region = region_alloc();
		if (!region) {
			region_abort(change);
			return -ENOMEM;
		}
		region->next = change->spare;
		change->spare = region;
		cond_resched();
	}
	return 0;
}

static struct file_region *region_take_spare(struct region_change *change)
{
	struct file_region *region = change->spare;

	change->spare = region->next;
	return region;
}

/* How many indices of the range are in the map; the others are in so many gaps. */
static unsigned long region_survey(struct region_change *change,
				   unsigned long *gaps)
{
	unsigned long at = change->from, held = 0, start, end;
	struct file_region *region;

	for (region = region_first(change->map, at, change->to); region;
	     region = region_next(region, change->to)) {
		start = max(region->node.start, at);
		end = min(region->node.last + 1, change->to);
		*gaps += start > at;
		held += end - start;
		change->mixed |= region->of != change->of;
		at = end;
		cond_resched();
	}
	*gaps += at < change->to;
	return held;
}

static void region_start(struct region_change *change, struct resv_map *map,
			 unsigned long from, unsigned long to, void *of)
{
	*change = (struct region_change){
		.map = map,
		.from = from,
		.to = to,
		.of = of,
	};
}

/**
 * region_chg() - First step of adding a range: look, count, allocate.
 * @map: the map, left as it is
 * @from: first index, in huge pages
 * @to: index behind the last one, greater than @from
 * @of: to what the indices are to belong that are not in the map yet; the others
 *	stay as they are
 * @change: filled in for region_add() or region_abort(), one of which must
 *	follow unless this fails
 *
 * Context: the caller's lock is held exclusively, and stays so until the
 * second step. May sleep.
 * Return: number of indices of [from, to) that are not in the map yet, or
 * -EINVAL where the range is empty or goes beyond REGION_END, -ENOMEM.
 */
long region_chg(struct resv_map *map, unsigned long from, unsigned long to,
		void *of, struct region_change *change)
{
	unsigned long held, gaps = 0;

	if (from >= to || to > REGION_END)
		return -EINVAL;

	region_start(change, map, from, to, of);
	held = region_survey(change, &gaps);
	if (gaps && region_store(change, change->mixed ? gaps : 1))
		return -ENOMEM;
	return to - from - held;
}

/* Put a gap into the map, as one with those of its neighbours that are alike. */
static void region_fill(struct region_change *change, unsigned long from,
			unsigned long to)
{
	struct file_region *region = region_take_spare(change), *near;

	near = from ? region_first(change->map, from - 1, from) : NULL;
	if (near && near->of == change->of) {
		from = near->node.start;
		region_remove(change->map, near);
		kfree(near);
	}
	near = region_first(change->map, to, to + 1);
	if (near && near->of == change->of) {
		to = near->node.last + 1;
		region_remove(change->map, near);
		kfree(near);
	}
	region_insert(change->map, region, from, to, change->of);
}

static void region_fill_gaps(struct region_change *change)
{
	unsigned long at = change->from;
	struct region_run run;

	while (region_run(change->map, at, change->to, &run)) {
		if (run.from > at)
			region_fill(change, at, run.from);
		at = run.to;
		cond_resched();
	}
	if (at < change->to)
		region_fill(change, at, change->to);
}

/* All that is in the range, and what it touches there and is alike, becomes one. */
static void region_merge(struct region_change *change)
{
	struct resv_map *map = change->map;
	unsigned long from = change->from, to = change->to;
	unsigned long touch = from ? from - 1 : 0;
	struct file_region *spare = region_take_spare(change);
	struct file_region *region, *next;

	for (region = region_first(map, touch, to + 1); region; region = next) {
		next = region_next(region, change->to + 1);
		if (region->of != change->of)
			continue;
		from = min(from, region->node.start);
		to = max(to, region->node.last + 1);
		region_remove(map, region);
		kfree(region);
		cond_resched();
	}
	region_insert(map, spare, from, to, change->of);
}

/**
 * region_add() - Second step of adding a range: put it into the map.
 * @change: what region_chg() prepared
 *
 * What overlaps or touches the range and belongs to the same is merged with it into
 * one region.
 *
 * Context: the caller's lock has been held exclusively since region_chg().
 */
void region_add(struct region_change *change)
{
	/* All of it was there already. */
	if (!change->spare)
		return;
	if (change->mixed)
		region_fill_gaps(change);
	else
		region_merge(change);
	region_abort(change);
}

/**
 * region_abort() - Give up an addition between its two steps.
 * @change: what region_chg() or region_prepare() prepared
 */
void region_abort(struct region_change *change)
{
	while (change->spare)
		kfree(region_take_spare(change));
}

/**
 * region_prepare() - First step of letting a range belong to something else.
 * @change: filled in for region_assign() or region_abort(), one of which must
 *	follow unless this fails
 * @map: the map, left as it is
 * @from: first index, in huge pages
 * @to: index behind the last one, greater than @from
 * @of: to what those indices are to belong that are in the map
 *
 * Context: as for region_chg().
 * Return: 0, or -ENOMEM.
 */
int region_prepare(struct region_change *change, struct resv_map *map,
		   unsigned long from, unsigned long to, void *of)
{
	region_start(change, map, from, to, of);
	/* Only the two regions at its ends can be cut. */
	return region_store(change, 2);
}

/* Let a region end before @at, and another one that is alike begin there. */
static void region_cut(struct region_change *change, unsigned long at)
{
	struct file_region *region = region_first(change->map, at, at + 1);
	unsigned long start, end;

	if (!region || region->node.start == at || region->of == change->of)
		return;
	start = region->node.start;
	end = region->node.last + 1;
	region_remove(change->map, region);
	region_insert(change->map, region, start, at, region->of);
	region_insert(change->map, region_take_spare(change), at, end,
		      region->of);
}

/* Where two regions meet that are alike they become one. */
static void region_join(struct resv_map *map, unsigned long from,
			unsigned long to)
{
	unsigned long touch = from ? from - 1 : 0, start, end;
	struct file_region *region = region_first(map, touch, to + 1), *next;

	for (; region; region = next) {
		next = region_next(region, to + 1);
		if (!next || next->of != region->of ||
		    region->node.last + 1 != next->node.start)
			continue;
		start = region->node.start;
		end = next->node.last + 1;
		region_remove(map, region);
		kfree(region);
		region_remove(map, next);
		region_insert(map, next, start, end, next->of);
		cond_resched();
	}
}

/**
 * region_assign() - Second step of letting a range belong to something else.
 * @change: what region_prepare() prepared
 *
 * Context: the caller's lock has been held exclusively since region_prepare().
 */
void region_assign(struct region_change *change)
{
	unsigned long from = change->from, to = change->to;
	struct file_region *region;

	region_cut(change, from);
	region_cut(change, to);
	for (region = region_first(change->map, from, to); region;
	     region = region_next(region, to)) {
		region->of = change->of;
		cond_resched();
	}
	region_join(change->map, from, to);
	region_abort(change);
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
	region_insert(map, region, start, from, region->of);
	region_insert(map, behind, to, end, region->of);
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
		region_insert(map, region, start, from, region->of);
	else if (end > to)
		region_insert(map, region, to, end, region->of);
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
