/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nodes, memory policies and cpusets, by the kernel's own calls: there is no libnuma in the
 * guest. Nodes are the bits of an unsigned long.
 */
#ifndef RHUGEFS_NUMA_H
#define RHUGEFS_NUMA_H

#include "rhugefs_test.h"

#include <linux/mempolicy.h>
#include <sys/stat.h>

/* Younger than the headers of Debian 12. */
#define MPOL_WEIGHTED	6

#define NODES_MOST	64

/* get_mempolicy() wants room for as many nodes as any kernel was built for. */
#define NODES_BITS	1024

/* --- nodes --------------------------------------------------------------- */

static inline bool nodes_have(unsigned long nodes, int nid)
{
	return nodes >> nid & 1;
}

static inline int nodes_count(unsigned long nodes)
{
	return __builtin_popcountl(nodes);
}

/* "0-2,5" as bits. */
static inline unsigned long nodes_parse(const char *list)
{
	unsigned long nodes = 0;
	long nid, last;
	char *end;

	while (*list >= '0' && *list <= '9') {
		nid = strtol(list, &end, 10);
		last = *end == '-' ? strtol(end + 1, &end, 10) : nid;
		must(last < NODES_MOST);
		for (; nid <= last; nid++)
			nodes |= 1UL << nid;
		list = end + (*end == ',');
	}
	return nodes;
}

/* Bits as "0,1,2,5,", which cpuset.mems takes as well. */
static inline const char *nodes_list(unsigned long nodes)
{
	static char text[4 * NODES_MOST];
	int nid, len = 0;

	text[0] = '\0';
	for (nid = 0; nid < NODES_MOST; nid++)
		if (nodes_have(nodes, nid))
			len += sprintf(text + len, "%s%d", len ? "," : "", nid);
	return text;
}

