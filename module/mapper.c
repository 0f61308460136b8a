// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which processes map a file, for who wants to know whom to ask for its pages.
 */
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "compat.h"
#include "mapper.h"

/* What would end a field or a list, or is not to be seen. */
#define MAPPER_ESCAPE	" \t\n\\,"

/* Of those who share an address space the one who answers for it. */
static void mapper_name(struct mapper *mapper, struct mm_struct *mm)
{
	struct task_struct *task;

	rcu_read_lock();
	task = compat_mm_owner(mm);
	mapper->pid = task ? task_tgid_nr(task) : 0;
	if (task)
		get_task_comm(mapper->comm, task);
	rcu_read_unlock();
}

static int mappers_make_room(struct mappers *mappers, size_t nr)
{
	struct mapper *list;

	if (nr <= mappers->room)
		return 0;
	/* Some may come until the next look. */
	nr += nr / 8 + 8;
	list = kvmalloc_array(nr, sizeof(*list), GFP_KERNEL | __GFP_NOWARN);
	if (!list)
		return -ENOMEM;
	kvfree(mappers->list);
	mappers->list = list;
	mappers->room = nr;
	return 0;
}

/* How many there are; as many of them as there is room for are put down. */
static size_t mappers_collect(struct mappers *mappers,
			      struct address_space *mapping)
{
	struct vm_area_struct *vma;
	struct rb_node *node;
	size_t nr = 0;

	i_mmap_lock_read(mapping);
	for (node = rb_first_cached(&mapping->i_mmap); node;
	     node = rb_next(node)) {
		vma = rb_entry(node, struct vm_area_struct, shared.rb);
		if (!(vma->vm_flags & VM_MAYSHARE))
			continue;
		/* It cannot end as long as this piece of it is in the tree. */
		if (nr < mappers->room)
			mapper_name(&mappers->list[nr], vma->vm_mm);
		nr++;
		cond_resched();
	}
	i_mmap_unlock_read(mapping);
	return nr;
}

static int mapper_cmp(const void *a, const void *b)
{
	return ((const struct mapper *)a)->pid - ((const struct mapper *)b)->pid;
}

/* One that maps a file in several pieces is named once. */
static void mappers_unite(struct mappers *mappers)
{
	size_t from, to = 0;

	sort(mappers->list, mappers->nr, sizeof(*mappers->list), mapper_cmp,
	     NULL);
	for (from = 0; from < mappers->nr; from++)
		if (!to || mappers->list[from].pid != mappers->list[to - 1].pid)
			mappers->list[to++] = mappers->list[from];
	mappers->nr = to;
}

/**
 * mappers_find_shared() - Find who has shared mappings of a file.
 * @mappers: filled in
 * @mapping: the file's mapping
 *
 * Context: may sleep; takes i_mmap_rwsem.
 * Return: 0, or -ENOMEM.
 */
int mappers_find_shared(struct mappers *mappers, struct address_space *mapping)
{
	size_t nr;

	mappers->nr = 0;
	while ((nr = mappers_collect(mappers, mapping)) > mappers->room)
		if (mappers_make_room(mappers, nr))
			return -ENOMEM;
	mappers->nr = nr;
	mappers_unite(mappers);
	return 0;
}

/**
 * mappers_find_one() - The same of one address space.
 * @mappers: filled in
 * @mm: an address space that does not end meanwhile
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM.
 */
int mappers_find_one(struct mappers *mappers, struct mm_struct *mm)
{
	mappers->nr = 0;
	if (mappers_make_room(mappers, 1))
		return -ENOMEM;
	mapper_name(mappers->list, mm);
	mappers->nr = 1;
	return 0;
}

/**
 * mappers_print() - Print them as one field, "-" where there is none.
 * @mappers: who was found
 * @seq: where to print
 */
void mappers_print(struct mappers *mappers, struct seq_file *seq)
{
	size_t i, printed = 0;

	for (i = 0; i < mappers->nr; i++) {
		if (!mappers->list[i].pid)
			continue;
		seq_printf(seq, "%s%d:", printed++ ? "," : "",
			   mappers->list[i].pid);
		seq_escape(seq, mappers->list[i].comm, MAPPER_ESCAPE);
	}
	if (!printed)
		seq_putc(seq, '-');
}

/**
 * mappers_free() - Free the room.
 * @mappers: who was found
 */
void mappers_free(struct mappers *mappers)
{
	kvfree(mappers->list);
}
