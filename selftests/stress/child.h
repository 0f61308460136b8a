/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Children of an actor, which have what it has mapped and go on beside it, and references
 * to its pages that outlive what they were made from.
 */
#ifndef RHUGEFS_STRESS_CHILD_H
#define RHUGEFS_STRESS_CHILD_H

#include "map.h"

#define CHILD_STEPS	25

/* Pages that nobody else can have as long as they are held. */
#define PINS_MOST	4
#define PIN_BYTES	4096

/**
 * struct pinned - small pages that are in a pipe
 * @pin: the pipe
 * @nr: how many
 * @entry: what was pinned: a word, and of which file or with which value
 */
struct pinned {
	struct pin pin;
	int nr;
	struct {
		unsigned int id;
		int nr;
		unsigned long value;
		bool unknown;
	} entry[PINS_MOST];
};

/* --- references ---------------------------------------------------------- */

/* Whatever became of the page, it was given to nobody else. */
static inline void pins_drop(struct actor *actor)
{
	struct pinned *pinned = actor->pinned;
	char buffer[PIN_BYTES];
	unsigned long value, wanted;
	int i, nr;

	if (pinned->nr)
		note(actor, "let go of %d pins", pinned->nr);
	for (i = 0; i < pinned->nr; i++) {
		nr = pinned->entry[i].nr;
		wanted = pinned->entry[i].value;
		sure(actor, read(pinned->pin.out, buffer, PIN_BYTES) ==
				    PIN_BYTES);
		value = *(unsigned long *)(buffer + word_offset(nr) % PIN_BYTES);
		if (pinned->entry[i].unknown)
			continue;
		if (wanted ? value != wanted :
			     !tag_may_be(value, pinned->entry[i].id, nr))
			fail(actor, "a pinned page had %#lx in word %d, has %#lx",
			     wanted, nr, value);
	}
	pinned->nr = 0;
}

static inline bool pin_word(struct actor *actor, struct map *map, int nr)
{
	struct rights rights = rights_begin(map, word_page(nr));
	char *at = map_word(map, nr);
	struct iovec iov = {
		(char *)((unsigned long)at & ~(PIN_BYTES - 1UL)), PIN_BYTES,
	};
	ssize_t bytes = vmsplice(actor->pinned->pin.in, &iov, 1, 0);

	sure(actor, bytes == PIN_BYTES || errno == EFAULT);
	return map_settle(actor, map, word_page(nr), &rights, PROT_READ,
			  bytes == PIN_BYTES ? DONE : REFUSED);
}

/*
 * Who writes to a private page that was dropped and is pinned may wait for the pin. So
 * that is unmapped, and only pinned where no child has it, too, who would wait.
 */
static inline void pin_private(struct actor *actor, struct map *map, int nr)
{
	struct map_page *page = &map->page[word_page(nr)];
	unsigned long value = page->shadow[nr % PAGE_WORDS];
	struct pinned *pinned = actor->pinned;
	bool is_pinned = false;

	/* No other thread is to drop it just then. */
	map_lock(actor, map);
	map_refresh(map, word_page(nr));
	if (!actor->child && page->state == OWN && value && value != UNSEEN)
		is_pinned = pin_word(actor, map, nr);
	map_refresh(map, word_page(nr));
	map_unlock(actor, map);
	if (!is_pinned)
		return;
	pinned->entry[pinned->nr].nr = nr;
	pinned->entry[pinned->nr].value = value;
	pinned->entry[pinned->nr].unknown = page->state != OWN;
	pinned->nr++;
	map_unmap(actor, map, word_page(nr), 1);
}

static inline void pin_shared(struct actor *actor, struct map *map, int nr)
{
	struct pinned *pinned = actor->pinned;

	if (!pin_word(actor, map, nr))
		return;
	pinned->entry[pinned->nr].id = map->file->id;
	pinned->entry[pinned->nr].nr = nr;
	pinned->entry[pinned->nr].value = 0;
	pinned->entry[pinned->nr].unknown = false;
	pinned->nr++;
}

static inline void step_pin(struct actor *actor)
{
	struct map *map = map_pick(actor);
	int nr;

	if (actor->pinned->nr == PINS_MOST || !map) {
		pins_drop(actor);
		return;
	}
	nr = word_of(map_pick_page(actor, map), pick(actor, PARTS),
		     pick(actor, PART_WORDS));
	note(actor, "pin word %d of map %d page %d", nr % PAGE_WORDS,
	     map_nr(actor, map), word_page(nr));
	if (map->is_private)
		pin_private(actor, map, nr);
	else
		pin_shared(actor, map, nr);
}

/* --- what a child does --------------------------------------------------- */

static inline void child_touch(struct actor *actor, struct map *map, int page)
{
	int nr = word_of(page, pick(actor, PARTS), pick(actor, PART_WORDS));
	bool write = map->is_private && pick(actor, 2);

	note(actor, "%s map %d page %d word %d", write ? "write" : "read",
	     map_nr(actor, map), page, nr % PAGE_WORDS);
	if (write)
		map_store_private(actor, map, nr);
	else
		map_load(actor, map, nr);
}

