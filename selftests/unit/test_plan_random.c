// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random plans on random small pools, compared with all ways in which the pages could
 * lie: page by page, each is put on every node that it may lie on, and what counts is
 * what the nodes have left afterwards, of which there are few possibilities.
 *
 * The seed is printed. SEED=n repeats a run.
 */
#include <string.h>

#include <linux/bug.h>
#include <linux/slab.h>

#include "expect.h"
#include "prng.h"
#include "seed.h"
#include "small_pool.h"

#define POOLS		100000
#define MOST_PAGES	3	/* on a node */
#define MOST_PROMISES	6
#define MOST_ROUNDS	3

/* --- all ways ------------------------------------------------------------ */

#define BASE	(MOST_PAGES + 1)
#define STATES	(BASE * BASE * BASE * BASE)

/* What nodes may have left, the number of each being a digit: can it come to that? */
struct ways {
	bool left[STATES];
};

static int one_on(int nid)
{
	static const int ones[MAX_NODES] = {
		1, BASE, BASE * BASE, BASE * BASE * BASE,
	};

	return ones[nid];
}

/* Put a page on these nodes, wherever there is room; is there any? */
static bool ways_put(struct ways *ways, unsigned int nodes)
{
	struct ways after = {};
	bool any = false;
	int state, nid;

	for (state = 0; state < STATES; state++) {
		for (nid = 0; ways->left[state] && nid < MAX_NODES; nid++) {
			if (!(nodes >> nid & 1) ||
			    !(state / one_on(nid) % BASE))
				continue;
			after.left[state - one_on(nid)] = true;
			any = true;
		}
	}
	if (any)
		*ways = after;
	return any;
}

/* How much of what is asked cannot be had, if all are to keep what they have. */
static unsigned long least_lack(const struct small_pool *small,
				const struct ask *ask)
{
	unsigned long lacks = ask->pages, units;
	struct ways ways = {};
	int nid, nr, state = 0;

	for (nid = 0; nid < small->pool.nr_nodes; nid++)
		state += small->pool.node[nid]->counts.free * one_on(nid);
	ways.left[state] = true;
	for (nr = 0; nr < small->nr; nr++) {
		units = promise_sum(small->promise[nr]);
		while (!small->is_given[nr] && units--)
			if (!ways_put(&ways, small_pool_nodes(small, nr)))
				ksft_exit_fail_msg("promises that cannot be\n");
	}
	while (lacks && ways_put(&ways, ask->nodes))
		lacks--;
	return lacks;
}

/* --- at random ----------------------------------------------------------- */

/* What tells that the test reached what it should. */
struct tally {
	unsigned long asked, refused, partly, moved, gave, taken;
};

struct trial {
	u64 prng;
	int nr_nodes;
	struct small_pool small;
	struct tally tally;
};

static u64 below(struct trial *t, u64 limit)
{
	return prng_below(&t->prng, limit);
}

/* Some nodes, at least one. */
static unsigned int some_nodes(struct trial *t)
{
	return 1 + below(t, (1 << t->nr_nodes) - 1);
}

static unsigned long room_on(struct trial *t, int nid)
{
	struct pool_counts *counts = &t->small.pool.node[nid]->counts;

	return counts->free - counts->resv;
}

/*
 * Some nodes but not all: those who mean any do not ask. Rather such as are full, which
 * is what others move for.
 */
static unsigned int few_nodes(struct trial *t)
{
	unsigned int nodes = 0, full = 0;
	int nid;

	for (nid = 0; nid < t->nr_nodes; nid++)
		if (!room_on(t, nid))
			full |= 1 << nid;
	if (below(t, 2))
		nodes = full & some_nodes(t);
	if (!nodes || nodes == (1 << t->nr_nodes) - 1)
		nodes = 1 + below(t, (1 << t->nr_nodes) - 2);
	return nodes;
}

/*
 * Where everybody takes all that there is on the first nodes, the others have pages for
 * those who move.
 */
static void deal_randomly(struct trial *t, bool crowded)
{
	struct deal deal = { .nodes = some_nodes(t), .given = !below(t, 6) };
	int nid, nr = small_pool_deal(&t->small, &deal);
	unsigned int nodes = small_pool_nodes(&t->small, nr);
	unsigned long room, left = 1 + below(t, MOST_PAGES);

	for (nid = 0; nid < t->nr_nodes; nid++) {
		room = nodes >> nid & 1 ? min(left, room_on(t, nid)) : 0;
		if (!crowded)
			room = below(t, room + 1);
		small_pool_add(&t->small, nr, nid, room);
		left -= room;
	}
}

