// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of a page after its file. Handed out again, it shows no byte of
 * its earlier life, whichever way it was given back, is taken and is looked at.
 * And while somebody outside still holds it, it is handed out to nobody, does
 * not change, and counts as in use.
 */
#include "rhugefs_test.h"

#include <sys/syscall.h>
#include <sys/uio.h>

#define SMALL		4096UL
#define PUNCH		(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/* What an earlier life leaves behind, and what others write meanwhile. */
#define EARLIER		0x5a
#define FOREIGN		0x11

/* --- an earlier life ----------------------------------------------------- */

/* Each frees all pages of a file, which is closed and unmapped by it. */

static void free_by_close(int fd, char *map, unsigned long pages)
{
	must(unmap_huge(map, pages) == 0);
	close(fd);
}

static void free_by_truncate(int fd, char *map, unsigned long pages)
{
	must(ftruncate(fd, 0) == 0);
	free_by_close(fd, map, pages);
}

static void free_by_punch(int fd, char *map, unsigned long pages)
{
	must(fallocate(fd, PUNCH, 0, pages * HUGE) == 0);
	free_by_close(fd, map, pages);
}

static void free_by_remove(int fd, char *map, unsigned long pages)
{
	must(madvise(map, pages * HUGE, MADV_REMOVE) == 0);
	free_by_close(fd, map, pages);
}

/* Fill every page of the pool, and give all back. */
static void live_and_leave(void (*leave)(int fd, char *map, unsigned long pages))
{
	unsigned long pages = pool_count("", "nr");
	int fd = file_new();
	char *map = map_huge(fd, 0, pages, 0);

	must(map);
	memset(map, EARLIER, pages * HUGE);
	leave(fd, map, pages);
}

/* --- the next one -------------------------------------------------------- */

/* Each looks at all of a file, mapped, in which nothing was written yet. */

static bool zero_by_mapping(int fd, char *map, unsigned long pages)
{
	return bytes_are(map, 0, pages * HUGE);
}

static bool zero_by_read(int fd, char *map, unsigned long pages)
{
	char *buf = malloc(HUGE);
	bool zero = true;
	unsigned long i;

	must(buf);
	for (i = 0; i < pages; i++) {
		must(pread(fd, buf, HUGE, i * HUGE) == HUGE);
		zero = zero && bytes_are(buf, 0, HUGE);
	}
	free(buf);
	return zero;
}

/* The kernel takes the pages for us: this may be the first touch of them. */
static bool zero_by_process_vm_readv(int fd, char *map, unsigned long pages)
{
	char *buf = malloc(HUGE);
	struct iovec local = { buf, HUGE };
	bool zero = true;
	unsigned long i;

	must(buf);
	for (i = 0; i < pages; i++) {
		struct iovec remote = { map + i * HUGE, HUGE };

		must(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
		     HUGE);
		zero = zero && bytes_are(buf, 0, HUGE);
	}
	free(buf);
	return zero;
}

static bool zero_by_vmsplice(int fd, char *map, unsigned long pages)
{
	struct pin pin = pin_new();
	bool zero = true;
	unsigned long i;

	/* As much as goes into the pipe at a time. */
	for (i = 0; i < pages * HUGE; i += HUGE / 4) {
		pin_add(&pin, map + i, HUGE / 4);
		zero = pin_drop(&pin, HUGE / 4, 0) && zero;
	}
	pin_end(&pin);
	return zero;
}

/* Each gets a file that maps that many pages, however it comes by them. */

static char *take_by_faults(int *fd, unsigned long pages)
{
	*fd = file_new();
	return map_huge(*fd, 0, pages, 0);
}

static char *take_unreserved(int *fd, unsigned long pages)
{
	*fd = file_new();
	return map_huge(*fd, 0, pages, MAP_NORESERVE);
}

static char *take_by_populate(int *fd, unsigned long pages)
{
	*fd = file_new();
	return map_huge(*fd, 0, pages, MAP_POPULATE);
}

static char *take_by_fallocate(int *fd, unsigned long pages)
{
	*fd = file_new();
	must(fallocate(*fd, 0, 0, pages * HUGE) == 0);
	return map_huge(*fd, 0, pages, 0);
}

/* Allocated by halves, none of which ends with a page. */
static char *take_by_ragged_fallocate(int *fd, unsigned long pages)
{
	*fd = file_new();
	must(fallocate(*fd, 0, 0, pages / 2 * HUGE + 1) == 0);
	must(fallocate(*fd, 0, pages / 2 * HUGE + 1,
		       pages * HUGE - pages / 2 * HUGE - 1) == 0);
	return map_huge(*fd, 0, pages, 0);
}

