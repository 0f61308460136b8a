// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies of the module's own. A module can take a reference to a policy of the
 * kernel's, but not drop one, so that what is to stay is copied. The kernel is shown
 * these copies (get_mempolicy(), numa_maps), and has references to them while it looks;
 * it must never come by the last one, with which it would free what is not its own.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "policy.h"

/* Those that are not used any more, but were still looked at. */
static LIST_HEAD(policy_leaving);
static DEFINE_SPINLOCK(policy_lock);

/**
 * policy_copy() - Copy a policy.
 * @from: the policy, or NULL for a copy that says that there is none
 *
 * Context: may sleep.
 * Return: the copy, or NULL where memory is short.
 */
struct policy *policy_copy(const struct mempolicy *from)
{
	struct policy *policy = kzalloc(sizeof(*policy), GFP_KERNEL_ACCOUNT);

	if (!policy)
		return NULL;
	atomic_set(&policy->policy.refcnt, 1);
	policy->policy.home_node = NUMA_NO_NODE;
	/* The kernel drops the reference that it gets when it looks. */
	policy->policy.flags = MPOL_F_SHARED;
	if (!from)
		return policy;
	policy->policy.mode = from->mode;
	policy->policy.flags |= from->flags & MPOL_MODE_FLAGS;
	policy->policy.nodes = from->nodes;
	policy->policy.home_node = from->home_node;
	/* A user may name nodes that cannot be, in any number of ways. */
	nodes_and(policy->policy.w.user_nodemask, from->w.user_nodemask,
		  node_states[N_POSSIBLE]);
	return policy;
}

/**
 * policy_equal() - Do two policies say the same?
 * @a: one; NULL for none
 * @b: the other; likewise
 *
 * Return: whether they do.
 */
bool policy_equal(const struct policy *a, const struct policy *b)
{
	const struct mempolicy *x, *y;

	if (!a || !b)
		return a == b;
	x = &a->policy;
	y = &b->policy;
	return x->mode == y->mode && x->flags == y->flags &&
	       x->home_node == y->home_node && nodes_equal(x->nodes, y->nodes) &&
	       nodes_equal(x->w.user_nodemask, y->w.user_nodemask);
}

/* Free those that nobody looks at; whether there are others. */
static bool policy_free_unused(void)
{
	struct policy *policy, *next;
	bool left;

	spin_lock(&policy_lock);
	list_for_each_entry_safe(policy, next, &policy_leaving, link) {
		if (atomic_read(&policy->policy.refcnt) > 1)
			continue;
		list_del(&policy->link);
		kfree(policy);
	}
	left = !list_empty(&policy_leaving);
	spin_unlock(&policy_lock);
	return left;
}

/**
 * policy_destroy() - Free a policy, at the latest with the module.
 * @policy: what policy_copy() returned, and nobody can find any more; NULL is allowed
 */
void policy_destroy(struct policy *policy)
{
	if (!policy)
		return;
	spin_lock(&policy_lock);
	list_add(&policy->link, &policy_leaving);
	spin_unlock(&policy_lock);
	policy_free_unused();
}

/**
 * policy_exit() - Wait until nobody looks at a policy.
 */
void policy_exit(void)
{
	int tries = 0;

	while (policy_free_unused()) {
		if (++tries == 100)
			pr_notice("waiting until somebody has looked at a memory policy\n");
		msleep(20);
	}
}
