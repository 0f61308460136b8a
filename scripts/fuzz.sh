#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make fuzz: look for inputs that the module's code does not stand, in user space.
#
#   MINUTES=N   for each target; default 1
#   T=TARGET    only this one, or several, with spaces
#   KEEP=1      afterwards leave in the tree what is worth keeping of what was found:
#               few inputs that are short and go through every branch that was found
#
# The targets are selftests/unit/fuzz/fuzz_*.c.  What a fuzzer finds stays in
# $build/fuzz/TARGET/, from where the next run goes on.  An input that ends a target is in
# $build/log/fuzz-TARGET-*, its report in fuzz-TARGET.log; the program
# $build/unit/test_fuzz_TARGET takes it as an argument.

. "$(dirname "$0")/lib.sh"

minutes=${MINUTES:-1}
unit=$top/selftests/unit
status=0

[[ $minutes =~ ^[1-9][0-9]*$ ]] || die "MINUTES=$minutes is not a number of minutes"
targets=$(make -s --no-print-directory -C "$unit" targets)
for name in ${T:-}; do
	grep -q -x -e "$name" <<<"$targets" ||
		die "there is no target '$name'; there are: $(xargs <<<"$targets")"
done

need_packages "to fuzz" clang libclang-rt-dev gcc libc6-dev make
source=$("$top/scripts/kernel.sh" source)
mkdir -p "$logs"

make_unit()
{
	make -s --no-print-directory -C "$unit" KSRC="$source" OUTPUT="$build/unit" "$@"
}

# The last figure of this name that the fuzzer has told.
figure()
{
	sed -n "s/.*\b$1:* *\([0-9][0-9]*\).*/\1/p" "$2" | tail -n 1
}

fuzz()
{
	local name=$1 log=$logs/fuzz-$1.log found=$build/fuzz/$1 crashes

	mkdir -p "$found"
	rm -f "$logs/fuzz-$name"-*
	nice "$build/unit/fuzz/$name" -max_total_time=$((minutes * 60)) \
		-max_len=512 -timeout=10 -print_final_stats=1 \
		-artifact_prefix="$logs/fuzz-$name-" \
		"$found" "$unit/fuzz/corpus/$name" >"$log" 2>&1 || status=1
	crashes=$(find "$logs" -name "fuzz-$name-*" | wc -l)
	printf '%-10s %s minutes, %s executions, %s edges, %s features, %s crashes\n' \
		"$name" "$minutes" "$(figure number_of_executed_units "$log")" \
		"$(figure cov "$log")" "$(figure ft "$log")" "$crashes"
	[ "$crashes" = 0 ] || grep -m 1 -E 'must be|ERROR|error:' "$log" || true
}

keep()
{
	local name=$1 corpus=$unit/fuzz/corpus/$1 fewest=$build/fuzz/$1.fewest f

	rm -rf "$fewest"
	mkdir -p "$fewest"
	"$build/unit/fuzz/$name" -set_cover_merge=1 -use_counters=0 -max_len=160 "$fewest" \
		"$corpus" "$build/fuzz/$name" >"$logs/fuzz-$name.log" 2>&1 ||
		die "cannot merge what was found: $logs/fuzz-$name.log"
	rm -f "$corpus"/*
	for f in "$fewest"/*; do
		# The name is the sum of what is in it, of which this is enough.
		cp "$f" "$corpus/$(basename "$f" | cut -c 1-12)"
	done
}

make_unit fuzzers
for name in ${T:-$targets}; do
	fuzz "$name"
	[ -z "${KEEP:-}" ] || keep "$name"
done
exit $status