RHUGEFS_FIXTURE(next_life);

FIXTURE_VARIANT(next_life) {
	void (*leave)(int fd, char *map, unsigned long pages);
};

FIXTURE_VARIANT_ADD(next_life, after_close) {
	.leave = free_by_close,
};

FIXTURE_VARIANT_ADD(next_life, after_truncate) {
	.leave = free_by_truncate,
};

FIXTURE_VARIANT_ADD(next_life, after_punch) {
	.leave = free_by_punch,
};

FIXTURE_VARIANT_ADD(next_life, after_madv_remove) {
	.leave = free_by_remove,
};

/* Take every page of the pool, after an earlier life, in each way; look. */
TEST_F_TIMEOUT(next_life, shows_zeroes_alone, 240)
{
	char *(*const take[])(int *fd, unsigned long pages) = {
		take_by_faults, take_unreserved, take_by_populate,
		take_by_fallocate, take_by_ragged_fallocate,
	};
	bool (*const zero[])(int fd, char *map, unsigned long pages) = {
		zero_by_mapping, zero_by_process_vm_readv, zero_by_vmsplice,
		zero_by_read,
	};
	unsigned long pages = self->before.all.nr;
	char *map;
	int i, fd;

	/* Nobody needs to see all twenty pairs, but each side of each. */
	for (i = 0; i < 5; i++) {
		live_and_leave(variant->leave);
		map = take[i](&fd, pages);
		ASSERT_NE(map, NULL);
		ASSERT_TRUE(zero[i % 4](fd, map, pages))
			TH_LOG("way of taking %d, of looking %d", i, i % 4);
		/* And once more, in case that looking there missed something. */
		ASSERT_TRUE(zero_by_mapping(fd, map, pages))
			TH_LOG("way of taking %d", i);
		ASSERT_POOL(pages, 0);
		ASSERT_EQ(unmap_huge(map, pages), 0);
		close(fd);
	}
}

/* read(2) of pages that were allocated, and that nobody has mapped. */
TEST_F_TIMEOUT(next_life, is_read_as_zeroes_unmapped, 120)
{
	unsigned long pages = self->before.all.nr;
	int fd = file_new();

	live_and_leave(variant->leave);
	ASSERT_EQ(fallocate(fd, 0, 0, pages * HUGE), 0);
	ASSERT_POOL(pages, 0);
	ASSERT_TRUE(zero_by_read(fd, NULL, pages));
}

/* --- pins ---------------------------------------------------------------- */

RHUGEFS_FIXTURE(pin);

/* A file of @pages pages, full, of which a small page each is in a pipe. */
static int file_pinned(struct pin *pin, unsigned long pages, char **map)
{
	int fd = file_new();
	unsigned long i;

	*map = map_huge(fd, 0, pages, 0);
	must(*map);
	memset(*map, EARLIER, pages * HUGE);
	for (i = 0; i < pages; i++)
		pin_add(pin, *map + i * HUGE + i * SMALL, SMALL);
	return fd;
}

/* Take all that can be had, and write to it. */
static int exhaust(unsigned long pages)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, pages, 0);

	must(map);
	memset(map, FOREIGN, pages * HUGE);
	must(unmap_huge(map, pages) == 0);
	return fd;
}

static bool can_map_another(void)
{
	char *map = map_huge(file_new(), 0, 1, 0);

	must(map || errno == ENOMEM);
	if (map)
		must(unmap_huge(map, 1) == 0);
	return map;
}

TEST_F(pin, outlives_truncation)
{
	struct pin pin = pin_new();
	char *map;
	int fd = file_pinned(&pin, 1, &map);

	ASSERT_POOL(1, 0);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_FALSE(can_read(map));
	/* Nobody's any more, but in use. */
	ASSERT_POOL(1, 0);
	exhaust(self->before.all.free - 1);
	ASSERT_FALSE(can_map_another());
	ASSERT_EQ(fallocate(file_new(), 0, 0, 1), -1);
	ASSERT_EQ(errno, ENOSPC);
	ASSERT_POOL(self->before.all.free, 0);

	ASSERT_TRUE(pin_drop(&pin, SMALL, EARLIER));
	/* At once, since there is no other. */
	ASSERT_TRUE(can_map_another());
}

