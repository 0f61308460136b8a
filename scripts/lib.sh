#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the other scripts share; sourced, not run.  It sets $top (the clone),
# $build (what is made here) and $cache (what is downloaded and worth keeping
# between clones), and offers:
#
#   say TEXT               one line of progress
#   die TEXT               one line of complaint, and the end
#   need_debian            stop unless this is an amd64 machine with apt
#   need_packages WHY P... install those of the packages that are missing
#   need_memory MIB WHY    stop if less memory is available
#   guest_memory NODES     MiB that a guest with these nodes takes, see guest.sh
#   fetch_deb P V DIR      download and unpack a package without installing it
#   use_kernel KERNEL      set kernel_release and the like, see kernel.sh
#   kernel_module NAME DIR copy a module of that kernel's own to DIR, if it has it
#   build_module NAME TREE build a copy of the module in $build/NAME, quietly
#   build_module_strictly  the same, where warnings of W=1 in our files count
#   step NAME COMMAND...   run COMMAND as one test, told in the words of tap.sh
#
# Written for bash, because of "local", arrays and pipefail.

set -euo pipefail

# A command that fails without a word must not end a script without a word.  The
# status that die leaves says that the word was had.
trap '[ $? = 3 ] || echo "$me: line $LINENO failed: $BASH_COMMAND" >&2' ERR

# shellcheck disable=SC2034 # used by those who source this
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${RHUGEFS_BUILD:-$top/build}
logs=$build/log
cache=${RHUGEFS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/rhugefs}

# Where the running program of this project says who speaks.
me=$(basename "$0" .sh)

# Nothing here is to be read in another language by our own parsers.
export LC_ALL=C

# A make that calls these scripts must not hand its flags to the makes they run.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "$me" "$*" >&2
	exit 3
}

need_debian()
{
	command -v apt-get >/dev/null && command -v dpkg >/dev/null ||
		die "this needs Debian 12: there is no apt-get here"
	[ "$(dpkg --print-architecture)" = amd64 ] ||
		die "this needs an amd64 machine, and this one is $(dpkg --print-architecture)"
}

installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

apt()
{
	local sandbox=()

	# As root apt drops to a user who cannot enter root's cache directory.
	[ "$(id -u)" != 0 ] || sandbox=(-o APT::Sandbox::User=root)
	# apt waits for others who install, but not for those who fetch lists.
	DEBIAN_FRONTEND=noninteractive flock /var/lib/apt apt-get -qq \
		-o Acquire::Retries=3 -o Acquire::http::Timeout=30 \
		-o DPkg::Lock::Timeout=300 "${sandbox[@]}" "$@" </dev/null
}

# Run "apt ARGS", if need be a second time with fresh package lists: a machine
# that was never updated knows no package, a stale one asks for gone versions.
apt_try()
{
	local log=$logs/apt.log

	mkdir -p "$logs"
	: >"$log"
	apt "$@" >>"$log" 2>&1 && return
	if [ "$(id -u)" = 0 ]; then
		apt update >>"$log" 2>&1 || true
		apt "$@" >>"$log" 2>&1 && return
	fi
	return 1
}

apt_complaint()
{
	grep '^E: ' "$logs/apt.log" | tail -n 1 || true
}

need_packages()
{
	local why=$1 missing=() p
	shift

	need_debian
	for p; do
		installed "$p" || missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] ||
		die "root is needed to install ${missing[*]} ($why)"
	say "installing ${missing[*]} ($why)"
	apt_try install -y --no-install-recommends "${missing[@]}" ||
		die "cannot install ${missing[*]}, is there a network? $(apt_complaint)"
}

