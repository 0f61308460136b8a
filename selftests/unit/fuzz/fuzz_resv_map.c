// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz a reservation map: the input is a list of operations, and after each the map
 * must say what one number for each cell says: to whom the cell belongs. A cell is
 * what lies between two neighbouring bounds. Bounds are close to each other or at the
 * end of all that is possible.
 */
#include <errno.h>

#include <linux/slab.h>

#include "fuzz.h"
#include "resv_map.h"

#define CELLS	40
#define NOBODY	0
#define OWNERS	3

struct model {
	struct resv_map map;
	unsigned long bound[CELLS + 1];
	uint8_t owner[CELLS];
	struct input input;
};

static char owners[OWNERS + 1];

/* A range by its cells, and how many of its indices are in the map. */
struct range {
	int first, end;
	unsigned long from, to, held;
};

static void *owner_of(const struct model *m, int cell)
{
	return &owners[m->owner[cell]];
}

static unsigned long cell_size(const struct model *m, int cell)
{
	return m->bound[cell + 1] - m->bound[cell];
}

/* The first half one index each, the other half far away and long. */
static void set_bounds(struct model *m)
{
	int i;

	for (i = 0; i < CELLS / 2; i++)
		m->bound[i] = i;
	for (; i <= CELLS; i++)
		m->bound[i] = REGION_END - ((1UL << (CELLS - i)) - 1);
}

static struct range take_range(struct model *m)
{
	struct range r = { .first = take_below(&m->input, CELLS) };
	int i;

	r.end = r.first + 1 + take_below(&m->input, CELLS - r.first);
	r.from = m->bound[r.first];
	r.to = m->bound[r.end];
	for (i = r.first; i < r.end; i++)
		if (m->owner[i] != NOBODY)
			r.held += cell_size(m, i);
	return r;
}

static void model_set(struct model *m, const struct range *r, uint8_t owner)
{
	int i;

	for (i = r->first; i < r->end; i++)
		m->owner[i] = owner;
}

/* --- the map says what the model says ----------------------------------------- */

static void runs_must_agree(struct model *m)
{
	unsigned long at = 0;
	struct region_run run;
	int i = 0, end;

	while (region_run(&m->map, at, REGION_END, &run)) {
		while (i < CELLS && m->owner[i] == NOBODY)
			i++;
		must(i < CELLS);
		for (end = i; end < CELLS && m->owner[end] == m->owner[i];)
			end++;
		must(run.from == m->bound[i]);
		must(run.to == m->bound[end]);
		must(run.of == owner_of(m, i));
		at = run.to;
		i = end;
	}
	for (; i < CELLS; i++)
		must(m->owner[i] == NOBODY);
}

static void map_must_agree(struct model *m)
{
	struct file_region *region;
	unsigned long nr = 0;

	must(resv_map_valid(&m->map));
	list_for_each_entry(region, &m->map.in_order, link)
		nr++;
	/* No memory is out but that of the regions. */
	must(slab_live() + m->map.first_used == nr);
	runs_must_agree(m);
}

/* --- operations --------------------------------------------------------------------- */

/* Sometimes the first allocation fails, or the second one. */
static void fail_sometimes(struct model *m)
{
	slab_fail_nth(take_below(&m->input, 8) % 3);
}

static void add(struct model *m)
{
	struct range r = take_range(m);
	uint8_t owner = 1 + take_below(&m->input, OWNERS);
	struct region_change change;
	unsigned long calls;
	long missing;
	int i;

	fail_sometimes(m);
	missing = region_chg(&m->map, r.from, r.to, &owners[owner], &change);
	if (slab_failed()) {
		must(missing == -ENOMEM);
		return;
	}
	must(missing == r.to - r.from - r.held);
	if (take_below(&m->input, 4) == 0) {
		region_abort(&change);
		return;
	}
	calls = slab_calls();
	region_add(&change);
	must(slab_calls() == calls);
	for (i = r.first; i < r.end; i++)
		if (m->owner[i] == NOBODY)
			m->owner[i] = owner;
}

static void del(struct model *m)
{
	struct range r = take_range(m);
	long deleted;

	fail_sometimes(m);
	deleted = region_del(&m->map, r.from, r.to);
	if (slab_failed()) {
		/* Only where it would have been split, and not at the end. */
		must(deleted == -ENOMEM);
		must(r.first && r.end < CELLS);
		must(m->owner[r.first - 1] != NOBODY &&
		     m->owner[r.end] == m->owner[r.first - 1]);
		return;
	}
	must(deleted == r.held);
	model_set(m, &r, NOBODY);
}

static void count(struct model *m)
{
	struct range r = take_range(m);

	must(region_count(&m->map, r.from, r.to) == r.held);
}

static void assign(struct model *m)
{
	struct range r = take_range(m);
	uint8_t owner = 1 + take_below(&m->input, OWNERS);
	struct region_change change;
	unsigned long calls;
	int i;

	fail_sometimes(m);
	i = region_prepare(&change, &m->map, r.from, r.to, &owners[owner]);
	if (slab_failed()) {
		must(i == -ENOMEM);
		return;
	}
	must(!i);
	if (take_below(&m->input, 4) == 0) {
		region_abort(&change);
		return;
	}
	calls = slab_calls();
	region_assign(&change);
	must(slab_calls() == calls);
	for (i = r.first; i < r.end; i++)
		if (m->owner[i] != NOBODY)
			m->owner[i] = owner;
}

/* What is no range is refused, whatever the map has. */
static void refuse(struct model *m)
{
	unsigned long at = take_number(&m->input), to = take_number(&m->input);
	struct region_change change;

	if (at < to && to <= REGION_END)
		to = REGION_END + 1 + to;
	must(region_chg(&m->map, at, to, &owners[1], &change) == -EINVAL);
}

static void (*const operations[])(struct model *m) = {
	add, del, assign, count, refuse,
};

int fuzz_one(const uint8_t *data, size_t size)
{
	static struct model m;

	memset(&m, 0, sizeof(m));
	m.input = (struct input){ data, size };
	set_bounds(&m);
	resv_map_init(&m.map);
	while (m.input.left) {
		operations[take_below(&m.input, ARRAY_SIZE(operations))](&m);
		map_must_agree(&m);
	}
	slab_fail_nth(0);
	region_del(&m.map, 0, REGION_END);
	memset(m.owner, NOBODY, sizeof(m.owner));
	map_must_agree(&m);
	return 0;
}
