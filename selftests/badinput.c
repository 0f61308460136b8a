// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of bad input gets the errno that belongs to it, and changes
 * nothing: no count, no size, no content, no mapping.
 */
#include "rhugefs_test.h"

#include <stdint.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#define SMALL		4096UL
#define PUNCH		(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/* The largest size of a file, in whole huge pages. */
#define SIZE_MAX_HUGE	(INT64_MAX & ~(HUGE - 1))

/* "rhug" */
#define MAGIC		0x72687567

RHUGEFS_FIXTURE(badinput);

/* --- what must not change ------------------------------------------------ */

/* A file of three pages, all mapped: the one in the middle is promised only. */
struct specimen {
	const struct pools *before;
	int fd;
	char *map;
};

static struct specimen specimen_new(const struct pools *before)
{
	struct specimen specimen = { .before = before, .fd = file_new() };

	specimen.map = map_huge(specimen.fd, 0, 3, 0);
	must(specimen.map);
	bytes_stir(specimen.map, SMALL, 1);
	bytes_stir(specimen.map + 3 * HUGE - SMALL, SMALL, 2);
	must(pools_moved(before, 2, 1));
	return specimen;
}

static bool unchanged(const struct specimen *specimen)
{
	return lseek(specimen->fd, 0, SEEK_END) == 3 * HUGE &&
	       bytes_stirred(specimen->map, SMALL, 1) &&
	       bytes_stirred(specimen->map + 3 * HUGE - SMALL, SMALL, 2) &&
	       pools_moved(specimen->before, 2, 1);
}

