// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies that mbind() has given to parts of a file through a shared mapping. They are
 * the file's, as on tmpfs: all who map it, or write to it, agree on where its pages are.
 */
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "file_policy.h"
#include "inode.h"
#include "rebind.h"

/* Policies that a file may have had before it is looked for those that can go. */
#define FILE_POLICIES	64

/* What says that there is none, after there has been one. */
static bool file_policy_is_none(const struct policy *policy)
{
	return policy->policy.mode == MPOL_DEFAULT;
}

/* Of the first part of a range, whose end is @to then; NULL where it has none. */
static struct mempolicy *file_policy_part(struct file_policy *of,
					  unsigned long from, unsigned long *to)
{
	struct region_run run;
	struct policy *policy;

	if (!of || !region_run(&of->map, from, *to, &run))
		return NULL;
	if (run.from > from) {
		*to = run.from;
		return NULL;
	}
	*to = run.to;
	policy = run.of;
	return file_policy_is_none(policy) ? NULL : &policy->policy;
}

/**
 * file_policy_at() - The policy of a page of a file.
 * @inode: a regular file's inode
 * @index: the index, in huge pages
 *
 * Context: invalidate_lock is held, at least shared.
 * Return: the policy, or NULL where mbind() has given it none. It stays as long as the
 * lock is held.
 */
struct mempolicy *file_policy_at(struct inode *inode, unsigned long index)
{
	unsigned long to = index + 1;

	return file_policy_part(huge_inode(inode)->policy, index, &to);
}

/**
 * file_policy_get() - The same, for who holds no lock of the file and is only looking.
 * @inode: a regular file's inode
 * @index: the index, in huge pages
 *
 * Context: may sleep, but not for long.
 * Return: the policy with a reference, or NULL.
 */
struct mempolicy *file_policy_get(struct inode *inode, unsigned long index)
{
	unsigned long to = index + 1;
	struct mempolicy *policy;
	struct file_policy *of;

	/* Pairs with file_policy_make(). */
	of = smp_load_acquire(&huge_inode(inode)->policy);
	if (!of)
		return NULL;
	down_read(&of->lock);
	policy = file_policy_part(of, index, &to);
	if (policy)
		mpol_get(policy);
	up_read(&of->lock);
	return policy;
}

/**
 * file_policy_reserve() - Promise a page for each index of a range of a file.
 * @inode: a regular file's inode
 * @from: first index, in huge pages
 * @to: index behind the last one, greater than @from
 *
 * Context: invalidate_lock is held exclusively; may sleep.
 * Return: what reserve_range() returns.
 */
int file_policy_reserve(struct inode *inode, unsigned long from,
			unsigned long to)
{
	struct reserve *reserve = huge_inode(inode)->reserve;
	struct file_policy *of = huge_inode(inode)->policy;
	struct mempolicy *policy;
	struct wish wish __uninitialized;
	unsigned long end = to;
	LIST_HEAD(pieces);
	int err;

	policy = file_policy_part(of, from, &end);
	policy_wish(&wish, inode, policy, from);
	if (end == to)
		return reserve_range(reserve, from, to, &wish);
	for (;;) {
		err = pieces_add(&pieces, from, end, &wish);
		if (err || end == to)
			break;
		from = end;
		end = to;
		policy = file_policy_part(of, from, &end);
		policy_wish(&wish, inode, policy, from);
	}
	if (!err)
		err = pieces_reserve(reserve, &pieces);
	pieces_free(reserve, &pieces);
	return err;
}

/* Those that belong to no part of the file any more go, once there are many. */
static void file_policy_clean(struct file_policy *of)
{
	struct policy *policy, *next;
	struct region_run run = {};

	if (of->nr_policies < of->most_policies)
		return;
	list_for_each_entry(policy, &of->policies, link)
		policy->used = false;
	while (region_run(&of->map, run.to, REGION_END, &run)) {
		policy = run.of;
		policy->used = true;
		cond_resched();
	}
	list_for_each_entry_safe(policy, next, &of->policies, link) {
		if (policy->used)
			continue;
		list_del(&policy->link);
		of->nr_policies--;
		policy_destroy(policy);
		cond_resched();
	}
	of->most_policies = 2 * of->nr_policies + FILE_POLICIES;
}

