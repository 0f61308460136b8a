// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random sequences of everything that can be done to private mappings, one thing
 * at a time, in a family of processes: after each step what they see and what the
 * pool counts must be what a simple model says.
 *
 * The model knows of each process which copy of which page it holds, who else
 * holds the same, and how many pages are left that nobody was promised. So it can
 * tell in advance which write is SIGBUS, and from whom the owner takes a page.
 */
#include <linux/falloc.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/mount.h>

#include "private_test.h"

#define PAGES		5UL
#define PROCS		7
#define STEPS		500
/* Everything is looked at after so many. */
#define STEPS_CHECK	25

/* Bytes of a page that are ever written to; all others stay zero. */
#define CELLS		8

static const unsigned long cell_at[CELLS] = {
	0, 1, 4095, 4096, 1000003, HUGE / 2, HUGE - 4096, HUGE - 1,
};

struct content {
	char cell[CELLS];
};

/* In place of a copy's number. */
#define NO_COPY		-1
#define TAKEN		-2

/* What a process has of its own at one index. */
struct seen {
	bool mapped;
	/* It was promised a page here, ... */
	bool owner;
	/* ... and if so has not consumed it for that which it has. */
	bool inherited;
	/* Dropped, but the owner keeps its claim while others hold it. */
	bool dropped;
	/* The next index is not in the same piece. */
	bool ends;
	int copy;
	char *at;
};

struct proc {
	pid_t pid;		/* 0: nobody */
	struct seen page[PAGES];
	/* Through which it is told what to do. */
	int orders[2];
	int answers[2];
};

#define COPIES		(PROCS * PAGES + 1)

struct copy {
	int holders;
	struct content content;
};

#define HISTORY		40

static struct {
	pid_t test;
	int fd;
	char *file_map;
	struct proc proc[PROCS];
	/* That which has made the mapping, NULL when it has gone. */
	struct proc *first;
	struct copy copy[COPIES];
	bool file_has[PAGES];
	struct content file[PAGES];
	/* Somebody has dropped something since somebody has written something. */
	bool dropped;
	/* Whether children are promised pages. */
	bool fork_reserve;
	/* In huge pages. */
	long used;
	long resv;
	long unpromised_before;
	/* What a process is to see, for it to compare. */
	struct content *want;
	unsigned long state;
	char history[HISTORY][80];
	unsigned long steps;
} model;

static unsigned long pick(unsigned long n)
{
	return chance_of(&model.state, n);
}

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(model.history[model.steps % HISTORY],
		  sizeof(model.history[0]), format, args);
	va_end(args);
}

static void tell_history(void)
{
	unsigned long i = model.steps < HISTORY ? 0 : model.steps - HISTORY + 1;

	for (; i <= model.steps; i++)
		dprintf(STDOUT_FILENO, "# step %lu: %s\n", i,
			model.history[i % HISTORY]);
}

/* Which copy each process has at an index, and how many hold it. */
static void tell_index(int page)
{
	struct seen *seen;
	int i;

	for (i = 0; i < PROCS; i++) {
		seen = &model.proc[i].page[page];
		if (!model.proc[i].pid || !seen->mapped)
			continue;
		dprintf(STDOUT_FILENO, "# %d at %d: copy %d of %d%s%s%s\n", i,
			page, seen->copy,
			seen->copy < 0 ? 0 : model.copy[seen->copy].holders,
			seen->owner ? ", owner" : "",
			seen->inherited ? ", inherited" : "",
			seen->dropped ? ", dropped" : "");
	}
	dprintf(STDOUT_FILENO, "# used %ld, reserved %ld, unpromised %ld\n",
		model.used, model.resv,
		model.unpromised_before - model.used - model.resv);
}

/* --- the model ----------------------------------------------------------- */

static long unpromised(void)
{
	return model.unpromised_before - model.used - model.resv;
}

static int copy_new(const struct content *content)
{
	int i;

	for (i = 0; model.copy[i].holders; i++)
		must(i < COPIES - 1);
	model.copy[i] = (struct copy){ 1, *content };
	model.used++;
	return i;
}

static void copy_drop(int copy)
{
	if (!--model.copy[copy].holders)
		model.used--;
}

