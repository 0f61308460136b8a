// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings: what mmap() accepts, where it puts it, and how it may be split.
 *
 * A mapping is made of whole huge pages at huge page boundaries of address and
 * file, and stays so: every later split must be at such a boundary. A shared
 * mapping has nothing of its own, its promises are the file's and outlive it. A
 * private one has a struct private, which ends with its last piece.
 */
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>

#include "compat.h"
#include "fault.h"
#include "fork.h"
#include "huge_page.h"
#include "inode.h"
#include "mmap.h"
#include "private.h"
#include "super.h"

static int mmap_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return huge_aligned(addr) ? 0 : -EINVAL;
}

static unsigned long mmap_pagesize(struct vm_area_struct *vma)
{
	return HUGE_SIZE;
}

/* Nothing is at the place of a VMA to which another one is being moved. */
static void mmap_shared_open(struct vm_area_struct *vma)
{
	if (vma->vm_mm != current->mm)
		fork_before_copy(vma);
	else if (!vma_lookup(vma->vm_mm, vma->vm_start))
		compat_before_move(vma);
}

/* mbind(): of a shared mapping the policy is the file's. */
static int mmap_set_policy(struct vm_area_struct *vma, struct mempolicy *policy)
{
	struct inode *inode = file_inode(vma->vm_file);
	unsigned long from = vma->vm_pgoff >> HUGE_ORDER;
	unsigned long to = from + (vma_pages(vma) >> HUGE_ORDER);
	int err;

	/* A child for which memory was short has nothing of its own. */
	if (!(vma->vm_flags & VM_MAYSHARE) && !vma->vm_private_data)
		return 0;
	filemap_invalidate_lock(inode->i_mapping);
	if (vma->vm_flags & VM_MAYSHARE)
		err = file_policy_set(inode, from, to, policy);
	else
		err = private_set_policy(vma->vm_private_data, from, to,
					 policy);
	filemap_invalidate_unlock(inode->i_mapping);
	return err == -ENOSPC ? -ENOMEM : err;
}

/**
 * mmap_find_policy() - The policy of a shared mapping, for the kernel to show.
 * @vma: a piece of the mapping; of a private one the kernel keeps the policy itself
 * @addr: an address in it
 *
 * Context: mmap_lock is held; may sleep.
 * Return: the policy with a reference, or NULL where that of the task is in force.
 */
struct mempolicy *mmap_find_policy(struct vm_area_struct *vma,
				   unsigned long addr)
{
	struct inode *inode = file_inode(vma->vm_file);
	struct policy *mount = super_info(inode->i_sb)->policy;
	struct mempolicy *policy;

	policy = file_policy_get(inode, linear_page_index(vma, addr) >>
					HUGE_ORDER);
	if (!policy && mount) {
		policy = &mount->policy;
		mpol_get(policy);
	}
	return policy;
}

static const struct vm_operations_struct mmap_shared_ops = {
	.open = mmap_shared_open,
	.fault = fault_shared,
	.huge_fault = fault_shared_huge,
	.map_pages = COMPAT_ASKS_MAP_PAGES ? fault_map_pages : NULL,
	.may_split = mmap_may_split,
	.pagesize = mmap_pagesize,
	.set_policy = mmap_set_policy,
	.get_policy = compat_get_policy,
};

static const struct vm_operations_struct mmap_private_ops = {
	.open = fork_open,
	.close = private_close,
	.fault = fault_private,
	.huge_fault = fault_private_huge,
	.map_pages = COMPAT_ASKS_MAP_PAGES ? fault_map_pages : NULL,
	.may_split = mmap_may_split,
	.pagesize = mmap_pagesize,
	.set_policy = mmap_set_policy,
};

/*
 * A writable mapping takes the file's size along to its end, as on hugetlbfs.
 * One through a descriptor that can never write must not promise itself pages
 * that the file does not have: it is bounded by the size.
 */
static int mmap_check_size(struct vm_area_struct *vma, loff_t size, loff_t end)
{
	if (vma->vm_file->f_mode & FMODE_WRITE)
		return 0;
	return huge_pos(huge_count(size)) >= end ? 0 : -ENOMEM;
}

/*
 * Promise the pages of a mapping and extend the file. Both under invalidate_lock:
 * truncation must not come between the two, and i_rwsem is not to be taken under
 * mmap_lock. @private is NULL for a shared mapping.
 */
static int mmap_reserve(struct inode *inode, struct vm_area_struct *vma,
			struct private *private)
{
	unsigned long from = vma->vm_pgoff >> HUGE_ORDER;
	unsigned long to = from + (vma_pages(vma) >> HUGE_ORDER);
	int err;

	filemap_invalidate_lock(inode->i_mapping);
	err = mmap_check_size(vma, i_size_read(inode), huge_pos(to));
	if (err || vma->vm_flags & VM_NORESERVE)
		;
	else if (private)
		err = private_reserve(private, from, to, NULL);
	else
		err = file_policy_reserve(inode, from, to);
	if (!err && vma->vm_flags & VM_WRITE &&
	    vma->vm_file->f_mode & FMODE_WRITE &&
	    i_size_read(inode) < huge_pos(to)) {
		i_size_write(inode, huge_pos(to));
		inode_touch(inode);
	}
	filemap_invalidate_unlock(inode->i_mapping);
	/* What write(2) calls no space, mmap(2) calls no memory. */
	return err == -ENOSPC ? -ENOMEM : err;
}

