/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of zeroing in the background share: pages that somebody has used, and
 * what the threads make of them.
 */
#ifndef RHUGEFS_ZEROING_H
#define RHUGEFS_ZEROING_H

#include "pool_size.h"

/* What an earlier life leaves behind, see bytes_stir(). */
#define EARLIER		0x5a

/* Until the threads have done their work, and until they surely would have, in ms. */
#define ZEROING_PATIENCE	20000
#define ZEROING_NOTHING		300

/* Fill all pages that can be had, and give them back. */
static inline void use_all(void)
{
	unsigned long all = pool_unpromised();
	char *map = map_new(all, 0);

	must(map);
	bytes_stir(map, all * HUGE, EARLIER);
	must(unmap_huge(map, all) == 0);
}

/* None of the free pages is zeroed, and none will be. */
static inline void use_all_for_good(void)
{
	must(watermarks(0, 0) == 0);
	use_all();
	/* A thread may be at its last page. */
	usleep(ZEROING_NOTHING * 1000);
	use_all();
}

/* Whether so many of the free pages are zeroed before long, and stay so. */
static inline bool zeroed_becomes(const char *dir, long pages)
{
	long end = now_ms() + ZEROING_PATIENCE;

	while (pool_count(dir, "zeroed") != pages && now_ms() < end)
		usleep(10000);
	usleep(ZEROING_NOTHING * 1000);
	if (pool_count(dir, "zeroed") == pages)
		return true;
	dprintf(STDOUT_FILENO, "# %s: %ld of %ld free pages are zeroed, not %ld\n",
		dir, pool_count(dir, "zeroed"), pool_count(dir, "free"), pages);
	return false;
}

#endif
