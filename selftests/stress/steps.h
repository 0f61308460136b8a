/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Steps: what an actor may do next, by chance.
 */
#ifndef RHUGEFS_STRESS_STEPS_H
#define RHUGEFS_STRESS_STEPS_H

#include "child.h"
#include "machine.h"

/* --- files --------------------------------------------------------------- */

static inline void step_read(struct actor *actor)
{
	struct file *file = file_pick(actor);
	int page = page_pick(actor), part = pick(actor, PARTS);

	note(actor, "read file %d page %d part %d", file_nr(actor, file), page,
	     part);
	if (one_in(actor, 4))
		file_read_part(actor, file, page, part);
	else
		file_read_word(actor, file,
			       word_of(page, part, pick(actor, PART_WORDS)));
}

/*
 * Memory from which part of a page can be written, whose page comes at the first touch:
 * who writes holds what he holds for all that time. NULL where there is none of which the
 * contents are for sure. Between the words there is room for others.
 */
#define SOURCE_FROM	64

static inline char *source_pick(struct actor *actor, const struct file *file)
{
	struct map *map = map_pick(actor);
	struct rights rights;
	int nr;

	if (!map || map->is_private || map->file == file ||
	    !file_is_own(actor, map->file))
		return NULL;
	nr = map_pick_page(actor, map);
	rights = rights_begin(map, nr);
	if (map->page[nr].prot != (PROT_READ | PROT_WRITE) ||
	    !rights_kept(actor, &rights, map, PROT_WRITE))
		return NULL;
	return map->page[nr].at + pick(actor, PARTS - 1) * PART_SIZE +
	       SOURCE_FROM;
}

static inline void step_write(struct actor *actor)
{
	struct file *file = file_pick(actor);
	int page = page_pick(actor), part = part_pick(actor, file);
	int nr = pick(actor, PART_WORDS);
	char *source = pick(actor, 2) ? source_pick(actor, file) : NULL;

	note(actor, "write file %d page %d part %d from %p",
	     file_nr(actor, file), page, part, source);
	if (source || one_in(actor, 4))
		file_write(actor, file, word_of(page, part, 0), PART_WORDS,
			   source);
	else
		file_write(actor, file, word_of(page, part, nr), 1, NULL);
}

static inline void step_punch(struct actor *actor)
{
	struct file *file = file_pick(actor);
	unsigned long from = bytes_pick(actor, FILE_BYTES - 8);
	unsigned long to = from + 8 + bytes_pick(actor, 2 * HUGE);

	if (one_in(actor, 3))
		to = bytes_pick(actor, FILE_BYTES);
	if (to > FILE_BYTES || to <= from || one_in(actor, 3)) {
		from = page_pick(actor) * HUGE;
		to = from + HUGE;
	}
	file_punch(actor, file, from, to);
}

static inline void step_truncate(struct actor *actor)
{
	struct file *file = file_pick(actor);
	unsigned long size = bytes_pick(actor, FILE_BYTES);
	int i;

	if (file->is_steady)
		return;
	file_truncate(actor, file, size);
	for (i = 0; i < MAPS && file_is_own(actor, file); i++)
		if (actor->map[i].file == file)
			map_cut(&actor->map[i], size);
}

static inline void step_allocate(struct actor *actor)
{
	static const int modes[] = {
		0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
	};
	unsigned long from = bytes_pick(actor, FILE_BYTES - 8);
	unsigned long to = from + 8 + bytes_pick(actor, 2 * HUGE);

	file_allocate(actor, file_pick(actor), from,
		      to < FILE_BYTES ? to : FILE_BYTES,
		      modes[pick(actor, 4)]);
}

static inline void step_look_at_file(struct actor *actor)
{
	struct file *file = file_pick(actor);

	switch (pick(actor, 3)) {
	case 0:
		file_seek(actor, file);
		return;
	case 1:
		file_look(actor, file);
		return;
	default:
		file_advise(actor, file);
	}
}

static inline bool file_is_mapped(const struct actor *actor,
				  const struct file *file)
{
	int i;

	for (i = 0; i < MAPS; i++)
		if (actor->map[i].file == file)
			return true;
	return false;
}

