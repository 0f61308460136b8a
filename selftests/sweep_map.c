// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure: mappings, faults, and what becomes of mappings. See sweep.h.
 *
 * Where a scenario's name begins with core_ all that fails in the system call
 * counts, and not only what the module asks for: the core then turns back half
 * way, and the module has to follow.
 */
#include "sweep_files.h"

#include <sys/uio.h>

#define PUNCH		(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/* Pages of a mapping, and the one of them that scenarios touch. */
#define MAP_PAGES	4UL
#define TOUCH		2UL

/* --- mmap() that promises ------------------------------------------------ */

/* What mmap() refuses must leave nothing: not a page promised, not a byte more. */
static int act_mmap(struct scene *scene, unsigned long first,
		    unsigned long pages)
{
	scene->map = map_huge(scene->fd, first, pages, 0);
	return scene->map ? 0 : errno;
}

static void verify_mmap(struct scene *scene, int err, unsigned long pages)
{
	scene_moved(scene, 0, err ? 0 : pages);
}

static void tidy_mmap(struct scene *scene, unsigned long pages)
{
	must(unmap_huge(scene->map, pages) == 0);
	scene_close(scene);
}

static int act_mmap_new(struct scene *scene)
{
	return act_mmap(scene, 0, MAP_PAGES);
}

static void verify_mmap_new(struct scene *scene, int err)
{
	must(file_pages(scene->fd) == (err ? 0 : MAP_PAGES));
	verify_mmap(scene, err, MAP_PAGES);
}

static void tidy_map(struct scene *scene)
{
	tidy_mmap(scene, MAP_PAGES);
}

SWEEP(mmap_new)
{
	.least = 2,
	.errnos = { ENOMEM, EINTR },
	.prepare = scene_empty_file,
	.act = act_mmap_new,
	.verify = verify_mmap_new,
	.tidy = tidy_map,
};

SWEEP(core_mmap)
{
	.core = true,
	.least = 4,
	.errnos = { ENOMEM, EINTR },
	.prepare = scene_empty_file,
	.act = act_mmap_new,
	.verify = verify_mmap_new,
	.tidy = tidy_map,
};

/* Of what is promised already, nothing is promised again. */
static void prepare_overlapping(struct scene *scene)
{
	char *map;

	scene_file(scene);
	map = map_huge(scene->fd, 0, 3, 0);
	must(map);
	must(unmap_huge(map, 3) == 0);
}

static int act_overlapping(struct scene *scene)
{
	return act_mmap(scene, 2, MAP_PAGES);
}

static void verify_overlapping(struct scene *scene, int err)
{
	must(file_pages(scene->fd) == (err ? FILE_PAGES : 2 + MAP_PAGES));
	verify_mmap(scene, err, 2);
	must(ftruncate(scene->fd, FILE_PAGES * HUGE) == 0);
	scene_intact(scene);
}

SWEEP(mmap_overlapping)
{
	.least = 2,
	.errnos = { ENOMEM, EINTR },
	.prepare = prepare_overlapping,
	.act = act_overlapping,
	.verify = verify_overlapping,
	.tidy = tidy_map,
};

/* From the file's start to beyond its end, over what is there in between. */
#define BRIDGE_PAGES	(FILE_PAGES + 2)

static int act_bridging(struct scene *scene)
{
	return act_mmap(scene, 0, BRIDGE_PAGES);
}

static void verify_bridging(struct scene *scene, int err)
{
	must(file_pages(scene->fd) == (err ? FILE_PAGES : BRIDGE_PAGES));
	verify_mmap(scene, err, BRIDGE_PAGES - FILE_USED);
	must(ftruncate(scene->fd, FILE_PAGES * HUGE) == 0);
	scene_intact(scene);
}

static void tidy_bridging(struct scene *scene)
{
	tidy_mmap(scene, BRIDGE_PAGES);
}

SWEEP(mmap_bridging)
{
	.least = 2,
	.errnos = { ENOMEM, EINTR },
	.prepare = scene_file,
	.act = act_bridging,
	.verify = verify_bridging,
	.tidy = tidy_bridging,
};

