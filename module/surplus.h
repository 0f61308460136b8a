/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_SURPLUS_H
#define RHUGEFS_SURPLUS_H

#include "pool.h"

/**
 * struct hunt - a search for pages beyond those that may be had
 * @pool: the pool
 * @pages: huge pages wanted of the pool, 0 where it is not the pool that lacks them
 * @nid: node id near which they should lie
 * @gathered: surplus pages that were taken for this and are nobody else's
 * @last: nothing more can be found
 */
struct hunt {
	struct pool *pool;
	unsigned long pages;
	int nid;
	unsigned long gathered;
	bool last;
};

bool surplus_admit(struct hunt *hunt, unsigned long pages);
bool surplus_hunt(struct hunt *hunt);
void surplus_end(struct hunt *hunt);
int surplus_reserve(struct pool *pool, unsigned long pages, int nid,
		    struct promise *promise);
void surplus_trim(struct pool *pool);
void surplus_add(struct pool *pool, struct folio *folio, bool zeroed);
unsigned long surplus_mark(struct pool *pool, int nid, unsigned long pages);
unsigned long surplus_keep(struct pool *pool, int nid, unsigned long pages);

#endif
