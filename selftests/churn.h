/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What churn.c is made of: its processes, what each of them did last, and the mounts
 * that they make, change and leave.
 */
#ifndef RHUGEFS_CHURN_H
#define RHUGEFS_CHURN_H

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "pool_size.h"
#include "step_log.h"

#define CHURNERS	4
#define OWN_PLACES	2
#define MAGIC		0x72687567

/**
 * struct place - where something is mounted, or may be
 * @dir: the directory
 * @mounted: something is
 * @life: number of mounts there have been, so that files know theirs
 * @min: pages that are kept for it
 * @max: pages that it may use, LONG_MAX where there is no limit
 * @limited: it has nr_inodes
 */
struct place {
	char dir[48];
	bool mounted;
	unsigned int life;
	long min;
	long max;
	bool limited;
};

/**
 * struct churn - what all processes share
 * @sync: where they meet
 * @seed: of all chance
 * @busy: somebody mounts or unmounts @place
 * @place: the mount that all of them use
 * @mapped: mappings that were made
 * @refused: and those that were not
 * @killed: accesses that would have ended somebody else
 * @log: what each did last
 */
struct churn {
	struct sync sync;
	unsigned long seed;
	bool busy;
	struct place place;
	long mapped;
	long refused;
	long killed;
	struct step_log log[CHURNERS];
};

#define FILES		8
#define MAPS		8

/* Pages of a file. */
#define FILE_MOST	12

/* A page whose contents are another's, and that of a mapping that has no own. */
#define UNKNOWN		-1
#define NO_PAGE		-2

/**
 * struct file - what a file must be like
 * @fd: the file, or -1 where only mappings are left of it
 * @kind: whether others have it, too
 * @place: where it lies
 * @life: in which of the place's mounts
 * @pages: its size
 * @maps: mappings of it
 * @promised: there is a page, or one was promised
 * @value: what was written, 0 for nothing, or UNKNOWN
 */
struct file {
	int fd;
	enum {
		FILE_NONE,
		FILE_OWN,	/* nobody else knows it */
		FILE_KEPT,	/* nobody takes anything away from it */
		FILE_WILD,	/* anybody may do anything to it */
	} kind;
	struct place *place;
	unsigned int life;
	long pages;
	int maps;
	bool promised[FILE_MOST];
	int value[FILE_MOST];
};

/**
 * struct map - what a mapping must be like
 * @file: the file, NULL where there is no mapping
 * @at: where it is
 * @from: its first page in the file
 * @pages: its length
 * @is_private: MAP_PRIVATE
 * @reserved: not MAP_NORESERVE
 * @there: not unmapped meanwhile
 * @own: by page of the file: what was written to a private page, or NO_PAGE
 */
struct map {
	struct file *file;
	char *at;
	long from;
	long pages;
	bool is_private;
	bool reserved;
	bool there[FILE_MOST];
	int own[FILE_MOST];
};

/**
 * struct churner - one of the processes
 * @churn: what they share
 * @nr: which of them it is
 * @state: its chance
 * @main: the mount that was there before
 * @own: what only this process mounts
 * @pin: pages that it holds on to
 * @pinned: how many of them
 */
struct churner {
	struct churn *churn;
	int nr;
	unsigned long state;
	struct place main;
	struct place own[OWN_PLACES];
	struct file file[FILES];
	struct map map[MAPS];
	struct pin pin;
	int pinned;
};

/* --- what was done ------------------------------------------------------- */

static inline struct step_log *log_of(const struct churner *churner)
{
	return &churner->churn->log[churner->nr];
}

#define note(churner, ...)	step_note(log_of(churner), __VA_ARGS__)

static inline unsigned long pick(struct churner *churner, unsigned long n)
{
	return chance_of(&churner->state, n);
}

/* --- options ------------------------------------------------------------- */

/**
 * struct options - what is asked of a mount
 * @text: as mount() wants it
 * @min: pages to be kept, -1 where that is not named
 * @max: pages that may be used, likewise
 * @share: one of them is a share of the pool, whose size nobody knows
 * @inodes: the number of inodes is to be limited, or not any more
 */
struct options {
	char text[128];
	long min;
	long max;
	bool share;
	int inodes;
};

static inline void __attribute__((format(printf, 2, 3)))
options_add(struct options *options, const char *format, ...)
{
	size_t len = strlen(options->text);
	va_list args;

	if (len)
		options->text[len++] = ',';
	va_start(args, format);
	vsnprintf(options->text + len, sizeof(options->text) - len, format,
		  args);
	va_end(args);
}

static inline void options_pick_max(struct churner *churner,
				    struct options *options)
{
	options->max = 1 + pick(churner, 30);
	if (pick(churner, 3)) {
		options_add(options, "size=%ldM", 2 * options->max);
		return;
	}
	options->share = true;
	options_add(options, "size=%ld%%", 2 * options->max);
}

static inline void options_pick_min(struct churner *churner,
				    struct options *options)
{
	options->min = pick(churner, 6);
	if (pick(churner, 3)) {
		options_add(options, "min_size=%ldM", 2 * options->min);
		return;
	}
	options->share = true;
	options_add(options, "min_size=%ld%%", options->min);
}

