// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who uses the pool: a line for each file and each private mapping that has pages or
 * promises, for what is kept for the minimum of a mount, and for parked pages; and
 * what the pool says itself, which is the sum of all of them.
 *
 * invalidate_lock is held shared only, so that nobody's faults wait. A page that
 * somebody has taken and not yet put into its file is then missing, and the sum does
 * not agree.
 */
#include <linux/dcache.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "inode.h"
#include "look.h"
#include "mapper.h"
#include "private.h"
#include "private_page.h"
#include "super.h"
#include "users.h"

/**
 * struct users_line - what one user has on a node, in huge pages
 * @used: pages
 * @reserved: pages promised and not consumed
 */
struct users_line {
	unsigned long used;
	unsigned long reserved;
};

/**
 * struct users - one look at all users
 * @seq: where they are printed
 * @pool: the pool
 * @nodes: those for which there are columns
 * @err: -ENOMEM where memory was short
 * @shared: page frames of the file that is being looked at which several private
 *	mappings hold and which have been counted
 * @mappers: of the file or mapping that is being looked at
 * @line: what it has, by node id
 * @sum: of all that were printed, by node id
 */
struct users {
	struct seq_file *seq;
	struct pool *pool;
	struct nodeset nodes;
	int err;
	struct xarray shared;
	struct mappers mappers;
	struct users_line *line;
	struct users_line *sum;
};

static void users_clear_line(struct users *users)
{
	memset(users->line, 0, users->pool->nr_nodes * sizeof(*users->line));
	users->mappers.nr = 0;
}

static void users_add_promise(struct users *users, struct promise *promise)
{
	int nid;

	for (nid = 0; nid < promise->nr_nodes; nid++)
		users->line[nid].reserved += promise_on(promise, nid);
}

static void users_add_reserve(struct users *users, struct reserve *reserve)
{
	struct promise *other;

	down_read(&reserve->lock);
	users_add_promise(users, &reserve->promise);
	list_for_each_entry(other, &reserve->others, sibling)
		users_add_promise(users, other);
	up_read(&reserve->lock);
}

static struct users_line users_total(struct users *users)
{
	struct users_line total = {};
	int nid;

	for (nid = 0; nid < users->pool->nr_nodes; nid++) {
		total.used += users->line[nid].used;
		total.reserved += users->line[nid].reserved;
	}
	return total;
}

/* A line with what has been counted; of a mount, or of no mount, of a file, or none. */
static void users_print(struct users *users, const char *what,
			struct super_block *sb, struct inode *inode,
			struct dentry *dentry)
{
	struct users_line total = users_total(users);
	struct seq_file *seq = users->seq;
	char mount[24] = "-", ino[24] = "-", node[48];
	int nid;

	if (sb)
		snprintf(mount, sizeof(mount), "%u:%u", MAJOR(sb->s_dev),
			 MINOR(sb->s_dev));
	if (inode)
		snprintf(ino, sizeof(ino), "%lu", inode->i_ino);
	seq_printf(seq, "%-8s %-6s %-8s %8lu %8lu", what, mount, ino,
		   total.used, total.reserved);
	for_each_node_of(nid, &users->nodes) {
		snprintf(node, sizeof(node), "%lu+%lu", users->line[nid].used,
			 users->line[nid].reserved);
		seq_printf(seq, " %11s", node);
	}
	seq_putc(seq, ' ');
	mappers_print(&users->mappers, seq);
	seq_putc(seq, ' ');
	if (dentry)
		seq_dentry(seq, dentry, " \t\n\\");
	else
		seq_putc(seq, '-');
	seq_putc(seq, '\n');
}

static void users_sum_line(struct users *users)
{
	int nid;

	for (nid = 0; nid < users->pool->nr_nodes; nid++) {
		users->sum[nid].used += users->line[nid].used;
		users->sum[nid].reserved += users->line[nid].reserved;
	}
}

static void users_print_head(struct users *users)
{
	char node[16];
	int nid;

	seq_printf(users->seq, "%-8s %-6s %-8s %8s %8s", "what", "mount",
		   "inode", "used", "reserved");
	for_each_node_of(nid, &users->nodes) {
		snprintf(node, sizeof(node), "node%d", nid);
		seq_printf(users->seq, " %11s", node);
	}
	seq_puts(users->seq, " mappers path\n");
}

static void users_file(struct users *users, struct inode *inode,
		       struct dentry *dentry)
{
	struct huge_inode *huge = huge_inode(inode);
	struct users_line total;
	unsigned long index;
	struct folio *folio;

	users_clear_line(users);
	xa_for_each(&huge->cache.pages, index, folio) {
		users->line[folio_nid(folio)].used++;
		cond_resched();
	}
	users_add_reserve(users, huge->reserve);
	users->err = mappers_find_shared(&users->mappers, inode->i_mapping);
	total = users_total(users);
	if (total.used || total.reserved || users->mappers.nr) {
		users_sum_line(users);
		users_print(users, "file", inode->i_sb, inode, dentry);
	}
}

/* Is it the first of several mappings that hold a page, or the only one? */
static bool users_is_first(struct users *users, struct folio *folio)
{
	int err;

	if (private_page_holders(folio) == 1)
		return true;
	err = xa_insert(&users->shared, folio_pfn(folio), xa_mk_value(1),
			GFP_KERNEL);
	if (err == -ENOMEM)
		users->err = err;
	return !err;
}

