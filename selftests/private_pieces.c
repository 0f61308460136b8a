// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private mappings in pieces: split, moved, shrunk, replaced, mapped several times,
 * and what mmap() makes of file and descriptor. Whatever a mapping is cut into,
 * each page of it is promised once and given back once.
 */
#include <sys/stat.h>

#include "private_test.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

RHUGEFS_FIXTURE(pieces);

/* --- ends ---------------------------------------------------------------- */

/* Whether pages were touched or not, in whatever order the pieces end. */
TEST_F(pieces, end_in_any_order)
{
	unsigned long order[6], state = seed_get(), i, j, swap, touched;
	int round, fd = file_new();
	char *map;

	for (round = 0; round < 20; round++) {
		map = map_private(fd, 0, 6, 0);
		ASSERT_NE(map, NULL);
		for (touched = 0, i = 0; i < 6; i++) {
			order[i] = i;
			if (chance_of(&state, 2))
				continue;
			map[i * HUGE] = 1;
			touched++;
		}
		ASSERT_POOL(touched, 6 - touched);
		for (i = 0; i < 6; i++) {
			j = i + chance_of(&state, 6 - i);
			swap = order[i];
			order[i] = order[j];
			order[j] = swap;
		}
		for (i = 0; i < 6; i++) {
			touched -= map[order[i] * HUGE];
			ASSERT_EQ(unmap_huge(map + order[i] * HUGE, 1), 0);
			ASSERT_POOL(touched, 5 - i - touched);
			ASSERT_TRUE(selfcheck_ok());
		}
	}
}

TEST_F(pieces, shrunk)
{
	char *map = map_private(file_new(), 0, 4, 0);

	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_EQ(mremap(map, 4 * HUGE, 2 * HUGE, 0), map);
	ASSERT_POOL(2, 0);
	ASSERT_EQ(map[HUGE], 2);
	/* What is gone is not to be had back. */
	ASSERT_EQ(mremap(map, 2 * HUGE, 4 * HUGE, MREMAP_MAYMOVE), MAP_FAILED);
	ASSERT_EQ(mremap(map, 2 * HUGE, 4 * HUGE, 0), MAP_FAILED);
	ASSERT_POOL(2, 0);
	ASSERT_EQ(map[HUGE], 2);
	/* Shrunk and moved at once. */
	ASSERT_EQ(mremap(map, 2 * HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 nothing_there(1)) == MAP_FAILED, false);
	ASSERT_POOL(1, 0);
}

TEST_F(pieces, not_at_huge_pages)
{
	char *map = map_private(file_new(), 0, 3, 0);
	char *place = nothing_there(4);

	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_EQ(munmap(map + 4096, 4096), -1);
	ASSERT_EQ(errno, EINVAL);
	ASSERT_EQ(munmap(map, HUGE + 4096), -1);
	ASSERT_EQ(errno, EINVAL);
	ASSERT_EQ(mprotect(map + HUGE, 4096, PROT_READ), -1);
	ASSERT_EQ(errno, EINVAL);
	ASSERT_EQ(mremap(map, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 place + 4096), MAP_FAILED);
	ASSERT_EQ(mremap(map + 4096, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 place), MAP_FAILED);
	ASSERT_EQ(mremap(map, 3 * HUGE, 3 * HUGE - 4096, 0), MAP_FAILED);
	ASSERT_POOL(3, 0);
	ASSERT_EQ(map[0], 1);
	ASSERT_EQ(map[HUGE], 2);
	ASSERT_EQ(map[2 * HUGE], 3);
}

/* --- moves --------------------------------------------------------------- */

