/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_ZEROING_H
#define RHUGEFS_ZEROING_H

#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/cpumask.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct folio;
struct pool;
struct pool_node;
struct task_struct;

/**
 * struct zeroing - zeroing a node's free pages in the background
 * @filling: the share of zeroed pages fell below zeroed_low, and has not been up at
 *	zeroed_high since; the node's lock
 * @asleep: the thread wants to be woken when it is to fill; the node's lock, and read
 *	without where the thread waits
 * @held: how many want nothing to be zeroed just now; the node's lock
 * @wait: where the thread waits
 * @task: the thread, NULL where the node has none; zeroing_mutex
 * @cpus: those of the node when the thread was bound to them; the thread's own
 * @lock: held while a small page of @folio is zeroed, and while the page is called back.
 *	Inside of the node's lock. Taken so often that it has a cache line of its own
 * @folio: the page that the thread has in hand: free, and on neither list; or NULL.
 *	Changed under the node's lock: by the thread, and with @lock as well by others
 */
struct zeroing {
	bool filling;
	bool asleep;
	unsigned int held;
	wait_queue_head_t wait;
	struct task_struct *task;
	struct cpumask cpus;
	spinlock_t lock ____cacheline_aligned_in_smp;
	struct folio *folio;
};

int zeroing_create(struct pool *pool);
void zeroing_destroy(struct pool *pool);
void zeroing_init_node(struct pool_node *node);

void zeroing_unlock(struct pool_node *node) __releases(&node->lock);
void zeroing_call_back(struct pool_node *node);

void zeroing_hold(struct pool *pool);
void zeroing_release(struct pool *pool);

unsigned int zeroing_low(void);
unsigned int zeroing_high(void);
int zeroing_set_low(struct pool *pool, unsigned int percent);
int zeroing_set_high(struct pool *pool, unsigned int percent);

#endif
