// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork() of a private mapping: the child holds the parent's pages as well, and
 * each of the two gets a copy of its own when it writes.
 *
 * Both kernels ask the file system before they copy the page tables, 6.1 in order
 * not to copy these entries at all, 6.12 in order to copy them as they are,
 * writable. So the parent's are taken away first; both then fault again. What
 * somebody has a reference to at that moment, a device say, stays the parent's: it
 * may be written to through the reference, and the child must not see that. It
 * gets its copy at once.
 *
 * The kernel does not let the file system refuse here. A child that cannot have
 * all of its pages lacks what it cannot have, and gets SIGBUS there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "dontneed.h"
#include "fork.h"
#include "huge_page.h"
#include "private.h"
#include "private_leaf.h"
#include "private_page.h"
#include "stats.h"
#include "super.h"

static void fork_unmap_parent(struct vm_area_struct *child_vma)
{
	struct vm_area_struct *vma = find_vma(current->mm, child_vma->vm_start);

	zap_page_range_single(vma, child_vma->vm_start,
			      child_vma->vm_end - child_vma->vm_start, NULL);
}

/**
 * fork_before_copy() - Leave nothing to be copied to a child.
 * @vma: the child's part of a mapping
 *
 * What 6.12 copies it has looked at without a lock before, and may be gone, because
 * the file was cut, when it puts it there. The parent cannot fault in between.
 *
 * Context: mmap_lock of both address spaces is held for writing; may sleep.
 */
void fork_before_copy(struct vm_area_struct *vma)
{
	if (compat_fork_copies())
		fork_unmap_parent(vma);
}

/*
 * Where an mremap() has left the parent mapped twice, it may still fault at the other
 * place, but not with invalidate_lock held exclusively.
 */
static void fork_unmap_twice(struct private *parent,
			     const struct private_leaf *leaf)
{
	if (private_is_mapped_twice(parent))
		unmap_mapping_range(parent->inode->i_mapping,
				    huge_pos(leaf->from),
				    huge_pos(leaf->to - leaf->from), 1);
}

/* The page that the child was promised, or any. */
static int fork_claim(struct private *child, struct vm_area_struct *vma,
		      unsigned long index, struct claim *claim)
{
	struct wish wish;

	policy_wish(&wish, child->inode, vma->vm_policy, index);
	if (child->reserve)
		return reserve_claim(child->reserve, index, &wish, false,
				     claim);
	return reserve_claim_beyond(private_cache(child)->reserve, index, &wish,
				    false, claim);
}

/* A copy for the child, or what says that there is none. */
static void *fork_copy(struct private *child, struct vm_area_struct *vma,
		       struct folio *folio, unsigned long index)
{
	struct claim claim;

	if (fork_claim(child, vma, index, &claim)) {
		set_bit(HPAGE_RESV_UNMAPPED, &child->flags);
		return PRIVATE_TAKEN;
	}
	huge_page_copy(claim.folio, folio);
	private_page_init(claim.folio, child, index);
	WARN_ON_ONCE(reserve_commit(&claim));
	return claim.folio;
}

/*
 * Which entries of the parent the child is to hold as well. Those that somebody has a
 * reference to it gets copied, which takes long: the leaf ends with the first of them.
 * Those that the parent has dropped, and are not gone yet, it does not have.
 */
static u64 fork_find_shared(struct private_leaf *leaf)
{
	u64 shared = 0;
	unsigned int i;

	for (i = 0; i < leaf->nr; i++) {
		if (xa_is_value(leaf->entry[i]) || leaf->marked & BIT_ULL(i))
			continue;
		if (folio_ref_count(leaf->entry[i]) == 1) {
			shared |= BIT_ULL(i);
		} else {
			leaf->nr = i + 1;
			leaf->to = leaf->from + leaf->at[i] + 1;
		}
	}
	return shared;
}

/*
 * Put entries from the @nr'th on where the child has none yet, as long as no memory is
 * needed. In the place of one that is to be copied goes what says that there is none.
 */
