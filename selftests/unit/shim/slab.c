// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmalloc() in user space, which counts and can be made to fail. Overruns, use
 * after free and double frees are the address sanitizer's to find.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/slab.h>

static unsigned long calls, live;
static unsigned long fail_in;
static bool failed;

void *kmalloc(size_t size, gfp_t flags)
{
	void *p;

	calls++;
	if (fail_in && !--fail_in) {
		failed = true;
		return NULL;
	}
	p = malloc(size);
	if (!p)
		abort();
	/* Whoever reads what he has not written shall not find zeroes. */
	memset(p, 0xa5, size);
	live++;
	return p;
}

void *kzalloc(size_t size, gfp_t flags)
{
	void *p = kmalloc(size, flags);

	if (p)
		memset(p, 0, size);
	return p;
}

void *kcalloc(size_t n, size_t size, gfp_t flags)
{
	return kzalloc(n * size, flags);
}

void kfree(const void *p)
{
	if (!p)
		return;
	live--;
	free((void *)p);
}

void kfree_bulk(size_t n, void **p)
{
	while (n--)
		kfree(*p++);
}

unsigned long slab_calls(void)
{
	return calls;
}

unsigned long slab_live(void)
{
	return live;
}

/* Let the n-th allocation from here fail, the first being 1. */
void slab_fail_nth(unsigned long n)
{
	fail_in = n;
	failed = false;
}

/* End what slab_fail_nth() began, and tell whether it came to a failure. */
bool slab_failed(void)
{
	fail_in = 0;
	return failed;
}
