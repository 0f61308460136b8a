#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make bench: what huge pages cost, here and on hugetlbfs, tmpfs and in anonymous memory.
#
#   bench.sh [-r]   -r: only the report, of the logs of the last run
#
# Environment:
#   T=CASE        this case only, or several, with spaces; T=list tells which there are
#   K=KERNEL      under this kernel only: 6.1, 6.12, or both
#   SAMPLES=N     of each case, instead of 15
#
# One program does the same to each in turn (selftests/bench). There are five guests for
# each kernel, and never two at a time, so as not to disturb each other:
#
#   count   one processor; the clock counts executed instructions (QEMU's -icount), so
#           that a second run finds the same
#   many    likewise, with 4096 pages for each pool, of which none is ever touched
#   clock   two processors, and time is time
#   latency, latency-many
#           as the first two, and no code of the kernel's is preempted: how long large
#           requests keep the processor from others
#
# The report is build/bench/report.txt, with the same figures in results.csv and the
# ratios as a chart in ratios.svg. No figure fails: see Documentation/performance.rst.

. "$(dirname "$0")/bench-guests.sh"

output=$build/bench
cases=${T:-} kernels=${K:-both}
[ "$kernels" != both ] || kernels=$("$scripts/kernel.sh" list)

# The user-space benchmark of the reservation map, which needs no guest.
map_case=resv-map

list_cases()
{
	"$program" -l
	printf '%-30s %-12s %s\n' $map_case unit "10^5 regions against 10, in user space"
}

# The runs of the cases that are wanted, those first that repeat exactly.
runs_wanted()
{
	list_cases | awk -v only="$cases" '
		BEGIN { count = split(only, names, " "); for (i in names) want[names[i]] }
		!count || $1 in want { found[$2] }
		END {
			nr = split("unit count many clock latency latency-many", runs, " ")
			for (i = 1; i <= nr; i++)
				if (runs[i] in found)
					print runs[i]
		}'
}

# --- the runs ---------------------------------------------------------------------

run_one()
{
	local kernel=$1 run=$2 name=bench-$1-$2 given=GUEST_MODE=check
	local nodes touched pages options append

	run_settings "$run"
	given+=" BENCH_RUN=$run BENCH_PAGES=$pages BENCH_CASES=${cases// /,}"
	# shellcheck disable=SC2086 # words on purpose
	"$scripts/guest.sh" -n "$nodes" ${touched:+-s "$touched"} $options \
		-l "$logs/$name" -t 3600 \
		-a "$flags $append $given BENCH_SAMPLES=${SAMPLES:-}" \
		"$kernel_image" "$build/bench-$kernel.cpio" |
		"$scripts/tap.sh" "$kernel, $run" "$logs/$name.tally" "$logs/$name.console"
}

run_guest()
{
	local run result=0

	use_kernel "$1"
	for run in $guests; do
		run_one "$1" "$run" || result=1
	done
	return $result
}

run_map()
{
	make -s --no-print-directory -C "$top/selftests/unit" KSRC="$source" \
		OUTPUT="$build/unit" bench >"$output/$map_case.txt"
}

# --- the report --------------------------------------------------------------------

told()
{
	sed -n -e 's/\r$//' -e "s/^$2: //p" "$logs/bench-$1.talk" 2>/dev/null
}

results()
{
	local kernel run

	echo kernel,run,case,unit,subject,samples,median,lower,upper,least,most
	for kernel in $kernels; do
		for run in $guests; do
			told "$kernel-$run" bench | sed "s/^/$kernel,$run,/"
		done
	done
}

table()
{
	awk -v kernel="$1" -v clock="$2" -v plot="${3:-0}" -f "$scripts/bench-table.awk" \
		"$top/selftests/bench/goals" "$output/results.csv"
}

latency_table()
{
	awk -v kernel="$1" -f "$scripts/latency-table.awk" "$output/results.csv"
}

