/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_STEPS_H
#define SHIM_STEPS_H

unsigned long steps_taken(void);

#endif
