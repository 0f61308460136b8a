// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure: private mappings. See sweep.h; as in sweep_map.c, core_ is for
 * scenarios in which all that fails in the system call counts.
 */
#include "sweep_files.h"

/* Pages of a mapping; of them those that scenarios have written to. */
#define MAP_PAGES	4UL
#define OWN_FIRST	1UL
#define OWN_PAGES	2UL

/* --- a mapping of a file with data and holes ----------------------------- */

static char *page_at(struct scene *scene, unsigned long page)
{
	return scene->map + page * HUGE;
}

static void prepare_map_with(struct scene *scene, int flags)
{
	scene_file(scene);
	scene->map = map_private(scene->fd, 0, MAP_PAGES, flags);
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

/* With pages of its own, in place of data and of a hole. */
static void prepare_used(struct scene *scene)
{
	unsigned long i;

	prepare_map(scene);
	for (i = OWN_FIRST; i < OWN_FIRST + OWN_PAGES; i++)
		bytes_stir(page_at(scene, i), HUGE, 10 + i);
}

static void verify_own(struct scene *scene, unsigned long page)
{
	must(bytes_stirred(page_at(scene, page), HUGE, 10 + page));
}

static void verify_used(struct scene *scene)
{
	unsigned long i;

	for (i = OWN_FIRST; i < OWN_FIRST + OWN_PAGES; i++)
		verify_own(scene, i);
	scene_intact(scene);
}

static void tidy_map(struct scene *scene)
{
	must(unmap_huge(scene->map, MAP_PAGES) == 0);
	scene_close(scene);
}

/* --- mmap() -------------------------------------------------------------- */

static int act_mmap(struct scene *scene)
{
	scene->map = map_private(scene->fd, 0, MAP_PAGES, 0);
	fail_disarm();
	return scene->map ? 0 : errno;
}

static void verify_mmap(struct scene *scene, int err)
{
	scene_moved(scene, 0, err ? 0 : MAP_PAGES);
	must(file_pages(scene->fd) == (err ? 0 : MAP_PAGES));
	if (err)
		return;
	must(touch_pages(scene->map, MAP_PAGES) == MAP_PAGES);
	scene_moved(scene, MAP_PAGES, 0);
}

SWEEP(private_mmap)
{
	.least = 4,
	.errnos = { ENOMEM, EINTR },
	.prepare = scene_empty_file,
	.act = act_mmap,
	.verify = verify_mmap,
	.tidy = tidy_map,
};

SWEEP(core_private_mmap)
{
	.core = true,
	.least = 5,
	.errnos = { ENOMEM, EINTR },
	.prepare = scene_empty_file,
	.act = act_mmap,
	.verify = verify_mmap,
	.tidy = tidy_map,
};

static int act_populate(struct scene *scene)
{
	scene->map = map_private(scene->fd, 0, MAP_PAGES, MAP_POPULATE);
	fail_disarm();
	return scene->map ? 0 : errno;
}

/* What could not be had is had later. */
static void verify_populate(struct scene *scene, int err)
{
	if (err) {
		scene_moved(scene, 0, 0);
		return;
	}
	must(touch_pages(scene->map, MAP_PAGES) == MAP_PAGES);
	scene_moved(scene, MAP_PAGES, 0);
}

SWEEP(private_populate)
{
	.least = 8,
	.errnos = { ENOMEM, EINTR },
	.prepare = scene_empty_file,
	.act = act_populate,
	.verify = verify_populate,
	.tidy = tidy_map,
};

/* --- faults -------------------------------------------------------------- */

/* One in place of the file's page, one in place of a hole. */
static int act_write(struct scene *scene)
{
	if (!can_write_value(page_at(scene, 1) + 1, 5) ||
	    !can_write_value(page_at(scene, 2) + 1, 5))
		return SWEEP_SIGBUS;
	return 0;
}

static void verify_write(struct scene *scene)
{
	const char *hole = page_at(scene, 2);

	must(hole[0] == 0 && hole[1] == 5 && bytes_are(hole + 2, 0, HUGE - 2));
	must(page_at(scene, 1)[1] == 5);
	page_at(scene, 1)[1] = page_at(scene, 1)[HUGE - 1];
	scene_intact(scene);
}

static void verify_write_reserved(struct scene *scene, int err)
{
	verify_write(scene);
	scene_moved(scene, 2, -2);
}

static void verify_write_noreserve(struct scene *scene, int err)
{
	if (!err) {
		verify_write(scene);
		scene_moved(scene, 2, 0);
		return;
	}
	scene_intact(scene);
	must(page_at(scene, 0)[0] == 0);
}

SWEEP(private_write)
{
	.least = 1,
	.prepare = prepare_map,
	.act = act_write,
	.verify = verify_write_reserved,
	.tidy = tidy_map,
};

SWEEP(core_private_write)
{
	.core = true,
	.least = 2,
	.prepare = prepare_map,
	.act = act_write,
	.verify = verify_write_reserved,
	.tidy = tidy_map,
};

SWEEP(private_write_noreserve)
{
	.least = 2,
	.errnos = { SWEEP_SIGBUS },
	.prepare = prepare_noreserve,
	.act = act_write,
	.verify = verify_write_noreserve,
	.tidy = tidy_map,
};

/* --- fork() -------------------------------------------------------------- */

/*
 * A child that could not be given all that it should have is told so by SIGBUS, and
 * whatever it writes its parent does not see.
 */
#define CHILD_SIGBUS	3

static int child_work(struct scene *scene)
{
	unsigned long i;
	int missing = 0;

	for (i = OWN_FIRST; i < OWN_FIRST + OWN_PAGES; i++) {
		if (!can_read(page_at(scene, i))) {
			missing++;
			must(!can_write_value(page_at(scene, i), 77));
			continue;
		}
		verify_own(scene, i);
		can_write_value(page_at(scene, i), 77);
	}
	return missing ? CHILD_SIGBUS : 0;
}

static int act_fork(struct scene *scene)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(child_work(scene));
	fail_disarm();
	if (pid < 0)
		return errno;
	status = reap(pid);
	must(status == 0 || status == CHILD_SIGBUS);
	return status ? SWEEP_SIGBUS : 0;
}

