// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure: memory policies of ranges. See sweep.h. What mbind() refuses leaves the
 * promises where they were, and the policy as it was.
 */
#include "sweep_files.h"

#include "numa.h"

#define PAGES		6UL

static int give(struct scene *scene, char *map, unsigned long pages, int mode,
		unsigned long nodes)
{
	struct policy policy = { .mode = mode, .nodes = nodes };

	return policy_bind(map, pages * HUGE, &policy);
}

static void prepare_map(struct scene *scene, bool private)
{
	scene_empty_file(scene);
	scene->map = private ? map_private(scene->fd, 0, PAGES, 0) :
			       map_huge(scene->fd, 0, PAGES, 0);
	must(scene->map);
}

static void tidy_policy(struct scene *scene)
{
	must(unmap_huge(scene->map, PAGES) == 0);
	scene_close(scene);
}

/* --- mbind() ------------------------------------------------------------- */

static int act_mbind(struct scene *scene)
{
	return give(scene, scene->map, PAGES, MPOL_BIND, 2);
}

static void verify_mbind(struct scene *scene, int err)
{
	struct policy now = policy_at(scene->map);

	scene_moved(scene, 0, 0);
	must(now.mode == (err ? MPOL_DEFAULT : MPOL_BIND));
	if (!err)
		must(touch_pages(scene->map, PAGES) == PAGES &&
		     node_of(scene->map) == 1);
}

static void prepare_shared(struct scene *scene)
{
	prepare_map(scene, false);
}

static void prepare_private(struct scene *scene)
{
	prepare_map(scene, true);
}

SWEEP(mbind_shared)
{
	.least = 6,
	.errnos = { ENOMEM, EINTR },
	.prepare = prepare_shared,
	.act = act_mbind,
	.verify = verify_mbind,
	.tidy = tidy_policy,
};

SWEEP(mbind_private)
{
	.least = 4,
	.errnos = { ENOMEM, EINTR },
	.prepare = prepare_private,
	.act = act_mbind,
	.verify = verify_mbind,
	.tidy = tidy_policy,
};

/* --- mmap() of parts with several policies ------------------------------- */

static void prepare_parts(struct scene *scene)
{
	scene_empty_file(scene);
	scene->map = map_huge(scene->fd, 0, PAGES, MAP_NORESERVE);
	must(scene->map);
	must(give(scene, scene->map, 2, MPOL_BIND, 2) == 0);
	must(give(scene, scene->map + 3 * HUGE, 2, MPOL_INTERLEAVE, 3) == 0);
}

static int act_parts(struct scene *scene)
{
	scene->other = map_huge(scene->fd, 0, PAGES, 0);
	return scene->other ? 0 : errno;
}

static void verify_parts(struct scene *scene, int err)
{
	scene_moved(scene, 0, err ? 0 : PAGES);
	if (err)
		return;
	must(touch_pages(scene->other, PAGES) == PAGES);
	must(node_of(scene->other + HUGE) == 1);
	must(unmap_huge(scene->other, PAGES) == 0);
}

SWEEP(mmap_parts)
{
	.least = 12,
	.errnos = { ENOMEM, EINTR },
	.prepare = prepare_parts,
	.act = act_parts,
	.verify = verify_parts,
	.tidy = tidy_policy,
};

int main(int argc, char **argv)
{
	return sweep_with_files(argc, argv);
}