static unsigned int fork_store(struct private *child, struct xa_state *xas,
			       const struct private_leaf *leaf, u64 shared,
			       unsigned int nr)
{
	bool walked = false;
	void *entry;

	for (; nr < leaf->nr; nr++) {
		if (leaf->marked & BIT_ULL(nr))
			continue;
		/* In a node it is one step to the next, and many from the root. */
		if (walked && leaf->from + leaf->at[nr] == xas->xa_index + 1)
			xas_next(xas);
		else
			xas_set(xas, leaf->from + leaf->at[nr]);
		entry = shared & BIT_ULL(nr) ? leaf->entry[nr] : PRIVATE_TAKEN;
		xas_store(xas, entry);
		if (xas_error(xas))
			break;
		if (child->reserve && shared & BIT_ULL(nr))
			xas_set_mark(xas, PRIVATE_INHERITED);
		walked = true;
	}
	return nr;
}

/* Once an entry has its place in the child, nothing else can fail. */
static void fork_share_entry(struct private *child, struct vm_area_struct *vma,
			     void *entry, unsigned long index)
{
	if (xa_is_value(entry))
		set_bit(HPAGE_RESV_UNMAPPED, &child->flags);
	else
		xa_store(&child->pages, index,
			 fork_copy(child, vma, entry, index), 0);
}

/* Let the child have what the parent has. */
static int fork_share_leaf(struct private *child, struct vm_area_struct *vma,
			   struct private_leaf *leaf)
{
	XA_STATE(xas, &child->pages, leaf->from);
	u64 shared = fork_find_shared(leaf);
	unsigned int i, stored = 0;

	do {
		xas_lock(&xas);
		stored = fork_store(child, &xas, leaf, shared, stored);
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));
	for (i = 0; i < stored; i++) {
		if (shared & BIT_ULL(i))
			private_page_share(leaf->entry[i]);
		else if (!(leaf->marked & BIT_ULL(i)))
			fork_share_entry(child, vma, leaf->entry[i],
					 leaf->from + leaf->at[i]);
	}
	return xas_error(&xas);
}

/* As the mount wants it. Where it cannot be had, the child does without. */
static void fork_reserve(struct private *child, struct vm_area_struct *vma)
{
	if (super_info(child->inode->i_sb)->fork_reserve &&
	    !(vma->vm_flags & VM_NORESERVE) &&
	    private_reserve(child, private_from(vma), private_to(vma),
			    vma->vm_policy))
		stats_count(STAT_FORK_UNRESERVED);
}

static int fork_share(struct private *parent, struct private *child,
		      struct vm_area_struct *vma)
{
	struct address_space *mapping = parent->inode->i_mapping;
	unsigned long from = private_from(vma), to = private_to(vma);
	struct private_leaf leaf;
	bool more = true;
	int err = 0;

	filemap_invalidate_lock_shared(mapping);
	fork_reserve(child, vma);
	filemap_invalidate_unlock_shared(mapping);
	for (; from < to && more && !err; from = leaf.to) {
		/* Faults of others who hold the same pages would change them, too. */
		filemap_invalidate_lock(mapping);
		more = private_leaf_read(&leaf, parent, from, to,
					 PRIVATE_DROPPED);
		if (more) {
			fork_unmap_twice(parent, &leaf);
			err = fork_share_leaf(child, vma, &leaf);
		}
		filemap_invalidate_unlock(mapping);
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}

/* The child's part of a mapping that is in its address space already. */
static void fork_child(struct private *parent, struct vm_area_struct *vma)
{
	struct private *child = private_create(parent->inode, vma->vm_mm);
	int err = -ENOMEM;

	/* Whatever becomes of the child, it must not have the parent's entries. */
	fork_unmap_parent(vma);
	vma->vm_private_data = child;
	if (child)
		err = private_register(child);
	if (!err && test_bit(PRIVATE_BROKEN, &parent->flags))
		err = -ENOMEM;
	if (!err)
		err = fork_share(parent, child, vma);
	if (!err)
		return;
	if (child)
		set_bit(PRIVATE_BROKEN, &child->flags);
	/* A fork that is killed makes no child. */
	if (err == -EINTR)
		return;
	pr_warn_ratelimited("%s[%d]: memory is short, a child loses its private mapping of %pD4\n",
			    current->comm, task_tgid_nr(current), vma->vm_file);
}

/**
 * fork_open() - A private mapping gets one more piece, or a child gets one.
 * @vma: the new piece
 *
 * Context: vm_operations->open, with mmap_lock held for writing, at fork() that of
 * both address spaces. May sleep.
 */
void fork_open(struct vm_area_struct *vma)
{
	struct private *private = vma->vm_private_data;

	if (!private)
		return;
	if (private->mm == vma->vm_mm)
		private_open_piece(private, vma);
	else
		fork_child(private, vma);
}
