// SPDX-License-Identifier: GPL-2.0-only
/*
 * write(2) and its like: what is written is what is read and mapped, pages come as they
 * are needed and no byte of an earlier life with them, and what cannot be written is
 * said.
 */
#include <sys/resource.h>
#include <sys/sendfile.h>

#include "private_test.h"

RHUGEFS_FIXTURE(write);

#define BUF	(3 * HUGE)

static char *buffer(void)
{
	char *buf = mmap(NULL, BUF, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(buf != MAP_FAILED);
	return buf;
}

static long size_of(int fd)
{
	return lseek(fd, 0, SEEK_END);
}

/* Fill all the pool's free pages, and give them back as they are. */
static void soil_the_pool(void)
{
	unsigned long all = pool_unpromised(), i;
	char *map = map_new(all, 0);

	must(map);
	for (i = 0; i < all; i++)
		memset(map + i * HUGE, 0x5a, HUGE);
	must(unmap_huge(map, all) == 0);
}

/* --- contents and pages -------------------------------------------------- */

static const struct {
	off_t at;
	size_t bytes;
	long pages;
} pieces[] = {
	{ 0, 1, 1 },
	{ 5, 4090, 1 },
	{ HUGE - 1, 2, 2 },
	{ HUGE, HUGE, 1 },
	{ 0, 3 * HUGE, 3 },
	{ 4096, 2 * HUGE, 3 },
	{ 7 * HUGE + 123, 100000, 1 },
	{ HUGE / 2 - 77, HUGE + 3, 2 },
};

/* Each of them into an empty file: read back, mapped, and zero around it. */
TEST_F(write, pieces_of_any_size)
{
	char *from = buffer(), *back = buffer(), *map;
	long end, first, i;
	int fd;

	soil_the_pool();
	bytes_stir(from, BUF, 7);
	for (i = 0; i < (long)(sizeof(pieces) / sizeof(*pieces)); i++) {
		fd = file_new();
		end = pieces[i].at + pieces[i].bytes;
		first = pieces[i].at / HUGE * HUGE;
		ASSERT_EQ(pwrite(fd, from, pieces[i].bytes, pieces[i].at),
			  pieces[i].bytes);
		ASSERT_EQ(size_of(fd), end);
		ASSERT_POOL(pieces[i].pages, 0);
		ASSERT_EQ(pread(fd, back, BUF, pieces[i].at), pieces[i].bytes);
		ASSERT_EQ(memcmp(back, from, pieces[i].bytes), 0);
		map = mmap(NULL, pieces[i].pages * HUGE, PROT_READ, MAP_SHARED,
			   fd, first);
		ASSERT_NE(map, MAP_FAILED);
		ASSERT_EQ(memcmp(map + pieces[i].at - first, from,
				 pieces[i].bytes), 0);
		ASSERT_TRUE(bytes_are(map, 0, pieces[i].at - first));
		ASSERT_TRUE(bytes_are(map + end - first, 0,
				      first + pieces[i].pages * HUGE - end));
		ASSERT_EQ(unmap_huge(map, pieces[i].pages), 0);
		close(fd);
	}
}

TEST_F(write, into_what_is_there)
{
	char *from = buffer(), *map;
	int fd = file_new();

	map = map_huge(fd, 0, 3, 0);
	memset(map, 1, 2 * HUGE);
	memset(from, 2, BUF);
	ASSERT_POOL(2, 1);
	/* Part of a page, a whole one, and one that is only promised. */
	ASSERT_EQ(pwrite(fd, from, 2 * HUGE, HUGE - 100), 2 * HUGE);
	ASSERT_POOL(3, 0);
	ASSERT_TRUE(bytes_are(map, 1, HUGE - 100));
	ASSERT_TRUE(bytes_are(map + HUGE - 100, 2, 2 * HUGE));
	ASSERT_TRUE(bytes_are(map + 3 * HUGE - 100, 0, 100));
	ASSERT_EQ(size_of(fd), 3 * HUGE);
}

TEST_F(write, promised_page_with_none_left)
{
	char *from = buffer(), *map;
	int fd = file_new();

	map = map_huge(fd, 0, 2, 0);
	leave_unpromised(0);
	ASSERT_EQ(pwrite(fd, from, BUF, 0), 2 * HUGE);
	ASSERT_EQ(pwrite(fd, from, 1, 2 * HUGE), -1);
	ASSERT_EQ(errno, ENOSPC);
	ASSERT_EQ(size_of(fd), 2 * HUGE);
	ASSERT_TRUE(bytes_are(map, 0, 2 * HUGE));
}

TEST_F(write, private_mappings_see_it_until_they_write)
{
	char *from = buffer(), *map;
	int fd = file_new();

	memset(from, 3, BUF);
	map = map_private(fd, 0, 2, 0);
	ASSERT_TRUE(bytes_are(map, 0, 2 * HUGE));
	ASSERT_EQ(pwrite(fd, from, 100, HUGE), 100);
	ASSERT_EQ(map[HUGE], 3);
	map[HUGE] = 4;
	memset(from, 5, BUF);
	ASSERT_EQ(pwrite(fd, from, 100, HUGE), 100);
	ASSERT_EQ(map[HUGE], 4);
	ASSERT_EQ(map[HUGE + 1], 3);
}

static bool grow_by_truncate(int fd)
{
	return ftruncate(fd, 50000) == 0;
}

static bool grow_by_write(int fd)
{
	return pwrite(fd, "x", 1, 50000) == 1;
}

static bool grow_by_fallocate(int fd)
{
	return fallocate(fd, 0, 40000, 10001) == 0;
}

/* What lies behind the end in the last page is nobody's contents, but for mmap(). */
TEST_F(write, no_byte_from_behind_the_end)
{
	static bool (*const grow[])(int fd) = {
		grow_by_truncate, grow_by_write, grow_by_fallocate,
	};
	char *map, byte;
	int fd = file_new(), i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(ftruncate(fd, 0), 0);
		ASSERT_EQ(ftruncate(fd, 1000), 0);
		map = mmap(NULL, HUGE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_NORESERVE, fd, 0);
		ASSERT_NE(map, MAP_FAILED);
		/* To map has extended it. */
		ASSERT_EQ(ftruncate(fd, 1000), 0);
		memset(map, 7, 100000);
		ASSERT_TRUE(grow[i](fd));
		ASSERT_TRUE(bytes_are(map, 7, 1000));
		ASSERT_TRUE(bytes_are(map + 1000, 0, 49000));
		ASSERT_EQ(pread(fd, &byte, 1, 49999), 1);
		ASSERT_EQ(byte, 0);
		ASSERT_EQ(unmap_huge(map, 1), 0);
	}
}

