/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rounds of policies: four processes change policies and cpusets, map, bind, touch, fork,
 * punch, and resize the pool node by node. Each knows for every index that it was promised
 * on which nodes its page may lie. Here is what they know; rounds_steps.h is what they
 * do, rounds_run.h all of it.
 *
 * The same is done to hugetlbfs, where what was not kept is counted.
 */
#ifndef RHUGEFS_ROUNDS_H
#define RHUGEFS_ROUNDS_H

#include "numa.h"
#include "step_log.h"

#include <linux/falloc.h>

#define PARTIES		4

/* The last file of each process is for private mappings, and nobody cuts it. */
#define FILES		3
#define FILE_PRIVATE	(FILES - 1)
#define FILE_MOST	10
#define MAPS		5
#define MAP_MOST	4

/**
 * struct slot - what an index of a file, or of a private mapping, was promised
 * @state: whether it was promised, and whether its page has come
 * @node: where that lies
 * @nodes: where it may lie
 * @range: the policy of the range that it is in, MPOL_DEFAULT where there is none
 */
struct slot {
	enum {
		SLOT_NONE,
		SLOT_PROMISED,
		SLOT_THERE,
	} state;
	int node;
	unsigned long nodes;
	struct policy range;
};

struct file {
	int fd;
	struct slot slot[FILE_MOST];
};

/**
 * struct bound - the last policy that a part of a mapping was given with success
 * @policy: as it was asked for, MPOL_DEFAULT where it never was
 * @nodes: what that meant
 * @moves: how often the process had moved by then
 */
struct bound {
	struct policy policy;
	unsigned long nodes;
	int moves;
};

/**
 * struct map - a mapping of one of the process' own files
 * @at: where its first page is, NULL where there is no mapping
 * @file: which of the files
 * @from: its first page in the file
 * @pages: its length
 * @is_private: MAP_PRIVATE
 * @reserved: not MAP_NORESERVE
 * @own: of a private mapping, by page of the file
 * @bound: likewise, of either kind
 */
struct map {
	char *at;
	int file;
	long from;
	long pages;
	bool is_private;
	bool reserved;
	struct slot own[FILE_MOST];
	struct bound bound[FILE_MOST];
};

/**
 * struct wild - what a process has of the file that all have
 * @at: its mapping, or NULL
 * @from: the mapping's first page in the file
 * @pages: its length
 * @told: pages that it was told it can have
 */
struct wild {
	char *at;
	long from;
	long pages;
	bool told[FILE_MOST];
};

/**
 * struct kind - one of the file systems
 * @name: as in /proc/mounts
 * @counts: the directory of a node's counts, with a %d
 * @keeps: what it promises it is to keep
 */
struct kind {
	const char *name;
	const char *counts;
	bool keeps;
};

/**
 * struct tally - what has happened, in all processes together
 * @mapped: mappings that were made
 * @refused: and those that were not
 * @bound: calls of mbind() that were accepted
 * @unbound: and those for which there were no pages
 * @touched: promises that were kept
 * @killed: promises that ended in SIGBUS
 * @misplaced: pages on a node that their policy forbids
 * @asked: how often it was tried out how many pages can be had
 */
struct tally {
	long mapped;
	long refused;
	long bound;
	long unbound;
	long touched;
	long killed;
	long misplaced;
	long asked;
};

struct rounds;

/**
 * struct party - one of the processes
 * @rounds: what they share
 * @nr: which of them it is
 * @state: its chance
 * @round: how far it has come
 * @step: how far in this round
 * @cpuset: its own, "/NAME"
 * @moves: how often its nodes were changed
 */
struct party {
	struct rounds *rounds;
	int nr;
	unsigned long state;
	int round;
	int step;
	char cpuset[32];
	int moves;
	struct file file[FILES];
	struct map map[MAPS];
	struct wild wild;
};

