#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make soak: the test "stress", or "calls", for as long as one likes, under one kernel
# after the other.
#
#   soak.sh [-q]   -q: leave the closing line to the caller
#
# Environment:
#   T=TEST     stress, or calls; default stress
#   MINUTES=N  how long, for each kernel; default 10
#   K=KERNEL   under this kernel only, or several, with spaces; otherwise 6.1 and 6.12
#   SEED=N     of the first cycle; each one more has the next seed
#   WORKERS=1  for stress: one process with one thread, which does the same each time
#
# Logs are soak-KERNEL.talk and .console; what was going on at a failure is in the former.

. "$(dirname "$0")/guests.sh"

scripts=$top/scripts
kernels=${K:-$("$scripts/kernel.sh" list)}
test=${T:-stress} minutes=${MINUTES:-10} seed=${SEED:-$RANDOM}
[ "${1:-}" != -q ] || quiet=1
case $test in
stress|calls) ;;
*) die "T=$test does not go on for as long as one likes: stress and calls do" ;;
esac
[[ $minutes =~ ^[1-9][0-9]*$ ]] || die "MINUTES=$minutes is not a number of minutes"

nodes()
{
	echo "$kernel_nodes"
}

run_guest()
{
	local run=soak-$1

	use_kernel "$1"
	# What a test is allowed is meant for 10 or 20 seconds of this.
	"$scripts/guest.sh" -n "$kernel_nodes" -l "$logs/$run" \
		-t $((minutes * 60 + 600 * kernel_slow)) \
		-a "$kernel_append GUEST_MODE=check GUEST_TESTS=$test GUEST_SLOW=$((kernel_slow + minutes)) SEED=$seed SOAK_SECONDS=$((minutes * 60)) STRESS_WORKERS=${WORKERS:-0}" \
		"$kernel_image" "$build/$1.cpio" |
		"$scripts/tap.sh" "$1" "$logs/$run.tally" "$logs/$run.console"
}

# "# seed 5: 8000 steps, 5034 words read, ..." of each cycle, added up.
tell_stress()
{
	local kernel

	for kernel in $kernels; do
		awk -v kernel="$kernel" -v minutes="$minutes" -v seed="$seed" '
			/^# seed [0-9]*: [0-9]* steps, / {
				cycles++
				for (i = 1; i < NF; i++)
					if ($i ~ /^[0-9]+$/)
						sum[$(i + 1)] += $i
			}
			END {
				printf "%-6s %d minutes from seed %d: %d cycles, %d steps, %d words read, %d written, %d mappings, %d children, %d workers killed\n", \
					kernel, minutes, seed, cycles, sum["steps,"], sum["words"], \
					sum["written,"], sum["mappings,"], sum["children,"], sum["workers"]
			}' "$logs/soak-$kernel.talk"
	done
}

# One line that it says itself.
tell_calls()
{
	local kernel

	for kernel in $kernels; do
		sed -n "s/^# \([0-9]* calls, .*\)/$kernel  $minutes minutes from seed $seed: \1/p" \
			"$logs/soak-$kernel.talk"
	done
}

runs=
for kernel in $kernels; do
	runs+=${runs:+ }soak-$kernel
done
# shellcheck disable=SC2086 # words on purpose
begin_runs soak $runs
need_packages "to build the module and its tests" gcc libc6-dev make
need_packages "to boot test guests" qemu-system-x86 busybox-static
choose_order "the guest"
# Each has the processors for itself, so that as much as can be happens at once.
together=
# shellcheck disable=SC2086 # words on purpose
TESTS=$test "$scripts/prepare.sh" $kernels
run_guests
"tell_$test"
# shellcheck disable=SC2086 # words on purpose
end_runs soak $runs
