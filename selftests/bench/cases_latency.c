// SPDX-License-Identifier: GPL-2.0-only
/*
 * Large requests, and for how long they keep the processor from others: see watch.c.
 * Each is looked at once as it is, and once killed half way; then the same is done of a
 * loop that takes as long and asks the kernel for nothing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "sample.h"
#include "watch.h"

#define MNT		"/tmp/bench-latency"
#define SELFCHECK	"/sys/kernel/debug/rhugefs/selfcheck"
#define USERS		"/sys/kernel/debug/rhugefs/users"

/* What read() and write() are given, in huge pages. */
#define BUFFER_PAGES	128

/* How long to wait for what becomes free in the background, in milliseconds. */
#define PATIENCE	10000

/* Of linux/mempolicy.h. */
#define POLICY_BIND	2

/**
 * struct scene - what a child works on
 * @subject: with its file and mapping
 * @pages: how many huge pages it is about
 * @kind: MAP_SHARED or MAP_PRIVATE
 * @buffer: memory that is not huge pages of the subject's
 * @ns: for the loop that takes as long
 */
struct scene {
	struct subject *subject;
	unsigned long pages;
	int kind;
	char *buffer;
	double ns;
};

/* --- what is there before ------------------------------------------------------- */

static void prepare_nothing(void *data)
{
}

static void prepare_file(void *data)
{
	struct scene *scene = data;

	scene->subject->fd = file_new(scene->subject);
}

static void prepare_full(void *data)
{
	struct scene *scene = data;

	scene->subject->fd = file_filled(scene->subject, scene->pages);
}

static void prepare_buffer(void *data)
{
	struct scene *scene = data;
	struct subject memory = { .kind = ANON };

	prepare_full(data);
	scene->buffer = map_pages(&memory, -1, 0, scene->pages, MAP_POPULATE);
}

/* All promised, and nothing touched. */
static void prepare_promised(void *data)
{
	struct scene *scene = data;
	struct subject *subject = scene->subject;

	subject->fd = file_new(subject);
	subject->map = map_pages(subject, subject->fd, 0, scene->pages,
				 scene->kind);
}

static void prepare_touched(void *data)
{
	struct scene *scene = data;

	prepare_promised(data);
	write_pages(scene->subject->map, scene->pages, 1);
}

/* Every second page is reserved. */
static void prepare_fragments(void *data)
{
	struct scene *scene = data;
	struct subject *subject = scene->subject;
	unsigned long i;

	subject->fd = file_new(subject);
	for (i = 0; i < scene->pages; i++)
		unmap_pages(map_pages(subject, subject->fd, 2 * i, 1,
				      MAP_SHARED), 1);
}

static void prepare_less(void *data)
{
	struct scene *scene = data;
	long nr = pool_read(scene->subject, "nr_hugepages");

	pool_write(scene->subject, "nr_hugepages", nr - (long)scene->pages);
}

/* --- a mount of its own, which the parent takes away ------------------------------ */

static void mount_own(struct scene *scene, const char *options)
{
	need(mount("none", MNT, subject_name(scene->subject->kind), 0, options) == 0);
}

static void prepare_directory(void *data)
{
	mkdir(MNT, 0755);
}

static int open_named(unsigned long number)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), MNT "/%lu", number);
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	need(fd >= 0);
	return fd;
}

static void prepare_mount(void *data)
{
	prepare_directory(data);
	mount_own(data, NULL);
}

static void prepare_full_mount(void *data)
{
	struct scene *scene = data;
	int fd;

	prepare_mount(data);
	fd = open_named(0);
	need(fallocate(fd, 0, 0, scene->pages * HUGE) == 0);
	need(close(fd) == 0);
}

/* As many files, each with a page that is promised to it. */
static void prepare_many_files(void *data)
{
	struct scene *scene = data;
	unsigned long i;
	int fd;

	prepare_mount(data);
	for (i = 0; i < scene->pages; i++) {
		fd = open_named(i);
		unmap_pages(map_pages(scene->subject, fd, 0, 1, MAP_SHARED), 1);
		need(close(fd) == 0);
	}
}

