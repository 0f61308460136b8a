/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Samples of one case on one subject, and what is told of them.
 */
#ifndef RHUGEFS_BENCH_SAMPLE_H
#define RHUGEFS_BENCH_SAMPLE_H

#define MAX_SAMPLES	101

struct samples {
	double value[MAX_SAMPLES];
	unsigned int nr;
};

/**
 * struct spread - a summary of samples
 * @median: half of them are above
 * @lower: lower quartile
 * @upper: upper quartile
 * @least: the best
 * @most: the worst
 */
struct spread {
	double median;
	double lower;
	double upper;
	double least;
	double most;
};

void sample_add(struct samples *samples, double value);
struct spread sample_spread(struct samples *samples);

#endif
