// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private mappings: what one process has of its own in one of them, from mmap()
 * or fork() to the last munmap().
 *
 * The kernel splits a mapping into pieces (munmap and mprotect of a part) and
 * moves them (mremap). All pieces of one mmap() in one process share one struct
 * private, which is kept by index in the file: neither splitting nor moving
 * changes an index. While mremap() moves a piece, two pieces map the same indices
 * for a moment, and the end of one of the two must give nothing back.
 *
 * Who made the mapping holds the reservation; who inherits it by fork() holds
 * none, unless the mount's fork_reserve gives it one of its own. hugetlb keeps the
 * former in the VMA as well, and calls the flag by the same name.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "compat.h"
#include "dontneed.h"
#include "huge_page.h"
#include "private.h"
#include "private_page.h"
#include "rebind.h"

/**
 * private_create() - Make an empty private mapping.
 * @inode: the file to be mapped
 * @mm: the address space in which it is mapped
 * @user: who is charged for its pages, held
 *
 * Context: may sleep.
 * Return: the mapping with one piece, or NULL where memory is short.
 */
struct private *private_create(struct inode *inode, struct mm_struct *mm,
			       struct quota_user *user)
{
	size_t size = offsetof(struct private, own) + reserve_size(nr_node_ids);
	struct private *private = kzalloc(size, GFP_KERNEL_ACCOUNT);

	if (!private)
		return NULL;
	private->inode = inode;
	private->mm = mm;
	private->user = quota_user_hold(user);
	private->nr_vmas = 1;
	xa_init_flags(&private->leaves, XA_FLAGS_ACCOUNT);
	init_rwsem(&private->map_lock);
	dontneed_init(private);
	return private;
}

/**
 * private_register() - Let a private mapping be found by its file, and hear of
 *	what its process drops.
 * @private: the mapping, which nobody uses yet
 *
 * Context: mmap_lock is held for writing; may sleep.
 * Return: 0, or with nothing changed -ENOMEM, -EINTR where a fatal signal came.
 */
int private_register(struct private *private)
{
	struct cache *cache = private_cache(private);
	int err = dontneed_listen(private->mm);

	if (err)
		return err;
	mutex_lock(&cache->privates_lock);
	err = xa_alloc(&cache->privates, &private->id, private,
		       XA_LIMIT(0, PRIVATE_MAX_ID), GFP_KERNEL);
	mutex_unlock(&cache->privates_lock);
	private->registered = !err;
	if (err)
		dontneed_end(private->mm);
	return err ? -ENOMEM : 0;
}

/**
 * private_destroy() - Undo private_create() and private_register().
 * @private: a mapping that has neither pages nor promises any more
 *
 * Context: may sleep; invalidate_lock is not held. mmap_lock is, or nobody else uses
 * the address space any more.
 */
void private_destroy(struct private *private)
{
	struct cache *cache = private_cache(private);

	if (private->registered) {
		dontneed_end(private->mm);
		mutex_lock(&cache->privates_lock);
		xa_erase(&cache->privates, private->id);
		mutex_unlock(&cache->privates_lock);
	}
	dontneed_exit(private);
	private_leaf_free_all(private);
	if (private->reserve)
		reserve_end(private->reserve);
	quota_user_put(private->user);
	kfree(private);
}

/**
 * private_reserve() - Promise a page for each index of a range.
 * @private: a mapping that has no reservation yet
 * @from: first index, in huge pages
 * @to: index behind the last one
 * @policy: where its pages should lie, NULL for what the mount or the task says
 *
 * Context: may sleep.
 * Return: 0, or with nothing changed what reserve_range() returns.
 */
int private_reserve(struct private *private, unsigned long from,
		    unsigned long to, const struct mempolicy *policy)
{
	struct reserve *reserve = &private->own;
	struct wish wish;
	int err;

	policy_wish(&wish, private->inode, policy, from);
	reserve_init(reserve, private->user, private->inode, true);
	err = reserve_range(reserve, from, to, &wish);
	if (err) {
		reserve_end(reserve);
		return err;
	}
	/* Of a child's it may just be looked at who uses what. */
	smp_store_release(&private->reserve, reserve);
	set_bit(HPAGE_RESV_OWNER, &private->flags);
	return 0;
}

/**
 * private_count() - Count the promised pages of a range that were consumed.
 * @data: a mapping with promises
 * @from: first index, in huge pages
 * @to: index behind the last one, greater than @from
 *
 * Context: invalidate_lock is held exclusively. May reschedule.
 * Return: how many there are.
 */
unsigned long private_count(void *data, unsigned long from, unsigned long to)
{
	struct private *private = data;
	unsigned long index, count = 0;
	void *entry;

	for_each_private_entry(private, index, entry, from, to) {
		count += private_consumed(private, index);
		cond_resched();
	}
	return count;
}