/* A pipe has a copy, and not the page, on which much might be done otherwise. */
TEST_F(write, a_pipe_takes_no_page)
{
	int fd = file_new(), ends[2];
	char *map = map_huge(fd, 0, 1, 0), buf[4096];
	loff_t at = 0;

	memset(map, 1, HUGE);
	ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
	ASSERT_EQ(splice(fd, &at, ends[1], NULL, 4096, 0), 4096);
	memset(map, 2, HUGE);
	ASSERT_EQ(read(ends[0], buf, 4096), 4096);
	ASSERT_TRUE(bytes_are(buf, 1, 4096));
	at = 0;
	ASSERT_EQ(splice(fd, &at, ends[1], NULL, 4096, 0), 4096);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	/* Not parked: nobody has a reference. */
	ASSERT_EQ(pool_count("", "free"), pool_count("", "nr"));
	close(ends[0]);
	close(ends[1]);
}

TEST_F(write, append)
{
	char path[64], byte;
	int fd = file_new(), again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	ASSERT_LE(0, again);
	ASSERT_EQ(ftruncate(fd, HUGE - 1), 0);
	ASSERT_EQ(write(again, "abc", 3), 3);
	ASSERT_EQ(size_of(fd), HUGE + 2);
	ASSERT_EQ(pread(fd, &byte, 1, HUGE + 1), 1);
	ASSERT_EQ(byte, 'c');
	ASSERT_EQ(lseek(again, 0, SEEK_CUR), HUGE + 2);
}

