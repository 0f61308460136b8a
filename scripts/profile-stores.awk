# SPDX-License-Identifier: GPL-2.0-only
#
# Lines of memory that both processors write to: awk -f profile-stores.awk
#
#	place FUNCTION OFFSET FILE:LINE        where an instruction of the module's comes from
#	data ADDRESS NAME                      of data that has a name
#	laps SUBJECT NUMBER                    by the plugin
#	ops CASE SUBJECT NUMBER                by the benchmark
#	FUNCTION OFFSET MODULE  FUNCTION OFFSET MODULE  SUBJECT LINE N0 N1
#
# The first FUNCTION is the one by a call of which the module got to the second, which
# wrote, or "none".  Only what the module writes counts, itself or by such a call.

function spot(name, offset, module)
{
	if ((name, offset) in place)
		return name "() " place[name, offset]
	return name "()" (module == "-" ? "" : " +" offset)
}

# The address of the line in which an address is.
function line_of(address,   digit)
{
	digit = index("0123456789abcdef", substr(address, 15, 1)) - 1
	return substr(address, 1, 14) substr("048c", int(digit / 4) + 1, 1) "0"
}

$1 == "data" {
	line = line_of($2)
	data[line] = data[line] " " $3
	next
}
$1 == "place" { place[$2, $3] = $4; next }
$1 == "ops" { ops[$3] = $4; next }
$1 == "laps" { next }
$7 != 0 { next }

{
	line = $8
	zero[line] += $9
	one[line] += $10
	if ($6 != "-")
		what = spot($4, $5, $6)
	else if ($3 != "-")
		what = $4 "() from " spot($1, $2, $3)
	else
		what = $4 "()"
	if ($6 != "-" || $3 != "-")
		ours[line] = 1
	times[line, what] += $9 + $10
	if (!((line, what) in seen)) {
		seen[line, what] = 1
		writers[line, ++nr_writers[line]] = what
	}
}

# Who writes to a line, as one string.
function group_of(line,   i, group)
{
	for (i = 1; i <= nr_writers[line]; i++)
		group = group "|" writers[line, i]
	return group
}

# Lines with the same writers are of the same kind, and told together.
function add_to_group(line,   i, group)
{
	group = group_of(line)
	if (!(group in lines_of))
		first_of[group] = line
	lines_of[group]++
	for (i = 1; i <= nr_writers[line]; i++) {
		group_times[group, writers[line, i]] += times[line, writers[line, i]]
		group_sum[group] += times[line, writers[line, i]]
	}
}

function tell(group,   line, i)
{
	line = first_of[group]
	printf "\n%d %s, writes for each operation:\n", lines_of[group],
		lines_of[group] == 1 ? "line" : "lines, all of them together"
	for (i = 1; i <= nr_writers[line]; i++)
		printf "%10.3f  %s\n", group_times[group, writers[line, i]] / ops["rhugefs"],
			writers[line, i]
	printf "%10s  first at %s%s\n", "", line, line in data ? ":" data[line] : ""
}

END {
	if (!ops["rhugefs"])
		exit 1
	for (line in zero) {
		if (!zero[line] || !one[line])
			alone++
		else if (!ours[line])
			core++
		else
			add_to_group(line)
	}
	printf "%d lines that one processor alone writes to, %d that both do without the module\n",
		alone, core
	# Those that are written to most come first.
	while (1) {
		most = ""
		for (group in lines_of)
			if (most == "" || group_sum[group] > group_sum[most])
				most = group
		if (most == "")
			break
		tell(most)
		delete lines_of[most]
	}
}
