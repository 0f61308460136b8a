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

/* At least so many of a hundred calls that may succeed must have. */
#define ENOUGH		60

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
	if (!told->failure[0] && (WIFSIGNALED(status) || !WEXITSTATUS(status)))
		return true;
	dprintf(STDOUT_FILENO, "# %s, status %#x\n", told->failure, status);
	return false;
}

static bool look_after(struct caller_state *state)
{
	struct told *told = state->caller.told;
	int nr = state->caller.nr, status;

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
	for (i = 0; i < CALLERS; i++)
		end_caller(&state[i]);
	while (wait(NULL) > 0)
		;
	well = well && !told->failure[0];
	for (i = 0; i < CALLERS && !well; i++)
		step_log_print(&told->log[i], i, told->seed);
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

static void tell(const struct told *told)
{
	long tried = 0, done = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		tried += told->tried[i];
		done += told->done[i];
	}
	dprintf(STDOUT_FILENO,
		"# %ld calls, of which %ld succeeded, %ld accesses, of which %ld were refused, %lu lives\n",
		tried, done, told->touched, told->refused,
		told->lives[0] + told->lives[1]);
}

TEST_F_TIMEOUT(calls, by_chance, 120)
{
	const char *soak = getenv("SOAK_SECONDS");
	long seconds = soak && *soak ? atol(soak) : SECONDS;
	long end = now_ms() + seconds * 1000;
	struct told *told = share(sizeof(*told));
	bool well;

	told->seed = seed_get();
	own_namespace();
	/* Those whose parents were killed are waited for as well. */
	ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	do {
		world_begin(told->seed % 2);
		well = round_of_calls(told, now_ms() + ROUND_SECONDS * 1000);
		well = world_holds(&self->before) && well;
		ASSERT_TRUE(world_end(&self->before));
		ASSERT_TRUE(well);
		told->seed++;
	} while (now_ms() < end);
	tell(told);
	ASSERT_LE(ENOUGH, share_that_succeeded(told));
}

TEST_HARNESS_MAIN