/* Whether what was promised for an index is in use. */
static bool consumed(const struct seen *seen)
{
	return seen->owner && seen->copy >= 0 && !seen->inherited;
}

/* Let a process show the file at an index. */
static void model_give_up(struct seen *seen)
{
	bool alone;

	if (consumed(seen)) {
		alone = model.copy[seen->copy].holders == 1;
		if (!alone && unpromised() <= 0) {
			seen->dropped = true;
			return;
		}
		model.resv++;
	}
	if (seen->copy >= 0)
		copy_drop(seen->copy);
	seen->copy = NO_COPY;
	seen->dropped = false;
	seen->inherited = false;
}

/* What was dropped and kept goes as soon as that can be. */
static void model_settle(void)
{
	struct seen *seen;
	int i, page;

	for (i = 0; i < PROCS; i++) {
		for (page = 0; model.proc[i].pid && page < PAGES; page++) {
			seen = &model.proc[i].page[page];
			if (seen->dropped)
				model_give_up(seen);
		}
	}
}

static void model_take_back(struct proc *owner, int page)
{
	int copy = owner->page[page].copy, i;
	struct seen *seen;

	for (i = 0; i < PROCS; i++) {
		seen = &model.proc[i].page[page];
		if (&model.proc[i] == owner || !model.proc[i].pid ||
		    seen->copy != copy)
			continue;
		seen->copy = TAKEN;
		if (seen->owner) {
			model.resv--;
			seen->copy = copy_new(&model.copy[copy].content);
		}
		seen->inherited = false;
		copy_drop(copy);
	}
	must(model.copy[copy].holders == 1);
}

/* What a process sees, NULL for SIGBUS. */
static const struct content *model_look(struct proc *proc, int page)
{
	struct seen *seen = &proc->page[page];

	if (seen->dropped || seen->copy == NO_COPY)
		return &model.file[page];
	return seen->copy == TAKEN ? NULL : &model.copy[seen->copy].content;
}

/* Make a page the process's own; false for SIGBUS. */
static bool model_own(struct proc *proc, int page)
{
	const struct content *shown = model_look(proc, page);
	struct seen *seen = &proc->page[page];
	struct content content;
	int old = seen->copy;

	if (!shown)
		return false;
	content = *shown;
	if (old >= 0 && model.copy[old].holders == 1) {
		model.copy[old].content = content;
		/* The page that was promised is not needed. */
		model.resv -= seen->owner && seen->inherited;
		seen->inherited = false;
	} else if ((seen->owner && !consumed(seen)) || unpromised() > 0) {
		model.resv -= seen->owner && !consumed(seen);
		seen->copy = copy_new(&content);
		seen->inherited = false;
		if (old >= 0)
			copy_drop(old);
	} else if (old >= 0 && seen->owner) {
		model_take_back(proc, page);
		model.copy[old].content = content;
	} else {
		return false;
	}
	seen->dropped = false;
	return true;
}

/* The first piece of a process's that begins at or behind an address. */
static struct seen *model_next_piece(struct proc *proc, const char *from)
{
	struct seen *found = NULL, *seen;
	int page;

	for (page = 0; page < PAGES; page++) {
		seen = &proc->page[page];
		if (seen->mapped && (!page || seen[-1].ends) &&
		    seen->at >= from && (!found || seen->at < found->at))
			found = seen;
	}
	return found;
}

/* One piece after the other is promised all that it needs, or nothing. */
static void model_fork_reserve(struct proc *child)
{
	struct seen *piece = NULL, *seen;
	const char *from = NULL;
	long pages;

	while ((piece = model_next_piece(child, from))) {
		for (seen = piece; !seen->ends; seen++)
			;
		pages = seen - piece + 1;
		from = seen->at + HUGE;
		if (unpromised() < pages)
			continue;
		model.resv += pages;
		for (seen = piece; seen < piece + pages; seen++)
			seen->owner = true;
	}
}

