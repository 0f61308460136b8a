// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first touch of a huge page, and what a mapped file is to those who use it:
 * one fault maps 2 MiB at once, all who map or read the file see one content,
 * and a mapping can be moved, protected and cut at huge page boundaries.
 */
#include "faults.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* The numbers are newer than the C library's header. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

RHUGEFS_FIXTURE(fault);

/* --- counting faults ----------------------------------------------------- */

TEST_F(fault, one_per_huge_page_written)
{
	char *map = map_huge(file_new(), 0, 3, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(faults_of(map, 3 * HUGE, true), 3);
	ASSERT_POOL(3, 0);
	ASSERT_EQ(faults_of(map, 3 * HUGE, true), 0);
	ASSERT_EQ(faults_of(map, 3 * HUGE, false), 0);
}

TEST_F(fault, one_per_huge_page_read)
{
	char *map = map_huge(file_new(), 0, 3, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(faults_of(map, 3 * HUGE, false), 3);
	ASSERT_EQ(faults_of(map, 3 * HUGE, false), 0);
	/* The kernel may have mapped it read-only at first, no worse. */
	ASSERT_LE(faults_of(map, 3 * HUGE, true), 3);
	ASSERT_EQ(faults_of(map, 3 * HUGE, true), 0);
	ASSERT_POOL(3, 0);
}

TEST_F(fault, one_where_another_mapping_has_it)
{
	int fd = file_new();
	char *one = map_huge(fd, 0, 2, 0);
	char *two = map_huge(fd, 0, 2, 0);

	ASSERT_NE(one, NULL);
	ASSERT_NE(two, NULL);
	ASSERT_EQ(faults_of(one, 2 * HUGE, true), 2);
	ASSERT_EQ(faults_of(two, 2 * HUGE, true), windows_of(two, 2));
	ASSERT_POOL(2, 0);
}

static int touch_all_as_child(void *map)
{
	long n = faults_of(map, 3 * HUGE, true);

	must(n <= 3);
	return 0;
}

TEST_F(fault, one_per_huge_page_in_a_child)
{
	char *map = map_huge(file_new(), 0, 3, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(faults_of(map, 3 * HUGE, true), 3);
	ASSERT_EQ(reap(spawn(touch_all_as_child, map)), 0);
	/* Forking left the parent's page tables alone, or costs one each. */
	ASSERT_LE(faults_of(map, 3 * HUGE, true), 3);
	ASSERT_POOL(3, 0);
}

TEST_F(fault, fallocated_pages_take_one_too)
{
	int fd = file_new();
	char *map;

	ASSERT_EQ(fallocate(fd, 0, 0, 2 * HUGE), 0);
	ASSERT_POOL(2, 0);
	map = map_huge(fd, 0, 2, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(faults_of(map, 2 * HUGE, true), windows_of(map, 2));
	ASSERT_POOL(2, 0);
}

TEST_F(fault, populate_leaves_none)
{
	char *map = map_huge(file_new(), 0, 3, MAP_POPULATE);

	ASSERT_NE(map, NULL);
	ASSERT_POOL(3, 0);
	ASSERT_EQ(faults_of(map, 3 * HUGE, true), 0);
}

TEST_F(fault, populate_by_madvise)
{
	char *map = map_huge(file_new(), 0, 4, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(madvise(map, 2 * HUGE, MADV_POPULATE_READ), 0);
	ASSERT_POOL(2, 2);
	ASSERT_EQ(madvise(map + 2 * HUGE, 2 * HUGE, MADV_POPULATE_WRITE), 0);
	ASSERT_POOL(4, 0);
	ASSERT_EQ(faults_of(map, 4 * HUGE, false), 0);
}

/* --- the page tables ----------------------------------------------------- */

#define PAGE_TABLES	"/sys/kernel/debug/page_tables/"

/*
 * The kind of entry ("pmd", "pte", ...) that maps an address, as the dump of the
 * reading process's own page tables says; NULL where it does not name it.
 */
static const char *entry_kind(FILE *dump, uintptr_t addr)
{
	static char line[256];
	unsigned long from, to;
	char *kind;

	rewind(dump);
	while (fgets(line, sizeof(line), dump)) {
		if (sscanf(line, "0x%lx-0x%lx", &from, &to) != 2 ||
		    addr < from || addr >= to || !strstr(line, " USR "))
			continue;
		line[strcspn(line, "\n")] = '\0';
		kind = strrchr(line, ' ');
		return kind ? kind + 1 : line;
	}
	return NULL;
}

TEST_F(fault, the_entry_is_a_pmd)
{
	char *map = map_huge(file_new(), 0, 3, 0);
	FILE *dump = fopen(PAGE_TABLES "current_user", "r");
	const char *kind;
	int i;

	if (!dump)
		dump = fopen(PAGE_TABLES "current_kernel", "r");
	if (!dump)
		SKIP(return, "no " PAGE_TABLES
		     "current_*: kernel without CONFIG_PTDUMP_DEBUGFS");
	/* Each time anew, or the second look is at what was buffered. */
	setvbuf(dump, NULL, _IONBF, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(entry_kind(dump, (uintptr_t)map), NULL);
	ASSERT_EQ(touch_pages(map, 3), 3);
	for (i = 0; i < 3; i++) {
		kind = entry_kind(dump, (uintptr_t)map + i * HUGE);
		ASSERT_NE(kind, NULL);
		ASSERT_STREQ(kind, "pmd");
	}
}

/* The line of smaps on the mapping at @addr that begins with @name, in kB. */
static long smaps_value(const char *map, const char *name)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	unsigned long from, to;
	bool inside = false;
	char line[512];
	long value = -1;

	must(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			inside = from <= (uintptr_t)map && (uintptr_t)map < to;
		else if (inside && !strncmp(line, name, strlen(name)))
			sscanf(line + strlen(name), " %ld kB", &value);
	}
	fclose(smaps);
	return value;
}

TEST_F(fault, smaps_shows_the_page_size)
{
	char *map = map_huge(file_new(), 0, 2, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(smaps_value(map, "KernelPageSize:"), 2048);
	ASSERT_EQ(touch_pages(map, 2), 2);
	ASSERT_EQ(smaps_value(map, "KernelPageSize:"), 2048);
	ASSERT_EQ(smaps_value(map, "Size:"), 4096);
}

/* --- one content --------------------------------------------------------- */

TEST_F(fault, two_mappings_show_one_content)
{
	int fd = file_new();
	char *one = map_huge(fd, 0, 3, 0);
	char *two = map_huge(fd, 1, 2, 0);
	unsigned long pos;

	ASSERT_NE(one, NULL);
	ASSERT_NE(two, NULL);
	for (pos = HUGE; pos < 3 * HUGE; pos += SMALL)
		one[pos] = pos >> 12;
	for (pos = HUGE; pos < 3 * HUGE; pos += SMALL)
		ASSERT_EQ(two[pos - HUGE], (char)(pos >> 12));
	two[17] = 42;
	ASSERT_EQ(one[HUGE + 17], 42);
	ASSERT_POOL(2, 1);
}

/* What a test shares with the child that answers it. */
struct talk {
	struct sync sync;
	char *map;
	int fd;
};

static struct talk *talk_new(void)
{
	struct talk *talk = share(sizeof(*talk));

	talk->sync.parties = 2;
	return talk;
}

static int answer(void *arg)
{
	struct talk *talk = arg;
	char *map = talk->map ?: map_huge(talk->fd, 0, 2, 0);

	must(map);
	sync_meet(&talk->sync);
	must(map[0] == 11 && map[HUGE + SMALL] == 12);
	map[1] = 21;
	map[HUGE + 2 * SMALL] = 22;
	sync_meet(&talk->sync);
	return 0;
}

/* Parent and child each see what the other writes. */
static int converse(struct talk *talk, char *map)
{
	pid_t pid = spawn(answer, talk);

	map[0] = 11;
	map[HUGE + SMALL] = 12;
	sync_meet(&talk->sync);
	sync_meet(&talk->sync);
	must(map[1] == 21 && map[HUGE + 2 * SMALL] == 22);
	return reap(pid);
}

TEST_F(fault, a_child_shares_what_it_inherits)
{
	struct talk *talk = talk_new();

	talk->map = map_huge(file_new(), 0, 2, 0);
	ASSERT_NE(talk->map, NULL);
	ASSERT_EQ(converse(talk, talk->map), 0);
	/* And once more, with the pages in the parent's page tables. */
	ASSERT_EQ(converse(talk, talk->map), 0);
	ASSERT_POOL(2, 0);
}

TEST_F(fault, processes_share_a_file)
{
	struct talk *talk = talk_new();
	char *map;

	talk->fd = file_new();
	map = map_huge(talk->fd, 0, 2, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(converse(talk, map), 0);
	ASSERT_POOL(2, 0);
}

TEST_F(fault, content_outlives_mapping_and_process)
{
	struct talk *talk = talk_new();
	char *map;

	talk->fd = file_new();
	map = map_huge(talk->fd, 0, 2, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(converse(talk, map), 0);
	ASSERT_EQ(unmap_huge(map, 2), 0);
	ASSERT_POOL(2, 0);
	map = map_huge(talk->fd, 0, 2, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(map[0], 11);
	ASSERT_EQ(map[1], 21);
	ASSERT_EQ(map[HUGE + 2 * SMALL], 22);
}

/* --- read(2) ------------------------------------------------------------- */

TEST_F(fault, read_sees_what_is_mapped)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 2, 0);
	char *buf = malloc(2 * HUGE);

	ASSERT_NE(map, NULL);
	ASSERT_NE(buf, NULL);
	bytes_stir(map, 2 * HUGE, 1);
	ASSERT_EQ(read(fd, buf, 2 * HUGE), 2 * HUGE);
	ASSERT_EQ(memcmp(map, buf, 2 * HUGE), 0);
	ASSERT_EQ(read(fd, buf, 1), 0);

	/* Across the boundary of huge pages, at no boundary of anything. */
	ASSERT_EQ(pread(fd, buf, 10001, HUGE - 5003), 10001);
	ASSERT_EQ(memcmp(map + HUGE - 5003, buf, 10001), 0);
}

TEST_F(fault, read_shows_holes_as_zeroes)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 3, 0);
	char *buf = malloc(3 * HUGE);

	ASSERT_NE(map, NULL);
	ASSERT_NE(buf, NULL);
	bytes_stir(map + HUGE, HUGE, 2);
	memset(buf, 0xee, 3 * HUGE);
	ASSERT_EQ(pread(fd, buf, 3 * HUGE, 0), 3 * HUGE);
	ASSERT_TRUE(bytes_are(buf, 0, HUGE));
	ASSERT_EQ(memcmp(buf + HUGE, map + HUGE, HUGE), 0);
	ASSERT_TRUE(bytes_are(buf + 2 * HUGE, 0, HUGE));
	/* Reading a hole does not fill it. */
	ASSERT_POOL(1, 2);
}

TEST_F(fault, read_ends_where_the_file_does)
{
	int fd = file_new();
	char buf[200];

	ASSERT_EQ(ftruncate(fd, HUGE + 100), 0);
	ASSERT_EQ(pread(fd, buf, sizeof(buf), HUGE - 50), 150);
	ASSERT_EQ(pread(fd, buf, sizeof(buf), HUGE + 99), 1);
	ASSERT_EQ(pread(fd, buf, sizeof(buf), HUGE + 100), 0);
	ASSERT_EQ(pread(fd, buf, sizeof(buf), 5 * HUGE), 0);
	ASSERT_EQ(lseek(fd, -60, SEEK_END), HUGE + 40);
	ASSERT_EQ(read(fd, buf, sizeof(buf)), 60);
	ASSERT_EQ(read(fd, buf, sizeof(buf)), 0);
	ASSERT_EQ(lseek(fd, 0, SEEK_CUR), HUGE + 100);
	ASSERT_POOL(0, 0);
}

TEST_F(fault, readv_fills_one_buffer_after_the_other)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 2, 0);
	char one[1000], two[5000], three[70];
	struct iovec iov[] = {
		{ one, sizeof(one) }, { two, sizeof(two) },
		{ NULL, 0 }, { three, sizeof(three) },
	};
	unsigned long pos = HUGE - 3000;

	ASSERT_NE(map, NULL);
	bytes_stir(map, 2 * HUGE, 3);
	ASSERT_EQ(preadv(fd, iov, 4, pos), 6070);
	ASSERT_EQ(memcmp(map + pos, one, 1000), 0);
	ASSERT_EQ(memcmp(map + pos + 1000, two, 5000), 0);
	ASSERT_EQ(memcmp(map + pos + 6000, three, 70), 0);
}

/* The copy faults on the very file that is being read. */
TEST_F(fault, read_into_a_mapping_of_the_same_file)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 4, 0);
	char *other;

	ASSERT_NE(map, NULL);
	bytes_stir(map, HUGE, 4);
	/* Into pages that nobody touched yet, and across their boundary. */
	ASSERT_EQ(pread(fd, map + 2 * HUGE - 7777, HUGE, 0), HUGE);
	ASSERT_EQ(memcmp(map, map + 2 * HUGE - 7777, HUGE), 0);
	ASSERT_POOL(3, 1);

	/* Within one page: its first half becomes its second, too. */
	ASSERT_EQ(pread(fd, map + HUGE / 2, HUGE / 2, 0), HUGE / 2);
	ASSERT_EQ(memcmp(map, map + HUGE / 2, HUGE / 2), 0);

	/* Through a mapping that has no page table entries yet. */
	other = map_huge(fd, 0, 4, 0);
	ASSERT_NE(other, NULL);
	ASSERT_EQ(pread(fd, other + 3 * HUGE, HUGE, 0), HUGE);
	ASSERT_EQ(memcmp(map, map + 3 * HUGE, HUGE), 0);

	/* A hole is read into itself, and is one no longer. */
	ASSERT_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    HUGE, HUGE), 0);
	ASSERT_EQ(pread(fd, map + HUGE, HUGE, HUGE), HUGE);
	ASSERT_TRUE(bytes_are(map + HUGE, 0, HUGE));
	ASSERT_POOL(4, 0);
}

