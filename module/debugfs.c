// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs rhugefs/: what developers and tests look at. Whether debugfs is
 * there or not changes nothing else, so its errors are not looked at either.
 */
#include <linux/debugfs.h>
#include <linux/module.h>

#include "check.h"
#include "debugfs.h"
#include "inject.h"
#include "stats.h"
#include "users.h"

static struct dentry *debugfs_dir;

static int selfcheck_show(struct seq_file *seq, void *unused)
{
	return check_show(seq, seq->private);
}
DEFINE_SHOW_ATTRIBUTE(selfcheck);

static int users_file_show(struct seq_file *seq, void *unused)
{
	return users_show(seq, seq->private);
}
DEFINE_SHOW_ATTRIBUTE(users_file);

static int stats_file_show(struct seq_file *seq, void *unused)
{
	stats_show(seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats_file);

/**
 * debugfs_create() - Make the directory and its files.
 * @pool: the pool they show
 */
void debugfs_create(struct pool *pool)
{
	debugfs_dir = debugfs_create_dir("rhugefs", NULL);
	debugfs_create_file("selfcheck", 0400, debugfs_dir, pool,
			    &selfcheck_fops);
	debugfs_create_file("stats", 0400, debugfs_dir, NULL, &stats_file_fops);
	debugfs_create_file("users", 0400, debugfs_dir, pool, &users_file_fops);
	inject_create(debugfs_dir);
}

/**
 * debugfs_destroy() - Remove them.
 *
 * Context: sleeps until the last reader is done.
 */
void debugfs_destroy(void)
{
	debugfs_remove(debugfs_dir);
	debugfs_dir = NULL;
}
