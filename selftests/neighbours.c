// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs and the kernel put into huge pages, or look at them with: mutexes whose
 * owners die, semaphores, other processes' memory, profilers, locks on memory, /proc.
 * What the kernel shows is printed; what programs rely on is asserted.
 */
#include <linux/perf_event.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "private_test.h"

RHUGEFS_FIXTURE(neighbours);

#define SMALL	4096UL

/* --- mutexes whose owners die -------------------------------------------- */

static pthread_mutex_t *robust_at(char *at)
{
	pthread_mutex_t *mutex = (pthread_mutex_t *)at;
	pthread_mutexattr_t attr;

	must(pthread_mutexattr_init(&attr) == 0);
	must(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED) == 0);
	must(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST) == 0);
	must(pthread_mutex_init(mutex, &attr) == 0);
	return mutex;
}

struct owner {
	pthread_mutex_t *mutex;
	struct sync *sync;
};

static int own_and_wait(void *arg)
{
	struct owner *owner = arg;

	must(pthread_mutex_lock(owner->mutex) == 0);
	sync_meet(owner->sync);
	pause();
	return 0;
}

static pid_t owned_by_child(struct owner *owner)
{
	pid_t pid;

	owner->sync = share(sizeof(*owner->sync));
	owner->sync->parties = 2;
	pid = spawn(own_and_wait, owner);
	sync_meet(owner->sync);
	return pid;
}

static void kill_and_reap(pid_t pid)
{
	int status;

	must(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	must(WIFSIGNALED(status));
}

/* Whether the heir is told, once, and can use it then. */
static bool inherited(pthread_mutex_t *mutex)
{
	return pthread_mutex_lock(mutex) == EOWNERDEAD &&
	       pthread_mutex_consistent(mutex) == 0 &&
	       pthread_mutex_unlock(mutex) == 0 &&
	       pthread_mutex_lock(mutex) == 0 &&
	       pthread_mutex_unlock(mutex) == 0;
}

TEST_F(neighbours, owner_is_killed)
{
	char *map = map_new(2, 0);
	struct owner owner = { robust_at(map + HUGE + 100 * SMALL) };
	pid_t pid = owned_by_child(&owner);

	ASSERT_EQ(pthread_mutex_trylock(owner.mutex), EBUSY);
	kill_and_reap(pid);
	ASSERT_TRUE(inherited(owner.mutex));
	ASSERT_POOL(1, 1);
}

static void *wait_for_it(void *arg)
{
	return (void *)(long)inherited(arg);
}

TEST_F(neighbours, owner_is_killed_while_another_waits)
{
	struct owner owner = { robust_at(map_new(1, 0)) };
	pid_t pid = owned_by_child(&owner);
	pthread_t thread;
	void *answer;

	ASSERT_EQ(pthread_create(&thread, NULL, wait_for_it, owner.mutex), 0);
	usleep(200000);
	kill_and_reap(pid);
	ASSERT_EQ(pthread_join(thread, &answer), 0);
	ASSERT_NE(answer, NULL);
}

static void *own_and_exit(void *arg)
{
	return (void *)(long)pthread_mutex_lock(arg);
}

TEST_F(neighbours, owner_was_a_thread)
{
	int fd = file_new(), i;
	pthread_mutex_t *mutex;
	pthread_t thread;
	char *map;

	for (i = 0; i < 2; i++) {
		map = i ? map_private(fd, 0, 1, 0) : map_huge(fd, 0, 1, 0);
		mutex = robust_at(map);
		ASSERT_EQ(pthread_create(&thread, NULL, own_and_exit, mutex),
			  0);
		ASSERT_EQ(pthread_join(thread, NULL), 0);
		ASSERT_TRUE(inherited(mutex));
	}
}

/* The kernel looks for the dead one's mutexes and finds no page: it must just end. */
TEST_F(neighbours, owner_dies_when_its_page_is_gone)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 1, 0);
	struct owner owner = { robust_at(map) };
	pid_t pid = owned_by_child(&owner);

	ASSERT_EQ(ftruncate(fd, 0), 0);
	kill_and_reap(pid);
	ASSERT_POOL(0, 0);
	ASSERT_EQ(ftruncate(fd, HUGE), 0);
	owner.mutex = robust_at(map);
	ASSERT_EQ(pthread_mutex_lock(owner.mutex), 0);
	ASSERT_EQ(pthread_mutex_unlock(owner.mutex), 0);
}

