#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Memory in which the pool has pages stays online, and nothing changes when somebody
# tries; when the node's share has been shrunk it can go.

pool=/sys/fs/rhugefs/hugepages-2048kB
counts=$pool/node1/nr_hugepages

fail()
{
	echo "# $*"
	exit 1
}

set_block()
{
	echo "$2" 2>/dev/null >"$1/state"
}

# A block of node 1 in which nobody has what cannot be moved.
find_block()
{
	for block in /sys/devices/system/node/node1/memory[0-9]*; do
		[ -e "$block/state" ] || continue
		set_block "$block" offline || continue
		set_block "$block" online || return 1
		echo "$block"
		return
	done
	return 1
}

if ! block=$(find_block); then
	echo "# SKIP no memory of node 1 can be taken offline here"
	exit 4
fi

# All that node 1 can give, so that the block is among it.
insmod "$RHUGEFS_KO" nr_hugepages=1:100000 || exit 1
had=$(cat $counts)
set_block "$block" offline && fail "memory of the pool went offline"
[ "$(cat $counts)" = "$had" ] || fail "the pool had $had pages and has $(cat $counts)"
[ "$(cat $pool/node1/free_hugepages)" = "$had" ] || fail "not all pages are free"
[ "$(cat /sys/kernel/debug/rhugefs/selfcheck)" = ok ] || fail "the self-check complains"

echo 0 >$counts
[ "$(cat $counts)" = 0 ] || fail "the pool kept $(cat $counts) pages"
# What is left on processors' lists keeps it for a moment.
tries=0
until set_block "$block" offline; do
	tries=$((tries + 1))
	[ $tries -lt 20 ] || fail "memory that the pool gave back does not go offline"
	sleep 0.5
done
[ -e $pool/node1 ] || fail "node 1 has memory, and is not shown"
[ "$(cat /sys/kernel/debug/rhugefs/selfcheck)" = ok ] || fail "the self-check complains"
set_block "$block" online || fail "the memory does not come back"
rmmod rhugefs || exit 1