memory_available()
{
	echo $(($(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1024))
}

guest_memory()
{
	local node sum=300

	for node in ${1//,/ }; do
		node=${node%%:*}
		sum=$((sum + ${node:-0}))
	done
	echo $sum
}

need_memory()
{
	local want=$1 why=$2 have

	have=$(memory_available)
	[ "$have" -ge "$want" ] ||
		die "$why needs $want MiB of memory, and $have MiB are available"
}

# Unpack version $2 of package $1 as directory $3.  The directory appears
# complete or not at all, so that its existence is the whole cache protocol.
# Further arguments are run in the unpacked tree before it counts as complete.
fetch_deb()
{
	local package=$1 version=$2 dir=$3 tmp
	shift 3

	[ ! -d "$dir" ] || return 0
	need_debian
	mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] ||
		die "cannot write to the cache directory $cache"
	tmp=$(mktemp -d "$cache/.tmp.XXXXXX")
	say "downloading $package $version" >&2
	if ! (cd "$tmp" && apt_try download "$package=$version"); then
		rm -rf "$tmp"
		return 1
	fi
	# Spelled out, as errexit is off in a function that somebody tests.
	if ! { mkdir "$tmp/tree" && dpkg -x "$tmp"/*.deb "$tmp/tree" &&
	       { [ $# -eq 0 ] || (cd "$tmp/tree" && "$@"); }; }; then
		rm -rf "$tmp"
		die "cannot unpack $package $version in $cache, is the disk full?"
	fi
	# Somebody else may have been faster: theirs is as good.
	mv -T "$tmp/tree" "$dir" 2>/dev/null || [ -d "$dir" ]
	rm -rf "$tmp"
}

# What kernel.sh says of a kernel.
# shellcheck disable=SC2034
kernel_release='' kernel_image='' kernel_tree='' kernel_nodes='' kernel_append=''
# shellcheck disable=SC2034
kernel_slow=1 kernel_gcov=

use_kernel()
{
	local description

	description=$("$top/scripts/kernel.sh" show "$1") || exit 3
	eval "$description"
}

# The test kernels are built from copies, so that they collide neither with each
# other nor with the build for the running kernel.  Only what differs is copied,
# and kbuild then rebuilds only that.
mirror_module()
{
	local dir=$1 f

	mkdir -p "$dir/module"
	(cd "$top" && find Kbuild module -name '*.mod.c' -prune -o \
		'(' -name '*.[chS]' -o -name Kbuild ')' -print) |
	while read -r f; do
		mkdir -p "$dir/$(dirname "$f")"
		cmp -s "$top/$f" "$dir/$f" || cp "$top/$f" "$dir/$f"
	done
	(cd "$dir" && find module -name '*.[chS]') |
	while read -r f; do
		# kbuild makes *.mod.c itself
		[ -e "$top/$f" ] || [ "${f%.mod.c}" != "$f" ] || rm "$dir/$f"
	done
}

# Build the module for the kernel tree $2 in $build/$1.  Further arguments go
# to make.
kernel_module()
{
	local dir module

	dir=$(dirname "$(dirname "$kernel_image")")/lib/modules/$kernel_release
	[ -d "$dir" ] || return 0
	module=$(find "$dir" -name "$1.ko*" | head -n 1)
	case $module in
	*.xz) xz -dc "$module" >"$2/$1.ko" ;;
	*.ko) cp "$module" "$2/$1.ko" ;;
	esac
}

build_module()
{
	local tree=$2 dir=$build/$1 log=$logs/build-$1.log
	shift 2

	[ -e "$top/Kbuild" ] || die "there is no module to build yet: $top/Kbuild is missing"
	mkdir -p "$logs"
	mirror_module "$dir"
	make -C "$tree" M="$dir" -j"$(nproc)" "$@" modules >"$log" 2>&1
}

# Kernel headers warn too, with W=1: only what names our copy is our affair.
build_module_strictly()
{
	local log=$logs/build-$1.log

	if ! build_module "$@" W=1; then
		cat "$log"
		return 1
	fi
	! grep -E -A 5 -e "^$build/$1/.*(warning|error):" -e "^WARNING: modpost" "$log"
}

step()
{
	local name=$1 status=0 start
	shift

	echo "@@begin $name"
	start=$(date +%s.%N)
	"$@" 2>&1 || status=$?
	echo "@@end $name $status $start $(date +%s.%N)"
	echo "@@after $name -"
}