TEST_F(pieces, moves_that_are_refused)
{
	char *map = map_private(file_new(), 0, 2, 0);
	char *place = nothing_there(4);

	ASSERT_EQ(touch_pages(map, 1), 1);
	ASSERT_EQ(mremap(map, 2 * HUGE, 2 * HUGE,
			 MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0), MAP_FAILED);
	ASSERT_EQ(errno, EINVAL);
	ASSERT_EQ(mremap(map, 2 * HUGE, 2 * HUGE, MREMAP_MAYMOVE |
			 MREMAP_FIXED | MREMAP_DONTUNMAP, place), MAP_FAILED);
	ASSERT_EQ(errno, EINVAL);
	/* A second view of the same pages is for shared mappings. */
	ASSERT_EQ(mremap(map, 0, 2 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 place), MAP_FAILED);
	ASSERT_EQ(map[0], 1);
	ASSERT_POOL(1, 1);
}

/* A mapping over which another is moved ends as if unmapped. */
TEST_F(pieces, moved_over_one_another)
{
	int fd = file_new();
	char *one = map_private(fd, 0, 3, 0), *two = map_private(fd, 0, 3, 0);

	ASSERT_EQ(touch_pages(one, 3), 3);
	two[0] = 7;
	ASSERT_POOL(4, 2);
	ASSERT_TRUE(moved_to(two, one + HUGE, 2));
	ASSERT_POOL(2, 2);
	ASSERT_EQ(one[0], 1);
	ASSERT_EQ(one[HUGE], 7);
	ASSERT_TRUE(selfcheck_ok());
	/* Pieces of the same mapping over each other. */
	ASSERT_TRUE(moved_to(two + 2 * HUGE, one + HUGE, 1));
	ASSERT_POOL(1, 2);
	ASSERT_EQ(one[HUGE], 0);
	ASSERT_EQ(touch_pages(one, 3), 3);
	ASSERT_POOL(3, 0);
	ASSERT_EQ(unmap_huge(one, 3), 0);
	ASSERT_POOL(0, 0);
}

/* In one system call a page of a mapping is replaced by one of the same. */
TEST_F(pieces, replaced_by_mmap)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 4, 0);

	ASSERT_EQ(touch_pages(map, 4), 4);
	ASSERT_EQ(mmap(map + HUGE, 2 * HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_FIXED, fd, HUGE), map + HUGE);
	ASSERT_POOL(2, 2);
	ASSERT_EQ(map[HUGE], 0);
	ASSERT_EQ(map[3 * HUGE], 4);
	/* One that is refused may have ended what was there, but no more. */
	ASSERT_EQ(mmap(map + HUGE, HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_FIXED, fd, 4096), MAP_FAILED);
	ASSERT_EQ(map[0], 1);
	ASSERT_EQ(map[2 * HUGE], 0);
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_EQ(mmap(map, HUGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, fd, 0), map);
	ASSERT_EQ(map[0], 0);
	ASSERT_EQ(unmap_huge(map, 4), 0);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_POOL(0, 0);
}

/* All that a child has is in one piece for each of its parent's. */
TEST_F(pieces, forked_in_pieces)
{
	char *map = map_private(file_new(), 0, 4, 0), *place = nothing_there(4);
	struct peer child;

	ASSERT_EQ(touch_pages(map, 4), 4);
	ASSERT_TRUE(moved_to(map + HUGE, place, 1));
	ASSERT_EQ(unmap_huge(map + 2 * HUGE, 1), 0);
	ASSERT_POOL(3, 0);
	child = peer_new();
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_EQ(peer_look(&child, place), 2);
	ASSERT_TRUE(peer_write(&child, place, 20));
	ASSERT_POOL(4, 0);
	ASSERT_EQ(place[0], 2);
	ASSERT_TRUE(peer_unmap(&child, place, 1));
	ASSERT_POOL(3, 0);
	ASSERT_EQ(peer_look(&child, map), 1);
	ASSERT_EQ(peer_look(&child, map + 3 * HUGE), 4);
	ASSERT_EQ(unmap_huge(map + 3 * HUGE, 1), 0);
	ASSERT_EQ(peer_look(&child, map + 3 * HUGE), 4);
	ASSERT_POOL(3, 0);
	peer_exit(&child);
	ASSERT_POOL(2, 0);
}

