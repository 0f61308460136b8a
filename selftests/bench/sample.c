// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock, and medians and quartiles of what it said.
 */
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "sample.h"

double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

void sample_add(struct samples *samples, double value)
{
	need(samples->nr < MAX_SAMPLES);
	samples->value[samples->nr++] = value;
}

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

/* Between two samples where none lies there. */
static double quantile(const struct samples *samples, double share)
{
	double place = share * (samples->nr - 1);
	unsigned int below = place;

	if (below + 1 >= samples->nr)
		return samples->value[samples->nr - 1];
	return samples->value[below] +
	       (place - below) * (samples->value[below + 1] - samples->value[below]);
}

struct spread sample_spread(struct samples *samples)
{
	need(samples->nr > 0);
	qsort(samples->value, samples->nr, sizeof(*samples->value), compare);
	return (struct spread){
		.median = quantile(samples, 0.5),
		.lower = quantile(samples, 0.25),
		.upper = quantile(samples, 0.75),
		.least = samples->value[0],
		.most = samples->value[samples->nr - 1],
	};
}
