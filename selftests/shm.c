// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks of shared memory as shmget() and shmat() make them: a file without a name
 * for each, mapped whole by whoever attaches, in any order of attach and detach, of
 * processes that come and go. A block has all its pages from the day it is made
 * until it was removed and its last user is gone, however many use it.
 */
#include "rhugefs_test.h"

/* --- blocks and their users ---------------------------------------------- */

#define MAX_BLOCKS	256

/*
 * Make a block: reserve it whole, touch none of it; no one has it mapped then.
 * Return its descriptor, which stands for its id, or a negative errno.
 */
static long shm_make(long pages)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, pages, 0);
	int err = errno;

	if (!map) {
		close(fd);
		return -err;
	}
	must(unmap_huge(map, pages) == 0);
	return fd;
}

/* Mark a block to go with its last user. */
static void shm_remove(int id)
{
	must(close(id) == 0);
}

/* What this process has attached, by a number that the test chooses. */
static char *attached[MAX_BLOCKS];
static long attached_pages[MAX_BLOCKS];

/* Attach block @id of the parent's. Every user opens it on his own. */
static long shm_attach(long slot, long id, long pages)
{
	int fd = open_from(getppid(), id, O_RDWR);

	must(!attached[slot]);
	attached[slot] = map_huge(fd, 0, pages, 0);
	attached_pages[slot] = pages;
	must(close(fd) == 0);
	return attached[slot] ? 0 : -errno;
}

/* The same, to read only. */
static long shm_attach_rdonly(long slot, long id, long pages)
{
	int fd = open_from(getppid(), id, O_RDONLY);

	must(!attached[slot]);
	attached[slot] = mmap(NULL, pages * HUGE, PROT_READ, MAP_SHARED, fd, 0);
	attached_pages[slot] = pages;
	must(close(fd) == 0);
	return attached[slot] == MAP_FAILED ? -errno : 0;
}

static long shm_detach(long slot, long b, long c)
{
	must(unmap_huge(attached[slot], attached_pages[slot]) == 0);
	attached[slot] = NULL;
	return 0;
}

/* Write to a page; return what was there, or -1 for SIGBUS. */
static long shm_write(long slot, long page, long value)
{
	unsigned char *addr = (unsigned char *)attached[slot] + page * HUGE;
	long old;

	if (!can_read((char *)addr))
		return -1;
	old = *addr;
	return can_write_value((char *)addr, value) ? old : -1;
}

static long shm_read(long slot, long page, long c)
{
	unsigned char *addr = (unsigned char *)attached[slot] + page * HUGE;

	return can_read((char *)addr) ? *addr : -1;
}

/* --- single steps -------------------------------------------------------- */

RHUGEFS_FIXTURE(shm);

/* A database's start: blocks until there is no room, all of them usable. */
TEST_F_TIMEOUT(shm, blocks_that_fit_are_all_there, 300)
{
	static const long sizes[] = { 5, 1, 13, 2, 8 };
	struct peer peer[2] = { peer_new(), peer_new() };
	long free = self->before.all.free, made = 0, used = 0;
	static int id[MAX_BLOCKS];
	static long size[MAX_BLOCKS];
	long page, pages, n, i;

	for (n = 0; n < MAX_BLOCKS; n++) {
		pages = sizes[n % 5];
		id[n] = shm_make(pages);
		if (made + pages > free)
			break;
		ASSERT_LE(0, id[n]);
		size[n] = pages;
		made += pages;
		ASSERT_POOL(0, made);
		if (n % 3 == 0)
			ASSERT_EQ(peer_call(&peer[n % 2], shm_attach, n, id[n],
					    pages), 0);
		ASSERT_POOL(0, made);
	}
	ASSERT_EQ(id[n], -ENOMEM);
	ASSERT_POOL(0, made);

	/* Each block by one user from either node, in turns. */
	for (i = n - 1; i >= 0; i--) {
		if (i % 3)
			ASSERT_EQ(peer_call(&peer[i % 2], shm_attach, i, id[i],
					    size[i]), 0);
		for (page = 0; page < size[i]; page++)
			ASSERT_EQ(peer_call(&peer[i % 2], shm_write, i, page, 1),
				  0);
		used += size[i];
		ASSERT_POOL(used, made - used);
	}
	/* The other user finds what was written, and takes no page for it. */
	for (i = 0; i < n; i++) {
		ASSERT_EQ(peer_call(&peer[(i + 1) % 2], shm_attach, i, id[i],
				    size[i]), 0);
		ASSERT_EQ(peer_call(&peer[(i + 1) % 2], shm_read, i,
				    size[i] - 1, 0), 1);
	}
	ASSERT_POOL(made, 0);

	for (i = 0; i < n; i++)
		shm_remove(id[i]);
	ASSERT_POOL(made, 0);
	peer_exit(&peer[0]);
	ASSERT_POOL(made, 0);
	peer_kill(&peer[1]);
	ASSERT_POOL(0, 0);
}

