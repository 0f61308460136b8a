// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reserve maps whose indices belong to different things. A map is written as a text: a
 * letter for each index, which says to what it belongs, and a dot for one that is not
 * promised. The text is also the model: what an operation does to it is plain.
 *
 * A few cases show what is meant; then all short texts, ranges and operations are tried,
 * and long ones at random. All allocations fail in turn before one is let succeed. Each
 * is done at the lowest indices, in the middle and at the highest.
 *
 * The seed is printed. SEED=n repeats a run.
 */
#include <errno.h>
#include <string.h>

#include <linux/slab.h>

#include "prng.h"
#include "resv_map_state.h"
#include "seed.h"

#define MOST	64	/* indices */
#define SHORT	5
#define STEPS	100000

/*
 * SET is an addition and an assignment of the same range, PIECES are two additions side
 * by side: of both the first steps are taken before the second ones.
 */
enum op { ADD, ABORT, ASSIGN, SET, PIECES, DEL, NR_OPS };

struct changes {
	struct region_change first;
	struct region_change second;
};

/* A text, and the map that it describes, from index @base on. */
struct written {
	struct resv_map map;
	unsigned long base;
	unsigned long live_before;
	char text[MOST + 1];
};

/* NULL is a thing like any other. */
static void *thing(char letter)
{
	return (void *)(unsigned long)(letter - 'a');
}

/* Where those end that follow index @i and are alike. */
static size_t run_end(const char *text, size_t i)
{
	size_t end = i;

	while (text[end] && text[end] == text[i])
		end++;
	return end;
}

static size_t regions_of(const char *text)
{
	size_t i, regions = 0;

	for (i = 0; text[i]; i = run_end(text, i))
		regions += text[i] != '.';
	return regions;
}

/* --- a map and its text -------------------------------------------------- */

static void insert(struct written *w, size_t from, size_t to, char letter)
{
	struct file_region *region = &w->map.first;

	/* As the map itself would: the memory in it comes first. */
	if (w->map.first_used)
		region = kmalloc(sizeof(*region), GFP_KERNEL);
	w->map.first_used = true;
	region->from = w->base + from;
	region->to = w->base + to;
	region->of = thing(letter);
	map_insert(&w->map, region);
}

static void make(struct written *w, const char *text, unsigned long base)
{
	size_t i, end;

	resv_map_init(&w->map);
	w->live_before = slab_live();
	w->base = base;
	strcpy(w->text, text);
	for (i = 0; text[i]; i = end) {
		end = run_end(text, i);
		if (text[i] != '.')
			insert(w, i, end, text[i]);
	}
}

static void unmake(struct written *w)
{
	region_del(&w->map, 0, REGION_END);
}

static bool region_is(struct written *w, struct rb_node *rb, size_t from,
		      size_t to)
{
	struct file_region *region = rb_entry_safe(rb, struct file_region, rb);

	return expect(region) && expect(region->from == w->base + from) &&
	       expect(region->to == w->base + to) &&
	       expect(region->of == thing(w->text[from]));
}

/* The regions are those of the text, and there is no other memory. */
static bool agrees(struct written *w)
{
	struct rb_node *rb = rb_first(&w->map.regions);
	size_t i, end;

	for (i = 0; w->text[i]; i = end) {
		end = run_end(w->text, i);
		if (w->text[i] == '.')
			continue;
		if (!region_is(w, rb, i, end))
			return false;
		rb = rb_next(rb);
	}
	return expect(!rb) && map_links_sound(&w->map) &&
	       expect(resv_map_valid(&w->map)) &&
	       expect(slab_live() - w->live_before + w->map.first_used ==
		      regions_of(w->text));
}

/* What region_run() and region_count() say of a range is what one reads. */
static bool reads_as(struct written *w, size_t from, size_t to)
{
	size_t first = from, end, i, held = 0;
	unsigned long base = w->base;
	struct region_run run;
	bool found;

	for (i = from; i < to; i++)
		held += w->text[i] != '.';
	while (first < to && w->text[first] == '.')
		first++;
	end = run_end(w->text, first);
	end = min(end, to);

	found = region_run(&w->map, base + from, base + to, &run);
	if (!expect(region_count(&w->map, base + from, base + to) == held) ||
	    !expect(found == !!held))
		return false;
	if (!found)
		return true;
	return expect(run.from == base + first) && expect(run.to == base + end) &&
	       expect(run.of == thing(w->text[first]));
}

