/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each process of rounds.h does, one step at a time.
 */
#ifndef RHUGEFS_ROUNDS_STEPS_H
#define RHUGEFS_ROUNDS_STEPS_H

#include "rounds.h"

/* --- policies and cpusets ------------------------------------------------ */

/* One of them, or any of them. */
static inline unsigned long pick_nodes(struct party *party, unsigned long from)
{
	bool one = pick(party, 2);
	unsigned long nodes = 0;
	int nid, last = pick(party, nodes_count(from));

	for (nid = 0; nid < NODES_MOST; nid++) {
		if (!nodes_have(from, nid))
			continue;
		if (!last-- || (!one && pick(party, 2)))
			nodes |= 1UL << nid;
	}
	return nodes;
}

static inline struct policy pick_policy(struct party *party)
{
	static const int modes[] = {
		MPOL_DEFAULT,	 MPOL_LOCAL,	  MPOL_PREFERRED,
		MPOL_BIND,	 MPOL_BIND,	  MPOL_PREFERRED_MANY,
		MPOL_INTERLEAVE, MPOL_INTERLEAVE, MPOL_WEIGHTED,
	};
	struct policy policy = {
		.mode = modes[pick(party, sizeof(modes) / sizeof(*modes))],
	};

	if (policy.mode == MPOL_WEIGHTED && !party->rounds->weighted)
		policy.mode = MPOL_BIND;
	if (policy.mode == MPOL_DEFAULT || policy.mode == MPOL_LOCAL)
		return policy;
	policy.nodes = pick_nodes(party, party->rounds->online);
	switch (pick(party, 8)) {
	case 0:
		policy.flags = MPOL_F_STATIC_NODES;
		break;
	case 1:
		policy.flags = MPOL_F_RELATIVE_NODES;
		break;
	}
	return policy;
}

/* None of its nodes is one that this task may use: there is no such policy. */
static inline bool policy_is_void(const struct policy *policy)
{
	return policy->nodes && !policy_nodes(policy, mems_allowed());
}

static inline void step_policy(struct party *party)
{
	struct policy policy = pick_policy(party);
	int want = policy_is_void(&policy) ? EINVAL : 0;

	note(party, "policy %s", policy_name(&policy));
	must(policy_set(&policy) == want);
}

static inline void step_cpuset(struct party *party)
{
	const struct rounds *rounds = party->rounds;
	unsigned long nodes = pick_nodes(party, rounds->memory);

	if (!rounds->cpusets)
		return;
	party->moves++;
	switch (pick(party, 8)) {
	case 0:
		note(party, "leave the cpuset");
		cpuset_enter("");
		break;
	case 1:
		note(party, "enter the cpuset");
		cpuset_enter(party->cpuset);
		break;
	default:
		note(party, "cpuset %s", nodes_list(nodes));
		cpuset_mems(party->cpuset, nodes);
	}
}

/* --- mappings ------------------------------------------------------------ */

/* One that is there, or NULL. */
static inline struct map *pick_map(struct party *party)
{
	int from = pick(party, MAPS), i;
	struct map *map;

	for (i = 0; i < MAPS; i++) {
		map = &party->map[(from + i) % MAPS];
		if (map->at)
			return map;
	}
	return NULL;
}

static inline long pick_page(struct party *party, const struct map *map)
{
	return map->from + pick(party, map->pages);
}

/* From either end on, so that what is left is one piece. */
static inline void map_cut(struct party *party, struct map *map, long pages)
{
	bool end = pick(party, 2);
	long first = end ? map->from + map->pages - pages : map->from;

	note(party, "unmap map %d at %ld, %ld pages", (int)(map - party->map),
	     first, pages);
	must(unmap_huge(map_page(map, first), pages) == 0);
	if (map->pages == pages) {
		map->at = NULL;
		return;
	}
	if (!end) {
		map->at += pages * HUGE;
		map->from += pages;
	}
	map->pages -= pages;
}

