/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_FORK_H
#define RHUGEFS_FORK_H

#include <linux/mm_types.h>

void fork_before_copy(struct vm_area_struct *vma);
void fork_open(struct vm_area_struct *vma);

#endif
