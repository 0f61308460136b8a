// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mount option user_size: what one user may have of a mount, in files that he owns and
 * in private mappings that he has made. Each test mounts for itself, and what a user does
 * a child does in his name.
 */
#include <sys/mount.h>
#include <sys/wait.h>

#include "shifted_mount.h"

#define ALICE	1000
#define BOB	1001

/* Pages that a user may have here. */
#define LIMIT	8
#define OPTIONS	"mode=1777,user_size=16M"
#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

RHUGEFS_FIXTURE(user_size);

/* How many pages more may be promised to a file of the current user's. */
static long room(void)
{
	int fd = own_file();
	long pages = 0;

	while (map_huge(fd, pages, 1, 0))
		pages++;
	must(errno == ENOMEM);
	must(ftruncate(fd, 0) == 0);
	close(fd);
	return pages;
}

static int has_all(void)
{
	must(room() == LIMIT);
	return 0;
}

static int has_half(void)
{
	must(room() == LIMIT / 2);
	return 0;
}

/* --- what is charged ------------------------------------------------------- */

TEST_F(user_size, each_has_his_own)
{
	char *map;
	int fd;

	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(ALICE, has_all));
	/* Root has no limit but the mount's. */
	fd = own_file();
	map = map_huge(fd, 0, LIMIT + 1, 0);
	ASSERT_NE(map, NULL);
	ASSERT_EQ(touch_pages(map, LIMIT + 1), LIMIT + 1);
	ASSERT_TRUE(works_for(ALICE, has_all));
	ASSERT_TRUE(works_for(BOB, has_all));
}

static int reserve_all(void)
{
	int fd = own_file();

	must(!map_huge(fd, 0, LIMIT + 1, 0) && errno == ENOMEM);
	must(map_huge(fd, 0, LIMIT, 0));
	must(!map_huge(own_file(), 0, 1, 0) && errno == ENOMEM);
	must(!map_private(fd, 0, 1, 0) && errno == ENOMEM);
	/* What is promised already is nothing more. */
	must(touch_pages(map_huge(fd, 0, LIMIT, 0), LIMIT) == LIMIT);
	must(room() == 0);
	must(fallocate(fd, PUNCH, 0, HUGE) == 0);
	must(room() == 1);
	must(ftruncate(fd, 0) == 0);
	must(room() == LIMIT);
	must(map_huge(fd, 0, LIMIT, 0));
	must(room() == 0);
	return 0;
}

TEST_F(user_size, reserved)
{
	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(ALICE, reserve_all));
	ASSERT_TRUE(works_for(ALICE, has_all));
}

static int fill_all(void)
{
	static char buf[HUGE];
	int fd = own_file(), i;

	must(fallocate(fd, 0, 0, LIMIT / 2 * HUGE) == 0);
	must(fallocate(fd, 0, 0, (LIMIT + 1) * HUGE) == -1 &&
	     errno == ENOSPC);
	must(room() == LIMIT / 2);
	must(lseek(fd, LIMIT / 2 * HUGE, SEEK_SET) > 0);
	for (i = LIMIT / 2; i < LIMIT; i++)
		must(write(fd, buf, HUGE) == HUGE);
	must(write(fd, buf, 1) == -1 && errno == ENOSPC);
	must(room() == 0);
	return 0;
}

TEST_F(user_size, filled)
{
	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(ALICE, fill_all));
	ASSERT_TRUE(works_for(ALICE, has_all));
}

static int fault_all(void)
{
	char *map = map_huge(own_file(), 0, LIMIT + 2, MAP_NORESERVE);

	must(touch_pages(map, LIMIT) == LIMIT);
	must(!can_write(map + LIMIT * HUGE));
	must(!can_read(map + LIMIT * HUGE));
	must(room() == 0);
	return 0;
}

TEST_F(user_size, not_reserved)
{
	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(ALICE, fault_all));
	ASSERT_TRUE(works_for(ALICE, has_all));
}

/* --- private mappings ------------------------------------------------------ */

static int map_all_privately(void)
{
	int fd = open("roots", O_RDONLY | O_CLOEXEC);
	char *map = map_private(fd, 0, LIMIT, 0);

	must(map);
	must(!map_private(fd, 0, 1, 0) && errno == ENOMEM);
	must(touch_pages(map, LIMIT) == LIMIT);
	must(room() == 0);
	must(unmap_huge(map + HUGE, 2) == 0);
	must(room() == 2);
	map = map_private(fd, 0, LIMIT, MAP_NORESERVE);
	must(map && touch_pages(map, LIMIT) == 2);
	return 0;
}

