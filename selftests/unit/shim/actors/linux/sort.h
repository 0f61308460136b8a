/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ACTORS_SORT_H
#define SHIM_ACTORS_SORT_H

#include <stdlib.h>

/* As the C library has it, which does not swap by itself. */
#define sort_r(base, num, size, cmp, swap, priv)			\
	((void)(swap), qsort_r(base, num, size,				\
			       (int (*)(const void *, const void *,	\
					void *))(cmp), (void *)(priv)))

#endif
