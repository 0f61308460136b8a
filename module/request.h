/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_REQUEST_H
#define RHUGEFS_REQUEST_H

#include <linux/types.h>

/**
 * struct request - how many huge pages are asked for
 * @by_node: the caller named nodes, so that one cannot stand in for another
 * @total: huge pages in all
 * @nr_nodes: length of @on_node
 * @on_node: huge pages by node id
 */
struct request {
	bool by_node;
	unsigned long total;
	int nr_nodes;
	unsigned long on_node[];
};

struct request *request_parse(const char *text);
struct request *request_default(void);
void request_free(struct request *request);

#endif
