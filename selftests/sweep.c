// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure: what can be done with an open file, and the files that show
 * counts. See sweep.h. Names and mounts are in sweep_names.c, mappings and faults in
 * sweep_map.c, loading and unloading in sweep_load.c.
 */
#include "sweep_files.h"

#define PUNCH		(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/* --- fallocate and truncate ---------------------------------------------- */

/* What is there already is in the middle of it. */
#define ALLOC_PAGES	(FILE_PAGES + 1)

static int act_fallocate(struct scene *scene)
{
	return fallocate(scene->fd, 0, 0, ALLOC_PAGES * HUGE) ? errno : 0;
}

static int act_fallocate_keep_size(struct scene *scene)
{
	return fallocate(scene->fd, FALLOC_FL_KEEP_SIZE, 0,
			 ALLOC_PAGES * HUGE) ? errno : 0;
}

/* Nothing was promised, or all of it and perhaps some of it allocated. */
static void verify_allocated(struct scene *scene, int err)
{
	long more = file_used(scene->fd) - FILE_USED;
	long all = ALLOC_PAGES - FILE_USED;
	bool none = err && !more &&
		    sweep_number(sweep_pool.all.resv) == scene->before.resv;

	must(err || more == all);
	must(err || file_is_zero(scene->fd, 2));
	scene_moved(scene, more, none ? 0 : all - more);
}

static void verify_fallocate(struct scene *scene, int err)
{
	must(file_pages(scene->fd) == (err ? FILE_PAGES : ALLOC_PAGES));
	verify_allocated(scene, err);
	must(ftruncate(scene->fd, FILE_PAGES * HUGE) == 0);
	scene_intact(scene);
}

static void verify_fallocate_keep_size(struct scene *scene, int err)
{
	scene_intact(scene);
	verify_allocated(scene, err);
}

SWEEP(fallocate)
{
	.least = 8,
	.errnos = { ENOMEM, ENOSPC, EINTR },
	.prepare = scene_file,
	.act = act_fallocate,
	.verify = verify_fallocate,
	.tidy = scene_close,
};

SWEEP(fallocate_keep_size)
{
	.least = 8,
	.errnos = { ENOMEM, ENOSPC, EINTR },
	.prepare = scene_file,
	.act = act_fallocate_keep_size,
	.verify = verify_fallocate_keep_size,
	.tidy = scene_close,
};

/* Of the one region that covers the file, so that two remain. */
static int act_punch_split(struct scene *scene)
{
	return fallocate(scene->fd, PUNCH, HUGE, 2 * HUGE) ? errno : 0;
}

static void verify_punch_split(struct scene *scene, int err)
{
	if (err) {
		scene_intact(scene);
		scene_moved(scene, 0, 0);
		return;
	}
	must(file_pages(scene->fd) == FILE_PAGES);
	must(file_is_zero(scene->fd, 1));
	must(file_filled(scene->fd, 3, 3));
	scene_moved(scene, -1, -1);
}

SWEEP(punch_split)
{
	.least = 1,
	.errnos = { ENOMEM },
	.prepare = scene_reserved_file,
	.act = act_punch_split,
	.verify = verify_punch_split,
	.tidy = scene_close,
};

/* Several regions, the first and the last only in part: that needs no memory. */
static void prepare_punch_several(struct scene *scene)
{
	char *map;

	scene_file(scene);
	map = map_huge(scene->fd, 3, 3, 0);
	must(map);
	must(unmap_huge(map, 3) == 0);
}

static int act_punch_several(struct scene *scene)
{
	return fallocate(scene->fd, PUNCH, HUGE / 2, 4 * HUGE) ? errno : 0;
}

static void verify_punch_several(struct scene *scene, int err)
{
	must(!err);
	must(file_pages(scene->fd) == FILE_PAGES + 2);
	must(file_used(scene->fd) == 0);
	must(file_is_zero(scene->fd, 1));
	must(file_is_zero(scene->fd, 3));
	/* Pages 1 and 3 are gone; 4 and 5 stay promised. */
	scene_moved(scene, -2, 0);
}

SWEEP(punch_several)
{
	.least = 0,
	.prepare = prepare_punch_several,
	.act = act_punch_several,
	.verify = verify_punch_several,
	.tidy = scene_close,
};

/* Truncating never fails, for what it would have to say nobody could heed. */
static int act_truncate_down(struct scene *scene)
{
	return ftruncate(scene->fd, HUGE * 3 / 2) ? errno : 0;
}

static void verify_truncate_down(struct scene *scene, int err)
{
	char *map;

	must(!err);
	must(file_used(scene->fd) == 1);
	map = file_map(scene->fd, 1, PROT_READ);
	must(bytes_stirred(map, HUGE / 2, 1));
	must(bytes_are(map + HUGE / 2, 0, HUGE / 2));
	must(unmap_huge(map, 1) == 0);
	scene_moved(scene, -1, -1);
}

SWEEP(truncate_down)
{
	.least = 0,
	.prepare = scene_reserved_file,
	.act = act_truncate_down,
	.verify = verify_truncate_down,
	.tidy = scene_close,
};

static int act_truncate_up(struct scene *scene)
{
	return ftruncate(scene->fd, 2 * FILE_PAGES * HUGE) ? errno : 0;
}

