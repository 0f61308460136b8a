/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks in the instructions of the benchmark, by which scripts/profile-plugin.c finds in
 * an emulator what is to be looked at. A mark is a long no-op: whoever does not look for
 * it does not see it.
 */
#ifndef RHUGEFS_BENCH_MARK_H
#define RHUGEFS_BENCH_MARK_H

#define MARK_MAGIC	0x5a5a0000

/* Below these: what follows is about the subject of this number, see bench.h. */
#define MARK_NOBODY	0x10
#define MARK_BEGIN	0x11
#define MARK_END	0x12

/* On this processor, and at this point and no other. */
#define MARK(what)							\
	({								\
		asm volatile("nopl %c0(%%rax)"				\
			     : : "i" (MARK_MAGIC | (what)) : "memory");	\
	})

#endif
