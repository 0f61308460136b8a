// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/fs/rhugefs/hugepages-<size>kB: the pool's counts, in all and by node, and what
 * may be changed of them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/memory.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "huge_page.h"
#include "resize.h"
#include "sysfs.h"
#include "zeroing.h"

/**
 * struct sysfs_dir - a directory of counts
 * @kobj: the directory
 * @gone: completed when nobody reads in it any more
 * @pool: the pool
 * @nid: the node it shows, or NUMA_NO_NODE for all of them
 */
struct sysfs_dir {
	struct kobject kobj;
	struct completion gone;
	struct pool *pool;
	int nid;
};

/* /sys/fs/rhugefs, and in it one directory for the size and one per node. */
static struct kobject *sysfs_root;
static struct sysfs_dir *sysfs_size;
static struct sysfs_dir **sysfs_node;

/* Guards what @sysfs_node has. */
static DEFINE_MUTEX(sysfs_mutex);

static void sysfs_read(struct kobject *kobj, struct pool_counts *counts)
{
	struct sysfs_dir *dir = container_of(kobj, struct sysfs_dir, kobj);

	if (dir->nid == NUMA_NO_NODE)
		pool_count(dir->pool, counts);
	else
		pool_count_node(dir->pool, dir->nid, counts);
}

#define SYSFS_SHOW(field)						\
static ssize_t field##_hugepages_show(struct kobject *kobj,		\
				      struct kobj_attribute *attr,	\
				      char *buf)			\
{									\
	struct pool_counts counts;					\
									\
	sysfs_read(kobj, &counts);					\
	return sysfs_emit(buf, "%lu\n", counts.field);			\
}									\
static_assert(true)

#define SYSFS_COUNT(field)						\
SYSFS_SHOW(field);							\
static struct kobj_attribute field##_attr = __ATTR_RO(field##_hugepages)

SYSFS_SHOW(nr);
SYSFS_COUNT(free);
SYSFS_COUNT(resv);
SYSFS_COUNT(surplus);
SYSFS_COUNT(zeroed);
SYSFS_COUNT(poisoned);

/* A number of huge pages and perhaps a newline, nothing else. */
static int sysfs_parse(const char *name, const char *buf, unsigned long *pages)
{
	int err = kstrtoul(buf, 10, pages);

	if (err)
		pr_err("%s=%.*s is not a number of huge pages\n", name,
		       (int)strcspn(buf, "\n"), buf);
	return err ? -EINVAL : 0;
}

static ssize_t nr_hugepages_store(struct kobject *kobj,
				  struct kobj_attribute *attr,
				  const char *buf, size_t len)
{
	struct sysfs_dir *dir = container_of(kobj, struct sysfs_dir, kobj);
	unsigned long pages;
	int err;

	err = sysfs_parse("nr_hugepages", buf, &pages);
	if (!err)
		err = resize_set(dir->pool, dir->nid, pages);
	return err ? err : len;
}

static struct kobj_attribute nr_attr = __ATTR_RW(nr_hugepages);

static ssize_t nr_overcommit_hugepages_show(struct kobject *kobj,
					    struct kobj_attribute *attr,
					    char *buf)
{
	struct sysfs_dir *dir = container_of(kobj, struct sysfs_dir, kobj);

	return sysfs_emit(buf, "%lu\n", READ_ONCE(dir->pool->nr_overcommit));
}

static ssize_t nr_overcommit_hugepages_store(struct kobject *kobj,
					     struct kobj_attribute *attr,
					     const char *buf, size_t len)
{
	struct sysfs_dir *dir = container_of(kobj, struct sysfs_dir, kobj);
	unsigned long pages;
	int err;

	err = sysfs_parse("nr_overcommit_hugepages", buf, &pages);
	if (!err)
		WRITE_ONCE(dir->pool->nr_overcommit, pages);
	return err ? err : len;
}

static struct kobj_attribute overcommit_attr =
	__ATTR_RW(nr_overcommit_hugepages);

/* A watermark: percent and perhaps a newline, nothing else. */
static int sysfs_parse_percent(const char *name, const char *buf,
			       unsigned int *percent)
{
	int err = kstrtouint(buf, 10, percent);

	if (err)
		pr_err("%s=%.*s is not a number of percent\n", name,
		       (int)strcspn(buf, "\n"), buf);
	return err ? -EINVAL : 0;
}

