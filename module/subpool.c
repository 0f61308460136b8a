// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of a mount's share in the pool, as hugetlb's subpools have it: a
 * maximum that it may use, and a minimum that is kept for it.
 *
 * Who wants pages gets them out of what is kept first, and asks the pool for the
 * rest; who gives pages back fills up what is kept first. So what is asked of the
 * pool, and what goes back to it, may be less than what was wanted or given back.
 * hugetlb counts the used pages only where there is a maximum, and keeps up to the
 * minimum beside what is used; here the used pages count towards the minimum.
 *
 * This knows neither locks nor pages and compiles in user space.
 */
#include <linux/errno.h>
#include <linux/minmax.h>

#include "subpool.h"

/**
 * subpool_init() - Make a subpool without a limit.
 * @subpool: memory for it
 */
void subpool_init(struct subpool *subpool)
{
	*subpool = (struct subpool){ .max_hpages = SUBPOOL_NO_MAX };
}

/**
 * subpool_lacks() - What is to be kept more with another minimum.
 * @subpool: the subpool
 * @min_hpages: new minimum
 *
 * Return: huge pages, negative if less is to be kept than now.
 */
long subpool_lacks(const struct subpool *subpool, unsigned long min_hpages)
{
	unsigned long used = subpool->used_hpages;
	long kept = min_hpages > used ? min_hpages - used : 0;

	return kept - (long)subpool->rsv_hpages;
}

/**
 * subpool_missing() - What the pool must have so that pages can be used.
 * @subpool: the subpool
 * @pages: huge pages wanted
 *
 * Return: huge pages that are not kept for the mount already, or -ENOSPC where the
 * maximum does not allow so many.
 */
long subpool_missing(const struct subpool *subpool, unsigned long pages)
{
	if (pages > subpool->max_hpages ||
	    subpool->used_hpages > subpool->max_hpages - pages)
		return -ENOSPC;
	return pages - min(pages, subpool->rsv_hpages);
}

/**
 * subpool_get_pages() - Use pages.
 * @subpool: the subpool
 * @pages: huge pages, for which subpool_missing() was asked under the same lock,
 *	and the pool has given what it said
 */
void subpool_get_pages(struct subpool *subpool, unsigned long pages)
{
	subpool->used_hpages += pages;
	subpool->rsv_hpages -= min(pages, subpool->rsv_hpages);
}

/**
 * subpool_put_pages() - Use pages no longer.
 * @subpool: the subpool
 * @pages: huge pages that were used
 *
 * Return: huge pages that go back to the pool; the rest is kept.
 */
unsigned long subpool_put_pages(struct subpool *subpool, unsigned long pages)
{
	unsigned long kept;

	subpool->used_hpages -= pages;
	kept = subpool_lacks(subpool, subpool->min_hpages);
	subpool->rsv_hpages += kept;
	return pages - kept;
}

/**
 * subpool_fits() - Could a subpool have these limits?
 * @subpool: the subpool
 * @min_hpages: new minimum
 * @max_hpages: new maximum
 *
 * Return: false where more is used than the maximum, or it is below the minimum.
 */
bool subpool_fits(const struct subpool *subpool, unsigned long min_hpages,
		  unsigned long max_hpages)
{
	return min_hpages <= max_hpages && subpool->used_hpages <= max_hpages;
}

/**
 * subpool_set() - Give a subpool other limits.
 * @subpool: the subpool
 * @min_hpages: new minimum
 * @max_hpages: new maximum; both fit, and the pool has given what is lacking for
 *	them
 */
void subpool_set(struct subpool *subpool, unsigned long min_hpages,
		 unsigned long max_hpages)
{
	subpool->rsv_hpages += subpool_lacks(subpool, min_hpages);
	subpool->min_hpages = min_hpages;
	subpool->max_hpages = max_hpages;
}
