// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz the module's parameter nr_hugepages. What is accepted adds up, lies on nodes
 * that have memory, and means the same when it is said node by node.
 */
#include <linux/slab.h>

#include "fuzz.h"
#include "nodeset.h"
#include "request.h"

static void request_must_add_up(const struct request *request)
{
	unsigned long sum = 0;
	int nid;

	must(request->nr_nodes == nr_node_ids);
	for (nid = 0; nid < nr_node_ids; nid++) {
		must(node_state(nid, N_MEMORY) || !request->on_node[nid]);
		must(!check_add_overflow(sum, request->on_node[nid], &sum));
	}
	must(sum == request->total);
}

/* Nobody has two more than another, and who has more comes first. */
static void request_must_be_even(const struct request *request)
{
	unsigned long before = request->on_node[0];
	int nid;

	for_each_node_state(nid, N_MEMORY) {
		must(request->on_node[nid] <= before);
		must(request->on_node[0] - request->on_node[nid] <= 1);
		before = request->on_node[nid];
	}
}

static void request_must_return(const struct request *request)
{
	char text[32 * SHIM_NODES] = "";
	struct request *again;
	int nid, at = 0;

	for_each_node_state(nid, N_MEMORY)
		at += snprintf(text + at, sizeof(text) - at, "%s%d:%lu",
			       at ? "," : "", nid, request->on_node[nid]);
	again = request_parse(text);
	must(!IS_ERR(again));
	must(again->by_node && again->total == request->total);
	must(!memcmp(again->on_node, request->on_node,
		     nr_node_ids * sizeof(*again->on_node)));
	request_free(again);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	unsigned long live = slab_live();
	char *text = take_text(&input);
	struct request *request = request_parse(text);

	if (IS_ERR(request)) {
		must(PTR_ERR(request) == -EINVAL);
	} else {
		must(request->by_node == !!strchr(text, ':'));
		request_must_add_up(request);
		if (!request->by_node)
			request_must_be_even(request);
		request_must_return(request);
		request_free(request);
	}
	free(text);
	must(slab_live() == live);
	return 0;
}
