/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: what becomes of promises and pages, as rhugefs:* in tracefs.
 * Documentation/tracing.rst says what their fields mean. All counts are of huge
 * pages.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM rhugefs

#if !defined(RHUGEFS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define RHUGEFS_TRACE_H

#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/tracepoint.h>

#include "private.h"
#include "reserve.h"

#ifndef RHUGEFS_TRACE_ENUMS
#define RHUGEFS_TRACE_ENUMS

/**
 * enum trace_fault - what became of a page fault
 * @FAULT_MAPPED: the page is there, or will be when the access comes again
 * @FAULT_RETRY: somebody is waited for, and mmap_lock was dropped
 * @FAULT_SIGBUS: there is no page
 * @FAULT_OOM: memory is short
 * @FAULT_HWPOISON: the page has a memory error
 */
enum trace_fault {
	FAULT_MAPPED,
	FAULT_RETRY,
	FAULT_SIGBUS,
	FAULT_OOM,
	FAULT_HWPOISON,
};

static inline enum trace_fault trace_fault_result(vm_fault_t ret)
{
	if (ret & VM_FAULT_SIGBUS)
		return FAULT_SIGBUS;
	if (ret & VM_FAULT_OOM)
		return FAULT_OOM;
	if (ret & VM_FAULT_HWPOISON)
		return FAULT_HWPOISON;
	return ret & VM_FAULT_RETRY ? FAULT_RETRY : FAULT_MAPPED;
}

/**
 * enum trace_cow - what was done about an access to a private mapping
 * @COW_NEW: it got a page with zeroes or what the file has there
 * @COW_COPY: it got a copy of the page that it shared
 * @COW_REUSE: it may write to the page that it has
 * @COW_TAKE: the owner took a page from it
 * @COW_REFUSE: it gets SIGBUS
 */
enum trace_cow {
	COW_NEW,
	COW_COPY,
	COW_REUSE,
	COW_TAKE,
	COW_REFUSE,
};

/**
 * enum trace_resize - why the pool has become larger or smaller
 * @RESIZE_LOAD: the module was loaded
 * @RESIZE_SET: somebody wrote to nr_hugepages
 * @RESIZE_GATHER: pages were wanted beyond the pool's
 * @RESIZE_TRIM: surplus pages are not needed any more
 * @RESIZE_RECLAIM: the kernel is short of memory
 */
enum trace_resize {
	RESIZE_LOAD,
	RESIZE_SET,
	RESIZE_GATHER,
	RESIZE_TRIM,
	RESIZE_RECLAIM,
};

#endif

TRACE_DEFINE_ENUM(FAULT_MAPPED);
TRACE_DEFINE_ENUM(FAULT_RETRY);
TRACE_DEFINE_ENUM(FAULT_SIGBUS);
TRACE_DEFINE_ENUM(FAULT_OOM);
TRACE_DEFINE_ENUM(FAULT_HWPOISON);
TRACE_DEFINE_ENUM(COW_NEW);
TRACE_DEFINE_ENUM(COW_COPY);
TRACE_DEFINE_ENUM(COW_REUSE);
TRACE_DEFINE_ENUM(COW_TAKE);
TRACE_DEFINE_ENUM(COW_REFUSE);
TRACE_DEFINE_ENUM(RESIZE_LOAD);
TRACE_DEFINE_ENUM(RESIZE_SET);
TRACE_DEFINE_ENUM(RESIZE_GATHER);
TRACE_DEFINE_ENUM(RESIZE_TRIM);
TRACE_DEFINE_ENUM(RESIZE_RECLAIM);

TRACE_EVENT(reserve,
	TP_PROTO(const struct reserve *reserve, unsigned long from,
		 unsigned long to, long pages, int err),
	TP_ARGS(reserve, from, to, pages, err),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, ino)
		__field(bool, private)
		__field(unsigned long, from)
		__field(unsigned long, to)
		__field(long, pages)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->dev = reserve->inode->i_sb->s_dev;
		__entry->ino = reserve->inode->i_ino;
		__entry->private = reserve->private;
		__entry->from = from;
		__entry->to = to;
		__entry->pages = pages;
		__entry->err = err;
	),
	TP_printk("dev=%u:%u ino=%lu private=%d from=%lu to=%lu pages=%ld err=%d",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->private, __entry->from, __entry->to, __entry->pages,
		  __entry->err)
);

TRACE_EVENT(unreserve,
	TP_PROTO(const struct reserve *reserve, unsigned long pages),
	TP_ARGS(reserve, pages),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, ino)
		__field(bool, private)
		__field(unsigned long, pages)
	),
	TP_fast_assign(
		__entry->dev = reserve->inode->i_sb->s_dev;
		__entry->ino = reserve->inode->i_ino;
		__entry->private = reserve->private;
		__entry->pages = pages;
	),
	TP_printk("dev=%u:%u ino=%lu private=%d pages=%lu",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->private, __entry->pages)
);

