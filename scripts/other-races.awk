# SPDX-License-Identifier: GPL-2.0-only
#
# Leave out of a kernel log the data races that have nothing to do with the module:
# KCSAN's reports whose stacks do not lead through it.  The kernel has races of its
# own, which it knows of and lives with.
#
#   awk -f other-races.awk LOG               the log without them
#   awk -v titles=1 -f other-races.awk LOG   only what they are called
#
# A report goes from its title to a line of "=".  One that does not end is kept.

function flush(end)
{
	if (!end || report ~ /\[rhugefs\]/) {
		if (!titles)
			printf "%s", report
	} else if (titles) {
		print title
	}
	report = ""
}

/BUG: KCSAN:/ {
	if (report != "")
		flush(0)
	title = $0
	sub(/.*BUG: /, "", title)
	report = $0 "\n"
	next
}

report != "" {
	report = report $0 "\n"
	if ($0 ~ /=================/)
		flush(1)
	next
}

!titles { print }

END {
	if (report != "")
		flush(0)
}
