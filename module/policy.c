// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory policies: on which nodes pages may lie, and where they should.
 *
 * What the kernel makes of a policy when it allocates is not open to modules, but what
 * a policy says is: that of a range (mbind()), of the mount (mpol=), or of the task
 * (set_mempolicy()), whichever there is first, and beside it the nodes of the task's
 * cpuset and those to which the mount is bound. The names are those of
 * set_mempolicy(2), and what they mean is what they mean there.
 */
#include <linux/mempolicy.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "inode.h"
#include "policy.h"
#include "super.h"

/**
 * struct policy_now - what counts at one moment
 * @mode: MPOL_ mode
 * @home: node that comes first of several, or NUMA_NO_NODE
 * @nodes: those of the policy
 * @cpuset: those that the task may use
 */
struct policy_now {
	unsigned short mode;
	int home;
	struct nodeset nodes;
	struct nodeset cpuset;
};

/*
 * A task that changes its own policy is not here at the same time; who moves its cpuset
 * changes both under the sequence count.
 */
static void policy_read(struct policy_now *now, const struct mempolicy *policy)
{
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&current->mems_allowed_seq);
		now->mode = MPOL_DEFAULT;
		now->home = NUMA_NO_NODE;
		nodeset_read(&now->cpuset, &current->mems_allowed);
		if (policy) {
			now->mode = policy->mode;
			now->home = policy->home_node;
			nodeset_read(&now->nodes, &policy->nodes);
		}
	} while (read_seqcount_retry(&current->mems_allowed_seq, seq));
}

/* The node of the set whose turn it is. */
static int policy_interleave(const struct nodeset *nodes, unsigned long index)
{
	unsigned long turn = index % nodeset_weight(nodes);
	int nid;

	for_each_node_of(nid, nodes)
		if (!turn--)
			return nid;
	return numa_mem_id();
}

static void policy_apply(struct wish *wish, const struct policy_now *now,
			 unsigned long index)
{
	bool home = now->home >= 0 && now->home < nr_node_ids;

	switch (now->mode) {
	case MPOL_BIND:
		nodeset_and(&wish->allowed, &wish->allowed, &now->nodes);
		wish->preferred = wish->allowed;
		if (home)
			wish->nid = now->home;
		break;
	case MPOL_PREFERRED:
		if (!nodeset_empty(&now->nodes))
			wish->nid = nodeset_first(&now->nodes);
		break;
	case MPOL_PREFERRED_MANY:
		nodeset_and(&wish->preferred, &wish->allowed, &now->nodes);
		if (home)
			wish->nid = now->home;
		break;
	case MPOL_INTERLEAVE:
	case MPOL_WEIGHTED_INTERLEAVE:
		nodeset_and(&wish->allowed, &wish->allowed, &now->nodes);
		wish->preferred = wish->allowed;
		wish->interleave = !nodeset_empty(&wish->allowed);
		if (wish->interleave)
			wish->nid = policy_interleave(&wish->allowed, index);
		break;
	}
}

/*
 * The nodes of a mount's policy are cut with the cpuset of whoever uses it, or counted
 * through it; a policy that has none left there counts for nothing, as on tmpfs.
 */
static void policy_adapt(struct policy_now *now, const struct mempolicy *policy)
{
	int nid;

	if (nodes_empty(policy->nodes))
		return;
	/* They may be numbers of nodes that no machine has. */
	if (policy->flags & MPOL_F_RELATIVE_NODES) {
		now->nodes = (struct nodeset){};
		for_each_node_mask(nid, policy->nodes)
			nodeset_add(&now->nodes,
				    policy_interleave(&now->cpuset, nid));
		return;
	}
	nodeset_and(&now->nodes, &now->nodes, &now->cpuset);
	if (nodeset_empty(&now->nodes))
		now->mode = MPOL_DEFAULT;
}

/* A mount that is bound to all nodes there are is not to have those that come. */
static void policy_widen(struct wish *wish)
{
	struct nodeset memory;

	nodeset_read(&memory, &node_states[N_MEMORY]);
	wish->any = wish->any && nodeset_subset(&memory, &wish->allowed);
	if (wish->any)
		nodeset_fill(&wish->allowed);
}

/*
 * Of what the mount allows: what policy and cpuset leave. Apart from policy_wish(), so
 * that who has one node does not pay for it.
 */
static noinline void policy_narrow(struct wish *wish,
				   const struct super_info *info,
				   const struct mempolicy *policy,
				   unsigned long index)
{
	bool mounts = !policy && info->policy;
	struct policy_now now;

	if (!policy)
		policy = mounts ? &info->policy->policy : current->mempolicy;
	policy_read(&now, policy);
	if (mounts)
		policy_adapt(&now, policy);
	nodeset_and(&wish->allowed, &wish->allowed, &now.cpuset);
	wish->preferred = wish->allowed;
	policy_apply(wish, &now, index);
	policy_widen(wish);
}

