// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory errors, as the kernel lets them be tried: in pages that are used, promised,
 * free and pinned. Who touches such a page is told so, everybody else goes on, and the page
 * leaves the pool, which adds up, and never comes back.
 */
#include <sys/uio.h>

#include "numa.h"
#include "pool_size.h"

#ifndef MADV_HWPOISON
#define MADV_HWPOISON		100
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE	101
#endif

#define SMALL		4096UL
#define PUNCH		(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define CORRUPT		"/sys/kernel/debug/hwpoison/corrupt-pfn"

/* Milliseconds until what the module does on its own is done. */
#define PATIENCE	5000

/* --- touching ------------------------------------------------------------ */

static sigjmp_buf bus_env;
static volatile sig_atomic_t bus_code;
static char *volatile bus_addr;

static void bus(int sig, siginfo_t *info, void *context)
{
	bus_code = info->si_code;
	bus_addr = info->si_addr;
	siglongjmp(bus_env, 1);
}

static void catch_bus(void)
{
	struct sigaction action = {
		.sa_sigaction = bus,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	must(sigaction(SIGBUS, &action, NULL) == 0);
	bus_code = 0;
}

/* 0, or what code the SIGBUS had. */
static int read_code(const volatile char *addr)
{
	catch_bus();
	if (sigsetjmp(bus_env, 0))
		return bus_code;
	(void)*addr;
	return 0;
}

static int write_code_of(volatile char *addr, char value)
{
	catch_bus();
	if (sigsetjmp(bus_env, 0))
		return bus_code;
	*addr = value;
	return 0;
}

/* Whether an address comes to be one that is lost. */
static bool is_lost(const volatile char *addr)
{
	long end = now_ms() + PATIENCE;
	int code;

	while (!(code = read_code(addr)) && now_ms() < end)
		usleep(1000);
	return code == BUS_MCEERR_AR && bus_addr == addr;
}

/* --- errors -------------------------------------------------------------- */

/*
 * The kernel may tell so at once whoever asks for it, by the same signal, and calls it a
 * failure that it could not mend anything.
 */
static void lose(char *addr)
{
	catch_bus();
	if (sigsetjmp(bus_env, 0))
		return;
	must(!madvise(addr, SMALL, MADV_HWPOISON) || errno == EHWPOISON ||
	     errno == EBUSY);
}

/* The page frame of something that is mapped. */
static unsigned long frame_of(const char *addr)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned long entry;

	must(fd >= 0 && can_read(addr));
	must(pread(fd, &entry, sizeof(entry), (unsigned long)addr / SMALL *
		   sizeof(entry)) == sizeof(entry));
	close(fd);
	must(entry >> 63);
	return entry & ((1UL << 55) - 1);
}

static void corrupt(unsigned long frame)
{
	char text[32];
	int err;

	snprintf(text, sizeof(text), "%#lx", frame);
	/* The kernel cannot help it, and says so, once it has flagged the page. */
	err = tell_kernel(CORRUPT, text);
	must(!err || err == EBUSY || err == EIO);
}

static long poisoned(void)
{
	return pool_count("", "poisoned");
}

static bool poisoned_becomes(long pages)
{
	long end = now_ms() + PATIENCE;

	while (poisoned() != pages && now_ms() < end)
		usleep(1000);
	if (poisoned() == pages)
		return true;
	dprintf(STDOUT_FILENO, "# poisoned: %ld, wanted %ld\n", poisoned(),
		pages);
	return false;
}

/* What there was. */
struct was {
	struct pools before;
	long poisoned;
	int log;
};

FIXTURE(poison) {
	struct was was;
};

FIXTURE_SETUP(poison)
{
	self->was.before = pools_read();
	self->was.poisoned = poisoned();
	self->was.log = log_open();
	if (access(CORRUPT, W_OK) != 0)
		SKIP(return, "this kernel has no hwpoison-inject");
}

