# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts share that run tests in guests, a kernel beside the other; sourced
# in place of lib.sh, not run.  Whoever sources it sets $kernels, and has two functions:
#
#   nodes              of the largest guest of the kernel that is in use; see guest.sh
#   run_guest KERNEL   its guests and what comes of them
#
# and calls, in this order:
#
#   begin_runs NAME RUN...   forget what earlier runs have left
#   choose_order WHY         see that there is memory
#   run_guests               all kernels; $status is 1 where one has failed
#   end_runs NAME RUN...     the closing line, unless $quiet is set, and the end

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kernels='' status=0 pids=() together='' quiet=

# What an earlier run left must not pass for a result of this one, and until this comes
# to its end, whoever asks finds a run without a result.
begin_runs()
{
	local name=$1 run
	shift

	mkdir -p "$logs"
	echo "$name" >"$logs/$name.runs"
	for run; do
		rm -f "$logs/$run".{tally,talk,console,gcov}*
	done
}

# Make the kernels available, see that there is memory for a guest of each, and set
# $together if there is for all at a time.
choose_order()
{
	local kernel size sum=0

	for kernel in $kernels; do
		use_kernel "$kernel"
		size=$(guest_memory "$(nodes)")
		need_memory "$size" "$1"
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

run_guests()
{
	local kernel

	# Each kernel's scripts are a process group, to be ended as one.
	set -m
	trap 'for pid in "${pids[@]}"; do kill -- "-$pid" 2>/dev/null || true; done' EXIT
	trap 'exit 1' INT TERM
	for kernel in $kernels; do
		run_guest "$kernel" &
		pids+=($!)
		[ -n "$together" ] || wait_for_guests
	done
	wait_for_guests
}

end_runs()
{
	local name=$1
	shift

	echo "$*" >"$logs/$name.runs"
	say "logs: $logs"
	[ -n "$quiet" ] || "$top/scripts/tally.sh" "$@" || status=1
	exit $status
}
