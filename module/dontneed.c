// SPDX-License-Identifier: GPL-2.0-only
/*
 * MADV_DONTNEED on private mappings. The kernel empties the page tables and asks
 * nobody; all that a file system hears of it is an MMU notifier's event, which
 * says that a range of addresses is being cleared. It says so too when the module
 * unmaps something itself, and when the kernel splits a huge entry in order to
 * copy it, and to take one of these for MADV_DONTNEED would lose data. What the
 * next fault finds in the page table does not tell them apart: on 6.12 a fault
 * may start over in between, and any thread may be the next to fault.
 *
 * So the event counts only where the task that clears is inside madvise(2) with
 * MADV_DONTNEED, and for those huge pages that the call covers as a whole; all
 * else is left alone. While such a call runs it never faults, and its mmap_lock,
 * held for reading, lets nothing be moved or unmapped beside it. What is not seen is
 * MADV_DONTNEED through io_uring, which runs elsewhere.
 *
 * The event comes before the page tables are emptied. It only marks what is to
 * go; a work item, or the next fault if it is faster, unmaps it once more, which
 * waits for stale TLBs, and then frees it.
 */
#include <linux/hashtable.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

#include "dontneed.h"
#include "fault.h"
#include "huge_page.h"
#include "private.h"

#define DONTNEED_DELAY		msecs_to_jiffies(10)
#define DONTNEED_RETRY		msecs_to_jiffies(500)
#define DONTNEED_RETRY_MAX	(30UL * HZ)

/**
 * struct dontneed - what listens in one address space
 * @mm: the address space; constant
 * @notifier: over all addresses, so that splitting and moving change nothing
 * @link: in dontneed_all; dontneed_lock
 * @nr_privates: private mappings for which it listens; dontneed_lock
 */
struct dontneed {
	struct mm_struct *mm;
	struct mmu_interval_notifier notifier;
	struct hlist_node link;
	unsigned long nr_privates;
};

#define DONTNEED_HASH_BITS	8

/* By address space; dontneed_lock. */
static DEFINE_HASHTABLE(dontneed_all, DONTNEED_HASH_BITS);
static DEFINE_MUTEX(dontneed_lock);

static struct dontneed *dontneed_find(struct mm_struct *mm)
{
	struct dontneed *dontneed;

	lockdep_assert_held(&dontneed_lock);

	hash_for_each_possible(dontneed_all, dontneed, link, (unsigned long)mm)
		if (dontneed->mm == mm)
			return dontneed;
	return NULL;
}

/* The number of madvise(2) in 32-bit programs. */
#define DONTNEED_IA32_MADVISE	219

/* Bits of an address; what programs may put above them is none of it. */
#define DONTNEED_ADDRESS	GENMASK_ULL(56, 0)

/*
 * On its way back to user space a call may fault: a signal's frame is written, a
 * futex cleared. By then it has left its result where this is until then.
 */
static bool dontneed_in_madvise(struct pt_regs *regs)
{
	int nr = syscall_get_nr(current, regs);

	if (syscall_get_return_value(current, regs) != -ENOSYS)
		return false;
	if (in_ia32_syscall())
		return nr == DONTNEED_IA32_MADVISE;
#ifdef __X32_SYSCALL_BIT
	nr &= ~__X32_SYSCALL_BIT;
#endif
	return nr == __NR_madvise;
}

/*
 * Whether the current task is inside madvise(MADV_DONTNEED), and narrow a range
 * to what it asked for: where that is a part of a huge page, the kernel splits
 * the page's entry, and says that all of it is cleared.
 */
static bool dontneed_is_asked(unsigned long *start, unsigned long *end)
{
	struct pt_regs *regs = task_pt_regs(current);
	unsigned long args[6], addr, bytes;
	int advice;

	/* Their registers are nobody's. */
	if (current->flags & (PF_KTHREAD | PF_IO_WORKER))
		return false;
	if (!dontneed_in_madvise(regs))
		return false;
	syscall_get_arguments(current, regs, args);
	addr = args[0] & DONTNEED_ADDRESS;
	bytes = args[1];
	advice = args[2];
	if (in_ia32_syscall()) {
		addr = (u32)addr;
		bytes = (u32)bytes;
	}
	*start = max(*start, addr);
	*end = min(*end, addr + PAGE_ALIGN(bytes));
	return advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED;
}