/* In the parent: what the test had mapped is gone by now, and what is lost replaced. */
FIXTURE_TEARDOWN_PARENT(poison)
{
	EXPECT_TRUE(pool_size_restored(&self->was.before));
	EXPECT_TRUE(selfcheck_ok());
}

/* Whether so many pages more were withheld, and nothing else is missing. */
static bool left_for_good(struct was *was, long pages)
{
	struct pools now;

	if (!poisoned_becomes(was->poisoned + pages))
		return false;
	now = pools_read();
	if (pools_sane(&now) && now.all.nr == was->before.all.nr - pages &&
	    now.all.free == now.all.nr && now.all.resv == 0 &&
	    log_names(was->log, "is withheld") == !!pages && selfcheck_ok())
		return true;
	pools_print("before", &was->before);
	pools_print("now", &now);
	return false;
}

/* --- shared -------------------------------------------------------------- */

struct mapper {
	char *map;
	int ready[2];
	int go[2];
};

/* Another process that has all three pages mapped, and looks when told. */
static int look_at_all(void *arg)
{
	struct mapper *mapper = arg;
	char byte;

	must(can_read(mapper->map) && can_read(mapper->map + HUGE) &&
	     can_read(mapper->map + 2 * HUGE));
	must(write(mapper->ready[1], "", 1) == 1);
	must(read(mapper->go[0], &byte, 1) == 1);
	must(is_lost(mapper->map + HUGE + 5 * SMALL));
	/* All of it is lost, and nothing else. */
	must(read_code(mapper->map + HUGE) == BUS_MCEERR_AR);
	must(write_code_of(mapper->map + 2 * HUGE - 1, 1) == BUS_MCEERR_AR);
	must(mapper->map[0] == 1 && mapper->map[2 * HUGE] == 3);
	must(write_code_of(mapper->map + 1, 9) == 0);
	return 0;
}

static void lose_shared(struct was *was, bool by_frame)
{
	struct mapper mapper = { .map = map_new(3, 0) };
	unsigned long frame;
	pid_t pid;
	char byte;

	must(touch_pages(mapper.map, 3) == 3);
	must(pipe(mapper.ready) == 0 && pipe(mapper.go) == 0);
	pid = spawn(look_at_all, &mapper);
	must(read(mapper.ready[0], &byte, 1) == 1);
	frame = frame_of(mapper.map + HUGE) + 5;
	if (by_frame)
		corrupt(frame);
	else
		lose(mapper.map + HUGE + 5 * SMALL);
	must(write(mapper.go[1], "", 1) == 1);
	must(reap(pid) == 0);
	must(is_lost(mapper.map + HUGE + 5 * SMALL));
	must(mapper.map[1] == 9);
	/* It is still the file's. */
	must(poisoned() == was->poisoned);
	must(pool_read().nr == was->before.all.nr);
	must(selfcheck_ok());
	must(unmap_huge(mapper.map, 3) == 0);
}

TEST_F(poison, shared_by_address)
{
	lose_shared(&self->was, false);
	ASSERT_TRUE(left_for_good(&self->was, 1));
}

TEST_F(poison, shared_by_frame)
{
	lose_shared(&self->was, true);
	ASSERT_TRUE(left_for_good(&self->was, 1));
}

TEST_F(poison, punched_and_made_anew)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 2, 0);

	ASSERT_EQ(touch_pages(map, 2), 2);
	corrupt(frame_of(map + HUGE));
	ASSERT_TRUE(is_lost(map + HUGE));
	ASSERT_EQ(fallocate(fd, PUNCH, HUGE, HUGE), 0);
	ASSERT_TRUE(poisoned_becomes(self->was.poisoned + 1));
	/* The hole is not promised, and takes what is there. */
	ASSERT_EQ(write_code_of(map + HUGE, 7), 0);
	ASSERT_TRUE(bytes_are(map + HUGE + 1, 0, 4095));
	ASSERT_EQ(map[0], 1);
	ASSERT_EQ(unmap_huge(map, 2), 0);
	close(fd);
	ASSERT_TRUE(left_for_good(&self->was, 1));
}