/* --- what is done to both ------------------------------------------------ */

struct act {
	enum op op;
	size_t from;
	size_t to;
	char letter;
};

/* On the text; how many letters it adds, or takes away. */
static long write_act(char *text, const struct act *act)
{
	long changed = 0;
	size_t i;

	for (i = act->from; i < act->to; i++) {
		switch (act->op) {
		case SET:
			changed += text[i] == '.';
			text[i] = act->letter;
			break;
		case ADD:
		case PIECES:
		case ABORT:
			changed += text[i] == '.';
			if (act->op != ABORT && text[i] == '.')
				text[i] = act->letter;
			break;
		case ASSIGN:
			if (text[i] != '.')
				text[i] = act->letter;
			break;
		default:
			changed += text[i] != '.';
			text[i] = '.';
		}
	}
	return changed;
}

static size_t middle(const struct act *act)
{
	return (act->from + act->to) / 2;
}

/* So many indices an operation has to have. */
static size_t least(enum op op)
{
	return op == PIECES ? 2 : 1;
}

/* Prepare two changes, or none. */
static long first_steps(struct written *w, const struct act *act,
			struct changes *changes)
{
	unsigned long from = w->base + act->from, to = w->base + act->to;
	unsigned long between = w->base + middle(act);
	void *of = thing(act->letter);
	long first, second;

	if (act->op == SET) {
		first = region_prepare(&changes->first, &w->map, from, to, of);
		between = from;
	} else {
		first = region_chg(&w->map, from, between, of, &changes->first);
	}
	if (first < 0)
		return first;
	second = region_chg(&w->map, between, to, of, &changes->second);
	if (second < 0) {
		region_abort(&changes->first);
		return second;
	}
	return first + second;
}

/* The step that may fail, which is the only one where something is deleted. */
static long first_step(struct written *w, const struct act *act,
		       struct changes *changes)
{
	unsigned long from = w->base + act->from, to = w->base + act->to;
	void *of = thing(act->letter);

	if (act->op == DEL)
		return region_del(&w->map, from, to);
	if (act->op == ASSIGN)
		return region_prepare(&changes->first, &w->map, from, to, of);
	if (act->op == SET || act->op == PIECES)
		return first_steps(w, act, changes);
	return region_chg(&w->map, from, to, of, &changes->first);
}

static bool second_step(const struct act *act, struct changes *changes)
{
	unsigned long calls = slab_calls();

	if (act->op == ADD || act->op == PIECES)
		region_add(&changes->first);
	else if (act->op == ABORT)
		region_abort(&changes->first);
	else if (act->op == ASSIGN || act->op == SET)
		region_assign(&changes->first);
	if (act->op == SET || act->op == PIECES)
		region_add(&changes->second);
	return expect(slab_calls() == calls);
}

/* Let each allocation fail in turn until there is none that does. */
static bool do_act(struct written *w, const struct act *act)
{
	struct changes changes;
	unsigned long nth = 0;
	long changed;

	for (;;) {
		slab_fail_nth(++nth);
		changed = first_step(w, act, &changes);
		if (!slab_failed())
			break;
		if (!expect(changed == -ENOMEM) || !agrees(w))
			return false;
	}
	return expect(changed == write_act(w->text, act)) &&
	       second_step(act, &changes) && agrees(w);
}

static void print_act(const char *before, const struct act *act)
{
	static const char *const names[NR_OPS] = {
		"add", "abort", "assign", "set", "add in pieces", "delete",
	};

	ksft_print_msg("  \"%s\": %s [%zu, %zu) of %c\n", before,
		       names[act->op], act->from, act->to, act->letter);
}

/* --- cases --------------------------------------------------------------- */

struct of_case {
	const char *name;
	const char *before;
	struct act act;
	const char *after;
};

