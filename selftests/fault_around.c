// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fault on a page that the file has maps what there is around it as well: as much of a
 * window as the mapping covers, and no page that was not there.
 */
#include "faults.h"

RHUGEFS_FIXTURE(around);

#define MANY	40

static void punch(int fd, size_t page)
{
	must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       page * HUGE, HUGE) == 0);
}

/* A mapping whose first page is also the first of a window. */
static char *map_window(int fd, size_t pages)
{
	char *room = map_huge(fd, 0, pages + WINDOW / HUGE, MAP_NORESERVE);
	unsigned long start = ((unsigned long)room + WINDOW - 1) & -WINDOW;

	must(room);
	must(munmap(room, (pages * HUGE) + WINDOW) == 0);
	return mmap((void *)start, pages * HUGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, fd, 0);
}

/* The same of a file that is made to have all pages. */
static char *map_filled(int fd, size_t pages)
{
	char *map;

	must(fallocate(fd, 0, 0, MANY * HUGE) == 0);
	map = map_window(fd, pages);
	must(map != MAP_FAILED);
	return map;
}

TEST_F(around, one_fault_a_window)
{
	int fd = file_new();
	char *map = map_filled(fd, MANY);

	ASSERT_EQ(faults_of(map + WINDOW - HUGE, HUGE, true), 1);
	ASSERT_EQ(faults_of(map, WINDOW, true), 0);
	ASSERT_EQ(faults_of(map, MANY * HUGE, false), 2);
	ASSERT_EQ(faults_of(map, MANY * HUGE, true), 0);
	ASSERT_POOL(MANY, 0);
}

TEST_F(around, holes_stay_holes)
{
	const size_t hole = 5;
	int fd = file_new();
	char *map;

	ASSERT_EQ(fallocate(fd, 0, 0, MANY * HUGE), 0);
	punch(fd, hole);
	map = map_window(fd, MANY);
	ASSERT_NE(map, MAP_FAILED);
	ASSERT_EQ(faults_of(map, hole * HUGE, true), 1);
	ASSERT_EQ(faults_of(map + (hole + 1) * HUGE, (MANY - hole - 1) * HUGE,
			    true), 2);
	ASSERT_POOL(MANY - 1, 0);
	ASSERT_EQ(faults_of(map + hole * HUGE, HUGE, false), 1);
	ASSERT_POOL(MANY, 0);
	ASSERT_EQ(faults_of(map, MANY * HUGE, false), 0);
}

/* A page that is just made does not bring along others. */
TEST_F(around, none_with_a_new_one)
{
	int fd = file_new();
	char *map;

	ASSERT_EQ(fallocate(fd, 0, HUGE, 2 * HUGE), 0);
	map = map_window(fd, 4);
	ASSERT_NE(map, MAP_FAILED);
	ASSERT_EQ(faults_of(map, HUGE, true), 1);
	ASSERT_EQ(faults_of(map + HUGE, 2 * HUGE, true), 1);
	ASSERT_POOL(3, 0);
}

TEST_F(around, what_came_along_is_what_the_file_has)
{
	int fd = file_new(), i;
	char *map = map_huge(fd, 0, MANY, 0), *part;

	ASSERT_NE(map, NULL);
	for (i = 0; i < MANY; i++)
		map[i * HUGE] = i + 1;
	part = map_huge(fd, 3, MANY - 6, 0);
	ASSERT_NE(part, NULL);
	ASSERT_EQ(part[10 * HUGE], 14);
	for (i = 3; i < MANY - 3; i++) {
		ASSERT_EQ(part[(i - 3) * HUGE], i + 1);
		part[(i - 3) * HUGE + 1] = i + 1;
		ASSERT_EQ(map[i * HUGE + 1], i + 1);
	}
	ASSERT_POOL(MANY, 0);
}

TEST_F(around, what_came_along_goes_with_the_file)
{
	int fd = file_new();
	char *map = map_filled(fd, MANY);

	ASSERT_EQ(faults_of(map, MANY * HUGE, true), 3);
	memset(map, 'x', MANY * HUGE);
	punch(fd, 10);
	ASSERT_POOL(MANY - 1, 0);
	ASSERT_EQ(map[10 * HUGE], 0);
	ASSERT_EQ(map[11 * HUGE], 'x');
	ASSERT_EQ(ftruncate(fd, 20 * HUGE), 0);
	ASSERT_POOL(20, 0);
	ASSERT_TRUE(can_read(map + 20 * HUGE - 1));
	ASSERT_FALSE(can_read(map + 20 * HUGE));
}

/* What is kept behind the end of a file cannot be reached, nor come to light changed. */
TEST_F(around, nothing_behind_the_end)
{
	int fd = file_new();
	char *map;

	ASSERT_EQ(ftruncate(fd, 16 * HUGE), 0);
	map = map_window(fd, 16);
	ASSERT_NE(map, MAP_FAILED);
	ASSERT_EQ(ftruncate(fd, 2 * HUGE), 0);
	ASSERT_EQ(fallocate(fd, 0, 0, HUGE), 0);
	ASSERT_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 4 * HUGE, HUGE), 0);
	ASSERT_EQ(map[0], 0);
	ASSERT_FALSE(can_write(map + 4 * HUGE));
	ASSERT_EQ(ftruncate(fd, 16 * HUGE), 0);
	ASSERT_TRUE(bytes_are(map + 4 * HUGE, 0, HUGE));
	ASSERT_POOL(2, 0);
}

/* The neighbours of a mapping's addresses are not its own. */
TEST_F(around, nothing_outside_of_the_mapping)
{
	int fd = file_new();
	char *map = map_filled(fd, 16), *other;

	other = mmap(map + 4 * HUGE, 4 * HUGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ(other, map + 4 * HUGE);
	map[3 * HUGE] = 1;
	map[9 * HUGE] = 2;
	ASSERT_TRUE(bytes_are(other, 0, 4 * HUGE));
	memset(other, 'o', 4 * HUGE);
	ASSERT_TRUE(bytes_are(map, 0, 3 * HUGE));
	ASSERT_EQ(map[3 * HUGE], 1);
	ASSERT_TRUE(bytes_are(map + 10 * HUGE, 0, 6 * HUGE));
	ASSERT_POOL(MANY, 0);
}

/* Read-only stays so for what came along. */
TEST_F(around, protection_is_the_mapping_s)
{
	int fd = file_new();
	char *map;

	ASSERT_EQ(fallocate(fd, 0, 0, 8 * HUGE), 0);
	map = map_window(fd, 8);
	ASSERT_NE(map, MAP_FAILED);
	ASSERT_EQ(mprotect(map, 8 * HUGE, PROT_READ), 0);
	ASSERT_EQ(map[0], 0);
	ASSERT_EQ(faults_of(map, 8 * HUGE, false), 0);
	ASSERT_EQ(mprotect(map + 2 * HUGE, 2 * HUGE, PROT_READ | PROT_WRITE),
		  0);
	map[2 * HUGE] = 1;
	map[3 * HUGE] = 2;
	ASSERT_EQ(mprotect(map, 8 * HUGE, PROT_NONE), 0);
	ASSERT_EQ(mprotect(map, 8 * HUGE, PROT_READ), 0);
	ASSERT_EQ(map[2 * HUGE] + map[3 * HUGE], 3);
	ASSERT_POOL(8, 0);
}

TEST_HARNESS_MAIN
