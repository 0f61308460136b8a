// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reservations of shared mappings, one step at a time: who is promised a page can
 * touch it, who cannot be promised one is told so by mmap(), and each page of a
 * file is promised once, whoever maps it and how often. After every step the
 * counts must be exactly what the steps so far add up to.
 */
#include "rhugefs_test.h"

#include <linux/falloc.h>
#include <sys/stat.h>

static long file_size(int fd)
{
	struct stat st;

	must(fstat(fd, &st) == 0);
	return st.st_size;
}

/* Huge pages that a file holds. */
static long file_pages(int fd)
{
	struct stat st;

	must(fstat(fd, &st) == 0);
	return st.st_blocks * 512 / HUGE;
}

static int punch(int fd, long from, long len)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from,
			 len);
}

/* Map as many pages of a new file as leave @left unpromised; all but touch them. */
static int reserve_all_but(long left)
{
	int fd = file_new();

	must(map_huge(fd, 0, pool_unpromised() - left, 0));
	return fd;
}

/* --- many blocks --------------------------------------------------------- */

#define MAX_BLOCKS	512

RHUGEFS_FIXTURE(blocks);

FIXTURE_VARIANT(blocks) {
	long pages;		/* of one block; -N: that the pool holds N of them */
	bool one_file;		/* a file for all of them, or one for each */
	bool leave_fds;		/* open to the end, or closed when mapped */
};

FIXTURE_VARIANT_ADD(blocks, of_1_in_files) {
	.pages = 1, .leave_fds = true,
};

FIXTURE_VARIANT_ADD(blocks, of_1_in_one_file) {
	.pages = 1, .one_file = true, .leave_fds = true,
};

FIXTURE_VARIANT_ADD(blocks, of_3_in_files_that_are_closed) {
	.pages = 3,
};

FIXTURE_VARIANT_ADD(blocks, of_7_in_one_file) {
	.pages = 7, .one_file = true, .leave_fds = true,
};

FIXTURE_VARIANT_ADD(blocks, of_16_in_one_file_that_is_closed) {
	.pages = 16, .one_file = true,
};

FIXTURE_VARIANT_ADD(blocks, larger_than_what_a_node_has_left) {
	.pages = -3, .leave_fds = true,
};

FIXTURE_VARIANT_ADD(blocks, as_large_as_the_pool) {
	.pages = -1, .one_file = true, .leave_fds = true,
};

/*
 * What kept a database from starting in 2006: its blocks were mapped one after
 * the other, each with success, and the crash came when they were touched.
 */