static const struct of_case cases[] = {
	{ "add: meets one that is alike", "aa..", { ADD, 2, 4, 'a' }, "aaaa" },
	{ "add: meets one that differs", "aa..", { ADD, 2, 4, 'b' }, "aabb" },
	{ "add: between, alike in front", "aa..bb", { ADD, 2, 4, 'a' },
		"aaaabb" },
	{ "add: between, alike behind", "aa..bb", { ADD, 2, 4, 'b' }, "aabbbb" },
	{ "add: between, like neither", "aa..bb", { ADD, 2, 4, 'c' }, "aaccbb" },
	{ "add: between, like both", "aa..aa", { ADD, 2, 4, 'a' }, "aaaaaa" },
	{ "add: what is there stays", "aabb", { ADD, 0, 4, 'c' }, "aabb" },
	{ "add: gaps among others", ".a.b.", { ADD, 0, 5, 'c' }, "cacbc" },
	{ "add: gaps among others, some alike", ".a.b.a.", { ADD, 0, 7, 'a' },
		"aaabaaa" },
	{ "add: a gap within others", "aa.bb", { ADD, 1, 4, 'b' }, "aabbb" },
	{ "add: more of the same", "a.a.a.b", { ADD, 1, 5, 'a' }, "aaaaa.b" },
	{ "add: given up", "a.b", { ABORT, 0, 3, 'a' }, "a.b" },

	{ "assign: all of one", "aaa", { ASSIGN, 0, 3, 'b' }, "bbb" },
	{ "assign: the head", "aaaa", { ASSIGN, 0, 2, 'b' }, "bbaa" },
	{ "assign: the tail", "aaaa", { ASSIGN, 2, 4, 'b' }, "aabb" },
	{ "assign: the middle", "aaaaa", { ASSIGN, 2, 3, 'b' }, "aabaa" },
	{ "assign: back again", "aabaa", { ASSIGN, 2, 3, 'a' }, "aaaaa" },
	{ "assign: what it is", "aabaa", { ASSIGN, 1, 2, 'a' }, "aabaa" },
	{ "assign: over several", "aabbcc", { ASSIGN, 1, 5, 'd' }, "addddc" },
	{ "assign: over several, like both ends", "aabcaa",
		{ ASSIGN, 1, 5, 'a' }, "aaaaaa" },
	{ "assign: gaps stay", "aa.bb.cc", { ASSIGN, 1, 7, 'a' }, "aa.aa.ac" },
	{ "assign: nothing there", "a..b", { ASSIGN, 1, 3, 'b' }, "a..b" },
	{ "assign: meets one that is alike", "aabb", { ASSIGN, 0, 2, 'b' },
		"bbbb" },

	{ "set: among others", "ab.a.cb", { SET, 1, 6, 'b' }, "abbbbbb" },
	{ "pieces: the second alike behind", "....aa", { PIECES, 0, 4, 'a' },
		"aaaaaa" },
	{ "pieces: the first alike in front", "aa....b", { PIECES, 2, 6, 'a' },
		"aaaaaab" },
	{ "pieces: with others between", "a.b.ba", { PIECES, 0, 6, 'a' },
		"aababa" },

	{ "delete: the middle", "aaa", { DEL, 1, 2 }, "a.a" },
	{ "delete: the middle of another", "abbba", { DEL, 2, 3 }, "ab.ba" },
	{ "delete: over two", "aabb", { DEL, 1, 3 }, "a..b" },
	{ "delete: one of three", "abc", { DEL, 1, 2 }, "a.c" },
};

/* Do @act to the map @before, which is at all @base that there are. */
static bool holds_at(unsigned long base, const char *before,
		     const struct act *act, const char *after)
{
	struct written w;
	bool right;

	make(&w, before, base);
	right = agrees(&w) && do_act(&w, act) &&
		(!after || expect(!strcmp(w.text, after)));
	unmake(&w);
	return right && expect(slab_live() == w.live_before);
}

static bool holds(const char *before, const struct act *act, const char *after)
{
	if (holds_at(0, before, act, after) &&
	    holds_at(1000, before, act, after) &&
	    holds_at(REGION_END - strlen(before), before, act, after))
		return true;
	print_act(before, act);
	return false;
}

static bool test_case(const struct of_case *c)
{
	return holds(c->before, &c->act, c->after);
}

/* --- all short ones ------------------------------------------------------ */

static bool try_ranges(const char *text, enum op op, char letter)
{
	struct act act = { .op = op, .letter = letter };

	for (act.from = 0; text[act.from]; act.from++)
		for (act.to = act.from + least(op); act.to <= strlen(text); act.to++)
			if (!holds(text, &act, NULL))
				return false;
	return true;
}

