#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's own tests of huge pages, with those of the mount; mm/redirect.c explains
# how, and what the MM_ variables are for.

# shellcheck source=common
. /selftests/common

# Programs that try all kinds of memory: their results for ours count, of which there
# must be one that is not skipped.
ours()
{
	"$@" 2>&1 | awk '
		/\[RUN\]/ { run = /hugetlb \(2048 kB\)/ ? $0 : "" }
		run && /^(not )?ok / {
			print run
			print
			if (/^not/)
				bad++
			else if (!/# SKIP/)
				good++
		}
		END {
			print good + 0, "passed,", bad + 0, "failed"
			exit !good || bad
		}'
}

if [ "${1:-}" = ours ]; then
	"$@"
	exit
fi

mm()
{
	name=$1
	shift
	try "mm $name" 120 "$@"
}

mm_refused()
{
	name=$1
	shift
	refused "mm $name" "$@"
}

mm hugepage-mmap /mm/hugepage-mmap
mm map_hugetlb /mm/map_hugetlb
mm_refused hugepage-mremap 'ioctl-UFFDIO_REGISTER: Invalid argument' /mm/hugepage-mremap
mm "hugepage-mremap without userfaultfd" env MM_UFFD=1 /mm/hugepage-mremap 64
mm_refused hugetlb-madvise 'Unexpected success of madvise call with unaligned start' \
	/mm/hugetlb-madvise
mm "hugetlb-madvise with aligned addresses" env MM_MADVISE=1 /mm/hugetlb-madvise
# Direct I/O with a file of tmpfs came with 6.6.
is_old || mm hugetlb_dio /mm/hugetlb_dio
mm cow "$0" ours /mm/cow
tail -n 1 $said | sed 's/^/# /'
mount_with_magic
if is_old; then
	mm_refused gup_longterm 'SKIP io_uring_register_buffers() failed' \
		env RHUGEFS_MNT=$magic "$0" ours /mm/gup_longterm
else
	mm gup_longterm env RHUGEFS_MNT=$magic "$0" ours /mm/gup_longterm
	tail -n 1 $said | sed 's/^/# /'
fi

# It reads this file to have something written to its memory, and takes pages of
# hugetlb although it gets ours.
[ -e /etc/passwd ] || echo root:x:0:0:root:/root:/bin/sh >/etc/passwd
mm protection_keys /mm/protection_keys
echo 0 >/proc/sys/vm/nr_hugepages

mm va_high_addr_switch /mm/va_high_addr_switch --run-hugetlb

truncate -s 64M "$RHUGEFS_MNT/file"
mm transhuge-stress /mm/transhuge-stress -f "$RHUGEFS_MNT/file" -d 5 32

for private in '' -r; do
	for populate in '' -o; do
		for noreserve in '' -n; do
			# shellcheck disable=SC2086 # nothing, or a word
			mm "write_to_hugetlbfs -w $private $populate $noreserve" \
				/mm/write_to_hugetlbfs -p "$RHUGEFS_MNT/file" -s 67108864 \
				-m 0 -w $private $populate $noreserve
		done
	done
done

mm_refused hugepage-vmemmap 'Head page flags (.*) is invalid' /mm/hugepage-vmemmap
mm_refused hugepage-shm 'shmget: Cannot allocate memory' /mm/hugepage-shm
mm_refused hugetlb-read-hwpoison 'not hugetlbfs file' /mm/hugetlb-read-hwpoison
mm_refused uffd-stress 'register failure' /mm/uffd-stress hugetlb 64 8
exit $status
