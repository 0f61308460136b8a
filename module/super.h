/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_SUPER_H
#define RHUGEFS_SUPER_H

#include <linux/atomic.h>
#include <linux/fs.h>

#include "pool.h"

/* "rhug" */
#define RHUGEFS_MAGIC	0x72687567

/**
 * struct super_info - one mount
 * @pool: where its pages come from; constant
 * @uid: owner of the root directory; constant
 * @gid: group of the root directory; constant
 * @mode: permissions of the root directory; constant
 * @fork_reserve: a child of fork() is promised the copies that its private
 *	mappings may need; constant
 * @inodes_lock: guards the two below; a leaf
 * @max_inodes: how many inodes there may be, the root included; 0: any number
 * @nr_inodes: how many there are
 */
struct super_info {
	struct pool *pool;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
	bool fork_reserve;
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

typedef void (*super_visit_fn)(struct inode *inode, void *data);
void super_visit_files(super_visit_fn visit, void *data);

int super_register(struct pool *pool);
void super_unregister(void);

#endif