TEST_F_TIMEOUT(blocks, all_that_fit_can_be_touched, 300)
{
	static char *block[MAX_BLOCKS], *unreserved[MAX_BLOCKS];
	static int fd[MAX_BLOCKS];
	long pool = self->before.all.free - self->before.all.resv;
	long pages = variant->pages;
	long size = 0, n, fit, rest, i, page;
	int shared_fd = file_new();
	char *map;

	if (pages < 0)
		pages = pool / -pages;
	fit = pool / pages;
	rest = pool % pages;
	ASSERT_LT(fit, MAX_BLOCKS);

	for (n = 0; n < fit; n++) {
		fd[n] = variant->one_file ? shared_fd : file_new();
		block[n] = map_huge(fd[n], variant->one_file ? n * pages : 0,
				    pages, 0);
		ASSERT_NE(block[n], NULL);
		ASSERT_POOL(0, (n + 1) * pages);
		/* This one asks for nothing and must not be in the way. */
		unreserved[n] = map_new(pages, MAP_NORESERVE);
		ASSERT_NE(unreserved[n], NULL);
		ASSERT_POOL(0, (n + 1) * pages);
	}

	fd[n] = variant->one_file ? shared_fd : file_new();
	size = file_size(fd[n]);
	for (i = 0; i < 3; i++) {
		map = map_huge(fd[n], variant->one_file ? n * pages : 0, pages, 0);
		ASSERT_EQ(map, NULL);
		ASSERT_EQ(errno, ENOMEM);
		ASSERT_EQ(file_size(fd[n]), size);
		ASSERT_POOL(0, fit * pages);
	}
	if (rest) {
		ASSERT_NE(map_huge(fd[n], variant->one_file ? n * pages : 0, rest,
				   0), NULL);
		ASSERT_EQ(map_new(1, 0), NULL);
		ASSERT_EQ(errno, ENOMEM);
	}
	ASSERT_POOL(0, pool);
	for (i = 0; !variant->leave_fds && i < fit; i++)
		if (!variant->one_file || !i)
			ASSERT_EQ(close(fd[i]), 0);

	/* Last block first, but each block's pages upwards: no order is special. */
	for (i = fit - 1; i >= 0; i--) {
		ASSERT_FALSE(can_write(unreserved[i]));
		for (page = 0; page < pages; page++)
			ASSERT_TRUE(can_write(block[i] + page * HUGE));
		ASSERT_POOL((fit - i) * pages, pool - (fit - i) * pages);
	}
	ASSERT_EQ(map_new(pages, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_POOL(fit * pages, rest);
}

/* --- single steps -------------------------------------------------------- */

RHUGEFS_FIXTURE(reserve);

TEST_F(reserve, munmap_leaves_what_truncate_and_close_give_back)
{
	int fd = file_new();
	char *map;

	map = map_huge(fd, 0, 8, 0);
	ASSERT_NE(map, NULL);
	ASSERT_POOL(0, 8);
	ASSERT_TRUE(can_write(map));
	ASSERT_TRUE(can_write(map + HUGE));
	ASSERT_TRUE(can_read(map + 6 * HUGE));
	ASSERT_POOL(3, 5);

	ASSERT_EQ(unmap_huge(map, 8), 0);
	ASSERT_POOL(3, 5);
	map = map_huge(fd, 0, 8, 0);
	ASSERT_NE(map, NULL);
	ASSERT_POOL(3, 5);
	/* In parts: whole huge pages from the middle, the end, the start. */
	ASSERT_EQ(unmap_huge(map + 3 * HUGE, 2), 0);
	ASSERT_EQ(unmap_huge(map + 6 * HUGE, 2), 0);
	ASSERT_EQ(unmap_huge(map, 1), 0);
	ASSERT_POOL(3, 5);
	ASSERT_TRUE(can_write(map + 5 * HUGE));
	ASSERT_POOL(4, 4);

	/* The byte in huge page 5 keeps it. */
	ASSERT_EQ(ftruncate(fd, 5 * HUGE + 1), 0);
	ASSERT_POOL(3, 3);
	ASSERT_EQ(ftruncate(fd, 5 * HUGE), 0);
	ASSERT_POOL(2, 3);
	/* Longer again, but nothing is promised by that. */
	ASSERT_EQ(ftruncate(fd, 8 * HUGE), 0);
	ASSERT_POOL(2, 3);

	ASSERT_EQ(punch(fd, HUGE, 2 * HUGE), 0);
	ASSERT_POOL(1, 2);
	/* Less than a huge page, and what was punched before: nothing to give. */
	ASSERT_EQ(punch(fd, HUGE / 2, HUGE), 0);
	ASSERT_EQ(punch(fd, HUGE, 2 * HUGE), 0);
	ASSERT_POOL(1, 2);

	ASSERT_EQ(close(fd), 0);
	ASSERT_POOL(1, 2);
	ASSERT_EQ(unmap_huge(map, 8), 0);
	ASSERT_POOL(0, 0);
}

TEST_F(reserve, unlinked_file_lasts_until_its_last_user)
{
	int fd = file_named("reserve");
	char *map = map_huge(fd, 0, 4, 0);
	int second;

	ASSERT_NE(map, NULL);
	ASSERT_TRUE(can_write(map));
	ASSERT_EQ(close(fd), 0);
	ASSERT_EQ(unmap_huge(map, 4), 0);
	/* It has a name: nobody uses it, and it keeps what it has. */
	ASSERT_POOL(1, 3);

	fd = open_from(getpid(), open(mnt_dir(), O_PATH), O_RDONLY);
	second = openat(fd, "reserve", O_RDWR);
	ASSERT_LE(0, second);
	map = map_huge(second, 0, 4, 0);
	ASSERT_NE(map, NULL);
	ASSERT_POOL(1, 3);
	ASSERT_TRUE(can_write(map + HUGE));
	ASSERT_EQ(file_unlink("reserve"), 0);
	ASSERT_POOL(2, 2);
	ASSERT_EQ(unmap_huge(map, 4), 0);
	ASSERT_POOL(2, 2);
	ASSERT_EQ(close(second), 0);
	ASSERT_POOL(0, 0);
}

TEST_F(reserve, shorter_and_longer_mappings_of_one_file_add_up)
{
	int fd = file_new();
	char *whole;

	ASSERT_NE(map_huge(fd, 4, 4, 0), NULL);
	ASSERT_POOL(0, 4);
	/* The same again, a part of it, what overlaps, what adjoins. */
	ASSERT_NE(map_huge(fd, 4, 4, 0), NULL);
	ASSERT_NE(map_huge(fd, 5, 2, 0), NULL);
	ASSERT_POOL(0, 4);
	ASSERT_NE(map_huge(fd, 6, 4, 0), NULL);
	ASSERT_POOL(0, 6);
	ASSERT_NE(map_huge(fd, 10, 1, 0), NULL);
	ASSERT_POOL(0, 7);
	ASSERT_NE(map_huge(fd, 3, 1, 0), NULL);
	ASSERT_POOL(0, 8);
	/* An island, then all around it. */
	ASSERT_NE(map_huge(fd, 14, 1, 0), NULL);
	ASSERT_POOL(0, 9);
	whole = map_huge(fd, 0, 16, 0);
	ASSERT_NE(whole, NULL);
	ASSERT_POOL(0, 16);
	ASSERT_EQ(touch_pages(whole, 16), 16);
	ASSERT_POOL(16, 0);
	ASSERT_NE(map_huge(fd, 0, 16, 0), NULL);
	ASSERT_POOL(16, 0);
}

TEST_F(reserve, every_other_page_then_all)
{
	long pool = self->before.all.free & ~1UL;
	int fd = file_new();
	long i;

	for (i = 1; i < pool; i += 2)
		ASSERT_NE(map_huge(fd, i, 1, 0), NULL);
	ASSERT_POOL(0, pool / 2);
	ASSERT_NE(map_huge(fd, 0, pool, 0), NULL);
	ASSERT_POOL(0, pool);
	/* And apart again. */
	for (i = 0; i < pool; i += 2)
		ASSERT_EQ(punch(fd, i * HUGE, HUGE), 0);
	ASSERT_POOL(0, pool / 2);
	ASSERT_EQ(punch(fd, HUGE, (pool - 2) * HUGE), 0);
	ASSERT_POOL(0, 1);
}

TEST_F(reserve, far_into_a_file)
{
	unsigned long far = 1UL << (40 - HUGE_SHIFT);
	int fd = file_new();
	char *map = map_huge(fd, far, 2, 0);

	ASSERT_NE(map, NULL);
	ASSERT_POOL(0, 2);
	ASSERT_TRUE(can_write(map + HUGE));
	ASSERT_POOL(1, 1);
	ASSERT_EQ(file_size(fd), (far + 2) * HUGE);
	ASSERT_NE(map_huge(fd, 0, 1, 0), NULL);
	ASSERT_POOL(1, 2);
	ASSERT_EQ(ftruncate(fd, far * HUGE), 0);
	ASSERT_POOL(0, 1);
}

TEST_F(reserve, refusal_leaves_partly_reserved_files_alone)
{
	int fd = file_new();
	int rest = reserve_all_but(10);
	long all_but = self->before.all.free - 10;

	ASSERT_NE(map_huge(fd, 2, 3, 0), NULL);
	ASSERT_TRUE(can_write(map_huge(fd, 8, 1, 0)));
	ASSERT_POOL(1, all_but + 3);
	ASSERT_EQ(file_size(fd), 9 * HUGE);

	/* Indices 2, 3, 4 and 8 are there; six pages are left. */
	ASSERT_EQ(map_huge(fd, 0, 11, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_POOL(1, all_but + 3);
	ASSERT_EQ(file_size(fd), 9 * HUGE);
	ASSERT_NE(map_huge(fd, 2, 3, 0), NULL);
	ASSERT_NE(map_huge(fd, 8, 1, 0), NULL);
	ASSERT_POOL(1, all_but + 3);
	ASSERT_NE(map_huge(fd, 0, 10, 0), NULL);
	ASSERT_POOL(1, all_but + 9);

	/* Nothing is left, but what is there already can be mapped for ever. */
	ASSERT_NE(map_huge(fd, 0, 10, 0), NULL);
	ASSERT_NE(map_huge(fd, 3, 6, 0), NULL);
	ASSERT_EQ(map_huge(fd, 10, 1, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_POOL(1, all_but + 9);

	ASSERT_EQ(ftruncate(rest, 0), 0);
	ASSERT_POOL(1, 9);
	ASSERT_NE(map_huge(fd, 10, 1, 0), NULL);
	ASSERT_POOL(1, 10);
}

TEST_F(reserve, refused_fixed_mapping_reserves_nothing)
{
	char *map = map_huge(file_new(), 0, 2, 0);
	int fd = file_new();

	ASSERT_NE(map, NULL);
	reserve_all_but(1);
	ASSERT_EQ(mmap(map, 2 * HUGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, fd, 0), MAP_FAILED);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_EQ(file_size(fd), 0);
	ASSERT_POOL(0, self->before.all.free - 1);
	ASSERT_NE(map_huge(fd, 0, 1, 0), NULL);
	ASSERT_POOL(0, self->before.all.free);
}

TEST_F(reserve, whatever_the_protection)
{
	int fd = file_new();
	int rdonly;
	char *map;

	/* A mapping that cannot write does not make the file longer. */
	map = mmap(NULL, 2 * HUGE, PROT_NONE, MAP_SHARED, fd, 0);
	ASSERT_NE(map, MAP_FAILED);
	ASSERT_POOL(0, 2);
	ASSERT_EQ(file_size(fd), 0);
	ASSERT_EQ(mprotect(map, 2 * HUGE, PROT_READ | PROT_WRITE), 0);
	ASSERT_FALSE(can_write(map));
	ASSERT_POOL(0, 2);
	ASSERT_EQ(ftruncate(fd, 2 * HUGE), 0);
	ASSERT_POOL(0, 2);
	ASSERT_TRUE(can_write(map));
	ASSERT_POOL(1, 1);

	rdonly = open_from(getpid(), fd, O_RDONLY);
	map = mmap(NULL, 2 * HUGE, PROT_READ, MAP_SHARED, rdonly, 0);
	ASSERT_NE(map, MAP_FAILED);
	ASSERT_POOL(1, 1);
	ASSERT_TRUE(can_read(map + HUGE));
	ASSERT_POOL(2, 0);
	/* Who can never write must not promise himself another's file longer. */
	ASSERT_EQ(mmap(NULL, 3 * HUGE, PROT_READ, MAP_SHARED, rdonly, 0),
		  MAP_FAILED);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_POOL(2, 0);
}

TEST_F(reserve, populated_mapping)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 4, MAP_POPULATE);

	ASSERT_NE(map, NULL);
	ASSERT_POOL(4, 0);
	ASSERT_EQ(file_pages(fd), 4);
	reserve_all_but(2);
	ASSERT_EQ(map_new(3, MAP_POPULATE), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_POOL(4, self->before.all.free - 6);
}

TEST_F(reserve, moved_and_shrunk_mapping)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 4, 0), *other;

	ASSERT_NE(map, NULL);
	ASSERT_TRUE(can_write_value(map, 42));
	ASSERT_POOL(1, 3);
	other = map_new(4, MAP_NORESERVE);
	ASSERT_NE(other, NULL);
	ASSERT_EQ(mremap(map, 4 * HUGE, 4 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 other), other);
	ASSERT_POOL(1, 3);
	ASSERT_EQ(*other, 42);
	ASSERT_TRUE(can_write(other + 3 * HUGE));
	ASSERT_POOL(2, 2);
	ASSERT_EQ(mremap(other, 4 * HUGE, 2 * HUGE, 0), other);
	ASSERT_POOL(2, 2);
}

/* --- without reservation ------------------------------------------------- */

TEST_F(reserve, unreserved_faults_never_take_a_promised_page)
{
	int promised = reserve_all_but(2);
	long pages = self->before.all.free - 2;
	char *map = map_huge(promised, 0, pages, 0);
	char *unreserved = map_new(5, MAP_NORESERVE);
	int cpu;

	ASSERT_NE(map, NULL);
	ASSERT_NE(unreserved, NULL);
	ASSERT_POOL(0, pages);
	ASSERT_TRUE(can_write(unreserved));
	ASSERT_TRUE(can_read(unreserved + HUGE));
	ASSERT_POOL(2, pages);
	/* Whichever node the fault comes from. */
	for (cpu = 0; cpu < processors(); cpu++) {
		run_on(cpu);
		ASSERT_FALSE(can_write(unreserved + 2 * HUGE));
		ASSERT_FALSE(can_read(unreserved + 3 * HUGE));
	}
	ASSERT_POOL(2, pages);
	ASSERT_EQ(touch_pages(map, pages / 2), pages / 2);
	ASSERT_FALSE(can_write(unreserved + 2 * HUGE));
	ASSERT_POOL(2 + pages / 2, pages - pages / 2);

	/* A promise given back and a page given back, both can be had. */
	ASSERT_EQ(punch(promised, (pages - 1) * HUGE, HUGE), 0);
	ASSERT_TRUE(can_write(unreserved + 2 * HUGE));
	ASSERT_FALSE(can_write(unreserved + 3 * HUGE));
	ASSERT_EQ(punch(promised, 0, HUGE), 0);
	ASSERT_TRUE(can_write(unreserved + 3 * HUGE));
	ASSERT_FALSE(can_write(unreserved + 4 * HUGE));
	ASSERT_POOL(3 + pages / 2, pages - pages / 2 - 1);
}

TEST_F(reserve, unreserved_pages_are_not_reserved_again)
{
	int fd = file_new();
	char *unreserved = map_huge(fd, 0, 4, MAP_NORESERVE);
	char *map;

	ASSERT_NE(unreserved, NULL);
	ASSERT_POOL(0, 0);
	ASSERT_EQ(file_size(fd), 4 * HUGE);
	ASSERT_TRUE(can_write_value(unreserved + 2 * HUGE, 42));
	ASSERT_POOL(1, 0);

	map = map_huge(fd, 0, 4, 0);
	ASSERT_NE(map, NULL);
	ASSERT_POOL(1, 3);
	ASSERT_EQ(map[2 * HUGE], 42);
	/* What one mapping has reserved the other one's fault consumes. */
	ASSERT_TRUE(can_write(unreserved));
	ASSERT_POOL(2, 2);
	ASSERT_TRUE(can_write(map));
	ASSERT_POOL(2, 2);
	ASSERT_EQ(unmap_huge(map, 4), 0);
	ASSERT_TRUE(can_write(unreserved + HUGE));
	ASSERT_POOL(3, 1);

	/* A page that went with its promise comes back without one. */
	ASSERT_EQ(punch(fd, 2 * HUGE, HUGE), 0);
	ASSERT_POOL(2, 1);
	ASSERT_TRUE(can_write(unreserved + 2 * HUGE));
	ASSERT_POOL(3, 1);
}

TEST_F(reserve, range_that_lost_its_promise_may_fail)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 2, 0);

	ASSERT_NE(map, NULL);
	ASSERT_EQ(punch(fd, 0, HUGE), 0);
	reserve_all_but(0);
	ASSERT_FALSE(can_write(map));
	ASSERT_TRUE(can_write(map + HUGE));
	ASSERT_POOL(1, self->before.all.free - 1);
}

/* --- fallocate ----------------------------------------------------------- */

TEST_F(reserve, fallocate_takes_pages)
{
	int fd = file_new();
	char *map;

	ASSERT_EQ(fallocate(fd, 0, 0, 3 * HUGE), 0);
	ASSERT_POOL(3, 0);
	ASSERT_EQ(file_size(fd), 3 * HUGE);
	ASSERT_EQ(file_pages(fd), 3);

	ASSERT_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 2 * HUGE, 3 * HUGE), 0);
	ASSERT_POOL(5, 0);
	ASSERT_EQ(file_size(fd), 3 * HUGE);
	ASSERT_EQ(file_pages(fd), 5);

	/* Every huge page that holds one of the bytes. */
	ASSERT_EQ(fallocate(fd, 0, 7 * HUGE - 1, 2), 0);
	ASSERT_POOL(7, 0);
	ASSERT_EQ(file_size(fd), 7 * HUGE + 1);

	map = map_huge(fd, 0, 10, 0);
	ASSERT_NE(map, NULL);
	ASSERT_POOL(7, 3);
	/* A mapping's promises, of one fallocate() in part. */
	ASSERT_EQ(fallocate(fd, 0, 4 * HUGE, 2 * HUGE), 0);
	ASSERT_POOL(8, 2);
	ASSERT_EQ(touch_pages(map, 10), 10);
	ASSERT_POOL(10, 0);

	/* What lies beyond the end goes when the end is set, even where it is. */
	ASSERT_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, 10 * HUGE, HUGE), 0);
	ASSERT_POOL(11, 0);
	ASSERT_EQ(ftruncate(fd, 10 * HUGE), 0);
	ASSERT_POOL(10, 0);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_POOL(0, 0);
}

