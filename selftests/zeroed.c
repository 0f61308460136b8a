// SPDX-License-Identifier: GPL-2.0-only
/*
 * No byte of an earlier owner is ever seen, whether a page was zeroed in the background,
 * or is just being, or has to be when it is taken: every byte of it is looked at, in every
 * way, after every way to give it back. And what the next owner writes stays as it is.
 */
#include "zeroing.h"

#include <pthread.h>
#include <sys/uio.h>

#define SMALL		4096UL
#define PUNCH		(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/* What the next owner writes. */
#define OWN		0x33

/* --- earlier owners ------------------------------------------------------ */

static char *fill(char *map, unsigned long pages)
{
	must(map);
	bytes_stir(map, pages * HUGE, EARLIER);
	return map;
}

static void leave_by_unmapping(unsigned long pages)
{
	must(unmap_huge(fill(map_new(pages, 0), pages), pages) == 0);
}

static void leave_by_truncating(unsigned long pages)
{
	int fd = file_new();
	char *map = fill(map_huge(fd, 0, pages, 0), pages);

	must(ftruncate(fd, 0) == 0);
	must(unmap_huge(map, pages) == 0);
	close(fd);
}

static void leave_by_punching(unsigned long pages)
{
	int fd = file_new();
	char *map = fill(map_huge(fd, 0, pages, 0), pages);
	unsigned long i;

	for (i = 0; i < pages; i++)
		must(fallocate(fd, PUNCH, i * HUGE, HUGE) == 0);
	must(unmap_huge(map, pages) == 0);
	close(fd);
}

static void leave_by_removing(unsigned long pages)
{
	char *map = fill(map_new(pages, 0), pages);

	must(madvise(map, pages * HUGE, MADV_REMOVE) == 0);
	must(unmap_huge(map, pages) == 0);
}

static void leave_private(unsigned long pages)
{
	int fd = file_new();
	char *map = fill(map_private(fd, 0, pages, 0), pages);

	must(unmap_huge(map, pages) == 0);
	close(fd);
}

static void leave_by_dropping(unsigned long pages)
{
	int fd = file_new();
	char *map = fill(map_private(fd, 0, pages, 0), pages);

	must(madvise(map, pages * HUGE, MADV_DONTNEED) == 0);
	must(unmap_huge(map, pages) == 0);
	close(fd);
}

/* The child has a copy of each of its own. */
static int copy_all(void *map)
{
	fill(map, pool_count("", "nr") / 2);
	return 0;
}

static void leave_copies(unsigned long pages)
{
	int fd = file_new();
	char *map = fill(map_private(fd, 0, pages / 2, 0), pages / 2);

	must(reap(spawn(copy_all, map)) == 0);
	must(unmap_huge(map, pages / 2) == 0);
	close(fd);
}

static int fill_and_die(void *arg)
{
	unsigned long pages = pool_count("", "nr");

	fill(map_new(pages, 0), pages);
	kill(getpid(), SIGKILL);
	return 1;
}

