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
#include "poison.h"
#include "stats.h"
#include "trace.h"

/* Huge pages at most that are mapped around one that is touched, a power of two. */
#define FAULT_AROUND		16
#define FAULT_AROUND_SIZE	(FAULT_AROUND * HUGE_SIZE)

static vm_fault_t fault_error(int err)
{
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

static vm_fault_t fault_insert(struct vm_fault *vmf, struct folio *folio,
			       bool write)
{
	if (huge_page_is_poisoned(folio))
		return VM_FAULT_HWPOISON;
	return vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(folio_pfn(folio)), write);
}

/*
 * Map what there is around a page that was there, before the file's end. Who maps a file
 * that others have filled is likely to touch more of it, and a fault costs some ten
 * times what it takes to find and map one more page meanwhile. An address of the window
 * that has an entry keeps it.
 */
static void fault_map_around(struct vm_fault *vmf, struct cache *cache,
			     unsigned long index, unsigned long end)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address & HUGE_MASK;
	unsigned long window = addr & ~(FAULT_AROUND_SIZE - 1);
	unsigned long first = max(window, vma->vm_start);
	unsigned long last = min(window + FAULT_AROUND_SIZE, vma->vm_end) -
			     HUGE_SIZE;
	XA_STATE(xas, &cache->pages, index - ((addr - first) >> HUGE_SHIFT));
	unsigned long to = min(index + ((last - addr) >> HUGE_SHIFT), end - 1);
	struct folio *folio;
	long away;

	rcu_read_lock();
	xas_for_each(&xas, folio, to) {
		away = xas.xa_index - index;
		if (xas_retry(&xas, folio) || !away)
			continue;
		/* Entries of a window are in one table. */
		fault_insert(&(struct vm_fault){
			.vma = vma,
			.address = addr + away * HUGE_SIZE,
			.pmd = vmf->pmd + away,
		}, folio, false);
	}
	rcu_read_unlock();
}

/*
 * Map the page of an index that is within the file. A core dump looks at every page of a
 * mapping and must not fill its holes: what is not there it leaves out, and so much
 * memory may not be there to be had.
 */
static vm_fault_t fault_map_index(struct vm_fault *vmf, struct cache *cache,
				  unsigned long index, unsigned long end)
{
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	struct folio *folio = cache_find(cache, index);

	if (folio) {
		fault_map_around(vmf, cache, index, end);
		return fault_insert(vmf, folio, write);
	}
	if (current->flags & PF_DUMPCORE)
		return VM_FAULT_SIGBUS;
	folio = cache_get(cache, index);
	if (IS_ERR(folio))
		return fault_error(PTR_ERR(folio));
	return fault_insert(vmf, folio, write);
}

static vm_fault_t fault_map(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	unsigned long index = vmf->pgoff >> HUGE_ORDER;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	unsigned long end;

	filemap_invalidate_lock_shared(inode->i_mapping);
	/* There may be pages behind it. */
	end = huge_count(i_size_read(inode));
	if (index < end)
		ret = fault_map_index(vmf, &huge_inode(inode)->cache, index,
				      end);
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
 * Context: vm_operations->fault, with mmap_lock or the lock of the VMA held. May sleep.
 * Return: VM_FAULT_NOPAGE, VM_FAULT_SIGBUS beyond the end of the file or where
 * neither a promise nor a page is left, VM_FAULT_HWPOISON where the page has a memory
 * error, VM_FAULT_OOM where memory is short.
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

/**
 * fault_shared_huge() - The same as fault_shared(), before a page table is made ready.
 * @vmf: the fault; its PMD is empty, or may not be written to
 * @order: how large an entry the kernel would like
 *
 * Where THP is enabled the kernel asks here first, and spares itself a page table that
 * it would free again.
 *
 * Context: vm_operations->huge_fault, as for fault_shared().
 * Return: what fault_shared() returns; VM_FAULT_FALLBACK for other sizes.
 */
vm_fault_t fault_shared_huge(struct vm_fault *vmf, compat_order order)
{
	return order == COMPAT_HUGE_ORDER ? fault_shared(vmf) :
					    VM_FAULT_FALLBACK;
}

/**
 * fault_private_huge() - The same of a private mapping.
 * @vmf: the fault
 * @order: as for fault_shared_huge()
 *
 * Whether a process has written to a private mapping a core dump reads off the VMA's
 * anon_vma, which the kernel makes for a write on its way to ->fault. So the first
 * such fault is to go that way.
 *
 * Context: as for fault_shared_huge().
 * Return: what fault_private() returns; VM_FAULT_FALLBACK where ->fault is to be called.
 */
vm_fault_t fault_private_huge(struct vm_fault *vmf, compat_order order)
{
	bool write = vmf->flags & FAULT_FLAG_WRITE;

	if (order != COMPAT_HUGE_ORDER ||
	    (write && !READ_ONCE(vmf->vma->anon_vma)))
		return VM_FAULT_FALLBACK;
	return fault_private(vmf);
}

/**
 * fault_map_pages() - Map nothing around an address.
 * @vmf: the fault
 * @from: first small page
 * @to: last small page
 *
 * One huge page is all there is around it, and that is what ->fault is for. But the
 * kernel calls that without mmap_lock only where there is a ->map_pages.
 *
 * Context: vm_operations->map_pages, in an RCU read-side critical section.
 * Return: 0: ->fault is to be called.
 */
vm_fault_t fault_map_pages(struct vm_fault *vmf, pgoff_t from, pgoff_t to)
{
	return 0;
}
