#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make check-all: "make check" with 50 loads of the module in a row, then what takes
# longer or needs more packages: builds for every flavour, memory errors in a kernel that
# handles them, the clients, and guests with other nodes.
#
#   check-all.sh [-q]   -q: leave the closing line to the caller
#
# To add a check: write a function that fails and says why, and name it in
# steps().

. "$(dirname "$0")/lib.sh"

# The flavours that are supported and those that must be refused.
flavours="linux-headers-amd64 linux-headers-cloud-amd64
	  linux-headers-6.12-amd64 linux-headers-6.12-cloud-amd64"
refused="linux-headers-rt-amd64 linux-headers-6.12-rt-amd64"

tree_of()
{
	echo "/usr/src/linux-headers-$("$top/scripts/kernel.sh" headers "$1")"
}

builds_for()
{
	rm -rf "${build:?}/$1"
	build_module_strictly "$1" "$(tree_of "$1")"
}

# "make KDIR=$1" must fail with one line that matches $2, and not begin to build.
refuses()
{
	local tree=$1 why=$2 dir=$build/refused output

	rm -rf "$dir"
	mirror_module "$dir"
	cp "$top/Makefile" "$dir"
	if output=$(make --no-print-directory -C "$dir" KDIR="$tree" 2>&1); then
		echo "make KDIR=$tree succeeded"
		return 1
	fi
	echo "$output"
	[ "$(wc -l <<<"$output")" = 1 ] && grep -q -e "$why" <<<"$output"
}

# The same without our Makefile, as dkms builds.
kbuild_refuses()
{
	local tree=$1 why=$2 dir=$build/refused output

	rm -rf "$dir"
	mirror_module "$dir"
	if output=$(make -C "$tree" M="$dir" modules 2>&1); then
		echo "kbuild succeeded in $tree"
		return 1
	fi
	echo "$output"
	[ "$(grep -c "rhugefs: .*$why" <<<"$output")" = 1 ]
}

# A tree that has no more than what tells a kernel's release.
fake_tree()
{
	local dir=$build/fake-$1

	mkdir -p "$dir/include/config"
	echo "$1" >"$dir/include/config/kernel.release"
	echo CONFIG_TRANSPARENT_HUGEPAGE=y >"$dir/include/config/auto.conf"
	touch "$dir/Makefile"
	echo "$dir"
}

steps()
{
	local p

	for p in $flavours; do
		step "builds-${p#linux-headers-}" builds_for "$p"
	done
	for p in $refused; do
		step "refuses-${p#linux-headers-}" refuses "$(tree_of "$p")" TRANSPARENT_HUGEPAGE
		step "kbuild-refuses-${p#linux-headers-}" \
			kbuild_refuses "$(tree_of "$p")" TRANSPARENT_HUGEPAGE
	done
	step refuses-5.10 refuses "$(fake_tree 5.10.0-9-amd64)" '5\.10.*6\.1 to 6\.12'
	step refuses-6.13 refuses "$(fake_tree 6.13.0)" '6\.13.*6\.1 to 6\.12'
	step refuses-no-tree refuses /nonexistent linux-headers-
	echo "@@done"
}

status=0
mkdir -p "$logs"
rm -f "$logs"/{slow.tally,check.runs,clients.runs,topologies.runs,check-all.runs}
# Of all that "make check" tests Debian's 6.1 for clouds lacks only this.
generic=6.1-generic

LOADS=50 "$top/scripts/check.sh" -q || status=1
runs=$(cat "$logs/check.runs" 2>/dev/null || echo check)
T=poison K=$generic "$top/scripts/check.sh" -q || status=1

# shellcheck disable=SC2086 # words on purpose
need_packages "to build for every flavour" gcc libc6-dev make $flavours $refused
steps | tee "$logs/slow.talk" | "$top/scripts/tap.sh" slow "$logs/slow.tally" || status=1

"$top/scripts/clients.sh" -q || status=1
"$top/scripts/topologies.sh" -q || status=1

runs+=" $generic slow"
runs+=" $(cat "$logs/clients.runs" 2>/dev/null || echo clients)"
runs+=" $(cat "$logs/topologies.runs" 2>/dev/null || echo topologies)"
echo "$runs" >"$logs/check-all.runs"
# shellcheck disable=SC2086 # words on purpose
[ "${1:-}" = -q ] || "$top/scripts/tally.sh" $runs || status=1
exit $status
