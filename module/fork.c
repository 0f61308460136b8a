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

/* From now on the parent faults; also where an mremap() has left it mapped twice. */
static void fork_unmap_private(struct private *parent,
			       struct vm_area_struct *vma)
{
	fork_unmap_parent(vma);
	if (private_is_mapped_twice(parent))
		unmap_mapping_range(parent->inode->i_mapping,
				    huge_pos(private_from(vma)),
				    vma->vm_end - vma->vm_start, 1);
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

/* What the child is to have in the place of an entry of the parent. */
static void *fork_entry(struct private *child, struct vm_area_struct *vma,
			void *entry, unsigned long index)
{
	if (xa_is_value(entry)) {
		set_bit(HPAGE_RESV_UNMAPPED, &child->flags);
		return entry;
	}
	if (folio_ref_count(entry) > 1)
		return fork_copy(child, vma, entry, index);
	private_page_share(entry);
	return entry;
}

static int fork_share_index(struct private *parent, struct private *child,
			    struct vm_area_struct *vma, unsigned long index)
{
	void *entry, *inherited;
	struct mutex *mutex;
	int err;

	err = xa_reserve(&child->pages, index, GFP_KERNEL_ACCOUNT);
	if (err)
		return err;
	mutex = cache_lock_index(private_cache(parent), index);
	entry = xa_load(&parent->pages, index);
	/* The work item may have been here. */
	if (entry && !xa_get_mark(&parent->pages, index, PRIVATE_DROPPED)) {
		inherited = fork_entry(child, vma, entry, index);
		xa_store(&child->pages, index, inherited, 0);
		if (inherited == entry)
			xa_set_mark(&child->pages, index, PRIVATE_INHERITED);
	} else {
		xa_release(&child->pages, index);
	}
	cache_unlock_index(mutex);
	return 0;
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
	unsigned long index;
	void *entry;
	int err = 0;

	filemap_invalidate_lock_shared(mapping);
	fork_reserve(child, vma);
	xa_for_each_range(&parent->pages, index, entry, private_from(vma),
			  private_to(vma) - 1) {
		err = fork_share_index(parent, child, vma, index);
		if (fatal_signal_pending(current))
			err = -EINTR;
		if (err)
			break;
		cond_resched();
	}
	filemap_invalidate_unlock_shared(mapping);
	return err;
}

/* The child's part of a mapping that is in its address space already. */
static void fork_child(struct private *parent, struct vm_area_struct *vma)
{
	struct private *child = private_create(parent->inode, vma->vm_mm);
	int err = -ENOMEM;

	/* Whatever becomes of the child, it must not have the parent's entries. */
	fork_unmap_private(parent, vma);
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
