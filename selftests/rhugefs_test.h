/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the selftests share: the pool's counts, files and mappings on the mount,
 * touching memory that may answer with SIGBUS, processes that must do something
 * at the same time.
 *
 * A test program includes this in place of kselftest_harness.h:
 *
 *	RHUGEFS_FIXTURE(name);
 *
 *	TEST_F(name, what_it_shows)
 *	{
 *		int fd = file_new();
 *		char *map = map_huge(fd, 0, 3, 0);
 *
 *		ASSERT_NE(map, NULL);
 *		ASSERT_POOL(0, 3);
 *		ASSERT_TRUE(can_write(map));
 *		ASSERT_POOL(1, 2);
 *	}
 *
 *	TEST_HARNESS_MAIN
 *
 * Nothing need be unmapped or closed at the end: the fixture looks at the counts
 * when the process of the test has ended, and fails if they are not what they
 * were before it. Children should be made by spawn(), which sees to it that they
 * do not outlive the test.
 */
#ifndef RHUGEFS_TEST_H
#define RHUGEFS_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"

/*
 * The harness allows each test half a minute, or what TEST_F_TIMEOUT() says.  A
 * kernel that checks everything it does takes longer: GUEST_SLOW times as long.
 * This runs after the tests have been registered, which has a higher priority.
 */
static void __attribute__((constructor)) test_allow_time(void)
{
	const char *slow = getenv("GUEST_SLOW");
	struct __fixture_metadata *fixture;
	struct __test_metadata *test;

	for (fixture = __fixture_list; slow && fixture; fixture = fixture->next)
		for (test = fixture->tests; test; test = test->next)
			test->timeout *= atoi(slow);
}

/* Whether this is such a kernel; to the others a 1 is handed. */
static inline bool is_slow(void)
{
	const char *slow = getenv("GUEST_SLOW");

	return slow && atoi(slow) > 1;
}

#define HUGE_SHIFT	21
#define HUGE		(1UL << HUGE_SHIFT)

#define POOL_SYSFS	"/sys/fs/rhugefs/hugepages-2048kB"
#define POOL_MAX_NODES	64
#define PARAMETERS	"/sys/module/rhugefs/parameters/"

/* Until a parked page is looked at again takes the pool up to a second. */
#define POOL_PATIENCE	5000

/* Whoever waits longer than this, in seconds, for his peers has none any more. */
#define SYNC_PATIENCE	60

/* --- failing ------------------------------------------------------------- */

/*
 * For helpers and children, which have no harness around them: end the process
 * with a status that fails the test.
 */
#define must(cond)							\
	do {								\
		if (!(cond))						\
			must_fail(__FILE__, __LINE__, #cond);		\
	} while (0)

static inline void __attribute__((noreturn))
must_fail(const char *file, int line, const char *cond)
{
	/* One write, so that what several processes say does not mix. */
	dprintf(STDOUT_FILENO, "# %s:%d: pid %d: not so: %s (errno: %s)\n",
		file, line, getpid(), cond, strerror(errno));
	_exit(1);
}

/* Milliseconds on a clock that only goes forward. */
static inline long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Write to a file that is there, as the kernel's are; 0 or an errno. */
static inline int tell_kernel(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;
	ssize_t len;

	if (fd < 0)
		return errno;
	len = write(fd, text, strlen(text));
	if (len != (ssize_t)strlen(text))
		err = len < 0 ? errno : EIO;
	close(fd);
	return err;
}

/* --- the pool ------------------------------------------------------------ */

/* One directory of counts, in huge pages. */
struct pool {
	long nr;
	long free;
	long resv;
	long zeroed;
};

/* All of them; node[] is by node id, and zero where there is no such node. */
struct pools {
	struct pool all;
	int nr_nodes;
	struct pool node[POOL_MAX_NODES];
};

/* @dir is "" for the whole pool or "/node<N>"; -1 where there is no such file. */
static inline long pool_count(const char *dir, const char *name)
{
	char path[128];
	char text[32];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s%s/%s_hugepages", POOL_SYSFS, dir,
		 name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	must(len > 0);
	text[len] = '\0';
	return atol(text);
}

static inline struct pool pool_read(void)
{
	return (struct pool){
		.nr = pool_count("", "nr"),
		.free = pool_count("", "free"),
		.resv = pool_count("", "resv"),
		.zeroed = pool_count("", "zeroed"),
	};
}

static inline struct pool pool_read_node(int nid)
{
	char dir[16];

	snprintf(dir, sizeof(dir), "/node%d", nid);
	return (struct pool){
		.nr = pool_count(dir, "nr"),
		.free = pool_count(dir, "free"),
		.resv = pool_count(dir, "resv"),
		.zeroed = pool_count(dir, "zeroed"),
	};
}

static inline bool pool_has_node(int nid)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/node%d", POOL_SYSFS, nid);
	return access(path, F_OK) == 0;
}

