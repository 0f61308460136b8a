/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Workers: processes whose threads are actors, from their beginning to their end, which
 * may come at any time.
 */
#ifndef RHUGEFS_STRESS_WORKER_H
#define RHUGEFS_STRESS_WORKER_H

#include "steps.h"

/* What the threads of a process have: the process is the only one there is. */
static struct worker {
	struct actor actor[THREADS];
	struct map map[THREADS][MAPS];
	struct pinned pinned[THREADS];
} worker;

static inline void worker_begin(struct run *run, int nr)
{
	struct actor *actor;
	char name[64];
	int i, j;

	for (i = 0; i < run->threads; i++) {
		actor = &worker.actor[i];
		*actor = (struct actor){
			.run = run, .nr = nr * run->threads + i,
			.map = worker.map[i], .pinned = &worker.pinned[i],
		};
		if (run->threads > 1)
			actor->others = worker.map[!i];
		actor->own = run->own[actor->nr];
		for (j = 0; j < MAPS; j++)
			pthread_mutex_init(&worker.map[i][j].lock, NULL);
		for (j = 0; j < OWN_FILES; j++)
			actor->own[j].id = 0;
		/* What an earlier life has left. */
		sprintf(name, STRESS_DIR "/own.%d", actor->nr);
		unlink(name);
	}
}

/* --- the other thread ---------------------------------------------------- */

/* That one may not see what it has in the page any more. */
static inline void map_drop_for(struct actor *actor, struct map *map, int nr)
{
	note(actor, "drop page %d of the other thread at %p", nr,
	     map->page[nr].at);
	__atomic_add_fetch(&map->drops[nr], 1, __ATOMIC_SEQ_CST);
	sure(actor, madvise(map->page[nr].at, HUGE, MADV_DONTNEED) == 0);
	__atomic_add_fetch(&map->drops[nr], 1, __ATOMIC_SEQ_CST);
}

/* Write where no word is. How the page may be accessed may just change. */
static inline void map_touch_for(struct actor *actor, struct map *map, int nr)
{
	struct rights rights = rights_begin(map, nr);
	char *at = map->page[nr].at + 8 * (1 + pick(actor, 1000));
	enum outcome outcome;

	note(actor, "touch page %d of the other thread at %p", nr, at);
	__atomic_add_fetch(&map->touches[nr], 1, __ATOMIC_SEQ_CST);
	outcome = access_store((unsigned long *)at, nr);
	__atomic_add_fetch(&map->touches[nr], 1, __ATOMIC_SEQ_CST);
	if (outcome == REFUSED && rights_kept(actor, &rights, map, PROT_WRITE))
		fail(actor, "SIGBUS in page %d of the other thread", nr);
}

static inline void map_meddle(struct actor *actor, struct map *map)
{
	int nr = page_pick(actor), i;

	if (pthread_mutex_trylock(&map->lock))
		return;
	for (i = 0; i < 6; i++, nr = page_pick(actor)) {
		if (!map->file || !map->is_private || !map->page[nr].at)
			continue;
		if (one_in(actor, 8))
			map_drop_for(actor, map, nr);
		else
			map_touch_for(actor, map, nr);
	}
	pthread_mutex_unlock(&map->lock);
}

/* --- a thread ------------------------------------------------------------ */

/* Nobody moves at a quiet moment. */
static inline void actor_rest(struct actor *actor)
{
	struct actor_state *state = &actor->run->actor[actor->nr];

	child_reap(actor, false);
	store(&state->resting, true);
	while (load(&actor->run->rest) && !load(&actor->run->over))
		usleep(1000);
	store(&state->resting, false);
}

/* All that was promised is redeemed. */
static inline void actor_end(struct actor *actor)
{
	struct map *map;
	int nr;

	child_reap(actor, false);
	for (map = actor->map; map < actor->map + MAPS; map++) {
		for (nr = 0; map->file && nr < FILE_PAGES; nr++) {
			if (!map->page[nr].at)
				continue;
			map_load(actor, map, word_of(nr, actor->nr, 0));
			if (map->is_private)
				map_store_private(actor, map,
						  word_of(nr, actor->nr, 1));
		}
		if (map->file && pick(actor, 2))
			map_end(actor, map);
	}
	pins_drop(actor);
}

/* Who is alone does what it is to do and no more, so that it can be repeated. */
static inline bool actor_goes_on(const struct actor *actor)
{
	const struct actor_state *state = &actor->run->actor[actor->nr];

	if (is_alone(actor->run))
		return state->step < load(&state->quota);
	return !load(&actor->run->rest);
}

static inline void *actor_run(void *arg)
{
	struct actor *actor = arg;

	while (!load(&actor->run->over)) {
		if (!actor_goes_on(actor)) {
			actor_rest(actor);
			continue;
		}
		step_any(actor);
		/* The address space is one: what a thread has is not safe from the other. */
		if (actor->others && one_in(actor, 30))
			map_meddle(actor, &actor->others[pick(actor, MAPS)]);
	}
	actor_end(actor);
	return NULL;
}

static inline int worker_run(void *arg)
{
	struct run *run = arg;
	int i;
	pthread_t thread[THREADS];

	/* So that all that it leaves can be waited for. */
	must(setpgid(0, 0) == 0);
	access_prepare();
	for (i = 0; i < run->threads; i++)
		worker.pinned[i].pin = pin_new();
	for (i = 1; i < run->threads; i++)
		must(!pthread_create(&thread[i], NULL, actor_run,
				     &worker.actor[i]));
	actor_run(&worker.actor[0]);
	for (i = 1; i < run->threads; i++)
		must(!pthread_join(thread[i], NULL));
	return 0;
}

#endif
