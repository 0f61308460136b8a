// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private memory that a device reads and writes while its owner forks. The device
 * is io_uring, with memory that was registered: it keeps references to the pages and
 * copies by them, whatever the page tables say by then. Direct I/O takes references for
 * as long as it lasts.
 */
#include <linux/io_uring.h>
#include <pthread.h>

#include "private_test.h"

RHUGEFS_FIXTURE(device);

/* --- a ring with room for one request ------------------------------------ */

struct ring {
	int fd;
	unsigned int *sq_tail;
	unsigned int *cq_head;
	unsigned int *cq_tail;
	unsigned int *sq_array;
	unsigned int sq_mask;
	unsigned int cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static void *ring_map(int fd, size_t bytes, off_t what)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, fd, what);

	must(map != MAP_FAILED);
	return map;
}

/* False where this kernel has none. */
static bool ring_new(struct ring *ring)
{
	struct io_uring_params params = { 0 };
	char *sq, *cq;

	ring->fd = syscall(SYS_io_uring_setup, 1, &params);
	if (ring->fd < 0)
		return false;
	sq = ring_map(ring->fd, params.sq_off.array +
		      params.sq_entries * sizeof(unsigned int),
		      IORING_OFF_SQ_RING);
	cq = ring_map(ring->fd, params.cq_off.cqes +
		      params.cq_entries * sizeof(*ring->cqes),
		      IORING_OFF_CQ_RING);
	ring->sqes = ring_map(ring->fd, params.sq_entries * sizeof(*ring->sqes),
			      IORING_OFF_SQES);
	ring->sq_tail = (unsigned int *)(sq + params.sq_off.tail);
	ring->sq_array = (unsigned int *)(sq + params.sq_off.array);
	ring->sq_mask = *(unsigned int *)(sq + params.sq_off.ring_mask);
	ring->cq_head = (unsigned int *)(cq + params.cq_off.head);
	ring->cq_tail = (unsigned int *)(cq + params.cq_off.tail);
	ring->cq_mask = *(unsigned int *)(cq + params.cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
	return true;
}

/* 0, or where this kernel does not take such memory its errno. */
static int ring_register(struct ring *ring, char *mem, size_t bytes)
{
	struct iovec iov = { mem, bytes };

	return syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS,
		       &iov, 1) ? errno : 0;
}

static void ring_unregister(struct ring *ring)
{
	must(syscall(SYS_io_uring_register, ring->fd,
		     IORING_UNREGISTER_BUFFERS, NULL, 0) == 0);
}

/* Have something done with registered memory; what a system call would return. */
static int ring_do(struct ring *ring, int op, int fd, void *mem, unsigned int len)
{
	unsigned int tail = *ring->sq_tail, head = *ring->cq_head;
	int result;

	ring->sqes[0] = (struct io_uring_sqe){
		.opcode = op,
		.fd = fd,
		.off = -1,
		.addr = (unsigned long)mem,
		.len = len,
	};
	ring->sq_array[tail & ring->sq_mask] = 0;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	/* A signal may come between. */
	while (syscall(SYS_io_uring_enter, ring->fd,
		       *ring->sq_tail - tail ? 1 : 0, 1, IORING_ENTER_GETEVENTS,
		       NULL, 0) < 0)
		must(errno == EINTR);
	while (__atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) == head)
		sched_yield();
	result = ring->cqes[head & ring->cq_mask].res;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return result;
}

struct device {
	struct ring ring;
	int pipe[2];
};

/* Why there is none, or NULL. */
static const char *device_new(struct device *device, char *mem, size_t bytes)
{
	int err;

	if (!ring_new(&device->ring))
		return "no io_uring";
	err = ring_register(&device->ring, mem, bytes);
	if (err == EOPNOTSUPP)
		return "io_uring registers no mapped files here";
	errno = err;
	must(!err);
	must(pipe2(device->pipe, O_CLOEXEC) == 0);
	return NULL;
}

/* What the device finds there. */
static unsigned long device_reads(struct device *device, unsigned long *at)
{
	unsigned long value;

	must(ring_do(&device->ring, IORING_OP_WRITE_FIXED, device->pipe[1], at,
		     sizeof(*at)) == sizeof(*at));
	must(read(device->pipe[0], &value, sizeof(value)) == sizeof(value));
	return value;
}

static void device_writes(struct device *device, unsigned long *at,
			  unsigned long value)
{
	must(write(device->pipe[1], &value, sizeof(value)) == sizeof(value));
	must(ring_do(&device->ring, IORING_OP_READ_FIXED, device->pipe[0], at,
		     sizeof(*at)) == sizeof(*at));
}

/* --- one thing after the other ------------------------------------------- */

static volatile unsigned long *word(char *map, unsigned long page)
{
	return (unsigned long *)(map + page * HUGE + 8 * page);
}

