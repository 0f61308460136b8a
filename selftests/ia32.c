// SPDX-License-Identifier: GPL-2.0-only
/*
 * 32-bit programs. The kernel aligns no addresses for them, so the file system must.
 * The call is made from a 64-bit program by the old entry, which is the same thing
 * to mmap(): the address is to lie where 32 bits reach.
 */
#include "rhugefs_test.h"

#define IA32_MMAP2	192
#define IA32_MADVISE	219
#define MAPPINGS	8
#define PAGES		3

/* The sixth argument, an offset, is 0 and goes in a register that gcc keeps. */
static long ia32_call(long nr, unsigned long a, unsigned long b,
		      unsigned long c, unsigned long d, unsigned long e)
{
	long ret;

	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "push %%rbp\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "int $0x80\n\t"
			 "pop %%rbp\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : "=a" (ret)
			 : "a" (nr), "b" (a), "c" (b), "d" (c), "S" (d),
			   "D" (e)
			 : "memory", "cc", "r8", "r9", "r10", "r11");
	return ret;
}

static long ia32_mmap(size_t len, int prot, int flags, int fd)
{
	return ia32_call(IA32_MMAP2, 0, len, prot, flags, fd);
}

/* Exit status of the child where it could make such calls, or the signal. */
static int has_ia32(void *arg)
{
	return ia32_mmap(0, PROT_READ, MAP_SHARED, -1) == 0;
}

RHUGEFS_FIXTURE(ia32);

TEST_F(ia32, mmap_without_an_address_gets_an_aligned_one)
{
	unsigned long addr;
	int i;

	if (reap(spawn(has_ia32, NULL)) != 0)
		SKIP(return, "this kernel has no 32-bit system calls");
	for (i = 0; i < MAPPINGS; i++) {
		addr = ia32_mmap(PAGES * HUGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED, file_new());
		ASSERT_LT(addr, -4095UL & 0xffffffffUL);
		ASSERT_EQ(0, addr % HUGE);
		ASSERT_EQ(PAGES, touch_pages((char *)addr, PAGES));
	}
	ASSERT_POOL(MAPPINGS * PAGES, 0);
}

/* What lies above 32 bits of an argument is none of the call's. */
#define ABOVE		0x1234500000000UL

TEST_F(ia32, madvise_drops_what_it_names)
{
	char *map;

	if (reap(spawn(has_ia32, NULL)) != 0)
		SKIP(return, "this kernel has no 32-bit system calls");
	map = (char *)ia32_mmap(PAGES * HUGE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE, file_new());
	ASSERT_EQ(PAGES, touch_pages(map, PAGES));
	ASSERT_EQ(0, ia32_call(IA32_MADVISE, (long)map + ABOVE, HUGE + ABOVE,
			       MADV_DONTNEED + ABOVE, 0, 0));
	ASSERT_EQ(0, map[0]);
	ASSERT_EQ(2, map[HUGE]);
	/* A part drops nothing, whatever lies above its length. */
	ASSERT_EQ(0, ia32_call(IA32_MADVISE, (long)map + HUGE, 4096 + ABOVE,
			       MADV_DONTNEED, 0, 0));
	ASSERT_EQ(2, map[HUGE]);
	ASSERT_EQ(3, map[2 * HUGE]);
	ASSERT_POOL(PAGES - 1, 1);
}

TEST_HARNESS_MAIN
