// SPDX-License-Identifier: GPL-2.0-only
/* Where chance begins: anywhere, or with SEED=n where it did before. */
#include <kselftest.h>
#include <time.h>

#include "prng.h"
#include "seed.h"

static u64 seed_of_now(void)
{
	struct timespec now;
	u64 seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = now.tv_sec ^ (u64)now.tv_nsec << 20 ^ getpid();
	/* Few digits are easier to hand on. */
	return prng_next(&seed) >> 32;
}

/* A seed, which is printed: to be called behind the header. */
u64 choose_seed(void)
{
	const char *given = getenv("SEED");
	u64 seed;
	char *end;

	if (given && *given) {
		seed = strtoull(given, &end, 0);
		if (*end)
			ksft_exit_fail_msg("SEED=%s is not a number\n", given);
	} else {
		seed = seed_of_now();
	}
	ksft_print_msg("SEED=%llu\n", (unsigned long long)seed);
	return seed;
}
