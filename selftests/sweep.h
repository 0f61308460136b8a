/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sweeping: do something again and again, and let the first, the second, ... of
 * the points that may fail in it do so, until nothing is left to fail.
 *
 * A scenario prepares, acts with a failure armed, and looks at what is left: an
 * errno that it has named, the contents of files, the counts. What has failed
 * must succeed when it is done again, which nothing makes fail then. When all is
 * tidied up every count is as before and the self-check finds nothing.
 *
 * SWEEP in the environment chooses what is tried:
 *
 *	(nothing)	some points of each scenario, chosen by SEED
 *	all		every point of each
 *	NAME		every point of one scenario
 *	NAME:N		its Nth point
 */
#ifndef RHUGEFS_SWEEP_H
#define RHUGEFS_SWEEP_H

#include "fail.h"

#include <sys/rseq.h>
#include <sys/stat.h>
#include <sys/statfs.h>

/* Points tried of each scenario where not all of them are. */
#define SWEEP_SAMPLE	6

/* More points than any scenario has: one that always fails has no end. */
#define SWEEP_MOST	20000

/* What an act returns in place of an errno where it got SIGBUS. */
#define SWEEP_SIGBUS	1000

/* Kinds of failure that a scenario may name. */
#define SWEEP_ERRNOS	6

/* In huge pages, of the whole pool or of one node. */
struct sweep_counts {
	long nr;
	long free;
	long resv;
};

/* What a scenario works on, as its own functions agree. */
struct scene {
	struct sweep_counts before;
	int fd;
	int pipe[2];
	char *map;
	char *other;
	long got;
	struct stat stat;
	struct statfs statfs;
};

/**
 * struct sweep - a scenario
 * @least: points that it has at least, 0 where the module does nothing there
 *	that can fail
 * @sample: points tried where not all of them are, SWEEP_SAMPLE if 0
 * @core: the core's own allocations fail, too
 * @loads: it loads the module: its code is not where it will be
 * @errnos: what it may fail with
 * @prepare: before the counts are read
 * @act: with a failure armed; 0, an errno, or SWEEP_SIGBUS
 * @verify: afterwards, with what @act returned
 * @tidy: undo it all
 */
struct sweep {
	unsigned int least;
	unsigned int sample;
	bool core;
	bool loads;
	int errnos[SWEEP_ERRNOS];
	void (*prepare)(struct scene *scene);
	int (*act)(struct scene *scene);
	void (*verify)(struct scene *scene, int err);
	void (*tidy)(struct scene *scene);
};

/* What is common to all scenarios of a program. */
static struct {
	unsigned long seed;
	/* Of the scenario, as SWEEP has it. */
	const char *name;
	/* Where modules are put; set by those who load them. */
	struct fail_range area;
	/* Make what stays through all passes, and see that it has; or NULL. */
	void (*begin)(void);
	bool (*intact)(void);
} sweep_run;

/* How far a worker has come, for its parent, and what it has seen. */
struct sweep_progress {
	const char *doing;
	unsigned int point;
	unsigned int points;
	unsigned int tried;
	long passes;
	long ms;
	/* Those that were made to fail and harmed nothing, ... */
	unsigned int unharmed;
	/* ... and the others by place in sweep->errnos. */
	unsigned int failed[SWEEP_ERRNOS];
};

static struct sweep_progress *sweep_progress;

/* --- a moment of rest ---------------------------------------------------- */

static inline bool sweep_loaded(void)
{
	return access(POOL_SYSFS, F_OK) == 0;
}

/* A module that could not make its debugfs files does without. */
static inline bool sweep_selfcheck_ok(void)
{
	char text[256];

	if (access(SELFCHECK, F_OK))
		return true;
	fail_read(SELFCHECK, text, sizeof(text));
	if (!strcmp(text, "ok"))
		return true;
	dprintf(STDOUT_FILENO, "# selfcheck: %s\n", text);
	return false;
}

/*
 * Counts by files that stay open: where every allocation is checked, to open one
 * takes longer than to read ten. Programs that unload the module do without.
 */
static inline long sweep_number(int fd)
{
	char text[32];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	must(len > 0);
	text[len] = '\0';
	return atol(text);
}

static inline int sweep_open_count(const char *dir, const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), POOL_SYSFS "%s/%s_hugepages", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0);
	return fd;
}

/* Where they are read; once for all, and by node. */
struct sweep_files {
	int nr;
	int free;
	int resv;
};

static struct {
	int nr_nodes;
	struct sweep_files all;
	struct sweep_files node[POOL_MAX_NODES];
	/* What a pass must leave, by node. */
	struct sweep_counts rest[POOL_MAX_NODES];
} sweep_pool;

static inline struct sweep_files sweep_open_counts(const char *dir)
{
	return (struct sweep_files){
		.nr = sweep_open_count(dir, "nr"),
		.free = sweep_open_count(dir, "free"),
		.resv = sweep_open_count(dir, "resv"),
	};
}

