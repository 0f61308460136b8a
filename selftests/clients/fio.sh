#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# fio with files of the mount, one engine after the other.  What is written has a
# checksum, and is read again.

# shellcheck source=common
. /selftests/common

job()
{
	engine=$1
	shift
	fio --name=job --directory="$RHUGEFS_MNT" --ioengine="$engine" --size=16M --bs=64k \
		--rw=randwrite --verify=crc32c --verify_fatal=1 --group_reporting \
		--fallocate=none "$@"
}

# A function cannot be run by timeout.
if [ "${1:-}" = job ]; then
	"$@"
	exit
fi

engine()
{
	name=$1
	shift
	try "fio $name" 60 "$0" job "$@"
}

for name in sync psync vsync pvsync pvsync2 posixaio; do
	engine $name $name
done
engine mmap mmap
engine "mmap, two jobs" mmap --numjobs=2
engine "libaio, 8 at a time" libaio --iodepth=8
engine "io_uring, 8 at a time" io_uring --iodepth=8
engine "io_uring, registered buffers and file" io_uring --iodepth=8 --fixedbufs=1 --registerfiles=1
engine "libaio, O_DIRECT" libaio --iodepth=8 --direct=1
engine "io_uring, O_DIRECT" io_uring --iodepth=8 --direct=1
engine "mixed reads and writes" psync --rw=randrw
engine "blocks across huge pages" pvsync --bs=1000k --size=32000k
engine "allocated before" psync --fallocate=posix
engine "4 threads" psync --numjobs=4 --thread
refused "fio mmap, length no multiple of 2 MiB" 'error=Invalid argument' \
	"$0" job mmap --size=15M
exit $status
