/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_POISON_H
#define RHUGEFS_POISON_H

#include <linux/compiler.h>
#include <linux/types.h>

struct folio;
struct pool;

#ifdef CONFIG_MEMORY_FAILURE
extern bool poison_heard;

bool poison_is_known(const struct folio *folio);
void poison_create(struct pool *pool);
void poison_destroy(void);
bool poison_watch(struct folio *folio);
bool poison_release(struct folio *folio);
void poison_wake(void);
void poison_settle(struct pool *pool);
size_t poison_before(struct folio *folio, size_t from, size_t bytes);

/**
 * huge_page_is_poisoned() - Has the hardware found an error in a huge page?
 * @folio: a page of the pool
 *
 * Context: any. As good as free where no error was ever found.
 * Return: true if so; all of the page is lost then.
 */
static inline bool huge_page_is_poisoned(const struct folio *folio)
{
	return unlikely(READ_ONCE(poison_heard)) && poison_is_known(folio);
}
#else
#include <linux/mm.h>

static inline bool huge_page_is_poisoned(const struct folio *folio)
{
	return false;
}

static inline void poison_create(struct pool *pool)
{
}

static inline void poison_destroy(void)
{
}

static inline bool poison_watch(struct folio *folio)
{
	return true;
}

static inline bool poison_release(struct folio *folio)
{
	folio_put(folio);
	return true;
}

static inline void poison_wake(void)
{
}

static inline void poison_settle(struct pool *pool)
{
}

static inline size_t poison_before(struct folio *folio, size_t from,
				   size_t bytes)
{
	return bytes;
}
#endif

#endif