# The command line that all guests have in common, and what the runs add to it.
settings()
{
	local kernel run nodes touched pages options append

	echo "date      $(date -u '+%Y-%m-%d %H:%M UTC')"
	echo "tree      $(git -C "$top" describe --always --dirty 2>/dev/null || echo unknown)"
	echo "machine   $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors, $(uname -sr)"
	echo "emulator  $(qemu-system-x86_64 --version | head -n 1)${KVM:+, KVM}"
	for kernel in $kernels; do
		use_kernel "$kernel"
		echo "kernel    $kernel_release"
	done
	echo "flags     tsc=reliable no_timer_check cryptomgr.notests=1 $flags"
	for run in $guests; do
		run_settings "$run"
		printf '%-9s nodes %s (MiB:processors), %s pages in each pool%s%s\n' "$run" \
			"$nodes" "$pages" \
			"${options:+, -icount shift=0,sleep=off}" "${append:+, $append}"
		for kernel in $kernels; do
			told "$kernel-$run" bench-clock |
				sed "s/^/          $kernel: to read the clock twice takes /; s/\$/ ns/"
		done
	done
}

left_out()
{
	local kernel run

	for kernel in $kernels; do
		for run in $guests; do
			told "$kernel-$run" bench-left-out |
				sed "s/^\([^,]*\),/$kernel: \1 is left out: /"
		done
	done
}

# What a command says, if anything, below a title, if any.
titled()
{
	local title=$1 text
	shift

	text=$("$@")
	[ -z "$text" ] || printf '\n%s%s\n' "${title:+$title$'\n\n'}" "$text"
}

report()
{
	local kernel

	cat "$output/settings.txt"
	for kernel in $kernels; do
		titled "$kernel: instructions, medians" table "$kernel" 0
		titled "$kernel: nanoseconds by the clock, best" table "$kernel" 1
		titled "$kernel: how long others wait, thousands of instructions" \
			latency_table "$kernel"
	done
	titled "" left_out
	if [ -e "$output/$map_case.txt" ]; then
		printf '\nthe reservation map in user space\n\n'
		cat "$output/$map_case.txt"
		awk '$NF + 0 > most { most = $NF + 0 }
			END { print "goal at most 2 times; met: " (most <= 2 ? "yes" : "no") }' \
			"$output/$map_case.txt"
	fi
}

# Each case a line, on a scale on which twice and half are equally far.
chart()
{
	local kernel lines=0 plots='' file style=6

	for kernel in $kernels; do
		file=$output/ratios-$kernel.txt
		table "$kernel" 0 1 >"$file"
		lines=$(wc -l <"$file")
		plots+="'$file' using 2:(-\$0):yticlabels(1) pt $style title 'Linux $kernel', "
		style=$((style + 1))
	done
	[ "$lines" -gt 1 ] || return 0
	gnuplot <<-END
	set terminal svg size 900,$((120 + 18 * lines)) font "sans,12" background "white"
	set output "$output/ratios.svg"
	set datafile separator "|"
	set title "Instructions of rhugefs over those of hugetlbfs"
	set logscale x
	set xrange [0.004:5]
	set xtics (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
	set yrange [-$lines:1]
	set grid
	set arrow from 1,-$lines to 1,1 nohead lw 2
	set key outside bottom center horizontal
	plot $plots '$file' using 3:(-\$0) pt 2 lc 'black' title 'at most, as wanted'
	END
}

# Everything that is there is measured anew.
measure()
{
	# shellcheck disable=SC2086 # words on purpose
	begin_runs bench $names
	rm -f "$output"/*.{txt,csv,svg}
	need_packages "to boot guests" qemu-system-x86 busybox-static
	source=$("$scripts/kernel.sh" source)
	if grep -q unit <<<"$runs"; then
		run_map || status=1
	fi
	if [ -n "$guests" ]; then
		prepare
		run_guests
	fi
	settings >"$output/settings.txt"
}

need_packages "to build the module and the benchmark" gcc libc6-dev make binutils xz-utils
need_packages "to draw a chart" gnuplot-nox
mkdir -p "$logs"
build_program
if [ "$cases" = list ]; then
	list_cases
	exit
fi
runs=$(runs_wanted)
[ -n "$runs" ] || die "there is no case '$cases'; T=list tells which there are"
guests=$(grep -v unit <<<"$runs" || true) names=
for kernel in $kernels; do
	for run in $guests; do
		names+=${names:+ }bench-$kernel-$run
	done
done
[ "${1:-}" = -r ] || measure
results >"$output/results.csv"
report | tee "$output/report.txt"
chart
say ""
say "report: $output"
[ -n "$names" ] || exit $status
# shellcheck disable=SC2086 # words on purpose
end_runs bench $names
