// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything that can be done with files, by several processes at once and by chance, on
 * a mount that is taken away while they go on with what they have open.
 */
#include <dirent.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>

#include "own_mount.h"

RHUGEFS_FIXTURE(file_race);

#define WORKERS		4
#define NAMES		5
#define PAGES		4
#define OPEN		4
#define SECONDS		6

/* Not there where the mount is not: who comes late makes nothing elsewhere. */
#define ALL		OWN_DIR "/all"

#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/* Shared by all: what they are told, and what they have done. */
struct arena {
	int gone;		/* the mount */
	int stop;
	unsigned long seed;
	long steps_before;
	long steps_after;
};

/*
 * One process. Its files are found by names that are everybody's, so that several have
 * the same one open, under whatever name it has by then.
 */
struct worker {
	struct arena *arena;
	unsigned long state;
	int number;		/* 1 and up: the only byte that it writes */
	int fd[OPEN];
	char *map[OPEN];	/* of PAGES pages */
	char *buf;		/* of two */
};

static bool is_set(int *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static bool byte_is_somebodys(char byte)
{
	return byte >= 0 && byte <= WORKERS;
}

static void all_somebodys(const char *mem, long bytes)
{
	long i;

	/* Each is looked at, but quickly where they are all the same. */
	if (bytes > 0 && byte_is_somebodys(*mem) && bytes_are(mem, *mem, bytes))
		return;
	for (i = 0; i < bytes; i++)
		must(byte_is_somebodys(mem[i]));
}

static void random_name(struct worker *w, char *name)
{
	unsigned long n = chance_of(&w->state, 2 * NAMES);

	sprintf(name, n < NAMES ? ALL "/%lu" : ALL "/dir/%lu", n);
}

/* What may be answered when others have the same names in hand. */
static bool name_is_in_the_way(void)
{
	return errno == ENOENT || errno == EEXIST || errno == ENOTEMPTY;
}

/* A place in a file; most are near a huge page's edge or at it. */
static long random_place(struct worker *w)
{
	long at = chance_of(&w->state, PAGES + 1) * HUGE;

	switch (chance_of(&w->state, 3)) {
	case 0:
		return at;
	case 1:
		return at + chance_of(&w->state, 100);
	default:
		return at ? at - chance_of(&w->state, 100) : 5;
	}
}

static long random_length(struct worker *w)
{
	static const long lengths[] = { 1, 100, 4096, 65536, HUGE };

	return lengths[chance_of(&w->state, 5)];
}

/* No page may be left: others have them. */
static bool done_or_full(long answer)
{
	return answer >= 0 || errno == ENOSPC || errno == ENOMEM;
}

/* --- with names, while there are any ------------------------------------- */

static void forget(struct worker *w, int slot)
{
	if (w->map[slot])
		must(unmap_huge(w->map[slot], PAGES) == 0);
	if (w->fd[slot] >= 0)
		close(w->fd[slot]);
	w->map[slot] = NULL;
	w->fd[slot] = -1;
}

/* What is open stays so where the mount has gone. */
static void open_one(struct worker *w, int slot)
{
	char name[64];
	int fd;

	random_name(w, name);
	if (chance_of(&w->state, 8) == 0)
		fd = open(ALL, O_TMPFILE | O_RDWR, 0600);
	else
		fd = open(name, O_CREAT | O_RDWR, 0600);
	if (fd < 0) {
		must(errno == ENOENT && is_set(&w->arena->gone));
		return;
	}
	forget(w, slot);
	w->fd[slot] = fd;
}

static void work_on_names(struct worker *w)
{
	static const unsigned int flags[] = {
		0, RENAME_NOREPLACE, RENAME_EXCHANGE };
	char from[64], to[64];
	struct statfs stat;

	random_name(w, from);
	random_name(w, to);
	switch (chance_of(&w->state, 6)) {
	case 0:
		must(unlink(from) == 0 || name_is_in_the_way());
		break;
	case 1:
		must(link(from, to) == 0 || name_is_in_the_way());
		break;
	case 2:
		must(truncate(from, random_place(w)) == 0 || errno == ENOENT);
		break;
	case 3:
		must(statfs(ALL, &stat) == 0 || is_set(&w->arena->gone));
		break;
	default:
		must(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to,
			     flags[chance_of(&w->state, 3)]) == 0 ||
		     name_is_in_the_way());
	}
}

/* --- with what is open --------------------------------------------------- */

static void work_through_mapping(struct worker *w, int slot)
{
	char *at = w->map[slot] + chance_of(&w->state, PAGES * HUGE);
	volatile char byte = 0;

	/* Cut, or no page left: SIGBUS is what all of these may get. */
	switch (chance_of(&w->state, 4)) {
	case 0:
		madvise(w->map[slot], HUGE, MADV_REMOVE);
		break;
	case 1:
		touch_prepare();
		if (sigsetjmp(touch_env, 0))
			break;
		touch_armed = 1;
		byte = *(volatile char *)at;
		touch_armed = 0;
		must(byte_is_somebodys(byte));
		break;
	default:
		can_write_value(at, w->number);
	}
}

