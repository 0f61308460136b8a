#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What init of the guest of "make bench" runs: mount all that is compared, give both
# pools the same number of pages, run the program. The kernel's command line has
#
#   BENCH_RUN=count|many|clock|latency|latency-many
#   BENCH_CASES=a,b   BENCH_PAGES=N   BENCH_SAMPLES=N
#   BENCH_SYMBOLS=1    tell first where everything is in the kernel
#   BENCH_THP=WORD     when the kernel uses transparent huge pages

pool=/sys/fs/rhugefs/hugepages-2048kB
ours=$pool/nr_hugepages
theirs=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages

resize()
{
	echo "$2" >"$1"
	[ "$(cat "$1")" = "$2" ] && return
	echo "# wanted $2 pages in $1, and there are $(cat "$1")"
	return 1
}

mkdir -p /mnt/hugetlbfs /mnt/tmpfs
mount -t hugetlbfs none /mnt/hugetlbfs
mount -t tmpfs -o huge=always,size=90% none /mnt/tmpfs
[ -z "$BENCH_THP" ] || echo "$BENCH_THP" >/sys/kernel/mm/transparent_hugepage/enabled
if [ "$BENCH_SYMBOLS" ]; then
	gzip -c /proc/kallsyms | base64 | sed 's/^/bench-symbols: /'
fi
# Nobody is to zero a page before it is known which are to be zeroed.
[ ! -e $pool/zeroed_low ] || echo 0 >$pool/zeroed_low
# A disk in memory, in kilobytes.
[ ! -e /selftests/brd.ko ] || insmod /selftests/brd.ko rd_nr=1 rd_size=8192
status=1
resize $theirs "$BENCH_PAGES" && resize $ours "$BENCH_PAGES" &&
	/selftests/program -r "$BENCH_RUN" ${BENCH_CASES:+-c "$BENCH_CASES"} \
		${BENCH_SAMPLES:+-n "$BENCH_SAMPLES"} rhugefs="$RHUGEFS_MNT" \
		hugetlbfs=/mnt/hugetlbfs tmpfs=/mnt/tmpfs thp &&
	status=0
echo 0 >$ours
echo 0 >$theirs
umount /mnt/tmpfs
umount /mnt/hugetlbfs
[ ! -e /selftests/brd.ko ] || rmmod brd
exit $status
