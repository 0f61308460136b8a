/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_NODESET_H
#define RHUGEFS_NODESET_H

#include <linux/bitmap.h>
#include <linux/nodemask.h>

/*
 * How many nodes a machine may have. All nodes' locks are held at once now and then, and
 * the kernel counts no more than some 250 of them.
 */
#define NODESET_MOST	(MAX_NUMNODES < 128 ? MAX_NUMNODES : 128)

/**
 * struct nodeset - a set of nodes
 * @bits: one for each node id
 *
 * The kernel's nodemask_t has room for all nodes for which it was built. Where those are
 * a thousand, to fill one in costs more than all else that is to be found out about
 * where a page should lie.
 */
struct nodeset {
	DECLARE_BITMAP(bits, NODESET_MOST);
};

/* Those of the kernel's mask; the machine has none beyond. */
static inline void nodeset_read(struct nodeset *set, const nodemask_t *mask)
{
	bitmap_copy(set->bits, mask->bits, NODESET_MOST);
}

/* All, also those that are not there. */
static inline void nodeset_fill(struct nodeset *set)
{
	bitmap_fill(set->bits, NODESET_MOST);
}

static inline void nodeset_add(struct nodeset *set, int nid)
{
	__set_bit(nid, set->bits);
}

static inline bool nodeset_has(const struct nodeset *set, int nid)
{
	return test_bit(nid, set->bits);
}

static inline void nodeset_and(struct nodeset *to, const struct nodeset *a,
			       const struct nodeset *b)
{
	bitmap_and(to->bits, a->bits, b->bits, NODESET_MOST);
}

static inline void nodeset_andnot(struct nodeset *to, const struct nodeset *a,
				  const struct nodeset *b)
{
	bitmap_andnot(to->bits, a->bits, b->bits, NODESET_MOST);
}

static inline bool nodeset_equal(const struct nodeset *a,
				 const struct nodeset *b)
{
	return bitmap_equal(a->bits, b->bits, NODESET_MOST);
}

static inline bool nodeset_subset(const struct nodeset *set,
				  const struct nodeset *of)
{
	return bitmap_subset(set->bits, of->bits, NODESET_MOST);
}

static inline bool nodeset_empty(const struct nodeset *set)
{
	return bitmap_empty(set->bits, NODESET_MOST);
}

static inline unsigned int nodeset_weight(const struct nodeset *set)
{
	return bitmap_weight(set->bits, NODESET_MOST);
}

static inline int nodeset_first(const struct nodeset *set)
{
	return find_first_bit(set->bits, NODESET_MOST);
}

#define for_each_node_of(nid, set)	\
	for_each_set_bit(nid, (set)->bits, NODESET_MOST)

#endif