/* Mark the entries of the whole huge pages in [start, end) of one piece. */
static void dontneed_mark(struct private *private, struct vm_area_struct *vma,
			  unsigned long start, unsigned long end)
{
	unsigned long first = ALIGN(max(start, vma->vm_start), HUGE_SIZE);
	unsigned long last = ALIGN_DOWN(min(end, vma->vm_end), HUGE_SIZE);
	unsigned long from, to, index;
	bool found = false;
	void *entry;

	if (first >= last)
		return;
	from = private_from(vma) + ((first - vma->vm_start) >> HUGE_SHIFT);
	to = from + ((last - first) >> HUGE_SHIFT);
	down_write(&private->map_lock);
	for_each_private_entry(private, index, entry, from, to) {
		private_mark(private, index, PRIVATE_DROPPED);
		found = true;
		cond_resched();
	}
	up_write(&private->map_lock);
	if (!found)
		return;
	/* What has been waiting for long must not hold this up, nor this be put off. */
	if (READ_ONCE(private->drop_delay) != DONTNEED_RETRY)
		mod_delayed_work(system_unbound_wq, &private->drop_work,
				 DONTNEED_DELAY);
	else
		queue_delayed_work(system_unbound_wq, &private->drop_work,
				   DONTNEED_DELAY);
	WRITE_ONCE(private->drop_delay, DONTNEED_RETRY);
}

static bool dontneed_invalidate(struct mmu_interval_notifier *notifier,
				const struct mmu_notifier_range *range,
				unsigned long seq)
{
	struct dontneed *dontneed = container_of(notifier, struct dontneed,
						 notifier);
	unsigned long start = range->start, end = range->end, addr;
	struct vm_area_struct *vma;

	mmu_interval_set_seq(notifier, seq);
	if (range->event != MMU_NOTIFY_CLEAR || dontneed->mm != current->mm ||
	    !dontneed_is_asked(&start, &end))
		return true;

	for (addr = start; addr < end; addr = vma->vm_end) {
		vma = find_vma(dontneed->mm, addr);
		if (!vma)
			break;
		if (vma->vm_ops && vma->vm_ops->fault == fault_private &&
		    vma->vm_private_data)
			dontneed_mark(vma->vm_private_data, vma, start, end);
	}
	return true;
}

static const struct mmu_interval_notifier_ops dontneed_ops = {
	.invalidate = dontneed_invalidate,
};

/*
 * Free one dropped entry. Positive if there is one less now, 0 if a fault was faster,
 * -EBUSY where that has to wait.
 */
static int dontneed_free(struct private *private, unsigned long index)
{
	struct address_space *mapping = private->inode->i_mapping;
	struct mutex *mutex;
	int freed = 0;

	mutex = cache_lock_index(private_cache(private), index);
	if (private_is_marked(private, index, PRIVATE_DROPPED)) {
		if (!private_is_marked(private, index, PRIVATE_UNMAPPED))
			unmap_mapping_range(mapping, huge_pos(index), HUGE_SIZE,
					    1);
		freed = private_give_up(private, index) ? 1 : -EBUSY;
		/* Without effect where the entry is gone. */
		private_mark(private, index, PRIVATE_UNMAPPED);
	}
	cache_unlock_index(mutex);
	return freed;
}

/* Free the first dropped entry from an index on; like dontneed_free(), -ENOENT for none. */
static int dontneed_free_next(struct private *private, unsigned long *index)
{
	struct address_space *mapping = private->inode->i_mapping;
	int freed = -ENOENT;

	filemap_invalidate_lock_shared(mapping);
	if (private_entry_next_marked(private, index, PRIVATE_DROPPED))
		freed = dontneed_free(private, (*index)++);
	filemap_invalidate_unlock_shared(mapping);
	return freed;
}

/**
 * dontneed_collect() - Give back what was dropped.
 * @private: a registered mapping
 *
 * Context: may sleep; neither invalidate_lock nor an index mutex is held.
 * Return: number of entries that are gone.
 */
unsigned long dontneed_collect(struct private *private)
{
	unsigned long index = 0, collected = 0;
	bool later = false;
	int freed;

	while (freed = dontneed_free_next(private, &index), freed != -ENOENT) {
		later |= freed < 0;
		collected += freed > 0;
		cond_resched();
	}
	if (later)
		dontneed_later(private);
	return collected;
}