static void verify_fork(struct scene *scene, int err)
{
	verify_used(scene);
	/* Nobody shares it any more: each is written in place. */
	must(touch_pages(page_at(scene, OWN_FIRST), OWN_PAGES) == OWN_PAGES);
	bytes_stir(page_at(scene, OWN_FIRST), HUGE, 10 + OWN_FIRST);
	bytes_stir(page_at(scene, OWN_FIRST + 1), HUGE, 11 + OWN_FIRST);
	scene_moved(scene, 0, 0);
}

SWEEP(private_fork)
{
	.least = 3,
	.errnos = { SWEEP_SIGBUS },
	.prepare = prepare_used,
	.act = act_fork,
	.verify = verify_fork,
	.tidy = tidy_map,
};

SWEEP(core_private_fork)
{
	.core = true,
	.least = 20,
	.errnos = { SWEEP_SIGBUS, ENOMEM, EAGAIN },
	.prepare = prepare_used,
	.act = act_fork,
	.verify = verify_fork,
	.tidy = tidy_map,
};

/* The owner writes to what a child, who waits, holds as well. */
static int act_copy(struct scene *scene)
{
	int err;

	err = can_write_value(page_at(scene, 1), page_at(scene, 1)[0]) ?
		      0 : SWEEP_SIGBUS;
	fail_disarm();
	return err;
}

static int wait_to_be_told(void *arg)
{
	struct scene *scene = arg;
	char byte;

	return read(scene->pipe[0], &byte, 1) == 1 ? 0 : 1;
}

