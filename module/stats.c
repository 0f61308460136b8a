// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often what matters for speed, or is unwelcome, has happened. Each processor
 * counts for itself, so that faults on different ones share no cache line here.
 */
#include <linux/percpu.h>
#include <linux/seq_file.h>

#include "stats.h"

struct stats {
	unsigned long count[STAT_NR];
};

static DEFINE_PER_CPU(struct stats, stats);

static const char *const stats_names[STAT_NR] = {
	[STAT_FAULTS] = "faults",
	[STAT_CLAIMS] = "claims",
	[STAT_CANCELS] = "cancels",
	[STAT_ZEROED] = "zeroed",
	[STAT_ZEROED_AHEAD] = "zeroed_ahead",
	[STAT_CALLED_BACK] = "called_back",
	[STAT_ZEROINGS_AVOIDED] = "zeroings_avoided",
	[STAT_COPIED] = "copied",
	[STAT_TAKEN_BACK] = "taken_back",
	[STAT_PARKED] = "parked",
	[STAT_UNPARKED] = "unparked",
	[STAT_REFUSED] = "refused",
	[STAT_FORK_UNRESERVED] = "fork_unreserved",
	[STAT_ELSEWHERE] = "elsewhere",
};

/**
 * stats_count() - Count one event.
 * @event: which
 *
 * Context: any.
 */
void stats_count(enum stat_event event)
{
	this_cpu_inc(stats.count[event]);
}

static unsigned long stats_sum(enum stat_event event)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(stats, cpu).count[event]);
	return sum;
}

/**
 * stats_show() - Print all, a line each.
 * @seq: where to print
 */
void stats_show(struct seq_file *seq)
{
	int i;

	for (i = 0; i < STAT_NR; i++)
		seq_printf(seq, "%s %lu\n", stats_names[i], stats_sum(i));
}
