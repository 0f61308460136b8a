// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on a map, with allocations failing now and then, compared
 * after each with the most naive map there is: one flag for each cell. A cell is
 * what lies between two neighbouring bounds; all ranges begin and end at bounds.
 * In a dense space a cell is one index, in a sparse one the few bounds lie
 * anywhere up to REGION_END.
 *
 * The seed is printed. SEED=n repeats a run.
 */
#include <errno.h>
#include <string.h>

#include <linux/slab.h>

#include "prng.h"
#include "resv_map_state.h"
#include "seed.h"

#define MAX_CELLS	2048

struct space {
	const char *name;
	size_t cells;
	size_t longest;		/* range, in cells */
	unsigned long operations;
	bool sparse;
};

/*
 * Where ranges are long few regions are left and all are met; where they are
 * short and the space is wide, the tree is deep.
 */
static const struct space spaces[] = {
	{ "narrow", 12, 6, 200000 },
	{ "dense", 64, 12, 200000 },
	{ "wide", MAX_CELLS, 2, 100000 },
	{ "sparse", 48, 10, 200000, true },
};

/* The map and its oracle, and what tells that the test reached what it should. */
struct trial {
	const struct space *space;
	u64 prng;
	struct resv_map map;
	unsigned long bound[MAX_CELLS + 1];
	bool promised[MAX_CELLS];
	unsigned long failures;
	size_t most_regions;
};

/* A range by its cells, the indices that it stands for, and how much is in. */
struct pick {
	size_t first, end;
	unsigned long from, to;
	unsigned long held;
};

static u64 below(struct trial *t, u64 limit)
{
	return prng_below(&t->prng, limit);
}

static int compare_bounds(const void *a, const void *b)
{
	const unsigned long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Bounds at both ends of what is possible and next to them, others anywhere. */
static void spread_bounds(struct trial *t)
{
	size_t i, last = t->space->cells;

	do {
		for (i = 2; i < last - 1; i++)
			t->bound[i] = prng_next(&t->prng) >> (1 + below(t, 63));
		t->bound[0] = 0;
		t->bound[1] = 1;
		t->bound[last - 1] = REGION_END - 1;
		t->bound[last] = REGION_END;
		qsort(t->bound, last + 1, sizeof(t->bound[0]), compare_bounds);
		for (i = 0; i < last; i++)
			if (t->bound[i] == t->bound[i + 1])
				break;
	} while (i < last);
}

static void set_bounds(struct trial *t)
{
	size_t i;

	if (t->space->sparse) {
		spread_bounds(t);
		return;
	}
	for (i = 0; i <= t->space->cells; i++)
		t->bound[i] = i;
}

static struct pick pick(struct trial *t, size_t longest)
{
	struct pick p = { .first = below(t, t->space->cells) };
	size_t i;

	p.end = p.first + 1 + below(t, longest);
	if (p.end > t->space->cells)
		p.end = t->space->cells;
	p.from = t->bound[p.first];
	p.to = t->bound[p.end];
	for (i = p.first; i < p.end; i++)
		if (t->promised[i])
			p.held += t->bound[i + 1] - t->bound[i];
	return p;
}

static void oracle_set(struct trial *t, const struct pick *p, bool promised)
{
	size_t i;

	for (i = p->first; i < p->end; i++)
		t->promised[i] = promised;
}

/* Both neighbours are in, and all between: only one region can be around it. */
static bool oracle_splits(struct trial *t, const struct pick *p)
{
	return p->held == p->to - p->from && p->first &&
	       p->end < t->space->cells && t->promised[p->first - 1] &&
	       t->promised[p->end];
}

static bool agrees(struct trial *t)
{
	struct span spans[MAX_CELLS / 2 + 2];
	size_t i, nr = 0;

	for (i = 0; i < t->space->cells; i++) {
		if (!t->promised[i])
			continue;
		spans[nr].from = t->bound[i];
		while (i < t->space->cells && t->promised[i])
			i++;
		spans[nr++].to = t->bound[i];
	}
	spans[nr] = (struct span){};
	if (nr > t->most_regions)
		t->most_regions = nr;
	return map_settled(&t->map, spans);
}

static void fail_sometimes(struct trial *t)
{
	slab_fail_nth(below(t, 4) ? 0 : 1 + below(t, 2));
}

static bool try_add(struct trial *t)
{
	struct pick p = pick(t, t->space->longest);
	struct region_change change;
	unsigned long calls;
	long ret;

	fail_sometimes(t);
	ret = region_chg(&t->map, p.from, p.to, NULL, &change);
	if (slab_failed()) {
		t->failures++;
		return expect(ret == -ENOMEM);
	}
	if (!expect(ret == p.to - p.from - p.held))
		return false;
	if (!below(t, 4)) {
		region_abort(&change);
		return true;
	}
	calls = slab_calls();
	region_add(&change);
	oracle_set(t, &p, true);
	return expect(slab_calls() == calls);
}

static bool try_del(struct trial *t)
{
	struct pick p = pick(t, t->space->longest);
	bool splits = oracle_splits(t, &p);
	unsigned long calls = slab_calls();
	long ret;

	fail_sometimes(t);
	ret = region_del(&t->map, p.from, p.to);
	if (!expect(splits || slab_calls() == calls))
		return false;
	if (slab_failed()) {
		t->failures++;
		return expect(ret == -ENOMEM);
	}
	oracle_set(t, &p, false);
	return expect(ret == p.held);
}

static bool try_del_to_end(struct trial *t)
{
	struct pick p = pick(t, 1);
	unsigned long calls = slab_calls();

	oracle_set(t, &p, false);
	for (; p.end < t->space->cells; p.end++) {
		if (t->promised[p.end])
			p.held += t->bound[p.end + 1] - t->bound[p.end];
		t->promised[p.end] = false;
	}
	return expect(region_del(&t->map, p.from, REGION_END) == p.held) &&
	       expect(slab_calls() == calls);
}

static bool try_count(struct trial *t)
{
	struct pick p = pick(t, t->space->cells);

	return expect(region_count(&t->map, p.from, p.to) == p.held);
}

static bool try_one(struct trial *t)
{
	unsigned int die = below(t, 256);

	if (die < 1)
		return try_del_to_end(t);
	if (die < 64)
		return try_count(t);
	return die < 176 ? try_add(t) : try_del(t);
}

static bool run_space(const struct space *space, u64 seed)
{
	static struct trial t;
	unsigned long i;

	memset(&t, 0, sizeof(t));
	t.space = space;
	t.prng = seed;
	set_bounds(&t);
	map_start(&t.map);
	for (i = 0; i < space->operations; i++)
		if (!try_one(&t) || !agrees(&t)) {
			ksft_print_msg("%s: operation %lu of SEED=%llu\n",
				       space->name, i, (unsigned long long)seed);
			return false;
		}
	ksft_print_msg("%s: %lu allocations failed, up to %zu regions\n",
		       space->name, t.failures, t.most_regions);
	return expect(t.failures) && map_clear(&t.map);
}

int main(void)
{
	u64 seed;
	size_t i;

	ksft_print_header();
	seed = choose_seed();
	ksft_set_plan(ARRAY_SIZE(spaces) + 1);
	for (i = 0; i < ARRAY_SIZE(spaces); i++)
		ksft_test_result(run_space(&spaces[i], seed),
				 "random: %s, %lu operations\n", spaces[i].name,
				 spaces[i].operations);
	ksft_test_result(expect(!slab_live()), "no memory left behind\n");
	ksft_finished();
}
