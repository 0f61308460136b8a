// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reserve map: which huge pages of a file, by index, have been promised.
 *
 * The map is a set of disjoint regions in a red-black tree, so that looking,
 * adding and deleting cost the logarithm of their number, and a step more for
 * each region that lies in the range. An interval tree would keep and read what
 * lies below each node, which says nothing that the order of disjoint regions does
 * not say. Whoever changes the map leaves a mark where he did, and what is done
 * nearby then, as a second step or the next of a row of changes mostly is, needs no
 * way down from the root. The regions are in a list too, since the way from one to
 * the next through the tree may lead up to the root and down again. A region grows
 * and shrinks where it is.
 *
 * Two regions that meet become one, hence a map never holds more regions than it
 * has gaps plus one. An index stays in the map from the moment it is promised until
 * it is deleted, whether or not a page has been put there meanwhile: the map says
 * what was promised, the page cache says what of it was consumed.
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

/*
 * How many regions are looked at from the mark on before the search begins at the root:
 * a region further on than the last time takes three.
 */
#define NEAR_STEPS	3

/* The region that is linked there, NULL where it is the list's head. */
static struct file_region *region_of(struct resv_map *map,
				     struct list_head *link)
{
	return link == &map->in_order ?
		       NULL : list_entry(link, struct file_region, link);
}

static struct file_region *region_below(struct file_region *region,
					unsigned long to)
{
	return region && region->from < to ? region : NULL;
}

/* The next one, unless it begins at @to or behind it. */
static struct file_region *region_next(struct resv_map *map,
				       struct file_region *region,
				       unsigned long to)
{
	return region_below(region_of(map, region->link.next), to);
}

/* The first region that ends behind @at, and the one in front of it. */
static struct file_region *region_descend(struct resv_map *map,
					  unsigned long at,
					  struct file_region **before)
{
	struct rb_node *rb = map->regions.rb_node;
	struct file_region *found = NULL, *region;

	*before = NULL;
	while (rb) {
		region = rb_entry(rb, struct file_region, rb);
		if (region->to > at) {
			found = region;
			rb = rb->rb_left;
		} else {
			*before = region;
			rb = rb->rb_right;
		}
	}
	return found;
}

/*
 * Region with the lowest index among those that have one in [from, to). Many may look
 * at the same time, hence the mark is read, which serves who comes for what was just
 * added, and not moved.
 */
static struct file_region *region_first(struct resv_map *map,
					unsigned long from, unsigned long to)
{
	struct file_region *region = READ_ONCE(map->near), *found = NULL;
	struct rb_node *rb = map->regions.rb_node;

	if (region && region->from <= from && from < region->to)
		return region;
	while (rb) {
		region = rb_entry(rb, struct file_region, rb);
		if (from < region->from) {
			found = region;
			rb = rb->rb_left;
		} else if (from >= region->to) {
			rb = rb->rb_right;
		} else {
			return region;
		}
	}
	return region_below(found, to);
}

/*
 * The same, for those who change the map. The mark moves to the region in front of the
 * place, or stays at the one that lies around it.
 */
static struct file_region *region_seek(struct resv_map *map, unsigned long from,
				       unsigned long to)
{
	struct file_region *region = map->near, *near = region;
	int steps = region && region->from <= from ? NEAR_STEPS : 0;

	while (steps && region && region->to <= from) {
		near = region;
		region = region_of(map, region->link.next);
		steps--;
	}
	if (!steps)
		region = region_descend(map, from, &near);
	WRITE_ONCE(map->near, near);
	return region_below(region, to);
}

/* The same, of those too that only touch the range. */
static struct file_region *region_touching(struct resv_map *map,
					   unsigned long from, unsigned long to)
{
	return region_seek(map, from ? from - 1 : 0, to + 1);
}

static struct file_region *region_alloc(struct resv_map *map)
{
	if (map->first_used)
		return kmalloc(sizeof(struct file_region), GFP_KERNEL_ACCOUNT);
	map->first_used = true;
	return &map->first;
}

static void region_free(struct resv_map *map, struct file_region *region)
{
	if (region == &map->first)
		map->first_used = false;
	else
		kfree(region);
}