/* Id of the last node that has counts, plus one. */
static inline int pool_nr_nodes(void)
{
	static int nr_nodes;
	int nid;

	for (nid = POOL_MAX_NODES; nid && !nr_nodes; nid--)
		if (pool_has_node(nid - 1))
			nr_nodes = nid;
	return nr_nodes;
}

static inline struct pools pools_read(void)
{
	struct pools pools = {
		.all = pool_read(),
		.nr_nodes = pool_nr_nodes(),
	};
	int nid;

	for (nid = 0; nid < pools.nr_nodes; nid++)
		if (pool_has_node(nid))
			pools.node[nid] = pool_read_node(nid);
	return pools;
}

/* What a newcomer may still reserve. */
static inline long pool_unpromised(void)
{
	return pool_count("", "free") - pool_count("", "resv");
}

static inline bool pool_sane(const struct pool *pool)
{
	return pool->free >= 0 && pool->resv >= 0 && pool->zeroed >= 0 &&
	       pool->resv <= pool->free && pool->free <= pool->nr &&
	       pool->zeroed <= pool->free;
}

/*
 * What must hold at every quiet moment, whatever the counts are. How many of the free
 * pages are zeroed is not at rest then: zeroed ahead of whoever wants them, they only
 * become more between two looks.
 */
static inline bool pools_sane(const struct pools *pools)
{
	struct pool sum = { 0 };
	bool sane = pool_sane(&pools->all);
	int nid;

	for (nid = 0; nid < pools->nr_nodes; nid++) {
		sane = sane && pool_sane(&pools->node[nid]);
		sum.nr += pools->node[nid].nr;
		sum.free += pools->node[nid].free;
		sum.resv += pools->node[nid].resv;
	}
	return sane && sum.nr == pools->all.nr && sum.free == pools->all.free &&
	       sum.resv == pools->all.resv;
}

static inline void pool_print(const char *what, const struct pool *pool)
{
	dprintf(STDOUT_FILENO, "# %s: nr %ld free %ld resv %ld zeroed %ld\n",
		what, pool->nr, pool->free, pool->resv, pool->zeroed);
}

static inline void pools_print(const char *what, const struct pools *pools)
{
	char name[64];
	int nid;

	pool_print(what, &pools->all);
	for (nid = 0; nid < pools->nr_nodes; nid++) {
		snprintf(name, sizeof(name), "%s, node%d", what, nid);
		pool_print(name, &pools->node[nid]);
	}
}

/*
 * Whether, against @before, @used pages more are in use and @resv more are
 * reserved, and all counts agree with each other. Pages on whose way back to the
 * pool somebody still held a reference are waited for; nothing else in here
 * takes time.
 */
static inline bool pools_moved(const struct pools *before, long used, long resv)
{
	long end = now_ms() + POOL_PATIENCE;
	struct pools now;

	for (;;) {
		now = pools_read();
		if (pools_sane(&now) && now.all.nr == before->all.nr &&
		    now.all.free == before->all.free - used &&
		    now.all.resv == before->all.resv + resv)
			return true;
		if (now_ms() > end)
			break;
		usleep(20000);
	}
	dprintf(STDOUT_FILENO,
		"# wanted: %ld more in use, %ld more reserved than before\n",
		used, resv);
	pools_print("before", before);
	pools_print("now", &now);
	return false;
}

/* Whether all counts but zeroed are what they were, node by node. */
static inline bool pools_restored(const struct pools *before)
{
	struct pools now;
	int nid;

	if (!pools_moved(before, 0, 0))
		return false;
	now = pools_read();
	for (nid = 0; nid < now.nr_nodes; nid++) {
		if (now.node[nid].nr == before->node[nid].nr &&
		    now.node[nid].free == before->node[nid].free &&
		    now.node[nid].resv == before->node[nid].resv)
			continue;
		pools_print("before", before);
		pools_print("now", &now);
		return false;
	}
	return true;
}

#define SELFCHECK	"/sys/kernel/debug/rhugefs/selfcheck"

