/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run: what all its processes share, what each of its actors did last, and how a
 * failure is told. An actor is a thread that does random steps; some of them make a
 * worker, which is a process.
 */
#ifndef RHUGEFS_STRESS_RUN_H
#define RHUGEFS_STRESS_RUN_H

#include "../step_log.h"
#include "model.h"

#define WORKERS		4
#define THREADS		2
#define ACTORS		(WORKERS * THREADS)

/* Files that all use, and those that an actor has for itself. */
#define FILES		3
#define OWN_FILES	2

#define STRESS_DIR	"/tmp/stress"

/**
 * struct tally - what has happened
 * @mapped: mappings that were made
 * @refused: calls that were told that there are no pages
 * @killed: accesses that were answered with SIGBUS
 * @read: words that were read
 * @written: words that were written
 * @taken: holes and truncations
 * @forked: children
 * @ended: workers that were killed
 */
struct tally {
	long mapped;
	long refused;
	long killed;
	long read;
	long written;
	long taken;
	long forked;
	long ended;
};

/**
 * struct actor_state - what the supervisor knows of an actor
 * @step: steps that he has begun, in all his lives
 * @quota: steps that he is to do before the next quiet moment
 * @resting: he has done them, and does nothing
 */
struct actor_state {
	unsigned int step;
	unsigned int quota;
	bool resting;
};

/**
 * struct run - what all share
 * @seed: of all chance
 * @workers: processes
 * @threads: of each
 * @clock: the last number that was given to a beginning or an end
 * @id: the last that was given to a file or a mapping
 * @rest: nobody is to begin a step
 * @over: nor ever will
 * @failed: somebody has found something wrong
 * @failure: what
 * @worker: the processes, 0 where there is none just now
 * @is_killed: he was sent a SIGKILL
 */
struct run {
	unsigned long seed;
	int workers;
	int threads;
	unsigned int clock;
	unsigned int id;
	bool rest;
	bool over;
	bool failed;
	char failure[256];
	pid_t worker[WORKERS];
	bool is_killed[WORKERS];
	struct actor_state actor[ACTORS];
	struct file file[FILES];
	struct file own[ACTORS][OWN_FILES];
	struct tally tally;
	struct step_log log[2 * ACTORS];
};

struct map;
struct pinned;

/**
 * struct actor - a thread that does steps, or its child
 * @run: what all share
 * @nr: which of them it is
 * @state: its chance in this step
 * @own: files that nobody else has
 * @map: its mappings
 * @others: those of the other thread, or NULL
 * @pinned: what it holds on to
 * @child: its child, or 0
 * @is_child: it is one
 */
struct actor {
	struct run *run;
	int nr;
	unsigned long state;
	struct file *own;
	struct map *map;
	struct map *others;
	struct pinned *pinned;
	pid_t child;
	bool is_child;
};

/* --- telling ------------------------------------------------------------- */

static inline unsigned int now(const struct actor *actor)
{
	return __atomic_add_fetch(&actor->run->clock, 1, __ATOMIC_SEQ_CST);
}

static inline struct step_log *log_of(const struct actor *actor)
{
	return &actor->run->log[actor->nr + (actor->is_child ? ACTORS : 0)];
}

#define note(actor, format, ...)					\
	step_note(log_of(actor), "%u, at %u: " format,			\
		  (actor)->run->actor[(actor)->nr].step,		\
		  load(&(actor)->run->clock), ##__VA_ARGS__)

/* The first failure counts: others may be its consequences. */
static inline void __attribute__((noreturn, format(printf, 2, 3)))
fail(const struct actor *actor, const char *format, ...)
{
	struct run *run = actor->run;
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	note(actor, "FAILED: %s", text);
	if (!__atomic_exchange_n(&run->failed, true, __ATOMIC_SEQ_CST))
		snprintf(run->failure, sizeof(run->failure),
			 "actor %d%s, step %u: %s", actor->nr,
			 actor->is_child ? "'s child" : "",
			 run->actor[actor->nr].step, text);
	_exit(1);
}

/* For calls that have no excuse. */
#define sure(actor, cond)						\
	do {								\
		if (!(cond))						\
			fail(actor, "%s:%d: not so: %s (%s)", __FILE__,	\
			     __LINE__, #cond, strerrorname_np(errno));	\
	} while (0)

static inline const char *error_name(int err)
{
	return err ? strerrorname_np(err) : "ok";
}

/* --- chance -------------------------------------------------------------- */

/*
 * What an actor does in a step depends on nothing but the seed, the step's number, and
 * what there is.
 */
static inline void step_begin(struct actor *actor)
{
	struct actor_state *state = &actor->run->actor[actor->nr];

	store(&state->step, state->step + 1);
	actor->state = actor->run->seed * 0x9e3779b97f4a7c15UL +
		       actor->nr * 0xbf58476d1ce4e5b9UL + state->step;
	chance(&actor->state);
}

static inline unsigned long pick(struct actor *actor, unsigned long n)
{
	return chance_of(&actor->state, n);
}

static inline bool one_in(struct actor *actor, unsigned long n)
{
	return !pick(actor, n);
}

static inline unsigned int new_id(const struct actor *actor)
{
	/* None is 0, and all fit into 16 bits, where a repetition is far away. */
	return __atomic_add_fetch(&actor->run->id, 1, __ATOMIC_SEQ_CST) %
		       0xffff + 1;
}

/* Whoever works alone can be made to do the same again, to the last bit. */
static inline bool is_alone(const struct run *run)
{
	return run->workers * run->threads == 1;
}

#endif
