/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_WORKQUEUE_H
#define SHIM_LINUX_WORKQUEUE_H

/* Part of structures; what is tested has none done. */
struct delayed_work {
};

#endif
