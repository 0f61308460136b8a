// SPDX-License-Identifier: GPL-2.0-only
/* The kernel would log a warning and go on; so do tests, to tell what comes of it. */
#include <stdio.h>

#include <linux/bug.h>

static unsigned long heard;

void warn_heard(const char *file, int line, const char *condition)
{
	heard++;
	printf("# %s:%d: warns: %s\n", file, line, condition);
}

unsigned long warnings_heard(void)
{
	return heard;
}