TEST_F(write, vectors)
{
	char a[100], b[200], back[300];
	struct iovec iov[2] = { { a, sizeof(a) }, { b, sizeof(b) } };
	struct iovec into = { back, sizeof(back) };
	int fd = file_new();

	memset(a, 1, sizeof(a));
	memset(b, 2, sizeof(b));
	ASSERT_EQ(pwritev(fd, iov, 2, HUGE - 50), 300);
	ASSERT_EQ(preadv(fd, &into, 1, HUGE - 50), 300);
	ASSERT_TRUE(bytes_are(back, 1, 100));
	ASSERT_TRUE(bytes_are(back + 100, 2, 200));
}

/* --- from strange places ------------------------------------------------- */

/* From a mapping of the very page that is written, there or not. */
TEST_F(write, from_its_own_mapping)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 3, MAP_NORESERVE);

	ASSERT_EQ(pwrite(fd, map, HUGE, 0), HUGE);
	ASSERT_POOL(1, 0);
	memset(map, 9, 1000);
	ASSERT_EQ(pwrite(fd, map, 1000, 500), 1000);
	ASSERT_EQ(map[1499], 9);
	/* Page 0 to page 1, which is not there yet; page 2 to itself. */
	ASSERT_EQ(pwrite(fd, map, HUGE, HUGE), HUGE);
	ASSERT_EQ(memcmp(map, map + HUGE, HUGE), 0);
	ASSERT_EQ(pwrite(fd, map + 2 * HUGE, HUGE / 2, 2 * HUGE + 100), HUGE / 2);
	ASSERT_POOL(3, 0);
	ASSERT_TRUE(selfcheck_ok());
}

TEST_F(write, from_nowhere)
{
	char *from = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), back[8192];
	int fd = file_new();

	memset(from, 6, 4096);
	ASSERT_EQ(munmap(from + 4096, HUGE), 0);
	ASSERT_EQ(pwrite(fd, from + 4096, 100, 0), -1);
	ASSERT_EQ(errno, EFAULT);
	ASSERT_EQ(size_of(fd), 0);
	ASSERT_POOL(0, 0);
	/* What is there is written, into a page that was there and into a new one. */
	soil_the_pool();
	ASSERT_EQ(pwrite(fd, from, 8192, 10), 4096);
	ASSERT_EQ(size_of(fd), 4106);
	ASSERT_EQ(pwrite(fd, from, 8192, 4106), 4096);
	ASSERT_POOL(1, 0);
	ASSERT_EQ(ftruncate(fd, HUGE), 0);
	ASSERT_EQ(pread(fd, back, 8192, 8202), 8192);
	ASSERT_TRUE(bytes_are(back, 0, 8192));
}

/* --- limits -------------------------------------------------------------- */

TEST_F(write, pool_runs_out)
{
	char *from = buffer();
	int fd = file_new();

	leave_unpromised(2);
	ASSERT_EQ(pwrite(fd, from, BUF, 100), 2 * HUGE - 100);
	ASSERT_EQ(size_of(fd), 2 * HUGE);
	ASSERT_EQ(pwrite(fd, from, BUF, 2 * HUGE), -1);
	ASSERT_EQ(errno, ENOSPC);
	ASSERT_EQ(size_of(fd), 2 * HUGE);
	/* What is there can still be written. */
	ASSERT_EQ(pwrite(fd, from, HUGE, HUGE), HUGE);
}

TEST_F(write, file_size_limit)
{
	struct rlimit limit = { .rlim_cur = HUGE + 10, .rlim_max = RLIM_INFINITY };
	char *from = buffer();
	int fd = file_new();

	signal(SIGXFSZ, SIG_IGN);
	ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ASSERT_EQ(pwrite(fd, from, 2 * HUGE, 0), HUGE + 10);
	ASSERT_EQ(pwrite(fd, from, 1, HUGE + 10), -1);
	ASSERT_EQ(errno, EFBIG);
	ASSERT_EQ(size_of(fd), HUGE + 10);
	ASSERT_EQ(fallocate(fd, 0, 0, 2 * HUGE), -1);
	ASSERT_EQ(errno, EFBIG);
}

