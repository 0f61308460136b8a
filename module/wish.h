/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_WISH_H
#define RHUGEFS_WISH_H

#include <linux/topology.h>

#include "scope.h"

/**
 * struct wish - where pages should lie
 * @any: all nodes are allowed, also those that get memory later
 * @interleave: which of the preferred nodes depends on the index
 * @nid: node id, from which on nodes are taken by distance
 * @allowed: on these nodes and no others
 * @preferred: rather on these of them; all of them where that is not said
 * @spread: how many of the pages should lie on which node, by node id, or NULL
 */
struct wish {
	bool any;
	bool interleave;
	int nid;
	struct nodeset allowed;
	struct nodeset preferred;
	unsigned long *spread;
};

/* Anywhere on the nodes of a scope, near to the one who asks. */
static inline void wish_within(struct wish *wish, const struct scope *scope)
{
	wish->any = scope->any;
	wish->interleave = false;
	wish->nid = numa_mem_id();
	wish->allowed = scope->nodes;
	wish->preferred = scope->nodes;
	wish->spread = NULL;
}

struct scope *wish_begin(struct wish *wish, struct pool *pool);
void wish_end(struct wish *wish, struct pool *pool, struct scope *scope);
void wish_spread_range(const struct wish *wish, unsigned long from,
		       unsigned long to);

#endif
