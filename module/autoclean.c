// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mount option autoclean: a file goes when the last who had it open or mapped is gone,
 * so that a killed program leaves no pages behind.
 *
 * A mapping holds the struct file through which it was made, so those that are open are
 * all that need be counted. The file is removed by a work item: who closes it may hold
 * locks that removing wants, of the directory for instance. Whoever opens it in between
 * keeps it.
 */
#include <linux/dcache.h>
#include <linux/fs.h>

#include "autoclean.h"
#include "compat.h"
#include "inode.h"
#include "super.h"

/* How many names it has changes any time unless its directory is locked. */
static bool autoclean_is_unused(struct inode *inode)
{
	return !atomic_read(&huge_inode(inode)->openers) &&
	       data_race(inode->i_nlink) == 1;
}

/* The name may be gone, or moved elsewhere, since it was looked up. */
static bool autoclean_is_still(struct dentry *parent, struct dentry *name)
{
	return !d_unhashed(name) && READ_ONCE(name->d_parent) == parent;
}

static void autoclean_remove(struct inode *inode, struct dentry *name)
{
	struct dentry *parent = dget_parent(name);
	struct inode *dir = d_inode(parent);

	inode_lock_nested(dir, I_MUTEX_PARENT);
	if (autoclean_is_still(parent, name) && autoclean_is_unused(inode))
		vfs_unlink(&nop_mnt_idmap, dir, name, NULL);
	inode_unlock(dir);
	dput(parent);
}

static void autoclean_file(struct inode *inode)
{
	struct dentry *name;

	if (!autoclean_is_unused(inode) || sb_rdonly(inode->i_sb))
		return;
	name = d_find_alias(inode);
	if (!name)
		return;
	sb_start_write(inode->i_sb);
	autoclean_remove(inode, name);
	sb_end_write(inode->i_sb);
	dput(name);
}

static struct inode *autoclean_next(struct autoclean *autoclean)
{
	struct huge_inode *huge;

	spin_lock(&autoclean->lock);
	huge = list_first_entry_or_null(&autoclean->files, struct huge_inode,
					clean_list);
	if (huge)
		list_del_init(&huge->clean_list);
	spin_unlock(&autoclean->lock);
	return huge ? &huge->vfs : NULL;
}

static void autoclean_work(struct work_struct *work)
{
	struct autoclean *autoclean = container_of(work, struct autoclean, work);
	struct inode *inode;

	while ((inode = autoclean_next(autoclean))) {
		autoclean_file(inode);
		iput(inode);
		cond_resched();
	}
}

/**
 * autoclean_init() - Prepare a mount.
 * @autoclean: the mount's
 */
void autoclean_init(struct autoclean *autoclean)
{
	spin_lock_init(&autoclean->lock);
	INIT_LIST_HEAD(&autoclean->files);
	INIT_WORK(&autoclean->work, autoclean_work);
}

/**
 * autoclean_flush() - Let go of every file.
 * @autoclean: a mount's of which no file is open any more
 *
 * Context: may sleep.
 */
void autoclean_flush(struct autoclean *autoclean)
{
	flush_work(&autoclean->work);
}

/**
 * autoclean_opened() - Count one who has a file open.
 * @inode: a regular file's inode
 */
void autoclean_opened(struct inode *inode)
{
	atomic_inc(&huge_inode(inode)->openers);
}

/**
 * autoclean_closed() - Count one less; the last one's file may have to go.
 * @inode: the inode
 *
 * Context: file_operations->release, whatever locks the caller holds.
 */
void autoclean_closed(struct inode *inode)
{
	struct autoclean *autoclean = &super_info(inode->i_sb)->autoclean;
	struct huge_inode *huge = huge_inode(inode);

	if (!atomic_dec_and_test(&huge->openers) || !huge->autoclean ||
	    !data_race(inode->i_nlink))
		return;
	spin_lock(&autoclean->lock);
	if (list_empty(&huge->clean_list)) {
		ihold(inode);
		list_add_tail(&huge->clean_list, &autoclean->files);
	}
	spin_unlock(&autoclean->lock);
	queue_work(system_unbound_wq, &autoclean->work);
}