/* Whether the module finds that its counts are true, or cannot tell if @moving. */
static inline bool selfcheck_says(bool moving)
{
	char text[256] = "";
	int fd = open(SELFCHECK, O_RDONLY | O_CLOEXEC);

	/* Not every kernel has debugfs, and not everybody mounts it. */
	if (fd < 0)
		return true;
	must(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	if (!strcmp(text, "ok\n") || (moving && !strncmp(text, "busy", 4)))
		return true;
	dprintf(STDOUT_FILENO, "# selfcheck: %s", text);
	return false;
}

static inline bool selfcheck_ok(void)
{
	return selfcheck_says(false);
}

#define STATS		"/sys/kernel/debug/rhugefs/stats"

/* How often the module says that something has happened since it was loaded. */
static inline long stat_read(const char *name)
{
	FILE *file = fopen(STATS, "re");
	char word[64];
	long value;

	must(file);
	while (fscanf(file, "%63s %ld", word, &value) == 2) {
		if (strcmp(word, name))
			continue;
		fclose(file);
		return value;
	}
	must_fail(__FILE__, __LINE__, name);
}

/* --- the fixture --------------------------------------------------------- */

/*
 * Torn down in the parent: the process of the test is gone by then and with it
 * all that it had mapped and open. Only after a failed assertion the harness may
 * come to the teardown in the process of the test itself (what setjmp() does to
 * its local variables is undefined): the test has failed then, and to say that
 * things are still in use would mislead.
 */
#define RHUGEFS_FIXTURE(name)						\
	FIXTURE(name) {							\
		struct pools before;					\
		pid_t pid;						\
	};								\
	FIXTURE_SETUP(name)						\
	{								\
		self->pid = getpid();					\
		self->before = pools_read();				\
		ASSERT_TRUE(pools_sane(&self->before))			\
			pools_print("before", &self->before);		\
		ASSERT_LT(0, self->before.all.nr);			\
	}								\
	FIXTURE_TEARDOWN_PARENT(name)					\
	{								\
		if (getpid() != self->pid)				\
			EXPECT_TRUE(pools_restored(&self->before));	\
	}								\
	struct rhugefs_fixture_##name##_needs_a_semicolon

/* Within TEST_F: so much more is in use and reserved than before the test. */
#define ASSERT_POOL(used, resv)						\
	ASSERT_TRUE(pools_moved(&self->before, used, resv))

/* Within TEST_F: the call fails with this errno. */
#define ASSERT_FAILS(call, error)					\
	do {								\
		errno = 0;						\
		ASSERT_EQ((long)(call), -1)				\
			TH_LOG("%s", #call);				\
		ASSERT_EQ(errno, error)					\
			TH_LOG("%s", #call);				\
	} while (0)

/* --- files and mappings -------------------------------------------------- */

static inline const char *mnt_dir(void)
{
	const char *dir = getenv("RHUGEFS_MNT");

	return dir ? dir : "/mnt/rhugefs";
}

/* A file without a name, gone with its last descriptor and mapping. */
static inline int file_new(void)
{
	int fd = open(mnt_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	must(fd >= 0);
	return fd;
}

/* A new file with a name in the root of the mount. */
static inline int file_named(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", mnt_dir(), name);
	unlink(path);
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	must(fd >= 0);
	return fd;
}

static inline int file_unlink(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", mnt_dir(), name);
	return unlink(path);
}

/*
 * Map @pages huge pages of @fd from page @first on, shared and writable; NULL
 * where mmap() refuses, with its errno.
 */
static inline char *map_huge(int fd, unsigned long first, unsigned long pages,
			     int flags)
{
	void *map = mmap(NULL, pages * HUGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | flags, fd, first * HUGE);

	return map == MAP_FAILED ? NULL : map;
}

/* The same, private. */
static inline char *map_private(int fd, unsigned long first,
				unsigned long pages, int flags)
{
	void *map = mmap(NULL, pages * HUGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | flags, fd, first * HUGE);

	return map == MAP_FAILED ? NULL : map;
}

/* A shared mapping of a new file that lives as long as the mapping does. */
static inline char *map_new(unsigned long pages, int flags)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, pages, flags);
	int err = errno;

	close(fd);
	errno = err;
	return map;
}

static inline int unmap_huge(char *map, unsigned long pages)
{
	return munmap(map, pages * HUGE);
}

/* --- touching ------------------------------------------------------------ */

static __thread sigjmp_buf touch_env;
static __thread volatile sig_atomic_t touch_armed;

static inline void touch_sigbus(int sig, siginfo_t *info, void *context)
{
	if (!touch_armed)
		must_fail(__FILE__, __LINE__, "no SIGBUS outside of touching");
	touch_armed = 0;
	siglongjmp(touch_env, 1);
}

static inline void touch_prepare(void)
{
	/* SA_NODEFER saves saving the signal mask at each touch. */
	struct sigaction action = {
		.sa_sigaction = touch_sigbus,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	must(sigaction(SIGBUS, &action, NULL) == 0);
}

/* Write a byte; false where that raised SIGBUS. */
static inline bool can_write_value(volatile char *addr, char value)
{
	touch_prepare();
	if (sigsetjmp(touch_env, 0))
		return false;
	touch_armed = 1;
	*addr = value;
	touch_armed = 0;
	return true;
}

static inline bool can_write(volatile char *addr)
{
	return can_write_value(addr, 1);
}

/* Read a byte; false where that raised SIGBUS. */
static inline bool can_read(const volatile char *addr)
{
	touch_prepare();
	if (sigsetjmp(touch_env, 0))
		return false;
	touch_armed = 1;
	(void)*addr;
	touch_armed = 0;
	return true;
}

/* How many of a mapping's pages can be written to, one after the other. */
static inline unsigned long touch_pages(char *map, unsigned long pages)
{
	unsigned long i, touched = 0;

	for (i = 0; i < pages; i++)
		touched += can_write_value(map + i * HUGE, i + 1);
	return touched;
}

/* --- contents ------------------------------------------------------------ */

/* Whether @len bytes are all @value. */
static inline bool bytes_are(const char *mem, char value, size_t len)
{
	return !len || (*mem == value && !memcmp(mem, mem + 1, len - 1));
}

static inline unsigned long bytes_step(void)
{
	return 0x9e3779b97f4a7c15UL;
}

/* Fill with what differs at each word, and with each @salt; @len in whole words. */
static inline void bytes_stir(char *mem, size_t len, unsigned long salt)
{
	unsigned long value = (salt + 1) * 0xbf58476d1ce4e5b9UL;
	unsigned long *word = (unsigned long *)mem;
	size_t i;

	for (i = 0; i < len / sizeof(*word); i++, value += bytes_step())
		word[i] = value;
}

/* Whether bytes_stir() has left that here. */
static inline bool bytes_stirred(const char *mem, size_t len,
				 unsigned long salt)
{
	unsigned long value = (salt + 1) * 0xbf58476d1ce4e5b9UL;
	const unsigned long *word = (const unsigned long *)mem;
	size_t i;

	for (i = 0; i < len / sizeof(*word); i++, value += bytes_step())
		if (word[i] != value)
			return false;
	return true;
}

/* --- pins ---------------------------------------------------------------- */

/* Memory that a pipe holds on to, in the order in which it will be read. */
struct pin {
	int out;
	int in;
};

static inline struct pin pin_new(void)
{
	int ends[2];

	must(pipe2(ends, O_CLOEXEC) == 0);
	/* As large as is allowed without asking. */
	must(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) == 1 << 20);
	return (struct pin){ .out = ends[0], .in = ends[1] };
}

/* Pin @bytes more of memory: not a copy of it is in the pipe, but itself. */
static inline void pin_add(struct pin *pin, const char *mem, size_t bytes)
{
	struct iovec iov = { (void *)mem, bytes };

	must(vmsplice(pin->in, &iov, 1, 0) == (ssize_t)bytes);
}

/* Let go of the next @bytes; whether they are all @value. */
static inline bool pin_drop(struct pin *pin, size_t bytes, char value)
{
	char buf[4096];
	bool same = true;
	ssize_t len;

	for (; bytes; bytes -= len) {
		len = read(pin->out, buf,
			   bytes < sizeof(buf) ? bytes : sizeof(buf));
		must(len > 0);
		same = same && bytes_are(buf, value, len);
	}
	return same;
}

static inline void pin_end(struct pin *pin)
{
	close(pin->out);
	close(pin->in);
}

/* --- the kernel's log ---------------------------------------------------- */

/* The log from here on; with O_NONBLOCK, so that its end can be seen. */
static inline int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	must(fd >= 0 && lseek(fd, 0, SEEK_END) >= 0);
	return fd;
}

/*
 * The next line that the module has written, "LEVEL,...;TEXT", of which the
 * level is the first number's lowest three bits; NULL where there is none.
 */
static inline char *log_next(int fd)
{
	static char record[8192];
	ssize_t len;

	for (;;) {
		len = read(fd, record, sizeof(record) - 1);
		if (len < 0 && errno == EPIPE)
			continue;	/* older lines have been overwritten */
		if (len <= 0)
			return NULL;
		record[len] = '\0';
		/* What follows describes the message for machines. */
		record[strcspn(record, "\n")] = '\0';
		if (strstr(record, ";rhugefs: "))
			return record;
	}
}

/* Read the log to its end: whether a line of the module's has this in it. */
static inline bool log_names(int fd, const char *word)
{
	const char *line;
	bool named = false;

	while ((line = log_next(fd)))
		named = named || strstr(line, word);
	return named;
}

/* --- chance -------------------------------------------------------------- */

/* What SEED says, or the clock; told so that a run can be repeated. */
static inline unsigned long seed_get(void)
{
	const char *text = getenv("SEED");
	struct timespec now;
	unsigned long seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = text && *text ? strtoul(text, NULL, 0) :
			       (now.tv_sec ^ (now.tv_nsec << 8)) % 1000000007;
	dprintf(STDOUT_FILENO, "# seed %lu; SEED=%lu repeats this\n", seed,
		seed);
	return seed;
}

/* The next of a row of numbers that @state, once the seed, determines. */
static inline unsigned long chance(unsigned long *state)
{
	unsigned long x = *state += 0x9e3779b97f4a7c15UL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9UL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebUL;
	return x ^ (x >> 31);
}

/* One of 0 to @n - 1. */
static inline unsigned long chance_of(unsigned long *state, unsigned long n)
{
	return chance(state) % n;
}

/* Sum of the weights in a table. */
#define weights_sum(table)						\
	({								\
		int sum = 0;						\
									\
		for (size_t i = 0; i < ARRAY_SIZE(table); i++)		\
			sum += (table)[i].weight;			\
		sum;							\
	})

/* The entry on which a number below that sum falls. */
#define weights_at(table, number)					\
	({								\
		int left = (number);					\
		size_t at = 0;						\
									\
		while (left >= (table)[at].weight)			\
			left -= (table)[at++].weight;			\
		&(table)[at];						\
	})

/* --- processes ----------------------------------------------------------- */

/* Zeroed memory that children share with their parent. */
static inline void *share(size_t bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(mem != MAP_FAILED);
	return mem;
}

/*
 * Run @work(@arg) in a child, which ends with its return value as exit status,
 * or with 1 where must() fails, and dies with its parent.
 */
static inline pid_t spawn(int (*work)(void *arg), void *arg)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	must(pid >= 0);
	if (pid)
		return pid;
	must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	if (getppid() != parent)
		_exit(1);
	_exit(work(arg));
}