/* The call fails with this errno and leaves the specimen as it is. */
#define ASSERT_REFUSED(call, error)					\
	do {								\
		ASSERT_FAILS(call, error);				\
		ASSERT_TRUE(unchanged(&specimen))			\
			TH_LOG("%s", #call);				\
	} while (0)

/* --- mmap ---------------------------------------------------------------- */

/* The system call, which takes offsets that the C library would not. */
static long sys_mmap(void *addr, unsigned long len, int prot, int flags, int fd,
		     unsigned long offset)
{
	return syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
}

struct mmap_case {
	const char *what;
	unsigned long len;
	unsigned long offset;
	int flags;		/* MAP_SHARED if 0 */
	int error;
};

static const struct mmap_case mmap_cases[] = {
	{ "no length", 0, 0, 0, EINVAL },
	{ "a small page", SMALL, 0, 0, EINVAL },
	{ "a small page too many", HUGE + SMALL, 0, 0, EINVAL },
	{ "a small page too few", 2 * HUGE - SMALL, 0, 0, EINVAL },
	{ "half a huge page", HUGE / 2, 0, 0, EINVAL },
	{ "small page's offset", HUGE, SMALL, 0, EINVAL },
	{ "half a huge page's offset", HUGE, HUGE / 2, 0, EINVAL },
	{ "odd offset behind the end", HUGE, 7 * HUGE - SMALL, 0, EINVAL },
	{ "offset of a byte", HUGE, 1, 0, EINVAL },
	{ "bad length and offset", SMALL, SMALL, 0, EINVAL },
	{ "unreserved, a small page", SMALL, 0, MAP_SHARED | MAP_NORESERVE,
	  EINVAL },
	{ "populated, a small page", SMALL, 0, MAP_SHARED | MAP_POPULATE,
	  EINVAL },

	{ "private, a small page", SMALL, 0, MAP_PRIVATE, EINVAL },
	{ "private, half a huge page's offset", HUGE, HUGE / 2, MAP_PRIVATE,
	  EINVAL },
	{ "private and unreserved, a small page", SMALL, 0,
	  MAP_PRIVATE | MAP_NORESERVE, EINVAL },
	{ "private, a terabyte", 1UL << 40, 0, MAP_PRIVATE, ENOMEM },
	{ "neither shared nor private", HUGE, 0, MAP_NORESERVE, EINVAL },
	{ "hugetlb's own flag", HUGE, 0, MAP_SHARED | MAP_HUGETLB, EINVAL },
	{ "synchronous", HUGE, 0, MAP_SHARED_VALIDATE | MAP_SYNC, EOPNOTSUPP },

	{ "a terabyte", 1UL << 40, 0, 0, ENOMEM },
	{ "a terabyte, populated", 1UL << 40, 0, MAP_SHARED | MAP_POPULATE,
	  ENOMEM },
	{ "a terabyte far away", 1UL << 40, 1UL << 50, 0, ENOMEM },
	{ "all addresses", 1UL << 62, 0, 0, ENOMEM },
	{ "all addresses, unreserved", 1UL << 62, 0, MAP_SHARED | MAP_NORESERVE,
	  ENOMEM },
	{ "more than all addresses", -HUGE, 0, 0, ENOMEM },

	{ "just behind the largest size", HUGE, SIZE_MAX_HUGE, 0, EOVERFLOW },
	{ "over the largest size", 2 * HUGE, SIZE_MAX_HUGE - HUGE, 0,
	  EOVERFLOW },
	{ "over it, unreserved", 2 * HUGE, SIZE_MAX_HUGE - HUGE,
	  MAP_SHARED | MAP_NORESERVE, EOVERFLOW },
	{ "a negative offset", HUGE, -HUGE, 0, EOVERFLOW },
	{ "the most negative offset", HUGE, 1UL << 63, 0, EOVERFLOW },
	{ "a small page before the last", HUGE, INT64_MAX & ~(SMALL - 1), 0,
	  EINVAL },
};

TEST_F(badinput, mmap)
{
	struct specimen specimen = specimen_new(&self->before);
	const struct mmap_case *c = mmap_cases;
	int i;

	for (i = 0; i < (int)(sizeof(mmap_cases) / sizeof(*c)); i++, c++) {
		errno = 0;
		ASSERT_EQ(sys_mmap(NULL, c->len, PROT_READ | PROT_WRITE,
				   c->flags ?: MAP_SHARED, specimen.fd,
				   c->offset), -1)
			TH_LOG("%s", c->what);
		ASSERT_EQ(errno, c->error)
			TH_LOG("%s", c->what);
		ASSERT_TRUE(unchanged(&specimen))
			TH_LOG("%s", c->what);
	}
}

TEST_F(badinput, mmap_of_more_than_there_is)
{
	struct specimen specimen = specimen_new(&self->before);
	unsigned long most = 3 + pool_unpromised();

	ASSERT_REFUSED(sys_mmap(NULL, (most + 1) * HUGE, PROT_READ | PROT_WRITE,
				MAP_SHARED, specimen.fd, 0), ENOMEM);
	ASSERT_REFUSED(sys_mmap(NULL, (most - 2) * HUGE, PROT_READ | PROT_WRITE,
				MAP_SHARED, specimen.fd, 3 * HUGE), ENOMEM);
	ASSERT_REFUSED(sys_mmap(NULL, (most + 1) * HUGE, PROT_READ, MAP_SHARED,
				specimen.fd, 0), ENOMEM);
}

/* The page before the largest size is one like all others. */
TEST_F(badinput, mmap_of_the_last_page_there_can_be)
{
	int fd = file_new();
	char *map = map_huge(fd, SIZE_MAX_HUGE / HUGE - 1, 1, 0);
	char byte;

	ASSERT_NE(map, NULL);
	ASSERT_EQ(lseek(fd, 0, SEEK_END), SIZE_MAX_HUGE);
	ASSERT_POOL(0, 1);
	ASSERT_TRUE(can_write_value(map + HUGE - 1, 3));
	ASSERT_POOL(1, 0);
	ASSERT_EQ(pread(fd, &byte, 1, SIZE_MAX_HUGE - 1), 1);
	ASSERT_EQ(byte, 3);
	ASSERT_EQ(pread(fd, &byte, 1, SIZE_MAX_HUGE), 0);
	ASSERT_EQ(fallocate(fd, PUNCH, SIZE_MAX_HUGE - HUGE, HUGE), 0);
	ASSERT_POOL(0, 0);
	ASSERT_TRUE(can_read(map));
	ASSERT_POOL(1, 0);
	ASSERT_EQ(ftruncate(fd, SIZE_MAX_HUGE - HUGE), 0);
	ASSERT_POOL(0, 0);
	ASSERT_FALSE(can_read(map));
}

TEST_F(badinput, mmap_at_an_address)
{
	const int prot = PROT_READ | PROT_WRITE;
	struct specimen specimen = specimen_new(&self->before);
	char *there = mmap(NULL, 4 * HUGE, prot, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	char *boundary = (char *)(((uintptr_t)there + HUGE) & ~(HUGE - 1));
	char *high = (char *)0xffff800000000000UL;

	ASSERT_NE(there, MAP_FAILED);
	memset(boundary, 7, HUGE);
	ASSERT_REFUSED(sys_mmap(boundary + SMALL, HUGE, prot,
				MAP_SHARED | MAP_FIXED, specimen.fd, 0), EINVAL);
	ASSERT_REFUSED(sys_mmap(boundary + HUGE / 2, HUGE, prot,
				MAP_SHARED | MAP_FIXED, specimen.fd, 0), EINVAL);
	ASSERT_REFUSED(sys_mmap(boundary + SMALL, HUGE, prot,
				MAP_SHARED | MAP_FIXED_NOREPLACE, specimen.fd,
				0), EINVAL);
	ASSERT_REFUSED(sys_mmap(boundary, HUGE, prot,
				MAP_SHARED | MAP_FIXED_NOREPLACE, specimen.fd,
				0), EEXIST);
	ASSERT_REFUSED(sys_mmap(boundary, SMALL, prot, MAP_SHARED | MAP_FIXED,
				specimen.fd, 0), EINVAL);
	ASSERT_REFUSED(sys_mmap(high, HUGE, prot, MAP_SHARED | MAP_FIXED,
				specimen.fd, 0), ENOMEM);
	/* What was there is there still. */
	ASSERT_TRUE(bytes_are(boundary, 7, HUGE));

	/* Without MAP_FIXED it is a hint, and aligned for the caller. */
	there = mmap(boundary + SMALL, HUGE, prot, MAP_SHARED, specimen.fd, 0);
	ASSERT_NE(there, MAP_FAILED);
	ASSERT_EQ((uintptr_t)there % HUGE, 0);
	ASSERT_TRUE(bytes_are(boundary, 7, HUGE));
	ASSERT_TRUE(unchanged(&specimen));
}

/* The file of @fd, opened once more. */
static int open_again(int fd, int flags)
{
	char path[64];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags);
	must(again >= 0);
	return again;
}

TEST_F(badinput, mmap_through_a_descriptor_not_meant_for_it)
{
	struct specimen specimen = specimen_new(&self->before);
	int rdonly = open_again(specimen.fd, O_RDONLY);
	int wronly = open_again(specimen.fd, O_WRONLY);

	/* It can never write, so it must not grow the file or its promises. */
	ASSERT_REFUSED(sys_mmap(NULL, 4 * HUGE, PROT_READ, MAP_SHARED, rdonly,
				0), ENOMEM);
	ASSERT_REFUSED(sys_mmap(NULL, HUGE, PROT_READ, MAP_SHARED, rdonly,
				3 * HUGE), ENOMEM);
	ASSERT_REFUSED(sys_mmap(NULL, HUGE, PROT_READ,
				MAP_SHARED | MAP_NORESERVE, rdonly, 3 * HUGE),
		       ENOMEM);
	ASSERT_REFUSED(sys_mmap(NULL, HUGE, PROT_READ, MAP_SHARED, rdonly,
				SIZE_MAX_HUGE - HUGE), ENOMEM);
	ASSERT_REFUSED(sys_mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED,
				rdonly, 0), EACCES);
	ASSERT_REFUSED(sys_mmap(NULL, HUGE, PROT_READ, MAP_SHARED, wronly, 0),
		       EACCES);
	ASSERT_REFUSED(sys_mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED,
				wronly, 0), EACCES);
	ASSERT_NE(sys_mmap(NULL, 3 * HUGE, PROT_READ, MAP_SHARED, rdonly, 0),
		  -1);
	ASSERT_TRUE(unchanged(&specimen));
}

