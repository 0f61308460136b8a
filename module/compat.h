/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_COMPAT_H
#define RHUGEFS_COMPAT_H

/*
 * The only place that asks for a kernel's version. All else is written as for
 * 6.12; what is missing or spelt otherwise before it is made up for here.
 */
#include <linux/fs.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/version.h>

#include "mmap.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)

/* Inode operations were given a user namespace where they now get an idmap. */
#define mnt_idmap	user_namespace
#define nop_mnt_idmap	init_user_ns
#define file_mnt_idmap	file_mnt_user_ns

static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

/* There, but not exported, while this one was. Details were never given here. */
#define zap_page_range_single(vma, address, size, details)	\
	((void)(details), zap_page_range(vma, address, size))

#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)

#define copy_splice_read	generic_file_splice_read

#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)

#define generic_fillattr(idmap, mask, inode, stat)	\
	((void)(mask), generic_fillattr(idmap, inode, stat))

#endif

/* How large an entry ->huge_fault is asked for. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define compat_order		enum page_entry_size
#define COMPAT_HUGE_ORDER	PE_SIZE_PMD
#else
#define compat_order		unsigned int
#define COMPAT_HUGE_ORDER	HPAGE_PMD_ORDER
#endif

/* Let go of the lock under which the kernel has called ->fault. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
static inline void release_fault_lock(struct vm_fault *vmf)
{
	mmap_read_unlock(vmf->vma->vm_mm);
}
#endif

/* Whether it is of use to have a ->map_pages that maps nothing. */
#define COMPAT_ASKS_MAP_PAGES	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0))

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)

#define mm_get_unmapped_area(mm, ...)	((mm)->get_unmapped_area(__VA_ARGS__))

#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)

/* No policy has this mode. */
#define MPOL_WEIGHTED_INTERLEAVE	MPOL_MAX

#endif

/* As vm_operations->get_policy. Which index is interleaved is the module's to know. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
static inline struct mempolicy *compat_get_policy(struct vm_area_struct *vma,
						  unsigned long addr)
{
	return mmap_find_policy(vma, addr);
}
#else
static inline struct mempolicy *compat_get_policy(struct vm_area_struct *vma,
						  unsigned long addr,
						  pgoff_t *ilx)
{
	return mmap_find_policy(vma, addr);
}
#endif

typedef unsigned long (*compat_shrink_fn)(struct shrinker *shrinker,
					  struct shrink_control *control);

/* A shrinker of all nodes, asked for at least @batch objects at a time, or NULL. */
static inline struct shrinker *compat_shrinker_create(compat_shrink_fn count,
						      compat_shrink_fn scan,
						      long batch)
{
	struct shrinker *shrinker;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	shrinker = kzalloc(sizeof(*shrinker), GFP_KERNEL);
	if (shrinker)
		shrinker->flags = SHRINKER_NUMA_AWARE;
#else
	shrinker = shrinker_alloc(SHRINKER_NUMA_AWARE, KBUILD_MODNAME);
#endif
	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->seeks = DEFAULT_SEEKS;
	shrinker->batch = batch;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	if (register_shrinker(shrinker, KBUILD_MODNAME)) {
		kfree(shrinker);
		return NULL;
	}
#else
	shrinker_register(shrinker);
#endif
	return shrinker;
}

static inline void compat_shrinker_destroy(struct shrinker *shrinker)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	unregister_shrinker(shrinker);
	kfree(shrinker);
#else
	shrinker_free(shrinker);
#endif
}

/*
 * Copy a part of a page to whoever reads. Before 6.5 a pipe would take a reference to the
 * page in place of a copy, and might later take it for one of the page cache's that
 * can be had altogether.
 */
static inline size_t compat_copy_to_iter(struct folio *folio, size_t offset,
					 size_t bytes, struct iov_iter *to)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	if (iov_iter_is_pipe(to))
		return copy_to_iter(folio_address(folio) + offset, bytes, to);
#endif
	return copy_page_to_iter(folio_page(folio, 0), offset, bytes, to);
}

/*
 * Who answers for an address space, NULL where nobody does any more, or where the
 * kernel does not keep it. rcu_read_lock() is held.
 */
static inline struct task_struct *compat_mm_owner(struct mm_struct *mm)
{
#ifdef CONFIG_MEMCG
	return rcu_dereference(mm->owner);
#else
	return NULL;
#endif
}

/* Does fork() copy huge entries of files, or let the child fault? */
static inline bool compat_fork_copies(void)
{
	return LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0);
}

/*
 * To be called from ->open of a VMA to which mremap() is about to move entries.
 * Before 6.12 it takes a huge entry that goes meanwhile, because the file is cut or
 * a page taken back, for a page table. What is gone before need not be moved.
 */
static inline void compat_before_move(struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	unmap_mapping_range(vma->vm_file->f_mapping,
			    (loff_t)vma->vm_pgoff << PAGE_SHIFT,
			    vma->vm_end - vma->vm_start, 1);
#endif
}

static inline struct timespec64 inode_set_times(struct inode *inode)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
	inode->i_ctime = current_time(inode);
	inode->i_mtime = inode->i_ctime;
	return inode->i_mtime;
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	inode->i_mtime = inode_set_ctime_current(inode);
	return inode->i_mtime;
#else
	return inode_set_mtime_to_ts(inode, inode_set_ctime_current(inode));
#endif
}

/* Times of an inode that has just changed. */
static inline void inode_touch(struct inode *inode)
{
	/*
	 * mmap() sets them without i_rwsem, which it cannot take, as page faults
	 * on other file systems do (file_update_time()).
	 */
	data_race(inode_set_times(inode));
}

/* Times of an inode that has just been made. */
static inline void inode_touch_new(struct inode *inode)
{
	inode_touch(inode);
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	inode->i_atime = inode->i_mtime;
#else
	inode_set_atime_to_ts(inode, inode_get_mtime(inode));
#endif
}

#endif
