// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of private mappings that somebody holds by a reference, as devices and
 * pipes do: who sees what is written afterwards, and who has to wait for whom.
 */
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sys/ptrace.h>

#include "private_test.h"

RHUGEFS_FIXTURE(pin);

#define SMALL	4096UL

/* --- what a device reads and writes stays the parent's ------------------- */

TEST_F(pin, in_the_parent_at_fork)
{
	char *map = map_private(file_new(), 0, 2, 0);
	struct pin pin = pin_new();
	struct peer child;

	memset(map, 1, SMALL);
	pin_add(&pin, map, SMALL);
	child = peer_new();
	/* The child has had its copy at once. */
	ASSERT_POOL(2, 1);
	ASSERT_TRUE(selfcheck_ok());
	/* What is written in place is what the pipe shows. */
	memset(map, 2, SMALL);
	ASSERT_POOL(2, 1);
	ASSERT_EQ(peer_look(&child, map), 1);
	ASSERT_TRUE(peer_write(&child, map, 3));
	ASSERT_TRUE(pin_drop(&pin, SMALL, 2));
	ASSERT_EQ(map[0], 2);
	ASSERT_POOL(2, 1);
	peer_exit(&child);
	ASSERT_POOL(1, 1);
}

/* No page left: the child lacks it, and is told so; the parent lacks nothing. */
TEST_F(pin, at_fork_with_no_page_left)
{
	char *map = map_private(file_new(), 0, 1, 0);
	struct pin pin = pin_new();
	int log = log_open();
	struct peer child;

	memset(map, 1, SMALL);
	pin_add(&pin, map, SMALL);
	leave_unpromised(0);
	child = peer_new();
	ASSERT_EQ(peer_look(&child, map), -1);
	ASSERT_TRUE(log_names(log, "SIGBUS"));
	memset(map, 2, SMALL);
	ASSERT_TRUE(pin_drop(&pin, SMALL, 2));
}

/* What a child holds is never written in place: the owner gets another. */
TEST_F(pin, in_the_child)
{
	char *map = map_private(file_new(), 0, 1, 0);
	struct pin pin = pin_new();
	struct peer child;

	memset(map, 1, SMALL);
	child = peer_new();
	ASSERT_TRUE(peer_unmap(&child, map, 1));
	pin_add(&pin, map, SMALL);
	memset(map, 2, SMALL);
	ASSERT_TRUE(pin_drop(&pin, SMALL, 2));
	peer_exit(&child);
	ASSERT_POOL(1, 0);
}

/* A pipe made before the fork, which the child fills. */
static struct pin shared_pin;

/* What a child does that leaves a reference behind. */
static int pin_and_exit(void *arg)
{
	pin_add(&shared_pin, arg, SMALL);
	return 0;
}

TEST_F(pin, in_a_child_that_is_gone)
{
	char *map = map_private(file_new(), 0, 1, 0);

	shared_pin = pin_new();
	memset(map, 1, SMALL);
	ASSERT_EQ(reap(spawn(pin_and_exit, map)), 0);
	ASSERT_POOL(1, 0);
	memset(map, 2, SMALL);
	/* The old one is held by the pipe only. */
	ASSERT_POOL(2, 0);
	ASSERT_TRUE(pin_drop(&shared_pin, SMALL, 1));
	ASSERT_POOL(1, 0);
	ASSERT_EQ(map[1], 2);
}

/* Dropped while it is pinned: the pipe keeps it, the owner has its promise. */
TEST_F(pin, dropped)
{
	char *map = map_private(file_new(), 0, 1, 0);
	struct pin pin = pin_new();

	memset(map, 1, SMALL);
	pin_add(&pin, map, SMALL);
	ASSERT_EQ(drop(map, HUGE), 0);
	ASSERT_EQ(map[0], 0);
	ASSERT_POOL(1, 1);
	ASSERT_TRUE(selfcheck_ok());
	memset(map, 2, SMALL);
	ASSERT_POOL(2, 0);
	ASSERT_TRUE(pin_drop(&pin, SMALL, 1));
	ASSERT_POOL(1, 0);
	ASSERT_EQ(map[0], 2);
}

