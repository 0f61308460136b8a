/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_OPTIONS_H
#define RHUGEFS_OPTIONS_H

#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>

#include "policy.h"
#include "pool.h"

/* "rhug" */
#define RHUGEFS_MAGIC	0x72687567

enum option {
	OPT_AUTOCLEAN,
	OPT_FORK_RESERVE,
	OPT_GID,
	OPT_MAGIC,
	OPT_MIN_SIZE,
	OPT_MODE,
	OPT_MPOL,
	OPT_NODES,
	OPT_NR_INODES,
	OPT_PAGESIZE,
	OPT_SIZE,
	OPT_UID,
	OPT_USER_SIZE,
	NR_OPTIONS,
};

/**
 * struct options - what the caller of mount or remount asks for
 * @pool: of which a percentage is one
 * @uid: see struct super_info
 * @gid: see struct super_info
 * @mode: see struct super_info
 * @max_inodes: see struct super_info
 * @fork_reserve: see struct super_info
 * @autoclean: see struct super_info's @autoclean_new
 * @magic: see struct super_info
 * @min_hpages: see struct subpool
 * @max_hpages: see struct subpool
 * @user_hpages: see struct quota's @user_max
 * @nodes: nodes on which its pages may lie
 * @policy: see struct super_info
 * @given: bit per enum option that was given
 */
struct options {
	struct pool *pool;
	kuid_t uid;
	kgid_t gid;
	umode_t mode;
	unsigned long max_inodes;
	bool fork_reserve;
	bool autoclean;
	unsigned int magic;
	unsigned long min_hpages;
	unsigned long max_hpages;
	unsigned long user_hpages;
	nodemask_t nodes;
	struct policy *policy;
	unsigned long given;
};

extern const struct fs_parameter_spec options_spec[];

int options_parse_monolithic(struct fs_context *fc, void *data);
int options_parse_param(struct fs_context *fc, struct fs_parameter *param);

#endif
