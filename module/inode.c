// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inodes: how they are made, named, changed and ended. The file system lives
 * in the dentry cache, as ramfs does: an entry is pinned from its creation to
 * its removal.
 */
#include <linux/blk_types.h>
#include <linux/fs.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "compat.h"
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

static int inode_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			 struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err;

	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE) {
		truncate_size(inode, attr->ia_size);
		inode_touch(inode);
	}
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
	int err;

	err = simple_getattr(idmap, path, stat, request_mask, query_flags);
	stat->blocks = (u64)pages << (HUGE_SHIFT - SECTOR_SHIFT);
	return err;
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
	struct reserve *reserve;

	reserve = reserve_create(super_info(inode->i_sb)->quota, inode, false);
	if (!reserve)
		return -ENOMEM;
	cache_init(&huge->cache, inode->i_mapping, reserve);
	/* The self-check finds the inode on its mount's list before it is whole. */
	smp_store_release(&huge->reserve, reserve);
	inode->i_op = &file_inode_operations;
	inode->i_fop = &file_operations_huge;
	inode->i_mapping->a_ops = &huge_aops;
	return 0;
}

static const struct inode_operations dir_inode_operations;

static int inode_make_type(struct inode *inode, dev_t dev)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		return inode_make_file(inode);
	case S_IFDIR:
		inode->i_op = &dir_inode_operations;
		inode->i_fop = &simple_dir_operations;
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
 * @dir: directory in which it is made, NULL for the root
 * @mode: type and permissions
 * @dev: device number of a special file
 *
 * Return: the inode, or an ERR_PTR: -ENOSPC where the mount has no inode left,
 * -ENOMEM.
 */
struct inode *inode_make(struct super_block *sb, struct inode *dir,
			 umode_t mode, dev_t dev)
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
	inode_init_owner(&nop_mnt_idmap, inode, dir, mode);
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

/* Give a new inode its name in @dir. */
static void inode_name(struct inode *dir, struct dentry *dentry,
		       struct inode *inode)
{
	d_instantiate(dentry, inode);
	dget(dentry);
	inode_touch(dir);
}

static int dir_mknod(struct mnt_idmap *idmap, struct inode *dir,
		     struct dentry *dentry, umode_t mode, dev_t dev)
{
	struct inode *inode = inode_make(dir->i_sb, dir, mode, dev);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	inode_name(dir, dentry, inode);
	return 0;
}

static int dir_create(struct mnt_idmap *idmap, struct inode *dir,
		      struct dentry *dentry, umode_t mode, bool excl)
{
	return dir_mknod(idmap, dir, dentry, mode | S_IFREG, 0);
}

static int dir_mkdir(struct mnt_idmap *idmap, struct inode *dir,
		     struct dentry *dentry, umode_t mode)
{
	int err = dir_mknod(idmap, dir, dentry, mode | S_IFDIR, 0);

	if (!err)
		inc_nlink(dir);
	return err;
}

static int dir_symlink(struct mnt_idmap *idmap, struct inode *dir,
		       struct dentry *dentry, const char *target)
{
	struct inode *inode;
	char *link = kstrdup(target, GFP_KERNEL_ACCOUNT);

	if (!link)
		return -ENOMEM;
	inode = inode_make(dir->i_sb, dir, S_IFLNK | 0777, 0);
	if (IS_ERR(inode)) {
		kfree(link);
		return PTR_ERR(inode);
	}
	inode->i_link = link;
	inode->i_size = strlen(link);
	inode_name(dir, dentry, inode);
	return 0;
}

static int dir_tmpfile(struct mnt_idmap *idmap, struct inode *dir,
		       struct file *file, umode_t mode)
{
	struct inode *inode = inode_make(dir->i_sb, dir, mode | S_IFREG, 0);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	d_tmpfile(file, inode);
	return finish_open_simple(file, 0);
}

static const struct inode_operations dir_inode_operations = {
	.create = dir_create,
	.lookup = simple_lookup,
	.link = simple_link,
	.unlink = simple_unlink,
	.symlink = dir_symlink,
	.mkdir = dir_mkdir,
	.rmdir = simple_rmdir,
	.mknod = dir_mknod,
	.rename = simple_rename,
	.tmpfile = dir_tmpfile,
};

/**
 * inode_evict() - End an inode that nobody refers to any more.
 * @inode: the inode
 *
 * Context: super_operations->evict_inode; may sleep.
 */
void inode_evict(struct inode *inode)
{
	if (huge_inode(inode)->reserve)
		truncate_all(inode);
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
	reserve_destroy(huge->reserve);
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
	inode_cache = kmem_cache_create("rhugefs_inode",
					sizeof(struct huge_inode), 0,
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
