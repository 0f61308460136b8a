/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_USERS_H
#define RHUGEFS_USERS_H

#include <linux/seq_file.h>

#include "pool.h"

int users_show(struct seq_file *seq, struct pool *pool);

#endif
