// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a private mapping has of its own, by index: an xarray of leaves, each with the
 * entries of 64 huge pages. At fork() and at the end of a mapping there may be
 * thousands, of which each on its own would cost several walks from the root of a tree,
 * and a lock. Here one walk leads to a leaf, whose entries are copied or dropped in a row
 * by who keeps everybody else out meanwhile. A small mapping is one leaf and no tree.
 *
 * A leaf stays where it is when its entries go one by one. It is freed when a part of the
 * mapping ends, or all of it.
 */
#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "private.h"
#include "private_leaf.h"

static struct kmem_cache *private_leaf_cache;

/**
 * private_leaf_cache_create() - Make the slab cache of leaves.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int private_leaf_cache_create(void)
{
	private_leaf_cache = kmem_cache_create("rhugefs_private_leaf",
					       sizeof(struct private_leaf), 0,
					       SLAB_ACCOUNT, NULL);
	return private_leaf_cache ? 0 : -ENOMEM;
}

/**
 * private_leaf_cache_destroy() - Undo private_leaf_cache_create().
 *
 * Context: there is no private mapping any more; may sleep.
 */
void private_leaf_cache_destroy(void)
{
	kmem_cache_destroy(private_leaf_cache);
}

static struct private_leaf *private_leaf_find(struct private *private,
					      unsigned long index)
{
	return xa_load(&private->leaves, index >> PRIVATE_LEAF_SHIFT);
}

/**
 * private_leaf_make() - Have a place for an entry.
 * @private: the mapping
 * @index: the index, in huge pages
 *
 * Context: invalidate_lock is held at least shared; may sleep.
 * Return: the leaf, which stays until the range ends, or NULL where memory is short.
 */
struct private_leaf *private_leaf_make(struct private *private,
				       unsigned long index)
{
	struct private_leaf *leaf = private_leaf_find(private, index);
	struct private_leaf *there;

	if (leaf)
		return leaf;
	leaf = kmem_cache_zalloc(private_leaf_cache, GFP_KERNEL);
	if (!leaf)
		return NULL;
	there = xa_cmpxchg(&private->leaves, index >> PRIVATE_LEAF_SHIFT, NULL,
			   leaf, GFP_KERNEL);
	if (!there)
		return leaf;
	/* The fault at another index was faster, or there is no memory. */
	kmem_cache_free(private_leaf_cache, leaf);
	return xa_is_err(there) ? NULL : there;
}

/**
 * private_leaf_next() - Find the first leaf of a range.
 * @private: the mapping
 * @from: first index, in huge pages; set to the first one in the leaf
 * @to: index behind the last one; set to the one behind the last one in the leaf
 *
 * Context: invalidate_lock is held at least shared, or map_lock.
 * Return: the leaf, or NULL with nothing set where there is none.
 */
struct private_leaf *private_leaf_next(struct private *private,
				       unsigned long *from, unsigned long *to)
{
	unsigned long nr = *from >> PRIVATE_LEAF_SHIFT;
	struct private_leaf *leaf;

	if (*from >= *to)
		return NULL;
	leaf = xa_find(&private->leaves, &nr, (*to - 1) >> PRIVATE_LEAF_SHIFT,
		       XA_PRESENT);
	if (!leaf)
		return NULL;
	*from = max(*from, nr << PRIVATE_LEAF_SHIFT);
	*to = min(*to, (nr + 1) << PRIVATE_LEAF_SHIFT);
	return leaf;
}

/**
 * private_leaf_empty() - Forget a part of a leaf, and the leaf with its last entry.
 * @private: the mapping
 * @from: first index, in huge pages
 * @to: index behind the last one, in the same leaf, which is there
 *
 * Context: invalidate_lock is held exclusively; may sleep.
 */
void private_leaf_empty(struct private *private, unsigned long from,
			unsigned long to)
{
	struct private_leaf *leaf = private_leaf_find(private, from);
	unsigned int first = private_leaf_at(from);
	unsigned long bits = GENMASK(first + (to - from) - 1, first);
	enum private_mark mark;
	bool unused = to - from == PRIVATE_LEAF_NR;

	memset(&leaf->entry[first], 0, (to - from) * sizeof(*leaf->entry));
	if (!unused)
		unused = !memchr_inv(leaf->entry, 0, sizeof(leaf->entry));
	/* Elsewhere in the leaf somebody may be dropping entries. */
	down_write(&private->map_lock);
	for (mark = 0; mark < PRIVATE_MARKS; mark++)
		leaf->marks[mark] &= ~bits;
	if (unused)
		xa_erase(&private->leaves, from >> PRIVATE_LEAF_SHIFT);
	up_write(&private->map_lock);
	if (unused)
		kmem_cache_free(private_leaf_cache, leaf);
}

/**
 * private_leaf_free_all() - Free leaves that have become empty one entry at a time.
 * @private: a mapping without entries, which nobody else can find
 */
