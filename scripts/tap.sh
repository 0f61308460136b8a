#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Read what a run of tests prints, tell it compactly, and count.
#
#   tap.sh RUN TALLY [CONSOLE] <OUTPUT
#
# RUN names the run in each line, as "6.12".  TALLY is the file that takes the
# numbers of tests passed, failed and skipped.  CONSOLE is the log of the guest's
# console: without a marker "@@done" in OUTPUT, or with a report of the kernel in
# CONSOLE, the run has failed whatever its tests say.
#
# OUTPUT is TAP between lines that tell where a test begins and ends:
#
#   @@begin TEST
#   @@end TEST STATUS START END    START and END in seconds
#   @@log LINE                     the kernel's log, where something is wrong
#   @@after TEST ok|WHAT IS WRONG  what was found when all was cleaned up; "-"
#                                  where there is nothing to look after
#   @@done
#
# A test that passes takes one line here, one that fails is shown in full, and what
# matters of it stands in TALLY.failed, for tally.sh.

. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || die "usage: tap.sh RUN TALLY [CONSOLE]"
run=$1 tally=$2 console=${3:-}

passed=0 failed=0 skipped=0
test='' complete=''
rm -f "$tally.failed"

begin()
{
	test=$1 text='' plan='' took='' p=0 f=0 s=0
}

fail()
{
	f=$((f + 1))
	text+="not ok: $1"$'\n'
}

# One line of TAP, or of whatever else the test prints.
result()
{
	[ -z "$1" ] || text+="$1"$'\n'
	case $1 in
	"ok "*"# SKIP"*|"ok "*"#SKIP"*) s=$((s + 1)) ;;
	"ok "*) p=$((p + 1)) ;;
	"not ok "*) f=$((f + 1)) ;;
	1..[0-9]*) plan=${1#1..} plan=${plan%%[!0-9]*} ;;
	esac
}

# What the exit status and the plan tell beyond the lines of TAP.
ended()
{
	local status=$1 seen=$((p + f + s))

	took=$(awk "BEGIN { printf \"%.1f s\", $3 - $2 }")
	case $status in
	0) [ "$seen" -gt 0 ] || p=1 ;;
	4) [ "$seen" -gt 0 ] || s=1 ;;
	137) fail "killed: it took too long"; return ;;
	*) [ "$f" -gt 0 ] || fail "exit status $status" ;;
	esac
	[ -z "$plan" ] || [ "$plan" = "$seen" ] ||
		fail "planned $plan results and gave $seen"
}

remember()
{
	printf '%-6s %s\n%s\n' "$run" "$1" "${2:+$(sed 's/^/       | /' <<<"$2" | head -n 20)}" |
		grep . >>"$tally.failed"
}

# One line for a test, and all of its output if something failed.
tell()
{
	local numbers="$p passed"

	[ "$f" = 0 ] || numbers+=", $f FAILED"
	[ "$s" = 0 ] || numbers+=", $s skipped"
	printf '%-6s %-24s %s%s\n' "$run" "$test" "$numbers" "${took:+, $took}"
	if [ "$f" != 0 ]; then
		sed 's/^/       | /' <<<"$text"
		remember "$test" "$(grep -E '^not ok|^# [^ ]*:[0-9]+:' <<<"$text")"
	elif [ "$s" != 0 ]; then
		# Whoever skips says why, and that is worth a line.
		grep -E '^ok .*# ?SKIP' <<<"$text" | sed 's/^/       | /' || true
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	test=''
}

abandon()
{
	[ -n "$test" ] || return 0
	fail "it did not end"
	tell
}

while IFS= read -r line || [ -n "$line" ]; do
	line=${line%$'\r'}
	case $line in
	"@@begin "*)
		abandon
		begin "${line#@@begin }"
		;;
	"@@end "*)
		read -r _ _ status start end <<<"$line"
		ended "$status" "$start" "$end"
		;;
	"@@log "*)
		text+="${line#@@log }"$'\n'
		;;
	"@@after "*)
		line=${line#@@after "$test" }
		case $line in
		-) ;;
		ok) p=$((p + 1)) ;;
		*) fail "$line" ;;
		esac
		tell
		;;
	"@@done")
		complete=1
		;;
	"@@"*)
		;;
	*)
		if [ -n "$test" ]; then
			result "$line"
		elif [ -n "$line" ]; then
			say "$run: $line"
		fi
		;;
	esac
done

abandon
if [ -z "$complete" ]; then
	say "$run did not finish${console:+: see $console}"
	remember "did not finish" ""
	failed=$((failed + 1))
fi
if [ -n "$console" ] && [ -e "$console" ]; then
	reports=$("$top/scripts/kernel-reports.sh" "$console" || true)
	if [ -n "$reports" ]; then
		say "$run the kernel reported, see $console:"
		sed 's/^/       | /' <<<"$reports" | head -n 20
		remember "the kernel reported" "$reports"
		failed=$((failed + 1))
	fi
	races=$(awk -v titles=1 -f "$top/scripts/other-races.awk" "$console" | sort | uniq -c)
	if [ -n "$races" ]; then
		say "$run races of the kernel's own, which do not count:"
		sed 's/^/       | /' <<<"$races"
	fi
fi

echo "$passed $failed $skipped" >"$tally"
[ "$failed" = 0 ] || exit 1
