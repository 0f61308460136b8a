// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the nr_hugepages parameter asks for: "N" huge pages spread evenly over
 * the nodes that have memory, or "NODE:N,NODE:N,...".
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/mmzone.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "huge_page.h"
#include "nodeset.h"
#include "request.h"

static struct request *request_alloc(void)
{
	struct request *request;

	request = kzalloc(struct_size(request, on_node, nr_node_ids),
			  GFP_KERNEL);
	if (request)
		request->nr_nodes = nr_node_ids;
	return request;
}

/**
 * request_free() - Free a request.
 * @request: the request, or NULL
 */
void request_free(struct request *request)
{
	kfree(request);
}

static const char request_form[] = "is not N or NODE:N,NODE:N,...";

/*
 * "N": as many on each node, the remainder on the first ones. As below, what is
 * wrong with the text, or NULL.
 */
static const char *request_parse_total(struct request *request,
				       const char *text)
{
	unsigned long rest;
	int nid;

	if (kstrtoul(text, 10, &request->total))
		return request_form;
	rest = request->total % num_node_state(N_MEMORY);
	for_each_node_state(nid, N_MEMORY) {
		request->on_node[nid] = request->total /
					num_node_state(N_MEMORY);
		if (rest) {
			request->on_node[nid]++;
			rest--;
		}
	}
	return NULL;
}

/* "NODE:N", for a node that has memory and was not named before. */
static const char *request_parse_node(struct request *request, char *text,
				      struct nodeset *named)
{
	unsigned long pages;
	unsigned int nid;
	char *number = text;

	strsep(&number, ":");
	if (!number || kstrtouint(text, 10, &nid) ||
	    kstrtoul(number, 10, &pages))
		return request_form;
	if (nid >= nr_node_ids || !node_state(nid, N_MEMORY))
		return "names a node that has no memory";
	if (nodeset_has(named, nid))
		return "names a node twice";
	nodeset_add(named, nid);
	request->on_node[nid] = pages;
	if (check_add_overflow(request->total, pages, &request->total))
		return "is more than there can be";
	return NULL;
}

static const char *request_parse_nodes(struct request *request, char *text)
{
	struct nodeset named = {};
	const char *wrong = NULL;
	char *one;

	request->by_node = true;
	while (!wrong && (one = strsep(&text, ",")))
		wrong = request_parse_node(request, one, &named);
	return wrong;
}

/**
 * request_parse() - Read what was asked for.
 * @text: "N" or "NODE:N,...", in huge pages
 *
 * Return: the request, or an ERR_PTR: -EINVAL where @text is not one, with a
 * message that quotes it and says why; -ENOMEM.
 */
struct request *request_parse(const char *text)
{
	struct request *request = request_alloc();
	char *copy = kstrdup(text, GFP_KERNEL);
	const char *wrong = NULL;
	int err = -ENOMEM;

	if (!request || !copy)
		goto free_request;
	if (strchr(copy, ':'))
		wrong = request_parse_nodes(request, copy);
	else
		wrong = request_parse_total(request, copy);
	if (wrong) {
		pr_err("nr_hugepages=%s %s\n", text, wrong);
		err = -EINVAL;
		goto free_request;
	}
	kfree(copy);
	return request;

free_request:
	kfree(copy);
	request_free(request);
	return ERR_PTR(err);
}

/* Share of a node's memory where nothing was asked for. */
#define REQUEST_DEFAULT_SHARE	32

/**
 * request_default() - What to take where nothing was asked for.
 *
 * Return: a request for 1/32 of each node's memory, or ERR_PTR(-ENOMEM).
 */
struct request *request_default(void)
{
	struct request *request = request_alloc();
	int nid;

	if (!request)
		return ERR_PTR(-ENOMEM);
	request->by_node = true;
	for_each_node_state(nid, N_MEMORY) {
		request->on_node[nid] = node_present_pages(nid) /
					REQUEST_DEFAULT_SHARE / HUGE_NR;
		request->total += request->on_node[nid];
	}
	pr_info("nr_hugepages not given, taking 1/%d of memory, %lu huge pages\n",
		REQUEST_DEFAULT_SHARE, request->total);
	return request;
}
