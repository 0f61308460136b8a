// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mount: its root, its limits, what statfs says of it.
 */
#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>

#include "compat.h"
#include "huge_page.h"
#include "inode.h"
#include "options.h"
#include "super.h"

/* The pool of every mount; set before the file system can be mounted. */
static struct pool *super_pool;

/**
 * super_take_inode() - Count an inode that is about to be made.
 * @sb: the mount
 *
 * Return: 0, or -ENOSPC where the mount's nr_inodes are there already.
 */
int super_take_inode(struct super_block *sb)
{
	struct super_info *info = super_info(sb);
	int err = 0;

	spin_lock(&info->inodes_lock);
	if (info->max_inodes && info->nr_inodes >= info->max_inodes)
		err = -ENOSPC;
	else
		info->nr_inodes++;
	spin_unlock(&info->inodes_lock);
	return err;
}

/**
 * super_give_inode() - Count an inode that is gone.
 * @sb: the mount
 */
void super_give_inode(struct super_block *sb)
{
	struct super_info *info = super_info(sb);

	spin_lock(&info->inodes_lock);
	info->nr_inodes--;
	spin_unlock(&info->inodes_lock);
}

static int super_statfs(struct dentry *dentry, struct kstatfs *stat)
{
	struct super_info *info = super_info(dentry->d_sb);
	u64 id = huge_encode_dev(dentry->d_sb->s_dev);
	struct pool_counts counts;
	struct subpool subpool;

	pool_count_within(info->quota->pool, &info->quota->kept.scope->nodes,
			  &counts);
	quota_read(info->quota, &subpool);
	stat->f_type = info->magic;
	stat->f_bsize = HUGE_SIZE;
	stat->f_blocks = min(counts.nr, subpool.max_hpages);
	stat->f_bfree = min(counts.free - counts.resv + subpool.rsv_hpages,
			    subpool.max_hpages - subpool.used_hpages);
	/* The two were not read at one moment. */
	stat->f_bfree = min(stat->f_bfree, stat->f_blocks);
	stat->f_bavail = stat->f_bfree;
	stat->f_namelen = NAME_MAX;
	stat->f_fsid = u64_to_fsid(id);

	spin_lock(&info->inodes_lock);
	if (info->max_inodes) {
		stat->f_files = info->max_inodes;
		stat->f_ffree = info->max_inodes - info->nr_inodes;
	}
	spin_unlock(&info->inodes_lock);
	return 0;
}

static int super_show_options(struct seq_file *seq, struct dentry *root)
{
	struct super_info *info = super_info(root->d_sb);
	unsigned long max_inodes;
	struct subpool subpool;

	spin_lock(&info->inodes_lock);
	max_inodes = info->max_inodes;
	spin_unlock(&info->inodes_lock);
	quota_read(info->quota, &subpool);

	seq_printf(seq, ",pagesize=%luM", HUGE_SIZE >> 20);
	seq_printf(seq, ",mode=%04o", info->mode);
	seq_printf(seq, ",uid=%u",
		   from_kuid_munged(&init_user_ns, info->uid));
	seq_printf(seq, ",gid=%u",
		   from_kgid_munged(&init_user_ns, info->gid));
	if (max_inodes)
		seq_printf(seq, ",nr_inodes=%lu", max_inodes);
	if (subpool.max_hpages != SUBPOOL_NO_MAX)
		seq_printf(seq, ",size=%luM",
			   subpool.max_hpages << (HUGE_SHIFT - 20));
	if (subpool.min_hpages)
		seq_printf(seq, ",min_size=%luM",
			   subpool.min_hpages << (HUGE_SHIFT - 20));
	if (info->quota->users_apart)
		seq_printf(seq, ",user_size=%luM",
			   quota_user_max(info->quota) << (HUGE_SHIFT - 20));
	if (info->fork_reserve)
		seq_puts(seq, ",fork_reserve");
	if (READ_ONCE(info->autoclean_new))
		seq_puts(seq, ",autoclean");
	if (info->magic != RHUGEFS_MAGIC)
		seq_puts(seq, ",magic=hugetlbfs");
	if (info->bound)
		seq_printf(seq, ",nodes=%*pbl", nodemask_pr_args(&info->nodes));
	if (info->policy) {
		seq_puts(seq, ",mpol=");
		policy_show(seq, &info->policy->policy);
	}
	return 0;
}

static const struct super_operations super_operations_huge = {
	.alloc_inode = inode_alloc,
	.free_inode = inode_free,
	.evict_inode = inode_evict,
	.drop_inode = generic_delete_inode,
	.statfs = super_statfs,
	.show_options = super_show_options,
};

