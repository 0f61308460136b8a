#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build the selftests, and for each KERNEL the module and the initramfs
# build/KERNEL.cpio with both.
#
#   prepare.sh KERNEL...
#
# TESTS in the environment names the selftests that are wanted; default all.

. "$(dirname "$0")/lib.sh"

mkdir -p "$logs" "$build/selftests"
need_packages "to build the module and its tests" gcc libc6-dev make
need_packages "to boot test guests" qemu-system-x86 busybox-static

log=$logs/build-selftests.log
source=$("$top/scripts/kernel.sh" source)
if ! make -C "$top/selftests" KSRC="$source" OUTPUT="$build/selftests" \
		INSTALL_PATH="$build/selftests-root" TESTS="${TESTS:-}" guest >"$log" 2>&1; then
	cat "$log"
	die "the selftests do not build"
fi

for kernel; do
	use_kernel "$kernel"
	if ! build_module "$kernel_release" "$kernel_tree"; then
		cat "$logs/build-$kernel_release.log"
		die "the module does not build for $kernel_release"
	fi
	modules=$build/modules-$kernel
	rm -rf "$modules"
	mkdir -p "$modules"
	cp "$build/$kernel_release/module/rhugefs.ko" "$modules"
	sed -s -n 's/^modules=//p' "$build/selftests-root"/*.conf | tr ' ' '\n' |
		while read -r module; do
			kernel_module "$module" "$modules"
		done
	"$top/scripts/initramfs.sh" "$build/$kernel.cpio" \
		"$modules/rhugefs.ko" "$build/selftests-root" "$modules"/*.ko
done