static void prepare_copy(struct scene *scene)
{
	prepare_used(scene);
	must(pipe2(scene->pipe, O_CLOEXEC) == 0);
	scene->got = spawn(wait_to_be_told, scene);
}

/* With no page for a copy the owner has taken that which both held. */
static void verify_copy(struct scene *scene, int err)
{
	verify_used(scene);
	must(err == 0);
}

static void tidy_copy(struct scene *scene)
{
	must(write(scene->pipe[1], "", 1) == 1);
	must(reap(scene->got) == 0);
	must(close(scene->pipe[0]) == 0 && close(scene->pipe[1]) == 0);
	tidy_map(scene);
}

SWEEP(private_copy)
{
	.least = 1,
	.prepare = prepare_copy,
	.act = act_copy,
	.verify = verify_copy,
	.tidy = tidy_copy,
};

/* --- pieces -------------------------------------------------------------- */

/* The two in the middle, one of which has a page; cut out, then what is left. */
static int act_munmap(struct scene *scene)
{
	int err = munmap(page_at(scene, 2), HUGE) ? errno : 0;

	fail_disarm();
	return err;
}

static void verify_munmap(struct scene *scene, int err)
{
	verify_own(scene, 1);
	if (err)
		verify_own(scene, 2);
	scene_intact(scene);
	/* Where the map could not be split, a promise is kept to the end. */
	if (!err && !fail_fired())
		scene_moved(scene, -1, 0);
	must(can_write_value(page_at(scene, 3), 1));
}

SWEEP(private_munmap)
{
	.least = 1,
	.prepare = prepare_used,
	.act = act_munmap,
	.verify = verify_munmap,
	.tidy = tidy_map,
};

SWEEP(core_private_munmap)
{
	.core = true,
	.least = 2,
	.errnos = { ENOMEM },
	.prepare = prepare_used,
	.act = act_munmap,
	.verify = verify_munmap,
	.tidy = tidy_map,
};

/*
 * A page from the middle is moved. Where the old place cannot be cut out it stays
 * mapped as well: two views of the same page, also after it was copied.
 */