TEST_F(fault, read_stops_at_a_bad_buffer)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 1, 0);
	char *buf = mmap(NULL, 3 * SMALL, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(map, NULL);
	ASSERT_NE(buf, MAP_FAILED);
	ASSERT_EQ(munmap(buf + 2 * SMALL, SMALL), 0);
	bytes_stir(map, HUGE, 5);

	ASSERT_EQ(lseek(fd, 100, SEEK_SET), 100);
	ASSERT_EQ(read(fd, buf, HUGE), 2 * SMALL);
	ASSERT_EQ(memcmp(buf, map + 100, 2 * SMALL), 0);
	ASSERT_EQ(lseek(fd, 0, SEEK_CUR), 100 + 2 * SMALL);
	ASSERT_EQ(read(fd, buf + 2 * SMALL, 10), -1);
	ASSERT_EQ(errno, EFAULT);
	ASSERT_EQ(lseek(fd, 0, SEEK_CUR), 100 + 2 * SMALL);
}

/* --- beyond the end ------------------------------------------------------ */

/* Whether the kernel can read a byte there on our behalf. */
static bool kernel_can_read(const char *addr)
{
	int pipes[2];
	ssize_t done;

	must(pipe(pipes) == 0);
	done = write(pipes[1], addr, 1);
	must(done == 1 || errno == EFAULT);
	close(pipes[0]);
	close(pipes[1]);
	return done == 1;
}

