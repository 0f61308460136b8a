#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The one place that knows the kernels to test under.
#
#   kernel.sh list           the kernels that a plain "make check" uses
#   kernel.sh show KERNEL    make KERNEL available and describe it, as lines for
#                            the shell to evaluate:
#     kernel_release  what uname -r will say
#     kernel_image    the image to boot
#     kernel_tree     the tree to build modules against
#     kernel_nodes    memory of the guest: see guest.sh -n
#     kernel_append   what it wants on its command line
#     kernel_slow     how many times longer than usual everything may take
#     kernel_gcov     not empty where the module is built to count its lines
#   kernel.sh source         make the parts of linux-source that the tests and
#                            checks use available, print where they are
#   kernel.sh headers PKG    install that headers package, print its release
#
# KERNEL is 6.1 or 6.12, Debian's cloud kernels, whose image is taken from the
# package and never installed; or 6.1-generic, its kernel for any machine, which unlike
# that for clouds handles memory errors; or debug or kcsan, which debug-kernel/build.sh
# builds from the source of Debian's 6.12.  The installed headers decide the version
# of image and source, so that a second run has nothing to ask the network.

. "$(dirname "$0")/lib.sh"

# The release that headers metapackage $1 stands for, and its package version.
release_of()
{
	dpkg-query -W -f '${Depends}' "$1" |
		sed -n 's/.*linux-headers-\([0-9][^ ,]*\).*/\1/p'
}

version_of()
{
	dpkg-query -W -f '${Version}' "$1"
}

# fetch_deb with one more chance: where the version that fits the headers has
# left the archive, bring the headers up to date and start over.
# $1: headers metapackage, $2: function that fetches what fits it
with_fresh_headers()
{
	"$2" "$1" && return
	[ "$(id -u)" = 0 ] && apt update >/dev/null 2>&1 &&
		apt_try install -y --no-install-recommends "$1" && "$2" "$1" && return
	die "cannot download what fits $1 $(version_of "$1"), is there a network? $(apt_complaint)"
}

image_dir()
{
	echo "$cache/linux-image-$(release_of "$1")_$(version_of "$1")"
}

fetch_image()
{
	fetch_deb "linux-image-$(release_of "$1")" "$(version_of "$1")" "$(image_dir "$1")"
}

show_debian()
{
	local series=$1 meta=$2 release

	need_packages "to build against Debian's $series kernel" "$meta" >&2
	release=$(release_of "$meta")
	case $release in
	"$series".*) ;;
	*) die "$meta stands for $release here, and not for a $series kernel" ;;
	esac
	with_fresh_headers "$meta" fetch_image
	release=$(release_of "$meta")
	cat <<-END
	kernel_release='$release'
	kernel_image='$(image_dir "$meta")/boot/vmlinuz-$release'
	kernel_tree='/usr/src/linux-headers-$release'
	kernel_nodes=512:0,512:1
	kernel_append=
	kernel_slow=1
	kernel_gcov=
	END
}

# Ends the script where it does not build, and fails where there is no source.
fetch_built()
{
	local status=0

	built=$("$top/scripts/debug-kernel/build.sh" "$flavour" "$(version_of "$1")") || status=$?
	[ "$status" != 3 ] || exit 3
	return "$status"
}

show_built()
{
	local flavour=$1 meta=linux-headers-6.12-cloud-amd64 built=

	need_packages "whose version the $flavour kernel takes" "$meta" >&2
	with_fresh_headers "$meta" fetch_built
	cat <<-END
	kernel_release='$(<"$built/release")'
	kernel_image='$built/image'
	kernel_tree='$built/tree'
	END
	# What the checking itself takes is not there for the tests.
	case $flavour in
	debug)
		cat <<-END
		kernel_nodes=896:0,896:1
		kernel_append='page_owner=on watchdog_thresh=30 workqueue.watchdog_thresh=120'
		kernel_slow=8
		kernel_gcov=1
		END
		;;
	kcsan)
		cat <<-END
		kernel_nodes=640:0,640:1
		kernel_append='watchdog_thresh=30 workqueue.watchdog_thresh=120'
		kernel_slow=8
		kernel_gcov=
		END
		;;
	esac
}

# What is taken from the 1.5 GB of linux-source: the kselftest harness, checkpatch,
# enough to build lib/maple_tree.c and its like in user space, and the kernel's own
# tests of huge pages.
source_parts=(
	Makefile COPYING
	arch/x86/include include lib
	mm/gup_test.h mm/vma.c mm/vma.h mm/vma_internal.h
	scripts/checkpatch.pl scripts/const_structs.checkpatch scripts/extract-vmlinux
	scripts/spelling.txt
	tools/arch/x86/include tools/build tools/include tools/lib tools/scripts
	tools/testing/radix-tree tools/testing/shared tools/testing/vma
	tools/testing/selftests/kselftest tools/testing/selftests/kselftest.h
	tools/testing/selftests/kselftest_harness.h
	tools/testing/selftests/lib.mk tools/testing/selftests/mm
)

# Who takes other parts needs another directory, as one that is there is complete.
source_dir()
{
	local parts

	parts=$(sha256sum <<<"${source_parts[*]}")
	echo "$cache/linux-source-6.12_$(version_of "$1")_${parts:0:12}"
}

unpack_source()
{
	tar -xf usr/src/linux-source-6.12.tar.xz --strip-components=1 \
		"${source_parts[@]/#/linux-source-6.12/}" &&
		rm -r usr/share usr/src
}

fetch_source()
{
	fetch_deb linux-source-6.12 "$(version_of "$1")" "$(source_dir "$1")" unpack_source
}

show_source()
{
	local meta=linux-headers-6.12-cloud-amd64

	need_packages "to unpack kernel source that fits Debian's 6.12 kernel" \
		xz-utils "$meta" >&2
	with_fresh_headers "$meta" fetch_source
	source_dir "$meta"
}

case ${1:-} in
list)
	echo 6.1 6.12
	;;
show)
	case ${2:-} in
	6.1) show_debian 6.1 linux-headers-cloud-amd64 ;;
	6.1-generic) show_debian 6.1 linux-headers-amd64 ;;
	6.12) show_debian 6.12 linux-headers-6.12-cloud-amd64 ;;
	debug|kcsan) show_built "$2" ;;
	*) die "there is no kernel '${2:-}' to test under: choose one of $("$0" list) 6.1-generic debug kcsan" ;;
	esac
	;;
source)
	show_source
	;;
headers)
	need_packages "to build against it" "$2" >&2
	release_of "$2"
	;;
*)
	die "usage: kernel.sh list | show KERNEL | source | headers PACKAGE"
	;;
esac
