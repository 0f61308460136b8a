/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_SURPLUS_H
#define RHUGEFS_SURPLUS_H

#include "pool.h"

/**
 * struct hunt - a search for pages beyond those that may be had
 * @pool: the pool
 * @pages: huge pages wanted of the pool, 0 where it is not the pool that lacks them
 * @wish: where they should lie
 * @lacks: of these huge pages those that the allowed nodes have not, though there
 *	may be others
 * @reached: nodes on which further pages would help, since others could move there
 * @widened: pages were looked for there, too
 * @gathered: surplus pages that were taken for this and are nobody else's
 * @last: nothing more can be found
 */
struct hunt {
	struct pool *pool;
	unsigned long pages;
	const struct wish *wish;
	unsigned long lacks;
	struct nodeset reached;
	bool widened;
	unsigned long gathered;
	bool last;
};

bool surplus_admit(struct hunt *hunt, unsigned long pages);
bool surplus_hunt(struct hunt *hunt);
void surplus_end(struct hunt *hunt);
int surplus_reserve(struct pool *pool, unsigned long pages,
		    const struct wish *wish, struct promise *promise);
int surplus_move(struct pool *pool, unsigned long pages,
		 const struct wish *wish, struct promise *promise,
		 struct list_head *given);
void surplus_trim(struct pool *pool);
void surplus_add(struct pool *pool, struct folio *folio, bool zeroed);
unsigned long surplus_mark(struct pool *pool, int nid, unsigned long pages);
unsigned long surplus_keep(struct pool *pool, int nid, unsigned long pages);

#endif
