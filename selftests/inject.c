// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's own points of failure, one by one: a pool that has nothing, a copy
 * that stops short, a signal in the middle. sweep.h makes each of them fail once;
 * here they fail as often, and as late, as it takes. A node that has nothing is in
 * sweep_load.c, since it matters when the module is loaded.
 */
#include "fail.h"

#include <sys/stat.h>

RHUGEFS_FIXTURE(inject);

/* --- failing ------------------------------------------------------------- */

/* Let it fail once, the @nth time. */
static void fail_nth(const char *attr, unsigned long nth)
{
	fail_inject(attr, nth, 1);
}

/* How many of the failures asked for are still to come. */
static long failures_left(const char *attr)
{
	char path[128], text[32];

	fail_set(attr, "probability", 0);
	snprintf(path, sizeof(path), FAIL_DEBUGFS "/%s/times", attr);
	fail_read(path, text, sizeof(text));
	return atol(text);
}

#define ASSERT_ALL_FAILED(attr)	ASSERT_EQ(failures_left(attr), 0)

/* --- a pool that has nothing --------------------------------------------- */

#define POOL		"rhugefs/inject_pool"

TEST_F(inject, pool_promises_nothing)
{
	int fd = file_new();
	char *map;

	fail_next(POOL, 1);
	ASSERT_EQ(map_huge(fd, 0, 3, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_ALL_FAILED(POOL);
	ASSERT_EQ(lseek(fd, 0, SEEK_END), 0);
	ASSERT_POOL(0, 0);

	map = map_huge(fd, 0, 3, 0);
	ASSERT_NE(map, NULL);
	ASSERT_POOL(0, 3);
	/* What is there already is not lost over what is not. */
	ASSERT_EQ(touch_pages(map, 1), 1);
	fail_next(POOL, 1);
	ASSERT_EQ(map_huge(fd, 1, 4, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_ALL_FAILED(POOL);
	ASSERT_EQ(lseek(fd, 0, SEEK_END), 3 * HUGE);
	ASSERT_POOL(1, 2);
	ASSERT_EQ(*map, 1);
}

TEST_F(inject, pool_allocates_nothing)
{
	int fd = file_new();

	fail_next(POOL, 1);
	ASSERT_EQ(fallocate(fd, 0, 0, 3 * HUGE), -1);
	ASSERT_EQ(errno, ENOSPC);
	ASSERT_ALL_FAILED(POOL);
	ASSERT_EQ(lseek(fd, 0, SEEK_END), 0);
	ASSERT_POOL(0, 0);
	ASSERT_EQ(fallocate(fd, 0, 0, 3 * HUGE), 0);
	ASSERT_POOL(3, 0);
}

TEST_F(inject, pool_gives_nothing)
{
	int fd = file_new(), i;
	char *map = map_huge(fd, 0, 2, MAP_NORESERVE);

	ASSERT_NE(map, NULL);
	fail_next(POOL, 3);
	for (i = 0; i < 3; i++)
		ASSERT_FALSE(can_write(map));
	ASSERT_ALL_FAILED(POOL);
	ASSERT_POOL(0, 0);
	ASSERT_TRUE(can_write(map));
	ASSERT_POOL(1, 0);

	/* Populating tries again, then stops there, and says nothing. */
	fail_inject(POOL, 2, 2);
	map = map_huge(file_new(), 0, 4, MAP_NORESERVE | MAP_POPULATE);
	ASSERT_NE(map, NULL);
	ASSERT_ALL_FAILED(POOL);
	ASSERT_POOL(2, 0);
	ASSERT_EQ(touch_pages(map, 4), 4);
	ASSERT_POOL(5, 0);
}

/* Who was promised a page is not asked whether there is one. */
TEST_F(inject, pool_keeps_its_promise)
{
	char *map = map_huge(file_new(), 0, 3, 0);

	ASSERT_NE(map, NULL);
	fail_next(POOL, 100);
	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_EQ(failures_left(POOL), 100);
	ASSERT_POOL(3, 0);
}

/* --- a copy that stops short --------------------------------------------- */

#define COPY		FAIL_COPY

/* Two pages of data and a hole. */
static int copy_file(void)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 3, MAP_NORESERVE);

	must(map);
	bytes_stir(map, HUGE, 1);
	bytes_stir(map + HUGE, HUGE, 2);
	must(unmap_huge(map, 3) == 0);
	return fd;
}

TEST_F(inject, copy_short_in_data)
{
	char *buffer = share(3 * HUGE);
	int fd = copy_file();

	fail_nth(COPY, 2);
	ASSERT_EQ(read(fd, buffer, 3 * HUGE), HUGE + HUGE / 2);
	ASSERT_ALL_FAILED(COPY);
	ASSERT_EQ(lseek(fd, 0, SEEK_CUR), HUGE + HUGE / 2);
	ASSERT_TRUE(bytes_are(buffer + HUGE + HUGE / 2, 0, HUGE / 2));
	/* It goes on where it has stopped. */
	ASSERT_EQ(read(fd, buffer + HUGE + HUGE / 2, 3 * HUGE),
		  HUGE + HUGE / 2);
	ASSERT_TRUE(bytes_stirred(buffer, HUGE, 1));
	ASSERT_TRUE(bytes_stirred(buffer + HUGE, HUGE, 2));
	ASSERT_TRUE(bytes_are(buffer + 2 * HUGE, 0, HUGE));
	ASSERT_POOL(2, 0);
}

TEST_F(inject, copy_short_in_a_hole)
{
	char *buffer = share(3 * HUGE);
	int fd = copy_file();

	memset(buffer, 7, 3 * HUGE);
	fail_nth(COPY, 3);
	ASSERT_EQ(read(fd, buffer, 3 * HUGE), 2 * HUGE + HUGE / 2);
	ASSERT_ALL_FAILED(COPY);
	ASSERT_TRUE(bytes_stirred(buffer, HUGE, 1));
	ASSERT_TRUE(bytes_are(buffer + 2 * HUGE, 0, HUGE / 2));
	ASSERT_TRUE(bytes_are(buffer + 2 * HUGE + HUGE / 2, 7, HUGE / 2));
	ASSERT_POOL(2, 0);
}

/* Half of one byte is none. */
TEST_F(inject, copy_of_nothing)
{
	int fd = copy_file();
	char byte = 7, first;

	ASSERT_EQ(pread(fd, &first, 1, 0), 1);
	fail_next(COPY, 1);
	ASSERT_EQ(read(fd, &byte, 1), -1);
	ASSERT_EQ(errno, EFAULT);
	ASSERT_ALL_FAILED(COPY);
	ASSERT_EQ(byte, 7);
	ASSERT_EQ(lseek(fd, 0, SEEK_CUR), 0);
	ASSERT_EQ(read(fd, &byte, 1), 1);
	ASSERT_EQ(byte, first);
	ASSERT_POOL(2, 0);
}

/* --- a signal in the middle ---------------------------------------------- */

#define SIGNAL		"rhugefs/inject_signal"

TEST_F(inject, signal_in_mmap)
{
	int fd = file_new();
	char *map;

	fail_next(SIGNAL, 1);
	ASSERT_EQ(map_huge(fd, 0, 3, 0), NULL);
	ASSERT_EQ(errno, EINTR);
	ASSERT_ALL_FAILED(SIGNAL);
	ASSERT_EQ(lseek(fd, 0, SEEK_END), 0);
	ASSERT_POOL(0, 0);

	map = map_huge(fd, 0, 3, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 3), 3);
	fail_next(SIGNAL, 1);
	ASSERT_EQ(map_huge(fd, 2, 3, 0), NULL);
	ASSERT_EQ(errno, EINTR);
	ASSERT_EQ(lseek(fd, 0, SEEK_END), 3 * HUGE);
	ASSERT_POOL(3, 0);
}

static long file_used(int fd)
{
	struct stat stat;

	must(fstat(fd, &stat) == 0);
	return stat.st_blocks * 512 / HUGE;
}

TEST_F(inject, signal_before_fallocate)
{
	int fd = file_new();

	fail_next(SIGNAL, 1);
	ASSERT_EQ(fallocate(fd, 0, 0, 4 * HUGE), -1);
	ASSERT_EQ(errno, EINTR);
	ASSERT_ALL_FAILED(SIGNAL);
	ASSERT_EQ(lseek(fd, 0, SEEK_END), 0);
	ASSERT_POOL(0, 0);
}

/* What it leaves is promised to the file, and the size as it was. */
TEST_F(inject, signal_in_fallocate)
{
	int fd, done;

	for (done = 0; done < 4; done++) {
		fd = file_new();
		/* The first time is before all is promised. */
		fail_nth(SIGNAL, done + 2);
		ASSERT_EQ(fallocate(fd, 0, 0, 4 * HUGE), -1);
		ASSERT_EQ(errno, EINTR);
		ASSERT_ALL_FAILED(SIGNAL);
		ASSERT_EQ(lseek(fd, 0, SEEK_END), 0);
		ASSERT_EQ(file_used(fd), done);
		ASSERT_POOL(done, 4 - done);

		ASSERT_EQ(fallocate(fd, 0, 0, 4 * HUGE), 0);
		ASSERT_EQ(lseek(fd, 0, SEEK_END), 4 * HUGE);
		ASSERT_POOL(4, 0);
		ASSERT_EQ(close(fd), 0);
		ASSERT_POOL(0, 0);
	}
}

int main(int argc, char **argv)
{
	if (!fail_has(POOL))
		return fail_skip("the module has no points of failure here");
	return test_harness_run(argc, argv);
}