static void prepare_crowd(void *data)
{
	prepare_many_files(data);
	prepare_file(data);
}

static void minimum_option(struct scene *scene, char *option, size_t size)
{
	snprintf(option, size, "min_size=%luM", scene->pages * (HUGE / MIB));
}

/* --- what is looked at ------------------------------------------------------------- */

static void run_allocate(void *data)
{
	struct scene *scene = data;

	need(fallocate(scene->subject->fd, 0, 0, scene->pages * HUGE) == 0);
}

static void run_populate(void *data)
{
	struct scene *scene = data;

	map_pages(scene->subject, scene->subject->fd, 0, scene->pages,
		  scene->kind | MAP_POPULATE);
}

static void run_map(void *data)
{
	struct scene *scene = data;

	map_pages(scene->subject, scene->subject->fd, 0, scene->pages, scene->kind);
}

/* With every second page of it reserved, and the others still to be. */
static void run_map_holes(void *data)
{
	struct scene *scene = data;

	map_pages(scene->subject, scene->subject->fd, 0, 2 * scene->pages, MAP_SHARED);
}

/* On the first node, where others have been promised pages that may be elsewhere. */
static void run_map_crowded(void *data)
{
	unsigned long nodes = 1;

	need(syscall(SYS_set_mempolicy, POLICY_BIND, &nodes, 8 * sizeof(nodes)) == 0);
	run_map(data);
}

static void run_truncate(void *data)
{
	struct scene *scene = data;

	need(ftruncate(scene->subject->fd, 0) == 0);
}

static void run_punch(void *data)
{
	struct scene *scene = data;

	need(fallocate(scene->subject->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       0, scene->pages * HUGE) == 0);
}

static void run_close(void *data)
{
	struct scene *scene = data;

	need(close(scene->subject->fd) == 0);
}

static void run_unmap(void *data)
{
	struct scene *scene = data;

	unmap_pages(scene->subject->map, scene->pages);
}

static void run_exit(void *data)
{
	_exit(0);
}

static void run_fork(void *data)
{
	pid_t pid = fork();
	int status;

	need(pid >= 0);
	if (!pid)
		_exit(0);
	need(waitpid(pid, &status, 0) == pid);
}

static void run_dontneed(void *data)
{
	struct scene *scene = data;

	need(madvise(scene->subject->map, scene->pages * HUGE, MADV_DONTNEED) == 0);
}

/* To the last node, which is not where all of them are promised. */
static void run_bind(void *data)
{
	struct scene *scene = data;
	unsigned long nodes = access("/sys/devices/system/node/node1", F_OK) ? 1 : 2;

	need(syscall(SYS_mbind, scene->subject->map, scene->pages * HUGE, POLICY_BIND,
		     &nodes, 8 * sizeof(nodes), 0) == 0);
}

static void run_read(void *data)
{
	struct scene *scene = data;
	ssize_t len = scene->pages * HUGE;

	need(pread(scene->subject->fd, scene->buffer, len, 0) == len);
}

static void run_write(void *data)
{
	struct scene *scene = data;
	ssize_t len = scene->pages * HUGE;

	need(pwrite(scene->subject->fd, scene->buffer, len, 0) == len);
}

static void run_more(void *data)
{
	struct scene *scene = data;
	long nr = pool_read(scene->subject, "nr_hugepages");

	pool_write(scene->subject, "nr_hugepages", nr + (long)scene->pages);
}

/* Nobody waits for it but the watcher. */
static void run_zero_ahead(void *data)
{
	struct scene *scene = data;
	long wanted = pool_read(scene->subject, "free_hugepages");

	if (!pool_can_zero_in_background())
		return;
	pool_zero_in_background(true);
	while (pool_read(scene->subject, "zeroed_hugepages") < wanted)
		usleep(10000);
}

static void run_mount(void *data)
{
	char option[32];

	minimum_option(data, option, sizeof(option));
	mount_own(data, option);
}

static void run_remount(void *data)
{
	char option[32];

	minimum_option(data, option, sizeof(option));
	need(mount("none", MNT, NULL, MS_REMOUNT, option) == 0);
}

static void run_unmount(void *data)
{
	need(umount(MNT) == 0);
}

