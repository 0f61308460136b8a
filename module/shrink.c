// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving huge pages back when the kernel is short of memory, where the administrator
 * wants it: the parameter reclaim. Only pages that nobody uses or was promised go, and
 * min_free_hugepages of these stay. Reclaim comes from within any allocation, so this
 * waits for no lock of the module but for that of who counts pages with memory errors, and
 * leaves the pool alone while that grows.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>

#include "compat.h"
#include "huge_page.h"
#include "poison.h"
#include "shrink.h"
#include "trace.h"

static bool reclaim;
module_param(reclaim, bool, 0644);
MODULE_PARM_DESC(reclaim,
		 "give free huge pages back when memory is short (default: no)");

static unsigned long min_free_hugepages;
module_param(min_free_hugepages, ulong, 0644);
MODULE_PARM_DESC(min_free_hugepages,
		 "free huge pages that reclaim leaves in the pool (default: 0)");

static struct pool *shrink_pool;
static struct shrinker *shrink_shrinker;

/* Huge pages over all nodes that may go. */
static unsigned long shrink_excess(void)
{
	long spare = atomic_long_read(&shrink_pool->spare);
	unsigned long floor = READ_ONCE(min_free_hugepages);

	if (!READ_ONCE(reclaim) || spare <= 0 || spare <= floor)
		return 0;
	return spare - floor;
}

/* Counted in small pages, as the kernel weighs one thing against another. */
static unsigned long shrink_count(struct shrinker *shrinker,
				  struct shrink_control *control)
{
	struct pool_counts *counts = &shrink_pool->node[control->nid]->counts;
	unsigned long free = READ_ONCE(counts->free);
	unsigned long resv = READ_ONCE(counts->resv);

	return min(shrink_excess(), free > resv ? free - resv : 0) * HUGE_NR;
}

static unsigned long shrink_scan(struct shrinker *shrinker,
				 struct shrink_control *control)
{
	unsigned long freed = 0;
	struct folio *folio;

	if (atomic_read(&shrink_pool->growing))
		return SHRINK_STOP;
	while (freed < control->nr_to_scan && shrink_excess()) {
		folio = pool_try_remove(shrink_pool, control->nid,
					READ_ONCE(min_free_hugepages));
		if (!folio)
			break;
		if (poison_release(folio))
			freed += HUGE_NR;
	}
	if (freed)
		trace_resize(RESIZE_RECLAIM, control->nid,
			     -(long)(control->nr_to_scan / HUGE_NR),
			     -(long)(freed / HUGE_NR));
	return freed ? freed : SHRINK_STOP;
}

/**
 * shrink_create() - Let the kernel ask for pages.
 * @pool: the pool
 *
 * Return: 0 or -ENOMEM.
 */
int shrink_create(struct pool *pool)
{
	shrink_pool = pool;
	shrink_shrinker = compat_shrinker_create(shrink_count, shrink_scan,
						 HUGE_NR);
	return shrink_shrinker ? 0 : -ENOMEM;
}

/**
 * shrink_destroy() - Let it ask no more.
 *
 * Context: sleeps until nobody is asking.
 */
void shrink_destroy(void)
{
	compat_shrinker_destroy(shrink_shrinker);
}