/* More than any node has alone; where there is one only, as much as it has. */
static void prepare_both_nodes(struct scene *scene)
{
	struct pools pools = pools_read();
	long spare;
	int nid;

	scene_empty_file(scene);
	for (nid = 0; nid < pools.nr_nodes; nid++) {
		spare = pools.node[nid].free - pools.node[nid].resv;
		if (spare >= scene->got)
			scene->got = spare + 2;
	}
	if (scene->got > pools.all.free - pools.all.resv)
		scene->got = pools.all.free - pools.all.resv;
}

static int act_both_nodes(struct scene *scene)
{
	return act_mmap(scene, 0, scene->got);
}

static void verify_both_nodes(struct scene *scene, int err)
{
	must(file_pages(scene->fd) == (err ? 0 : scene->got));
	verify_mmap(scene, err, scene->got);
}

static void tidy_both_nodes(struct scene *scene)
{
	tidy_mmap(scene, scene->got);
}

SWEEP(mmap_both_nodes)
{
	.least = 2,
	.errnos = { ENOMEM, EINTR },
	.prepare = prepare_both_nodes,
	.act = act_both_nodes,
	.verify = verify_both_nodes,
	.tidy = tidy_both_nodes,
};

/* --- faults -------------------------------------------------------------- */

/*
 * Where other memory is short, a fault is tried again, and so is never refused;
 * save where it is the kernel that touches. SIGBUS is for a page that nobody was
 * promised and that the pool does not have.
 */
static void prepare_map_with(struct scene *scene, int flags)
{
	scene_empty_file(scene);
	scene->map = map_huge(scene->fd, 0, MAP_PAGES, flags);
	must(scene->map);
}

static void prepare_map(struct scene *scene)
{
	prepare_map_with(scene, 0);
}

static void prepare_noreserve(struct scene *scene)
{
	prepare_map_with(scene, MAP_NORESERVE);
}

static int act_write(struct scene *scene)
{
	return can_write_value(scene->map + TOUCH * HUGE, 5) ? 0 : SWEEP_SIGBUS;
}

static int act_touch_by_reading(struct scene *scene)
{
	return can_read(scene->map + TOUCH * HUGE) ? 0 : SWEEP_SIGBUS;
}

/* The page is there, all zeroes but perhaps for its first byte. */
static void verify_page(struct scene *scene, char first)
{
	const char *page = scene->map + TOUCH * HUGE;

	must(page[0] == first);
	must(bytes_are(page + 1, 0, HUGE - 1));
}

static void verify_fault_reserved(struct scene *scene, int err)
{
	verify_page(scene, 5);
	scene_moved(scene, 1, -1);
}

static void verify_fault_noreserve(struct scene *scene, int err)
{
	if (!err)
		verify_page(scene, 5);
	scene_moved(scene, err ? 0 : 1, 0);
}

static void verify_fault_read(struct scene *scene, int err)
{
	verify_page(scene, 0);
	scene_moved(scene, 1, -1);
}

SWEEP(fault_reserved)
{
	.least = 1,
	.prepare = prepare_map,
	.act = act_write,
	.verify = verify_fault_reserved,
	.tidy = tidy_map,
};

SWEEP(core_fault)
{
	.core = true,
	.least = 2,
	.prepare = prepare_map,
	.act = act_write,
	.verify = verify_fault_reserved,
	.tidy = tidy_map,
};

SWEEP(fault_noreserve)
{
	.least = 3,
	.errnos = { SWEEP_SIGBUS },
	.prepare = prepare_noreserve,
	.act = act_write,
	.verify = verify_fault_noreserve,
	.tidy = tidy_map,
};

SWEEP(fault_by_reading)
{
	.least = 1,
	.prepare = prepare_map,
	.act = act_touch_by_reading,
	.verify = verify_fault_read,
	.tidy = tidy_map,
};

static void run_anywhere(void)
{
	cpu_set_t set;

	memset(&set, 0xff, sizeof(set));
	must(sched_setaffinity(0, sizeof(set), &set) == 0);
}

/* Promised on one node, touched on another, which then fails to have a page. */
static void prepare_far(struct scene *scene)
{
	run_on(0);
	prepare_map(scene);
	run_on(1);
}

static void tidy_far(struct scene *scene)
{
	run_anywhere();
	tidy_map(scene);
}

SWEEP(fault_far)
{
	.least = 1,
	.prepare = prepare_far,
	.act = act_write,
	.verify = verify_fault_reserved,
	.tidy = tidy_far,
};