/* The file's copy of a policy, each once: mbind() in a loop must not fill memory. */
static struct policy *file_policy_keep(struct file_policy *of,
				       const struct mempolicy *from)
{
	struct policy *copy = policy_copy(from), *policy;

	if (!copy)
		return NULL;
	file_policy_clean(of);
	list_for_each_entry(policy, &of->policies, link) {
		if (policy_equal(policy, copy)) {
			policy_destroy(copy);
			return policy;
		}
		cond_resched();
	}
	list_add(&copy->link, &of->policies);
	of->nr_policies++;
	return copy;
}

static struct file_policy *file_policy_make(struct inode *inode)
{
	struct huge_inode *huge = huge_inode(inode);
	struct file_policy *of = huge->policy;

	if (of)
		return of;
	of = kzalloc(sizeof(*of), GFP_KERNEL_ACCOUNT);
	if (!of)
		return NULL;
	resv_map_init(&of->map);
	init_rwsem(&of->lock);
	INIT_LIST_HEAD(&of->policies);
	of->most_policies = FILE_POLICIES;
	/* Pairs with file_policy_get(), which has no lock. */
	smp_store_release(&huge->policy, of);
	return of;
}

static unsigned long file_policy_held(void *data, unsigned long from,
				      unsigned long to)
{
	return cache_count(data, from, to);
}

/* Move the promises, and only if that can be done let the range have the policy. */
static int file_policy_change(struct inode *inode, struct file_policy *of,
			      unsigned long from, unsigned long to,
			      const struct mempolicy *policy,
			      struct policy *kept)
{
	struct huge_inode *huge = huge_inode(inode);
	struct region_change assign, add;
	struct wish wish;
	int err;

	err = region_prepare(&assign, &of->map, from, to, kept);
	if (err)
		return err;
	err = min(region_chg(&of->map, from, to, kept, &add), 0L);
	if (err)
		goto abort_assign;
	policy_wish(&wish, inode, policy, from);
	err = rebind_range(huge->reserve, from, to, &wish, file_policy_held,
			   &huge->cache);
	if (err)
		goto abort_add;
	down_write(&of->lock);
	region_assign(&assign);
	region_add(&add);
	up_write(&of->lock);
	return 0;

abort_add:
	region_abort(&add);
abort_assign:
	region_abort(&assign);
	return err;
}

/**
 * file_policy_set() - Give a range of a file a policy.
 * @inode: a regular file's inode
 * @from: first index, in huge pages
 * @to: index behind the last one, greater than @from
 * @policy: the policy, which is copied; NULL to take away what there was
 *
 * Context: invalidate_lock is held exclusively; may sleep.
 * Return: 0, or with nothing changed what rebind_range() returns.
 */
int file_policy_set(struct inode *inode, unsigned long from, unsigned long to,
		    const struct mempolicy *policy)
{
	struct file_policy *of = file_policy_make(inode);
	struct policy *kept;

	if (!of)
		return -ENOMEM;
	kept = file_policy_keep(of, policy);
	if (!kept)
		return -ENOMEM;
	return file_policy_change(inode, of, from, to, policy, kept);
}

/**
 * file_policy_destroy() - Free the policies of a file.
 * @of: they, or NULL; nobody can reach the file any more
 */
void file_policy_destroy(struct file_policy *of)
{
	struct policy *policy, *next;

	if (!of)
		return;
	region_del(&of->map, 0, REGION_END);
	list_for_each_entry_safe(policy, next, &of->policies, link) {
		policy_destroy(policy);
		cond_resched();
	}
	kfree(of);
}
