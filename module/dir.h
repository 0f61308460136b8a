/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_DIR_H
#define RHUGEFS_DIR_H

#include <linux/fs.h>

extern const struct inode_operations dir_operations_huge;

#endif
