/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counting faults.
 */
#ifndef RHUGEFS_FAULTS_H
#define RHUGEFS_FAULTS_H

#include "rhugefs_test.h"

#include <sys/resource.h>

#define SMALL		4096UL

/* Faults of this thread that needed no input or output, by the kernel's count. */
static inline long faults(void)
{
	struct rusage usage;

	must(getrusage(RUSAGE_THREAD, &usage) == 0);
	return usage.ru_minflt;
}

/* Touch every small page; by atomic operations, which are not left out. */
static inline void touch_small(char *map, unsigned long bytes, bool write)
{
	unsigned long pos;

	for (pos = 0; pos < bytes; pos += SMALL) {
		if (write)
			__atomic_store_n(&map[pos], pos >> 12,
					 __ATOMIC_RELAXED);
		else
			__atomic_load_n(&map[pos], __ATOMIC_RELAXED);
	}
}

/*
 * Faults that it takes to touch every small page of a range. The program's own
 * code and stack must not be among them: what is done is done once before, on
 * memory that is there already.
 */
static inline long faults_of(char *map, unsigned long bytes, bool write)
{
	static char there[2 * SMALL] = { 1 };
	const struct {
		char *mem;
		unsigned long bytes;
	} both[] = { { there, sizeof(there) }, { map, bytes } };
	long before;
	int i;

	memset(there, 1, sizeof(there));
	for (i = 0; i < 2; i++) {
		before = faults();
		touch_small(both[i].mem, both[i].bytes, write);
	}
	return faults() - before;
}

/* Pages that are there come together where they lie in one such window. */
#define WINDOW	(16 * HUGE)

static inline long windows_of(const char *map, size_t pages)
{
	unsigned long first = (unsigned long)map / WINDOW;

	return ((unsigned long)map + pages * HUGE - 1) / WINDOW - first + 1;
}

#endif