TEST_F(badinput, read_only_descriptor_and_a_ragged_end)
{
	int fd = file_new();
	int rdonly = open_again(fd, O_RDONLY);
	char *map;

	ASSERT_EQ(mmap(NULL, HUGE, PROT_READ, MAP_SHARED, rdonly, 0),
		  MAP_FAILED);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_POOL(0, 0);
	ASSERT_EQ(ftruncate(fd, HUGE + 1), 0);
	ASSERT_EQ(mmap(NULL, 3 * HUGE, PROT_READ, MAP_SHARED, rdonly, 0),
		  MAP_FAILED);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_POOL(0, 0);
	map = mmap(NULL, 2 * HUGE, PROT_READ, MAP_SHARED, rdonly, 0);
	ASSERT_NE(map, MAP_FAILED);
	ASSERT_EQ(mprotect(map, 2 * HUGE, PROT_READ | PROT_WRITE), -1);
	ASSERT_EQ(errno, EACCES);
	ASSERT_TRUE(can_read(map + HUGE));
	ASSERT_EQ(lseek(fd, 0, SEEK_END), HUGE + 1);
}

/* --- what can be done to a mapping --------------------------------------- */

TEST_F(badinput, cutting_off_the_boundary)
{
	struct specimen specimen = specimen_new(&self->before);
	char *map = specimen.map;

	ASSERT_REFUSED(munmap(map, SMALL), EINVAL);
	ASSERT_REFUSED(munmap(map + SMALL, SMALL), EINVAL);
	ASSERT_REFUSED(munmap(map + SMALL, HUGE), EINVAL);
	ASSERT_REFUSED(munmap(map + HUGE, SMALL), EINVAL);
	ASSERT_REFUSED(munmap(map + HUGE, HUGE + SMALL), EINVAL);
	ASSERT_REFUSED(munmap(map + 3 * HUGE - SMALL, SMALL), EINVAL);
	ASSERT_REFUSED(munmap(map + HUGE / 2, 3 * HUGE), EINVAL);

	ASSERT_REFUSED(mprotect(map, SMALL, PROT_READ), EINVAL);
	ASSERT_REFUSED(mprotect(map + SMALL, HUGE, PROT_READ), EINVAL);
	ASSERT_REFUSED(mprotect(map + HUGE, HUGE / 2, PROT_NONE), EINVAL);
	ASSERT_REFUSED(mprotect(map + 3 * HUGE - SMALL, SMALL, PROT_READ),
		       EINVAL);

	/* To attach these to a part makes a mapping of it, too. */
	ASSERT_REFUSED(madvise(map, SMALL, MADV_DONTFORK), EINVAL);
	ASSERT_REFUSED(madvise(map + HUGE / 2, HUGE, MADV_DONTDUMP), EINVAL);

	ASSERT_EQ(sys_mmap(map + SMALL, SMALL, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), -1);
	ASSERT_TRUE(unchanged(&specimen));
	ASSERT_TRUE(can_write(map + SMALL));
}

