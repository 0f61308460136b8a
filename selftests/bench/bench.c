// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark: what huge pages cost here and on other file systems, measured in one
 * process, a sample of each in turn.
 *
 *	bench [OPTIONS] SUBJECT...
 *	  -c CASE,...  only these cases
 *	  -r RUN       cases of this run: count (default), many, clock, latency,
 *		       latency-many
 *	  -n SAMPLES   of each case, instead of 15
 *	  -p PAGES     no case takes more than so many pages
 *	  -t           take one sample of each, and tell TAP in place of it
 *	  -l           list the cases
 *
 * A SUBJECT is rhugefs=DIR, hugetlbfs=DIR, tmpfs=DIR, or thp, which is anonymous memory.
 * The pools of the first two have to be large enough. Each result is one line
 *
 *	bench: CASE,UNIT,SUBJECT,SAMPLES,MEDIAN,LOWER,UPPER,LEAST,MOST
 *
 * in nanoseconds for each UNIT, with the quartiles, and a line with how many operations
 * that were in all. Nothing is subtracted: how long it
 * takes to read the clock is told in a line of its own. A case that finds that something
 * did not happen as it should ends the program with status 1.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "bench.h"
#include "sample.h"

#define SAMPLES	15

static const struct case_table *const tables[] = {
	&fault_table,
	&map_table,
	&file_table,
	&fragment_table,
	&pool_table,
	&pin_table,
	&thread_table,
	&latency_table,
};

static const char *const run_names[NR_RUNS] = {
	[RUN_COUNT] = "count",
	[RUN_MANY] = "many",
	[RUN_CLOCK] = "clock",
	[RUN_LATENCY] = "latency",
	[RUN_LATENCY_MANY] = "latency-many",
};

static struct {
	const char *only;
	enum run run;
	unsigned int samples;
	unsigned long limit;
	bool tap;
} options = { .samples = SAMPLES, .limit = -1UL };

/* What is at work, for messages. */
static const struct bench_case *current;
static const struct subject *current_subject;

static struct samples results[NR_SUBJECT_KINDS];

/* How many operations that were. */
static unsigned long results_ops[NR_SUBJECT_KINDS];

/* Lines of TAP so far. */
static int nr_told;

void need_failed(const char *file, int line, const char *cond)
{
	int err = errno;

	printf("# %s on %s: %s:%d: not so: %s (errno: %s)\n",
	       current ? current->name : "before the first case",
	       current_subject ? subject_name(current_subject->kind) : "all",
	       file, line, cond, strerror(err));
	if (options.tap && current)
		printf("not ok %d %s\n", ++nr_told, current->name);
	fflush(stdout);
	_exit(1);
}

unsigned long scaled(unsigned long pages)
{
	return pages < options.limit ? pages : options.limit;
}

/* Whether @name is one of the words of @list. */
static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);
	const char *word = list;

	while ((word = strstr(word, name))) {
		if ((word == list || word[-1] == ',') &&
		    (!word[len] || word[len] == ','))
			return true;
		word += len;
	}
	return false;
}

static bool wanted(const struct bench_case *which)
{
	return (options.tap || which->run == options.run) &&
	       (!options.only || listed(options.only, which->name));
}

static bool applies(const struct bench_case *which, enum subject_kind kind)
{
	return subjects[kind].present && (which->on & ON(kind));
}

static bool any_applies(const struct bench_case *which)
{
	enum subject_kind kind;

	for (kind = 0; kind < NR_SUBJECT_KINDS; kind++)
		if (applies(which, kind))
			return true;
	return false;
}

/* --- one case ----------------------------------------------------------------- */

/* To whoever looks from outside: what is timed now is about this subject, or uncounted. */
static void mark_subject(const struct subject *subject, bool counts)
{
	if (!counts)
		MARK(MARK_NOBODY);
	else if (subject->kind == OURS)
		MARK(OURS);
	else if (subject->kind == HUGETLBFS)
		MARK(HUGETLBFS);
	else if (subject->kind == TMPFS)
		MARK(TMPFS);
	else
		MARK(ANON);
}

static void take_sample(const struct bench_case *which, struct subject *subject,
			bool counts)
{
	struct lap lap = { 0 };

	current_subject = subject;
	mark_subject(subject, counts);
	which->sample(which, subject, &lap);
	need(lap.ops > 0);
	sample_add(&results[subject->kind], lap.ns / lap.ops);
	results_ops[subject->kind] += lap.ops;
}

/* One line of the result, where there is any. */
void tell_samples(const char *name, const char *unit, const struct subject *subject,
		  struct samples *samples)
{
	struct spread spread;

	if (!samples->nr)
		return;
	spread = sample_spread(samples);
	printf("bench: %s,%s,%s,%u,%.1f,%.1f,%.1f,%.1f,%.1f\n", name, unit,
	       subject_name(subject->kind), samples->nr, spread.median, spread.lower,
	       spread.upper, spread.least, spread.most);
}

static void tell(const struct bench_case *which, struct subject *subject)
{
	tell_samples(which->name, which->unit, subject, &results[subject->kind]);
	printf("bench-ops: %s,%s,%lu\n", which->name, subject_name(subject->kind),
	       results_ops[subject->kind]);
}

