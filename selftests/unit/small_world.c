// SPDX-License-Identifier: GPL-2.0-only
/*
 * A small world: a pool, two mounts, two reserves, all of it the module's own. Here is
 * what the module does around a reserve, who holds which page, and what must be true
 * when nobody is at work.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/slab.h>

#include "actors.h"
#include "expect.h"
#include "park.h"
#include "plan.h"
#include "resize.h"
#include "small_world.h"
#include "stats.h"

int nr_node_ids;

/**
 * struct file - a reserve and what belongs to it
 * @reserve: the reserve
 * @quota: of its mount
 * @invalidate: promising and forgetting keep claims out, where they are of a file
 * @index: the mutex of each index
 * @held: the page that is there
 * @beyond: it was not promised, and its index need not be in the map
 */
struct file {
	struct reserve *reserve;
	struct quota *quota;
	struct actor_lock invalidate;
	struct actor_lock index[MAX_INDICES];
	struct folio *held[MAX_INDICES];
	bool beyond[MAX_INDICES];
};

static struct world {
	struct pool *pool;
	struct quota *quota[NR_MOUNTS];
	struct file file[NR_RESERVES];
	struct folio pages[MAX_PAGES];
	int nr_pages;
	/* Pages that went to somebody else, one list for each actor. */
	struct folio *gone[NR_ACTORS + 1][MAX_STEPS];
	struct quota *gone_from[NR_ACTORS + 1][MAX_STEPS];
	int nr_gone[NR_ACTORS + 1];
	int succeeded;
	bool wrong;
	unsigned long warnings;
	unsigned long live;
} world;

/* --- what the module has beside what is looked at ------------------------------- */

int numa_mem_id(void)
{
	return actor_self() < 0 ? 0 : actor_self() % nr_node_ids;
}

void stats_count(enum stat_event event)
{
}

void park_init(struct pool *pool)
{
}

unsigned long park_collect(struct pool *pool)
{
	return 0;
}

void quota_users_init(struct quota *quota, unsigned long max_hpages)
{
	quota->user_max = max_hpages;
	quota->everybody.quota = quota;
}

void quota_users_exit(struct quota *quota)
{
}

struct quota_user *quota_user_hold(struct quota_user *user)
{
	return user;
}

void quota_user_put(struct quota_user *user)
{
}

void park_page(struct pool *pool, struct folio *folio, struct quota_user *user)
{
	abort();
}

unsigned long resize_gather(struct pool *pool, const struct wish *wish,
			    unsigned long pages)
{
	return 0;
}

void zeroing_init_node(struct pool_node *node)
{
}

void zeroing_call_back(struct pool_node *node)
{
}

void zeroing_unlock(struct pool_node *node)
{
	spin_unlock(&node->lock);
}

/* --- pages ---------------------------------------------------------------------- */

/* What is seen to be wrong while others are at work is told when they are done. */
static void must_hold(bool holds, const char *what)
{
	if (holds)
		return;
	if (!world.wrong)
		ksft_print_msg("%s\n", what);
	world.wrong = true;
}

static void page_taken(struct folio *folio)
{
	must_hold(!folio->taken, "a page was handed out twice");
	folio->taken = true;
}

static void page_given(struct quota *quota, struct folio *folio)
{
	folio->taken = false;
	quota_give(&quota->everybody, folio);
}

static void page_gone(struct quota *quota, struct folio *folio)
{
	int who = actor_self() + 1, nr = world.nr_gone[who]++;

	world.gone[who][nr] = folio;
	world.gone_from[who][nr] = quota;
}

/* --- deeds: whether they succeeded ------------------------------------------------ */

static struct wish wish_of(unsigned int nodes)
{
	struct wish wish = { .any = !nodes, .nid = numa_mem_id() };

	nodeset_fill(&wish.allowed);
	if (nodes) {
		wish.allowed = (struct nodeset){ .bits = { nodes } };
		wish.nid = nodeset_first(&wish.allowed);
	}
	wish.preferred = wish.allowed;
	return wish;
}

static bool do_reserve(struct file *file, const struct step *step)
{
	struct wish wish = wish_of(step->nodes);

	return !reserve_range(file->reserve, step->from, step->to, &wish);
}

static bool do_claim(struct file *file, const struct step *step)
{
	struct wish wish = wish_of(step->nodes);
	unsigned long at = step->from;
	struct claim claim;
	int err;

	/* Somebody else was here first. */
	if (file->held[at])
		return true;
	if (step->deed == BEYOND)
		err = reserve_claim_beyond(file->reserve, file->reserve->user,
					   at, &wish, false, &claim);
	else
		err = reserve_claim(file->reserve, at, &wish, false, &claim);
	if (err)
		return false;
	page_taken(claim.folio);
	actor_point();
	if (step->deed == CANCEL) {
		claim.folio->taken = false;
		reserve_cancel(&claim);
		return true;
	}
	file->held[at] = claim.folio;
	file->beyond[at] = step->deed == BEYOND;
	must_hold(!reserve_commit(&claim), "a commit failed");
	return true;
}