TEST_F(badinput, mremap)
{
	const int move = MREMAP_MAYMOVE | MREMAP_FIXED;
	struct specimen specimen = specimen_new(&self->before);
	char *map = specimen.map;
	char *there = mmap(NULL, 8 * HUGE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *to = (char *)(((uintptr_t)there + HUGE) & ~(HUGE - 1));

	ASSERT_NE(there, MAP_FAILED);
	/* growing */
	ASSERT_REFUSED(mremap(map, 3 * HUGE, 4 * HUGE, 0), EFAULT);
	ASSERT_REFUSED(mremap(map, 3 * HUGE, 4 * HUGE, MREMAP_MAYMOVE), EFAULT);
	ASSERT_REFUSED(mremap(map, 3 * HUGE, 4 * HUGE, move, to), EFAULT);
	ASSERT_REFUSED(mremap(map, 3 * HUGE, 3 * HUGE + SMALL, MREMAP_MAYMOVE),
		       EFAULT);
	ASSERT_REFUSED(mremap(map + HUGE, HUGE, 2 * HUGE, MREMAP_MAYMOVE),
		       EFAULT);
	ASSERT_REFUSED(mremap(map, 0, HUGE, MREMAP_MAYMOVE), EFAULT);
	/* shrinking off the boundary */
	ASSERT_REFUSED(mremap(map, 3 * HUGE, 3 * HUGE - SMALL, 0), EINVAL);
	ASSERT_REFUSED(mremap(map, 3 * HUGE, SMALL, MREMAP_MAYMOVE), EINVAL);
	ASSERT_REFUSED(mremap(map, 3 * HUGE, 0, MREMAP_MAYMOVE), EINVAL);
	/* moving from or to where no huge page begins or ends */
	ASSERT_REFUSED(mremap(map, 3 * HUGE, 3 * HUGE, move, to + SMALL),
		       EINVAL);
	ASSERT_REFUSED(mremap(map + SMALL, HUGE, HUGE, move, to), EINVAL);
	ASSERT_REFUSED(mremap(map, SMALL, SMALL, move, to), EINVAL);
	ASSERT_REFUSED(mremap(map + HUGE, SMALL, SMALL, move, to), EINVAL);
	/* a copy that stays behind */
	ASSERT_REFUSED(mremap(map, 3 * HUGE, 3 * HUGE,
			      MREMAP_MAYMOVE | 4 /* MREMAP_DONTUNMAP */), EINVAL);
}

/* --- files --------------------------------------------------------------- */

TEST_F(badinput, fallocate)
{
	struct specimen specimen = specimen_new(&self->before);
	int rdonly = open_again(specimen.fd, O_RDONLY);
	struct rlimit limit = { 3 * HUGE, RLIM_INFINITY };
	int fd = specimen.fd;

	/* modes */
	ASSERT_REFUSED(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, HUGE),
		       EOPNOTSUPP);
	ASSERT_REFUSED(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, HUGE),
		       EOPNOTSUPP);
	ASSERT_REFUSED(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, HUGE),
		       EOPNOTSUPP);
	ASSERT_REFUSED(fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 0, HUGE),
		       EOPNOTSUPP);
	ASSERT_REFUSED(fallocate(fd, PUNCH | FALLOC_FL_ZERO_RANGE, 0, HUGE),
		       EOPNOTSUPP);
	ASSERT_REFUSED(fallocate(fd, 0x40000000, 0, HUGE), EOPNOTSUPP);

	/* ranges */
	ASSERT_REFUSED(fallocate(fd, 0, -1, HUGE), EINVAL);
	ASSERT_REFUSED(fallocate(fd, 0, 0, 0), EINVAL);
	ASSERT_REFUSED(fallocate(fd, 0, 0, -HUGE), EINVAL);
	ASSERT_REFUSED(fallocate(fd, PUNCH, -HUGE, HUGE), EINVAL);
	ASSERT_REFUSED(fallocate(fd, PUNCH, HUGE, 0), EINVAL);
	ASSERT_REFUSED(fallocate(fd, PUNCH, 0, INT64_MIN), EINVAL);
	ASSERT_REFUSED(fallocate(fd, 0, INT64_MAX, 1), EFBIG);
	ASSERT_REFUSED(fallocate(fd, 0, SIZE_MAX_HUGE, 1), EFBIG);
	ASSERT_REFUSED(fallocate(fd, 0, SIZE_MAX_HUGE - 1, 2), EFBIG);
	ASSERT_REFUSED(fallocate(fd, FALLOC_FL_KEEP_SIZE, HUGE, INT64_MAX),
		       EFBIG);
	ASSERT_REFUSED(fallocate(fd, PUNCH, HUGE, INT64_MAX), EFBIG);
	ASSERT_REFUSED(fallocate(fd, FALLOC_FL_ZERO_RANGE, -1, HUGE), EINVAL);
	ASSERT_REFUSED(fallocate(fd, FALLOC_FL_ZERO_RANGE, SIZE_MAX_HUGE, 1),
		       EFBIG);

	/* more than there is */
	ASSERT_REFUSED(fallocate(fd, 0, 0, 1UL << 40), ENOSPC);
	ASSERT_REFUSED(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1UL << 40),
		       ENOSPC);
	ASSERT_REFUSED(fallocate(fd, 0, 3 * HUGE,
				 (pool_unpromised() + 1) * HUGE), ENOSPC);
	ASSERT_REFUSED(fallocate(fd, 0, 1, SIZE_MAX_HUGE - 1), ENOSPC);
	ASSERT_REFUSED(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 1UL << 40),
		       ENOSPC);

	/* more than is allowed, or through the wrong descriptor */
	ASSERT_REFUSED(fallocate(rdonly, 0, 0, HUGE), EBADF);
	ASSERT_REFUSED(fallocate(rdonly, PUNCH, 0, HUGE), EBADF);
	ASSERT_NE(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ASSERT_REFUSED(fallocate(fd, 0, 0, 3 * HUGE + 1), EFBIG);
}

TEST_F(badinput, write)
{
	struct specimen specimen = specimen_new(&self->before);
	int rdonly = open_again(specimen.fd, O_RDONLY);
	char buf[100] = "";
	struct iovec iov[2] = { { buf, sizeof(buf) }, { buf, -1UL } };
	struct iovec nowhere = { (char *)8, 1 };
	int fd = specimen.fd;

	ASSERT_REFUSED(pwrite(fd, buf, sizeof(buf), -1), EINVAL);
	ASSERT_REFUSED(pwrite(fd, buf, sizeof(buf), INT64_MIN), EINVAL);
	ASSERT_REFUSED(pwrite(fd, buf, sizeof(buf), SIZE_MAX_HUGE), EFBIG);
	ASSERT_REFUSED(pwrite(fd, buf, 1, INT64_MAX - 1), EFBIG);
	ASSERT_REFUSED(writev(fd, iov, 2), EINVAL);
	ASSERT_REFUSED(pwritev(fd, &nowhere, 1, 10 * HUGE), EFAULT);
	ASSERT_REFUSED(write(rdonly, buf, 1), EBADF);
	ASSERT_REFUSED(sendfile(rdonly, fd, &(off_t){ 0 }, 1), EBADF);
	ASSERT_EQ(pwrite(fd, NULL, 0, 10 * HUGE), 0);
}

