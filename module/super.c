// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mount: its options, its root, what statfs says of it.
 */
#include <linux/ctype.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>

#include "compat.h"
#include "huge_page.h"
#include "inode.h"
#include "super.h"

/* The pool of every mount; set before the file system can be mounted. */
static struct pool *super_pool;

enum super_option {
	OPT_FORK_RESERVE,
	OPT_GID,
	OPT_MIN_SIZE,
	OPT_MODE,
	OPT_NR_INODES,
	OPT_PAGESIZE,
	OPT_SIZE,
	OPT_UID,
};

static const struct fs_parameter_spec super_options[] = {
	fsparam_flag("fork_reserve", OPT_FORK_RESERVE),
	fsparam_u32("gid", OPT_GID),
	fsparam_string("min_size", OPT_MIN_SIZE),
	fsparam_u32oct("mode", OPT_MODE),
	fsparam_string("nr_inodes", OPT_NR_INODES),
	fsparam_string("pagesize", OPT_PAGESIZE),
	fsparam_string("size", OPT_SIZE),
	fsparam_u32("uid", OPT_UID),
	{}
};

/**
 * struct super_request - what the caller of mount or remount asks for
 * @uid: see struct super_info
 * @gid: see struct super_info
 * @mode: see struct super_info
 * @max_inodes: see struct super_info
 * @fork_reserve: see struct super_info
 * @min_hpages: see struct subpool
 * @max_hpages: see struct subpool
 * @given: bit per enum super_option that was given
 */
struct super_request {
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
	unsigned long max_inodes;
	bool fork_reserve;
	unsigned long min_hpages;
	unsigned long max_hpages;
	unsigned long given;
};

/* Digits and perhaps one of the suffixes K, M, G, T, nothing else. */
static int super_parse_bytes(const char *text, u64 *bytes)
{
	static const char suffixes[] = "KMGT";
	size_t len = strspn(text, "0123456789");
	const char *suffix = NULL;
	char digits[24];
	u64 value;

	if (len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (text[len]) {
		suffix = strchr(suffixes, toupper(text[len]));
		if (!suffix || text[len + 1])
			return -EINVAL;
	}
	if (kstrtoull(digits, 10, &value) ||
	    check_shl_overflow(value, suffix ? 10 * (suffix - suffixes + 1) : 0,
			       bytes))
		return -EINVAL;
	return 0;
}

static int super_parse_inodes(struct fs_context *fc, const char *text,
			      struct super_request *request)
{
	u64 inodes;

	if (super_parse_bytes(text, &inodes) || inodes > LONG_MAX)
		return invalfc(fc, "nr_inodes=%s is not a number of inodes",
			      text);
	request->max_inodes = inodes;
	return 0;
}

static int super_parse_pagesize(struct fs_context *fc, const char *text)
{
	u64 bytes;

	if (super_parse_bytes(text, &bytes) || bytes != HUGE_SIZE)
		return invalfc(fc, "pagesize=%s: only 2M pages there are",
			      text);
	return 0;
}

/*
 * Bytes, or a share of the pool as large as it is now; what does not fill a huge
 * page is left out, as on hugetlbfs.
 */
static int super_parse_size(struct fs_context *fc, const char *key,
			    const char *text, unsigned long *hpages)
{
	size_t digits = strspn(text, "0123456789");
	struct pool_counts counts;
	char percent[4] = "";
	u64 value;

	if (digits && !strcmp(text + digits, "%")) {
		if (digits < sizeof(percent))
			memcpy(percent, text, digits);
		if (kstrtoull(percent, 10, &value) || value > 100)
			return invalfc(fc, "%s=%s is more than the whole pool",
				       key, text);
		pool_count(super_pool, &counts);
		*hpages = counts.nr * value / 100;
		return 0;
	}
	if (!digits || super_parse_bytes(text, &value) || value > LLONG_MAX)
		return invalfc(fc, "%s=%s is neither a number of bytes nor N%%",
			       key, text);
	*hpages = value >> HUGE_SHIFT;
	return 0;
}

static int super_parse_max(struct fs_context *fc, struct fs_parameter *param)
{
	struct super_request *request = fc->fs_private;
	int err = super_parse_size(fc, param->key, param->string,
				   &request->max_hpages);

	if (!err && !request->max_hpages)
		return invalfc(fc, "size=%s is less than one huge page",
			       param->string);
	return err;
}

static int super_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct super_request *request = fc->fs_private;
	struct fs_parse_result result;
	int opt = fs_parse(fc, super_options, param, &result);

	if (opt < 0)
		return opt;
	request->given |= BIT(opt);

	switch (opt) {
	case OPT_FORK_RESERVE:
		request->fork_reserve = true;
		return 0;
	case OPT_UID:
		request->uid = make_kuid(current_user_ns(), result.uint_32);
		if (!uid_valid(request->uid))
			return invalfc(fc, "uid=%s is no user",
				      param->string);
		return 0;
	case OPT_GID:
		request->gid = make_kgid(current_user_ns(), result.uint_32);
		if (!gid_valid(request->gid))
			return invalfc(fc, "gid=%s is no group",
				      param->string);
		return 0;
	case OPT_MIN_SIZE:
		return super_parse_size(fc, param->key, param->string,
					&request->min_hpages);
	case OPT_MODE:
		if (result.uint_32 & ~07777U)
			return invalfc(fc, "mode=%s has bits beyond 07777",
				      param->string);
		request->mode = result.uint_32;
		return 0;
	case OPT_NR_INODES:
		return super_parse_inodes(fc, param->string, request);
	case OPT_PAGESIZE:
		return super_parse_pagesize(fc, param->string);
	case OPT_SIZE:
		return super_parse_max(fc, param);
	default:
		return -EINVAL;
	}
}

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

	pool_count(info->quota->pool, &counts);
	quota_read(info->quota, &subpool);
	stat->f_type = RHUGEFS_MAGIC;
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
	if (info->fork_reserve)
		seq_puts(seq, ",fork_reserve");
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

	root = inode_make(sb, NULL, S_IFDIR | info->mode, 0);
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
	struct super_request *request = fc->fs_private;
	struct subpool subpool;
	int err;

	quota_read(quota, &subpool);
	if (!(request->given & BIT(OPT_MIN_SIZE)))
		request->min_hpages = subpool.min_hpages;
	if (!(request->given & BIT(OPT_SIZE)))
		request->max_hpages = subpool.max_hpages;
	if (request->min_hpages > request->max_hpages)
		return invalfc(fc, "min_size is more than size");
	err = quota_set(quota, request->min_hpages, request->max_hpages);
	if (err == -EINVAL)
		return invalfc(fc, "size is less than what is in use or reserved");
	if (err != -ENOSPC)
		return err;
	errorfc(fc, "min_size: the pool cannot keep %lu huge pages",
		request->min_hpages);
	return -ENOMEM;
}

