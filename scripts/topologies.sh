#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make topologies: rounds of memory policies, cpusets and sizes of nodes in guests with one
# to eight nodes, some of them without memory or without processors, or uneven.
#
#   topologies.sh [-q]   -q: leave the closing line to the caller
#
# Environment:
#   TOPOLOGY=NAME  this one only, or several, with spaces; topologies() below has them
#   K=KERNEL       under this kernel only; otherwise 6.1 and 6.12, side by side where
#                  there is memory
#   ROUNDS=N       instead of 300
#   SEED=N         repeat what was done by chance
#
# What is done, and what must come of it, is in selftests/numa/rounds.c, which the
# guest's init treats like a selftest.  The same is done to hugetlbfs, and the broken
# promises of both are told at the end.  Logs are topologies-KERNEL-NAME.talk and
# .console.

. "$(dirname "$0")/guests.sh"

scripts=$top/scripts
kernels=${K:-$("$scripts/kernel.sh" list)}
rounds=${ROUNDS:-300} seed=${SEED:-$RANDOM}
# More rounds may take more than a guest is given otherwise.
patience=$((1 + rounds / 500))
[ "${1:-}" != -q ] || quiet=1

# NAME NODES DISTANCES PLUGGED, as for guest.sh; - for none.
topologies()
{
	cat <<-END
	1          256:0-1
	2          192:0,192:1
	4          192:0,192:1,192:2,192:3
	8          192:0,192:1,192:2,192:3,192:4,192:5,192:6,192:7
	no-cpu     160:0,192:1,288  0-1:15,0-2:40,1-2:25
	no-memory  192:0,0:1,192
	plugged    192:0,192:1,0    - 256
	END
}

names=$(topologies | awk '{ print $1 }')
if [ -n "${TOPOLOGY:-}" ]; then
	wanted=$(grep -x -F -e "${TOPOLOGY// /$'\n'}" <<<"$names" || true)
	[ -n "$wanted" ] ||
		die "there is no topology '$TOPOLOGY'; there are: ${names//$'\n'/ }"
	names=$wanted
fi

# What a kernel takes for its own checks is not there for the tests.
nodes_of()
{
	local most=${kernel_nodes%%:*}

	topologies | awk -v name="$1" -v more="$((most - 512))" '
		$1 == name {
			count = split($2, nodes, ",")
			for (i = 1; i <= count; i++) {
				split(nodes[i] ":", part, ":")
				mib = part[1] ? part[1] + more : 0
				printf "%s%d:%s", (i > 1 ? "," : ""), mib, part[2]
			}
		}'
}

distances_of()
{
	topologies | awk -v name="$1" '$1 == name && $3 != "-" { print $3 }'
}

plugged_into()
{
	topologies | awk -v name="$1" '$1 == name { print $4 }'
}

# The largest comes before those without this or that.
nodes()
{
	local name

	for name in $names; do
		echo "$(guest_memory "$(nodes_of "$name")") $(nodes_of "$name")"
	done | sort -n | tail -n 1 | cut -d ' ' -f 2
}

run_topology()
{
	local kernel=$1 name=$2 run=topologies-$1-$2

	"$scripts/guest.sh" -n "$(nodes_of "$name")" -d "$(distances_of "$name")" \
		-p "$(plugged_into "$name")" -l "$logs/$run" -t $((600 * kernel_slow * patience)) \
		-a "$kernel_append GUEST_MODE=check GUEST_SLOW=$((kernel_slow * patience)) ROUNDS=$rounds SEED=$seed" \
		"$kernel_image" "$build/topologies-$kernel.cpio" |
		"$scripts/tap.sh" "$kernel, $name" "$logs/$run.tally" "$logs/$run.console"
}

run_guest()
{
	local name result=0

	use_kernel "$1"
	for name in $names; do
		run_topology "$1" "$name" || result=1
	done
	return $result
}

prepare()
{
	local log=$logs/build-topologies.log kernel

	if ! make -C "$top/selftests/numa" -f ../Makefile KSRC="$source" \
			OUTPUT="$build/topologies" INSTALL_PATH="$build/topologies-root" \
			guest >"$log" 2>&1; then
		cat "$log"
		die "the test does not build"
	fi
	for kernel in $kernels; do
		use_kernel "$kernel"
		if ! build_module "$kernel_release" "$kernel_tree"; then
			cat "$logs/build-$kernel_release.log"
			die "the module does not build for $kernel_release"
		fi
		"$scripts/initramfs.sh" "$build/topologies-$kernel.cpio" \
			"$build/$kernel_release/module/rhugefs.ko" "$build/topologies-root"
	done
}

# What the test told of both file systems, in each guest.
compare()
{
	local kernel name

	say ""
	for kernel in $kernels; do
		for name in $names; do
			sed -n -e 's/\r$//' -e 's/^# \([a-z]*\): \([0-9]* rounds\)/\1 \2/p' \
				"$logs/topologies-$kernel-$name.talk" 2>/dev/null |
				while read -r system told; do
					printf '%-6s %-10s %-10s %s\n' \
						"$kernel" "$name" "$system:" "$told"
				done
		done
	done
	say ""
}

mkdir -p "$build/topologies"
runs=
for kernel in $kernels; do
	for name in $names; do
		runs+=${runs:+ }topologies-$kernel-$name
	done
done
# shellcheck disable=SC2086 # words on purpose
begin_runs topologies $runs

need_packages "to build the module and its tests" gcc libc6-dev make
need_packages "to boot test guests" qemu-system-x86 busybox-static
source=$("$scripts/kernel.sh" source)
choose_order "the guest with the most nodes"
prepare
run_guests
compare
# shellcheck disable=SC2086 # words on purpose
end_runs topologies $runs
