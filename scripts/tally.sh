#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Add up what runs of tests counted, and end with the plain line
# "N passed, N failed, N skipped".  Fails if anything failed.
#
#   tally.sh RUN...
#
# RUN's numbers are in build/log/RUN.tally.  A run that left none has failed.  What
# failed is said once more before that line: far above it is easily missed, or cut off.

. "$(dirname "$0")/lib.sh"

passed=0 failed=0 skipped=0
for run; do
	if read -r p f s 2>/dev/null <"$logs/$run.tally"; then
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	else
		say "$run came to no result"
		failed=$((failed + 1))
	fi
done
for run; do
	[ ! -s "$logs/$run.tally.failed" ] || cat "$logs/$run.tally.failed"
done
say "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] || exit 1
