# SPDX-License-Identifier: GPL-2.0-only
#
# The table of a kernel: awk -v kernel=K -v clock=0|1 -f bench-table.awk GOALS RESULTS.csv
#
# Figures are medians where instructions were counted and the best where it was the
# clock, since whatever else the machine does only makes it slower.  Lines are written
# with "|" between columns where plot=1, for gnuplot.

function wants(name, what)
{
	if ((name, kernel, what) in goal)
		return goal[name, kernel, what]
	if ((name, "any", what) in goal)
		return goal[name, "any", what]
	return ""
}

function add(name, unit)
{
	if (!(name in seen)) {
		order[++count] = name
		seen[name] = 1
	}
	unit_of[name] = unit
}

function number(name, subject)
{
	if (!((name, subject) in value))
		return "-"
	return sprintf(value[name, subject] < 100 ? "%.2f" : "%.0f", value[name, subject])
}

# What a mapping of one more fragment costs more, for each that is there.
function derive_growth(   subject)
{
	for (subject in subjects) {
		if (!(("fragment-100", subject) in value) || !(("fragment-4000", subject) in value))
			continue
		add("fragment-growth", "piece")
		value["fragment-growth", subject] = (value["fragment-4000", subject] - \
			value["fragment-100", subject]) / 3900
	}
}

function ratio(name)
{
	if (!((name, "rhugefs") in value) || !value[name, "hugetlbfs"])
		return "-"
	return sprintf("%.3f", value[name, "rhugefs"] / value[name, "hugetlbfs"])
}

# Against the same case with one thread.
function speedup(name, subject,   one)
{
	one = name
	if (name !~ /^threads-.*-[0-9]$/ || !((name, subject) in value))
		return "-"
	sub(/-[0-9]$/, "-1", one)
	if (!((one, subject) in value))
		return "-"
	return sprintf("%.2f", value[one, subject] / value[name, subject])
}

# Sets goal_text and reached.
function judge(name,   most)
{
	goal_text = reached = "-"
	if ((most = wants(name, "ratio")) != "" && ratio(name) != "-") {
		goal_text = "<" most
		reached = ratio(name) + 0 <= most + 0 ? "yes" : "no"
	} else if ((most = wants(name, "speedup")) != "" && speedup(name, "rhugefs") != "-") {
		goal_text = "x" most
		reached = speedup(name, "rhugefs") + 0 >= most + 0 ? "yes" : "no"
	} else if ((most = wants(name, "most")) != "" && number(name, "rhugefs") != "-") {
		goal_text = "<" most " u"
		reached = number(name, "rhugefs") + 0 <= most + 0 ? "yes" : "no"
	}
}

function spread(name)
{
	if (!((name, "rhugefs") in between))
		return "-"
	return sprintf("%.1f%%", between[name, "rhugefs"])
}

FNR == NR {
	if (NF == 4 && $1 !~ /^#/)
		goal[$1, $2, $3] = $4
	next
}

FNR == 1 { next }

{
	split($0, field, ",")
	if (field[1] != kernel || (field[2] == "clock") != clock || field[2] ~ /^latency/)
		next
	name = field[3]
	subject = field[5]
	subjects[subject] = 1
	add(name, field[4])
	value[name, subject] = clock ? field[10] : field[7]
	if (field[7])
		between[name, subject] = 100 * (field[9] - field[8]) / field[7]
}

END {
	if (!count)
		exit
	derive_growth()
	if (!plot) {
		printf "%-26s %-5s %10s %10s %7s %6s %-3s %6s %10s %10s", "", "each", "rhugefs",
			"hugetlbfs", "ratio", "goal", "met", "spread", "tmpfs", "thp"
		print clock ? "  speedup  theirs" : ""
	}
	for (i = 1; i <= count; i++) {
		name = order[i]
		judge(name)
		if (plot) {
			if (ratio(name) != "-" && name != "fragment-growth")
				print name "|" ratio(name) "|" wants(name, "ratio")
			continue
		}
		printf "%-26s %-5s %10s %10s %7s %6s %-3s %6s %10s %10s", name, unit_of[name],
			number(name, "rhugefs"), number(name, "hugetlbfs"), ratio(name),
			goal_text, reached, spread(name), number(name, "tmpfs"),
			number(name, "thp")
		printf clock ? " %8s %7s\n" : "\n", speedup(name, "rhugefs"),
			speedup(name, "hugetlbfs")
	}
}
