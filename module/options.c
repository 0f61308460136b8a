// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mount options: what the caller of mount or remount asks for.
 */
#include <linux/ctype.h>
#include <linux/magic.h>
#include <linux/nodemask.h>
#include <linux/overflow.h>
#include <linux/security.h>
#include <linux/string.h>

#include "huge_page.h"
#include "options.h"

static const struct constant_table options_magics[] = {
	{ "hugetlbfs", HUGETLBFS_MAGIC },
	{ "rhugefs", RHUGEFS_MAGIC },
	{}
};

const struct fs_parameter_spec options_spec[] = {
	fsparam_flag_no("autoclean", OPT_AUTOCLEAN),
	fsparam_flag("fork_reserve", OPT_FORK_RESERVE),
	fsparam_u32("gid", OPT_GID),
	fsparam_enum("magic", OPT_MAGIC, options_magics),
	fsparam_string("min_size", OPT_MIN_SIZE),
	fsparam_u32oct("mode", OPT_MODE),
	fsparam_string("mpol", OPT_MPOL),
	fsparam_string("nodes", OPT_NODES),
	fsparam_string("nr_inodes", OPT_NR_INODES),
	fsparam_string("pagesize", OPT_PAGESIZE),
	fsparam_string("size", OPT_SIZE),
	fsparam_u32("uid", OPT_UID),
	fsparam_string("user_size", OPT_USER_SIZE),
	{}
};

/* Digits and perhaps one of the suffixes K, M, G, T, nothing else. */
static int options_parse_bytes(const char *text, u64 *bytes)
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

static int options_parse_inodes(struct fs_context *fc, const char *text,
				struct options *options)
{
	u64 inodes;

	if (options_parse_bytes(text, &inodes) || inodes > LONG_MAX)
		return invalfc(fc, "nr_inodes=%s is not a number of inodes",
			      text);
	options->max_inodes = inodes;
	return 0;
}

static int options_parse_pagesize(struct fs_context *fc, const char *text)
{
	u64 bytes;

	if (options_parse_bytes(text, &bytes) || bytes != HUGE_SIZE)
		return invalfc(fc, "pagesize=%s: only 2M pages there are",
			      text);
	return 0;
}

/*
 * Bytes, or a share of the pool as large as it is now; what does not fill a huge
 * page is left out, as on hugetlbfs.
 */
static int options_parse_size(struct fs_context *fc, const char *key,
			      const char *text, unsigned long *hpages)
{
	const struct options *options = fc->fs_private;
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
		pool_count(options->pool, &counts);
		*hpages = counts.nr * value / 100;
		return 0;
	}
	if (!digits || options_parse_bytes(text, &value) || value > LLONG_MAX)
		return invalfc(fc, "%s=%s is neither a number of bytes nor N%%",
			       key, text);
	*hpages = value >> HUGE_SHIFT;
	return 0;
}

/* The same of a limit, which is to let something through. */
static int options_parse_max(struct fs_context *fc, struct fs_parameter *param,
			     unsigned long *hpages)
{
	int err = options_parse_size(fc, param->key, param->string, hpages);

	if (!err && !*hpages)
		return invalfc(fc, "%s=%s is less than one huge page",
			       param->key, param->string);
	return err;
}

/* Nodes that may be named. To name them again is no error when their memory has gone. */
static const nodemask_t *options_nodes(struct fs_context *fc)
{
	return fc->purpose == FS_CONTEXT_FOR_RECONFIGURE ?
		&node_states[N_POSSIBLE] : &node_states[N_MEMORY];
}

/* mpol=default takes back what an earlier mpol= has said. */
static int options_parse_policy(struct fs_context *fc, const char *text)
{
	struct options *options = fc->fs_private;
	struct policy *copy = NULL;
	struct mempolicy policy;
	int err;

	err = policy_parse(text, &policy, options_nodes(fc));
	if (err == -EINVAL)
		return invalfc(fc, "mpol=%s is no policy of nodes that have memory",
			       text);
	if (err)
		return err;
	if (policy.mode != MPOL_DEFAULT) {
		copy = policy_copy(&policy);
		if (!copy)
			return -ENOMEM;
	}
	policy_destroy(options->policy);
	options->policy = copy;
	return 0;
}

