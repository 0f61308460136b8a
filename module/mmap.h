/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_MMAP_H
#define RHUGEFS_MMAP_H

#include <linux/fs.h>
#include <linux/mm_types.h>

int mmap_file(struct file *file, struct vm_area_struct *vma);
unsigned long mmap_find_address(struct file *file, unsigned long addr,
				unsigned long len, unsigned long pgoff,
				unsigned long flags);

struct mempolicy *mmap_find_policy(struct vm_area_struct *vma,
				   unsigned long addr);

#endif
