#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# stress-ng's stressors, those of files and those of mappings, with their temporary
# files in the mount.  Some run side by side, a few seconds, and each must have got
# something done.

# shellcheck source=common
. /selftests/common

# Who takes a size is content with less than its default, a gigabyte for some.
sizes="--copy-file-bytes 128M --fallocate-bytes 16M --hdd-bytes 16M --iomix-bytes 16M
	--mmap-bytes 16M --mmap-file --mremap-bytes 16M --msync-bytes 16M
	--readahead-bytes 16M --sync-file-bytes 16M"

stress_ng()
{
	# shellcheck disable=SC2086 # words on purpose
	stress-ng --temp-path "$RHUGEFS_MNT" --verify --oomable --metrics-brief $sizes "$@"
}

# Standard output is the file that holds what was said so far.
did_something()
{
	awk -v "name=$1" '
		$2 == "metrc:" && $4 == name && NF == 10 { ops += $5 }
		END { exit ops + 0 == 0 }' "$said"
}

# In a slow emulator one may not get round to anything beside the others.
alone()
{
	stress_ng --timeout 40 "--$1" 1 "--$1-ops" 1 || return
	did_something "$1" && return
	echo "$1 did nothing"
	return 1
}

# The stressors that are $@.
run()
{
	options=
	for stressor; do
		options="$options --$stressor 1"
	done
	# shellcheck disable=SC2086 # words on purpose
	stress_ng --timeout 4 $options || return
	for stressor; do
		did_something "$stressor" || alone "$stressor" || return
	done
}

if [ "${1:-}" = run ]; then
	"$@"
	exit
fi

stress()
{
	try "stress-ng $*" 120 "$0" run "$@"
}

stress access chmod chown fcntl utime
stress dentry dir dirdeep dirmany getdent
stress filename link mknod rename symlink
stress chdir dup fstat handle inotify open touch
stress flock lockf
stress copy-file fallocate fpunch hdd
stress io iomix readahead seek sync-file
stress sendfile splice
stress mmap msync
stress mmapfork mprotect munmap
stress fork mremap

# As root it would ask for memory errors, which there are not yet.
grep -q '^nobody:' /etc/passwd 2>/dev/null ||
	echo nobody:x:65534:65534:nobody:/:/bin/sh >>/etc/passwd
chmod 1777 "$RHUGEFS_MNT"
try "stress-ng madvise" 60 su nobody -s /bin/sh -c "$0 run madvise"

# It maps one small page of its file.
refused "stress-ng fault" 'fault: mmap failed: errno=22' "$0" run fault
refused "stress-ng xattr" "filesystem does not support xattr" \
	stress-ng --temp-path "$RHUGEFS_MNT" --timeout 2 --xattr 1
exit $status
