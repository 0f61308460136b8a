// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inodes: how they are made, changed and ended.
 */
#include <linux/blk_types.h>
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "compat.h"
#include "dir.h"
#include "file.h"
#include "huge_page.h"
#include "inode.h"
#include "super.h"
#include "truncate.h"

static struct kmem_cache *inode_cache;

static const struct address_space_operations huge_aops = {
	/* Called by who unpins a page. There is nowhere to write it back to. */
	.dirty_folio = noop_dirty_folio,
};

/* Who will own the file, held, where users are charged and the owner is set; else NULL. */
static int inode_new_user(struct mnt_idmap *idmap, struct inode *inode,
			  const struct iattr *attr, struct quota_user **user)
{
	struct quota *quota = super_info(inode->i_sb)->quota;
	kuid_t uid;

	*user = NULL;
	if (!(attr->ia_valid & ATTR_UID) || !quota->users_apart)
		return 0;
	uid = from_vfsuid(idmap, i_user_ns(inode), attr->ia_vfsuid);
	*user = quota_user_get(quota, uid);
	return *user ? 0 : -ENOMEM;
}

/* Nobody claims a page meanwhile, who would be charged as well. */
static void inode_charge(struct inode *inode, struct quota_user *user)
{
	struct reserve *reserve = huge_inode(inode)->reserve;
	struct quota_user *old = reserve->user;

	filemap_invalidate_lock(inode->i_mapping);
	reserve_charge(reserve, user);
	filemap_invalidate_unlock(inode->i_mapping);
	quota_user_put(old);
}

static int inode_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			 struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct quota_user *user;
	int err;

	err = setattr_prepare(idmap, dentry, attr);
	if (!err)
		err = inode_new_user(idmap, inode, attr, &user);
	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE) {
		truncate_size(inode, attr->ia_size);
		inode_touch(inode);
	}
	if (user)
		inode_charge(inode, user);
	setattr_copy(idmap, inode, attr);
	mark_inode_dirty(inode);
	return 0;
}

static int inode_getattr(struct mnt_idmap *idmap, const struct path *path,
			 struct kstat *stat, u32 request_mask,
			 unsigned int query_flags)
{
	struct inode *inode = d_inode(path->dentry);
	long pages = atomic_long_read(&huge_inode(inode)->cache.nr_pages);

	generic_fillattr(idmap, request_mask, inode, stat);
	stat->blocks = (u64)pages << (HUGE_SHIFT - SECTOR_SHIFT);
	return 0;
}

static const struct inode_operations file_inode_operations = {
	.setattr = inode_setattr,
	.getattr = inode_getattr,
};

/*
 * Reserve and cache of a regular file. A new inode has no page yet and nobody
 * knows it, so that a failure leaves nothing but its memory.
 */
static int inode_make_file(struct inode *inode)
{
	struct huge_inode *huge = huge_inode(inode);
	struct quota_user *user;

	user = quota_user_get(super_info(inode->i_sb)->quota, inode->i_uid);
	if (!user)
		return -ENOMEM;
	reserve_init(&huge->own, user, inode, false);
	cache_init(&huge->cache, inode->i_mapping, &huge->own);
	atomic_set(&huge->openers, 0);
	huge->autoclean = READ_ONCE(super_info(inode->i_sb)->autoclean_new);
	INIT_LIST_HEAD(&huge->clean_list);
	/* The self-check finds the inode on its mount's list before it is whole. */
	smp_store_release(&huge->reserve, &huge->own);
	inode->i_op = &file_inode_operations;
	inode->i_fop = &file_operations_huge;
	inode->i_mapping->a_ops = &huge_aops;
	return 0;
}

