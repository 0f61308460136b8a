/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_FAULT_H
#define RHUGEFS_FAULT_H

#include <linux/mm_types.h>

#include "compat.h"

vm_fault_t fault_shared(struct vm_fault *vmf);
vm_fault_t fault_private(struct vm_fault *vmf);
vm_fault_t fault_shared_huge(struct vm_fault *vmf, compat_order order);
vm_fault_t fault_private_huge(struct vm_fault *vmf, compat_order order);
vm_fault_t fault_map_pages(struct vm_fault *vmf, pgoff_t from, pgoff_t to);

#endif
