// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls by chance, in the name of an unprivileged user: calls/table.h says which,
 * calls/values.h with what, calls/world.h what must be so afterwards. In the meantime the
 * kernel must not complain, no call may hang, and no error be one that nobody knows.
 *
 *	SOAK_SECONDS=N	go on so long; otherwise 10
 */
#include "calls/life.h"

#define SECONDS		10
#define ROUND_SECONDS	3

/* Who does nothing for so long, in seconds, though a signal wakes him, hangs. */
#define PATIENCE	60

/* At least so many of a hundred calls that may succeed must have, each tried so often. */
#define ENOUGH		60
#define TRIES		20

RHUGEFS_FIXTURE(calls);

struct caller_state {
	struct caller caller;
	pid_t pid;
	unsigned long step;
	long since;
};

static void begin_caller(struct caller_state *state, struct told *told, int nr)
{
	memset(state, 0, sizeof(*state));
	state->caller = (struct caller){ .told = told, .nr = nr };
	state->since = now_ms();
	state->pid = spawn(live, &state->caller);
}

/* With its children; a group that it has not made yet is its own affair. */
static void end_caller(struct caller_state *state)
{
	kill(-state->pid, SIGKILL);
	kill(state->pid, SIGKILL);
	while (waitpid(state->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* By which signal is its own affair: it may have unmapped what it needs. */
static bool ended_well(struct told *told, int status)
{
	if (WIFSIGNALED(status) || !WEXITSTATUS(status))
		return true;
	dprintf(STDOUT_FILENO, "# a caller ended with %#x\n", status);
	return false;
}

static bool look_after(struct caller_state *state)
{
	struct told *told = state->caller.told;
	int nr = state->caller.nr, status;

	if (told->failure[0])
		return false;
	if (waitpid(state->pid, &status, WNOHANG) == state->pid) {
		kill(-state->pid, SIGKILL);
		if (!ended_well(told, status))
			return false;
		begin_caller(state, told, nr);
	}
	if (told->step[nr] != state->step) {
		state->step = told->step[nr];
		state->since = now_ms();
	}
	if (now_ms() - state->since < PATIENCE * 1000 * (is_slow() ? 4 : 1))
		return true;
	dprintf(STDOUT_FILENO, "# caller %d hangs\n", nr);
	return false;
}

/* Before anybody is waited for, who may never end. */
static void tell_failure(const struct told *told)
{
	int i;

	for (i = 0; i < CALLERS; i++)
		step_log_print(&told->log[i], i, told->seed);
	dprintf(STDOUT_FILENO, "# %s\n", told->failure);
}

static bool round_of_calls(struct told *told, long end)
{
	struct caller_state state[CALLERS];
	bool well = true;
	int i;

	for (i = 0; i < CALLERS; i++)
		begin_caller(&state[i], told, i);
	while (well && now_ms() < end) {
		for (i = 0; i < CALLERS; i++)
			well = well && look_after(&state[i]);
		usleep(1000);
	}
	well = well && !told->failure[0];
	if (!well)
		tell_failure(told);
	for (i = 0; i < CALLERS; i++)
		end_caller(&state[i]);
	while (wait(NULL) > 0)
		;
	return well;
}

/* A table of which half is refused at once tests little. */
static int share_that_succeeded(const struct told *told)
{
	int all = 0, done = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].never)
			continue;
		all++;
		if (told->done[i])
			done++;
		else
			dprintf(STDOUT_FILENO, "# %s: none of %ld succeeded\n",
				calls[i].name, told->tried[i]);
	}
	return 100 * done / all;
}

static long calls_made(const struct told *told)
{
	long made = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		made += told->tried[i];
	return made;
}

static void tell(const struct told *told)
{
	long tried = calls_made(told), done = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		done += told->done[i];
	dprintf(STDOUT_FILENO,
		"# %ld calls, of which %ld succeeded, %ld accesses, of which %ld were refused, %lu lives, of which %ld gave up\n",
		tried, done, told->touched, told->refused,
		told->lives[0] + told->lives[1], told->given_up);
}

TEST_F_TIMEOUT(calls, by_chance, 120)
{
	const char *soak = getenv("SOAK_SECONDS");
	long seconds = soak && *soak ? atol(soak) : SECONDS;
	long end = now_ms() + seconds * 1000;
	struct told *told = share(sizeof(*told));
	bool well;

	told->seed = seed_get();
	told->secret = told->seed * 0x9e3779b97f4a7c15UL | 1;
	own_namespace();
	/* They may find their way out of the mount, and are to leave nothing there. */
	mount_at("/tmp", "tmpfs", 0, "size=16M,mode=1777");
	/* Those whose parents were killed are waited for as well. */
	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	do {
		world_begin(told->secret, told->seed % 2);
		well = round_of_calls(told, now_ms() + ROUND_SECONDS * 1000);
		well = world_holds(&self->before, told->secret) && well;
		ASSERT_TRUE(world_end(&self->before));
		ASSERT_TRUE(well);
		told->seed++;
	} while (now_ms() < end);
	tell(told);
	/* A machine that is slow, or busy, comes to fewer. */
	if (calls_made(told) >= (long)(TRIES * ARRAY_SIZE(calls)))
		ASSERT_LE(ENOUGH, share_that_succeeded(told));
}

TEST_HARNESS_MAIN