static void leave_by_dying(unsigned long pages)
{
	int status;
	pid_t pid = spawn(fill_and_die, NULL);

	must(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

static void (*const leave[])(unsigned long pages) = {
	leave_by_unmapping, leave_by_truncating, leave_by_punching,
	leave_by_removing, leave_private, leave_by_dropping, leave_copies,
	leave_by_dying,
};

/* --- the next one -------------------------------------------------------- */

/* Each takes so many pages and tells whether all bytes of them are zero. */

static bool sees_zeroes_mapped(unsigned long pages)
{
	char *map = map_new(pages, 0);
	bool zero;

	must(map);
	zero = bytes_are(map, 0, pages * HUGE);
	must(unmap_huge(map, pages) == 0);
	return zero;
}

/* A byte in each is written first, which is how most pages are taken. */
static bool zero_but_for_one(char *map, unsigned long pages)
{
	bool zero = true;
	unsigned long i;
	char *byte;

	for (i = 0; i < pages; i++) {
		byte = map + i * HUGE + i * SMALL + 7;
		*byte = OWN;
	}
	for (i = 0; i < pages; i++) {
		byte = map + i * HUGE + i * SMALL + 7;
		zero = zero && *byte == OWN;
		*byte = 0;
	}
	return zero && bytes_are(map, 0, pages * HUGE);
}

static bool sees_zeroes_written(unsigned long pages)
{
	char *map = map_new(pages, 0);
	bool zero;

	must(map);
	zero = zero_but_for_one(map, pages);
	must(unmap_huge(map, pages) == 0);
	return zero;
}

static bool sees_zeroes_private(unsigned long pages)
{
	int fd = file_new();
	char *map = map_private(fd, 0, pages, 0);
	bool zero;

	must(map);
	zero = zero_but_for_one(map, pages);
	must(unmap_huge(map, pages) == 0);
	close(fd);
	return zero;
}

/* Copies of pages that were just taken, in a child. */
static int look_at_copies(void *map)
{
	return !zero_but_for_one(map, pool_count("", "nr") / 2);
}

static bool sees_zeroes_copied(unsigned long pages)
{
	int fd = file_new();
	char *map = map_private(fd, 0, pages / 2, 0);
	bool zero;

	must(map);
	zero = zero_but_for_one(map, pages / 2) &&
	       reap(spawn(look_at_copies, map)) == 0 &&
	       bytes_are(map, 0, pages / 2 * HUGE);
	must(unmap_huge(map, pages / 2) == 0);
	close(fd);
	return zero;
}

static bool file_is_zero(int fd, unsigned long from, unsigned long to)
{
	unsigned long len;
	bool zero = true;
	char *buf = malloc(HUGE);

	must(buf);
	for (; from < to; from += len) {
		len = to - from < HUGE ? to - from : HUGE;
		must(pread(fd, buf, len, from) == (ssize_t)len);
		zero = zero && bytes_are(buf, 0, len);
	}
	free(buf);
	return zero;
}

static bool sees_zeroes_read(unsigned long pages)
{
	int fd = file_new();
	bool zero;

	must(fallocate(fd, 0, 0, pages * HUGE) == 0);
	zero = file_is_zero(fd, 0, pages * HUGE);
	close(fd);
	return zero;
}

/* The first touch is the kernel's, for another process' sake. */
static bool sees_zeroes_from_outside(unsigned long pages)
{
	char *map = map_new(pages, 0), *buf = malloc(HUGE);
	struct iovec local = { buf, HUGE }, remote = { map, HUGE };
	bool zero = true;
	unsigned long i;

	must(map && buf);
	for (i = 0; i < pages; i++, remote.iov_base += HUGE) {
		must(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) ==
		     HUGE);
		zero = zero && bytes_are(buf, 0, HUGE);
	}
	free(buf);
	must(unmap_huge(map, pages) == 0);
	return zero;
}

static bool sees_zeroes_pinned(unsigned long pages)
{
	struct pin pin = pin_new();
	char *map = map_new(pages, 0);
	bool zero = true;
	unsigned long i;

	must(map);
	for (i = 0; i < pages * HUGE; i += HUGE / 4) {
		pin_add(&pin, map + i, HUGE / 4);
		zero = pin_drop(&pin, HUGE / 4, 0) && zero;
	}
	pin_end(&pin);
	must(unmap_huge(map, pages) == 0);
	return zero;
}

/* What is not written of a page is zero. */
static bool sees_zeroes_beside_what_is_written(unsigned long pages)
{
	char byte = OWN, again = 0;
	int fd = file_new();
	bool zero = true;
	unsigned long i;

	must(ftruncate(fd, pages * HUGE) == 0);
	for (i = 0; i < pages; i++)
		must(pwrite(fd, &byte, 1, i * HUGE + i * SMALL) == 1);
	for (i = 0; i < pages; i++) {
		must(pread(fd, &again, 1, i * HUGE + i * SMALL) == 1);
		zero = zero && again == OWN &&
		       file_is_zero(fd, i * HUGE, i * HUGE + i * SMALL) &&
		       file_is_zero(fd, i * HUGE + i * SMALL + 1,
				    (i + 1) * HUGE);
	}
	close(fd);
	return zero;
}

static bool (*const sees_zeroes[])(unsigned long pages) = {
	sees_zeroes_mapped, sees_zeroes_written, sees_zeroes_private,
	sees_zeroes_copied, sees_zeroes_read, sees_zeroes_from_outside,
	sees_zeroes_pinned, sees_zeroes_beside_what_is_written,
};

/* --- with and without the threads ---------------------------------------- */

RHUGEFS_FIXTURE(zeroed);

FIXTURE_VARIANT(zeroed) {
	long watermark;
	bool wait;
};

FIXTURE_VARIANT_ADD(zeroed, by_who_takes_it) {
	.watermark = 0,
};

FIXTURE_VARIANT_ADD(zeroed, beforehand) {
	.watermark = 100,
	.wait = true,
};

FIXTURE_VARIANT_ADD(zeroed, meanwhile) {
	.watermark = 100,
};

TEST_F_TIMEOUT(zeroed, each_way_after_each, 120)
{
	unsigned long pages = self->before.all.nr;
	unsigned int i, j;

	ASSERT_EQ(watermarks(variant->watermark, variant->watermark), 0);
	for (i = 0; i < ARRAY_SIZE(leave); i++) {
		for (j = 0; j < ARRAY_SIZE(sees_zeroes); j++) {
			/* Each of both sides several times will do. */
			if ((variant->wait || is_slow()) && (i + j) % 3)
				continue;
			leave[i](pages);
			ASSERT_POOL(0, 0);
			ASSERT_TRUE(!variant->wait ||
				    zeroed_becomes("", pages));
			ASSERT_TRUE(sees_zeroes[j](pages))
				TH_LOG("way of leaving %u, of looking %u", i,
				       j);
		}
	}
	ASSERT_TRUE(selfcheck_ok());
}

/* --- writes that stop short ---------------------------------------------- */

/* Memory with what is to be written, of which nothing can be read behind @there bytes. */
static char *source_new(unsigned long there)
{
	char *source = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(source != MAP_FAILED);
	memset(source, OWN, 2 * HUGE);
	must(mprotect(source + there, 2 * HUGE - there, PROT_NONE) == 0);
	return source;
}

TEST_F_TIMEOUT(zeroed, behind_a_write_that_stops_short, 60)
{
	static const struct {
		unsigned long pos;	/* where in the file */
		unsigned long there;	/* small pages that can be read */
		unsigned long into;	/* where the source begins in the first */
	} cases[] = {
		{ 0, 1, 0 }, { 0, 1, 1 }, { 0, 7, 100 }, { 0, 511, 0 },
		{ SMALL, 300, 4095 }, { HUGE - 1, 2, 0 }, { 77, 512, 5 },
		{ HUGE / 2, 300, 3 }, { 5, 600, 9 },
	};
	unsigned long there, pos, len;
	ssize_t written;
	unsigned int i;
	char *source, *map;
	int fd;

	ASSERT_EQ(watermarks(variant->watermark, variant->watermark), 0);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		leave[i % ARRAY_SIZE(leave)](self->before.all.nr);
		ASSERT_POOL(0, 0);
		ASSERT_TRUE(!variant->wait ||
			    zeroed_becomes("", self->before.all.free));
		there = cases[i].there * SMALL;
		pos = cases[i].pos;
		source = source_new(there);
		fd = file_new();
		len = 2 * HUGE - pos;
		if (len > 2 * HUGE - cases[i].into)
			len = 2 * HUGE - cases[i].into;
		written = pwrite(fd, source + cases[i].into, len, pos);
		ASSERT_LT(0, written)
			TH_LOG("case %u", i);
		ASSERT_LE(written, there - cases[i].into);
		ASSERT_EQ(ftruncate(fd, 2 * HUGE), 0);
		ASSERT_TRUE(file_is_zero(fd, 0, pos));
		ASSERT_TRUE(file_is_zero(fd, pos + written, 2 * HUGE))
			TH_LOG("case %u: %zd bytes written", i, written);
		map = map_huge(fd, 0, 2, 0);
		ASSERT_TRUE(bytes_are(map, 0, pos));
		ASSERT_TRUE(bytes_are(map + pos, OWN, written));
		ASSERT_TRUE(bytes_are(map + pos + written, 0,
				      2 * HUGE - pos - written));
		ASSERT_EQ(unmap_huge(map, 2), 0);
		ASSERT_EQ(munmap(source, 2 * HUGE), 0);
		close(fd);
	}
}