/* Why there can be no sample of ours now, or NULL; where no time counts dirty ones do. */
static const char *not_prepared(const struct bench_case *which)
{
	if (!applies(which, OURS) ||
	    (options.tap && which->pool == POOL_ZEROED) ||
	    pool_prepare(which->pool, which->takes))
		return NULL;
	return "nothing here zeroes pages beforehand";
}

/* One of each subject. */
static const char *take_round(const struct bench_case *which, bool counts)
{
	const char *reason = not_prepared(which);
	enum subject_kind kind;

	for (kind = 0; kind < NR_SUBJECT_KINDS && !reason; kind++)
		if (applies(which, kind))
			take_sample(which, &subjects[kind], counts);
	return reason;
}

/* The first round brings caches and page tables, and is not counted. */
static const char *take_samples(const struct bench_case *which)
{
	unsigned int rounds = which->samples ? : options.samples, i;
	const char *reason = take_round(which, false);
	enum subject_kind kind;

	for (kind = 0; kind < NR_SUBJECT_KINDS; kind++) {
		results[kind].nr = 0;
		results_ops[kind] = 0;
	}
	for (i = 0; i < (options.tap ? 1 : rounds) && !reason; i++)
		reason = take_round(which, true);
	return reason;
}

static void visit_subjects(const struct bench_case *which,
			   void (*visit)(const struct bench_case *which,
					 struct subject *subject))
{
	enum subject_kind kind;

	for (kind = 0; kind < NR_SUBJECT_KINDS && visit; kind++) {
		current_subject = &subjects[kind];
		if (applies(which, kind))
			visit(which, &subjects[kind]);
	}
}

static const char *measure(const struct bench_case *which)
{
	const char *reason = which->missing ? which->missing() : NULL;

	if (reason)
		return reason;
	visit_subjects(which, which->begin);
	reason = take_samples(which);
	visit_subjects(which, which->end);
	if (!reason && !options.tap)
		visit_subjects(which, which->tell ? : tell);
	return reason;
}

static void run_case(const struct bench_case *which)
{
	const char *reason;

	current = which;
	reason = measure(which);
	if (reason && !options.tap)
		printf("bench-left-out: %s,%s\n", which->name, reason);
	if (options.tap)
		printf("ok %d %s%s%s\n", ++nr_told, which->name,
		       reason ? " # SKIP " : "", reason ? : "");
	fflush(stdout);
	current = NULL;
	current_subject = NULL;
}

/* --- all of them --------------------------------------------------------------- */

static void visit_cases(void (*visit)(const struct bench_case *which))
{
	size_t t, i;

	for (t = 0; t < ARRAY_SIZE(tables); t++)
		for (i = 0; i < tables[t]->nr; i++)
			visit(&tables[t]->cases[i]);
}

static void list_case(const struct bench_case *which)
{
	printf("%-30s %-12s %s\n", which->name, run_names[which->run],
	       which->what);
}

static void run_if_wanted(const struct bench_case *which)
{
	if (wanted(which) && any_applies(which))
		run_case(which);
}

/* Two readings of the clock with nothing in between are part of every sample. */
static void tell_clock(void)
{
	struct samples samples = { .nr = 0 };
	struct lap lap;
	int i;

	for (i = 0; i < MAX_SAMPLES; i++) {
		lap = (struct lap){ 0 };
		lap_start(&lap);
		lap_stop(&lap, 1);
		sample_add(&samples, lap.ns);
	}
	printf("bench-clock: %.0f\n", sample_spread(&samples).median);
}

/* Where mappings lie decides how many page tables they need. */
static void without_randomisation(char **argv)
{
	int persona = personality(0xffffffff);

	need(persona >= 0);
	if (persona & ADDR_NO_RANDOMIZE)
		return;
	need(personality(persona | ADDR_NO_RANDOMIZE) >= 0);
	execv("/proc/self/exe", argv);
	need(!"execv");
}

extern char __executable_start[], etext[];

/*
 * No page of the program's code is to be faulted in later. Its data is left alone: what
 * is there fork() has to copy.
 */
static void prefault(void)
{
	need(madvise(__executable_start, etext - __executable_start,
		     MADV_POPULATE_READ) == 0);
}

static enum run parse_run(const char *name)
{
	enum run run;

	for (run = 0; run < NR_RUNS; run++)
		if (!strcmp(run_names[run], name))
			return run;
	fprintf(stderr, "bench: there is no run '%s'\n", name);
	exit(2);
}

static void parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "c:r:n:p:tl")) != -1) {
		switch (option) {
		case 'c':
			options.only = optarg;
			break;
		case 'r':
			options.run = parse_run(optarg);
			break;
		case 'n':
			options.samples = atoi(optarg);
			break;
		case 'p':
			options.limit = atol(optarg);
			break;
		case 't':
			options.tap = true;
			break;
		case 'l':
			visit_cases(list_case);
			exit(0);
		default:
			exit(2);
		}
	}
	for (; optind < argc; optind++) {
		if (!subject_parse(argv[optind])) {
			fprintf(stderr, "bench: there is no subject '%s'\n",
				argv[optind]);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	parse(argc, argv);
	without_randomisation(argv);
	prefault();
	tell_clock();
	pool_begin();
	visit_cases(run_if_wanted);
	pool_end();
	if (options.tap)
		printf("1..%d\n", nr_told);
	return 0;
}
