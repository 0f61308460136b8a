/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_BITMAP_H
#define SHIM_LINUX_BITMAP_H

#include_next <linux/bitmap.h>

/* What the one of tools/include lacks. */
static inline void bitmap_copy(unsigned long *dst, const unsigned long *src,
			       unsigned int nbits)
{
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(nbits); i++)
		dst[i] = src[i];
}

static inline void bitmap_set(unsigned long *map, unsigned int start,
			      unsigned int len)
{
	for (; len--; start++)
		map[start / BITS_PER_LONG] |= 1UL << start % BITS_PER_LONG;
}

static inline bool bitmap_andnot(unsigned long *dst, const unsigned long *src1,
				 const unsigned long *src2, unsigned int nbits)
{
	unsigned long any = 0;
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(nbits); i++)
		any |= dst[i] = src1[i] & ~src2[i];
	return any;
}

static inline bool bitmap_subset(const unsigned long *src1,
				 const unsigned long *src2, unsigned int nbits)
{
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(nbits); i++)
		if (src1[i] & ~src2[i])
			return false;
	return true;
}

#endif
