/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_FILL_H
#define RHUGEFS_FILL_H

#include <linux/fs.h>

int fill_range(struct inode *inode, unsigned long from, unsigned long to);

#endif
