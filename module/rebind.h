/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_REBIND_H
#define RHUGEFS_REBIND_H

#include "reserve.h"

int rebind_range(struct reserve *reserve, unsigned long from, unsigned long to,
		 struct wish *wish, reserve_held_fn held, void *data);

int pieces_add(struct list_head *pieces, unsigned long from, unsigned long to,
	       const struct wish *wish);
int pieces_reserve(struct reserve *reserve, struct list_head *pieces);
void pieces_free(struct reserve *reserve, struct list_head *pieces);

#endif