static void verify_truncate_up(struct scene *scene, int err)
{
	must(!err);
	must(file_pages(scene->fd) == 2 * FILE_PAGES);
	must(file_filled(scene->fd, 1, 1));
	must(file_is_zero(scene->fd, FILE_PAGES));
	scene_moved(scene, 0, 0);
}

SWEEP(truncate_up)
{
	.least = 0,
	.prepare = scene_file,
	.act = act_truncate_up,
	.verify = verify_truncate_up,
	.tidy = scene_close,
};

/* --- read ---------------------------------------------------------------- */

/* Around the end of page 1: the last bytes of data and the first of a hole. */
#define READ_BYTES	(16UL << 10)
#define READ_AT		(2 * HUGE - READ_BYTES / 2)

/* Memory that is not there yet: to copy into it takes faults, which fail too. */
static void prepare_read(struct scene *scene)
{
	scene_file(scene);
	scene->other = mmap(NULL, READ_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(scene->other != MAP_FAILED);
}

/* A read that comes short has succeeded; the next one tells the error. */
static int act_read(struct scene *scene)
{
	scene->got = pread(scene->fd, scene->other, READ_BYTES, READ_AT);
	return scene->got < 0 ? errno : 0;
}

static void verify_read(struct scene *scene, int err)
{
	char *map = file_map(scene->fd, 1, PROT_READ);
	long data = READ_BYTES / 2;

	must(err || scene->got > 0);
	must(scene->got <= (long)READ_BYTES);
	if (scene->got > data)
		must(bytes_are(scene->other + data, 0, scene->got - data));
	if (scene->got > 0)
		must(!memcmp(scene->other, map + HUGE - data,
			     scene->got < data ? scene->got : data));
	must(unmap_huge(map, 1) == 0);
	scene_intact(scene);
	scene_moved(scene, 0, 0);
}

static void tidy_read(struct scene *scene)
{
	must(munmap(scene->other, READ_BYTES) == 0);
	scene_close(scene);
}

SWEEP(read)
{
	.least = 4,
	.errnos = { EFAULT },
	.prepare = prepare_read,
	.act = act_read,
	.verify = verify_read,
	.tidy = tidy_read,
};

/* --- what shows counts --------------------------------------------------- */

static int act_statfs(struct scene *scene)
{
	return statfs(mnt_dir(), &scene->statfs) ? errno : 0;
}

static void verify_statfs(struct scene *scene, int err)
{
	must(!err);
	must(scene->statfs.f_blocks == scene->before.nr);
	must(scene->statfs.f_bfree ==
	     scene->before.free - scene->before.resv);
}

SWEEP(statfs)
{
	.least = 0,
	.prepare = scene_reserved_file,
	.act = act_statfs,
	.verify = verify_statfs,
	.tidy = scene_close,
};

static int act_sysfs(struct scene *scene)
{
	scene->got = pool_count("", "free");
	return scene->got < 0 ? errno : 0;
}

static void verify_sysfs(struct scene *scene, int err)
{
	must(!err);
	must(scene->got == scene->before.free);
}

SWEEP(sysfs)
{
	.least = 0,
	.prepare = scene_reserved_file,
	.act = act_sysfs,
	.verify = verify_sysfs,
	.tidy = scene_close,
};

static int act_selfcheck(struct scene *scene)
{
	int fd = open(SELFCHECK, O_RDONLY | O_CLOEXEC);
	char text[64];
	int err;

	if (fd < 0)
		return errno;
	scene->got = read(fd, text, sizeof(text));
	err = scene->got < 0 ? errno : 0;
	must(close(fd) == 0);
	must(err || (scene->got == 3 && !memcmp(text, "ok\n", 3)));
	return err;
}

static void verify_selfcheck(struct scene *scene, int err)
{
	scene_intact(scene);
	scene_moved(scene, 0, 0);
}

SWEEP(selfcheck)
{
	.least = 1,
	.errnos = { ENOMEM },
	.prepare = scene_reserved_file,
	.act = act_selfcheck,
	.verify = verify_selfcheck,
	.tidy = scene_close,
};

/* --- what limits failures to the module ---------------------------------- */

/* Two inodes and a ring of buffers, and nothing of the module's. */
static int make_pipe(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return errno;
	must(close(ends[0]) == 0);
	must(close(ends[1]) == 0);
	return 0;
}

TEST(only_the_module_fails)
{
	const struct fail_range anywhere = FAIL_ANYWHERE;
	struct fail_range module;
	int err;

	ASSERT_TRUE(fail_module_range(&module));
	fail_where(&module, &module);
	fail_arm(1);
	err = make_pipe();
	fail_disarm();
	ASSERT_EQ(err, 0);
	ASSERT_FALSE(fail_fired());
	ASSERT_EQ(fail_passed(), 0);

	fail_where(&anywhere, &module);
	fail_arm(1);
	err = make_pipe();
	fail_disarm();
	ASSERT_TRUE(fail_fired());
	ASSERT_TRUE(!err || err == ENOMEM || err == ENFILE);
}

int main(int argc, char **argv)
{
	return sweep_with_files(argc, argv);
}
