# SPDX-License-Identifier: GPL-2.0-only
#
# Put names in place of addresses: awk -f profile-names.awk SORTED
#
# Lines, in the order of their addresses, are those of symbols, which come before others
# of the same address, and those that are to be named:
#
#	ADDRESS a NAME [MODULE]
#	ADDRESS b REST
#
# The latter come out as "NAME 0xOFFSET MODULE REST", with a dash for a MODULE that is the
# kernel itself.

function hex(text,   i, value)
{
	for (i = 1; i <= length(text); i++)
		value = 16 * value + index("0123456789abcdef", substr(text, i, 1)) - 1
	return value
}

$2 == "a" {
	name = $3
	base = $1
	module = NF > 3 ? $4 : "-"
	next
}

# Nothing of the program's is told apart.
$1 ~ /^0000/ {
	$1 = $1 ~ /^0+$/ ? "none 0 -" : "program 0 -"
	$2 = ""
	print
	next
}

{
	$1 = sprintf("%s 0x%x %s", name, hex(substr($1, 9)) - hex(substr(base, 9)), module)
	$2 = ""
	print
}
