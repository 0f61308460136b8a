#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make demo: build the module, boot Debian's 6.12 cloud kernel on two NUMA nodes,
# and show what becomes of a pool of huge pages while a program maps, touches,
# forks, truncates and unlinks (selftests/demo/demo.c).
#
# What is printed is the guest's story; the kernel's log is in
# build/log/demo.console.

. "$(dirname "$0")/lib.sh"

kernel=${K:-6.12}

mkdir -p "$logs" "$build/demo"
need_packages "to build the module and the demo" gcc libc6-dev make
need_packages "to boot test guests" qemu-system-x86 busybox-static
use_kernel "$kernel"
need_memory "$(guest_memory "$kernel_nodes")" "the guest"
build_module "$kernel_release" "$kernel_tree" ||
	die "the module does not build, see $logs/build-$kernel_release.log"
gcc -O2 -Wall -static -o "$build/demo/demo" "$top/selftests/demo/demo.c"
"$top/scripts/initramfs.sh" "$build/demo.cpio" \
	"$build/$kernel_release/module/rhugefs.ko" "$build/demo"

say "booting $kernel_release"
"$top/scripts/guest.sh" -n "$kernel_nodes" -l "$logs/demo" -t $((120 * kernel_slow)) \
	-a "$kernel_append GUEST_MODE=demo" "$kernel_image" "$build/demo.cpio" |
	sed -u -e 's/\r$//' -e '/^@@/d'

grep -q '^@@done' "$logs/demo.talk" ||
	die "the demo did not come to its end, see $logs/demo.console"
if "$top/scripts/kernel-reports.sh" "$logs/demo.console" >/dev/null; then
	die "the kernel reported trouble, see $logs/demo.console"
fi
