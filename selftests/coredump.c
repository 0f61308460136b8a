// SPDX-License-Identifier: GPL-2.0-only
/*
 * A core dump looks at every page of a mapping. It must show what was written and
 * take no page for what was not: the pages may be another's by right, and the dump
 * of a large mapping that is used in part must not become as large.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include "rhugefs_test.h"

#define PATTERN		"/proc/sys/kernel/core_pattern"
#define CORE		"/tmp/rhugefs.core"
#define MAPPED		16

static void set_core_pattern(const char *pattern)
{
	must(tell_kernel(PATTERN, pattern) == 0);
}

/* Map a file that has no name, touch one page of it, and dump core. */
static int dump(void *arg)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int fd = *(int *)arg;
	char *map = map_huge(fd, 0, MAPPED, MAP_NORESERVE);

	must(map);
	must(setrlimit(RLIMIT_CORE, &unlimited) == 0);
	memset(map + 3 * HUGE, 'x', HUGE);
	/* The harness may have a handler, and a core is wanted. */
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* Segments of a core begin at small pages. */
static bool core_has_page(const char *path, size_t size)
{
	int fd = open(path, O_RDONLY);
	bool found = false;
	const char *core;
	size_t pos;

	must(fd >= 0);
	core = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	must(core != MAP_FAILED);
	for (pos = 0; !found && pos + HUGE <= size; pos += 4096)
		found = bytes_are(core + pos, 'x', HUGE);
	must(munmap((void *)core, size) == 0);
	close(fd);
	return found;
}

RHUGEFS_FIXTURE(coredump);

TEST_F(coredump, takes_no_page_for_what_was_not_touched)
{
	int fd = file_new();
	struct stat st;
	int status;
	pid_t pid;

	set_core_pattern(CORE);
	unlink(CORE);
	pid = spawn(dump, &fd);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(SIGABRT, WTERMSIG(status));
	ASSERT_TRUE(WCOREDUMP(status));
	ASSERT_POOL(1, 0);
	ASSERT_EQ(0, stat(CORE, &st));
	/* The page itself, and less than another one of all the rest. */
	ASSERT_LT(HUGE, st.st_blocks * 512);
	ASSERT_LT(st.st_blocks * 512, 4 * HUGE);
	ASSERT_TRUE(core_has_page(CORE, st.st_size));
	unlink(CORE);
}

TEST_HARNESS_MAIN
