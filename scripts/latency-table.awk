# SPDX-License-Identifier: GPL-2.0-only
#
# How long others wait for the processor, of a kernel: awk -v kernel=K -f
# latency-table.awk RESULTS.csv
#
# In thousands of instructions, which are microseconds of the guest's clock.  What is
# told is the worst of all samples, but for how long it took, which is the median.

function add(name)
{
	if (!(name in seen)) {
		order[++count] = name
		seen[name] = 1
	}
}

function number(name, what, subject)
{
	if (!((name, what, subject) in value))
		return "-"
	return sprintf("%.0f", value[name, what, subject] / 1000)
}

# Of a loop that takes as long, whoever it was that took as long.
function idle(name)
{
	if (value[name, "idle", "hugetlbfs"] > value[name, "idle", "rhugefs"])
		return number(name, "idle", "hugetlbfs")
	return number(name, "idle", "rhugefs")
}

function mark(name)
{
	if (value[name, "late", "rhugefs"] > limit || value[name, "gone", "rhugefs"] > limit)
		return " ours above 10 ms"
	return ""
}

BEGIN {
	FS = ","
	limit = 10e6
}

$1 == kernel && $2 ~ /^latency/ {
	name = $3
	sub(/^latency-/, "", name)
	add(name)
	value[name, $4, $5] = $4 == "took" ? $7 : $11
}

END {
	if (!count)
		exit
	printf "%-25s %21s %27s %21s\n", "", "took             ",
		"others wait at worst       ", "gone after a kill    "
	printf "%-25s %10s %10s %10s %10s %5s %10s %10s\n", "", "rhugefs", "hugetlbfs",
		"rhugefs", "hugetlbfs", "idle", "rhugefs", "hugetlbfs"
	for (i = 1; i <= count; i++) {
		name = order[i]
		printf "%-25s %10s %10s %10s %10s %5s %10s %10s%s\n", name,
			number(name, "took", "rhugefs"), number(name, "took", "hugetlbfs"),
			number(name, "late", "rhugefs"), number(name, "late", "hugetlbfs"),
			idle(name), number(name, "gone", "rhugefs"),
			number(name, "gone", "hugetlbfs"), mark(name)
	}
}
