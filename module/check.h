/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_CHECK_H
#define RHUGEFS_CHECK_H

#include <linux/seq_file.h>

#include "pool.h"

int check_show(struct seq_file *seq, struct pool *pool);

#endif
