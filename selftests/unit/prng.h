/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_PRNG_H
#define UNIT_PRNG_H

#include <linux/types.h>

/* splitmix64: a seed gives the same numbers with every C library. */
static inline u64 prng_next(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* A number below @limit. That low ones are a trifle likelier does no harm. */
static inline u64 prng_below(u64 *state, u64 limit)
{
	return prng_next(state) % limit;
}

#endif
