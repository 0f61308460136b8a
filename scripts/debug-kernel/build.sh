#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Build a kernel that looks for mistakes, unless the cache has it, and print the
# directory where it is:
#
#   build.sh debug|kcsan VERSION
#
#   DIR/image     what to boot
#   DIR/tree      the tree to build modules against
#   DIR/release   what uname -r will say
#   DIR/config    its configuration
#
# VERSION is one of the package linux-source-6.12.  Fails with 1, and no word,
# where apt does not have it.
#
# debug.config is the configuration, NAME.config what NAME has instead.  The
# directory's name has a hash of both, so that a change of either is a new kernel.
# It appears complete or not at all.  The source, and what the build leaves, take
# 2 GB beside it meanwhile.

. "$(dirname "$0")/../lib.sh"

[ $# = 2 ] || die "usage: build.sh debug|kcsan VERSION"
flavour=$1 version=$2
here=$top/scripts/debug-kernel
[ -e "$here/$flavour.config" ] || die "there is no $here/$flavour.config"

# --- what to build ------------------------------------------------------------

# The settings of fragments on stdin: the last word on each symbol, sorted.
settings()
{
	awk '/^CONFIG_/ { name = $0; sub(/=.*/, "", name); last[name] = $0 }
	     /^# CONFIG_.* is not set$/ { last[$2] = $0 }
	     END { for (name in last) print last[name] }' | sort
}

wanted()
{
	if [ "$flavour" = debug ]; then
		cat "$here/debug.config"
	else
		cat "$here/debug.config" "$here/$flavour.config"
	fi | settings
}

hash=$({ wanted; gcc -dumpfullversion; } | sha256sum)
dir=$cache/linux-${flavour}_${version}_${hash:0:12}
if [ -d "$dir" ]; then
	echo "$dir"
	exit
fi

# --- building -----------------------------------------------------------------

# Not needed for this, and much to write to a disk.  The Kconfig files are.
skipped=(
	'*/Documentation/*/*'
	'*/arch/[!x]*/*.[chS]'
	'*/boot/dts/*'
	'*/drivers/gpu/drm/*.[ch]'
	'*/drivers/net/*.[ch]'
	'*/sound/*.[ch]'
	'*/tools/perf/*'
	'*/tools/testing/*'
)

unpack()
{
	mkdir "$work/source" "$work/objects" "$work/result"
	tar -xf "$work/package/usr/src/linux-source-6.12.tar.xz" -C "$work/source" \
		--strip-components=1 "${skipped[@]/#/--exclude=}"
	rm -r "$work/package"
}

# KCSAN_SANITIZE is what Makefiles set for files whose accesses are not watched.
kbuild()
{
	make -C "$work/source" O="$work/objects" -j"$(nproc)" KCSAN_SANITIZE=n "$@"
}

# A setting that this kernel does not know, or cannot have beside others, would be
# dropped silently.
configure()
{
	local setting name missed=

	wanted >"$work/wanted"
	kbuild KCONFIG_ALLCONFIG="$work/wanted" allnoconfig
	settings <"$work/objects/.config" >"$work/got"
	while read -r setting; do
		name=${setting#\# } name=${name%%[ =]*}
		# "is not set" is also said by saying nothing.
		if [ "${setting#\#}" = "$setting" ] || grep -q "^$name=" "$work/got"; then
			missed+=" $setting"
		fi
	done < <(comm -23 "$work/wanted" "$work/got")
	[ -z "$missed" ] || { echo "not to be had:$missed"; return 1; }
}

# What is kept; the rest of the objects and the source go.
keep()
{
	local result=$work/result

	cp "$work/objects/arch/x86/boot/bzImage" "$result/image"
	cp "$work/objects/.config" "$result/config"
	cp "$work/objects/include/config/kernel.release" "$result/release"
	(cd "$work/objects" &&
	 srctree=$work/source SRCARCH=x86 CC=gcc HOSTCC=gcc MAKE=make \
		sh "$work/source/scripts/package/install-extmod-build" "$result/tree")
}

build()
{
	set -e
	unpack
	configure
	kbuild bzImage modules
	keep
}

need_packages "to build the $flavour kernel" gcc libc6-dev make xz-utils flex bison \
	bc libelf-dev lz4 >&2
mkdir -p "$cache" "$logs"
[ "$(df --output=avail -m "$cache" | tail -n 1)" -ge 3000 ] ||
	die "to build the $flavour kernel 3 GB of disk are needed in $cache"

# Who comes second waits, and finds it done.
exec {lock}>"$dir.lock"
flock "$lock"
if [ -d "$dir" ]; then
	echo "$dir"
	exit
fi

log=$logs/build-$flavour-kernel.log
work=$dir.tmp
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
rm -rf "$work"
mkdir "$work"
fetch_deb linux-source-6.12 "$version" "$work/package" || exit 1

say "building the $flavour kernel, once; 5 to 10 minutes on two cores, log: $log" >&2
# In a process of its own, as errexit is off in what "if" and "||" look at.
build </dev/null >"$log" 2>&1 {lock}>&- &
# A line now and then, as minutes without a word look like a hang.
seconds=0
while kill -0 $! 2>/dev/null; do
	sleep 1
	seconds=$((seconds + 1))
	[ $((seconds % 120)) != 0 ] ||
		say "  after $((seconds / 60)) minutes: $(grep -c '^  CC ' "$log") files of some 1300" >&2
done
if ! wait $!; then
	tail -n 15 "$log" >&2
	die "the $flavour kernel does not build, see $log"
fi
mv -T "$work/result" "$dir"
echo "$dir"
