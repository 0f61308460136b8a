// SPDX-License-Identifier: GPL-2.0-only
/*
 * fork() of private mappings: who copies, who is told by SIGBUS that there is no
 * page, and that the owner is never told so. Races are in private_race.c.
 */
#include "private_test.h"

#include <pthread.h>

RHUGEFS_FIXTURE(fork);

/* --- the log ------------------------------------------------------------- */

/*
 * Whoever is refused has its name in the log, and the file's, once. The first of
 * these tests, since there are limits to what is logged within seconds.
 */
TEST_F(fork, log_names_process_and_file_once)
{
	int fd = file_named("wanted"), log = log_open(), lines = 0;
	char *map = map_private(fd, 0, 2, 0), pid[32];
	struct peer child;
	const char *line;

	ASSERT_EQ(touch_pages(map, 2), 2);
	leave_unpromised(0);
	child = peer_new();
	ASSERT_FALSE(peer_write(&child, map, 1));
	ASSERT_FALSE(peer_write(&child, map + HUGE, 1));
	ASSERT_FALSE(peer_write(&child, map, 1));
	snprintf(pid, sizeof(pid), "[%d]", child.pid);
	while ((line = log_next(log))) {
		if (!strstr(line, "SIGBUS"))
			continue;
		ASSERT_NE(strstr(line, pid), NULL);
		ASSERT_NE(strstr(line, "private_fork"), NULL);
		ASSERT_NE(strstr(line, "wanted"), NULL);
		lines++;
	}
	ASSERT_EQ(lines, 1);
	ASSERT_EQ(file_unlink("wanted"), 0);
}

/* --- the owner never dies ------------------------------------------------ */

#define CROWD		50
#define CROWD_PAGES	6UL

struct crowd {
	struct sync sync;
	char *map;
	unsigned long refused;
};

/* Write all pages, see what was written; SIGBUS is an answer. */
static int crowd_write(void *arg)
{
	struct crowd *crowd = arg;
	char mine = 10 + getpid() % 100;
	unsigned long i;

	sync_meet(&crowd->sync);
	for (i = 0; i < CROWD_PAGES; i++) {
		char *at = crowd->map + i * HUGE;

		if (!can_write_value(at, mine)) {
			__atomic_add_fetch(&crowd->refused, 1,
					   __ATOMIC_RELAXED);
			continue;
		}
		/* It is its own now: nobody can take it. */
		must(can_read(at) && *at == mine);
		must(at[HUGE - 1] == (char)(i + 1));
	}
	/* Whoever ends leaves its pages to others. */
	sync_meet(&crowd->sync);
	return 0;
}

static struct crowd *crowd_new(void)
{
	struct crowd *crowd = share(sizeof(*crowd));
	unsigned long i;
	int fd = file_new();

	crowd->map = map_private(fd, 0, CROWD_PAGES, 0);
	must(crowd->map);
	for (i = 0; i < CROWD_PAGES; i++) {
		crowd->map[i * HUGE] = i + 1;
		crowd->map[(i + 1) * HUGE - 1] = i + 1;
	}
	return crowd;
}

/*
 * The pool holds what the owner was promised and @left pages, and all write at the
 * same time. As many of the children's writes may succeed as there are pages left.
 */
static void crowd_all_write(long left)
{
	struct crowd *crowd = crowd_new();
	pid_t pid[CROWD];
	unsigned long i;
	int n;

	leave_unpromised(left);
	crowd->sync.parties = CROWD + 1;
	for (n = 0; n < CROWD; n++)
		pid[n] = spawn(crowd_write, crowd);
	sync_meet(&crowd->sync);
	/* No can_write(): SIGBUS here is what must not be. */
	for (i = 0; i < CROWD_PAGES; i++)
		crowd->map[i * HUGE] = 100;
	for (i = 0; i < CROWD_PAGES; i++) {
		must(crowd->map[i * HUGE] == 100);
		must(bytes_are(crowd->map + i * HUGE + 1, 0, HUGE - 2));
		must(crowd->map[(i + 1) * HUGE - 1] == (char)(i + 1));
	}
	sync_meet(&crowd->sync);
	for (n = 0; n < CROWD; n++)
		must(reap(pid[n]) == 0);
	must(crowd->refused >= CROWD * CROWD_PAGES - left);
	must(selfcheck_ok());
}