/* What /sys/devices/system/node says: "online", "has_memory", "has_cpu". */
static inline unsigned long nodes_that(const char *are)
{
	char path[64], list[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/node/%s", are);
	file = fopen(path, "re");
	/* A kernel that knows nothing of nodes has one. */
	if (!file)
		return 1;
	must(fgets(list, sizeof(list), file));
	fclose(file);
	return nodes_parse(list);
}

/* --- policies ------------------------------------------------------------ */

/**
 * struct policy - a memory policy, as a task, a range or a mount may have it
 * @mode: MPOL_DEFAULT and so on
 * @flags: MPOL_F_STATIC_NODES or MPOL_F_RELATIVE_NODES, or none
 * @nodes: as the user gave them where there is a flag, else as they are in force
 */
struct policy {
	int mode;
	int flags;
	unsigned long nodes;
};

static inline const char *policy_name(const struct policy *policy)
{
	static const char *const modes[] = {
		"default", "preferred", "bind",	   "interleave",
		"local",   "many",	"weighted",
	};
	static char text[64 + 4 * NODES_MOST];

	snprintf(text, sizeof(text), "%s%s:%s", modes[policy->mode],
		 policy->flags & MPOL_F_STATIC_NODES   ? "=static" :
		 policy->flags & MPOL_F_RELATIVE_NODES ? "=relative" :
							 "",
		 nodes_list(policy->nodes));
	return text;
}

/* Node n of @nodes is the n-th of @mems, counted round. */
static inline unsigned long nodes_relative(unsigned long nodes,
					   unsigned long mems)
{
	unsigned long ordered[NODES_MOST], result = 0;
	int nid, nr = 0;

	for (nid = 0; nid < NODES_MOST; nid++)
		if (nodes_have(mems, nid))
			ordered[nr++] = 1UL << nid;
	for (nid = 0; nid < NODES_MOST; nid++)
		if (nodes_have(nodes, nid))
			result |= ordered[nid % nr];
	return result;
}

/* The nodes that a task with @mems means when it asks for a policy. */
static inline unsigned long policy_nodes(const struct policy *policy,
					 unsigned long mems)
{
	if (policy->flags & MPOL_F_RELATIVE_NODES)
		return nodes_relative(policy->nodes, mems);
	return policy->nodes & mems;
}

/* Whether a page must come from the policy's nodes, and not only preferably. */
static inline bool policy_binds(const struct policy *policy)
{
	return policy->mode == MPOL_BIND || policy->mode == MPOL_INTERLEAVE ||
	       policy->mode == MPOL_WEIGHTED;
}

/* Where a page may come from under @policy, for a task with @mems. */
static inline unsigned long policy_allows(const struct policy *policy,
					  unsigned long mems)
{
	return policy_binds(policy) ? policy_nodes(policy, mems) : mems;
}

/* 0 or an errno. */
static inline int policy_set(const struct policy *policy)
{
	return syscall(SYS_set_mempolicy, policy->mode | policy->flags,
		       &policy->nodes, NODES_MOST + 1UL) ? errno : 0;
}

static inline int policy_bind(void *addr, unsigned long len,
			      const struct policy *policy)
{
	return syscall(SYS_mbind, addr, len, policy->mode | policy->flags,
		       &policy->nodes, NODES_MOST + 1UL, 0) ? errno : 0;
}

static inline struct policy policy_ask(void *addr, int flags)
{
	unsigned long nodes[NODES_BITS / NODES_MOST] = { 0 };
	int mode = 0, kinds = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;

	must(syscall(SYS_get_mempolicy, &mode, nodes, NODES_BITS, addr, flags) ==
	     0);
	return (struct policy){
		.mode = mode & ~kinds, .flags = mode & kinds, .nodes = nodes[0],
	};
}

/*
 * What is in force for this task. A policy that was left without any of its nodes, as
 * the task has moved, means all there are.
 */
static inline struct policy policy_of_task(unsigned long mems)
{
	struct policy policy = policy_ask(NULL, 0);

	if (policy_binds(&policy) && !policy_nodes(&policy, mems))
		policy.nodes = mems;
	return policy;
}

static inline struct policy policy_at(void *addr)
{
	return policy_ask(addr, MPOL_F_ADDR);
}

/* What the task's cpuset has. */
static inline unsigned long mems_allowed(void)
{
	return policy_ask(NULL, MPOL_F_MEMS_ALLOWED).nodes;
}

/* Where the page lies that is there. */
static inline int node_of(void *addr)
{
	int nid = -1;

	must(syscall(SYS_get_mempolicy, &nid, NULL, 0UL, addr,
		     MPOL_F_NODE | MPOL_F_ADDR) == 0);
	return nid;
}

/* --- cpusets ------------------------------------------------------------- */

#define CGROUP		"/sys/fs/cgroup"

/* 0 or an errno. */
static inline int cgroup_write(const char *group, const char *file,
			       const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), CGROUP "%s/%s", group, file);
	return tell_kernel(path, text);
}

/* Whether a cpuset could be made as @group, "/NAME". */
static inline bool cpuset_make(const char *group)
{
	char path[128];

	snprintf(path, sizeof(path), CGROUP "%s", group);
	if (cgroup_write("", "cgroup.subtree_control", "+cpuset"))
		return false;
	/*
	 * One of them stays: with the first and the last the kernel patches its own code,
	 * over which QEMU may trip.
	 */
	must(mkdir(CGROUP "/stays", 0755) == 0 || errno == EEXIST);
	must(mkdir(path, 0755) == 0);
	return true;
}

static inline void cpuset_end(const char *group)
{
	char path[128];

	snprintf(path, sizeof(path), CGROUP "%s", group);
	must(rmdir(path) == 0);
}

/* The calling process moves there; "" is the root, which has all nodes. */
static inline void cpuset_enter(const char *group)
{
	must(cgroup_write(group, "cgroup.procs", "0") == 0);
}

static inline void cpuset_mems(const char *group, unsigned long nodes)
{
	must(cgroup_write(group, "cpuset.mems", nodes_list(nodes)) == 0);
}

#endif