/**
 * private_set_policy() - Let what is promised for a range lie where another policy
 *	wants it.
 * @private: the mapping
 * @from: first index, in huge pages
 * @to: index behind the last one
 * @policy: the policy, NULL for what the mount or the task says
 *
 * Context: invalidate_lock is held exclusively; may sleep.
 * Return: 0, or with nothing changed what rebind_range() returns.
 */
int private_set_policy(struct private *private, unsigned long from,
		       unsigned long to, const struct mempolicy *policy)
{
	struct wish wish;

	if (!private->reserve)
		return 0;
	policy_wish(&wish, private->inode, policy, from);
	return rebind_range(private->reserve, from, to, &wish, private_count,
			    private);
}

/**
 * private_consumed() - Was the page that was promised for an index consumed?
 * @private: a mapping with promises
 * @index: the index, in huge pages
 *
 * Context: as for private_give_up(), but does not sleep.
 * Return: false where there is none yet, or only an inherited one.
 */
bool private_consumed(struct private *private, unsigned long index)
{
	void *entry = private_entry(private, index);

	return entry && !xa_is_value(entry) &&
	       !private_is_marked(private, index, PRIVATE_INHERITED);
}

/**
 * private_give_up() - Make an index show the file again.
 * @private: the mapping
 * @index: the index, in huge pages; mapped in the process no longer
 *
 * A page that goes back is promised to the mapping again, where it has promises.
 * Where that cannot be, since somebody else still uses the page and every other
 * one is promised, the entry stays and is marked as dropped.
 *
 * Context: the index mutex is held, or invalidate_lock exclusively; may sleep.
 * Return: true if the entry is gone.
 */
bool private_give_up(struct private *private, unsigned long index)
{
	void *entry = private_entry(private, index);

	if (!entry || xa_is_value(entry)) {
		private_entry_erase(private, index);
	} else if (!private->reserve || !private_consumed(private, index)) {
		private_entry_erase(private, index);
		private_page_drop(entry, private->user);
	} else if (private_page_unused(entry)) {
		/* Who ends the mapping waits here as long as there is an entry. */
		private_page_release(entry);
		reserve_restore(private->reserve, index, entry);
		private_entry_erase(private, index);
	} else if (!reserve_replace(private->reserve, index)) {
		private_entry_erase(private, index);
		private_page_drop(entry, private->user);
	} else {
		private_mark(private, index, PRIVATE_DROPPED);
		return false;
	}
	return true;
}

/**
 * private_truncate() - Make every private mapping of a file show the file behind
 *	its end.
 * @cache: the file's cache
 * @from: first index behind the end, in huge pages; nothing is mapped from there
 *
 * Context: invalidate_lock is held exclusively; may sleep.
 */
void private_truncate(struct cache *cache, unsigned long from)
{
	unsigned long id, index;
	struct private *private;
	void *entry;

	mutex_lock(&cache->privates_lock);
	xa_for_each(&cache->privates, id, private) {
		for_each_private_entry(private, index, entry, from,
				       REGION_END) {
			if (!private_give_up(private, index))
				dontneed_later(private);
			cond_resched();
		}
	}
	mutex_unlock(&cache->privates_lock);
}

/**
 * private_open_piece() - Count a further piece of a mapping.
 * @private: the mapping
 * @vma: a piece that is about to be, in the same address space
 *
 * Where another piece is at its place, that one is being split. Where none is,
 * one from elsewhere is being moved there and will go next.
 *
 * Context: mmap_lock is held for writing.
 */
void private_open_piece(struct private *private, struct vm_area_struct *vma)
{
	struct vm_area_struct *there = vma_lookup(vma->vm_mm, vma->vm_start);

	private->nr_vmas++;
	if (there && there->vm_private_data == private)
		return;
	compat_before_move(vma);
	if (private->twice_from < private->twice_to) {
		set_bit(PRIVATE_LEFTOVER, &private->flags);
		return;
	}
	WRITE_ONCE(private->twice_from, private_from(vma));
	WRITE_ONCE(private->twice_to, private_to(vma));
}

/**
 * private_is_mapped_twice() - Do two pieces map the same index?
 * @private: the mapping
 *
 * Context: mmap_lock is held, or the lock of a VMA. An mremap() that is just under way
 * has locked those of the indices that it is about.
 * Return: true if so after an mremap() that could not unmap the old place.
 */
bool private_is_mapped_twice(struct private *private)
{
	return READ_ONCE(private->twice_from) < READ_ONCE(private->twice_to) ||
	       test_bit(PRIVATE_LEFTOVER, &private->flags);
}

/*
 * Take the piece's indices out of what is mapped twice. True if nothing else maps
 * them now. Only when an mremap() could not unmap the old place are these other
 * than a whole that comes and goes at once.
 */
