#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# fio with its buffers in huge pages of the mount, and its data elsewhere.

# shellcheck source=common
. /selftests/common

mkdir -p /tmp/fio

job()
{
	fio --name=job --directory=/tmp/fio --size=16M --bs=64k --rw=randwrite --verify=crc32c \
		--verify_fatal=1 --iodepth=8 --fallocate=none \
		"--mem=mmaphuge:$RHUGEFS_MNT/buffers" "$@"
}

# fio leaves the file of its buffers behind.
clean_mount()
{
	RHUGEFS_MNT=/tmp/autoclean
	mkdir -p "$RHUGEFS_MNT"
	mount -t rhugefs -o autoclean none "$RHUGEFS_MNT" || return
	result=0 tries=0
	job --ioengine=psync || result=1
	while [ -e "$RHUGEFS_MNT/buffers" ] && [ "$tries" -lt 25 ]; do
		usleep 200000
		tries=$((tries + 1))
	done
	umount "$RHUGEFS_MNT"
	[ "$result" = 0 ] && [ "$tries" -lt 25 ]
}

# A function cannot be run by timeout.
if [ "${1:-}" = job ] || [ "${1:-}" = clean_mount ]; then
	"$@"
	exit
fi

memory()
{
	name=$1
	shift
	try "fio buffers, $name" 60 "$0" job "$@"
	rm -f /tmp/fio/*
}

memory psync --ioengine=psync
memory libaio --ioengine=libaio
memory io_uring --ioengine=io_uring
if is_old; then
	refused "fio buffers, registered with io_uring" 'error=Operation not supported' \
		"$0" job --ioengine=io_uring --fixedbufs=1
else
	memory "registered with io_uring" --ioengine=io_uring --fixedbufs=1
fi
memory "of 1 MiB, 8 at a time" --ioengine=libaio --bs=1M
try "fio buffers, mount with autoclean" 60 "$0" clean_mount
exit $status
