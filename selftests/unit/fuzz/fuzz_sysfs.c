// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz what is written to the files in /sys/fs/rhugefs: the first byte says to which
 * one, and whether it is that of a node. Digits and perhaps a newline are taken, and hand
 * on the number that the C library finds; anything else is refused and hands on nothing.
 */
#include <ctype.h>

#include "fuzz.h"
#include "sysfs_env.h"

/* For its parsers, which nobody outside calls. */
#include "../../module/sysfs.c"

static struct handed {
	int times;
	int nid;
	unsigned long number;
} handed;

static int hand(int nid, unsigned long number)
{
	handed.times++;
	handed.nid = nid;
	handed.number = number;
	return 0;
}

int resize_set(struct pool *pool, int nid, unsigned long pages)
{
	return hand(nid, pages);
}

int zeroing_set_low(struct pool *pool, unsigned int percent)
{
	return hand(NUMA_NO_NODE, percent);
}

int zeroing_set_high(struct pool *pool, unsigned int percent)
{
	return hand(NUMA_NO_NODE, percent);
}

unsigned int zeroing_low(void)
{
	return 0;
}

unsigned int zeroing_high(void)
{
	return 0;
}

void pool_count_node(struct pool *pool, int nid, struct pool_counts *counts)
{
	*counts = (struct pool_counts){ .nr = nid };
}

/* A sign is the C library's affair and the kernel's, only that minus is none here. */
static bool is_number(const char *text, unsigned long most,
		      unsigned long *number)
{
	char *end;

	if (*text == '+')
		text++;
	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*number = strtoul(text, &end, 10);
	if (*end == '\n')
		end++;
	return !errno && !*end && *number <= most;
}

static struct kobj_attribute *const writable[] = {
	&nr_attr, &overcommit_attr, &low_attr, &high_attr,
};

static void write_number(struct sysfs_dir *dir, struct kobj_attribute *attr,
			 const char *text)
{
	bool counts = attr == &nr_attr || attr == &overcommit_attr;
	unsigned long number = 0, before = dir->pool->nr_overcommit;
	size_t len = strlen(text);
	ssize_t ret;

	handed = (struct handed){};
	ret = attr->store(&dir->kobj, attr, text, len);
	if (!is_number(text, counts ? ULONG_MAX : UINT_MAX, &number)) {
		must(ret == -EINVAL);
		must(!handed.times && dir->pool->nr_overcommit == before);
		return;
	}
	must(ret == len);
	if (attr == &overcommit_attr) {
		must(!handed.times && dir->pool->nr_overcommit == number);
		return;
	}
	must(handed.times == 1 && handed.number == number);
	must(handed.nid == (attr == &nr_attr ? dir->nid : NUMA_NO_NODE));
	must(dir->pool->nr_overcommit == before);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct pool pool = { .nr_overcommit = 17 };
	struct sysfs_dir dir = { .pool = &pool };
	struct kobj_attribute *attr;
	char *text;

	attr = writable[take_below(&input, ARRAY_SIZE(writable))];
	dir.nid = attr == &nr_attr && size && data[0] & 0x80 ? 1 : NUMA_NO_NODE;
	text = take_text(&input);
	/* The kernel hands over a page at most. */
	if (strlen(text) < 4096)
		write_number(&dir, attr, text);
	free(text);
	return 0;
}
