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
#include <linux/jiffies.h>

#include "autoclean.h"
#include "compat.h"
#include "inode.h"
#include "super.h"

/* In the place of the number of those who have it open: nobody may any more. */
#define AUTOCLEAN_DEAD	INT_MIN

/* How long to wait for others who have locked a directory or a file. */
#define AUTOCLEAN_DELAY_MIN	msecs_to_jiffies(20)
#define AUTOCLEAN_DELAY_MAX	(5UL * HZ)

static unsigned int autoclean_names(struct inode *inode)
{
	/* Changes any time unless the directory is locked, and is asked again then. */
	return data_race(inode->i_nlink);
}

static bool autoclean_is_unused(struct inode *inode)
{
	return !atomic_read(&huge_inode(inode)->openers) &&
	       autoclean_names(inode) == 1;
}

/*
 * Remove a name in a locked directory. -EAGAIN where it is not there any more, or
 * somebody has locked the file: he may keep it for long, and whoever waits for him
 * would keep the directory.
 *
 * Nobody finds the name while it is asked whether somebody has opened it. From then on
 * nobody can, and so whoever has the file locked does not have it for long. He may have
 * given it another name.
 */
static int autoclean_unlink(struct inode *inode, struct dentry *parent,
			    struct dentry *name)
{
	struct huge_inode *huge = huge_inode(inode);

	if (d_unhashed(name) || READ_ONCE(name->d_parent) != parent ||
	    inode_is_locked(inode))
		return -EAGAIN;
	if (!autoclean_is_unused(inode))
		return 0;
	d_drop(name);
	if (atomic_cmpxchg(&huge->openers, 0, AUTOCLEAN_DEAD)) {
		d_rehash(name);
		return 0;
	}
	if (vfs_unlink(&nop_mnt_idmap, d_inode(parent), name, NULL)) {
		/* Who finds the name again can open the file again. */
		atomic_set(&huge->openers, 0);
		d_rehash(name);
	} else if (autoclean_names(inode)) {
		atomic_set(&huge->openers, 0);
		return -EAGAIN;
	}
	return 0;
}

