/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_DONTNEED_H
#define RHUGEFS_DONTNEED_H

struct mm_struct;
struct private;

int dontneed_listen(struct mm_struct *mm);
void dontneed_end(struct mm_struct *mm);

void dontneed_init(struct private *private);
void dontneed_exit(struct private *private);
unsigned long dontneed_collect(struct private *private);
void dontneed_later(struct private *private);

#endif