TEST_F(shm, detached_block_keeps_its_pages)
{
	struct peer peer[2] = { peer_new(), peer_new() };
	int id = shm_make(4);

	ASSERT_POOL(0, 4);
	ASSERT_EQ(peer_call(&peer[0], shm_attach, 0, id, 4), 0);
	ASSERT_EQ(peer_call(&peer[0], shm_write, 0, 3, 33), 0);
	ASSERT_EQ(peer_call(&peer[0], shm_detach, 0, 0, 0), 0);
	ASSERT_POOL(1, 3);
	peer_exit(&peer[0]);
	ASSERT_POOL(1, 3);

	/* Whatever others do with the rest of the pool. */
	ASSERT_NE(map_new(self->before.all.free - 4, 0), NULL);
	ASSERT_EQ(shm_make(1), -ENOMEM);
	ASSERT_EQ(peer_call(&peer[1], shm_attach, 0, id, 4), 0);
	ASSERT_EQ(peer_call(&peer[1], shm_write, 0, 3, 34), 33);
	ASSERT_EQ(peer_call(&peer[1], shm_write, 0, 0, 1), 0);
	ASSERT_EQ(peer_call(&peer[1], shm_write, 0, 2, 1), 0);
	ASSERT_POOL(3, self->before.all.free - 3);

	shm_remove(id);
	ASSERT_POOL(3, self->before.all.free - 3);
	ASSERT_EQ(peer_call(&peer[1], shm_write, 0, 1, 1), 0);
	ASSERT_EQ(peer_call(&peer[1], shm_detach, 0, 0, 0), 0);
	ASSERT_POOL(0, self->before.all.free - 4);
	ASSERT_LE(0, shm_make(4));
}

TEST_F(shm, attached_several_times_by_one)
{
	struct peer peer = peer_new();
	int id = shm_make(3);

	ASSERT_EQ(peer_call(&peer, shm_attach, 0, id, 3), 0);
	ASSERT_EQ(peer_call(&peer, shm_attach, 1, id, 3), 0);
	ASSERT_EQ(peer_call(&peer, shm_attach_rdonly, 2, id, 3), 0);
	ASSERT_POOL(0, 3);
	ASSERT_EQ(peer_call(&peer, shm_write, 0, 1, 5), 0);
	ASSERT_EQ(peer_call(&peer, shm_write, 1, 1, 6), 5);
	ASSERT_EQ(peer_call(&peer, shm_read, 2, 1, 0), 6);
	/* To read a page that is not there yet takes it as well. */
	ASSERT_EQ(peer_call(&peer, shm_read, 2, 2, 0), 0);
	ASSERT_POOL(2, 1);
	shm_remove(id);
	ASSERT_EQ(peer_call(&peer, shm_detach, 0, 0, 0), 0);
	ASSERT_EQ(peer_call(&peer, shm_detach, 2, 0, 0), 0);
	ASSERT_POOL(2, 1);
	ASSERT_EQ(peer_call(&peer, shm_write, 1, 0, 1), 0);
	ASSERT_POOL(3, 0);
	ASSERT_EQ(peer_call(&peer, shm_detach, 1, 0, 0), 0);
	ASSERT_POOL(0, 0);
	peer_exit(&peer);
}

