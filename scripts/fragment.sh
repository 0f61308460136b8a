#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make fragment: fragment the memory of a guest in several ways, let the pool grow
# from it, and tell what share of what was asked for could be had.
#
# K=KERNEL chooses the kernel; otherwise both are tried, one after the other.  What is
# done, and what must come of it, is in selftests/fragment.c, which "make check" runs
# like any other test; here its numbers are shown.  Fails as the test does.

. "$(dirname "$0")/lib.sh"

kernels=${K:-$("$top/scripts/kernel.sh" list)}

# The lines "# fragment: NAME VALUE NAME VALUE..." of a guest's talk, as a table.
table()
{
	sed -n -e 's/\r$//' -e 's/^# fragment: //p' "$1" | awk '
	{
		for (i = 1; i < NF; i += 2)
			v[$i] = $(i + 1)
		printf "%-14s %8d %7d %6d %7d %7d %6d %6d %4d %% %7d %7d %5.1f %6d %4d %%\n",
			v["way"], v["free"], v["held"], v["blocks"], v["target"],
			v["reached"], v["node0"], v["node1"], v["percent"],
			v["successes"], v["moved"], v["ms"] / 1000,
			v["again"], v["again_percent"]
	}'
}

status=0
for kernel in $kernels; do
	T=fragment K=$kernel "$top/scripts/check.sh" || status=1
	say ""
	say "$kernel: memory fragmented in several ways, and what the pool got of it"
	printf '%-14s %8s %7s %6s %7s %7s %6s %6s %6s %7s %7s %5s %6s %6s\n' \
		"" "free MiB" pinned ready target reached node0 node1 share \
		compact moved s again share
	table "$logs/$kernel.talk"
	say ""
done
cat <<-END
	pinned   blocks of 2 MiB that have a small page in them which cannot be moved
	ready    free blocks of 2 MiB before, for which nothing need be moved
	target   as many huge pages as free memory would make
	reached  huge pages after writing that to nr_hugepages, in all and by node
	compact  huge pages for which the write itself compacted, with success
	moved    small pages moved meanwhile, by the write and by the kernel's own tasks
	again    huge pages after "echo 1 >/proc/sys/vm/compact_memory" and writing once more
END
exit $status
