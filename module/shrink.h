/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_SHRINK_H
#define RHUGEFS_SHRINK_H

#include "pool.h"

int shrink_create(struct pool *pool);
void shrink_destroy(void);

#endif