static void prepare_move(struct scene *scene)
{
	prepare_used(scene);
	scene->other = mmap(NULL, 3 * HUGE, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	must(scene->other != MAP_FAILED);
}

static char *place(struct scene *scene)
{
	return (char *)(((unsigned long)scene->other + HUGE - 1) & -HUGE);
}

static int act_move(struct scene *scene)
{
	char *moved = mremap(page_at(scene, 1), HUGE, HUGE,
			     MREMAP_MAYMOVE | MREMAP_FIXED, place(scene));

	fail_disarm();
	return moved == MAP_FAILED ? errno : 0;
}

/* Whether something is mapped there, which is no question for a pointer. */
static bool is_mapped(char *at)
{
	unsigned char vec;

	return mincore(at, 4096, &vec) == 0;
}

static int look_and_exit(void *arg)
{
	return 0;
}

/* A child that is told so by a pipe does its part, and the page is what it was. */
static pid_t begin_child(int (*body)(void *arg), struct scene *child, char *at)
{
	must(pipe2(child->pipe, O_CLOEXEC) == 0);
	child->map = at;
	return spawn(body, child);
}

static void end_child(struct scene *child, pid_t pid)
{
	must(write(child->pipe[1], "", 1) == 1);
	must(reap(pid) == 0);
	close(child->pipe[0]);
	close(child->pipe[1]);
}

/* A child that holds the page has the owner copy it. */
static void verify_moved_copied(char *old, char *new)
{
	struct scene child = { 0 };
	pid_t pid = begin_child(wait_to_be_told, &child, new);

	must(can_read(new) && (!is_mapped(old) || can_read(old)));
	new[0]++;
	must(!is_mapped(old) || old[0] == new[0]);
	end_child(&child, pid);
	must(!is_mapped(old) || old[0] == new[0]);
	new[0]--;
	must(!is_mapped(old) || old[0] == new[0]);
}

static int look_when_told(void *arg)
{
	struct scene *child = arg;

	return wait_to_be_told(arg) || !bytes_stirred(child->map, HUGE, 11);
}

/* What is written at the place that a child did not inherit it does not see. */
static void verify_moved_kept(char *old, char *new)
{
	struct scene child = { 0 };
	pid_t pid;

	must(madvise(old, HUGE, MADV_DONTFORK) == 0);
	must(can_write_value(old, new[0]));
	pid = begin_child(look_when_told, &child, new);
	old[0]++;
	must(old[0] == new[0]);
	end_child(&child, pid);
	old[0]--;
	must(madvise(old, HUGE, MADV_DOFORK) == 0);
}

static void verify_move(struct scene *scene, int err)
{
	char *old = page_at(scene, 1), *new = place(scene);

	must(reap(spawn(look_and_exit, NULL)) == 0);
	verify_own(scene, 2);
	if (err) {
		verify_own(scene, 1);
	} else {
		must(bytes_stirred(new, HUGE, 11));
		if (is_mapped(old))
			must(bytes_stirred(old, HUGE, 11));
		verify_moved_copied(old, new);
		if (is_mapped(old))
			verify_moved_kept(old, new);
	}
	scene_intact(scene);
	scene_moved(scene, 0, 0);
}

static void tidy_move(struct scene *scene)
{
	must(munmap(scene->other, 3 * HUGE) == 0);
	tidy_map(scene);
}

SWEEP(private_move)
{
	.least = 0,
	.prepare = prepare_move,
	.act = act_move,
	.verify = verify_move,
	.tidy = tidy_move,
};

SWEEP(core_private_move)
{
	.core = true,
	.least = 2,
	.errnos = { ENOMEM },
	.prepare = prepare_move,
	.act = act_move,
	.verify = verify_move,
	.tidy = tidy_move,
};

/* --- truncation and drops ------------------------------------------------ */

static int act_truncate(struct scene *scene)
{
	int err = ftruncate(scene->fd, 2 * HUGE) ? errno : 0;

	fail_disarm();
	return err;
}

/* The file has lost its last page, the mapping one that it had promised. */
static void verify_truncate(struct scene *scene, int err)
{
	verify_own(scene, 1);
	must(err || file_pages(scene->fd) == 2);
	if (!err) {
		must(!can_read(page_at(scene, 2)));
		scene_moved(scene, -2, 1);
	}
}

SWEEP(private_truncate)
{
	.least = 0,
	.errnos = { ENOMEM },
	.prepare = prepare_used,
	.act = act_truncate,
	.verify = verify_truncate,
	.tidy = tidy_map,
};

static int act_drop(struct scene *scene)
{
	int err = madvise(page_at(scene, OWN_FIRST), OWN_PAGES * HUGE,
			  MADV_DONTNEED) ? errno : 0;

	if (!err && !can_write_value(page_at(scene, 2), 1))
		err = SWEEP_SIGBUS;
	fail_disarm();
	return err;
}

static void verify_drop(struct scene *scene, int err)
{
	must(bytes_stirred(page_at(scene, 1), HUGE, file_data[0]));
	must(err || page_at(scene, 2)[0] == 1);
	must(bytes_are(page_at(scene, 2) + 1, 0, HUGE - 1));
	scene_intact(scene);
	if (!err)
		scene_moved(scene, -1, 1);
}

SWEEP(private_drop)
{
	.least = 0,
	.prepare = prepare_used,
	.act = act_drop,
	.verify = verify_drop,
	.tidy = tidy_map,
};

SWEEP(core_private_drop)
{
	.core = true,
	.least = 0,
	.errnos = { ENOMEM },
	.prepare = prepare_used,
	.act = act_drop,
	.verify = verify_drop,
	.tidy = tidy_map,
};

int main(int argc, char **argv)
{
	return sweep_with_files(argc, argv);
}
