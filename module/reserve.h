/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RHUGEFS_RESERVE_H
#define RHUGEFS_RESERVE_H

#include <linux/rwsem.h>

#include "quota.h"
#include "resv_map.h"

struct inode;

/**
 * struct reserve - what one file was promised, or one private mapping of it
 * @lock: held for writing while @map changes, and from the first to the second
 *	step of a change; for reading while it is looked at. Of its own beside
 *	invalidate_lock, since those who share that one change the map too when
 *	they commit a page that was not promised. Sleeping, since between the
 *	two steps the pool may have to find pages
 * @quota: the mount's share, out of which promises are made and pages come; constant
 * @inode: the file, for those who trace; constant
 * @private: it is a private mapping's; constant
 * @map: indices that were promised, whether or not consumed meanwhile; @lock
 * @promise: what of it is not consumed, by node. At every quiet moment its sum
 *	is the number of indices in @map less the pages that the file holds.
 *	Added to with @lock held for writing, taken from at any time
 */
struct reserve {
	struct rw_semaphore lock;
	struct quota *quota;
	const struct inode *inode;
	bool private;
	struct resv_map map;
	struct promise promise;
};

/**
 * struct claim - a page taken for one index, until it is committed or cancelled
 * @reserve: the reserve out of whose promise or share it came
 * @folio: the page, which nobody else can see yet
 * @index: index in the file, in huge pages
 * @promised: the index was promised, and this page keeps that promise
 * @beyond: the page is beyond what is promised, and its index does not go into the
 *	map
 * @zeroed: the page holds only zeroes; whoever writes to it clears this
 *
 * It holds all that is needed to undo it: nothing is worked out again on an
 * error path.
 */
struct claim {
	struct reserve *reserve;
	struct folio *folio;
	unsigned long index;
	bool promised;
	bool beyond;
	bool zeroed;
};

struct reserve *reserve_create(struct quota *quota, const struct inode *inode,
			       bool private);
void reserve_destroy(struct reserve *reserve);

int reserve_range(struct reserve *reserve, unsigned long from,
		  unsigned long to);
long reserve_forget(struct reserve *reserve, unsigned long from,
		    unsigned long to);
void reserve_release(struct reserve *reserve, unsigned long pages);

int reserve_claim(struct reserve *reserve, unsigned long index,
		  bool want_zeroed, struct claim *claim);
int reserve_claim_beyond(struct reserve *reserve, unsigned long index,
			 bool want_zeroed, struct claim *claim);
int reserve_commit(struct claim *claim);
void reserve_cancel(struct claim *claim);
void reserve_restore(struct reserve *reserve, struct folio *folio);
int reserve_replace(struct reserve *reserve);

#endif
