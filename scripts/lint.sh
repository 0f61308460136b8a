#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make lint: what can be found without running anything.
#
#   lint.sh [-q]        -q: leave the closing line to the caller
#
# The module must build for both kernels with W=1 and under sparse without a
# warning from its own files, checkpatch --strict must be content with the C
# sources (.checkpatch.conf lists what it is not asked about) and shellcheck with
# the scripts.  modpost sees to it that only exported symbols are used; here is
# looked for ways around it.

. "$(dirname "$0")/lib.sh"

# Build from nothing, as make would be silent about what it does not rebuild.
compile()
{
	use_kernel "$1"
	rm -rf "${build:?}/lint-$kernel_release"
	build_module_strictly "lint-$kernel_release" "$kernel_tree" C=2 CHECK="sparse"
}

selftests()
{
	mkdir -p "$build/lint-selftests"
	make -s -C "$top/selftests" KSRC="$1" OUTPUT="$build/lint-selftests" \
		USERCFLAGS=-Werror all
	mkdir -p "$build/lint-selftests/numa"
	make -s -C "$top/selftests/numa" -f ../Makefile KSRC="$1" \
		OUTPUT="$build/lint-selftests/numa" USERCFLAGS=-Werror all
	rm -rf "$build/lint-selftests/bench-program"
	make -s -C "$top/selftests/bench" OUTPUT="$build/lint-selftests/bench-program" \
		USERCFLAGS=-Werror
}

# In user space there are no macros, types and functions of the kernel to prefer, and volatile
# is how a test makes sure that a page is touched.
user_space=VOLATILE,STRCPY,BIT_MACRO,PREFER_DEFINED_ATTRIBUTE_MACRO,PREFER_KERNEL_TYPES

# A header of tracepoints is laid out as all of the kernel's are, not as other code.
trace_points=OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT

# What checkpatch prints counts: its exit status is not for all of its checks.
checkpatch()
{
	local perl=$1/scripts/checkpatch.pl output

	cd "$top"
	output=$(c_files module | grep -v /trace.h | xargs perl "$perl" -f 2>&1
		 perl "$perl" --ignore "$trace_points" -f module/trace.h 2>&1
		 c_files selftests scripts | xargs perl "$perl" --ignore "$user_space" -f 2>&1)
	[ -z "$output" ] || { echo "$output"; return 1; }
}

c_files()
{
	find "$@" -name '*.mod.c' -prune -o -name '*.[ch]' -print | sort
}

scripts()
{
	cd "$top"
	find . -path ./build -prune -o -path ./.git -prune -o -type f -print |
	while read -r f; do
		case $f in
		*.sh) echo "$f" ;;
		*) ! head -n 1 "$f" | grep -a -q -e '^#!.*sh$' -e '^# shellcheck' || echo "$f" ;;
		esac
	done | sort | xargs shellcheck -x
}

# A bug in a file system must not take the machine down.
no_bug_on()
{
	! grep -n -w -E '(VM_)?BUG(_ON)?(_PAGE|_FOLIO|_VMA|_MM)?' "$top"/module/*.[ch]
}

exported_only()
{
	! grep -n -w -E 'kallsyms_[a-z_]*|(un)?register_k(ret)?probes?|__symbol_get' \
		"$top"/module/*.[ch]
}

steps()
{
	for kernel in $("$top/scripts/kernel.sh" list); do
		step "W=1-sparse-$kernel" compile "$kernel"
	done
	step selftests-warnings selftests "$source"
	step checkpatch checkpatch "$source"
	step shellcheck scripts
	step no-bug-on no_bug_on
	step exported-only exported_only
	echo "@@done"
}

need_packages "to build the module" gcc libc6-dev make
need_packages "to look for mistakes" sparse shellcheck perl
source=$("$top/scripts/kernel.sh" source)
for kernel in $("$top/scripts/kernel.sh" list); do
	# Here rather than in a step, so that its complaints are seen.
	use_kernel "$kernel"
done

mkdir -p "$logs"
rm -f "$logs/lint.tally"
status=0
steps | tee "$logs/lint.talk" | "$top/scripts/tap.sh" lint "$logs/lint.tally" || status=1
[ "${1:-}" = -q ] || "$top/scripts/tally.sh" lint || status=1
exit $status
