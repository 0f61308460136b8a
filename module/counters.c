// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often what is expensive or unwelcome has happened. Each of these comes with
 * work on a whole huge page, beside which a shared cache line is nothing.
 */
#include <linux/atomic.h>
#include <linux/seq_file.h>

#include "counters.h"

static atomic_long_t counters[COUNTER_NR];

static const char *const counter_names[COUNTER_NR] = {
	[COUNTER_ZEROED] = "zeroed",
	[COUNTER_COPIED] = "copied",
	[COUNTER_TAKEN_BACK] = "taken_back",
	[COUNTER_REFUSED] = "refused",
	[COUNTER_FORK_UNRESERVED] = "fork_unreserved",
};

/**
 * counters_count() - Count one event.
 * @counter: which
 *
 * Context: any.
 */
void counters_count(enum counter counter)
{
	atomic_long_inc(&counters[counter]);
}

/**
 * counters_show() - Print all, a line each.
 * @seq: where to print
 */
void counters_show(struct seq_file *seq)
{
	int i;

	for (i = 0; i < COUNTER_NR; i++)
		seq_printf(seq, "%s %ld\n", counter_names[i],
			   atomic_long_read(&counters[i]));
}
