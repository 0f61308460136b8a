/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_PRIVATE_LEAF_H
#define RHUGEFS_PRIVATE_LEAF_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

struct private;

/* Here was a page, which is gone: SIGBUS. */
#define PRIVATE_TAKEN	xa_mk_value(1)

/**
 * enum private_mark - what is to be known of an entry; without one it says nothing
 * @PRIVATE_INHERITED: it was inherited by fork(): a page for it that was promised has
 *	not been consumed
 * @PRIVATE_DROPPED: the process has dropped it by MADV_DONTNEED. It may still be
 *	mapped for a moment
 * @PRIVATE_UNMAPPED: what was dropped has been taken out of the page table since, for
 *	good
 * @PRIVATE_MARKS: how many there are
 */
enum private_mark {
	PRIVATE_INHERITED,
	PRIVATE_DROPPED,
	PRIVATE_UNMAPPED,
	PRIVATE_MARKS,
};

#define PRIVATE_LEAF_SHIFT	6
#define PRIVATE_LEAF_NR		BIT(PRIVATE_LEAF_SHIFT)
static_assert(PRIVATE_LEAF_NR == BITS_PER_LONG);

/**
 * struct private_leaf - entries of a private mapping that follow each other
 * @marks: by enum private_mark, a bit for each entry; atomic
 * @entry: a page, PRIVATE_TAKEN, or NULL. Changed under the index mutex, or with the
 *	file's invalidate_lock held exclusively
 */
struct private_leaf {
	unsigned long marks[PRIVATE_MARKS];
	void *entry[PRIVATE_LEAF_NR];
};

/* Where an index has its entry in its leaf. */
static inline unsigned int private_leaf_at(unsigned long index)
{
	return index % PRIVATE_LEAF_NR;
}

int private_leaf_cache_create(void);
void private_leaf_cache_destroy(void);

struct private_leaf *private_leaf_make(struct private *private,
				       unsigned long index);
struct private_leaf *private_leaf_next(struct private *private,
				       unsigned long *from, unsigned long *to);
void private_leaf_empty(struct private *private, unsigned long from,
			unsigned long to);
void private_leaf_free_all(struct private *private);

void *private_entry(struct private *private, unsigned long index);
void private_entry_set(struct private *private, unsigned long index,
		       void *entry);
void private_entry_erase(struct private *private, unsigned long index);
void *private_entry_next(struct private *private, unsigned long *index,
			 unsigned long to);
bool private_entry_next_marked(struct private *private, unsigned long *index,
			       enum private_mark mark);

bool private_is_marked(struct private *private, unsigned long index,
		       enum private_mark mark);
void private_mark(struct private *private, unsigned long index,
		  enum private_mark mark);
void private_unmark(struct private *private, unsigned long index,
		    enum private_mark mark);

/* Each entry of [from, to), in order; what is found may be erased meanwhile. */
#define for_each_private_entry(private, index, item, from, to)		\
	for ((index) = (from);						\
	     ((item) = private_entry_next(private, &(index), to));	\
	     (index)++)

#endif
