// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults on private mappings: which page a process sees, and when it gets one of
 * its own.
 *
 * What it has of its own comes first, then the file's page, mapped read-only, then
 * the page of zeroes. A write wants a page that nobody else sees: the one it has,
 * where nobody else holds it; else a new one, for which the owner of the mapping
 * has a promise as long as it has none yet. Where the pool has nothing left for
 * a further copy, the owner takes the page that it shares with its children from
 * them, and a child gets SIGBUS.
 *
 * The index mutex is held until the page is in the page table. madvise() does not take
 * it; it marks an entry as dropped first, under the mapping's map_lock, and empties the
 * page table then. So whoever maps an entry looks at the mark under that lock: if it is
 * not there yet, what is mapped will be taken out of the page table behind it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pfn_t.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "cow.h"
#include "dontneed.h"
#include "huge_page.h"
#include "poison.h"
#include "private.h"
#include "private_page.h"
#include "stats.h"
#include "trace.h"
#include "zero_page.h"

/* How long to wait before looking again whether a reference was dropped. */
#define COW_WAIT	msecs_to_jiffies(10)

/* How long a system call waits. */
#define COW_WAIT_MOST	(5 * HZ)

/**
 * struct cow - one fault
 * @vmf: what the kernel says of it
 * @private: the mapping
 * @cache: the mapped file's cache
 * @index: the index, in huge pages
 */
struct cow {
	struct vm_fault *vmf;
	struct private *private;
	struct cache *cache;
	unsigned long index;
};

/* Say once for each mapping why its process is about to be killed. */
static vm_fault_t cow_refuse(struct cow *cow, const char *why)
{
	/* A debugger, or a core dump, is told by an error. */
	if (cow->vmf->vma->vm_mm != current->mm || current->flags & PF_DUMPCORE)
		return VM_FAULT_SIGBUS;
	stats_count(STAT_REFUSED);
	trace_cow(cow->private, cow->index, COW_REFUSE, NULL);
	if (!test_and_set_bit(PRIVATE_COMPLAINED, &cow->private->flags))
		pr_warn_ratelimited("%s[%d]: SIGBUS in a private mapping of %pD4, huge page %lu: %s\n",
				    current->comm, task_tgid_nr(current),
				    cow->vmf->vma->vm_file, cow->index, why);
	return VM_FAULT_SIGBUS;
}

static vm_fault_t cow_refuse_missing(struct cow *cow)
{
	return cow_refuse(cow, "no huge page was left for a copy after fork()");
}

/* Take what is mapped out of the page table, also where others just do so. */
static void cow_unmap(struct cow *cow)
{
	unsigned long addr = cow->vmf->address & HUGE_MASK;

	if (private_is_mapped_twice(cow->private))
		unmap_mapping_range(cow->cache->mapping, huge_pos(cow->index),
				    HUGE_SIZE, 1);
	else
		zap_page_range_single(cow->vmf->vma, addr, HUGE_SIZE, NULL);
}

static vm_fault_t cow_map(struct cow *cow, struct folio *folio, bool write)
{
	if (huge_page_is_poisoned(folio))
		return VM_FAULT_HWPOISON;
	return vmf_insert_pfn_pmd(cow->vmf, pfn_to_pfn_t(folio_pfn(folio)),
				  write);
}

/* Is a copy of what the process has promised to it, should it write? */
static bool cow_is_promised_copy(struct cow *cow)
{
	return cow->private->reserve &&
	       private_is_marked(cow->private, cow->index,
				 PRIVATE_INHERITED);
}

/*
 * May a page be written in place? One that was inherited stands for the promised one
 * from then on, which is no longer needed.
 */
static bool cow_is_writable(struct cow *cow, struct folio *folio)
{
	struct private *private = cow->private;

	if (!private_page_writable(folio, private, cow->index))
		return false;
	if (cow_is_promised_copy(cow)) {
		private_unmark(private, cow->index, PRIVATE_INHERITED);
		reserve_release_index(private->reserve, cow->index);
	}
	return true;
}

static bool cow_is_dropped(struct cow *cow)
{
	return private_is_marked(cow->private, cow->index, PRIVATE_DROPPED);
}

/*
 * Map a page of the process's own, unless it has just dropped it: the access then comes
 * again. Another page that is mapped already may stay if only reading was wanted: then
 * another thread has been here since.
 */
