/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_RESV_MAP_STATE_H
#define UNIT_RESV_MAP_STATE_H

#include <kselftest.h>

#include "resv_map.h"

/* Tell what was expected where it does not hold. */
#define expect(condition)						\
	({								\
		bool __holds = (condition);				\
									\
		if (!__holds)						\
			ksft_print_msg("%s:%d: expected %s\n",		\
				       __FILE__, __LINE__, #condition);	\
		__holds;						\
	})

/* Indices [from, to). A list of them ends with an empty one. */
struct span {
	unsigned long from;
	unsigned long to;
};

size_t span_count(const struct span *spans);
bool map_holds(struct resv_map *map, const struct span *spans);
bool map_settled(struct resv_map *map, const struct span *spans);
void map_start(struct resv_map *map);
bool map_fill(struct resv_map *map, const struct span *spans);
bool map_clear(struct resv_map *map);

#endif
