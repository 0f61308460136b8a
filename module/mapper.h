/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_MAPPER_H
#define RHUGEFS_MAPPER_H

#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

/**
 * struct mapper - a process that maps a file
 * @pid: its id, 0 where it is about to end
 * @comm: its name
 */
struct mapper {
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

/**
 * struct mappers - room for those of one file
 * @room: length of @list
 * @nr: how much of it is used
 * @list: the processes, in kvmalloc()ed memory
 */
struct mappers {
	size_t room;
	size_t nr;
	struct mapper *list;
};

int mappers_find_shared(struct mappers *mappers, struct address_space *mapping);
int mappers_find_one(struct mappers *mappers, struct mm_struct *mm);
void mappers_print(struct mappers *mappers, struct seq_file *seq);
void mappers_free(struct mappers *mappers);

#endif
