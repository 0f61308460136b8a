// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure: what a mount may use and what is kept for it, the pool's size, and surplus
 * pages. See sweep.h.
 *
 * Of two nodes one may have no memory and the other has some: so a page that cannot be had
 * is no failure yet where the node does not matter.
 */
#include "pool_size.h"
#include "sweep_files.h"

#include <sys/mount.h>

/* What has changed since the act, with @nr pages more in the pool. */
static void scene_grew(struct scene *scene, long nr, long used, long resv)
{
	struct sweep_counts want = {
		.nr = scene->before.nr + nr,
		.free = scene->before.free + nr - used,
		.resv = scene->before.resv + resv,
	};

	must(sweep_counts_are(&sweep_pool.all, &want));
}

static void nothing(struct scene *scene)
{
}

/* --- mounts -------------------------------------------------------------- */

/* Another mount than the one that all else is done in. */
#define MOUNT_DIR	"/tmp/swept.sizes"

/* As options, and in pages. */
#define SMALL		"size=16M,min_size=4M,nr_inodes=10"
#define SMALL_MAX	8
#define SMALL_MIN	2
#define SMALL_INODES	10
#define LARGE		"size=24M,min_size=12M,nr_inodes=20"
#define LARGE_MAX	12
#define LARGE_MIN	6
#define LARGE_INODES	20

static bool mounted(struct scene *scene)
{
	must(statfs(MOUNT_DIR, &scene->statfs) == 0);
	return scene->statfs.f_type == 0x72687567;
}

static void must_be_small(struct scene *scene)
{
	must(mounted(scene));
	must(scene->statfs.f_blocks == SMALL_MAX);
	must(scene->statfs.f_files == SMALL_INODES);
}

static void must_be_large(struct scene *scene)
{
	must(mounted(scene));
	must(scene->statfs.f_blocks == LARGE_MAX);
	must(scene->statfs.f_files == LARGE_INODES);
}

static void prepare_mount(struct scene *scene)
{
	must(mkdir(MOUNT_DIR, 0700) == 0 || errno == EEXIST);
	must(!mounted(scene));
}

static int act_mount(struct scene *scene)
{
	return mount("none", MOUNT_DIR, "rhugefs", 0, SMALL) ? errno : 0;
}

static void verify_mount(struct scene *scene, int err)
{
	must(mounted(scene) == !err);
	scene_grew(scene, 0, 0, err ? 0 : SMALL_MIN);
	if (!err)
		must_be_small(scene);
}

static void tidy_mount(struct scene *scene)
{
	must(umount(MOUNT_DIR) == 0);
}

SWEEP(mount_sizes)
{
	.least = 6,
	.errnos = { ENOMEM },
	.prepare = prepare_mount,
	.act = act_mount,
	.verify = verify_mount,
	.tidy = tidy_mount,
};