/* --- read(2), write(2) ----------------------------------------------------- */

TEST_F(poison, read_and_write)
{
	static char buf[2 * HUGE];
	int fd = file_new();
	char *map = map_huge(fd, 0, 3, 0);
	unsigned long i;

	for (i = 0; i < 3; i++)
		bytes_stir(map + i * HUGE, HUGE, i);
	corrupt(frame_of(map + HUGE) + 7);
	ASSERT_TRUE(is_lost(map + HUGE));
	/* What is before it can be read, and written to. */
	ASSERT_EQ(pread(fd, buf, sizeof(buf), SMALL), HUGE + 6 * SMALL);
	ASSERT_TRUE(bytes_stirred(buf + HUGE - SMALL, 7 * SMALL, 1));
	ASSERT_EQ(pread(fd, buf, 1, HUGE + 7 * SMALL), -1);
	ASSERT_EQ(errno, EIO);
	ASSERT_EQ(pread(fd, buf, 1, HUGE + 8 * SMALL - 1), -1);
	ASSERT_EQ(errno, EIO);
	ASSERT_EQ(pread(fd, buf, HUGE, HUGE + 8 * SMALL), HUGE);
	ASSERT_TRUE(bytes_stirred(buf + HUGE - 8 * SMALL, 8 * SMALL, 2));
	ASSERT_EQ(pwrite(fd, buf, HUGE, HUGE + 6 * SMALL), SMALL);
	ASSERT_EQ(pwrite(fd, buf, 1, HUGE + 7 * SMALL), -1);
	ASSERT_EQ(errno, EIO);
	/* A part of it is cleared where that can be. */
	ASSERT_EQ(fallocate(fd, PUNCH, HUGE, 9 * SMALL), 0);
	ASSERT_EQ(pread(fd, buf, HUGE, HUGE), 7 * SMALL);
	ASSERT_TRUE(bytes_are(buf, 0, 7 * SMALL));
	ASSERT_EQ(pread(fd, buf, SMALL, HUGE + 8 * SMALL), SMALL);
	ASSERT_TRUE(bytes_are(buf, 0, SMALL));
	ASSERT_EQ(unmap_huge(map, 3), 0);
	close(fd);
	ASSERT_TRUE(left_for_good(&self->was, 1));
}

/* --- private --------------------------------------------------------------- */

TEST_F(poison, private_dropped_and_made_anew)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 3, 0);

	ASSERT_EQ(touch_pages(map, 3), 3);
	lose(map + HUGE);
	ASSERT_TRUE(is_lost(map + HUGE + 1));
	ASSERT_EQ(write_code_of(map + HUGE, 1), BUS_MCEERR_AR);
	ASSERT_EQ(map[0], 1);
	ASSERT_EQ(map[2 * HUGE], 3);
	/* Who gives the page up gets the one that he was promised. */
	ASSERT_EQ(madvise(map + HUGE, HUGE, MADV_DONTNEED), 0);
	ASSERT_EQ(write_code_of(map + HUGE, 5), 0);
	ASSERT_TRUE(bytes_are(map + HUGE + 8, 0, SMALL - 8));
	ASSERT_EQ(unmap_huge(map, 3), 0);
	close(fd);
	ASSERT_TRUE(left_for_good(&self->was, 1));
}

static int child_of_lost(void *arg)
{
	char *map = arg;

	must(read_code(map + HUGE) == BUS_MCEERR_AR);
	must(write_code_of(map + HUGE, 1) == BUS_MCEERR_AR);
	must(map[0] == 1 && map[2 * HUGE] == 3);
	must(write_code_of(map, 8) == 0);
	return 0;
}

