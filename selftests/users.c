// SPDX-License-Identifier: GPL-2.0-only
/*
 * debugfs rhugefs/users: who has pages and promises, and that nobody is left out; and
 * rhugefs/stats.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "private_test.h"

#define USERS	"/sys/kernel/debug/rhugefs/users"
#define DIR	"/tmp/users"

RHUGEFS_FIXTURE(users);

/* A line; on_node as "used+reserved". */
struct user {
	char what[16];
	char mount[16];
	char inode[24];
	long used;
	long reserved;
	char on_node[2][24];
	char mappers[8192];
	char path[512];
};

static bool user_parse(const char *line, struct user *user)
{
	return sscanf(line, "%15s %15s %23s %ld %ld %23s %23s %8191s %511s",
		      user->what, user->mount, user->inode, &user->used,
		      &user->reserved, user->on_node[0], user->on_node[1],
		      user->mappers, user->path) == 9;
}

/* Whether the nodes' figures are those of the whole line. */
static bool user_adds_up(const struct user *user)
{
	long used[2], reserved[2];
	int nid;

	for (nid = 0; nid < 2; nid++)
		if (sscanf(user->on_node[nid], "%ld+%ld", &used[nid],
			   &reserved[nid]) != 2)
			return false;
	return used[0] + used[1] == user->used &&
	       reserved[0] + reserved[1] == user->reserved;
}

/*
 * The @n-th line about @what, and about inode @inode unless that is NULL; false where
 * there is none.
 */
static bool user_find(const char *what, const char *inode, int n,
		      struct user *user)
{
	FILE *file = fopen(USERS, "re");
	static char line[16384];
	bool found = false;

	must(file && fgets(line, sizeof(line), file));
	must(!strncmp(line, "what ", 5));
	while (!found && fgets(line, sizeof(line), file)) {
		must(user_parse(line, user));
		must(user_adds_up(user));
		found = !strcmp(user->what, what) &&
			(!inode || !strcmp(user->inode, inode)) && !n--;
	}
	fclose(file);
	return found;
}

/* Whether the lines are together what the pool says, and sysfs, too. */
static bool users_add_up(void)
{
	FILE *file = fopen(USERS, "re");
	long used = 0, reserved = 0;
	struct user user = { "" };
	static char line[16384];
	struct pool pool;

	must(file && fgets(line, sizeof(line), file));
	while (fgets(line, sizeof(line), file) && user_parse(line, &user) &&
	       strcmp(user.what, "pool")) {
		used += user.used;
		reserved += user.reserved;
	}
	must(!strcmp(user.what, "pool"));
	/* No line "busy". */
	must(!fgets(line, sizeof(line), file));
	fclose(file);
	pool = pool_read();
	if (used == user.used && reserved == user.reserved &&
	    used == pool.nr - pool.free && reserved == pool.resv)
		return true;
	printf("# listed %ld used, %ld reserved, in all %ld, %ld\n", used,
	       reserved, user.used, user.reserved);
	return false;
}

static const char *inode_of(int fd)
{
	static char text[24];
	struct stat stat;

	must(fstat(fd, &stat) == 0);
	snprintf(text, sizeof(text), "%lu", (unsigned long)stat.st_ino);
	return text;
}

static const char *mount_of(int fd)
{
	static char text[24];
	struct stat stat;

	must(fstat(fd, &stat) == 0);
	snprintf(text, sizeof(text), "%u:%u", major(stat.st_dev),
		 minor(stat.st_dev));
	return text;
}

/* "PID:NAME" as it is in a list. */
static bool user_is_mapped_by(const struct user *user, pid_t pid,
			      const char *name)
{
	char wanted[64], list[8300];

	snprintf(wanted, sizeof(wanted), ",%d:%s,", pid, name);
	snprintf(list, sizeof(list), ",%s,", user->mappers);
	return strstr(list, wanted);
}

TEST_F(users, nobody)
{
	struct user user;

	ASSERT_FALSE(user_find("file", NULL, 0, &user));
	ASSERT_FALSE(user_find("private", NULL, 0, &user));
	ASSERT_FALSE(user_find("minimum", NULL, 0, &user));
	ASSERT_TRUE(user_find("parked", NULL, 0, &user));
	ASSERT_EQ(user.used, 0);
	ASSERT_TRUE(user_find("pool", NULL, 0, &user));
	ASSERT_STREQ(user.mount, "-");
	ASSERT_STREQ(user.path, "-");
	ASSERT_TRUE(users_add_up());
}