/* --- splice and its like ------------------------------------------------- */

TEST_F(write, splice)
{
	int from = file_new(), to = file_new(), ends[2];
	char *map = map_huge(from, 0, 2, 0), *copy;
	loff_t in = 5, out = HUGE - 7;
	long done = 0, len, part;

	bytes_stir(map, 2 * HUGE, 3);
	ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
	while (done < HUGE) {
		len = splice(from, &in, ends[1], NULL, HUGE - done, 0);
		ASSERT_LT(0, len);
		for (done += len; len; len -= part) {
			part = splice(ends[0], NULL, to, &out, len, 0);
			ASSERT_LT(0, part);
		}
	}
	close(ends[0]);
	close(ends[1]);
	copy = map_huge(to, 0, 2, 0);
	ASSERT_EQ(memcmp(copy + HUGE - 7, map + 5, HUGE), 0);
	ASSERT_TRUE(bytes_are(copy, 0, HUGE - 7));
}

TEST_F(write, sendfile_and_copy_file_range)
{
	int from = file_new(), to = file_new(), third = file_new();
	char *map = map_huge(from, 0, 2, 0), *copy;
	loff_t in = 0, out = 0;
	long done, len;

	bytes_stir(map, 2 * HUGE, 4);
	for (done = 0; done < 2 * HUGE; done += len) {
		len = sendfile(to, from, &in, 2 * HUGE - done);
		ASSERT_LT(0, len);
	}
	copy = map_huge(to, 0, 2, 0);
	ASSERT_EQ(memcmp(copy, map, 2 * HUGE), 0);
	in = 0;
	for (done = 0; done < 2 * HUGE; done += len) {
		len = copy_file_range(from, &in, third, &out, 2 * HUGE - done,
				      0);
		ASSERT_LT(0, len);
	}
	copy = map_huge(third, 0, 2, 0);
	ASSERT_EQ(memcmp(copy, map, 2 * HUGE), 0);
}

TEST_F(write, open_for_direct_io)
{
	char *from = buffer(), back[512], path[64];
	int fd = file_new(), direct;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	direct = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, direct);
	memset(from, 8, 512);
	/* Nothing need be aligned. */
	ASSERT_EQ(pwrite(direct, from + 1, 511, 3), 511);
	ASSERT_EQ(pread(direct, back, 500, 4), 500);
	ASSERT_TRUE(bytes_are(back, 8, 500));
	ASSERT_EQ(fcntl(fd, F_SETFL, O_DIRECT), 0);
	ASSERT_EQ(fsync(fd), 0);
	ASSERT_EQ(fdatasync(fd), 0);
}

/* --- holes --------------------------------------------------------------- */

TEST_F(write, seek_hole_and_data)
{
	int fd = file_new();

	ASSERT_EQ(lseek(fd, 0, SEEK_DATA), -1);
	ASSERT_EQ(errno, ENXIO);
	ASSERT_EQ(ftruncate(fd, 10 * HUGE), 0);
	ASSERT_EQ(lseek(fd, 0, SEEK_DATA), -1);
	ASSERT_EQ(errno, ENXIO);
	ASSERT_EQ(lseek(fd, 17, SEEK_HOLE), 17);
	ASSERT_EQ(pwrite(fd, "x", 1, 2 * HUGE + 5), 1);
	ASSERT_EQ(pwrite(fd, "x", 1, 3 * HUGE), 1);
	ASSERT_EQ(lseek(fd, 1, SEEK_DATA), 2 * HUGE);
	ASSERT_EQ(lseek(fd, 2 * HUGE + 9, SEEK_DATA), 2 * HUGE + 9);
	ASSERT_EQ(lseek(fd, 2 * HUGE + 9, SEEK_HOLE), 4 * HUGE);
	ASSERT_EQ(lseek(fd, 4 * HUGE, SEEK_DATA), -1);
	ASSERT_EQ(errno, ENXIO);
	ASSERT_EQ(lseek(fd, 10 * HUGE, SEEK_HOLE), -1);
	ASSERT_EQ(errno, ENXIO);
	ASSERT_EQ(lseek(fd, -1, SEEK_HOLE), -1);
	ASSERT_EQ(errno, ENXIO);
	/* The end of the file is a hole, also within a page. */
	ASSERT_EQ(ftruncate(fd, 3 * HUGE + 100), 0);
	ASSERT_EQ(lseek(fd, 3 * HUGE, SEEK_HOLE), 3 * HUGE + 100);
	/* What is reserved and not there is none. */
	ASSERT_NE(map_huge(fd, 0, 1, 0), NULL);
	ASSERT_EQ(lseek(fd, 0, SEEK_DATA), 2 * HUGE);
}

