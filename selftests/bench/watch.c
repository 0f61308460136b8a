// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long something keeps the processor from others. A child does it. The parent is a
 * SCHED_FIFO task that sleeps for a short period, again and again; nothing may keep it
 * from running when that is over but an interrupt, and code that does not let go of the
 * processor. On a machine with one processor that is what the child does in the kernel.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "watch.h"

/* Short against what would be too late, and long against what it takes to wake up. */
#define PERIOD	200e3

/**
 * struct stage - what the child tells its parent
 * @begun: when it began, 0 before
 * @done: when it was done, 0 before
 */
struct stage {
	volatile double begun;
	volatile double done;
};

/* Shared by both. */
static struct stage *stage;

static void sleep_until(double ns)
{
	struct timespec until = {
		.tv_sec = ns / 1e9,
		.tv_nsec = ns - (time_t)(ns / 1e9) * 1e9,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

/* Everybody else is made to wait while we want to run, or nobody is. */
static void go_first(bool first)
{
	struct sched_param param = { .sched_priority = first ? 50 : 0 };

	need(sched_setscheduler(0, first ? SCHED_FIFO : SCHED_OTHER, &param) == 0);
}

static void __attribute__((noreturn))
be_child(watch_fn prepare, watch_fn run, void *data, const int ready[2], const int go[2])
{
	char byte = 0;

	close(ready[0]);
	close(go[1]);
	prepare(data);
	need(write(ready[1], &byte, 1) == 1);
	need(read(go[0], &byte, 1) == 1);
	stage->begun = now_ns();
	run(data);
	stage->done = now_ns();
	/* What the end takes comes later, and not into this: until the parent says so. */
	need(read(go[0], &byte, 1) == 0);
	_exit(0);
}

static bool is_gone(pid_t pid, int *status)
{
	pid_t gone = waitpid(pid, status, WNOHANG);

	need(gone == 0 || gone == pid);
	return gone == pid;
}

static void kill_child(pid_t pid, int *status, struct watched *watched)
{
	double killed = now_ns();

	need(kill(pid, SIGKILL) == 0);
	need(waitpid(pid, status, 0) == pid);
	watched->killed = true;
	watched->gone_after = now_ns() - killed;
}

/* Until the child is done, or gone; true if it is gone. */
static bool look_on(pid_t pid, double kill_after, int *status,
		    struct watched *watched)
{
	double until = now_ns() + PERIOD, now;
	bool gone;

	for (;;) {
		sleep_until(until);
		now = now_ns();
		if (now - until > watched->late)
			watched->late = now - until;
		gone = is_gone(pid, status);
		if (gone || stage->done)
			break;
		if (kill_after && stage->begun && now - stage->begun > kill_after) {
			kill_child(pid, status, watched);
			return true;
		}
		until = now_ns() + PERIOD;
	}
	watched->took = (stage->done ? : now) - stage->begun;
	return gone;
}

/**
 * watch() - Let a child do something, and see how long it keeps the processor.
 * @prepare: what the child does before
 * @run: what is looked at; it may end the child with status 0
 * @data: for both
 * @kill_after: kill the child when it has been at it for so many nanoseconds; 0 if not
 * @watched: what came of it
 *
 * What the child has made and not taken back has gone with it at the end.
 */
void watch(watch_fn prepare, watch_fn run, void *data, double kill_after,
	   struct watched *watched)
{
	int ready[2], go[2], status;
	char byte = 0;
	bool gone;
	pid_t pid;

	*watched = (struct watched){ 0 };
	if (!stage)
		stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(stage != MAP_FAILED);
	*stage = (struct stage){ 0 };
	need(pipe(ready) == 0 && pipe(go) == 0);
	pid = fork();
	need(pid >= 0);
	if (!pid)
		be_child(prepare, run, data, ready, go);
	close(ready[1]);
	close(go[0]);
	need(read(ready[0], &byte, 1) == 1);
	go_first(true);
	need(write(go[1], &byte, 1) == 1);
	gone = look_on(pid, kill_after, &status, watched);
	go_first(false);
	close(ready[0]);
	close(go[1]);
	if (!gone)
		need(waitpid(pid, &status, 0) == pid);
	need(watched->killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
}