TEST_F(reserve, fallocate_all_or_nothing)
{
	int fd = file_new();
	long free = self->before.all.free;
	char *map;

	ASSERT_EQ(fallocate(fd, 0, 0, (free + 1) * HUGE), -1);
	ASSERT_EQ(errno, ENOSPC);
	ASSERT_POOL(0, 0);
	ASSERT_EQ(file_size(fd), 0);
	ASSERT_EQ(file_pages(fd), 0);

	/* Free pages that were promised to others are none. */
	map = map_new(free - 4, 0);
	ASSERT_NE(map, NULL);
	ASSERT_NE(map_huge(fd, 2, 1, 0), NULL);
	ASSERT_TRUE(can_write(map_huge(fd, 5, 1, 0)));
	ASSERT_POOL(1, free - 3);
	ASSERT_EQ(fallocate(fd, 0, HUGE, 6 * HUGE), -1);
	ASSERT_EQ(errno, ENOSPC);
	ASSERT_EQ(fallocate(fd, FALLOC_FL_KEEP_SIZE, HUGE, 6 * HUGE), -1);
	ASSERT_EQ(errno, ENOSPC);
	ASSERT_POOL(1, free - 3);
	ASSERT_EQ(file_size(fd), 6 * HUGE);
	ASSERT_EQ(file_pages(fd), 1);

	/* Two are left, and just as many missing from 2 to 5. */
	ASSERT_EQ(fallocate(fd, 0, 2 * HUGE, 4 * HUGE), 0);
	ASSERT_POOL(4, free - 4);
	ASSERT_EQ(file_pages(fd), 4);
	ASSERT_EQ(fallocate(fd, 0, 0, 1), -1);
	ASSERT_EQ(errno, ENOSPC);
	ASSERT_EQ(touch_pages(map, free - 4), free - 4);
	ASSERT_POOL(free, 0);
}

