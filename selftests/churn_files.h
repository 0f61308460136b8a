/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files and mappings of churn.c, and what must be in them: who was told yes is
 * never refused, and finds what he has written.
 */
#ifndef RHUGEFS_CHURN_FILES_H
#define RHUGEFS_CHURN_FILES_H

#include <linux/falloc.h>

#include "churn.h"

/* --- files --------------------------------------------------------------- */

static inline struct file *file_slot(struct churner *churner)
{
	int i;

	for (i = 0; i < FILES; i++)
		if (churner->file[i].kind == FILE_NONE)
			return &churner->file[i];
	return NULL;
}

/* One that is open, or NULL. */
static inline struct file *file_pick(struct churner *churner)
{
	int from = pick(churner, FILES), i;
	struct file *file;

	for (i = 0; i < FILES; i++) {
		file = &churner->file[(from + i) % FILES];
		if (file->kind != FILE_NONE && file->fd >= 0)
			return file;
	}
	return NULL;
}

/* A directory that stays the same whatever is mounted meanwhile, or -1. */
static inline int place_open(const struct place *place)
{
	int fd = open(place->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	must(fd >= 0 && fstatfs(fd, &fs) == 0);
	if (fs.f_type == MAGIC)
		return fd;
	/* Only of the one that all share nobody knows. */
	must(!place->mounted || strstr(place->dir, "shared"));
	close(fd);
	return -1;
}

static inline int file_open(struct churner *churner, struct place *place,
			    const char *name)
{
	int dir = place_open(place), fd;

	if (dir < 0)
		return -1;
	if (name)
		fd = openat(dir, name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	else
		fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	must(fd >= 0 || (errno == ENOSPC &&
			 (place->limited || place == &churner->churn->place)));
	close(dir);
	return fd;
}

static inline void file_begin(struct file *file, int fd, int kind,
			      struct place *place)
{
	int i;

	*file = (struct file){
		.fd = fd, .kind = kind, .place = place, .life = place->life,
	};
	for (i = 0; i < FILE_MOST && kind != FILE_OWN; i++)
		file->value[i] = UNKNOWN;
}

/* What has neither a descriptor nor a mapping nobody can do anything with. */
static inline void file_forget(struct file *file)
{
	if (file->fd < 0 && !file->maps)
		file->kind = FILE_NONE;
}

static inline void file_cut(struct churner *churner, struct file *file,
			    long from, long to)
{
	long i;

	for (i = from; i < to && i < FILE_MOST; i++) {
		file->promised[i] = false;
		file->value[i] = 0;
	}
}

static inline void file_promise(struct file *file, long from, long pages)
{
	long i;

	for (i = from; i < from + pages; i++)
		file->promised[i] = true;
}

/* How much of a range is not promised, as far as this process knows. */
static inline long file_lacks(const struct file *file, long from, long pages)
{
	long i, lacks = 0;

	for (i = from; i < from + pages; i++)
		lacks += !file->promised[i];
	return lacks;
}

static inline void file_grow(struct file *file, long pages)
{
	if (file->pages < pages)
		file->pages = pages;
}

/* Private pages end with the size, but not with a hole. */
static inline void file_truncate(struct churner *churner, struct file *file,
				 long pages)
{
	struct map *map;
	long i;

	note(churner, "truncate %d from %ld to %ld",
	     (int)(file - churner->file), file->pages, pages);
	must(ftruncate(file->fd, pages * HUGE) == 0);
	if (file->kind == FILE_WILD)
		return;
	file_cut(churner, file, pages, FILE_MOST);
	file->pages = pages;
	for (map = churner->map; map < churner->map + MAPS; map++)
		for (i = pages; i < FILE_MOST && map->file == file; i++)
			map->own[i] = NO_PAGE;
}

static inline void file_punch(struct churner *churner, struct file *file,
			      long from, long pages)
{
	note(churner, "punch %d at %ld, %ld pages",
	     (int)(file - churner->file), from, pages);
	must(fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       from * HUGE, pages * HUGE) == 0);
	if (file->kind != FILE_WILD)
		file_cut(churner, file, from, from + pages);
}

static inline void file_allocate(struct churner *churner, struct file *file,
				 long from, long pages)
{
	int keep = pick(churner, 2) ? FALLOC_FL_KEEP_SIZE : 0;

	note(churner, "allocate in %d at %ld, %ld pages%s",
	     (int)(file - churner->file), from, pages,
	     keep ? ", keep the size" : "");
	if (fallocate(file->fd, keep, from * HUGE, pages * HUGE)) {
		must(errno == ENOSPC && file_lacks(file, from, pages));
		return;
	}
	if (file->kind == FILE_WILD)
		return;
	file_promise(file, from, pages);
	if (!keep)
		file_grow(file, from + pages);
}

/* --- mappings ------------------------------------------------------------ */

static inline void map_begin(struct map *map, struct file *file, char *at,
			     long from, long pages, int flags)
{
	long i;

	*map = (struct map){
		.file = file, .at = at, .from = from, .pages = pages,
		.is_private = flags & MAP_PRIVATE,
		.reserved = !(flags & MAP_NORESERVE),
	};
	for (i = 0; i < FILE_MOST; i++) {
		map->there[i] = i >= from && i < from + pages;
		map->own[i] = NO_PAGE;
	}
	file->maps++;
	if (file->kind == FILE_WILD)
		return;
	file_grow(file, from + pages);
	if (map->reserved && !map->is_private)
		file_promise(file, from, pages);
}

/* Who asks for nothing new is not refused. */
static inline void map_make(struct churner *churner, struct map *map,
			    struct file *file)
{
	int flags = pick(churner, 2) ? MAP_PRIVATE : MAP_SHARED;
	long pages = 1 + pick(churner, 8);
	long from = pick(churner, FILE_MOST - pages + 1);
	char *at;

	if (!pick(churner, 5))
		flags |= MAP_NORESERVE;
	note(churner, "map %d in %d at %ld, %ld pages%s%s",
	     (int)(map - churner->map), (int)(file - churner->file), from,
	     pages, flags & MAP_PRIVATE ? ", private" : "",
	     flags & MAP_NORESERVE ? ", no reserve" : "");
	at = mmap(NULL, pages * HUGE, PROT_READ | PROT_WRITE, flags, file->fd,
		  from * HUGE);
	if (at != MAP_FAILED) {
		count(&churner->churn->mapped);
		map_begin(map, file, at, from, pages, flags);
		return;
	}
	count(&churner->churn->refused);
	must(errno == ENOMEM && !(flags & MAP_NORESERVE));
	must(flags & MAP_PRIVATE || file_lacks(file, from, pages));
}

static inline bool map_is_empty(const struct map *map)
{
	long i;

	for (i = 0; i < FILE_MOST; i++)
		if (map->there[i])
			return false;
	return true;
}

/* Unmap a page if it is there: in a gap something else may be mapped by now. */
static inline void map_cut_page(struct map *map, long page)
{
	if (!map->there[page])
		return;
	must(unmap_huge(map->at + (page - map->from) * HUGE, 1) == 0);
	map->there[page] = false;
	map->own[page] = NO_PAGE;
}

/* Unmap @pages from page @first of the file on, in one piece where that can be. */
static inline void map_cut(struct churner *churner, struct map *map, long first,
			   long pages)
{
	struct file *file = map->file;
	bool whole = true;
	long i;

	note(churner, "unmap of %d at %ld, %ld pages",
	     (int)(map - churner->map), first, pages);
	for (i = first; i < first + pages; i++)
		whole = whole && map->there[i];
	if (whole)
		must(unmap_huge(map->at + (first - map->from) * HUGE, pages) ==
		     0);
	for (i = first; i < first + pages; i++) {
		if (whole)
			map->there[i] = false;
		map_cut_page(map, i);
		map->own[i] = NO_PAGE;
	}
	if (!map_is_empty(map))
		return;
	map->file = NULL;
	file->maps--;
	file_forget(file);
}

static inline void map_end(struct churner *churner, struct map *map)
{
	map_cut(churner, map, map->from, map->pages);
}

/* Drop what it has of its own, or nothing where it is shared. */
static inline void map_drop(struct churner *churner, struct map *map, long page)
{
	note(churner, "drop of %d page %ld", (int)(map - churner->map), page);
	must(madvise(map->at + (page - map->from) * HUGE, HUGE,
		     MADV_DONTNEED) == 0);
	map->own[page] = NO_PAGE;
}

/* --- touching ------------------------------------------------------------ */

/* Each process has its own place in a page, and so has each one's child. */
static inline char *map_word(const struct churner *churner,
			     const struct map *map, long page)
{
	return map->at + (page - map->from) * HUGE + (1 + churner->nr) * 4096;
}

/* A byte, or -1 where that is SIGBUS. */
static inline int look(const volatile char *addr)
{
	volatile int value = -1;

	touch_prepare();
	if (sigsetjmp(touch_env, 0))
		return -1;
	touch_armed = 1;
	value = *addr;
	touch_armed = 0;
	return value;
}

/* Whether the process was promised that it can touch this page. */
static inline bool map_must_do(const struct map *map, long page, bool write)
{
	const struct file *file = map->file;

	if (file->kind == FILE_WILD)
		return false;
	if (!map->is_private)
		return file->promised[page];
	return !write || map->reserved || map->own[page] != NO_PAGE;
}

/* What is to be read, or UNKNOWN. */
static inline int map_value(const struct map *map, long page)
{
	if (map->is_private && map->own[page] != NO_PAGE)
		return map->own[page];
	return map->file->value[page];
}

static inline void map_write(struct churner *churner, struct map *map,
			     long page)
{
	int value = 1 + pick(churner, 100);

	if (!can_write_value(map_word(churner, map, page), value)) {
		count(&churner->churn->killed);
		must(!map_must_do(map, page, true));
		return;
	}
	if (map->file->kind == FILE_WILD)
		return;
	if (map->is_private) {
		map->own[page] = value;
		return;
	}
	map->file->value[page] = value;
	map->file->promised[page] = true;
}

static inline void map_read(struct churner *churner, struct map *map, long page)
{
	char *word = map_word(churner, map, page);
	int value = look(word), want = map_value(map, page);

	if (value < 0) {
		count(&churner->churn->killed);
		must(!map_must_do(map, page, false));
		return;
	}
	if (map->file->kind == FILE_WILD)
		return;
	must(want == UNKNOWN || want == value);
	/* Nobody writes there, in this life of the page or an earlier one. */
	must(map->file->kind != FILE_OWN ||
	     look(map->at + (page - map->from + 1) * HUGE - 1) == 0);
	if (!map->is_private) {
		map->file->value[page] = value;
		map->file->promised[page] = true;
	}
}

static inline void map_touch(struct churner *churner, struct map *map,
			     long page, bool write)
{
	if (!map->there[page])
		return;
	note(churner, "%s of %d page %ld", write ? "write" : "read",
	     (int)(map - churner->map), page);
	if (map->file->kind == FILE_OWN && page >= map->file->pages) {
		must(look(map_word(churner, map, page)) < 0);
		return;
	}
	if (write)
		map_write(churner, map, page);
	else
		map_read(churner, map, page);
}

/* --- children ------------------------------------------------------------ */

/* No parent writes that. */
#define CHILD_VALUE	101

/*
 * A child sees what there was at fork(), or SIGBUS, and what it has written itself.
 * Of files only what was promised: nobody takes that from them.
 */
static inline void child_touch(struct churner *churner, struct map *map,
			       long page)
{
	char *word = map_word(churner, map, page);
	int value, want;

	if (!map->there[page] || map->file->kind != FILE_OWN ||
	    page >= map->file->pages)
		return;
	if (!map->is_private) {
		must(!map->file->promised[page] ||
		     can_write(word + CHURNERS * 4096));
		return;
	}
	value = look(word);
	want = map_value(map, page);
	must(value == want || (value < 0 && want != CHILD_VALUE));
	if (can_write_value(word, CHILD_VALUE))
		map->own[page] = CHILD_VALUE;
	must(map->own[page] != CHILD_VALUE || look(word) == CHILD_VALUE);
}

static inline int child_run(void *arg)
{
	struct churner *churner = arg;
	int i;

	churner->state += getpid();
	for (i = 0; i < 12; i++) {
		struct map *map = &churner->map[pick(churner, MAPS)];

		if (map->file)
			child_touch(churner, map,
				    map->from + pick(churner, map->pages));
	}
	return 0;
}

#endif
