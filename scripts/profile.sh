#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make profile: of what a case of the benchmark is made, function by function, here and on
# the other file systems.
#
# Environment:
#   T=CASE        the case; T=list tells which there are
#   K=KERNEL      under this kernel, 6.1 or 6.12; default 6.12
#   SAMPLES=N     of it, instead of 5; with STORES of one, as in another the same memory
#                 may be something else
#   THP=WORD      always, madvise or never: when the kernel uses transparent huge pages,
#                 which decides whether 6.12 calls ->huge_fault
#   LINES=N       functions that are shown, instead of 40
#   STORES=1      in place of instructions: the lines of memory that two processors of the
#                 guest write to, and who does. The case should be one of two threads
#   NODES=NODES   other nodes for the guest than those of the benchmark: see guest.sh
#
# A plugin of the emulator's (profile-plugin.c) counts while the benchmark is in what it
# times. The report is build/profile/report.txt.

. "$(dirname "$0")/bench-guests.sh"

output=$build/profile
case=${T:-} kernels=${K:-6.12} stores=${STORES:+on}
samples=${SAMPLES:-5} name=profile-$kernels
[ -z "$stores" ] || samples=1
plugin=$output/profile-plugin.so counted=$output/counted.txt symbols=$output/symbols.txt

build_plugin()
{
	local log=$logs/build-plugin.log

	if ! gcc -O2 -Wall -fPIC -shared -fvisibility=hidden -o "$plugin" \
			"$scripts/profile-plugin.c" >"$log" 2>&1; then
		cat "$log"
		die "the emulator's plugin does not build"
	fi
}

# The run whose guest is to be had, if the case is one with a marked part.
choose_run()
{
	run=$("$program" -l | awk -v only="$case" '$1 == only { print $2 }')
	case $run in
	count|many|clock) ;;
	'') die "there is no case '$case'; T=list tells which there are" ;;
	*) die "nothing is marked in the cases of the run $run" ;;
	esac
}

# One processor at a time runs in all of them, as the plugin wants it.
boot()
{
	# shellcheck disable=SC2034 # run_settings knows more than is wanted
	local nodes touched pages options append

	run_settings "$run"
	append+=" GUEST_MODE=check BENCH_RUN=$run BENCH_PAGES=$pages BENCH_CASES=$case"
	append+=" BENCH_SAMPLES=$samples BENCH_SYMBOLS=1 BENCH_THP=${THP:-}"
	"$scripts/guest.sh" -n "${NODES:-$nodes}" ${touched:+-s "$touched"} -c \
		-x "$plugin,out=$counted${stores:+,stores=on}" \
		-l "$logs/$name" -t 1800 -a "$flags $append" \
		"$kernel_image" "$build/bench-$kernels.cpio" |
		grep -v '^bench-symbols' |
		"$scripts/tap.sh" "$kernels, $case" "$logs/$name.tally" "$logs/$name.console"
}

told()
{
	sed -n -e 's/\r$//' -e "s/^$1: //p" "$logs/$name.talk"
}

# The functions of the kernel and its modules, or all that has a name.
symbols_for_names()
{
	awk -v types="$1" '$2 ~ types { gsub(/[][]/, "", $4); print $1, "a", $3, $4 }' \
		"$symbols"
}

# Lines "ADDRESS REST" with names in place of addresses.
name_addresses()
{
	{
		symbols_for_names '^[tTwW]$'
		sed 's/^[0-9a-f]* /&b /'
	} | sort -k 1,2 | awk -f "$scripts/profile-names.awk"
}

# "place FUNCTION OFFSET FILE:LINE" of those lines "FUNCTION OFFSET" that are the module's,
# where the compiler has left debug information.
places()
{
	local module=$build/$kernel_release/module/rhugefs.ko function offset address
	declare -A begins

	while read -r address _ function; do
		begins[$function]=0x$address
	done < <(nm --defined-only "$module" | grep ' [tT] ')
	sort -u | while read -r function offset; do
		echo "$function $offset $(printf '0x%x' $((begins[$function] + offset)))"
	done >"$output/places.txt"
	cut -d ' ' -f 3 "$output/places.txt" | addr2line -s -e "$module" -j .text |
		sed 's/ (discriminator.*//' | paste -d ' ' "$output/places.txt" - |
		awk '{ print "place", $1, $2, $4 }'
}

counts()
{
	told bench-ops | tr , ' ' | sed 's/^/ops /'
	grep '^laps' "$counted"
}

instructions()
{
	{
		counts
		awk '$1 == "code" { print $3, $2, $4 }' "$counted" | name_addresses
	} | awk -v shown="${LINES:-40}" -f "$scripts/profile.awk"
}

lines_of_both()
{
	local named=$output/named.txt

	awk '$1 == "store" { print $4, $5, $2, $3, $6, $7 }' "$counted" | name_addresses |
		awk '{ print $4, $1, $2, $3, $5, $6, $7, $8 }' | name_addresses >"$named"
	{
		awk '$3 == "rhugefs" { print $1, $2 } $6 == "rhugefs" { print $4, $5 }' \
			"$named" | places
		awk '$2 ~ /^[bBdD]$/ { print "data", $1, $3 }' "$symbols"
		counts
		cat "$named"
	} | awk -f "$scripts/profile-stores.awk"
}

report()
{
	echo "case      $case"
	echo "kernel    $kernel_release${THP:+, transparent huge pages: $THP}"
	echo "tree      $(git -C "$top" describe --always --dirty 2>/dev/null || echo unknown)"
	told bench | awk -F , '{ printf "clock     %.1f for each %s on %s\n", $5, $2, $3 }'
	echo
	if [ -n "$stores" ]; then
		lines_of_both
	else
		instructions
	fi
}

need_packages "to build the module, the benchmark and a plugin" gcc libc6-dev make binutils xz-utils
mkdir -p "$logs" "$output"
build_program
if [ "$case" = list ]; then
	"$program" -l | awk '$2 !~ /^latency/'
	exit
fi
choose_run
begin_runs profile "$name"
rm -f "$counted" "$symbols"
need_packages "to boot guests" qemu-system-x86 busybox-static
build_plugin
prepare
boot || status=1
told bench-symbols | base64 -d | gzip -dc >"$symbols"
[ -s "$counted" ] || die "the emulator has counted nothing: see $logs/$name.talk"
report | tee "$output/report.txt"
say ""
say "report: $output"
end_runs profile "$name"