/* A user in the child of a user: neither has the file open any more. */
TEST_F(shm, children_inherit)
{
	struct peer child, grandchild;
	int id = shm_make(4);

	attached[0] = map_huge(id, 0, 4, 0);
	ASSERT_NE(attached[0], NULL);
	attached_pages[0] = 4;
	ASSERT_EQ(shm_write(0, 0, 10), 0);
	ASSERT_POOL(1, 3);
	shm_remove(id);

	child = peer_new();
	grandchild = peer_new();
	ASSERT_POOL(1, 3);
	ASSERT_EQ(peer_call(&child, shm_write, 0, 0, 11), 10);
	ASSERT_EQ(peer_call(&child, shm_write, 0, 1, 20), 0);
	ASSERT_EQ(shm_read(0, 1, 0), 20);
	ASSERT_POOL(2, 2);
	ASSERT_EQ(shm_detach(0, 0, 0), 0);
	ASSERT_POOL(2, 2);
	ASSERT_EQ(peer_call(&grandchild, shm_read, 0, 1, 0), 20);
	peer_kill(&child);
	ASSERT_POOL(2, 2);
	ASSERT_EQ(peer_call(&grandchild, shm_write, 0, 3, 40), 0);
	ASSERT_EQ(peer_call(&grandchild, shm_write, 0, 2, 30), 0);
	ASSERT_POOL(4, 0);
	peer_exit(&grandchild);
	ASSERT_POOL(0, 0);
}

/* --- in every order ------------------------------------------------------ */

#define USERS	3

/* The @n-th of the orders in which @items things can come. */
static void nth_order(int n, int *order, int items)
{
	int i, j, other;

	for (i = 0; i < items; i++)
		order[i] = i;
	for (i = 0; i < items; i++) {
		j = i + n % (items - i);
		n /= items - i;
		other = order[i];
		order[i] = order[j];
		order[j] = other;
	}
}

/*
 * Three users attach, write and detach in every order, and the block is removed
 * between any two of the detachments.
 */
TEST_F_TIMEOUT(shm, every_order_of_attach_and_detach, 300)
{
	struct peer peer[USERS] = { peer_new(), peer_new(), peer_new() };
	int attach[USERS], detach[USERS], in, out, i;
	int orders = 6, id;
	bool removed;

	for (in = 0; in < orders; in++) {
		for (out = 0; out < orders; out++) {
			nth_order(in, attach, USERS);
			nth_order(out, detach, USERS);
			id = shm_make(USERS + 1);
			ASSERT_LE(0, id);
			removed = false;
			ASSERT_POOL(0, USERS + 1);
			for (i = 0; i < USERS; i++) {
				ASSERT_EQ(peer_call(&peer[attach[i]], shm_attach,
						    0, id, USERS + 1), 0);
				ASSERT_EQ(peer_call(&peer[attach[i]], shm_write,
						    0, 0, i + 1), i);
			}
			ASSERT_POOL(1, USERS);
			for (i = 0; i < USERS; i++) {
				if ((in + out) % USERS == i) {
					shm_remove(id);
					removed = true;
				}
				ASSERT_EQ(peer_call(&peer[detach[i]], shm_write,
						    0, i + 1, 1), 0);
				ASSERT_POOL(2 + i, USERS - 1 - i);
				ASSERT_EQ(peer_call(&peer[detach[i]], shm_detach,
						    0, 0, 0), 0);
				if (i < USERS - 1)
					ASSERT_POOL(2 + i, USERS - 1 - i);
			}
			ASSERT_TRUE(removed);
			ASSERT_POOL(0, 0);
		}
	}
}

/* --- at random, against an oracle ---------------------------------------- */

#define WALK_BLOCKS	8
#define WALK_PEERS	4
#define WALK_MAX_PAGES	9
#define WALK_LEFT	30	/* fewer than all blocks might be */
#define WALK_STEPS	1200

/* Slot n of a peer is for block n. */
struct walk_block {
	bool exists;
	bool removed;
	int id;
	long pages;
	bool present[WALK_MAX_PAGES];
	unsigned char byte[WALK_MAX_PAGES];
	bool attached[WALK_PEERS];
};

struct walk {
	struct walk_block block[WALK_BLOCKS];
	struct peer peer[WALK_PEERS];
	unsigned long chance;
};

static long walk_used(struct walk *walk)
{
	long used = 0;
	int b, i;

	for (b = 0; b < WALK_BLOCKS; b++)
		for (i = 0; i < walk->block[b].pages; i++)
			used += walk->block[b].present[i];
	return used;
}

