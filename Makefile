# SPDX-License-Identifier: GPL-2.0-only
#
# Everything a person asks of this tree.  The module itself is kbuild's affair
# (Kbuild and module/Kbuild); what concerns packages, test kernels and guests is
# in scripts/.  "make help" lists the targets.

KDIR ?= /lib/modules/$(shell uname -r)/build

# Where KDIR does not suit, Kbuild says so in one line.  It is read here too, as
# kbuild adds lines of its own when it comes to that error itself.
ifneq ($(filter all modules modules_install,$(or $(MAKECMDGOALS),all)),)
ifeq ($(wildcard $(KDIR)/Makefile),)
$(error no kernel build tree at $(KDIR): install linux-headers-$(shell uname -r), or give KDIR=)
endif
-include $(KDIR)/include/config/auto.conf
KERNELRELEASE := $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null)
VERSION := $(word 1,$(subst ., ,$(KERNELRELEASE)))
PATCHLEVEL := $(word 2,$(subst ., ,$(subst -, ,$(KERNELRELEASE))))
include Kbuild
# They are for Kbuild alone and not for the kernel's make below.
unexport VERSION PATCHLEVEL KERNELRELEASE
endif

all: modules

modules modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) $@

clean:
	$(RM) -r build
	$(RM) modules.order Module.symvers .module-common.o .*.cmd
	$(RM) $(foreach x,*.o *.ko *.mod *.mod.c *.order .*.cmd .*.d *.gcno,module/$(x))

# --- tests: see the scripts, each says at its top what it does ----------------

check:
	@T='$(T)' K='$(K)' SEED='$(SEED)' LOADS='$(LOADS)' scripts/check.sh

coverage:
	@SEED='$(SEED)' scripts/coverage.sh

sweep:
	@T='$(or $(T),inject sweep sweep_load sweep_map sweep_names sweep_pool sweep_private sweep_write)' K=debug SEED='$(SEED)' \
		SWEEP='$(or $(SWEEP),all)' scripts/check.sh

check-all:
	@T= K= SEED='$(SEED)' scripts/check-all.sh

clients:
	@T='$(T)' K='$(K)' scripts/clients.sh

topologies:
	@TOPOLOGY='$(TOPOLOGY)' K='$(K)' ROUNDS='$(ROUNDS)' SEED='$(SEED)' scripts/topologies.sh

soak:
	@T='$(T)' MINUTES='$(MINUTES)' K='$(K)' SEED='$(SEED)' WORKERS='$(WORKERS)' scripts/soak.sh

bench:
	@T='$(T)' K='$(K)' SAMPLES='$(SAMPLES)' scripts/bench.sh

profile:
	@T='$(T)' K='$(K)' SAMPLES='$(SAMPLES)' STORES='$(STORES)' THP='$(THP)' LINES='$(LINES)' \
		NODES='$(NODES)' scripts/profile.sh

fuzz:
	@MINUTES='$(MINUTES)' T='$(T)' KEEP='$(KEEP)' scripts/fuzz.sh

fragment:
	@K='$(K)' scripts/fragment.sh

demo:
	@scripts/demo.sh

vm:
	@K='$(K)' scripts/vm.sh

lint:
	@scripts/lint.sh

help:
	@echo 'The module:'
	@echo '  make                  build module/rhugefs.ko for the running kernel'
	@echo '  make modules_install  install it (then: depmod)'
	@echo '  make clean            remove all that was built here'
	@echo '    KDIR=DIR            another kernel build tree than the running one'
	@echo
	@echo 'On Debian 12; these install what they lack, as root:'
	@echo '  make demo             load, map, touch, fork, truncate, unlink in a guest,'
	@echo '                        with the pool shown before and after each step'
	@echo '  make check            unit tests, then selftests in a guest per kernel'
	@echo '    T=NAME              only this test'
	@echo '    K=6.1 | K=6.12      only under this kernel'
	@echo '    K=debug             under one that checks memory, locks and page tables,'
	@echo '                        built once, in 5 to 10 minutes'
	@echo '    K=kcsan             under one that looks for data races, likewise'
	@echo '    SEED=N              repeat what a random test did'
	@echo '    T=load LOADS=N      load and unload N times in a row, instead of 20'
	@echo '  make check-all        make check, and all that takes longer'
	@echo '  make clients          programs that were not written for us, in a guest'
	@echo '    T=CLIENT K=KERNEL   only this one, only under this kernel'
	@echo '  make topologies       policies and promises in guests with one to eight nodes,'
	@echo '                        some without memory or processor, beside hugetlbfs'
	@echo '    TOPOLOGY=NAME       only this one'
	@echo '    ROUNDS=N SEED=N     how many rounds, and which'
	@echo '  make soak             processes and threads that do everything to a few files, by'
	@echo '                        chance, under 6.1 and then 6.12'
	@echo '    T=calls             an unprivileged user with system calls by chance instead'
	@echo '    MINUTES=N           how long under each, instead of 10'
	@echo '    K=KERNEL            only under this one, K=debug included'
	@echo '    SEED=N WORKERS=1    repeat it; with one worker to the last step'
	@echo '  make bench            what huge pages cost, in instructions and by the clock,'
	@echo '                        beside hugetlbfs, tmpfs and anonymous memory'
	@echo '    T=CASE K=KERNEL     only this case, only under this kernel; T=list lists them'
	@echo '    SAMPLES=N           of each case'
	@echo '  make profile T=CASE   instructions of a case of the benchmark, by function'
	@echo '    K=KERNEL THP=WORD   default 6.12, and as the kernel has it'
	@echo '    STORES=1            what memory two processors both write to, in place of that'
	@echo '  make coverage         the lines of module/ that no test of K=debug reaches'
	@echo '  make sweep            let every allocation of every scenario fail, one by one;'
	@echo '                        make check K=debug does some, by the seed'
	@echo '    SWEEP=SCENARIO[:N]  only those of this scenario, or its Nth'
	@echo '  make fuzz             look for inputs that parsers, maps and subpools do not stand'
	@echo '    MINUTES=N           for each target; default 1'
	@echo '    T=TARGET            only this one'
	@echo '    KEEP=1              leave in the tree what is worth keeping of what was found'
	@echo '  make fragment         let the pool grow from fragmented memory, and tell what'
	@echo '                        share of it could be had'
	@echo '  make vm [K=KERNEL]    a shell in the guest, file system mounted'
	@echo '  make lint             warnings, sparse, checkpatch, shellcheck'
	@echo '    KVM=1               let guests use /dev/kvm'
	@echo '    RHUGEFS_CACHE=DIR   where downloads are kept; default ~/.cache/rhugefs'

.PHONY: all modules modules_install clean check coverage sweep check-all clients topologies bench profile fuzz soak fragment demo vm lint help
