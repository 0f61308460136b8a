// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whoever is killed for want of memory, or just killed while memory is short,
 * leaves all counts as they were. The victims are in a memory cgroup of a few
 * megabytes: one thread does what is to be cut off, another takes memory until
 * the OOM killer comes, or until a signal comes before it.
 */
#include "rhugefs_test.h"

#include <pthread.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define CGROUP		"/sys/fs/cgroup"
#define VICTIMS		CGROUP "/rhugefs-oom"

/* Enough for a process, and little to fill. */
#define LIMIT		"3M"

/* Victims of each kind; after so many the counts are looked at. */
#define ROUNDS		40
#define BATCH		5

/*
 * Fewer, in whole batches, where they take longer than this, in milliseconds: in a
 * kernel that checks everything it takes seconds to find nothing to reclaim.
 */
#define LONG_ENOUGH	15000

/* Most pages that a victim asks for at a time. */
#define ASK_MAX		12

#define PUNCH		(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/* --- files of text ------------------------------------------------------- */

/* The number behind @name in a file of such lines, -1 where there is none. */
static long text_number(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	char key[64];
	long value, found = -1;

	if (!file)
		return -1;
	while (found < 0 && fscanf(file, "%63s %ld", key, &value) == 2)
		if (!strcmp(key, name))
			found = value;
	fclose(file);
	return found;
}

/* --- the victims' group -------------------------------------------------- */

static const char *group_missing(void)
{
	if (access(CGROUP "/cgroup.subtree_control", W_OK))
		return "cgroup2 is not mounted at " CGROUP;
	if (tell_kernel(CGROUP "/cgroup.subtree_control", "+memory"))
		return "there is no memory cgroup";
	return NULL;
}

static void group_make(void)
{
	must(mkdir(VICTIMS, 0700) == 0 || errno == EEXIST);
	must(!tell_kernel(VICTIMS "/memory.max", LIMIT));
	/* Where there is no swap to be limited there is no such file. */
	tell_kernel(VICTIMS "/memory.swap.max", "0");
	/* To list all processes at each kill takes longer than the kill. */
	tell_kernel("/proc/sys/vm/oom_dump_tasks", "0");
}

/* Those that were just killed may take a moment to leave it. */
static void group_remove(void)
{
	long end = now_ms() + POOL_PATIENCE;

	while (rmdir(VICTIMS) && errno == EBUSY && now_ms() < end)
		usleep(20000);
}

static long group_kills(void)
{
	return text_number(VICTIMS "/memory.events", "oom_kill");
}

FIXTURE(oom) {
	struct pools before;
	pid_t pid;
};

FIXTURE_SETUP(oom)
{
	self->pid = getpid();
	self->before = pools_read();
	ASSERT_TRUE(pools_sane(&self->before));
	group_make();
}

/* See RHUGEFS_FIXTURE for why only the parent looks. */
FIXTURE_TEARDOWN_PARENT(oom)
{
	if (getpid() == self->pid)
		return;
	group_remove();
	EXPECT_TRUE(pools_restored(&self->before));
	EXPECT_TRUE(selfcheck_ok());
}

/* --- a victim ------------------------------------------------------------ */

struct victim {
	unsigned long state;
	/* A file that outlives it. */
	int fd;
	/* Until its other thread takes memory. */
	unsigned int delay_us;
	void (*work)(struct victim *victim);
	/* Set when it has come to work. */
	int *at_work;
};

