// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory policies: what is promised lies where the policy allows it. On guests with two
 * nodes that have memory; each test fills the pool as it needs it.
 */
#include <sys/statfs.h>

#include "numa.h"
#include "own_mount.h"
#include "pool_size.h"
#include "private_test.h"

#define BOTH	3UL

/* Huge pages that each node has. */
static long per_node;

RHUGEFS_FIXTURE(policy);

/* The task's own policy. */
static void policy(int mode, unsigned long nodes)
{
	struct policy policy = { .mode = mode, .nodes = nodes };

	must(policy_set(&policy) == 0);
}

/* That of a range; 0 or an errno. */
static int bind_to(char *map, unsigned long pages, int mode,
		   unsigned long nodes)
{
	struct policy policy = { .mode = mode, .nodes = nodes };

	return policy_bind(map, pages * HUGE, &policy);
}

/* Of a file of its own; @flags has MAP_PRIVATE, or it is shared. */
static char *new_map(unsigned long pages, int flags)
{
	int fd = file_new(), err;
	char *map;

	map = flags & MAP_PRIVATE ? map_private(fd, 0, pages, flags) :
				    map_huge(fd, 0, pages, flags);
	err = errno;
	close(fd);
	errno = err;
	return map;
}

static long resv_on(int nid)
{
	return pool_read_node(nid).resv;
}

#define ASSERT_RESV(node0, node1)					\
	do {								\
		ASSERT_EQ(resv_on(0), node0);				\
		ASSERT_EQ(resv_on(1), node1);				\
	} while (0)

/* Touched, all of them, and lying there. */
static bool lie_on(char *map, unsigned long pages, int nid)
{
	unsigned long i;

	if (touch_pages(map, pages) != pages)
		return false;
	for (i = 0; i < pages; i++)
		if (node_of(map + i * HUGE) != nid)
			return false;
	return true;
}

/* --- what a policy allows ------------------------------------------------ */

static void check_bound(struct __test_metadata *_metadata, int flags)
{
	char *map;

	policy(MPOL_BIND, 2);
	map = new_map(4, flags);
	ASSERT_NE(map, NULL);
	ASSERT_RESV(0, 4);
	/* What is in force later does not count for it. */
	policy(MPOL_BIND, 1);
	ASSERT_TRUE(lie_on(map, 4, 1));
	ASSERT_EQ(unmap_huge(map, 4), 0);
}

TEST_F(policy, bound_shared)
{
	check_bound(_metadata, 0);
}

TEST_F(policy, bound_private)
{
	check_bound(_metadata, MAP_PRIVATE);
}