TEST_F(write, zero_range)
{
	int mode = FALLOC_FL_ZERO_RANGE, fd = file_new();
	char *map = map_huge(fd, 0, 4, MAP_NORESERVE);

	memset(map, 1, 2 * HUGE);
	ASSERT_EQ(fallocate(fd, mode, HUGE / 2, 2 * HUGE), 0);
	/* Pages stay, and come where there were none. */
	ASSERT_POOL(3, 0);
	ASSERT_TRUE(bytes_are(map, 1, HUGE / 2));
	ASSERT_TRUE(bytes_are(map + HUGE / 2, 0, 2 * HUGE + HUGE / 2));
	ASSERT_EQ(size_of(fd), 4 * HUGE);
	ASSERT_EQ(fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, 4 * HUGE, 1), 0);
	ASSERT_EQ(size_of(fd), 4 * HUGE);
	ASSERT_POOL(4, 0);
	ASSERT_EQ(fallocate(fd, mode, 5 * HUGE, 7), 0);
	ASSERT_EQ(size_of(fd), 5 * HUGE + 7);
	leave_unpromised(0);
	memset(map, 1, HUGE);
	ASSERT_EQ(fallocate(fd, mode, 0, 7 * HUGE), -1);
	ASSERT_EQ(errno, ENOSPC);
	ASSERT_EQ(*map, 1);
	ASSERT_EQ(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, HUGE), -1);
	ASSERT_EQ(errno, EOPNOTSUPP);
}

/* --- all at once --------------------------------------------------------- */

#define ROUNDS	60

struct racer {
	unsigned long state;
	int fd;
	int number;
};

/*
 * A page is written in one piece, by one who fills it with his number, while others
 * map, punch and cut: no byte is ever anything but a number or zero.
 */
static int write_and_cut(void *arg)
{
	struct racer *racer = arg;
	char *buf = buffer(), *map;
	long at, i, k;

	for (i = 0; i < ROUNDS; i++) {
		at = chance_of(&racer->state, 4) * HUGE;
		switch (chance_of(&racer->state, 6)) {
		case 0:
			must(ftruncate(racer->fd, at) == 0);
			break;
		case 1:
			must(fallocate(racer->fd, FALLOC_FL_PUNCH_HOLE |
				       FALLOC_FL_KEEP_SIZE, at, HUGE) == 0);
			break;
		case 2:
			map = map_huge(racer->fd, at / HUGE, 1, MAP_NORESERVE);
			must(map);
			/* It may be cut at any moment. */
			can_write_value(map, racer->number);
			must(unmap_huge(map, 1) == 0);
			break;
		case 3:
			k = pread(racer->fd, buf, HUGE, at);
			must(k >= 0);
			while (k--)
				must(buf[k] >= 0 && buf[k] <= 4);
			break;
		default:
			memset(buf, racer->number, HUGE);
			must(pwrite(racer->fd, buf, HUGE, at) == HUGE);
		}
	}
	return 0;
}

TEST_F_TIMEOUT(write, against_all_others, 90)
{
	unsigned long seed = seed_get();
	struct racer racer = { .fd = file_new() };
	pid_t pids[4];
	int i;

	soil_the_pool();
	for (i = 0; i < 4; i++) {
		racer.number = i + 1;
		racer.state = seed + i;
		pids[i] = spawn(write_and_cut, &racer);
	}
	for (i = 0; i < 4; i++)
		ASSERT_EQ(reap(pids[i]), 0);
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_EQ(ftruncate(racer.fd, 0), 0);
	ASSERT_POOL(0, 0);
}

TEST_HARNESS_MAIN
