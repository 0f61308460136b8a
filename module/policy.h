/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_POLICY_H
#define RHUGEFS_POLICY_H

#include <linux/mempolicy.h>

#include "wish.h"

struct inode;
struct seq_file;

/**
 * struct policy - a memory policy of the module's own
 * @link: among those of a file, or among those that are still looked at
 * @used: by some part of the file, when this was last looked for
 * @policy: what it says, as the kernel can read it. Who looks at it has a reference in
 *	between, which is never the last
 */
struct policy {
	struct list_head link;
	bool used;
	struct mempolicy policy;
};

void policy_wish(struct wish *wish, struct inode *inode,
		 const struct mempolicy *policy, unsigned long index);
int policy_parse(const char *text, struct mempolicy *policy,
		 const nodemask_t *nodes);
bool policy_fits(const struct mempolicy *policy, const nodemask_t *nodes);
void policy_show(struct seq_file *seq, const struct mempolicy *policy);
bool policy_equal(const struct policy *a, const struct policy *b);
struct policy *policy_copy(const struct mempolicy *from);
void policy_destroy(struct policy *policy);
void policy_exit(void);

#endif
