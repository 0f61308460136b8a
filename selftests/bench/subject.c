// SPDX-License-Identifier: GPL-2.0-only
/*
 * Subjects, their files and mappings. Whatever is looked at in here is looked at
 * outside of what is timed.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

static const char *const subject_names[NR_SUBJECT_KINDS] = {
	[OURS] = "rhugefs",
	[HUGETLBFS] = "hugetlbfs",
	[TMPFS] = "tmpfs",
	[ANON] = "thp",
};

struct subject subjects[NR_SUBJECT_KINDS];

const char *subject_name(enum subject_kind kind)
{
	return subject_names[kind];
}

/* A word of the command line: "hugetlbfs=DIR", or "thp". */
bool subject_parse(const char *word)
{
	size_t len = strcspn(word, "=");
	enum subject_kind kind;

	for (kind = 0; kind < NR_SUBJECT_KINDS; kind++) {
		if (strlen(subject_names[kind]) != len ||
		    strncmp(subject_names[kind], word, len))
			continue;
		if (kind == ANON && word[len])
			return false;
		if (kind != ANON && !word[len])
			return false;
		subjects[kind] = (struct subject){
			.kind = kind,
			.dir = word[len] ? word + len + 1 : NULL,
			.present = true,
			.fd = -1,
		};
		return true;
	}
	return false;
}

/* A file that goes with its last descriptor and mapping; -1 for anonymous memory. */
int file_new(const struct subject *subject)
{
	char path[256];
	int fd;

	if (subject->kind == ANON)
		return -1;
	snprintf(path, sizeof(path), "%s/bench", subject->dir);
	fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	need(fd >= 0);
	need(unlink(path) == 0);
	return fd;
}

/* One that has its first @pages pages, with a 1 at the begin of each. */
int file_filled(const struct subject *subject, unsigned long pages)
{
	int fd = file_new(subject);
	char *map;

	need(fd < 0 || ftruncate(fd, pages * HUGE) == 0);
	map = map_pages(subject, fd, 0, pages, MAP_SHARED);
	write_pages(map, pages, 1);
	unmap_pages(map, pages);
	return fd;
}

/* What is not a mapping of a file has to be aligned by hand to have huge pages. */
static char *map_anonymous(unsigned long pages, int flags)
{
	size_t len = pages * HUGE;
	char *map, *start;

	map = mmap(NULL, len + HUGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	need(map != MAP_FAILED);
	start = (char *)(((uintptr_t)map + HUGE - 1) & ~(HUGE - 1));
	if (start > map)
		need(munmap(map, start - map) == 0);
	if (start < map + HUGE)
		need(munmap(start + len, map + HUGE - start) == 0);
	need(madvise(start, len, MADV_HUGEPAGE) == 0);
	if (flags & MAP_POPULATE)
		need(madvise(start, len, MADV_POPULATE_WRITE) == 0);
	return start;
}

/* One call of mmap() where there is a file, and what it says. */
char *try_map(const struct subject *subject, int fd, unsigned long first,
	      unsigned long pages, int flags)
{
	return mmap(NULL, pages * HUGE, PROT_READ | PROT_WRITE, flags, fd,
		    first * HUGE);
}

/* A mapping that there must be. */
char *map_pages(const struct subject *subject, int fd, unsigned long first,
		unsigned long pages, int flags)
{
	char *map;

	if (subject->kind == ANON)
		return map_anonymous(pages, flags);
	map = try_map(subject, fd, first, pages, flags);
	need(map != MAP_FAILED);
	return map;
}

/* Of a new file, which goes with the mapping. */
char *map_new(const struct subject *subject, unsigned long pages, int flags)
{
	int fd = file_new(subject);
	char *map;

	/* tmpfs does not let a mapping extend the file. */
	need(fd < 0 || ftruncate(fd, pages * HUGE) == 0);
	map = map_pages(subject, fd, 0, pages, flags);
	if (fd >= 0)
		need(close(fd) == 0);
	return map;
}

void unmap_pages(char *map, unsigned long pages)
{
	need(munmap(map, pages * HUGE) == 0);
}

/* One byte of each. */
void write_pages(char *map, unsigned long pages, char value)
{
	unsigned long i;

	for (i = 0; i < pages; i++)
		((volatile char *)map)[i * HUGE] = value;
}

/* That and nothing else is there, as far as a look at some places tells. */
void expect_pages(const char *map, unsigned long pages, char value)
{
	unsigned long i;

	for (i = 0; i < pages; i++) {
		need(map[i * HUGE] == value);
		need(map[i * HUGE + 1] == 0);
		need(map[i * HUGE + HUGE / 2] == 0);
		need(map[(i + 1) * HUGE - 1] == 0);
	}
}

/* How many pages of memory this process has faulted in, huge ones or small. */
long faults_now(void)
{
	struct rusage usage;

	need(getrusage(RUSAGE_SELF, &usage) == 0);
	return usage.ru_minflt + usage.ru_majflt;
}

/* Since then there was a fault, and at most one for each huge page. */
void expect_faults(long before, unsigned long pages)
{
	long faults = faults_now() - before;

	need(faults >= 1);
	need(faults <= (long)pages);
}
