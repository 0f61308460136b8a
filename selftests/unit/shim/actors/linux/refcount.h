/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ACTORS_REFCOUNT_H
#define SHIM_ACTORS_REFCOUNT_H

#include <stdbool.h>

struct refcount {
	int refs;
};

#define refcount_t	struct refcount

#define refcount_set(r, n)	((void)((r)->refs = (n)))
#define refcount_read(r)	((r)->refs)
#define refcount_inc(r)		((void)(r)->refs++)

static inline bool refcount_dec_and_test(refcount_t *r)
{
	return !--r->refs;
}

#endif
