/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What arguments of system calls can be, by their kind: mostly what makes sense, often
 * what is at the edge of it, and now and then nonsense.
 */
#ifndef RHUGEFS_CALLS_VALUES_H
#define RHUGEFS_CALLS_VALUES_H

#include <linux/aio_abi.h>
#include <linux/openat2.h>

#include "caller.h"

/**
 * struct kind - a kind of arguments
 * @pick: makes one
 * @list: where there is no @pick: what there is to choose from
 * @count: entries in @list
 * @is_bits: any combination of them
 */
struct kind {
	unsigned long (*pick)(struct caller *caller);
	const unsigned long *list;
	int count;
	bool is_bits;
};

/* Arrays, so that a table can name a kind as it is. */
#define BY(name)							\
	static unsigned long pick_##name(struct caller *caller);	\
	static const struct kind name[] = { { .pick = pick_##name } };	\
	static unsigned long pick_##name(struct caller *caller)

#define LISTED(name, bits, ...)						\
	static const unsigned long name##_list[] = { __VA_ARGS__ };	\
	static const struct kind name[] = { {				\
		.list = name##_list,					\
		.count = ARRAY_SIZE(name##_list),			\
		.is_bits = bits,					\
	} }
#define LIST_OF(name, ...)	LISTED(name, false, __VA_ARGS__)
#define BITS_OF(name, ...)	LISTED(name, true, __VA_ARGS__)

static unsigned long nonsense(struct caller *caller)
{
	static const unsigned long edges[] = {
		0, 1, -1, -2, -4096, INT_MAX, INT_MIN, UINT_MAX, LONG_MAX,
		LONG_MIN, LONG_MAX - HUGE + 1, -HUGE, 0xffff888000000000,
		0x7ffffffff000, ARENA - 1, HUGE - 1,
	};
	unsigned long value = chance(&caller->state);

	if (one_in(caller, 2))
		return pick_from(caller, edges);
	return value >> pick(caller, 64);
}

static unsigned long kind_pick(struct caller *caller, const struct kind *kind)
{
	unsigned long value = 0;
	int i;

	if (one_in(caller, 60))
		return nonsense(caller);
	if (kind->pick)
		return kind->pick(caller);
	if (!kind->is_bits)
		return kind->list[pick(caller, kind->count)];
	for (i = 0; i < kind->count; i++)
		if (one_in(caller, kind->count))
			value |= kind->list[i];
	return value;
}

/* --- files --------------------------------------------------------------- */

BY(fd)
{
	if (one_in(caller, 40))
		return pick_from(caller, ((int[]){ -1, AT_FDCWD, 1023, 9 }));
	return FD_FIRST + pick(caller, FDS);
}

BY(at)
{
	return one_in(caller, 6) ? pick_fd(caller) : AT_FDCWD;
}

static unsigned long long_name(struct caller *caller)
{
	size_t len = pick_from(caller, ((size_t[]){ 254, 255, 256, 4095,
						    4096 }));

	memset(caller->text, 'n', len);
	caller->text[len] = '\0';
	return (unsigned long)caller->text;
}

BY(path)
{
	static const char *const paths[] = {
		"f0", "f1", "f2", "f3", "f0", "f1", "dir", "dir/f4", "dir/f5",
		"public", "secret", "link", "f0/f1", ".", "..", "", "dir/..",
		"new0", "new1", "new2", "dir/new3",
		"/proc/self/fd/16", "/proc/self/exe", "/", "/tmp", "./f2",
	};

	if (one_in(caller, 20))
		return long_name(caller);
	return (unsigned long)pick_from(caller, paths);
}

BY(type)
{
	static const char *const types[] = { "rhugefs", "rhugefs", "tmpfs", "" };

	return (unsigned long)pick_from(caller, types);
}

BY(word)
{
	static const char *const words[] = {
		"size", "size=1T", "min_size=4M",
		"user.a", "security.selinux", "system.posix_acl_access",
		"trusted.b", "user_size", "mpol=bind:0", "", "remount",
	};

	return (unsigned long)pick_from(caller, words);
}

BY(offset)
{
	unsigned long page = pick(caller, 12) * HUGE;

	switch (pick(caller, 8)) {
	case 0:
		return page + pick(caller, HUGE);
	case 1:
		return page + 4096 * pick(caller, 512);
	case 2:
		return pick_from(caller, ((unsigned long[]){
			-1, LONG_MIN, LONG_MAX, LONG_MAX - HUGE + 1, 1UL << 40,
			1UL << 62 }));
	default:
		return page;
	}
}

BY(uring)
{
	return FD_FIRST + FDS;
}

/* For a call that takes an offset from memory, and leaves one there. */
BY(offset_at)
{
	unsigned long *at = &caller->number[8 + pick(caller, 2)];

	if (one_in(caller, 2))
		return 0;
	*at = pick_offset(caller);
	return (unsigned long)at;
}

/* --- addresses ----------------------------------------------------------- */

BY(page)
{
	unsigned long page = any_page(caller);

	if (one_in(caller, 8))
		return page + 4096 * pick(caller, 512);
	return one_in(caller, 20) ? page + pick(caller, HUGE) : page;
}

BY(length)
{
	static const unsigned long edges[] = {
		0, 1, 4095, 4096, 4097, HUGE - 4096, HUGE - 1, HUGE + 1,
		HUGE + 4096, 1UL << 40, -1, -HUGE,
	};

	if (one_in(caller, 5))
		return pick_from(caller, edges);
	return (1 + pick(caller, 4)) * HUGE;
}

/* What read() and its like take at once, mostly little. */
BY(amount)
{
	if (one_in(caller, 4))
		return pick_length(caller);
	return one_in(caller, 2) ? 4096 * pick(caller, 16) :
				   pick(caller, SCRATCH_BYTES);
}

BY(buffer)
{
	switch (pick(caller, 8)) {
	case 0:
	case 1:
		return any_page(caller) + pick(caller, HUGE);
	case 2:
		return any_page(caller);
	default:
		return SCRATCH + pick(caller, 16) * 8;
	}
}

BY(vector)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(caller->vector); i++) {
		caller->vector[i].iov_base = (void *)pick_buffer(caller);
		caller->vector[i].iov_len = pick_amount(caller);
	}
	return (unsigned long)caller->vector;
}

BY(ranges)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(caller->ranges); i++) {
		caller->ranges[i].iov_base = (void *)pick_page(caller);
		caller->ranges[i].iov_len = pick_length(caller);
	}
	return (unsigned long)caller->ranges;
}

