/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_MM_TYPES_H
#define SHIM_LINUX_MM_TYPES_H

/* All that is known of a page is where it lies. */
struct folio {
	int nid;
};

#endif
