#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make clients: programs that were not written for us use the file system, in a guest
# under each kernel: fio, stress-ng, QEMU, and the kernel's own tests of huge pages.
#
#   clients.sh [-q]   -q: leave the closing line to the caller
#
# Environment:
#   T=CLIENT  run this one only, or several, with spaces
#   K=KERNEL  run under this kernel only; otherwise 6.1 and 6.12, side by side where
#             there is memory
#
# Clients are the scripts of selftests/clients; the guest's init treats them like
# selftests.  The programs are those of Debian's packages, as installed here.  They
# and their libraries come to the guest in an archive of their own, which the kernel
# unpacks after the initramfs.  Documentation/compatibility.rst tells what works and
# what does not.

. "$(dirname "$0")/guests.sh"

scripts=$top/scripts clients=$top/selftests/clients
only=${T:-} kernels=${K:-$("$scripts/kernel.sh" list)}
root=$build/clients/root
[ "${1:-}" != -q ] || quiet=1

# Pages for the clients, and memory for what else they use.
least_node=1024

client_names()
{
	find "$clients" -maxdepth 1 -name '*.sh' -exec basename -s .sh '{}' + | sort
}

names=$(client_names)
if [ -n "$only" ]; then
	wanted=$(grep -x -F -e "${only// /$'\n'}" <<<"$names" || true)
	[ -n "$wanted" ] || die "there is no client '$only'; there are: ${names//$'\n'/ }"
	names=$wanted
fi

# --- what the guest finds -----------------------------------------------------

# Copy a program and the libraries that it is linked with, all to where they are here:
# there they are looked for.
add_program()
{
	local f

	{
		echo "$1"
		ldd "$1" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }'
	} | while read -r f; do
		mkdir -p "$root$(dirname "$f")"
		[ -e "$root$f" ] || cp -L "$f" "$root$f"
	done
}

# What QEMU takes from files: its emulator, and the first steps of its machine.
add_qemu()
{
	add_program "$(command -v qemu-system-x86_64)"
	add_program "$(dpkg -L qemu-system-common | grep /accel-tcg-x86_64.so)"
	mkdir -p "$root/usr/share/qemu"
	cp -L /usr/share/seabios/bios-256k.bin /usr/share/qemu/kvmvapic.bin \
		/usr/share/qemu/linuxboot_dma.bin /usr/share/qemu/pvh.bin \
		"$root/usr/share/qemu"
}

collect()
{
	rm -rf "$root"
	mkdir -p "$root"
	if ! make -s --no-print-directory -C "$clients/mm" KSRC="$source" \
			OUTPUT="$build/clients/mm" >"$logs/build-clients.log" 2>&1; then
		cat "$logs/build-clients.log"
		die "the kernel's tests do not build"
	fi
	cp -R "$build/clients/mm/bin" "$root/mm"
	add_program "$(command -v fio)"
	add_program "$(command -v stress-ng)"
	add_qemu
	archive "$root" "$build/clients.cpio"
}

archive()
{
	(cd "$1" && find . | "$busybox" cpio -o -H newc -R 0:0 2>/dev/null) >"$2"
}

# What init takes for its tests.
collect_scripts()
{
	local dir=$build/clients/scripts name

	rm -rf "$dir"
	mkdir -p "$dir"
	for name in $names; do
		install -m 755 "$clients/$name.sh" "$dir/$name"
		[ ! -e "$clients/$name.conf" ] || cp "$clients/$name.conf" "$dir"
		echo "$name" >>"$dir/list"
	done
	cp "$clients/common" "$dir"
}

# A kernel for the guest's guest.  To unpack it is not for an emulator in an emulator.
add_kernel()
{
	local dir=$build/clients/kernel-$1

	mkdir -p "$dir/boot"
	bash "$source/scripts/extract-vmlinux" "$kernel_image" >"$dir/boot/vmlinux" ||
		die "cannot find the kernel in $kernel_image"
	archive "$dir" "$build/clients-$1.cpio"
}

prepare()
{
	if ! build_module "$kernel_release" "$kernel_tree"; then
		cat "$logs/build-$kernel_release.log"
		die "the module does not build for $kernel_release"
	fi
	"$scripts/initramfs.sh" "$build/clients-init.cpio" \
		"$build/$kernel_release/module/rhugefs.ko" "$build/clients/scripts"
	add_kernel "$1"
	cat "$build/clients-init.cpio" "$build/clients.cpio" "$build/clients-$1.cpio" \
		>"$build/clients-$1.initramfs"
	rm "$build/clients-init.cpio" "$build/clients-$1.cpio"
}

# --- the runs -----------------------------------------------------------------

# The kernel's nodes, each with least_node MiB at least.
nodes()
{
	local node

	for node in ${kernel_nodes//,/ }; do
		if [ "${node%%:*}" -lt $least_node ]; then
			node=$least_node:${node#*:}
		fi
		printf '%s,' "$node"
	done | sed 's/,$//'
}

run_guest()
{
	local run=clients-$1

	use_kernel "$1"
	"$scripts/guest.sh" -n "$(nodes)" -l "$logs/$run" -t $((1800 * kernel_slow)) \
		-a "$kernel_append GUEST_MODE=check GUEST_SLOW=$kernel_slow" \
		"$kernel_image" "$build/clients-$1.initramfs" |
		"$scripts/tap.sh" "$run" "$logs/$run.tally" "$logs/$run.console"
}

mkdir -p "$build/clients"
runs=
for kernel in $kernels; do
	runs+=${runs:+ }clients-$kernel
done
# shellcheck disable=SC2086 # words on purpose
begin_runs clients $runs

need_packages "to build the module and the kernel's tests" gcc libc6-dev \
	liburing-dev make
need_packages "to take a kernel out of its image" binutils lz4 xz-utils zstd
need_packages "to boot test guests" qemu-system-x86 seabios busybox-static
need_packages "clients of the file system" fio stress-ng
busybox=$(dpkg -L busybox-static | grep -m1 -E '/bin/busybox$')
source=$("$scripts/kernel.sh" source)
choose_order "the guest for the clients"
collect
collect_scripts
for kernel in $kernels; do
	use_kernel "$kernel"
	prepare "$kernel"
done

run_guests
# shellcheck disable=SC2086 # words on purpose
end_runs clients $runs
