// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure: writing, splicing, zeroing, and names that others leave behind. See
 * sweep.h.
 */
#include "sweep_files.h"

#include <sys/sysmacros.h>

/* What an act returns in place of an errno where less was written than wanted. */
#define SHORT		ENODATA

#define WRITE_AT	50
#define WRITE_LEN	(2 * HUGE + 1000)
#define WRITE_PAGES	3
#define WRITE_SALT	99

/* Anonymous memory, which is there. */
static char *data(void)
{
	static char *mem;

	if (mem)
		return mem;
	mem = mmap(NULL, WRITE_PAGES * HUGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	must(mem != MAP_FAILED);
	bytes_stir(mem, WRITE_PAGES * HUGE, WRITE_SALT);
	return mem;
}

static int wrote(struct scene *scene, ssize_t len, ssize_t wanted)
{
	scene->got = len < 0 ? 0 : len;
	if (len < 0)
		return errno;
	return len == wanted ? 0 : SHORT;
}

static int act_write(struct scene *scene)
{
	return wrote(scene, pwrite(scene->fd, data(), WRITE_LEN, WRITE_AT),
		     WRITE_LEN);
}

/* What was written is there, and nothing behind it: no page, no byte, no size. */
static void verify_written(struct scene *scene, int err)
{
	long end = scene->got ? WRITE_AT + scene->got : 0;
	struct stat stat;
	char *map;

	must(!err || scene->got < WRITE_LEN);
	must(err != SHORT || scene->got);
	must(fstat(scene->fd, &stat) == 0 && stat.st_size == end);
	must(file_used(scene->fd) == (end + HUGE - 1) / HUGE);
	if (!end)
		return;
	map = mmap(NULL, WRITE_PAGES * HUGE, PROT_READ,
		   MAP_SHARED | MAP_NORESERVE, scene->fd, 0);
	must(map != MAP_FAILED);
	must(bytes_are(map, 0, WRITE_AT));
	must(!memcmp(map + WRITE_AT, data(), scene->got));
	must(bytes_are(map + end, 0, file_used(scene->fd) * HUGE - end));
	must(unmap_huge(map, WRITE_PAGES) == 0);
}

static void verify_write(struct scene *scene, int err)
{
	verify_written(scene, err);
	scene_moved(scene, file_used(scene->fd), 0);
}

static void prepare_write(struct scene *scene)
{
	data();
	scene_empty_file(scene);
}

SWEEP(write)
{
	.least = 8,
	.errnos = { ENOMEM, ENOSPC, EINTR, EFAULT, SHORT },
	.prepare = prepare_write,
	.act = act_write,
	.verify = verify_write,
	.tidy = scene_close,
};

/* The pages are promised: none of them may be lacking. */
static void prepare_write_promised(struct scene *scene)
{
	char *map;

	prepare_write(scene);
	/* This makes it as long, too. */
	map = map_huge(scene->fd, 0, WRITE_PAGES, 0);
	must(map && unmap_huge(map, WRITE_PAGES) == 0);
}

static void verify_write_promised(struct scene *scene, int err)
{
	long used = file_used(scene->fd);

	must(file_pages(scene->fd) == WRITE_PAGES);
	must(err || used == WRITE_PAGES);
	scene_moved(scene, used, -used);
}

SWEEP(write_promised)
{
	.least = 4,
	.errnos = { ENOMEM, EINTR, EFAULT, SHORT },
	.prepare = prepare_write_promised,
	.act = act_write,
	.verify = verify_write_promised,
	.tidy = scene_close,
};

/* Into pages that are there nothing need be found. */
static int act_overwrite(struct scene *scene)
{
	return wrote(scene, pwrite(scene->fd, data(), 1000, HUGE + 7), 1000);
}

static void verify_overwrite(struct scene *scene, int err)
{
	char *map = file_map(scene->fd, 1, PROT_READ);

	must(!memcmp(map + 7, data(), scene->got));
	must(unmap_huge(map, 1) == 0);
	must(file_filled(scene->fd, 3, 3));
	must(file_pages(scene->fd) == FILE_PAGES);
	scene_moved(scene, 0, 0);
}

static void prepare_overwrite(struct scene *scene)
{
	data();
	scene_file(scene);
}

SWEEP(overwrite)
{
	.least = 1,
	.errnos = { EINTR, EFAULT, SHORT },
	.prepare = prepare_overwrite,
	.act = act_overwrite,
	.verify = verify_overwrite,
	.tidy = scene_close,
};

/* --- zeroing ------------------------------------------------------------- */

static int act_zero_range(struct scene *scene)
{
	return fallocate(scene->fd, FALLOC_FL_ZERO_RANGE, HUGE / 2,
			 2 * HUGE) ? errno : 0;
}

/* Of pages 0, 1 and 2 only 1 was there, and was cleared or not. */
static void verify_zero_range(struct scene *scene, int err)
{
	long more = file_used(scene->fd) - FILE_USED;
	long resv = sweep_number(sweep_pool.all.resv) - scene->before.resv;

	must(err || file_is_zero(scene->fd, 1));
	must(err || more == 2);
	must(file_filled(scene->fd, 3, 3));
	must(file_pages(scene->fd) == FILE_PAGES);
	must(resv == 0 || more + resv == 2);
	scene_moved(scene, more, resv);
}

SWEEP(zero_range)
{
	.least = 4,
	.errnos = { ENOMEM, ENOSPC, EINTR },
	.prepare = scene_file,
	.act = act_zero_range,
	.verify = verify_zero_range,
	.tidy = scene_close,
};

/* --- whiteouts ----------------------------------------------------------- */

#define FROM	"moved from"
#define TO	"moved to"

static const char *place(const char *name)
{
	static char path[2][256];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", mnt_dir(), name);
	return path[turn];
}

static bool is_whiteout(const char *name)
{
	struct stat stat;

	return !lstat(place(name), &stat) && S_ISCHR(stat.st_mode) &&
	       stat.st_rdev == makedev(0, 0);
}

static bool is_file(const char *name)
{
	struct stat stat;

	return !lstat(place(name), &stat) && S_ISREG(stat.st_mode);
}

static void prepare_whiteout(struct scene *scene)
{
	close(file_named(FROM));
	must(access(place(TO), F_OK) && errno == ENOENT);
}

static int act_whiteout(struct scene *scene)
{
	return syscall(SYS_renameat2, AT_FDCWD, place(FROM), AT_FDCWD,
		       place(TO), 1 << 2) ? errno : 0;
}

static void verify_whiteout(struct scene *scene, int err)
{
	must(is_file(FROM) == !!err);
	must(is_file(TO) == !err);
	must(is_whiteout(FROM) == !err);
}

static void tidy_whiteout(struct scene *scene)
{
	must(unlink(place(FROM)) == 0);
	must(unlink(place(TO)) == 0);
}

SWEEP(whiteout)
{
	.least = 2,
	.core = true,
	.errnos = { ENOMEM, ENOSPC },
	.prepare = prepare_whiteout,
	.act = act_whiteout,
	.verify = verify_whiteout,
	.tidy = tidy_whiteout,
};

int main(int argc, char **argv)
{
	return sweep_with_files(argc, argv);
}
