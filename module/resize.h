/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_RESIZE_H
#define RHUGEFS_RESIZE_H

#include "pool.h"
#include "request.h"

int resize_load(struct pool *pool, const struct request *request);
void resize_unload(struct pool *pool);
struct folio *resize_alloc_one(int nid, bool *zeroed);
unsigned long resize_gather(struct pool *pool, const struct wish *wish,
			    unsigned long pages);
int resize_set(struct pool *pool, int nid, unsigned long pages);

#endif
