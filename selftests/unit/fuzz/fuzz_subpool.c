// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz subpools: the input is a list of operations with numbers of any size, as far
 * as they can come from a mount and a file. What is kept is what the used pages lack of
 * the minimum, the maximum holds, and no page is lost or won between pool and mount.
 */
#include <errno.h>
#include <limits.h>

#include <linux/types.h>

#include "fuzz.h"
#include "subpool.h"

/* What the pool has given, and not got back, beside what must be true of the mount. */
struct mount {
	struct subpool subpool;
	uint64_t given;
	uint64_t used;
};

/* A size in bytes is below 2^63, and so is any range of indices. */
#define MOST_SIZE	(LONG_MAX >> 21)

static void mount_must_add_up(const struct mount *mount)
{
	const struct subpool *s = &mount->subpool;
	uint64_t lacks = s->min_hpages > mount->used ?
				 s->min_hpages - mount->used : 0;

	must(s->used_hpages == mount->used);
	must(s->rsv_hpages == lacks);
	must(s->used_hpages <= s->max_hpages);
	must(s->min_hpages <= s->max_hpages);
	must(mount->given == mount->used + lacks);
	must(subpool_lacks(s, s->min_hpages) == 0);
}

static void get(struct mount *mount, uint64_t pages)
{
	const struct subpool before = mount->subpool;
	long missing;

	pages &= LONG_MAX;
	missing = subpool_missing(&mount->subpool, pages);
	must(!memcmp(&before, &mount->subpool, sizeof(before)));
	/* Only the maximum says no, and only where it is passed. */
	if (missing < 0) {
		must(missing == -ENOSPC);
		must(pages > before.max_hpages - mount->used);
		return;
	}
	must(pages <= before.max_hpages - mount->used);
	must(missing <= pages);
	subpool_get_pages(&mount->subpool, pages);
	mount->given += missing;
	mount->used += pages;
}

static void put(struct mount *mount, uint64_t pages)
{
	uint64_t back;

	pages %= mount->used + 1;
	back = subpool_put_pages(&mount->subpool, pages);
	must(back <= pages);
	mount->given -= back;
	mount->used -= pages;
}

static void set(struct mount *mount, uint64_t min_hpages, uint64_t max_hpages)
{
	bool fits;

	min_hpages &= MOST_SIZE;
	max_hpages = max_hpages & 1 ? SUBPOOL_NO_MAX : max_hpages & MOST_SIZE;
	fits = subpool_fits(&mount->subpool, min_hpages, max_hpages);
	must(fits == (min_hpages <= max_hpages && mount->used <= max_hpages));
	if (!fits)
		return;
	mount->given += subpool_lacks(&mount->subpool, min_hpages);
	subpool_set(&mount->subpool, min_hpages, max_hpages);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct mount mount = {};
	uint64_t number;

	subpool_init(&mount.subpool);
	while (input.left) {
		switch (take_below(&input, 3)) {
		case 0:
			get(&mount, take_number(&input));
			break;
		case 1:
			put(&mount, take_number(&input));
			break;
		default:
			number = take_number(&input);
			set(&mount, number, take_number(&input));
		}
		mount_must_add_up(&mount);
	}
	return 0;
}
