/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_NODEMASK_H
#define SHIM_LINUX_NODEMASK_H

#include <linux/types.h>

/* It needs bool, and has no header for it. */
#include <linux/numa.h>

/* The few nodes of a test are bits of one word. */
struct nodemask {
	unsigned long bits;
};

#define nodemask_t	struct nodemask

#define NODE_MASK_NONE	((nodemask_t){ 0 })
#define NODE_MASK_ALL	((nodemask_t){ ~0UL })

/* Which nodes have memory is for the test to say. */
enum node_states { N_MEMORY, NR_NODE_STATES };

extern nodemask_t node_states[NR_NODE_STATES];

#define node_isset(nid, mask)		((mask).bits >> (nid) & 1)
#define node_set(nid, mask)		((void)((mask).bits |= 1UL << (nid)))
#define nodes_equal(one, other)		((one).bits == (other).bits)
#define nodes_subset(some, all)		(!((some).bits & ~(all).bits))

#define node_test_and_set(nid, mask)					\
	({								\
		bool __was_set = node_isset(nid, mask);			\
									\
		node_set(nid, mask);					\
		__was_set;						\
	})

#endif