static void dontneed_work(struct work_struct *work)
{
	dontneed_collect(container_of(to_delayed_work(work), struct private,
				      drop_work));
}

/**
 * dontneed_later() - Try once more to give back what could not be.
 * @private: a registered mapping
 *
 * Ever more rarely: what is in the way may stay there.
 */
void dontneed_later(struct private *private)
{
	unsigned long delay = READ_ONCE(private->drop_delay);

	if (queue_delayed_work(system_unbound_wq, &private->drop_work, delay))
		WRITE_ONCE(private->drop_delay,
			   min(2 * delay, DONTNEED_RETRY_MAX));
}

/**
 * dontneed_init() - Prepare to listen.
 * @private: a mapping in the making
 */
void dontneed_init(struct private *private)
{
	private->drop_delay = DONTNEED_RETRY;
	INIT_DELAYED_WORK(&private->drop_work, dontneed_work);
}

/*
 * The first notifier of an address space takes all its locks, and gives up where
 * a signal is pending, or a stop, or work for the task. fork() cannot start over
 * because of that, and mmap() need not: so it is put off until afterwards.
 */
static int dontneed_insert(struct dontneed *dontneed)
{
	bool pending = test_and_clear_thread_flag(TIF_SIGPENDING);
	bool notified = test_and_clear_thread_flag(TIF_NOTIFY_SIGNAL);
	int err;

	err = mmu_interval_notifier_insert_locked(&dontneed->notifier,
						  dontneed->mm, 0, ULONG_MAX,
						  &dontneed_ops);
	/* Whether there still is something, who returns to user space finds out. */
	if (notified)
		set_thread_flag(TIF_NOTIFY_SIGNAL);
	if (pending)
		set_thread_flag(TIF_SIGPENDING);
	return err;
}

static struct dontneed *dontneed_create(struct mm_struct *mm)
{
	struct dontneed *dontneed = kzalloc(sizeof(*dontneed),
					    GFP_KERNEL_ACCOUNT);
	int err;

	if (!dontneed)
		return ERR_PTR(-ENOMEM);
	dontneed->mm = mm;
	do
		err = dontneed_insert(dontneed);
	while (err == -EINTR && !fatal_signal_pending(current));
	if (err) {
		kfree(dontneed);
		return ERR_PTR(err);
	}
	/* Where something else is being invalidated, it hears nothing until then. */
	mmu_interval_read_begin(&dontneed->notifier);
	hash_add(dontneed_all, &dontneed->link, (unsigned long)mm);
	return dontneed;
}

/**
 * dontneed_listen() - Hear from now on of what a process drops.
 * @mm: its address space
 *
 * Context: mmap_lock is held for writing; may sleep.
 * Return: 0, to be undone by dontneed_end(), -ENOMEM, or -EINTR where a fatal
 * signal is pending.
 */
int dontneed_listen(struct mm_struct *mm)
{
	struct dontneed *dontneed;
	int err = 0;

	mutex_lock(&dontneed_lock);
	dontneed = dontneed_find(mm);
	if (!dontneed)
		dontneed = dontneed_create(mm);
	if (IS_ERR(dontneed))
		err = PTR_ERR(dontneed);
	else
		dontneed->nr_privates++;
	mutex_unlock(&dontneed_lock);
	return err;
}

/**
 * dontneed_end() - Undo dontneed_listen(), once for each time.
 * @mm: the address space
 *
 * Context: mmap_lock is held, or nobody else uses the address space any more; may
 * sleep; neither invalidate_lock nor an index mutex is held.
 */
void dontneed_end(struct mm_struct *mm)
{
	struct dontneed *dontneed;

	mutex_lock(&dontneed_lock);
	dontneed = dontneed_find(mm);
	if (--dontneed->nr_privates)
		dontneed = NULL;
	else
		hash_del(&dontneed->link);
	mutex_unlock(&dontneed_lock);
	if (!dontneed)
		return;
	mmu_interval_notifier_remove(&dontneed->notifier);
	kfree(dontneed);
}

/**
 * dontneed_exit() - Have nothing to do any more.
 * @private: a mapping that nobody can find
 *
 * Context: may sleep; neither invalidate_lock nor an index mutex is held.
 */
void dontneed_exit(struct private *private)
{
	cancel_delayed_work_sync(&private->drop_work);
}
