# SPDX-License-Identifier: GPL-2.0-only
#
# Leave out of a kernel log the data races that have nothing to do with the module:
# KCSAN's reports where it made neither access, nor had one of the functions make it
# that work on their caller's data.  The kernel has races of its own, which it knows
# of and lives with, and whoever allocates memory comes by some, deep in reclaim.
#
#   awk -f other-races.awk LOG               the log without them
#   awk -v titles=1 -f other-races.awk LOG   only what they are called
#
# A report goes from its title to a line of "=".  One that does not end is kept.

function flush(end)
{
	if (!end || ours) {
		if (!titles)
			printf "%s", report
	} else if (titles) {
		print title
	}
	report = ""
}

# What is between the access and the module in a stack.
BEGIN { helpers = " (__)?(mem(cpy|set|move|cmp)|str|list_|rb_|interval_tree_|sort|swap|bitmap_|find_(first|next)_)[^ ]*\\+" }

/BUG: KCSAN:/ {
	if (report != "")
		flush(0)
	title = $0
	sub(/.*BUG: /, "", title)
	report = $0 "\n"
	ours = 0
	above = 0
	next
}

report != "" {
	report = report $0 "\n"
	# One of the two stacks, or the only one that is known.
	if (/of [0-9]+ bytes by /) {
		above = 1
	} else if (above && /\+0x[0-9a-f]+\/0x/) {
		ours = ours || /\[rhugefs\]/
		above = $0 ~ helpers
	}
	if ($0 ~ /=================/)
		flush(1)
	next
}

!titles { print }

END {
	if (report != "")
		flush(0)
}