static inline struct sweep_counts sweep_counts(const struct sweep_files *files)
{
	return (struct sweep_counts){
		.nr = sweep_number(files->nr),
		.free = sweep_number(files->free),
		.resv = sweep_number(files->resv),
	};
}

static inline bool sweep_same(const struct sweep_counts *a,
			      const struct sweep_counts *b)
{
	return a->nr == b->nr && a->free == b->free && a->resv == b->resv;
}

/* Nodes have ids without gaps in the guests that this runs in. */
static inline void sweep_open_pool(void)
{
	char dir[16];
	int nid;

	sweep_pool.all = sweep_open_counts("");
	sweep_pool.nr_nodes = pool_nr_nodes();
	for (nid = 0; nid < sweep_pool.nr_nodes; nid++) {
		snprintf(dir, sizeof(dir), "/node%d", nid);
		sweep_pool.node[nid] = sweep_open_counts(dir);
		sweep_pool.rest[nid] = sweep_counts(&sweep_pool.node[nid]);
	}
}

/*
 * Wait until the counts are @want. Pages on whose way back to the pool somebody
 * still held a reference are looked at again within a second.
 */
static inline bool sweep_counts_are(const struct sweep_files *files,
				    const struct sweep_counts *want)
{
	long end = now_ms() + POOL_PATIENCE;
	struct sweep_counts now;

	for (;;) {
		now = sweep_counts(files);
		if (sweep_same(&now, want))
			return true;
		if (now_ms() > end)
			break;
		usleep(20000);
	}
	dprintf(STDOUT_FILENO,
		"# nr %ld free %ld resv %ld; should be: nr %ld free %ld resv %ld\n",
		now.nr, now.free, now.resv, want->nr, want->free, want->resv);
	return false;
}

/* Whether all is as before the first pass. */
static inline bool sweep_rested(void)
{
	int nid;

	for (nid = 0; nid < sweep_pool.nr_nodes; nid++)
		if (!sweep_counts_are(&sweep_pool.node[nid],
				      &sweep_pool.rest[nid]))
			return false;
	return true;
}

/* --- one pass ------------------------------------------------------------ */

/* Once will do where the module stays loaded, and so where it is. */
static inline void sweep_limit(const struct sweep *sweep)
{
	struct fail_range copies = sweep_run.area, range;
	static bool limited;

	if (limited && !copies.start)
		return;
	limited = true;
	if (!sweep->loads)
		must(fail_module_range(&copies));
	range = sweep->core ? FAIL_ANYWHERE : copies;
	fail_where(&range, &copies);
	fail_prepare_module();
}

static inline bool sweep_allowed(const struct sweep *sweep, int err)
{
	int i;

	for (i = 0; i < SWEEP_ERRNOS && sweep->errnos[i]; i++) {
		if (sweep->errnos[i] == err) {
			sweep_progress->failed[i]++;
			return true;
		}
	}
	dprintf(STDOUT_FILENO, "# this errno is not allowed: %s\n",
		err == SWEEP_SIGBUS ? "SIGBUS" : strerror(err));
	return false;
}

static inline void sweep_doing(const char *what)
{
	sweep_progress->doing = what;
}

/* Do it once more, undisturbed. */
static inline void sweep_again(const struct sweep *sweep, struct scene *scene)
{
	sweep_doing("doing it again");
	must(sweep->act(scene) == 0);
	sweep_doing("looking at what was done again");
	sweep->verify(scene, 0);
}

/* Let the @nth point fail; false where there are not so many. */
static inline bool sweep_pass(const struct sweep *sweep, unsigned int nth)
{
	struct scene scene = { 0 };
	int err;

	sweep_progress->point = nth;
	sweep_progress->passes++;
	sweep_doing("preparing");
	sweep->prepare(&scene);
	if (sweep_pool.nr_nodes)
		scene.before = sweep_counts(&sweep_pool.all);
	sweep_limit(sweep);

	sweep_doing("acting");
	fail_arm(nth);
	err = sweep->act(&scene);
	fail_disarm();

	sweep_doing("looking at what was done");
	if (!fail_fired())
		must(err == 0);
	else if (!err)
		sweep_progress->unharmed++;
	else
		must(sweep_allowed(sweep, err));
	sweep->verify(&scene, err);
	must(sweep_selfcheck_ok());
	if (err)
		sweep_again(sweep, &scene);

	sweep_doing("tidying up");
	sweep->tidy(&scene);
	sweep_doing("counting what is left");
	must(sweep_rested());
	must(!sweep_run.intact || sweep_run.intact());
	return fail_fired();
}

/* --- many passes --------------------------------------------------------- */

static inline unsigned int sweep_count(const struct sweep *sweep)
{
	must(!sweep_pass(sweep, FAIL_NEVER));
	return fail_passed();
}

/*
 * Every point. How many there are differs a little from one pass to the next,
 * for what is in a cache need not be allocated: the end is a pass in which nothing
 * failed, and which comes after as many as were counted.
 */
static inline void sweep_every(const struct sweep *sweep)
{
	unsigned int nth = 0;
	bool fired;

	do {
		must(nth < SWEEP_MOST);
		fired = sweep_pass(sweep, ++nth);
		sweep_progress->tried += fired;
	} while (fired || nth <= sweep_progress->points);
}

