/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_KERNEL_ENV_H
#define SHIM_KERNEL_ENV_H

/*
 * What the parsers of the module see of the kernel, included before all else: the
 * headers that would have it are empty in user space (the Makefile makes them). The
 * module's own headers that go deep into the kernel are left out by their guards.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include <linux/bug.h>
#include <linux/mempolicy.h>
#include <linux/nodemask.h>
#include <linux/overflow.h>
#include <linux/seqlock.h>
#include <linux/slab.h>

#define RHUGEFS_COMPAT_H
#define RHUGEFS_HUGE_PAGE_H
#define RHUGEFS_INODE_H
#define RHUGEFS_SUPER_H

#define KBUILD_MODNAME	"rhugefs"
#define HUGE_SHIFT	21
#define HUGE_SIZE	(1UL << HUGE_SHIFT)
#define HUGE_NR		512UL

#ifndef BIT
#define BIT(nr)		(1UL << (nr))
#endif
#ifndef ENOPARAM
#define ENOPARAM	519
#endif
#define EXPORT_SYMBOL(name)	static_assert(sizeof(name) > 0, #name)
#define fallthrough		__attribute__((__fallthrough__))

#define umode_t		unsigned short

/* --- numbers and texts: lib/kstrtox.c is the kernel's own ------------------ */

int kstrtoull(const char *s, unsigned int base, unsigned long long *res);
int kstrtoll(const char *s, unsigned int base, long long *res);
int kstrtouint(const char *s, unsigned int base, unsigned int *res);

#define kstrtoul(s, base, res)	\
	kstrtoull(s, base, (unsigned long long *)(res))

#define div_u64(a, b)	((a) / (b))

/* What they have beside that is left out by the linker. */
#define PAGE_SIZE		4096UL
#define offset_in_page(p)	((unsigned long)(p) & (PAGE_SIZE - 1))

char *kstrdup(const char *s, gfp_t flags);
int match_string(const char *const *texts, size_t n, const char *text);

#define check_shl_overflow(value, shift, to)				\
	({								\
		u64 __value = (value);					\
		unsigned int __shift = (shift);				\
									\
		*(to) = __value << __shift;				\
		*(to) >> __shift != __value;				\
	})

/* Nobody reads it here, but what it is made of must be there to be read. */
#define pr_err(...)		((void)snprintf(NULL, 0, __VA_ARGS__))
#define pr_info(...)		pr_err(__VA_ARGS__)
#define pr_warn(...)		pr_err(__VA_ARGS__)

/* --- nodes: lib/bitmap-str.c is the kernel's own ----------------------------- */

enum node_states { N_POSSIBLE, N_MEMORY, NR_NODE_STATES };

extern nodemask_t node_states[NR_NODE_STATES];

/* Four, of which the third has no memory. */
#define SHIM_NODES	4
#define nr_node_ids	SHIM_NODES

int bitmap_parselist(const char *buf, unsigned long *maskp, int nmaskbits);

#define nodelist_parse(text, mask)	\
	bitmap_parselist(text, (mask).bits, MAX_NUMNODES)
#define nodes_empty(mask)		bitmap_empty((mask).bits, MAX_NUMNODES)
#define nodes_weight(mask)		bitmap_weight((mask).bits, MAX_NUMNODES)
#define nodes_subset(a, b)	\
	bitmap_subset((a).bits, (b).bits, MAX_NUMNODES)
#define nodes_intersects(a, b)	\
	bitmap_intersects((a).bits, (b).bits, MAX_NUMNODES)
#define nodes_equal(a, b)	\
	bitmap_equal((a).bits, (b).bits, MAX_NUMNODES)
#define node_isset(nid, mask)		test_bit(nid, (mask).bits)
#define node_state(nid, state)		node_isset(nid, node_states[state])
#define num_node_state(state)		nodes_weight(node_states[state])
#define for_each_node_mask(nid, mask)	\
	for_each_set_bit(nid, (mask).bits, MAX_NUMNODES)
