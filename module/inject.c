// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures on request, for tests, in kernels that have fault injection. Each
 * point is one more fault attribute beside failslab and its like: steered by
 * debugfs rhugefs/inject_<point>/, and counted by /proc/PID/fail-nth with the
 * allocations, so that a test which makes the first, second, ... of them fail
 * comes by these too.
 */
#include <linux/fault-inject.h>

#include "inject.h"

static DECLARE_FAULT_ATTR(inject_copy);
static DECLARE_FAULT_ATTR(inject_node);
static DECLARE_FAULT_ATTR(inject_pool);
static DECLARE_FAULT_ATTR(inject_signal);

static struct {
	const char *name;
	struct fault_attr *attr;
} inject_points[INJECT_NR] = {
	[INJECT_COPY] = { "inject_copy", &inject_copy },
	[INJECT_NODE] = { "inject_node", &inject_node },
	[INJECT_POOL] = { "inject_pool", &inject_pool },
	[INJECT_SIGNAL] = { "inject_signal", &inject_signal },
};

/**
 * inject() - Ask whether to fail here.
 * @point: kind of failure
 *
 * Context: any.
 * Return: whether the caller is to behave as if it had happened.
 */
bool inject(enum inject_point point)
{
	return should_fail(inject_points[point].attr, 1);
}

/**
 * inject_create() - Make the points' directories.
 * @dir: debugfs directory to make them in
 */
void inject_create(struct dentry *dir)
{
	int i;

	for (i = 0; i < INJECT_NR; i++)
		fault_create_debugfs_attr(inject_points[i].name, dir,
					  inject_points[i].attr);
}
