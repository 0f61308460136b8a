// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an unprivileged user cannot do, who may make files on a mount: each line of
 * Documentation/security.rst that no other test is about.
 */
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "own_mount.h"

#define NOBODY	65534

/* What the mount may use. */
#define LIMIT	16
#define OPTIONS	"mode=1777,size=32M"
/* The same where it is about anything but pages. */
#define FEW		1
#define FEW_OPTIONS	"mode=1777,size=2M"
#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/* Larger than any pool, and as large as an address space allows. */
#define TERA	(1UL << 40)

RHUGEFS_FIXTURE(hostile);

/* --- what is the administrator's ------------------------------------------ */

static int try_to_mount(void)
{
	must(mount("none", "/tmp", "rhugefs", 0, NULL) == -1 &&
	     errno == EPERM);
	must(mount("none", ".", NULL, MS_REMOUNT, "size=1T") == -1 &&
	     errno == EPERM);
	/* Not every kernel lets him have a namespace of users at all. */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return 0;
	must(mount("none", "/tmp", "rhugefs", 0, NULL) == -1 &&
	     errno == EPERM);
	must(mount("none", ".", NULL, MS_REMOUNT, "size=1T") == -1 &&
	     errno == EPERM);
	return 0;
}

TEST_F(hostile, mount)
{
	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(NOBODY, try_to_mount));
}

/* What they say is not read, let alone logged. */
static int try_options(void)
{
	int i;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return 0;
	for (i = 0; i < 100; i++) {
		must(mount("none", "/tmp", "rhugefs", 0, "size=4X") == -1 &&
		     errno == EPERM);
		must(mount("none", ".", NULL, MS_REMOUNT, "size=4X") == -1 &&
		     errno == EPERM);
	}
	/* A context would keep the module loaded. */
	must(syscall(SYS_fsopen, "rhugefs", 0) == -1 && errno == EPERM);
	return 0;
}

TEST_F(hostile, options)
{
	int log;

	mount_own(OPTIONS);
	log = log_open();
	ASSERT_TRUE(works_for(NOBODY, try_options));
	ASSERT_EQ(log_next(log), NULL);
}

static int try_to_set(void)
{
	static const char *const files[] = {
		"nr_hugepages", "nr_overcommit_hugepages", "zeroed_low",
		"zeroed_high", "node0/nr_hugepages",
	};
	char path[256];
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), POOL_SYSFS "/%s", files[i]);
		must(open(path, O_RDONLY | O_CLOEXEC) >= 0);
		must(open(path, O_WRONLY | O_CLOEXEC) == -1 && errno == EACCES);
	}
	must(open(SELFCHECK, O_RDONLY | O_CLOEXEC) == -1);
	must(open("/sys/kernel/debug/rhugefs/users", O_RDONLY | O_CLOEXEC) ==
	     -1);
	must(open("/sys/module/rhugefs/parameters/min_free_hugepages",
		  O_WRONLY | O_CLOEXEC) == -1);
	must(syscall(SYS_delete_module, "rhugefs", O_NONBLOCK) == -1 &&
	     errno == EPERM);
	return 0;
}

TEST_F(hostile, pool)
{
	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(NOBODY, try_to_set));
}

/* --- the mount's size ------------------------------------------------------ */

/* As much as there is to be had, in every way at once. */
static int grab(void *unused)
{
	char *map;
	int i, fd;

	for (i = 0; i < 40; i++) {
		fd = own_file();
		map = map_huge(fd, 0, 3, i % 2 ? MAP_NORESERVE : 0);
		if (map)
			touch_pages(map, 3);
		map = map_private(fd, 0, 3, i % 2 ? MAP_NORESERVE : 0);
		if (map)
			touch_pages(map, 3);
		if (map && fork() == 0) {
			touch_pages(map, 3);
			_exit(0);
		}
		if (fallocate(fd, 0, 0, 2 * HUGE) == 0)
			must(pwrite(fd, "", 1, 5 * HUGE) == 1 ||
			     errno == ENOSPC);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}

static int grab_together(void)
{
	pid_t pid[4];
	int i;

	for (i = 0; i < 4; i++)
		pid[i] = spawn(grab, NULL);
	for (i = 0; i < 4; i++)
		must(reap(pid[i]) == 0);
	return 0;
}

/*
 * Until the other one ends: the most that was missing from the pool at any time. What is
 * read one after the other belongs together where it is the same a second time.
 */
static long most_missing(pid_t pid, long before)
{
	long most = 0, missing;
	struct pool one, two;

	while (waitpid(pid, NULL, WNOHANG) == 0) {
		one = pool_read();
		two = pool_read();
		if (one.free != two.free || one.resv != two.resv)
			continue;
		missing = before - (one.free - one.resv);
		most = missing > most ? missing : most;
	}
	return most;
}

TEST_F_TIMEOUT(hostile, size, 120)
{
	long before = pool_unpromised(), most;
	pid_t pid;

	mount_own(OPTIONS);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		become(NOBODY);
		_exit(grab_together());
	}
	most = most_missing(pid, before);
	ASSERT_LE(most, LIMIT);
	ASSERT_LT(0, most);
	ASSERT_TRUE(selfcheck_ok());
}

/* --- the log ----------------------------------------------------------------- */

/* SIGBUS and refusals of all kinds, again and again. */
static int provoke(void)
{
	char *map, *more;
	int fd, i;

	for (i = 0; i < 200; i++) {
		fd = own_file();
		map = map_private(fd, 0, FEW, MAP_NORESERVE);
		must(map && touch_pages(map, FEW) == FEW);
		more = map_private(fd, 0, 1, MAP_NORESERVE);
		must(more && !can_write(more));
		must(!map_huge(fd, 0, 1, 0));
		must(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) ==
		     MAP_FAILED);
		must(fallocate(fd, 0, 0, HUGE) == -1);
		must(unmap_huge(map, FEW) == 0 && unmap_huge(more, 1) == 0);
		close(fd);
	}
	return 0;
}