static void model_fork(struct proc *parent, struct proc *child)
{
	struct seen *seen;
	int page;

	memcpy(child->page, parent->page, sizeof(child->page));
	for (page = 0; page < PAGES; page++)
		child->page[page].owner = false;
	if (model.fork_reserve)
		model_fork_reserve(child);
	for (page = 0; page < PAGES; page++) {
		seen = &child->page[page];
		seen->inherited = seen->copy >= 0 && !seen->dropped;
		if (seen->dropped) {
			seen->dropped = false;
			seen->copy = NO_COPY;
		} else if (seen->copy >= 0) {
			model.copy[seen->copy].holders++;
		}
	}
}

/* A page becomes a piece of its own. */
static void model_split(struct proc *proc, int page)
{
	proc->page[page].ends = true;
	if (page)
		proc->page[page - 1].ends = true;
}

static void model_unmap(struct proc *proc, int page)
{
	struct seen *seen = &proc->page[page];

	if (!seen->mapped)
		return;
	model_split(proc, page);
	model.resv -= seen->owner && !consumed(seen);
	if (seen->copy >= 0)
		copy_drop(seen->copy);
	seen->copy = NO_COPY;
	seen->dropped = false;
	seen->inherited = false;
	seen->mapped = false;
}

static void model_end(struct proc *proc)
{
	int page;

	for (page = 0; page < PAGES; page++)
		model_unmap(proc, page);
	if (proc == model.first)
		model.first = NULL;
	proc->pid = 0;
}

static void model_punch(int page)
{
	model.used -= model.file_has[page];
	model.file_has[page] = false;
	memset(&model.file[page], 0, sizeof(model.file[page]));
}

static void model_truncate(int from)
{
	int i, page;

	for (page = from; page < PAGES; page++)
		model_punch(page);
	for (i = 0; i < PROCS; i++)
		for (page = from; model.proc[i].pid && page < PAGES; page++)
			model_give_up(&model.proc[i].page[page]);
}

/* --- the processes ------------------------------------------------------- */

/* Unlike a peer's parent, his may end before he does; the test must not. */
static void __attribute__((noreturn)) serve(struct proc *proc)
{
	struct pollfd poll_for = { proc->orders[0], POLLIN };
	struct peer_order order;
	long answer;

	for (;;) {
		if (poll(&poll_for, 1, 500) <= 0) {
			if (kill(model.test, 0))
				_exit(0);
			continue;
		}
		must(read(proc->orders[0], &order, sizeof(order)) ==
		     sizeof(order));
		if (!order.work)
			_exit(0);
		answer = order.work(order.arg[0], order.arg[1], order.arg[2]);
		must(write(proc->answers[1], &answer, sizeof(answer)) ==
		     sizeof(answer));
	}
}

static long ask(struct proc *proc, long (*work)(long a, long b, long c),
		long a, long b, long c)
{
	struct pollfd poll_for = { proc->answers[0], POLLIN };
	struct peer_order order = { work, { a, b, c } };
	long answer;

	must(write(proc->orders[1], &order, sizeof(order)) == sizeof(order));
	must(poll(&poll_for, 1, SYNC_PATIENCE * 1000) == 1);
	must(read(proc->answers[0], &answer, sizeof(answer)) == sizeof(answer));
	return answer;
}

static long work_map(long flags, long b, long c)
{
	return (long)map_private(model.fd, 0, PAGES, flags);
}

static long work_fork(long slot, long b, long c)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid)
		serve(&model.proc[slot]);
	return pid;
}

static bool shows(const char *map, const struct content *want)
{
	unsigned long at = 0;
	int i;

	for (i = 0; i < CELLS; i++) {
		if (!bytes_are(map + at, 0, cell_at[i] - at) ||
		    map[cell_at[i]] != want->cell[i])
			return false;
		at = cell_at[i] + 1;
	}
	return at == HUGE || bytes_are(map + at, 0, HUGE - at);
}

static bool cells_show(const char *map, const struct content *want)
{
	int i;

	for (i = 0; i < CELLS; i++)
		if (map[cell_at[i]] != want->cell[i])
			return false;
	return true;
}

/* -1 for SIGBUS. */
static long work_look(long at, long all, long c)
{
	const char *map = (const char *)at;

	if (!can_read(map))
		return -1;
	return all ? shows(map, model.want) : cells_show(map, model.want);
}

