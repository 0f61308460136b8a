/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_SYSFS_ENV_H
#define SHIM_SYSFS_ENV_H

/* What module/sysfs.c is built on: files of numbers, which nobody shows here. */
#include "kernel_env.h"

#include <linux/mutex.h>

struct kobject;

struct attribute {
	const char *name;
	umode_t mode;
};

struct kobj_attribute {
	struct attribute attr;
	ssize_t (*show)(struct kobject *kobj, struct kobj_attribute *attr,
			char *buf);
	ssize_t (*store)(struct kobject *kobj, struct kobj_attribute *attr,
			 const char *buf, size_t len);
};

struct attribute_group {
	struct attribute **attrs;
	umode_t (*is_visible)(struct kobject *kobj, struct attribute *attr,
			      int index);
};

struct kobj_type {
	void (*release)(struct kobject *kobj);
	const void *sysfs_ops;
	const struct attribute_group **default_groups;
};

struct kobject {
	const char *name;
};

struct completion {
};

struct work_struct {
};

struct notifier_block {
	int (*notifier_call)(struct notifier_block *block, unsigned long action,
			     void *data);
};

enum { MEM_ONLINE, MEM_OFFLINE, NOTIFY_OK };

static struct kobject *fs_kobj;
static const int kobj_sysfs_ops;

#define __ATTR_RO(which) \
	{ { #which, 0444 }, which##_show, NULL }
#define __ATTR_RW(which) \
	{ { #which, 0644 }, which##_show, which##_store }
#define __ATTRIBUTE_GROUPS(which)					\
static const struct attribute_group *which##_groups[] = {		\
	&which##_group, NULL						\
}

#define DEFINE_MUTEX(name)		__maybe_unused struct mutex name
#define DECLARE_WORK(name, fn)						\
	struct work_struct name;					\
	static void (*const name##_fn)(struct work_struct *work)	\
		__maybe_unused = fn

#define mutex_lock(mutex)		((void)(mutex))
#define mutex_unlock(mutex)		((void)(mutex))
#define init_completion(c)		((void)(c))
#define complete(c)			((void)(c))
#define wait_for_completion(c)		((void)(c))
#define schedule_work(work)		((void)(work))
#define cancel_work_sync(work)		((void)(work))
#define kobject_put(kobj)		((void)(kobj))
#define kobject_init_and_add(kobj, type, parent, ...) \
	((void)(kobj), (void)(type), (void)(parent), 0)
#define kobject_create_and_add(name, parent)	\
	((void)(name), (void)(parent), fs_kobj)
#define register_memory_notifier(block)		((void)(block), 0)
#define unregister_memory_notifier(block)	((void)(block))
#define sysfs_emit(buf, ...)		sprintf(buf, __VA_ARGS__)

#endif