static vm_fault_t cow_map_own(struct cow *cow, struct folio *folio, bool write)
{
	vm_fault_t ret = VM_FAULT_NOPAGE;

	if (write && !pmd_none(READ_ONCE(*cow->vmf->pmd)))
		cow_unmap(cow);
	down_read(&cow->private->map_lock);
	if (!cow_is_dropped(cow))
		ret = cow_map(cow, folio, write);
	up_read(&cow->private->map_lock);
	return ret;
}

/* What the process has of its own, and has not dropped. */
static void *cow_entry(struct cow *cow)
{
	return cow_is_dropped(cow) ? NULL :
				     private_entry(cow->private, cow->index);
}

/* The file's page or zeroes. A core dump leaves out what is nowhere. */
static vm_fault_t cow_read_file(struct cow *cow)
{
	struct folio *folio = cache_find(cow->cache, cow->index);

	if (!folio && current->flags & PF_DUMPCORE)
		return VM_FAULT_SIGBUS;
	return cow_map(cow, folio ?: zero_page_get(), false);
}

static vm_fault_t cow_read(struct cow *cow)
{
	struct folio *folio = cow_entry(cow);
	bool writable;

	if (!folio)
		return cow_read_file(cow);
	if (xa_is_value(folio))
		return cow_refuse_missing(cow);
	writable = !cow_is_promised_copy(cow) && cow_is_writable(cow, folio);
	return cow_map_own(cow, folio, writable);
}

/*
 * A mapping that is just ending may have forgotten its promises. Where its policy wants
 * the page is not known here, but where it was promised.
 */
static bool cow_claim_promised(struct private *other, unsigned long index,
			       struct claim *claim)
{
	struct wish wish;

	/* Of those who hold a page at most one has consumed a promise for it. */
	if (!other->reserve ||
	    WARN_ON_ONCE(!private_is_marked(other, index, PRIVATE_INHERITED)))
		return false;
	wish_within(&wish, other->reserve->quota->kept.scope);
	if (reserve_claim(other->reserve, index, &wish, false, claim))
		return false;
	if (!claim->promise)
		reserve_cancel(claim);
	return claim->promise;
}

/*
 * Let a mapping that inherited a page hold it no more: it gets a copy if it was
 * promised one, else SIGBUS should it touch the page again.
 */
static void cow_take_from(struct cow *cow, struct private *other,
			  struct folio *folio)
{
	void *entry = PRIVATE_TAKEN;
	struct claim claim;

	if (cow_claim_promised(other, cow->index, &claim)) {
		huge_page_copy(claim.folio, folio);
		private_page_init(claim.folio, other, cow->index);
		WARN_ON_ONCE(reserve_commit(&claim));
		entry = claim.folio;
		trace_cow(other, cow->index, COW_COPY, entry);
	} else {
		set_bit(HPAGE_RESV_UNMAPPED, &other->flags);
		stats_count(STAT_TAKEN_BACK);
		trace_cow(other, cow->index, COW_TAKE, folio);
	}
	private_entry_set(other, cow->index, entry);
	private_unmark(other, cow->index, PRIVATE_INHERITED);
	private_page_unshare(folio);
}

/*
 * Let nobody else hold a page any more, at least none of those who have dropped it.
 * Only the owner may take it from the others.
 */
static void cow_take_back(struct cow *cow, struct folio *folio)
{
	struct private *other;
	unsigned long id;

	unmap_mapping_range(cow->cache->mapping, huge_pos(cow->index),
			    HUGE_SIZE, 1);
	mutex_lock(&cow->cache->privates_lock);
	xa_for_each(&cow->cache->privates, id, other) {
		cond_resched();
		if (other == cow->private ||
		    private_entry(other, cow->index) != folio)
			continue;
		if (private_is_marked(other, cow->index, PRIVATE_DROPPED))
			private_give_up(other, cow->index);
		else if (test_bit(HPAGE_RESV_OWNER, &cow->private->flags))
			cow_take_from(cow, other, folio);
	}
	mutex_unlock(&cow->cache->privates_lock);
}

/* What the process is to find in a page of its own, but for what it had. */
static void cow_fill(struct cow *cow, struct folio *folio, bool zeroed)
{
	struct folio *file_page = cache_find(cow->cache, cow->index);

	if (file_page)
		huge_page_copy(folio, file_page);
	else if (!zeroed)
		huge_page_zero(folio);
}

static void cow_wish(struct cow *cow, struct wish *wish)
{
	policy_wish(wish, cow->private->inode, cow->vmf->vma->vm_policy,
		    cow->index);
}