static int inode_make_type(struct inode *inode, dev_t dev)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		return inode_make_file(inode);
	case S_IFDIR:
		inode->i_op = &dir_operations_huge;
		inode->i_fop = &simple_dir_operations;
		/* Its lock is held while one of a file is waited for. */
		lockdep_annotate_inode_mutex_key(inode);
		/* A directory also counts the "." in itself. */
		inc_nlink(inode);
		return 0;
	case S_IFLNK:
		inode->i_op = &simple_symlink_inode_operations;
		return 0;
	default:
		init_special_inode(inode, inode->i_mode, dev);
		return 0;
	}
}

/**
 * inode_make() - Make an inode.
 * @sb: the mount
 * @idmap: how users and groups are mapped where it is made
 * @dir: directory in which it is made, NULL for the root
 * @mode: type and permissions
 * @dev: device number of a special file
 *
 * Return: the inode, or an ERR_PTR: -ENOSPC where the mount has no inode left,
 * -ENOMEM.
 */
struct inode *inode_make(struct super_block *sb, struct mnt_idmap *idmap,
			 struct inode *dir, umode_t mode, dev_t dev)
{
	struct inode *inode;
	int err;

	err = super_take_inode(sb);
	if (err)
		return ERR_PTR(err);
	inode = new_inode(sb);
	if (!inode) {
		super_give_inode(sb);
		return ERR_PTR(-ENOMEM);
	}
	inode->i_ino = get_next_ino();
	inode_init_owner(idmap, inode, dir, mode);
	inode_touch_new(inode);
	err = inode_make_type(inode, dev);
	if (err) {
		/* From here on the inode's end gives its number back. */
		clear_nlink(inode);
		iput(inode);
		return ERR_PTR(err);
	}
	return inode;
}

/**
 * inode_evict() - End an inode that nobody refers to any more.
 * @inode: the inode
 *
 * Context: super_operations->evict_inode; may sleep.
 */
void inode_evict(struct inode *inode)
{
	struct huge_inode *huge = huge_inode(inode);

	if (huge->reserve) {
		truncate_all(inode);
		reserve_end(huge->reserve);
		quota_user_put(huge->reserve->user);
		file_policy_destroy(huge->policy);
		/* An entry that could not be set aside may have left nodes. */
		xa_destroy(&huge->cache.pages);
		xa_destroy(&huge->cache.privates);
	}
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	super_give_inode(inode->i_sb);
}

/**
 * inode_alloc() - Allocate an inode.
 * @sb: the mount
 *
 * Return: the VFS's part of it, or NULL.
 */
struct inode *inode_alloc(struct super_block *sb)
{
	struct huge_inode *huge = alloc_inode_sb(sb, inode_cache, GFP_KERNEL);

	if (!huge)
		return NULL;
	huge->reserve = NULL;
	huge->policy = NULL;
	return &huge->vfs;
}

/**
 * inode_free() - Free an evicted inode's memory.
 * @inode: the inode
 *
 * Context: an RCU callback: those who follow a symbolic link, or name a futex
 * by a page's mapping, may look at it until now.
 */
void inode_free(struct inode *inode)
{
	struct huge_inode *huge = huge_inode(inode);

	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	/* All else of it ended with the inode, and could not here. */
	kmem_cache_free(inode_cache, huge);
}

static void huge_inode_init_once(void *object)
{
	struct huge_inode *huge = object;

	inode_init_once(&huge->vfs);
}

/**
 * inode_cache_create() - Make the slab cache of inodes.
 *
 * Return: 0 or -ENOMEM.
 */
int inode_cache_create(void)
{
	size_t size = offsetof(struct huge_inode, own) +
		      reserve_size(nr_node_ids);

	inode_cache = kmem_cache_create("rhugefs_inode", size, 0,
					SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					huge_inode_init_once);
	return inode_cache ? 0 : -ENOMEM;
}

/**
 * inode_cache_destroy() - Free the slab cache.
 *
 * Context: no file system is mounted; waits for inodes that RCU still frees.
 */
void inode_cache_destroy(void)
{
	rcu_barrier();
	kmem_cache_destroy(inode_cache);
}