static void work_by_calls(struct worker *w, int fd)
{
	long at = random_place(w), len = random_length(w), got;
	loff_t offset = at;

	switch (chance_of(&w->state, 8)) {
	case 0:
		must(ftruncate(fd, at) == 0);
		break;
	case 1:
		must(fallocate(fd, PUNCH, at, len) == 0);
		break;
	case 2:
		must(done_or_full(fallocate(fd, FALLOC_FL_ZERO_RANGE, at, len)));
		break;
	case 3:
		must(done_or_full(sendfile(w->fd[0] >= 0 ? w->fd[0] : fd, fd,
					   &offset, 4096)));
		break;
	case 4:
	case 5:
		got = pread(fd, w->buf, len, at);
		must(got >= 0);
		all_somebodys(w->buf, got);
		break;
	default:
		memset(w->buf, w->number, len);
		must(done_or_full(pwrite(fd, w->buf, len, at)));
	}
}

static void map_one(struct worker *w, int slot)
{
	if (w->map[slot])
		must(unmap_huge(w->map[slot], PAGES) == 0);
	w->map[slot] = chance_of(&w->state, 2) ?
		map_huge(w->fd[slot], 0, PAGES, MAP_NORESERVE) :
		map_private(w->fd[slot], 0, PAGES, MAP_NORESERVE);
	must(w->map[slot]);
}

static void step(struct worker *w)
{
	int slot = chance_of(&w->state, OPEN);
	bool gone = is_set(&w->arena->gone);

	if (chance_of(&w->state, 4) == 0)
		work_on_names(w);
	else if (w->fd[slot] < 0 || chance_of(&w->state, 12) == 0)
		open_one(w, slot);
	else if (chance_of(&w->state, 6) == 0)
		map_one(w, slot);
	else if (w->map[slot] && chance_of(&w->state, 2))
		work_through_mapping(w, slot);
	else
		work_by_calls(w, w->fd[slot]);
	__atomic_add_fetch(gone ? &w->arena->steps_after :
			   &w->arena->steps_before, 1, __ATOMIC_RELAXED);
}

static int work(void *arg)
{
	struct worker *w = arg;
	int i;

	for (i = 0; i < OPEN; i++)
		w->fd[i] = -1;
	w->buf = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(w->buf != MAP_FAILED);
	while (!is_set(&w->arena->stop))
		step(w);
	return 0;
}

/* --- all at once --------------------------------------------------------- */

static int detach(void *arg)
{
	struct arena *arena = arg;

	__atomic_store_n(&arena->gone, 1, __ATOMIC_RELEASE);
	must(umount2(OWN_DIR, MNT_DETACH) == 0);
	must(access(ALL, F_OK) == -1 && errno == ENOENT);
	return 0;
}

static void start(struct arena *arena, struct worker *workers, pid_t *pids)
{
	int i;

	own_namespace();
	mount_at(OWN_DIR, "rhugefs", 0, "size=40M");
	must(mkdir(ALL, 0700) == 0 && mkdir(ALL "/dir", 0700) == 0);
	for (i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){
			.arena = arena,
			.state = arena->seed + i,
			.number = i + 1,
		};
		pids[i] = spawn(work, &workers[i]);
	}
}

TEST_F_TIMEOUT(file_race, everything_and_umount, 60)
{
	struct arena *arena = share(sizeof(*arena));
	struct worker workers[WORKERS];
	long end = now_ms() + SECONDS * 1000;
	pid_t pids[WORKERS];
	int i;

	arena->seed = seed_get();
	start(arena, workers, pids);
	/* The check itself takes a while in such a crowd. */
	while (now_ms() < end) {
		usleep(100000);
		ASSERT_TRUE(selfcheck_says(true));
	}
	detach(arena);
	usleep(1000000);
	ASSERT_TRUE(selfcheck_says(true));
	__atomic_store_n(&arena->stop, 1, __ATOMIC_RELEASE);
	for (i = 0; i < WORKERS; i++)
		ASSERT_EQ(reap(pids[i]), 0);
	printf("# %ld steps, %ld more after the mount\n", arena->steps_before,
	       arena->steps_after);
	ASSERT_LT(100, arena->steps_before);
	ASSERT_LT(10, arena->steps_after);
	ASSERT_POOL(0, 0);
	ASSERT_TRUE(selfcheck_ok());
}

/* The same, but they are killed, as the administrator would then. */
TEST_F_TIMEOUT(file_race, killed_after_umount, 60)
{
	struct arena *arena = share(sizeof(*arena));
	struct worker workers[WORKERS];
	pid_t pids[WORKERS];
	int i, status;

	arena->seed = seed_get();
	start(arena, workers, pids);
	usleep(500000);
	/* Their namespace is this one. */
	ASSERT_EQ(reap(spawn(detach, arena)), 0);
	usleep(500000);
	for (i = 0; i < WORKERS; i++)
		ASSERT_EQ(kill(pids[i], SIGKILL), 0);
	for (i = 0; i < WORKERS; i++)
		ASSERT_EQ(waitpid(pids[i], &status, 0), pids[i]);
	ASSERT_LT(10, arena->steps_before + arena->steps_after);
	ASSERT_POOL(0, 0);
	ASSERT_TRUE(selfcheck_ok());
}

TEST_HARNESS_MAIN