/* --- semaphores ---------------------------------------------------------- */

#define ROUNDS	2000

struct table {
	sem_t ping;
	sem_t pong;
	long ball;
};

/* From another address than the other's. */
static int play(void *arg)
{
	struct table *table = (void *)map_huge(*(int *)arg, 0, 1, 0);
	int i;

	must(table);
	for (i = 0; i < ROUNDS; i++) {
		must(sem_wait(&table->ping) == 0);
		must(table->ball++ == 2 * i);
		must(sem_post(&table->pong) == 0);
	}
	return 0;
}

TEST_F(neighbours, semaphores_between_processes)
{
	int fd = file_new(), i;
	struct timespec now;
	struct table *table = (void *)map_huge(fd, 0, 1, 0);
	pid_t pid;

	ASSERT_EQ(sem_init(&table->ping, 1, 0), 0);
	ASSERT_EQ(sem_init(&table->pong, 1, 0), 0);
	pid = spawn(play, &fd);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(sem_post(&table->ping), 0);
		ASSERT_EQ(sem_wait(&table->pong), 0);
		ASSERT_EQ(table->ball++, 2 * i + 1);
	}
	ASSERT_EQ(reap(pid), 0);
	clock_gettime(CLOCK_REALTIME, &now);
	ASSERT_EQ(sem_timedwait(&table->ping, &now), -1);
	ASSERT_EQ(errno, ETIMEDOUT);
}

/* --- other processes' memory --------------------------------------------- */

static int wait_for_end(void *arg)
{
	pause();
	return 0;
}

static ssize_t copy_from(pid_t pid, char *to, char *from, size_t bytes)
{
	struct iovec here = { to, bytes }, there = { from, bytes };

	return process_vm_readv(pid, &here, 1, &there, 1, 0);
}

static ssize_t copy_to(pid_t pid, char *from, char *to, size_t bytes)
{
	struct iovec here = { from, bytes }, there = { to, bytes };

	return process_vm_writev(pid, &here, 1, &there, 1, 0);
}

TEST_F(neighbours, memory_of_another_process)
{
	char *shared = map_new(2, 0), *private = map_private(file_new(), 0, 2, 0);
	pid_t pid;

	memset(shared, 1, 2 * HUGE);
	memset(private, 2, 2 * HUGE);
	pid = spawn(wait_for_end, NULL);
	/* The child's private pages are copied before they are written. */
	ASSERT_EQ(copy_to(pid, shared, private + 100, HUGE), HUGE);
	ASSERT_TRUE(bytes_are(private, 2, 2 * HUGE));
	ASSERT_EQ(copy_from(pid, shared, private, 2 * HUGE), 2 * HUGE);
	ASSERT_TRUE(bytes_are(shared, 2, 100));
	ASSERT_TRUE(bytes_are(shared + 100, 1, HUGE));
	ASSERT_TRUE(bytes_are(shared + 100 + HUGE, 2, HUGE - 100));
	/* And shared ones are not. */
	memset(private, 3, HUGE);
	ASSERT_EQ(copy_to(pid, private, shared + HUGE / 2, HUGE), HUGE);
	ASSERT_TRUE(bytes_are(shared + HUGE / 2, 3, HUGE));
	ASSERT_TRUE(selfcheck_ok());
	kill_and_reap(pid);
	/* Its copies are gone with it. */
	ASSERT_POOL(4, 0);
}

