// SPDX-License-Identifier: GPL-2.0-only
/*
 * What two can do to reserves at the same time, in every order that locks and atomic
 * operations leave. After each schedule map, promises, mounts and pool add up, what was
 * promised can be had, and nobody waits for ever.
 *
 * Where only locks are looked at all schedules are gone through, but where a scenario says
 * how often somebody is interrupted. Where atomic operations are, too, those in which who
 * could have gone on is interrupted three times at most. INTERLEAVE=n makes that n times,
 * and leaves out none of the former.
 */
#include <stdlib.h>

#include "actors.h"
#include "expect.h"
#include "small_world.h"

#define N0	1
#define N1	2
#define N01	3

static struct scenario scenarios[] = {
	{
		.name = "two faults at one index, promised",
		.nodes = 1, .pages = { 2 },
		.before = { { RESERVE, 0, 0, 2 } },
		.acts = { { { CLAIM, 0, 0 } }, { { CLAIM, 0, 0 } } },
		.succeed = 2,
	}, {
		.name = "two faults at the last page, not promised",
		.nodes = 1, .pages = { 1 },
		.acts = { { { CLAIM, 0, 0 } }, { { CLAIM, 1, 0 } } },
		.succeed = 1,
	}, {
		.name = "two faults in one file at the last page, not promised",
		.nodes = 2, .pages = { 0, 1 },
		.acts = { { { CLAIM, 0, 0 } }, { { CLAIM, 0, 1 } } },
		.succeed = 1,
	}, {
		.name = "a promised fault and one that is not",
		.nodes = 2, .pages = { 1, 1 },
		.before = { { RESERVE, 0, 0, 2 } },
		.acts = { { { CLAIM, 0, 0 } }, { { CLAIM, 1, 0 } } },
		.succeed = 1,
	}, {
		.name = "two promises for the last pages",
		.nodes = 1, .pages = { 3 },
		.acts = { { { RESERVE, 0, 0, 2 } }, { { RESERVE, 1, 0, 2 } } },
		.succeed = 1,
	}, {
		.name = "two promises for the last pages, on several nodes",
		.nodes = 3, .pages = { 1, 1, 1 },
		.acts = { { { RESERVE, 0, 0, 2 } }, { { RESERVE, 1, 0, 2 } } },
		.succeed = 1,
	}, {
		.name = "two mounts' promises for the last pages",
		.nodes = 1, .pages = { 3 }, .apart = true,
		.acts = { { { RESERVE, 0, 0, 2 } }, { { RESERVE, 1, 0, 2 } } },
		.succeed = 1,
	}, {
		.name = "two mounts' promises, for each a page",
		.nodes = 2, .pages = { 1, 1 }, .apart = true,
		.acts = { { { RESERVE, 0, 0, 1 } }, { { RESERVE, 1, 0, 1 } } },
		.succeed = 2,
	}, {
		.name = "two mounts' promises, for each a page, one that both come to",
		.nodes = 3, .pages = { 0, 1, 1 }, .apart = true,
		.acts = { { { RESERVE, 0, 0, 1 } }, { { RESERVE, 1, 0, 1 } } },
		.succeed = 2,
	}, {
		.name = "two mounts' faults, for each a page",
		.nodes = 2, .pages = { 1, 1 }, .apart = true,
		.acts = { { { CLAIM, 0, 0 } }, { { CLAIM, 1, 0 } } },
		.succeed = 2,
	}, {
		.name = "two promises, of nodes that overlap",
		.nodes = 2, .pages = { 1, 1 },
		.acts = { { { RESERVE, 0, 0, 1, N0 } },
			  { { RESERVE, 1, 0, 1, N1 } } },
		/* There are half a million schedules, of which these are enough. */
		.most = 4,
		.succeed = 2,
	}, {
		.name = "a promise that others make room for",
		.nodes = 2, .pages = { 1, 1 },
		.before = { { RESERVE, 0, 0, 1 } },
		.acts = { { { RESERVE, 1, 0, 1, N0 } }, { { CLAIM, 0, 0 } } },
		.succeed = 2,
	}, {
		.name = "a promise that makes room again and again, and its fault",
		.nodes = 2, .pages = { 1, 1 },
		.before = { { RESERVE, 0, 0, 1 } },
		.acts = { { { RESERVE, 1, 0, 1, N0 }, { FORGET, 1, 0, 1 },
			    { RESERVE, 1, 0, 1, N1 } },
			  { { CLAIM, 0, 0 } } },
		.most = 4,
		.succeed = -1,
	}, {
		.name = "a promise that ends while it makes room",
		.nodes = 2, .pages = { 1, 1 },
		.before = { { RESERVE, 1, 0, 1, N0 }, { RESERVE, 0, 0, 1 },
			    { FORGET, 1, 0, 1 } },
		.acts = { { { FORGET, 0, 0, 1 } }, { { RESERVE, 1, 0, 1, N1 } } },
		.succeed = 2,
	}, {
		.name = "two promises up to the mount's maximum",
		.nodes = 1, .pages = { 4 }, .max = { 3 },
		.acts = { { { RESERVE, 0, 0, 2 } }, { { RESERVE, 1, 0, 2 } } },
		.succeed = 1,
	}, {
		.name = "a promise out of a minimum, and another mount's",
		.nodes = 1, .pages = { 3 }, .min = { 2 }, .apart = true,
		.acts = { { { RESERVE, 0, 0, 2 } }, { { RESERVE, 1, 0, 2 } } },
		.succeed = 1,
	}, {
		.name = "a mount's minimum, taken and given back",
		.nodes = 2, .pages = { 1, 1 }, .min = { 2 },
		.before = { { RESERVE, 0, 0, 1 } },
		.acts = { { { FORGET, 0, 0, REGION_END } },
			  { { RESERVE, 1, 0, 1, N1 } } },
		.succeed = 2,
	}, {
		.name = "a mount's minimum, and a promise of all of it",
		.nodes = 1, .pages = { 2 }, .min = { 2 },
		.before = { { RESERVE, 0, 0, 1 } },
		.acts = { { { FORGET, 0, 0, REGION_END } },
			  { { RESERVE, 1, 0, 2 } } },
		.succeed = -1,
	}, {
		.name = "a mount's minimum, a page of it, and a promise of all of it",
		.nodes = 1, .pages = { 2 }, .min = { 2 },
		.before = { { RESERVE, 0, 0, 1 }, { CLAIM, 0, 0 } },
		.acts = { { { FORGET, 0, 0, REGION_END } },
			  { { RESERVE, 1, 0, 2 } } },
		.succeed = -1,
	}, {
		.name = "a fault and the end of its file, promised",
		.nodes = 1, .pages = { 2 },
		.before = { { RESERVE, 0, 0, 2 } },
		.acts = { { { CLAIM, 0, 0 } },
			  { { FORGET, 0, 0, REGION_END } } },
		.succeed = 2,
	}, {
		.name = "a fault and the end of its file, not promised",
		.nodes = 2, .pages = { 1, 0 },
		.acts = { { { CLAIM, 0, 0 } },
			  { { FORGET, 0, 0, REGION_END } } },
		.succeed = 2,
	}, {
		.name = "a commit and a promise of the same index",
		.nodes = 1, .pages = { 2 },
		.acts = { { { CLAIM, 0, 1 } }, { { RESERVE, 0, 0, 2 } } },
		.succeed = 2,
	}, {
		.name = "a commit and a promise beside it",
		.nodes = 2, .pages = { 1, 1 },
		.acts = { { { CLAIM, 0, 2 } }, { { RESERVE, 0, 0, 2 } } },
		.succeed = 1,
	}, {
		.name = "a cancelled fault and the end of other promises",
		.nodes = 2, .pages = { 1, 1 }, .private = true,
		.before = { { RESERVE, 0, 0, 2 } },
		.acts = { { { CANCEL, 0, 0 } }, { { FORGET, 0, 1, 2 } } },
		.succeed = 2,
	}, {
		.name = "a fault cancelled and tried elsewhere, another beside it",
		.nodes = 2, .pages = { 1, 1 },
		.before = { { RESERVE, 0, 0, 2 } },
		.acts = { { { CANCEL, 0, 0, 0, N0 }, { CLAIM, 0, 0, 0, N1 } },
			  { { CLAIM, 0, 1, 0, N0 } } },
		.succeed = 3,
	}, {
		.name = "two cancelled faults, one not promised",
		.nodes = 1, .pages = { 2 }, .min = { 1 },
		.before = { { RESERVE, 0, 0, 1 } },
		.acts = { { { CANCEL, 0, 0 } }, { { CANCEL, 1, 0 } } },
		.succeed = 2,
	}, {
		.name = "a private fault and the end of other promises",
		.nodes = 2, .pages = { 1, 1 }, .private = true,
		.before = { { RESERVE, 0, 0, 2 } },
		.acts = { { { CLAIM, 0, 0 } }, { { FORGET, 0, 1, 2 } } },
		.succeed = 2,
	}, {
		.name = "promises of two scopes, one ends",
		.nodes = 2, .pages = { 1, 1 }, .private = true,
		.before = { { RESERVE, 0, 0, 1, N0 }, { RESERVE, 0, 1, 2 } },
		.acts = { { { CLAIM, 0, 1 } }, { { FORGET, 0, 0, 1 } } },
		.succeed = 2,
	}, {
		.name = "a page given back, promises beside it end",
		.nodes = 2, .pages = { 1, 2 }, .private = true,
		.before = { { RESERVE, 0, 0, 3 }, { CLAIM, 0, 0 } },
		.acts = { { { RESTORE, 0, 0 }, { CLAIM, 0, 0, 0, N1 } },
			  { { FORGET, 0, 1, 3 } } },
		.succeed = 3,
	}, {
		.name = "a page given back and one had elsewhere, a fault beside it",
		.nodes = 2, .pages = { 1, 1 }, .private = true,
		.before = { { RESERVE, 0, 0, 2 }, { CLAIM, 0, 0 } },
		.acts = { { { RESTORE, 0, 0 }, { CLAIM, 0, 0, 0, N1 } },
			  { { CLAIM, 0, 1, 0, N0 } } },
		.succeed = 3,
	}, {
		.name = "a page given back, promised to what just ends",
		.nodes = 2, .pages = { 1, 1 }, .private = true,
		.before = { { RESERVE, 0, 0, 2 }, { CLAIM, 0, 0 } },
		.acts = { { { RESTORE, 0, 0 } }, { { FORGET, 0, 0, 2 } } },
		.succeed = -1,
	}, {
		.name = "a page given back, a fault beside it",
		.nodes = 2, .pages = { 1, 1 }, .private = true,
		.before = { { RESERVE, 0, 0, 2 }, { CLAIM, 0, 0 } },
		.acts = { { { RESTORE, 0, 0 } }, { { CLAIM, 0, 1, 0, N1 } } },
		.succeed = 2,
	}, {
		.name = "a page replaced, and a fault for the last one",
		.nodes = 1, .pages = { 2 }, .private = true,
		.before = { { RESERVE, 0, 0, 1 }, { CLAIM, 0, 0 } },
		.acts = { { { REPLACE, 0, 0 } }, { { CLAIM, 1, 0 } } },
		.succeed = 1,
	}, {
		.name = "a page beyond, and a promise for the last one",
		.nodes = 2, .pages = { 0, 1 }, .private = true,
		.acts = { { { BEYOND, 0, 0 } }, { { RESERVE, 1, 0, 1 } } },
		.succeed = 1,
	}, {
		.name = "one goes, another comes",
		.nodes = 1, .pages = { 1 },
		.before = { { RESERVE, 0, 0, 1 } },
		.acts = { { { FORGET, 0, 0, 1 }, { RESERVE, 0, 0, 1 } },
			  { { RESERVE, 1, 0, 1 } } },
		.succeed = 2,
	},
};

