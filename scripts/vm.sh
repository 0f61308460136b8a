#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make vm: a shell in the guest that the selftests run in, with the module loaded,
# the file system mounted, and the selftests in /selftests.
#
# K=KERNEL chooses the kernel; 6.12 otherwise.  The kernel's log goes to
# build/log/vm.console.

. "$(dirname "$0")/lib.sh"

[ -t 0 ] || die "this needs a terminal"
kernel=${K:-6.12}
use_kernel "$kernel"
need_memory "$(guest_memory "$kernel_nodes")" "the guest"
"$top/scripts/prepare.sh" "$kernel"

say "Leave with Ctrl-A X, or poweroff -f.  \"pool\" shows the counts."
say "The kernel's log: $logs/vm.console"
"$top/scripts/guest.sh" -i -n "$kernel_nodes" -l "$logs/vm" \
	-a "$kernel_append GUEST_MODE=shell" "$kernel_image" "$build/$kernel.cpio"
