/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of the scenarios: one that each of them works on, with data and
 * holes, and one that lies beside it and that nothing must touch.
 */
#ifndef RHUGEFS_SWEEP_FILES_H
#define RHUGEFS_SWEEP_FILES_H

#include "sweep.h"

/*
 * After each scenario's last process has gone: the passes have looked at more, and
 * more often.
 */
FIXTURE(sweep) {
	long unpromised;
	pid_t pid;
};

FIXTURE_SETUP(sweep)
{
	self->pid = getpid();
	self->unpromised = pool_unpromised();
}

/* See RHUGEFS_FIXTURE for why only the parent looks. */
FIXTURE_TEARDOWN_PARENT(sweep)
{
	if (getpid() != self->pid)
		EXPECT_EQ(pool_unpromised(), self->unpromised);
}

/* The one test there is, of each scenario. */
TEST_F_TIMEOUT(sweep, points, SWEEP_TIMEOUT)
{
	if (!sweep_wanted(variant->name))
		SKIP(return, "SWEEP asks for another");
	ASSERT_TRUE(sweep_passed(variant->name, variant->sweep));
}

/* Size of a scenario's file, and which of its pages hold data. */
#define FILE_PAGES	4UL
#define FILE_DATA	{ 1, 3 }
#define FILE_USED	2

static const unsigned long file_data[FILE_USED] = FILE_DATA;

static inline char *file_map(int fd, unsigned long page, int prot)
{
	char *map = mmap(NULL, HUGE, prot, MAP_SHARED | MAP_NORESERVE, fd,
			 page * HUGE);

	must(map != MAP_FAILED);
	return map;
}

static inline void file_fill(int fd, unsigned long page, unsigned long salt)
{
	char *map = file_map(fd, page, PROT_READ | PROT_WRITE);

	bytes_stir(map, HUGE, salt);
	must(unmap_huge(map, 1) == 0);
}

static inline bool file_filled(int fd, unsigned long page, unsigned long salt)
{
	char *map = file_map(fd, page, PROT_READ);
	bool filled = bytes_stirred(map, HUGE, salt);

	must(unmap_huge(map, 1) == 0);
	return filled;
}

/* Whether a page reads as zeroes; what is read lies around its middle. */
static inline bool file_is_zero(int fd, unsigned long page)
{
	char bytes[256];

	must(pread(fd, bytes, sizeof(bytes), page * HUGE + HUGE / 2) ==
	     sizeof(bytes));
	return bytes_are(bytes, 0, sizeof(bytes));
}

/* Pages that a file holds. */
static inline long file_used(int fd)
{
	struct stat stat;

	must(fstat(fd, &stat) == 0);
	return stat.st_blocks * 512 / HUGE;
}

static inline long file_pages(int fd)
{
	struct stat stat;

	must(fstat(fd, &stat) == 0);
	must(stat.st_size % HUGE == 0);
	return stat.st_size / HUGE;
}

/* --- the file in the middle ---------------------------------------------- */

/* No page and nothing promised. */
static inline void scene_empty_file(struct scene *scene)
{
	scene->fd = file_new();
}

/* Data and holes, and nothing promised beyond the data. */
static inline void scene_file(struct scene *scene)
{
	int i;

	scene->fd = file_new();
	must(ftruncate(scene->fd, FILE_PAGES * HUGE) == 0);
	for (i = 0; i < FILE_USED; i++)
		file_fill(scene->fd, file_data[i], file_data[i]);
}

/* The same, with the holes promised. */
static inline void scene_reserved_file(struct scene *scene)
{
	char *map;

	scene_file(scene);
	map = map_huge(scene->fd, 0, FILE_PAGES, 0);
	must(map);
	must(unmap_huge(map, FILE_PAGES) == 0);
}

/* Its data is as scene_file() left it, and it is as long. */
static inline void scene_intact(struct scene *scene)
{
	int i;

	must(file_pages(scene->fd) == FILE_PAGES);
	for (i = 0; i < FILE_USED; i++)
		must(file_filled(scene->fd, file_data[i], file_data[i]));
}

/* What is in use and reserved beyond what was before the act. */
static inline void scene_moved(struct scene *scene, long used, long resv)
{
	struct sweep_counts want = {
		.nr = scene->before.nr,
		.free = scene->before.free - used,
		.resv = scene->before.resv + resv,
	};

	must(sweep_counts_are(&sweep_pool.all, &want));
}

static inline void scene_close(struct scene *scene)
{
	must(close(scene->fd) == 0);
}

/* --- the one beside it --------------------------------------------------- */

#define BYSTANDER_PAGE	1
#define BYSTANDER_SALT	4711

static struct {
	int fd;
	struct statfs statfs;
} bystander;

static inline void bystander_make(void)
{
	bystander.fd = file_new();
	file_fill(bystander.fd, BYSTANDER_PAGE, BYSTANDER_SALT);
	sweep_open_pool();
	must(statfs(mnt_dir(), &bystander.statfs) == 0);
}

/* Neither its data nor the number of inodes has changed. */
static inline bool bystander_intact(void)
{
	struct statfs now;

	must(statfs(mnt_dir(), &now) == 0);
	return now.f_ffree == bystander.statfs.f_ffree &&
	       file_filled(bystander.fd, BYSTANDER_PAGE, BYSTANDER_SALT);
}

/* What all programs with such files do before their tests. */
static inline int sweep_with_files(int argc, char **argv)
{
	const char *missing = fail_missing();

	if (missing)
		return fail_skip(missing);
	sweep_run.seed = seed_get();
	sweep_run.begin = bystander_make;
	sweep_run.intact = bystander_intact;
	fail_prepare();
	return test_harness_run(argc, argv);
}

#endif
