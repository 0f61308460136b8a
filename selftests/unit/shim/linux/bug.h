/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_LINUX_BUG_H
#define SHIM_LINUX_BUG_H

#include <stdbool.h>

/* A test that hears a warning has failed. */
unsigned long warnings_heard(void);
void warn_heard(const char *file, int line, const char *condition);

#define WARN_ON_ONCE(condition)						\
	({								\
		bool __warns = (condition);				\
									\
		if (__warns)						\
			warn_heard(__FILE__, __LINE__, #condition);	\
		__warns;						\
	})

#define WARN_ONCE(condition, ...)	WARN_ON_ONCE(condition)

#endif
