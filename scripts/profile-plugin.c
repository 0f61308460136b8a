// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of QEMU's that looks at what the benchmark marks (selftests/bench/mark.h):
 *
 *	-plugin profile-plugin.so,out=FILE             instructions, by where they are
 *	-plugin profile-plugin.so,out=FILE,stores=on   what the kernel writes to, and where,
 *	                                               for the first subject
 *
 * At the end FILE has lines
 *
 *	laps SUBJECT NUMBER                     so often something was marked
 *	code SUBJECT ADDRESS INSTRUCTIONS       of the block that begins there
 *	store SUBJECT LINE CODE CALL N0 N1      so often the instruction at CODE wrote to a
 *	                                        line of 64 bytes, on processors 0 and 1;
 *	                                        CALL is the call by which a module got
 *	                                        there, or 0
 *
 * Instructions are counted in blocks, and so one that a fault has cut short counts whole.
 * While several processors are in marked parts, those of all are counted.
 *
 * The emulator is to run one processor at a time (-accel tcg,thread=single), so that
 * nothing here is done twice at once.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../selftests/bench/mark.h"
#include "profile-plugin.h"

EXPORT int qemu_plugin_version = 1;

#define NR_SUBJECTS	MARK_NOBODY
#define MOST_CPUS		2
#define LINE_SHIFT	6

/* The kernel's half of the addresses. */
#define KERNEL		(1UL << 63)

/* Modules begin here, in kernels that choose their addresses by chance. */
#define MODULES		0xffffffffc0000000UL

/* The first byte of a call of what is not far. */
#define OPCODE_CALL	0xe8

/* Of each table, a power of two; it is never full of them. */
#define NR_SLOTS	(1U << 20)

/**
 * struct block - instructions that are executed one after the other
 * @vaddr: where they begin, 0 in an empty slot
 * @count: how many have been executed
 * @before: the same when what is marked began
 * @sum: how many were in what was marked
 */
struct block {
	uint64_t vaddr;
	uint64_t count;
	uint64_t before;
	uint64_t sum[NR_SUBJECTS];
};

/**
 * struct store - an instruction that writes to a line
 * @line: the number of the line
 * @code: the instruction, 0 in an empty slot
 * @call: the call by which a module got there, or 0
 * @subject: for whom
 * @count: how often, by processor
 */
struct store {
	uint64_t line;
	uint64_t code;
	uint64_t call;
	int subject;
	uint64_t count[MOST_CPUS];
};

static struct block *blocks;
static struct store *stores;
static unsigned int nr_blocks, nr_stores;
static const char *out;
static bool want_stores;

static int subject = MARK_NOBODY;
static uint64_t laps[NR_SUBJECTS];

/* Which processors are in what is marked, and how many. */
static bool active[MOST_CPUS];
static int nr_active;

/* By which call they have left a module, or 0. */
static uint64_t last_call[MOST_CPUS];

static void full(const char *what)
{
	fprintf(stderr, "profile-plugin: too many %s\n", what);
	exit(1);
}

static unsigned int slot_of(uint64_t value)
{
	return (value * 0x9e3779b97f4a7c15UL) >> 44;
}

static struct block *find_block(uint64_t vaddr)
{
	unsigned int slot = slot_of(vaddr);

	while (blocks[slot].vaddr && blocks[slot].vaddr != vaddr)
		slot = (slot + 1) % NR_SLOTS;
	if (!blocks[slot].vaddr) {
		if (++nr_blocks > NR_SLOTS / 2)
			full("blocks of instructions");
		blocks[slot].vaddr = vaddr;
	}
	return &blocks[slot];
}

static struct store *find_store(uint64_t line, uint64_t code, uint64_t call)
{
	unsigned int slot = slot_of(line ^ code << 20 ^ call << 40 ^ subject);
	struct store *store;

	for (;; slot = (slot + 1) % NR_SLOTS) {
		store = &stores[slot];
		if (!store->code)
			break;
		if (store->line == line && store->code == code && store->call == call &&
		    store->subject == subject)
			return store;
	}
	if (++nr_stores > NR_SLOTS / 2)
		full("stores");
	*store = (struct store){
		.line = line,
		.code = code,
		.call = call,
		.subject = subject,
	};
	return store;
}

static void on_store(unsigned int cpu, uint32_t info, uint64_t vaddr, void *code)
{
	/* Where QEMU 7.2 is asked for stores alone it tells of loads, too. */
	if (cpu < MOST_CPUS && active[cpu] && !subject && (vaddr & KERNEL) &&
	    qemu_plugin_mem_is_store(info))
		find_store(vaddr >> LINE_SHIFT, (uintptr_t)code, last_call[cpu])->count[cpu]++;
}