TEST_F(fault, beyond_the_end_is_sigbus)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 3, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(ftruncate(fd, HUGE), 0);
	ASSERT_TRUE(can_write(map));
	ASSERT_TRUE(can_write(map + HUGE - 1));
	ASSERT_FALSE(can_read(map + HUGE));
	ASSERT_FALSE(can_write(map + HUGE));
	ASSERT_FALSE(can_write(map + 3 * HUGE - 1));
	ASSERT_TRUE(kernel_can_read(map));
	ASSERT_FALSE(kernel_can_read(map + HUGE));
	ASSERT_POOL(1, 0);
}

/* A mapping that cannot be written to does not extend the file. */
TEST_F(fault, beyond_the_end_of_a_file_never_extended)
{
	int fd = file_new();
	char *map = mmap(NULL, 2 * HUGE, PROT_READ, MAP_SHARED, fd, 0);

	ASSERT_NE(map, MAP_FAILED);
	ASSERT_FALSE(can_read(map));
	ASSERT_EQ(mprotect(map, 2 * HUGE, PROT_READ | PROT_WRITE), 0);
	ASSERT_FALSE(can_write(map + HUGE));
	ASSERT_EQ(lseek(fd, 0, SEEK_END), 0);
	ASSERT_EQ(ftruncate(fd, HUGE), 0);
	ASSERT_TRUE(can_write(map));
	ASSERT_FALSE(can_write(map + HUGE));
}

