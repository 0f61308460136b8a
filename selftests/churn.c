// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything that an administrator and users do, at once: four processes mount, change
 * and leave mounts, map, touch, cut and drop, while the pool changes its size. Whoever was
 * told yes is never refused, every refusal is one that the documentation allows, and at
 * every quiet moment the counts are true and what statfs() calls free can be had.
 */
#include "churn_files.h"

#define ROUNDS		20
#define STEPS		100

/* Pages of the pool, which all together want more of. */
#define POOL_MOST	140
#define OVERCOMMIT_MOST	12

/* The page cannot be had by anybody as long as somebody holds on to it. */
#define PINS_MOST	6

#define SHARED_DIR	"/tmp/churn.shared"
#define OWN_DIR		"/tmp/churn.%d.%d"

static void visit_dirs(void (*work)(const char *dir))
{
	char dir[48];
	int i, j;

	work(SHARED_DIR);
	for (i = 0; i < CHURNERS; i++) {
		for (j = 0; j < OWN_PLACES; j++) {
			snprintf(dir, sizeof(dir), OWN_DIR, i, j);
			work(dir);
		}
	}
}

static void make_dir(const char *dir)
{
	must(mkdir(dir, 0755) == 0);
}

/* Where a test has failed something may be mounted there. */
static void leave_dir(const char *dir)
{
	umount2(dir, MNT_DETACH);
	rmdir(dir);
}

FIXTURE(churn) {
	struct pools before;
	pid_t pid;
};

FIXTURE_SETUP(churn)
{
	self->pid = getpid();
	self->before = pools_read();
	ASSERT_EQ(self->before.nr_nodes, 2);
	ASSERT_EQ(self->before.all.free, self->before.all.nr);
	visit_dirs(make_dir);
}

/* See RHUGEFS_FIXTURE for why only the parent looks. */
FIXTURE_TEARDOWN_PARENT(churn)
{
	if (getpid() == self->pid)
		return;
	visit_dirs(leave_dir);
	EXPECT_TRUE(pool_size_restored(&self->before));
}

/* --- steps: mounts ------------------------------------------------------- */

static void step_mount(struct churner *churner)
{
	struct place *place = &churner->own[pick(churner, OWN_PLACES)];

	if (!place->mounted)
		place_mount(churner, place);
	else if (pick(churner, 2))
		place_leave(churner, place);
	else
		place_remount(churner, place);
}

/* One at a time, since mounts would pile up; who uses it is not asked. */
static void step_shared_mount(struct churner *churner)
{
	struct churn *churn = churner->churn;

	if (__atomic_exchange_n(&churn->busy, true, __ATOMIC_ACQUIRE))
		return;
	if (!churn->place.mounted)
		place_mount(churner, &churn->place);
	else if (pick(churner, 4))
		place_remount(churner, &churn->place);
	else
		place_leave_shared(churner, &churn->place);
	__atomic_store_n(&churn->busy, false, __ATOMIC_RELEASE);
}

/* --- steps: files -------------------------------------------------------- */

static struct place *pick_place(struct churner *churner)
{
	switch (pick(churner, 6)) {
	case 0:
		return &churner->main;
	case 1:
		return &churner->churn->place;
	default:
		return &churner->own[pick(churner, OWN_PLACES)];
	}
}

/* A name that nobody uses again: what it names stays until the end of the mount. */
static const char *pick_name(struct churner *churner)
{
	static char name[32];
	static int number;

	if (pick(churner, 6))
		return NULL;
	snprintf(name, sizeof(name), "left.%d.%d", churner->nr, number++);
	return name;
}

static void step_file(struct churner *churner)
{
	struct file *file = file_slot(churner);
	struct place *place = pick_place(churner);
	const char *name;
	int fd;

	if (!file)
		return;
	/* In what is mounted for ever a name would be there for ever. */
	name = place == &churner->main ? NULL : pick_name(churner);
	fd = file_open(churner, place, name);
	note(churner, "file %d in %s %s%s", (int)(file - churner->file),
	     place->dir, name ?: "", fd < 0 ? ": none" : "");
	if (fd >= 0)
		file_begin(file, fd, FILE_OWN, place);
}

