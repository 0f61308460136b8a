#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Count the instructions of what bench_resv_map times, which needs valgrind and comes to
# the same in every run.  What the C library's malloc() takes is among them.
#
#   bench_instructions.sh PROGRAM

set -eu

program=$1
few=10
many=100000
# As in bench_resv_map.c.
operations=5
counted=1000

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# REGIONS NTH AT_RANDOM: the operation's name, and in the log what was counted
count() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		'--toggle-collect=do_round*' "$program" "$@" 2> "$log"
}

collected() {
	sed -n 's/.*Collected : //p' "$log"
}

# AT_RANDOM
compare() {
	nth=0
	while [ "$nth" -lt "$operations" ]; do
		count "$few" "$nth" "$1" > /dev/null
		at_few=$(collected)
		name=$(count "$many" "$nth" "$1")
		echo "$name:$at_few:$(collected)"
		nth=$((nth + 1))
	done |
	awk -F: -v counted="$counted" -v title="instructions, places $2" '
	BEGIN { printf "%-30s %12s %12s %7s\n", title, "10 regions", "10^5 regions", "ratio" }
	{ printf "%-30s %12.0f %12.0f %7.2f\n", $1, $2 / counted, $3 / counted, $3 / $2 }'
}

compare 0 "in order"
compare 1 "at random"
