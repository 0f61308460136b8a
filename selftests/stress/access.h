/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses to memory that may be answered with a signal, by the processor or on behalf
 * of it by the kernel.
 */
#ifndef RHUGEFS_STRESS_ACCESS_H
#define RHUGEFS_STRESS_ACCESS_H

#include "run.h"

enum outcome {
	DONE,
	REFUSED,	/* SIGBUS, or EFAULT from the kernel */
	FORBIDDEN,	/* SIGSEGV */
};

static __thread sigjmp_buf access_env;
static __thread volatile sig_atomic_t access_armed;

static inline void access_signal(int sig, siginfo_t *info, void *context)
{
	if (!access_armed) {
		dprintf(STDOUT_FILENO, "# pid %d: signal %d at %p, by chance\n",
			getpid(), sig, info->si_addr);
		signal(sig, SIG_DFL);
		return;
	}
	access_armed = 0;
	siglongjmp(access_env, sig == SIGBUS ? REFUSED : FORBIDDEN);
}

static inline enum outcome access_load(const volatile unsigned long *at,
				       unsigned long *value)
{
	int refused = sigsetjmp(access_env, 0);

	if (refused)
		return refused;
	access_armed = 1;
	*value = *at;
	access_armed = 0;
	return DONE;
}

static inline enum outcome access_store(volatile unsigned long *at,
					unsigned long value)
{
	int refused = sigsetjmp(access_env, 0);

	if (refused)
		return refused;
	access_armed = 1;
	*at = value;
	access_armed = 0;
	return DONE;
}

/* --- by the kernel ------------------------------------------------------- */

/* What the kernel says where the processor would have raised a signal. */
static inline enum outcome access_moved(const struct actor *actor, ssize_t moved)
{
	if (moved == sizeof(long))
		return DONE;
	if (moved >= 0 || errno != EFAULT)
		fail(actor, "%zd bytes moved: %s", moved, error_name(errno));
	return REFUSED;
}

/* With a reference to the page, for a moment. */
static inline enum outcome access_load_by_reference(const struct actor *actor,
						    char *at,
						    unsigned long *value)
{
	struct iovec to = { value, sizeof(*value) };
	struct iovec from = { at, sizeof(*value) };

	return access_moved(actor, process_vm_readv(getpid(), &to, 1, &from, 1,
						    0));
}

static inline enum outcome access_store_by_reference(const struct actor *actor,
						     char *at,
						     unsigned long value)
{
	struct iovec from = { &value, sizeof(value) };
	struct iovec to = { at, sizeof(value) };

	return access_moved(actor, process_vm_writev(getpid(), &from, 1, &to, 1,
						     0));
}

/* With a page fault in the kernel. */
static inline enum outcome access_load_by_copy(const struct actor *actor,
					       char *at, unsigned long *value)
{
	enum outcome outcome;
	int ends[2];

	sure(actor, pipe2(ends, O_CLOEXEC) == 0);
	outcome = access_moved(actor, write(ends[1], at, sizeof(*value)));
	if (outcome == DONE)
		sure(actor, read(ends[0], value, sizeof(*value)) ==
				    sizeof(*value));
	close(ends[0]);
	close(ends[1]);
	return outcome;
}

static inline enum outcome access_store_by_copy(const struct actor *actor,
						char *at, unsigned long value)
{
	enum outcome outcome;
	int ends[2];

	sure(actor, pipe2(ends, O_CLOEXEC) == 0);
	sure(actor, write(ends[1], &value, sizeof(value)) == sizeof(value));
	outcome = access_moved(actor, read(ends[0], at, sizeof(value)));
	close(ends[0]);
	close(ends[1]);
	return outcome;
}

/* --- by a device --------------------------------------------------------- */

#define DISK		"/dev/ram0"
#define SECTOR		512UL

/* Debian's kernels have no such disk. */
static int access_disk = -1;

/* Each has a place of its own there. */
static inline off_t access_sector(const struct actor *actor)
{
	return (actor->nr + (actor->is_child ? ACTORS : 0)) * SECTOR;
}

/* The sector of memory around a word, in which there is no other one. */
static inline char *access_block(const char *at)
{
	return (char *)((unsigned long)at & ~(SECTOR - 1));
}

static inline enum outcome access_transferred(const struct actor *actor,
					      ssize_t bytes)
{
	if (bytes == SECTOR)
		return DONE;
	if (bytes >= 0 || errno != EFAULT)
		fail(actor, "%zd bytes of a disk: %s", bytes,
		     error_name(errno));
	return REFUSED;
}

static inline enum outcome access_load_by_device(const struct actor *actor,
						 char *at, unsigned long *value)
{
	char buffer[SECTOR] __attribute__((aligned(SECTOR)));
	off_t sector = access_sector(actor);
	enum outcome outcome;

	outcome = access_transferred(actor, pwrite(access_disk,
						   access_block(at), SECTOR,
						   sector));
	if (outcome != DONE)
		return outcome;
	sure(actor, pread(access_disk, buffer, SECTOR, sector) == SECTOR);
	*value = *(unsigned long *)(buffer + (at - access_block(at)));
	return DONE;
}

static inline enum outcome access_store_by_device(const struct actor *actor,
						  char *at, unsigned long value)
{
	char buffer[SECTOR] __attribute__((aligned(SECTOR))) = { 0 };
	off_t sector = access_sector(actor);

	*(unsigned long *)(buffer + (at - access_block(at))) = value;
	sure(actor, pwrite(access_disk, buffer, SECTOR, sector) == SECTOR);
	return access_transferred(actor, pread(access_disk, access_block(at),
					       SECTOR, sector));
}

static inline void access_prepare(void)
{
	/* SA_NODEFER saves saving the signal mask at each access. */
	struct sigaction action = {
		.sa_sigaction = access_signal,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	must(sigaction(SIGBUS, &action, NULL) == 0);
	must(sigaction(SIGSEGV, &action, NULL) == 0);
	access_disk = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
}

/* --- in any way ---------------------------------------------------------- */

enum access_way {
	BY_ITSELF,
	BY_REFERENCE,
	BY_COPY,
	BY_DEVICE,
};

static inline enum access_way access_pick(struct actor *actor)
{
	switch (pick(actor, 12)) {
	case 0:
		return BY_REFERENCE;
	case 1:
		return BY_COPY;
	case 2:
		return access_disk >= 0 ? BY_DEVICE : BY_ITSELF;
	default:
		return BY_ITSELF;
	}
}

static inline enum outcome access_read(struct actor *actor, char *at,
				       unsigned long *value)
{
	switch (access_pick(actor)) {
	case BY_REFERENCE:
		return access_load_by_reference(actor, at, value);
	case BY_COPY:
		return access_load_by_copy(actor, at, value);
	case BY_DEVICE:
		return access_load_by_device(actor, at, value);
	default:
		return access_load((unsigned long *)at, value);
	}
}

static inline enum outcome access_write(struct actor *actor, char *at,
					unsigned long value)
{
	switch (access_pick(actor)) {
	case BY_REFERENCE:
		return access_store_by_reference(actor, at, value);
	case BY_COPY:
		return access_store_by_copy(actor, at, value);
	case BY_DEVICE:
		return access_store_by_device(actor, at, value);
	default:
		return access_store((unsigned long *)at, value);
	}
}

#endif