static inline void map_begin(struct party *party, struct map *map)
{
	struct slot *slot;
	long i;

	for (i = map->from; i < map->from + map->pages; i++) {
		slot = map_slot(party, map, i);
		if (map->is_private)
			*slot = (struct slot){ .state = SLOT_NONE };
		if (map->reserved && slot->state == SLOT_NONE)
			slot_promise(party, slot);
	}
}

/* Who asks for nothing new is not refused. */
static inline void map_refused(struct party *party, const struct map *map)
{
	bool nothing_new = !map->is_private &&
			   !file_lacks(&party->file[map->file], map->from,
				       map->pages);

	must(errno == ENOMEM && map->reserved);
	count(&party->rounds->tally.refused);
	if (nothing_new)
		broken(party, &party->rounds->tally.killed,
		       "refused what it was promised before");
}

static inline void step_map(struct party *party)
{
	struct map *map = &party->map[pick(party, MAPS)];
	struct map new = {
		.file = pick(party, FILES),
		.from = pick(party, FILE_MOST),
		.reserved = pick(party, 8),
	};
	void *at;

	if (map->at)
		map_cut(party, map, map->pages);
	new.pages = 1 + pick(party, FILE_MOST - new.from);
	if (new.pages > MAP_MOST)
		new.pages = 1 + pick(party, MAP_MOST);
	new.is_private = new.file == FILE_PRIVATE;
	note(party, "map %d of file %d at %ld, %ld pages%s%s",
	     (int)(map - party->map), new.file, new.from, new.pages,
	     new.is_private ? ", private" : "",
	     new.reserved ? "" : ", no reserve");
	at = mmap(NULL, new.pages * HUGE, PROT_READ | PROT_WRITE,
		  (new.is_private ? MAP_PRIVATE : MAP_SHARED) |
		  (new.reserved ? 0 : MAP_NORESERVE),
		  party->file[new.file].fd, new.from * HUGE);
	if (at == MAP_FAILED) {
		map_refused(party, &new);
		return;
	}
	count(&party->rounds->tally.mapped);
	new.at = at;
	*map = new;
	map_begin(party, map);
}

static inline void step_unmap(struct party *party)
{
	struct map *map = pick_map(party);

	if (map)
		map_cut(party, map, 1 + pick(party, map->pages));
}

static inline void step_touch(struct party *party)
{
	struct map *map = pick_map(party);
	int i;

	for (i = 0; i < 4 && map; i++)
		map_touch(party, map, pick_page(party, map));
}

static inline void step_punch(struct party *party)
{
	struct file *file = &party->file[pick(party, FILE_PRIVATE)];
	long from = pick(party, FILE_MOST);
	long pages = 1 + pick(party, FILE_MOST - from);

	note(party, "punch file %d at %ld, %ld pages",
	     (int)(file - party->file), from, pages);
	must(fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       from * HUGE, pages * HUGE) == 0);
	file_forget(file, from, pages);
}

/* --- mbind() ------------------------------------------------------------- */

/* Where the kernel's mapping around @addr ends: an earlier mbind() may have split ours. */
static inline char *vma_end(const char *addr)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long start, end = 0;
	char line[512];

	must(maps);
	while (fgets(line, sizeof(line), maps)) {
		must(sscanf(line, "%lx-%lx", &start, &end) == 2);
		if ((unsigned long)addr < end)
			break;
	}
	fclose(maps);
	must(start <= (unsigned long)addr && (unsigned long)addr < end);
	return (char *)end;
}

static inline struct bound bound_new(const struct party *party,
				     const struct policy *policy)
{
	struct bound bound = {
		.policy = *policy,
		.nodes = policy_nodes(policy, mems_allowed()),
		.moves = party->moves,
	};

	/* The kernel takes one of them, and forgets the others. */
	if (policy->mode == MPOL_PREFERRED)
		bound.nodes &= -bound.nodes;
	return bound;
}

