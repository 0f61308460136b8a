// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module's parsers call: the kernel's own code where it stands alone, and
 * here what does not. fs_parse() reads as fs/fs_parser.c does.
 */
#include <stdarg.h>

#include "options.h"

nodemask_t node_states[NR_NODE_STATES] = {
	[N_POSSIBLE] = { .bits = { 0xf } },
	[N_MEMORY] = { .bits = { 0xb } },
};

static struct task_struct task;
struct task_struct *current = &task;

char *kstrdup(const char *s, gfp_t flags)
{
	size_t size = strlen(s) + 1;
	char *copy = kmalloc(size, flags);

	return copy ? memcpy(copy, s, size) : NULL;
}

int match_string(const char *const *texts, size_t n, const char *text)
{
	size_t i;

	for (i = 0; i < n && texts[i]; i++)
		if (!strcmp(texts[i], text))
			return i;
	return -EINVAL;
}

/* --- one option ------------------------------------------------------------------ */

static bool is_flag(const struct fs_parameter_spec *spec)
{
	return spec->type == PARAM_FLAG || spec->type == PARAM_FLAG_NO;
}

static const struct fs_parameter_spec *
spec_of(const struct fs_parameter_spec *spec, const struct fs_parameter *param,
	bool *negated)
{
	const struct fs_parameter_spec *other = NULL, *at;

	*negated = false;
	for (at = spec; at->name; at++) {
		if (strcmp(at->name, param->key))
			continue;
		if (is_flag(at) == param->is_flag)
			return at;
		other = at;
	}
	if (!param->is_flag || strncmp(param->key, "no", 2))
		return other;
	for (at = spec; at->name; at++)
		if (at->type == PARAM_FLAG_NO &&
		    !strcmp(at->name, param->key + 2)) {
			*negated = true;
			return at;
		}
	return other;
}

static int constant_of(const struct constant_table *table, const char *name,
		       unsigned int *value)
{
	for (; table->name; table++)
		if (!strcmp(table->name, name)) {
			*value = table->value;
			return 0;
		}
	return -EINVAL;
}

int fs_parse(struct fs_context *fc, const struct fs_parameter_spec *spec,
	     struct fs_parameter *param, struct fs_parse_result *result)
{
	int err = 0;

	*result = (struct fs_parse_result){};
	spec = spec_of(spec, param, &result->negated);
	if (!spec)
		return -ENOPARAM;
	if (is_flag(spec) != param->is_flag)
		return -EINVAL;
	if (spec->type == PARAM_U32)
		err = kstrtouint(param->string, 0, &result->uint_32);
	else if (spec->type == PARAM_OCT)
		err = kstrtouint(param->string, 8, &result->uint_32);
	else if (spec->type == PARAM_ENUM)
		err = constant_of(spec->data, param->string, &result->uint_32);
	else if (spec->type == PARAM_STRING && !*param->string)
		err = -EINVAL;
	return err ? -EINVAL : spec->opt;
}

/* --- what the options refer to ----------------------------------------------- */

/* A pool of as many pages as it takes to be asked for parts of it. */
void pool_count(struct pool *pool, struct pool_counts *counts)
{
	*counts = (struct pool_counts){ .nr = 1000 };
}

struct policy *policy_copy(const struct mempolicy *from)
{
	struct policy *policy = kzalloc(sizeof(*policy), GFP_KERNEL);

	if (policy)
		policy->policy = *from;
	return policy;
}

void policy_destroy(struct policy *policy)
{
	kfree(policy);
}

/* --- printing ---------------------------------------------------------------------- */

static void seq_write(struct seq_file *seq, const char *format, ...)
{
	size_t room = sizeof(seq->text) - seq->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(seq->text + seq->len, room, format, args);
	va_end(args);
	if (len < 0 || len >= room)
		abort();
	seq->len += len;
}

void seq_puts(struct seq_file *seq, const char *text)
{
	seq_write(seq, "%s", text);
}

void seq_escape(struct seq_file *seq, const char *text, const char *escaped)
{
	for (; *text; text++)
		seq_write(seq, strchr(escaped, *text) ? "\\%03o" : "%c", *text);
}

/* Of what a policy prints this way: ":" and a list of nodes, which is "%*pbl". */
void seq_printf(struct seq_file *seq, const char *format, ...)
{
	const unsigned long *bits;
	const char *comma = "";
	va_list args;
	int nid;

	if (strcmp(format, ":%*pbl"))
		abort();
	va_start(args, format);
	bits = va_arg(args, const unsigned long *);
	va_end(args);
	seq_puts(seq, ":");
	for_each_set_bit(nid, bits, MAX_NUMNODES) {
		seq_write(seq, "%s%d", comma, nid);
		comma = ",";
	}
}