static long work_move(long from, long to, long c)
{
	return moved_to((char *)from, (char *)to, 1);
}

static long work_find_place(long a, long b, long c)
{
	return (long)nothing_there(1);
}

/* There and back: what was writable must be found out anew. */
static long work_protect(long at, long b, long c)
{
	return mprotect((char *)at, HUGE, PROT_READ) == 0 &&
	       mprotect((char *)at, HUGE, PROT_READ | PROT_WRITE) == 0;
}

/* --- steps --------------------------------------------------------------- */

static struct proc *any_proc(void)
{
	struct proc *proc;

	do
		proc = &model.proc[pick(PROCS)];
	while (!proc->pid);
	return proc;
}

static int alive(void)
{
	int i, count = 0;

	for (i = 0; i < PROCS; i++)
		count += model.proc[i].pid != 0;
	return count;
}

static int number(struct proc *proc)
{
	return proc - model.proc;
}

/* One of a process's pages that are still mapped; NULL where there is none. */
static struct seen *any_page(struct proc *proc, int *page)
{
	*page = pick(PAGES);
	return proc->page[*page].mapped ? &proc->page[*page] : NULL;
}

static bool look(struct proc *proc, int page, bool all)
{
	const struct content *want = model_look(proc, page);
	long got;

	if (want)
		*model.want = *want;
	got = ask(proc, work_look, (long)proc->page[page].at, all, 0);
	if (got == (want ? 1 : -1))
		return true;
	dprintf(STDOUT_FILENO, "# process %d, page %d: %s, but %s\n",
		number(proc), page, want ? "it should be there" : "should be SIGBUS",
		got < 0 ? "it is SIGBUS" : "its contents are others");
	return false;
}

static bool step_look(void)
{
	struct proc *proc = any_proc();
	int page;

	if (!any_page(proc, &page))
		return true;
	note("%d looks at %d", number(proc), page);
	return look(proc, page, false);
}

/* A page may be touched first by the kernel, on somebody else's behalf. */
static bool write_from_here(struct proc *proc, char *at, char value)
{
	struct iovec local = { &value, 1 }, remote = { at, 1 };
	ssize_t done = process_vm_writev(proc->pid, &local, 1, &remote, 1, 0);

	must(done == 1 || (done < 0 && errno == EFAULT));
	return done == 1;
}

static bool write_somehow(struct proc *proc, bool from_here, char *at, char value)
{
	return from_here ? write_from_here(proc, at, value) :
			   ask(proc, order_write, (long)at, value, 0);
}

/*
 * What somebody has dropped is still his for a moment, in which who holds the same
 * page may be refused a copy. It is tried again where the model sees no reason.
 */
static bool write_or_try_again(struct proc *proc, bool from_here, char *at,
			       char value, bool can)
{
	long end = now_ms() + POOL_PATIENCE;
	bool did = write_somehow(proc, from_here, at, value);

	while (can && !did && model.dropped && now_ms() < end) {
		usleep(20000);
		did = write_somehow(proc, from_here, at, value);
	}
	model.dropped = false;
	return did;
}

static bool step_write(void)
{
	struct proc *proc = any_proc();
	int page, cell = pick(CELLS);
	char value = 1 + pick(100);
	bool from_here = !pick(5), can, did;
	struct seen *seen = any_page(proc, &page);

	if (!seen)
		return true;
	note("%d writes %d to cell %d of %d%s", number(proc), value, cell, page,
	     from_here ? " by process_vm_writev" : "");
	can = model_own(proc, page);
	if (can)
		model.copy[seen->copy].content.cell[cell] = value;
	did = write_or_try_again(proc, from_here, seen->at + cell_at[cell],
				 value, can);
	if (can == did)
		return true;
	dprintf(STDOUT_FILENO, "# it %s have been SIGBUS; should be now:\n",
		can ? "should not" : "should");
	tell_index(page);
	return false;
}

static bool step_write_file(void)
{
	int page = pick(PAGES), cell = pick(CELLS);
	char value = 1 + pick(100);
	bool can = model.file_has[page] || unpromised() > 0;

	note("the file gets %d in cell %d of %d", value, cell, page);
	if (can) {
		model.used += !model.file_has[page];
		model.file_has[page] = true;
		model.file[page].cell[cell] = value;
	}
	return can_write_value(model.file_map + page * HUGE + cell_at[cell],
			       value) == can;
}

