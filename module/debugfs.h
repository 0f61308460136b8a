/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_DEBUGFS_H
#define RHUGEFS_DEBUGFS_H

#include "pool.h"

void debugfs_create(struct pool *pool);
void debugfs_destroy(void);

#endif