/* The pages of a part that was forgotten go; how many there were. */
static unsigned long give_pages(struct file *file, unsigned long from,
				unsigned long to)
{
	unsigned long held = 0;

	for (; from < to && from < MAX_INDICES; from++) {
		if (!file->held[from])
			continue;
		actor_lock_write(&file->index[from]);
		if (file->held[from]) {
			page_given(file->quota, file->held[from]);
			file->held[from] = NULL;
			held += !file->beyond[from];
		}
		actor_unlock_write(&file->index[from]);
	}
	return held;
}

static bool do_forget(struct file *file, const struct step *step)
{
	struct forgotten part = { .to = step->from };

	do {
		if (reserve_forget(file->reserve, part.to, step->to, &part))
			return false;
		reserve_release(file->reserve, &part,
				give_pages(file, part.from, part.to));
	} while (part.to < step->to);
	return true;
}

static bool do_restore(struct file *file, const struct step *step)
{
	struct folio *folio = file->held[step->from];

	if (!folio)
		return false;
	folio->taken = false;
	reserve_restore(file->reserve, step->from, folio);
	/* Who ends the mapping waits as long as it is there. */
	file->held[step->from] = NULL;
	return true;
}

static bool do_replace(struct file *file, const struct step *step)
{
	struct folio *folio = file->held[step->from];

	if (!folio || reserve_replace(file->reserve, step->from))
		return false;
	file->held[step->from] = NULL;
	page_gone(file->quota, folio);
	return true;
}

static bool (*const deeds[])(struct file *file, const struct step *step) = {
	[RESERVE] = do_reserve,
	[CLAIM] = do_claim,
	[CANCEL] = do_claim,
	[BEYOND] = do_claim,
	[FORGET] = do_forget,
	[RESTORE] = do_restore,
	[REPLACE] = do_replace,
};

/* With the locks that the module has then. */
static bool do_step(const struct scenario *scenario, const struct step *step)
{
	struct file *file = &world.file[step->of];
	bool whole = step->deed == RESERVE || step->deed == FORGET;
	bool done;

	if (!scenario->private && whole)
		actor_lock_write(&file->invalidate);
	else if (!scenario->private)
		actor_lock_read(&file->invalidate);
	if (!whole)
		actor_lock_write(&file->index[step->from]);
	done = deeds[step->deed](file, step);
	if (!whole)
		actor_unlock_write(&file->index[step->from]);
	if (!scenario->private && whole)
		actor_unlock_write(&file->invalidate);
	else if (!scenario->private)
		actor_unlock_read(&file->invalidate);
	return done;
}

static int do_steps(const struct scenario *scenario, const struct step *steps)
{
	int i, done = 0;

	for (i = 0; i < MAX_STEPS && steps[i].deed; i++)
		done += do_step(scenario, &steps[i]);
	return done;
}

/* --- the world -------------------------------------------------------------------- */

static void *made(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void pool_fill(const struct scenario *scenario)
{
	struct folio *folio;
	int nid, i;

	for (nid = 0; nid < scenario->nodes; nid++)
		for (i = 0; i < scenario->pages[nid]; i++) {
			folio = &world.pages[world.nr_pages++];
			folio->nid = nid;
			pool_add(world.pool, folio, false);
		}
}

static void file_begin(struct file *file, struct quota *quota, bool private)
{
	file->quota = quota;
	file->reserve = made(kzalloc(reserve_size(nr_node_ids), GFP_KERNEL));
	reserve_init(file->reserve, &quota->everybody, NULL, private);
}

void world_begin(void *data)
{
	const struct scenario *scenario = data;
	int i;

	memset(&world, 0, sizeof(world));
	world.warnings = warnings_heard();
	world.live = slab_live();
	nr_node_ids = scenario->nodes;
	world.pool = made(pool_create());
	pool_fill(scenario);
	for (i = 0; i < NR_MOUNTS; i++) {
		world.quota[i] = made(quota_create(world.pool, NULL, SUBPOOL_NO_MAX));
		if (quota_set(world.quota[i], scenario->min[i],
			      scenario->max[i] ?: SUBPOOL_NO_MAX))
			abort();
	}
	for (i = 0; i < NR_RESERVES; i++)
		file_begin(&world.file[i],
			   world.quota[scenario->apart ? i : 0],
			   scenario->private);
	do_steps(scenario, scenario->before);
}

void world_act(void *data, int self)
{
	const struct scenario *scenario = data;
	int done = do_steps(scenario, scenario->acts[self]);

	world.succeeded += done;
}

/* --- what must be true ------------------------------------------------------------ */

/* Of the indices that belong to a promise there is a page or a unit for each. */
static bool promise_adds_up(struct file *file, struct promise *promise)
{
	unsigned long units = 0, at = 0;
	struct region_run run;

	while (region_run(&file->reserve->map, at, REGION_END, &run)) {
		for (at = run.from; at < run.to; at++)
			if (run.of == promise &&
			    (!file->held[at] || file->beyond[at]))
				units++;
		at = run.to;
	}
	return expect(promise_sum(promise) == units);
}

static bool file_adds_up(struct file *file)
{
	struct promise *other;

	list_for_each_entry(other, &file->reserve->others, sibling)
		if (!promise_adds_up(file, other))
			return false;
	return promise_adds_up(file, &file->reserve->promise) &&
	       expect(resv_map_valid(&file->reserve->map)) &&
	       expect(!file->reserve->forgotten);
}

/* What a promise, and those beside it, have on a node. */
static unsigned long units_on(int nid)
{
	unsigned long units = 0;
	struct promise *other;
	int i;

	for (i = 0; i < NR_MOUNTS; i++)
		units += promise_on(&world.quota[i]->kept, nid);
	for (i = 0; i < NR_RESERVES; i++) {
		struct reserve *reserve = world.file[i].reserve;

		units += promise_on(&reserve->promise, nid);
		list_for_each_entry(other, &reserve->others, sibling)
			units += promise_on(other, nid);
	}
	return units;
}

static bool node_adds_up(int nid, unsigned long *spare)
{
	const struct pool_counts *counts = &world.pool->node[nid]->counts;
	unsigned long here = 0;
	int i;

	for (i = 0; i < world.nr_pages; i++)
		here += world.pages[i].nid == nid && !world.pages[i].taken;
	*spare += counts->free - counts->resv;
	return expect(counts->free == here) &&
	       expect(counts->resv <= counts->free) &&
	       expect(counts->resv == units_on(nid));
}

static bool pool_adds_up(void)
{
	unsigned long spare = 0;
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++)
		if (!node_adds_up(nid, &spare))
			return false;
	return expect(atomic_long_read(&world.pool->spare) == spare) &&
	       expect(plan_adds_up(world.pool));
}

