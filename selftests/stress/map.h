/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings, which an actor has for itself: what may be found in them, and where SIGBUS may
 * be. A private page is its actor's own from the first write on, and all of it stays as
 * it is, until it is dropped or the file is cut. Other threads of the worker may drop it.
 */
#ifndef RHUGEFS_STRESS_MAP_H
#define RHUGEFS_STRESS_MAP_H

#include <pthread.h>

#include "access.h"
#include "file.h"

#define MAPS		4

/* No tag has these bits: its value is not known yet, and will stay what it is. */
#define UNSEEN		(~0UL)

/**
 * struct map_page - a page of a mapping
 * @at: its address, or NULL
 * @prot: how it may be accessed
 * @state: what is seen in a private one
 * @gone: how often the file had been cut before it when that was known
 * @drops: how often others had dropped it
 * @touches: how often others had written to it, to none of its words
 * @shadow: the words of a page of one's own, or UNSEEN
 */
struct map_page {
	char *at;
	int prot;
	enum {
		SHOWS_FILE,
		OWN,
		UNSURE,		/* either of them */
	} state;
	unsigned int gone;
	unsigned int drops;
	unsigned int touches;
	unsigned long shadow[PAGE_WORDS];
};

/**
 * struct map - a mapping
 * @file: what is mapped, NULL where there is no mapping
 * @id: in what is written to a private one
 * @parent: its parent's
 * @count: how often that was
 * @is_private: MAP_PRIVATE
 * @reserved: not MAP_NORESERVE
 * @lock: nothing is mapped, unmapped or dropped
 * @drops: of each page, by others: beginnings and ends
 * @touches: likewise
 * @page: by index in the file
 */
struct map {
	struct file *file;
	unsigned int id;
	unsigned int parent;
	unsigned int count;
	bool is_private;
	bool reserved;
	pthread_mutex_t lock;
	unsigned int drops[FILE_PAGES];
	unsigned int touches[FILE_PAGES];
	struct map_page page[FILE_PAGES];
};

static inline int map_nr(const struct actor *actor, const struct map *map)
{
	return map - actor->map;
}

/* Who had the lock at a fork() does not have it in the child. */
static inline void map_lock(struct actor *actor, struct map *map)
{
	if (!actor->is_child)
		pthread_mutex_lock(&map->lock);
}

static inline void map_unlock(struct actor *actor, struct map *map)
{
	if (!actor->is_child)
		pthread_mutex_unlock(&map->lock);
}

/* --- choosing ------------------------------------------------------------ */

/* One that is there, or NULL. */
static inline struct map *map_pick(struct actor *actor)
{
	int from = pick(actor, MAPS), i;

	for (i = 0; i < MAPS; i++)
		if (actor->map[(from + i) % MAPS].file)
			return &actor->map[(from + i) % MAPS];
	return NULL;
}

/* A page of it that is mapped. */
static inline int map_pick_page(struct actor *actor, const struct map *map)
{
	int nr = page_pick(actor);

	while (!map->page[nr].at)
		nr = (nr + 1) % FILE_PAGES;
	return nr;
}

/* How many pages are side by side from here on, and some of them. */
static inline int map_pick_run(struct actor *actor, const struct map *map,
			       int first)
{
	char *at = map->page[first].at;
	int nr = 1;

	while (first + nr < FILE_PAGES &&
	       map->page[first + nr].at == at + nr * HUGE)
		nr++;
	return 1 + pick(actor, nr);
}

/* Some pages side by side of some mapping; NULL where there is none. */
static inline struct map *map_pick_part(struct actor *actor, int *page,
					int *pages)
{
	struct map *map = map_pick(actor);

	if (map) {
		*page = map_pick_page(actor, map);
		*pages = map_pick_run(actor, map, *page);
	}
	return map;
}

/* --- pages of one's own -------------------------------------------------- */

static inline void map_page_forget(struct map_page *page, int state)
{
	int i;

	page->state = state;
	for (i = 0; i < PAGE_WORDS; i++)
		page->shadow[i] = UNSEEN;
}