LIST_OF(few, 1, 1, 1, 2, 3, 8, 0, 1025, -1);

/* --- numbers behind a pointer --------------------------------------------- */

/* Addresses and lengths, as what most ioctl() take begins with. */
BY(numbers)
{
	int i;

	for (i = 0; i < 8; i++)
		caller->number[i] = i % 2 ? pick_length(caller) :
					    pick_page(caller);
	if (one_in(caller, 2))
		caller->number[0] = pick_fd(caller);
	if (one_in(caller, 2))
		caller->number[2] = pick(caller, 8);
	return (unsigned long)caller->number;
}

BY(soon)
{
	caller->number[10] = 0;
	caller->number[11] = pick(caller, 2000000);
	return (unsigned long)&caller->number[10];
}

BY(nodes)
{
	caller->number[12] = pick(caller, 5);
	caller->number[13] = one_in(caller, 8) ? nonsense(caller) : 0;
	return one_in(caller, 6) ? 0 : (unsigned long)&caller->number[12];
}

BY(how)
{
	static const unsigned long flags[] = {
		O_RDWR, O_RDWR | O_CREAT, O_RDONLY, O_TMPFILE | O_RDWR, O_PATH,
	};
	struct open_how *how = (struct open_how *)caller->number;

	how->flags = pick_from(caller, flags);
	how->mode = how->flags & (O_CREAT | O_TMPFILE) ? 0600 : 0;
	how->resolve = one_in(caller, 4) ? 1UL << pick(caller, 6) : 0;
	return (unsigned long)how;
}

LIST_OF(how_size, sizeof(struct open_how), sizeof(struct open_how), 8, 32, 4097);

/* struct mnt_id_req: its size, whose mounts, and which of them, or what of it. */
BY(mount_request)
{
	caller->number[0] = 24;
	caller->number[1] = one_in(caller, 2) ? -1 : pick(caller, 100);
	caller->number[2] = pick(caller, 64);
	return (unsigned long)caller->number;
}

/* io_submit() takes pointers to these. */
BY(requests)
{
	struct iocb *iocb = (struct iocb *)caller->text;

	memset(iocb, 0, sizeof(*iocb));
	iocb->aio_lio_opcode = pick(caller, 9);
	iocb->aio_fildes = pick_fd(caller);
	iocb->aio_offset = pick_offset(caller);
	iocb->aio_buf = pick_buffer(caller);
	iocb->aio_nbytes = pick_amount(caller);
	if (iocb->aio_lio_opcode >= IOCB_CMD_PREADV) {
		iocb->aio_buf = pick_vector(caller);
		iocb->aio_nbytes = 1 + pick(caller, 8);
	}
	caller->number[14] = (unsigned long)iocb;
	return (unsigned long)&caller->number[14];
}

BY(aio)
{
	return caller->aio;
}

/* --- the rest ------------------------------------------------------------ */

BY(any)
{
	return one_in(caller, 2) ? pick(caller, 64) : nonsense(caller);
}

BY(self)
{
	return one_in(caller, 4) ? 0 : getpid();
}

LIST_OF(none, 0);
LIST_OF(mode, 0600, 0700, 0644, 01777, 07777, 0);
LIST_OF(user, 65534, 65534, 0, -1, 1000);

#endif