/* Pages and promises of a mount, apart from what is kept for it. */
static unsigned long quota_uses(struct quota *quota)
{
	unsigned long used = 0;
	struct promise *other;
	int i, j;

	for (i = 0; i < NR_RESERVES; i++) {
		struct file *file = &world.file[i];

		if (file->quota != quota)
			continue;
		used += promise_sum(&file->reserve->promise);
		list_for_each_entry(other, &file->reserve->others, sibling)
			used += promise_sum(other);
		for (j = 0; j < MAX_INDICES; j++)
			used += !!file->held[j];
	}
	for (i = 0; i <= NR_ACTORS; i++)
		for (j = 0; j < world.nr_gone[i]; j++)
			used += world.gone_from[i][j] == quota;
	return used;
}

static bool quota_adds_up(struct quota *quota)
{
	const struct subpool *subpool = &quota->subpool;

	return expect(subpool->used_hpages == quota_uses(quota)) &&
	       expect(quota->everybody.used_hpages == quota_uses(quota)) &&
	       expect(subpool->used_hpages <= subpool->max_hpages) &&
	       expect(promise_sum(&quota->kept) == subpool->rsv_hpages) &&
	       expect(!subpool_lacks(subpool, subpool->min_hpages));
}

static bool world_adds_up(void)
{
	int i;

	for (i = 0; i < NR_RESERVES; i++)
		if (!file_adds_up(&world.file[i]))
			return false;
	for (i = 0; i < NR_MOUNTS; i++)
		if (!quota_adds_up(world.quota[i]))
			return false;
	return pool_adds_up() && expect(warnings_heard() == world.warnings);
}

/* Whoever was promised a page gets it. */
static bool promises_are_kept(const struct scenario *scenario)
{
	struct step claim = { .deed = CLAIM };
	struct region_run run;
	struct file *file;

	for (claim.of = 0; claim.of < NR_RESERVES; claim.of++) {
		file = &world.file[claim.of];
		for (claim.from = 0; claim.from < MAX_INDICES; claim.from++)
			if (region_run(&file->reserve->map, claim.from,
				       claim.from + 1, &run) &&
			    !expect(do_step(scenario, &claim)))
				return false;
	}
	return world_adds_up();
}

static void file_end(const struct scenario *scenario, int of)
{
	struct step all = { .deed = FORGET, .of = of, .to = REGION_END };

	do_step(scenario, &all);
	reserve_end(world.file[of].reserve);
	kfree(world.file[of].reserve);
}

static void pool_empty(void)
{
	int nid;

	for (nid = 0; nid < nr_node_ids; nid++)
		while (pool_remove(world.pool, nid, false))
			;
	pool_destroy(world.pool);
}

static bool world_unmake(const struct scenario *scenario)
{
	int i, j;

	for (i = 0; i < NR_RESERVES; i++)
		file_end(scenario, i);
	for (i = 0; i <= NR_ACTORS; i++)
		for (j = 0; j < world.nr_gone[i]; j++)
			page_given(world.gone_from[i][j], world.gone[i][j]);
	for (i = 0; i < NR_MOUNTS; i++)
		quota_end(world.quota[i]);
	pool_empty();
	return expect(warnings_heard() == world.warnings) &&
	       expect(slab_live() == world.live);
}

bool world_end(void *data)
{
	const struct scenario *scenario = data;

	/* What does not add up cannot be unmade. */
	return !world.wrong &&
	       expect(scenario->succeed < 0 ||
		      world.succeeded == scenario->succeed) &&
	       world_adds_up() && promises_are_kept(scenario) &&
	       world_unmake(scenario);
}