/* It may have been filled for writing, all at once. */
static inline void map_page_filled(struct map_page *page)
{
	if (page->state == SHOWS_FILE)
		map_page_forget(page, UNSURE);
}

/*
 * Ask before and after each access whether somebody else has taken the page away, or
 * made one. What is under way counts as news, and once more when it is over.
 */
static inline void map_refresh(struct map *map, int nr)
{
	const struct events *gone = &map->file->page[nr].gone;
	struct map_page *page = &map->page[nr];
	unsigned int count = load(&gone->count);
	unsigned int drops = load(&map->drops[nr]);
	unsigned int touches = load(&map->touches[nr]);
	bool busy = load(&gone->busy);

	if (!map->is_private)
		return;
	if (page->state == OWN && (busy || drops % 2 || count != page->gone ||
				   drops != page->drops))
		map_page_forget(page, UNSURE);
	if (touches % 2 || touches != page->touches)
		map_page_filled(page);
	page->gone = busy ? count - 1 : count;
	page->drops = drops;
	page->touches = touches;
}

/* Nobody else has the file: what it was cut by is over, and took private pages, too. */
static inline void map_cut(struct map *map, unsigned long size)
{
	int nr = (size + HUGE - 1) / HUGE;

	for (; nr < FILE_PAGES; nr++) {
		map_page_forget(&map->page[nr], SHOWS_FILE);
		map->page[nr].gone = load(&map->file->page[nr].gone.count);
	}
}

static inline void map_judge_private(struct actor *actor, struct map *map,
				     int nr, unsigned long value)
{
	struct map_page *page = &map->page[word_page(nr)];
	unsigned long *shadow = &page->shadow[nr % PAGE_WORDS];
	bool known = page->state == OWN && *shadow != UNSEEN;

	if (known ? value == *shadow :
		    tag_may_be(value, map->file->id, nr) ||
		    tag_is(value, TAG_PRIVATE, map->id, nr) ||
		    tag_is(value, TAG_PRIVATE, map->parent, nr)) {
		if (page->state == OWN)
			*shadow = value;
		count(&actor->run->tally.read);
		return;
	}
	fail(actor, "map %d of file %d page %d word %d is %#lx, should be %#lx, id %u",
	     map_nr(actor, map), file_nr(actor, map->file), word_page(nr),
	     nr % PAGE_WORDS, value, *shadow, map->id);
}

/* --- refusals ------------------------------------------------------------ */

/**
 * struct rights - what a mapping's page may be used for, all the time
 * @within: it is within the file
 * @promised: the file has it, or was promised it
 */
struct rights {
	struct hold within;
	struct hold promised;
};

static inline struct rights rights_begin(const struct map *map, int nr)
{
	const struct page *page = &map->file->page[nr];

	return (struct rights){
		.within = page_is_within(page),
		.promised = page_is_promised(page),
	};
}

/* To read a private page takes none. A child may lose what it has inherited. */
static inline bool rights_kept(struct actor *actor, const struct rights *rights,
			       const struct map *map, int prot)
{
	if (!hold_kept(&rights->within))
		return false;
	if (!map->is_private)
		return hold_kept(&rights->promised);
	return !actor->is_child && (map->reserved || prot == PROT_READ);
}

/* Whether an access came to be; it must have done what it had to. */
static inline bool map_settle(struct actor *actor, const struct map *map, int nr,
			      const struct rights *rights, int prot,
			      enum outcome outcome)
{
	const char *what = prot == PROT_READ ? "read" : "write";

	if (!(map->page[nr].prot & prot)) {
		if (outcome == DONE)
			fail(actor, "%s of map %d page %d was not forbidden",
			     what, map_nr(actor, map), nr);
		return false;
	}
	if (outcome == DONE)
		return true;
	note(actor, "refused");
	if (outcome == FORBIDDEN || rights_kept(actor, rights, map, prot))
		fail(actor, "%s of map %d page %d: %s", what, map_nr(actor, map),
		     nr, outcome == FORBIDDEN ? "SIGSEGV" : "SIGBUS");
	count(&actor->run->tally.killed);
	return false;
}

/* --- touching ------------------------------------------------------------ */