void private_leaf_free_all(struct private *private)
{
	struct private_leaf *leaf;
	unsigned long nr;

	xa_for_each(&private->leaves, nr, leaf)
		kmem_cache_free(private_leaf_cache, leaf);
	xa_destroy(&private->leaves);
}

/**
 * private_entry() - What does the process have of its own?
 * @private: the mapping
 * @index: the index, in huge pages
 *
 * Context: invalidate_lock is held at least shared, or map_lock. Without the index
 * mutex what is returned may be erased meanwhile.
 * Return: a page, PRIVATE_TAKEN, or NULL.
 */
void *private_entry(struct private *private, unsigned long index)
{
	struct private_leaf *leaf = private_leaf_find(private, index);

	return leaf ? READ_ONCE(leaf->entry[private_leaf_at(index)]) : NULL;
}

/**
 * private_entry_set() - Change what the process has of its own.
 * @private: the mapping
 * @index: the index, in huge pages, for which private_leaf_make() has made a place
 * @entry: a page or PRIVATE_TAKEN
 *
 * The marks of an earlier entry stay.
 *
 * Context: the index mutex is held, or invalidate_lock exclusively.
 */
void private_entry_set(struct private *private, unsigned long index,
		       void *entry)
{
	struct private_leaf *leaf = private_leaf_find(private, index);

	WRITE_ONCE(leaf->entry[private_leaf_at(index)], entry);
}

/**
 * private_entry_erase() - Have nothing of one's own, nor a mark.
 * @private: the mapping
 * @index: the index, in huge pages
 *
 * Who marks entries as dropped just now may leave a mark behind, without an entry.
 *
 * Context: as for private_entry_set().
 */
void private_entry_erase(struct private *private, unsigned long index)
{
	struct private_leaf *leaf = private_leaf_find(private, index);
	unsigned int at = private_leaf_at(index);
	enum private_mark mark;

	if (!leaf)
		return;
	WRITE_ONCE(leaf->entry[at], NULL);
	for (mark = 0; mark < PRIVATE_MARKS; mark++)
		clear_bit(at, &leaf->marks[mark]);
}

/**
 * private_entry_next() - Find the first entry of a range.
 * @private: the mapping
 * @index: first index, in huge pages; set to that of the entry
 * @to: index behind the last one
 *
 * Context: as for private_entry().
 * Return: a page or PRIVATE_TAKEN, NULL where there is none.
 */
void *private_entry_next(struct private *private, unsigned long *index,
			 unsigned long to)
{
	struct private_leaf *leaf;
	unsigned long end;
	void *entry;

	for (; end = to, leaf = private_leaf_next(private, index, &end);
	     *index = end) {
		for (; *index < end; ++*index) {
			entry = READ_ONCE(leaf->entry[private_leaf_at(*index)]);
			if (entry)
				return entry;
		}
	}
	return NULL;
}

/**
 * private_entry_next_marked() - Find the first marked entry from an index on.
 * @private: the mapping
 * @index: the first index, in huge pages; set to that of the entry
 * @mark: the mark
 *
 * Context: as for private_entry().
 * Return: false where there is none.
 */
bool private_entry_next_marked(struct private *private, unsigned long *index,
			       enum private_mark mark)
{
	struct private_leaf *leaf;
	unsigned long to, at;

	for (; to = REGION_END, leaf = private_leaf_next(private, index, &to);
	     *index = to) {
		at = find_next_bit(&leaf->marks[mark], PRIVATE_LEAF_NR,
				   private_leaf_at(*index));
		if (at < PRIVATE_LEAF_NR) {
			*index += at - private_leaf_at(*index);
			return true;
		}
	}
	return false;
}

/**
 * private_is_marked() - Has an entry a mark?
 * @private: the mapping
 * @index: the index, in huge pages
 * @mark: the mark
 *
 * Context: as for private_entry().
 * Return: true if so.
 */
bool private_is_marked(struct private *private, unsigned long index,
		       enum private_mark mark)
{
	struct private_leaf *leaf = private_leaf_find(private, index);

	return leaf && test_bit(private_leaf_at(index), &leaf->marks[mark]);
}

/**
 * private_mark() - Give an entry a mark.
 * @private: the mapping
 * @index: the index, in huge pages; without effect where it has no entry
 * @mark: the mark
 *
 * Context: as for private_entry().
 */
void private_mark(struct private *private, unsigned long index,
		  enum private_mark mark)
{
	struct private_leaf *leaf = private_leaf_find(private, index);
	unsigned int at = private_leaf_at(index);

	if (leaf && READ_ONCE(leaf->entry[at]))
		set_bit(at, &leaf->marks[mark]);
}

/**
 * private_unmark() - Take a mark from an entry.
 * @private: the mapping
 * @index: the index, in huge pages
 * @mark: the mark
 *
 * Context: as for private_entry().
 */
void private_unmark(struct private *private, unsigned long index,
		    enum private_mark mark)
{
	struct private_leaf *leaf = private_leaf_find(private, index);

	if (leaf)
		clear_bit(private_leaf_at(index), &leaf->marks[mark]);
}