/* Exit status of a child, or -1 and a line about it where a signal ended it. */
static inline int reap(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	dprintf(STDOUT_FILENO, "# pid %d: ended by signal %d\n", pid,
		WTERMSIG(status));
	return -1;
}

static inline int processors(void)
{
	static int number;

	if (!number)
		number = sysconf(_SC_NPROCESSORS_ONLN);
	return number;
}

/* Keep to the @n-th of the processors there are, counted round. */
static inline void run_on(int n)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(n % processors(), &set);
	must(sched_setaffinity(0, sizeof(set), &set) == 0);
}

/*
 * A child that does what it is told, one call after the other, and keeps in its
 * own variables what it has got. The functions are the parent's: the child is a
 * copy of it.
 */
struct peer {
	pid_t pid;
	int to;
	int from;
};

struct peer_order {
	long (*work)(long a, long b, long c);
	long arg[3];
};

/* Tests do not have as many files open. */
#define PEER_FD	1000

static inline void __attribute__((noreturn)) peer_serve(int orders, int answers)
{
	struct peer_order order;
	long answer;

	while (read(orders, &order, sizeof(order)) == sizeof(order) &&
	       order.work) {
		answer = order.work(order.arg[0], order.arg[1], order.arg[2]);
		must(write(answers, &answer, sizeof(answer)) == sizeof(answer));
	}
	_exit(0);
}

