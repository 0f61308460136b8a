// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plans, case by case: pages for one who may only have them on certain nodes. Where one
 * page is wanted it is once promised and once taken.
 */
#include <string.h>

#include <linux/bug.h>
#include <linux/slab.h>

#include "expect.h"
#include "small_pool.h"

#define MOST	4

struct plan_case {
	const char *name;
	unsigned long free[MAX_NODES];
	struct deal before[MOST];
	struct ask ask;
	unsigned long lacks;
	unsigned long take[MAX_NODES];
	unsigned long after[MOST][MAX_NODES];
};

/* All have four nodes: one with no pages is as good as none. */
static const struct plan_case cases[] = {
	{ "pages that nobody was promised",
		{ 2, 2 }, {}, { N0, 2 }, 0, { 2 } },
	{ "nothing is wanted", { 1 }, { { N0, 0, { 1 } } }, { N0, 0 }, 0, {},
		{ { 1 } } },
	{ "nothing is wanted, nor there", {}, {}, { N0, 0 }, 0, {} },
	{ "room beside others",
		{ 2 }, { { ANY, 0, { 1 } } }, { N0, 1 }, 0, { 1 }, { { 1 } } },
	{ "others have the other node",
		{ 1, 1 }, { { ANY, 0, { 1 } } }, { N1, 1 }, 0, { 0, 1 },
		{ { 1 } } },
	{ "two nodes, part on each",
		{ 1, 1, 1 }, {}, { N0 | N1, 2 }, 0, { 1, 1 } },

	{ "one who means any node moves",
		{ 1, 1 }, { { ANY, 0, { 1 } } }, { N0, 1 }, 0, { 1 },
		{ { 0, 1 } } },
	{ "one moves within his nodes",
		{ 1, 1, 1 }, { { N0 | N2, 0, { 1 } } }, { N0, 1 }, 0, { 1 },
		{ { 0, 0, 1 } } },
	{ "one moves, one cannot",
		{ 2, 1 }, { { N0, 0, { 1 } }, { ANY, 0, { 1 } } }, { N0, 1 }, 0,
		{ 1 }, { { 1 }, { 0, 1 } } },
	{ "one moves to where another is",
		{ 1, 2 }, { { ANY, 0, { 1 } }, { N1, 0, { 0, 1 } } }, { N0, 1 },
		0, { 1 }, { { 0, 1 }, { 0, 1 } } },
	{ "one unit of three moves",
		{ 3, 1 }, { { N0 | N1, 0, { 3 } } }, { N0, 1 }, 0, { 1 },
		{ { 2, 1 } } },
	{ "one moves to two nodes",
		{ 2, 1, 1 }, { { ANY, 0, { 2 } } }, { N0, 2 }, 0, { 2 },
		{ { 0, 1, 1 } } },
	{ "one moves from two nodes",
		{ 1, 1, 2 }, { { ANY, 0, { 1, 1 } } }, { N0 | N1, 2 }, 0,
		{ 1, 1 }, { { 0, 0, 2 } } },
	{ "two move",
		{ 2, 1, 1 },
		{ { N0 | N1, 0, { 1 } }, { N0 | N2, 0, { 1 } } }, { N0, 2 }, 0,
		{ 2 }, { { 0, 1 }, { 0, 0, 1 } } },
	{ "part is there, for part one moves",
		{ 2, 1 }, { { ANY, 0, { 1 } } }, { N0, 2 }, 0, { 2 },
		{ { 0, 1 } } },

	{ "over three nodes",
		{ 1, 1, 1 },
		{ { N0 | N1, 0, { 1 } }, { N1 | N2, 0, { 0, 1 } } }, { N0, 1 },
		0, { 1 }, { { 0, 1 }, { 0, 0, 1 } } },
	{ "over four nodes, there and back",
		{ 1, 1, 1, 1 },
		{ { N2 | N3, 0, { 0, 0, 0, 1 } }, { N1 | N3, 0, { 0, 1 } },
		  { N0 | N1, 0, { 1 } } }, { N0, 1 }, 0,
		{ 1 }, { { 0, 0, 1 }, { 0, 0, 0, 1 }, { 0, 1 } } },
	{ "two at a time over three nodes",
		{ 2, 2, 2 },
		{ { N0 | N1, 0, { 2 } }, { N1 | N2, 0, { 0, 2 } } }, { N0, 2 },
		0, { 2 }, { { 0, 2 }, { 0, 0, 2 } } },
	{ "two over three nodes, one after the other",
		{ 2, 2, 1, 1 },
		{ { N0 | N1, 0, { 2 } }, { N1 | N2, 0, { 0, 1 } },
		  { N1 | N3, 0, { 0, 1 } } }, { N0, 2 }, 0,
		{ 2 }, { { 0, 2 }, { 0, 0, 1 }, { 0, 0, 0, 1 } } },
	{ "the narrowest place is the first",
		{ 2, 2, 2 },
		{ { N0 | N1, 0, { 1 } }, { N1 | N2, 0, { 0, 2 } },
		  { N0, 0, { 1 } } }, { N0, 2 }, 1 },
	{ "the narrowest place is the last",
		{ 2, 2, 2 },
		{ { N0 | N1, 0, { 2 } }, { N1 | N2, 0, { 0, 1 } },
		  { N1, 0, { 0, 1 } } }, { N0, 2 }, 1 },
	{ "one who was to move makes room for another",
		{ 2, 1, 1 },
		{ { N0 | N1 | N2, 0, { 1 } }, { N0 | N1, 0, { 1 } } },
		{ N0, 2 }, 0, { 2 }, { { 0, 0, 1 }, { 0, 1 } } },
	{ "of two who want the same place one has another",
		{ 1, 1, 1, 1 },
		{ { N0 | N2, 0, { 1 } }, { N1 | N2 | N3, 0, { 0, 1 } } },
		{ N0 | N1, 2 }, 0, { 1, 1 },
		{ { 0, 0, 1 }, { 0, 0, 0, 1 } } },

	{ "no pages at all", {}, {}, { N0, 1 }, 1 },
	{ "more than there are", { 1, 1 }, {}, { N0 | N1, 5 }, 3 },
	{ "pages elsewhere, nobody moves",
		{ 1, 1 }, { { N0, 0, { 1 } } }, { N0, 1 }, 1 },
	{ "pages elsewhere, and nothing here", { 0, 3 }, {}, { N0, 1 }, 1 },
	{ "pages elsewhere, the one between cannot move",
		{ 1, 1, 1 },
		{ { N0 | N1, 0, { 1 } }, { N1, 0, { 0, 1 } } }, { N0, 1 }, 1 },
	{ "pages elsewhere, one moves in vain",
		{ 2, 2 }, { { N0, 0, { 1 } }, { ANY, 0, { 1 } } }, { N0, 2 }, 1 },
	{ "round in circles",
		{ 1, 1, 1, 1 },
		{ { N0 | N1, 0, { 1 } }, { N1 | N2, 0, { 0, 1 } },
		  { N0 | N2, 0, { 0, 0, 1 } } }, { N0, 1 }, 1 },

	{ "given on the node",
		{ 1, 1 }, { { N0, 1, { 1 } } }, { N0, 1 }, 0, { 1 }, {} },
	{ "given elsewhere, one moves there",
		{ 1, 1 }, { { ANY, 0, { 1 } }, { ANY, 1, { 0, 1 } } }, { N0, 1 },
		0, { 1 }, { { 0, 1 } } },
	{ "given two nodes further",
		{ 1, 1, 1 },
		{ { N0 | N1, 0, { 1 } }, { N1 | N2, 0, { 0, 1 } },
		  { N2, 1, { 0, 0, 1 } } }, { N0, 1 }, 0,
		{ 1 }, { { 0, 1 }, { 0, 0, 1 }, {} } },
	{ "given and not needed is used up",
		{ 1, 1 }, { { ANY, 1, { 0, 1 } } }, { N0, 1 }, 0, { 1 }, {} },
	{ "given more than wanted, the rest stays",
		{ 1, 2 }, { { ANY, 0, { 1 } }, { ANY, 1, { 0, 2 } } }, { N0, 1 },
		0, { 1 }, { { 0, 1 }, { 0, 1 } } },
	{ "given more than wanted on the node",
		{ 3 }, { { N0, 1, { 3 } } }, { N0, 1 }, 0, { 1 }, { { 2 } } },
	{ "given less than wanted",
		{ 2, 1 }, { { ANY, 0, { 1 } }, { N0, 1, { 1 } } }, { N0, 2 }, 0,
		{ 2 }, { { 0, 1 }, {} } },
	{ "given by two of the same scope as one who stays",
		{ 3 }, { { N0, 1, { 1 } }, { N0, 0, { 1 } }, { N0, 1, { 1 } } },
		{ N0, 2 }, 0, { 2 }, { {}, { 1 }, {} } },
	{ "given with one who moves of the same scope and came before",
		{ 2, 1 }, { { N0 | N1, 0, { 1 } }, { N0 | N1, 1, { 1 } } },
		{ N0, 2 }, 0, { 2 }, { { 0, 1 }, {} } },
	{ "given with one who moves of the same scope and came later",
		{ 2, 1 }, { { N0 | N1, 1, { 1 } }, { N0 | N1, 0, { 1 } } },
		{ N0, 2 }, 0, { 2 }, { {}, { 0, 1 } } },
	{ "given for nothing",
		{ 1, 1 }, { { N0, 0, { 1 } }, { ANY, 1, { 0, 1 } } }, { N0, 1 },
		1 },
	{ "given nothing",
		{ 1, 1 }, { { ANY, 0, { 1 } }, { ANY, 1, {} } }, { N0, 1 }, 0,
		{ 1 }, { { 0, 1 } } },
	{ "given does not move by itself",
		{ 2, 1 }, { { N0, 0, { 1 } }, { N0 | N1, 1, { 1 } } }, { N0, 2 },
		1 },

	{ "all near before all far", { 2, 2, 2 }, {}, { N0 | N1 | N2, 2 }, 0,
		{ 2 } },
	{ "spread", { 2, 2, 2 }, {}, { N0 | N1, 2, 0, 0, { 1, 1 } }, 0,
		{ 1, 1 } },
	{ "spread in parts that differ",
		{ 3, 3, 3 }, {}, { N0 | N1 | N2, 4, 0, 0, { 1, 2, 1 } }, 0,
		{ 1, 2, 1 } },
	{ "spread, as far as there are pages",
		{ 2, 0, 2 }, {}, { N0 | N1, 2, 1, 0, { 1, 1 } }, 0, { 2 } },
	{ "spread, nobody moves for it",
		{ 2, 1, 1 }, { { ANY, 0, { 0, 1 } } },
		{ N0 | N1, 2, 0, 0, { 1, 1 } }, 0, { 2 }, { { 0, 1 } } },
	{ "spread, one moves where it does not go otherwise",
		{ 1, 1, 1 }, { { ANY, 0, { 0, 1 } } },
		{ N0 | N1, 2, 0, 0, { 1, 1 } }, 0, { 1, 1 }, { { 0, 0, 1 } } },
	{ "spread over more than is wanted",
		{ 2, 2 }, {}, { N0 | N1, 1, 0, 0, { 1, 1 } }, 0, { 1 } },
	{ "spread to a node that is not allowed",
		{ 2, 2 }, {}, { N0, 2, 0, 0, { 1, 1 } }, 0, { 2 } },
	{ "spread over what is given",
		{ 1, 1 }, { { ANY, 1, { 1, 1 } } },
		{ N0 | N1, 1, 0, 0, { 0, 1 } }, 0, { 0, 1 }, { { 1 } } },

	{ "the nearest", { 1, 1, 1, 1 }, {}, { N0 | N1, 1, 3 }, 0, { 0, 1 } },
	{ "the next, where the nearest has none",
		{ 1, 1, 1, 0 }, {}, { N1 | N3, 1, 3 }, 0, { 0, 1 } },
	{ "those further off, as many as it takes",
		{ 1, 1, 1, 1 }, {}, { N0 | N2 | N3, 2, 3 }, 0, { 0, 0, 1, 1 } },
	{ "a preferred one before a near one",
		{ 1, 1 }, {}, { N0 | N1, 1, 0, N1 }, 0, { 0, 1 } },
	{ "a preferred one, then a near one",
		{ 1, 1, 1 }, {}, { N0 | N1 | N2, 2, 0, N2 }, 0, { 1, 0, 1 } },
	{ "one that is preferred and not allowed",
		{ 1, 1 }, {}, { N0, 1, 0, N1 }, 0, { 1 } },
	{ "rather one that is not preferred than that one moves",
		{ 1, 1, 1 }, { { ANY, 0, { 1 } } }, { N0 | N1, 1, 0, N0 }, 0,
		{ 0, 1 }, { { 1 } } },
};

