/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_SEED_H
#define UNIT_SEED_H

#include <linux/types.h>

u64 choose_seed(void);

#endif
