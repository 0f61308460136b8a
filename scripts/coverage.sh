#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make coverage: which lines of module/ the tests in the debug kernel reach.
#
#   coverage.sh             print the coverage, and each line that was not reached;
#                           fail if less than 90 % were.  The tests run first, as
#                           by "make check K=debug", unless all of them have run
#                           since module/ or selftests/ changed
#   coverage.sh -n          the same, but fail where they have not run.  Either counts
#                           as one test for tally.sh
#   coverage.sh collect RUN after a run whose guest handed out its counts, as the
#                           disk RUN.gcov: bring them to the form that is printed
#
# The counts are those of all loads of the module in one guest.  That form is
# build/log/coverage: FILE LINE COUNT SOURCE, one line each.

. "$(dirname "$0")/lib.sh"

limit=90
lines=$logs/coverage
# What the counts are of; it is there only if all tests ran.
state=$logs/coverage.of

state_now()
{
	(cd "$top" && find module selftests -type f '(' -name '*.[ch]' -o -name '*.sh' \
		-o -name '*.conf' -o -name Kbuild ')' ! -name '*.mod.c' -print0 |
		sort -z | xargs -0 sha256sum | sha256sum)
}

# gcov's listings of all objects on stdin.  A line of a header counts as reached if
# it was in any of them.
merge()
{
	awk -v module="$1/module/" '
		{
			colon = index($0, ":")
			count = substr($0, 1, colon - 1)
			rest = substr($0, colon + 1)
			colon = index(rest, ":")
			line = substr(rest, 1, colon - 1) + 0
			text = substr(rest, colon + 1)
			gsub(/[ *]/, "", count)
		}
		line == 0 && sub(/^Source:/, "", text) {
			ours = index(text, module) == 1
			file = "module/" substr(text, length(module) + 1)
			next
		}
		ours && line > 0 && count != "-" {
			at = file " " line
			reached[at] += count ~ /^[0-9]/ ? count : 0
			source[at] = text
		}
		END {
			for (at in reached)
				print at, reached[at], source[at]
		}' | sort -k 1,1 -k 2,2n
}

collect()
{
	local run=$1 dir=$build/coverage release

	rm -rf "$dir" "$lines" "$state"
	mkdir -p "$dir"
	release=$(sed -n 's/\r$//; s/^@@init //p' "$logs/$run.talk")
	tar -xf "$logs/$run.gcov" -C "$dir" 2>/dev/null || true
	rm -f "$logs/$run.gcov"
	if ! ls "$dir"/*.gcda >/dev/null 2>&1; then
		say "$run handed out no counts of lines"
		return 1
	fi
	# Those of files that did not come are 0.
	cp "$build/$release"/module/*.gcno "$dir"
	rm -f "$dir"/*.mod.gcno
	(cd "$dir" && gcov -t ./*.gcno) 2>"$logs/gcov.log" |
		merge "$build/$release" >"$lines"
	[ -n "${T:-}" ] || state_now >"$state"
}

fresh()
{
	[ -s "$lines" ] && [ -e "$state" ] && [ "$(state_now)" = "$(cat "$state")" ]
}

# A table of files, and those lines that nobody reached.
print()
{
	awk -v limit=$limit '
		{
			all[$1]++
			sum++
			if ($3) {
				hit[$1]++
				sum_hit++
			} else {
				line = $0
				sub(/^[^ ]+ [^ ]+ [^ ]+ /, "", line)
				missed[++n] = $1 ":" $2 ":" line
			}
			if (!($1 in seen)) {
				seen[$1] = 1
				file[++files] = $1
			}
		}
		END {
			for (i = 1; i <= n; i++)
				print missed[i]
			if (n)
				print ""
			print "lines  reached"
			for (i = 1; i <= files; i++)
				printf "%5d  %5.1f %%  %s\n", all[file[i]], 100 * hit[file[i]] / all[file[i]], file[i]
			printf "%5d  %5.1f %%  of all; %d were not reached\n", sum, 100 * sum_hit / sum, n
			if (100 * sum_hit < limit * sum) {
				printf "that is less than the %d %% that are asked for\n", limit
				exit 1
			}
		}' "$lines"
}

status=0
case ${1:-} in
collect)
	collect "$2"
	;;
''|-n)
	if ! fresh; then
		[ -z "${1:-}" ] || die "there are no counts of these sources by all tests"
		say "running the tests in the debug kernel, as there are no counts of these sources"
		T='' K=debug "$top/scripts/check.sh" || status=1
		fresh || die "they came to no counts"
	fi
	if print; then
		echo 1 0 0 >"$logs/coverage.tally"
	else
		echo 0 1 0 >"$logs/coverage.tally"
		status=1
	fi
	;;
*)
	die "usage: coverage.sh [-n] | collect RUN"
	;;
esac
exit $status
