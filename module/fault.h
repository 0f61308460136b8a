/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_FAULT_H
#define RHUGEFS_FAULT_H

#include <linux/mm_types.h>

vm_fault_t fault_shared(struct vm_fault *vmf);
vm_fault_t fault_private(struct vm_fault *vmf);

#endif