static inline int file_open_own(struct actor *actor)
{
	char name[64];
	int fd;

	if (pick(actor, 2))
		return open(STRESS_DIR, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	sprintf(name, STRESS_DIR "/own.%d", actor->nr);
	fd = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	sure(actor, fd >= 0 && unlink(name) == 0);
	return fd;
}

/* A child may still look at what the file was. */
static inline void step_own_file(struct actor *actor)
{
	struct file *file = &actor->own[pick(actor, OWN_FILES)];

	if (file->id && file->fd >= 0) {
		file_close(actor, file);
		return;
	}
	if (actor->child || file_is_mapped(actor, file))
		return;
	note(actor, "begin file %d", file_nr(actor, file));
	file_begin(actor, file, file_open_own(actor));
	if (pick(actor, 2))
		file_truncate(actor, file, FILE_BYTES);
}

/* --- mappings ------------------------------------------------------------ */

static inline void step_map(struct actor *actor)
{
	struct map *map = &actor->map[pick(actor, MAPS)];

	if (map->file)
		map_end(actor, map);
	map_make(actor, map, file_pick(actor));
}

static inline void touch(struct actor *actor, struct map *map, int page)
{
	int nr = pick(actor, PART_WORDS), part;

	if (pick(actor, 2)) {
		part = pick(actor, PARTS);
		note(actor, "load map %d page %d part %d word %d",
		     map_nr(actor, map), page, part, nr);
		map_load(actor, map, word_of(page, part, nr));
		return;
	}
	part = map->is_private ? pick(actor, PARTS) :
				 part_pick(actor, map->file);
	note(actor, "store map %d page %d part %d word %d", map_nr(actor, map),
	     page, part, nr);
	if (map->is_private)
		map_store_private(actor, map, word_of(page, part, nr));
	else
		map_store_shared(actor, map, word_of(page, part, nr));
}

/* Several in a row, so that others come in between. */
static inline void step_touch(struct actor *actor)
{
	struct map *map = map_pick(actor);
	int page, touches = 1 + pick(actor, 12);

	if (!map)
		return;
	page = map_pick_page(actor, map);
	while (touches--)
		touch(actor, map, page);
}

static inline void step_change_map(struct actor *actor)
{
	int page, pages;
	struct map *map = map_pick_part(actor, &page, &pages);

	if (!map)
		return;
	switch (pick(actor, 12)) {
	case 0:
		map_unmap(actor, map, page, pages);
		return;
	case 1:
	case 2:
		map_protect(actor, map, page, pages);
		return;
	case 3:
	case 4:
		map_move(actor, map, page, one_in(actor, 3) ? pages : 1);
		return;
	case 5:
		map_bind(actor, map, page, pages);
		return;
	case 6:
		map_lock_memory(actor, map, page, pages);
		return;
	case 7:
	case 8:
		map_populate(actor, map, page);
		return;
	case 9:
		map_advise(actor, map, page);
		return;
	default:
		if (map->is_private || one_in(actor, 4))
			map_drop(actor, map, page, pages);
		else if (map->page[page].prot & PROT_WRITE)
			map_remove(actor, map, page);
	}
}

/* --- files to mappings and back ------------------------------------------ */

/* In a part of a page, bytes among which there is no word. */
#define COPY_FROM	8
#define COPY_MOST	0x1f000

/**
 * struct copy - bytes to be copied between a file and a mapping, maybe of the same file
 * @map: the mapping
 * @page: a page of it
 * @at: where in memory
 * @file: the file
 * @to: a page of it
 * @pos: where in it
 * @bytes: how many
 */
struct copy {
	struct map *map;
	int page;
	char *at;
	struct file *file;
	int to;
	loff_t pos;
	unsigned long bytes;
};

static inline struct copy copy_pick(struct actor *actor, struct map *map)
{
	struct copy copy = {
		.map = map, .page = map_pick_page(actor, map),
		.file = file_pick(actor), .to = page_pick(actor),
		.bytes = 1 + pick(actor, COPY_MOST),
	};

	/* The kernel may write to either side. */
	copy.at = map->page[copy.page].at + COPY_FROM +
		  part_pick(actor, map->file) * PART_SIZE;
	copy.pos = copy.to * HUGE + COPY_FROM +
		   part_pick(actor, copy.file) * PART_SIZE;
	return copy;
}

/* The page from which is written may go while that is done. */
static inline void copy_write(struct actor *actor, const struct copy *copy)
{
	struct promises promises = promises_begin(copy->file, copy->to,
						  copy->to + 1);
	struct rights rights = rights_begin(copy->map, copy->page);
	unsigned int start = now(actor);
	ssize_t written = pwrite(copy->file->fd, copy->at, copy->bytes,
				 copy->pos);

	if (written < 0 && errno == ENOSPC) {
		may_be_refused(actor, &promises, errno, ENOSPC);
		return;
	}
	sure(actor, written > 0 || errno == EFAULT);
	if (written < (ssize_t)copy->bytes) {
		map_settle(actor, copy->map, copy->page, &rights, PROT_READ,
			   REFUSED);
		return;
	}
	file_was_promised(actor, copy->file, copy->to, copy->to + 1, start);
	file_grew(actor, copy->file, copy->pos + copy->bytes, start);
}

static inline void copy_read(struct actor *actor, const struct copy *copy)
{
	struct hold whole = page_is_whole(&copy->file->page[copy->to]);
	struct rights rights = rights_begin(copy->map, copy->page);
	ssize_t bytes = pread(copy->file->fd, copy->at, copy->bytes, copy->pos);

	if (copy->map->is_private)
		map_page_filled(&copy->map->page[copy->page]);
	sure(actor, bytes >= 0 || errno == EFAULT);
	if (bytes < 0 || (bytes < (ssize_t)copy->bytes && hold_kept(&whole)))
		map_settle(actor, copy->map, copy->page, &rights, PROT_WRITE,
			   REFUSED);
}

/* From a file to another one, or to itself. */
static inline void copy_file(struct actor *actor, const struct copy *copy)
{
	struct promises promises = promises_begin(copy->file, copy->to,
						  copy->to + 1);
	struct file *from = file_pick(actor);
	loff_t source = page_pick(actor) * HUGE + COPY_FROM, pos = copy->pos;
	ssize_t bytes;

	/* The same bytes of the same file are refused. */
	if (from == copy->file)
		return;
	bytes = copy_file_range(from->fd, &source, copy->file->fd, &pos,
				copy->bytes, 0);
	if (bytes < 0)
		may_be_refused(actor, &promises, errno, ENOSPC);
}

static inline void step_copy(struct actor *actor)
{
	struct map *map = map_pick(actor);
	int how = pick(actor, 3);
	struct copy copy;

	if (!map)
		return;
	copy = copy_pick(actor, map);
	note(actor, "copy %d %#lx bytes, map %d page %d, file %d at %#lx", how,
	     copy.bytes, map_nr(actor, map), copy.page,
	     file_nr(actor, copy.file), copy.pos);
	if (!how)
		copy_write(actor, &copy);
	else if (how == 1)
		copy_read(actor, &copy);
	else
		copy_file(actor, &copy);
}

/* --- killing ------------------------------------------------------------- */

/* The one whom it hits is in the middle of something, but for oneself. */
static inline void step_kill(struct actor *actor)
{
	struct run *run = actor->run;
	int nr = pick(actor, run->workers);
	pid_t pid = load(&run->worker[nr]);

	if (!pid)
		return;
	note(actor, "kill worker %d", nr);
	store(&run->is_killed[nr], true);
	/* It may be the last that this actor does. */
	count(&run->tally.ended);
	kill(pid, SIGKILL);
}

/* --- any ----------------------------------------------------------------- */

/* How often each is done, among all others. */
static const struct {
	int weight;
	void (*step)(struct actor *actor);
} steps[] = {
	{ 120, step_read },
	{ 100, step_write },
	{ 30, step_copy },
	{ 24, step_punch },
	{ 16, step_truncate },
	{ 24, step_allocate },
	{ 20, step_look_at_file },
	{ 24, step_own_file },
	{ 80, step_map },
	{ 400, step_touch },
	{ 120, step_change_map },
	{ 20, step_fork },
	{ 16, step_pin },
	{ 5, step_policy },
	{ 4, step_resize },
	{ 1, step_watermarks },
	{ 1, step_memory_short },
	{ 3, step_remount },
	{ 12, step_name },
	{ 3, step_look },
	{ 1, step_kill },
};

static inline void step_any(struct actor *actor)
{
	step_begin(actor);
	weights_at(steps, pick(actor, weights_sum(steps)))->step(actor);
}

#endif
