// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ask a small pool for pages, and see that the answer is kept: what must be true of
 * every plan, whichever way it was found.
 */
#include <string.h>

#include <linux/bug.h>

#include "expect.h"
#include "small_pool.h"

static unsigned long sum_of(const unsigned long *row)
{
	unsigned long sum = 0;
	int nid;

	for (nid = 0; nid < MAX_NODES; nid++)
		sum += row[nid];
	return sum;
}

static bool is_unchanged(const struct small_pool *small,
			 const struct holdings *before)
{
	struct holdings now;

	small_pool_read(small, &now);
	return expect(!memcmp(&now, before, sizeof(now)));
}

/* Those that are not given keep as much as they had, and where it moved is told. */
static bool others_kept(const struct small_pool *small, int others,
			const struct holdings *before,
			const struct holdings *now, bool moves)
{
	bool moved = false;
	int nr;

	for (nr = 0; nr < others; nr++) {
		if (small->is_given[nr])
			continue;
		moved |= !!memcmp(now->on[nr], before->on[nr],
				  sizeof(now->on[nr]));
		if (!expect(sum_of(now->on[nr]) == sum_of(before->on[nr])))
			return false;
	}
	return expect(moved == moves) &&
	       expect(moved == (now->moves != before->moves));
}

/* So much of what is given is used up, and nothing of it lies elsewhere. */
static bool given_used(const struct small_pool *small, unsigned long used,
		       const struct holdings *before,
		       const struct holdings *now)
{
	unsigned long gone = 0;
	int nid, nr;

	for (nr = 0; nr < small->nr; nr++) {
		if (!small->is_given[nr])
			continue;
		gone += sum_of(before->on[nr]) - sum_of(now->on[nr]);
		for (nid = 0; nid < MAX_NODES; nid++)
			if (!expect(now->on[nr][nid] <= before->on[nr][nid]))
				return false;
	}
	return expect(gone == used);
}

/* What was asked comes from the nodes that were asked for. */
static bool ask_kept(const struct small_pool *small, const struct ask *ask,
		     const struct answer *answer, const struct holdings *before,
		     const struct holdings *now)
{
	unsigned long taken;
	int nid;

	for (nid = 0; nid < MAX_NODES; nid++) {
		taken = answer->folio ? answer->take[nid] : 0;
		if (!expect(!answer->take[nid] || ask->nodes >> nid & 1) ||
		    !expect(now->free[nid] == before->free[nid] - taken))
			return false;
	}
	for (nid = 0; nid < small->pool.nr_nodes; nid++)
		if (!expect(now->events[nid] > before->events[nid]))
			return false;
	return expect(sum_of(answer->take) == ask->pages);
}

static bool is_kept(const struct small_pool *small, int others,
		    const struct ask *ask, const struct answer *answer,
		    const struct holdings *before, unsigned long used)
{
	struct holdings now;

	small_pool_read(small, &now);
	return ask_kept(small, ask, answer, before, &now) &&
	       others_kept(small, others, before, &now, answer->moves) &&
	       given_used(small, used, before, &now);
}

/* The one who asks has a promise of his own, or the page; what it cost the given. */
static unsigned long apply(struct small_pool *small, struct plan *plan,
			   const struct ask *ask, bool at_once,
			   struct answer *answer)
{
	unsigned long used = min(ask->pages, small_pool_given(small));
	struct promise *promise = small->promise[small->nr - 1];
	bool zeroed = true;

	if (at_once) {
		answer->folio = plan_take(plan, used, &zeroed);
		if (answer->folio)
			answer->take[answer->folio->nid] = 1;
	} else {
		plan_apply(plan, promise, used);
		memcpy(answer->take, promise->on_node,
		       small->pool.nr_nodes * sizeof(*promise->on_node));
	}
	return used;
}

static struct wish wish_of(const struct ask *ask)
{
	return (struct wish){
		.nid = ask->nid,
		.allowed.bits = { ask->nodes },
		.preferred.bits = { ask->rather ? ask->rather : ask->nodes },
		.spread = sum_of(ask->spread) ? (unsigned long *)ask->spread :
						NULL,
	};
}

/*
 * Ask for pages, which are promised to one who comes last, or the only one taken at
 * once. Return whether the pool and all promises are what they must be.
 */
bool small_pool_ask(struct small_pool *small, const struct ask *ask,
		    bool at_once, struct answer *answer)
{
	unsigned long heard = warnings_heard(), used = 0;
	const struct deal deal = { .nodes = ask->nodes };
	struct wish wish = wish_of(ask);
	int others = small->nr;
	struct holdings before;
	struct plan plan;
	bool right;

	*answer = (struct answer){};
	small_pool_deal(small, &deal);
	small_pool_read(small, &before);

	plan_begin(&plan, &small->pool, &wish,
		   list_empty(&small->given) ? NULL : &small->given);
	answer->lacks = plan_solve(&plan, ask->pages);
	answer->moves = plan.moves;
	right = is_unchanged(small, &before);
	if (!answer->lacks)
		used = apply(small, &plan, ask, at_once, answer);
	plan_end(&plan);

	right = right && small_pool_sound(small) &&
		(answer->lacks ? is_unchanged(small, &before) :
		 is_kept(small, others, ask, answer, &before, used)) &&
		expect(warnings_heard() == heard);
	if (!right)
		small_pool_print(small, &before, ask);
	return right;
}
