/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_FAULT_H
#define RHUGEFS_FAULT_H

#include <linux/mm_types.h>

bool fault_has_page_table(struct vm_fault *vmf);
vm_fault_t fault_file(struct vm_fault *vmf);

#endif