/* Put a region in behind @before, or in front of all others. */
static void region_insert(struct resv_map *map, struct file_region *before,
			  struct file_region *region, unsigned long from,
			  unsigned long to, void *of)
{
	struct list_head *front = before ? &before->link : &map->in_order;
	struct file_region *behind = region_of(map, front->next);
	struct rb_node **link = &map->regions.rb_node, *parent = NULL;

	/* Of two that follow each other one has nothing on the side of the other. */
	if (before && !before->rb.rb_right) {
		parent = &before->rb;
		link = &parent->rb_right;
	} else if (behind) {
		parent = &behind->rb;
		link = &parent->rb_left;
	}
	region->from = from;
	region->to = to;
	region->of = of;
	list_add(&region->link, front);
	rb_link_node(&region->rb, parent, link);
	rb_insert_color(&region->rb, &map->regions);
	WRITE_ONCE(map->near, region);
}

static void region_unlink(struct resv_map *map, struct file_region *region)
{
	if (map->near == region)
		WRITE_ONCE(map->near, region_of(map, region->link.prev));
	/* Its own links are nobody's any more, and need not be made to say so. */
	__list_del(region->link.prev, region->link.next);
	rb_erase(&region->rb, &map->regions);
}

static void region_remove(struct resv_map *map, struct file_region *region)
{
	region_unlink(map, region);
	region_free(map, region);
}

#define REGION_BIN_NR	32

/**
 * struct region_bin - regions that were removed and are to be freed, many at a time
 * @nr: how many
 * @region: they
 */
struct region_bin {
	size_t nr;
	void *region[REGION_BIN_NR];
};

static void region_bin_empty(struct region_bin *bin)
{
	if (!bin->nr)
		return;
	kfree_bulk(bin->nr, bin->region);
	bin->nr = 0;
	cond_resched();
}

static void region_bin_remove(struct region_bin *bin, struct resv_map *map,
			      struct file_region *region)
{
	region_unlink(map, region);
	if (region == &map->first) {
		region_free(map, region);
		return;
	}
	if (bin->nr == REGION_BIN_NR)
		region_bin_empty(bin);
	bin->region[bin->nr++] = region;
}

/**
 * resv_map_init() - Make an empty map.
 * @map: memory for it
 */
void resv_map_init(struct resv_map *map)
{
	map->regions = RB_ROOT;
	INIT_LIST_HEAD(&map->in_order);
	map->near = NULL;
	map->first_used = false;
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
	     region = region_next(map, region, to)) {
		count += min(region->to, to) - max(region->from, from);
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
		next = region_next(map, region, REGION_END);
		if (region->from >= region->to)
			return false;
		if (next && region->to > next->from)
			return false;
		if (next && region->to == next->from && region->of == next->of)
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
	run->from = max(region->from, from);
	run->to = min(region->to, to);
	run->of = region->of;
	return true;
}

