/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_GFP_H
#define SHIM_LINUX_GFP_H

/* Has gfp_t and the few flags that user space has a use for. */
#include <linux/types.h>

/* There are no memory cgroups to charge. */
#define GFP_KERNEL_ACCOUNT	GFP_KERNEL

#endif
