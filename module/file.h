/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_FILE_H
#define RHUGEFS_FILE_H

#include <linux/fs.h>

extern const struct file_operations file_operations_huge;

#endif
