/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rounds of rounds.h: their beginning and end, and what is looked at in between while
 * nobody moves. What may be promised to a newcomer is known then to the page: an
 * assignment that keeps all promises exists if for each set of nodes those that can
 * only be kept there are no more than its free pages (Hall).
 */
#ifndef RHUGEFS_ROUNDS_RUN_H
#define RHUGEFS_ROUNDS_RUN_H

#include "rounds_steps.h"

#define ROUND_STEPS	6
#define ROUNDS_QUIET	10

/* As many sets of nodes can be looked at one by one. */
#define QUIET_NODES	8
#define QUIET_SETS	(1 << QUIET_NODES)

static const struct kind kind_rhugefs = {
	.name = "rhugefs",
	.counts = POOL_SYSFS "/node%d",
	.keeps = true,
};

/* --- what can be had ----------------------------------------------------- */

static inline void demand_add(const struct slot *slots, long from, long to,
			      long *demand)
{
	long i;

	for (i = from; i < to; i++)
		if (slots[i].state == SLOT_PROMISED)
			demand[slots[i].nodes]++;
}

/* By set of nodes, how many pages were promised from it. */
static inline void demand_read(const struct rounds *rounds, long *demand)
{
	const struct party *party;
	const struct map *map;
	int i;

	memset(demand, 0, QUIET_SETS * sizeof(*demand));
	for (party = rounds->party; party < rounds->party + PARTIES; party++) {
		for (i = 0; i < FILES; i++)
			demand_add(party->file[i].slot, 0, FILE_MOST, demand);
		for (i = 0; i < MAPS; i++) {
			map = &party->map[i];
			if (map->at && map->is_private)
				demand_add(map->own, map->from,
					   map->from + map->pages, demand);
		}
	}
}

/* Free pages of @nodes that are not needed for those who must have theirs there. */
static inline long demand_leaves(const struct rounds *rounds,
				 const long *demand, unsigned long nodes)
{
	unsigned long set;
	long pages = 0;
	int nid;

	for (nid = 0; nid < QUIET_NODES; nid++)
		if (nodes_have(nodes, nid))
			pages += node_count(rounds->kind, nid, "free");
	for (set = 1; set < QUIET_SETS; set++)
		if (!(set & ~nodes))
			pages -= demand[set];
	return pages;
}

/* How many pages can be promised from @nodes. */
static inline long can_promise(const struct rounds *rounds,
			       unsigned long nodes)
{
	unsigned long rest = rounds->memory & ~nodes, more = rest;
	long demand[QUIET_SETS], pages, least = LONG_MAX;

	demand_read(rounds, demand);
	for (;; more = (more - 1) & rest) {
		pages = demand_leaves(rounds, demand, nodes | more);
		if (pages < least)
			least = pages;
		if (!more)
			return least;
	}
}

static inline bool is_promised(const struct rounds *rounds, int fd, long pages)
{
	char *map = map_private(fd, 0, pages, 0);

	must(map || errno == ENOMEM);
	must(!map || unmap_huge(map, pages) == 0);
	return map;
}

/* That many and not one more. What is on its way back to the pool is waited for. */
static inline void ask_for_all(struct party *party, unsigned long nodes)
{
	struct policy policy = { .mode = MPOL_BIND, .nodes = nodes };
	const struct rounds *rounds = party->rounds;
	int fd = file_in(rounds->dir), tries;
	bool all = false, more = true;
	long pages = 0;

	must(policy_set(&policy) == 0);
	/* Before the task's comes that of the mount. */
	if (rounds->mount.mode != MPOL_DEFAULT)
		nodes = mount_allows(rounds, mems_allowed());
	for (tries = 0; tries < 20 && (!all || more); tries++) {
		usleep(tries * 10000);
		pages = can_promise(rounds, nodes);
		all = pages >= 0 && (!pages || is_promised(rounds, fd, pages));
		more = is_promised(rounds, fd, pages + 1);
	}
	close(fd);
	count(&party->rounds->tally.asked);
	note(party, "quiet: %ld pages can be had on %s", pages,
	     nodes_list(nodes));
	must(all);
	must(!more);
}

