/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_SMALL_POOL_H
#define UNIT_SMALL_POOL_H

#include "plan.h"
#include "pool.h"

#define MAX_NODES	4
#define MAX_DEALS	12

/* Nodes are bits; where none is set any of them will do. */
#define N0	1
#define N1	2
#define N2	4
#define N3	8
#define ANY	0

/**
 * struct deal - a promise as a test writes it
 * @nodes: where its pages may lie
 * @given: it is given up for what is asked
 * @on: where they lie
 */
struct deal {
	unsigned int nodes;
	bool given;
	unsigned long on[MAX_NODES];
};

/**
 * struct ask - a wish as a test writes it
 * @nodes: where the pages may lie
 * @pages: how many are wanted
 * @nid: node from which on they are taken by distance
 * @rather: rather on these nodes
 * @spread: how many should lie on which node
 */
struct ask {
	unsigned int nodes;
	unsigned long pages;
	int nid;
	unsigned int rather;
	unsigned long spread[MAX_NODES];
};

/**
 * struct holdings - all that a plan may change
 * @free: free pages on each node
 * @resv: those of them that were promised
 * @events: how often others were told that a node changed
 * @on: what each promise has on each node
 * @moves: how often others were told that promises moved
 */
struct holdings {
	unsigned long free[MAX_NODES];
	unsigned long resv[MAX_NODES];
	unsigned long events[MAX_NODES];
	unsigned long on[MAX_DEALS][MAX_NODES];
	unsigned int moves;
};

/**
 * struct small_pool - a pool of few nodes, and those who were promised its pages
 * @pool: the pool
 * @nr: how many promises there are
 * @promise: each of them
 * @is_given: whether it is given up for what is asked
 * @given: the list of those that are
 */
struct small_pool {
	struct pool pool;
	int nr;
	struct promise *promise[MAX_DEALS];
	bool is_given[MAX_DEALS];
	struct list_head given;
};

/**
 * struct answer - what came of a plan
 * @lacks: how many pages cannot be had; nothing else is said where that is not 0
 * @moves: promises of others had to move
 * @take: how many of the pages come from which node
 * @folio: a page of them that was taken at once, or NULL
 */
struct answer {
	unsigned long lacks;
	bool moves;
	unsigned long take[MAX_NODES];
	struct folio *folio;
};

void small_pool_init(struct small_pool *small, int nr_nodes,
		     const unsigned long *free);
void small_pool_exit(struct small_pool *small);
struct wish small_pool_wish(const struct small_pool *small, unsigned int nodes);
int small_pool_deal(struct small_pool *small, const struct deal *deal);
void small_pool_add(struct small_pool *small, int nr, int nid, long pages);
unsigned int small_pool_nodes(const struct small_pool *small, int nr);
unsigned long small_pool_given(const struct small_pool *small);

void small_pool_read(const struct small_pool *small, struct holdings *held);
void small_pool_print(const struct small_pool *small,
		      const struct holdings *held, const struct ask *ask);
bool small_pool_sound(const struct small_pool *small);

bool small_pool_ask(struct small_pool *small, const struct ask *ask,
		    bool at_once, struct answer *answer);

#endif