static int super_make_root(struct super_block *sb)
{
	struct super_info *info = super_info(sb);
	struct inode *root;

	root = inode_make(sb, &nop_mnt_idmap, NULL, S_IFDIR | info->mode, 0);
	if (IS_ERR(root))
		return PTR_ERR(root);
	root->i_uid = info->uid;
	root->i_gid = info->gid;
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

/* Change the mount's share in the pool to what is asked for, or say why not. */
static int super_set_sizes(struct fs_context *fc, struct quota *quota)
{
	struct options *options = fc->fs_private;
	struct subpool subpool;
	int err;

	quota_read(quota, &subpool);
	if (!(options->given & BIT(OPT_MIN_SIZE)))
		options->min_hpages = subpool.min_hpages;
	if (!(options->given & BIT(OPT_SIZE)))
		options->max_hpages = subpool.max_hpages;
	if (options->min_hpages > options->max_hpages)
		return invalfc(fc, "min_size is more than size");
	err = quota_set(quota, options->min_hpages, options->max_hpages);
	if (err == -EINVAL)
		return invalfc(fc, "size is less than what is in use or reserved");
	if (err != -ENOSPC)
		return err;
	errorfc(fc, "min_size: the pool cannot keep %lu huge pages",
		options->min_hpages);
	return -ENOMEM;
}

static int super_fill(struct super_block *sb, struct fs_context *fc)
{
	struct options *options = fc->fs_private;
	struct super_info *info = kzalloc(sizeof(*info), GFP_KERNEL);
	int err;

	if (!info)
		return -ENOMEM;
	sb->s_fs_info = info;
	autoclean_init(&info->autoclean);
	if (options->given & BIT(OPT_NODES) && options->policy &&
	    !policy_fits(&options->policy->policy, &options->nodes))
		return invalfc(fc, "mpol and nodes have no node in common");
	info->policy = options->policy;
	options->policy = NULL;
	info->bound = options->given & BIT(OPT_NODES);
	info->nodes = options->nodes;
	info->quota = quota_create(super_pool,
				   info->bound ? &info->nodes : NULL,
				   options->user_hpages);
	if (!info->quota)
		return -ENOMEM;
	err = super_set_sizes(fc, info->quota);
	if (err)
		return err;
	info->uid = options->uid;
	info->gid = options->gid;
	info->mode = options->mode;
	info->fork_reserve = options->fork_reserve;
	info->autoclean_new = options->autoclean;
	info->magic = options->magic;
	spin_lock_init(&info->inodes_lock);
	info->max_inodes = options->max_inodes;

	/* Whole huge pages, so that no rounding up of a size overflows. */
	sb->s_maxbytes = MAX_LFS_FILESIZE & HUGE_MASK;
	sb->s_blocksize = HUGE_SIZE;
	sb->s_blocksize_bits = HUGE_SHIFT;
	sb->s_magic = RHUGEFS_MAGIC;
	sb->s_op = &super_operations_huge;
	sb->s_time_gran = 1;
	return super_make_root(sb);
}

static int super_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, super_fill);
}

/* mount(8) gives all options of /proc/mounts again, so the same is no change. */
static int super_check_remount(struct fs_context *fc, struct super_info *info)
{
	struct options *options = fc->fs_private;

	if (options->given & BIT(OPT_UID) && !uid_eq(options->uid, info->uid))
		return invalfc(fc, "remount cannot change uid");
	if (options->given & BIT(OPT_GID) && !gid_eq(options->gid, info->gid))
		return invalfc(fc, "remount cannot change gid");
	if (options->given & BIT(OPT_MODE) && options->mode != info->mode)
		return invalfc(fc, "remount cannot change mode");
	if (options->fork_reserve && !info->fork_reserve)
		return invalfc(fc, "remount cannot change fork_reserve");
	if (options->given & BIT(OPT_USER_SIZE) && !info->quota->users_apart)
		return invalfc(fc, "remount can change user_size, but not introduce it");
	if (options->given & BIT(OPT_MAGIC) && options->magic != info->magic)
		return invalfc(fc, "remount cannot change magic");
	if (options->given & BIT(OPT_MPOL) &&
	    !policy_equal(options->policy, info->policy))
		return invalfc(fc, "remount cannot change mpol");
	if (options->given & BIT(OPT_NODES) &&
	    !(info->bound && nodes_equal(options->nodes, info->nodes)))
		return invalfc(fc, "remount cannot change nodes");
	return 0;
}

static int super_set_inodes(struct fs_context *fc, struct super_info *info)
{
	struct options *options = fc->fs_private;
	unsigned long nr_inodes;
	int err = 0;

	if (!(options->given & BIT(OPT_NR_INODES)))
		return 0;
	spin_lock(&info->inodes_lock);
	nr_inodes = info->nr_inodes;
	if (options->max_inodes && options->max_inodes < nr_inodes)
		err = -EINVAL;
	else
		info->max_inodes = options->max_inodes;
	spin_unlock(&info->inodes_lock);
	if (err)
		errorfc(fc, "nr_inodes=%lu, but there are %lu",
			options->max_inodes, nr_inodes);
	return err;
}

static bool super_lowers_inodes(struct fs_context *fc, struct super_info *info)
{
	struct options *options = fc->fs_private;

	return options->max_inodes &&
	       (!info->max_inodes || options->max_inodes < info->max_inodes);
}

