/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_ZERO_PAGE_H
#define RHUGEFS_ZERO_PAGE_H

struct folio;

int zero_page_create(void);
void zero_page_destroy(void);
struct folio *zero_page_get(void);

#endif