static inline char *map_word(const struct map *map, int nr)
{
	return map->page[word_page(nr)].at + word_offset(nr) % HUGE;
}

static inline void map_load(struct actor *actor, struct map *map, int nr)
{
	struct rights rights = rights_begin(map, word_page(nr));
	struct map_page *page = &map->page[word_page(nr)];
	struct look look = look_begin(map->file, nr);
	unsigned int start = now(actor);
	enum outcome outcome;
	unsigned long value;

	map_refresh(map, word_page(nr));
	outcome = access_read(actor, map_word(map, nr), &value);
	if (!map_settle(actor, map, word_page(nr), &rights, PROT_READ, outcome))
		return;
	map_refresh(map, word_page(nr));
	if (map->is_private && page->state != SHOWS_FILE)
		map_judge_private(actor, map, nr, value);
	else
		word_judge(actor, map->file, nr, &look, value);
	if (!map->is_private)
		file_was_promised(actor, map->file, word_page(nr),
				  word_page(nr) + 1, start);
}

static inline void map_store_private(struct actor *actor, struct map *map,
				     int nr)
{
	unsigned long value = tag_make(TAG_PRIVATE, map->id, nr, ++map->count);
	struct rights rights = rights_begin(map, word_page(nr));
	struct map_page *page = &map->page[word_page(nr)];
	enum outcome outcome;

	map_refresh(map, word_page(nr));
	outcome = access_write(actor, map_word(map, nr), value);
	if (!map_settle(actor, map, word_page(nr), &rights, PROT_WRITE,
			outcome)) {
		/* There may be one now, which the other thread's child then got, too. */
		map_page_filled(page);
		return;
	}
	if (page->state != OWN)
		map_page_forget(page, OWN);
	page->shadow[nr % PAGE_WORDS] = value;
	count(&actor->run->tally.written);
}

static inline void map_store_shared(struct actor *actor, struct map *map, int nr)
{
	struct rights rights = rights_begin(map, word_page(nr));
	unsigned int start = now(actor);
	unsigned long value = word_begin(map->file, nr, start);
	enum outcome outcome;

	outcome = access_write(actor, map_word(map, nr), value);
	if (!map_settle(actor, map, word_page(nr), &rights, PROT_WRITE, outcome))
		return;
	word_end(map->file, nr, now(actor));
	file_was_promised(actor, map->file, word_page(nr), word_page(nr) + 1,
			  start);
	count(&actor->run->tally.written);
}

/* --- making and ending --------------------------------------------------- */

static inline void map_init(struct actor *actor, struct map *map, char *at,
			    int from, int pages, int prot, bool filled)
{
	struct map_page *page;
	int nr;

	map->id = new_id(actor);
	map->parent = map->id;
	map->count = 0;
	memset(map->page, 0, sizeof(map->page));
	for (nr = from; nr < from + pages; nr++) {
		page = &map->page[nr];
		page->prot = prot;
		page->at = at + (nr - from) * HUGE;
		map_page_forget(page, filled ? UNSURE : SHOWS_FILE);
	}
	count(&actor->run->tally.mapped);
}

static inline void map_make(struct actor *actor, struct map *map,
			    struct file *file)
{
	int from = page_pick(actor);
	int pages = 1 + pick(actor, one_in(actor, 3) ? FILE_PAGES - from : 1);
	int prot = PROT_READ | (one_in(actor, 6) ? 0 : PROT_WRITE);
	bool is_private = pick(actor, 2), reserved = pick(actor, 4);
	bool populated = one_in(actor, 6);
	struct promises promises = promises_begin(file, from, from + pages);
	int flags = (is_private ? MAP_PRIVATE : MAP_SHARED) |
		    (reserved ? 0 : MAP_NORESERVE) |
		    (populated ? MAP_POPULATE : 0);
	unsigned int start = now(actor);
	char *at;