TEST_F_TIMEOUT(fork, owner_completes_with_no_page_left, 60)
{
	int log = log_open();

	crowd_all_write(0);
	ASSERT_TRUE(log_names(log, "private_fork"));
}

TEST_F_TIMEOUT(fork, owner_completes_with_few_pages_left, 60)
{
	crowd_all_write(7);
}

/* --- generations --------------------------------------------------------- */

static struct peer grandchild;

static long order_fork(long a, long b, long c)
{
	grandchild = peer_new();
	return grandchild.pid;
}

static long order_grandchild_write(long at, long value, long c)
{
	return peer_write(&grandchild, (char *)at, value);
}

static long order_grandchild_look(long at, long b, long c)
{
	return peer_look(&grandchild, (char *)at);
}

static long order_grandchild_end(long a, long b, long c)
{
	peer_exit(&grandchild);
	return 0;
}

TEST_F(fork, three_generations)
{
	char *map = map_private(file_new(), 0, 2, 0);
	struct peer child;

	map[0] = 1;
	child = peer_new();
	ASSERT_LT(0, peer_call(&child, order_fork, 0, 0, 0));
	ASSERT_POOL(1, 1);
	ASSERT_TRUE(selfcheck_ok());
	/* The one in the middle leaves the other two with one page. */
	ASSERT_TRUE(peer_write(&child, map, 2));
	ASSERT_POOL(2, 1);
	map[0] = 3;
	ASSERT_POOL(3, 1);
	ASSERT_EQ(peer_call(&child, order_grandchild_look, (long)map, 0, 0), 1);
	/* The last holder needs no other. */
	ASSERT_TRUE(peer_call(&child, order_grandchild_write, (long)map, 4, 0));
	ASSERT_POOL(3, 1);
	ASSERT_EQ(map[0], 3);
	ASSERT_EQ(peer_look(&child, map), 2);
	ASSERT_EQ(peer_call(&child, order_grandchild_look, (long)map, 0, 0), 4);
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_EQ(peer_call(&child, order_grandchild_end, 0, 0, 0), 0);
	ASSERT_POOL(2, 1);
	peer_exit(&child);
	ASSERT_POOL(1, 1);
}

/* A page that was taken from a child is missing in its children, too. */
TEST_F(fork, taken_is_inherited)
{
	char *map = map_private(file_new(), 0, 1, 0);
	struct peer child;

	map[0] = 1;
	leave_unpromised(0);
	child = peer_new();
	map[0] = 2;
	ASSERT_LT(0, peer_call(&child, order_fork, 0, 0, 0));
	ASSERT_EQ(peer_look(&child, map), -1);
	ASSERT_EQ(peer_call(&child, order_grandchild_look, (long)map, 0, 0), -1);
	/* Dropped, it is as if it had never been. */
	ASSERT_TRUE(peer_drop(&child, map, HUGE));
	ASSERT_EQ(peer_look(&child, map), 0);
	ASSERT_EQ(peer_call(&child, order_grandchild_look, (long)map, 0, 0), -1);
	ASSERT_EQ(map[0], 2);
}

/* --- no copy where none is needed ---------------------------------------- */

/* Physical address of a page; the guest's tests are root's. */
static unsigned long frame(const char *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned long entry;

	must(fd >= 0 && *(const volatile char *)at + 1);
	must(pread(fd, &entry, sizeof(entry), (unsigned long)at / 4096 * 8) ==
	     sizeof(entry));
	close(fd);
	must(entry >> 63);
	return entry & ((1UL << 55) - 1);
}

