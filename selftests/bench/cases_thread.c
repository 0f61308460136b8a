// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads of one process that do the same at the same time. Each does as much as one
 * does alone, so that the time for one operation of any of them halves where two threads
 * do not hinder each other.
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "bench.h"

#define MAX_THREADS	4

/* How often each thread unmaps and maps again where that is what is timed. */
#define TURNS		64

/* Mappings of the same pages, each of which brings a fault for each page. */
#define MAPPINGS	8

/**
 * struct worker - one of the threads
 * @thread: the thread
 * @subject: on which it works
 * @pages: how many it touches, or maps
 * @map: its mappings
 * @fd: its file, or -1
 * @cpu: the processor it is to be on
 * @start: when it began
 * @end: when it was done
 */
struct worker {
	pthread_t thread;
	const struct subject *subject;
	unsigned long pages;
	char *map[MAPPINGS];
	int fd;
	int cpu;
	double start;
	double end;
};

static pthread_barrier_t barrier;

/* The same processor each time, so that two of them have one each. */
static void worker_begin(struct worker *worker)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(worker->cpu, &cpus);
	need(sched_setaffinity(0, sizeof(cpus), &cpus) == 0);
	pthread_barrier_wait(&barrier);
	worker->start = now_ns();
	MARK(MARK_BEGIN);
}

static void worker_end(struct worker *worker)
{
	MARK(MARK_END);
	worker->end = now_ns();
}

static void *touch(void *arg)
{
	struct worker *worker = arg;
	int i;

	worker_begin(worker);
	for (i = 0; i < MAPPINGS && worker->map[i]; i++)
		write_pages(worker->map[i], worker->pages, 1);
	worker_end(worker);
	return NULL;
}

static void *map_and_unmap(void *arg)
{
	struct worker *worker = arg;
	unsigned long turns = scaled(TURNS), i;
	char *map;

	worker_begin(worker);
	for (i = 0; i < turns; i++) {
		map = try_map(worker->subject, worker->fd, 0, worker->pages,
			      MAP_PRIVATE);
		need(map != MAP_FAILED);
		need(munmap(map, worker->pages * HUGE) == 0);
	}
	worker_end(worker);
	return NULL;
}

/* From when the first began until the last was done. */
static void run_threads(struct worker *workers, int threads,
			void *(*work)(void *), struct lap *lap,
			unsigned long ops)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), i;
	double start = 0, end = 0;

	need(pthread_barrier_init(&barrier, NULL, threads) == 0);
	for (i = 0; i < threads; i++) {
		workers[i].cpu = i % cpus;
		need(pthread_create(&workers[i].thread, NULL, work,
				    &workers[i]) == 0);
	}
	for (i = 0; i < threads; i++) {
		need(pthread_join(workers[i].thread, NULL) == 0);
		if (!i || workers[i].start < start)
			start = workers[i].start;
		if (workers[i].end > end)
			end = workers[i].end;
	}
	pthread_barrier_destroy(&barrier);
	lap->ns += end - start;
	lap->ops += ops * threads;
}

/* --- cases -------------------------------------------------------------------- */

static void one_file(const struct bench_case *which, struct subject *subject,
		     struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	struct worker workers[MAX_THREADS] = { 0 };
	char *map = map_new(subject, pages * which->arg, MAP_SHARED);
	int i;

	for (i = 0; i < which->arg; i++)
		workers[i] = (struct worker){
			.pages = pages,
			.map = { map + i * pages * HUGE },
		};
	run_threads(workers, which->arg, touch, lap, pages);
	expect_pages(map, pages * which->arg, 1);
	unmap_pages(map, pages * which->arg);
}

static void own_files(const struct bench_case *which, struct subject *subject,
		      struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	struct worker workers[MAX_THREADS] = { 0 };
	int i;

	for (i = 0; i < which->arg; i++)
		workers[i] = (struct worker){
			.pages = pages,
			.map = { map_new(subject, pages, MAP_SHARED) },
		};
	run_threads(workers, which->arg, touch, lap, pages);
	for (i = 0; i < which->arg; i++) {
		expect_pages(workers[i].map[0], pages, 1);
		unmap_pages(workers[i].map[0], pages);
	}
}

static void minor_faults(const struct bench_case *which,
			 struct subject *subject, struct lap *lap)
{
	unsigned long pages = scaled(which->pages);
	struct worker workers[MAX_THREADS] = { 0 };
	long faults;
	int fd, i, j;

	for (i = 0; i < which->arg; i++) {
		workers[i].pages = pages;
		fd = file_filled(subject, pages);
		for (j = 0; j < MAPPINGS; j++)
			workers[i].map[j] = map_pages(subject, fd, 0, pages,
						      MAP_SHARED);
		need(close(fd) == 0);
	}
	faults = faults_now();
	run_threads(workers, which->arg, touch, lap, pages * MAPPINGS);
	need(faults_now() > faults);
	for (i = 0; i < which->arg; i++)
		for (j = 0; j < MAPPINGS; j++)
			unmap_pages(workers[i].map[j], pages);
}

static void reserve(const struct bench_case *which, struct subject *subject,
		    struct lap *lap)
{
	struct worker workers[MAX_THREADS] = { 0 };
	long resv = pool_read(subject, "resv_hugepages");
	int i;

	for (i = 0; i < which->arg; i++)
		workers[i] = (struct worker){
			.subject = subject,
			.pages = which->pages,
			.fd = file_new(subject),
		};
	run_threads(workers, which->arg, map_and_unmap, lap,
		    scaled(TURNS));
	need(pool_read(subject, "resv_hugepages") == resv);
	for (i = 0; i < which->arg; i++)
		need(close(workers[i].fd) == 0);
}

#define THREADS(how, number, words, subjects, state, of_pages, function) \
	{								\
		.name = "threads-" how "-" #number,			\
		.unit = (function) == reserve ? "call" : "page",	\
		.what = #number " threads: " words,			\
		.run = RUN_CLOCK,					\
		.on = (subjects),					\
		.pool = (state),					\
		.takes = (state) == POOL_ZEROED ? (of_pages) * (number) : 0, \
		.pages = (of_pages),					\
		.arg = (number),					\
		.sample = function,					\
	}

#define ONE_FILE(number)						\
	THREADS("one-file", number, "first touch of one file, zeroed beforehand", \
		ON_FILES, POOL_ZEROED, 64, one_file)

#define OWN_FILES(number)						\
	THREADS("own-files", number, "first touch of own files, zeroed beforehand", \
		ON_FILES, POOL_ZEROED, 64, own_files)

#define OWN_DIRTY(number)						\
	THREADS("own-files-dirty", number,				\
		"first touch of own files, nothing zeroed beforehand",	\
		ON_FILES, POOL_DIRTY, 32, own_files)

#define MINOR(number)							\
	THREADS("minor", number, "minor faults, own files", ON_FILES,	\
		POOL_DIRTY, 64, minor_faults)

#define MAP_ONE(number)							\
	THREADS("reserve", number, "private mapping and unmapping of a page", \
		ON_HUGE, POOL_DIRTY, 1, reserve)

static const struct bench_case cases[] = {
	ONE_FILE(1),
	ONE_FILE(2),
	ONE_FILE(4),
	OWN_FILES(1),
	OWN_FILES(2),
	OWN_FILES(4),
	OWN_DIRTY(1),
	OWN_DIRTY(2),
	OWN_DIRTY(4),
	MINOR(1),
	MINOR(2),
	MINOR(4),
	MAP_ONE(1),
	MAP_ONE(2),
	MAP_ONE(4),
};

const struct case_table thread_table = { cases, ARRAY_SIZE(cases) };
