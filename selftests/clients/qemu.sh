#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# QEMU with the memory of its guest in the mount.  Its guest is the kernel that runs
# here, and has to come to its first line.

# shellcheck source=common
. /selftests/common

boot()
{
	qemu-system-x86_64 -M pc,memory-backend=mem -accel tcg,thread=single,tb-size=32 \
		-cpu max -m 96 -nodefaults -no-user-config -no-reboot -display none \
		-serial file:/tmp/serial -kernel /boot/vmlinux \
		-append "console=ttyS0 earlyprintk=ttyS0" -object "$1" &
	qemu=$!
	until grep -q "Linux version $(uname -r)" /tmp/serial; do
		kill -0 $qemu || exit 1
		usleep 200000
	done
	used=$(($(cat $counts/nr_hugepages) - $(cat $counts/free_hugepages)))
	echo "$used huge pages are used"
	kill $qemu
	wait $qemu
	# Whoever gets its memory elsewhere comes to its first line, too.
	[ $used -ge 4 ]
}

if [ "${1:-}" = boot ]; then
	: >/tmp/serial
	boot "$2"
	exit
fi

memory=memory-backend-file,id=mem,size=96M,mem-path=$RHUGEFS_MNT

guest()
{
	try "qemu $1" 100 "$0" boot "$memory,$1"
}

for share in on off; do
	for prealloc in off on; do
		guest "share=$share,prealloc=$prealloc,align=2M"
	done
done
mount_with_magic
try "qemu share=on, mount with magic=hugetlbfs" 100 \
	"$0" boot "memory-backend-file,id=mem,size=96M,mem-path=$magic,share=on"
refused "qemu share=on without align=" 'unable to map backing store.*Invalid argument' \
	"$0" boot "$memory,share=on"
exit $status
