/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_ATOMIC_H
#define SHIM_LINUX_ATOMIC_H

/* Has atomic_t and atomic_long_t, with which what is tested does nothing. */
#include <linux/types.h>

#endif
