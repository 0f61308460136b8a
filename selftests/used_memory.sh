#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Memory that others have used before carries their traces, in the pages and in
# what the kernel keeps of each page. Neither may be seen once the pool has it.

fill=/tmp/fill

# Most of what is free goes through the page cache once.
free_mib=$(($(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo) / 1024))
tr '\0' 'x' </dev/zero | dd of=$fill bs=1M count=$((free_mib * 3 / 4)) iflag=fullblock 2>/dev/null
rm -f $fill

insmod "$RHUGEFS_KO" nr_hugepages=200 || exit 1
answer=$(cat /sys/kernel/debug/rhugefs/selfcheck)
mount -t rhugefs none "$RHUGEFS_MNT" || exit 1
truncate -s 64M "$RHUGEFS_MNT/file"
fallocate -l 67108864 "$RHUGEFS_MNT/file"
strange=$(tr -d '\0' <"$RHUGEFS_MNT/file" | wc -c)
umount "$RHUGEFS_MNT"
rmmod rhugefs

if [ "$answer" != ok ]; then
	echo "# the self-check says: $answer" | head -n 3
	exit 1
fi
if [ "$strange" != 0 ]; then
	echo "# $strange bytes of new pages are not zero"
	exit 1
fi
