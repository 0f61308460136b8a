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
#include "poison.h"
#include "private.h"
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
static void fork_unmap_twice(struct private *parent, unsigned long from,
			     unsigned long to)
{
	if (private_is_mapped_twice(parent))
		unmap_mapping_range(parent->inode->i_mapping, huge_pos(from),
				    huge_pos(to - from), 1);
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
	return reserve_claim_beyond(private_cache(child)->reserve, child->user,
				    index, &wish, false, claim);
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
 * Let the child have what the parent has, up to the first page that somebody has a
 * reference to; where that is, or the part of the leaf ends. One with a memory error is
 * not to be copied. What the parent has dropped, and is not gone yet, the child does not
 * have.
 */
static unsigned long fork_share_leaf(struct private *child,
				     struct private_leaf *copy,
				     const struct private_leaf *leaf,
				     unsigned long from, unsigned long to)
{
	unsigned long dropped = leaf->marks[PRIVATE_DROPPED], inherited = 0;
	unsigned int at;
	void *entry;

	for (; from < to; from++) {
		at = private_leaf_at(from);
		entry = leaf->entry[at];
		if (!entry || dropped & BIT(at))
			continue;
		if (xa_is_value(entry)) {
			set_bit(HPAGE_RESV_UNMAPPED, &child->flags);
		} else if (folio_ref_count(entry) == 1 ||
			   huge_page_is_poisoned(entry)) {
			private_page_share(entry);
			inherited |= BIT(at);
		} else {
			break;
		}
		copy->entry[at] = entry;
	}
	if (child->reserve)
		copy->marks[PRIVATE_INHERITED] |= inherited;
	return from;
}

/*
 * Let the child have the first part of a range, up to the end of a leaf or to the first
 * copy, which takes long. Positive where there is more to do from @from on.
 */
static int fork_share_part(struct private *parent, struct private *child,
			   struct vm_area_struct *vma, unsigned long *from,
			   unsigned long to)
{
	struct private_leaf *leaf, *copy;
	unsigned long end = to;

	leaf = private_leaf_next(parent, from, &end);
	if (!leaf)
		return 0;
	copy = private_leaf_make(child, *from);
	if (!copy)
		return -ENOMEM;
	fork_unmap_twice(parent, *from, end);
	*from = fork_share_leaf(child, copy, leaf, *from, end);
	if (*from < end) {
		copy->entry[private_leaf_at(*from)] =
			fork_copy(child, vma,
				  leaf->entry[private_leaf_at(*from)], *from);
		++*from;
	}
	return *from < to;
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
	int more;

	filemap_invalidate_lock_shared(mapping);
	fork_reserve(child, vma);
	filemap_invalidate_unlock_shared(mapping);
	if (xa_empty(&parent->leaves))
		return 0;
	do {
		/* Faults of others who hold the same pages would change them, too. */
		filemap_invalidate_lock(mapping);
		more = fork_share_part(parent, child, vma, &from, to);
		filemap_invalidate_unlock(mapping);
		if (more > 0 && fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	} while (more > 0);
	return more;
}

/* The child's part of a mapping that is in its address space already. */
static void fork_child(struct private *parent, struct vm_area_struct *vma)
{
	struct private *child = private_create(parent->inode, vma->vm_mm,
					       parent->user);
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