TEST_F(badinput, ftruncate)
{
	struct specimen specimen = specimen_new(&self->before);
	int rdonly = open_again(specimen.fd, O_RDONLY);
	struct rlimit limit = { 4 * HUGE, RLIM_INFINITY };
	int fd = specimen.fd;

	ASSERT_REFUSED(ftruncate(fd, -1), EINVAL);
	ASSERT_REFUSED(ftruncate(fd, INT64_MIN), EINVAL);
	ASSERT_REFUSED(ftruncate(fd, INT64_MAX), EFBIG);
	ASSERT_REFUSED(ftruncate(fd, SIZE_MAX_HUGE + 1), EFBIG);
	ASSERT_REFUSED(ftruncate(rdonly, 0), EINVAL);
	ASSERT_NE(signal(SIGXFSZ, SIG_IGN), SIG_ERR);
	ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ASSERT_REFUSED(ftruncate(fd, 4 * HUGE + 1), EFBIG);
}

TEST_F(badinput, read)
{
	static char *const nowhere[] = { (char *)16, (char *)-SMALL };
	struct specimen specimen = specimen_new(&self->before);
	int wronly = open_again(specimen.fd, O_WRONLY);
	char buf[100];
	struct iovec iov[2] = { { buf, SIZE_MAX }, { buf, SIZE_MAX } };
	int fd = specimen.fd, i;

	ASSERT_REFUSED(pread(fd, buf, sizeof(buf), -1), EINVAL);
	ASSERT_REFUSED(readv(fd, iov, 2), EINVAL);
	for (i = 0; i < 2; i++)
		ASSERT_REFUSED(pread(fd, nowhere[i], sizeof(buf), 0), EFAULT);
	ASSERT_REFUSED(read(wronly, buf, sizeof(buf)), EBADF);
	ASSERT_REFUSED(lseek(fd, -1, SEEK_SET), EINVAL);
	ASSERT_REFUSED(lseek(fd, SIZE_MAX_HUGE + 1, SEEK_SET), EINVAL);
	/* Far beyond the end is no error. */
	ASSERT_EQ(pread(fd, buf, sizeof(buf), INT64_MAX - sizeof(buf)), 0);
	ASSERT_TRUE(unchanged(&specimen));
}

TEST_F(badinput, names)
{
	char path[600];

	memset(path, 'x', sizeof(path));
	memcpy(path, mnt_dir(), strlen(mnt_dir()));
	path[strlen(mnt_dir())] = '/';
	path[strlen(mnt_dir()) + 1 + 256] = '\0';
	ASSERT_EQ(open(path, O_CREAT | O_RDWR, 0600), -1);
	ASSERT_EQ(errno, ENAMETOOLONG);
	path[strlen(path) - 1] = '\0';
	ASSERT_LE(0, open(path, O_CREAT | O_EXCL | O_RDWR, 0600));
	ASSERT_EQ(unlink(path), 0);
}

TEST_F(badinput, counts_that_cannot_be_written)
{
	static const char *const names[] = {
		"free", "resv", "surplus", "zeroed", "poisoned",
	};
	char path[128];
	int i, fd;

	for (i = 0; i < (int)(sizeof(names) / sizeof(*names)); i++) {
		snprintf(path, sizeof(path), POOL_SYSFS "/%s_hugepages",
			 names[i]);
		fd = open(path, O_WRONLY);
		if (fd < 0)
			continue;
		ASSERT_EQ(write(fd, "7", 1), -1)
			TH_LOG("%s", path);
		close(fd);
	}
	ASSERT_POOL(0, 0);
}

/* --- mounting ------------------------------------------------------------ */

#define OTHER_MNT	"/tmp/badinput"

/* A test that fails must not leave its mount to the others. */
FIXTURE(mounting) {
	struct pools before;
};

FIXTURE_SETUP(mounting)
{
	self->before = pools_read();
}

FIXTURE_TEARDOWN_PARENT(mounting)
{
	umount2(OTHER_MNT, MNT_DETACH);
	EXPECT_TRUE(pools_restored(&self->before));
}

static int mount_other(const char *options)
{
	must(mkdir(OTHER_MNT, 0755) == 0 || errno == EEXIST);
	return mount("none", OTHER_MNT, "rhugefs", 0, options);
}

struct option_case {
	const char *key;
	const char *value;	/* NULL: given without one */
};

