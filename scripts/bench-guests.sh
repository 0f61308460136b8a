# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-only
#
# The guests of the benchmark, for those scripts that boot them; sourced in place of
# guests.sh, which it sources, too.  Whoever sources it sets $kernels and $output, where
# the benchmark is built, and has
#
#   run_settings RUN   sets what the guest of a run is like
#   build_program      builds the benchmark, $program
#   prepare            builds the module and an initramfs, $build/bench-KERNEL.cpio

. "$(dirname "${BASH_SOURCE[0]}")/guests.sh"

scripts=$top/scripts output=''

flags="clearcpuid=erms"

# One kernel can have been built to preempt and the next not to; who is asked not to
# lets go of the processor only where it is told to.
hard="preempt=none"

# Nodes and their processors, what is expected to be touched of their memory, pages of
# each pool, options of guest.sh, and more for the kernel's command line.
run_settings()
{
	case $1 in
	count) nodes=3584:0 touched='' pages=544 options=-c append='' ;;
	many) nodes=17920:0 touched=1024 pages=4096 options=-c append=init_on_alloc=0 ;;
	clock) nodes=3584:0-1 touched='' pages=544 options='' append='' ;;
	latency) nodes=3584:0 touched='' pages=544 options=-c append=$hard ;;
	latency-many)
		nodes=8960:0,8960: touched=1024 pages=4096 options=-c
		append="init_on_alloc=0 $hard"
		;;
	esac
}

build_program()
{
	local log=$logs/build-bench.log

	program=$output/bench
	mkdir -p "$output"
	if ! make -C "$top/selftests/bench" OUTPUT="$output" >"$log" 2>&1; then
		cat "$log"
		die "the benchmark does not build"
	fi
}

# The kernel's own disk in memory, a module that lies beside its image. Without it
# O_DIRECT is left out.
add_disk()
{
	rm -f "$1/brd.ko"
	kernel_module brd "$1"
}

prepare()
{
	local root=$output/root kernel

	rm -rf "$root"
	mkdir -p "$root"
	install -m 755 "$top/selftests/bench/guest.sh" "$root/bench"
	cp "$top/selftests/bench/bench.conf" "$root"
	strip -g -o "$root/program" "$program"
	echo bench >"$root/list"
	for kernel in $kernels; do
		use_kernel "$kernel"
		if ! build_module "$kernel_release" "$kernel_tree"; then
			cat "$logs/build-$kernel_release.log"
			die "the module does not build for $kernel_release"
		fi
		add_disk "$root"
		"$scripts/initramfs.sh" "$build/bench-$kernel.cpio" \
			"$build/$kernel_release/module/rhugefs.ko" "$root"
	done
}