static void read_all(const char *path)
{
	static char text[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len, sum = 0;

	need(fd >= 0);
	while ((len = read(fd, text, sizeof(text))) > 0)
		sum += len;
	need(len == 0 && sum > 0);
	need(close(fd) == 0);
}

static void run_selfcheck(void *data)
{
	read_all(SELFCHECK);
}

static void run_users(void *data)
{
	read_all(USERS);
}

static void run_idle(void *data)
{
	struct scene *scene = data;
	double until = now_ns() + scene->ns;

	while (now_ns() < until)
		;
}

/* --- a sample ---------------------------------------------------------------------- */

enum {
	ALLOCATE, POPULATE, TRUNCATE, PUNCH, CLOSE, UNMAP, UNMAP_PROMISED, EXIT, FORK,
	DONTNEED, READ, WRITE, GROW, SHRINK, ZERO_AHEAD, MOUNT, REMOUNT, UNMOUNT,
	SELFCHECK_FULL, USERS_FULL, MAP, MAP_HOLES, TRUNCATE_FRAGMENTS, CLOSE_FRAGMENTS,
	BIND, SELFCHECK_FRAGMENTS, USERS_FRAGMENTS, SELFCHECK_FILES, USERS_FILES,
	UNMOUNT_FILES, MAP_CROWDED,
};

static const struct operation {
	watch_fn prepare;
	watch_fn run;
} operations[] = {
	[ALLOCATE] = { prepare_file, run_allocate },
	[POPULATE] = { prepare_file, run_populate },
	[TRUNCATE] = { prepare_full, run_truncate },
	[PUNCH] = { prepare_full, run_punch },
	[CLOSE] = { prepare_full, run_close },
	[UNMAP] = { prepare_touched, run_unmap },
	[UNMAP_PROMISED] = { prepare_promised, run_unmap },
	[EXIT] = { prepare_touched, run_exit },
	[FORK] = { prepare_touched, run_fork },
	[DONTNEED] = { prepare_touched, run_dontneed },
	[READ] = { prepare_buffer, run_read },
	[WRITE] = { prepare_buffer, run_write },
	[GROW] = { prepare_less, run_more },
	[SHRINK] = { prepare_nothing, prepare_less },
	[ZERO_AHEAD] = { prepare_nothing, run_zero_ahead },
	[MOUNT] = { prepare_directory, run_mount },
	[REMOUNT] = { prepare_mount, run_remount },
	[UNMOUNT] = { prepare_full_mount, run_unmount },
	[SELFCHECK_FULL] = { prepare_full, run_selfcheck },
	[USERS_FULL] = { prepare_full, run_users },
	[MAP] = { prepare_file, run_map },
	[MAP_HOLES] = { prepare_fragments, run_map_holes },
	[TRUNCATE_FRAGMENTS] = { prepare_fragments, run_truncate },
	[CLOSE_FRAGMENTS] = { prepare_fragments, run_close },
	[BIND] = { prepare_promised, run_bind },
	[SELFCHECK_FRAGMENTS] = { prepare_fragments, run_selfcheck },
	[USERS_FRAGMENTS] = { prepare_fragments, run_users },
	[SELFCHECK_FILES] = { prepare_many_files, run_selfcheck },
	[USERS_FILES] = { prepare_many_files, run_users },
	[UNMOUNT_FILES] = { prepare_many_files, run_unmount },
	[MAP_CROWDED] = { prepare_crowd, run_map_crowded },
};

/* What is told of each; the words are in the result as its unit. */
enum figure {
	TOOK,
	LATE,
	GONE,
	IDLE,
	NR_FIGURES,
};

static const char *const figure_names[NR_FIGURES] = {
	[TOOK] = "took",
	[LATE] = "late",
	[GONE] = "gone",
	[IDLE] = "idle",
};

static struct samples figures[NR_SUBJECT_KINDS][NR_FIGURES];

static void forget_figures(const struct bench_case *which, struct subject *subject)
{
	enum figure figure;

	for (figure = 0; figure < NR_FIGURES; figure++)
		figures[subject->kind][figure].nr = 0;
}

/* Take away what the child has left, and wait for what goes in the background. */
static void settle(struct subject *subject, long nr, long free)
{
	int ms;

	if (subject->kind == OURS)
		pool_zero_in_background(false);
	while (umount2(MNT, MNT_DETACH) == 0)
		;
	pool_write(subject, "nr_hugepages", nr);
	for (ms = 0; ms < PATIENCE; ms++) {
		if (pool_read(subject, "free_hugepages") == free)
			break;
		usleep(1000);
	}
	need(ms < PATIENCE);
	need(pool_read(subject, "nr_hugepages") == nr);
}

static void watch_large(const struct bench_case *which, struct subject *subject,
			struct lap *lap)
{
	const struct operation *operation = &operations[which->arg];
	struct samples *told = figures[subject->kind];
	struct scene scene = {
		.subject = subject,
		.pages = scaled(which->pages),
		.kind = which->flags,
	};
	long nr = pool_read(subject, "nr_hugepages");
	long free = pool_read(subject, "free_hugepages");
	struct watched whole, killed, idle;

	watch(operation->prepare, operation->run, &scene, 0, &whole);
	settle(subject, nr, free);
	watch(operation->prepare, operation->run, &scene, whole.took / 2, &killed);
	settle(subject, nr, free);
	scene.ns = whole.took;
	watch(prepare_nothing, run_idle, &scene, 0, &idle);

	sample_add(&told[TOOK], whole.took);
	sample_add(&told[LATE], whole.late);
	if (killed.killed)
		sample_add(&told[GONE], killed.gone_after);
	sample_add(&told[IDLE], idle.late);
	lap->ns = whole.late;
	lap->ops = 1;
}

/* The first sample, too: what counts is the worst. */
static void tell_figures(const struct bench_case *which, struct subject *subject)
{
	enum figure figure;

	for (figure = 0; figure < NR_FIGURES; figure++)
		tell_samples(which->name, figure_names[figure], subject,
			     &figures[subject->kind][figure]);
}

#define LARGE(how, words, guest, number, operation, map_kind, subjects)	\
	{								\
		.name = "latency-" how,					\
		.unit = "worst",					\
		.what = "how long others wait: " words,			\
		.run = (guest),						\
		.on = (subjects),					\
		.samples = 2,						\
		.pages = (number),					\
		.flags = (map_kind),					\
		.arg = (operation),					\
		.begin = forget_figures,				\
		.sample = watch_large,					\
		.tell = tell_figures,					\
	}

#define FULL(how, words, operation, map_kind, subjects)			\
	LARGE(how, words, RUN_LATENCY, 512, operation, map_kind, subjects)

#define MANY(how, words, number, operation, map_kind, subjects)		\
	LARGE(how, words, RUN_LATENCY_MANY, number, operation, map_kind, subjects)

static const struct bench_case cases[] = {
	FULL("fallocate", "fallocate() of 1 GiB", ALLOCATE, MAP_SHARED, ON_HUGE),
	FULL("populate", "MAP_POPULATE of 1 GiB", POPULATE, MAP_SHARED, ON_HUGE),
	FULL("populate-private", "MAP_POPULATE of 1 GiB, private", POPULATE,
	     MAP_PRIVATE, ON_HUGE),
	FULL("truncate", "ftruncate() of 1 GiB", TRUNCATE, MAP_SHARED, ON_HUGE),
	FULL("punch", "punching 1 GiB", PUNCH, MAP_SHARED, ON_HUGE),
	FULL("close", "close() of an unlinked file of 1 GiB", CLOSE, MAP_SHARED, ON_HUGE),
	FULL("munmap", "munmap() of 1 GiB of a file", UNMAP, MAP_SHARED, ON_HUGE),
	FULL("munmap-private", "munmap() of 1 GiB", UNMAP, MAP_PRIVATE, ON_HUGE),
	FULL("exit", "exit() with 1 GiB of a file mapped", EXIT, MAP_SHARED, ON_HUGE),
	FULL("exit-private", "exit() with 1 GiB", EXIT, MAP_PRIVATE, ON_HUGE),
	FULL("fork", "fork() with 1 GiB, exit of the child", FORK, MAP_PRIVATE, ON_HUGE),
	FULL("dontneed", "MADV_DONTNEED of 1 GiB", DONTNEED, MAP_PRIVATE, ON_HUGE),
	LARGE("read", "read() of 256 MiB", RUN_LATENCY, BUFFER_PAGES, READ, MAP_SHARED,
	      ON_HUGE),
	LARGE("write", "write() of 256 MiB", RUN_LATENCY, BUFFER_PAGES, WRITE, MAP_SHARED,
	      ON_OURS),
	FULL("grow", "512 pages more for the pool", GROW, MAP_SHARED, ON_HUGE),
	FULL("shrink", "512 pages less for the pool", SHRINK, MAP_SHARED, ON_HUGE),
	FULL("zero-ahead", "zeroing all free pages in the background", ZERO_AHEAD,
	     MAP_SHARED, ON_OURS),
	FULL("umount", "umount() with a file of 1 GiB", UNMOUNT, MAP_SHARED, ON_HUGE),
	FULL("selfcheck", "selfcheck with a file of 1 GiB", SELFCHECK_FULL, MAP_SHARED,
	     ON_OURS),
	FULL("users", "users with a file of 1 GiB", USERS_FULL, MAP_SHARED, ON_OURS),
	MANY("map-4000", "mmap() of 4000 pages", 4000, MAP, MAP_SHARED, ON_HUGE),
	MANY("map-private-4000", "mmap() of 4000 pages, private", 4000, MAP, MAP_PRIVATE,
	     ON_HUGE),
	MANY("munmap-private-4000", "munmap() of 4000 promised pages", 4000,
	     UNMAP_PROMISED, MAP_PRIVATE, ON_HUGE),
	MANY("mbind-2000", "mbind() of 2000 promised pages", 2000, BIND, MAP_SHARED,
	     ON_HUGE),
	MANY("mbind-private-2000", "mbind() of 2000 promised pages, private", 2000, BIND,
	     MAP_PRIVATE, ON_HUGE),
	MANY("map-crowded-2000", "mmap() on a node that 2000 promised pages leave", 2000,
	     MAP_CROWDED, MAP_SHARED, ON_HUGE),
	MANY("holes-2000", "mmap() over 2000 holes", 2000, MAP_HOLES, MAP_SHARED,
	     ON_HUGE),
	MANY("truncate-fragments-4000", "ftruncate() of 4000 fragments", 4000,
	     TRUNCATE_FRAGMENTS, MAP_SHARED, ON_HUGE),
	MANY("close-fragments-4000", "close() of an unlinked file of 4000 fragments",
	     4000, CLOSE_FRAGMENTS, MAP_SHARED, ON_HUGE),
	MANY("mount-4000", "mount with min_size= of 4000 pages", 4000, MOUNT, MAP_SHARED,
	     ON_HUGE),
	MANY("remount-4000", "remount with min_size= of 4000 pages", 4000, REMOUNT,
	     MAP_SHARED, ON_OURS),
	MANY("grow-4000", "4000 pages more for the pool", 4000, GROW, MAP_SHARED, ON_HUGE),
	MANY("shrink-4000", "4000 pages less for the pool", 4000, SHRINK, MAP_SHARED,
	     ON_HUGE),
	MANY("umount-files-4000", "umount() with 4000 files", 4000, UNMOUNT_FILES,
	     MAP_SHARED, ON_HUGE),
	MANY("selfcheck-fragments-4000", "selfcheck with a file of 4000 fragments", 4000,
	     SELFCHECK_FRAGMENTS, MAP_SHARED, ON_OURS),
	MANY("users-fragments-4000", "users with a file of 4000 fragments", 4000,
	     USERS_FRAGMENTS, MAP_SHARED, ON_OURS),
	MANY("selfcheck-files-4000", "selfcheck with 4000 files", 4000, SELFCHECK_FILES,
	     MAP_SHARED, ON_OURS),
	MANY("users-files-4000", "users with 4000 files", 4000, USERS_FILES, MAP_SHARED,
	     ON_OURS),
};

const struct case_table latency_table = { cases, ARRAY_SIZE(cases) };