TEST_F(pin, outlives_the_mapping)
{
	char *map = map_private(file_new(), 0, 2, 0);
	struct pin pin = pin_new();

	memset(map, 1, SMALL);
	pin_add(&pin, map, SMALL);
	ASSERT_EQ(unmap_huge(map, 2), 0);
	ASSERT_POOL(1, 0);
	ASSERT_TRUE(pin_drop(&pin, SMALL, 1));
	ASSERT_POOL(0, 0);
}

/* The page of zeroes is read by pins, and stays zero. */
TEST_F(pin, of_a_hole)
{
	char *map = map_private(file_new(), 0, 1, 0);
	struct pin pin = pin_new();

	ASSERT_EQ(map[0], 0);
	pin_add(&pin, map, SMALL);
	memset(map, 2, SMALL);
	ASSERT_POOL(1, 0);
	ASSERT_TRUE(pin_drop(&pin, SMALL, 0));
}

/* --- waiting for a pin --------------------------------------------------- */

/*
 * The owner wants to write to the only page there is, to which a child that is
 * gone has left a reference: it waits, in the way that is tried.
 */
struct waiting {
	char *map;
	struct sync sync;
	int done;
	int zero;
};

static int wait_by_writing(struct waiting *waiting)
{
	*(volatile char *)waiting->map = 2;
	return 0;
}

/* The kernel writes on our behalf. */
static int wait_by_read(struct waiting *waiting)
{
	return read(waiting->zero, waiting->map, 1) == 1 ? 0 : 1;
}

/* By get_user_pages() on our own memory. */
static int wait_by_vm_readv(struct waiting *waiting)
{
	char byte = 2;
	struct iovec local = { &byte, 1 }, remote = { waiting->map, 1 };

	return process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == 1 ? 0 :
									    1;
}

FIXTURE(waiting) {
	struct pools before;
	pid_t pid;
};

FIXTURE_SETUP(waiting)
{
	self->pid = getpid();
	self->before = pools_read();
}

FIXTURE_TEARDOWN_PARENT(waiting)
{
	if (getpid() != self->pid)
		EXPECT_TRUE(pools_restored(&self->before));
}

FIXTURE_VARIANT(waiting) {
	int (*wait)(struct waiting *waiting);
	char left;		/* in the first byte */
};

FIXTURE_VARIANT_ADD(waiting, by_writing) {
	.wait = wait_by_writing, .left = 2,
};

FIXTURE_VARIANT_ADD(waiting, by_read) {
	.wait = wait_by_read, .left = 0,
};

FIXTURE_VARIANT_ADD(waiting, by_process_vm_writev) {
	.wait = wait_by_vm_readv, .left = 2,
};

struct waiter {
	struct waiting *waiting;
	int (*wait)(struct waiting *waiting);
	char left;
};

/* The owner, in a process of its own that can be killed. */
static int own_and_wait(void *arg)
{
	struct waiter *waiter = arg;
	struct waiting *waiting = waiter->waiting;

	waiting->map = map_private(file_new(), 0, 1, 0);
	must(waiting->map);
	memset(waiting->map, 1, SMALL);
	leave_unpromised(0);
	must(reap(spawn(pin_and_exit, waiting->map)) == 0);
	sync_meet(&waiting->sync);
	must(waiter->wait(waiting) == 0);
	__atomic_store_n(&waiting->done, 1, __ATOMIC_RELEASE);
	must(waiting->map[0] == waiter->left);
	must(bytes_are(waiting->map + 1, 1, SMALL - 1));
	must(bytes_are(waiting->map + SMALL, 0, HUGE - SMALL));
	return 0;
}