static const struct option_case bad_options[] = {
	{ "pagesize", "1G" }, { "pagesize", "4K" }, { "pagesize", "4096" },
	{ "pagesize", "0" }, { "pagesize", "2M+" }, { "pagesize", "2MM" },
	{ "pagesize", "2097153" }, { "pagesize", "-2M" }, { "pagesize", "2 M" },
	{ "pagesize", "big" }, { "pagesize", "" }, { "pagesize", NULL },
	{ "nr_inodes", "many" }, { "nr_inodes", "-1" }, { "nr_inodes", "1x" },
	{ "nr_inodes", "1.5" }, { "nr_inodes", "+1" }, { "nr_inodes", "" },
	{ "nr_inodes", NULL }, { "nr_inodes", "9223372036854775808" },
	{ "uid", "root" }, { "uid", "-1" }, { "uid", "4294967295" },
	{ "uid", "4294967296" }, { "uid", "0x" }, { "uid", "" },
	{ "uid", NULL },
	{ "gid", "root" }, { "gid", "-1" }, { "gid", "4294967295" },
	{ "gid", "1 5" }, { "gid", "" }, { "gid", NULL },
	{ "mode", "rwx" }, { "mode", "8" }, { "mode", "-1" }, { "mode", "10000" },
	{ "mode", "777777777777" }, { "mode", "" }, { "mode", NULL },
	{ "magic", "tmpfs" }, { "magic", "" }, { "magic", NULL },
	{ "magic", "0x958458f6" }, { "autoclean", "1" }, { "autoclean", "" },
	{ "noautoclean", "yes" }, { "fork_reserve", "1" },
	{ "size", "0" }, { "size", "1M" }, { "size", "2097151" },
	{ "size", "0%" }, { "size", "101%" }, { "size", "-5%" },
	{ "size", "%" }, { "size", "5%%" }, { "size", "5 %" },
	{ "size", "4294967396%" }, { "size", "-4M" }, { "size", "4MM" },
	{ "size", "4X" }, { "size", "much" }, { "size", "" }, { "size", NULL },
	{ "size", "18446744073709551616" }, { "size", "16777216T" },
	{ "size", "9223372036854775808" },
	{ "min_size", "101%" }, { "min_size", "-5%" }, { "min_size", "%" },
	{ "min_size", "-4M" }, { "min_size", "4MM" }, { "min_size", "" },
	{ "min_size", NULL }, { "min_size", "none" },
	{ "min_size", "16777216T" }, { "min_size", "4M,size=2M" },
	{ "no_such_option", "1" }, { "no_such_option", NULL },
	{ "Mode", "0755" },
};

TEST_F(mounting, mount_options)
{
	const struct option_case *c = bad_options;
	char options[128];
	int log = log_open();
	int i;

	for (i = 0; i < (int)(sizeof(bad_options) / sizeof(*c)); i++, c++) {
		snprintf(options, sizeof(options), "%s%s%s", c->key,
			 c->value ? "=" : "", c->value ?: "");
		ASSERT_EQ(mount_other(options), -1)
			TH_LOG("%s", options);
		ASSERT_EQ(errno, EINVAL)
			TH_LOG("%s", options);
		ASSERT_TRUE(log_names(log, c->key))
			TH_LOG("the log does not name %s", options);
		/* In whatever company. */
		snprintf(options, sizeof(options), "mode=700,%s%s%s,uid=0",
			 c->key, c->value ? "=" : "", c->value ?: "");
		ASSERT_EQ(mount_other(options), -1)
			TH_LOG("%s", options);
		ASSERT_EQ(errno, EINVAL)
			TH_LOG("%s", options);
	}
	ASSERT_POOL(0, 0);
}

/* The same by the newer calls, where the message comes with the context. */
TEST_F(mounting, mount_options_by_fsconfig)
{
	const struct option_case *c = bad_options;
	char text[512];
	ssize_t len;
	int i, fs;

	for (i = 0; i < (int)(sizeof(bad_options) / sizeof(*c)); i++, c++) {
		fs = fsopen("rhugefs", FSOPEN_CLOEXEC);
		ASSERT_LE(0, fs);
		ASSERT_EQ(fsconfig(fs, c->value ? FSCONFIG_SET_STRING :
				   FSCONFIG_SET_FLAG, c->key, c->value, 0), -1)
			TH_LOG("%s=%s", c->key, c->value);
		ASSERT_EQ(errno, EINVAL)
			TH_LOG("%s=%s", c->key, c->value);
		len = read(fs, text, sizeof(text) - 1);
		ASSERT_LT(0, len)
			TH_LOG("%s=%s: no message", c->key, c->value);
		text[len] = '\0';
		ASSERT_NE(strstr(text, c->key), NULL)
			TH_LOG("%s=%s: %s", c->key, c->value, text);
		close(fs);
	}
	ASSERT_POOL(0, 0);
}

/* The root of a mount that is nowhere, by the newer calls. */
static int mount_after(const struct option_case *refused, int nr)
{
	int fs = fsopen("rhugefs", FSOPEN_CLOEXEC), root;

	must(fs >= 0);
	for (; nr; nr--, refused++)
		must(fsconfig(fs, refused->value ? FSCONFIG_SET_STRING :
			      FSCONFIG_SET_FLAG, refused->key, refused->value,
			      0) == -1);
	must(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0);
	root = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	must(root >= 0);
	close(fs);
	return root;
}

/* Who goes on after an option was refused has a mount as if he had not tried it. */
TEST_F(mounting, refused_options_leave_nothing_behind)
{
	int plain = mount_after(NULL, 0);
	int other = mount_after(bad_options, ARRAY_SIZE(bad_options));
	struct statfs one, two;
	struct stat a, b;

	ASSERT_EQ(fstatfs(plain, &one), 0);
	ASSERT_EQ(fstatfs(other, &two), 0);
	ASSERT_EQ(one.f_type, two.f_type);
	ASSERT_EQ(one.f_blocks, two.f_blocks);
	ASSERT_EQ(one.f_bfree, two.f_bfree);
	ASSERT_EQ(one.f_files, two.f_files);
	ASSERT_EQ(fstat(plain, &a), 0);
	ASSERT_EQ(fstat(other, &b), 0);
	ASSERT_EQ(a.st_mode, b.st_mode);
	ASSERT_EQ(a.st_uid, b.st_uid);
	ASSERT_EQ(a.st_gid, b.st_gid);
	close(plain);
	close(other);
	ASSERT_POOL(0, 0);
}

