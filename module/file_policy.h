/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_FILE_POLICY_H
#define RHUGEFS_FILE_POLICY_H

#include <linux/rwsem.h>

#include "policy.h"
#include "resv_map.h"

/**
 * struct file_policy - which parts of a file have a policy of their own
 * @map: indices that mbind() was called for, and the struct policy that they belong to;
 *	changed with invalidate_lock held exclusively
 * @lock: held for writing besides while @map changes, so that who only looks need not
 *	wait for those who have the other
 * @policies: those that belong to some part, or did, each once; invalidate_lock
 * @nr_policies: how many there are; likewise
 * @most_policies: how many there may be before those go that belong to no part any more;
 *	likewise
 */
struct file_policy {
	struct resv_map map;
	struct rw_semaphore lock;
	struct list_head policies;
	unsigned long nr_policies;
	unsigned long most_policies;
};

struct mempolicy *file_policy_at(struct inode *inode, unsigned long index);
struct mempolicy *file_policy_get(struct inode *inode, unsigned long index);
int file_policy_reserve(struct inode *inode, unsigned long from,
			unsigned long to);
int file_policy_set(struct inode *inode, unsigned long from, unsigned long to,
		    const struct mempolicy *policy);
void file_policy_destroy(struct file_policy *policy);

#endif
