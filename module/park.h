/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_PARK_H
#define RHUGEFS_PARK_H

#include "pool.h"

struct quota_user;

void park_init(struct pool *pool);
void park_exit(struct pool *pool);
void park_page(struct pool *pool, struct folio *folio, struct quota_user *user);
unsigned long park_collect(struct pool *pool);
struct folio *park_remove(struct pool *pool, int nid);

#endif