/* What can be read at one moment cannot at the next. */
struct source {
	char *mem;
	bool over;
};

static void *come_and_go(void *arg)
{
	struct source *source = arg;
	char *half = source->mem + HUGE / 2;

	while (!__atomic_load_n(&source->over, __ATOMIC_RELAXED)) {
		must(mprotect(half, HUGE, PROT_NONE) == 0);
		must(mprotect(half, HUGE, PROT_READ) == 0);
		usleep(1000);
	}
	return NULL;
}

TEST_F_TIMEOUT(zeroed, behind_a_source_that_goes, 60)
{
	struct source source = { .mem = source_new(2 * HUGE) };
	unsigned long stopped = 0, rounds;
	pthread_t thread;
	ssize_t written;
	char *map;
	int fd;

	ASSERT_EQ(watermarks(variant->watermark, variant->watermark), 0);
	ASSERT_EQ(pthread_create(&thread, NULL, come_and_go, &source), 0);
	for (rounds = 0; rounds < 48; rounds++) {
		if (rounds % 16 == 0)
			leave_by_unmapping(self->before.all.nr);
		fd = file_new();
		written = pwrite(fd, source.mem + rounds % SMALL, HUGE,
				 rounds % 2 ? 0 : HUGE / 4);
		must(written >= 0 || errno == EFAULT);
		written = written < 0 ? 0 : written;
		stopped += written < HUGE;
		ASSERT_EQ(ftruncate(fd, 2 * HUGE), 0);
		map = map_huge(fd, 0, 2, 0) + (rounds % 2 ? 0 : HUGE / 4);
		ASSERT_TRUE(bytes_are(map, OWN, written));
		ASSERT_TRUE(bytes_are(map + written, 0, HUGE - written));
		ASSERT_EQ(munmap((void *)((unsigned long)map & ~(HUGE - 1)),
				 2 * HUGE), 0);
		close(fd);
	}
	__atomic_store_n(&source.over, true, __ATOMIC_RELAXED);
	must(pthread_join(thread, NULL) == 0);
	TH_LOG("%lu of %lu writes stopped short", stopped, rounds);
}