TEST_F(users, file)
{
	int fd = file_named("a file\\");
	struct peer peer;
	struct user user;
	char *map;

	/* Neither used nor mapped. */
	ASSERT_FALSE(user_find("file", inode_of(fd), 0, &user));
	map = map_huge(fd, 0, 5, 0);
	run_on(0);
	ASSERT_EQ(touch_pages(map, 2), 2);
	ASSERT_NE(map_huge(fd, 1, 1, 0), NULL);
	ASSERT_EQ(prctl(PR_SET_NAME, "me, my\tself"), 0);
	peer = peer_new();
	ASSERT_TRUE(user_find("file", inode_of(fd), 0, &user));
	ASSERT_STREQ(user.mount, mount_of(fd));
	ASSERT_STREQ(user.path, "/a\\040file\\134");
	ASSERT_EQ(user.used, 2);
	ASSERT_EQ(user.reserved, 3);
	/* The promises may lie where the mapper was before. */
	ASSERT_EQ(strncmp(user.on_node[0], "2+", 2), 0);
	ASSERT_TRUE(user_is_mapped_by(&user, getpid(), "me\\054\\040my\\011self"));
	ASSERT_TRUE(user_is_mapped_by(&user, peer.pid,
				      "me\\054\\040my\\011self"));
	ASSERT_EQ(strlen(user.mappers) - strlen(strchr(user.mappers, ',')),
		  strlen(strchr(user.mappers, ',')) - 1);
	peer_exit(&peer);
	ASSERT_TRUE(user_find("file", inode_of(fd), 0, &user));
	ASSERT_EQ(strchr(user.mappers, ','), NULL);
	ASSERT_EQ(file_unlink("a file\\"), 0);
	ASSERT_EQ(unmap_huge(map, 5), 0);
	/* The second mapping is still there. */
	ASSERT_TRUE(user_find("file", inode_of(fd), 0, &user));
	ASSERT_STREQ(user.path, "-");
	ASSERT_EQ(user.used, 2);
	ASSERT_TRUE(users_add_up());
}

TEST_F(users, private)
{
	int fd = file_named("private");
	struct peer child;
	struct user user;
	char *map;

	map = map_private(fd, 0, 4, 0);
	ASSERT_EQ(touch_pages(map, 2), 2);
	ASSERT_FALSE(user_find("file", inode_of(fd), 0, &user));
	ASSERT_TRUE(user_find("private", inode_of(fd), 0, &user));
	ASSERT_EQ(user.used, 2);
	ASSERT_EQ(user.reserved, 2);
	ASSERT_STREQ(user.path, "/private");
	ASSERT_TRUE(user_is_mapped_by(&user, getpid(), "users"));
	/* What they share is counted once, what the child has alone with it. */
	child = peer_new();
	ASSERT_TRUE(peer_write(&child, map, 1));
	ASSERT_TRUE(user_find("private", inode_of(fd), 0, &user));
	ASSERT_EQ(user.used, 2);
	ASSERT_TRUE(user_find("private", inode_of(fd), 1, &user));
	ASSERT_EQ(user.used, 1);
	ASSERT_EQ(user.reserved, 0);
	ASSERT_TRUE(user_is_mapped_by(&user, child.pid, "users"));
	ASSERT_TRUE(users_add_up());
	/* Both the parent's are the child's now. */
	ASSERT_EQ(unmap_huge(map, 4), 0);
	ASSERT_TRUE(user_find("private", inode_of(fd), 0, &user));
	ASSERT_EQ(user.used, 2);
	ASSERT_FALSE(user_find("private", inode_of(fd), 1, &user));
	ASSERT_TRUE(users_add_up());
	peer_exit(&child);
	ASSERT_EQ(file_unlink("private"), 0);
}

TEST_F(users, minimum_and_parked)
{
	struct pin pin = pin_new();
	struct user user;
	char *map;
	int dir;

	ASSERT_TRUE(mkdir(DIR, 0755) == 0 || errno == EEXIST);
	ASSERT_EQ(mount("none", DIR, "rhugefs", 0, "min_size=10M"), 0);
	dir = open(DIR, O_RDONLY | O_CLOEXEC);
	ASSERT_TRUE(user_find("minimum", NULL, 0, &user));
	ASSERT_STREQ(user.mount, mount_of(dir));
	ASSERT_STREQ(user.inode, "-");
	ASSERT_EQ(user.used, 0);
	ASSERT_EQ(user.reserved, 5);
	map = map_new(1, 0);
	*map = 1;
	pin_add(&pin, map, 4096);
	ASSERT_EQ(unmap_huge(map, 1), 0);
	ASSERT_TRUE(user_find("parked", NULL, 0, &user));
	ASSERT_EQ(user.used, 1);
	ASSERT_TRUE(users_add_up());
	close(dir);
	ASSERT_EQ(umount(DIR), 0);
	ASSERT_TRUE(users_add_up());
}

#define MANY	150

static int hold(void *arg)
{
	sync_meet(arg);
	sync_meet(arg);
	return 0;
}

