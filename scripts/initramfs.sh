#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Make the initramfs of a test guest: busybox, the guest's init, the module, rhugeadm
# and test programs.
#
#   initramfs.sh OUTPUT MODULE.ko TESTDIR [OTHER.ko...]
#
# The guest finds the module as /lib/rhugefs.ko, what TESTDIR holds in /selftests, and
# other modules in /lib.  Nothing else is needed, no disk.

. "$(dirname "$0")/lib.sh"

[ $# -ge 3 ] || die "usage: initramfs.sh OUTPUT MODULE.ko TESTDIR [OTHER.ko...]"
output=$1 module=$2 tests=$3
shift 3

need_packages "to fill the test guest" busybox-static
busybox=$(dpkg -L busybox-static | grep -m1 -E '/bin/busybox$')

root=$(mktemp -d "$build/.initramfs.XXXXXX")
trap 'rm -rf "$root"' EXIT

# Users other than root are to find their way, too.
chmod 755 "$root"
mkdir -p "$root"/{bin,sbin,dev,etc,lib,mnt/rhugefs,proc,root,selftests,sys,tmp,usr/bin,usr/sbin}
cp "$busybox" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
cp "$top/scripts/guest/init" "$root/init"
cp "$top/scripts/guest/debug-kernel" "$root/etc/debug-kernel"
cp "$top/scripts/guest/profile" "$root/etc/profile"
chmod +x "$root/init"
install -m 755 "$top/scripts/rhugeadm" "$root/sbin/rhugeadm"
grep -v -e '^#' -e '^$' "$top/scripts/kernel-reports" >"$root/etc/kernel-reports"
cp "$top/scripts/other-races.awk" "$root/etc/other-races.awk"
[ $# = 0 ] || cp "$@" "$root/lib"
cp "$module" "$root/lib/rhugefs.ko"
objdump -t "$module" | awk '$3 == "F" { print $4, $1, $5, $6 }' \
	>"$root/lib/rhugefs.symbols"
cp -R "$tests/." "$root/selftests/"

# Not compressed: to unpack costs the emulated processor more than it saves.
(cd "$root" && find . | "$busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$output.tmp"
mv "$output.tmp" "$output"