static void fill(struct small_pool *small, const struct plan_case *c)
{
	int i;

	small_pool_init(small, MAX_NODES, c->free);
	for (i = 0; i < MOST; i++)
		small_pool_deal(small, &c->before[i]);
}

static bool after_holds(const struct small_pool *small,
			const struct plan_case *c)
{
	struct holdings now;

	small_pool_read(small, &now);
	return expect(!memcmp(now.on, c->after, sizeof(c->after)));
}

static bool case_holds(const struct plan_case *c, bool at_once)
{
	unsigned long live = slab_live();
	struct small_pool small;
	struct answer answer;
	bool right;

	fill(&small, c);
	right = small_pool_ask(&small, &c->ask, at_once, &answer) &&
		expect(answer.lacks == c->lacks);
	if (right && !c->lacks)
		right = expect(!memcmp(answer.take, c->take,
				       sizeof(c->take))) &&
			after_holds(&small, c);
	small_pool_exit(&small);
	/* What an earlier case that failed has left behind is not held against it. */
	return right && expect(slab_live() == live);
}

static bool test_case(const struct plan_case *c)
{
	return case_holds(c, false) &&
	       (c->ask.pages != 1 || case_holds(c, true));
}

/*
 * Between two plans things go on: who has nothing left may be taken off the list of his
 * scope while another moves, and comes back with his next page.
 */
