/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The same kinds of arguments by way of io_uring, where the kernel's own threads may do
 * what is asked.
 */
#ifndef RHUGEFS_CALLS_URING_H
#define RHUGEFS_CALLS_URING_H

#include "table.h"

#define URING_ENTRIES	8

/* Out of reach of what the calls do to descriptors, but for nonsense. */
#define URING_FD	(FD_FIRST + FDS)

/* The one of this process, and of the children that inherit it. */
static struct {
	struct io_uring_sqe *sqe;
	unsigned int *sq_tail;
	unsigned int *sq_array;
	unsigned int *cq_head;
	unsigned int *cq_tail;
} ring;

static inline void *ring_map(size_t bytes, off_t offset)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			 URING_FD, offset);

	must(map != MAP_FAILED);
	return map;
}

/* Not every kernel has it, or lets everybody have it. */
static inline void ring_begin(void)
{
	struct io_uring_params params = { 0 };
	int fd = syscall(SYS_io_uring_setup, URING_ENTRIES, &params);
	char *sq, *cq;

	if (fd < 0)
		return;
	must(dup2(fd, URING_FD) == URING_FD);
	close(fd);
	sq = ring_map(params.sq_off.array + URING_ENTRIES * sizeof(int),
		      IORING_OFF_SQ_RING);
	cq = ring_map(params.cq_off.cqes + params.cq_entries *
		      sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	ring.sq_tail = (unsigned int *)(sq + params.sq_off.tail);
	ring.sq_array = (unsigned int *)(sq + params.sq_off.array);
	ring.cq_head = (unsigned int *)(cq + params.cq_off.head);
	ring.cq_tail = (unsigned int *)(cq + params.cq_off.tail);
	ring.sqe = ring_map(URING_ENTRIES * sizeof(*ring.sqe),
			    IORING_OFF_SQES);
}

static inline void fill_request(struct caller *caller,
				struct io_uring_sqe *sqe)
{
	static const unsigned char ops[] = {
		IORING_OP_READ, IORING_OP_WRITE, IORING_OP_READV,
		IORING_OP_WRITEV, IORING_OP_FSYNC, IORING_OP_FALLOCATE,
		IORING_OP_FADVISE, IORING_OP_MADVISE, IORING_OP_MADVISE,
		IORING_OP_SPLICE, IORING_OP_TEE, IORING_OP_OPENAT,
		IORING_OP_STATX, IORING_OP_RENAMEAT, IORING_OP_UNLINKAT,
		IORING_OP_READ_FIXED, IORING_OP_WRITE_FIXED,
		IORING_OP_SYNC_FILE_RANGE, IORING_OP_PROVIDE_BUFFERS,
	};

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = pick_from(caller, ops);
	sqe->flags = one_in(caller, 4) ? IOSQE_ASYNC : 0;
	sqe->fd = kind_pick(caller, fd);
	sqe->off = kind_pick(caller, offset);
	sqe->addr = kind_pick(caller, buffer);
	sqe->len = kind_pick(caller, amount);
	switch (sqe->opcode) {
	case IORING_OP_READV:
	case IORING_OP_WRITEV:
		sqe->addr = kind_pick(caller, vector);
		sqe->len = kind_pick(caller, few);
		break;
	case IORING_OP_FALLOCATE:
		/* The length is where others have the address. */
		sqe->addr = kind_pick(caller, length);
		sqe->len = kind_pick(caller, fallocate_mode);
		break;
	case IORING_OP_MADVISE:
		sqe->addr = kind_pick(caller, page);
		sqe->len = kind_pick(caller, length);
		sqe->fadvise_advice = kind_pick(caller, advice);
		break;
	case IORING_OP_OPENAT:
	case IORING_OP_RENAMEAT:
	case IORING_OP_UNLINKAT:
		sqe->fd = AT_FDCWD;
		sqe->addr = kind_pick(caller, path);
		sqe->off = kind_pick(caller, path);
		sqe->open_flags = kind_pick(caller, open_how_bits);
		break;
	}
}

static inline void make_request(struct caller *caller)
{
	struct io_uring_sqe *sqe;
	unsigned int tail;

	if (!ring.sqe)
		return;
	tail = *ring.sq_tail;
	sqe = &ring.sqe[tail % URING_ENTRIES];
	fill_request(caller, sqe);
	ring.sq_array[tail % URING_ENTRIES] = tail % URING_ENTRIES;
	note(caller, "io_uring %d: fd %d, off %#llx, addr %#llx, len %#x, %#x",
	     sqe->opcode, sqe->fd, sqe->off, sqe->addr, sqe->len,
	     sqe->rw_flags);
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, URING_FD, 1, one_in(caller, 10),
		IORING_ENTER_GETEVENTS, NULL, 0);
	__atomic_store_n(ring.cq_head,
			 __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
}

#endif
