/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_RESERVE_H
#define RHUGEFS_RESERVE_H

#include <linux/overflow.h>
#include <linux/rwsem.h>

#include "quota.h"
#include "resv_map.h"
#include "wish.h"

struct inode;

/**
 * struct reserve - what one file was promised, or one private mapping of it
 * @lock: held for writing while @map changes, and from the first to the second
 *	step of a change; for reading while it is looked at. Of its own beside
 *	invalidate_lock, since those who share that one change the map too when
 *	they commit a page that was not promised. Sleeping, since between the
 *	two steps the pool may have to find pages
 * @quota: the mount's share, out of which promises are made and pages come; constant
 * @user: who is charged for them, held; changed by chown() with the file's
 *	invalidate_lock held exclusively
 * @inode: the file, for those who trace; constant
 * @private: it is a private mapping's; constant
 * @map: indices that were promised, whether or not consumed meanwhile, and what promise
 *	they belong to; @lock
 * @forgotten: to which the indices belonged that were forgotten and not yet released;
 *	@lock
 * @others: promises whose pages may lie on other nodes than those of @promise; @lock
 * @promise: what is not consumed of the indices that belong to it, by node. At every
 *	quiet moment its sum is the number of these indices less the pages that the file
 *	holds of them, and so it is for each of @others. Added to with @lock held for
 *	writing, taken from at any time
 */
struct reserve {
	struct rw_semaphore lock;
	struct quota *quota;
	struct quota_user *user;
	const struct inode *inode;
	bool private;
	struct resv_map map;
	struct promise *forgotten;
	struct list_head others;
	struct promise promise;
};

/**
 * struct forgotten - a part of a range that was taken out of a map
 * @from: its first index
 * @to: index behind its last one
 * @indices: how many of its indices were in the map
 * @promise: to which they belonged
 */
struct forgotten {
	unsigned long from;
	unsigned long to;
	unsigned long indices;
	struct promise *promise;
};

/* How many pages of a range are there, for which no promise is left. */
typedef unsigned long (*reserve_held_fn)(void *data, unsigned long from,
					 unsigned long to);

/**
 * struct claim - a page taken for one index, until it is committed or cancelled
 * @reserve: the reserve out of whose promise or share it came
 * @user: who is charged for the page
 * @folio: the page, which nobody else can see yet
 * @index: index in the file, in huge pages
 * @promise: the index was promised, and this page keeps that promise; else NULL
 * @beyond: the page is beyond what is promised, and its index does not go into the
 *	map
 * @zeroed: the page holds only zeroes; whoever writes to it clears this
 *
 * It holds all that is needed to undo it: nothing is worked out again on an
 * error path.
 */
struct claim {
	struct reserve *reserve;
	struct quota_user *user;
	struct folio *folio;
	unsigned long index;
	struct promise *promise;
	bool beyond;
	bool zeroed;
};

/* What a reserve takes where there may be so many nodes, in bytes. */
static inline size_t reserve_size(int nr_nodes)
{
	return struct_size_t(struct reserve, promise.on_node, nr_nodes);
}

void reserve_init(struct reserve *reserve, struct quota_user *user,
		  const struct inode *inode, bool private);
void reserve_end(struct reserve *reserve);
void reserve_charge(struct reserve *reserve, struct quota_user *user);
struct promise *reserve_promise(struct reserve *reserve, struct scope *scope);

void reserve_spread(struct reserve *reserve, unsigned long from,
		    unsigned long to, const struct wish *wish);
int reserve_range(struct reserve *reserve, unsigned long from,
		  unsigned long to, struct wish *wish);
int reserve_forget(struct reserve *reserve, unsigned long from,
		   unsigned long to, struct forgotten *forgotten);
void reserve_release(struct reserve *reserve, struct forgotten *forgotten,
		     unsigned long held);
void reserve_release_index(struct reserve *reserve, unsigned long index);

int reserve_claim(struct reserve *reserve, unsigned long index,
		  const struct wish *wish, bool want_zeroed,
		  struct claim *claim);
int reserve_claim_beyond(struct reserve *reserve, struct quota_user *user,
			 unsigned long index, const struct wish *wish,
			 bool want_zeroed, struct claim *claim);
int reserve_commit(struct claim *claim);
void reserve_cancel(struct claim *claim);
void reserve_restore(struct reserve *reserve, unsigned long index,
		     struct folio *folio);
int reserve_replace(struct reserve *reserve, unsigned long index);

#endif
