// SPDX-License-Identifier: GPL-2.0-only
/*
 * Directories: how an inode gets a name and loses it. The file system lives in the
 * dentry cache, as ramfs does: an entry is pinned from its creation to its removal.
 */
#include <linux/fs.h>
#include <linux/slab.h>

#include "autoclean.h"
#include "compat.h"
#include "dir.h"
#include "inode.h"

/* Give a new inode its name in @dir. */
static void dir_name(struct inode *dir, struct dentry *dentry,
		     struct inode *inode)
{
	d_instantiate(dentry, inode);
	dget(dentry);
	inode_touch(dir);
}

static int dir_mknod(struct mnt_idmap *idmap, struct inode *dir,
		     struct dentry *dentry, umode_t mode, dev_t dev)
{
	struct inode *inode = inode_make(dir->i_sb, idmap, dir, mode, dev);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	dir_name(dir, dentry, inode);
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
	inode = inode_make(dir->i_sb, idmap, dir, S_IFLNK | 0777, 0);
	if (IS_ERR(inode)) {
		kfree(link);
		return PTR_ERR(inode);
	}
	inode->i_link = link;
	inode->i_size = strlen(link);
	dir_name(dir, dentry, inode);
	return 0;
}

static int dir_tmpfile(struct mnt_idmap *idmap, struct inode *dir,
		       struct file *file, umode_t mode)
{
	struct inode *inode = inode_make(dir->i_sb, idmap, dir,
					 mode | S_IFREG, 0);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	d_tmpfile(file, inode);
	return finish_open_simple(file, 0);
}

static int dir_unlink(struct inode *dir, struct dentry *dentry)
{
	simple_unlink(dir, dentry);
	autoclean_unlinked(d_inode(dentry));
	return 0;
}

/*
 * What an overlay leaves where a file was moved away. It is in the directory from now
 * on, together with the entry that goes.
 */
static int dir_whiteout(struct mnt_idmap *idmap, struct inode *dir,
			struct dentry *old)
{
	struct dentry *whiteout = d_alloc(old->d_parent, &old->d_name);
	int err;

	if (!whiteout)
		return -ENOMEM;
	err = dir_mknod(idmap, dir, whiteout, S_IFCHR | WHITEOUT_MODE,
			WHITEOUT_DEV);
	if (!err)
		d_rehash(whiteout);
	dput(whiteout);
	return err;
}

static int dir_rename(struct mnt_idmap *idmap, struct inode *old_dir,
		      struct dentry *old, struct inode *new_dir,
		      struct dentry *new, unsigned int flags)
{
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (flags & RENAME_WHITEOUT) {
		if (!simple_empty(new))
			return -ENOTEMPTY;
		err = dir_whiteout(idmap, old_dir, old);
		if (err)
			return err;
	}
	err = simple_rename(idmap, old_dir, old, new_dir, new,
			    flags & ~RENAME_WHITEOUT);
	if (!err && !(flags & RENAME_EXCHANGE) && d_really_is_positive(new))
		autoclean_unlinked(d_inode(new));
	return err;
}

const struct inode_operations dir_operations_huge = {
	.create = dir_create,
	.lookup = simple_lookup,
	.link = simple_link,
	.unlink = dir_unlink,
	.symlink = dir_symlink,
	.mkdir = dir_mkdir,
	.rmdir = simple_rmdir,
	.mknod = dir_mknod,
	.rename = dir_rename,
	.tmpfile = dir_tmpfile,
};
