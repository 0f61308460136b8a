// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reserve maps, case by case. Each case runs with all allocations made to fail
 * in turn before it runs to its end, and each gives back all memory.
 */
#include <errno.h>

#include <linux/slab.h>

#include "resv_map_state.h"

#define END	REGION_END
#define MANY	1000
/* Coprime to MANY: steps of this length come to every index, in no order. */
#define STRIDE	377

struct add_case {
	const char *name;
	struct span before[5];
	struct span range;
	long missing;
	struct span after[5];
};

static const struct add_case add_cases[] = {
	{ "into an empty map", {}, { 4, 8 }, 4, { { 4, 8 } } },
	{ "one index", {}, { 4, 5 }, 1, { { 4, 5 } } },
	{ "index 0", {}, { 0, 1 }, 1, { { 0, 1 } } },
	{ "from index 0", {}, { 0, 7 }, 7, { { 0, 7 } } },
	{ "the last index", {}, { END - 1, END }, 1, { { END - 1, END } } },
	{ "everything", {}, { 0, END }, END, { { 0, END } } },
	{ "everything, with parts there",
		{ { 0, 2 }, { 7, 9 }, { END - 3, END } }, { 0, END }, END - 7,
		{ { 0, END } } },

	{ "in front, apart", { { 10, 20 } }, { 4, 9 }, 5,
		{ { 4, 9 }, { 10, 20 } } },
	{ "behind, apart", { { 10, 20 } }, { 21, 24 }, 3,
		{ { 10, 20 }, { 21, 24 } } },
	{ "between, apart", { { 10, 20 }, { 30, 40 } }, { 21, 29 }, 8,
		{ { 10, 20 }, { 21, 29 }, { 30, 40 } } },
	{ "far apart", { { 0, 1 } }, { END - 1, END }, 1,
		{ { 0, 1 }, { END - 1, END } } },

	{ "meets the one in front", { { 10, 20 } }, { 20, 25 }, 5,
		{ { 10, 25 } } },
	{ "meets the one behind", { { 10, 20 } }, { 6, 10 }, 4,
		{ { 6, 20 } } },
	{ "meets both", { { 10, 20 }, { 30, 40 } }, { 20, 30 }, 10,
		{ { 10, 40 } } },
	{ "meets both, one index wide", { { 10, 20 }, { 21, 40 } }, { 20, 21 },
		1, { { 10, 40 } } },
	{ "meets one, the next stays",
		{ { 10, 20 }, { 30, 40 }, { 50, 60 } }, { 20, 29 }, 9,
		{ { 10, 29 }, { 30, 40 }, { 50, 60 } } },
	{ "meets one, the one before stays",
		{ { 10, 20 }, { 30, 40 }, { 50, 60 } }, { 41, 50 }, 9,
		{ { 10, 20 }, { 30, 40 }, { 41, 60 } } },
	{ "meets index 0", { { 0, 1 } }, { 1, 2 }, 1, { { 0, 2 } } },
	{ "index 0 meets one", { { 1, 2 } }, { 0, 1 }, 1, { { 0, 2 } } },
	{ "meets the last index", { { END - 1, END } }, { END - 5, END - 1 }, 4,
		{ { END - 5, END } } },
	{ "the last index meets one", { { END - 5, END - 1 } },
		{ END - 1, END }, 1, { { END - 5, END } } },

	{ "overlaps the one in front", { { 10, 20 } }, { 15, 25 }, 5,
		{ { 10, 25 } } },
	{ "overlaps the one behind", { { 10, 20 } }, { 5, 15 }, 5,
		{ { 5, 20 } } },
	{ "overlaps both", { { 10, 20 }, { 30, 40 } }, { 15, 35 }, 10,
		{ { 10, 40 } } },
	{ "overlaps one and meets one", { { 10, 20 }, { 30, 40 } }, { 15, 30 },
		10, { { 10, 40 } } },
	{ "around one", { { 10, 20 } }, { 5, 25 }, 10, { { 5, 25 } } },
	{ "around several", { { 10, 12 }, { 14, 16 }, { 18, 20 } }, { 5, 25 },
		14, { { 5, 25 } } },
	{ "around one, among others",
		{ { 0, 1 }, { 10, 20 }, { 50, 60 } }, { 5, 25 }, 10,
		{ { 0, 1 }, { 5, 25 }, { 50, 60 } } },
	{ "over the gaps of several", { { 10, 12 }, { 14, 16 }, { 18, 20 } },
		{ 11, 19 }, 4, { { 10, 20 } } },

	{ "what is there", { { 10, 20 } }, { 10, 20 }, 0, { { 10, 20 } } },
	{ "the middle of what is there", { { 10, 20 } }, { 12, 15 }, 0,
		{ { 10, 20 } } },
	{ "the head of what is there", { { 10, 20 } }, { 10, 11 }, 0,
		{ { 10, 20 } } },
	{ "the tail of what is there", { { 10, 20 } }, { 19, 20 }, 0,
		{ { 10, 20 } } },
	{ "a part, others stay", { { 0, 9 }, { 10, 20 }, { 21, 30 } },
		{ 12, 15 }, 0, { { 0, 9 }, { 10, 20 }, { 21, 30 } } },
};

