// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who takes pages by their addresses and holds them: pipes, other processes, devices.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"

#define DISK	"/dev/ram0"

/* In MiB; no sample takes less than a page. */
#define SPAN	(HUGE / MIB)

/* What does not lie in a huge page. */
static char *buffer(void)
{
	static char *mem;

	if (!mem)
		mem = malloc(MIB);
	need(mem);
	memset(mem, 9, MIB);
	return mem;
}

static void with_map(const struct bench_case *which, struct subject *subject)
{
	subject->len = HUGE;
	subject->map = map_new(subject, 1, which->flags);
	memset(subject->map, 6, HUGE);
}

static void without_map(const struct bench_case *which,
			struct subject *subject)
{
	need(munmap(subject->map, subject->len) == 0);
}

static void pin_readv(const struct bench_case *which, struct subject *subject,
		      struct lap *lap)
{
	char *mem = buffer();
	struct iovec local = { mem, MIB };
	struct iovec remote;
	unsigned long i;
	ssize_t got;

	for (i = 0; i < SPAN; i++) {
		remote = (struct iovec){ subject->map + i * MIB, MIB };
		lap_start(lap);
		got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
		lap_stop(lap, 1);
		need(got == MIB);
		need(mem[0] == 6 && mem[MIB - 1] == 6);
	}
}

/* Into a pipe and out of it, where the hold ends. */
static void pin_vmsplice(const struct bench_case *which,
			 struct subject *subject, struct lap *lap)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), pipe_fds[2];
	struct iovec memory;
	ssize_t in, out;
	unsigned long i;

	need(null >= 0);
	need(pipe(pipe_fds) == 0);
	need(fcntl(pipe_fds[0], F_SETPIPE_SZ, MIB) == MIB);
	for (i = 0; i < SPAN; i++) {
		memory = (struct iovec){ subject->map + i * MIB, MIB };
		lap_start(lap);
		in = vmsplice(pipe_fds[1], &memory, 1, 0);
		out = splice(pipe_fds[0], NULL, null, NULL, MIB, 0);
		lap_stop(lap, 1);
		need(in == MIB && out == MIB);
	}
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(null);
}

static const char *no_disk(void)
{
	return access(DISK, R_OK | W_OK) ? "there is no disk in memory" : NULL;
}

/* The disk's contents are what was mapped, once they have been written. */
static void pin_direct(const struct bench_case *which, struct subject *subject,
		       struct lap *lap)
{
	int disk = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	unsigned long i;
	ssize_t got;

	need(disk >= 0);
	need(pwrite(disk, subject->map, HUGE, 0) == HUGE);
	for (i = 0; i < SPAN; i++) {
		subject->map[i * MIB] = 1;
		lap_start(lap);
		got = pread(disk, subject->map + i * MIB, MIB, i * MIB);
		lap_stop(lap, 1);
		need(got == MIB);
		need(subject->map[i * MIB] == 6);
	}
	close(disk);
}

#define PIN(how, call, kind, suffix, why_not, subjects)			\
	{								\
		.name = "pin-" #how suffix,				\
		.unit = "MiB",						\
		.what = call " of 1 MiB of a mapped page" suffix,	\
		.on = (subjects),					\
		.flags = (kind),					\
		.missing = (why_not),					\
		.begin = with_map,					\
		.sample = pin_##how,					\
		.end = without_map,					\
	}

static const struct bench_case cases[] = {
	PIN(vmsplice, "vmsplice()", MAP_SHARED, "", NULL, ON_ALL),
	PIN(vmsplice, "vmsplice()", MAP_PRIVATE, "-private", NULL, ON_HUGE),
	PIN(readv, "process_vm_readv()", MAP_SHARED, "", NULL, ON_ALL),
	PIN(readv, "process_vm_readv()", MAP_PRIVATE, "-private", NULL,
	    ON_HUGE),
	PIN(direct, "O_DIRECT", MAP_SHARED, "", no_disk, ON_ALL),
	PIN(direct, "O_DIRECT", MAP_PRIVATE, "-private", no_disk, ON_HUGE),
};

const struct case_table pin_table = { cases, ARRAY_SIZE(cases) };
