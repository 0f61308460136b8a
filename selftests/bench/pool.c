// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pools of huge pages, ours and hugetlb's, and what is known of the pages in ours:
 * "zeroed" are those that a fault need not zero. Which pages those are depends on what
 * was done with them before, and that is what is brought about here. The module's
 * zeroing in the background is off except while it is waited for, so that it never
 * runs while something is timed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define OURS_SYSFS	"/sys/fs/rhugefs/hugepages-2048kB"
#define HUGETLB_SYSFS	"/sys/kernel/mm/hugepages/hugepages-2048kB"

/* How long to wait for what happens in the background, in milliseconds. */
#define PATIENCE	120000

/* The watermarks as they were found. */
static long zeroed_low = -1, zeroed_high = -1;

static void pool_path(char *path, size_t size, const struct subject *subject,
		      const char *name)
{
	snprintf(path, size, "%s/%s",
		 subject->kind == OURS ? OURS_SYSFS : HUGETLB_SYSFS, name);
}

/* A file of the pool's directory in sysfs; -1 where there is none. */
long pool_read(const struct subject *subject, const char *name)
{
	char path[128], text[32];
	ssize_t len;
	int fd;

	pool_path(path, sizeof(path), subject, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	need(len > 0);
	close(fd);
	text[len] = '\0';
	return atol(text);
}

void pool_write(const struct subject *subject, const char *name, long value)
{
	char path[128], text[32];
	int fd;

	pool_path(path, sizeof(path), subject, name);
	snprintf(text, sizeof(text), "%ld", value);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	need(fd >= 0);
	need(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

bool pool_can_zero_in_background(void)
{
	return zeroed_low >= 0;
}

/* The low watermark may never be above the high one. */
void pool_zero_in_background(bool on)
{
	if (!pool_can_zero_in_background())
		return;
	pool_write(&subjects[OURS], on ? "zeroed_high" : "zeroed_low", on ? 100 : 0);
	pool_write(&subjects[OURS], on ? "zeroed_low" : "zeroed_high", on ? 100 : 0);
}

/* Before the first case. */
void pool_begin(void)
{
	if (!subjects[OURS].present)
		return;
	zeroed_low = pool_read(&subjects[OURS], "zeroed_low");
	zeroed_high = pool_read(&subjects[OURS], "zeroed_high");
	pool_zero_in_background(false);
}

/* After the last one: leave the watermarks as they were. */
void pool_end(void)
{
	if (!subjects[OURS].present || !pool_can_zero_in_background())
		return;
	pool_write(&subjects[OURS], "zeroed_high", zeroed_high);
	pool_write(&subjects[OURS], "zeroed_low", zeroed_low);
}

static long pool_zeroed(void)
{
	return pool_read(&subjects[OURS], "zeroed_hugepages");
}

/* Use every free page once: nothing is known of those that come back. */
static void pool_dirty(void)
{
	long free, resv;
	int fd;

	if (!pool_zeroed())
		return;
	free = pool_read(&subjects[OURS], "free_hugepages");
	resv = pool_read(&subjects[OURS], "resv_hugepages");
	fd = file_new(&subjects[OURS]);
	need(fallocate(fd, 0, 0, (free - resv) * HUGE) == 0);
	need(close(fd) == 0);
}

/*
 * Without zeroing in the background pages fresh from the kernel may do, which has
 * zeroed them where it was booted with init_on_alloc.
 */
static void pool_renew(void)
{
	long nr = pool_read(&subjects[OURS], "nr_hugepages");

	if (pool_read(&subjects[OURS], "free_hugepages") != nr)
		return;
	pool_write(&subjects[OURS], "nr_hugepages", 0);
	pool_write(&subjects[OURS], "nr_hugepages", nr);
	need(pool_read(&subjects[OURS], "nr_hugepages") == nr);
}

static void pool_wait_zeroed(void)
{
	int ms;

	pool_zero_in_background(true);
	for (ms = 0; ms < PATIENCE; ms += 10) {
		if (pool_zeroed() == pool_read(&subjects[OURS], "free_hugepages"))
			break;
		usleep(10000);
	}
	pool_zero_in_background(false);
	need(ms < PATIENCE);
}

/*
 * Have @pages pages that are known to be zeroed, or none at all. False where this
 * cannot be had.
 */
bool pool_prepare(enum pool_state state, unsigned long pages)
{
	if (!subjects[OURS].present)
		return true;
	if (state == POOL_DIRTY) {
		pool_dirty();
		return true;
	}
	if (pool_zeroed() >= (long)pages)
		return true;
	if (pool_can_zero_in_background())
		pool_wait_zeroed();
	else
		pool_renew();
	return pool_zeroed() >= (long)pages;
}