/* One page in use, and one that was promised. */
static void use_mount(struct scene *scene)
{
	char *map;

	scene->fd = open(MOUNT_DIR "/file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	must(scene->fd >= 0);
	map = map_huge(scene->fd, 0, 2, 0);
	must(map && can_write(map));
	must(unmap_huge(map, 2) == 0);
}

static void tidy_used_mount(struct scene *scene)
{
	scene_close(scene);
	tidy_mount(scene);
}

static void prepare_small(struct scene *scene)
{
	prepare_mount(scene);
	must(act_mount(scene) == 0);
	use_mount(scene);
}

static int act_enlarge(struct scene *scene)
{
	return mount("none", MOUNT_DIR, NULL, MS_REMOUNT, LARGE) ? errno : 0;
}

/* All that is named, or nothing of it. Of the minimum two are in use or promised. */
static void verify_enlarge(struct scene *scene, int err)
{
	scene_grew(scene, 0, 0, err ? 0 : LARGE_MIN - SMALL_MIN);
	if (err)
		must_be_small(scene);
	else
		must_be_large(scene);
}

SWEEP(remount_larger)
{
	.least = 3,
	.errnos = { ENOMEM },
	.prepare = prepare_small,
	.act = act_enlarge,
	.verify = verify_enlarge,
	.tidy = tidy_used_mount,
};

static void prepare_large(struct scene *scene)
{
	prepare_mount(scene);
	must(mount("none", MOUNT_DIR, "rhugefs", 0, LARGE) == 0);
	use_mount(scene);
}

static int act_lessen(struct scene *scene)
{
	return mount("none", MOUNT_DIR, NULL, MS_REMOUNT, SMALL) ? errno : 0;
}

static void verify_lessen(struct scene *scene, int err)
{
	scene_grew(scene, 0, 0, err ? 0 : SMALL_MIN - LARGE_MIN);
	if (err)
		must_be_large(scene);
	else
		must_be_small(scene);
}

SWEEP(remount_smaller)
{
	.least = 2,
	.errnos = { ENOMEM },
	.prepare = prepare_large,
	.act = act_lessen,
	.verify = verify_lessen,
	.tidy = tidy_used_mount,
};

/* Of the inodes fewer, which is done first, and of the minimum more. */
static int act_mix(struct scene *scene)
{
	return mount("none", MOUNT_DIR, NULL, MS_REMOUNT,
		     "nr_inodes=3,min_size=14M") ? errno : 0;
}

static void verify_mix(struct scene *scene, int err)
{
	scene_grew(scene, 0, 0, err ? 0 : 7 - SMALL_MIN);
	if (err)
		must_be_small(scene);
	must(mounted(scene));
	must(scene->statfs.f_files == (err ? SMALL_INODES : 3));
}

SWEEP(remount_mixed)
{
	.least = 3,
	.errnos = { ENOMEM },
	.prepare = prepare_small,
	.act = act_mix,
	.verify = verify_mix,
	.tidy = tidy_used_mount,
};

/* --- the pool's size ----------------------------------------------------- */

#define RESIZE_PAGES	5

static int resized(int nid, long more)
{
	if (nid < 0)
		return resize(sweep_number(sweep_pool.all.nr) + more);
	return resize_node(nid, sweep_pool.rest[nid].nr + more);
}

static void tidy_size(struct scene *scene)
{
	int nid;

	for (nid = 0; nid < sweep_pool.nr_nodes; nid++)
		must(resize_node(nid, sweep_pool.rest[nid].nr) == 0);
	must(surplus() == 0);
}

static int act_grow(struct scene *scene)
{
	return resized(-1, RESIZE_PAGES);
}

/* What one node does not give the other does. */
static void verify_grow(struct scene *scene, int err)
{
	must(!err);
	scene_grew(scene, RESIZE_PAGES, 0, 0);
}

SWEEP(resize_up)
{
	.least = RESIZE_PAGES,
	.prepare = nothing,
	.act = act_grow,
	.verify = verify_grow,
	.tidy = tidy_size,
};

static int act_grow_node(struct scene *scene)
{
	return resized(1, RESIZE_PAGES);
}

/* What could be had before the failure stays, as the file says. */
static void verify_grow_node(struct scene *scene, int err)
{
	long more = sweep_number(sweep_pool.node[1].nr) -
		    sweep_pool.rest[1].nr;

	must(!err);
	must(more >= 0 && more <= RESIZE_PAGES);
	must(fail_fired() || more == RESIZE_PAGES);
	scene_grew(scene, more, 0, 0);
}

SWEEP(resize_up_node)
{
	.least = RESIZE_PAGES,
	.prepare = nothing,
	.act = act_grow_node,
	.verify = verify_grow_node,
	.tidy = tidy_size,
};

static int act_shrink(struct scene *scene)
{
	return resized(-1, -RESIZE_PAGES);
}

/* To give pages back takes no memory. */
static void verify_shrink(struct scene *scene, int err)
{
	must(!err);
	scene_grew(scene, -RESIZE_PAGES, 0, 0);
}

SWEEP(resize_down)
{
	.least = 0,
	.prepare = nothing,
	.act = act_shrink,
	.verify = verify_shrink,
	.tidy = tidy_size,
};

static int act_shrink_node(struct scene *scene)
{
	return resized(1, -RESIZE_PAGES);
}

SWEEP(resize_down_node)
{
	.least = 0,
	.prepare = nothing,
	.act = act_shrink_node,
	.verify = verify_shrink,
	.tidy = tidy_size,
};

/* Pages that nobody else is to have, all but @left. */
static void take_all_but(struct scene *scene, long left)
{
	scene->got = pool_unpromised() - left;
	scene->other = map_new(scene->got, 0);
	must(scene->other);
}

static void tidy_taken(struct scene *scene)
{
	must(unmap_huge(scene->other, scene->got) == 0);
}

static void prepare_taken(struct scene *scene)
{
	take_all_but(scene, 0);
}

/* Everything is in the way, so that pages become surplus, ... */
static void verify_mark(struct scene *scene, int err)
{
	must(!err);
	scene_grew(scene, 0, 0, 0);
	must(surplus() == RESIZE_PAGES);
}

static void tidy_mark(struct scene *scene)
{
	tidy_taken(scene);
	tidy_size(scene);
}

SWEEP(resize_down_surplus)
{
	.least = 0,
	.prepare = prepare_taken,
	.act = act_shrink,
	.verify = verify_mark,
	.tidy = tidy_mark,
};

/* ... and become permanent before others come. */
static void prepare_marked(struct scene *scene)
{
	take_all_but(scene, 0);
	must(resized(-1, -RESIZE_PAGES) == 0);
}

static int act_keep(struct scene *scene)
{
	return resize(sweep_number(sweep_pool.all.nr) + 2);
}

static void verify_keep(struct scene *scene, int err)
{
	must(!err);
	must(surplus() == 0);
	scene_grew(scene, 2, 0, 0);
}

SWEEP(resize_up_surplus)
{
	.least = 2,
	.prepare = prepare_marked,
	.act = act_keep,
	.verify = verify_keep,
	.tidy = tidy_mark,
};

/* --- surplus pages on demand --------------------------------------------- */

/* One of those that are wanted the pool has; the limit allows the others and more. */
#define WANTED		4UL
#define SURPLUS		3

static void prepare_overcommit(struct scene *scene)
{
	take_all_but(scene, 1);
	must(overcommit(SURPLUS + 2) == 0);
	scene_empty_file(scene);
}

static void tidy_overcommit(struct scene *scene)
{
	scene_close(scene);
	tidy_taken(scene);
	must(overcommit(0) == 0);
}

static void verify_surplus(struct scene *scene, long pages, long used,
			   long resv)
{
	scene_grew(scene, pages, used, resv);
	must(surplus() == pages);
}

static int act_mmap_shared(struct scene *scene)
{
	scene->map = map_huge(scene->fd, 0, WANTED, 0);
	return scene->map ? 0 : errno;
}

static int act_mmap_private(struct scene *scene)
{
	scene->map = map_private(scene->fd, 0, WANTED, 0);
	return scene->map ? 0 : errno;
}

/* Who is told no leaves no surplus page behind. */
static void verify_mmap(struct scene *scene, int err)
{
	must(file_pages(scene->fd) == (err ? 0 : WANTED));
	if (err) {
		verify_surplus(scene, 0, 0, 0);
		return;
	}
	verify_surplus(scene, SURPLUS, 0, WANTED);
	must(touch_pages(scene->map, WANTED) == WANTED);
	verify_surplus(scene, SURPLUS, WANTED, 0);
}

static void tidy_mmap(struct scene *scene)
{
	must(unmap_huge(scene->map, WANTED) == 0);
	tidy_overcommit(scene);
}

SWEEP(surplus_mmap)
{
	.least = 3 + SURPLUS,
	.errnos = { ENOMEM, EINTR },
	.prepare = prepare_overcommit,
	.act = act_mmap_shared,
	.verify = verify_mmap,
	.tidy = tidy_mmap,
};

SWEEP(surplus_mmap_private)
{
	.least = 4 + SURPLUS,
	.errnos = { ENOMEM, EINTR },
	.prepare = prepare_overcommit,
	.act = act_mmap_private,
	.verify = verify_mmap,
	.tidy = tidy_mmap,
};

static int act_fallocate(struct scene *scene)
{
	return fallocate(scene->fd, 0, 0, WANTED * HUGE) ? errno : 0;
}

/* Nothing, or all of it promised and perhaps some of it there. */
static void verify_fallocate(struct scene *scene, int err)
{
	long used = file_used(scene->fd);

	must(file_pages(scene->fd) == (err ? 0 : WANTED));
	must(err || used == WANTED);
	if (err && surplus() == 0)
		verify_surplus(scene, 0, 0, 0);
	else
		verify_surplus(scene, SURPLUS, used, WANTED - used);
}

SWEEP(surplus_fallocate)
{
	.least = 3 + SURPLUS,
	.errnos = { ENOMEM, ENOSPC, EINTR },
	.prepare = prepare_overcommit,
	.act = act_fallocate,
	.verify = verify_fallocate,
	.tidy = tidy_overcommit,
};

static void prepare_fault(struct scene *scene)
{
	prepare_overcommit(scene);
	scene->map = map_huge(scene->fd, 0, WANTED, MAP_NORESERVE);
	must(scene->map && can_write(scene->map));
}

static void prepare_fault_private(struct scene *scene)
{
	prepare_overcommit(scene);
	scene->map = map_private(scene->fd, 0, WANTED, MAP_NORESERVE);
	must(scene->map && can_write(scene->map));
}

static int act_fault(struct scene *scene)
{
	return can_write(scene->map + HUGE) ? 0 : SWEEP_SIGBUS;
}

static void verify_fault(struct scene *scene, int err)
{
	must(*scene->map == 1);
	verify_surplus(scene, !err, !err, 0);
}

SWEEP(surplus_fault)
{
	.least = 2,
	.errnos = { SWEEP_SIGBUS },
	.prepare = prepare_fault,
	.act = act_fault,
	.verify = verify_fault,
	.tidy = tidy_mmap,
};

SWEEP(surplus_fault_private)
{
	.least = 2,
	.errnos = { SWEEP_SIGBUS },
	.prepare = prepare_fault_private,
	.act = act_fault,
	.verify = verify_fault,
	.tidy = tidy_mmap,
};

static void prepare_surplus_mount(struct scene *scene)
{
	prepare_mount(scene);
	prepare_overcommit(scene);
}

static int act_surplus_mount(struct scene *scene)
{
	return mount("none", MOUNT_DIR, "rhugefs", 0, "min_size=8M") ? errno :
								       0;
}

static void verify_surplus_mount(struct scene *scene, int err)
{
	must(mounted(scene) == !err);
	verify_surplus(scene, err ? 0 : SURPLUS, 0, err ? 0 : WANTED);
}

static void tidy_surplus_mount(struct scene *scene)
{
	tidy_mount(scene);
	must(surplus() == 0);
	tidy_overcommit(scene);
}

SWEEP(surplus_mount)
{
	.least = 6 + SURPLUS,
	.errnos = { ENOMEM },
	.prepare = prepare_surplus_mount,
	.act = act_surplus_mount,
	.verify = verify_surplus_mount,
	.tidy = tidy_surplus_mount,
};

int main(int argc, char **argv)
{
	return sweep_with_files(argc, argv);
}