/* --- futexes ------------------------------------------------------------- */

static long futex(unsigned int *word, int op, unsigned int value,
		  const struct timespec *timeout)
{
	return syscall(SYS_futex, word, op, value, timeout, NULL, 0);
}

TEST_F(fault, futex_waits_and_times_out)
{
	const struct timespec soon = { .tv_nsec = 20 * 1000 * 1000 };
	char *map = map_huge(file_new(), 0, 2, 0);
	unsigned int *words[2], *word;
	int i;

	ASSERT_NE(map, NULL);
	/* One where nothing was touched yet, one on a page that is there. */
	words[0] = (unsigned int *)(map + 3 * SMALL);
	words[1] = (unsigned int *)(map + HUGE);
	ASSERT_TRUE(can_write_value(map + HUGE, 0));
	for (i = 0; i < 2; i++) {
		word = words[i];
		ASSERT_EQ(futex(word, FUTEX_WAIT, 1, &soon), -1);
		ASSERT_EQ(errno, EAGAIN);
		ASSERT_EQ(futex(word, FUTEX_WAIT, 0, &soon), -1);
		ASSERT_EQ(errno, ETIMEDOUT);
		ASSERT_EQ(futex(word, FUTEX_WAKE, 1, NULL), 0);
	}
	ASSERT_POOL(2, 0);
}

