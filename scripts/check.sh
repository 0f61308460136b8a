#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make check: unit tests in user space, then the selftests in guests.
#
#   check.sh [-q] [-g]  -q: leave the closing line to the caller
#                       -g: only the guests
#
# Environment:
#   T=NAME    run one test only, a unit test or a selftest; or several, with spaces
#   K=KERNEL  run the guests under this kernel only: 6.1, 6.12, debug, which checks
#             memory, locks and page tables and counts the module's lines, or kcsan,
#             which looks for data races; see kernel.sh
#   SEED=N    for the tests that choose at random
#   SWEEP=all, SWEEP=SCENARIO or SWEEP=SCENARIO:N  let every point of every scenario
#             fail, every one of this scenario, or this one; see selftests/sweep.h
#
# The guests run side by side.  Logs are in build/log: KERNEL.talk is what the
# tests said, KERNEL.console the kernel's log, unit.talk the unit tests.

. "$(dirname "$0")/lib.sh"

scripts=$top/scripts
only=${T:-} kernels=${K:-$("$scripts/kernel.sh" list)}
quiet='' guests_only=
for option; do
	case $option in
	-q) quiet=1 ;;
	-g) guests_only=1 ;;
	*) die "unknown option: see the top of $0" ;;
	esac
done

# --- what there is to run ----------------------------------------------------

selftests()
{
	find "$top/selftests" -maxdepth 1 '(' -name '*.c' -o -name '*.sh' ')' |
		sed -e 's|.*/||' -e 's|\.[^.]*$||' | sort
}

unit_tests()
{
	[ ! -e "$top/selftests/unit/Makefile" ] ||
		make -s --no-print-directory -C "$top/selftests/unit" list
}

# The lines that are exactly a word of $1, or test_ and this word, as programs in
# user space are called.
named()
{
	grep -x -F -e "${1// /$'\n'}" -e "test_${1// /$'\n'test_}" || true
}

command -v make >/dev/null || need_packages "to build the tests" make
units=$(unit_tests) guests=$(selftests)
if [ -n "$only" ]; then
	units=$(named "$only" <<<"$units") guests=$(named "$only" <<<"$guests")
	[ -n "$units$guests" ] ||
		die "there is no test '$only'; there are: $({ unit_tests; selftests; } | xargs)"
fi
[ -z "$guests_only" ] || units=
runs=${units:+unit}${guests:+ $kernels}

# --- the runs ----------------------------------------------------------------

# Busybox's and kselftest's habit: 4 is skipped, other than 0 failed.
unit_test()
{
	make -s --no-print-directory -C "$top/selftests/unit" KSRC="$source" \
		OUTPUT="$build/unit" ${SEED:+SEED="$SEED"} T="$1" check
}

run_units()
{
	local name

	for name in $units; do
		step "$name" unit_test "$name"
	done
	echo "@@done"
}

run_guest()
{
	use_kernel "$1"
	"$scripts/guest.sh" -n "$kernel_nodes" -l "$logs/$1" -t $((1800 * kernel_slow)) \
		${kernel_gcov:+-o "$logs/$1.gcov"} \
		-a "$kernel_append GUEST_MODE=check GUEST_SLOW=$kernel_slow GUEST_TESTS=${only:+${guests//$'\n'/,}} ${SEED:+SEED=$SEED} ${SWEEP:+SWEEP=$SWEEP}" \
		"$kernel_image" "$build/$1.cpio" |
		"$scripts/tap.sh" "$1" "$logs/$1.tally" "$logs/$1.console"
}

# Make the kernels available, see that there is memory for each guest, and set
# $together if there is for all at a time.
choose_order()
{
	local kernel size sum=0

	for kernel in $kernels; do
		use_kernel "$kernel"
		size=$(guest_memory "$kernel_nodes")
		need_memory "$size" "the test guest"
		sum=$((sum + size))
	done
	[ "$(memory_available)" -lt "$sum" ] || together=1
}

wait_for_guests()
{
	local pid

	for pid in "${pids[@]}"; do
		wait "$pid" || status=1
	done
	pids=()
}

mkdir -p "$logs"
# Until this comes to its end, whoever asks finds a run without a result.
echo check >"$logs/check.runs"
for run in $runs; do
	# What an earlier check left must not pass for a result of this one.
	rm -f "$logs/$run".{tally,talk,console,gcov}*
done

need_packages "to build the tests" gcc libc6-dev make
source=$("$scripts/kernel.sh" source)
status=0 pids=() together=
[ -z "$guests" ] || choose_order

# Each guest's scripts are a process group, to be ended as one.
set -m
trap 'for pid in "${pids[@]}"; do kill -- "-$pid" 2>/dev/null || true; done' EXIT
trap 'exit 1' INT TERM

if [ -n "$units" ]; then
	run_units | tee "$logs/unit.talk" |
		"$scripts/tap.sh" unit "$logs/unit.tally" || status=1
fi
if [ -n "$guests" ]; then
	# shellcheck disable=SC2086 # words on purpose
	TESTS=${only:+${guests//$'\n'/ }} "$scripts/prepare.sh" $kernels
	for kernel in $kernels; do
		run_guest "$kernel" &
		pids+=($!)
		[ -n "$together" ] || wait_for_guests
	done
	wait_for_guests
	for kernel in $kernels; do
		[ ! -e "$logs/$kernel.gcov" ] ||
			T=$only "$scripts/coverage.sh" collect "$kernel" || status=1
	done
fi

echo "$runs" >"$logs/check.runs"
say "logs: $logs"
# shellcheck disable=SC2086 # words on purpose
[ -n "$quiet" ] || "$scripts/tally.sh" $runs || status=1
exit $status
