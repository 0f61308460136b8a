// SPDX-License-Identifier: GPL-2.0-only
/*
 * One huge page of zeroes that nobody ever writes to. Private mappings read it
 * where neither they nor the file have a page, so that reading a hole costs
 * neither a page of the pool nor the zeroing of one, and cannot fail. It is no
 * part of the pool and is allocated when the module is loaded, since later there
 * may be none to be had.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/topology.h>

#include "huge_page.h"
#include "zero_page.h"

static struct folio *zero_page;

/**
 * zero_page_create() - Allocate it.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int zero_page_create(void)
{
	zero_page = __folio_alloc_node(GFP_HIGHUSER | __GFP_ZERO | __GFP_NOWARN |
				       __GFP_RETRY_MAYFAIL,
				       HUGE_ORDER, numa_mem_id());
	return zero_page ? 0 : -ENOMEM;
}

/**
 * zero_page_destroy() - Give it up; who still reads it by a reference frees it.
 */
void zero_page_destroy(void)
{
	folio_put(zero_page);
	zero_page = NULL;
}

/**
 * zero_page_get() - The page, to be mapped read-only.
 *
 * Return: the page, without a reference: it outlives every mapping.
 */
struct folio *zero_page_get(void)
{
	return zero_page;
}
