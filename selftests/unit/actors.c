// SPDX-License-Identifier: GPL-2.0-only
/*
 * The schedules of two actors, one after the other: a search in depth. What was chosen
 * at each point is written down; the next schedule is the same up to the last point where
 * there is another choice left, and takes that one.
 */
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "actors.h"
#include "expect.h"

#define MAX_POINTS	4096
#define STACK_SIZE	(256 * 1024)

/* What an actor waits for. */
enum wait { WAIT_NOT, WAIT_READ, WAIT_WRITE };

struct actor {
	ucontext_t context;
	char *stack;
	enum wait wait;
	struct actor_lock *lock;
	bool done;
};

/* A point at which both could go on. */
struct choice {
	bool other;
	bool both_free;
	int from;
};

static struct actor actors[NR_ACTORS];
static ucontext_t stage;
static const struct play *playing;
static int self = -1;

static struct choice choices[MAX_POINTS];
static int nr_choices, at_choice, interrupts, steps;
static const char *stuck;

int actor_self(void)
{
	return self;
}

static bool is_free(const struct actor *actor)
{
	if (actor->done)
		return false;
	switch (actor->wait) {
	case WAIT_READ:
		return !actor->lock->written;
	case WAIT_WRITE:
		return !actor->lock->written && !actor->lock->readers;
	default:
		return true;
	}
}

/* Whether the other goes on, where both could: as before, or else not. */
static bool choose(bool interrupts_one)
{
	struct choice *choice = &choices[at_choice];

	if (at_choice == nr_choices) {
		if (nr_choices == MAX_POINTS) {
			stuck = "too many points";
			return false;
		}
		nr_choices++;
		*choice = (struct choice){
			.both_free = !interrupts_one || playing->most < 0 ||
				     interrupts < playing->most,
			.from = self,
		};
	}
	assert(choice->from == self);
	at_choice++;
	if (choice->other && interrupts_one)
		interrupts++;
	return choice->other;
}

static void leave_stage(const char *why)
{
	stuck = why;
	swapcontext(&actors[self].context, &stage);
}

static void let_other_go_on(void)
{
	int me = self;

	self = !self;
	swapcontext(&actors[me].context, &actors[self].context);
}

/* The other may come between what was and what follows. */
static void point(void)
{
	if (self < 0)
		return;
	if (++steps > MAX_POINTS)
		leave_stage("no end to it");
	if (is_free(&actors[!self]) && choose(true))
		let_other_go_on();
}

/* The same where not only locks are looked at. */
void actor_point(void)
{
	if (playing && playing->fine)
		point();
}

/* Nothing more is to be had by going on. */
void actor_yield(void)
{
	if (self < 0)
		return;
	if (++steps > MAX_POINTS)
		leave_stage("no end to it");
	if (is_free(&actors[!self]))
		let_other_go_on();
}

/* --- locks ---------------------------------------------------------------------- */

static void wait_for(struct actor_lock *lock, enum wait wait)
{
	struct actor *actor;

	point();
	/* Between plays nobody could let go of it. */
	if (self < 0) {
		assert(!lock->written && !(wait == WAIT_WRITE && lock->readers));
		return;
	}
	actor = &actors[self];
	actor->wait = wait;
	actor->lock = lock;
	while (!is_free(actor)) {
		if (is_free(&actors[!self]))
			let_other_go_on();
		else
			leave_stage("deadlock");
	}
	actor->wait = WAIT_NOT;
}

void actor_lock_init(struct actor_lock *lock)
{
	*lock = (struct actor_lock){};
}

void actor_lock_read(struct actor_lock *lock)
{
	wait_for(lock, WAIT_READ);
	lock->readers++;
}

void actor_unlock_read(struct actor_lock *lock)
{
	assert(lock->readers > 0);
	lock->readers--;
	actor_point();
}

void actor_lock_write(struct actor_lock *lock)
{
	wait_for(lock, WAIT_WRITE);
	lock->written = true;
}

void actor_unlock_write(struct actor_lock *lock)
{
	assert(lock->written);
	lock->written = false;
	actor_point();
}

bool actor_try_write(struct actor_lock *lock)
{
	point();
	if (lock->written || lock->readers)
		return false;
	lock->written = true;
	return true;
}

/* --- schedules ------------------------------------------------------------------ */

static void enter(int who)
{
	struct actor *actor = &actors[who];

	playing->act(playing->data, who);
	actor->done = true;
	if (actors[!who].done)
		return;
	if (is_free(&actors[!who])) {
		self = !who;
		setcontext(&actors[self].context);
	}
	stuck = "deadlock";
}

static void put_on_stage(int who)
{
	struct actor *actor = &actors[who];

	if (!actor->stack)
		actor->stack = malloc(STACK_SIZE);
	getcontext(&actor->context);
	actor->context.uc_stack.ss_sp = actor->stack;
	actor->context.uc_stack.ss_size = STACK_SIZE;
	actor->context.uc_link = &stage;
	actor->wait = WAIT_NOT;
	actor->done = false;
	makecontext(&actor->context, (void (*)(void))enter, 1, who);
}

static bool play_once(const struct play *play)
{
	int who;

	at_choice = 0;
	interrupts = 0;
	steps = 0;
	stuck = NULL;
	play->begin(play->data);
	for (who = 0; who < NR_ACTORS; who++)
		put_on_stage(who);
	self = 0;
	/* Who begins is a choice, too. */
	if (choose(false))
		self = 1;
	swapcontext(&stage, &actors[self].context);
	self = -1;
	if (stuck) {
		ksft_print_msg("%s\n", stuck);
		return false;
	}
	return play->end(play->data);
}

/* The last choice that can be made otherwise. */
static bool next_schedule(void)
{
	while (nr_choices) {
		struct choice *last = &choices[nr_choices - 1];

		if (!last->other && last->both_free) {
			last->other = true;
			return true;
		}
		nr_choices--;
	}
	return false;
}

/* Enough to see who did what when: after how many choices the other went on. */
static void print_schedule(void)
{
	char text[512] = "";
	int i, at = 0;

	for (i = 0; i < nr_choices && at < (int)sizeof(text) - 16; i++)
		if (choices[i].other)
			at += snprintf(text + at, sizeof(text) - at, " %d:%d", i,
				       choices[i].from);
	ksft_print_msg("  others went on at:%s\n", text);
}

/* Go through all schedules, up to the first one that does not end as it must. */
void actors_play(const struct play *play, struct run *run)
{
	*run = (struct run){ .right = true };
	playing = play;
	nr_choices = 0;
	do {
		run->right = play_once(play);
		run->schedules++;
		if (steps > run->longest)
			run->longest = steps;
		if (!run->right) {
			print_schedule();
			return;
		}
	} while (next_schedule());
}
