/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The size of the pool and how much of it is zeroed, as the administrator sets it in
 * sysfs, and how to have the size again as it was.
 */
#ifndef RHUGEFS_POOL_SIZE_H
#define RHUGEFS_POOL_SIZE_H

#include "rhugefs_test.h"

/* @dir is "" for the whole pool or "/node<N>"; 0 or an errno. */
static inline int write_count(const char *dir, const char *name,
			      const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), POOL_SYSFS "%s/%s", dir, name);
	return tell_kernel(path, text);
}

static inline int set_count(const char *dir, const char *name, long pages)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld\n", pages);
	return write_count(dir, name, text);
}

static inline int resize(long pages)
{
	return set_count("", "nr_hugepages", pages);
}

static inline int resize_node(int nid, long pages)
{
	char dir[32];

	snprintf(dir, sizeof(dir), "/node%d", nid);
	return set_count(dir, "nr_hugepages", pages);
}

static inline int overcommit(long pages)
{
	return set_count("", "nr_overcommit_hugepages", pages);
}

/* When zeroing in the background begins and ends; 0 and 0: not at all. */
static inline int watermarks(long low, long high)
{
	return set_count("", "zeroed_low", 0) ?:
	       set_count("", "zeroed_high", high) ?:
	       set_count("", "zeroed_low", low);
}

static inline long surplus(void)
{
	return pool_count("", "surplus");
}

static inline long surplus_on(int nid)
{
	char dir[32];

	snprintf(dir, sizeof(dir), "/node%d", nid);
	return pool_count(dir, "surplus");
}

/* Make it what it was; whether it is. */
static inline bool pool_size_restored(const struct pools *before)
{
	int nid;

	must(overcommit(0) == 0);
	for (nid = 0; nid < before->nr_nodes; nid++)
		must(resize_node(nid, before->node[nid].nr) == 0);
	return pools_restored(before) && surplus() == 0 && selfcheck_ok();
}

#endif