/**
 * struct rounds - what the processes share, and what is asked of them
 * @kind: the file system
 * @dir: where it is mounted
 * @seed: of all chance
 * @nr_rounds: how many there are to be
 * @pages: of each node, more or less
 * @mount: the policy that the mount has, MPOL_DEFAULT where it has none
 * @online: nodes
 * @memory: nodes that have memory
 * @cpusets: they can be made
 * @weighted: this kernel knows MPOL_WEIGHTED
 * @wild: the file that all have
 */
struct rounds {
	const struct kind *kind;
	const char *dir;
	unsigned long seed;
	int nr_rounds;
	long pages;
	struct policy mount;
	unsigned long online;
	unsigned long memory;
	bool cpusets;
	bool weighted;
	int wild;
	struct sync sync;
	struct tally tally;
	struct party party[PARTIES];
	struct step_log log[PARTIES];
};

static inline struct step_log *log_of(const struct party *party)
{
	return &party->rounds->log[party->nr];
}

#define note(party, ...)	step_note(log_of(party), __VA_ARGS__)

static inline unsigned long pick(struct party *party, unsigned long n)
{
	return chance_of(&party->state, n);
}

/*
 * Something was not kept: the end of the test, or one more of them where only
 * counting was asked for.
 */
static inline void __attribute__((format(printf, 3, 4)))
broken(struct party *party, long *counter, const char *format, ...)
{
	const struct rounds *rounds = party->rounds;
	char text[LOG_WIDTH];
	va_list args;

	count(counter);
	if (!rounds->kind->keeps)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(STDOUT_FILENO,
		"# %s, seed %lu, process %d, round %d, step %d: %s\n",
		rounds->kind->name, rounds->seed, party->nr, party->round,
		party->step, text);
	_exit(1);
}

/* --- the pool, of either kind -------------------------------------------- */

