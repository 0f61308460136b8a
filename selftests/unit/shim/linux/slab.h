/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_SLAB_H
#define SHIM_LINUX_SLAB_H

#include <linux/gfp.h>
#include <linux/types.h>

/* What a compiler for user space does not fill in anyway. */
#define __uninitialized

void *kmalloc(size_t size, gfp_t flags);
void *kzalloc(size_t size, gfp_t flags);
void *kcalloc(size_t n, size_t size, gfp_t flags);
void kfree(const void *p);
void kfree_bulk(size_t n, void **p);

/*
 * What the tests see of it. An allocation that was made to fail counts as a
 * call.
 */
unsigned long slab_calls(void);
unsigned long slab_live(void);
void slab_fail_nth(unsigned long n);
bool slab_failed(void);

#endif
