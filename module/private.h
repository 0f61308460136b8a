/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_PRIVATE_H
#define RHUGEFS_PRIVATE_H

#include <linux/rwsem.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "huge_page.h"
#include "inode.h"
#include "private_leaf.h"

/**
 * enum private_flag - bits of struct private's @flags
 * @HPAGE_RESV_OWNER: it holds a reservation
 * @HPAGE_RESV_UNMAPPED: a page was taken back from it, or could not be copied
 *	for it at fork(): what is missing is SIGBUS and never zeroes
 * @PRIVATE_BROKEN: memory was short at fork(): all of it is missing
 * @PRIVATE_LEFTOVER: more of it is mapped twice than @twice_from and @twice_to
 *	can say: nothing goes back before its last piece is unmapped
 * @PRIVATE_COMPLAINED: the kernel log has said why it got SIGBUS
 */
enum private_flag {
	HPAGE_RESV_OWNER,
	HPAGE_RESV_UNMAPPED,
	PRIVATE_BROKEN,
	PRIVATE_LEFTOVER,
	PRIVATE_COMPLAINED,
};

/**
 * struct private - the pages of one private mapping in one process
 * @inode: the mapped file; constant
 * @mm: the process's address space; constant
 * @user: who is charged for its pages, held: who has made the mapping, or that of which
 *	it is a child's; constant
 * @reserve: what mmap() promised, NULL for MAP_NORESERVE, and for a child unless
 *	its mount has fork_reserve; constant. Every index that is mapped is in its
 *	map, and each of them for which @leaves has no page, or one that is
 *	PRIVATE_INHERITED, has a unit in its promise
 * @leaves: what this process sees in place of the file, by index. A leaf is added under
 *	the file's invalidate_lock, at least shared, and freed with it held exclusively
 *	and @map_lock for writing. PRIVATE_DROPPED is set on an entry by whoever
 *	calls madvise(), without the locks of entries, but under @map_lock
 * @map_lock: held for writing while entries are marked as dropped, for reading from
 *	the look at the mark until the page is in the page table: what is marked is not
 *	mapped any more, and what was mapped before is about to be unmapped. Nothing
 *	is unmapped with it held, since the mark comes from within an unmapping
 * @id: among the file's private mappings; constant once it is registered
 * @registered: its file knows it; constant from then on
 * @flags: enum private_flag; atomic
 * @wait_start: when a wait of the kernel's for a reference began, in jiffies; a
 *	hint, without a lock
 * @wait_last: when it was last found waiting; likewise
 * @nr_vmas: pieces in which it is mapped. Changed by one task at a time, with
 *	mmap_lock held for writing or since then only for reading; read by faults
 * @twice_from: first index that two pieces map, for a moment of mremap();
 *	like @nr_vmas
 * @twice_to: index behind the last one; like @nr_vmas
 * @drop_work: gives back what was dropped
 * @drop_delay: jiffies until it tries once more; a hint, without a lock
 * @own: memory for @reserve, as long as the machine has nodes
 */
struct private {
	struct inode *inode;
	struct mm_struct *mm;
	struct quota_user *user;
	struct reserve *reserve;
	struct xarray leaves;
	struct rw_semaphore map_lock;
	u32 id;
	bool registered;
	unsigned long flags;
	unsigned long wait_start;
	unsigned long wait_last;
	unsigned long nr_vmas;
	unsigned long twice_from;
	unsigned long twice_to;
	struct delayed_work drop_work;
	unsigned long drop_delay;
	struct reserve own;
};

/* Ids are part of what names a futex; see private_page.c. */
#define PRIVATE_ID_BITS	21
#define PRIVATE_MAX_ID	(BIT(PRIVATE_ID_BITS) - 1)

static inline struct cache *private_cache(struct private *private)
{
	return &huge_inode(private->inode)->cache;
}

/* Range of indices that a piece of a mapping covers. */
static inline unsigned long private_from(struct vm_area_struct *vma)
{
	return vma->vm_pgoff >> HUGE_ORDER;
}

static inline unsigned long private_to(struct vm_area_struct *vma)
{
	return private_from(vma) + (vma_pages(vma) >> HUGE_ORDER);
}

struct private *private_create(struct inode *inode, struct mm_struct *mm,
			       struct quota_user *user);
int private_register(struct private *private);
void private_destroy(struct private *private);
int private_reserve(struct private *private, unsigned long from,
		    unsigned long to, const struct mempolicy *policy);
int private_set_policy(struct private *private, unsigned long from,
		       unsigned long to, const struct mempolicy *policy);
void private_open_piece(struct private *private, struct vm_area_struct *vma);
void private_close(struct vm_area_struct *vma);
bool private_is_mapped_twice(struct private *private);
unsigned long private_count(void *data, unsigned long from, unsigned long to);
bool private_consumed(struct private *private, unsigned long index);
bool private_give_up(struct private *private, unsigned long index);
void private_truncate(struct cache *cache, unsigned long from);

#endif
