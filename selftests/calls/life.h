/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A caller's life: what it has at the beginning, what it does, and how it may end.
 */
#ifndef RHUGEFS_CALLS_LIFE_H
#define RHUGEFS_CALLS_LIFE_H

#include <sys/resource.h>
#include <sys/time.h>

#include "uring.h"
#include "world.h"

/* Steps of one life, which what has been mapped by then would make dull. */
#define LIFE_STEPS	250

/* In huge pages. */
#define FILE_PAGES	8

/* Who sleeps is woken so often, in microseconds, and gives up after so many times. */
#define WAKE_EVERY	20000
#define WAKE_MOST	50

/* --- one call -------------------------------------------------------------- */

static inline void put_into_a_slot(struct caller *caller, int fd)
{
	if (fd < FD_FIRST || fd >= FD_FIRST + FDS) {
		dup2(fd, FD_FIRST + pick(caller, FDS));
		close(fd);
	}
}

/* Whether somebody without rights has mounted, or begun to mount, something of ours. */
static inline bool is_ours(const struct call *call, const unsigned long *arg)
{
	if (call->nr == SYS_fsopen)
		return !strcmp((char *)arg[0], "rhugefs");
	return call->nr == SYS_mount && !(arg[3] & ~(MS_RDONLY | MS_REC)) &&
	       !strcmp((char *)arg[2], "rhugefs");
}

static inline void check_result(struct caller *caller, const struct call *call,
				const unsigned long *arg, long result)
{
	if (result == -1 && errno > LARGEST_ERRNO)
		fail(caller, "%s says errno %d", call->name, errno);
	if (result < 0)
		return;
	if ((call->never && !caller->is_lord) || is_ours(call, arg))
		fail(caller, "%s has succeeded", call->name);
	if (call->most && (unsigned long)result > arg[call->most - 1])
		fail(caller, "%s says %ld, of %ld", call->name, result,
		     arg[call->most - 1]);
}

static inline void make_call(struct caller *caller)
{
	const struct call *call = &pick_from(caller, calls);
	unsigned long arg[ARGS] = { 0 };
	long result;
	int i;

	for (i = 0; i < ARGS && call->arg[i]; i++)
		arg[i] = kind_pick(caller, call->arg[i]);
	note(caller, "%s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)", call->name,
	     arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
	count(&caller->told->tried[call - calls]);
	result = syscall(call->nr, arg[0], arg[1], arg[2], arg[3], arg[4],
			 arg[5]);
	check_result(caller, call, arg, result);
	if (result < 0)
		return;
	count(&caller->told->done[call - calls]);
	if (call->opens)
		put_into_a_slot(caller, result);
}

/* --- at the beginning ------------------------------------------------------ */

static struct caller *woken;
static unsigned long last_step;
static int times_woken;

/*
 * Interrupts what sleeps. What has no end although it can be interrupted may be of the
 * caller's own making: who waits for a page that he is to bring himself gives up.
 */
static inline void wake(int sig)
{
	unsigned long step = woken->told->step[woken->nr];

	times_woken = step == last_step ? times_woken + 1 : 0;
	last_step = step;
	if (times_woken <= WAKE_MOST)
		return;
	if (!woken->has_userfault)
		fail(woken, "a step has no end");
	count(&woken->told->given_up);
	_exit(0);
}

static inline void handle(int sig, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	must(sigaction(sig, &action, NULL) == 0);
}

static inline void put(int slot, int fd)
{
	/* Not every kernel has everything. */
	if (fd < 0)
		return;
	must(dup2(fd, FD_FIRST + slot) >= 0);
	close(fd);
}

static inline int open_userfault(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY | O_NONBLOCK);

	if (fd >= 0)
		ioctl(fd, UFFDIO_API, &api);
	return fd;
}

static inline int open_file(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT, 0600);

	if (fd < 0)
		fd = open(".", O_TMPFILE | O_RDWR, 0600);
	/* The rest of the time it is as large as somebody has made it. */
	if (!(getpid() % 2))
		ftruncate(fd, FILE_PAGES * HUGE);
	return fd;
}

static inline void open_all(struct caller *caller)
{
	char name[] = "f0";
	int ends[2], fd, i;

	for (i = 0; i < FDS; i++, name[1] = '0' + i % 4)
		put(i, open_file(name));
	put(0, open("public", O_RDONLY));
	put(1, open(".", O_RDONLY | O_DIRECTORY));
	put(2, open("f0", O_PATH));
	must(pipe2(ends, O_NONBLOCK) == 0);
	put(3, ends[0]);
	put(4, ends[1]);
	fd = memfd_create("memory", MFD_ALLOW_SEALING);
	must(ftruncate(fd, SCRATCH_BYTES) == 0);
	must(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0);
	put(5, fd);
	put(6, open("/proc/self/pagemap", O_RDONLY));
	put(7, syscall(SYS_pidfd_open, getpid(), 0));
	put(8, open("/dev/zero", O_RDWR));
	if (caller->has_userfault)
		put(9, open_userfault());
	ring_begin();
}

