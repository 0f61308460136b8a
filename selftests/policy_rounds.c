// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page comes from where its policy allowed it when it was promised, whatever the
 * policies, cpusets and sizes of nodes are meanwhile: random rounds against a model, the
 * same that "make topologies" runs on other machines.
 */
#include "pool_size.h"
#include "rounds_run.h"

#define ROUNDS		50
#define NODE_PAGES	16

FIXTURE(policy_rounds) {
	struct pools before;
	pid_t pid;
};

FIXTURE_SETUP(policy_rounds)
{
	self->pid = getpid();
	self->before = pools_read();
	ASSERT_EQ(self->before.all.free, self->before.all.nr);
}

/* See RHUGEFS_FIXTURE for why only the parent looks. */
FIXTURE_TEARDOWN_PARENT(policy_rounds)
{
	if (getpid() != self->pid)
		EXPECT_TRUE(pool_size_restored(&self->before));
}

TEST_F_TIMEOUT(policy_rounds, keep_all_promises, 120)
{
	struct rounds *rounds = rounds_new(&kind_rhugefs, mnt_dir(), seed_get(),
					   ROUNDS, NODE_PAGES);

	/* A failed assertion would not come to the teardown. */
	EXPECT_TRUE(rounds_run(rounds));
	rounds_tell(rounds);
	EXPECT_LT(0, rounds->tally.touched);
	EXPECT_LT(0, rounds->tally.refused);
}

TEST_HARNESS_MAIN
