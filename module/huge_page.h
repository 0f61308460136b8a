/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_HUGE_PAGE_H
#define RHUGEFS_HUGE_PAGE_H

#include <linux/highmem.h>
#include <linux/instrumented.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>

#include "stats.h"

/*
 * The one page size of the module. Everything else counts in huge pages or
 * converts with these, so that a second size has one place to start from.
 */
#define HUGE_ORDER	HPAGE_PMD_ORDER
#define HUGE_SHIFT	HPAGE_PMD_SHIFT
#define HUGE_SIZE	HPAGE_PMD_SIZE
#define HUGE_MASK	HPAGE_PMD_MASK

/* Small pages in a huge one. */
#define HUGE_NR		BIT(HUGE_ORDER)

static inline bool huge_aligned(u64 bytes)
{
	return !(bytes & ~HUGE_MASK);
}

/* Huge page that holds byte @pos of a file. */
static inline unsigned long huge_index(loff_t pos)
{
	return (u64)pos >> HUGE_SHIFT;
}

/* Huge pages that @bytes need, the last one perhaps in part. */
static inline unsigned long huge_count(loff_t bytes)
{
	return ((u64)bytes + HUGE_SIZE - 1) >> HUGE_SHIFT;
}

/* First byte of huge page @index of a file. */
static inline loff_t huge_pos(unsigned long index)
{
	return (loff_t)index << HUGE_SHIFT;
}

/* Bytes that are zeroed or copied without a thought of others. */
#define HUGE_STRIDE	(16 * PAGE_SIZE)

/**
 * huge_page_zero() - Clear a whole huge page.
 * @folio: the page; nobody else may look at it yet
 *
 * Context: may sleep; reschedules between small pages, for on a slow machine
 * the whole takes longer than a scheduler tick.
 */
static inline void huge_page_zero(struct folio *folio)
{
	void *addr = folio_address(folio), *end = addr + HUGE_SIZE;

	stats_count(STAT_ZEROED);
	for (; addr < end; addr += PAGE_SIZE) {
		if (IS_ALIGNED((unsigned long)addr, HUGE_STRIDE))
			cond_resched();
		clear_page(addr);
	}
}

/**
 * small_page_zero_uncached() - Clear a small page, and leave the caches to others.
 * @page: part of a huge page that nobody else may look at yet
 *
 * Context: any. All stores are done when it returns: not even a lock orders these.
 */
#ifdef CONFIG_X86_64
static inline void small_page_zero_uncached(struct page *page)
{
	char *at = page_address(page), *end = at + PAGE_SIZE;

	instrument_write(at, PAGE_SIZE);
	for (; at < end; at += 64)
		asm volatile("movnti %1, 0(%0)\n\t"
			     "movnti %1, 8(%0)\n\t"
			     "movnti %1, 16(%0)\n\t"
			     "movnti %1, 24(%0)\n\t"
			     "movnti %1, 32(%0)\n\t"
			     "movnti %1, 40(%0)\n\t"
			     "movnti %1, 48(%0)\n\t"
			     "movnti %1, 56(%0)"
			     : : "r" (at), "r" (0UL) : "memory");
	/* For whoever is next to write to the page, on whichever processor. */
	wmb();
}
#else
static inline void small_page_zero_uncached(struct page *page)
{
	clear_highpage(page);
}
#endif

/**
 * huge_page_zero_range() - Clear a part of a huge page.
 * @folio: the page
 * @from: first byte in it
 * @to: byte behind the last one
 *
 * Small pages with memory errors, which nobody can read, are left alone.
 *
 * Context: may sleep; reschedules between small pages.
 */
static inline void huge_page_zero_range(struct folio *folio, size_t from,
					size_t to)
{
	size_t next;

	for (; from < to; from = next) {
		next = min_t(size_t, to, round_down(from, PAGE_SIZE) + PAGE_SIZE);
		/* folio_zero_range() goes through all small pages each time. */
		if (!PageHWPoison(folio_page(folio, from / PAGE_SIZE)))
			memset(folio_address(folio) + from, 0, next - from);
		cond_resched();
	}
}

/**
 * huge_page_copy() - Copy a whole huge page.
 * @to: a page that nobody else may look at yet
 * @from: a page that stays where it is meanwhile
 *
 * Context: may sleep; reschedules between small pages.
 */
static inline void huge_page_copy(struct folio *to, struct folio *from)
{
	void *dest = folio_address(to), *end = dest + HUGE_SIZE;
	void *source = folio_address(from);

	stats_count(STAT_COPIED);
	for (; dest < end; dest += PAGE_SIZE, source += PAGE_SIZE) {
		if (IS_ALIGNED((unsigned long)dest, HUGE_STRIDE))
			cond_resched();
		copy_page(dest, source);
	}
}

/**
 * huge_page_attach() - Let a page point back to where it is used.
 * @folio: a page that is mapped nowhere yet
 * @mapping: the file's mapping
 * @pgoff: what tells it from others of this mapping, in small pages
 *
 * Futexes in shared memory name their place by these two.
 */
static inline void huge_page_attach(struct folio *folio,
				    struct address_space *mapping,
				    pgoff_t pgoff)
{
	folio->index = pgoff;
	WRITE_ONCE(folio->mapping, mapping);
}

/**
 * huge_page_detach() - Let a page point nowhere any more.
 * @folio: a page that is mapped nowhere any more
 *
 * The page lock keeps folio_mark_dirty() of somebody who unpins the page from
 * using the mapping while it goes.
 *
 * Context: may sleep.
 */
static inline void huge_page_detach(struct folio *folio)
{
	folio_lock(folio);
	WRITE_ONCE(folio->mapping, NULL);
	folio->index = 0;
	folio_unlock(folio);
}

#endif
