// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes and threads that do everything to a few files at once, by chance, while each
 * of them knows what it may find: stress/model.h says what that is, stress/steps.h what
 * is done. Here is the supervisor, who begins them and begins anew those that were killed,
 * and looks at the pool when all rest.
 *
 *	SOAK_SECONDS=N		go on so long, in cycles of 20 seconds, each with the seed
 *				after that of the one before
 *	STRESS_WORKERS=1	one process, with one thread, which does the same each time
 */
#include "stress/worker.h"

#define CYCLE_SECONDS	20

/* Steps that each actor does at least until all rest. */
#define ROUND_STEPS	250

/* Whoever does nothing for so long, in seconds, never will again. */
#define PATIENCE	60

FIXTURE(stress) {
	struct pools before;
	pid_t pid;
};

/* But for the pool's size. */
static int machine_as_before(void)
{
	return watermarks(75, 100) ?: tell_kernel(PARAMETERS "reclaim", "0");
}

FIXTURE_SETUP(stress)
{
	self->pid = getpid();
	self->before = pools_read();
	ASSERT_EQ(self->before.all.free, self->before.all.nr);
	must(mkdir(STRESS_DIR, 0755) == 0 || errno == EEXIST);
}

/* See RHUGEFS_FIXTURE for why only the parent looks. */
FIXTURE_TEARDOWN_PARENT(stress)
{
	if (getpid() == self->pid)
		return;
	umount2(STRESS_DIR, MNT_DETACH);
	EXPECT_EQ(machine_as_before(), 0);
	EXPECT_TRUE(pool_size_restored(&self->before));
}

/* --- workers ------------------------------------------------------------- */

static void begin_worker(struct run *run, int nr)
{
	store(&run->is_killed[nr], false);
	worker_begin(run, nr);
	store(&run->worker[nr], spawn(worker_run, run));
}

/* Take back what the dead were doing. Their own files ended with them. */
static void bury_worker(struct run *run, int nr, pid_t group)
{
	unsigned int when = __atomic_add_fetch(&run->clock, 1, __ATOMIC_SEQ_CST);
	int i, who;

	/* Its children, too, must not look at anything any more. */
	kill(-group, SIGKILL);
	while (waitpid(-group, NULL, 0) > 0)
		;
	for (who = nr * run->threads; who < (nr + 1) * run->threads; who++) {
		for (i = 0; i < FILES; i++)
			file_abandon(&run->file[i], who, when);
		store(&run->actor[who].resting, false);
	}
}

static int worker_nr(const struct run *run, pid_t pid)
{
	int nr;

	for (nr = 0; nr < run->workers; nr++)
		if (run->worker[nr] == pid)
			return nr;
	return -1;
}

/* A child of one who was killed has become the supervisor's, and ends as it may. */
static bool ended_well(struct run *run, pid_t pid, int status)
{
	int nr = worker_nr(run, pid);

	if (nr < 0)
		return true;
	store(&run->worker[nr], 0);
	if (WIFSIGNALED(status) && load(&run->is_killed[nr])) {
		bury_worker(run, nr, pid);
		if (!load(&run->over))
			begin_worker(run, nr);
		return true;
	}
	if (!status && load(&run->over))
		return true;
	dprintf(STDOUT_FILENO, "# worker %d ended with %#x\n", nr, status);
	return false;
}

static bool reap_some(struct run *run)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (!ended_well(run, pid, status))
			return false;
	return !load(&run->failed);
}

static int workers_left(const struct run *run)
{
	int nr, left = 0;

	for (nr = 0; nr < run->workers; nr++)
		left += run->worker[nr] != 0;
	return left;
}

/* --- waiting ------------------------------------------------------------- */

static bool all_have_done(const struct run *run, unsigned int quota)
{
	int i;

	for (i = 0; i < run->workers * run->threads; i++)
		if (load(&run->actor[i].step) < quota)
			return false;
	return true;
}

static bool all_rest(const struct run *run, unsigned int none)
{
	int i;

	for (i = 0; i < run->workers * run->threads; i++)
		if (!load(&run->actor[i].resting))
			return false;
	return true;
}

static bool all_are_gone(const struct run *run, unsigned int none)
{
	return !workers_left(run);
}

/*
 * Whether everybody who is to do something has done a step since a while ago; @last and
 * @since are what was found before, and when.
 */
static bool all_move(const struct run *run, unsigned int *last, long *since)
{
	long patience = PATIENCE * 1000 * (is_slow() ? 4 : 1);
	unsigned int step;
	int i;

	for (i = 0; i < run->workers * run->threads; i++) {
		step = load(&run->actor[i].step);
		if (step != last[i] || load(&run->actor[i].resting) ||
		    !since[i]) {
			last[i] = step;
			since[i] = now_ms();
		}
		if (now_ms() - since[i] < patience)
			continue;
		dprintf(STDOUT_FILENO, "# actor %d does not end step %u\n", i,
			step);
		return false;
	}
	return true;
}

/* Wait until it is so; false where somebody has failed, or does not move any more. */
static bool wait_until(struct run *run,
		       bool (*is_so)(const struct run *run, unsigned int quota),
		       unsigned int quota)
{
	unsigned int last[ACTORS] = { 0 };
	long since[ACTORS] = { 0 };

	while (!is_so(run, quota)) {
		if (!reap_some(run) || !all_move(run, last, since))
			return false;
		usleep(1000);
	}
	return reap_some(run);
}