TEST_F(poison, private_and_fork)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 3, 0);

	ASSERT_EQ(touch_pages(map, 3), 3);
	corrupt(frame_of(map + HUGE) + 511);
	ASSERT_TRUE(is_lost(map + HUGE));
	ASSERT_EQ(reap(spawn(child_of_lost, map)), 0);
	ASSERT_EQ(read_code(map + HUGE), BUS_MCEERR_AR);
	ASSERT_EQ(map[0], 1);
	ASSERT_EQ(unmap_huge(map, 3), 0);
	close(fd);
	ASSERT_TRUE(left_for_good(&self->was, 1));
}

TEST_F(poison, private_of_a_lost_file)
{
	int fd = file_new();
	char *shared = map_huge(fd, 0, 1, 0), *map = map_private(fd, 0, 1, 0);

	ASSERT_EQ(touch_pages(shared, 1), 1);
	ASSERT_EQ(read_code(map), 0);
	corrupt(frame_of(shared));
	ASSERT_TRUE(is_lost(map));
	/* There is nothing that it could be a copy of. */
	ASSERT_EQ(write_code_of(map, 1), BUS_MCEERR_AR);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_EQ(unmap_huge(shared, 1), 0);
	ASSERT_EQ(unmap_huge(map, 1), 0);
	close(fd);
	ASSERT_TRUE(left_for_good(&self->was, 1));
}

/* --- free and promised ------------------------------------------------------- */

/* The frames of so many pages, which are free again. */
static void frames_free(unsigned long *frame, unsigned long pages)
{
	char *map = map_new(pages, 0);
	unsigned long i;

	must(touch_pages(map, pages) == pages);
	for (i = 0; i < pages; i++)
		frame[i] = frame_of(map + i * HUGE);
	must(unmap_huge(map, pages) == 0);
}

TEST_F(poison, free_pages)
{
	unsigned long frame[8];
	int i;

	frames_free(frame, 8);
	for (i = 0; i < 8; i++)
		corrupt(frame[i] + 64 * i);
	ASSERT_TRUE(left_for_good(&self->was, 8));
	/* A second time is no other page. */
	corrupt(frame[0] + 1);
	usleep(100000);
	ASSERT_EQ(poisoned(), self->was.poisoned + 8);
}

static bool is_any_of(const unsigned long *frame, unsigned long pages,
		      unsigned long wanted)
{
	unsigned long i;

	for (i = 0; i < pages; i++)
		if (frame[i] == wanted)
			return true;
	return false;
}

/* Every page of the pool is promised: in place of those that are lost others come. */
TEST_F(poison, promised_pages)
{
	long pages = self->was.before.all.nr;
	unsigned long frame[4];
	char *map;
	long i;

	frames_free(frame, 4);
	map = map_new(pages, 0);
	ASSERT_NE(map, NULL);
	for (i = 0; i < 4; i++)
		corrupt(frame[i]);
	ASSERT_TRUE(poisoned_becomes(self->was.poisoned + 4));
	ASSERT_EQ(pool_read().nr, pages);
	ASSERT_EQ(pool_read().resv, pages);
	for (i = 0; i < pages; i++) {
		ASSERT_EQ(write_code_of(map + i * HUGE, 1), 0);
		ASSERT_FALSE(is_any_of(frame, 4, frame_of(map + i * HUGE)));
	}
	ASSERT_EQ(unmap_huge(map, pages), 0);
}

/* What is free on another node may as well be what was promised. */
TEST_F(poison, promised_on_another_node)
{
	long pages = self->was.before.all.nr - 1;
	unsigned long frame[1];
	char *map;

	frames_free(frame, 1);
	map = map_new(pages, 0);
	ASSERT_NE(map, NULL);
	corrupt(frame[0]);
	ASSERT_TRUE(poisoned_becomes(self->was.poisoned + 1));
	ASSERT_EQ(pool_read().nr, pages);
	ASSERT_EQ(touch_pages(map, pages), pages);
	ASSERT_EQ(unmap_huge(map, pages), 0);
}

