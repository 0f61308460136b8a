// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program of "make demo": takes a reader through the life of a few huge
 * pages, and shows the pool before and after each step.
 *
 *	demo machine	the machine before the module is loaded
 *	demo loaded	the pool, fresh
 *	demo story DIR	the steps, on the file system mounted at DIR
 *	demo unloaded	the machine when the module is gone
 *
 * It knows what each step must do to the counts, and fails if they say otherwise.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define HUGE_PAGE (2UL << 20)
#define SYSFS "/sys/fs/rhugefs/hugepages-2048kB/"
#define NODES 2

struct counts {
	long nr, free, resv;
};

static void die(const char *what)
{
	printf("demo: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long count_of(const char *where, const char *what)
{
	char path[128];
	FILE *file;
	long value;

	snprintf(path, sizeof(path), SYSFS "%s%s_hugepages", where, what);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%ld", &value) != 1)
		die(path);
	fclose(file);
	return value;
}

static struct counts counts_of(const char *where)
{
	return (struct counts) {
		.nr = count_of(where, "nr"),
		.free = count_of(where, "free"),
		.resv = *where ? 0 : count_of(where, "resv"),
	};
}

/*
 * What Linux has free on a node outside the pool, in MiB. MemFree leaves out what
 * lies on the processors' own free lists, which takes in tens of MiB when a pool
 * is given back; /proc/zoneinfo has both.
 */
static long free_memory(int of_node)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	long pages = 0, number;
	char line[256];
	int node = -1;

	if (!file)
		die("/proc/zoneinfo");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Node %d, zone", &node) == 1 || node != of_node)
			continue;
		if (sscanf(line, " pages free %ld", &number) == 1 ||
		    sscanf(line, " count: %ld", &number) == 1)
			pages += number;
	}
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE) >> 20;
}

static void show_memory(void)
{
	int node;

	printf("    free memory:");
	for (node = 0; node < NODES; node++)
		printf("   node %d: %ld MiB", node, free_memory(node));
	printf("\n");
}

static struct counts show_pool(void)
{
	struct counts all = counts_of("");
	char where[16];
	int node;

	printf("    pool: %ld free, %ld reserved, %ld in use", all.free, all.resv,
	       all.nr - all.free);
	for (node = 0; node < NODES; node++) {
		struct counts here;

		snprintf(where, sizeof(where), "node%d/", node);
		here = counts_of(where);
		printf(" | node %d: %ld free, %ld in use", node, here.free,
		       here.nr - here.free);
	}
	printf("\n");
	return all;
}

static void tell(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("\n");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
}

/* Show the pool, which must have @in_use and @resv pages in use and reserved. */
static void expect(long in_use, long resv)
{
	struct counts now = show_pool();

	fflush(stdout);
	if (now.nr - now.free == in_use && now.resv == resv)
		return;
	printf("demo: this should be %ld reserved, %ld in use\n", resv, in_use);
	exit(1);
}

static void touch(char *map, int first, int count)
{
	int i;

	for (i = first; i < first + count; i++)
		map[i * HUGE_PAGE] = i + 1;
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void child_touches(char *map, int first, int count)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		/* On the other node, to show where its pages come from. */
		run_on(1);
		touch(map, first, count);
		_exit(map[0] == 1 ? 0 : 1);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		die("the child did not see what its parent wrote");
}

static void run_story(const char *dir)
{
	char path[256];
	char *map;
	int fd;

	snprintf(path, sizeof(path), "%s/story", dir);
	run_on(0);
	printf("\nBefore:\n");
	expect(0, 0);

	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		die(path);
	map = mmap(NULL, 8 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		   0);
	if (map == MAP_FAILED)
		die("mmap");
	tell("1. mmap() 8 huge pages of a new file, shared, touching none. All 8 are reserved\n"
	     "   now, or mmap() would have failed: no later touch can fail for want of a page.");
	expect(0, 8);

	touch(map, 0, 3);
	tell("2. Touch 3 of them, on a processor of node 0. Each first touch is one page fault,\n"
	     "   takes one page, and consumes one reservation.");
	expect(3, 5);

	child_touches(map, 3, 2);
	tell("3. fork(). The child, on a processor of node 1, touches 2 more and exits. The pages\n"
	     "   belong to the file: they stay when the child goes.");
	if (map[4 * HUGE_PAGE] != 5)
		die("the parent does not see what its child wrote");
	expect(5, 3);

	if (ftruncate(fd, 2 * HUGE_PAGE))
		die("ftruncate");
	tell("4. ftruncate() to 2 pages. What lies beyond goes back, mapped or not: the 3 pages\n"
	     "   in use and the 3 reservations.");
	expect(2, 0);

	if (unlink(path))
		die("unlink");
	tell("5. unlink(). The file has no name any more, but it is open and mapped: it keeps\n"
	     "   its pages.");
	expect(2, 0);

	munmap(map, 8 * HUGE_PAGE);
	close(fd);
	tell("6. munmap() and close(). Nobody is left, and the pool is as it was before.");
	expect(0, 0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct utsname kernel;

	if (!strcmp(what, "machine")) {
		uname(&kernel);
		printf("Linux %s in a virtual machine with %d NUMA nodes.\n",
		       kernel.release, NODES);
		show_memory();
	} else if (!strcmp(what, "loaded")) {
		tell("insmod rhugefs.ko nr_hugepages=0:64,1:64\n"
		     "mount -t rhugefs none /mnt/rhugefs\n"
		     "The pool takes 64 pages of 2 MiB from each node.");
		show_memory();
	} else if (!strcmp(what, "story") && argc > 2) {
		run_story(argv[2]);
	} else if (!strcmp(what, "unloaded")) {
		tell("umount /mnt/rhugefs; rmmod rhugefs\n"
		     "All pages are Linux' own again.");
		show_memory();
	} else {
		printf("usage: demo machine | loaded | story DIR | unloaded\n");
		return 1;
	}
	return 0;
}