/* The page that was promised, as long as it was not consumed, or any. */
static int cow_claim(struct cow *cow, bool want_zeroed, struct claim *claim)
{
	struct reserve *reserve = cow->private->reserve;
	struct wish wish;

	cow_wish(cow, &wish);
	if (reserve && !private_consumed(cow->private, cow->index))
		return reserve_claim(reserve, cow->index, &wish, want_zeroed,
				     claim);
	return reserve_claim_beyond(cow->cache->reserve, cow->private->user,
				    cow->index, &wish, want_zeroed, claim);
}

/*
 * A new page in the place of @old, a copy of it if @keep, which nobody sees yet. On an
 * error nothing is changed.
 */
static struct folio *cow_make(struct cow *cow, struct folio *old, bool keep)
{
	bool want_zeroed = !keep && !cache_find(cow->cache, cow->index);
	struct claim claim;
	int err;

	err = cow_claim(cow, want_zeroed, &claim);
	if (err)
		return ERR_PTR(err);
	if (keep)
		huge_page_copy(claim.folio, old);
	else
		cow_fill(cow, claim.folio, claim.zeroed);
	claim.zeroed = false;
	err = reserve_commit(&claim);
	if (err) {
		reserve_cancel(&claim);
		return ERR_PTR(err);
	}
	private_page_init(claim.folio, cow->private, cow->index);
	return claim.folio;
}

/*
 * Put a new page in the place of @old, which may be NULL; a copy of it if @keep.
 * On an error nothing is changed.
 */
static int cow_replace(struct cow *cow, struct folio *old, bool keep)
{
	struct folio *folio;

	if (!private_leaf_make(cow->private, cow->index))
		return -ENOMEM;
	folio = cow_make(cow, old, keep);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	private_entry_set(cow->private, cow->index, folio);
	private_unmark(cow->private, cow->index, PRIVATE_INHERITED);
	trace_cow(cow->private, cow->index, keep ? COW_COPY : COW_NEW, folio);
	if (old) {
		cow_unmap(cow);
		private_page_drop(old, cow->private->user);
	}
	return 0;
}

/*
 * A page that is begun anew need not be one from before an mbind(), where another one can
 * be had without much ado, and must not be one with a memory error.
 */
static bool cow_lies_well(struct cow *cow, struct folio *folio)
{
	struct pool *pool = cow->cache->reserve->quota->pool;
	struct wish wish;

	if (huge_page_is_poisoned(folio))
		return false;
	cow_wish(cow, &wish);
	return node_isset(folio_nid(folio), wish.allowed) ||
	       !pool_may_have_spare(pool, &wish.allowed);
}

/* Whether a page may be written in place, after it was made what it is to be. */
static bool cow_reuse(struct cow *cow, struct folio *folio, bool keep)
{
	if (!keep) {
		cow_unmap(cow);
		if (!private_page_unused(folio))
			return false;
		cow_fill(cow, folio, false);
	}
	if (!cow_is_writable(cow, folio))
		return false;
	trace_cow(cow->private, cow->index, COW_REUSE, folio);
	return true;
}

/*
 * Have a page that may be written. -EBUSY: the page is the process's own, but
 * somebody can still read it by a reference, and there is no other.
 */
static int cow_own(struct cow *cow, struct folio *folio, bool keep)
{
	int err;

	if (folio && (keep || cow_lies_well(cow, folio)) &&
	    cow_reuse(cow, folio, keep))
		return 0;
	err = cow_replace(cow, folio, keep);
	if (err != -ENOSPC)
		return err;
	/* Who is being killed looked less hard, and takes nothing from others. */
	if (fatal_signal_pending(current))
		return -EINTR;
	if (!folio || huge_page_is_poisoned(folio))
		return err;
	if (private_page_holders(folio) > 1)
		cow_take_back(cow, folio);
	if (cow_reuse(cow, folio, keep))
		return 0;
	return private_page_holders(folio) > 1 ? err : -EBUSY;
}

/* Has what the process is to find in its page a memory error? */
static bool cow_is_lost(struct cow *cow, struct folio *old)
{
	struct folio *source = old ?: cache_find(cow->cache, cow->index);

	return source && huge_page_is_poisoned(source);
}

