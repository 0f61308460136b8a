/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_PRIVATE_PAGE_H
#define RHUGEFS_PRIVATE_PAGE_H

#include <linux/bits.h>

#include "private.h"

void private_page_init(struct folio *folio, struct private *private,
		       unsigned long index);
pgoff_t private_page_pgoff(struct folio *folio, unsigned long index);
unsigned long private_page_holders(struct folio *folio);
void private_page_share(struct folio *folio);
unsigned long private_page_unshare(struct folio *folio);
void private_page_release(struct folio *folio);
void private_page_drop(struct folio *folio, struct quota_user *user);
bool private_page_writable(struct folio *folio, struct private *private,
			   unsigned long index);
bool private_page_unused(struct folio *folio);

#endif