static inline long node_count(const struct kind *kind, int nid,
			      const char *name)
{
	char path[160], text[32] = "";
	int len = snprintf(path, sizeof(path), kind->counts, nid), fd;

	snprintf(path + len, sizeof(path) - len, "/%s_hugepages", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atol(text);
}

/* 0 or an errno. */
static inline int node_resize(const struct kind *kind, int nid, long pages)
{
	char path[160], text[32];
	int len = snprintf(path, sizeof(path), kind->counts, nid);

	snprintf(path + len, sizeof(path) - len, "/nr_hugepages");
	snprintf(text, sizeof(text), "%ld\n", pages);
	return tell_kernel(path, text);
}

static inline int file_in(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	must(fd >= 0 && ftruncate(fd, FILE_MOST * HUGE) == 0);
	return fd;
}

/* --- promises ------------------------------------------------------------ */

/* A mount's policy of which no node is left counts for nothing, as on tmpfs. */
static inline unsigned long mount_allows(const struct rounds *rounds,
					 unsigned long mems)
{
	return policy_allows(&rounds->mount, mems) ?: mems;
}

/*
 * Where a page may lie that is promised now: the range's policy counts before the mount's,
 * and that before the task's.
 */
static inline unsigned long slot_asks(const struct party *party,
				      const struct slot *slot)
{
	unsigned long mems = mems_allowed();
	struct policy policy = slot->range;

	if (policy.mode != MPOL_DEFAULT)
		return policy_allows(&policy, mems);
	if (party->rounds->mount.mode != MPOL_DEFAULT)
		return mount_allows(party->rounds, mems);
	policy = policy_of_task(mems);
	return policy_allows(&policy, mems);
}

static inline void slot_promise(struct party *party, struct slot *slot)
{
	slot->nodes = slot_asks(party, slot);
	if (!slot->nodes)
		broken(party, &party->rounds->tally.misplaced,
		       "promised a page on no node");
	slot->state = SLOT_PROMISED;
}

static inline struct slot *map_slot(struct party *party, struct map *map,
				    long page)
{
	return map->is_private ? &map->own[page] :
				 &party->file[map->file].slot[page];
}

static inline char *map_page(const struct map *map, long page)
{
	return map->at + (page - map->from) * HUGE;
}

/* Whether anything in the range has a page to come. */
static inline bool map_waits(struct party *party, struct map *map, long first,
			     long pages)
{
	long i;

	for (i = first; i < first + pages; i++)
		if (map_slot(party, map, i)->state == SLOT_PROMISED)
			return true;
	return false;
}

/* Whether a new mapping of the range must ask for pages. */
static inline bool file_lacks(const struct file *file, long from, long pages)
{
	long i;

	for (i = from; i < from + pages; i++)
		if (file->slot[i].state == SLOT_NONE)
			return true;
	return false;
}

static inline void file_forget(struct file *file, long from, long pages)
{
	long i;

	/* The policy stays: it is the range's and not the page's. */
	for (i = from; i < from + pages; i++)
		file->slot[i].state = SLOT_NONE;
}

/* --- touching ------------------------------------------------------------ */

/*
 * hugetlbfs goes by the policy at the time of the fault and says so, and so does rhugefs
 * where a page that is there must be copied: only what that forbids, too, is held
 * against them.
 */
static inline unsigned long nodes_at_fault(const struct party *party,
					   const struct slot *slot, void *addr)
{
	unsigned long mems;
	struct policy policy;

	if (party->rounds->kind->keeps && slot->state != SLOT_THERE)
		return 0;
	mems = mems_allowed();
	policy = policy_at(addr);
	/* Of one that has no node left, since the task has moved, the kernel makes all. */
	if (policy.mode != MPOL_DEFAULT)
		return policy_allows(&policy, mems) ?: mems;
	if (party->rounds->mount.mode != MPOL_DEFAULT)
		return mount_allows(party->rounds, mems);
	policy = policy_of_task(mems);
	return policy_allows(&policy, mems);
}

/* A page that has come, or was copied since a child shares it with its owner. */
static inline void slot_placed(struct party *party, struct slot *slot, int node,
			       unsigned long also)
{
	struct tally *tally = &party->rounds->tally;

	if (slot->state == SLOT_PROMISED)
		count(&tally->touched);
	else if (!party->rounds->kind->keeps || node == slot->node)
		return;
	if (slot->nodes && !nodes_have(slot->nodes | also, node))
		broken(party, &tally->misplaced,
		       "%s on node %d, was on %d, not on %#lx, now %#lx",
		       slot->state == SLOT_THERE ? "copy" : "page", node,
		       slot->node, slot->nodes, also);
}

static inline void slot_touch(struct party *party, struct slot *slot,
			      char *addr)
{
	unsigned long also = nodes_at_fault(party, slot, addr);
	int node;

	if (!can_write(addr)) {
		if (slot->state != SLOT_NONE)
			broken(party, &party->rounds->tally.killed,
			       "SIGBUS, promised on %s",
			       nodes_list(slot->nodes));
		/* A promise is broken only once. */
		slot->state = SLOT_NONE;
		return;
	}
	node = node_of(addr);
	if (slot->state == SLOT_NONE)
		slot->nodes = 0;
	else
		slot_placed(party, slot, node, also);
	slot->node = node;
	slot->state = SLOT_THERE;
}

static inline void map_touch(struct party *party, struct map *map, long page)
{
	note(party, "touch map %d page %ld", (int)(map - party->map), page);
	slot_touch(party, map_slot(party, map, page), map_page(map, page));
}

/* Who promised it, and where, nobody knows; but nobody takes it away. */
static inline void wild_touch(struct party *party, long page)
{
	struct wild *wild = &party->wild;

	note(party, "touch wild page %ld", page);
	if (can_write(wild->at + (page - wild->from) * HUGE))
		return;
	wild->told[page] = false;
	broken(party, &party->rounds->tally.killed,
	       "SIGBUS in the file of all, page %ld", page);
}

#endif
