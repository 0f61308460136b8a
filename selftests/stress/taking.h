/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that take contents, pages or promises away from a file, and those that give it
 * some: what the model is told before and after them.
 */
#ifndef RHUGEFS_STRESS_TAKING_H
#define RHUGEFS_STRESS_TAKING_H

#include "run.h"

/**
 * struct taking - a call that takes something away
 * @file: from which file
 * @from: first byte
 * @to: byte behind the last one
 * @kind: what becomes of the range
 * @start: when it began
 * @whole: the page in which a cut is had been within the file
 */
struct taking {
	struct file *file;
	unsigned long from;
	unsigned long to;
	enum {
		TAKE_ZERO,	/* zeroes, nothing else */
		TAKE_HOLE,	/* whole pages are not promised any more */
		TAKE_CUT,	/* and the file ends where it begins */
	} kind;
	unsigned int start;
	struct hold whole;
};

/* Of the events of a page, those that this is. */
static inline void taking_events(const struct taking *taking, int nr,
				 struct events *events[3])
{
	struct page *page = &taking->file->page[nr];
	bool all = taking->from <= nr * HUGE && taking->to >= (nr + 1) * HUGE;
	bool cut = taking->kind == TAKE_CUT;

	events[0] = cut && taking->from < (nr + 1) * HUGE ? &page->cut : NULL;
	events[1] = cut && all ? &page->gone : NULL;
	events[2] = taking->kind != TAKE_ZERO && all ? &page->forgot : NULL;
}

static inline bool taking_has(const struct taking *taking, int nr)
{
	return taking->from <= word_offset(nr) && word_offset(nr) < taking->to;
}

static inline void taking_begin(struct actor *actor, struct taking *taking)
{
	unsigned long edge = taking->from / HUGE;
	struct events *events[3];
	int nr, i;

	taking->start = now(actor);
	if (edge < FILE_PAGES)
		taking->whole = page_is_whole(&taking->file->page[edge]);
	for (nr = 0; nr < FILE_PAGES; nr++) {
		taking_events(taking, nr, events);
		for (i = 0; i < 3; i++)
			if (events[i])
				events_begin(events[i], actor->nr);
	}
	for (nr = 0; nr < FILE_WORDS; nr++)
		if (taking_has(taking, nr))
			events_begin(&taking->file->word[nr].wiped, actor->nr);
}

/*
 * Whether a cut was one, in the page that is cut: a file that ended before it has grown,
 * and what was stored behind its end is still there.
 */
static inline bool taking_did_cut(const struct taking *taking)
{
	const struct hold *whole = &taking->whole;

	return whole->since && load(&whole->events->count) == whole->count + 1;
}

static inline void taking_end(struct actor *actor, const struct taking *taking,
			      bool done)
{
	bool edge = done && (taking->kind != TAKE_CUT || taking_did_cut(taking));
	unsigned int end = now(actor);
	struct events *events[3];
	int nr, i;

	for (nr = 0; nr < FILE_WORDS; nr++) {
		bool within = word_page(nr) * HUGE < taking->from;

		if (taking_has(taking, nr))
			events_end(&taking->file->word[nr].wiped, actor->nr,
				   taking->start, end, within ? edge : done);
	}
	for (nr = 0; nr < FILE_PAGES; nr++) {
		taking_events(taking, nr, events);
		for (i = 0; i < 3; i++)
			if (events[i])
				events_end(events[i], actor->nr, taking->start,
					   end, done);
	}
	count(&actor->run->tally.taken);
}

/* --- the opposite -------------------------------------------------------- */

/* A call that began at @start has made the file reach at least to @to. */
static inline void file_grew(struct actor *actor, struct file *file,
			     unsigned long to, unsigned int start)
{
	unsigned int end = now(actor);
	int nr;

	for (nr = 0; nr < FILE_PAGES && (nr + 1) * HUGE <= to; nr++)
		page_gain(&file->page[nr], true, false, start, end);
}

/* It has promised pages to the file, or filled them. */
static inline void file_was_promised(struct actor *actor, struct file *file,
				     int from, int to, unsigned int start)
{
	unsigned int end = now(actor);
	int nr;

	for (nr = from; nr < to; nr++)
		page_gain(&file->page[nr], false, true, start, end);
}

/**
 * struct promises - whether a range was promised all the time
 * @hold: of each page
 * @pages: how many there are
 */
struct promises {
	struct hold hold[FILE_PAGES];
	int pages;
};

static inline struct promises promises_begin(const struct file *file, int from,
					     int to)
{
	struct promises promises = { .pages = to - from };
	int i;

	for (i = 0; i < promises.pages; i++)
		promises.hold[i] = page_is_promised(&file->page[from + i]);
	return promises;
}

static inline bool promises_kept(const struct promises *promises)
{
	int i;

	for (i = 0; i < promises->pages; i++)
		if (!hold_kept(&promises->hold[i]))
			return false;
	return true;
}

/*
 * A call was told that there are no pages: who asks for nothing new, and for nothing that
 * somebody just takes away, is not.
 */
static inline void may_be_refused(struct actor *actor,
				  const struct promises *promises, int err,
				  int excuse)
{
	if (err != excuse)
		fail(actor, "refused with %s", error_name(err));
	if (promises_kept(promises))
		fail(actor, "refused what was promised");
	count(&actor->run->tally.refused);
}

#endif
