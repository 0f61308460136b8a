// SPDX-License-Identifier: GPL-2.0-only
/*
 * rhugefs: a file system of huge pages that keeps its promises. Loading fills
 * the pool and lets the file system be mounted; unloading is the mirror.
 */
#include <linux/err.h>
#include <linux/module.h>

#include "cache.h"
#include "debugfs.h"
#include "inode.h"
#include "park.h"
#include "poison.h"
#include "private_leaf.h"
#include "resize.h"
#include "shrink.h"
#include "super.h"
#include "sysfs.h"
#include "zero_page.h"
#include "zeroing.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static char *nr_hugepages;
module_param(nr_hugepages, charp, 0444);
MODULE_PARM_DESC(nr_hugepages,
		 "2 MiB huge pages to take at load: N over all nodes, or NODE:N,NODE:N,... (default: 1/32 of each node's memory)");

static struct pool *main_pool;

static int main_fill_pool(struct pool *pool)
{
	struct request *request;
	int err;

	request = nr_hugepages ? request_parse(nr_hugepages) :
				 request_default();
	if (IS_ERR(request))
		return PTR_ERR(request);
	err = resize_load(pool, request);
	request_free(request);
	return err;
}

/* Nothing is parked any more, or never was. */
static void main_empty_pool(struct pool *pool)
{
	resize_unload(pool);
	/* Until then pages with memory errors are found. */
	poison_destroy();
	pool_destroy(pool);
}

static int __init rhugefs_init(void)
{
	int err;

	if (nr_node_ids > NODESET_MOST) {
		pr_err("this machine may have %u nodes, and %d are supported\n",
		       nr_node_ids, NODESET_MOST);
		return -EINVAL;
	}
	cache_locks_init();
	err = zero_page_create();
	if (err)
		return err;
	err = inode_cache_create();
	if (err)
		goto destroy_zero_page;
	err = private_leaf_cache_create();
	if (err)
		goto destroy_inode_cache;
	main_pool = pool_create();
	if (!main_pool) {
		err = -ENOMEM;
		goto destroy_leaf_cache;
	}
	poison_create(main_pool);
	err = zeroing_create(main_pool);
	if (err)
		goto empty_pool;
	err = main_fill_pool(main_pool);
	if (err)
		goto destroy_zeroing;
	err = sysfs_create(main_pool);
	if (err)
		goto destroy_zeroing;
	err = shrink_create(main_pool);
	if (err)
		goto destroy_sysfs;
	err = super_register(main_pool);
	if (err)
		goto destroy_shrink;
	debugfs_create(main_pool);
	return 0;

destroy_shrink:
	shrink_destroy();
destroy_sysfs:
	sysfs_destroy();
destroy_zeroing:
	zeroing_destroy(main_pool);
empty_pool:
	main_empty_pool(main_pool);
destroy_leaf_cache:
	private_leaf_cache_destroy();
destroy_inode_cache:
	inode_cache_destroy();
destroy_zero_page:
	zero_page_destroy();
	return err;
}
module_init(rhugefs_init);

static void __exit rhugefs_exit(void)
{
	debugfs_destroy();
	super_unregister();
	shrink_destroy();
	sysfs_destroy();
	zeroing_destroy(main_pool);
	park_exit(main_pool);
	/* Evicted inodes are freed by RCU; none of them needs the pool. */
	main_empty_pool(main_pool);
	private_leaf_cache_destroy();
	inode_cache_destroy();
	zero_page_destroy();
	policy_exit();
}
module_exit(rhugefs_exit);

MODULE_DESCRIPTION("Huge page file system with strict reservations");
MODULE_AUTHOR("The rhugefs developers");
MODULE_LICENSE("GPL");
