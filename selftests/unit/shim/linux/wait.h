/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_WAIT_H
#define SHIM_LINUX_WAIT_H

/* Part of structures; what is tested waits for nobody. */
typedef struct {
} wait_queue_head_t;

#endif