static bool test_nothing_left(void)
{
	static const unsigned long free[MAX_NODES] = { 1, 2 };
	static const struct deal leaves = { N0 | N1, 0, { 1 } };
	static const struct deal moves = { N0 | N1 };
	static const struct ask ask = { N0, 1 };
	struct small_pool small;
	struct answer answer;
	int gone, other;
	bool right;

	small_pool_init(&small, 3, free);
	other = small_pool_deal(&small, &moves);
	gone = small_pool_deal(&small, &leaves);
	small_pool_add(&small, gone, 0, -1);
	small_pool_add(&small, other, 0, 1);
	right = small_pool_ask(&small, &ask, false, &answer) &&
		expect(!answer.lacks);
	small_pool_add(&small, gone, 1, 1);
	right = right && small_pool_sound(&small) && expect(answer.moves) &&
		expect(promise_on(small.promise[other], 1) == 1);
	small_pool_exit(&small);
	return right;
}

/* --- scopes -------------------------------------------------------------- */

static struct scope *scope_of(struct small_pool *small, unsigned int nodes)
{
	struct wish wish = small_pool_wish(small, nodes);

	return scope_get(&small->pool, &wish);
}

static int scopes_of(const struct small_pool *small)
{
	const struct scope *scope;
	int nr = 0;

	list_for_each_entry(scope, &small->pool.scopes, link)
		nr++;
	return nr;
}

