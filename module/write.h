/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_WRITE_H
#define RHUGEFS_WRITE_H

#include <linux/fs.h>

ssize_t write_file(struct kiocb *iocb, struct iov_iter *from);

#endif
