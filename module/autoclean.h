/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_AUTOCLEAN_H
#define RHUGEFS_AUTOCLEAN_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

/**
 * struct autoclean - files of a mount that are perhaps to be removed
 * @lock: guards all but @work; a leaf
 * @files: struct huge_inode by clean_list, each with a reference
 * @busy: likewise those for which somebody was in the way
 * @busy_at: in jiffies, when to look at them again
 * @busy_delay: how much later the time after that, if nothing has changed
 * @work: looks at them
 */
struct autoclean {
	spinlock_t lock;
	struct list_head files;
	struct list_head busy;
	unsigned long busy_at;
	unsigned long busy_delay;
	struct delayed_work work;
};

void autoclean_init(struct autoclean *autoclean);
void autoclean_flush(struct autoclean *autoclean);
int autoclean_open(struct inode *inode);
void autoclean_closed(struct inode *inode);
void autoclean_unlinked(struct inode *inode);

#endif