static bool has_kind(struct churner *churner, int kind)
{
	int i;

	for (i = 0; i < FILES; i++)
		if (churner->file[i].kind == kind)
			return true;
	return false;
}

/* Two descriptors of the same file would be two files here. */
static void step_shared_file(struct churner *churner)
{
	int kind = pick(churner, 2) ? FILE_KEPT : FILE_WILD, fd;
	struct file *file = file_slot(churner);
	struct place *place = &churner->churn->place;

	if (!file || has_kind(churner, kind))
		return;
	fd = file_open(churner, place, kind == FILE_KEPT ? "kept" : "wild");
	note(churner, "file %d, %s%s", (int)(file - churner->file),
	     kind == FILE_KEPT ? "kept" : "wild", fd < 0 ? ": none" : "");
	if (fd >= 0)
		file_begin(file, fd, kind, place);
}

static void step_close(struct churner *churner)
{
	struct file *file = file_pick(churner);

	if (!file)
		return;
	note(churner, "close %d", (int)(file - churner->file));
	must(close(file->fd) == 0);
	file->fd = -1;
	file_forget(file);
}

static void step_cut(struct churner *churner)
{
	struct file *file = file_pick(churner);
	long from = pick(churner, FILE_MOST);
	long pages = 1 + pick(churner, FILE_MOST - from);

	if (!file)
		return;
	if (file->kind == FILE_KEPT || !pick(churner, 3))
		file_allocate(churner, file, from, pages);
	else if (pick(churner, 2))
		file_truncate(churner, file, from);
	else
		file_punch(churner, file, from, pages);
}

/* --- steps: mappings ----------------------------------------------------- */

/* One that is there, or NULL. */
static struct map *pick_map(struct churner *churner)
{
	int from = pick(churner, MAPS), i;
	struct map *map;

	for (i = 0; i < MAPS; i++) {
		map = &churner->map[(from + i) % MAPS];
		if (map->file)
			return map;
	}
	return NULL;
}

static long pick_page(struct churner *churner, const struct map *map)
{
	return map->from + pick(churner, map->pages);
}

static void step_map(struct churner *churner)
{
	struct map *map = &churner->map[pick(churner, MAPS)];
	struct file *file;

	if (map->file)
		map_end(churner, map);
	file = file_pick(churner);
	if (file)
		map_make(churner, map, file);
}

static void step_unmap(struct churner *churner)
{
	struct map *map = pick_map(churner);
	long first, pages;

	if (!map)
		return;
	first = pick_page(churner, map);
	pages = 1 + pick(churner, map->from + map->pages - first);
	map_cut(churner, map, first, pages);
}

static void step_touch(struct churner *churner)
{
	struct map *map = pick_map(churner);
	int i;

	for (i = 0; i < 3 && map; i++)
		map_touch(churner, map, pick_page(churner, map),
			  pick(churner, 3));
}

static void step_drop(struct churner *churner)
{
	struct map *map = pick_map(churner);
	long page = map ? pick_page(churner, map) : 0;

	if (map && map->there[page])
		map_drop(churner, map, page);
}

/*
 * The owner goes on while its child writes. Without a reservation it may be refused then,
 * even where it has a page.
 */
static void step_fork(struct churner *churner)
{
	pid_t pid;
	int i;

	note(churner, "fork");
	pid = spawn(child_run, churner);
	for (i = 0; i < 6; i++) {
		struct map *map = pick_map(churner);

		if (map && map->is_private && map->reserved)
			map_touch(churner, map, pick_page(churner, map), true);
	}
	must(reap(pid) == 0);
}

static void let_go(struct churner *churner)
{
	note(churner, "let go of %d pins", churner->pinned);
	pin_end(&churner->pin);
	churner->pin = pin_new();
	churner->pinned = 0;
}