/* Whatever may be refused: all or nothing of it. */
static int super_set_limits(struct fs_context *fc, struct super_info *info)
{
	unsigned long old_max;
	bool lower;
	int err;

	/*
	 * What can be undone comes first: a lower number of inodes, which may be refused.
	 * A higher one is never refused. Nobody else changes it: s_umount is held.
	 */
	old_max = info->max_inodes;
	lower = super_lowers_inodes(fc, info);
	err = lower ? super_set_inodes(fc, info) : 0;
	if (err)
		return err;
	err = super_set_sizes(fc, info->quota);
	if (err && lower) {
		spin_lock(&info->inodes_lock);
		info->max_inodes = old_max;
		spin_unlock(&info->inodes_lock);
	}
	return err || lower ? err : super_set_inodes(fc, info);
}

static int super_reconfigure(struct fs_context *fc)
{
	struct super_info *info = super_info(fc->root->d_sb);
	struct options *options = fc->fs_private;
	int err;

	err = super_check_remount(fc, info);
	if (!err)
		err = super_set_limits(fc, info);
	if (!err && options->given & BIT(OPT_USER_SIZE))
		quota_set_user_max(info->quota, options->user_hpages);
	if (!err && options->given & BIT(OPT_AUTOCLEAN))
		WRITE_ONCE(info->autoclean_new, options->autoclean);
	return err;
}

static void super_free_options(struct fs_context *fc)
{
	struct options *options = fc->fs_private;

	if (options)
		policy_destroy(options->policy);
	kfree(options);
}

static const struct fs_context_operations super_context_operations = {
	.free = super_free_options,
	.parse_monolithic = options_parse_monolithic,
	.parse_param = options_parse_param,
	.get_tree = super_get_tree,
	.reconfigure = super_reconfigure,
};

static int super_init_context(struct fs_context *fc)
{
	struct options *options;

	/*
	 * The kernel asks as well, but after the options were read: what is wrong with
	 * them would be logged for everybody, and a context keeps the module loaded.
	 */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	options = kzalloc(sizeof(*options), GFP_KERNEL);
	if (!options)
		return -ENOMEM;
	options->pool = super_pool;
	options->uid = current_fsuid();
	options->gid = current_fsgid();
	options->mode = 0755;
	options->magic = RHUGEFS_MAGIC;
	options->nodes = NODE_MASK_ALL;
	options->user_hpages = SUBPOOL_NO_MAX;
	fc->fs_private = options;
	fc->ops = &super_context_operations;
	return 0;
}

static void super_kill(struct super_block *sb)
{
	struct super_info *info = super_info(sb);

	if (info)
		autoclean_flush(&info->autoclean);
	kill_litter_super(sb);
	if (!info)
		return;
	quota_end(info->quota);
	policy_destroy(info->policy);
	kfree(info);
}

/*
 * No MODULE_ALIAS_FS: whoever has a user namespace of his own could have the module
 * loaded, and with it memory taken from all.
 */
static struct file_system_type super_type = {
	.owner = THIS_MODULE,
	.name = "rhugefs",
	.init_fs_context = super_init_context,
	.parameters = options_spec,
	.kill_sb = super_kill,
	.fs_flags = FS_ALLOW_IDMAP,
};

/**
 * struct super_visit - what to do with each file and mount
 * @file: called for each file, with a reference held
 * @mount: called for each mount after its files
 * @data: for both
 */
struct super_visit {
	super_file_fn file;
	super_mount_fn mount;
	void *data;
};

/*
 * The reference to an inode keeps its place in the list while the lock is
 * dropped; it is let go only when the next one has been found. Many that are no files
 * may follow each other.
 */
static void super_visit_mount(struct super_block *sb, void *arg)
{
	struct super_visit *visit = arg;
	struct inode *inode, *held = NULL;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		if ((!S_ISREG(inode->i_mode) && !need_resched()) ||
		    !igrab(inode))
			continue;
		spin_unlock(&sb->s_inode_list_lock);
		iput(held);
		held = inode;
		if (S_ISREG(inode->i_mode))
			visit->file(inode, visit->data);
		cond_resched();
		spin_lock(&sb->s_inode_list_lock);
	}
	spin_unlock(&sb->s_inode_list_lock);
	iput(held);
	visit->mount(sb, visit->data);
}

/**
 * super_visit() - Visit all mounts and their regular files.
 * @file: called for each inode but those that are being evicted, with a
 *	reference held and no lock but the mount's s_umount
 * @mount: called for each mount when its files were visited, with s_umount held
 * @data: handed to both
 *
 * Context: may sleep.
 */
void super_visit(super_file_fn file, super_mount_fn mount, void *data)
{
	struct super_visit arg = { .file = file, .mount = mount, .data = data };

	iterate_supers_type(&super_type, super_visit_mount, &arg);
}

/**
 * super_register() - Let the file system be mounted.
 * @pool: where the pages of all mounts come from
 *
 * Return: 0, or what register_filesystem() returns.
 */
int super_register(struct pool *pool)
{
	super_pool = pool;
	return register_filesystem(&super_type);
}

/**
 * super_unregister() - Let it be mounted no more.
 */
void super_unregister(void)
{
	unregister_filesystem(&super_type);
}
