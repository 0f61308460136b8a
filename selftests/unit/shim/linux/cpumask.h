/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_CPUMASK_H
#define SHIM_LINUX_CPUMASK_H

/* Part of structures; what is tested runs anywhere. */
struct cpumask {
};

#endif
