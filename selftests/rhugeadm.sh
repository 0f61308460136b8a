#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# rhugeadm, the administrator's command: that each of its commands does and says what
# sysfs, debugfs and mount show, that it refuses what it cannot do in one line that says
# what to do instead, and that nothing has changed then.

pool=/sys/fs/rhugefs/hugepages-2048kB
debug=/sys/kernel/debug
work=/tmp/rhugeadm
out=$work/out err=$work/err
# Where things are mounted, which a refused command leaves as it is.
dirs=$work/dirs

cases='pool_table pool_json set_total set_nodes set_short set_total_short set_in_use
	set_ended set_refused users_table users_json users_sample users_busy mounts
	mounts_hidden mount_default mount_options mount_refused umount_refused check_says
	without_debugfs without_root help_says wrong_usage at_rest'

# --- what the cases are made of ----------------------------------------------

fail()
{
	echo "# $*"
	[ ! -s "$err" ] || sed 's/^/# stderr: /' "$err"
	exit 1
}

equal()
{
	[ "$1" = "$2" ] || fail "'$1', and not '$2'"
}

# Sets status; what it printed is in $out and $err.
adm()
{
	rhugeadm "$@" >"$out" 2>"$err"
	status=$?
}

does()
{
	adm "$@"
	[ "$status" = 0 ] || fail "rhugeadm $*: exit status $status"
	[ ! -s "$err" ] || fail "rhugeadm $* complained"
}

says()
{
	grep -q -F -e "$1" "$out" || fail "it does not say '$1': $(cat "$out")"
}

complains()
{
	equal "$(wc -l <"$err")" 1
	grep -q -F -e "$1" "$err" || fail "it does not complain of '$1'"
}

# What nobody may change who is refused.
state()
{
	grep -s . "$pool"/*_hugepages "$pool/node"*/*_hugepages | grep -v /zeroed_
	cat /proc/mounts
	ls -l "$dirs"
}

# refused STATUS TEXT ARGUMENT...
refused()
{
	wanted=$1 text=$2
	shift 2
	state >"$work/before"
	adm "$@"
	equal "$status" "$wanted"
	[ ! -s "$out" ] || fail "rhugeadm $* was refused and says: $(cat "$out")"
	complains "$text"
	state >"$work/after"
	cmp -s "$work/before" "$work/after" ||
		fail "rhugeadm $* was refused and changed: $(diff "$work/before" "$work/after")"
}

count()
{
	cat "$pool/$1_hugepages"
}

# Of $2 huge pages, all of which are taken.
make_file()
{
	fallocate -l $(($2 * 2097152)) "$1" || fail "no file of $2 huge pages"
}

restore_pool()
{
	echo 64 >"$pool/node0/nr_hugepages"
	echo 64 >"$pool/node1/nr_hugepages"
	equal "$(count nr)" 128
}