static int super_fill(struct super_block *sb, struct fs_context *fc)
{
	struct super_request *request = fc->fs_private;
	struct super_info *info = kzalloc(sizeof(*info), GFP_KERNEL);
	int err;

	if (!info)
		return -ENOMEM;
	sb->s_fs_info = info;
	info->quota = quota_create(super_pool);
	if (!info->quota)
		return -ENOMEM;
	err = super_set_sizes(fc, info->quota);
	if (err)
		return err;
	info->uid = request->uid;
	info->gid = request->gid;
	info->mode = request->mode;
	info->fork_reserve = request->fork_reserve;
	spin_lock_init(&info->inodes_lock);
	info->max_inodes = request->max_inodes;

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
	struct super_request *request = fc->fs_private;

	if (request->given & BIT(OPT_UID) && !uid_eq(request->uid, info->uid))
		return invalfc(fc, "remount cannot change uid");
	if (request->given & BIT(OPT_GID) && !gid_eq(request->gid, info->gid))
		return invalfc(fc, "remount cannot change gid");
	if (request->given & BIT(OPT_MODE) && request->mode != info->mode)
		return invalfc(fc, "remount cannot change mode");
	if (request->fork_reserve && !info->fork_reserve)
		return invalfc(fc, "remount cannot change fork_reserve");
	return 0;
}

static int super_set_inodes(struct fs_context *fc, struct super_info *info)
{
	struct super_request *request = fc->fs_private;
	unsigned long nr_inodes;
	int err = 0;

	if (!(request->given & BIT(OPT_NR_INODES)))
		return 0;
	spin_lock(&info->inodes_lock);
	nr_inodes = info->nr_inodes;
	if (request->max_inodes && request->max_inodes < nr_inodes)
		err = -EINVAL;
	else
		info->max_inodes = request->max_inodes;
	spin_unlock(&info->inodes_lock);
	if (err)
		errorfc(fc, "nr_inodes=%lu, but there are %lu",
			request->max_inodes, nr_inodes);
	return err;
}

static bool super_lowers_inodes(struct fs_context *fc, struct super_info *info)
{
	struct super_request *request = fc->fs_private;

	return request->max_inodes &&
	       (!info->max_inodes || request->max_inodes < info->max_inodes);
}

static int super_reconfigure(struct fs_context *fc)
{
	struct super_info *info = super_info(fc->root->d_sb);
	unsigned long old_max;
	bool lower;
	int err;

	err = super_check_remount(fc, info);
	if (err)
		return err;
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

static void super_free_request(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations super_context_operations = {
	.free = super_free_request,
	.parse_param = super_parse_param,
	.get_tree = super_get_tree,
	.reconfigure = super_reconfigure,
};

static int super_init_context(struct fs_context *fc)
{
	struct super_request *request = kzalloc(sizeof(*request), GFP_KERNEL);

	if (!request)
		return -ENOMEM;
	request->uid = current_fsuid();
	request->gid = current_fsgid();
	request->mode = 0755;
	fc->fs_private = request;
	fc->ops = &super_context_operations;
	return 0;
}

static void super_kill(struct super_block *sb)
{
	struct super_info *info = super_info(sb);

	kill_litter_super(sb);
	if (info)
		quota_end(info->quota);
	kfree(info);
}

static struct file_system_type super_type = {
	.owner = THIS_MODULE,
	.name = "rhugefs",
	.init_fs_context = super_init_context,
	.parameters = super_options,
	.kill_sb = super_kill,
};
MODULE_ALIAS_FS("rhugefs");

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
 * dropped; it is let go only when the next one has been found.
 */
static void super_visit_mount(struct super_block *sb, void *arg)
{
	struct super_visit *visit = arg;
	struct inode *inode, *held = NULL;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		if (!S_ISREG(inode->i_mode) || !igrab(inode))
			continue;
		spin_unlock(&sb->s_inode_list_lock);
		iput(held);
		held = inode;
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
