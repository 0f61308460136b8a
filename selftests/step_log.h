/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests in which several processes do random steps: what each did last, which is
 * told where one of them fails.
 */
#ifndef RHUGEFS_STEP_LOG_H
#define RHUGEFS_STEP_LOG_H

#include "rhugefs_test.h"

#include <stdarg.h>

#define LOG_LINES	24
#define LOG_WIDTH	120

/* Lies in memory that the processes share. */
struct step_log {
	int next;
	char line[LOG_LINES][LOG_WIDTH];
};

static inline void __attribute__((format(printf, 2, 3)))
step_note(struct step_log *log, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(log->line[log->next++ % LOG_LINES], LOG_WIDTH, format, args);
	va_end(args);
}

static inline void step_log_print(const struct step_log *log, int nr,
				  unsigned long seed)
{
	int i = log->next < LOG_LINES ? 0 : log->next - LOG_LINES;

	for (; i < log->next; i++)
		dprintf(STDOUT_FILENO, "# process %d, %d: %s\n", nr, i,
			log->line[i % LOG_LINES]);
	dprintf(STDOUT_FILENO, "# seed %lu; SEED=%lu repeats this\n", seed,
		seed);
}

static inline void count(long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

/*
 * Wait for all children; whether each said that all was well. The first who did not
 * tells what he did, and ends the others.
 */
static inline bool wait_for_all(const struct step_log *log, const pid_t *pids,
				int nr, unsigned long seed)
{
	int i, status, left;
	pid_t pid;

	for (left = nr; left; left--) {
		pid = wait(&status);
		must(pid > 0);
		if (WIFEXITED(status) && !WEXITSTATUS(status))
			continue;
		for (i = 0; i < nr; i++) {
			if (pids[i] == pid)
				step_log_print(&log[i], i, seed);
			else
				kill(pids[i], SIGKILL);
		}
		/* What they hold must be gone when somebody counts. */
		while (wait(&status) > 0)
			;
		return false;
	}
	return true;
}

#endif