	note(actor, "map %d of file %d, %s%s%s%s, %d pages from %d",
	     map_nr(actor, map), file_nr(actor, file),
	     is_private ? "private" : "shared", reserved ? "" : ", noreserve",
	     populated ? ", populate" : "", prot & PROT_WRITE ? "" : ", read",
	     pages, from);
	at = mmap(NULL, pages * HUGE, prot, flags, file->fd, from * HUGE);
	if (at == MAP_FAILED) {
		note(actor, "mmap: %s", error_name(errno));
		/* To be promised pages in private is always something new. */
		if (is_private)
			promises.hold[0].since = 0;
		sure(actor, reserved);
		may_be_refused(actor, &promises, errno, ENOMEM);
		return;
	}
	map_lock(actor, map);
	map->is_private = is_private;
	map->reserved = reserved;
	map_init(actor, map, at, from, pages, prot,
		 populated && prot & PROT_WRITE);
	map->file = file;
	map_unlock(actor, map);
	if (!is_private && reserved)
		file_was_promised(actor, file, from, from + pages, start);
	if (prot & PROT_WRITE)
		file_grew(actor, file, (from + pages) * HUGE, start);
}

static inline bool map_is_empty(const struct map *map)
{
	int nr;

	for (nr = 0; nr < FILE_PAGES; nr++)
		if (map->page[nr].at)
			return false;
	return true;
}

static inline void map_unmap(struct actor *actor, struct map *map, int first,
			     int pages)
{
	int nr;

	note(actor, "unmap map %d, %d pages from %d", map_nr(actor, map), pages,
	     first);
	map_lock(actor, map);
	sure(actor, munmap(map->page[first].at, pages * HUGE) == 0);
	for (nr = first; nr < first + pages; nr++)
		map->page[nr].at = NULL;
	if (map_is_empty(map))
		map->file = NULL;
	map_unlock(actor, map);
}

static inline void map_end(struct actor *actor, struct map *map)
{
	int nr;

	for (nr = 0; nr < FILE_PAGES; nr++)
		if (map->page[nr].at)
			map_unmap(actor, map, nr, 1);
}

/* --- changing ------------------------------------------------------------ */

static inline void map_protect(struct actor *actor, struct map *map, int first,
			       int pages)
{
	static const int prots[] = { PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE,
				     PROT_READ | PROT_WRITE };
	int prot = prots[pick(actor, 4)], nr;

	note(actor, "protect %d map %d, %d pages from %d", prot,
	     map_nr(actor, map), pages, first);
	sure(actor, mprotect(map->page[first].at, pages * HUGE, prot) == 0);
	for (nr = first; nr < first + pages; nr++)
		map->page[nr].prot = prot;
}

/*
 * Only to where nothing but nothing was mapped, so that no other thread's mapping is in
 * the way. What has been split in pieces is moved page by page.
 */
