/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a reader of a file may find, whoever does what to it at the same time.
 *
 * In each huge page some words are looked at. Each word of a file has one writer, who
 * counts: what he writes names the file, the word, and how often he has written it. What
 * takes contents away (a hole, a truncation) may come from anybody, and is an event, which
 * has a beginning and an end. All beginnings and ends are numbered by one clock, and
 * since each is noted before or after the system call or the access in question, one that
 * has ended before another begins did happen before it.
 *
 * A reader may find
 *
 * - what was written last before he began, unless an event came in between as a whole;
 * - what was begun to be written since, or was never ended;
 * - a zero, where nothing was ever written, or if no write has come as a whole behind the
 *   last event, or if the file may have ended before that word.
 *
 * Nothing here is guarded by a lock, as whoever holds one may be killed. An event under
 * way is a bit of its actor, which the supervisor takes back for the dead.
 */
#ifndef RHUGEFS_STRESS_MODEL_H
#define RHUGEFS_STRESS_MODEL_H

#include "../rhugefs_test.h"

#define FILE_PAGES	8

/* Each part of a huge page has a writer of its own in files that all use. */
#define PARTS		8
#define PART_SIZE	(HUGE / PARTS)
#define PART_WORDS	3
#define PAGE_WORDS	(PARTS * PART_WORDS)
#define FILE_WORDS	(FILE_PAGES * PAGE_WORDS)

/* Writes of a word that are known. */
#define WORD_WRITES	8

#define TAG_FILE	0xa5UL
#define TAG_PRIVATE	0x5aUL

/**
 * struct events - one kind of thing that happens to a word or a page
 * @busy: a bit for each actor for whom one is under way
 * @count: how many have begun
 * @start: when the last of those began that had their effect for certain, and have ended
 * @end: when the last ended
 */
struct events {
	unsigned int busy;
	unsigned int count;
	unsigned int start;
	unsigned int end;
};

/**
 * struct write - a write that has ended
 * @count: its number among those of its word
 * @span: its beginning and end
 */
struct write {
	unsigned int count;
	unsigned long span;
};

/**
 * struct word - a word of a file that is looked at
 * @begun: writes that have begun
 * @start: when the last of them did
 * @ended: writes that have ended, which are fewer where some were refused
 * @write: the last of those
 * @wiped: what makes a zero of it
 */
struct word {
	unsigned int begun;
	unsigned int start;
	unsigned int ended;
	struct write write[WORD_WRITES];
	struct events wiped;
};

/**
 * struct page - a huge page of a file
 * @gone: the file was made so small that it is behind the end
 * @cut: likewise, or that the end is within it
 * @forgot: what was promised of it was taken away
 * @grown: beginning and end of what last made the file reach to its end
 * @promised: of what last promised it
 */
struct page {
	struct events gone;
	struct events cut;
	struct events forgot;
	unsigned long grown;
	unsigned long promised;
};

/**
 * struct file - a file that is looked at
 * @id: in what is written to it; 0 where there is no file
 * @fd: its descriptor, the same in all processes that have one
 * @ino: its inode number
 * @is_steady: nobody makes it smaller
 */
struct file {
	unsigned int id;
	int fd;
	unsigned long ino;
	bool is_steady;
	struct page page[FILE_PAGES];
	struct word word[FILE_WORDS];
};

#define load(pointer)		__atomic_load_n(pointer, __ATOMIC_SEQ_CST)
#define store(pointer, value)	__atomic_store_n(pointer, value, __ATOMIC_SEQ_CST)

/* --- places -------------------------------------------------------------- */

/* Bytes of a page that lie at its ends, at those of small pages, and across nothing. */
static inline unsigned long word_offset(int nr)
{
	static const unsigned long at[PART_WORDS] = { 0, 0x1f008,
						      PART_SIZE - 8 };

	return nr / PAGE_WORDS * HUGE +
	       nr % PAGE_WORDS / PART_WORDS * PART_SIZE + at[nr % PART_WORDS];
}

static inline int word_page(int nr)
{
	return nr / PAGE_WORDS;
}

static inline int word_of(int page, int part, int nr)
{
	return page * PAGE_WORDS + part * PART_WORDS + nr;
}

static inline unsigned long tag_make(unsigned long mark, unsigned int id,
				     int nr, unsigned int count)
{
	return mark << 56 | (id & 0xffffUL) << 40 | (unsigned long)nr << 32 |
	       count;
}