/* Numbers too large for what holds them must not come round to small ones. */
TEST_F(mounting, mount_options_that_overflow)
{
	static const char *const options[] = {
		"nr_inodes=18446744073709551617",
		"nr_inodes=99999999999999999999",
		"nr_inodes=16E", "nr_inodes=8E", "nr_inodes=17592186044417M",
		"pagesize=18446744073711648768",
		"pagesize=17592186044418M",
	};
	int i;

	for (i = 0; i < (int)(sizeof(options) / sizeof(*options)); i++) {
		errno = 0;
		EXPECT_EQ(mount_other(options[i]), -1) {
			TH_LOG("%s", options[i]);
			umount(OTHER_MNT);
		}
		EXPECT_EQ(errno, EINVAL)
			TH_LOG("%s", options[i]);
	}
}

/* The options that /proc/mounts shows for the mount. */
static void options_shown(char *shown, size_t size)
{
	FILE *mounts = fopen("/proc/self/mounts", "r");
	char line[512], dir[256], options[250];

	must(mounts);
	shown[0] = '\0';
	while (fgets(line, sizeof(line), mounts))
		if (sscanf(line, "%*s %255s %*s %249s", dir, options) == 2 &&
		    !strcmp(dir, OTHER_MNT))
			snprintf(shown, size, "%s,", options);
	fclose(mounts);
}

struct good_case {
	const char *options;
	const char *shown;	/* separated as in /proc/mounts, with comma */
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

TEST_F(mounting, mount_options_that_are_right)
{
	static const struct good_case cases[] = {
		{ "", "pagesize=2M,", 0755, 0, 0 },
		{ "pagesize=2M", "pagesize=2M,", 0755, 0, 0 },
		{ "pagesize=2048k", "pagesize=2M,", 0755, 0, 0 },
		{ "pagesize=2097152", "pagesize=2M,", 0755, 0, 0 },
		{ "mode=1777", "mode=1777,", 01777, 0, 0 },
		{ "mode=0", "mode=0000,", 0, 0, 0 },
		{ "uid=1,gid=2", "uid=1,", 0755, 1, 2 },
		{ "uid=4294967294", "uid=4294967294,", 0755, 4294967294, 0 },
		{ "gid=65534", "gid=65534,", 0755, 0, 65534 },
		{ "nr_inodes=7", "nr_inodes=7,", 0755, 0, 0 },
		{ "nr_inodes=2k", "nr_inodes=2048,", 0755, 0, 0 },
		{ "mode=700,mode=750", "mode=0750,", 0750, 0, 0 },
		{ "size=4M,size=8M", "size=8M,", 0755, 0, 0 },
		{ "size=8m,min_size=2M,min_size=4194304", "min_size=4M,", 0755,
		  0, 0 },
		{ "min_size=0", "gid=0,", 0755, 0, 0 },
		{ "size=100%,min_size=0%", "size=", 0755, 0, 0 },
		{ "autoclean", "autoclean,", 0755, 0, 0 },
		{ "autoclean,noautoclean", "gid=0,", 0755, 0, 0 },
		{ "magic=hugetlbfs", "magic=hugetlbfs,", 0755, 0, 0 },
		{ "magic=hugetlbfs,magic=rhugefs", "gid=0,", 0755, 0, 0 },
	};
	char shown[256];
	struct stat st;
	int i;

	for (i = 0; i < (int)(sizeof(cases) / sizeof(*cases)); i++) {
		ASSERT_EQ(mount_other(cases[i].options), 0)
			TH_LOG("%s: %s", cases[i].options, strerror(errno));
		ASSERT_EQ(stat(OTHER_MNT, &st), 0);
		options_shown(shown, sizeof(shown));
		ASSERT_EQ(umount(OTHER_MNT), 0);
		ASSERT_NE(strstr(shown, cases[i].shown), NULL)
			TH_LOG("%s: %s", cases[i].options, shown);
		ASSERT_EQ(st.st_mode, S_IFDIR | cases[i].mode);
		ASSERT_EQ(st.st_uid, cases[i].uid);
		ASSERT_EQ(st.st_gid, cases[i].gid);
	}
}

static int remount_other(const char *options)
{
	return mount("none", OTHER_MNT, NULL, MS_REMOUNT, options);
}

TEST_F(mounting, remount)
{
	static const struct {
		const char *options;
		const char *named;
	} bad[] = {
		{ "uid=6", "uid" }, { "gid=6", "gid" }, { "mode=700", "mode" },
		{ "nr_inodes=2", "nr_inodes" }, { "nr_inodes=x", "nr_inodes" },
		{ "nr_inodes=-1", "nr_inodes" }, { "pagesize=4K", "pagesize" },
		{ "fork_reserve", "fork_reserve" },
		{ "magic=hugetlbfs", "magic" }, { "autoclean=1", "autoclean" },
		{ "no_such_option", "no_such_option" },
	};
	char before[256], after[256];
	int log = log_open();
	int i;

	ASSERT_EQ(mount_other("uid=5,gid=5,mode=711,nr_inodes=5"), 0);
	ASSERT_EQ(mkdir(OTHER_MNT "/one", 0700), 0);
	ASSERT_EQ(mkdir(OTHER_MNT "/two", 0700), 0);
	options_shown(before, sizeof(before));
	for (i = 0; i < (int)(sizeof(bad) / sizeof(*bad)); i++) {
		EXPECT_EQ(remount_other(bad[i].options), -1)
			TH_LOG("%s", bad[i].options);
		EXPECT_EQ(errno, EINVAL)
			TH_LOG("%s", bad[i].options);
		EXPECT_TRUE(log_names(log, bad[i].named))
			TH_LOG("the log does not name %s", bad[i].options);
		options_shown(after, sizeof(after));
		EXPECT_STREQ(before, after);
	}

	/* As they are, or in a way that can be: */
	EXPECT_EQ(remount_other("uid=5,gid=5,mode=711,pagesize=2M"), 0);
	options_shown(after, sizeof(after));
	EXPECT_STREQ(before, after);
	EXPECT_EQ(remount_other("nr_inodes=3"), 0);
	EXPECT_EQ(mkdir(OTHER_MNT "/three", 0700), -1);
	EXPECT_EQ(errno, ENOSPC);
	EXPECT_EQ(remount_other("nr_inodes=4"), 0);
	EXPECT_EQ(mkdir(OTHER_MNT "/three", 0700), 0);
	EXPECT_EQ(umount(OTHER_MNT), 0);
}

TEST_F(mounting, more_inodes_than_allowed)
{
	struct statfs fs;
	int fd;

	/* The root is the first of them. */
	ASSERT_EQ(mount_other("nr_inodes=3"), 0);
	ASSERT_EQ(statfs(OTHER_MNT, &fs), 0);
	EXPECT_EQ(fs.f_files, 3);
	EXPECT_EQ(fs.f_ffree, 2);

	fd = open(OTHER_MNT "/one", O_CREAT | O_RDWR, 0600);
	EXPECT_LE(0, fd);
	EXPECT_EQ(mkdir(OTHER_MNT "/two", 0700), 0);

	EXPECT_EQ(open(OTHER_MNT "/three", O_CREAT | O_RDWR, 0600), -1);
	EXPECT_EQ(errno, ENOSPC);
	EXPECT_EQ(open(OTHER_MNT, O_TMPFILE | O_RDWR, 0600), -1);
	EXPECT_EQ(errno, ENOSPC);
	EXPECT_EQ(mkdir(OTHER_MNT "/three", 0700), -1);
	EXPECT_EQ(errno, ENOSPC);
	EXPECT_EQ(symlink("one", OTHER_MNT "/three"), -1);
	EXPECT_EQ(errno, ENOSPC);
	EXPECT_EQ(mknod(OTHER_MNT "/three", S_IFIFO | 0600, 0), -1);
	EXPECT_EQ(errno, ENOSPC);
	EXPECT_EQ(access(OTHER_MNT "/three", F_OK), -1);
	/* A second name is no second inode. */
	EXPECT_EQ(link(OTHER_MNT "/one", OTHER_MNT "/three"), 0);
	EXPECT_EQ(unlink(OTHER_MNT "/three"), 0);

	/* One without a name counts until it is closed. */
	EXPECT_EQ(unlink(OTHER_MNT "/one"), 0);
	EXPECT_EQ(mkdir(OTHER_MNT "/three", 0700), -1);
	EXPECT_EQ(errno, ENOSPC);
	close(fd);
	EXPECT_EQ(statfs(OTHER_MNT, &fs), 0);
	EXPECT_EQ(fs.f_ffree, 1);
	EXPECT_EQ(mkdir(OTHER_MNT "/three", 0700), 0);
	EXPECT_EQ(umount(OTHER_MNT), 0);
}

TEST_F(badinput, statfs_tells_the_pool)
{
	struct pool pool = pool_read();
	struct statfs fs;
	char *map;

	ASSERT_EQ(statfs(mnt_dir(), &fs), 0);
	ASSERT_EQ(fs.f_type, MAGIC);
	ASSERT_EQ(fs.f_bsize, HUGE);
	ASSERT_EQ(fs.f_namelen, 255);
	ASSERT_EQ(fs.f_blocks, pool.nr);
	ASSERT_EQ(fs.f_bfree, pool.free - pool.resv);
	ASSERT_EQ(fs.f_bavail, fs.f_bfree);

	map = map_huge(file_new(), 0, 5, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, 2), 2);
	/* What is promised is not free for others. */
	ASSERT_EQ(statfs(mnt_dir(), &fs), 0);
	ASSERT_EQ(fs.f_blocks, pool.nr);
	ASSERT_EQ(fs.f_bfree, pool.free - pool.resv - 5);
}

