/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_RESV_MAP_STATE_H
#define UNIT_RESV_MAP_STATE_H

#include "expect.h"
#include "resv_map.h"

/* Indices [from, to). A list of them ends with an empty one. */
struct span {
	unsigned long from;
	unsigned long to;
};

size_t span_count(const struct span *spans);
void map_insert(struct resv_map *map, struct file_region *region);
bool map_links_sound(struct resv_map *map);
bool map_holds(struct resv_map *map, const struct span *spans);
bool map_settled(struct resv_map *map, const struct span *spans);
void map_start(struct resv_map *map);
bool map_fill(struct resv_map *map, const struct span *spans);
bool map_clear(struct resv_map *map);

#endif