/* A page that several mappings hold is counted with the first of them. */
static void users_private(struct users *users, struct private *private,
			  struct dentry *dentry)
{
	struct inode *inode = private->inode;
	struct reserve *reserve;
	unsigned long index;
	struct folio *folio;

	users_clear_line(users);
	for_each_private_entry(private, index, folio, 0, REGION_END) {
		cond_resched();
		if (xa_is_value(folio) || !users_is_first(users, folio))
			continue;
		users->line[folio_nid(folio)].used++;
	}
	/* Pairs with private_reserve(): a child is looked at in the making. */
	reserve = smp_load_acquire(&private->reserve);
	if (reserve)
		users_add_reserve(users, reserve);
	if (mappers_find_one(&users->mappers, private->mm))
		users->err = -ENOMEM;
	users_sum_line(users);
	users_print(users, "private", inode->i_sb, inode, dentry);
}

static void users_inode(struct inode *inode, void *data)
{
	struct huge_inode *huge = huge_inode(inode);
	struct users *users = data;
	struct private *private;
	struct dentry *dentry;
	unsigned long id;

	/* Pairs with inode_make_file(): without it the cache is not ready. */
	if (!smp_load_acquire(&huge->reserve) || users->err ||
	    seq_has_overflowed(users->seq) || fatal_signal_pending(current))
		return;
	dentry = d_find_alias(inode);
	filemap_invalidate_lock_shared(inode->i_mapping);
	users_file(users, inode, dentry);
	mutex_lock(&huge->cache.privates_lock);
	xa_for_each(&huge->cache.privates, id, private) {
		if (users->err || seq_has_overflowed(users->seq))
			break;
		users_private(users, private, dentry);
		cond_resched();
	}
	mutex_unlock(&huge->cache.privates_lock);
	xa_destroy(&users->shared);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	dput(dentry);
}

static void users_minimum(struct super_block *sb, void *data)
{
	struct quota *quota = super_info(sb)->quota;
	struct users *users = data;
	struct subpool subpool;

	quota_read(quota, &subpool);
	if (!subpool.min_hpages)
		return;
	users_clear_line(users);
	users_add_promise(users, &quota->kept);
	users_sum_line(users);
	users_print(users, "minimum", sb, NULL, NULL);
}

static void users_parked(struct users *users)
{
	struct pool_counts counts;
	int nid;

	users_clear_line(users);
	for (nid = 0; nid < users->pool->nr_nodes; nid++) {
		pool_count_node(users->pool, nid, &counts);
		users->line[nid].used = counts.parked;
	}
	users_sum_line(users);
	users_print(users, "parked", NULL, NULL, NULL);
}

/* What the pool says; whether it is the sum. */
static bool users_pool(struct users *users)
{
	struct pool_counts counts;
	int nid;

	users_clear_line(users);
	for (nid = 0; nid < users->pool->nr_nodes; nid++) {
		pool_count_node(users->pool, nid, &counts);
		users->line[nid].used = counts.nr - counts.free;
		users->line[nid].reserved = counts.resv;
	}
	users_print(users, "pool", NULL, NULL, NULL);
	return !memcmp(users->line, users->sum,
		       users->pool->nr_nodes * sizeof(*users->line));
}

static int users_once(struct seq_file *seq, void *data)
{
	struct users *users = data;

	memset(users->sum, 0, users->pool->nr_nodes * sizeof(*users->sum));
	users_print_head(users);
	super_visit(users_inode, users_minimum, users);
	users_parked(users);
	return users->err ? users->err : users_pool(users);
}

/* Nodes without memory have no pages; but pages may be on a node that had some. */
static void users_choose_nodes(struct users *users)
{
	struct pool_counts counts;
	int nid;

	for (nid = 0; nid < users->pool->nr_nodes; nid++) {
		pool_count_node(users->pool, nid, &counts);
		if (counts.nr || node_state(nid, N_MEMORY))
			nodeset_add(&users->nodes, nid);
	}
}

/**
 * users_show() - Print who uses the pool.
 * @seq: where to print
 * @pool: the pool
 *
 * Where the pool did not come to rest for as long as one look takes, a last line
 * that begins with "busy" says so.
 *
 * Context: may sleep, and takes the invalidate_lock of every file in turn, shared.
 * Return: 0, or -ENOMEM, -EINTR where a fatal signal came.
 */
int users_show(struct seq_file *seq, struct pool *pool)
{
	struct users users = { .seq = seq, .pool = pool };
	int still = -ENOMEM;

	xa_init(&users.shared);
	users_choose_nodes(&users);
	users.line = kcalloc(pool->nr_nodes, sizeof(*users.line), GFP_KERNEL);
	users.sum = kcalloc(pool->nr_nodes, sizeof(*users.sum), GFP_KERNEL);
	if (users.line && users.sum)
		still = look_quietly(seq, pool, users_once, &users);
	kfree(users.line);
	kfree(users.sum);
	mappers_free(&users.mappers);
	if (still < 0)
		return still;
	if (!still)
		seq_puts(seq, "busy: pages were moving, the sum may differ\n");
	return 0;
}