struct del_case {
	const char *name;
	struct span before[5];
	struct span range;
	long deleted;
	struct span after[5];
	bool splits;
};

static const struct del_case del_cases[] = {
	{ "from an empty map", {}, { 4, 8 }, 0, {} },
	{ "everything from an empty map", {}, { 0, END }, 0, {} },
	{ "all", { { 10, 20 } }, { 10, 20 }, 10, {} },
	{ "all and more", { { 10, 20 } }, { 5, 25 }, 10, {} },
	{ "index 0", { { 0, 1 } }, { 0, 1 }, 1, {} },
	{ "the last index", { { END - 1, END } }, { END - 1, END }, 1, {} },

	{ "what lies in front", { { 10, 20 } }, { 5, 10 }, 0, { { 10, 20 } } },
	{ "what lies behind", { { 10, 20 } }, { 20, 25 }, 0, { { 10, 20 } } },
	{ "a gap", { { 10, 20 }, { 30, 40 } }, { 20, 30 }, 0,
		{ { 10, 20 }, { 30, 40 } } },

	{ "the head", { { 10, 20 } }, { 10, 15 }, 5, { { 15, 20 } } },
	{ "the tail", { { 10, 20 } }, { 15, 20 }, 5, { { 10, 15 } } },
	{ "over the head", { { 10, 20 } }, { 5, 15 }, 5, { { 15, 20 } } },
	{ "over the tail", { { 10, 20 } }, { 15, 25 }, 5, { { 10, 15 } } },
	{ "all but the last", { { 10, 20 } }, { 10, 19 }, 9, { { 19, 20 } } },
	{ "all but the first", { { 10, 20 } }, { 11, 20 }, 9, { { 10, 11 } } },
	{ "index 0 of more", { { 0, 9 } }, { 0, 1 }, 1, { { 1, 9 } } },
	{ "the last index of more", { { END - 9, END } }, { END - 1, END }, 1,
		{ { END - 9, END - 1 } } },

	{ "the middle", { { 10, 20 } }, { 12, 15 }, 3,
		{ { 10, 12 }, { 15, 20 } }, true },
	{ "one index in the middle", { { 10, 20 } }, { 14, 15 }, 1,
		{ { 10, 14 }, { 15, 20 } }, true },
	{ "the middle index of three", { { 10, 13 } }, { 11, 12 }, 1,
		{ { 10, 11 }, { 12, 13 } }, true },
	{ "all but first and last", { { 10, 20 } }, { 11, 19 }, 8,
		{ { 10, 11 }, { 19, 20 } }, true },
	{ "the middle of everything", { { 0, END } }, { 1, END - 1 }, END - 2,
		{ { 0, 1 }, { END - 1, END } }, true },
	{ "the middle, among others",
		{ { 0, 9 }, { 10, 20 }, { 21, 30 } }, { 12, 15 }, 3,
		{ { 0, 9 }, { 10, 12 }, { 15, 20 }, { 21, 30 } }, true },

	{ "over two", { { 10, 20 }, { 30, 40 } }, { 15, 35 }, 10,
		{ { 10, 15 }, { 35, 40 } } },
	{ "over two, to their edges", { { 10, 20 }, { 30, 40 } }, { 10, 40 },
		20, {} },
	{ "over three", { { 10, 20 }, { 22, 28 }, { 30, 40 } }, { 15, 35 }, 16,
		{ { 10, 15 }, { 35, 40 } } },
	{ "over one of three", { { 10, 20 }, { 22, 28 }, { 30, 40 } },
		{ 20, 30 }, 6, { { 10, 20 }, { 30, 40 } } },
	{ "several", { { 10, 12 }, { 14, 16 }, { 18, 20 } }, { 0, 100 }, 6,
		{} },
	{ "several, others stay",
		{ { 0, 1 }, { 10, 12 }, { 14, 16 }, { 30, 40 } }, { 10, 16 }, 4,
		{ { 0, 1 }, { 30, 40 } } },

	{ "to the end", { { 10, 20 }, { 30, 40 } }, { 5, END }, 20, {} },
	{ "to the end, within one", { { 10, 20 }, { 30, 40 } }, { 15, END }, 15,
		{ { 10, 15 } } },
	{ "to the end, from a gap", { { 10, 20 }, { 30, 40 } }, { 20, END }, 10,
		{ { 10, 20 } } },
	{ "to the end, behind all", { { 10, 20 } }, { 20, END }, 0,
		{ { 10, 20 } } },
	{ "to the end, within everything", { { 0, END } }, { 1, END }, END - 1,
		{ { 0, 1 } } },
	{ "everything", { { 0, END } }, { 0, END }, END, {} },
};