/* Take memory, a page at a time, until there is none. */
static void *take_memory(void *arg)
{
	struct victim *victim = arg;
	long page = sysconf(_SC_PAGESIZE);
	size_t at, chunk = HUGE;
	char *mem;

	usleep(victim->delay_us);
	for (;;) {
		mem = mmap(NULL, chunk, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (mem == MAP_FAILED)
			continue;
		madvise(mem, chunk, MADV_NOHUGEPAGE);
		for (at = 0; at < chunk; at += page)
			mem[at] = 1;
	}
	return NULL;
}

static int victim_live(void *arg)
{
	struct victim *victim = arg;
	pthread_t thread;

	must(!tell_kernel(VICTIMS "/cgroup.procs", "0"));
	must(pthread_create(&thread, NULL, take_memory, victim) == 0);
	__atomic_store_n(victim->at_work, 1, __ATOMIC_RELEASE);
	victim->work(victim);
	return 1;
}

static unsigned long ask_pages(struct victim *victim)
{
	return 1 + chance_of(&victim->state, ASK_MAX);
}

/* An inode is charged to the group: none to be had is no surprise. */
static int victim_file(void)
{
	return open(mnt_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static void maps(struct victim *victim)
{
	unsigned long pages;
	char *map;
	int fd;

	for (;;) {
		pages = ask_pages(victim);
		fd = victim_file();
		map = map_huge(fd, 0, pages, 0);
		if (map && chance_of(&victim->state, 2))
			unmap_huge(map, pages);
		close(fd);
	}
}

/* In a file of its own, or in the one that stays. */
static void faults(struct victim *victim)
{
	unsigned long pages;
	char *map;
	int fd;

	for (;;) {
		pages = ask_pages(victim);
		fd = chance_of(&victim->state, 2) ? victim_file() :
						    dup(victim->fd);
		map = map_huge(fd, 0, pages,
			       chance_of(&victim->state, 2) ? MAP_NORESERVE :
							      0);
		close(fd);
		if (!map)
			continue;
		touch_pages(map, pages);
		unmap_huge(map, pages);
	}
}

static void allocates(struct victim *victim)
{
	unsigned long first;

	for (;;) {
		first = ask_pages(victim);
		fallocate(victim->fd,
			  chance_of(&victim->state, 2) ? FALLOC_FL_KEEP_SIZE :
							 0,
			  first * HUGE, ask_pages(victim) * HUGE);
		if (!chance_of(&victim->state, 4))
			must(ftruncate(victim->fd, 0) == 0);
	}
}

/* What is cut short is cut short under somebody's mapping. */
static void truncates(struct victim *victim)
{
	char *map = map_huge(victim->fd, 0, ASK_MAX, MAP_NORESERVE);

	for (;;) {
		must(ftruncate(victim->fd, ASK_MAX * HUGE) == 0);
		if (map)
			touch_pages(map, ask_pages(victim));
		must(ftruncate(victim->fd, chance_of(&victim->state, ASK_MAX) *
			       HUGE) == 0);
	}
}

static void punches(struct victim *victim)
{
	unsigned long from, len;

	for (;;) {
		fallocate(victim->fd, 0, 0, ask_pages(victim) * HUGE);
		from = chance_of(&victim->state, ASK_MAX * HUGE);
		len = 1 + chance_of(&victim->state, ASK_MAX * HUGE);
		fallocate(victim->fd, PUNCH, from, len);
	}
}

#define MOUNT_DIR	"/tmp/oom"

/* Mount, use, unmount; in a namespace of its own, which ends with it. */
static void unmounts(struct victim *victim)
{
	char *map;
	int fd;

	must(mkdir(MOUNT_DIR, 0700) == 0 || errno == EEXIST);
	while (unshare(CLONE_NEWNS))
		must(errno == ENOMEM);
	for (;;) {
		if (mount("none", MOUNT_DIR, "rhugefs", 0, ""))
			continue;
		fd = open(MOUNT_DIR "/file", O_CREAT | O_RDWR, 0600);
		map = map_huge(fd, 0, 3, 0);
		if (map)
			touch_pages(map, 2);
		must(!map || umount(MOUNT_DIR));
		if (map)
			unmap_huge(map, 3);
		close(fd);
		umount(MOUNT_DIR);
	}
}

/* The module is mounted, and stays. */
static void unloads(struct victim *victim)
{
	char *map;

	for (;;) {
		must(syscall(SYS_delete_module, "rhugefs", O_NONBLOCK));
		map = map_huge(victim->fd, 0, ask_pages(victim), 0);
		if (map)
			touch_pages(map, 1);
		must(umount(mnt_dir()));
	}
}

/* --- killing ------------------------------------------------------------- */

/* Time for the OOM killer to come; in microseconds. */
#define LIFE		20000

/* One victim, from its start to its end. */
static void kill_one(struct victim *victim)
{
	bool signalled = !chance_of(&victim->state, 3);
	unsigned long moment = chance_of(&victim->state, LIFE);
	int status;
	pid_t pid;

	victim->delay_us = chance_of(&victim->state, LIFE);
	*victim->at_work = 0;
	pid = spawn(victim_live, victim);
	while (!__atomic_load_n(victim->at_work, __ATOMIC_ACQUIRE))
		usleep(100);
	if (signalled) {
		usleep(moment);
		must(kill(pid, SIGKILL) == 0);
	}
	must(waitpid(pid, &status, 0) == pid);
	/* One that had ended by itself has proved nothing. */
	must(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* The child has drawn from a copy. */
	chance(&victim->state);
}

#define SALT		4711

static int bystander_make(void)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 1, 0);

	must(map);
	bytes_stir(map, HUGE, SALT);
	must(unmap_huge(map, 1) == 0);
	return fd;
}

static bool bystander_intact(int fd)
{
	char *map = map_huge(fd, 0, 1, 0);
	bool intact = map && bytes_stirred(map, HUGE, SALT);

	must(map && unmap_huge(map, 1) == 0);
	return intact;
}

#define KILL_AND_COUNT(how)						\
	do {								\
		struct victim victim = {				\
			.state = seed_get(),				\
			.fd = file_new(),				\
			.work = how,					\
			.at_work = share(sizeof(int)),			\
		};							\
		int bystander = bystander_make(), round = 0;		\
		long end = now_ms() + LONG_ENOUGH;			\
		long kills = group_kills();				\
									\
		while (round < ROUNDS && (!round || now_ms() < end)) {	\
			do {						\
				kill_one(&victim);			\
			} while (++round % BATCH);			\
			ASSERT_EQ(ftruncate(victim.fd, 0), 0);		\
			ASSERT_POOL(1, 0)				\
				TH_LOG("after round %d", round);	\
			ASSERT_TRUE(selfcheck_ok());			\
			ASSERT_TRUE(bystander_intact(bystander));	\
		}							\
		kills = group_kills() - kills;				\
		TH_LOG("%ld of %d were killed for want of memory",	\
		       kills, round);					\
		ASSERT_LT(0, kills);					\
	} while (0)

/* Seconds for all victims of a kind, on a machine that checks everything. */
#define LONG		600

TEST_F_TIMEOUT(oom, while_mapping, LONG)
{
	KILL_AND_COUNT(maps);
}

TEST_F_TIMEOUT(oom, while_faulting, LONG)
{
	KILL_AND_COUNT(faults);
}

TEST_F_TIMEOUT(oom, while_allocating, LONG)
{
	KILL_AND_COUNT(allocates);
}

TEST_F_TIMEOUT(oom, while_truncating, LONG)
{
	KILL_AND_COUNT(truncates);
}

TEST_F_TIMEOUT(oom, while_punching, LONG)
{
	KILL_AND_COUNT(punches);
}

TEST_F_TIMEOUT(oom, while_unmounting, LONG)
{
	KILL_AND_COUNT(unmounts);
}

TEST_F_TIMEOUT(oom, while_unloading, LONG)
{
	KILL_AND_COUNT(unloads);
}

int main(int argc, char **argv)
{
	const char *missing = group_missing();

	if (missing) {
		ksft_print_header();
		ksft_set_plan(1);
		ksft_test_result_skip("%s\n", missing);
		return KSFT_SKIP;
	}
	return test_harness_run(argc, argv);
}