static inline bool tag_is(unsigned long tag, unsigned long mark,
			  unsigned int id, int nr)
{
	return tag >> 32 == tag_make(mark, id, nr, 0) >> 32;
}

/* --- time ---------------------------------------------------------------- */

static inline unsigned long span_make(unsigned int start, unsigned int end)
{
	return (unsigned long)start << 32 | end;
}

static inline unsigned int span_start(unsigned long span)
{
	return span >> 32;
}

static inline void raise_to(unsigned int *value, unsigned int least)
{
	unsigned int old = load(value);

	while (old < least &&
	       !__atomic_compare_exchange_n(value, &old, least, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

/* --- events -------------------------------------------------------------- */

static inline void events_begin(struct events *events, int who)
{
	__atomic_or_fetch(&events->busy, 1U << who, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&events->count, 1, __ATOMIC_SEQ_CST);
}

/* Whoever finds it over finds the times, too. */
static inline void events_end(struct events *events, int who,
			      unsigned int start, unsigned int end, bool certain)
{
	if (certain)
		raise_to(&events->start, start);
	raise_to(&events->end, end);
	__atomic_and_fetch(&events->busy, ~(1U << who), __ATOMIC_SEQ_CST);
}

/* Somebody was killed, and whether what he did had its effect nobody knows. */
static inline void events_abandon(struct events *events, int who,
				  unsigned int now)
{
	if (load(&events->busy) & 1U << who)
		events_end(events, who, now, now, false);
}

/* --- what holds until an event ends it ----------------------------------- */

/**
 * struct hold - whether something was so all the time between two looks
 * @events: what would end it
 * @count: of them, at the first look
 * @since: when it had come to be so; 0 where it may not have been
 */
struct hold {
	const struct events *events;
	unsigned int count;
	unsigned int since;
};

/* What is good already stays as it is, as it has been so for longer. */
static inline void gain(unsigned long *span, const struct events *lost,
			unsigned int start, unsigned int end)
{
	if (span_start(load(span)) <= load(&lost->end) || load(&lost->busy))
		store(span, span_make(start, end));
}

static inline struct hold hold_begin(const struct events *lost,
				     const unsigned long *span)
{
	struct hold hold = { .events = lost, .count = load(&lost->count) };
	bool busy = load(&lost->busy);
	unsigned long good = load(span);

	if (!busy && good && span_start(good) > load(&lost->end))
		hold.since = good;
	return hold;
}

static inline bool hold_kept(const struct hold *hold)
{
	return hold->since && load(&hold->events->count) == hold->count;
}

/* Its last byte is within the file. */
static inline struct hold page_is_whole(const struct page *page)
{
	return hold_begin(&page->cut, &page->grown);
}

/* It is within the file, if maybe not as a whole. */
static inline struct hold page_is_within(const struct page *page)
{
	return hold_begin(&page->gone, &page->grown);
}

static inline struct hold page_is_promised(const struct page *page)
{
	return hold_begin(&page->forgot, &page->promised);
}

static inline void page_gain(struct page *page, bool grown, bool promised,
			     unsigned int start, unsigned int end)
{
	/* What was cut is not whole, but that it is within counts for less. */
	if (grown)
		gain(&page->grown, &page->cut, start, end);
	if (promised)
		gain(&page->promised, &page->forgot, start, end);
}

/* --- words --------------------------------------------------------------- */

/* What is to be written next. */
static inline unsigned long word_begin(struct file *file, int nr,
				       unsigned int now)
{
	struct word *word = &file->word[nr];

	word->start = now;
	store(&word->begun, word->begun + 1);
	return tag_make(TAG_FILE, file->id, nr, word->begun);
}

/* Of a write that was refused nobody says so: it may yet be found. */
static inline void word_end(struct file *file, int nr, unsigned int now)
{
	struct word *word = &file->word[nr];
	unsigned int next = word->ended + 1;

	word->write[next % WORD_WRITES] = (struct write){
		.count = word->begun, .span = span_make(word->start, now),
	};
	store(&word->ended, next);
}

static inline struct write word_last(const struct word *word)
{
	struct write write;
	unsigned int ended;

	do {
		ended = load(&word->ended);
		write.count = load(&word->write[ended % WORD_WRITES].count);
		write.span = load(&word->write[ended % WORD_WRITES].span);
	} while (load(&word->ended) - ended >= WORD_WRITES - 1);
	return write;
}

/**
 * struct look - what a reader knows of a word before he reads it
 * @last: the last write that had ended
 * @count: events so far
 * @busy: one was under way
 * @start: when the last that has ended began
 * @end: when it ended
 * @whole: since when its page has been whole within the file
 */
struct look {
	struct write last;
	unsigned int count;
	bool busy;
	unsigned int start;
	unsigned int end;
	struct hold whole;
};

static inline struct look look_begin(const struct file *file, int nr)
{
	const struct word *word = &file->word[nr];
	struct look look = { .last = word_last(word) };

	look.count = load(&word->wiped.count);
	look.busy = load(&word->wiped.busy);
	look.start = load(&word->wiped.start);
	look.end = load(&word->wiped.end);
	look.whole = page_is_whole(&file->page[word_page(nr)]);
	return look;
}

static inline bool look_allows_zero(const struct look *look,
				    const struct word *word)
{
	unsigned int start = span_start(look->last.span);

	if (!look->last.count || look->busy || look->end >= start ||
	    load(&word->wiped.count) != look->count)
		return true;
	/* Behind the end of a file that grows again nothing is kept. */
	return !hold_kept(&look->whole) || look->whole.since > start;
}

/* Of a value that is whole: NULL, or what is wrong with it. */
static inline const char *look_judge(const struct look *look,
				     const struct file *file, int nr,
				     unsigned long value)
{
	const struct word *word = &file->word[nr];
	unsigned int count = value;

	if (!value)
		return look_allows_zero(look, word) ? NULL :
						      "what was written is lost";
	if (!tag_is(value, TAG_FILE, file->id, nr))
		return "this was never written there";
	if (count > load(&word->begun))
		return "this was not written yet";
	if (count < look->last.count)
		return "this was overwritten";
	if (count == look->last.count &&
	    look->start > (unsigned int)look->last.span)
		return "this was taken away";
	return NULL;
}

/* Whether each byte is a zero or of one of the writes from the @first to the @last. */
static inline bool value_is_mixed(unsigned long value, const struct file *file,
				  int nr, unsigned int first, unsigned int last)
{
	unsigned long byte, tag;
	unsigned int count;
	bool found;
	int shift;

	for (shift = 0; shift < 64; shift += 8) {
		byte = value >> shift & 0xff;
		found = !byte;
		for (count = first; count <= last && !found; count++) {
			tag = tag_make(TAG_FILE, file->id, nr, count);
			found = byte == (tag >> shift & 0xff);
		}
		if (!found)
			return false;
	}
	return true;
}

/*
 * Behind the look, once @value was read: NULL, or what is wrong with it. The kernel may
 * copy and clear byte by byte, so who looks on may see a part of it done.
 */
static inline const char *look_end(const struct look *look,
				   const struct file *file, int nr,
				   unsigned long value)
{
	const char *wrong = look_judge(look, file, nr, value);
	const struct word *word = &file->word[nr];
	unsigned int begun = load(&word->begun);

	if (!wrong || (unsigned int)value == look->last.count)
		return wrong;
	if (!look->busy && load(&word->wiped.count) == look->count &&
	    begun == look->last.count)
		return wrong;
	return value_is_mixed(value, file, nr, look->last.count, begun) ? NULL :
									  wrong;
}

/* Whether some bytes of a tag are there, with any count. */
static inline bool tag_may_be(unsigned long value, unsigned int id, int nr)
{
	unsigned long tag = tag_make(TAG_FILE, id, nr, 0), byte;
	int shift;

	for (shift = 32; shift < 64; shift += 8) {
		byte = value >> shift & 0xff;
		if (byte && byte != (tag >> shift & 0xff))
			return false;
	}
	return true;
}

/* Take back what a dead actor has left. */
static inline void file_abandon(struct file *file, int who, unsigned int now)
{
	struct page *page;
	int nr;

	for (page = file->page; page < file->page + FILE_PAGES; page++) {
		events_abandon(&page->gone, who, now);
		events_abandon(&page->cut, who, now);
		events_abandon(&page->forgot, who, now);
	}
	for (nr = 0; nr < FILE_WORDS; nr++)
		events_abandon(&file->word[nr].wiped, who, now);
}

#endif