/* Who maps it is charged, whoever's file it is. */
TEST_F(user_size, private_of_anothers_file)
{
	int fd;

	mount_own(OPTIONS);
	fd = make("roots", 0644);
	ASSERT_EQ(fallocate(fd, 0, 0, LIMIT * HUGE), 0);
	ASSERT_TRUE(works_for(ALICE, map_all_privately));
	ASSERT_TRUE(works_for(ALICE, has_all));
}

/* A page for each copy that a child makes, as long as there are any. */
static int copy_in_a_child(void)
{
	char *map = map_private(own_file(), 0, LIMIT - 2, 0);
	pid_t pid;

	must(touch_pages(map, LIMIT - 2) == LIMIT - 2);
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		must(touch_pages(map, LIMIT - 2) == 2);
		must(room() == 0);
		_exit(0);
	}
	must(reap(pid) == 0);
	must(room() == 2);
	return 0;
}

TEST_F(user_size, copies_of_a_child)
{
	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(ALICE, copy_in_a_child));
	ASSERT_TRUE(works_for(ALICE, has_all));
}

/* Who inherits, and is somebody else by then, is the last to have the pages. */
TEST_F(user_size, inherited_by_another)
{
	int ends[2];
	char *map;
	pid_t pid;

	mount_own(OPTIONS);
	must(pipe(ends) == 0);
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		must(seteuid(ALICE) == 0);
		map = map_private(own_file(), 0, LIMIT / 2, 0);
		must(touch_pages(map, LIMIT / 2) == LIMIT / 2);
		must(seteuid(0) == 0);
		if (fork())
			_exit(0);
		become(BOB);
		must(room() == LIMIT);
		must(read(ends[0], map, 1) == 1 || errno == EFAULT);
		_exit(0);
	}
	must(reap(pid) == 0);
	ASSERT_TRUE(works_for(ALICE, has_half));
	ASSERT_EQ(write(ends[1], "", 1), 1);
	usleep(300000);
	ASSERT_TRUE(works_for(ALICE, has_all));
	ASSERT_TRUE(selfcheck_ok());
}

/* --- mounts on which users are others ---------------------------------------- */

/* Here he is the user SHIFT + 7, and 7 on the file system, for all that he has. */
static int map_shifted(void)
{
	char *map;
	int fd;

	must(chdir(OTHER_DIR) == 0);
	fd = own_file();
	must(map_huge(fd, 0, LIMIT / 2, 0));
	map = map_private(fd, 0, LIMIT / 2, 0);
	must(map && touch_pages(map, LIMIT / 2) == LIMIT / 2);
	must(room() == 0);
	must(!map_private(fd, 0, 1, 0) && errno == ENOMEM);
	must(unmap_huge(map, LIMIT / 2) == 0);
	must(room() == LIMIT / 2);
	return 0;
}

TEST_F(user_size, shifted)
{
	int err;

	mount_own(OPTIONS);
	err = mount_shifted(shifted_namespace());
	if (err)
		SKIP(return, "no idmapped mounts: %s", strerror(err));
	ASSERT_TRUE(works_for(SHIFT + 7, map_shifted));
	ASSERT_TRUE(works_for(7, has_all));
}

/* --- who is charged changes ------------------------------------------------- */

static int make_half(void)
{
	int fd = make("file", 0644);

	must(fallocate(fd, 0, 0, (LIMIT / 2 - 1) * HUGE) == 0);
	must(map_huge(fd, 0, LIMIT / 2, 0));
	return 0;
}

TEST_F(user_size, chown)
{
	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(ALICE, make_half));
	ASSERT_TRUE(works_for(ALICE, has_half));
	ASSERT_EQ(chown("file", BOB, -1), 0);
	ASSERT_TRUE(works_for(ALICE, has_all));
	ASSERT_TRUE(works_for(BOB, has_half));
	ASSERT_EQ(chown("file", 0, -1), 0);
	ASSERT_TRUE(works_for(BOB, has_all));
	ASSERT_EQ(chown("file", ALICE, ALICE), 0);
	ASSERT_TRUE(works_for(ALICE, has_half));
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_EQ(unlink("file"), 0);
	ASSERT_TRUE(works_for(ALICE, has_all));
}

/* Map, touch, punch and unmap until killed. */
static int use_it(void *is_private)
{
	int fd = open("file", O_RDWR | O_CLOEXEC);
	char *map;

	must(fd >= 0);
	for (;;) {
		map = is_private ? map_private(fd, 1, 2, 0) :
				   map_huge(fd, 1, 2, 0);
		must(map && touch_pages(map, 2) == 2);
		must(fallocate(fd, PUNCH, HUGE, 2 * HUGE) == 0);
		must(unmap_huge(map, 2) == 0);
	}
}