static inline void child_step(struct actor *actor)
{
	int page, pages;
	struct map *map = map_pick_part(actor, &page, &pages);

	if (!map)
		return;
	switch (pick(actor, 20)) {
	case 0:
		map_unmap(actor, map, page, pages);
		return;
	case 1:
		if (map->is_private)
			map_drop(actor, map, page, pages);
		return;
	case 2:
		map_protect(actor, map, page, pages);
		return;
	case 3:
		map_move(actor, map, page, 1);
		return;
	case 4:
		sched_yield();
		return;
	default:
		child_touch(actor, map, page);
	}
}

/* --- what it has of another thread --------------------------------------- */

#define SEEN		8

/**
 * struct seen - a word of a mapping of its parent's other thread
 * @map: the mapping
 * @nr: the word
 * @value: what it was when the child first looked, and must stay
 */
struct seen {
	struct map *map;
	int nr;
	unsigned long value;
};

/* Whether the page was that thread's own and still is. */
static inline bool seen_is_own(struct map *map, int nr)
{
	struct map_page *page = &map->page[word_page(nr)];

	if (!map->file || !map->is_private || !page->at)
		return false;
	map_refresh(map, word_page(nr));
	return page->state == OWN;
}

static inline bool seen_read(const struct seen *seen, unsigned long *value)
{
	return access_load((unsigned long *)map_word(seen->map, seen->nr),
			   value) == DONE;
}

/*
 * The other thread was in the middle of something, and what it knew of its page may have
 * been old; but where it did not have the lock, so much is true.
 */
static inline int seen_begin(struct actor *actor, struct seen *seen)
{
	struct seen *next = seen;
	struct map *map;
	int i, nr;

	for (i = 0; i < MAPS && actor->others; i++) {
		map = &actor->others[i];
		if (pthread_mutex_trylock(&map->lock))
			continue;
		for (nr = 0; nr < FILE_WORDS && next < seen + SEEN;
		     nr += PAGE_WORDS + 1) {
			*next = (struct seen){ .map = map, .nr = nr };
			if (seen_is_own(map, nr) &&
			    seen_read(next, &next->value))
				next++;
		}
	}
	return next - seen;
}

/* What the parent has written since is not the child's. */
static inline void seen_end(struct actor *actor, struct seen *seen, int nr)
{
	unsigned long value;

	for (; nr--; seen++) {
		if (!seen_read(seen, &value) ||
		    !seen_is_own(seen->map, seen->nr) || value == seen->value)
			continue;
		fail(actor, "page %d word %d of another thread was %#lx, is %#lx",
		     word_page(seen->nr), seen->nr % PAGE_WORDS, seen->value,
		     value);
	}
}

/* --- having one ---------------------------------------------------------- */

/* A child of the child only reads: what it wrote could not be told from the child's. */
static inline int grandchild_run(void *arg)
{
	struct actor *actor = arg;
	struct map *map;
	int i;

	/* The place there is the child's. */
	access_disk = -1;
	for (i = 0; i < CHILD_STEPS / 2; i++) {
		map = map_pick(actor);
		if (map)
			map_load(actor, map,
				 word_of(map_pick_page(actor, map),
					 pick(actor, PARTS),
					 pick(actor, PART_WORDS)));
	}
	return 0;
}

static inline int child_run(void *arg)
{
	struct actor *actor = arg;
	int i, steps = pick(actor, CHILD_STEPS), nr_seen;
	struct seen seen[SEEN];
	pid_t pid = 0;

	actor->is_child = true;
	nr_seen = seen_begin(actor, seen);
	for (i = 0; i < MAPS; i++)
		actor->map[i].id = new_id(actor);
	for (i = 0; i < steps; i++)
		child_step(actor);
	if (one_in(actor, 4))
		pid = spawn(grandchild_run, actor);
	for (i = 0; i < steps; i++)
		child_step(actor);
	seen_end(actor, seen, nr_seen);
	if (pid)
		sure(actor, reap(pid) == 0);
	/* Another program begins, and what was mapped is not its. */
	if (one_in(actor, 4))
		execl("/bin/busybox", "true", NULL);
	return 0;
}

/* It may wait for a page that its parent holds. */
static inline void child_reap(struct actor *actor, bool killed)
{
	int status;

	if (!actor->child)
		return;
	pins_drop(actor);
	if (killed)
		kill(actor->child, SIGKILL);
	sure(actor, waitpid(actor->child, &status, 0) == actor->child);
	note(actor, "reaped a child: %#x", status);
	if (status && !(killed && WIFSIGNALED(status)))
		fail(actor, "child ended with %#x", status);
	actor->child = 0;
}

static inline void step_fork(struct actor *actor)
{
	if (actor->child) {
		child_reap(actor, one_in(actor, 3) && !is_alone(actor->run));
		return;
	}
	pins_drop(actor);
	note(actor, "fork");
	actor->child = spawn(child_run, actor);
	count(&actor->run->tally.forked);
	if (is_alone(actor->run))
		child_reap(actor, false);
}

#endif
