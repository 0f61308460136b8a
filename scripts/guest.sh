#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Boot a kernel and an initramfs in QEMU and wait for its end.
#
#   guest.sh [OPTIONS] IMAGE INITRAMFS
#     -n NODES   the NUMA nodes, each MIB:CPUS; default 512:0,512:1.  CPUS is one
#                processor or a range of them.  A node without MIB or with 0 has no
#                memory, one without CPUS no processor
#     -d DISTS   how far apart nodes are, each A-B:DISTANCE, both ways; all pairs or
#                none of them
#     -p MIB     a memory module that is plugged into the last node, and offline
#     -a ARGS    more for the kernel's command line
#     -l PREFIX  log files are PREFIX.console and PREFIX.talk
#     -t SECS    how long the guest may take in all
#     -o FILE    a disk of 64 MiB that the guest finds as /dev/vda, if it has
#                virtio, to hand something out
#     -c         count instructions: the guest's clock is how many it has executed, one
#                a nanosecond, and goes on at once where it has nothing to do
#     -s MIB     as much of its memory is expected to be touched, and the rest is had
#                only by number
#     -x PLUGIN  a plugin for the emulator, FILE[,ARG=VALUE...]
#     -i         interactive: the guest talks with the terminal
#
# The guest has two serial ports.  On the first it talks: test results, a demo's
# story, a shell; that is copied to standard output.  The second is the console
# and takes the kernel's log, so that neither garbles the other.
#
# TCG is used, as /dev/kvm may be there and no guest boot on it; KVM=1 in the
# environment asks for KVM nevertheless.  QEMU 7.2 with multi-threaded TCG now
# and then trips over the kernel's text patching early in the boot: a guest that
# has not reached its init is booted again, twice at most, and this says so.
# From its init on nothing is repeated.
#
# TCG shows the host's time stamp counter to the guest.  The kernel would measure its
# frequency by timers, and on a busy host come to some other, by which its clock
# would go up to ten times too fast.  So it is measured here, and told.

. "$(dirname "$0")/lib.sh"

nodes=512:0,512:1 distances='' plugged='' append='' prefix=$logs/guest limit=600 disk='' interactive=
count='' touched='' plugin=''
while getopts n:d:p:a:l:t:o:cs:x:i option; do
	case $option in
	n) nodes=$OPTARG ;;
	d) distances=$OPTARG ;;
	p) plugged=$OPTARG ;;
	a) append=$OPTARG ;;
	l) prefix=$OPTARG ;;
	t) limit=$OPTARG ;;
	o) disk=$OPTARG ;;
	c) count=1 ;;
	s) touched=$OPTARG ;;
	x) plugin=$OPTARG ;;
	i) interactive=1 ;;
	*) die "unknown option: see the top of $0" ;;
	esac
done
shift $((OPTIND - 1))
[ $# = 2 ] || die "usage: guest.sh [OPTIONS] IMAGE INITRAMFS"
image=$1 initramfs=$2

need_packages "to boot test guests" qemu-system-x86
mkdir -p "$(dirname "$prefix")"

# -smp with as many sockets as processors, else the kernel warns of processors
# that share a cache across nodes.
machine=() total=0 cpus=0 id=0
IFS=, read -r -a list <<<"$nodes"
for node in "${list[@]}"; do
	mib=${node%%:*} on=${node#"$mib"} on=${on#:} mib=${mib:-0} memory=
	if [ "$mib" != 0 ]; then
		machine+=(-object "memory-backend-ram,id=mem$id,size=${mib}M${touched:+,reserve=off}")
		memory=,memdev=mem$id
	fi
	machine+=(-numa "node,nodeid=$id$memory${on:+,cpus=$on}")
	total=$((total + mib))
	if [ -n "$on" ] && [ "${on##*-}" -ge "$cpus" ]; then
		cpus=$((${on##*-} + 1))
	fi
	id=$((id + 1))
done
memory=$total
if [ -n "$plugged" ]; then
	memory=$total,slots=1,maxmem=$((total + plugged))M
	machine+=(-object "memory-backend-ram,id=plugged,size=${plugged}M"
		  -device "pc-dimm,memdev=plugged,node=$((id - 1))")
	append+=" memhp_default_state=offline"
fi
for distance in ${distances//,/ }; do
	pair=${distance%:*}
	machine+=(-numa "dist,src=${pair%-*},dst=${pair#*-},val=${distance#*:}")
done
need_memory "$(guest_memory "${touched:-$nodes}")" "the test guest"

tsc_khz()
{
	local program

	need_packages "to measure the processor's clock" gcc libc6-dev >&2
	program=$(mktemp "$build/.tsc-khz.XXXXXX")
	gcc -O2 -o "$program" "$top/scripts/tsc-khz.c"
	"$program"
	rm "$program"
}

if [ -n "$count" ]; then
	machine+=(-accel "tcg,thread=single,tb-size=128" -icount "shift=0,sleep=off" -cpu max)
	append+=" tsc_early_khz=1000000"
elif [ -n "${KVM:-}" ]; then
	machine+=(-accel kvm -cpu host)
else
	machine+=(-accel "tcg,thread=multi,tb-size=128" -cpu max)
	append+=" tsc_early_khz=$(tsc_khz)"
fi
if [ -n "$interactive" ]; then
	machine+=(-serial mon:stdio)
else
	machine+=(-serial stdio)
fi

[ -z "$plugin" ] || machine+=(-plugin "$plugin")

if [ -n "$disk" ]; then
	rm -f "$disk"
	truncate -s 64M "$disk"
	machine+=(-drive "if=none,id=out,format=raw,file=$disk"
		  -device "virtio-blk-pci,drive=out")
fi

# An oops ends the guest at once: what ran after it would prove nothing.
cmdline="console=ttyS1,115200 loglevel=7 ignore_loglevel panic=-1 oops=panic"
cmdline+=" tsc=reliable no_timer_check cryptomgr.notests=1 rdinit=/init GUEST_CPUS=$cpus $append"

command=(qemu-system-x86_64 -name rhugefs -nodefaults -no-user-config -no-reboot
	 -display none -m "$memory" -smp "$cpus,sockets=$cpus" "${machine[@]}"
	 -serial "file:$prefix.console"
	 -kernel "$image" -initrd "$initramfs" -append "$cmdline")

if [ -n "$interactive" ]; then
	exec "${command[@]}"
fi

guest=
trap '[ -z "$guest" ] || kill "$guest" 2>/dev/null' EXIT
trap 'exit 1' INT TERM

# In the background, so that whoever ends this script ends the guest too.
boot()
{
	local out copier status=0

	exec {out}> >(tee "$prefix.talk")
	copier=$!
	timeout --foreground -k 10 "$limit" "${command[@]}" </dev/null >&"$out" 2>&1 &
	guest=$!
	wait "$guest" || status=$?
	guest=
	exec {out}>&-
	wait "$copier"
	return $status
}

for try in 1 2 3; do
	rm -f "$prefix.console"
	status=0
	boot || status=$?
	if grep -q '^@@init' "$prefix.talk"; then
		break
	elif [ "$status" = 124 ] || [ $try = 3 ]; then
		die "the guest did not reach its init: see $prefix.console"
	fi
	cp "$prefix.console" "$prefix.console.$try"
	say "# the guest died before its init, booting again: see $prefix.console.$try"
done
[ "$status" != 124 ] || die "the guest was ended after $limit seconds"
exit "$status"
