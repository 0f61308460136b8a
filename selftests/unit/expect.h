/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UNIT_EXPECT_H
#define UNIT_EXPECT_H

#include <kselftest.h>

/* Tell what was expected where it does not hold. */
#define expect(condition)						\
	({								\
		bool __holds = (condition);				\
									\
		if (!__holds)						\
			ksft_print_msg("%s:%d: expected %s\n",		\
				       __FILE__, __LINE__, #condition);	\
		__holds;						\
	})

#endif