/* Remove a file that nobody uses; -EAGAIN where somebody is in the way. */
static int autoclean_remove(struct inode *inode)
{
	struct dentry *parent, *name;
	int err = -EAGAIN;

	if (!autoclean_is_unused(inode) || sb_rdonly(inode->i_sb))
		return 0;
	name = d_find_alias(inode);
	if (!name)
		return 0;
	sb_start_write(inode->i_sb);
	parent = dget_parent(name);
	if (inode_trylock(d_inode(parent))) {
		err = autoclean_unlink(inode, parent, name);
		inode_unlock(d_inode(parent));
	}
	dput(parent);
	sb_end_write(inode->i_sb);
	dput(name);
	return err;
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

/*
 * Put a file on a list, once; the lock is held. One that has just lost its last name
 * would only be kept by it: who takes the name looks for it here afterwards.
 */
static void autoclean_add(struct inode *inode, struct list_head *list)
{
	struct huge_inode *huge = huge_inode(inode);

	if (!list_empty(&huge->clean_list) || !autoclean_names(inode))
		return;
	ihold(inode);
	list_add_tail(&huge->clean_list, list);
}

static void autoclean_queue(struct inode *inode)
{
	struct autoclean *autoclean = &super_info(inode->i_sb)->autoclean;

	spin_lock(&autoclean->lock);
	autoclean_add(inode, &autoclean->files);
	spin_unlock(&autoclean->lock);
	mod_delayed_work(system_unbound_wq, &autoclean->work, 0);
}

/* When those that are busy are due look at them, too. */
static void autoclean_begin(struct autoclean *autoclean)
{
	spin_lock(&autoclean->lock);
	if (time_after_eq(jiffies, autoclean->busy_at))
		list_splice_tail_init(&autoclean->busy, &autoclean->files);
	spin_unlock(&autoclean->lock);
}

/* Come again for those that are busy, ever more rarely as long as all of them are. */
static void autoclean_finish(struct autoclean *autoclean, bool removed)
{
	unsigned long now = jiffies;

	spin_lock(&autoclean->lock);
	if (removed)
		autoclean->busy_delay = AUTOCLEAN_DELAY_MIN;
	if (!list_empty(&autoclean->busy)) {
		if (time_after_eq(now, autoclean->busy_at)) {
			autoclean->busy_at = now + autoclean->busy_delay;
			autoclean->busy_delay = min(2 * autoclean->busy_delay,
						    AUTOCLEAN_DELAY_MAX);
		}
		queue_delayed_work(system_unbound_wq, &autoclean->work,
				   autoclean->busy_at - now);
	}
	spin_unlock(&autoclean->lock);
}

static void autoclean_work(struct work_struct *work)
{
	struct autoclean *autoclean = container_of(to_delayed_work(work),
						   struct autoclean, work);
	struct inode *inode;
	bool removed = false;

	autoclean_begin(autoclean);
	while ((inode = autoclean_next(autoclean))) {
		if (!autoclean_remove(inode)) {
			removed = true;
		} else {
			spin_lock(&autoclean->lock);
			autoclean_add(inode, &autoclean->busy);
			spin_unlock(&autoclean->lock);
		}
		iput(inode);
		cond_resched();
	}
	autoclean_finish(autoclean, removed);
}

/**
 * autoclean_init() - Prepare a mount.
 * @autoclean: the mount's
 */
void autoclean_init(struct autoclean *autoclean)
{
	spin_lock_init(&autoclean->lock);
	INIT_LIST_HEAD(&autoclean->files);
	INIT_LIST_HEAD(&autoclean->busy);
	autoclean->busy_at = jiffies;
	autoclean->busy_delay = AUTOCLEAN_DELAY_MIN;
	INIT_DELAYED_WORK(&autoclean->work, autoclean_work);
}

/**
 * autoclean_flush() - Let go of every file.
 * @autoclean: a mount's of which nobody has anything open or locked any more
 *
 * Context: may sleep.
 */
void autoclean_flush(struct autoclean *autoclean)
{
	spin_lock(&autoclean->lock);
	autoclean->busy_at = jiffies;
	spin_unlock(&autoclean->lock);
	while (flush_delayed_work(&autoclean->work))
		;
}

/**
 * autoclean_open() - Count one who has a file open.
 * @inode: a regular file's inode
 *
 * Return: 0, or -ESTALE where it has just been removed: who walks the path once more
 * does not find it.
 */
int autoclean_open(struct inode *inode)
{
	return atomic_inc_unless_negative(&huge_inode(inode)->openers) ?
	       0 : -ESTALE;
}

/**
 * autoclean_closed() - Count one less; the last one's file may have to go.
 * @inode: the inode
 *
 * Context: file_operations->release, whatever locks the caller holds.
 */
void autoclean_closed(struct inode *inode)
{
	struct huge_inode *huge = huge_inode(inode);

	if (atomic_dec_and_test(&huge->openers) && huge->autoclean &&
	    autoclean_names(inode))
		autoclean_queue(inode);
}

/**
 * autoclean_unlinked() - A file has lost a name.
 * @inode: the inode, to which the caller has a reference
 *
 * One that has none left goes with its last reference, and not later. One that has a
 * single name left may have to go.
 */
void autoclean_unlinked(struct inode *inode)
{
	struct autoclean *autoclean = &super_info(inode->i_sb)->autoclean;
	struct huge_inode *huge = huge_inode(inode);
	bool queued;

	if (!S_ISREG(inode->i_mode) || !huge->autoclean)
		return;
	if (inode->i_nlink) {
		if (autoclean_is_unused(inode))
			autoclean_queue(inode);
		return;
	}
	spin_lock(&autoclean->lock);
	queued = !list_empty(&huge->clean_list);
	list_del_init(&huge->clean_list);
	spin_unlock(&autoclean->lock);
	if (queued)
		iput(inode);
}