/* The test's own descriptors are not for playing. */
static inline void forget_the_test(void)
{
	struct rlimit few = { FD_FIRST + FDS + 8, FD_FIRST + FDS + 8 };
	struct rlimit none = { 0, 0 };
	int fd;

	for (fd = 0; fd < 256; fd++)
		close(fd);
	must(setrlimit(RLIMIT_NOFILE, &few) == 0);
	must(setrlimit(RLIMIT_CORE, &none) == 0);
}

static inline void reserve_arena(void)
{
	void *arena = mmap((void *)ARENA, ARENA_PAGES * HUGE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	void *scratch = mmap((void *)SCRATCH, SCRATCH_BYTES,
			     PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	must(arena != MAP_FAILED && scratch != MAP_FAILED);
}

/* Root, of users of whom he is the only one. Not every kernel lets him. */
static inline bool be_a_lord(void)
{
	char map[32];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	snprintf(map, sizeof(map), "0 %d 1", NOBODY);
	must(tell_kernel("/proc/self/setgroups", "deny") == 0);
	must(tell_kernel("/proc/self/uid_map", map) == 0);
	must(tell_kernel("/proc/self/gid_map", map) == 0);
	return true;
}

static inline void life_begin(struct caller *caller)
{
	struct itimerval often = {
		.it_interval = { .tv_usec = WAKE_EVERY },
		.it_value = { .tv_usec = WAKE_EVERY },
	};
	unsigned long life = caller->told->lives[caller->nr]++;

	must(setpgid(0, 0) == 0);
	forget_the_test();
	become(NOBODY);
	/* As before that: to be debugged, and to end with the test. */
	must(prctl(PR_SET_DUMPABLE, 1) == 0);
	must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	caller->is_lord = life % 3 == 1 && be_a_lord();
	reserve_arena();
	caller->has_userfault = life % 2;
	open_all(caller);
	syscall(SYS_io_setup, 16, &caller->aio);
	handle(SIGSEGV, access_refused);
	handle(SIGBUS, access_refused);
	handle(SIGIO, SIG_IGN);
	handle(SIGPIPE, SIG_IGN);
	handle(SIGXFSZ, SIG_IGN);
	woken = caller;
	handle(SIGALRM, wake);
	must(setitimer(ITIMER_REAL, &often, NULL) == 0);
}

/* --- from then on ------------------------------------------------------------ */

/* Without this hardly anything were mapped: of random arguments few make sense. */
static inline void map_a_file(struct caller *caller)
{
	unsigned long at = any_page(caller), pages = 1 + pick(caller, 3);
	int flags = MAP_FIXED | (one_in(caller, 2) ? MAP_SHARED : MAP_PRIVATE) |
		    (one_in(caller, 2) ? MAP_NORESERVE : 0);
	int fd = FD_FIRST + 10 + pick(caller, FDS - 10);
	unsigned long from = pick(caller, FILE_PAGES);

	note(caller, "mmap %lu pages from %lu of %d at %#lx, %#x", pages, from,
	     fd, at, flags);
	mmap((void *)at, pages * HUGE, PROT_READ | PROT_WRITE, flags, fd,
	     from * HUGE);
}

/* What a child does with what it has inherited. */
static inline void have_a_child(struct caller *caller)
{
	pid_t pid;
	int i;

	note(caller, "fork");
	pid = fork();
	if (pid < 0)
		return;
	if (!pid) {
		for (i = 0; i < 6; i++) {
			touch(caller);
			make_call(caller);
		}
		_exit(0);
	}
	if (one_in(caller, 2))
		touch(caller);
	/* Woken before it is over it will be waited for the next time. */
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static inline void step(struct caller *caller)
{
	unsigned long *number = &caller->told->step[caller->nr];

	__atomic_add_fetch(number, 1, __ATOMIC_SEQ_CST);
	caller->state = caller->told->seed * 0x9e3779b97f4a7c15UL +
			caller->nr * 0xbf58476d1ce4e5b9UL + *number;
	chance(&caller->state);
	if (one_in(caller, 40))
		have_a_child(caller);
	else if (one_in(caller, 8))
		map_a_file(caller);
	else if (one_in(caller, 4))
		touch(caller);
	else if (one_in(caller, 8))
		make_request(caller);
	else
		make_call(caller);
}

static inline int live(void *arg)
{
	struct caller *caller = arg;
	int i;

	life_begin(caller);
	for (i = 0; i < LIFE_STEPS; i++) {
		step(caller);
		if (i % 32 == 0)
			look_for_secret(caller, (unsigned long *)SCRATCH,
					SCRATCH_BYTES / 8);
	}
	return 0;
}

#endif
