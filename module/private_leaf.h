/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_PRIVATE_LEAF_H
#define RHUGEFS_PRIVATE_LEAF_H

#include <linux/xarray.h>

struct private;

/* Indices of a leaf: what fits on a stack, and into few nodes of a tree. */
#define PRIVATE_LEAF_NR	64

/**
 * struct private_leaf - the entries of some indices that follow each other
 * @from: first index, in huge pages
 * @to: index behind the last one
 * @nr: how many entries there are
 * @entry: the entries
 * @at: the index of each, less @from
 * @marked: which of them have the mark that was asked for, by the same number
 */
struct private_leaf {
	unsigned long from;
	unsigned long to;
	unsigned int nr;
	void *entry[PRIVATE_LEAF_NR];
	u8 at[PRIVATE_LEAF_NR];
	u64 marked;
};

bool private_leaf_read(struct private_leaf *leaf, struct private *private,
		       unsigned long from, unsigned long to, xa_mark_t mark);
void private_leaf_erase(struct private_leaf *leaf, struct private *private);

#endif
