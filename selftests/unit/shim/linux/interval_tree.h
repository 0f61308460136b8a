/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own header; tools/include has no copy of it. */
#include <include/linux/interval_tree.h>