#define SYSFS_WATERMARK(which)						\
static ssize_t zeroed_##which##_show(struct kobject *kobj,		\
				     struct kobj_attribute *attr,	\
				     char *buf)				\
{									\
	return sysfs_emit(buf, "%u\n", zeroing_##which());		\
}									\
									\
static ssize_t zeroed_##which##_store(struct kobject *kobj,		\
				      struct kobj_attribute *attr,	\
				      const char *buf, size_t len)	\
{									\
	struct sysfs_dir *dir = container_of(kobj, struct sysfs_dir,	\
					     kobj);			\
	unsigned int percent;						\
	int err;							\
									\
	err = sysfs_parse_percent("zeroed_" #which, buf, &percent);	\
	if (!err)							\
		err = zeroing_set_##which(dir->pool, percent);		\
	return err ? err : len;						\
}									\
									\
static struct kobj_attribute which##_attr = __ATTR_RW(zeroed_##which)

SYSFS_WATERMARK(low);
SYSFS_WATERMARK(high);

static struct attribute *sysfs_attrs[] = {
	&nr_attr.attr,
	&free_attr.attr,
	&resv_attr.attr,
	&surplus_attr.attr,
	&zeroed_attr.attr,
	&poisoned_attr.attr,
	&overcommit_attr.attr,
	&low_attr.attr,
	&high_attr.attr,
	NULL
};

/* The limit is one for all nodes, and so are the watermarks. */
static umode_t sysfs_is_visible(struct kobject *kobj, struct attribute *attr,
				int index)
{
	struct sysfs_dir *dir = container_of(kobj, struct sysfs_dir, kobj);

	if (dir->nid != NUMA_NO_NODE &&
	    (attr == &overcommit_attr.attr || attr == &low_attr.attr ||
	     attr == &high_attr.attr))
		return 0;
	return attr->mode;
}

static const struct attribute_group sysfs_group = {
	.attrs = sysfs_attrs,
	.is_visible = sysfs_is_visible,
};
__ATTRIBUTE_GROUPS(sysfs);

static void sysfs_dir_release(struct kobject *kobj)
{
	complete(&container_of(kobj, struct sysfs_dir, kobj)->gone);
}

static const struct kobj_type sysfs_dir_type = {
	.release = sysfs_dir_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = sysfs_groups,
};

/* Wait until nobody reads in the directory: its code may be about to go. */
static void sysfs_dir_destroy(struct sysfs_dir *dir)
{
	if (!dir)
		return;
	kobject_put(&dir->kobj);
	wait_for_completion(&dir->gone);
	kfree(dir);
}

static struct sysfs_dir *sysfs_dir_create(struct kobject *parent,
					  const char *name, struct pool *pool,
					  int nid)
{
	struct sysfs_dir *dir = kzalloc(sizeof(*dir), GFP_KERNEL);

	if (!dir)
		return NULL;
	init_completion(&dir->gone);
	dir->pool = pool;
	dir->nid = nid;
	if (kobject_init_and_add(&dir->kobj, &sysfs_dir_type, parent, "%s",
				 name)) {
		sysfs_dir_destroy(dir);
		return NULL;
	}
	return dir;
}

static struct sysfs_dir *sysfs_node_create(struct pool *pool, int nid)
{
	char name[sizeof("node") + 11];

	snprintf(name, sizeof(name), "node%d", nid);
	return sysfs_dir_create(&sysfs_size->kobj, name, pool, nid);
}

/* A directory for each node that has memory, and for no other. */
static int sysfs_update_nodes(struct pool *pool)
{
	struct sysfs_dir **dir;
	int nid, err = 0;

	mutex_lock(&sysfs_mutex);
	for (nid = 0; nid < pool->nr_nodes; nid++) {
		dir = &sysfs_node[nid];
		if (node_state(nid, N_MEMORY) && !*dir) {
			*dir = sysfs_node_create(pool, nid);
			err = *dir ? err : -ENOMEM;
		} else if (!node_state(nid, N_MEMORY) && *dir) {
			sysfs_dir_destroy(*dir);
			*dir = NULL;
		}
	}
	mutex_unlock(&sysfs_mutex);
	return err;
}

static void sysfs_update_work(struct work_struct *work)
{
	if (sysfs_update_nodes(sysfs_size->pool))
		pr_warn("memory is short, a node with new memory is not shown\n");
}

static DECLARE_WORK(sysfs_work, sysfs_update_work);

/*
 * A node has its first memory, or its last has gone; the pool's never goes. A directory
 * goes when nobody writes there any more, and whoever does may take long.
 */
static int sysfs_memory_changed(struct notifier_block *block,
				unsigned long action, void *data)
{
	if (action == MEM_ONLINE || action == MEM_OFFLINE)
		schedule_work(&sysfs_work);
	return NOTIFY_OK;
}

static struct notifier_block sysfs_memory_notifier = {
	.notifier_call = sysfs_memory_changed,
};

/* Whoever comes or goes from now on is seen by one of the two. */
static int sysfs_create_nodes(struct pool *pool)
{
	int err;

	sysfs_node = kcalloc(pool->nr_nodes, sizeof(*sysfs_node), GFP_KERNEL);
	if (!sysfs_node)
		return -ENOMEM;
	err = register_memory_notifier(&sysfs_memory_notifier);
	if (err) {
		kfree(sysfs_node);
		sysfs_node = NULL;
		return err;
	}
	return sysfs_update_nodes(pool);
}

static void sysfs_destroy_nodes(void)
{
	int nid;

	if (!sysfs_node)
		return;
	unregister_memory_notifier(&sysfs_memory_notifier);
	cancel_work_sync(&sysfs_work);
	for (nid = 0; nid < nr_node_ids; nid++)
		sysfs_dir_destroy(sysfs_node[nid]);
	kfree(sysfs_node);
	sysfs_node = NULL;
}

/**
 * sysfs_create() - Show a pool.
 * @pool: the pool
 *
 * Return: 0 or -ENOMEM.
 */
int sysfs_create(struct pool *pool)
{
	char name[sizeof("hugepages-kB") + 20];

	sysfs_root = kobject_create_and_add("rhugefs", fs_kobj);
	if (!sysfs_root)
		return -ENOMEM;
	snprintf(name, sizeof(name), "hugepages-%lukB", HUGE_SIZE >> 10);
	sysfs_size = sysfs_dir_create(sysfs_root, name, pool, NUMA_NO_NODE);
	if (!sysfs_size || sysfs_create_nodes(pool)) {
		sysfs_destroy();
		return -ENOMEM;
	}
	return 0;
}

/**
 * sysfs_destroy() - Show it no more.
 *
 * Context: sleeps until the last reader is done.
 */
void sysfs_destroy(void)
{
	sysfs_destroy_nodes();
	sysfs_dir_destroy(sysfs_size);
	sysfs_size = NULL;
	kobject_put(sysfs_root);
	sysfs_root = NULL;
}