static bool test_scope_shared(void)
{
	static const unsigned long free[MAX_NODES];
	struct scope *one, *same, *other, *any;
	struct small_pool small;
	bool right;

	small_pool_init(&small, 3, free);
	one = scope_of(&small, N0 | N1);
	same = scope_of(&small, N0 | N1);
	other = scope_of(&small, N0 | N2);
	any = scope_of(&small, N0 | N1 | N2);
	right = expect(one == same) && expect(one != other) &&
		expect(any == small.pool.any) && expect(scopes_of(&small) == 2);
	scope_hold(&small.pool, one);
	scope_hold(&small.pool, any);
	scope_put(&small.pool, any);
	scope_put(&small.pool, any);
	scope_put(&small.pool, other);
	scope_put(&small.pool, one);
	scope_put(&small.pool, same);
	right = right && expect(scopes_of(&small) == 1);
	scope_put(&small.pool, one);
	scope_put(&small.pool, NULL);
	right = right && expect(scopes_of(&small) == 0);
	small_pool_exit(&small);
	return right && expect(!slab_live());
}

/* What needs memory for so many steps gets none in each of them. */
static bool scope_fails(struct small_pool *small, unsigned long steps)
{
	struct scope *scope;
	unsigned long nth;

	for (nth = 1; nth <= steps; nth++) {
		slab_fail_nth(nth);
		scope = scope_of(small, N0);
		if (!expect(slab_failed()) || !expect(!scope) ||
		    !expect(!scopes_of(small)))
			return false;
	}
	return true;
}

static bool test_no_memory(void)
{
	static const unsigned long free[MAX_NODES];
	struct small_pool small;
	struct scope *scope;
	bool right;

	small_pool_init(&small, 2, free);
	right = scope_fails(&small, 2);
	scope = scope_of(&small, N0);
	slab_fail_nth(1);
	/* One that is there needs no memory. */
	right = right && expect(scope && scope_of(&small, N0) == scope) &&
		expect(!promise_create(&small.pool, scope));
	slab_failed();
	scope_put(&small.pool, scope);
	scope_put(&small.pool, scope);
	small_pool_exit(&small);
	return right && expect(!slab_live());
}

int main(void)
{
	size_t i;

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(cases) + 5);
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		ksft_test_result(test_case(&cases[i]), "plan: %s\n",
				 cases[i].name);
	ksft_test_result(test_nothing_left(), "plan: one has nothing left\n");
	ksft_test_result(test_scope_shared(), "scope: shared by its nodes\n");
	ksft_test_result(test_no_memory(), "scope: no memory\n");
	ksft_test_result(expect(!slab_live()), "no memory left behind\n");
	ksft_test_result(expect(!warnings_heard()), "no warnings\n");
	ksft_finished();
}