/*
 * A private page is given up at once: its owner would wait for himself if he wrote to
 * it. A file's goes when the file is cut.
 */
static void step_pin(struct churner *churner)
{
	struct map *map = pick_map(churner);
	long page;

	if (churner->pinned == PINS_MOST) {
		let_go(churner);
		return;
	}
	if (!map || map->file->kind != FILE_OWN)
		return;
	page = pick_page(churner, map);
	if (!map->there[page] || page >= map->file->pages ||
	    !map_must_do(map, page, true))
		return;
	map_touch(churner, map, page, true);
	note(churner, "pin of %d page %ld", (int)(map - churner->map), page);
	pin_add(&churner->pin, map_word(churner, map, page), 4096);
	churner->pinned++;
	if (map->is_private)
		map_cut(churner, map, page, 1);
}

/* --- steps: the pool ----------------------------------------------------- */

static void step_resize(struct churner *churner)
{
	int nid = pick(churner, 2);
	long pages = pick(churner, POOL_MOST);

	if (pick(churner, 2)) {
		note(churner, "resize to %ld", pages);
		must(resize(pages) == 0);
	} else {
		note(churner, "resize node %d to %ld", nid, pages / 2);
		must(resize_node(nid, pages / 2) == 0);
	}
}

static void step_overcommit(struct churner *churner)
{
	long pages = pick(churner, 2) ? pick(churner, OVERCOMMIT_MOST) : 0;

	note(churner, "overcommit %ld", pages);
	must(overcommit(pages) == 0);
}

/* --- quiet moments ------------------------------------------------------- */

/*
 * Wait until nothing moves any more. What was dropped comes back 10 ms later, and what
 * was parked when somebody wants more than there is.
 */
static void settle(void)
{
	long end = now_ms() + POOL_PATIENCE;
	struct pools before, now = pools_read();

	do {
		must(now_ms() < end);
		before = now;
		must(!map_new(4 * POOL_MOST, 0) && errno == ENOMEM);
		usleep(30000);
		now = pools_read();
	} while (memcmp(&before, &now, sizeof(now)));
}

/*
 * As many pages as are called free can be had, and where no surplus page may be taken
 * not one more. A page that has come back after all is seen by looking again.
 */
static void look_at_place(struct churner *churner, const char *dir)
{
	long none = pool_count("", "nr_overcommit");
	struct statfs fs;
	bool all, more;
	int tries;

	for (tries = 0; tries < 10; tries++) {
		fs = place_statfs(dir);
		if (fs.f_files && !fs.f_ffree)
			return;
		note(churner, "quiet: %s has %ld of %ld free", dir,
		     (long)fs.f_bfree, (long)fs.f_blocks);
		all = !fs.f_bfree || place_gives(dir, fs.f_bfree);
		more = !none && place_gives(dir, fs.f_bfree + 1);
		if (all && !more)
			return;
		if (place_statfs(dir).f_bfree == fs.f_bfree)
			break;
	}
	must(all);
	must(!more);
}

static bool surplus_is_needed(void)
{
	struct pools pools = pools_read();
	int nid;

	for (nid = 0; nid < pools.nr_nodes; nid++)
		if (surplus_on(nid) &&
		    pools.node[nid].free > pools.node[nid].resv)
			return false;
	return true;
}

/*
 * A surplus page stays only for as long as its node needs it, and goes by itself: whoever
 * asks for pages would look for it, so that nobody must have asked yet.
 */
static void look_at_surplus(void)
{
	long end = now_ms() + POOL_PATIENCE;

	while (!surplus_is_needed()) {
		must(now_ms() < end);
		usleep(30000);
	}
}

