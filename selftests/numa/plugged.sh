#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A node gets its first memory while the module is loaded, and loses it again: its
# directory comes and goes. Where a guest has a node with memory that can be plugged in.

pool=/sys/fs/rhugefs/hugepages-2048kB

fail()
{
	echo "# $*"
	exit 1
}

set_node()
{
	for block in "$1"/memory[0-9]*; do
		echo "$2" 2>/dev/null >"$block/state" || fail "${block##*/} does not go $2"
	done
}

is_shown()
{
	[ -e "$shown" ]
}

is_hidden()
{
	! is_shown
}

# Whether the directory is there or not follows within a moment.
wait_until()
{
	tries=0
	until "$1"; do
		tries=$((tries + 1))
		[ $tries -lt 50 ] || fail "$2"
		sleep 0.1
	done
}

for node in /sys/devices/system/node/node[0-9]*; do
	[ "$(cat "$node"/memory[0-9]*/state 2>/dev/null | sort -u)" = offline ] && break
	node=
done
if [ -z "$node" ]; then
	echo "# SKIP no node has memory that is all offline"
	exit 4
fi

shown=$pool/${node##*/}
insmod "$RHUGEFS_KO" nr_hugepages=4 || exit 1
is_hidden || fail "${node##*/} has no memory and is shown"
set_node "$node" online_movable
wait_until is_shown "${node##*/} has memory and is not shown"
# The pool's pages do not move, and none comes from memory that is to go again.
echo 4 >"$shown/nr_hugepages" || fail "nr_hugepages cannot be written"
[ "$(cat "$shown/nr_hugepages")" = 0 ] || fail "pages were taken that cannot move"
[ "$(cat /sys/kernel/debug/rhugefs/selfcheck)" = ok ] || fail "the self-check complains"
set_node "$node" offline
wait_until is_hidden "${node##*/} has no memory any more and is shown"
[ "$(cat /sys/kernel/debug/rhugefs/selfcheck)" = ok ] || fail "the self-check complains"
set_node "$node" online_movable
wait_until is_shown "${node##*/} has memory again and is not shown"
rmmod rhugefs || exit 1
set_node "$node" offline
