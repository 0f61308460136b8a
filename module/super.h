/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_SUPER_H
#define RHUGEFS_SUPER_H

#include <linux/atomic.h>
#include <linux/fs.h>

#include "autoclean.h"
#include "policy.h"
#include "quota.h"

/**
 * struct super_info - one mount
 * @quota: its share in the pool; constant
 * @uid: owner of the root directory; constant
 * @gid: group of the root directory; constant
 * @mode: permissions of the root directory; constant
 * @fork_reserve: a child of fork() is promised the copies that its private
 *	mappings may need; constant
 * @bound: its pages may only lie on @nodes; constant
 * @nodes: likewise
 * @policy: memory policy of files that have none of their own, NULL for that of the
 *	task; constant
 * @autoclean_new: files that are made go when nobody has them open any more; a plain
 *	word, changed by remount at any time
 * @magic: what statfs() says to be; constant
 * @autoclean: those that are perhaps to go
 * @inodes_lock: guards the two below; a leaf
 * @max_inodes: how many inodes there may be, the root included; 0: any number
 * @nr_inodes: how many there are
 */
struct super_info {
	struct quota *quota;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
	bool fork_reserve;
	bool bound;
	nodemask_t nodes;
	struct policy *policy;
	bool autoclean_new;
	unsigned int magic;
	struct autoclean autoclean;
	spinlock_t inodes_lock;
	unsigned long max_inodes;
	unsigned long nr_inodes;
};

static inline struct super_info *super_info(struct super_block *sb)
{
	return sb->s_fs_info;
}

int super_take_inode(struct super_block *sb);
void super_give_inode(struct super_block *sb);

typedef void (*super_file_fn)(struct inode *inode, void *data);
typedef void (*super_mount_fn)(struct super_block *sb, void *data);
void super_visit(super_file_fn file, super_mount_fn mount, void *data);

int super_register(struct pool *pool);
void super_unregister(void);

#endif
