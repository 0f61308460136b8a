/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of private mappings share: orders to a child, who inherits what
 * its parent has mapped.
 */
#ifndef PRIVATE_TEST_H
#define PRIVATE_TEST_H

#include "rhugefs_test.h"

/* Reserve all of the pool but @pages that nobody has been promised. */
static inline void leave_unpromised(long pages)
{
	long rest = pool_unpromised() - pages;

	must(rest > 0 && map_new(rest, 0));
}

static inline int drop(char *map, size_t bytes)
{
	return madvise(map, bytes, MADV_DONTNEED);
}

/* Where pieces may be moved to; the first of @pages huge pages of nothing. */
static inline char *nothing_there(unsigned long pages)
{
	char *map = mmap(NULL, (pages + 1) * HUGE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	must(map != MAP_FAILED);
	return (char *)(((unsigned long)map + HUGE - 1) & ~(HUGE - 1));
}

static inline bool moved_to(char *from, char *to, unsigned long pages)
{
	return mremap(from, pages * HUGE, pages * HUGE,
		      MREMAP_MAYMOVE | MREMAP_FIXED, to) == to;
}

/* --- orders -------------------------------------------------------------- */

static inline long order_write(long at, long value, long c)
{
	return can_write_value((char *)at, value);
}

/* The byte there, or -1 where that is SIGBUS. */
static inline long order_look(long at, long b, long c)
{
	return can_read((char *)at) ? *(char *)at : -1;
}

static inline long order_unmap(long map, long pages, long c)
{
	return unmap_huge((char *)map, pages) ? -errno : 0;
}

static inline long order_drop(long map, long bytes, long c)
{
	return drop((char *)map, bytes) ? -errno : 0;
}

static inline bool peer_write(const struct peer *peer, char *at, char value)
{
	return peer_call(peer, order_write, (long)at, value, 0);
}

static inline long peer_look(const struct peer *peer, char *at)
{
	return peer_call(peer, order_look, (long)at, 0, 0);
}

static inline bool peer_unmap(const struct peer *peer, char *map, long pages)
{
	return peer_call(peer, order_unmap, (long)map, pages, 0) == 0;
}

static inline bool peer_drop(const struct peer *peer, char *map, long bytes)
{
	return peer_call(peer, order_drop, (long)map, bytes, 0) == 0;
}

#endif