static void fill_randomly(struct trial *t)
{
	unsigned long free[MAX_NODES];
	int nid, promises = below(t, MOST_PROMISES + 1);
	bool crowded = below(t, 4);

	t->nr_nodes = 2 + below(t, MAX_NODES - 1);
	/* Rather more than fewer. */
	for (nid = 0; nid < t->nr_nodes; nid++) {
		free[nid] = below(t, MOST_PAGES + 3);
		if (free[nid] > MOST_PAGES)
			free[nid] = MOST_PAGES;
	}
	small_pool_init(&t->small, t->nr_nodes, free);
	while (promises--)
		deal_randomly(t, crowded);
}

static struct ask ask_randomly(struct trial *t)
{
	struct ask ask = {
		.nodes = few_nodes(t),
		.pages = below(t, below(t, 2) ? 3 : 6),
		.nid = below(t, t->nr_nodes),
		.rather = below(t, 2) ? some_nodes(t) : 0,
	};
	int nid;

	if (!below(t, 4))
		for (nid = 0; nid < t->nr_nodes; nid++)
			ask.spread[nid] = below(t, 3);
	return ask;
}

/* Somebody takes what he was promised, or does without. */
static void drop_randomly(struct trial *t)
{
	int nid, nr = below(t, t->small.nr);
	struct promise *promise = t->small.promise[nr];

	for (nid = 0; nid < t->nr_nodes; nid++)
		small_pool_add(&t->small, nr, nid,
			       -(long)below(t, promise->on_node[nid] + 1));
}

/* Nobody is made to move while there are pages that need not be made room for. */
static bool moves_needed(const struct small_pool *small, const struct ask *ask)
{
	unsigned long there = 0;
	int nid, nr;

	for (nid = 0; nid < small->pool.nr_nodes; nid++) {
		if (!(ask->nodes >> nid & 1))
			continue;
		there += small->pool.node[nid]->counts.free -
			 small->pool.node[nid]->counts.resv;
		for (nr = 0; nr < small->nr; nr++)
			if (small->is_given[nr])
				there += small->promise[nr]->on_node[nid];
	}
	return there < ask->pages;
}

static void count(struct tally *tally, const struct ask *ask,
		  const struct answer *answer, bool given)
{
	tally->asked++;
	tally->refused += !!answer->lacks;
	tally->partly += answer->lacks && answer->lacks < ask->pages;
	tally->moved += answer->moves && !answer->lacks;
	tally->gave += given && !answer->lacks;
	tally->taken += !!answer->folio;
}

static bool try_ask(struct trial *t)
{
	struct ask ask = ask_randomly(t);
	unsigned long lacks = least_lack(&t->small, &ask);
	bool needed = moves_needed(&t->small, &ask);
	bool given = small_pool_given(&t->small);
	bool at_once = ask.pages == 1 && below(t, 2);
	struct holdings before;
	struct answer answer;

	small_pool_read(&t->small, &before);
	if (!small_pool_ask(&t->small, &ask, at_once, &answer))
		return false;
	count(&t->tally, &ask, &answer, given);
	if (expect(answer.lacks == lacks) && expect(answer.moves == needed))
		return true;
	ksft_print_msg("lacks %lu, and in truth %lu\n", answer.lacks, lacks);
	small_pool_print(&t->small, &before, &ask);
	return false;
}

static bool try_pool(struct trial *t)
{
	int rounds = 1 + below(t, MOST_ROUNDS);
	bool right;

	fill_randomly(t);
	right = small_pool_sound(&t->small);
	while (right && rounds--) {
		right = try_ask(t);
		drop_randomly(t);
	}
	small_pool_exit(&t->small);
	return right && expect(!slab_live());
}

static bool reached(const struct tally *tally)
{
	ksft_print_msg("%lu plans, %lu refused, %lu of them in part\n",
		       tally->asked, tally->refused, tally->partly);
	ksft_print_msg("%lu moved others, %lu were given, %lu took at once\n",
		       tally->moved, tally->gave, tally->taken);
	return expect(tally->refused > POOLS / 30) &&
	       expect(tally->partly > POOLS / 30) &&
	       expect(tally->moved > POOLS / 30) &&
	       expect(tally->gave > POOLS / 30) &&
	       expect(tally->taken > POOLS / 30);
}

static bool run_pools(struct trial *t, u64 seed)
{
	int i;

	t->prng = seed;
	for (i = 0; i < POOLS; i++) {
		if (try_pool(t))
			continue;
		ksft_print_msg("pool %d of SEED=%llu\n", i,
			       (unsigned long long)seed);
		return false;
	}
	return true;
}

int main(void)
{
	static struct trial trial;

	ksft_print_header();
	ksft_set_plan(4);
	ksft_test_result(run_pools(&trial, choose_seed()),
			 "random: %d pools\n", POOLS);
	ksft_test_result(reached(&trial.tally), "random: all kinds of answers\n");
	ksft_test_result(expect(!slab_live()), "no memory left behind\n");
	ksft_test_result(expect(!warnings_heard()), "no warnings\n");
	ksft_finished();
}