/* How often somebody is interrupted where it is not said; negative: any number. */
static const int locks_most = -1;
static int fine_most = 3;
static bool all_locks;

static void read_environment(void)
{
	const char *given = getenv("INTERLEAVE");
	char *end;

	if (!given || !*given)
		return;
	fine_most = strtol(given, &end, 10);
	if (*end || fine_most < 0 || fine_most > 100)
		ksft_exit_fail_msg("INTERLEAVE=%s is not a number\n", given);
	all_locks = true;
}

static bool play_holds(struct scenario *scenario, bool fine, int most)
{
	const struct play play = {
		.begin = world_begin,
		.act = world_act,
		.end = world_end,
		.data = scenario,
		.fine = fine,
		.most = most,
	};
	struct run run;

	actors_play(&play, &run);
	ksft_print_msg("%s: %lu schedules, up to %d points\n",
		       fine ? "locks and atomic operations" : "locks",
		       run.schedules, run.longest);
	return run.right;
}

static bool scenario_holds(struct scenario *scenario)
{
	int most = scenario->most && !all_locks ? scenario->most : locks_most;

	return play_holds(scenario, false, most) &&
	       play_holds(scenario, true, fine_most);
}

int main(void)
{
	size_t i;

	ksft_print_header();
	read_environment();
	ksft_set_plan(ARRAY_SIZE(scenarios));
	for (i = 0; i < ARRAY_SIZE(scenarios); i++)
		ksft_test_result(scenario_holds(&scenarios[i]),
				 "interleaved: %s\n", scenarios[i].name);
	ksft_finished();
}
