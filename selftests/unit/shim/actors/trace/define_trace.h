/* SPDX-License-Identifier: GPL-2.0-only */
/* Included by module/trace.h in any case; there is nothing to define. */