TEST_F(device, and_its_owner_forks)
{
	char *map = map_private(file_new(), 0, 2, 0);
	struct device device;
	struct peer child;
	const char *none;

	*word(map, 0) = 1;
	none = device_new(&device, map, 2 * HUGE);
	if (none)
		SKIP(return, "%s", none);
	child = peer_new();
	device_writes(&device, (unsigned long *)word(map, 0), 2);
	device_writes(&device, (unsigned long *)word(map, 1), 3);
	ASSERT_EQ(*word(map, 0), 2);
	ASSERT_EQ(*word(map, 1), 3);
	ASSERT_EQ(peer_look(&child, map), 1);
	*word(map, 0) = 4;
	ASSERT_EQ(device_reads(&device, (unsigned long *)word(map, 0)), 4);
	ASSERT_TRUE(peer_write(&child, map, 5));
	ASSERT_EQ(device_reads(&device, (unsigned long *)word(map, 0)), 4);
	ASSERT_POOL(4, 0);
	peer_exit(&child);
	ASSERT_POOL(2, 0);
	/* What is dropped the device has for itself. */
	ASSERT_EQ(drop(map, HUGE), 0);
	device_writes(&device, (unsigned long *)word(map, 0), 6);
	ASSERT_EQ(*word(map, 0), 0);
	ASSERT_EQ(device_reads(&device, (unsigned long *)word(map, 0)), 6);
	ASSERT_POOL(2, 1);
	ASSERT_TRUE(selfcheck_ok());
	ring_unregister(&device.ring);
	ASSERT_POOL(1, 1);
}

/* With no page left the children go without, and the device notices nothing. */
TEST_F(device, and_no_page_is_left)
{
	char *map = map_private(file_new(), 0, 1, 0);
	struct device device;
	struct peer child;
	const char *none;

	*word(map, 0) = 1;
	none = device_new(&device, map, HUGE);
	if (none)
		SKIP(return, "%s", none);
	leave_unpromised(0);
	child = peer_new();
	ASSERT_EQ(peer_look(&child, map), -1);
	device_writes(&device, (unsigned long *)word(map, 0), 2);
	ASSERT_EQ(*word(map, 0), 2);
	*word(map, 0) = 3;
	ASSERT_EQ(device_reads(&device, (unsigned long *)word(map, 0)), 3);
	ring_unregister(&device.ring);
}

/* --- everything at once -------------------------------------------------- */

#define RACE_MS		3000

struct race {
	char *map;
	bool over;
};

/* A child sees what was there, and its own, and nothing that comes afterwards. */
static int look_and_write(void *arg)
{
	struct race *race = arg;
	unsigned long seen = *word(race->map, 0);

	sched_yield();
	must(*word(race->map, 0) == seen);
	*word(race->map, 0) = seen + 1000000000;
	sched_yield();
	must(*word(race->map, 0) == seen + 1000000000);
	return 0;
}

static void *fork_on(void *arg)
{
	struct race *race = arg;

	while (!__atomic_load_n(&race->over, __ATOMIC_ACQUIRE))
		must(reap(spawn(look_and_write, race)) == 0);
	return NULL;
}

/* Registered again and again, so that forks meet the taking of references, too. */
TEST_F_TIMEOUT(device, and_another_thread_forks, 60)
{
	struct race race = { map_private(file_new(), 0, 1, 0) };
	long end = now_ms() + RACE_MS;
	unsigned long n = 0, i;
	struct device device;
	pthread_t thread;
	const char *none;

	*word(race.map, 0) = 0;
	none = device_new(&device, race.map, HUGE);
	if (none)
		SKIP(return, "%s", none);
	ASSERT_EQ(pthread_create(&thread, NULL, fork_on, &race), 0);
	while (now_ms() < end) {
		for (i = 0; i < 5; i++) {
			device_writes(&device,
				      (unsigned long *)word(race.map, 0), ++n);
			ASSERT_EQ(*word(race.map, 0), n);
			*word(race.map, 0) = ++n;
			ASSERT_EQ(device_reads(&device, (unsigned long *)
					       word(race.map, 0)), n);
		}
		ring_unregister(&device.ring);
		ASSERT_EQ(*word(race.map, 0), n);
		*word(race.map, 0) = ++n;
		ASSERT_EQ(ring_register(&device.ring, race.map, HUGE), 0);
	}
	race.over = true;
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	ASSERT_TRUE(selfcheck_ok());
	ring_unregister(&device.ring);
	ASSERT_POOL(1, 0);
}

/* --- direct I/O ---------------------------------------------------------- */

/* A disk in memory, to and from which blocks go by references to our pages. */
#define DISK		"/dev/ram0"

#define BLOCKS		(64UL << 10)

TEST_F(device, direct_io)
{
	int disk = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	char *map = map_private(file_new(), 0, 2, 0);
	struct peer child;

	if (disk < 0)
		SKIP(return, "there is no " DISK);
	bytes_stir(map, BLOCKS, 1);
	ASSERT_EQ(pwrite(disk, map, BLOCKS, 0), BLOCKS);
	/* Into a page that was never touched. */
	ASSERT_EQ(pread(disk, map + HUGE, BLOCKS, 0), BLOCKS);
	ASSERT_TRUE(bytes_stirred(map + HUGE, BLOCKS, 1));
	ASSERT_POOL(2, 0);

	/* What the disk writes for the parent, the child does not see. */
	child = peer_new();
	bytes_stir(map, BLOCKS, 2);
	ASSERT_EQ(pwrite(disk, map, BLOCKS, BLOCKS), BLOCKS);
	ASSERT_EQ(pread(disk, map + HUGE, BLOCKS, BLOCKS), BLOCKS);
	ASSERT_TRUE(bytes_stirred(map + HUGE, BLOCKS, 2));
	ASSERT_POOL(4, 0);
	ASSERT_TRUE(peer_unmap(&child, map, 1));
	ASSERT_POOL(3, 0);
	peer_exit(&child);
	ASSERT_POOL(2, 0);
	ASSERT_TRUE(selfcheck_ok());
	close(disk);
}

TEST_HARNESS_MAIN
