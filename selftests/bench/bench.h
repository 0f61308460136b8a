/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmark's files share. A case is a row of the result: something that is
 * done to each subject in turn, sample by sample, and what of it is timed. A subject is
 * a mount of some file system, or anonymous memory.
 *
 * The clock is CLOCK_MONOTONIC. In a guest whose clock counts instructions (QEMU's
 * -icount shift=0) its nanoseconds are instructions.
 */
#ifndef RHUGEFS_BENCH_H
#define RHUGEFS_BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

#include "mark.h"

#define HUGE_SHIFT	21
#define HUGE		(1UL << HUGE_SHIFT)
#define MIB		(1UL << 20)

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof(*(array)))

/* --- subjects (subject.c) --------------------------------------------------- */

enum subject_kind {
	OURS,
	HUGETLBFS,
	TMPFS,
	ANON,
	NR_SUBJECT_KINDS,
};

/* Sets of them: where a case applies. */
#define ON(kind)	(1U << (kind))
#define ON_OURS		ON(OURS)
#define ON_HUGE		(ON(OURS) | ON(HUGETLBFS))
#define ON_FILES	(ON_HUGE | ON(TMPFS))
#define ON_MEMORY	(ON_HUGE | ON(ANON))
#define ON_ALL		(ON_FILES | ON(ANON))

/**
 * struct subject - whose speed is measured
 * @kind: what it is
 * @dir: where it is mounted, NULL for anonymous memory, which needs none
 * @present: it takes part in this run
 * @fd: a case may keep a file here between begin() and end()
 * @map: likewise a mapping
 * @len: of the mapping
 */
struct subject {
	enum subject_kind kind;
	const char *dir;
	bool present;
	int fd;
	char *map;
	size_t len;
};

extern struct subject subjects[NR_SUBJECT_KINDS];

const char *subject_name(enum subject_kind kind);
bool subject_parse(const char *word);
int file_new(const struct subject *subject);
int file_filled(const struct subject *subject, unsigned long pages);
char *try_map(const struct subject *subject, int fd, unsigned long first,
	      unsigned long pages, int flags);
char *map_pages(const struct subject *subject, int fd, unsigned long first,
		unsigned long pages, int flags);
char *map_new(const struct subject *subject, unsigned long pages, int flags);
void unmap_pages(char *map, unsigned long pages);
void write_pages(char *map, unsigned long pages, char value);
void expect_pages(const char *map, unsigned long pages, char value);
long faults_now(void);
void expect_faults(long before, unsigned long pages);

/* --- the pools (pool.c) ----------------------------------------------------- */

/* What is known of the pages that a case takes from our pool. */
enum pool_state {
	POOL_DIRTY,
	POOL_ZEROED,
	NR_POOL_STATES,
};

long pool_read(const struct subject *subject, const char *name);
void pool_write(const struct subject *subject, const char *name, long value);
void pool_begin(void);
void pool_end(void);
bool pool_prepare(enum pool_state state, unsigned long pages);
void pool_zero_in_background(bool on);
bool pool_can_zero_in_background(void);

/* --- time (sample.c) -------------------------------------------------------- */

/**
 * struct lap - what one sample has taken
 * @start: when the clock was started last
 * @ns: nanoseconds between start and stop, all added up
 * @ops: how many operations that were
 */
struct lap {
	double start;
	double ns;
	unsigned long ops;
};

double now_ns(void);

static inline void lap_start(struct lap *lap)
{
	lap->start = now_ns();
	MARK(MARK_BEGIN);
}

/* The clock is read before anything else is done. */
static inline void lap_stop(struct lap *lap, unsigned long ops)
{
	double end;

	MARK(MARK_END);
	end = now_ns();
	lap->ns += end - lap->start;
	lap->ops += ops;
}

/* --- cases ------------------------------------------------------------------ */

/* In which guest a case is measured: see scripts/bench.sh. */
enum run {
	RUN_COUNT,
	RUN_MANY,
	RUN_CLOCK,
	RUN_LATENCY,
	RUN_LATENCY_MANY,
	NR_RUNS,
};

/**
 * struct bench_case - a row of the result
 * @name: what it is called; words with dashes
 * @unit: what one operation is
 * @what: one line that says what is timed
 * @run: the guest
 * @on: subjects, as a set of ON()
 * @samples: how many at least; 0 for as many as usual
 * @pool: what is known of the pages that are taken
 * @takes: huge pages that a sample takes from the pool
 * @pages: huge pages that it is about
 * @flags: MAP_SHARED or MAP_PRIVATE, and what else mmap() gets
 * @arg: what else tells this case from its like
 * @missing: says why the case cannot be had here, or NULL; may be NULL
 * @begin: once for each subject, may be NULL
 * @sample: takes one sample
 * @end: undoes what begin() did, may be NULL
 * @tell: prints the results where a time for each operation is not what they are, or NULL
 */
struct bench_case {
	const char *name;
	const char *unit;
	const char *what;
	enum run run;
	unsigned int on;
	unsigned int samples;
	enum pool_state pool;
	unsigned long takes;
	unsigned long pages;
	int flags;
	int arg;
	const char *(*missing)(void);
	void (*begin)(const struct bench_case *which, struct subject *subject);
	void (*sample)(const struct bench_case *which, struct subject *subject,
		       struct lap *lap);
	void (*end)(const struct bench_case *which, struct subject *subject);
	void (*tell)(const struct bench_case *which, struct subject *subject);
};

/* Each of the cases_*.c has a table of them. */
struct case_table {
	const struct bench_case *cases;
	size_t nr;
};

extern const struct case_table fault_table;
extern const struct case_table map_table;
extern const struct case_table file_table;
extern const struct case_table fragment_table;
extern const struct case_table pool_table;
extern const struct case_table pin_table;
extern const struct case_table thread_table;
extern const struct case_table latency_table;

/* How many huge pages a case that wants @pages of them is to take in this run. */
unsigned long scaled(unsigned long pages);

struct samples;

void tell_samples(const char *name, const char *unit, const struct subject *subject,
		  struct samples *samples);

/* --- failing ---------------------------------------------------------------- */

/* Say which case on which subject did not do what it should, and end. */
#define need(cond)							\
	do {								\
		if (!(cond))						\
			need_failed(__FILE__, __LINE__, #cond);		\
	} while (0)

void __attribute__((noreturn)) need_failed(const char *file, int line,
					   const char *cond);

#endif
