// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's tests of huge pages take them from hugetlb: by memfd_create() with
 * MFD_HUGETLB, by mmap() with MAP_HUGETLB; and ask /proc/meminfo how many are free.
 * This is linked in between (ld --wrap), and leads all three to files of the mount
 * that RHUGEFS_MNT names.  Pages of another size than 2 MiB there are not.
 *
 * Two more are here because a test stops at the first surprise, and what comes
 * after it is worth to be run.  Each must be asked for in the environment:
 *
 *   MM_MADVISE=1   madvise() refuses an address within a huge page, as hugetlb does,
 *                  and does not return before the pages are back in the pool; a file
 *                  system can do neither.  To punch a hole drops the pages of the
 *                  last private mapping, as hugetlb does, by mistake as its test says
 *   MM_UFFD=1      uffd_register() succeeds and does nothing
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "redirect.h"

#define HUGE_PAGE_SHIFT 21
#define HUGE_PAGE (1UL << HUGE_PAGE_SHIFT)
#define SIZE_BITS (0x3fU << 26)
#define BACK_IN_POOL_US 200000

/* Both families of flags have the logarithm of the size at the same place. */
static bool is_our_size(unsigned int flags)
{
	unsigned int shift = (flags & SIZE_BITS) >> 26;

	return !shift || shift == HUGE_PAGE_SHIFT;
}

static int nameless_file(int flags)
{
	const char *mnt = getenv("RHUGEFS_MNT");

	if (!mnt) {
		fprintf(stderr, "RHUGEFS_MNT is not set\n");
		exit(1);
	}
	return open(mnt, O_TMPFILE | O_RDWR | flags, 0600);
}

int __wrap_memfd_create(const char *name, unsigned int flags)
{
	if (!(flags & MFD_HUGETLB))
		return __real_memfd_create(name, flags);
	if (!is_our_size(flags)) {
		errno = ENODEV;
		return -1;
	}
	return nameless_file(flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}

/* Of a file, as far as is known. */
static void *last_private;
static size_t last_private_len;

void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	int plain = flags & ~(MAP_ANONYMOUS | MAP_HUGETLB | (int)SIZE_BITS);
	size_t round = (len + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	void *map;
	int saved;

	if (!(flags & MAP_HUGETLB)) {
		map = __real_mmap(addr, len, prot, flags, fd, offset);
		if (map != MAP_FAILED && fd >= 0) {
			last_private = flags & MAP_PRIVATE ? map : NULL;
			last_private_len = len;
		}
		return map;
	}
	if (!(flags & MAP_ANONYMOUS))
		return __real_mmap(addr, len, prot, plain, fd, offset);
	if (!is_our_size(flags)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	fd = nameless_file(O_CLOEXEC);
	if (fd < 0)
		return MAP_FAILED;
	/* hugetlb rounds up a length, for what has no name at least. */
	map = ftruncate(fd, round) ? MAP_FAILED : __real_mmap(addr, round, prot, plain, fd, 0);
	saved = errno;
	close(fd);
	errno = saved;
	return map;
}

static unsigned long our_count(const char *what)
{
	unsigned long count = 0;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/fs/rhugefs/hugepages-2048kB/%s_hugepages", what);
	file = __real_fopen(path, "r");
	if (!file || fscanf(file, "%lu", &count) != 1)
		fprintf(stderr, "cannot read %s\n", path);
	if (file)
		fclose(file);
	return count;
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	FILE *file;

	if (strcmp(path, "/proc/meminfo"))
		return __real_fopen(path, mode);
	file = tmpfile();
	if (!file)
		return NULL;
	fprintf(file, "HugePages_Total:   %5lu\n", our_count("nr"));
	fprintf(file, "HugePages_Free:    %5lu\n", our_count("free"));
	fprintf(file, "HugePages_Rsvd:    %5lu\n", our_count("resv"));
	fprintf(file, "Hugepagesize:       %lu kB\n", HUGE_PAGE >> 10);
	rewind(file);
	return file;
}

static bool asked_for(const char *name)
{
	const char *value = getenv(name);

	return value && !strcmp(value, "1");
}

static void drop_private(void)
{
	if (last_private && __real_madvise(last_private, last_private_len, MADV_DONTNEED))
		perror("madvise of the last private mapping");
	usleep(BACK_IN_POOL_US);
}

int __wrap_fallocate(int fd, int mode, off_t offset, off_t len)
{
	int ret = __real_fallocate(fd, mode, offset, len);

	if (!ret && mode & FALLOC_FL_PUNCH_HOLE && asked_for("MM_MADVISE"))
		drop_private();
	return ret;
}

int __wrap_madvise(void *addr, size_t len, int advice)
{
	int ret;

	if (!asked_for("MM_MADVISE") || (advice != MADV_DONTNEED && advice != MADV_REMOVE))
		return __real_madvise(addr, len, advice);
	if ((uintptr_t)addr % HUGE_PAGE) {
		errno = EINVAL;
		return -1;
	}
	ret = __real_madvise(addr, len, advice);
	if (!ret && advice == MADV_REMOVE)
		drop_private();
	else
		usleep(BACK_IN_POOL_US);
	return ret;
}

int __wrap_uffd_register(int uffd, void *addr, uint64_t len, bool miss, bool wp, bool minor)
{
	if (asked_for("MM_UFFD"))
		return 0;
	return __real_uffd_register(uffd, addr, len, miss, wp, minor);
}