static inline int peer_work(void *arg)
{
	int *pipes = arg;

	/* Above all that is open: what is below is the parent's. */
	must(dup3(pipes[0], PEER_FD, O_CLOEXEC) == PEER_FD);
	must(dup3(pipes[3], PEER_FD + 1, O_CLOEXEC) == PEER_FD + 1);
	must(syscall(SYS_close_range, STDERR_FILENO + 1, PEER_FD - 1, 0) == 0);
	peer_serve(PEER_FD, PEER_FD + 1);
}

/* Make a peer, who inherits what the caller has mapped and nothing it has open. */
static inline struct peer peer_new(void)
{
	struct peer peer;
	int pipes[4];

	must(pipe2(pipes, O_CLOEXEC) == 0 && pipe2(pipes + 2, O_CLOEXEC) == 0);
	peer.pid = spawn(peer_work, pipes);
	peer.to = pipes[1];
	peer.from = pipes[2];
	close(pipes[0]);
	close(pipes[3]);
	return peer;
}

/* Have @work done by a peer, with a negative errno as its own failure. */
static inline long peer_call(const struct peer *peer,
			     long (*work)(long a, long b, long c), long a,
			     long b, long c)
{
	struct peer_order order = { work, { a, b, c } };
	long answer;

	must(write(peer->to, &order, sizeof(order)) == sizeof(order));
	must(read(peer->from, &answer, sizeof(answer)) == sizeof(answer));
	return answer;
}