static pid_t begin_waiting(struct waiter *waiter,
			   int (*wait)(struct waiting *waiting), char left)
{
	pid_t pid;

	shared_pin = pin_new();
	*waiter = (struct waiter){ share(sizeof(*waiter->waiting)), wait, left };
	waiter->waiting->sync.parties = 2;
	waiter->waiting->zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	must(waiter->waiting->zero >= 0);
	pid = spawn(own_and_wait, waiter);
	sync_meet(&waiter->waiting->sync);
	/* It waits for as long as it takes. */
	usleep(300000);
	must(!waiter->waiting->done);
	return pid;
}

TEST_F(waiting, ends_with_the_pin)
{
	struct waiter waiter;
	pid_t pid = begin_waiting(&waiter, variant->wait, variant->left);

	ASSERT_TRUE(pin_drop(&shared_pin, SMALL, 1));
	ASSERT_EQ(reap(pid), 0);
	ASSERT_EQ(waiter.waiting->done, 1);
}

/* Whether a process that was killed goes within some seconds. */
static bool goes(pid_t pid)
{
	long end = now_ms() + 10000;
	int status;

	while (now_ms() < end) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFSIGNALED(status) &&
			       WTERMSIG(status) == SIGKILL;
		usleep(10000);
	}
	return false;
}

TEST_F(waiting, ends_by_kill)
{
	struct waiter waiter;
	pid_t pid = begin_waiting(&waiter, variant->wait, variant->left);
	bool gone;

	ASSERT_EQ(kill(pid, SIGKILL), 0);
	gone = goes(pid);
	/* Whatever the outcome, this one ends it. */
	ASSERT_TRUE(pin_drop(&shared_pin, SMALL, 1));
	ASSERT_TRUE(gone);
	ASSERT_EQ(waiter.waiting->done, 0);
}

/* Other signals are handled while it waits. */
static volatile sig_atomic_t alarmed;

static void on_alarm(int sig)
{
	alarmed = 1;
	pin_drop(&shared_pin, SMALL, 1);
}

TEST_F(pin, waiting_is_interrupted)
{
	char *map = map_private(file_new(), 0, 1, 0);

	shared_pin = pin_new();
	memset(map, 1, SMALL);
	leave_unpromised(0);
	ASSERT_EQ(reap(spawn(pin_and_exit, map)), 0);
	signal(SIGALRM, on_alarm);
	ualarm(200000, 0);
	/* Only the handler can end it. */
	*(volatile char *)map = 2;
	ASSERT_EQ(alarmed, 1);
	ASSERT_EQ(map[0], 2);
	ASSERT_EQ(map[1], 1);
}

/* --- access that must end ------------------------------------------------ */

static int mem_open(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	must(fd >= 0);
	return fd;
}

TEST_F(pin, proc_mem)
{
	char *map = map_private(file_new(), 0, 3, 0), byte;
	int mem = mem_open(getpid());

	ASSERT_EQ(pwrite(mem, "x", 1, (off_t)map), 1);
	ASSERT_EQ(map[0], 'x');
	ASSERT_POOL(1, 2);
	/* Of what may not be written to, whether it is there or not. */
	ASSERT_EQ(mprotect(map, 2 * HUGE, PROT_READ), 0);
	ASSERT_EQ(pwrite(mem, "y", 1, (off_t)map), -1);
	ASSERT_EQ(errno, EIO);
	ASSERT_EQ(pwrite(mem, "y", 1, (off_t)map + HUGE), -1);
	ASSERT_EQ(errno, EIO);
	ASSERT_EQ(map[0], 'x');
	ASSERT_EQ(map[HUGE], 0);
	ASSERT_EQ(pwrite(mem, "y", 1, (off_t)map + HUGE), -1);
	ASSERT_EQ(errno, EIO);
	/* To read what may not even be read is a debugger's right. */
	ASSERT_EQ(mprotect(map, 2 * HUGE, PROT_NONE), 0);
	ASSERT_EQ(pread(mem, &byte, 1, (off_t)map), 1);
	ASSERT_EQ(byte, 'x');
	ASSERT_EQ(pread(mem, &byte, 1, (off_t)map + HUGE), 1);
	ASSERT_EQ(byte, 0);
	ASSERT_POOL(1, 2);
	ASSERT_EQ(mprotect(map, 2 * HUGE, PROT_READ | PROT_WRITE), 0);
	ASSERT_EQ(touch_pages(map, 3), 3);
	close(mem);
}