TEST_F_TIMEOUT(reserve, fallocate_the_whole_pool, 300)
{
	int fd = file_new();

	ASSERT_EQ(fallocate(fd, 0, 0, self->before.all.free * HUGE), 0);
	ASSERT_POOL(self->before.all.free, 0);
	ASSERT_EQ(fallocate(fd, 0, 0, self->before.all.free * HUGE), 0);
	ASSERT_EQ(map_new(1, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_EQ(punch(fd, HUGE, HUGE), 0);
	ASSERT_NE(map_new(1, 0), NULL);
	ASSERT_POOL(self->before.all.free - 1, 1);
}

/* --- several nodes ------------------------------------------------------- */

/* From each processor: a reservation of more than any node has, then its pages. */
TEST_F_TIMEOUT(reserve, spans_nodes, 300)
{
	long largest = 0, pages, i;
	struct pools now;
	int fd, cpu, nid;
	char *map;

	for (nid = 0; nid < self->before.nr_nodes; nid++)
		if (self->before.node[nid].free > largest)
			largest = self->before.node[nid].free;
	if (largest == self->before.all.free)
		SKIP(return, "only one node has pages");
	pages = largest + (self->before.all.free - largest + 1) / 2;

	for (cpu = 0; cpu < processors(); cpu++) {
		run_on(cpu);
		fd = file_new();
		map = map_huge(fd, 0, pages, 0);
		ASSERT_NE(map, NULL);
		ASSERT_POOL(0, pages);
		/* No node can have promised more than it has. */
		now = pools_read();
		for (nid = 0; nid < now.nr_nodes; nid++)
			ASSERT_LE(now.node[nid].resv, now.node[nid].free);
		ASSERT_EQ(map_new(self->before.all.free - pages + 1, 0), NULL);
		ASSERT_EQ(errno, ENOMEM);
		ASSERT_POOL(0, pages);
		/* The rest, whichever node it is on. */
		ASSERT_NE(map_huge(fd, pages, self->before.all.free - pages, 0),
			  NULL);
		ASSERT_POOL(0, self->before.all.free);

		for (i = 0; i < pages; i += 3) {
			run_on(i);
			ASSERT_TRUE(can_write(map + i * HUGE));
		}
		i = (pages + 2) / 3;
		ASSERT_POOL(i, self->before.all.free - i);
		ASSERT_EQ(ftruncate(fd, pages / 2 * HUGE), 0);
		i = (pages / 2 + 2) / 3;
		ASSERT_POOL(i, pages / 2 - i);
		ASSERT_EQ(ftruncate(fd, 0), 0);
		ASSERT_POOL(0, 0);
	}
}

/* --- several processes --------------------------------------------------- */

#define SEGMENTS	64

/* What a peer has mapped; each process has its own. */
static char *seg_map[SEGMENTS];
static long seg_pages[SEGMENTS];

/* Map in slot @slot what the parent has open as @fd: @range is first << 32 | pages. */
static long peer_map(long slot_and_flags, long fd, long range)
{
	int slot = slot_and_flags % SEGMENTS;
	int flags = slot_and_flags / SEGMENTS ? MAP_NORESERVE : 0;
	int own = open_from(getppid(), fd, O_RDWR);
	int err;

	seg_pages[slot] = range & 0xffffffff;
	seg_map[slot] = map_huge(own, range >> 32, seg_pages[slot], flags);
	err = errno;
	close(own);
	return seg_map[slot] ? 0 : -err;
}

static long peer_unmap(long slot, long b, long c)
{
	must(unmap_huge(seg_map[slot], seg_pages[slot]) == 0);
	return 0;
}

/* Write @value, if there is one, to a page; return what was there, -1 if SIGBUS. */
static long peer_exchange(long slot, long page, long value)
{
	unsigned char *addr = (unsigned char *)seg_map[slot] + page * HUGE;
	long old;

	if (!(value ? can_write_value((char *)addr + 1, 1) :
		      can_read((char *)addr)))
		return -1;
	old = *addr;
	if (value)
		*addr = value;
	return old;
}

#define RANGE(first, pages)	((long)(first) << 32 | (pages))

TEST_F(reserve, each_page_once_for_all_processes)
{
	struct peer peer[3] = { peer_new(), peer_new(), peer_new() };
	int fd = file_new();

	ASSERT_EQ(peer_call(&peer[0], peer_map, 0, fd, RANGE(0, 6)), 0);
	ASSERT_POOL(0, 6);
	ASSERT_EQ(peer_call(&peer[1], peer_map, 0, fd, RANGE(0, 6)), 0);
	ASSERT_POOL(0, 6);
	ASSERT_EQ(peer_call(&peer[2], peer_map, 0, fd, RANGE(4, 6)), 0);
	ASSERT_POOL(0, 10);
	ASSERT_EQ(peer_call(&peer[1], peer_map, 1, fd, RANGE(10, 2)), 0);
	ASSERT_POOL(0, 12);
	ASSERT_EQ(peer_call(&peer[1], peer_map, 2, fd, RANGE(2, 9)), 0);
	ASSERT_POOL(0, 12);

	/* One page, seen by all, taken once. */
	ASSERT_EQ(peer_call(&peer[0], peer_exchange, 0, 5, 7), 0);
	ASSERT_POOL(1, 11);
	ASSERT_EQ(peer_call(&peer[2], peer_exchange, 0, 1, 8), 7);
	ASSERT_EQ(peer_call(&peer[1], peer_exchange, 2, 3, 0), 8);
	ASSERT_POOL(1, 11);

	/* Promises are the file's: they outlive the one who asked for them. */
	peer_kill(&peer[2]);
	ASSERT_POOL(1, 11);
	ASSERT_EQ(peer_call(&peer[1], peer_exchange, 2, 7, 9), 0);
	ASSERT_POOL(2, 10);
	ASSERT_EQ(peer_call(&peer[0], peer_unmap, 0, 0, 0), 0);
	peer_exit(&peer[1]);
	ASSERT_POOL(2, 10);
	ASSERT_EQ(peer_call(&peer[0], peer_map, 0, fd, RANGE(0, 12)), 0);
	ASSERT_EQ(peer_call(&peer[0], peer_exchange, 0, 9, 0), 9);
	ASSERT_POOL(2, 10);

	ASSERT_EQ(close(fd), 0);
	ASSERT_POOL(2, 10);
	peer_exit(&peer[0]);
	ASSERT_POOL(0, 0);
}

/* --- at random, against an oracle ---------------------------------------- */

/* More indices than the pages left to them, so that refusals are many. */
#define WALK_FILES	3
#define WALK_INDICES	24
#define WALK_PAGES	36
#define WALK_PEERS	3
#define WALK_STEPS	2000

enum walk_state { HOLE, PROMISED, PRESENT };

/* What the simplest of all implementations would know of a file. */
struct walk_file {
	int fd;
	long size;
	enum walk_state state[WALK_INDICES];
	unsigned char byte[WALK_INDICES];	/* the first one of each page */
};

struct walk_map {
	bool used;
	int file;
	long first;
	long pages;
};

struct walk {
	struct walk_file file[WALK_FILES];
	struct walk_map map[WALK_PEERS][SEGMENTS];
	struct peer peer[WALK_PEERS];
	unsigned long chance;
	long base;		/* reserved by others */
};

static long walk_count(struct walk *walk, enum walk_state state)
{
	long count = 0;
	int f, i;

	for (f = 0; f < WALK_FILES; f++)
		for (i = 0; i < WALK_INDICES; i++)
			count += walk->file[f].state[i] == state;
	return count;
}

static long walk_unpromised(struct walk *walk)
{
	return WALK_PAGES - walk_count(walk, PROMISED) -
	       walk_count(walk, PRESENT);
}

/* Holes of file indices @from to @to - 1. */
static long walk_holes(struct walk_file *file, long from, long to)
{
	long holes = 0;

	for (; from < to; from++)
		holes += file->state[from] == HOLE;
	return holes;
}

static void walk_drop(struct walk_file *file, long from, long to)
{
	for (; from < to; from++) {
		file->state[from] = HOLE;
		file->byte[from] = 0;
	}
}

/* A random part of a file, in units of which it has @units. */
static void walk_range(struct walk *walk, long units, long *from, long *to)
{
	*from = chance_of(&walk->chance, units);
	*to = *from + 1 + chance_of(&walk->chance, units - *from);
}

static const char *walk_mmap(struct walk *walk, struct walk_file *file)
{
	bool noreserve = chance_of(&walk->chance, 3) == 0;
	int p = chance_of(&walk->chance, WALK_PEERS);
	long from, to, ret, want, i;
	struct walk_map *map;
	int slot;

	for (slot = 0; slot < SEGMENTS && walk->map[p][slot].used; slot++)
		;
	if (slot == SEGMENTS)
		return NULL;
	map = &walk->map[p][slot];
	walk_range(walk, WALK_INDICES, &from, &to);
	want = noreserve || walk_holes(file, from, to) <= walk_unpromised(walk) ?
	       0 : -ENOMEM;
	ret = peer_call(&walk->peer[p], peer_map,
			slot + (noreserve ? SEGMENTS : 0), file->fd,
			RANGE(from, to - from));
	if (ret != want)
		return "mmap";
	if (want)
		return NULL;
	*map = (struct walk_map){ true, file - walk->file, from, to - from };
	for (i = from; i < to && !noreserve; i++)
		if (file->state[i] == HOLE)
			file->state[i] = PROMISED;
	if (file->size < to * HUGE)
		file->size = to * HUGE;
	return NULL;
}

static const char *walk_touch(struct walk *walk)
{
	int p = chance_of(&walk->chance, WALK_PEERS);
	int slot = chance_of(&walk->chance, SEGMENTS);
	struct walk_map *map = &walk->map[p][slot];
	long value = chance_of(&walk->chance, 200);
	struct walk_file *file;
	long page, index, want;

	if (!map->used)
		return NULL;
	file = &walk->file[map->file];
	page = chance_of(&walk->chance, map->pages);
	index = map->first + page;
	if (index * HUGE >= file->size ||
	    (file->state[index] == HOLE && !walk_unpromised(walk)))
		want = -1;
	else
		want = file->byte[index];
	if (peer_call(&walk->peer[p], peer_exchange, slot, page, value) != want)
		return "touch";
	if (want < 0)
		return NULL;
	file->state[index] = PRESENT;
	if (value)
		file->byte[index] = value;
	return NULL;
}

static const char *walk_munmap(struct walk *walk)
{
	int p = chance_of(&walk->chance, WALK_PEERS);
	int slot = chance_of(&walk->chance, SEGMENTS);

	if (!walk->map[p][slot].used)
		return NULL;
	peer_call(&walk->peer[p], peer_unmap, slot, 0, 0);
	walk->map[p][slot].used = false;
	return NULL;
}

/* A peer's end takes all his mappings, and nothing of the files. */
static const char *walk_exit(struct walk *walk)
{
	int p = chance_of(&walk->chance, WALK_PEERS);

	if (chance_of(&walk->chance, 2))
		peer_exit(&walk->peer[p]);
	else
		peer_kill(&walk->peer[p]);
	walk->peer[p] = peer_new();
	memset(walk->map[p], 0, sizeof(walk->map[p]));
	return NULL;
}

static const char *walk_truncate(struct walk *walk, struct walk_file *file)
{
	long size = chance_of(&walk->chance, WALK_INDICES * 4 + 1) * HUGE / 4;

	if (ftruncate(file->fd, size))
		return "ftruncate";
	if (size <= file->size)
		walk_drop(file, (size + HUGE - 1) / HUGE, WALK_INDICES);
	file->size = size;
	return NULL;
}

static const char *walk_punch(struct walk *walk, struct walk_file *file)
{
	long from, to, first, end, i;

	walk_range(walk, WALK_INDICES * 4, &from, &to);
	from *= HUGE / 4;
	to *= HUGE / 4;
	if (punch(file->fd, from, to - from))
		return "punch";
	first = (from + HUGE - 1) / HUGE;
	end = to / HUGE;
	if (first < end)
		walk_drop(file, first, end);
	for (i = 0; i < WALK_INDICES; i++)
		if (i * HUGE >= from && i * HUGE < to)
			file->byte[i] = 0;
	return NULL;
}

static const char *walk_fallocate(struct walk *walk, struct walk_file *file)
{
	bool keep = chance_of(&walk->chance, 2);
	long from, to, first, end, ret;
	bool fits;

	walk_range(walk, WALK_INDICES * 4, &from, &to);
	from *= HUGE / 4;
	to *= HUGE / 4;
	first = from / HUGE;
	end = (to + HUGE - 1) / HUGE;
	fits = walk_holes(file, first, end) <= walk_unpromised(walk);
	ret = fallocate(file->fd, keep ? FALLOC_FL_KEEP_SIZE : 0, from,
			to - from);
	if (ret != (fits ? 0 : -1) || (ret && errno != ENOSPC))
		return "fallocate";
	if (!fits)
		return NULL;
	for (; first < end; first++)
		file->state[first] = PRESENT;
	if (!keep && file->size < to)
		file->size = to;
	return NULL;
}

/* One step; what was not as it should be, or NULL. */
static const char *walk_step(struct walk *walk)
{
	struct walk_file *file =
		&walk->file[chance_of(&walk->chance, WALK_FILES)];

	switch (chance_of(&walk->chance, 16)) {
	case 0 ... 3:
		return walk_mmap(walk, file);
	case 4 ... 9:
		return walk_touch(walk);
	case 10 ... 11:
		return walk_munmap(walk);
	case 12:
		return walk_truncate(walk, file);
	case 13:
		return walk_punch(walk, file);
	case 14:
		return walk_fallocate(walk, file);
	default:
		return chance_of(&walk->chance, 4) ? NULL : walk_exit(walk);
	}
}

TEST_F_TIMEOUT(reserve, random_steps_against_an_oracle, 300)
{
	static struct walk walk;
	const char *wrong;
	int i, step;

	walk.chance = seed_get();
	ASSERT_LE(WALK_PAGES, self->before.all.free);
	/* The peers must not inherit the mapping: it is the parent's alone. */
	for (i = 0; i < WALK_PEERS; i++)
		walk.peer[i] = peer_new();
	/* What is left lies on all nodes. */
	run_on(chance_of(&walk.chance, 2));
	reserve_all_but(WALK_PAGES);
	walk.base = self->before.all.free - WALK_PAGES;
	for (i = 0; i < WALK_FILES; i++)
		walk.file[i].fd = file_new();

	for (step = 0; step < WALK_STEPS; step++) {
		wrong = walk_step(&walk);
		ASSERT_EQ(wrong, NULL)
			TH_LOG("step %d: %s", step, wrong);
		ASSERT_POOL(walk_count(&walk, PRESENT),
			    walk.base + walk_count(&walk, PROMISED));
		for (i = 0; i < WALK_FILES; i++)
			ASSERT_EQ(file_size(walk.file[i].fd), walk.file[i].size);
	}
}

TEST_HARNESS_MAIN