DECLARE_EVENT_CLASS(claim_class,
	TP_PROTO(const struct claim *claim),
	TP_ARGS(claim),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, ino)
		__field(bool, private)
		__field(unsigned long, index)
		__field(bool, promised)
		__field(bool, zeroed)
		__field(int, nid)
		__field(unsigned long, pfn)
	),
	TP_fast_assign(
		__entry->dev = claim->reserve->inode->i_sb->s_dev;
		__entry->ino = claim->reserve->inode->i_ino;
		__entry->private = claim->reserve->private || claim->beyond;
		__entry->index = claim->index;
		__entry->promised = claim->promise;
		__entry->zeroed = claim->folio && claim->zeroed;
		__entry->nid = claim->folio ? folio_nid(claim->folio) :
					      NUMA_NO_NODE;
		__entry->pfn = claim->folio ? folio_pfn(claim->folio) : 0;
	),
	TP_printk("dev=%u:%u ino=%lu private=%d index=%lu promised=%d zeroed=%d nid=%d pfn=0x%lx",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->private, __entry->index, __entry->promised,
		  __entry->zeroed, __entry->nid, __entry->pfn)
);

DEFINE_EVENT(claim_class, claim,
	TP_PROTO(const struct claim *claim),
	TP_ARGS(claim)
);

DEFINE_EVENT(claim_class, commit,
	TP_PROTO(const struct claim *claim),
	TP_ARGS(claim)
);

DEFINE_EVENT(claim_class, cancel,
	TP_PROTO(const struct claim *claim),
	TP_ARGS(claim)
);

TRACE_EVENT(fault,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long index,
		 unsigned long address, bool write, vm_fault_t ret),
	TP_ARGS(dev, ino, index, address, write, ret),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, ino)
		__field(unsigned long, index)
		__field(unsigned long, address)
		__field(bool, write)
		__field(int, what)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->ino = ino;
		__entry->index = index;
		__entry->address = address;
		__entry->write = write;
		__entry->what = trace_fault_result(ret);
	),
	TP_printk("dev=%u:%u ino=%lu index=%lu address=0x%lx write=%d what=%s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->index, __entry->address, __entry->write,
		  __print_symbolic(__entry->what,
				   { FAULT_MAPPED, "mapped" },
				   { FAULT_RETRY, "retry" },
				   { FAULT_SIGBUS, "sigbus" },
				   { FAULT_OOM, "oom" },
				   { FAULT_HWPOISON, "hwpoison" }))
);

TRACE_EVENT(cow,
	TP_PROTO(const struct private *private, unsigned long index,
		 enum trace_cow what, struct folio *folio),
	TP_ARGS(private, index, what, folio),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, ino)
		__field(unsigned int, mapping)
		__field(unsigned long, index)
		__field(int, what)
		__field(unsigned long, pfn)
	),
	TP_fast_assign(
		__entry->dev = private->inode->i_sb->s_dev;
		__entry->ino = private->inode->i_ino;
		__entry->mapping = private->id;
		__entry->index = index;
		__entry->what = what;
		__entry->pfn = folio ? folio_pfn(folio) : 0;
	),
	TP_printk("dev=%u:%u ino=%lu mapping=%u index=%lu what=%s pfn=0x%lx",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->mapping, __entry->index,
		  __print_symbolic(__entry->what,
				   { COW_NEW, "new" },
				   { COW_COPY, "copy" },
				   { COW_REUSE, "reuse" },
				   { COW_TAKE, "take" },
				   { COW_REFUSE, "refuse" }),
		  __entry->pfn)
);

TRACE_EVENT(give,
	TP_PROTO(struct folio *folio, bool zeroed, bool kept),
	TP_ARGS(folio, zeroed, kept),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(int, nid)
		__field(bool, zeroed)
		__field(bool, kept)
	),
	TP_fast_assign(
		__entry->pfn = folio_pfn(folio);
		__entry->nid = folio_nid(folio);
		__entry->zeroed = zeroed;
		__entry->kept = kept;
	),
	TP_printk("pfn=0x%lx nid=%d zeroed=%d kept=%d", __entry->pfn,
		  __entry->nid, __entry->zeroed, __entry->kept)
);

TRACE_EVENT(park,
	TP_PROTO(struct folio *folio),
	TP_ARGS(folio),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(int, nid)
		__field(int, references)
	),
	TP_fast_assign(
		__entry->pfn = folio_pfn(folio);
		__entry->nid = folio_nid(folio);
		__entry->references = folio_ref_count(folio) - 1;
	),
	TP_printk("pfn=0x%lx nid=%d references=%d", __entry->pfn, __entry->nid,
		  __entry->references)
);

TRACE_EVENT(zero,
	TP_PROTO(unsigned long pfn, int nid, bool zeroed),
	TP_ARGS(pfn, nid, zeroed),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(int, nid)
		__field(bool, zeroed)
	),
	TP_fast_assign(
		__entry->pfn = pfn;
		__entry->nid = nid;
		__entry->zeroed = zeroed;
	),
	TP_printk("pfn=0x%lx nid=%d zeroed=%d", __entry->pfn, __entry->nid,
		  __entry->zeroed)
);

TRACE_EVENT(resize,
	TP_PROTO(enum trace_resize why, int nid, long wanted, long changed),
	TP_ARGS(why, nid, wanted, changed),
	TP_STRUCT__entry(
		__field(int, why)
		__field(int, nid)
		__field(long, wanted)
		__field(long, changed)
	),
	TP_fast_assign(
		__entry->why = why;
		__entry->nid = nid;
		__entry->wanted = wanted;
		__entry->changed = changed;
	),
	TP_printk("why=%s nid=%d wanted=%ld changed=%ld",
		  __print_symbolic(__entry->why,
				   { RESIZE_LOAD, "load" },
				   { RESIZE_SET, "set" },
				   { RESIZE_GATHER, "gather" },
				   { RESIZE_TRIM, "trim" },
				   { RESIZE_RECLAIM, "reclaim" }),
		  __entry->nid, __entry->wanted, __entry->changed)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