struct count_case {
	const char *name;
	struct span before[5];
	struct span range;
	unsigned long count;
};

static const struct count_case count_cases[] = {
	{ "an empty map", {}, { 0, END }, 0 },
	{ "all", { { 10, 20 } }, { 10, 20 }, 10 },
	{ "all of several", { { 0, 1 }, { 10, 20 }, { 30, 40 } }, { 0, END },
		21 },
	{ "everything", { { 0, END } }, { 0, END }, END },
	{ "in front", { { 10, 20 } }, { 5, 10 }, 0 },
	{ "behind", { { 10, 20 } }, { 20, 25 }, 0 },
	{ "a gap", { { 10, 20 }, { 30, 40 } }, { 20, 30 }, 0 },
	{ "the first index", { { 10, 20 } }, { 10, 11 }, 1 },
	{ "the last index", { { 10, 20 } }, { 19, 20 }, 1 },
	{ "the middle", { { 10, 20 } }, { 12, 15 }, 3 },
	{ "over the head", { { 10, 20 } }, { 5, 12 }, 2 },
	{ "over the tail", { { 10, 20 } }, { 17, 25 }, 3 },
	{ "over two", { { 10, 20 }, { 30, 40 } }, { 15, 35 }, 10 },
	{ "over three", { { 10, 20 }, { 22, 28 }, { 30, 40 } }, { 19, 31 }, 8 },
	{ "the highest index", { { END - 1, END } }, { END - 1, END }, 1 },
	{ "an empty range", { { 10, 20 } }, { 15, 15 }, 0 },
	{ "an empty range at 0", { { 0, 20 } }, { 0, 0 }, 0 },
	{ "a range that is turned round", { { 10, 20 } }, { 18, 12 }, 0 },
};

/* No index is in them, or one that cannot be. */
static const struct span refused[] = {
	{ 0, 0 },
	{ 15, 15 },
	{ 18, 12 },
	{ 1, 0 },
	{ END, END },
	{ END, 0 },
	{ END, END + 1 },
	{ 0, END + 1 },
	{ END - 1, END + 1 },
	{ 15, ULONG_MAX },
	{ ULONG_MAX, 0 },
};

/* What no operation makes, as resv_map_valid() must be able to tell. */
struct bad_case {
	const char *name;
	struct span regions[3];
	size_t nr;
};

