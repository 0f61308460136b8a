/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an administrator does while others use the pool: its size, memory that becomes short,
 * limits of the mount, policies, names of files, and looking. All of it is allowed at any
 * time.
 */
#ifndef RHUGEFS_STRESS_MACHINE_H
#define RHUGEFS_STRESS_MACHINE_H

#include <sys/mount.h>

#include "../numa.h"
#include "../pool_size.h"
#include "map.h"

/* Pages of the pool; all actors together may want more. */
#define POOL_LEAST	40
#define POOL_MOST	120
#define OVERCOMMIT_MOST	10

/* Names that an actor gives to the files of all. */
#define NAMES		3

/* --- the pool ------------------------------------------------------------ */

static inline void step_resize(struct actor *actor)
{
	int nid = pick(actor, pool_nr_nodes());
	long pages = POOL_LEAST + pick(actor, POOL_MOST - POOL_LEAST + 1);
	long more = pick(actor, 2) ? pick(actor, OVERCOMMIT_MOST) : 0;

	note(actor, "resize to %ld, node %d, overcommit %ld", pages, nid, more);
	switch (pick(actor, 4)) {
	case 0:
		sure(actor, resize_node(nid, pages / 2) == 0);
		return;
	case 1:
		sure(actor, overcommit(more) == 0);
		return;
	default:
		sure(actor, resize(pages) == 0);
	}
}

/* Somebody else may change the same two at the same time. */
static inline void step_watermarks(struct actor *actor)
{
	int err = watermarks(pick(actor, 50), 50 + pick(actor, 51));

	sure(actor, !err || err == EINVAL);
}

/*
 * The kernel asks all who can give something back, the pool too where it may. How much it
 * gives depends on what is zeroed just now.
 */
static inline void step_memory_short(struct actor *actor)
{
	const char *reclaim = pick(actor, 2) ? "1" : "0";

	if (is_alone(actor->run))
		return;
	note(actor, "memory is short, reclaim %s", reclaim);
	sure(actor, tell_kernel(PARAMETERS "reclaim", reclaim) == 0);
	sure(actor, tell_kernel("/proc/sys/vm/drop_caches", "2") == 0);
}

/* --- the mount ----------------------------------------------------------- */

static inline void step_remount(struct actor *actor)
{
	unsigned long most = 30 + pick(actor, 100);
	unsigned long least = pick(actor, 2) ? pick(actor, 12) : 0;
	char options[64];
	int err;

	if (pick(actor, 2))
		snprintf(options, sizeof(options), "size=%luM", 2 * most);
	else
		snprintf(options, sizeof(options), "min_size=%luM", 2 * least);
	err = mount("none", STRESS_DIR, NULL, MS_REMOUNT, options) ? errno : 0;
	note(actor, "remount %s: %s", options, error_name(err));
	sure(actor, !err || err == EINVAL || err == ENOMEM);
}

/* --- policies ------------------------------------------------------------ */

static inline struct policy policy_pick(struct actor *actor)
{
	static const int modes[] = { MPOL_DEFAULT, MPOL_DEFAULT, MPOL_BIND,
				     MPOL_INTERLEAVE, MPOL_PREFERRED };
	int nodes = pool_nr_nodes();
	struct policy policy = { .mode = modes[pick(actor, 5)] };

	if (policy.mode == MPOL_PREFERRED)
		policy.nodes = 1UL << pick(actor, nodes);
	else if (policy.mode != MPOL_DEFAULT)
		policy.nodes = 1 + pick(actor, (1UL << nodes) - 1);
	return policy;
}

static inline void step_policy(struct actor *actor)
{
	struct policy policy = policy_pick(actor);

	note(actor, "policy %d, nodes %#lx", policy.mode, policy.nodes);
	sure(actor, policy_set(&policy) == 0);
}

static inline void map_bind(struct actor *actor, struct map *map, int first,
			    int pages)
{
	struct policy policy = policy_pick(actor);
	int err = policy_bind(map->page[first].at, pages * HUGE, &policy);

	note(actor, "bind map %d, %d pages from %d, to %d, nodes %#lx: %s",
	     map_nr(actor, map), pages, first, policy.mode, policy.nodes,
	     error_name(err));
	sure(actor, !err || err == ENOMEM);
}

/* --- names --------------------------------------------------------------- */

/* Names are of the actor alone, but for those that the files began with. */
static inline void name_of(const struct actor *actor, int nr, char *name)
{
	if (nr < FILES)
		sprintf(name, STRESS_DIR "/all.%d", nr);
	else
		sprintf(name, STRESS_DIR "/dir%d/%d.%d", actor->nr % 2, actor->nr,
			nr);
}

static inline void name_open(struct actor *actor, const char *name)
{
	int fd = open(name, O_RDWR | O_CLOEXEC | (pick(actor, 2) ? O_DIRECT : 0));
	struct stat stat;
	bool known = false;
	int i;

	sure(actor, fd >= 0 || errno == ENOENT);
	if (fd < 0)
		return;
	sure(actor, fstat(fd, &stat) == 0);
	for (i = 0; i < FILES; i++)
		known |= actor->run->file[i].ino == stat.st_ino;
	sure(actor, known);
	close(fd);
}

static inline void step_name(struct actor *actor)
{
	struct file *file = &actor->run->file[pick(actor, FILES)];
	char one[64], other[64], self[64];

	name_of(actor, FILES + pick(actor, NAMES), one);
	name_of(actor, FILES + pick(actor, NAMES), other);
	switch (pick(actor, 6)) {
	case 0:
		sprintf(self, "/proc/self/fd/%d", file->fd);
		sure(actor, linkat(AT_FDCWD, self, AT_FDCWD, one,
				   AT_SYMLINK_FOLLOW) == 0 || errno == EEXIST);
		return;
	case 1:
		sure(actor, unlink(one) == 0 || errno == ENOENT);
		return;
	case 2:
		sure(actor, rename(one, other) == 0 || errno == ENOENT);
		return;
	case 3:
		name_of(actor, pick(actor, FILES), one);
		name_of(actor, pick(actor, FILES), other);
		sure(actor, renameat2(AT_FDCWD, one, AT_FDCWD, other,
				      RENAME_EXCHANGE) == 0);
		return;
	case 4:
		name_of(actor, pick(actor, FILES), one);
		name_open(actor, one);
		return;
	default:
		name_open(actor, one);
	}
}

/* --- looking ------------------------------------------------------------- */

static inline void read_all(struct actor *actor, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[4096];
	ssize_t bytes;

	if (fd < 0)
		return;
	do
		bytes = read(fd, buffer, sizeof(buffer));
	while (bytes > 0);
	sure(actor, bytes == 0);
	close(fd);
}

static inline void step_look(struct actor *actor)
{
	static const char *const path[] = {
		"/proc/self/smaps",
		"/proc/self/numa_maps",
		"/proc/self/mountinfo",
		"/sys/kernel/debug/rhugefs/users",
		"/sys/kernel/debug/rhugefs/stats",
		POOL_SYSFS "/resv_hugepages",
		POOL_SYSFS "/node0/free_hugepages",
	};

	if (one_in(actor, 4))
		sure(actor, selfcheck_says(true));
	else
		read_all(actor, path[pick(actor, ARRAY_SIZE(path))]);
}

#endif
