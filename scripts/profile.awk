# SPDX-License-Identifier: GPL-2.0-only
#
# The table of a profile: awk -v shown=N -f profile.awk
#
#	laps SUBJECT NUMBER                    by the plugin
#	ops CASE SUBJECT NUMBER                by the benchmark
#	FUNCTION OFFSET MODULE SUBJECT COUNT   see profile-names.awk

BEGIN {
	nr_names = split("rhugefs hugetlbfs tmpfs thp", names, " ")
}

function add(where, subject, count)
{
	sum[where, subject] += count
	if (!(where in most))
		most[where] = 0
}

function figure(where, name)
{
	if (!((where, name) in sum))
		return "-"
	return sprintf("%.1f", sum[where, name] / ops[name])
}

function row(where,   i, line)
{
	line = sprintf("%-44s", where)
	for (i = 1; i <= nr_names; i++)
		if (names[i] in ops)
			line = line sprintf(" %11s", figure(where, names[i]))
	return line
}

$1 == "ops" { ops[$3] = $4; next }
$1 == "laps" { next }

{
	name = names[$4 + 1]
	where = $3 == "-" ? $1 : $1 " " $3
	add(where, name, $5)
	part = $1 == "program" ? "the program" : $3 == "-" ? "the kernel" : "modules " $3
	parts[part, name] += $5
	part_of[part]
	all[name] += $5
}

END {
	if (!ops["rhugefs"])
		exit 1
	printf "%-44s", "instructions for one operation"
	for (i = 1; i <= nr_names; i++)
		if (names[i] in ops)
			printf " %11s", names[i]
	print ""
	for (name in all)
		sum["all", name] = all[name]
	print row("all")
	for (part in part_of) {
		for (name in all)
			if ((part, name) in parts)
				sum[part, name] = parts[part, name]
		print row(part)
	}
	print ""
	# The largest of all columns first, as many as are wanted.
	order = "sort -k 1,1nr -k 2 | head -n " shown " | cut -f 2"
	for (where in most) {
		for (i = 1; i <= nr_names; i++)
			if (i <= 2 && (where, names[i]) in sum && \
			    sum[where, names[i]] / ops[names[i]] > most[where])
				most[where] = sum[where, names[i]] / ops[names[i]]
		printf "%.1f\t%s\n", most[where], row(where) | order
	}
	close(order)
}