/* The kernel's own touch is not tried again. */
static void prepare_by_kernel(struct scene *scene)
{
	prepare_noreserve(scene);
	must(pipe2(scene->pipe, O_CLOEXEC) == 0);
}

static int act_by_kernel(struct scene *scene)
{
	ssize_t done = write(scene->pipe[1], scene->map + TOUCH * HUGE, 1);

	return done == 1 ? 0 : errno;
}

static void verify_by_kernel(struct scene *scene, int err)
{
	scene_moved(scene, err ? 0 : 1, 0);
}

static void close_pipe(struct scene *scene)
{
	must(close(scene->pipe[0]) == 0);
	must(close(scene->pipe[1]) == 0);
}

static void tidy_by_kernel(struct scene *scene)
{
	close_pipe(scene);
	tidy_map(scene);
}

SWEEP(fault_by_kernel)
{
	.least = 3,
	.errnos = { EFAULT },
	.prepare = prepare_by_kernel,
	.act = act_by_kernel,
	.verify = verify_by_kernel,
	.tidy = tidy_by_kernel,
};

/* --- MAP_POPULATE -------------------------------------------------------- */

/* What cannot be had is not populated, and stays promised. */
static int act_populate(struct scene *scene)
{
	scene->map = map_huge(scene->fd, 0, MAP_PAGES, MAP_POPULATE);
	return scene->map ? 0 : errno;
}

static void verify_populate(struct scene *scene, int err)
{
	long used = file_used(scene->fd);

	must(!err || !used);
	must(fail_fired() || used == MAP_PAGES);
	must(file_pages(scene->fd) == (err ? 0 : MAP_PAGES));
	scene_moved(scene, used, err ? 0 : MAP_PAGES - used);
	must(err || touch_pages(scene->map, MAP_PAGES) == MAP_PAGES);
}

SWEEP(populate)
{
	.least = 4,
	.errnos = { ENOMEM, EINTR },
	.prepare = scene_empty_file,
	.act = act_populate,
	.verify = verify_populate,
	.tidy = tidy_map,
};

SWEEP(core_populate)
{
	.core = true,
	.least = 8,
	.errnos = { ENOMEM, EINTR },
	.prepare = scene_empty_file,
	.act = act_populate,
	.verify = verify_populate,
	.tidy = tidy_map,
};

/* --- a page that is given back while it is pinned ------------------------ */

static void prepare_pinned(struct scene *scene)
{
	prepare_map(scene);
	must(pipe2(scene->pipe, O_CLOEXEC) == 0);
}

static int act_pinned(struct scene *scene)
{
	struct iovec vec = { scene->map + TOUCH * HUGE, 1 };

	if (vmsplice(scene->pipe[1], &vec, 1, 0) != 1)
		return errno;
	if (fallocate(scene->fd, PUNCH, TOUCH * HUGE, HUGE))
		return errno;
	return 0;
}

/* Who holds the page sees what it was, whatever is put in its place. */
static void verify_pinned(struct scene *scene, int err)
{
	long used = file_used(scene->fd);
	char byte = 1;

	if (err) {
		scene_moved(scene, used, -used);
		return;
	}
	must(used == 0);
	scene_moved(scene, 1, -1);
	must(can_write_value(scene->map + TOUCH * HUGE, 5));
	must(read(scene->pipe[0], &byte, 1) == 1);
	must(byte == 0);
}

static void tidy_pinned(struct scene *scene)
{
	close_pipe(scene);
	/* The one that was pinned is back; the one in its place is there. */
	scene_moved(scene, 1, -1);
	tidy_map(scene);
}

SWEEP(pinned)
{
	.least = 2,
	.errnos = { ENOMEM, EFAULT },
	.prepare = prepare_pinned,
	.act = act_pinned,
	.verify = verify_pinned,
	.tidy = tidy_pinned,
};

/* --- what becomes of mappings -------------------------------------------- */

/* With one page that is there, and one that is not. */
static void prepare_used(struct scene *scene)
{
	prepare_map(scene);
	bytes_stir(scene->map + TOUCH * HUGE, HUGE, 7);
}

static void verify_used(struct scene *scene)
{
	must(bytes_stirred(scene->map + TOUCH * HUGE, HUGE, 7));
	scene_moved(scene, 0, 0);
}