/*
 * The user who calls, as he would own a file that he made there. Through an overlay
 * the call is made in the name of whoever has mounted that.
 */
static kuid_t mmap_user(struct inode *inode, struct vm_area_struct *vma)
{
	kuid_t caller = current_real_cred()->fsuid;
	kuid_t uid = from_vfsuid(file_mnt_idmap(vma->vm_file), i_user_ns(inode),
				 VFSUIDT_INIT(caller));

	return uid_valid(uid) ? uid : caller;
}

/* A private mapping that the current user is charged for. */
static struct private *mmap_make_private(struct inode *inode,
					 struct vm_area_struct *vma)
{
	struct quota *quota = huge_inode(inode)->reserve->quota;
	struct quota_user *user = quota_user_get(quota, mmap_user(inode, vma));
	struct private *private;

	if (!user)
		return NULL;
	private = private_create(inode, vma->vm_mm, user);
	quota_user_put(user);
	return private;
}

static int mmap_private(struct inode *inode, struct vm_area_struct *vma)
{
	struct private *private = mmap_make_private(inode, vma);
	int err;

	if (!private)
		return -ENOMEM;
	err = private_register(private);
	if (err)
		goto destroy;
	err = mmap_reserve(inode, vma, private);
	if (err)
		goto destroy;
	vma->vm_private_data = private;
	vma->vm_ops = &mmap_private_ops;
	return 0;

destroy:
	private_destroy(private);
	return err;
}

static int mmap_shared(struct inode *inode, struct vm_area_struct *vma)
{
	int err = mmap_reserve(inode, vma, NULL);

	if (!err)
		vma->vm_ops = &mmap_shared_ops;
	return err;
}

/**
 * mmap_file() - Make a mapping of a file.
 * @file: the file
 * @vma: the mapping in the making
 *
 * Context: file_operations->mmap, with mmap_lock held for writing.
 * Return: 0, or with nothing changed -EINVAL where address, length or offset
 * are not multiples of the huge page size, -ENOMEM where the pages cannot be
 * promised, -EINTR.
 */
int mmap_file(struct file *file, struct vm_area_struct *vma)
{
	struct inode *inode = file_inode(file);
	int err;

	if (!huge_aligned(vma->vm_start) || !huge_aligned(vma->vm_end) ||
	    vma->vm_pgoff & (HUGE_NR - 1))
		return -EINVAL;

	if (vma->vm_flags & VM_MAYSHARE)
		err = mmap_shared(inode, vma);
	else
		err = mmap_private(inode, vma);
	if (err)
		return err;
	file_accessed(file);
	/* Mixed: get_user_pages() may take references, the pages are RAM. */
	vm_flags_set(vma, VM_MIXEDMAP | VM_DONTEXPAND);
	return 0;
}

/*
 * An aligned address out of a search for more than is needed, by no more than it takes:
 * mappings that are made one after the other then have no holes between them.
 */
static unsigned long mmap_find_padded(struct file *file, unsigned long addr,
				      unsigned long len, unsigned long pgoff,
				      unsigned long flags)
{
	unsigned long padded;

	if (check_add_overflow(len, HUGE_SIZE - PAGE_SIZE, &padded))
		return -ENOMEM;
	addr = mm_get_unmapped_area(current->mm, file, addr, padded, pgoff,
				    flags);
	return IS_ERR_VALUE(addr) ? addr : ALIGN(addr, HUGE_SIZE);
}

/**
 * mmap_find_address() - Find an address for a mapping.
 * @file: the file
 * @addr: hint, or the address itself with MAP_FIXED
 * @len: length in bytes
 * @pgoff: offset in small pages
 * @flags: MAP_ flags
 *
 * Context: file_operations->get_unmapped_area, with mmap_lock held for
 * writing.
 * Return: the address, or -EINVAL where address, length or offset are not
 * multiples of the huge page size, -ENOMEM.
 */
unsigned long mmap_find_address(struct file *file, unsigned long addr,
				unsigned long len, unsigned long pgoff,
				unsigned long flags)
{
	unsigned long found;

	if (!huge_aligned(len) || pgoff & (HUGE_NR - 1))
		return -EINVAL;
	if (flags & MAP_FIXED)
		return huge_aligned(addr) ? addr : -EINVAL;

	/*
	 * A hint that is free is taken as it is, so it must be aligned: downwards,
	 * as only who hints beyond 47 bits wants such an address, and the highest
	 * of all is a hint, too.
	 */
	addr = ALIGN_DOWN(addr, HUGE_SIZE);
	found = mmap_find_padded(file, addr, len, pgoff, flags);
	if (!IS_ERR_VALUE(found) && (!addr || found == addr))
		return found;
	/* There may be room for as much as is needed, at the hint or elsewhere. */
	addr = mm_get_unmapped_area(current->mm, file, addr, len, pgoff, flags);
	if (IS_ERR_VALUE(addr) || huge_aligned(addr))
		return addr;
	return found;
}