TEST_F(neighbours, memory_that_is_not_there)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 2, MAP_NORESERVE), *buf = map_new(2, 0);
	pid_t pid = spawn(wait_for_end, NULL);

	/* A hole gets a page as from a fault; behind the end there is none. */
	ASSERT_EQ(copy_from(pid, buf, map + HUGE, 10), 10);
	ASSERT_EQ(ftruncate(fd, HUGE), 0);
	ASSERT_EQ(copy_from(pid, buf, map + HUGE - 10, 20), 10);
	ASSERT_EQ(copy_from(pid, buf, map + HUGE, 20), -1);
	ASSERT_EQ(errno, EFAULT);
	kill_and_reap(pid);
}

/* --- profilers ----------------------------------------------------------- */

#define RING_PAGES	16

static int perf_open(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.size = sizeof(attr),
		.sample_period = 1000000,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_CALLCHAIN |
			       PERF_SAMPLE_ADDR | PERF_SAMPLE_STACK_USER |
			       PERF_SAMPLE_REGS_USER | PERF_SAMPLE_PHYS_ADDR,
		.sample_stack_user = 4096,
		.sample_regs_user = 1,
		.mmap = 1,
		.mmap2 = 1,
		.mmap_data = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0UL);
}

/* How many records of a kind are in the ring; those of mappings only at @addr. */
static int perf_count(struct perf_event_mmap_page *ring, int type,
		      unsigned long addr)
{
	char *data = (char *)ring + SMALL;
	unsigned long at = 0, size = RING_PAGES * SMALL;
	struct perf_event_header *record;
	unsigned long *body;
	int count = 0;

	/* It is not overwritten, and so begins at its begin. */
	while (at < ring->data_head && at + sizeof(*record) <= size) {
		record = (struct perf_event_header *)(data + at);
		body = (unsigned long *)(record + 1);
		must(record->size);
		/* Process and thread come before the address. */
		if (record->type == type && (!addr || body[1] == addr))
			count++;
		at += record->size;
	}
	return count;
}

struct profiled {
	char *shared;
	char *private;
	int fd;
};

/* Its stack is in a huge page, where the profiler reads it without a fault. */
static void *keep_busy(void *arg)
{
	struct profiled *profiled = arg;
	long end = now_ms() + 300;
	volatile char local[8192];
	int i;

	must(ioctl(profiled->fd, PERF_EVENT_IOC_ENABLE, 0) == 0);
	profiled->shared = map_new(4, 0);
	while (now_ms() < end) {
		for (i = 0; i < sizeof(local); i++)
			local[i] = i;
		for (i = 0; i < 4; i++)
			profiled->shared[i * HUGE + local[i]]++;
		madvise(profiled->shared, 4 * HUGE, MADV_REMOVE);
	}
	must(ioctl(profiled->fd, PERF_EVENT_IOC_DISABLE, 0) == 0);
	return NULL;
}

static void *be_profiled(void *arg)
{
	struct profiled *profiled = arg;
	struct perf_event_mmap_page *ring;

	profiled->fd = perf_open();
	must(profiled->fd >= 0);
	ring = mmap(NULL, (RING_PAGES + 1) * SMALL, PROT_READ | PROT_WRITE,
		    MAP_SHARED, profiled->fd, 0);
	must(ring != MAP_FAILED);
	keep_busy(profiled);
	return ring;
}

TEST_F(neighbours, profiler)
{
	char *stack = map_private(file_new(), 0, 2, 0);
	struct perf_event_mmap_page *ring;
	struct profiled profiled = { 0 };
	int fd = perf_open(), samples;
	pthread_attr_t attr;
	pthread_t thread;
	void *answer;

	if (fd < 0)
		SKIP(return, "no perf_event_open(): %s", strerror(errno));
	close(fd);
	ASSERT_EQ(pthread_attr_init(&attr), 0);
	ASSERT_EQ(pthread_attr_setstack(&attr, stack, 2 * HUGE), 0);
	ASSERT_EQ(pthread_create(&thread, &attr, be_profiled, &profiled), 0);
	ASSERT_EQ(pthread_join(thread, &answer), 0);
	ring = answer;
	samples = perf_count(ring, PERF_RECORD_SAMPLE, 0);
	TH_LOG("%d samples", samples);
	ASSERT_LT(0, samples);
	/* The profiler was told of the mapping. */
	ASSERT_EQ(perf_count(ring, PERF_RECORD_MMAP2,
			     (unsigned long)profiled.shared), 1);
}