static void on_leaving(unsigned int cpu, void *call)
{
	if (cpu < MOST_CPUS)
		last_call[cpu] = (uintptr_t)call;
}

/* --- marks ---------------------------------------------------------------------- */

static void begin(unsigned int cpu)
{
	unsigned int slot;

	if (subject == MARK_NOBODY || cpu >= MOST_CPUS || active[cpu])
		return;
	active[cpu] = true;
	laps[subject]++;
	if (nr_active++)
		return;
	for (slot = 0; slot < NR_SLOTS; slot++)
		blocks[slot].before = blocks[slot].count;
}

static void end(unsigned int cpu)
{
	unsigned int slot;

	if (cpu >= MOST_CPUS || !active[cpu])
		return;
	active[cpu] = false;
	if (--nr_active)
		return;
	for (slot = 0; slot < NR_SLOTS; slot++)
		blocks[slot].sum[subject] += blocks[slot].count - blocks[slot].before;
}

static void on_mark(unsigned int cpu, void *data)
{
	int mark = (uintptr_t)data;

	if (mark == MARK_BEGIN)
		begin(cpu);
	else if (mark == MARK_END)
		end(cpu);
	else if (!nr_active)
		subject = mark;
}

/* The number of the mark that an instruction is, or -1. */
static int mark_of(const struct qemu_plugin_insn *insn)
{
	static const uint8_t nopl[] = { 0x0f, 0x1f, 0x80 };
	const uint8_t *data = qemu_plugin_insn_data(insn);
	uint32_t what;

	if (qemu_plugin_insn_size(insn) != sizeof(nopl) + sizeof(what) ||
	    memcmp(data, nopl, sizeof(nopl)))
		return -1;
	memcpy(&what, data + sizeof(nopl), sizeof(what));
	what ^= MARK_MAGIC;
	return what <= MARK_END ? (int)what : -1;
}

static void look_at(struct qemu_plugin_insn *insn)
{
	uintptr_t code = qemu_plugin_insn_vaddr(insn);
	intptr_t mark = mark_of(insn);

	if (mark >= 0)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, CB_NO_REGS,
						       (void *)mark);
	if (want_stores && (code & KERNEL))
		qemu_plugin_register_vcpu_mem_cb(insn, on_store, CB_NO_REGS, MEM_W,
						 (void *)code);
}

/* Whether the block ends with a call, or otherwise. */
static void look_at_end(struct qemu_plugin_tb *tb, struct qemu_plugin_insn *last)
{
	const uint8_t *data = qemu_plugin_insn_data(last);
	uintptr_t call = 0;

	if (*data == OPCODE_CALL)
		call = qemu_plugin_insn_vaddr(last);
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_leaving, CB_NO_REGS, (void *)call);
}

static void on_translation(uint64_t id, struct qemu_plugin_tb *tb)
{
	struct block *block = find_block(qemu_plugin_tb_vaddr(tb));
	size_t nr = qemu_plugin_tb_n_insns(tb), i;

	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD, &block->count, nr);
	for (i = 0; i < nr; i++)
		look_at(qemu_plugin_tb_get_insn(tb, i));
	if (want_stores && block->vaddr >= MODULES)
		look_at_end(tb, qemu_plugin_tb_get_insn(tb, nr - 1));
}

/* --- the result ------------------------------------------------------------------ */

static void write_block(FILE *file, const struct block *block)
{
	int i;

	for (i = 0; i < NR_SUBJECTS; i++)
		if (block->sum[i])
			fprintf(file, "code %d %016lx %lu\n", i, block->vaddr,
				block->sum[i]);
}

static void write_store(FILE *file, const struct store *store)
{
	if (store->code)
		fprintf(file, "store %d %016lx %016lx %016lx %lu %lu\n", store->subject,
			store->line << LINE_SHIFT, store->code, store->call,
			store->count[0], store->count[1]);
}

static void on_exit_of_emulator(uint64_t id, void *data)
{
	FILE *file = fopen(out, "w");
	unsigned int i;

	if (!file) {
		perror(out);
		return;
	}
	for (i = 0; i < NR_SUBJECTS; i++)
		if (laps[i])
			fprintf(file, "laps %u %lu\n", i, laps[i]);
	for (i = 0; i < NR_SLOTS; i++) {
		write_block(file, &blocks[i]);
		write_store(file, &stores[i]);
	}
	fclose(file);
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
		else if (!strcmp(argv[i], "stores=on"))
			want_stores = true;
		else
			fprintf(stderr, "profile-plugin: what is %s?\n", argv[i]);
	}
	blocks = calloc(NR_SLOTS, sizeof(*blocks));
	stores = calloc(NR_SLOTS, sizeof(*stores));
	if (!out || !blocks || !stores)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_of_emulator, NULL);
	return 0;
}