struct sleeper {
	int fd;
	unsigned long pos;
	int asleep;
};

/* Wait through a mapping of our own. */
static int futex_sleep(void *arg)
{
	const struct timespec long_enough = { .tv_sec = 20 };
	struct sleeper *sleeper = arg;
	char *map = map_huge(sleeper->fd, 0, 2, 0);

	must(map);
	__atomic_store_n(&sleeper->asleep, 1, __ATOMIC_RELEASE);
	must(futex((unsigned int *)(map + sleeper->pos), FUTEX_WAIT, 0,
		   &long_enough) == 0);
	return 0;
}

/* Wake until somebody wakes: how many did; 0 where none comes in time. */
static long futex_wake_sleeper(unsigned int *word)
{
	long end = now_ms() + 15000;
	long woken;

	do {
		woken = futex(word, FUTEX_WAKE, 10, NULL);
		if (woken)
			return woken;
		usleep(1000);
	} while (now_ms() < end);
	return 0;
}

TEST_F(fault, futex_wakes_another_process)
{
	struct sleeper *sleeper = share(sizeof(*sleeper));
	char *map;
	pid_t pid;

	sleeper->fd = file_new();
	sleeper->pos = HUGE + 5 * SMALL + 64;
	map = map_huge(sleeper->fd, 0, 2, 0);
	ASSERT_NE(map, NULL);
	pid = spawn(futex_sleep, sleeper);
	while (!__atomic_load_n(&sleeper->asleep, __ATOMIC_ACQUIRE))
		usleep(1000);
	usleep(100000);

	/* The place counts, and not the huge page alone. */
	ASSERT_EQ(futex((unsigned int *)(map + HUGE + 64), FUTEX_WAKE, 10, NULL),
		  0);
	ASSERT_EQ(futex((unsigned int *)(map + 5 * SMALL + 64), FUTEX_WAKE, 10,
			NULL), 0);
	ASSERT_EQ(futex_wake_sleeper((unsigned int *)(map + sleeper->pos)), 1);
	ASSERT_EQ(reap(pid), 0);
}

