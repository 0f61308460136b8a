/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_PRIVATE_PAGE_H
#define RHUGEFS_PRIVATE_PAGE_H

#include <linux/bits.h>

#include "private.h"

/*
 * folio->private: number of holders, and this. Guarded by the index mutex of
 * the page's place, or by the file's invalidate_lock held exclusively.
 */
#define PRIVATE_PAGE_EXCLUSIVE	BIT(31)

static inline unsigned long private_page_state(struct folio *folio)
{
	return (unsigned long)READ_ONCE(folio->private);
}

static inline void private_page_set(struct folio *folio, unsigned long state)
{
	WRITE_ONCE(folio->private, (void *)state);
}

/**
 * private_page_holders() - How many private mappings hold a page.
 * @folio: a private page; its index mutex is held, else it is a hint
 *
 * Return: at least 1.
 */
static inline unsigned long private_page_holders(struct folio *folio)
{
	return private_page_state(folio) & ~PRIVATE_PAGE_EXCLUSIVE;
}

/**
 * private_page_share() - Let one more mapping hold a page.
 * @folio: a private page to which nobody has a reference and which is mapped
 *	writably nowhere; its index mutex is held
 */
static inline void private_page_share(struct folio *folio)
{
	private_page_set(folio, private_page_holders(folio) + 1);
}

/**
 * private_page_unshare() - Let one mapping less hold a page.
 * @folio: a private page; its index mutex is held
 *
 * Return: number of those that still hold it.
 */
static inline unsigned long private_page_unshare(struct folio *folio)
{
	unsigned long state = private_page_state(folio) - 1;

	private_page_set(folio, state);
	return state & ~PRIVATE_PAGE_EXCLUSIVE;
}

void private_page_init(struct folio *folio, struct private *private,
		       unsigned long index);
pgoff_t private_page_pgoff(struct folio *folio, unsigned long index);
void private_page_release(struct folio *folio);
void private_page_end(struct folio *folio, struct quota_user *user);
bool private_page_writable(struct folio *folio, struct private *private,
			   unsigned long index);
bool private_page_unused(struct folio *folio);

/**
 * private_page_drop() - Let a mapping hold a page no longer; the last one gives
 *	it back.
 * @folio: as for private_page_end()
 * @user: as for private_page_end()
 *
 * Context: may sleep.
 */
static inline void private_page_drop(struct folio *folio,
				     struct quota_user *user)
{
	if (!private_page_unshare(folio))
		private_page_end(folio, user);
}

#endif
