// SPDX-License-Identifier: GPL-2.0-only
/*
 * Print how many thousand times a second this machine's time stamp counter counts.
 * Emulated processors show it as their own, see guest.sh.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct moment {
	int64_t ns;
	uint64_t tsc;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Of many tries that between whose two looks at the clock there was least time. */
static struct moment look(void)
{
	struct moment best = { 0 }, one;
	int64_t least = INT64_MAX, before, after;
	int i;

	for (i = 0; i < 1000; i++) {
		before = now_ns();
		one.tsc = __rdtsc();
		after = now_ns();
		one.ns = before + (after - before) / 2;
		if (after - before < least) {
			least = after - before;
			best = one;
		}
	}
	return best;
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	struct moment from = look(), to;

	nanosleep(&pause, NULL);
	to = look();
	printf("%.0f\n", (to.tsc - from.tsc) * 1e6 / (to.ns - from.ns));
	return 0;
}