static inline bool bound_alike(const struct bound *a, const struct bound *b)
{
	return a->policy.mode == b->policy.mode &&
	       a->policy.flags == b->policy.flags;
}

/*
 * A policy that the mapping has already the kernel does not hand on: nothing changes then,
 * whatever has become of the file's meanwhile.
 */
static inline bool bound_same(const struct bound *a, const struct bound *b)
{
	return bound_alike(a, b) && a->nodes == b->nodes &&
	       (!a->policy.flags || a->policy.nodes == b->policy.nodes);
}

static inline void map_bound(struct party *party, struct map *map, long first,
			     long pages, const struct policy *policy)
{
	struct slot *slot;
	long i;

	for (i = first; i < first + pages; i++) {
		map->bound[i] = bound_new(party, policy);
		slot = map_slot(party, map, i);
		slot->range = (struct policy){
			.mode = policy->mode,
			.nodes = policy_nodes(policy, mems_allowed()),
		};
		if (slot->state == SLOT_PROMISED)
			slot_promise(party, slot);
		else if (slot->nodes)
			slot->nodes |= slot_asks(party, slot);
	}
}

/*
 * What the process' moves have made of a policy nobody asks here, so that one of the
 * same kind may or may not be the same: something else is tried then.
 */
static inline struct policy pick_bind(struct party *party,
				      const struct bound *before)
{
	struct policy policy = pick_policy(party);
	struct bound new = { .policy = policy };

	if (policy.nodes && before->moves != party->moves &&
	    bound_alike(before, &new))
		policy = (struct policy){ .mode = MPOL_LOCAL };
	return policy;
}

/*
 * The range is within one piece: of several, mbind() may have done the first when the
 * second is refused.
 */
static inline long pick_piece(struct party *party, const struct map *map,
			      long first)
{
	long pages = 1 + pick(party, map->from + map->pages - first);
	char *at = map_page(map, first);
	long most = (vma_end(at) - at) / HUGE;

	return pages < most ? pages : most;
}

static inline void step_bind(struct party *party)
{
	struct map *map = pick_map(party);
	struct policy policy;
	struct bound new;
	long first, pages;
	int err;

	if (!map)
		return;
	first = pick_page(party, map);
	pages = pick_piece(party, map, first);
	policy = pick_bind(party, &map->bound[first]);
	new = bound_new(party, &policy);
	note(party, "bind map %d at %ld, %ld pages, %s",
	     (int)(map - party->map), first, pages, policy_name(&policy));
	err = policy_bind(map_page(map, first), pages * HUGE, &policy);
	if (policy_is_void(&policy)) {
		must(err == EINVAL);
	} else if (bound_same(&map->bound[first], &new)) {
		must(!err);
	} else if (err) {
		must(err == ENOMEM && map_waits(party, map, first, pages));
		note(party, "no pages there");
		count(&party->rounds->tally.unbound);
	} else {
		count(&party->rounds->tally.bound);
		map_bound(party, map, first, pages, &policy);
	}
}

/* --- the file of all ----------------------------------------------------- */

static inline void wild_leave(struct party *party)
{
	struct wild *wild = &party->wild;

	if (wild->at)
		must(unmap_huge(wild->at, wild->pages) == 0);
	memset(wild, 0, sizeof(*wild));
}

static inline void wild_map(struct party *party)
{
	struct wild *wild = &party->wild;
	long i;

	wild->from = pick(party, FILE_MOST);
	wild->pages = 1 + pick(party, FILE_MOST - wild->from);
	note(party, "map wild at %ld, %ld pages", wild->from, wild->pages);
	wild->at = map_huge(party->rounds->wild, wild->from, wild->pages, 0);
	if (!wild->at) {
		must(errno == ENOMEM);
		count(&party->rounds->tally.refused);
		return;
	}
	count(&party->rounds->tally.mapped);
	for (i = wild->from; i < wild->from + wild->pages; i++)
		wild->told[i] = true;
}

