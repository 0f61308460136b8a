// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sharing work among the processors of a node. Who has the work does it; whichever
 * processor of the node has nothing better to do takes pieces of it meanwhile. He waits for
 * nobody who has not begun; who has begun is waited for until his piece is done.
 */
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/topology.h>

#include "crew.h"

/* Whoever works leaves the count somewhat behind the last piece. */
static void crew_work(struct crew *crew)
{
	unsigned long nth;

	for (;;) {
		nth = atomic_long_inc_return(&crew->next) - 1;
		if (nth >= crew->pieces)
			break;
		if (!crew->fn(crew, nth))
			atomic_long_set(&crew->next, crew->pieces);
		cond_resched();
	}
}

static void crew_help(struct work_struct *work)
{
	crew_work(container_of(work, struct crew_hand, work)->crew);
}

/*
 * A processor of the node that the caller may use, each in its turn, and rather not the
 * one on which he is. The kernel would keep all hands near to that one.
 */
static int crew_next_cpu(int nid)
{
	const struct cpumask *cpus = cpumask_of_node(nid);
	unsigned int cpu;

	cpu = cpumask_any_and_distribute(cpus, current->cpus_ptr);
	if (cpu == raw_smp_processor_id())
		cpu = cpumask_any_and_distribute(cpus, current->cpus_ptr);
	/* He may have been told to leave them meanwhile. */
	return cpu < nr_cpu_ids ? cpu : WORK_CPU_UNBOUND;
}

/**
 * crew_run() - Do pieces of work on several processors.
 * @crew: memory for it
 * @nid: node id: on its processors
 * @pieces: how many pieces
 * @worth: how many of them take long
 * @fn: does one
 *
 * When this returns each piece has been done, or one of them was the last, and nobody is
 * at work any more.
 *
 * Context: may sleep.
 */
void crew_run(struct crew *crew, int nid, unsigned long pieces,
	      unsigned long worth, crew_fn *fn)
{
	unsigned int hands, i;

	/* Who may not use a processor himself does not have others use it for him. */
	hands = cpumask_weight_and(cpumask_of_node(nid), current->cpus_ptr);
	hands = min3(hands, worth, CREW_MOST + 1UL);
	crew->fn = fn;
	crew->owner = current;
	crew->pieces = pieces;
	atomic_long_set(&crew->next, 0);
	for (i = 1; i < hands; i++) {
		crew->hand[i - 1].crew = crew;
		INIT_WORK(&crew->hand[i - 1].work, crew_help);
		queue_work_on(crew_next_cpu(nid), system_unbound_wq,
			      &crew->hand[i - 1].work);
	}
	crew_work(crew);
	for (i = 1; i < hands; i++)
		cancel_work_sync(&crew->hand[i - 1].work);
}