static const struct bad_case bad_cases[] = {
	{ "meeting", { { 10, 20 }, { 20, 30 } }, 2 },
	{ "overlapping", { { 10, 20 }, { 15, 25 } }, 2 },
	{ "one within another", { { 10, 20 }, { 12, 16 } }, 2 },
	{ "twice the same", { { 10, 20 }, { 10, 20 } }, 2 },
	{ "first and last turned round", { { 10, 9 }, { 20, 31 } }, 2 },
	{ "an empty one", { { 10, 10 }, { 20, 31 } }, 2 },
	{ "the last two meeting", { { 0, 4 }, { 10, 20 }, { 20, 30 } }, 3 },
	{ "the first two meeting", { { 0, 4 }, { 4, 20 }, { 24, 30 } }, 3 },
	{ "meeting at the end", { { 0, END - 1 }, { END - 1, END } }, 2 },
};

/*
 * Let the first, second, ... allocation of step one fail, until it makes fewer
 * than are let be.
 */
static bool chg_fails(struct resv_map *map, const struct add_case *c)
{
	struct region_change change;
	unsigned long nth = 0;
	long ret;

	for (;;) {
		slab_fail_nth(++nth);
		ret = region_chg(map, c->range.from, c->range.to, NULL, &change);
		if (!slab_failed())
			break;
		if (!expect(ret == -ENOMEM) || !map_settled(map, c->before))
			return false;
	}
	if (!expect(ret == c->missing) || !map_holds(map, c->before))
		return false;
	region_abort(&change);
	return map_settled(map, c->before);
}

/* What region_chg() says is missing is what region_count() finds after. */
static bool add_succeeds(struct resv_map *map, const struct add_case *c)
{
	struct region_change change;
	unsigned long calls;
	long missing;

	missing = region_chg(map, c->range.from, c->range.to, NULL, &change);
	if (!expect(missing == c->missing) || !map_holds(map, c->before))
		return false;

	calls = slab_calls();
	slab_fail_nth(1);
	region_add(&change);
	slab_failed();
	return expect(slab_calls() == calls) && map_settled(map, c->after) &&
	       expect(region_count(map, c->range.from, c->range.to) ==
		      c->range.to - c->range.from);
}

static bool test_add(const struct add_case *c)
{
	struct resv_map map;

	return map_fill(&map, c->before) && chg_fails(&map, c) &&
	       add_succeeds(&map, c) && map_clear(&map);
}

static bool test_del(const struct del_case *c)
{
	unsigned long nth = 0, calls;
	struct resv_map map;
	long ret;

	if (!map_fill(&map, c->before))
		return false;
	for (;;) {
		calls = slab_calls();
		slab_fail_nth(++nth);
		ret = region_del(&map, c->range.from, c->range.to);
		if (!slab_failed())
			break;
		if (!expect(ret == -ENOMEM) || !map_settled(&map, c->before))
			return false;
	}
	return expect(ret == c->deleted) && map_settled(&map, c->after) &&
	       expect(c->splits || slab_calls() == calls) && map_clear(&map);
}

static bool test_count(const struct count_case *c)
{
	unsigned long calls;
	struct resv_map map;

	if (!map_fill(&map, c->before))
		return false;
	calls = slab_calls();
	return expect(region_count(&map, c->range.from, c->range.to) ==
		      c->count) &&
	       expect(slab_calls() == calls) &&
	       map_settled(&map, c->before) && map_clear(&map);
}

static bool test_refused(const struct span *range)
{
	static const struct span before[] = { { 10, 20 }, { 30, 40 }, {} };
	struct region_change change;
	struct resv_map map;

	if (!map_fill(&map, before))
		return false;
	return expect(region_chg(&map, range->from, range->to, NULL, &change) ==
		      -EINVAL) &&
	       map_settled(&map, before) && map_clear(&map);
}

static bool test_bad(const struct bad_case *c)
{
	struct file_region regions[ARRAY_SIZE(c->regions)] = {};
	struct resv_map map;
	size_t i;

	resv_map_init(&map);
	for (i = 0; i < c->nr; i++) {
		regions[i].from = c->regions[i].from;
		regions[i].to = c->regions[i].to;
		map_insert(&map, &regions[i]);
	}
	return expect(!resv_map_valid(&map));
}

