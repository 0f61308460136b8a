#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Print the lines of a kernel log in which the kernel reports trouble, as listed
# in scripts/kernel-reports, but for races of the kernel's own (other-races.awk).
# Fails, as grep does, if there are none.
#
#   kernel-reports.sh LOG

. "$(dirname "$0")/lib.sh"

[ $# = 1 ] && [ -r "$1" ] || die "usage: kernel-reports.sh LOG"
sed -e '/^#/d' -e '/^$/d' "$top/scripts/kernel-reports" >"$build/.kernel-reports"
awk -f "$top/scripts/other-races.awk" "$1" | grep -a -E -f "$build/.kernel-reports" || exit 1
