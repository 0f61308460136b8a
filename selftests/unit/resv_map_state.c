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

static struct interval_tree_node *node_of(struct rb_node *rb)
{
	return rb_entry(rb, struct interval_tree_node, rb);
}

/*
 * Each node knows the highest index below it. One that was changed without the
 * tree being told may go unnoticed for long, as searches then go wrong only
 * here and there.
 */
static bool subtree_sound(struct rb_node *rb)
{
	struct interval_tree_node *node = node_of(rb);
	unsigned long last = node->last;

	if (rb->rb_left) {
		if (!subtree_sound(rb->rb_left))
			return false;
		last = max(last, node_of(rb->rb_left)->__subtree_last);
	}
	if (rb->rb_right) {
		if (!subtree_sound(rb->rb_right))
			return false;
		last = max(last, node_of(rb->rb_right)->__subtree_last);
	}
	return expect(node->__subtree_last == last);
}

/* The tree is one, whatever regions it has. */
bool map_tree_sound(struct resv_map *map)
{
	struct rb_node *root = map->regions.rb_root.rb_node;

	if (root && !subtree_sound(root))
		return false;
	return expect(map->regions.rb_leftmost ==
		      rb_first(&map->regions.rb_root));
}

static bool region_sound(struct interval_tree_node *node,
			 struct interval_tree_node *before)
{
	if (!expect(node->start <= node->last))
		return false;
	if (!expect(node->last < REGION_END))
		return false;
	/* With a gap between: what touches has to be one region. */
	return !before || expect(before->last + 1 < node->start);
}

static bool region_is(struct interval_tree_node *node, const struct span *span)
{
	if (node->start == span->from && node->last == span->to - 1)
		return true;
	ksft_print_msg("region [%lu, %lu), expected [%lu, %lu)\n", node->start,
		       node->last + 1, span->from, span->to);
	return false;
}

/* The map holds these regions and no others, and is sound. */
bool map_holds(struct resv_map *map, const struct span *spans)
{
	struct interval_tree_node *node, *before = NULL;
	size_t nr = 0, expected = span_count(spans);
	struct rb_node *rb;

	if (!map_tree_sound(map))
		return false;
	for (rb = rb_first_cached(&map->regions); rb; rb = rb_next(rb)) {
		node = node_of(rb);
		if (!region_sound(node, before))
			return false;
		if (nr < expected && !region_is(node, &spans[nr]))
			return false;
		before = node;
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
	       expect(slab_live() - live_before == span_count(spans));
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