static long walk_made(struct walk *walk)
{
	long made = 0;
	int b;

	for (b = 0; b < WALK_BLOCKS; b++)
		made += walk->block[b].pages;
	return made;
}

/* A block that was removed goes with its last user. */
static void walk_settle(struct walk *walk)
{
	struct walk_block *block;
	bool in_use;
	int b, p;

	for (b = 0; b < WALK_BLOCKS; b++) {
		block = &walk->block[b];
		in_use = !block->removed;
		for (p = 0; p < WALK_PEERS; p++)
			in_use = in_use || block->attached[p];
		if (!in_use)
			memset(block, 0, sizeof(*block));
	}
}

static const char *walk_make(struct walk *walk, struct walk_block *block)
{
	long pages = 1 + chance_of(&walk->chance, WALK_MAX_PAGES);
	long id = shm_make(pages);

	if (walk_made(walk) + pages > WALK_LEFT)
		return id == -ENOMEM ? NULL : "made what does not fit";
	if (id < 0)
		return "refused to make what fits";
	*block = (struct walk_block){ .exists = true, .id = id, .pages = pages };
	return NULL;
}

static const char *walk_use(struct walk *walk, struct walk_block *block, int p)
{
	long slot = block - walk->block;
	long page = chance_of(&walk->chance, block->pages);
	long value = 1 + chance_of(&walk->chance, 200);

	if (peer_call(&walk->peer[p], shm_write, slot, page, value) !=
	    block->byte[page])
		return "write";
	block->present[page] = true;
	block->byte[page] = value;
	return NULL;
}

static const char *walk_attach(struct walk *walk, struct walk_block *block, int p)
{
	if (block->removed)
		return NULL;
	if (peer_call(&walk->peer[p], shm_attach, block - walk->block, block->id,
		      block->pages))
		return "attach";
	block->attached[p] = true;
	return NULL;
}

static void walk_exit(struct walk *walk, int p)
{
	int b;

	if (chance_of(&walk->chance, 2))
		peer_exit(&walk->peer[p]);
	else
		peer_kill(&walk->peer[p]);
	/* The parent has nothing attached, so that the new one has nothing. */
	walk->peer[p] = peer_new();
	for (b = 0; b < WALK_BLOCKS; b++)
		walk->block[b].attached[p] = false;
}

static const char *walk_step(struct walk *walk)
{
	struct walk_block *block =
		&walk->block[chance_of(&walk->chance, WALK_BLOCKS)];
	int p = chance_of(&walk->chance, WALK_PEERS);

	if (!block->exists)
		return chance_of(&walk->chance, 3) ? NULL : walk_make(walk, block);
	if (chance_of(&walk->chance, 40) == 0) {
		walk_exit(walk, p);
		return NULL;
	}
	if (chance_of(&walk->chance, 12) == 0 && !block->removed) {
		shm_remove(block->id);
		block->removed = true;
		return NULL;
	}
	if (!block->attached[p])
		return walk_attach(walk, block, p);
	if (chance_of(&walk->chance, 3))
		return walk_use(walk, block, p);
	peer_call(&walk->peer[p], shm_detach, block - walk->block, 0, 0);
	block->attached[p] = false;
	return NULL;
}

TEST_F_TIMEOUT(shm, random_users_against_an_oracle, 300)
{
	static struct walk walk;
	long others = self->before.all.free - WALK_LEFT;
	const char *wrong;
	int step, p;

	walk.chance = seed_get();
	for (p = 0; p < WALK_PEERS; p++)
		walk.peer[p] = peer_new();
	run_on(chance_of(&walk.chance, 2));
	ASSERT_LE(0, others);
	ASSERT_LE(0, shm_make(others));

	for (step = 0; step < WALK_STEPS; step++) {
		wrong = walk_step(&walk);
		ASSERT_EQ(wrong, NULL)
			TH_LOG("step %d: %s", step, wrong);
		walk_settle(&walk);
		ASSERT_POOL(walk_used(&walk), others + walk_made(&walk) -
			    walk_used(&walk));
	}
}

TEST_HARNESS_MAIN