#define for_each_node_state(nid, state)	\
	for_each_node_mask(nid, node_states[state])
#define node_present_pages(nid)		(HUGE_NR << (nid))
/* As many nodes as there may be, which need not be said. */
#define nodemask_pr_args(mask)		((mask)->bits)

/* --- policies ------------------------------------------------------------------ */

/* Older headers do not have it yet. */
#define MPOL_WEIGHTED_INTERLEAVE	6

struct mempolicy {
	int refcnt;
	unsigned short mode, flags;
	nodemask_t nodes;
	int home_node;
	union {
		nodemask_t user_nodemask;
	} w;
};

#undef ATOMIC_INIT
#define ATOMIC_INIT(n)		(n)

/* --- mounts ---------------------------------------------------------------------- */

struct super_block;

struct inode {
	struct super_block *i_sb;
};

struct task_struct {
	struct seqcount mems_allowed_seq;
	nodemask_t mems_allowed;
	struct mempolicy *mempolicy;
};

extern struct task_struct *current;

#define HUGETLBFS_MAGIC	0x958458f6

struct kuid {
	uid_t val;
};

struct kgid {
	gid_t val;
};

#define kuid_t	struct kuid
#define kgid_t	struct kgid

#define current_user_ns()		NULL
#define make_kuid(ns, uid)		((void)(ns), (kuid_t){ uid })
#define make_kgid(ns, gid)		((void)(ns), (kgid_t){ gid })
#define uid_valid(uid)			((uid).val != (uid_t)-1)
#define gid_valid(gid)			((gid).val != (gid_t)-1)

enum fs_context_purpose { FS_CONTEXT_FOR_MOUNT, FS_CONTEXT_FOR_RECONFIGURE };

struct fs_context {
	void *fs_private;
	void *security;
	enum fs_context_purpose purpose;
};

struct fs_parameter {
	const char *key;
	bool is_flag;
	char *string;
};

struct fs_parse_result {
	bool negated;
	unsigned int uint_32;
};

struct constant_table {
	const char *name;
	int value;
};

enum param_type { PARAM_FLAG, PARAM_FLAG_NO, PARAM_U32, PARAM_OCT, PARAM_ENUM,
		  PARAM_STRING };

struct fs_parameter_spec {
	const char *name;
	int opt;
	enum param_type type;
	const void *data;
};

#define fsparam_flag(name, opt)		{ name, opt, PARAM_FLAG }
#define fsparam_flag_no(name, opt)	{ name, opt, PARAM_FLAG_NO }
#define fsparam_u32(name, opt)		{ name, opt, PARAM_U32 }
#define fsparam_u32oct(name, opt)	{ name, opt, PARAM_OCT }
#define fsparam_enum(name, opt, table)	{ name, opt, PARAM_ENUM, table }
#define fsparam_string(name, opt)	{ name, opt, PARAM_STRING }

int fs_parse(struct fs_context *fc, const struct fs_parameter_spec *spec,
	     struct fs_parameter *param, struct fs_parse_result *result);
int vfs_parse_fs_string(struct fs_context *fc, const char *key,
			const char *value, size_t len);

#define security_sb_eat_lsm_opts(data, security)	\
	((void)(data), (void)(security), 0)
#define invalfc(fc, ...)	((void)(fc), pr_err(__VA_ARGS__), -EINVAL)

/* --- files that are printed to ------------------------------------------------ */

struct seq_file {
	char text[4096];
	size_t len;
};

void seq_puts(struct seq_file *seq, const char *text);
void seq_escape(struct seq_file *seq, const char *text, const char *escaped);
void seq_printf(struct seq_file *seq, const char *format, ...);

/* --- what the module has of it -------------------------------------------- */

#include "policy.h"
#include "quota.h"

struct super_info {
	struct quota *quota;
	struct policy *policy;
};

static inline struct super_info *super_info(struct super_block *sb)
{
	return (struct super_info *)sb;
}

#endif
