/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_SMALL_WORLD_H
#define UNIT_SMALL_WORLD_H

#include "reserve.h"

#define MAX_NODES	3
#define MAX_PAGES	8
#define MAX_INDICES	6
#define MAX_STEPS	4
#define NR_MOUNTS	2
#define NR_RESERVES	2

/* What is done to a reserve; more than one word where the module does it so. */
enum deed {
	NOTHING,
	RESERVE,		/* mmap() promises the range */
	CLAIM,			/* a fault: claim, commit */
	CANCEL,			/* a fault that fails: claim, cancel */
	BEYOND,			/* a claim without a promise, and commit */
	FORGET,			/* forget, give the pages back, release */
	RESTORE,		/* a private page goes, and is promised again */
	REPLACE,		/* a page goes to somebody else, another is promised */
};

/**
 * struct step - a deed as a scenario writes it
 * @deed: what is done
 * @of: to which reserve
 * @from: first index, or the only one
 * @to: index behind the last one
 * @nodes: bits of the nodes where the pages may lie, 0 for anywhere
 */
struct step {
	enum deed deed;
	int of;
	unsigned long from;
	unsigned long to;
	unsigned int nodes;
};

/**
 * struct scenario - a small world and what two actors do in it
 * @name: what is to be seen
 * @nodes: how many nodes there are
 * @pages: how many pages lie on each
 * @min: minimum of each mount
 * @max: maximum of each mount, 0 for none
 * @apart: the second reserve is of the second mount
 * @private: of private mappings, which do not lock whole files
 * @before: done before by nobody else
 * @acts: what each actor does
 * @most: how often one who could go on may be interrupted where only locks are looked
 *	at, 0 for any number
 * @succeed: how many steps succeed in every schedule, negative where that depends
 */
struct scenario {
	const char *name;
	int nodes;
	int pages[MAX_NODES];
	unsigned long min[NR_MOUNTS];
	unsigned long max[NR_MOUNTS];
	bool apart;
	bool private;
	struct step before[MAX_STEPS];
	struct step acts[2][MAX_STEPS];
	int most;
	int succeed;
};

void world_begin(void *scenario);
void world_act(void *scenario, int self);
bool world_end(void *scenario);

#endif