static int be_traced(void *arg)
{
	must(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	raise(SIGSTOP);
	must(*(long *)arg == 4711);
	return 0;
}

TEST_F(pin, ptrace)
{
	char *map = map_private(file_new(), 0, 2, 0);
	int status;
	pid_t pid;

	*(long *)map = 1;
	ASSERT_EQ(mprotect(map + HUGE, HUGE, PROT_READ), 0);
	pid = spawn(be_traced, map);
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(ptrace(PTRACE_PEEKDATA, pid, map, NULL), 1);
	ASSERT_EQ(ptrace(PTRACE_POKEDATA, pid, map, 4711), 0);
	ASSERT_EQ(*(long *)map, 1);
	ASSERT_EQ(ptrace(PTRACE_POKEDATA, pid, map + HUGE, 4711), -1);
	ASSERT_EQ(errno, EIO);
	ASSERT_EQ(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	ASSERT_EQ(reap(pid), 0);
}

/* --- long-term pins ------------------------------------------------------ */

static int ring_new(void)
{
	struct io_uring_params params = { 0 };

	return syscall(SYS_io_uring_setup, 4, &params);
}

static int ring_register(int ring, char *map, size_t bytes)
{
	struct iovec iov = { map, bytes };

	return syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS,
		       &iov, 1);
}

static int ring_unregister(int ring)
{
	return syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS,
		       NULL, 0);
}

TEST_F(pin, registered_buffer)
{
	char *map = map_private(file_new(), 0, 2, 0);
	int ring = ring_new();
	struct peer child;

	if (ring < 0)
		SKIP(return, "no io_uring");
	/* Of a page of its own, of a hole. */
	map[0] = 1;
	ASSERT_EQ(map[HUGE], 0);
	if (ring_register(ring, map, 2 * HUGE) && errno == EOPNOTSUPP)
		SKIP(return, "io_uring registers no mapped files here");
	ASSERT_POOL(2, 0);
	/* The pinned pages stay the parent's. */
	child = peer_new();
	ASSERT_POOL(4, 0);
	map[0] = 2;
	ASSERT_POOL(4, 0);
	ASSERT_EQ(peer_look(&child, map), 1);
	ASSERT_TRUE(selfcheck_ok());
	peer_exit(&child);
	ASSERT_EQ(ring_unregister(ring), 0);
	ASSERT_POOL(2, 0);
	close(ring);
}

/* What is shared is made one's own before it is pinned. */
TEST_F(pin, registered_after_fork)
{
	char *map = map_private(file_new(), 0, 1, 0);
	int ring = ring_new();
	struct peer child;

	if (ring < 0)
		SKIP(return, "no io_uring");
	map[0] = 1;
	child = peer_new();
	ASSERT_EQ(map[0], 1);
	if (ring_register(ring, map, HUGE) && errno == EOPNOTSUPP) {
		peer_exit(&child);
		SKIP(return, "io_uring registers no mapped files here");
	}
	ASSERT_POOL(2, 0);
	map[0] = 2;
	ASSERT_POOL(2, 0);
	ASSERT_EQ(peer_look(&child, map), 1);
	close(ring);
	peer_exit(&child);
	ASSERT_POOL(1, 0);
}