static bool step_fork(void)
{
	struct proc *parent = any_proc(), *child = model.proc;

	while (child < model.proc + PROCS && child->pid)
		child++;
	if (child == model.proc + PROCS)
		return true;
	note("%d forks %d", number(parent), number(child));
	child->pid = ask(parent, work_fork, number(child), 0, 0);
	model_fork(parent, child);
	return true;
}

static bool step_drop(void)
{
	struct proc *proc = any_proc();
	int page;
	struct seen *seen = any_page(proc, &page);

	if (!seen)
		return true;
	note("%d drops %d", number(proc), page);
	must(ask(proc, order_drop, (long)seen->at, HUGE, 0) == 0);
	model_give_up(seen);
	model.dropped = true;
	return true;
}

static bool step_drop_part(void)
{
	struct proc *proc = any_proc();
	int page;
	struct seen *seen = any_page(proc, &page);
	unsigned long small = pick(510);

	if (!seen)
		return true;
	note("%d drops parts of %d", number(proc), page);
	must(ask(proc, order_drop, (long)seen->at + 4096, small * 4096, 0) == 0);
	return true;
}

static bool step_unmap(void)
{
	struct proc *proc = any_proc();
	int page;
	struct seen *seen = any_page(proc, &page);

	/* Else nothing is left to play with. */
	if (!seen || pick(3))
		return true;
	note("%d unmaps %d", number(proc), page);
	must(ask(proc, order_unmap, (long)seen->at, 1, 0) == 0);
	model_unmap(proc, page);
	return true;
}

static bool step_move(void)
{
	struct proc *proc = any_proc();
	int page;
	struct seen *seen = any_page(proc, &page);
	long place;

	if (!seen)
		return true;
	note("%d moves %d", number(proc), page);
	place = ask(proc, work_find_place, 0, 0, 0);
	must(ask(proc, work_move, (long)seen->at, place, 0));
	seen->at = (char *)place;
	model_split(proc, page);
	return true;
}

static bool step_protect(void)
{
	struct proc *proc = any_proc();
	int page;
	struct seen *seen = any_page(proc, &page);

	if (!seen)
		return true;
	note("%d protects %d", number(proc), page);
	model_split(proc, page);
	return ask(proc, work_protect, (long)seen->at, 0, 0);
}

/* End a process, and wait until nothing is mapped in it any more. */
static void end(struct proc *proc, bool asked)
{
	struct peer_order order = { NULL };
	struct pollfd poll_for = {
		.fd = syscall(SYS_pidfd_open, proc->pid, 0),
		.events = POLLIN,
	};

	must(poll_for.fd >= 0);
	if (asked)
		must(write(proc->orders[1], &order, sizeof(order)) ==
		     sizeof(order));
	else
		must(kill(proc->pid, SIGKILL) == 0);
	must(poll(&poll_for, 1, SYNC_PATIENCE * 1000) == 1);
	close(poll_for.fd);
	model_end(proc);
}

static bool step_end(void)
{
	struct proc *proc = any_proc();
	bool asked = pick(2);

	/* The owner's end is the more interesting the more it leaves behind. */
	if (alive() == 1 || (proc == model.first && pick(8)))
		return true;
	note("%d %s", number(proc), asked ? "exits" : "is killed");
	end(proc, asked);
	return true;
}

static bool step_truncate(void)
{
	int from = pick(PAGES);

	if (pick(3))
		return true;
	note("the file is truncated to %d pages and extended", from);
	must(ftruncate(model.fd, from * HUGE) == 0);
	must(ftruncate(model.fd, PAGES * HUGE) == 0);
	model_truncate(from);
	return true;
}

static bool step_punch(void)
{
	int page = pick(PAGES);

	note("a hole is punched at %d", page);
	must(fallocate(model.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       page * HUGE, HUGE) == 0);
	model_punch(page);
	return true;
}

