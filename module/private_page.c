// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of private mappings: how many mappings hold one, and whether the last of
 * them may write to it in place.
 *
 * Since page tables take no reference, a page says itself how many private
 * mappings hold it. One that is held once may be written in place, with one
 * exception: somebody may have taken a reference while it was shared, to read it,
 * and must not see what is written afterwards. So a page is *exclusive* until it
 * is shared by fork(), and becomes so again when its last holder finds no
 * reference to it besides the pool's. References to an exclusive page are its
 * holder's own.
 *
 * A futex is named by the place to which its page points back. That of parent
 * and child must differ, though both map the same file, and must stay the same when
 * a page is copied. So the place is made of the mapping's id and the index, and a
 * page is given it when it becomes exclusive: who uses a futex makes its page so
 * before the kernel looks.
 */
#include <linux/bits.h>
#include <linux/mm.h>

#include "huge_page.h"
#include "private_page.h"

/*
 * folio->index of a private page, which no index of a file reaches: this, the
 * mapping's id, and the index as far as it fits.
 */
#define PRIVATE_PAGE_PLACE	BIT(63)
#define PRIVATE_PAGE_INDEX_BITS	(63 - PRIVATE_ID_BITS)

static pgoff_t private_page_place(unsigned long id, unsigned long index)
{
	return PRIVATE_PAGE_PLACE | id << PRIVATE_PAGE_INDEX_BITS |
	       ((index << HUGE_ORDER) & (BIT(PRIVATE_PAGE_INDEX_BITS) - 1));
}

/**
 * private_page_init() - Make a page the private one of one mapping.
 * @folio: a page that nobody has seen yet
 * @private: the mapping
 * @index: index in the file, in huge pages
 */
void private_page_init(struct folio *folio, struct private *private,
		       unsigned long index)
{
	huge_page_attach(folio, private->inode->i_mapping,
			 private_page_place(private->id, index));
	private_page_set(folio, 1 | PRIVATE_PAGE_EXCLUSIVE);
}

/**
 * private_page_pgoff() - What a page's index must be.
 * @folio: a private page
 * @index: index in the file, in huge pages
 *
 * Return: with the id that the page has, which may be another holder's.
 */
pgoff_t private_page_pgoff(struct folio *folio, unsigned long index)
{
	unsigned long id = folio->index >> PRIVATE_PAGE_INDEX_BITS;

	return private_page_place(id & PRIVATE_MAX_ID, index);
}

/**
 * private_page_release() - Make a page nobody's.
 * @folio: a private page whose only holder gives it up; its index mutex is held
 *
 * Context: may sleep.
 */
void private_page_release(struct folio *folio)
{
	private_page_set(folio, 0);
	huge_page_detach(folio);
}

/**
 * private_page_end() - Give a page back that nobody holds any more.
 * @folio: a private page, which the mapping's process has mapped no longer; its
 *	index mutex is held
 * @user: who is charged for it
 *
 * Context: may sleep.
 */
void private_page_end(struct folio *folio, struct quota_user *user)
{
	private_page_release(folio);
	quota_give(user, folio);
}

/**
 * private_page_writable() - May its holder write to a page in place?
 * @folio: a private page; its index mutex is held
 * @private: the mapping that holds it
 * @index: index in the file, in huge pages
 *
 * Return: true if nobody else holds it or may read it by a reference; it is
 * exclusive then.
 */
bool private_page_writable(struct folio *folio, struct private *private,
			   unsigned long index)
{
	if (private_page_state(folio) & PRIVATE_PAGE_EXCLUSIVE)
		return true;
	if (!private_page_unused(folio))
		return false;
	private_page_init(folio, private, index);
	return true;
}

/**
 * private_page_unused() - Has nobody but its holder to do with a page?
 * @folio: a private page, mapped at most by its holder; its index mutex is held
 *
 * Return: true if nobody else holds it and there is no reference to it.
 */
bool private_page_unused(struct folio *folio)
{
	return private_page_holders(folio) == 1 && folio_ref_count(folio) == 1;
}