/* Of what may not be written to: refused or not, at once. */
TEST_F(pin, registered_read_only)
{
	char *map = map_private(file_new(), 0, 2, 0);
	long start = now_ms();
	int ring = ring_new();

	if (ring < 0)
		SKIP(return, "no io_uring");
	map[0] = 1;
	ASSERT_EQ(mprotect(map, 2 * HUGE, PROT_READ), 0);
	if (ring_register(ring, map, HUGE))
		ASSERT_TRUE(errno == EFAULT || errno == EOPNOTSUPP);
	ASSERT_EQ(map[HUGE], 0);
	if (ring_register(ring, map + HUGE, HUGE))
		ASSERT_TRUE(errno == EFAULT || errno == EOPNOTSUPP ||
			    errno == EBUSY);
	ASSERT_GT(5000, now_ms() - start);
	close(ring);
}

/* --- futexes ------------------------------------------------------------- */

static int futex(int *word, int op, int value)
{
	const struct timespec patience = { .tv_sec = SYNC_PATIENCE };

	return syscall(SYS_futex, word, op, value, &patience, NULL, 0);
}

struct sleeper {
	int *word;
	int op;
	int woken;
};

static void *sleep_on(void *arg)
{
	struct sleeper *sleeper = arg;

	while (!__atomic_load_n(sleeper->word, __ATOMIC_ACQUIRE))
		must(futex(sleeper->word, sleeper->op, 0) == 0 ||
		     errno == EAGAIN);
	return NULL;
}

static void sleep_and_wake(int op_wait, int op_wake)
{
	int *word = (int *)map_private(file_new(), 0, 1, 0);
	struct sleeper sleeper = { word, op_wait };
	pthread_t thread;

	must(pthread_create(&thread, NULL, sleep_on, &sleeper) == 0);
	/* Whether it sleeps by then or not, it must get up. */
	usleep(100000);
	/* Forks change the page under the word. */
	must(reap(spawn(pin_and_exit, word)) == 0);
	__atomic_store_n(word, 1, __ATOMIC_RELEASE);
	futex(word, op_wake, 1);
	must(pthread_join(thread, NULL) == 0);
}

TEST_F(pin, futex_of_threads)
{
	shared_pin = pin_new();
	sleep_and_wake(FUTEX_WAIT_PRIVATE, FUTEX_WAKE_PRIVATE);
	sleep_and_wake(FUTEX_WAIT, FUTEX_WAKE);
}

static long order_wake(long at, long number, long c)
{
	return futex((int *)at, FUTEX_WAKE, number);
}

/*
 * A child's memory is another than its parent's: who waits here is not woken from
 * there, nor does that keep those from being woken who wait there.
 */
TEST_F(pin, futex_is_not_the_childs)
{
	int *word = (int *)map_private(file_new(), 0, 1, 0);
	struct sleeper sleeper = { word, FUTEX_WAIT };
	pthread_t thread;
	struct peer child;

	*word = 0;
	child = peer_new();
	*word = 0;
	ASSERT_TRUE(peer_write(&child, (char *)word, 0));
	ASSERT_EQ(pthread_create(&thread, NULL, sleep_on, &sleeper), 0);
	usleep(200000);
	ASSERT_EQ(peer_call(&child, order_wake, (long)word, 1, 0), 0);
	*word = 1;
	futex(word, FUTEX_WAKE, 1);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	peer_exit(&child);
}

static void *fork_and_return(void *arg)
{
	char on_stack[10000];

	/* From here, with what the kernel clears at the end in the same page. */
	memset(on_stack, 1, sizeof(on_stack));
	must(reap(spawn(pin_and_exit, on_stack)) == 0);
	usleep(50000);
	return NULL;
}

TEST_F(pin, stack_of_a_thread)
{
	char *map = map_private(file_new(), 0, 1, 0);
	pthread_attr_t attr;
	pthread_t thread;
	int i;

	shared_pin = pin_new();
	ASSERT_EQ(pthread_attr_init(&attr), 0);
	ASSERT_EQ(pthread_attr_setstack(&attr, map, HUGE), 0);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(pthread_create(&thread, &attr, fork_and_return, NULL),
			  0);
		ASSERT_EQ(pthread_join(thread, NULL), 0);
	}
}

TEST_HARNESS_MAIN
