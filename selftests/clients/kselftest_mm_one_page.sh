#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Those of the kernel's tests that want one huge page and no other.

# shellcheck source=common
. /selftests/common

try "mm hugetlb_fault_after_madv" 120 /mm/hugetlb_fault_after_madv
try "mm hugetlb_madv_vs_map" 60 /mm/hugetlb_madv_vs_map
exit $status