static vm_fault_t cow_write(struct cow *cow, int *err)
{
	struct private *private = cow->private;
	struct folio *folio = private_entry(private, cow->index);
	bool dropped = cow_is_dropped(cow);

	if (xa_is_value(folio)) {
		if (!dropped)
			return cow_refuse_missing(cow);
		folio = NULL;
	}
	if (cow_is_lost(cow, dropped ? NULL : folio))
		return VM_FAULT_HWPOISON;
	/* One that comes from now on is found before the page is mapped. */
	if (dropped) {
		private_unmark(private, cow->index, PRIVATE_DROPPED);
		private_unmark(private, cow->index, PRIVATE_UNMAPPED);
	}
	*err = cow_own(cow, folio, folio && !dropped);
	if (*err) {
		if (dropped)
			private_mark(private, cow->index, PRIVATE_DROPPED);
		return 0;
	}
	return cow_map_own(cow, private_entry(private, cow->index), true);
}

/*
 * A system call that waits may hold locks that others want. What comes within a
 * second of an earlier one is the same wait.
 */
static bool cow_waited_enough(struct private *private)
{
	unsigned long now = jiffies;

	if (time_after(now, READ_ONCE(private->wait_last) + HZ))
		WRITE_ONCE(private->wait_start, now);
	WRITE_ONCE(private->wait_last, now);
	return time_after(now, READ_ONCE(private->wait_start) + COW_WAIT_MOST);
}

/*
 * Give whoever has a reference time to drop it; the access then comes again. Without
 * the fault's lock where that is allowed: it may be this process that has to do something
 * for it.
 */
static vm_fault_t cow_wait(struct private *private, struct vm_fault *vmf)
{
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	if (!(vmf->flags & FAULT_FLAG_USER) && cow_waited_enough(private))
		return VM_FAULT_SIGBUS;
	if (vmf->flags & FAULT_FLAG_ALLOW_RETRY) {
		release_fault_lock(vmf);
		schedule_timeout_killable(COW_WAIT);
		return VM_FAULT_RETRY;
	}
	schedule_timeout_killable(COW_WAIT);
	/* The kernel would try again for ever on behalf of a killed process. */
	return fatal_signal_pending(current) ? VM_FAULT_SIGBUS :
					       VM_FAULT_NOPAGE;
}

/* No lock of the file is held any more. */
static vm_fault_t cow_error(struct cow *cow, int err)
{
	switch (err) {
	case -EBUSY:
		return cow_wait(cow->private, cow->vmf);
	case -ENOMEM:
		return VM_FAULT_OOM;
	case -EINTR:
		return VM_FAULT_SIGBUS;
	default:
		/* What was dropped a moment ago is as good as free. */
		if (dontneed_collect(cow->private))
			return VM_FAULT_NOPAGE;
		return cow_refuse(cow, "no huge page is left that is not promised to others");
	}
}

/**
 * cow_fault() - Map a huge page in a private mapping.
 * @vmf: the fault; its PMD was empty, another thread may have filled it since
 *
 * A write to a mapping that may not be written to is a debugger's, and
 * get_user_pages() would come again for ever if it were given a page to read. An
 * unsharing fault comes before a long-term reference for reading, and gets what a
 * write would.
 *
 * Context: as for fault_private(), which calls this; the fault's lock may be dropped.
 * Return: VM_FAULT_NOPAGE, VM_FAULT_SIGBUS beyond the end of the file or where no
 * page is to be had, VM_FAULT_HWPOISON where the one that there is has a memory error,
 * VM_FAULT_OOM where memory is short, VM_FAULT_RETRY.
 */
vm_fault_t cow_fault(struct vm_fault *vmf)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	bool write = vmf->flags & (FAULT_FLAG_WRITE | FAULT_FLAG_UNSHARE);
	struct cow cow = {
		.vmf = vmf,
		.private = vmf->vma->vm_private_data,
		.cache = &huge_inode(inode)->cache,
		.index = vmf->pgoff >> HUGE_ORDER,
	};
	struct mutex *mutex;
	vm_fault_t ret;
	int err = 0;

	if (!cow.private || (write && !(vmf->vma->vm_flags & VM_WRITE)))
		return VM_FAULT_SIGBUS;
	if (test_bit(PRIVATE_BROKEN, &cow.private->flags))
		return cow_refuse(&cow, "memory was short at fork()");

	filemap_invalidate_lock_shared(inode->i_mapping);
	if (cow.index >= huge_count(i_size_read(inode))) {
		filemap_invalidate_unlock_shared(inode->i_mapping);
		return VM_FAULT_SIGBUS;
	}
	mutex = cache_lock_index(cow.cache, cow.index);
	ret = write ? cow_write(&cow, &err) : cow_read(&cow);
	cache_unlock_index(mutex);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	return err ? cow_error(&cow, err) : ret;
}