/* --- all at once --------------------------------------------------------- */

RHUGEFS_FIXTURE(meanwhile);

#define OWNERS		3
#define OWNED_MOST	5UL	/* together not more than there are */

struct owner {
	unsigned long seed;
	long end;
};

/* Take some, find zeroes, write, find that, and give back. */
static void own(int fd, char *map, unsigned long pages, unsigned long *seed)
{
	unsigned long salt = chance(seed);

	must(map);
	if (chance_of(seed, 2))
		must(bytes_are(map, 0, pages * HUGE));
	else
		must(zero_but_for_one(map, pages));
	bytes_stir(map, pages * HUGE, salt);
	if (chance_of(seed, 4) == 0)
		usleep(chance_of(seed, 2000));
	must(bytes_stirred(map, pages * HUGE, salt));
	if (chance_of(seed, 2))
		must(ftruncate(fd, 0) == 0);
	must(unmap_huge(map, pages) == 0);
}

static int own_often(void *arg)
{
	struct owner *owner = arg;
	unsigned long *seed = &owner->seed, pages;
	int fd;

	while (now_ms() < owner->end) {
		fd = file_new();
		pages = 1 + chance_of(seed, OWNED_MOST);
		switch (chance_of(seed, 3)) {
		case 0:
			own(fd, map_huge(fd, 0, pages, 0), pages, seed);
			break;
		case 1:
			own(fd, map_private(fd, 0, pages, 0), pages, seed);
			break;
		case 2:
			must(fallocate(fd, 0, 0, pages * HUGE) == 0);
			must(file_is_zero(fd, 0, pages * HUGE));
			own(fd, map_huge(fd, 0, pages, 0), pages, seed);
			break;
		}
		close(fd);
	}
	return 0;
}

TEST_F_TIMEOUT(meanwhile, owners_come_and_go, 60)
{
	unsigned long seed = seed_get();
	long ahead = stat_read("zeroed_ahead"), end = now_ms() + 6000;
	struct owner owner[OWNERS];
	pid_t pid[OWNERS];
	int i;

	for (i = 0; i < OWNERS; i++) {
		owner[i] = (struct owner){ chance(&seed), end };
		pid[i] = spawn(own_often, &owner[i]);
	}
	while (now_ms() < end) {
		ASSERT_EQ(watermarks(chance_of(&seed, 4) ? 100 :
				     chance_of(&seed, 101), 100), 0);
		ASSERT_TRUE(selfcheck_says(true));
		usleep(chance_of(&seed, 50000));
	}
	for (i = 0; i < OWNERS; i++)
		ASSERT_EQ(reap(pid[i]), 0);
	TH_LOG("%ld pages were zeroed beforehand",
	       stat_read("zeroed_ahead") - ahead);
	ASSERT_LT(ahead, stat_read("zeroed_ahead"));
	ASSERT_EQ(watermarks(100, 100), 0);
	ASSERT_TRUE(zeroed_becomes("", self->before.all.free));
	ASSERT_TRUE(selfcheck_ok());
}

TEST_HARNESS_MAIN
