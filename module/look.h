/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_LOOK_H
#define RHUGEFS_LOOK_H

#include <linux/seq_file.h>

#include "pool.h"

/**
 * typedef look_fn - look at everything and print it
 * @seq: where to print
 * @data: the caller's
 *
 * Return: whether what was seen agrees, or a negative errno.
 */
typedef int (*look_fn)(struct seq_file *seq, void *data);

int look_quietly(struct seq_file *seq, struct pool *pool, look_fn look,
		 void *data);

#endif