static int exec_true(void *arg)
{
	execl("/bin/true", "true", NULL);
	return 2;
}

static int just_exit(void *arg)
{
	return 0;
}

/* The page stays where it is, whatever the children did before they went. */
TEST_F(fork, nothing_is_copied_when_the_child_is_gone)
{
	int (*const work[])(void *arg) = { exec_true, just_exit };
	char *map = map_private(file_new(), 0, 1, 0);
	unsigned long where;
	int i, pid;

	map[0] = 1;
	where = frame(map);
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(reap(spawn(work[i % 2], NULL)), 0);
		map[0]++;
		ASSERT_EQ(frame(map), where);
		ASSERT_POOL(1, 0);
	}
	ASSERT_EQ(map[0], 11);
	/* vfork() shares all, so nothing need be unmapped either. */
	pid = vfork();
	if (!pid) {
		map[0] = 50;
		_exit(0);
	}
	ASSERT_EQ(reap(pid), 0);
	ASSERT_EQ(map[0], 50);
	ASSERT_EQ(frame(map), where);
	ASSERT_POOL(1, 0);
}

/* With no page left, a child that goes leaves the owner nothing to take back. */
TEST_F(fork, system_and_the_like_with_no_page_left)
{
	char *map = map_private(file_new(), 0, 3, 0);
	int i;

	ASSERT_EQ(touch_pages(map, 2), 2);
	leave_unpromised(0);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(reap(spawn(exec_true, NULL)), 0);
		ASSERT_EQ(touch_pages(map, 2), 2);
	}
	ASSERT_EQ(touch_pages(map, 3), 3);
}

/* --- what is not inherited ----------------------------------------------- */

static sigjmp_buf segv_env;

static void segv(int sig)
{
	siglongjmp(segv_env, 1);
}

static long order_look_or_segv(long at, long b, long c)
{
	signal(SIGSEGV, segv);
	if (sigsetjmp(segv_env, 1))
		return -2;
	return order_look(at, 0, 0);
}

TEST_F(fork, dontfork)
{
	char *map = map_private(file_new(), 0, 3, 0);
	struct peer child;

	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_EQ(madvise(map + HUGE, HUGE, MADV_DONTFORK), 0);
	child = peer_new();
	ASSERT_EQ(peer_look(&child, map), 1);
	ASSERT_EQ(peer_call(&child, order_look_or_segv, (long)map + HUGE, 0, 0),
		  -2);
	ASSERT_EQ(peer_look(&child, map + 2 * HUGE), 3);
	/* Nobody shares it, so nothing is copied. */
	map[HUGE] = 9;
	ASSERT_POOL(3, 0);
	map[0] = 9;
	ASSERT_POOL(4, 0);
	ASSERT_TRUE(selfcheck_ok());
	peer_exit(&child);
	ASSERT_POOL(3, 0);
}

/* A child of a process without any page of its own sees the file live. */
TEST_F(fork, of_what_was_not_written)
{
	int fd = file_new();
	char *file = map_huge(fd, 0, 2, 0);
	char *map = map_private(fd, 0, 2, 0);
	struct peer child;

	file[0] = 1;
	ASSERT_EQ(map[0], 1);
	child = peer_new();
	ASSERT_EQ(peer_look(&child, map), 1);
	file[0] = 2;
	ASSERT_EQ(peer_look(&child, map), 2);
	ASSERT_TRUE(peer_write(&child, map + HUGE, 5));
	ASSERT_EQ(map[HUGE], 0);
	map[HUGE] = 6;
	ASSERT_EQ(peer_look(&child, map + HUGE), 5);
	/* The file's page, the child's copy, the owner's; one promise left. */
	ASSERT_POOL(3, 2);
	peer_exit(&child);
}

/* --- forks that stop signals fall into ----------------------------------- */