static void look_around(struct churner *churner)
{
	struct churn *churn = churner->churn;
	struct pools pools;
	int i;

	note(churner, "quiet");
	look_at_surplus();
	settle();
	must(selfcheck_ok());
	pools = pools_read();
	if (!pools_sane(&pools))
		pools_print("quiet", &pools);
	must(pools_sane(&pools));
	look_at_place(churner, churner->main.dir);
	if (churn->place.mounted)
		look_at_place(churner, churn->place.dir);
	for (i = 0; i < OWN_PLACES; i++)
		if (churner->own[i].mounted)
			look_at_place(churner, churner->own[i].dir);
	must(selfcheck_ok());
}

/* --- all of it ----------------------------------------------------------- */

/* How often each is done, among all others. */
static const struct {
	int weight;
	void (*step)(struct churner *churner);
} steps[] = {
	{ 5, step_mount },
	{ 2, step_shared_mount },
	{ 8, step_file },
	{ 3, step_shared_file },
	{ 3, step_close },
	{ 8, step_cut },
	{ 14, step_map },
	{ 5, step_unmap },
	{ 24, step_touch },
	{ 6, step_drop },
	{ 2, step_fork },
	{ 3, step_pin },
	{ 3, step_resize },
	{ 2, step_overcommit },
};

static void step_any(struct churner *churner)
{
	weights_at(steps, pick(churner, weights_sum(steps)))->step(churner);
}

static void begin(struct churner *churner)
{
	int i;

	snprintf(churner->main.dir, sizeof(churner->main.dir), "%s", mnt_dir());
	churner->main.mounted = true;
	for (i = 0; i < OWN_PLACES; i++)
		snprintf(churner->own[i].dir, sizeof(churner->own[i].dir),
			 OWN_DIR, churner->nr, i);
	churner->pin = pin_new();
}

/* Whatever is still mapped can be written to, and then all of it ends. */
static void end(struct churner *churner)
{
	long page;
	int i;

	for (i = 0; i < MAPS; i++) {
		struct map *map = &churner->map[i];

		if (!map->file)
			continue;
		for (page = map->from; page < map->from + map->pages; page++)
			map_touch(churner, map, page, true);
		map_end(churner, map);
	}
	for (i = 0; i < FILES; i++)
		if (churner->file[i].kind != FILE_NONE)
			must(close(churner->file[i].fd) == 0);
	note(churner, "end");
	pin_end(&churner->pin);
	for (i = 0; i < OWN_PLACES; i++)
		must(!churner->own[i].mounted || !umount(churner->own[i].dir));
}

static int churn_run(void *arg)
{
	struct churner *churner = arg;
	struct churn *churn = churner->churn;
	int round, step;

	begin(churner);
	for (round = 0; round < ROUNDS; round++) {
		sync_meet(&churn->sync);
		for (step = 0; step < STEPS; step++)
			step_any(churner);
		sync_meet(&churn->sync);
		if (round % CHURNERS == churner->nr)
			look_around(churner);
	}
	sync_meet(&churn->sync);
	end(churner);
	return 0;
}

TEST_F_TIMEOUT(churn, everything_at_once, 150)
{
	struct churn *churn = share(sizeof(*churn));
	static struct churner churner[CHURNERS];
	pid_t pids[CHURNERS];
	int i;

	churn->seed = seed_get();
	churn->sync.parties = CHURNERS;
	strcpy(churn->place.dir, SHARED_DIR);
	for (i = 0; i < CHURNERS; i++) {
		churner[i] = (struct churner){
			.churn = churn, .nr = i, .state = churn->seed + i,
		};
		pids[i] = spawn(churn_run, &churner[i]);
	}
	/* A failed assertion would not come to the teardown. */
	EXPECT_TRUE(wait_for_all(churn->log, pids, CHURNERS, churn->seed));
	/* There was something to tell, of either kind. */
	TH_LOG("%ld mappings made, %ld refused, %ld accesses refused",
	       churn->mapped, churn->refused, churn->killed);
	EXPECT_LT(0, churn->mapped);
	EXPECT_LT(0, churn->refused);
	EXPECT_LT(0, churn->killed);
	if (churn->place.mounted)
		EXPECT_EQ(umount(churn->place.dir), 0);
}

TEST_HARNESS_MAIN