TEST_F(pin, comes_back_by_itself)
{
	struct pin pin = pin_new();
	char *map;
	int fd = file_pinned(&pin, 1, &map);

	ASSERT_EQ(ftruncate(fd, 0), 0);
	/* Longer than the pool looks often. */
	usleep(1500000);
	ASSERT_POOL(1, 0);
	ASSERT_TRUE(pin_drop(&pin, SMALL, EARLIER));
	ASSERT_POOL(0, 0);
}

/* Whoever is short asks in one of these ways. */
static bool gets_one_by_fault(int fd)
{
	char *map = map_huge(fd, 0, 1, MAP_NORESERVE);

	return can_write(map);
}

static bool gets_one_by_fallocate(int fd)
{
	return fallocate(fd, 0, 0, HUGE) == 0;
}

TEST_F(pin, comes_back_to_whoever_is_short)
{
	bool (*const get[])(int fd) = {
		gets_one_by_fault, gets_one_by_fallocate,
	};
	unsigned long all = self->before.all.free;
	struct pin pin = pin_new();
	int i, fd, next;
	char *map;

	for (i = 0; i < 2; i++) {
		fd = file_pinned(&pin, 1, &map);
		ASSERT_EQ(ftruncate(fd, 0), 0);
		ASSERT_EQ(unmap_huge(map, 1), 0);
		fd = exhaust(all - 1);
		next = file_new();
		ASSERT_FALSE(get[i](next));
		ASSERT_TRUE(pin_drop(&pin, SMALL, EARLIER));
		ASSERT_TRUE(get[i](next))
			TH_LOG("way %d", i);
		ASSERT_TRUE(bytes_are(map_huge(next, 0, 1, 0) + 1, 0,
				      HUGE - 1));
		ASSERT_POOL(all, 0);
		ASSERT_EQ(ftruncate(next, 0), 0);
		ASSERT_EQ(ftruncate(fd, 0), 0);
		ASSERT_POOL(0, 0);
	}
}

TEST_F(pin, outlives_punching)
{
	struct pin pin = pin_new();
	char *map;
	int fd = file_pinned(&pin, 3, &map);

	ASSERT_EQ(fallocate(fd, PUNCH, HUGE, HUGE), 0);
	ASSERT_POOL(3, 0);
	/* The file gets another page there. */
	ASSERT_TRUE(bytes_are(map + HUGE, 0, HUGE));
	memset(map + HUGE, FOREIGN, HUGE);
	ASSERT_POOL(4, 0);
	ASSERT_TRUE(pin_drop(&pin, 3 * SMALL, EARLIER));
	ASSERT_POOL(3, 0);
	ASSERT_TRUE(bytes_are(map + HUGE, FOREIGN, HUGE));
}

TEST_F(pin, outlives_file_and_process)
{
	struct pin pin = pin_new();
	char *map;
	int fd = file_pinned(&pin, 2, &map);

	ASSERT_EQ(unmap_huge(map, 2), 0);
	close(fd);
	ASSERT_POOL(2, 0);
	exhaust(self->before.all.free - 2);
	ASSERT_FALSE(can_map_another());
	ASSERT_TRUE(pin_drop(&pin, 2 * SMALL, EARLIER));
	ASSERT_TRUE(can_map_another());
}

/* What is written in place shows in the pipe while the page is the file's. */
TEST_F(pin, is_the_page_and_not_a_copy)
{
	struct pin pin = pin_new();
	char *map;

	file_pinned(&pin, 2, &map);
	memset(map, FOREIGN, HUGE);
	ASSERT_TRUE(pin_drop(&pin, SMALL, FOREIGN));
	ASSERT_TRUE(pin_drop(&pin, SMALL, EARLIER));
	ASSERT_POOL(2, 0);
}

/* Two hold it: the first to let go frees nothing. */
TEST_F(pin, held_twice)
{
	struct pin pin = pin_new(), other = pin_new();
	char *map;
	int fd = file_pinned(&pin, 1, &map);

	ASSERT_EQ(tee(pin.out, other.in, SMALL, 0), SMALL);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	exhaust(self->before.all.free - 1);
	ASSERT_TRUE(pin_drop(&pin, SMALL, EARLIER));
	ASSERT_FALSE(can_map_another());
	ASSERT_TRUE(pin_drop(&other, SMALL, EARLIER));
	ASSERT_TRUE(can_map_another());
}