static int options_parse_nodes(struct fs_context *fc, const char *text)
{
	struct options *options = fc->fs_private;

	if (nodelist_parse(text, options->nodes) || nodes_empty(options->nodes))
		return invalfc(fc, "nodes=%s is no list of nodes", text);
	if (!nodes_subset(options->nodes, *options_nodes(fc)))
		return invalfc(fc, "nodes=%s names a node that has no memory",
			       text);
	return 0;
}

/* The next option of a text: lists of nodes have commas, too, but before digits. */
static char *options_next(char **text)
{
	char *option = *text, *end = option;

	if (!option)
		return NULL;
	while ((end = strchr(end, ',')) && isdigit(end[1]))
		end++;
	*text = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return option;
}

/**
 * options_parse_monolithic() - Read options that come as one text, as from mount(2).
 * @fc: the mount
 * @data: the text, which is cut up; NULL is allowed
 *
 * Return: what options_parse_param() returns.
 */
int options_parse_monolithic(struct fs_context *fc, void *data)
{
	char *text = data, *key, *value;
	int err;

	if (!data)
		return 0;
	err = security_sb_eat_lsm_opts(data, &fc->security);
	while (!err && (key = options_next(&text))) {
		if (!*key)
			continue;
		value = strchr(key, '=');
		if (value == key)
			continue;
		if (value)
			*value++ = '\0';
		err = vfs_parse_fs_string(fc, key, value,
					  value ? strlen(value) : 0);
	}
	return err;
}

/* Of a value that is refused the caller takes back what was read. */
static int options_set(struct fs_context *fc, int opt,
		       struct fs_parameter *param,
		       const struct fs_parse_result *parsed)
{
	struct options *options = fc->fs_private;

	switch (opt) {
	case OPT_AUTOCLEAN:
		options->autoclean = !parsed->negated;
		return 0;
	case OPT_FORK_RESERVE:
		options->fork_reserve = true;
		return 0;
	case OPT_UID:
		options->uid = make_kuid(current_user_ns(), parsed->uint_32);
		if (!uid_valid(options->uid))
			return invalfc(fc, "uid=%s is no user",
				      param->string);
		return 0;
	case OPT_GID:
		options->gid = make_kgid(current_user_ns(), parsed->uint_32);
		if (!gid_valid(options->gid))
			return invalfc(fc, "gid=%s is no group",
				      param->string);
		return 0;
	case OPT_MAGIC:
		options->magic = parsed->uint_32;
		return 0;
	case OPT_MIN_SIZE:
		return options_parse_size(fc, param->key, param->string,
					  &options->min_hpages);
	case OPT_MODE:
		if (parsed->uint_32 & ~07777U)
			return invalfc(fc, "mode=%s has bits beyond 07777",
				      param->string);
		options->mode = parsed->uint_32;
		return 0;
	case OPT_MPOL:
		return options_parse_policy(fc, param->string);
	case OPT_NODES:
		return options_parse_nodes(fc, param->string);
	case OPT_NR_INODES:
		return options_parse_inodes(fc, param->string, options);
	case OPT_PAGESIZE:
		return options_parse_pagesize(fc, param->string);
	case OPT_SIZE:
		return options_parse_max(fc, param, &options->max_hpages);
	case OPT_USER_SIZE:
		return options_parse_max(fc, param, &options->user_hpages);
	default:
		return -EINVAL;
	}
}

/**
 * options_parse_param() - Read one option.
 * @fc: the mount; its fs_private is a struct options
 * @param: the option
 *
 * With fsconfig(2) one can go on after an option was refused, so that this must leave
 * nothing behind.
 *
 * Return: 0, or with nothing changed -EINVAL with what is wrong in the log, -ENOMEM;
 * -ENOPARAM for "source".
 */
int options_parse_param(struct fs_context *fc, struct fs_parameter *param)
{
	struct options *options = fc->fs_private, before = *options;
	struct fs_parse_result result;
	int opt = fs_parse(fc, options_spec, param, &result);
	int err;

	if (opt < 0)
		return opt;
	err = options_set(fc, opt, param, &result);
	if (err)
		*options = before;
	else
		options->given |= BIT(opt);
	return err;
}