/* Each of them at any moment of what the others do. */
TEST_F_TIMEOUT(user_size, chown_beside_its_use, 60)
{
	int is_private = 1, i;
	pid_t pid[2];

	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(ALICE, make_half));
	pid[0] = spawn(use_it, NULL);
	pid[1] = spawn(use_it, &is_private);
	for (i = 0; i < 500; i++)
		ASSERT_EQ(chown("file", i % 2 ? ALICE : BOB, -1), 0);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(waitpid(pid[i], NULL, WNOHANG), 0);
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	ASSERT_TRUE(selfcheck_ok());
	ASSERT_TRUE(works_for(BOB, has_all));
	ASSERT_EQ(unlink("file"), 0);
	ASSERT_TRUE(works_for(ALICE, has_all));
}

static int make_hole(void)
{
	must(ftruncate(make("file", 0644), LIMIT / 2 * HUGE) == 0);
	return 0;
}

static int look_into_it(void)
{
	int fd = open("file", O_RDONLY | O_CLOEXEC), i;
	char *map = mmap(NULL, LIMIT / 2 * HUGE, PROT_READ, MAP_SHARED, fd, 0);

	must(map != MAP_FAILED);
	for (i = 0; i < LIMIT / 2; i++)
		must(can_read(map + i * HUGE));
	must(room() == LIMIT);
	return 0;
}

/* The documentation says who has to know it. */
TEST_F(user_size, readers_fill_holes_for_the_owner)
{
	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(ALICE, make_hole));
	ASSERT_TRUE(works_for(BOB, look_into_it));
	ASSERT_TRUE(works_for(ALICE, has_half));
	ASSERT_TRUE(works_for(BOB, has_all));
}

static int pin_and_truncate(void)
{
	struct pin pin = pin_new();
	int fd = own_file();
	char *map = map_huge(fd, 0, 1, 0);

	must(can_write(map));
	pin_add(&pin, map, 4096);
	must(ftruncate(fd, 0) == 0);
	must(room() == LIMIT - 1);
	pin_end(&pin);
	must(room() == LIMIT);
	return 0;
}

/* Whoever holds a page by a reference has it still. */
TEST_F(user_size, parked)
{
	mount_own(OPTIONS);
	ASSERT_TRUE(works_for(ALICE, pin_and_truncate));
	ASSERT_TRUE(works_for(ALICE, has_all));
}

/* --- the option -------------------------------------------------------------- */

static int remount(const char *options)
{
	return mount("none", OWN_DIR, NULL, MS_REMOUNT, options) ? errno : 0;
}

TEST_F(user_size, remount)
{
	mount_own(OPTIONS);
	ASSERT_TRUE(line_has("/proc/mounts", " " OWN_DIR " ",
			     ",user_size=16M"));
	ASSERT_EQ(remount("user_size=8M"), 0);
	ASSERT_TRUE(line_has("/proc/mounts", " " OWN_DIR " ",
			     ",user_size=8M"));
	ASSERT_TRUE(works_for(ALICE, has_half));
	/* Who has more keeps it, and gets no more. */
	ASSERT_EQ(remount("user_size=16M"), 0);
	ASSERT_TRUE(works_for(ALICE, make_half));
	ASSERT_EQ(remount("user_size=2M"), 0);
	ASSERT_FALSE(works_for(ALICE, has_half));
	ASSERT_EQ(access("file", F_OK), 0);
	ASSERT_EQ(remount("user_size=16M"), 0);
	ASSERT_TRUE(works_for(ALICE, has_half));
}

TEST_F(user_size, refused)
{
	int log = log_open();

	own_namespace();
	must(mkdir(OWN_DIR, 0755) == 0 || errno == EEXIST);
	ASSERT_EQ(mount("none", OWN_DIR, "rhugefs", 0, "user_size=1M"), -1);
	ASSERT_EQ(errno, EINVAL);
	ASSERT_TRUE(log_names(log, "user_size=1M"));
	ASSERT_EQ(mount("none", OWN_DIR, "rhugefs", 0, "user_size=some"), -1);
	ASSERT_EQ(errno, EINVAL);
	ASSERT_TRUE(log_names(log, "user_size=some"));
	/* Who has what is not known where nobody has asked. */
	mount_own("mode=1777");
	ASSERT_EQ(remount("user_size=16M"), EINVAL);
	ASSERT_TRUE(log_names(log, "user_size"));
	ASSERT_FALSE(line_has("/proc/mounts", " " OWN_DIR " ", "user_size"));
}

TEST_HARNESS_MAIN