/* All of the pool: as one after the other is let go, just so many are there. */
TEST_F_TIMEOUT(pin, all_of_them, 120)
{
	unsigned long all = self->before.all.free, i;
	struct pin pin = pin_new();
	char *map;
	int fd = file_pinned(&pin, all, &map);

	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_EQ(unmap_huge(map, all), 0);
	ASSERT_POOL(all, 0);
	for (i = 0; i <= all; i++) {
		ASSERT_EQ(map_huge(fd, 0, i + 1, 0), NULL);
		ASSERT_EQ(errno, ENOMEM);
		if (i) {
			map = map_huge(fd, 0, i, 0);
			ASSERT_NE(map, NULL);
			ASSERT_EQ(unmap_huge(map, i), 0);
			ASSERT_EQ(ftruncate(fd, 0), 0);
		}
		must(i == all || pin_drop(&pin, SMALL, EARLIER));
	}
}

/* A pin on what nobody touched yet is its first touch, and takes a page. */
TEST_F(pin, as_first_touch)
{
	struct pin pin = pin_new();
	char *map;
	int fd;

	live_and_leave(free_by_truncate);
	fd = file_new();
	map = map_huge(fd, 0, 2, 0);
	ASSERT_NE(map, NULL);
	pin_add(&pin, map + 5 * SMALL, 3 * SMALL);
	ASSERT_POOL(1, 1);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_POOL(1, 0);
	ASSERT_TRUE(pin_drop(&pin, 3 * SMALL, 0));
	ASSERT_POOL(0, 0);
}

/* The partial page at the end of a hole is the file's, pinned or not. */
TEST_F(pin, and_a_partial_punch)
{
	struct pin pin = pin_new();
	char *map;
	int fd = file_pinned(&pin, 1, &map);

	ASSERT_EQ(fallocate(fd, PUNCH, SMALL, HUGE - SMALL), 0);
	ASSERT_POOL(1, 0);
	ASSERT_TRUE(bytes_are(map, EARLIER, SMALL));
	ASSERT_TRUE(bytes_are(map + SMALL, 0, HUGE - SMALL));
	ASSERT_TRUE(pin_drop(&pin, SMALL, EARLIER));
	ASSERT_POOL(1, 0);
}

/* --- a reader that holds the page ---------------------------------------- */

struct hold {
	int over;
	int fd;
};

/* Read into memory that is not there yet, so that it takes a while. */
static int read_for_ever(void *arg)
{
	struct hold *hold = arg;
	ssize_t i, len;
	char *buf;

	while (!__atomic_load_n(&hold->over, __ATOMIC_ACQUIRE)) {
		buf = mmap(NULL, HUGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		must(buf != MAP_FAILED);
		must(madvise(buf, HUGE, MADV_NOHUGEPAGE) == 0);
		len = pread(hold->fd, buf, HUGE, 0);
		must(len >= 0);
		for (i = 0; i < len; i++)
			must(buf[i] == EARLIER || buf[i] == 0);
		must(munmap(buf, HUGE) == 0);
	}
	return 0;
}

/*
 * Readers hold a page while they copy. With only two pages left in the pool, what
 * one file loses another takes at once and writes to: no reader may see that.
 */
TEST_F_TIMEOUT(pin, by_readers, 120)
{
	struct hold *hold = share(sizeof(*hold));
	unsigned long rounds = 0;
	char *map, *other;
	pid_t pid[2];
	int fd, i;
	long end;

	exhaust(self->before.all.free - 2);
	hold->fd = file_new();
	fd = file_new();
	map = map_huge(hold->fd, 0, 1, MAP_NORESERVE);
	other = map_huge(fd, 0, 1, MAP_NORESERVE);
	ASSERT_NE(map, NULL);
	ASSERT_NE(other, NULL);
	for (i = 0; i < 2; i++)
		pid[i] = spawn(read_for_ever, hold);
	for (end = now_ms() + 3000; now_ms() < end; rounds++) {
		if (can_write_value(map, EARLIER))
			memset(map, EARLIER, HUGE);
		ASSERT_EQ(ftruncate(hold->fd, 0), 0);
		for (i = 0; i < 2; i++) {
			ASSERT_EQ(ftruncate(fd, HUGE), 0);
			/* Both pages may be held for a moment. */
			if (can_write_value(other, FOREIGN))
				memset(other, FOREIGN, HUGE);
			ASSERT_EQ(ftruncate(fd, 0), 0);
		}
		ASSERT_EQ(ftruncate(hold->fd, HUGE), 0);
	}
	__atomic_store_n(&hold->over, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(reap(pid[i]), 0);
	TH_LOG("%lu rounds", rounds);
	ASSERT_LT(0, rounds);
	ASSERT_EQ(ftruncate(hold->fd, 0), 0);
	ASSERT_POOL(self->before.all.free - 2, 0);
}

TEST_HARNESS_MAIN
