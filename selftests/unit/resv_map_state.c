// SPDX-License-Identifier: GPL-2.0-only
/* What the tests want to know about the state of a map. */
#include <linux/slab.h>

#include "resv_map_state.h"

size_t span_count(const struct span *spans)
{
	size_t nr = 0;

	while (spans[nr].from < spans[nr].to)
		nr++;
	return nr;
}

static struct file_region *region_of(struct rb_node *rb)
{
	return rb_entry_safe(rb, struct file_region, rb);
}

/* Put a region in without looking whether it belongs there. */
void map_insert(struct resv_map *map, struct file_region *region)
{
	struct rb_node **link = &map->regions.rb_node, *parent = NULL;
	struct file_region *before;

	while (*link) {
		parent = *link;
		link = region->from < region_of(parent)->from ?
			       &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&region->rb, parent, link);
	rb_insert_color(&region->rb, &map->regions);
	before = region_of(rb_prev(&region->rb));
	list_add(&region->link, before ? &before->link : &map->in_order);
}

/* Tree and list agree, and the mark is at a region of theirs. */
bool map_links_sound(struct resv_map *map)
{
	struct rb_node *rb = rb_first(&map->regions);
	bool near = !map->near;
	struct file_region *region;

	list_for_each_entry(region, &map->in_order, link) {
		if (!expect(rb == &region->rb))
			return false;
		near |= region == map->near;
		rb = rb_next(rb);
	}
	return expect(!rb) && expect(near);
}

static bool region_sound(struct file_region *region, struct file_region *before)
{
	if (!expect(region->from < region->to))
		return false;
	if (!expect(region->to <= REGION_END))
		return false;
	/* With a gap between: what touches has to be one region. */
	return !before || expect(before->to < region->from);
}

static bool region_is(struct file_region *region, const struct span *span)
{
	if (region->from == span->from && region->to == span->to)
		return true;
	ksft_print_msg("region [%lu, %lu), expected [%lu, %lu)\n", region->from,
		       region->to, span->from, span->to);
	return false;
}

/* The map holds these regions and no others, and is sound. */
bool map_holds(struct resv_map *map, const struct span *spans)
{
	struct file_region *region, *before = NULL;
	size_t nr = 0, expected = span_count(spans);

	if (!map_links_sound(map))
		return false;
	list_for_each_entry(region, &map->in_order, link) {
		if (!region_sound(region, before))
			return false;
		if (nr < expected && !region_is(region, &spans[nr]))
			return false;
		before = region;
		nr++;
	}
	if (nr != expected)
		ksft_print_msg("%zu regions, expected %zu\n", nr, expected);
	return nr == expected && expect(resv_map_valid(map));
}

/* What an earlier test that failed has left behind is not held against this. */
static unsigned long live_before;

/* Begin a test of one map. */
void map_start(struct resv_map *map)
{
	live_before = slab_live();
	resv_map_init(map);
}

/* As map_holds(), and no memory is out but that of the regions. */
bool map_settled(struct resv_map *map, const struct span *spans)
{
	return map_holds(map, spans) &&
	       expect(slab_live() - live_before + map->first_used ==
		      span_count(spans));
}

bool map_fill(struct resv_map *map, const struct span *spans)
{
	struct region_change change;
	const struct span *s;

	map_start(map);
	for (s = spans; s->from < s->to; s++) {
		if (!expect(region_chg(map, s->from, s->to, NULL, &change) ==
			    s->to - s->from))
			return false;
		region_add(&change);
	}
	return map_settled(map, spans);
}

/* Deleting to REGION_END is what cannot fail and leaves nothing. */
bool map_clear(struct resv_map *map)
{
	static const struct span nothing[1];
	unsigned long held = region_count(map, 0, REGION_END);
	unsigned long calls = slab_calls();

	return expect(region_del(map, 0, REGION_END) == held) &&
	       expect(slab_calls() == calls) && map_settled(map, nothing);
}