/* --- locked memory ------------------------------------------------------- */

/* In kB, or -1. */
static long counted_as_locked(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	long kb = -1;

	must(file);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "VmLck: %ld", &kb);
	fclose(file);
	return kb;
}

TEST_F(neighbours, locked_memory)
{
	char *shared = map_new(2, 0), *private = map_private(file_new(), 0, 2, 0);
	char *later;

	ASSERT_POOL(0, 4);
	ASSERT_EQ(mlock(shared, HUGE), 0);
	ASSERT_POOL(1, 3);
	ASSERT_EQ(counted_as_locked(), 0);
	ASSERT_EQ(munlock(shared, HUGE), 0);
	ASSERT_POOL(1, 3);
	/* The kernel notes no lock on such a mapping, nor that it was to wait for faults. */
	ASSERT_EQ(syscall(SYS_mlock2, shared + HUGE, HUGE, 1 /* ONFAULT */), 0);
	ASSERT_POOL(2, 2);
	/* All there is, and all that comes; a private page is made to be written to. */
	ASSERT_EQ(mlockall(MCL_CURRENT | MCL_FUTURE), 0);
	ASSERT_POOL(4, 0);
	later = map_new(3, MAP_NORESERVE);
	ASSERT_NE(later, NULL);
	ASSERT_POOL(7, 0);
	ASSERT_EQ(munlockall(), 0);
	ASSERT_EQ(unmap_huge(later, 3), 0);
	ASSERT_POOL(4, 0);
	ASSERT_EQ(*private, 0);
}

static int lock_more_than_allowed(void *arg)
{
	const struct rlimit limit = { HUGE, HUGE };

	must(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	must(setresuid(1000, 1000, 1000) == 0);
	must(mlock(arg, HUGE) == 0);
	must(munlock(arg, HUGE) == 0);
	must(mlock(arg, 2 * HUGE) == -1 && errno == ENOMEM);
	return 0;
}

TEST_F(neighbours, locked_memory_is_limited)
{
	char *map = map_new(2, 0);

	ASSERT_EQ(reap(spawn(lock_more_than_allowed, map)), 0);
	ASSERT_POOL(1, 1);
}

TEST_F(neighbours, populated_with_none_left)
{
	char *map = map_new(2, MAP_NORESERVE);

	ASSERT_TRUE(can_write(map));
	leave_unpromised(0);
	ASSERT_EQ(madvise(map, HUGE, MADV_POPULATE_WRITE), 0);
	ASSERT_EQ(madvise(map, 2 * HUGE, MADV_POPULATE_WRITE), -1);
	ASSERT_EQ(errno, EFAULT);
	ASSERT_EQ(madvise(map, 2 * HUGE, MADV_POPULATE_READ), -1);
	ASSERT_EQ(errno, EFAULT);
	ASSERT_EQ(mlock(map, 2 * HUGE), -1);
	ASSERT_EQ(errno, ENOMEM);
	/* mmap() itself does not fail for what it could not populate. */
	ASSERT_NE(map_new(2, MAP_NORESERVE | MAP_POPULATE), NULL);
}

/* --- what is shown ------------------------------------------------------- */

static const char * const shown[] = {
	"Size:", "KernelPageSize:", "MMUPageSize:", "Rss:", "Pss:",
	"Private_Dirty:", "Shared_Dirty:", "Anonymous:", "FilePmdMapped:",
	"ShmemPmdMapped:", "AnonHugePages:", "Private_Hugetlb:", "Locked:",
	"VmFlags:",
};

static bool line_is_shown(const char *line)
{
	size_t i;

	for (i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		if (!strncmp(line, shown[i], strlen(shown[i])))
			return true;
	return false;
}

/* Print what smaps says of a mapping; its KernelPageSize. */
static long show_smaps(const char *what, char *map)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	unsigned long from, to;
	char line[512], name[64];
	long value, size = -1;
	bool inside = false;

	must(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
			inside = from == (unsigned long)map;
			continue;
		}
		if (!inside || !line_is_shown(line))
			continue;
		if (sscanf(line, "%63s %ld", name, &value) == 2 && !value)
			continue;
		if (!strcmp(name, "KernelPageSize:"))
			size = value;
		dprintf(STDOUT_FILENO, "# %s: smaps: %s", what, line);
	}
	fclose(file);
	return size;
}