/* One page more than there are on the node is refused, wherever there are others. */
TEST_F(policy, bound_to_the_last_page)
{
	char *map;

	policy(MPOL_BIND, 2);
	ASSERT_EQ(new_map(per_node + 1, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_RESV(0, 0);
	map = new_map(per_node, 0);
	ASSERT_NE(map, NULL);
	ASSERT_RESV(0, per_node);
	ASSERT_EQ(new_map(1, MAP_PRIVATE), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_TRUE(lie_on(map, per_node, 1));
}

TEST_F(policy, bound_to_both)
{
	char *map;

	policy(MPOL_BIND, BOTH);
	map = new_map(2 * per_node, 0);
	ASSERT_NE(map, NULL);
	ASSERT_RESV(per_node, per_node);
	ASSERT_EQ(touch_pages(map, 2 * per_node), 2 * per_node);
}

/* Who may be anywhere makes room for who may not, and still has all his pages. */
TEST_F(policy, others_make_room)
{
	long half = per_node / 2;
	char *any, *bound;

	run_on(0);
	any = new_map(per_node + half, 0);
	ASSERT_NE(any, NULL);
	policy(MPOL_BIND, 1);
	bound = new_map(half, 0);
	ASSERT_NE(bound, NULL);
	ASSERT_RESV(per_node, per_node);
	ASSERT_EQ(new_map(1, 0), NULL);
	policy(MPOL_BIND, 2);
	ASSERT_EQ(new_map(1, 0), NULL);
	policy(MPOL_DEFAULT, 0);
	ASSERT_EQ(touch_pages(any, per_node + half), per_node + half);
	ASSERT_TRUE(lie_on(bound, half, 0));
}

/* Also for a page that is wanted without a reservation. */
TEST_F(policy, room_for_one_unreserved)
{
	char *any, *bound;

	run_on(0);
	any = new_map(2 * per_node - 1, 0);
	ASSERT_NE(any, NULL);
	policy(MPOL_BIND, 1);
	bound = new_map(2, MAP_NORESERVE);
	ASSERT_NE(bound, NULL);
	ASSERT_TRUE(lie_on(bound, 1, 0));
	ASSERT_FALSE(can_write(bound + HUGE));
	ASSERT_EQ(touch_pages(any, 2 * per_node - 1), 2 * per_node - 1);
}

TEST_F(policy, preferred_but_not_bound)
{
	char *map;

	policy(MPOL_PREFERRED, 2);
	map = new_map(per_node + 2, 0);
	ASSERT_NE(map, NULL);
	ASSERT_RESV(2, per_node);
	ASSERT_EQ(unmap_huge(map, per_node + 2), 0);
	policy(MPOL_PREFERRED_MANY, 2);
	map = new_map(3, MAP_PRIVATE);
	ASSERT_NE(map, NULL);
	ASSERT_RESV(0, 3);
}

TEST_F(policy, near_to_the_mapper)
{
	char *map;

	run_on(1);
	map = new_map(3, MAP_PRIVATE);
	ASSERT_RESV(0, 3);
	ASSERT_TRUE(lie_on(map, 3, 1));
	policy(MPOL_LOCAL, 0);
	map = new_map(3, MAP_PRIVATE);
	ASSERT_RESV(0, 3);
	/* What is nearer when it is touched is better, and what was promised goes. */
	run_on(0);
	ASSERT_TRUE(lie_on(map, 3, 0));
	ASSERT_RESV(0, 0);
}

TEST_F(policy, interleaved_by_index)
{
	int fd = file_new(), i;
	char *map;

	policy(MPOL_INTERLEAVE, BOTH);
	map = map_huge(fd, 3, 5, 0);
	ASSERT_NE(map, NULL);
	ASSERT_RESV(2, 3);
	ASSERT_EQ(touch_pages(map, 5), 5);
	for (i = 0; i < 5; i++)
		ASSERT_EQ(node_of(map + i * HUGE), (i + 3) % 2);
}

/* Where the index's node has none it is another of the policy's nodes. */
TEST_F(policy, interleaved_as_far_as_it_goes)
{
	char *bound, *map;

	policy(MPOL_BIND, 2);
	bound = new_map(per_node - 1, 0);
	ASSERT_NE(bound, NULL);
	policy(MPOL_INTERLEAVE, BOTH);
	map = new_map(6, 0);
	ASSERT_NE(map, NULL);
	ASSERT_RESV(5, per_node);
	ASSERT_EQ(touch_pages(map, 6), 6);
	ASSERT_EQ(touch_pages(bound, per_node - 1), per_node - 1);
}

/* --- mbind() ------------------------------------------------------------- */

static void check_mbind(struct __test_metadata *_metadata, int flags)
{
	char *map;

	policy(MPOL_BIND, 1);
	map = new_map(6, flags);
	ASSERT_NE(map, NULL);
	ASSERT_TRUE(lie_on(map, 1, 0));
	ASSERT_RESV(5, 0);
	ASSERT_EQ(bind_to(map, 6, MPOL_BIND, 2), 0);
	ASSERT_RESV(0, 5);
	ASSERT_EQ(node_of(map), 0);
	ASSERT_TRUE(lie_on(map + HUGE, 5, 1));
	ASSERT_EQ(policy_at(map).mode, MPOL_BIND);
	ASSERT_EQ(policy_at(map).nodes, 2);
	ASSERT_EQ(unmap_huge(map, 6), 0);
}

/* What is spread afterwards is spread when it is promised, not when it is touched. */
static void check_mbind_spread(struct __test_metadata *_metadata, int flags)
{
	char *map, *rest;
	int i;

	run_on(0);
	map = new_map(8, flags);
	ASSERT_RESV(8, 0);
	ASSERT_EQ(bind_to(map, 8, MPOL_INTERLEAVE, BOTH), 0);
	ASSERT_RESV(4, 4);
	policy(MPOL_BIND, BOTH);
	rest = new_map(2 * per_node - 8, 0);
	ASSERT_NE(rest, NULL);
	ASSERT_EQ(touch_pages(map, 8), 8);
	for (i = 0; i < 8; i++)
		ASSERT_EQ(node_of(map + i * HUGE), i % 2);
	ASSERT_EQ(unmap_huge(map, 8), 0);
}

TEST_F(policy, mbind_spreads_shared)
{
	check_mbind_spread(_metadata, 0);
}

TEST_F(policy, mbind_spreads_private)
{
	check_mbind_spread(_metadata, MAP_PRIVATE);
}

/* Policies without end, as a user may name nodes that are not there. */
TEST_F(policy, mbind_in_a_loop)
{
	struct policy one = { .mode = MPOL_BIND, .flags = MPOL_F_STATIC_NODES };
	char *map = new_map(2, MAP_NORESERVE);
	unsigned long i;

	for (i = 0; i < 2000; i++) {
		one.nodes = 2 | i << 2;
		ASSERT_EQ(policy_bind(map, HUGE, &one), 0);
		one.mode = i % 2 ? MPOL_BIND : MPOL_INTERLEAVE;
	}
	ASSERT_EQ(policy_at(map).nodes, 2);
	ASSERT_TRUE(lie_on(map, 1, 1));
}

TEST_F(policy, mbind_moves_shared)
{
	check_mbind(_metadata, 0);
}

TEST_F(policy, mbind_moves_private)
{
	check_mbind(_metadata, MAP_PRIVATE);
}

static void check_mbind_refused(struct __test_metadata *_metadata, int flags)
{
	char *other, *map;

	policy(MPOL_BIND, 2);
	other = new_map(per_node - 2, 0);
	ASSERT_NE(other, NULL);
	policy(MPOL_BIND, 1);
	map = new_map(4, flags);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(bind_to(map, 4, MPOL_BIND, 2), ENOMEM);
	ASSERT_RESV(4, per_node - 2);
	ASSERT_EQ(policy_at(map).mode, MPOL_DEFAULT);
	/* A part of it can be had. */
	ASSERT_EQ(bind_to(map + HUGE, 2, MPOL_BIND, 2), 0);
	ASSERT_RESV(2, per_node);
	ASSERT_TRUE(lie_on(map, 1, 0));
	ASSERT_TRUE(lie_on(map + HUGE, 2, 1));
	ASSERT_TRUE(lie_on(map + 3 * HUGE, 1, 0));
	ASSERT_EQ(unmap_huge(map, 4), 0);
}

TEST_F(policy, mbind_refused_shared)
{
	check_mbind_refused(_metadata, 0);
}

TEST_F(policy, mbind_refused_private)
{
	check_mbind_refused(_metadata, MAP_PRIVATE);
}

/* With every page promised two can still change places. */
TEST_F(policy, mbind_changes_places)
{
	char *any, *map;

	policy(MPOL_BIND, 1);
	map = new_map(4, MAP_PRIVATE);
	ASSERT_NE(map, NULL);
	policy(MPOL_DEFAULT, 0);
	any = new_map(2 * per_node - 4, 0);
	ASSERT_NE(any, NULL);
	ASSERT_RESV(per_node, per_node);
	ASSERT_EQ(bind_to(map, 4, MPOL_BIND, 2), 0);
	ASSERT_RESV(per_node, per_node);
	ASSERT_TRUE(lie_on(map, 4, 1));
	ASSERT_EQ(touch_pages(any, 2 * per_node - 4), 2 * per_node - 4);
}

/* Back to what the task says, which is then in force. */
TEST_F(policy, mbind_to_default)
{
	char *map = new_map(4, 0);

	ASSERT_EQ(bind_to(map, 4, MPOL_BIND, 2), 0);
	ASSERT_RESV(0, 4);
	policy(MPOL_BIND, 1);
	ASSERT_EQ(bind_to(map, 4, MPOL_DEFAULT, 0), 0);
	ASSERT_RESV(4, 0);
	ASSERT_TRUE(lie_on(map, 4, 0));
	ASSERT_EQ(policy_at(map).mode, MPOL_DEFAULT);
}

/* A page that is dropped is wanted where the policy is that came since. */
TEST_F(policy, mbind_then_dropped)
{
	char *map;

	policy(MPOL_BIND, 1);
	map = new_map(2, MAP_PRIVATE);
	ASSERT_TRUE(lie_on(map, 2, 0));
	ASSERT_EQ(bind_to(map, 2, MPOL_BIND, 2), 0);
	ASSERT_EQ(drop(map, 2 * HUGE), 0);
	ASSERT_TRUE(lie_on(map, 2, 1));
	ASSERT_RESV(0, 0);
}

/* --- the file's policy --------------------------------------------------- */

TEST_F(policy, all_mappers_agree)
{
	int fd = file_new();
	char *map, *other;

	map = map_huge(fd, 0, 8, 0);
	ASSERT_EQ(bind_to(map + 2 * HUGE, 4, MPOL_BIND, 2), 0);
	ASSERT_EQ(unmap_huge(map, 8), 0);
	ASSERT_EQ(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			    8 * HUGE), 0);
	ASSERT_RESV(0, 0);
	policy(MPOL_BIND, 1);
	other = map_huge(fd, 0, 8, 0);
	ASSERT_NE(other, NULL);
	ASSERT_RESV(4, 4);
	ASSERT_EQ(policy_at(other + 3 * HUGE).mode, MPOL_BIND);
	ASSERT_EQ(policy_at(other + 3 * HUGE).nodes, 2);
	ASSERT_EQ(policy_at(other).mode, MPOL_DEFAULT);
	ASSERT_TRUE(lie_on(other, 2, 0));
	ASSERT_TRUE(lie_on(other + 2 * HUGE, 4, 1));
	ASSERT_TRUE(lie_on(other + 6 * HUGE, 2, 0));
}

/* A range whose parts have different policies: all of it or nothing. */
TEST_F(policy, all_parts_or_none)
{
	int fd = file_new();
	char *map, *full;

	map = map_huge(fd, 0, 6, MAP_NORESERVE);
	ASSERT_EQ(bind_to(map, 3, MPOL_BIND, 1), 0);
	ASSERT_EQ(bind_to(map + 3 * HUGE, 3, MPOL_BIND, 2), 0);
	policy(MPOL_BIND, 2);
	full = new_map(per_node - 2, 0);
	ASSERT_NE(full, NULL);
	ASSERT_EQ(map_huge(fd, 0, 6, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_RESV(0, per_node - 2);
	ASSERT_EQ(fallocate(fd, 0, 0, 6 * HUGE), -1);
	ASSERT_EQ(errno, ENOSPC);
	ASSERT_RESV(0, per_node - 2);
	ASSERT_NE(map_huge(fd, 1, 4, 0), NULL);
	ASSERT_RESV(2, per_node);
	ASSERT_TRUE(lie_on(map + HUGE, 2, 0));
	ASSERT_TRUE(lie_on(map + 3 * HUGE, 2, 1));
}

TEST_F(policy, written_and_allocated)
{
	int fd = file_new();
	char *map;

	map = map_huge(fd, 0, 6, MAP_NORESERVE);
	ASSERT_EQ(bind_to(map, 4, MPOL_BIND, 2), 0);
	policy(MPOL_BIND, 1);
	ASSERT_EQ(fallocate(fd, 0, 0, 2 * HUGE), 0);
	ASSERT_EQ(pwrite(fd, "x", 1, 2 * HUGE), 1);
	ASSERT_EQ(pwrite(fd, "x", 1, 5 * HUGE), 1);
	ASSERT_TRUE(lie_on(map, 3, 1));
	ASSERT_TRUE(lie_on(map + 5 * HUGE, 1, 0));
}

static bool maps_say(const char *wanted)
{
	return line_has("/proc/self/numa_maps", mnt_dir(), wanted);
}

TEST_F(policy, numa_maps)
{
	int fd = file_new();
	char *map = map_huge(fd, 0, 2, 0), *other = map_huge(fd, 0, 2, 0);

	ASSERT_FALSE(maps_say(" bind:1"));
	ASSERT_EQ(bind_to(map, 2, MPOL_BIND, 2), 0);
	ASSERT_TRUE(maps_say(" bind:1"));
	ASSERT_EQ(unmap_huge(map, 2), 0);
	ASSERT_TRUE(maps_say(" bind:1"));
	ASSERT_EQ(bind_to(other, 2, MPOL_INTERLEAVE, BOTH), 0);
	ASSERT_TRUE(maps_say(" interleave:0-1"));
	ASSERT_FALSE(maps_say(" bind:1"));
}

/* --- fork() -------------------------------------------------------------- */

static long order_nodes(long map, long pages, long c)
{
	return lie_on((char *)map, pages, 1);
}

/* A child's copies lie where the mapping's policy wants them. */
TEST_F(policy, copies_of_a_child)
{
	struct peer peer;
	char *map = new_map(3, MAP_PRIVATE);

	ASSERT_EQ(bind_to(map, 3, MPOL_BIND, 2), 0);
	ASSERT_TRUE(lie_on(map, 3, 1));
	policy(MPOL_BIND, 1);
	peer = peer_new();
	ASSERT_TRUE(peer_call(&peer, order_nodes, (long)map, 3, 0));
	ASSERT_POOL(6, 0);
	peer_exit(&peer);
	ASSERT_TRUE(lie_on(map, 3, 1));
}

/* --- resizing ------------------------------------------------------------ */

/* A node's promised pages stay, and those that it may do without go. */
TEST_F(policy, shrunk_under_a_promise)
{
	char *map;

	policy(MPOL_BIND, 2);
	map = new_map(4, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(resize_node(1, 0), 0);
	ASSERT_EQ(pool_read_node(1).nr, 4);
	ASSERT_TRUE(lie_on(map, 4, 1));
	ASSERT_EQ(resize_node(1, per_node), 0);
	ASSERT_EQ(pool_read_node(1).nr, per_node);
}

/* A node that is given up gives its promises to the other, as far as they may go. */
TEST_F(policy, shrunk_where_others_have_room)
{
	char *any, *bound;

	run_on(0);
	any = new_map(6, 0);
	ASSERT_NE(any, NULL);
	policy(MPOL_BIND, 1);
	bound = new_map(2, MAP_PRIVATE);
	ASSERT_NE(bound, NULL);
	ASSERT_RESV(8, 0);
	ASSERT_EQ(resize_node(0, 0), 0);
	ASSERT_EQ(pool_read_node(0).nr, 2);
	ASSERT_RESV(2, 6);
	ASSERT_TRUE(lie_on(any, 6, 1));
	ASSERT_TRUE(lie_on(bound, 2, 0));
	ASSERT_EQ(resize_node(0, per_node), 0);
	ASSERT_EQ(pool_read_node(0).nr, per_node);
}

/* Where a node can give no more, surplus on the other lets promises move there. */
TEST_F(policy, surplus_elsewhere)
{
	long free = 0;
	char *any, *bound;

	run_on(0);
	/* All that node 0 has. */
	ASSERT_EQ(resize_node(0, 100000), 0);
	free = pool_read_node(0).nr;
	ASSERT_EQ(resize_node(1, 0), 0);
	ASSERT_EQ(overcommit(2), 0);
	any = new_map(free, 0);
	ASSERT_NE(any, NULL);
	policy(MPOL_BIND, 1);
	bound = new_map(1, 0);
	ASSERT_NE(bound, NULL);
	ASSERT_TRUE(lie_on(bound, 1, 0));
	policy(MPOL_DEFAULT, 0);
	ASSERT_EQ(touch_pages(any, free), free);
	ASSERT_EQ(unmap_huge(any, free), 0);
	ASSERT_EQ(unmap_huge(bound, 1), 0);
	ASSERT_EQ(overcommit(0), 0);
	ASSERT_EQ(resize_node(0, per_node), 0);
	ASSERT_EQ(resize_node(1, per_node), 0);
}

/* Surplus pages come from where the policy allows them. */
TEST_F(policy, surplus)
{
	char *full, *map;

	full = new_map(2 * per_node, 0);
	ASSERT_NE(full, NULL);
	ASSERT_EQ(overcommit(4), 0);
	policy(MPOL_BIND, 2);
	map = new_map(3, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(new_map(2, 0), NULL);
	ASSERT_TRUE(lie_on(map, 3, 1));
	ASSERT_EQ(overcommit(0), 0);
}

/* --- cpusets ------------------------------------------------------------- */

#define GROUP	"/rhugefs-policy"

/* Who may only use one node is promised pages there; moved away, he still has them. */
TEST_F(policy, cpuset)
{
	long before = stat_read("elsewhere");
	char *map, *more;

	if (!cpuset_make(GROUP))
		SKIP(return, "there are no cpusets");
	cpuset_mems(GROUP, 2);
	cpuset_enter(GROUP);
	map = new_map(4, 0);
	more = new_map(per_node - 4, MAP_PRIVATE);
	ASSERT_NE(map, NULL);
	ASSERT_NE(more, NULL);
	ASSERT_RESV(0, per_node);
	ASSERT_EQ(new_map(1, 0), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_TRUE(lie_on(map, 2, 1));
	ASSERT_EQ(stat_read("elsewhere"), before);
	cpuset_mems(GROUP, 1);
	ASSERT_TRUE(lie_on(map + 2 * HUGE, 2, 1));
	ASSERT_EQ(stat_read("elsewhere"), before + 2);
	cpuset_enter("");
	cpuset_end(GROUP);
}

/* --- mounts -------------------------------------------------------------- */

static char *map_own(unsigned long pages)
{
	int fd = make("file", 0600), err;
	char *map;

	must(unlink("file") == 0);
	map = map_huge(fd, 0, pages, 0);
	err = errno;
	close(fd);
	errno = err;
	return map;
}

static bool mount_shows(const char *wanted)
{
	return line_has("/proc/mounts", " " OWN_DIR " ", wanted);
}

TEST_F(policy, mount_policy)
{
	char *map;
	int fd;

	mount_own("mpol=bind:1");
	ASSERT_TRUE(mount_shows(",mpol=bind:1"));
	policy(MPOL_BIND, 1);
	map = map_own(3);
	ASSERT_RESV(0, 3);
	ASSERT_EQ(policy_at(map).mode, MPOL_BIND);
	ASSERT_EQ(policy_at(map).nodes, 2);
	ASSERT_TRUE(lie_on(map, 3, 1));
	fd = make("file", 0600);
	ASSERT_EQ(fallocate(fd, 0, 0, 2 * HUGE), 0);
	ASSERT_EQ(pool_read_node(1).free, per_node - 5);
	/* That of the range comes first. */
	map = map_huge(fd, 2, 2, 0);
	ASSERT_EQ(bind_to(map, 2, MPOL_BIND, 1), 0);
	ASSERT_RESV(2, 0);
	ASSERT_TRUE(lie_on(map, 2, 0));
}

TEST_F(policy, mount_policies_of_all_kinds)
{
	static const char *const shown[][2] = {
		{ "mpol=default", "" },
		{ "mpol=local", ",mpol=local" },
		{ "mpol=prefer:1", ",mpol=prefer:1" },
		{ "mpol=prefer", ",mpol=local" },
		{ "mpol=bind:0-1", ",mpol=bind:0-1" },
		{ "mpol=bind:0,1,size=64M", ",mpol=bind:0-1" },
		{ "mpol=interleave", ",mpol=interleave:0-1" },
		{ "mpol=interleave=static:1", ",mpol=interleave=static:1" },
		{ "mpol=bind=relative:5", ",mpol=bind=relative:5" },
		{ ",,mpol=bind:1,", ",mpol=bind:1" },
		{ "mpol=prefer (many):1", ",mpol=prefer\\040(many):1" },
	};
	size_t i;

	own_namespace();
	for (i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		mount_at(OWN_DIR, "rhugefs", 0, shown[i][0]);
		ASSERT_TRUE(mount_shows(shown[i][1]))
			TH_LOG("%s", shown[i][0]);
		ASSERT_EQ(mount_shows(",mpol="), !!*shown[i][1]);
		ASSERT_EQ(mount_shows(",size=64M"), i == 5);
		ASSERT_EQ(umount(OWN_DIR), 0);
	}
}

TEST_F(policy, mount_policy_relative)
{
	char *map;

	mount_own("mpol=bind=relative:1");
	map = map_own(3);
	ASSERT_NE(map, NULL);
	ASSERT_RESV(0, 3);
	ASSERT_EQ(policy_at(map).nodes, 2);
}

/* Counted round and round, however large the number. */
TEST_F(policy, mount_policy_relative_to_few)
{
	mount_own("mpol=bind=relative:63");
	/* A kernel that was built for fewer nodes knows no such number. */
	if (mount("none", OWN_DIR, "rhugefs", 0, "mpol=bind=relative:1023"))
		ASSERT_EQ(errno, EINVAL);
	ASSERT_EQ(chdir(OWN_DIR), 0);
	ASSERT_NE(map_own(3), NULL);
	ASSERT_RESV(0, 3);
}

/* What the kernel log says of options. */
static const char *mount_complaint(const char *options)
{
	if (!strchr(options, '=')[1])
		return "Bad value for";
	if (strchr(options, ',') && strstr(options, "mpol"))
		return "mpol and nodes have no node in common";
	return options;
}

TEST_F(policy, mount_refuses)
{
	static const char *const options[] = {
		"mpol=", "mpol=bind", "mpol=bind:", "mpol=bind:7",
		"mpol=bind:x", "mpol=prefer:0-1", "mpol=local:1",
		"mpol=default:0", "mpol=nearest", "mpol=bind=sticky:1",
		"mpol=bind:1x", "nodes=0,mpol=bind:1", "nodes=", "nodes=7", "nodes=x", "nodes=1-0",
	};
	size_t i;

	own_namespace();
	must(mkdir(OWN_DIR, 0755) == 0 || errno == EEXIST);
	for (i = 0; i < sizeof(options) / sizeof(*options); i++) {
		int log = log_open();

		ASSERT_FAILS(mount("none", OWN_DIR, "rhugefs", 0, options[i]),
			     EINVAL);
		ASSERT_TRUE(log_names(log, mount_complaint(options[i])))
			TH_LOG("%s", options[i]);
		close(log);
	}
}

/* All that a mount has, and what is kept for it, lies on its nodes. */
TEST_F(policy, mount_nodes)
{
	struct statfs fs;
	char *map;

	mount_own("nodes=1,min_size=16M");
	ASSERT_TRUE(mount_shows(",nodes=1"));
	ASSERT_RESV(0, 8);
	must(statfs(".", &fs) == 0);
	ASSERT_EQ(fs.f_blocks, per_node);
	ASSERT_EQ(fs.f_bfree, per_node);
	map = map_own(6);
	ASSERT_RESV(0, 8);
	ASSERT_EQ(map_own(per_node - 5), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_TRUE(lie_on(map, 6, 1));
	policy(MPOL_BIND, 1);
	ASSERT_EQ(map_own(1), NULL);
	ASSERT_EQ(errno, ENOMEM);
	ASSERT_FAILS(mount("none", OWN_DIR, NULL, MS_REMOUNT, "nodes=0"),
		     EINVAL);
	ASSERT_EQ(mount("none", OWN_DIR, NULL, MS_REMOUNT, "nodes=1"), 0);
}

/* Bound to all that there are is not bound to none: others may come. */
TEST_F(policy, mount_all_nodes)
{
	mount_own("nodes=0-1,min_size=16M");
	ASSERT_TRUE(mount_shows(",nodes=0-1"));
	ASSERT_NE(map_own(2 * per_node), NULL);
	ASSERT_RESV(per_node, per_node);
	ASSERT_EQ(map_own(1), NULL);
	ASSERT_EQ(mount("none", OWN_DIR, NULL, MS_REMOUNT, "nodes=0-1"), 0);
}

TEST_F(policy, mount_nodes_minimum_refused)
{
	char options[64];

	own_namespace();
	must(mkdir(OWN_DIR, 0755) == 0 || errno == EEXIST);
	snprintf(options, sizeof(options), "nodes=1,min_size=%ldM",
		 2 * (per_node + 1));
	ASSERT_FAILS(mount("none", OWN_DIR, "rhugefs", 0, options), ENOMEM);
	ASSERT_RESV(0, 0);
}

/* What is kept for a mount is as good elsewhere, if others can change places with it. */
TEST_F(policy, minimum_changes_places)
{
	char *full, *map;

	run_on(0);
	mount_own("min_size=16M");
	ASSERT_RESV(8, 0);
	full = new_map(2 * per_node - 8, 0);
	ASSERT_NE(full, NULL);
	policy(MPOL_BIND, 2);
	map = map_own(8);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(map_own(1), NULL);
	ASSERT_RESV(per_node, per_node);
	ASSERT_TRUE(lie_on(map, 8, 1));
	policy(MPOL_DEFAULT, 0);
	ASSERT_EQ(touch_pages(full, 2 * per_node - 8), 2 * per_node - 8);
}

int main(int argc, char **argv)
{
	if (nodes_that("has_memory") != BOTH) {
		ksft_print_header();
		ksft_set_plan(1);
		ksft_test_result_skip("there are not two nodes with memory\n");
		return KSFT_SKIP;
	}
	per_node = pool_read_node(0).nr;
	must(pool_read_node(1).nr == per_node);
	return test_harness_run(argc, argv);
}