/**
 * policy_wish() - Where pages of a file should lie.
 * @wish: filled in
 * @inode: the file
 * @policy: the policy of the range, or NULL for that of the mount, or else of the task
 * @index: index in the file, in huge pages, which is what interleaving goes by
 *
 * Context: process. @policy is not changed meanwhile, but for a cpuset.
 */
void policy_wish(struct wish *wish, struct inode *inode,
		 const struct mempolicy *policy, unsigned long index)
{
	struct super_info *info = super_info(inode->i_sb);

	wish_within(wish, info->quota->kept.scope);
	if (nr_node_ids > 1)
		policy_narrow(wish, info, policy, index);
}

/* --- mount options ------------------------------------------------------- */

static const char *const policy_modes[] = {
	[MPOL_DEFAULT] = "default",
	[MPOL_PREFERRED] = "prefer",
	[MPOL_BIND] = "bind",
	[MPOL_INTERLEAVE] = "interleave",
	[MPOL_LOCAL] = "local",
	[MPOL_PREFERRED_MANY] = "prefer (many)",
};

static const struct {
	const char *name;
	unsigned short flag;
} policy_flags[] = {
	{ "=static", MPOL_F_STATIC_NODES },
	{ "=relative", MPOL_F_RELATIVE_NODES },
};

/* "MODE", "MODE:NODES" or "MODE=FLAG:NODES"; -EINVAL where it is none of these. */
static int policy_split(char *text, struct mempolicy *policy, bool *listed)
{
	char *nodes = strchr(text, ':'), *flag;
	size_t i;
	int mode;

	*listed = nodes;
	if (nodes)
		*nodes++ = '\0';
	flag = strchr(text, '=');
	for (i = 0; flag && i < ARRAY_SIZE(policy_flags); i++)
		if (!strcmp(flag, policy_flags[i].name))
			policy->flags = policy_flags[i].flag;
	if (flag && !policy->flags)
		return -EINVAL;
	if (flag)
		*flag = '\0';
	mode = match_string(policy_modes, ARRAY_SIZE(policy_modes), text);
	if (mode < 0)
		return -EINVAL;
	policy->mode = mode;
	return nodes && nodelist_parse(nodes, policy->nodes) ? -EINVAL : 0;
}

/* What each mode wants of its nodes. */
static bool policy_is_sound(struct mempolicy *policy, bool listed,
			    const nodemask_t *nodes)
{
	bool relative = policy->flags & MPOL_F_RELATIVE_NODES;

	if (listed && (nodes_empty(policy->nodes) ||
		       (!relative && !nodes_subset(policy->nodes, *nodes))))
		return false;
	switch (policy->mode) {
	case MPOL_DEFAULT:
	case MPOL_LOCAL:
		return !listed && !policy->flags;
	case MPOL_PREFERRED:
		if (!listed)
			policy->mode = MPOL_LOCAL;
		return listed ? nodes_weight(policy->nodes) == 1 :
				!policy->flags;
	case MPOL_INTERLEAVE:
		if (!listed)
			policy->nodes = node_states[N_MEMORY];
		return true;
	default:
		return listed;
	}
}

/**
 * policy_parse() - Read a policy as the mount option mpol= of tmpfs has it.
 * @text: the option's value
 * @policy: filled in
 * @nodes: those that it may name
 *
 * Context: may sleep.
 * Return: 0, -EINVAL where it is none, or -ENOMEM.
 */
int policy_parse(const char *text, struct mempolicy *policy,
		 const nodemask_t *nodes)
{
	char *copy = kstrdup(text, GFP_KERNEL);
	bool listed;
	int err;

	if (!copy)
		return -ENOMEM;
	*policy = (struct mempolicy){
		.refcnt = ATOMIC_INIT(1),
		.home_node = NUMA_NO_NODE,
	};
	err = policy_split(copy, policy, &listed);
	kfree(copy);
	if (!err && !policy_is_sound(policy, listed, nodes))
		err = -EINVAL;
	policy->w.user_nodemask = policy->nodes;
	return err;
}

/**
 * policy_fits() - May there be pages under a mount's policy?
 * @policy: the policy
 * @nodes: nodes to which the mount is bound
 *
 * Return: false where there never can.
 */
bool policy_fits(const struct mempolicy *policy, const nodemask_t *nodes)
{
	return (policy->mode != MPOL_BIND && policy->mode != MPOL_INTERLEAVE) ||
	       policy->flags & MPOL_F_RELATIVE_NODES ||
	       nodes_intersects(policy->nodes, *nodes);
}

/**
 * policy_show() - Print a policy as policy_parse() reads it.
 * @seq: where to
 * @policy: the policy
 */
void policy_show(struct seq_file *seq, const struct mempolicy *policy)
{
	size_t i;

	/* A space would end the options. */
	seq_escape(seq, policy_modes[policy->mode], " ");
	for (i = 0; i < ARRAY_SIZE(policy_flags); i++)
		if (policy->flags & policy_flags[i].flag)
			seq_puts(seq, policy_flags[i].name);
	if (!nodes_empty(policy->nodes))
		seq_printf(seq, ":%*pbl", nodemask_pr_args(&policy->nodes));
}
