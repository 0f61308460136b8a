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
#include "fault.h"
#include "huge_page.h"
#include "inode.h"

static vm_fault_t fault_error(int err)
{
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

/**
 * fault_has_page_table() - Is there a page table where a huge page is to be?
 * @vmf: the fault
 *
 * None should ever be. But then no huge page can be mapped, and the fault would come
 * again for ever.
 */
bool fault_has_page_table(struct vm_fault *vmf)
{
	pmd_t pmd = READ_ONCE(*vmf->pmd);

	return !pmd_none(pmd) && !pmd_trans_huge(pmd);
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

/**
 * fault_file() - Map the huge page around an address of a shared mapping.
 * @vmf: the fault; its PMD was empty, another thread may have filled it since
 *
 * Context: vm_operations->fault, with mmap_lock held. May sleep.
 * Return: VM_FAULT_NOPAGE, VM_FAULT_SIGBUS beyond the end of the file or where
 * neither a promise nor a page is left, VM_FAULT_OOM where memory is short.
 */
vm_fault_t fault_file(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	unsigned long index = vmf->pgoff >> HUGE_ORDER;
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	struct folio *folio;
	vm_fault_t ret;

	filemap_invalidate_lock_shared(inode->i_mapping);
	if (index >= huge_count(i_size_read(inode)) ||
	    fault_has_page_table(vmf)) {
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