/* --- file and descriptor ------------------------------------------------- */

static long size_of(int fd)
{
	struct stat st;

	must(fstat(fd, &st) == 0);
	return st.st_size;
}

static char *map_prot(int fd, unsigned long first, unsigned long pages, int prot)
{
	void *map = mmap(NULL, pages * HUGE, prot, MAP_PRIVATE, fd,
			 first * HUGE);

	return map == MAP_FAILED ? NULL : map;
}

TEST_F(pieces, file_grows_by_who_may_write)
{
	int fd = file_new(), readable = open_from(getpid(), fd, O_RDONLY);
	char *map;

	ASSERT_EQ(map_private(readable, 0, 1, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_EQ(map_prot(readable, 0, 1, PROT_READ), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_EQ(size_of(fd), 0);
	ASSERT_POOL(0, 0);
	ASSERT_NE(map_private(fd, 1, 2, 0), NULL);
	ASSERT_EQ(size_of(fd), 3 * HUGE);
	ASSERT_POOL(0, 2);
	/* As long as the file, and no longer. */
	ASSERT_EQ(map_private(readable, 0, 4, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	map = map_private(readable, 0, 3, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_EQ(size_of(fd), 3 * HUGE);
	ASSERT_POOL(3, 2);
	/* The last page may be the file's in part. */
	ASSERT_EQ(ftruncate(fd, HUGE + 1), 0);
	ASSERT_NE(map_private(readable, 0, 2, 0), NULL);
	ASSERT_EQ(size_of(fd), HUGE + 1);
}

TEST_F(pieces, mapped_to_be_read)
{
	int fd = file_new();
	char *map = map_prot(fd, 0, 2, PROT_READ);

	/* It does not extend the file, and behind its end is nothing. */
	ASSERT_NE(map, NULL);
	ASSERT_EQ(size_of(fd), 0);
	ASSERT_FALSE(can_read(map));
	ASSERT_EQ(ftruncate(fd, 2 * HUGE), 0);
	ASSERT_EQ(map[0], 0);
	/* The promise is for whom it may be made writable. */
	ASSERT_POOL(0, 2);
	ASSERT_EQ(mprotect(map, HUGE, PROT_READ | PROT_WRITE), 0);
	map[0] = 1;
	ASSERT_POOL(1, 1);
}

TEST_F(pieces, populated)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 3, MAP_POPULATE);
	struct pool before = pool_read();

	ASSERT_NE(map, NULL);
	ASSERT_POOL(3, 0);
	ASSERT_TRUE(bytes_are(map, 0, 3 * HUGE));
	map[0] = 1;
	ASSERT_EQ(before.free, pool_read().free);
	ASSERT_EQ(drop(map, 3 * HUGE), 0);
	ASSERT_POOL(0, 3);
	/* To read takes nothing, to write all. */
	ASSERT_EQ(madvise(map, 3 * HUGE, MADV_POPULATE_READ), 0);
	ASSERT_POOL(0, 3);
	ASSERT_EQ(madvise(map, 3 * HUGE, MADV_POPULATE_WRITE), 0);
	ASSERT_POOL(3, 0);
	ASSERT_EQ(mlock(map, 3 * HUGE), 0);
	ASSERT_EQ(munlock(map, 3 * HUGE), 0);
	ASSERT_TRUE(selfcheck_ok());
}

/* --- drops --------------------------------------------------------------- */

/* The kernel rounds the length up to small pages, and so all is covered. */
TEST_F(pieces, dropped_by_a_length_that_is_rounded)
{
	char *map = map_private(file_new(), 0, 2, 0);

	ASSERT_EQ(touch_pages(map, 2), 2);
	ASSERT_EQ(drop(map, HUGE - 1), 0);
	ASSERT_EQ(map[0], 0);
	ASSERT_EQ(map[HUGE], 2);
	ASSERT_POOL(1, 1);
}

/* Who makes room for himself by dropping has it at once. */
TEST_F(pieces, dropped_to_make_room)
{
	char *map = map_private(file_new(), 0, 3, MAP_NORESERVE);

	leave_unpromised(1);
	ASSERT_TRUE(can_write(map));
	ASSERT_FALSE(can_write(map + HUGE));
	ASSERT_EQ(drop(map, HUGE), 0);
	ASSERT_TRUE(can_write(map + HUGE));
	ASSERT_FALSE(can_write(map));
}

/* Over pieces and what lies between them. */
TEST_F(pieces, dropped_in_pieces)
{
	int fd = file_new();
	char *map = map_private(fd, 0, 5, 0);

	ASSERT_EQ(touch_pages(map, 5), 5);
	ASSERT_EQ(mprotect(map + HUGE, HUGE, PROT_READ), 0);
	ASSERT_EQ(unmap_huge(map + 2 * HUGE, 1), 0);
	/* There is a hole in it, and yet all else is dropped. */
	ASSERT_EQ(drop(map, 4 * HUGE), -1);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_EQ(map[0], 0);
	ASSERT_EQ(map[HUGE], 0);
	ASSERT_EQ(map[3 * HUGE], 0);
	ASSERT_EQ(map[4 * HUGE], 5);
	ASSERT_POOL(1, 3);
	ASSERT_TRUE(selfcheck_ok());
}

/* Where a piece was moved its index has not: what is dropped is what is here. */
TEST_F(pieces, dropped_where_it_was_moved_to)
{
	char *map = map_private(file_new(), 0, 3, 0), *place = nothing_there(2);

	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_TRUE(moved_to(map + 2 * HUGE, place, 1));
	ASSERT_TRUE(moved_to(map, map + 2 * HUGE, 1));
	ASSERT_EQ(drop(map + HUGE, 2 * HUGE), 0);
	ASSERT_EQ(map[HUGE], 0);
	ASSERT_EQ(map[2 * HUGE], 0);
	ASSERT_EQ(place[0], 3);
	ASSERT_POOL(1, 2);
}

/* Advice of all kinds, over all and over parts, harms nothing. */
TEST_F(pieces, advised)
{
	const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_FREE, MADV_COLD, MADV_PAGEOUT, MADV_REMOVE,
		MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE,
		MADV_NOHUGEPAGE, MADV_COLLAPSE, MADV_DODUMP, MADV_DONTDUMP,
		MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK, MADV_KEEPONFORK,
	};
	char *map = map_private(file_new(), 0, 3, 0);
	unsigned long i;

	bytes_stir(map, HUGE, 1);
	bytes_stir(map + HUGE, HUGE, 2);
	for (i = 0; i < sizeof(advice) / sizeof(*advice); i++) {
		madvise(map, 3 * HUGE, advice[i]);
		ASSERT_TRUE(bytes_stirred(map, HUGE, 1))
			TH_LOG("advice %d", advice[i]);
		madvise(map + HUGE / 2, HUGE, advice[i]);
		ASSERT_TRUE(bytes_stirred(map + HUGE, HUGE, 2))
			TH_LOG("advice %d", advice[i]);
	}
	ASSERT_POOL(2, 1);
	ASSERT_TRUE(selfcheck_ok());
}

/* --- those who look ------------------------------------------------------ */

static bool read_all(const char *name)
{
	char path[64], buf[4096];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	do
		len = read(fd, buf, sizeof(buf));
	while (len > 0);
	close(fd);
	return len == 0;
}

static bool pagemap_reads(const char *map, unsigned long pages)
{
	unsigned long entry[512], i;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool reads = true;

	must(fd >= 0);
	for (i = 0; i < pages; i++)
		reads = reads && pread(fd, entry, sizeof(entry),
				       (unsigned long)(map + i * HUGE) / 512) ==
					 sizeof(entry);
	close(fd);
	return reads;
}

static bool all_may_look(char *map, unsigned long pages)
{
	unsigned char vec[4 * 512];
	void *at = map;
	int status, node = 1;

	if (syscall(SYS_move_pages, 0, 1UL, &at, &node, &status, 0) < 0)
		must(errno != ENOSYS);
	return read_all("smaps") && read_all("smaps_rollup") &&
	       read_all("numa_maps") && read_all("maps") &&
	       pagemap_reads(map, pages) &&
	       mincore(map, pages * HUGE, vec) == 0;
}

/* Its own pages, shared ones, the file's, zeroes and what was not touched. */
TEST_F(pieces, looked_at)
{
	int fd = file_new(), clear;
	char *file = map_huge(fd, 0, 4, 0), *map = map_private(fd, 0, 4, 0);
	struct peer child;

	file[0] = 1;
	ASSERT_EQ(map[0], 1);
	ASSERT_EQ(map[HUGE], 0);
	map[2 * HUGE] = 2;
	ASSERT_TRUE(all_may_look(map, 4));
	child = peer_new();
	ASSERT_TRUE(all_may_look(map, 4));
	ASSERT_EQ(map[2 * HUGE], 2);
	ASSERT_TRUE(all_may_look(map, 4));
	ASSERT_EQ(drop(map, 4 * HUGE), 0);
	ASSERT_TRUE(all_may_look(map, 4));
	peer_exit(&child);
	map[2 * HUGE] = 3;
	/* Referenced bits, then soft-dirty ones. */
	for (clear = 1; clear <= 4; clear++) {
		int refs = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
		char digit = '0' + clear;

		ASSERT_LE(0, refs);
		(void)!write(refs, &digit, 1);
		close(refs);
		ASSERT_EQ(map[2 * HUGE], 3);
		map[2 * HUGE + 1]++;
	}
	ASSERT_EQ(map[2 * HUGE + 1], 4);
	ASSERT_EQ(map[0], 1);
	ASSERT_EQ(map[HUGE], 0);
	ASSERT_TRUE(selfcheck_ok());
}

/* What was written lies in the core, what was not takes no page. */
#define CORE		"/tmp/rhugefs.private.core"

static int dump(void *arg)
{
	const struct rlimit { unsigned long cur, max; } unlimited = { -1, -1 };
	char *map = map_private(*(int *)arg, 0, 8, MAP_NORESERVE);

	must(map);
	must(syscall(SYS_prlimit64, 0, 4 /* RLIMIT_CORE */, &unlimited, NULL) ==
	     0);
	memset(map + 3 * HUGE, 'x', HUGE);
	must(map[5 * HUGE] == 0);
	signal(SIGABRT, SIG_DFL);
	abort();
}

static bool core_has(const char *core, size_t size, char value)
{
	size_t pos;

	for (pos = 0; pos + HUGE <= size; pos += 4096)
		if (bytes_are(core + pos, value, HUGE))
			return true;
	return false;
}

TEST_F(pieces, dumped)
{
	int fd = file_new(), core, status;
	char *file = map_huge(fd, 1, 1, 0);
	struct stat st;
	char *map;

	ASSERT_EQ(tell_kernel("/proc/sys/kernel/core_pattern", CORE), 0);
	unlink(CORE);
	memset(file, 'f', HUGE);
	ASSERT_EQ(ftruncate(fd, 8 * HUGE), 0);
	must(waitpid(spawn(dump, &fd), &status, 0) > 0);
	ASSERT_TRUE(WIFSIGNALED(status) && WCOREDUMP(status));
	ASSERT_POOL(1, 0);
	core = open(CORE, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, core);
	ASSERT_EQ(fstat(core, &st), 0);
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, core, 0);
	ASSERT_NE(map, MAP_FAILED);
	ASSERT_TRUE(core_has(map, st.st_size, 'x'));
	/* The two pages, and less than one more of all the rest. */
	ASSERT_LT(st.st_blocks * 512, 5 * HUGE);
	unlink(CORE);
}

TEST_HARNESS_MAIN