/* A mutex between processes, in the way that databases use it. */
struct shared_counter {
	pthread_mutex_t mutex;
	long count;
};

#define COUNT_TO	2000

static int count_up(void *arg)
{
	struct shared_counter *counter = arg;
	long i, seen;

	for (i = 0; i < COUNT_TO; i++) {
		must(pthread_mutex_lock(&counter->mutex) == 0);
		seen = counter->count;
		if (i % 64 == 0)
			sched_yield();
		counter->count = seen + 1;
		must(pthread_mutex_unlock(&counter->mutex) == 0);
	}
	return 0;
}

TEST_F(fault, mutex_between_processes)
{
	struct shared_counter *counter;
	pthread_mutexattr_t attr;
	char *map = map_huge(file_new(), 0, 1, 0);
	pid_t one, two;

	ASSERT_NE(map, NULL);
	counter = (struct shared_counter *)(map + 7 * SMALL);
	ASSERT_EQ(pthread_mutexattr_init(&attr), 0);
	ASSERT_EQ(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED),
		  0);
	ASSERT_EQ(pthread_mutex_init(&counter->mutex, &attr), 0);
	one = spawn(count_up, counter);
	two = spawn(count_up, counter);
	ASSERT_EQ(reap(one), 0);
	ASSERT_EQ(reap(two), 0);
	ASSERT_EQ(counter->count, 2 * COUNT_TO);
}

static void *nothing(void *arg)
{
	return arg;
}

/* The kernel clears a word in the stack and wakes whoever joins. */
TEST_F(fault, a_thread_can_have_its_stack_there)
{
	char *map = map_huge(file_new(), 0, 1, 0);
	pthread_attr_t attr;
	pthread_t thread;
	void *result;

	ASSERT_NE(map, NULL);
	ASSERT_EQ(pthread_attr_init(&attr), 0);
	ASSERT_EQ(pthread_attr_setstack(&attr, map, HUGE), 0);
	ASSERT_EQ(pthread_create(&thread, &attr, nothing, map), 0);
	ASSERT_EQ(pthread_join(thread, &result), 0);
	ASSERT_EQ(result, map);
	ASSERT_POOL(1, 0);
}

/* --- moving, protecting, cutting ----------------------------------------- */

#define SEGFAULT	77

static void end_at_segfault(int sig)
{
	_exit(SEGFAULT);
}

static int read_a_byte(void *addr)
{
	must(signal(SIGSEGV, end_at_segfault) != SIG_ERR);
	__atomic_load_n((char *)addr, __ATOMIC_RELAXED);
	return 0;
}

static int write_a_byte(void *addr)
{
	must(signal(SIGSEGV, end_at_segfault) != SIG_ERR);
	__atomic_store_n((char *)addr, 1, __ATOMIC_RELAXED);
	return 0;
}

/* Whether a child that does so to the address is ended by SIGSEGV. */
static bool segfaults(int (*work)(void *addr), char *addr)
{
	int status = reap(spawn(work, addr));

	must(status == 0 || status == SEGFAULT);
	return status == SEGFAULT;
}