/* There is nothing in an empty range that could not be deleted. */
static bool test_del_nothing(void)
{
	static const struct span before[] = { { 0, 20 }, { 30, END }, {} };
	static const struct span nothing[] = {
		{ 0, 0 }, { 15, 15 }, { 18, 12 }, { END, END }, { END, 0 },
	};
	struct resv_map map;
	size_t i;

	if (!map_fill(&map, before))
		return false;
	for (i = 0; i < ARRAY_SIZE(nothing); i++)
		if (!expect(!region_del(&map, nothing[i].from,
					nothing[i].to)) ||
		    !map_settled(&map, before))
			return false;
	return map_clear(&map);
}

/* Every second index of the first 2 * MANY. */
static void make_comb(struct span comb[MANY + 1])
{
	unsigned long i;

	for (i = 0; i < MANY; i++) {
		comb[i].from = 2 * i;
		comb[i].to = 2 * i + 1;
	}
	comb[MANY] = (struct span){};
}

static bool test_join_many(void)
{
	static const struct span joined[] = { { 0, 2 * MANY }, {} };
	struct span comb[MANY + 1];
	struct region_change change;
	struct resv_map map;

	make_comb(comb);
	if (!map_fill(&map, comb))
		return false;
	if (!expect(region_chg(&map, 1, 2 * MANY, NULL, &change) == MANY))
		return false;
	region_add(&change);
	return map_settled(&map, joined) && map_clear(&map);
}

/* Each index but the last that is taken out makes a region more. */
static bool test_split_many(void)
{
	static const struct span whole[] = { { 0, 2 * MANY }, {} };
	struct span comb[MANY + 1];
	unsigned long i, n;
	struct resv_map map;

	make_comb(comb);
	if (!map_fill(&map, whole))
		return false;
	for (i = 0; i < MANY; i++) {
		n = i * STRIDE % MANY;
		if (!expect(region_del(&map, 2 * n + 1, 2 * n + 2) == 1))
			return false;
	}
	return map_settled(&map, comb) && map_clear(&map);
}

/* Two maps have nothing in common, not even between the two steps. */
static bool test_two_maps(void)
{
	static const struct span one[] = { { 4, 8 }, {} };
	static const struct span two[] = { {} };
	struct region_change change, other;
	struct resv_map a, b;

	map_start(&a);
	resv_map_init(&b);
	if (!expect(region_chg(&a, 4, 8, NULL, &change) == 4) ||
	    !expect(region_chg(&b, 6, 9, NULL, &other) == 3))
		return false;
	region_add(&change);
	region_abort(&other);
	return map_settled(&a, one) && map_holds(&b, two) && map_clear(&a);
}

#define run_cases(title, test, cases)					\
	do {								\
		size_t __i;						\
									\
		for (__i = 0; __i < ARRAY_SIZE(cases); __i++)		\
			ksft_test_result(test(&(cases)[__i]),		\
					 title ": %s\n",		\
					 (cases)[__i].name);		\
	} while (0)

static void run_refused(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refused); i++)
		ksft_test_result(test_refused(&refused[i]),
				 "refuse: [%lu, %lu)\n", refused[i].from,
				 refused[i].to);
}

int main(void)
{
	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(add_cases) + ARRAY_SIZE(del_cases) +
		      ARRAY_SIZE(count_cases) + ARRAY_SIZE(bad_cases) +
		      ARRAY_SIZE(refused) + 5);

	run_cases("add", test_add, add_cases);
	run_cases("delete", test_del, del_cases);
	run_cases("count", test_count, count_cases);
	run_cases("not valid", test_bad, bad_cases);
	run_refused();
	ksft_test_result(test_del_nothing(), "delete: empty ranges\n");
	ksft_test_result(test_join_many(), "add: over %d regions\n", MANY);
	ksft_test_result(test_split_many(), "delete: %d splits\n", MANY);
	ksft_test_result(test_two_maps(), "two maps\n");
	ksft_test_result(expect(!slab_live()), "no memory left behind\n");
	ksft_finished();
}
