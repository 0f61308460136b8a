#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# That each case of the benchmark does what it says, on few pages and without looking at
# what it takes: see selftests/bench.

nr=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
dir=/tmp/bench-hugetlbfs

# Enough for the case that wants most of them.
echo 40 >$nr
mkdir -p $dir
mount -t hugetlbfs none $dir || exit 1
/selftests/bench.program -t -p 4 rhugefs="$RHUGEFS_MNT" hugetlbfs=$dir
status=$?
umount $dir
echo 0 >$nr
exit $status