static bool private_is_last_piece(struct private *private, unsigned long from,
				  unsigned long to)
{
	if (test_bit(PRIVATE_LEFTOVER, &private->flags))
		return false;
	if (to <= private->twice_from || private->twice_to <= from)
		return true;
	if (from <= private->twice_from && private->twice_to <= to &&
	    (from < private->twice_from || private->twice_to < to))
		set_bit(PRIVATE_LEFTOVER, &private->flags);
	else if (from <= private->twice_from)
		WRITE_ONCE(private->twice_from, to);
	else if (private->twice_to <= to)
		WRITE_ONCE(private->twice_to, from);
	else
		set_bit(PRIVATE_LEFTOVER, &private->flags);
	return false;
}

/* Let those go first who want the lock exclusively. */
static void private_relax(struct private *private)
{
	struct address_space *mapping = private->inode->i_mapping;

	if (rwsem_is_contended(&mapping->invalidate_lock)) {
		filemap_invalidate_unlock_shared(mapping);
		filemap_invalidate_lock_shared(mapping);
	}
	cond_resched();
}

/* Drop what is in a part of a leaf; how many of these pages had been promised. */
static unsigned long private_drop_leaf(struct private *private,
				       struct private_leaf *leaf,
				       unsigned long from, unsigned long to)
{
	unsigned long index, pages = 0;
	unsigned int at;

	for (index = from; index < to; index++) {
		at = private_leaf_at(index);
		if (!leaf->entry[at] || xa_is_value(leaf->entry[at]))
			continue;
		pages += !test_bit(at, &leaf->marks[PRIVATE_INHERITED]);
		private_page_drop(leaf->entry[at], private->user);
	}
	private_leaf_empty(private, from, to);
	return pages;
}

/*
 * Drop all entries of a range; how many pages had been promised. The lock is held
 * exclusively since that costs less than the mutex of each index, but for no more than a
 * leaf at a time.
 */
static unsigned long private_drop_range(struct private *private,
					unsigned long from, unsigned long to)
{
	struct address_space *mapping = private->inode->i_mapping;
	/* Nobody adds any while a piece goes. */
	bool more = !xa_empty(&private->leaves);
	struct private_leaf *leaf;
	unsigned long end, pages = 0;

	for (; more; from = end) {
		end = to;
		filemap_invalidate_lock(mapping);
		leaf = private_leaf_next(private, &from, &end);
		if (leaf)
			pages += private_drop_leaf(private, leaf, from, end);
		filemap_invalidate_unlock(mapping);
		more = leaf && end < to;
		cond_resched();
	}
	return pages;
}

/*
 * Where memory is too short to forget a part of the range, its promises are kept
 * until the mapping's end.
 */
static void private_keep_promises(struct private *private, unsigned long from,
				  unsigned long to)
{
	struct cache *cache = private_cache(private);
	unsigned long index;
	struct mutex *mutex;
	void *entry;

	for_each_private_entry(private, index, entry, from, to) {
		mutex = cache_lock_index(cache, index);
		if (!private_give_up(private, index))
			dontneed_later(private);
		cache_unlock_index(mutex);
		private_relax(private);
	}
}

/* Take the first part of a range out of the map; false where memory is too short. */
static bool private_forget(struct private *private, unsigned long from,
			   unsigned long to, struct forgotten *part)
{
	struct address_space *mapping = private->inode->i_mapping;
	int err;

	filemap_invalidate_lock_shared(mapping);
	err = reserve_forget(private->reserve, from, to, part);
	if (err)
		private_keep_promises(private, from, to);
	filemap_invalidate_unlock_shared(mapping);
	return !err;
}

/* End what a mapping has in a range that none of its pieces maps any more. */
static void private_end_range(struct private *private, unsigned long from,
			      unsigned long to)
{
	struct forgotten part;
	unsigned long held;

	if (from >= to)
		return;
	if (!private->reserve) {
		private_drop_range(private, from, to);
		return;
	}
	/* What was promised under several policies ends in parts. */
	for (; from < to; from = part.to) {
		if (!private_forget(private, from, to, &part))
			return;
		held = private_drop_range(private, part.from, part.to);
		reserve_release(private->reserve, &part, held);
	}
}

/**
 * private_close() - End a piece of a private mapping.
 * @vma: the piece, no longer in any page table
 *
 * Context: vm_operations->close, with mmap_lock held or nobody else using the
 * address space any more; may sleep.
 */
void private_close(struct vm_area_struct *vma)
{
	struct private *private = vma->vm_private_data;
	unsigned long from, to;

	if (!private)
		return;
	from = private_from(vma);
	to = private_to(vma);
	private->nr_vmas--;
	if (!private->nr_vmas) {
		private_end_range(private, 0, REGION_END);
		private_destroy(private);
	} else if (private_is_last_piece(private, from, to)) {
		private_end_range(private, from, to);
	}
}