static inline struct options options_pick(struct churner *churner, bool remount)
{
	struct options options = { .min = -1, .max = -1, .inodes = -1 };

	if (pick(churner, 3))
		options_pick_max(churner, &options);
	if (pick(churner, 2))
		options_pick_min(churner, &options);
	if (!pick(churner, 4)) {
		options.inodes = pick(churner, 10);
		options_add(&options, "nr_inodes=%d", options.inodes);
	}
	if (!remount && !pick(churner, 3))
		options_add(&options, "fork_reserve");
	return options;
}

/* The number of MiB behind @name in a line of /proc/mounts, in pages. */
static inline long option_pages(const char *line, const char *name, long none)
{
	const char *found = strstr(line, name);

	return found ? atol(found + strlen(name)) / 2 : none;
}

/* Read what is in force. */
static inline void place_read(const struct place *place, long *min, long *max)
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[512], dir[64];
	bool found = false;

	must(mounts);
	snprintf(dir, sizeof(dir), " %s ", place->dir);
	while (!found && fgets(line, sizeof(line), mounts))
		found = strstr(line, dir);
	fclose(mounts);
	must(found);
	*min = option_pages(line, ",min_size=", 0);
	*max = option_pages(line, ",size=", LONG_MAX);
}

/* --- mounting ------------------------------------------------------------ */

/* A share of the pool may be no page, or less than is to be kept. */
static inline bool options_clash(const struct options *options, long min,
				 long max)
{
	return options->share || min > max;
}

static inline bool place_may_refuse(const struct place *place,
				    const struct options *options, int err)
{
	long min = options->min < 0 ? place->min : options->min;
	long max = options->max < 0 ? place->max : options->max;

	if (err == ENOMEM)
		return options->share || min > place->min;
	if (err != EINVAL)
		return false;
	if (options_clash(options, min, max))
		return true;
	/* More may be used already, of pages or of inodes. */
	return place->mounted && (max < place->max || options->inodes > 0);
}

/* What is named has come into force, what is not is as it was. */
static inline void place_took(struct place *place,
			      const struct options *options)
{
	long min, max;

	place_read(place, &min, &max);
	must(min <= max);
	if (!options->share) {
		must(min == (options->min < 0 ? place->min : options->min));
		must(max == (options->max < 0 ? place->max : options->max));
	}
	place->min = min;
	place->max = max;
	if (options->inodes >= 0)
		place->limited = options->inodes;
}

static inline void place_mount(struct churner *churner, struct place *place)
{
	struct options options = options_pick(churner, false);
	int err;

	place->life++;
	place->min = 0;
	place->max = LONG_MAX;
	place->limited = false;
	note(churner, "mount %s", options.text);
	err = mount("none", place->dir, "rhugefs", 0, options.text) ? errno : 0;
	if (err) {
		must(place_may_refuse(place, &options, err));
		return;
	}
	place->mounted = true;
	place_took(place, &options);
}

static inline void place_remount(struct churner *churner, struct place *place)
{
	struct options options = options_pick(churner, true);
	long min, max;

	note(churner, "remount %s %s (had %ld to %ld)", place->dir,
	     options.text, place->min, place->max);
	if (!mount("none", place->dir, NULL, MS_REMOUNT, options.text)) {
		must(options.share || options.min < 0 || options.max < 0 ||
		     options.min <= options.max);
		place_took(place, &options);
		return;
	}
	must(place_may_refuse(place, &options, errno));
	place_read(place, &min, &max);
	must(min == place->min && max == place->max);
}

static inline bool place_in_use(struct churner *churner, struct place *place)
{
	int i;

	for (i = 0; i < FILES; i++)
		if (churner->file[i].kind != FILE_NONE &&
		    churner->file[i].place == place &&
		    churner->file[i].life == place->life)
			return true;
	return false;
}

/* Whoever uses it keeps it from being unmounted, if that is to be all of it. */
static inline void place_leave(struct churner *churner, struct place *place)
{
	bool detach = !pick(churner, 3);

	note(churner, "umount %s%s", place->dir, detach ? ", detach" : "");
	if (umount2(place->dir, detach ? MNT_DETACH : 0)) {
		must(errno == EBUSY && !detach && place_in_use(churner, place));
		return;
	}
	must(detach || !place_in_use(churner, place));
	place->mounted = false;
}

/* As for a place of one's own, but who has files there is not known. */
static inline void place_leave_shared(struct churner *churner,
				      struct place *place)
{
	note(churner, "umount %s, detach", place->dir);
	must(umount2(place->dir, MNT_DETACH) == 0);
	place->mounted = false;
}

/* Whether somebody who asks for so many pages is told yes. */
static inline bool place_gives(const char *dir, long pages)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char *map;
	int err;

	must(fd >= 0);
	map = map_huge(fd, 0, pages, 0);
	err = errno;
	must(map || err == ENOMEM);
	must(!map || unmap_huge(map, pages) == 0);
	close(fd);
	return map;
}

static inline struct statfs place_statfs(const char *dir)
{
	struct statfs fs;

	must(statfs(dir, &fs) == 0);
	must(fs.f_type == MAGIC);
	must(fs.f_bfree <= fs.f_blocks && fs.f_bavail == fs.f_bfree);
	return fs;
}

#endif
