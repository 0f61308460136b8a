/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ACTORS_MM_TYPES_H
#define SHIM_ACTORS_MM_TYPES_H

#include <linux/list.h>

/* Of a page: where it lies, and whether somebody has it. */
struct folio {
	struct list_head lru;
	int nid;
	bool taken;
};

static inline int folio_nid(const struct folio *folio)
{
	return folio->nid;
}

/* Nobody outside holds any. */
static inline int folio_ref_count(const struct folio *folio)
{
	return 1;
}

static inline void folio_put(struct folio *folio)
{
}

#endif
