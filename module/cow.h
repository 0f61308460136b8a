/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_COW_H
#define RHUGEFS_COW_H

#include <linux/mm_types.h>

vm_fault_t cow_fault(struct vm_fault *vmf);

#endif
