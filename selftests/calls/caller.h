/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An unprivileged process that makes system calls by chance, and what it makes them
 * with: descriptors, a part of the address space where anything may happen, memory to
 * copy from and to.
 */
#ifndef RHUGEFS_CALLS_CALLER_H
#define RHUGEFS_CALLS_CALLER_H

#include "../step_log.h"

#define CALLERS		2
#define ARGS		6

/* Descriptors that a caller uses are these, or none at all. */
#define FD_FIRST	16
#define FDS		24

/*
 * Where nothing else is for terabytes: a range that begins in there and is too long
 * does not reach what the process needs itself.
 */
#define ARENA		0x200000000000UL
#define ARENA_PAGES	32
#define SCRATCH		(ARENA - (1UL << 40))
#define SCRATCH_BYTES	(64UL << 10)

/* Errors above this are the kernel's own, for nobody's eyes. */
#define LARGEST_ERRNO	EHWPOISON

/* Calls that the table may have. */
#define MOST_CALLS	256

/**
 * struct told - what the supervisor is told, in memory that all share
 * @seed: of all chance
 * @secret: what only root has written, and nobody else may see; nowhere in the program,
 *	which anybody may read
 * @step: how many steps a caller has begun
 * @lives: how many callers there were at that place
 * @tried: how often each call was made
 * @done: how often it did not fail
 * @touched: accesses to memory
 * @refused: those answered by SIGBUS or SIGSEGV
 * @given_up: lives that ended since a step had no end
 * @failure: what was found wrong
 * @log: the last steps of each
 */
struct told {
	unsigned long seed;
	unsigned long secret;
	unsigned long step[CALLERS];
	unsigned long lives[CALLERS];
	long tried[MOST_CALLS];
	long done[MOST_CALLS];
	long touched;
	long refused;
	long given_up;
	char failure[LOG_WIDTH];
	struct step_log log[CALLERS];
};

/**
 * struct caller - a process
 * @told: by it
 * @nr: which of them it is
 * @state: its chance
 * @is_lord: it has a user namespace of its own, where it is root
 * @has_userfault: it may wait for itself, with userfaultfd()
 * @aio: a context for io_submit()
 * @vector: for whoever wants an iovec to copy to or from
 * @ranges: for whoever wants one with mappings
 * @number: for whoever wants a pointer to numbers
 * @text: for whoever wants a string
 */
struct caller {
	struct told *told;
	int nr;
	unsigned long state;
	bool is_lord;
	bool has_userfault;
	unsigned long aio;
	struct iovec vector[8];
	struct iovec ranges[8];
	unsigned long number[16];
	char text[8192];
};

static inline unsigned long pick(struct caller *caller, unsigned long n)
{
	return chance_of(&caller->state, n);
}

static inline bool one_in(struct caller *caller, unsigned long n)
{
	return !pick(caller, n);
}

#define pick_from(caller, list)	((list)[pick(caller, ARRAY_SIZE(list))])

#define note(caller, format, ...)					\
	step_note(&(caller)->told->log[(caller)->nr], format, ##__VA_ARGS__)

/* A caller has no output that it could not have closed. */
static inline void __attribute__((noreturn, format(printf, 2, 3)))
fail(struct caller *caller, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(caller->told->failure, LOG_WIDTH, format, args);
	va_end(args);
	note(caller, "FAILED: %s", caller->told->failure);
	_exit(1);
}

/* --- memory -------------------------------------------------------------- */

static __thread sigjmp_buf access_env;
static __thread volatile sig_atomic_t access_armed;

static inline void access_refused(int sig)
{
	if (!access_armed) {
		/* The process has taken away what it needs itself. */
		signal(sig, SIG_DFL);
		return;
	}
	access_armed = 0;
	siglongjmp(access_env, 1);
}

static inline void look_for_secret(struct caller *caller,
				   const unsigned long *mem, size_t words)
{
	size_t i;

	for (i = 0; i < words; i++)
		if (mem[i] == caller->told->secret)
			fail(caller, "a secret at %p", &mem[i]);
}

static inline unsigned long any_page(struct caller *caller)
{
	return ARENA + pick(caller, ARENA_PAGES) * HUGE;
}

static inline void touch(struct caller *caller)
{
	unsigned long at = any_page(caller) + pick(caller, HUGE / 8) * 8;
	bool writes = one_in(caller, 2);

	note(caller, "%s %#lx", writes ? "store" : "load", at);
	count(&caller->told->touched);
	if (sigsetjmp(access_env, 1)) {
		count(&caller->told->refused);
		return;
	}
	access_armed = 1;
	if (writes)
		*(volatile unsigned long *)at = caller->state | 1;
	else
		look_for_secret(caller, (unsigned long *)at, 1);
	access_armed = 0;
}

#endif
