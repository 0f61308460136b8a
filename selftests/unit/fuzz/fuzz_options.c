// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz mount options: a text as mount(2) has it, the first byte says whether it is a
 * remount. What is accepted is within limits; what is refused changes nothing, since who
 * gives options one by one may go on after one was refused.
 */
#include <linux/slab.h>

#include "fuzz.h"
#include "options.h"

static bool was_given(const struct options *options, enum option option)
{
	return options->given & BIT(option);
}

static const nodemask_t *may_name(const struct fs_context *fc)
{
	return fc->purpose == FS_CONTEXT_FOR_RECONFIGURE ?
		       &node_states[N_POSSIBLE] : &node_states[N_MEMORY];
}

/* --- what is accepted -------------------------------------------------------------- */

/* What /proc/mounts shows can be given again, and means the same. */
static void policy_must_return(const struct fs_context *fc,
			       const struct mempolicy *policy)
{
	static struct seq_file seq;
	struct mempolicy again;
	char *space;

	seq = (struct seq_file){};
	policy_show(&seq, policy);
	space = strstr(seq.text, "\\040");
	if (space) {
		*space = ' ';
		memmove(space + 1, space + 4, strlen(space + 4) + 1);
	}
	must(!policy_parse(seq.text, &again, may_name(fc)));
	must(again.mode == policy->mode);
	must(again.flags == policy->flags);
	must(nodes_equal(again.nodes, policy->nodes));
}

static void policy_must_be_sound(const struct fs_context *fc,
				 const struct mempolicy *policy)
{
	bool named = !nodes_empty(policy->nodes);

	must(policy->mode <= MPOL_PREFERRED_MANY);
	must(policy->mode != MPOL_DEFAULT);
	must(named == (policy->mode != MPOL_LOCAL));
	if (!(policy->flags & MPOL_F_RELATIVE_NODES))
		must(nodes_subset(policy->nodes, *may_name(fc)) ||
		     nodes_equal(policy->nodes, node_states[N_MEMORY]));
	if (policy->mode == MPOL_PREFERRED)
		must(nodes_weight(policy->nodes) == 1);
	must(policy->home_node == NUMA_NO_NODE);
	policy_must_return(fc, policy);
}

static void options_must_be_sound(const struct fs_context *fc)
{
	const struct options *o = fc->fs_private;
	const unsigned long most = LLONG_MAX >> HUGE_SHIFT;

	must(!(o->given >> NR_OPTIONS));
	if (was_given(o, OPT_SIZE))
		must(o->max_hpages && o->max_hpages <= most);
	if (was_given(o, OPT_MIN_SIZE))
		must(o->min_hpages <= most);
	if (was_given(o, OPT_USER_SIZE))
		must(o->user_hpages && o->user_hpages <= most);
	must(!(o->mode & ~07777));
	must(o->max_inodes <= LONG_MAX);
	must(uid_valid(o->uid) && gid_valid(o->gid));
	if (was_given(o, OPT_MAGIC))
		must(o->magic == HUGETLBFS_MAGIC || o->magic == RHUGEFS_MAGIC);
	if (was_given(o, OPT_NODES)) {
		must(!nodes_empty(o->nodes));
		must(nodes_subset(o->nodes, *may_name(fc)));
	}
	if (o->policy)
		policy_must_be_sound(fc, &o->policy->policy);
}

/* --- what is refused --------------------------------------------------------------- */

/* All that a mount is made of: a policy that was replaced would be another one. */
static void options_must_be_same(const struct options *a,
				 const struct options *b)
{
	must(a->uid.val == b->uid.val && a->gid.val == b->gid.val);
	must(a->mode == b->mode && a->magic == b->magic);
	must(a->max_inodes == b->max_inodes);
	must(a->fork_reserve == b->fork_reserve);
	must(a->autoclean == b->autoclean);
	must(a->min_hpages == b->min_hpages);
	must(a->max_hpages == b->max_hpages);
	must(a->user_hpages == b->user_hpages);
	must(nodes_equal(a->nodes, b->nodes));
	must(a->policy == b->policy);
	must(a->given == b->given);
}

/* One option, as options_parse_monolithic() hands it on. */
int vfs_parse_fs_string(struct fs_context *fc, const char *key,
			const char *value, size_t len)
{
	struct fs_parameter param = { .key = key, .is_flag = !value };
	struct options *options = fc->fs_private, before = *options;
	int err;

	must(!value || strlen(value) == len);
	must(*key && !strchr(key, '='));
	if (value) {
		param.string = kstrdup(value, GFP_KERNEL);
		must(param.string);
	}
	err = options_parse_param(fc, &param);
	kfree(param.string);
	if (err)
		options_must_be_same(options, &before);
	else
		options_must_be_sound(fc);
	must(!err || err == -EINVAL || err == -ENOPARAM);
	/* An option that was refused does not keep others from being given. */
	return 0;
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct options options = {};
	struct fs_context fc = { .fs_private = &options };
	struct input input = { data, size };
	unsigned long live = slab_live();
	char *text;

	fc.purpose = take_below(&input, 2) ? FS_CONTEXT_FOR_RECONFIGURE :
					     FS_CONTEXT_FOR_MOUNT;
	text = take_text(&input);
	options_parse_monolithic(&fc, text);
	free(text);
	policy_destroy(options.policy);
	must(slab_live() == live);
	return 0;
}
