// SPDX-License-Identifier: GPL-2.0-only
/*
 * Subpools: cases in numbers, then random ones against the plainest thing that can
 * be said of them: what is kept is what the used pages lack of the minimum.
 */
#include <errno.h>
#include <stdbool.h>

#include <linux/types.h>

#include "kselftest.h"
#include "prng.h"
#include "seed.h"
#include "subpool.h"

#define NONE	SUBPOOL_NO_MAX

/* With these limits and so many used: get or put, and what the pool has to do with it. */
struct subpool_case {
	const char *name;
	unsigned long min, max, used;
	long get;
	unsigned long put;
	long pool;
	unsigned long kept;
};

static const struct subpool_case cases[] = {
	{ "get, no limits", 0, NONE, 0, 5, 0, 5, 0 },
	{ "get nothing", 3, 9, 2, 0, 0, 0, 1 },
	{ "3 kept, 5 wanted", 3, NONE, 0, 5, 0, 2, 0 },
	{ "3 kept, 3 wanted", 3, NONE, 0, 3, 0, 0, 0 },
	{ "3 kept, 2 wanted", 3, NONE, 0, 2, 0, 0, 1 },
	{ "none kept any more", 3, NONE, 4, 5, 0, 5, 0 },
	{ "up to the maximum", 0, 8, 3, 5, 0, 5, 0 },
	{ "beyond it", 0, 8, 3, 6, 0, -ENOSPC, 0 },
	{ "beyond it, nothing used", 0, 8, 0, 9, 0, -ENOSPC, 0 },
	{ "far beyond it", 0, 8, 3, LONG_MAX, 0, -ENOSPC, 0 },
	{ "beyond it, some kept", 4, 8, 3, 6, 0, -ENOSPC, 1 },
	{ "all of minimum and maximum", 8, 8, 0, 8, 0, 0, 0 },
	{ "more than there can be", 0, NONE, 5, LONG_MAX, 0, -ENOSPC, 0 },
	{ "put, no limits", 0, NONE, 5, -1, 5, 5, 0 },
	{ "put, the minimum is filled first", 3, NONE, 3, -1, 2, 0, 2 },
	{ "put, the rest goes back", 3, NONE, 5, -1, 4, 2, 2 },
	{ "put, more is used still", 3, NONE, 9, -1, 4, 4, 0 },
	{ "put all", 3, 9, 9, -1, 9, 6, 3 },
	{ "put nothing", 3, 9, 1, -1, 0, 0, 2 },
};

static bool kept_is(const struct subpool *subpool, unsigned long kept)
{
	return subpool->rsv_hpages == kept &&
	       subpool_lacks(subpool, subpool->min_hpages) == 0;
}

static bool case_holds(const struct subpool_case *c)
{
	struct subpool subpool;
	unsigned long used = c->used;
	long pool;

	subpool_init(&subpool);
	subpool_set(&subpool, c->min, c->max);
	subpool_get_pages(&subpool, c->used);
	if (c->get >= 0) {
		pool = subpool_missing(&subpool, c->get);
		if (pool >= 0) {
			subpool_get_pages(&subpool, c->get);
			used += c->get;
		}
	} else {
		pool = subpool_put_pages(&subpool, c->put);
		used -= c->put;
	}
	return pool == c->pool && subpool.used_hpages == used &&
	       kept_is(&subpool, c->kept);
}

static bool fits(unsigned long used, unsigned long min, unsigned long max)
{
	struct subpool subpool;

	subpool_init(&subpool);
	subpool_get_pages(&subpool, used);
	return subpool_fits(&subpool, min, max);
}

#define STEPS	100000
#define MOST	40

/* What the mount has of the pool: used and kept, by what get and put have said. */
struct ledger {
	struct subpool subpool;
	u64 prng;
	unsigned long used, had, min, max;
};

static unsigned long up_to(struct ledger *l, unsigned long most)
{
	return prng_below(&l->prng, most + 1);
}

static void random_limits(struct ledger *l)
{
	unsigned long max = up_to(l, 3) ? up_to(l, MOST) : NONE;
	unsigned long min = up_to(l, MOST);

	if (!subpool_fits(&l->subpool, min, max))
		return;
	l->had += subpool_lacks(&l->subpool, min);
	subpool_set(&l->subpool, min, max);
	l->min = min;
	l->max = max;
}

static bool random_get(struct ledger *l)
{
	unsigned long pages = up_to(l, MOST / 2);
	long missing = subpool_missing(&l->subpool, pages);

	bool refused = missing < 0;

	if (refused != (l->used + pages > l->max))
		return false;
	if (refused)
		return true;
	subpool_get_pages(&l->subpool, pages);
	l->used += pages;
	l->had += missing;
	return true;
}

static void random_put(struct ledger *l)
{
	unsigned long pages = up_to(l, l->used);

	l->had -= subpool_put_pages(&l->subpool, pages);
	l->used -= pages;
}

static bool random_steps(u64 seed)
{
	struct ledger l = { .prng = seed, .max = NONE };
	bool right = true;
	int i;

	subpool_init(&l.subpool);
	for (i = 0; i < STEPS && right; i++) {
		switch (up_to(&l, 6)) {
		case 0:
			random_limits(&l);
			break;
		case 1: case 2: case 3:
			right = random_get(&l);
			break;
		default:
			random_put(&l);
		}
		right = right && l.subpool.used_hpages == l.used &&
			l.had == (l.used > l.min ? l.used : l.min) &&
			kept_is(&l.subpool, l.had - l.used);
	}
	if (!right)
		ksft_print_msg("step %d: used %lu, had %lu, min %lu, max %lu\n",
			       i, l.used, l.had, l.min, l.max);
	return right;
}

int main(void)
{
	size_t i, n = sizeof(cases) / sizeof(*cases);

	ksft_print_header();
	ksft_set_plan(n + 2);
	for (i = 0; i < n; i++)
		ksft_test_result(case_holds(&cases[i]), "%s\n", cases[i].name);
	ksft_test_result(fits(5, 0, 5) && fits(5, 5, 5) && fits(0, 0, NONE) &&
			 !fits(5, 0, 4) && !fits(0, 5, 4) && fits(9, 3, NONE),
			 "limits that fit, and that do not\n");
	ksft_test_result(random_steps(choose_seed()), "random steps\n");
	ksft_finished();
}