TEST_F_TIMEOUT(hostile, log, 120)
{
	long begun = now_ms(), intervals;
	int log, lines = 0;

	mount_own(FEW_OPTIONS);
	log = log_open();
	ASSERT_TRUE(works_for(NOBODY, provoke));
	while (log_next(log))
		lines++;
	/* Each of a few places may write ten lines in five seconds. */
	intervals = (now_ms() - begun) / 5000 + 1;
	ASSERT_LE(lines, 30 * intervals + 30);
}

/* --- when he is gone --------------------------------------------------------- */

/* An open file that is in nobody's table but on its way, to himself. */
static void send_to_nobody(int fd)
{
	char control[CMSG_SPACE(2 * sizeof(int))] = "";
	struct iovec iov = { "", 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
	int ends[2], sent[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends)) {
		must(errno == ENOSYS || errno == EAFNOSUPPORT);
		return;
	}
	sent[0] = fd;
	sent[1] = ends[1];
	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(sent));
	memcpy(CMSG_DATA(head), sent, sizeof(sent));
	must(sendmsg(ends[0], &msg, 0) == 1);
	close(ends[0]);
	close(ends[1]);
}

/* Hold pages in every way that he has, and wait to be killed. */
static int hold(void *told)
{
	struct pin pin = pin_new();
	int fd = own_file();
	char *map = map_huge(fd, 0, 2, MAP_LOCKED), *private;

	must(map && touch_pages(map, 2) == 2);
	pin_add(&pin, map, 4096);
	must(fallocate(fd, PUNCH, 0, HUGE) == 0);
	private = map_private(fd, 0, 2, 0);
	must(private && touch_pages(private, 2) == 2);
	send_to_nobody(fd);
	close(fd);
	if (fork() == 0)
		touch_pages(private, 2);
	__atomic_add_fetch((int *)told, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static int hold_and_die(void)
{
	int *told = share(sizeof(*told));
	pid_t pid[2];
	int i;

	for (i = 0; i < 2; i++)
		pid[i] = spawn(hold, told);
	while (__atomic_load_n(told, __ATOMIC_SEQ_CST) < 4)
		usleep(1000);
	/* All that is his, as a session's end would. */
	kill(-1, SIGKILL);
	for (i = 0; i < 2; i++)
		reap(pid[i]);
	return 0;
}

/* A socket that is on its way in itself waits for the kernel to look for such. */
static void collect_sockets(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends))
		return;
	close(ends[0]);
	close(ends[1]);
}

TEST_F_TIMEOUT(hostile, gone, 120)
{
	struct pools before = pools_read();

	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(NOBODY, hold_and_die));
	collect_sockets();
	ASSERT_TRUE(pools_moved(&before, 0, 0));
	ASSERT_TRUE(selfcheck_ok());
	/* Nothing keeps the mount, either. */
	ASSERT_EQ(chdir("/"), 0);
	ASSERT_EQ(umount(OWN_DIR), 0);
}

/* --- one call, however large ------------------------------------------------- */

/* Each comes back long before the test's time is over, whatever it says. */
static int ask_for_much(void)
{
	unsigned long most = 64 * TERA, nodes = 1;
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	int fd = own_file();
	char *map, byte;

	setrlimit(RLIMIT_FSIZE, &all);
	must(ftruncate(fd, (1UL << 62)) == 0);
	must(fallocate(fd, 0, 0, 1UL << 61) == -1 && errno == ENOSPC);
	must(fallocate(fd, PUNCH, 0, 1UL << 62) == 0);
	must(fallocate(fd, FALLOC_FL_ZERO_RANGE, HUGE, 1UL << 61) == -1);
	must(lseek(fd, 0, SEEK_DATA) == -1 && errno == ENXIO);
	must(lseek(fd, 1, SEEK_HOLE) == 1);
	must(pread(fd, &byte, 1, (1UL << 62) - 1) == 1 && !byte);
	must(!map_huge(fd, 0, most / HUGE, 0) && errno == ENOMEM);
	map = map_huge(fd, 0, most / HUGE, MAP_NORESERVE);
	must(map);
	must(touch_pages(map + most - 2 * HUGE, 2) == 2);
	must(madvise(map, most, MADV_DONTNEED) == 0);
	must(madvise(map, most, MADV_REMOVE) == 0);
	must(syscall(SYS_mbind, map, most, MPOL_PREFERRED, &nodes, 8, 0) == 0);
	must(mprotect(map, most, PROT_READ) == 0);
	must(msync(map, most, MS_SYNC) == 0);
	madvise(map, most, MADV_WILLNEED);
	madvise(map, most, MADV_COLD);
	must(munmap(map, most) == 0);
	map = map_private(fd, 0, most / HUGE, MAP_NORESERVE);
	must(map && touch_pages(map + most / 2, 2) == 2);
	must(madvise(map, most, MADV_DONTNEED) == 0);
	must(syscall(SYS_mbind, map, most, MPOL_PREFERRED, &nodes, 8, 0) == 0);
	if (fork() == 0)
		_exit(0);
	must(wait(NULL) > 0);
	must(munmap(map, most) == 0);
	must(ftruncate(fd, 0) == 0);
	return 0;
}

TEST_F_TIMEOUT(hostile, large, 120)
{
	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(NOBODY, ask_for_much));
	ASSERT_TRUE(selfcheck_ok());
}

TEST_HARNESS_MAIN