/* --- who may mount ------------------------------------------------------- */

/* The place is named by ".", as the guest's root may be closed to others. */
static void cannot_mount(void)
{
	must(mount("none", ".", "rhugefs", 0, "") == -1);
	must(errno == EPERM);
}

static int mount_as_nobody(void *arg)
{
	must(setgid(65534) == 0 && setuid(65534) == 0);
	cannot_mount();
	must(fsopen("rhugefs", 0) == -1);
	must(errno == EPERM);
	return 0;
}

/* Whoever is root in a namespace of his own may begin, but not get there. */
static int mount_in_user_namespace(void *arg)
{
	int fs;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return KSFT_SKIP;
	cannot_mount();
	fs = fsopen("rhugefs", 0);
	if (fs >= 0)
		must(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1);
	must(errno == EPERM);
	return 0;
}

TEST_F(mounting, mount_by_those_who_may_not)
{
	int status;

	must(mkdir(OTHER_MNT, 0755) == 0 || errno == EEXIST);
	must(chdir(OTHER_MNT) == 0);
	ASSERT_EQ(reap(spawn(mount_as_nobody, NULL)), 0);
	status = reap(spawn(mount_in_user_namespace, NULL));
	if (status == KSFT_SKIP)
		SKIP(return, "no user namespaces here");
	ASSERT_EQ(status, 0);
	ASSERT_POOL(0, 0);
}

TEST_HARNESS_MAIN