/* Some of them, each at most once, in a row that depends on seed and name only. */
static inline void sweep_some(const struct sweep *sweep)
{
	unsigned int points = sweep_progress->points, i, j, swap;
	unsigned int most = sweep->sample ?: SWEEP_SAMPLE;
	unsigned long state = sweep_run.seed;
	unsigned int *row = calloc(points + 1, sizeof(*row));
	const char *name;

	must(row);
	for (name = sweep_run.name; *name; name++)
		state = state * 31 + *name;
	for (i = 0; i < points; i++)
		row[i] = i + 1;
	for (i = 0; i < points && i < most; i++) {
		j = i + chance_of(&state, points - i);
		swap = row[i];
		row[i] = row[j];
		row[j] = swap;
		sweep_progress->tried += sweep_pass(sweep, row[i]);
	}
	free(row);
}

/* What SWEEP asks of a scenario: "", "all", a number; NULL for nothing. */
static inline const char *sweep_wanted(const char *name)
{
	const char *text = getenv("SWEEP");
	size_t len = strlen(name);

	if (!text || !*text || !strcmp(text, "all"))
		return text ?: "";
	if (strncmp(text, name, len) || (text[len] && text[len] != ':'))
		return NULL;
	return text[len] ? text + len + 1 : "all";
}

/*
 * The C library has the kernel note in this process's memory on which processor it
 * runs. After a fork() that takes a page of its own to be allocated, on the way out
 * of the system call, and where that fails the kernel sends SIGSEGV.
 */
static inline void sweep_forget_rseq(void)
{
	char *thread = __builtin_thread_pointer();

	if (__rseq_size)
		must(syscall(SYS_rseq, thread + __rseq_offset,
			     sizeof(struct rseq), RSEQ_FLAG_UNREGISTER,
			     RSEQ_SIG) == 0);
}

/* What the worker does: all passes that are asked for. */
static inline int sweep_work(void *arg)
{
	const struct sweep *sweep = arg;
	const char *wanted = sweep_wanted(sweep_run.name);

	sweep_doing("beginning");
	sweep_forget_rseq();
	if (sweep_run.begin)
		sweep_run.begin();
	if (*wanted && strcmp(wanted, "all")) {
		sweep_progress->tried++;
		must(sweep_pass(sweep, strtoul(wanted, NULL, 10)));
		return 0;
	}
	sweep_progress->points = sweep_count(sweep);
	if (*wanted)
		sweep_every(sweep);
	else
		sweep_some(sweep);
	sweep_doing("counting its points");
	/* A filter that lets nothing through must not pass for robustness. */
	must(sweep_progress->points >= sweep->least);
	return 0;
}

static inline void sweep_tell(const struct sweep *sweep)
{
	const struct sweep_progress *seen = sweep_progress;
	int i;

	dprintf(STDOUT_FILENO, "# %s: %u points, %u tried, %u unharmed",
		sweep_run.name, seen->points, seen->tried, seen->unharmed);
	for (i = 0; i < SWEEP_ERRNOS; i++)
		if (seen->failed[i])
			dprintf(STDOUT_FILENO, ", %u %s", seen->failed[i],
				sweep->errnos[i] == SWEEP_SIGBUS ?
					"SIGBUS" :
					strerrorname_np(sweep->errnos[i]));
	dprintf(STDOUT_FILENO, "; %ld passes in %ld ms\n", seen->passes,
		seen->ms);
}

/*
 * All passes of one scenario, in a process of its own: what must() says there is
 * told to have been at which point.
 */
static inline bool sweep_passed(const char *name, const struct sweep *sweep)
{
	long start = now_ms();

	sweep_run.name = name;
	sweep_progress = share(sizeof(*sweep_progress));
	if (reap(spawn(sweep_work, (void *)sweep)) == 0) {
		sweep_progress->ms = now_ms() - start;
		sweep_tell(sweep);
		return true;
	}
	if (sweep_progress->point == FAIL_NEVER)
		dprintf(STDOUT_FILENO, "# %s failed in %s, undisturbed\n",
			name, sweep_progress->doing);
	else
		dprintf(STDOUT_FILENO,
			"# %s failed in %s, point %u; SWEEP=%s:%u repeats this\n",
			name, sweep_progress->doing, sweep_progress->point,
			name, sweep_progress->point);
	return false;
}

/* --- the tests ----------------------------------------------------------- */

FIXTURE_VARIANT(sweep) {
	const char *name;
	const struct sweep *sweep;
};

/* A scenario; what follows in braces is its struct sweep. */
#define SWEEP(id)							\
	static const struct sweep sweep_##id;				\
	FIXTURE_VARIANT_ADD(sweep, id)					\
	{								\
		.name = #id,						\
		.sweep = &sweep_##id,					\
	};								\
	static const struct sweep sweep_##id =

/* All of a full sweep of one scenario, in seconds. */
#define SWEEP_TIMEOUT	7200

#endif