# Is the file JSON?  Strings become #, numbers and words @, and whatever is complete @, too.
json()
{
	awk '
		{ text = text $0 "\n" }
		END {
			if (text ~ /[#@]/)
				exit 1
			gsub(/"([^"\\\001-\037]|\\["\\]|\\u[0-9a-f][0-9a-f][0-9a-f][0-9a-f])*"/, "#", text)
			if (text ~ /[0-9a-z#] +[0-9a-z#]/)
				exit 1
			gsub(/[ \n]+/, "", text)
			gsub(/true|false|null|-?(0|[1-9][0-9]*)/, "@", text)
			while (gsub(/\[([#@](,[#@])*)?\]|\{(#:[#@](,#:[#@])*)?\}/, "@", text))
				;
			exit text != "@"
		}' "$1" || fail "this is not JSON: $(cat "$1")"
}

# --- pool --------------------------------------------------------------------

# Words of counts, of nodes or of all: total, free, reserved, in use, zeroed, surplus,
# poisoned.
counts()
{
	dir=$pool/$1
	nr=$(cat "$dir/nr_hugepages") free=$(cat "$dir/free_hugepages")
	echo "$nr $free $(cat "$dir/resv_hugepages") $((nr - free)) $(cat "$dir/zeroed_hugepages")" \
		"$(cat "$dir/surplus_hugepages") $(cat "$dir/poisoned_hugepages")"
}

# Pages in use, reserved, and none of them being zeroed meanwhile.
use_pool()
{
	make_file "$RHUGEFS_MNT/used" 5
	mkdir "$dirs/kept"
	mount -t rhugefs -o min_size=6M none "$dirs/kept" || fail "no second mount"
	echo 0 >"$pool/zeroed_low"
	echo 0 >"$pool/zeroed_high"
	sleep 1
}

leave_pool()
{
	echo 100 >"$pool/zeroed_high"
	echo 75 >"$pool/zeroed_low"
	umount "$dirs/kept"
	rmdir "$dirs/kept"
	rm "$RHUGEFS_MNT/used"
}

pool_table()
{
	use_pool
	does pool
	equal "$(count resv)" 3
	equal "$(($(count nr) - $(count free)))" 5
	equal "$(sed -n 1p "$out" | tr -s ' ')" " total free reserved in use zeroed surplus poisoned"
	equal "$(sed -n 2p "$out" | tr -s ' ')" "node0 $(counts node0)"
	equal "$(sed -n 3p "$out" | tr -s ' ')" "node1 $(counts node1)"
	equal "$(sed -n 4p "$out" | tr -s ' ')" "sum $(counts .)"
	equal "$(wc -l <"$out")" 4
	leave_pool
}

json_counts()
{
	# shellcheck disable=SC2046 # words on purpose
	set -- $(counts "$1")
	echo "\"total\": $1, \"free\": $2, \"reserved\": $3, \"in_use\": $4, \"zeroed\": $5, \"surplus\": $6, \"poisoned\": $7}"
}

pool_json()
{
	use_pool
	echo 7 >"$pool/nr_overcommit_hugepages"
	does pool --json
	json "$out"
	says '"page_size": 2097152,'
	says '"overcommit": 7,'
	says "{\"node\": 0, $(json_counts node0),"
	says "{\"node\": 1, $(json_counts node1)"
	says "\"sum\": {$(json_counts .)"
	echo 0 >"$pool/nr_overcommit_hugepages"
	leave_pool
}

set_total()
{
	does pool set 100
	equal "$(cat "$out")" "pool: 100 huge pages, 128 before (node0 50, node1 50)"
	equal "$(count nr)" 100
	does pool set 0128
	equal "$(count nr)" 128
	# On a terminal it shows how far it is, for which there is no time here.
	rhugeadm pool set 130 >"$out" 2>/dev/ttyS0 || fail "not with a terminal"
	echo
	equal "$(cat "$out")" "pool: 130 huge pages, 128 before (node0 65, node1 65)"
	restore_pool
}

set_nodes()
{
	does pool set node1=20,node0=70
	equal "$(cat "$out")" "node1: 20 huge pages, 64 before
node0: 70 huge pages, 64 before"
	equal "$(count node0/nr) $(count node1/nr)" "70 20"
	does pool set node0=0
	equal "$(count node0/nr) $(count node1/nr)" "0 20"
	restore_pool
}

# What could not be had is missing for the one node, and the other has what was asked.
set_short()
{
	adm pool set node1=100000,node0=60
	equal "$status" 1
	reached=$(count node1/nr)
	equal "$(cat "$out")" "node1: $reached huge pages, 64 before
node0: 60 huge pages, 64 before"
	complains "node1 has $reached of 100000 huge pages, for want of free memory"
	restore_pool
}

set_total_short()
{
	adm pool set 100000
	equal "$status" 1
	complains "pool has $(count nr) of 100000 huge pages (node0 $(count node0/nr), node1 $(count node1/nr)), for want of free memory"
	restore_pool
}

set_in_use()
{
	make_file "$RHUGEFS_MNT/used" 6
	adm pool set 2
	equal "$status" 1
	equal "$(count nr) $(count surplus)" "6 4"
	says "pool: 6 huge pages, 128 before"
	complains "pool has 6 huge pages and not 2 "
	complains "4 of them leave when nobody uses or reserves them"
	rm "$RHUGEFS_MNT/used"
	restore_pool
}

# A signal ends the growing where it is, and nobody goes on behind one's back.
set_ended()
{
	rhugeadm pool set 100000 >"$out" 2>"$err" &
	grower=$!
	tries=0
	while [ "$(count nr)" = 128 ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || fail "it does not begin"
		sleep 0.1
	done
	kill "$grower"
	wait "$grower"
	equal $? 1
	complains "$(count nr) of 100000 huge pages"
	says "pool: $(count nr) huge pages, 128 before"
	restore_pool
}

set_refused()
{
	refused 2 "how many" pool set
	refused 2 "'' is not a number" pool set ''
	for bad in abc -1 4M 1.5 0x10 '1 2' 9999999999999; do
		refused 2 "'$bad' is " pool set "$bad"
	done
	for bad in node0 node=3 =3 nodeX=3 node0x=3 nodes=3 node0/../node1=3; do
		refused 2 "'$bad' is not " pool set "node1=1,$bad"
	done
	refused 2 "'' is not nodeN=NUMBER" pool set node0=1,
	refused 2 "'' is not a number" pool set node0=1,node1=
	refused 2 "'7z' is not a number" pool set node0=1,node1=7z
	refused 2 "there is no node9 with memory: there are node0 node1" pool set node0=1,node9=1
	refused 2 "node0 is named twice" pool set node0=1,node0=2
	refused 2 "'6' is too much" pool set 5 6
}

# --- users -------------------------------------------------------------------

use_files()
{
	make_file "$RHUGEFS_MNT/small one" 2
	make_file "$RHUGEFS_MNT/large" 9
	mkdir "$dirs/kept"
	mount -t rhugefs -o min_size=8M none "$dirs/kept" || fail "no second mount"
}

leave_files()
{
	umount "$dirs/kept"
	rmdir "$dirs/kept"
	rm "$RHUGEFS_MNT/small one" "$RHUGEFS_MNT/large"
}

# Columns: held used reserved node0 node1 what file mappers.
columns()
{
	sed -n "$1p" "$out" | awk '{ print $1, $2, $3, $6, $7, $8 }'
}

users_table()
{
	use_files
	does users
	equal "$(columns 1)" "held used reserved what file mappers"
	equal "$(columns 2)" "9 9 0 file $RHUGEFS_MNT/large -"
	equal "$(columns 3)" "4 0 4 minimum $dirs/kept -"
	equal "$(columns 4)" "2 2 0 file $RHUGEFS_MNT/small\\040one -"
	equal "$(columns 5)" "15 11 4 sum - -"
	equal "$(wc -l <"$out")" 5
	leave_files
}

users_json()
{
	use_files
	does users --json
	json "$out"
	says "\"mount_point\": \"$RHUGEFS_MNT\""
	says '"path": "/small one", "held": 2, "used": 2, "reserved": 0, "nodes": [{"node": 0, '
	says "\"mount_point\": \"$dirs/kept\", \"inode\": null, \"path\": null, \"held\": 4, \"used\": 0, \"reserved\": 4,"
	says '"sum": {"held": 15, "used": 11, "reserved": 4, "nodes": [{"node": 0, '
	says '"busy": false'
	leave_files
	does users --json
	json "$out"
	says '"sum": {"held": 0,'
}

# Have it read standard input in place of a file of debugfs.
pretend()
{
	cat >"$work"/"$1"
	mount -o bind "$work"/"$1" "$debug/rhugefs/""$1" || fail "cannot mount over $1"
}

end_pretending()
{
	umount "$debug/rhugefs/""$1"
}

# What is hard to bring about, and names that somebody has chosen with care.
users_sample()
{
	printf '%s\n' "what mount inode used reserved node0 node1 mappers path" \
		"private 0:9999 11 0 0 0+0 0+0 163:a\\040b\\054c /he\\040ap" \
		"file 0:9999 12 5 11 5+11 0+0 157:qemu,159:ovs-vswitchd /q\"\\134$(printf '\001\377\303\244')" \
		"file 0:9999 13 1 0 1+0 0+0 - -" \
		"parked - - 1 0 0+0 1+0 - -" \
		"pool - - 7 11 6+11 1+0 - -" | pretend users
	does users
	equal "$(columns 2)" "16 5 11 file 0:9999:/q\"\\134?$(printf '\377\303\244') 157:qemu,159:ovs-vswitchd"
	says "0:9999: #13 "
	says "163:a\\040b\\054c"
	equal "$(tail -n 1 "$out" | awk '{ print $1, $2, $3, $4, $5 }')" "18 7 11 6+11 1+0"
	does users --json
	json "$out"
	says "\"path\": \"/q\\\"\\\\\\u0001\\ufffd$(printf '\303\244')\", \"held\": 16,"
	says '"processes": [{"pid": 157, "name": "qemu"}, {"pid": 159, "name": "ovs-vswitchd"}]'
	says '"processes": [{"pid": 163, "name": "a b,c"}]'
	says '"what": "parked", "mount": null, "mount_point": null, "inode": null, "path": null, "held": 1,'
	end_pretending users
}

users_busy()
{
	printf '%s\n' "what mount inode used reserved node0 node1 mappers path" \
		"pool - - 2 0 2+0 0+0 - -" \
		"busy: pages were moving, the sum may differ" | pretend users
	adm users
	equal "$status" 0
	complains "the sum may differ"
	equal "$(wc -l <"$out")" 2
	does users --json
	json "$out"
	says '"busy": true'
	end_pretending users
}

# --- mounts ------------------------------------------------------------------

# The line of a mount point: size used free min_size user_size nr_inodes.
mount_line()
{
	grep -F -e " $1  " "$out" | awk '{ print $1, $2, $3, $4, $5, $6 }'
}

mounts()
{
	mkdir "$dirs/a b"
	mount -t rhugefs -o size=40M,min_size=8M,user_size=12M,nr_inodes=9,nodes=0-1,mode=700,fork_reserve \
		none "$dirs/a b" || fail "no second mount"
	make_file "$dirs/a b/file" 3
	does mounts
	equal "$(mount_line "$dirs/a b")" "20 3 17 4 6 9"
	says "$dirs/a b  mode=0700,uid=0,gid=0,size=40M,fork_reserve,nodes=0-1"
	equal "$(mount_line "$RHUGEFS_MNT")" "128 4 124 - - -"
	equal "$(wc -l <"$out")" 3
	umount "$dirs/a b"
	rmdir "$dirs/a b"
}

mounts_hidden()
{
	mkdir "$dirs/hidden"
	mount -t rhugefs none "$dirs/hidden"
	mount -t tmpfs none "$dirs/hidden"
	does mounts
	equal "$(mount_line "$dirs/hidden")" "- - - - - -"
	refused 1 "no rhugefs is mounted on $dirs/hidden" umount "$dirs/hidden"
	umount "$dirs/hidden"
	does mounts
	equal "$(mount_line "$dirs/hidden")" "128 0 128 - - -"
	umount "$dirs/hidden"
	rmdir "$dirs/hidden"
}

mount_default()
{
	does mount "$dirs/new"
	equal "$(cat "$out")" "$dirs/new: rhugefs of 128 huge pages, 128 free"
	equal "$(stat -c '%a %u:%g' "$dirs/new")" "770 0:0"
	grep -q "^[^ ]* $dirs/new rhugefs rw,nosuid,nodev," /proc/mounts || fail "without nosuid or nodev"
	make_file "$dirs/new/file" 1
	does umount "$dirs/new"
	[ -d "$dirs/new" ] || fail "the directory is gone"
	! grep -q " $dirs/new " /proc/mounts || fail "it is still mounted"
	rmdir "$dirs/new"
}

mount_options()
{
	cd "$dirs" || exit 1
	does mount "with space" mode=1777,gid=5,size=8M,user_size=50%
	equal "$(cat "$out")" "$dirs/with space: rhugefs of 4 huge pages, 4 free"
	equal "$(stat -c '%a %u:%g' "with space")" "1777 0:5"
	does mounts
	equal "$(mount_line "$dirs/with space")" "4 0 4 - 64 -"
	ln -s "with space" link
	does umount link
	equal "$(cat "$out")" "$dirs/with space: unmounted"
	rm link
	rmdir "with space"
}

mount_refused()
{
	refused 2 "where?" mount
	refused 2 "'c' is too much" mount a b c
	refused 2 "begins with a dash" mount -o size=4M
	refused 1 "make the one that it is to be in" mount "$dirs/none/new"
	touch "$dirs/file"
	refused 1 "'$dirs/file' cannot be entered" mount "$dirs/file"
	rm "$dirs/file"
	refused 1 "Unknown parameter 'foo'" mount "$dirs/new" foo
	refused 1 "size=1M is less than one huge page" mount "$dirs/new" size=1M
	refused 1 "the pool cannot keep 500 huge pages" mount "$dirs/new" min_size=1000M
	mkdir "$dirs/new"
	refused 1 "mode=9" mount "$dirs/new" mode=9
	rmdir "$dirs/new"
	refused 1 "$RHUGEFS_MNT has a rhugefs already" mount "$RHUGEFS_MNT"
}

umount_refused()
{
	refused 2 "what?" umount
	refused 2 "'b' is too much" umount a b
	refused 1 "'$dirs/none' cannot be entered" umount "$dirs/none"
	refused 1 "no rhugefs is mounted on $dirs:" umount "$dirs"
	make_file "$RHUGEFS_MNT/open" 1
	exec 3<"$RHUGEFS_MNT/open"
	refused 1 "$RHUGEFS_MNT is busy" umount "$RHUGEFS_MNT"
	exec 3<&-
	rm "$RHUGEFS_MNT/open"
}

# --- the rest ----------------------------------------------------------------

check_says()
{
	does check
	equal "$(cat "$out")" ok
	printf 'node 0: nr 3, and there are 4\npool: surplus 1\n' | pretend selfcheck
	adm check
	equal "$status" 1
	complains "which is a bug"
	equal "$(cat "$out")" "$(cat "$work/selfcheck")"
	end_pretending selfcheck
	echo "busy: the pool did not come to rest" | pretend selfcheck
	adm check
	equal "$status" 1
	complains "check again"
	end_pretending selfcheck
}

without_debugfs()
{
	umount "$debug" || fail "debugfs is busy"
	refused 1 "debugfs is not mounted: mount -t debugfs" users
	refused 1 "debugfs is not mounted: mount -t debugfs" users --json
	refused 1 "debugfs is not mounted: mount -t debugfs" check
	mkdir "$work/debug"
	mount -t debugfs none "$work/debug"
	does check
	umount "$work/debug"
	mount -t debugfs none "$debug"
}

# As refused(), by somebody else.
refused_to_user()
{
	state >"$work/before"
	su nobody -c "rhugeadm $2" >"$out" 2>"$err"
	equal $? 1
	complains "only root may $1"
	state >"$work/after"
	cmp -s "$work/before" "$work/after" || fail "rhugeadm $2 has changed something"
}

without_root()
{
	echo "nobody:x:65534:65534::/:/bin/sh" >/etc/passwd
	refused_to_user "change the pool" "pool set 5"
	refused_to_user "look into debugfs" "users"
	refused_to_user "look into debugfs" "check"
	refused_to_user "mount" "mount $dirs/new"
	refused_to_user "unmount" "umount $RHUGEFS_MNT"
	su nobody -c "rhugeadm pool --json" >"$out" || fail "the pool is no secret"
	json "$out"
	su nobody -c "rhugeadm mounts" >"$out" || fail "mounts are no secret"
	equal "$(mount_line "$RHUGEFS_MNT")" "128 0 128 - - -"
	rm /etc/passwd
}

help_says()
{
	does help
	for name in pool users mounts mount umount check; do
		says "  $name "
	done
	for name in pool users mounts mount umount check; do
		does help "$name"
		equal "$(sed -n 1p "$out" | cut -d ' ' -f 1,2)" "rhugeadm $name"
	done
	does --help
	says "usage: rhugeadm COMMAND"
}

wrong_usage()
{
	refused 2 "say what to do"
	refused 2 "there is no command 'pol'" pol
	refused 2 "there is no command 'pol'" help pol
	refused 2 "'--jason' is unknown" pool --jason
	refused 2 "'--jason' is unknown" users --jason
	refused 2 "'more' is too much" users --json more
	refused 2 "'more' is too much" pool --json more
	refused 2 "'--json' is too much" mounts --json
	refused 2 "'more' is too much" check more
	refused 2 "no command 'a?b'" "a$(printf '\033')b"
}

at_rest()
{
	equal "$(count nr) $(count free) $(count resv) $(count surplus)" "128 128 0 0"
	equal "$(cat "$debug/rhugefs/selfcheck")" ok
	does check
}

# Says why before anything is loaded; then the module is as init had loaded it.
not_loaded()
{
	for command in pool "pool --json" "pool set 1" users check "mount $dirs/new"; do
		# shellcheck disable=SC2086 # words on purpose
		refused 1 "the module rhugefs is not loaded: modprobe rhugefs" $command
	done
	refused 1 "no rhugefs is mounted on $RHUGEFS_MNT" umount "$RHUGEFS_MNT"
	does mounts
	equal "$(wc -l <"$out")" 1
}

# --- all of them -------------------------------------------------------------

nr=0 failed=0

# What a case that failed has left is not to fail others.
tidy()
{
	for dir in "$dirs"/* "$debug/rhugefs/users" "$debug/rhugefs/selfcheck"; do
		umount "$dir" 2>/dev/null
	done
	rm -rf "${dirs:?}"/* "${RHUGEFS_MNT:?}"/*
}

run()
{
	nr=$((nr + 1))
	if ($1); then
		echo "ok $nr $1"
	else
		echo "not ok $nr $1"
		failed=1
		tidy
	fi
}

mkdir -p $dirs
cd / || exit 1
umount "$RHUGEFS_MNT" && rmmod rhugefs || exit 1
run not_loaded
insmod "$RHUGEFS_KO" nr_hugepages=0:64,1:64 || exit 1
mount -t rhugefs none "$RHUGEFS_MNT" || exit 1
for case in $cases; do
	run "$case"
done
echo "1..$nr"
rm -r $work
exit $failed