static inline void map_move(struct actor *actor, struct map *map, int first,
			    int pages)
{
	unsigned long room = (pages + 1) * HUGE, before;
	char *from = map->page[first].at, *to, *moved;
	char *area = mmap(NULL, room, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int nr;

	sure(actor, area != MAP_FAILED);
	to = (char *)(((unsigned long)area + HUGE - 1) & ~(HUGE - 1));
	before = to - area;
	note(actor, "move map %d, %d pages from %d to %p", map_nr(actor, map),
	     pages, first, to);
	map_lock(actor, map);
	moved = mremap(from, pages * HUGE, pages * HUGE,
		       MREMAP_MAYMOVE | MREMAP_FIXED, to);
	sure(actor, moved == to || (pages > 1 && errno == EFAULT));
	for (nr = 0; moved == to && nr < pages; nr++)
		map->page[first + nr].at = to + nr * HUGE;
	map_unlock(actor, map);
	sure(actor, !before || munmap(area, before) == 0);
	if (before < HUGE)
		sure(actor, munmap(to + pages * HUGE, HUGE - before) == 0);
	/* Growing is refused, and must not change anything either. */
	moved = mremap(map->page[first].at, HUGE, 2 * HUGE, 0);
	sure(actor, moved == MAP_FAILED && errno == EFAULT);
}

/* --- advice -------------------------------------------------------------- */

/* Now and then a part of the first page and of the last: these are not dropped. */
static inline void map_drop(struct actor *actor, struct map *map, int first,
			    int pages)
{
	unsigned long from = one_in(actor, 3) ? pick(actor, HUGE / 4096) : 0;
	unsigned long to = pages * (HUGE / 4096);
	int nr;

	if (one_in(actor, 3))
		to -= pick(actor, to - from);
	note(actor, "drop map %d, %d pages from %d, from %#lx to %#lx",
	     map_nr(actor, map), pages, first, from, to);
	map_lock(actor, map);
	sure(actor, madvise(map->page[first].at + from * 4096,
			    (to - from) * 4096, MADV_DONTNEED) == 0);
	for (nr = 0; nr < pages; nr++)
		if (from * 4096 <= nr * HUGE && to * 4096 >= (nr + 1) * HUGE)
			map_page_forget(&map->page[first + nr], SHOWS_FILE);
	map_unlock(actor, map);
}

static inline void map_remove(struct actor *actor, struct map *map, int nr)
{
	unsigned long from = bytes_pick(actor, HUGE - 4096) & ~4095UL;
	unsigned long to = from + 4096 + bytes_pick(actor, HUGE - 4096 - from);
	struct taking taking = {
		.file = map->file, .kind = TAKE_HOLE,
		.from = nr * HUGE + from,
		/* In whole small pages, as the kernel does it. */
		.to = nr * HUGE + ((to + 4095) & ~4095UL),
	};
	int err;

	note(actor, "remove map %d page %d from %#lx to %#lx",
	     map_nr(actor, map), nr, taking.from, taking.to);
	taking_begin(actor, &taking);
	err = madvise(map->page[nr].at + from, taking.to - taking.from,
		      MADV_REMOVE) ? errno : 0;
	taking_end(actor, &taking, !err);
	if (err)
		fail(actor, "MADV_REMOVE: %s", error_name(err));
}

static inline void map_populate(struct actor *actor, struct map *map, int nr)
{
	struct rights rights = rights_begin(map, nr);
	struct map_page *page = &map->page[nr];
	int advice = pick(actor, 2) ? MADV_POPULATE_READ : MADV_POPULATE_WRITE;
	int prot = advice == MADV_POPULATE_READ ? PROT_READ : PROT_WRITE;
	unsigned int start = now(actor);
	int err;

	note(actor, "populate map %d page %d", map_nr(actor, map), nr);
	err = madvise(page->at, HUGE, advice) ? errno : 0;
	if (prot == PROT_WRITE)
		map_page_filled(page);
	if (map_settle(actor, map, nr, &rights, prot, err ? REFUSED : DONE) &&
	    !map->is_private)
		file_was_promised(actor, map->file, nr, nr + 1, start);
}

static inline void map_lock_memory(struct actor *actor, struct map *map,
				   int first, int pages)
{
	int nr;

	note(actor, "mlock map %d, %d pages from %d", map_nr(actor, map), pages,
	     first);
	for (nr = first; nr < first + pages; nr++)
		if (map->page[nr].prot & PROT_WRITE)
			map_page_filled(&map->page[nr]);
	mlock(map->page[first].at, pages * HUGE);
	sure(actor, munlock(map->page[first].at, pages * HUGE) == 0);
}

/* What is not written back, and not moved, must not be harmed either. */
static inline void map_advise(struct actor *actor, struct map *map, int nr)
{
	static const int advice[] = { MADV_WILLNEED, MADV_RANDOM, MADV_NORMAL,
				      MADV_SEQUENTIAL, MADV_NOHUGEPAGE,
				      MADV_HUGEPAGE };
	unsigned char present[HUGE / 4096];
	char *at = map->page[nr].at;
	int err;

	switch (pick(actor, 3)) {
	case 0:
		sure(actor, msync(at, HUGE, MS_SYNC) == 0);
		return;
	case 1:
		sure(actor, mincore(at, HUGE, present) == 0);
		return;
	default:
		err = madvise(at, HUGE, advice[pick(actor, 6)]) ? errno : 0;
		/* A kernel may know no huge pages of its own. */
		sure(actor, !err || err == EINVAL);
	}
}

#endif