/* Print the line about a mapping in numa_maps; whether there was one. */
static bool show_numa_maps(const char *what, char *map)
{
	FILE *file = fopen("/proc/self/numa_maps", "re");
	bool found = false;
	char line[512];

	must(file);
	while (fgets(line, sizeof(line), file))
		if (strtoul(line, NULL, 16) == (unsigned long)map) {
			dprintf(STDOUT_FILENO, "# %s: numa_maps: %s", what,
				strchr(line, ' ') + 1);
			found = true;
		}
	fclose(file);
	return found;
}

#define PRESENT		(1UL << 63)
#define PFN(entry)	((entry) & ((1UL << 55) - 1))

/* How many small pages of a huge one are shown; in a row, as all of one are. */
static int in_pagemap(char *map)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), i, count = 0;
	static unsigned long entry[HUGE / SMALL];

	must(pread(fd, entry, sizeof(entry), (long)map / SMALL * 8) ==
	     sizeof(entry));
	close(fd);
	for (i = 0; i < HUGE / SMALL; i++) {
		count += !!(entry[i] & PRESENT);
		must(!(entry[i] & PRESENT) ||
		     PFN(entry[i]) == PFN(entry[0]) + i);
	}
	dprintf(STDOUT_FILENO, "# pagemap: %d of 512, first 0x%lx\n", count,
		entry[0]);
	return count;
}

/* The same as mincore() sees it. */
static int in_core(char *map)
{
	unsigned char vec[HUGE / SMALL];
	int i, count = 0;

	must(mincore(map, HUGE, vec) == 0);
	for (i = 0; i < HUGE / SMALL; i++)
		count += vec[i] & 1;
	return count;
}

static bool shown_right(const char *what, char *map)
{
	return show_smaps(what, map) == 2048 && show_numa_maps(what, map) &&
	       in_pagemap(map) == 512 && in_core(map) == 512 &&
	       in_pagemap(map + HUGE) == 0 && in_core(map + HUGE) == 0;
}

TEST_F(neighbours, shown_of_mappings)
{
	int fd = file_new();
	char *shared = map_huge(fd, 0, 2, 0), *again, *private;

	*shared = 1;
	ASSERT_TRUE(shown_right("shared", shared));
	/* What the file has and nobody has touched here is not said to be there. */
	again = map_huge(fd, 0, 2, 0);
	ASSERT_EQ(in_core(again), 0);
	ASSERT_EQ(*again, 1);
	ASSERT_EQ(in_core(again), 512);
	private = map_private(fd, 0, 2, 0);
	ASSERT_EQ(*private, 1);
	ASSERT_TRUE(shown_right("private, read", private));
	*private = 2;
	ASSERT_TRUE(shown_right("private, written", private));
	/* What was not touched shows as zeroes, and takes no page. */
	ASSERT_EQ(private[HUGE], 0);
	dprintf(STDOUT_FILENO, "# zeroes: mincore %d\n", in_core(private + HUGE));
	in_pagemap(private + HUGE);
	ASSERT_POOL(2, 2);
}

TEST_HARNESS_MAIN