/* Have @regions in store. */
static int region_store(struct region_change *change, unsigned long regions)
{
	struct file_region *region;

	while (regions--) {
		region = region_alloc(change->map);
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
static unsigned long region_survey(struct region_change *change)
{
	unsigned long at = change->from, held = 0, start, end;
	struct file_region *region;

	for (region = region_touching(change->map, at, change->to); region;
	     region = region_next(change->map, region, change->to + 1)) {
		start = max(region->from, at);
		end = min(region->to, change->to);
		if (start > at)
			change->gaps++;
		if (region->of == change->of)
			change->grows = true;
		else if (start < end)
			change->mixed = true;
		held += end - start;
		at = end;
		cond_resched();
	}
	if (at < change->to)
		change->gaps++;
	return held;
}

/* What the second step is to insert. */
static unsigned long region_spares(const struct region_change *change)
{
	/* With others between, a gap may have no region at its side that can grow. */
	if (change->mixed)
		return change->gaps;
	return change->gaps && !change->grows;
}

static void region_start(struct region_change *change, struct resv_map *map,
			 unsigned long from, unsigned long to, void *of)
{
	change->map = map;
	change->from = from;
	change->to = to;
	change->of = of;
	change->gaps = 0;
	change->mixed = false;
	change->grows = false;
	change->spare = NULL;
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
 * second step. Until then nothing is deleted in the range or beside it, and nothing
 * there comes to belong to something else than @of. May sleep.
 * Return: number of indices of [from, to) that are not in the map yet, or
 * -EINVAL where the range is empty or goes beyond REGION_END, -ENOMEM.
 */
long region_chg(struct resv_map *map, unsigned long from, unsigned long to,
		void *of, struct region_change *change)
{
	unsigned long held;

	if (from >= to || to > REGION_END)
		return -EINVAL;

	region_start(change, map, from, to, of);
	held = region_survey(change);
	if (region_store(change, region_spares(change)))
		return -ENOMEM;
	return to - from - held;
}

/* Let those behind @whole that touch it and are alike become a part of it. */
static noinline void region_absorb(struct resv_map *map,
				   struct file_region *whole, unsigned long to)
{
	struct region_bin bin __uninitialized;
	struct file_region *region, *next;

	bin.nr = 0;
	for (region = region_next(map, whole, to + 1); region; region = next) {
		next = region_next(map, region, to + 1);
		if (region->of != whole->of)
			continue;
		whole->to = max(whole->to, region->to);
		region_bin_remove(&bin, map, region);
	}
	region_bin_empty(&bin);
}

/*
 * Put a range into the map of which all that is there is alike. What it touches and is
 * alike too becomes one with it: the first of them grows, the others go.
 */
static void region_fill(struct region_change *change, unsigned long from,
			unsigned long to)
{
	struct resv_map *map = change->map;
	struct file_region *region = region_touching(map, from, to);
	struct file_region *before = map->near;

	while (region && region->of != change->of) {
		if (region->from < from)
			before = region;
		region = region_next(map, region, to + 1);
	}
	if (!region) {
		region_insert(map, before, region_take_spare(change), from, to,
			      change->of);
		return;
	}
	region->from = min(region->from, from);
	region->to = max(region->to, to);
	if (region_next(map, region, to + 1))
		region_absorb(map, region, to);
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
	if (!change->gaps)
		return;
	if (change->mixed)
		region_fill_gaps(change);
	else
		region_fill(change, change->from, change->to);
	region_abort(change);
}

/**
 * region_abort() - Give up an addition between its two steps.
 * @change: what region_chg() or region_prepare() prepared
 *
 * Context: as for region_add().
 */
void region_abort(struct region_change *change)
{
	while (change->spare)
		region_free(change->map, region_take_spare(change));
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
	struct file_region *region = region_seek(change->map, at, at);
	unsigned long to;

	if (!region || region->of == change->of)
		return;
	to = region->to;
	region->to = at;
	region_insert(change->map, region, region_take_spare(change), at, to,
		      region->of);
}

/* Where two regions meet that are alike they become one. */
static void region_join(struct resv_map *map, unsigned long from,
			unsigned long to)
{
	struct file_region *region = region_touching(map, from, to), *next;

	while (region) {
		next = region_next(map, region, to + 1);
		if (next && next->of == region->of &&
		    region->to == next->from) {
			region->to = next->to;
			region_remove(map, next);
		} else {
			region = next;
		}
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
	for (region = region_seek(change->map, from, to); region;
	     region = region_next(change->map, region, to)) {
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
	struct file_region *behind = region_alloc(map);
	unsigned long end = region->to;

	if (!behind)
		return -ENOMEM;
	region->to = from;
	region_insert(map, region, behind, to, end, region->of);
	return to - from;
}

/* Take [from, to), which does not lie inside @region, out of @region. */
static long region_trim(struct resv_map *map, struct file_region *region,
			unsigned long from, unsigned long to,
			struct region_bin *bin)
{
	long trimmed = min(region->to, to) - max(region->from, from);

	if (region->from < from)
		region->to = from;
	else if (region->to > to)
		region->from = to;
	else
		region_bin_remove(bin, map, region);
	return trimmed;
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
	struct region_bin bin __uninitialized;
	long deleted = 0;

	if (from >= to)
		return 0;
	region = region_seek(map, from, to);
	if (region && region->from < from && region->to > to)
		return region_split(map, region, from, to);

	bin.nr = 0;
	for (; region; region = next) {
		next = region_next(map, region, to);
		deleted += region_trim(map, region, from, to, &bin);
	}
	region_bin_empty(&bin);
	return deleted;
}