static bool (*const steps[])(void) = {
	step_look, step_look, step_look, step_write, step_write, step_write,
	step_write, step_write, step_write_file, step_write_file, step_fork,
	step_fork, step_fork, step_drop, step_drop, step_drop_part, step_unmap,
	step_move, step_protect, step_end, step_truncate, step_punch,
};

static bool look_at_all(void)
{
	int i, page;

	for (i = 0; i < PROCS; i++)
		for (page = 0; model.proc[i].pid && page < PAGES; page++)
			if (model.proc[i].page[page].mapped &&
			    !look(&model.proc[i], page, true))
				return false;
	return true;
}

/* --- the test ------------------------------------------------------------ */

RHUGEFS_FIXTURE(model);

FIXTURE_VARIANT(model) {
	int flags;
	bool fork_reserve;
	long left;		/* to anybody, when all is mapped; 0: plenty */
};

FIXTURE_VARIANT_ADD(model, plenty) {
	.left = 0,
};

FIXTURE_VARIANT_ADD(model, few_pages) {
	.left = 6,
};

FIXTURE_VARIANT_ADD(model, no_page) {
	.left = -1,
};

FIXTURE_VARIANT_ADD(model, unreserved) {
	.flags = MAP_NORESERVE, .left = 12,
};

FIXTURE_VARIANT_ADD(model, fork_reserve) {
	.fork_reserve = true,
};

FIXTURE_VARIANT_ADD(model, fork_reserve_of_few_pages) {
	.fork_reserve = true, .left = 12,
};

/* A file on a mount of its own, which goes when the file does. */
static int file_on_mount(const char *options)
{
	char dir[] = "/tmp/private_model.XXXXXX";
	int fd;

	must(mkdtemp(dir));
	must(mount("none", dir, "rhugefs", 0, options) == 0);
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	must(fd >= 0);
	must(umount2(dir, MNT_DETACH) == 0);
	must(rmdir(dir) == 0);
	return fd;
}

static void begin(const struct pools *before,
		  FIXTURE_VARIANT(model) const *variant)
{
	struct proc *first = model.first = model.proc;
	int i, page, flags = variant->flags;
	long left = variant->left;
	char *map;

	signal(SIGCHLD, SIG_IGN);
	model.state = seed_get();
	model.test = getpid();
	model.want = share(sizeof(*model.want));
	model.unpromised_before = before->all.free - before->all.resv;
	model.fork_reserve = variant->fork_reserve;
	model.fd = file_on_mount(model.fork_reserve ? "fork_reserve" : "");
	must(ftruncate(model.fd, PAGES * HUGE) == 0);
	model.file_map = map_huge(model.fd, 0, PAGES, MAP_NORESERVE);
	must(model.file_map);
	for (i = 0; i < PROCS; i++)
		must(pipe2(model.proc[i].orders, O_CLOEXEC) == 0 &&
		     pipe2(model.proc[i].answers, O_CLOEXEC) == 0);
	first->pid = work_fork(0, 0, 0);
	map = (char *)ask(first, work_map, flags, 0, 0);
	must(map);
	model.resv = flags ? 0 : PAGES;
	for (page = 0; page < PAGES; page++)
		first->page[page] = (struct seen){
			.mapped = true,
			.owner = !flags,
			.ends = page == PAGES - 1,
			.copy = NO_COPY,
			.at = map + page * HUGE,
		};
	if (!left)
		return;
	left = left < 0 ? 0 : left;
	model.resv += unpromised() - left;
	leave_unpromised(left);
}

TEST_F_TIMEOUT(model, is_followed, 120)
{
	bool right = true;

	begin(&self->before, variant);
	for (model.steps = 0; right && model.steps < STEPS; model.steps++) {
		note("nothing");
		right = steps[pick(sizeof(steps) / sizeof(*steps))]();
		model_settle();
		right = right &&
			pools_moved(&self->before, model.used, model.resv);
		if (right && model.steps % STEPS_CHECK == STEPS_CHECK - 1)
			right = look_at_all() && selfcheck_ok();
		if (!right)
			tell_history();
	}
	while (alive()) {
		end(any_proc(), false);
		model_settle();
		right = right &&
			pools_moved(&self->before, model.used, model.resv);
	}
	ASSERT_TRUE(right);
}

TEST_HARNESS_MAIN