/* Addresses of which the kernel has assured us that nothing is there. */
static char *room(unsigned long pages)
{
	char *map = mmap(NULL, (pages + 1) * HUGE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	must(map != MAP_FAILED);
	must(munmap(map, (pages + 1) * HUGE) == 0);
	return (char *)(((uintptr_t)map + HUGE - 1) & ~(HUGE - 1));
}

TEST_F(fault, mremap_moves)
{
	char *map = map_huge(file_new(), 0, 3, 0);
	char *target = room(3);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 2), 2);
	ASSERT_EQ(mremap(map, 3 * HUGE, 3 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 target), target);
	ASSERT_TRUE(segfaults(read_a_byte, map));
	ASSERT_EQ(target[0], 1);
	ASSERT_EQ(target[HUGE], 2);
	ASSERT_EQ(target[2 * HUGE], 0);
	ASSERT_TRUE(can_write(target + 2 * HUGE));
	ASSERT_POOL(3, 0);
	ASSERT_EQ(unmap_huge(target, 3), 0);
	ASSERT_POOL(3, 0);
}

TEST_F(fault, mremap_moves_a_part)
{
	char *map = map_huge(file_new(), 0, 3, 0);
	char *target = room(1);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_EQ(mremap(map + HUGE, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 target), target);
	ASSERT_EQ(map[0], 1);
	ASSERT_TRUE(segfaults(read_a_byte, map + HUGE));
	ASSERT_EQ(map[2 * HUGE], 3);
	ASSERT_EQ(target[0], 2);
	ASSERT_POOL(3, 0);
}

TEST_F(fault, mremap_refuses)
{
	char *map = map_huge(file_new(), 0, 2, 0);
	char *target = room(4);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 2), 2);

	ASSERT_EQ(mremap(map, 2 * HUGE, 2 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 target + SMALL), MAP_FAILED);
	ASSERT_EQ(errno, EINVAL);
	ASSERT_EQ(mremap(map, 2 * HUGE, 2 * HUGE,
			 MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL), MAP_FAILED);
	ASSERT_EQ(errno, EINVAL);
	ASSERT_EQ(mremap(map, 2 * HUGE, 3 * HUGE, MREMAP_MAYMOVE), MAP_FAILED);
	ASSERT_EQ(mremap(map, 2 * HUGE, 3 * HUGE, 0), MAP_FAILED);
	ASSERT_EQ(mremap(map, 2 * HUGE, 3 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 target), MAP_FAILED);
	/* A length of 0 asks for a second mapping of the same. */
	ASSERT_EQ(mremap(map, 0, 2 * HUGE, MREMAP_MAYMOVE), MAP_FAILED);

	ASSERT_EQ(map[0], 1);
	ASSERT_EQ(map[HUGE], 2);
	ASSERT_POOL(2, 0);
}

TEST_F(fault, mremap_shrinks)
{
	char *map = map_huge(file_new(), 0, 3, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 2), 2);
	ASSERT_EQ(mremap(map, 3 * HUGE, HUGE, 0), map);
	ASSERT_EQ(map[0], 1);
	ASSERT_TRUE(segfaults(read_a_byte, map + HUGE));
	/* Page and promise are the file's. */
	ASSERT_POOL(2, 1);
}

TEST_F(fault, mprotect_on_the_boundary)
{
	char *map = map_huge(file_new(), 0, 3, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 3), 3);

	ASSERT_EQ(mprotect(map + HUGE, HUGE, PROT_READ), 0);
	ASSERT_EQ(map[HUGE], 2);
	ASSERT_TRUE(segfaults(write_a_byte, map + HUGE));
	ASSERT_TRUE(can_write_value(map, 5));
	ASSERT_TRUE(can_write_value(map + 2 * HUGE, 7));

	ASSERT_EQ(mprotect(map, 3 * HUGE, PROT_NONE), 0);
	ASSERT_TRUE(segfaults(read_a_byte, map));
	ASSERT_TRUE(segfaults(read_a_byte, map + HUGE));

	ASSERT_EQ(mprotect(map, 3 * HUGE, PROT_READ | PROT_WRITE), 0);
	ASSERT_EQ(map[0], 5);
	ASSERT_EQ(map[HUGE], 2);
	ASSERT_EQ(map[2 * HUGE], 7);
	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_POOL(3, 0);
}