static inline bool selfcheck_rests(void)
{
	int tries;

	for (tries = 0; tries < 20; tries++) {
		if (selfcheck_says(true))
			return selfcheck_ok();
		usleep(30000);
	}
	return false;
}

static inline void look_around(struct party *party)
{
	static const struct policy none = { .mode = MPOL_DEFAULT };
	struct rounds *rounds = party->rounds;

	note(party, "quiet");
	/* Nobody knows what was promised there. */
	must(fallocate(rounds->wild,
		       FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		       FILE_MOST * HUGE) == 0);
	if (!rounds->kind->keeps || rounds->memory >= QUIET_SETS)
		return;
	if (rounds->cpusets)
		cpuset_enter("");
	ask_for_all(party, rounds->memory);
	ask_for_all(party, pick_nodes(party, rounds->memory));
	ask_for_all(party, pick_nodes(party, rounds->memory));
	must(selfcheck_rests());
	must(policy_set(&none) == 0);
}

/* --- one process --------------------------------------------------------- */

/* How often each is done, among all others. */
static const struct {
	int weight;
	void (*step)(struct party *party);
} round_steps[] = {
	{ 10, step_policy },
	{ 2, step_cpuset },
	{ 24, step_map },
	{ 8, step_unmap },
	{ 30, step_touch },
	{ 12, step_bind },
	{ 10, step_wild },
	{ 8, step_punch },
	{ 2, step_fork },
	{ 3, step_resize },
};

static inline void step_any(struct party *party)
{
	int which = pick(party, weights_sum(round_steps));

	weights_at(round_steps, which)->step(party);
}

/* So that a step chooses alike whatever the steps before have come upon. */
static inline void step_seed(struct party *party)
{
	party->state = ((party->rounds->seed * PARTIES + party->nr) * 100003 +
			party->round) * ROUND_STEPS + party->step;
	chance(&party->state);
}

static inline void party_begin(struct party *party)
{
	struct rounds *rounds = party->rounds;
	int i;

	for (i = 0; i < FILES; i++)
		party->file[i].fd = file_in(rounds->dir);
	if (!rounds->cpusets)
		return;
	cpuset_mems(party->cpuset, rounds->memory);
	cpuset_enter(party->cpuset);
}

/* What a file was promised is there for whoever maps it, and asks for nothing new. */
static inline void file_end(struct party *party, struct file *file)
{
	struct slot *slot;
	char *map;
	long i;

	for (i = 0; i < FILE_MOST; i++) {
		slot = &file->slot[i];
		if (slot->state == SLOT_NONE)
			continue;
		note(party, "end: file %d page %ld", (int)(file - party->file),
		     i);
		map = map_huge(file->fd, i, 1, 0);
		must(map);
		slot_touch(party, slot, map);
		must(unmap_huge(map, 1) == 0);
	}
	must(close(file->fd) == 0);
}

static inline void party_end(struct party *party)
{
	struct map *map;
	long i;

	for (map = party->map; map < party->map + MAPS; map++) {
		for (i = map->from; map->at && i < map->from + map->pages; i++)
			map_touch(party, map, i);
		if (map->at)
			map_cut(party, map, map->pages);
	}
	for (i = 0; i < FILES; i++)
		file_end(party, &party->file[i]);
	if (party->rounds->cpusets)
		cpuset_enter("");
}

static inline int party_run(void *arg)
{
	struct party *party = arg;
	struct rounds *rounds = party->rounds;

	party_begin(party);
	for (; party->round < rounds->nr_rounds; party->round++) {
		sync_meet(&rounds->sync);
		note(party, "round %d", party->round);
		for (party->step = 0; party->step < ROUND_STEPS; party->step++) {
			step_seed(party);
			step_any(party);
		}
		if (party->round % ROUNDS_QUIET)
			continue;
		wild_leave(party);
		sync_meet(&rounds->sync);
		if (party->round / ROUNDS_QUIET % PARTIES == party->nr)
			look_around(party);
	}
	sync_meet(&rounds->sync);
	wild_leave(party);
	party_end(party);
	return 0;
}

