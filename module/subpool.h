/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_SUBPOOL_H
#define RHUGEFS_SUBPOOL_H

#include <linux/limits.h>
#include <linux/types.h>

/* No maximum: more than any pool has. */
#define SUBPOOL_NO_MAX	((unsigned long)LONG_MAX)

/**
 * struct subpool - what a mount may use of the pool, and what is kept for it
 * @max_hpages: most huge pages that may be used, SUBPOOL_NO_MAX for any number
 * @min_hpages: huge pages that can be used whatever others do, 0 for none
 * @used_hpages: huge pages in use or promised
 * @rsv_hpages: huge pages kept in the pool for the mount and used by nobody
 *
 * The caller's lock guards all of it. @rsv_hpages is always what @used_hpages lacks
 * of @min_hpages.
 */
struct subpool {
	unsigned long max_hpages;
	unsigned long min_hpages;
	unsigned long used_hpages;
	unsigned long rsv_hpages;
};

void subpool_init(struct subpool *subpool);
long subpool_missing(const struct subpool *subpool, unsigned long pages);
void subpool_get_pages(struct subpool *subpool, unsigned long pages);
unsigned long subpool_put_pages(struct subpool *subpool, unsigned long pages);
bool subpool_fits(const struct subpool *subpool, unsigned long min_hpages,
		  unsigned long max_hpages);
long subpool_lacks(const struct subpool *subpool, unsigned long min_hpages);
void subpool_set(struct subpool *subpool, unsigned long min_hpages,
		 unsigned long max_hpages);

#endif
