// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rounds of ../rounds.h on whatever nodes there are, with rhugefs and then, half of
 * them, with hugetlbfs, whose broken promises are counted beside ours.
 *
 * In the environment:
 *	ROUNDS=N	instead of 300
 *	SEED=N		otherwise by the clock
 *	NODE_PAGES=N	pages of each node, more or less, instead of 16
 *	RHUGEFS_MNT	where rhugefs is mounted; hugetlbfs is mounted here
 *
 * "rounds -t rhugefs" and "rounds -t hugetlbfs" leave out the other.
 */
#include "../rounds_run.h"

#include <sys/mount.h>

#define ROUNDS		300
#define NODE_PAGES	16

#define HUGETLBFS	"/tmp/hugetlbfs"
#define BOUND		"/tmp/bound"
#define BOUND_LESS	6

/* With each cpuset the kernel moves its pages to other nodes, which takes long. */
#define HUGETLBFS_LESS	2

static const struct kind kind_hugetlbfs = {
	.name = "hugetlbfs",
	.counts = "/sys/devices/system/node/node%d/hugepages/hugepages-2048kB",
	.keeps = false,
};

static long option(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text && *text ? atol(text) : otherwise;
}

static struct rounds *new_rounds(const struct kind *kind, const char *dir,
				 int less)
{
	return rounds_new(kind, dir, seed_get(),
			  (option("ROUNDS", ROUNDS) + less - 1) / less,
			  option("NODE_PAGES", NODE_PAGES));
}

/* Whether all pages of all nodes are free, some perhaps after a while. */
static bool all_free(const struct rounds *rounds)
{
	const struct kind *kind = rounds->kind;
	long end = now_ms() + POOL_PATIENCE;
	int nid = 0;

	while (nid < NODES_MOST && now_ms() < end) {
		if (!nodes_have(rounds->memory, nid) ||
		    node_count(kind, nid, "nr") ==
				node_count(kind, nid, "free"))
			nid++;
		else
			usleep(20000);
	}
	if (nid < NODES_MOST)
		ksft_print_msg("node %d has %ld of %ld pages free\n", nid,
			       node_count(kind, nid, "free"),
			       node_count(kind, nid, "nr"));
	return nid == NODES_MOST;
}

FIXTURE(rounds) {
};

FIXTURE_SETUP(rounds)
{
}

FIXTURE_TEARDOWN(rounds)
{
}

/* Init has made the pool empty, and looks whether it is so again. */
static bool run_rhugefs(const char *dir, int less)
{
	struct rounds *rounds = new_rounds(&kind_rhugefs, dir, less);
	bool all_well = rounds_run(rounds);

	rounds_tell(rounds);
	all_well = all_free(rounds) && pool_count("", "resv") == 0 && all_well;
	all_well = selfcheck_rests() && all_well;
	rounds_resize(rounds, 0);
	return all_well && pool_count("", "nr") == 0;
}

TEST_F_TIMEOUT(rounds, rhugefs, 240)
{
	EXPECT_TRUE(run_rhugefs(mnt_dir(), 1));
}

/* The policy of the mount counts before that of the task: here all nodes but the first. */
TEST_F_TIMEOUT(rounds, mount_policy, 120)
{
	unsigned long nodes = nodes_that("has_memory");
	char option[64];

	if (nodes & (nodes - 1))
		nodes &= nodes - 1;
	snprintf(option, sizeof(option), "mpol=bind:%s", nodes_list(nodes));
	must(mkdir(BOUND, 0755) == 0);
	must(mount("none", BOUND, "rhugefs", 0, option) == 0);
	EXPECT_TRUE(run_rhugefs(BOUND, BOUND_LESS));
	EXPECT_EQ(umount(BOUND), 0);
	EXPECT_EQ(rmdir(BOUND), 0);
}

TEST_F_TIMEOUT(rounds, hugetlbfs, 240)
{
	struct rounds *rounds;

	must(mkdir(HUGETLBFS, 0755) == 0);
	must(mount("none", HUGETLBFS, "hugetlbfs", 0, NULL) == 0);
	rounds = new_rounds(&kind_hugetlbfs, HUGETLBFS, HUGETLBFS_LESS);
	EXPECT_TRUE(rounds_run(rounds));
	rounds_tell(rounds);
	EXPECT_TRUE(all_free(rounds));
	rounds_resize(rounds, 0);
	EXPECT_EQ(umount(HUGETLBFS), 0);
	EXPECT_EQ(rmdir(HUGETLBFS), 0);
}

TEST_HARNESS_MAIN