/* --- quiet moments ------------------------------------------------------- */

/* What was dropped, or pinned, is on its way back for a while. */
static bool pool_adds_up(void)
{
	long end = now_ms() + POOL_PATIENCE;
	struct pools pools;

	do {
		pools = pools_read();
		if (pools_sane(&pools) && selfcheck_says(true))
			return selfcheck_says(true);
		usleep(20000);
	} while (now_ms() < end);
	pools_print("quiet", &pools);
	return false;
}

/* With nobody who writes each word has one value that it may have. */
static void look_at_files(struct run *run)
{
	struct actor actor = { .run = run, .own = run->own[0] };
	int i, page, part;

	for (i = 0; i < FILES; i++)
		for (page = 0; page < FILE_PAGES; page++)
			for (part = 0; part < PARTS; part++)
				file_read_part(&actor, &run->file[i], page,
					       part);
}

static int look_at_all(void *arg)
{
	look_at_files(arg);
	return pool_adds_up() ? 0 : 1;
}

static bool quiet_moment(struct run *run)
{
	pid_t pid = spawn(look_at_all, run);

	return reap(pid) == 0 && !load(&run->failed);
}

/* --- a cycle ------------------------------------------------------------- */

static void make_files(struct run *run)
{
	struct actor actor = { .run = run, .own = run->own[0] };
	char name[64];
	int i;

	must(mkdir(STRESS_DIR "/dir0", 0755) == 0);
	must(mkdir(STRESS_DIR "/dir1", 0755) == 0);
	for (i = 0; i < FILES; i++) {
		name_of(&actor, i, name);
		file_begin(&actor, &run->file[i],
			   open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC,
				0600));
		file_truncate(&actor, &run->file[i], FILE_BYTES);
	}
	run->file[0].is_steady = true;
}

static bool rounds(struct run *run, long end)
{
	unsigned int quota = 0;
	int i;

	do {
		quota += ROUND_STEPS;
		for (i = 0; i < ACTORS; i++)
			store(&run->actor[i].quota, quota);
		store(&run->rest, false);
		if (!wait_until(run, all_have_done, quota))
			return false;
		store(&run->rest, true);
		if (!wait_until(run, all_rest, 0) || !quiet_moment(run))
			return false;
	} while (now_ms() < end);
	store(&run->over, true);
	return wait_until(run, all_are_gone, 0);
}

static void tell_failure(struct run *run)
{
	int i;

	for (i = 0; i < 2 * ACTORS; i++)
		if (run->log[i].next)
			step_log_print(&run->log[i], i, run->seed);
	dprintf(STDOUT_FILENO, "# seed %lu: %s\n", run->seed, run->failure);
}

static void tell(const struct run *run, unsigned long steps)
{
	const struct tally *tally = &run->tally;

	dprintf(STDOUT_FILENO,
		"# seed %lu: %lu steps, %ld words read, %ld written, %ld times taken away, %ld mappings, %ld children, %ld calls and %ld accesses refused, %ld workers killed\n",
		run->seed, steps, tally->read, tally->written, tally->taken,
		tally->mapped, tally->forked, tally->refused, tally->killed,
		tally->ended);
}

/* Nothing of it may be left; who failed has left what he had. */
static void end_all(struct run *run)
{
	int nr;

	for (nr = 0; nr < run->workers; nr++)
		if (run->worker[nr])
			kill(-run->worker[nr], SIGKILL);
	while (wait(NULL) > 0)
		;
	for (nr = 0; nr < FILES; nr++)
		close(run->file[nr].fd);
}

static bool cycle(unsigned long seed, int workers, long end)
{
	static const char *const options[] = { "", "fork_reserve",
					       "size=180M,min_size=20M", "" };
	struct run *run = share(sizeof(*run));
	unsigned long steps;
	bool well;
	int i;

	run->seed = seed;
	run->workers = workers;
	run->threads = workers == 1 ? 1 : THREADS;
	must(mount("none", STRESS_DIR, "rhugefs", 0, options[seed % 4]) == 0);
	make_files(run);
	for (i = 0; i < workers; i++)
		begin_worker(run, i);
	well = rounds(run, end);
	end_all(run);
	if (!well)
		tell_failure(run);
	for (i = 0, steps = 0; i < ACTORS; i++)
		steps += run->actor[i].step;
	tell(run, steps);
	munmap(run, sizeof(*run));
	return umount(STRESS_DIR) == 0 && well;
}

static long setting(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? atol(text) : otherwise;
}

TEST_F_TIMEOUT(stress, everything_at_once, 150)
{
	long seconds = setting("SOAK_SECONDS", CYCLE_SECONDS);
	int workers = setting("STRESS_WORKERS", WORKERS) == 1 ? 1 : WORKERS;
	long end = now_ms() + seconds * 1000, next;
	unsigned long seed = seed_get();

	must(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	do {
		next = now_ms() + CYCLE_SECONDS * 1000;
		ASSERT_TRUE(cycle(seed, workers, next < end ? next : end));
		ASSERT_EQ(machine_as_before(), 0);
		ASSERT_TRUE(pool_size_restored(&self->before));
		seed++;
	} while (now_ms() < end);
}

TEST_HARNESS_MAIN