static bool try_reading(const char *text)
{
	size_t from, to, length = strlen(text);
	struct written w;
	bool right;

	make(&w, text, 0);
	right = agrees(&w);
	for (from = 0; from < length; from++)
		for (to = from; to <= length; to++)
			right = right && reads_as(&w, from, to);
	unmake(&w);
	return right;
}

static bool try_text(const char *text)
{
	char letter;
	enum op op;

	if (!try_reading(text)) {
		ksft_print_msg("  \"%s\"\n", text);
		return false;
	}
	for (op = 0; op < NR_OPS; op++)
		for (letter = 'a'; letter <= 'c'; letter++)
			if (!try_ranges(text, op, letter))
				return false;
	return true;
}

static bool try_texts(char *text, size_t length)
{
	static const char letters[] = { '.', 'a', 'b', 'c' };
	size_t i;

	if (!try_text(text))
		return false;
	if (length == SHORT)
		return true;
	for (i = 0; i < ARRAY_SIZE(letters); i++) {
		text[length] = letters[i];
		text[length + 1] = '\0';
		if (!try_texts(text, length + 1))
			return false;
	}
	text[length] = '\0';
	return true;
}

static bool test_short(void)
{
	char text[SHORT + 1] = "";

	return try_texts(text, 0);
}

/* --- long ones at random ------------------------------------------------- */

static bool random_step(struct written *w, u64 *prng)
{
	size_t length = strlen(w->text);
	struct act act = {
		.op = prng_below(prng, NR_OPS),
		.from = prng_below(prng, length),
		.letter = 'a' + prng_below(prng, 4),
	};
	char before[MOST + 1];

	act.to = act.from + 1 + prng_below(prng, 12);
	act.to = min(act.to, length);
	if (act.to - act.from < least(act.op))
		act.op = ADD;
	strcpy(before, w->text);
	if (do_act(w, &act) && reads_as(w, prng_below(prng, length), length) &&
	    reads_as(w, act.from, act.to))
		return true;
	print_act(before, &act);
	return false;
}

static bool test_random(u64 seed)
{
	char text[MOST + 1] = "";
	size_t most = 0;
	u64 prng = seed;
	struct written w;
	int i;

	memset(text, '.', MOST);
	make(&w, text, 0);
	for (i = 0; i < STEPS; i++) {
		if (!random_step(&w, &prng)) {
			ksft_print_msg("step %d of SEED=%llu\n", i,
				       (unsigned long long)seed);
			return false;
		}
		most = max(most, regions_of(w.text));
	}
	ksft_print_msg("up to %zu regions\n", most);
	unmake(&w);
	return expect(most > MOST / 4) && expect(slab_live() == w.live_before);
}

/* --- what is no map ------------------------------------------------------ */

struct touching {
	const char *name;
	unsigned long to;
	unsigned long from;
	char letter;
	bool valid;
};

/* The first region belongs to a. */
static const struct touching touchings[] = {
	{ "touching, alike", 20, 20, 'a', false },
	{ "touching, not alike", 20, 20, 'b', true },
	{ "apart, alike", 20, 21, 'a', true },
	{ "overlapping, alike", 20, 19, 'a', false },
	{ "overlapping, not alike", 20, 19, 'b', false },
};

static bool test_touching(const struct touching *c)
{
	struct file_region first = { .from = 10, .to = c->to };
	struct file_region second = { .from = c->from, .to = 31 };
	struct resv_map map;

	resv_map_init(&map);
	first.of = thing('a');
	second.of = thing(c->letter);
	map_insert(&map, &first);
	map_insert(&map, &second);
	return expect(resv_map_valid(&map) == c->valid);
}

int main(void)
{
	size_t i;

	ksft_print_header();
	ksft_set_plan(ARRAY_SIZE(cases) + ARRAY_SIZE(touchings) + 3);
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		ksft_test_result(test_case(&cases[i]), "%s\n", cases[i].name);
	for (i = 0; i < ARRAY_SIZE(touchings); i++)
		ksft_test_result(test_touching(&touchings[i]), "valid: %s\n",
				 touchings[i].name);
	ksft_test_result(test_short(), "all maps of up to %d indices\n", SHORT);
	ksft_test_result(test_random(choose_seed()), "random: %d steps\n",
			 STEPS);
	ksft_test_result(expect(!slab_live()), "no memory left behind\n");
	ksft_finished();
}