/* Others are bound as well. */
static inline void wild_bind(struct party *party)
{
	struct policy policy = pick_policy(party);
	struct wild *wild = &party->wild;
	long first = pick(party, wild->pages);
	long pages = 1 + pick(party, wild->pages - first);
	int err;

	note(party, "bind wild at %ld, %ld pages, %s", wild->from + first,
	     pages, policy_name(&policy));
	err = policy_bind(wild->at + first * HUGE, pages * HUGE, &policy);
	must(!err || err == ENOMEM ||
	     (err == EINVAL && policy_is_void(&policy)));
}

static inline void step_wild(struct party *party)
{
	struct wild *wild = &party->wild;
	long page;

	if (!wild->at) {
		wild_map(party);
		return;
	}
	switch (pick(party, 6)) {
	case 0:
		wild_leave(party);
		break;
	case 1:
		wild_bind(party);
		break;
	default:
		page = wild->from + pick(party, wild->pages);
		if (wild->told[page])
			wild_touch(party, page);
	}
}

/* --- children ------------------------------------------------------------ */

#define CHILD_TOUCHES	6

/* The next that the child touches, or NULL. */
static inline struct map *child_pick(struct party *party, long *page)
{
	struct map *map = pick_map(party);

	if (!map)
		return NULL;
	*page = pick_page(party, map);
	/* Nobody would know then that the page is there. */
	if (!map->is_private &&
	    map_slot(party, map, *page)->state == SLOT_NONE)
		return NULL;
	return map;
}

/* A copy of a private page may be refused, what a file was promised may not. */
static inline int child_run(void *arg)
{
	struct party *party = arg;
	struct map *map;
	long page;
	int i;

	for (i = 0; i < CHILD_TOUCHES; i++) {
		map = child_pick(party, &page);
		if (!map || can_write(map_page(map, page)) ||
		    map->is_private || !party->rounds->kind->keeps)
			continue;
		broken(party, &party->rounds->tally.killed,
		       "SIGBUS in a child, promised on %s",
		       nodes_list(map_slot(party, map, page)->nodes));
	}
	return 0;
}

/* The owner goes on meanwhile. */
static inline void step_fork(struct party *party)
{
	/* What the parent knows lies in memory that they share. */
	struct party copy = *party;
	struct map *map;
	long page;
	pid_t pid;
	int i;

	note(party, "fork");
	pid = spawn(child_run, &copy);
	for (i = 0; i < CHILD_TOUCHES; i++) {
		map = pick_map(party);
		if (map && map->is_private && map->reserved)
			map_touch(party, map, pick_page(party, map));
	}
	must(reap(pid) == 0);
	/* What the child has brought is looked at before anything else happens. */
	party->state = copy.state;
	for (i = 0; i < CHILD_TOUCHES; i++) {
		map = child_pick(party, &page);
		if (map && !map->is_private)
			map_touch(party, map, page);
	}
}

/* --- the pool ------------------------------------------------------------ */

/* A page of a new size is dear: it has to be found, and cleared. */
#define RESIZE_MOST	6

static inline void step_resize(struct party *party)
{
	const struct rounds *rounds = party->rounds;
	int last = pick(party, nodes_count(rounds->memory)), nid;
	long change = (long)pick(party, 2 * RESIZE_MOST + 1) - RESIZE_MOST;
	long pages;

	for (nid = 0; nid < NODES_MOST; nid++)
		if (nodes_have(rounds->memory, nid) && !last--)
			break;
	pages = node_count(rounds->kind, nid, "nr") + change;
	if (pages < 0 || pages > 2 * rounds->pages)
		pages = rounds->pages;
	note(party, "resize node %d to %ld", nid, pages);
	must(node_resize(rounds->kind, nid, pages) == 0 ||
	     !rounds->kind->keeps);
}

#endif
