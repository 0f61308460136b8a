// SPDX-License-Identifier: GPL-2.0-only
/*
 * A measure of cost that is the same in every run. The tested files and the
 * kernel's trees are compiled to call this hook in each basic block that they
 * pass, so that the count grows with each node of a tree that is visited.
 */
#include "steps.h"

void __sanitizer_cov_trace_pc(void);

static unsigned long steps;

void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

unsigned long steps_taken(void)
{
	return steps;
}
