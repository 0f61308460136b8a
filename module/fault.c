// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults: the first touch of a huge page by a process.
 *
 * From the look at the file's size until the page is mapped the file's
 * invalidate_lock is held shared. Truncation holds it exclusively, so that a
 * page never enters a page table after it has left the file. The page tables
 * hold no reference to a page and count no mapping of it: they only repeat
 * what the cache says and may be emptied at any moment.
 */
#include <linux/err.h>
#include <linux/pagemap.h>
#include <linux/pfn_t.h>

#include "compat.h"
#include "cow.h"
#include "fault.h"
#include "huge_page.h"
#include "inode.h"
#include "stats.h"
#include "trace.h"

static vm_fault_t fault_error(int err)
{
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

/*
 * The page to map. A core dump looks at every page of a mapping and must not
 * fill its holes: what is not there it leaves out, and so much memory may not
 * be there to be had.
 */
static struct folio *fault_get_page(struct cache *cache, unsigned long index)
{
	struct folio *folio;

	if (!(current->flags & PF_DUMPCORE))
		return cache_get(cache, index);
	folio = cache_find(cache, index);
	return folio ? folio : ERR_PTR(-ENOENT);
}

static vm_fault_t fault_map(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	unsigned long index = vmf->pgoff >> HUGE_ORDER;
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	struct folio *folio;
	vm_fault_t ret;

	filemap_invalidate_lock_shared(inode->i_mapping);
	if (index >= huge_count(i_size_read(inode))) {
		ret = VM_FAULT_SIGBUS;
		goto unlock;
	}
	folio = fault_get_page(&huge_inode(inode)->cache, index);
	if (IS_ERR(folio))
		ret = fault_error(PTR_ERR(folio));
	else
		ret = vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(folio_pfn(folio)),
					 write);
unlock:
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return ret;
}

/*
 * Is there a page table where a huge page is to be? None should ever be. But then no
 * huge page can be mapped, and the fault would come again for ever.
 */
static bool fault_has_page_table(struct vm_fault *vmf)
{
	pmd_t pmd = READ_ONCE(*vmf->pmd);

	return !pmd_none(pmd) && !pmd_trans_huge(pmd);
}

static vm_fault_t fault_any(struct vm_fault *vmf,
			    vm_fault_t (*handle)(struct vm_fault *vmf))
{
	const struct inode *inode = file_inode(vmf->vma->vm_file);
	/* Without mmap_lock, which may be dropped, the file could go. */
	dev_t dev = inode->i_sb->s_dev;
	unsigned long ino = inode->i_ino;
	bool write = vmf->flags & (FAULT_FLAG_WRITE | FAULT_FLAG_UNSHARE);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	stats_count(STAT_FAULTS);
	if (!fault_has_page_table(vmf))
		ret = handle(vmf);
	trace_fault(dev, ino, vmf->pgoff >> HUGE_ORDER, vmf->real_address,
		    write, ret);
	return ret;
}

/**
 * fault_shared() - Map the huge page around an address of a shared mapping.
 * @vmf: the fault; its PMD was empty, another thread may have filled it since
 *
 * Context: vm_operations->fault, with mmap_lock held. May sleep.
 * Return: VM_FAULT_NOPAGE, VM_FAULT_SIGBUS beyond the end of the file or where
 * neither a promise nor a page is left, VM_FAULT_OOM where memory is short.
 */
vm_fault_t fault_shared(struct vm_fault *vmf)
{
	return fault_any(vmf, fault_map);
}

/**
 * fault_private() - The same for a private mapping.
 * @vmf: the fault
 *
 * Context: as for fault_shared().
 * Return: what cow_fault() returns.
 */
vm_fault_t fault_private(struct vm_fault *vmf)
{
	return fault_any(vmf, cow_fault);
}