/* An aligned range of addresses with nothing in it, larger by a page. */
static void prepare_mremap(struct scene *scene)
{
	prepare_used(scene);
	scene->other = mmap(NULL, (MAP_PAGES + 1) * HUGE, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(scene->other != MAP_FAILED);
}

static char *mremap_target(struct scene *scene)
{
	return (char *)(((unsigned long)scene->other + HUGE - 1) & -HUGE);
}

static int act_mremap(struct scene *scene)
{
	char *moved = mremap(scene->map, MAP_PAGES * HUGE, MAP_PAGES * HUGE,
			     MREMAP_MAYMOVE | MREMAP_FIXED,
			     mremap_target(scene));

	fail_disarm();
	if (moved == MAP_FAILED)
		return errno;
	scene->map = moved;
	return 0;
}

static void verify_mremap(struct scene *scene, int err)
{
	must(err || scene->map == mremap_target(scene));
	verify_used(scene);
}

static void tidy_mremap(struct scene *scene)
{
	must(munmap(scene->other, (MAP_PAGES + 1) * HUGE) == 0);
	scene_close(scene);
}

SWEEP(mremap)
{
	.least = 0,
	.prepare = prepare_mremap,
	.act = act_mremap,
	.verify = verify_mremap,
	.tidy = tidy_mremap,
};

SWEEP(core_mremap)
{
	.core = true,
	.least = 2,
	.errnos = { ENOMEM },
	.prepare = prepare_mremap,
	.act = act_mremap,
	.verify = verify_mremap,
	.tidy = tidy_mremap,
};

static int act_munmap(struct scene *scene)
{
	int err = munmap(scene->map, HUGE) ? errno : 0;

	if (!err)
		err = munmap(scene->map + 3 * HUGE, HUGE) ? errno : 0;
	fail_disarm();
	return err;
}

static void verify_split(struct scene *scene, int err)
{
	verify_used(scene);
}

SWEEP(munmap)
{
	.least = 0,
	.prepare = prepare_used,
	.act = act_munmap,
	.verify = verify_split,
	.tidy = tidy_map,
};

SWEEP(core_munmap)
{
	.core = true,
	.least = 1,
	.errnos = { ENOMEM },
	.prepare = prepare_used,
	.act = act_munmap,
	.verify = verify_split,
	.tidy = tidy_map,
};

/* In three parts, of which the one in the middle has the page. */
static int act_mprotect(struct scene *scene)
{
	int err = mprotect(scene->map + HUGE, 2 * HUGE, PROT_READ) ? errno : 0;

	fail_disarm();
	return err;
}

SWEEP(mprotect)
{
	.least = 0,
	.prepare = prepare_used,
	.act = act_mprotect,
	.verify = verify_split,
	.tidy = tidy_map,
};

SWEEP(core_mprotect)
{
	.core = true,
	.least = 2,
	.errnos = { ENOMEM },
	.prepare = prepare_used,
	.act = act_mprotect,
	.verify = verify_split,
	.tidy = tidy_map,
};

/* --- fork() and exit() --------------------------------------------------- */

/* The child uses what it has inherited, and ends. */
static int act_fork(struct scene *scene)
{
	pid_t pid = fork();

	if (!pid)
		_exit(!bytes_stirred(scene->map + TOUCH * HUGE, HUGE, 7) ||
		      !can_write_value(scene->map + HUGE, 5));
	/* Before what is written to pages that fork() has shared. */
	fail_disarm();
	if (pid < 0)
		return errno;
	must(reap(pid) == 0);
	return 0;
}

static void verify_fork(struct scene *scene, int err)
{
	must(bytes_stirred(scene->map + TOUCH * HUGE, HUGE, 7));
	scene_moved(scene, err ? 0 : 1, err ? 0 : -1);
	must(err || scene->map[HUGE] == 5);
}

SWEEP(fork)
{
	.least = 0,
	.prepare = prepare_used,
	.act = act_fork,
	.verify = verify_fork,
	.tidy = tidy_map,
};

SWEEP(core_fork)
{
	.core = true,
	.least = 20,
	.errnos = { ENOMEM, EAGAIN },
	.prepare = prepare_used,
	.act = act_fork,
	.verify = verify_fork,
	.tidy = tidy_map,
};

int main(int argc, char **argv)
{
	return sweep_with_files(argc, argv);
}