static inline void peer_forget(struct peer *peer)
{
	close(peer->to);
	close(peer->from);
	peer->pid = 0;
}

/* Let a peer exit with all that he has mapped and open. */
static inline void peer_exit(struct peer *peer)
{
	struct peer_order order = { NULL };

	must(write(peer->to, &order, sizeof(order)) == sizeof(order));
	must(reap(peer->pid) == 0);
	peer_forget(peer);
}

/* End a peer who is not asked. */
static inline void peer_kill(struct peer *peer)
{
	int status;

	must(kill(peer->pid, SIGKILL) == 0);
	must(waitpid(peer->pid, &status, 0) == peer->pid);
	must(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	peer_forget(peer);
}

/* Open once more what process @pid has open as @fd, name or no name. */
static inline int open_from(pid_t pid, int fd, int flags)
{
	char path[64];
	int copy;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	copy = open(path, flags | O_CLOEXEC);
	must(copy >= 0);
	return copy;
}

/*
 * A place to meet, in shared memory. Who has spun in vain for a while sleeps: there
 * may be fewer processors than parties, and emulated ones run on what the host
 * has left.
 */
struct sync {
	int parties;
	int arrived;
	int round;
	unsigned int lined_up;
};

#define SYNC_SPINS	5000
#define SYNC_LINE_UP	50000

/* No "pause": for an emulated processor that is a long way to go. */
static inline void sync_spin(void)
{
	__asm__ volatile("" ::: "memory");
}

static inline void sync_meet(struct sync *sync)
{
	const struct timespec patience = { .tv_sec = SYNC_PATIENCE };
	int round = __atomic_load_n(&sync->round, __ATOMIC_ACQUIRE);
	int spins = SYNC_SPINS;

	if (__atomic_add_fetch(&sync->arrived, 1, __ATOMIC_ACQ_REL) ==
	    sync->parties) {
		__atomic_store_n(&sync->arrived, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&sync->round, round + 1, __ATOMIC_RELEASE);
		syscall(SYS_futex, &sync->round, FUTEX_WAKE, INT_MAX, NULL,
			NULL, 0);
		return;
	}
	while (__atomic_load_n(&sync->round, __ATOMIC_ACQUIRE) == round) {
		if (spins-- > 0) {
			sync_spin();
			continue;
		}
		must(!syscall(SYS_futex, &sync->round, FUTEX_WAIT, round,
			      &patience, NULL, 0) || errno != ETIMEDOUT);
	}
}

/*
 * Meet and leave as close to each other as can be. To be woken takes longer than
 * most of what may collide, so all spin once more until the last is awake, but not
 * for ever.
 */
static inline void sync_start(struct sync *sync)
{
	unsigned int parties = sync->parties, mine, last;
	int spins = SYNC_LINE_UP;

	sync_meet(sync);
	if (parties > processors())
		return;
	mine = __atomic_add_fetch(&sync->lined_up, 1, __ATOMIC_ACQ_REL);
	last = (mine + parties - 1) / parties * parties;
	while ((int)(__atomic_load_n(&sync->lined_up, __ATOMIC_ACQUIRE) - last) <
	       0 && spins--)
		sync_spin();
}

#endif