TEST_F(fault, munmap_on_the_boundary)
{
	char *map = map_huge(file_new(), 0, 4, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 4), 4);
	ASSERT_EQ(munmap(map + HUGE, HUGE), 0);
	ASSERT_EQ(map[0], 1);
	ASSERT_TRUE(segfaults(read_a_byte, map + HUGE));
	ASSERT_EQ(map[2 * HUGE], 3);
	ASSERT_EQ(munmap(map, HUGE), 0);
	ASSERT_EQ(munmap(map + 3 * HUGE, HUGE), 0);
	ASSERT_EQ(map[2 * HUGE], 3);
	ASSERT_TRUE(can_write(map + 2 * HUGE));
	ASSERT_POOL(4, 0);
}

/* --- advice and other tools of the kernel's ------------------------------ */

TEST_F(fault, dontneed_drops_the_entry_and_not_the_page)
{
	char *map = map_huge(file_new(), 0, 2, 0);

	ASSERT_NE(map, NULL);
	bytes_stir(map, 2 * HUGE, 6);
	ASSERT_EQ(madvise(map, 2 * HUGE, MADV_DONTNEED), 0);
	ASSERT_POOL(2, 0);
	ASSERT_EQ(faults_of(map, 2 * HUGE, false), windows_of(map, 2));
	ASSERT_TRUE(bytes_stirred(map, 2 * HUGE, 6));

	/* A part of a huge page: the kernel splits the entry. */
	ASSERT_EQ(madvise(map + 3 * SMALL, 5 * SMALL, MADV_DONTNEED), 0);
	ASSERT_POOL(2, 0);
	ASSERT_TRUE(bytes_stirred(map, 2 * HUGE, 6));
	ASSERT_LE(faults_of(map, 2 * HUGE, true), 1);
}

static void read_to_the_end(const char *path)
{
	char buf[4096];
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

static void forget_accesses(const char *what)
{
	int err = tell_kernel("/proc/self/clear_refs", what);

	must(!err || err == EINVAL);
}

/*
 * These pages are on no list of the kernel's, and what is meant for pages that
 * are must pass them by: whether it says yes or no, contents and counts stay.
 */
TEST_F(fault, what_manages_other_pages_leaves_these_alone)
{
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_FREE, MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE,
		MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
		MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_COLD,
		MADV_PAGEOUT, MADV_COLLAPSE,
	};
	unsigned char present[2 * HUGE / SMALL];
	unsigned long from = 1, to = 2;
	char *map = map_huge(file_new(), 0, 2, 0);
	void *pages[2] = { map, map + HUGE };
	int status[2], i;

	ASSERT_NE(map, NULL);
	bytes_stir(map, 2 * HUGE, 7);
	for (i = 0; i < (int)(sizeof(advice) / sizeof(*advice)); i++) {
		madvise(map, 2 * HUGE, advice[i]);
		ASSERT_TRUE(bytes_stirred(map, 2 * HUGE, 7))
			TH_LOG("after madvise %d", advice[i]);
	}
	ASSERT_EQ(mlock(map, 2 * HUGE), 0);
	ASSERT_EQ(munlock(map, 2 * HUGE), 0);
	ASSERT_EQ(msync(map, 2 * HUGE, MS_SYNC), 0);
	mincore(map, 2 * HUGE, present);
	syscall(SYS_move_pages, 0, 2UL, pages, NULL, status, 0);
	for (i = 0; i < 2; i++) {
		int nodes[2] = { i, i };

		syscall(SYS_move_pages, 0, 2UL, pages, nodes, status,
			2 /* MPOL_MF_MOVE */);
	}
	syscall(SYS_migrate_pages, 0, 64UL, &from, &to);
	read_to_the_end("/proc/self/smaps");
	read_to_the_end("/proc/self/smaps_rollup");
	read_to_the_end("/proc/self/numa_maps");
	forget_accesses("1");
	forget_accesses("3");
	forget_accesses("4");
	ASSERT_TRUE(bytes_stirred(map, 2 * HUGE, 7));
	ASSERT_EQ(touch_pages(map, 2), 2);
	ASSERT_POOL(2, 0);
}

TEST_HARNESS_MAIN
