/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_TRUNCATE_H
#define RHUGEFS_TRUNCATE_H

#include <linux/fs.h>

void truncate_size(struct inode *inode, loff_t size);
void truncate_extend(struct inode *inode, loff_t size, loff_t data);
int truncate_punch(struct inode *inode, loff_t from, loff_t to);
void truncate_all(struct inode *inode);

#endif
