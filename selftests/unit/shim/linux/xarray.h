/* SPDX-License-Identifier: GPL-2.0-only */
/* Nothing that is tested here looks into one. */
#ifndef SHIM_LINUX_XARRAY_H
#define SHIM_LINUX_XARRAY_H

struct xarray {
	void *head;
};

#endif