TEST_F(users, many_mappers)
{
	struct sync *sync = share(sizeof(*sync));
	pid_t pids[MANY];
	int fd = file_new(), i;
	struct user user;

	sync->parties = MANY + 1;
	ASSERT_NE(map_huge(fd, 0, 2, 0), NULL);
	for (i = 0; i < MANY; i++)
		pids[i] = spawn(hold, sync);
	sync_meet(sync);
	ASSERT_TRUE(user_find("file", inode_of(fd), 0, &user));
	for (i = 0; i < MANY; i++)
		EXPECT_TRUE(user_is_mapped_by(&user, pids[i], "users"));
	sync_meet(sync);
	for (i = 0; i < MANY; i++)
		ASSERT_EQ(reap(pids[i]), 0);
	ASSERT_TRUE(user_find("file", inode_of(fd), 0, &user));
	ASSERT_EQ(strchr(user.mappers, ','), NULL);
}

/* --- while others are at work -------------------------------------------- */

#define WORKERS	3
#define ROUNDS	40

struct worker {
	struct sync *sync;
	unsigned long state;
	int fd;
	char *map;
	unsigned long pages;
};

static void map_some(struct worker *worker)
{
	unsigned long first = chance_of(&worker->state, 4);
	int flags = chance_of(&worker->state, 3) ? 0 : MAP_NORESERVE;

	worker->pages = 1 + chance_of(&worker->state, 6);
	worker->map = chance_of(&worker->state, 2) ?
		      map_huge(worker->fd, first, worker->pages, flags) :
		      map_private(worker->fd, first, worker->pages, flags);
	must(worker->map);
	can_write(worker->map + chance_of(&worker->state, worker->pages) * HUGE);
}

/* Each meeting is a quiet moment, and what was mapped for it stays until the next. */
static int work(void *arg)
{
	struct worker *worker = arg;
	int i, k;

	for (i = 0; i < ROUNDS; i++) {
		for (k = chance_of(&worker->state, 4); k; k--) {
			map_some(worker);
			must(unmap_huge(worker->map, worker->pages) == 0);
		}
		map_some(worker);
		if (!chance_of(&worker->state, 5))
			must(ftruncate(worker->fd, chance_of(&worker->state, 8) *
						   HUGE) == 0);
		sync_meet(worker->sync);
		sync_meet(worker->sync);
		must(unmap_huge(worker->map, worker->pages) == 0);
	}
	return 0;
}

TEST_F_TIMEOUT(users, quiet_moments_of_a_crowd, 90)
{
	struct sync *sync = share(sizeof(*sync));
	struct worker worker = { .sync = sync, .fd = file_new() };
	unsigned long seed = seed_get();
	pid_t pids[WORKERS];
	struct user user;
	int i;

	sync->parties = WORKERS + 1;
	for (i = 0; i < WORKERS; i++) {
		worker.state = seed + i;
		pids[i] = spawn(work, &worker);
	}
	for (i = 0; i < ROUNDS; i++) {
		/* It need not add up now. */
		user_find("pool", NULL, 0, &user);
		sync_meet(sync);
		ASSERT_TRUE(users_add_up());
		ASSERT_TRUE(selfcheck_ok());
		sync_meet(sync);
	}
	for (i = 0; i < WORKERS; i++)
		ASSERT_EQ(reap(pids[i]), 0);
	ASSERT_TRUE(users_add_up());
}

/* --- stats --------------------------------------------------------------- */

TEST_F(users, stats)
{
	long faults = stat_read("faults"), claims = stat_read("claims");
	long parked = stat_read("parked"), unparked = stat_read("unparked");
	long zeroed = stat_read("zeroed"), spared = stat_read("zeroings_avoided");
	struct pin pin = pin_new();
	int fd = file_new();
	char *map;

	map = map_huge(fd, 0, 3, 0);
	ASSERT_EQ(touch_pages(map, 3), 3);
	ASSERT_NE(map_huge(fd, 0, 1, MAP_POPULATE), NULL);
	ASSERT_EQ(stat_read("faults"), faults + 4);
	ASSERT_EQ(stat_read("claims"), claims + 3);
	/* Each was zeroed, or need not be. */
	ASSERT_EQ(stat_read("zeroed") + stat_read("zeroings_avoided"),
		  zeroed + spared + 3);
	ASSERT_EQ(stat_read("cancels"), 0);
	pin_add(&pin, map, 4096);
	ASSERT_EQ(ftruncate(fd, 0), 0);
	ASSERT_EQ(stat_read("parked"), parked + 1);
	ASSERT_EQ(stat_read("unparked"), unparked);
	pin_end(&pin);
	ASSERT_POOL(0, 0);
	ASSERT_EQ(stat_read("unparked"), unparked + 1);
}

TEST_HARNESS_MAIN