/* The frames of so many free pages of a node. */
static void frames_free_on(int nid, unsigned long *frame, unsigned long pages)
{
	struct policy policy = { .mode = MPOL_BIND, .nodes = 1UL << nid };
	struct policy none = { .mode = MPOL_DEFAULT };

	must(policy_set(&policy) == 0);
	frames_free(frame, pages);
	must(policy_set(&none) == 0);
}

static bool node_loses_one(long before)
{
	long end = now_ms() + PATIENCE;

	while (pool_count("/node1", "poisoned") == before && now_ms() < end)
		usleep(1000);
	return pool_count("/node1", "poisoned") == before + 1;
}

/* More than a node can give that has given all it had. */
#define MANY	24

/* That one node's pages cannot be replaced is nothing to another's. */
TEST_F(poison, promised_where_one_node_has_no_more)
{
	long pages, before = pool_count("/node1", "poisoned");
	unsigned long frame[MANY + 1];
	char *map;
	int i;

	if (self->was.before.nr_nodes < 2)
		SKIP(return, "this machine has one node");
	ASSERT_EQ(resize_node(0, 100000), 0);
	frames_free_on(0, frame, MANY);
	frames_free_on(1, &frame[MANY], 1);
	pages = pool_read().nr;
	map = map_new(pages, 0);
	ASSERT_NE(map, NULL);
	for (i = 0; i <= MANY; i++)
		corrupt(frame[i]);
	ASSERT_TRUE(node_loses_one(before));
	ASSERT_GT(self->was.poisoned + MANY + 1, poisoned());
	ASSERT_EQ(pool_read().nr, pages);
	ASSERT_EQ(unmap_huge(map, pages), 0);
	ASSERT_TRUE(poisoned_becomes(self->was.poisoned + MANY + 1));
}

/* --- pinned ------------------------------------------------------------------ */

TEST_F(poison, pinned)
{
	struct pin pin = pin_new();
	char *map = map_new(1, 0);

	ASSERT_EQ(touch_pages(map, 1), 1);
	pin_add(&pin, map, SMALL);
	corrupt(frame_of(map) + 3);
	ASSERT_TRUE(is_lost(map));
	ASSERT_EQ(unmap_huge(map, 1), 0);
	usleep(200000);
	/* It is parked, and in the pool, until the pipe lets go. */
	ASSERT_EQ(poisoned(), self->was.poisoned);
	ASSERT_EQ(pool_read().nr, self->was.before.all.nr);
	ASSERT_TRUE(selfcheck_ok());
	pin_end(&pin);
	ASSERT_TRUE(left_for_good(&self->was, 1));
}

/* --- what is no error -------------------------------------------------------- */

/* These pages cannot be moved, and are refused. */
TEST_F(poison, soft_offline)
{
	char *map = map_new(1, 0);

	ASSERT_EQ(touch_pages(map, 1), 1);
	ASSERT_NE(madvise(map, SMALL, MADV_SOFT_OFFLINE), 0);
	usleep(100000);
	ASSERT_EQ(read_code(map), 0);
	ASSERT_EQ(unmap_huge(map, 1), 0);
	ASSERT_TRUE(left_for_good(&self->was, 0));
}

/* --- shrinking --------------------------------------------------------------- */

/* Pages that leave the pool do so for good, whatever for. */
TEST_F(poison, shrink)
{
	unsigned long frame[2];

	frames_free(frame, 2);
	corrupt(frame[0]);
	corrupt(frame[1]);
	ASSERT_EQ(resize(0), 0);
	ASSERT_TRUE(poisoned_becomes(self->was.poisoned + 2));
	ASSERT_EQ(pool_read().nr, 0);
	ASSERT_EQ(resize(self->was.before.all.nr), 0);
	ASSERT_EQ(pool_read().nr, self->was.before.all.nr);
	ASSERT_EQ(poisoned(), self->was.poisoned + 2);
}

TEST_HARNESS_MAIN
