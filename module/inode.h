/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_INODE_H
#define RHUGEFS_INODE_H

#include <linux/fs.h>

#include "cache.h"
#include "compat.h"
#include "file_policy.h"

/**
 * struct huge_inode - an inode of the file system
 * @vfs: what the VFS knows of it. i_size of a regular file is written with the
 *	mapping's invalidate_lock held exclusively: mmap() may extend a file,
 *	and must not take i_rwsem under mmap_lock
 * @reserve: what a regular file was promised: @own. NULL for all others, and while that
 *	is in the making
 * @cache: the pages of a regular file
 * @policy: what mbind() has given a regular file, NULL until then; invalidate_lock
 * @openers: how many have a regular file open; negative if it was removed because
 *	nobody had
 * @autoclean: it goes when nobody has it open any more; constant
 * @clean_list: link in the list of struct autoclean, whose lock guards it
 * @own: memory for @reserve, as long as the machine has nodes
 */
struct huge_inode {
	struct inode vfs;
	struct reserve *reserve;
	struct cache cache;
	struct file_policy *policy;
	atomic_t openers;
	bool autoclean;
	struct list_head clean_list;
	struct reserve own;
};

static inline struct huge_inode *huge_inode(struct inode *inode)
{
	return container_of(inode, struct huge_inode, vfs);
}

int inode_cache_create(void);
void inode_cache_destroy(void);
struct inode *inode_alloc(struct super_block *sb);
void inode_free(struct inode *inode);
void inode_evict(struct inode *inode);
struct inode *inode_make(struct super_block *sb, struct mnt_idmap *idmap,
			 struct inode *dir, umode_t mode, dev_t dev);

#endif
