/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_AUTOCLEAN_H
#define RHUGEFS_AUTOCLEAN_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

/**
 * struct autoclean - files of a mount that are perhaps to be removed
 * @lock: guards @files; a leaf
 * @files: struct huge_inode by clean_list, each with a reference
 * @work: looks at them
 */
struct autoclean {
	spinlock_t lock;
	struct list_head files;
	struct delayed_work work;
};

void autoclean_init(struct autoclean *autoclean);
void autoclean_flush(struct autoclean *autoclean);
int autoclean_open(struct inode *inode);
void autoclean_closed(struct inode *inode);
int autoclean_may_unlink(struct dentry *name);
void autoclean_unlinked(struct inode *inode);

#endif