#define STOPPED_ROUNDS	30
#define STOPPED_MS	8000

/* That many pieces of memory, below all that is ours, to walk over. */
#define STOPPED_PIECES	(is_slow() ? 200 : 4000)
#define STOPPED_AT	0x100000000UL

struct stopped {
	int (*work)(struct stopped *stopped, int round);
	int fd;
	char *map;
	pid_t who;
	bool over;
};

static int stop_and_go(void *arg)
{
	struct stopped *stopped = arg;
	unsigned long state = 1;
	pid_t who;

	while (!__atomic_load_n(&stopped->over, __ATOMIC_ACQUIRE)) {
		who = __atomic_load_n(&stopped->who, __ATOMIC_ACQUIRE);
		/* It may have ended meanwhile. */
		if (who && !kill(who, SIGSTOP)) {
			usleep(chance_of(&state, 300));
			kill(who, SIGCONT);
		}
		usleep(chance_of(&state, 1000));
	}
	return 0;
}

/*
 * Takes the stop signals, so that they reach the other thread from inside. Until
 * the process exits.
 */
static void *be_there(void *arg)
{
	for (;;)
		sync_spin();
	return NULL;
}

/* The first private mapping of an address space has to look at all of these. */
static void scatter_memory(void)
{
	int i, pieces = STOPPED_PIECES;
	char *at = mmap((void *)STOPPED_AT, pieces * 8192UL, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
			0);

	must(at == (char *)STOPPED_AT);
	for (i = 0; i < pieces; i++)
		must(mprotect(at + i * 8192UL, 4096, PROT_READ) == 0);
}

static int stopped_fork(struct stopped *stopped, int round)
{
	char *map = stopped->map;
	int status;
	pid_t pid;

	map[0] = round;
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		if (!can_read(map))
			_exit(2);
		_exit(map[0] != round || !can_write_value(map, 101));
	}
	must(waitpid(pid, &status, 0) == pid);
	must(map[0] == round);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

static int stopped_mmap(struct stopped *stopped, int round)
{
	return map_private(stopped->fd, 0, 1, 0) ? 0 : errno;
}

/* Each round in an address space that is new. */
static void stopped_rounds(struct stopped *stopped)
{
	long end = now_ms() + STOPPED_MS;
	pid_t stopper, pid;
	pthread_t thread;
	int i, status;

	stopper = spawn(stop_and_go, stopped);
	scatter_memory();
	for (i = 0; i < STOPPED_ROUNDS && now_ms() < end; i++) {
		pid = fork();
		must(pid >= 0);
		if (!pid) {
			must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
			must(pthread_create(&thread, NULL, be_there, NULL) == 0);
			__atomic_store_n(&stopped->who, getpid(),
					 __ATOMIC_RELEASE);
			_exit(stopped->work(stopped, i));
		}
		must(waitpid(pid, &status, 0) == pid);
		must(WIFEXITED(status));
		errno = WEXITSTATUS(status);
		must(!errno);
	}
	__atomic_store_n(&stopped->over, true, __ATOMIC_RELEASE);
	must(reap(stopper) == 0);
}

/* A child has all that it inherits, whatever its parent is sent meanwhile. */
TEST_F_TIMEOUT(fork, while_being_stopped, 120)
{
	struct stopped *stopped = share(sizeof(*stopped));

	stopped->work = stopped_fork;
	stopped->map = map_private(file_new(), 0, 1, 0);
	ASSERT_NE(stopped->map, NULL);
	stopped_rounds(stopped);
}

/* Nor does a stop signal keep anybody from mapping anything. */
TEST_F_TIMEOUT(fork, mmap_while_being_stopped, 120)
{
	struct stopped *stopped = share(sizeof(*stopped));

	stopped->work = stopped_mmap;
	stopped->fd = file_new();
	stopped_rounds(stopped);
}

TEST_HARNESS_MAIN
