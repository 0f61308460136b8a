/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_SYSFS_H
#define RHUGEFS_SYSFS_H

#include "pool.h"

int sysfs_create(struct pool *pool);
void sysfs_destroy(void);

#endif
