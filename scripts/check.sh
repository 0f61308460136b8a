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
#   LOADS=N   how often the test "load" loads and unloads the module in a row
#
# The guests run side by side.  Logs are in build/log: KERNEL.talk is what the
# tests said, KERNEL.console the kernel's log, unit.talk the unit tests.

. "$(dirname "$0")/guests.sh"

scripts=$top/scripts
LOADS=${LOADS:-}
[[ $LOADS =~ ^(0|[1-9][0-9]*)?$ ]] || die "LOADS=$LOADS is not a number"
only=${T:-} kernels=${K:-$("$scripts/kernel.sh" list)}
guests_only=
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
	# What tests are allowed is enough for 60, where nobody else wants the processors.
	local slow=$((LOADS / 60))

	use_kernel "$1"
	slow=$((slow + kernel_slow))
	"$scripts/guest.sh" -n "$kernel_nodes" -l "$logs/$1" -t $((3600 * slow)) \
		${kernel_gcov:+-o "$logs/$1.gcov"} \
		-a "$kernel_append GUEST_MODE=check GUEST_SLOW=$slow GUEST_TESTS=${only:+${guests//$'\n'/,}} ${SEED:+SEED=$SEED} ${SWEEP:+SWEEP=$SWEEP} LOADS=$LOADS" \
		"$kernel_image" "$build/$1.cpio" |
		"$scripts/tap.sh" "$1" "$logs/$1.tally" "$logs/$1.console"
}

nodes()
{
	echo "$kernel_nodes"
}

# shellcheck disable=SC2086 # words on purpose
begin_runs check $runs
need_packages "to build the tests" gcc libc6-dev make
source=$("$scripts/kernel.sh" source)
[ -z "$guests" ] || choose_order "the test guest"

if [ -n "$units" ]; then
	run_units | tee "$logs/unit.talk" |
		"$scripts/tap.sh" unit "$logs/unit.tally" || status=1
fi
if [ -n "$guests" ]; then
	# shellcheck disable=SC2086 # words on purpose
	TESTS=${only:+${guests//$'\n'/ }} "$scripts/prepare.sh" $kernels
	run_guests
	for kernel in $kernels; do
		[ ! -e "$logs/$kernel.gcov" ] ||
			T=$only "$scripts/coverage.sh" collect "$kernel" || status=1
	done
fi

# shellcheck disable=SC2086 # words on purpose
end_runs check $runs