/* --- all of them --------------------------------------------------------- */

/* What "mpol=" says in the options of the mount, as far as it binds. */
static inline struct policy mount_policy(const char *dir)
{
	struct policy policy = { .mode = MPOL_DEFAULT };
	char line[1024], at[256], *option;
	FILE *mounts = fopen("/proc/mounts", "re");

	must(mounts);
	snprintf(at, sizeof(at), " %s ", dir);
	while (fgets(line, sizeof(line), mounts)) {
		option = strstr(line, at) ? strstr(line, "mpol=") : NULL;
		if (!option)
			continue;
		policy.mode = !strncmp(option + 5, "bind", 4) ? MPOL_BIND :
			      !strncmp(option + 5, "interleave", 10) ?
								MPOL_INTERLEAVE :
								MPOL_LOCAL;
		option = strchr(option, ':');
		policy.nodes = option ? nodes_parse(option + 1) : 0;
	}
	fclose(mounts);
	return policy;
}

static inline bool knows_weighted(void)
{
	struct policy policy = { .mode = MPOL_WEIGHTED, .nodes = ~0UL };
	static const struct policy none = { .mode = MPOL_DEFAULT };
	bool known = policy_set(&policy) == 0;

	must(policy_set(&none) == 0);
	return known;
}

static inline void rounds_cpusets(struct rounds *rounds)
{
	struct party *party = rounds->party;

	rounds->cpusets = true;
	for (; party < rounds->party + PARTIES && rounds->cpusets; party++) {
		snprintf(party->cpuset, sizeof(party->cpuset), "/rounds.%d.%d",
			 getpid(), party->nr);
		rounds->cpusets = cpuset_make(party->cpuset);
	}
}

static inline struct rounds *rounds_new(const struct kind *kind,
					const char *dir, unsigned long seed,
					int nr_rounds, long pages)
{
	struct rounds *rounds = share(sizeof(*rounds));
	int i;

	*rounds = (struct rounds){
		.kind = kind, .dir = dir, .seed = seed,
		.nr_rounds = nr_rounds, .pages = pages,
		.mount = mount_policy(dir), .online = nodes_that("online"),
		.memory = nodes_that("has_memory"),
		.weighted = knows_weighted(), .wild = file_in(dir),
		.sync.parties = PARTIES,
	};
	for (i = 0; i < PARTIES; i++) {
		rounds->party[i].rounds = rounds;
		rounds->party[i].nr = i;
	}
	rounds_cpusets(rounds);
	return rounds;
}

static inline void rounds_resize(const struct rounds *rounds, long pages)
{
	int nid;

	for (nid = 0; nid < NODES_MOST; nid++)
		if (nodes_have(rounds->memory, nid))
			must(node_resize(rounds->kind, nid, pages) == 0);
}

/* Whether none failed. The pool's size is the caller's to restore. */
static inline bool rounds_run(struct rounds *rounds)
{
	pid_t pids[PARTIES];
	bool all_well;
	int i;

	rounds_resize(rounds, rounds->pages);
	for (i = 0; i < PARTIES; i++)
		pids[i] = spawn(party_run, &rounds->party[i]);
	all_well = wait_for_all(rounds->log, pids, PARTIES, rounds->seed);
	for (i = 0; i < PARTIES && rounds->cpusets; i++)
		cpuset_end(rounds->party[i].cpuset);
	close(rounds->wild);
	return all_well;
}

static inline void rounds_tell(const struct rounds *rounds)
{
	const struct tally *tally = &rounds->tally;

	dprintf(STDOUT_FILENO,
		"# %s: %d rounds, %ld SIGBUS, %ld pages on nodes the policy forbids\n"
		"# %s: %ld mappings, %ld refused; %ld calls of mbind(), %ld refused; %ld promised pages touched; %ld times asked for all there are%s\n",
		rounds->kind->name, rounds->nr_rounds, tally->killed,
		tally->misplaced, rounds->kind->name, tally->mapped,
		tally->refused, tally->bound, tally->unbound, tally->touched,
		tally->asked, rounds->cpusets ? "" : "; no cpusets here");
}

#endif
