// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names and attributes: every kind of file, every way to give, change and take a name,
 * who may, and what is told of it afterwards. What is expected is what tmpfs does.
 */
#include <dirent.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>

#include "own_mount.h"

RHUGEFS_FIXTURE(files);

static void touch(const char *name)
{
	close(make(name, 0644));
}

static bool there(const char *name)
{
	struct stat stat;

	return lstat(name, &stat) == 0;
}

static long inodes_free(void)
{
	struct statfs stat;

	must(statfs(".", &stat) == 0);
	return stat.f_ffree;
}

/* A whiteout is a device that cannot be. */
static bool is_whiteout(const char *name)
{
	struct stat stat = look(name);

	return S_ISCHR(stat.st_mode) && stat.st_rdev == 0;
}

/* How many entries of a directory are called so. */
static int entries(const char *dir, const char *name)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	int count = 0;

	must(stream);
	while ((entry = readdir(stream)))
		count += !strcmp(entry->d_name, name);
	closedir(stream);
	return count;
}

/* --- kinds --------------------------------------------------------------- */

/* What makedev() makes, but constant. */
#define DEVICE(major, minor)						\
	(((minor) & 0xff) | (major) << 8 | ((minor) & ~0xff) << 12)

static const struct {
	const char *name;
	mode_t mode;
	dev_t dev;
} kinds[] = {
	{ "regular", S_IFREG | 0640, 0 },
	{ "typeless", 0600, 0 },
	{ "fifo", S_IFIFO | 0604, 0 },
	{ "socket", S_IFSOCK | 0666, 0 },
	{ "null", S_IFCHR | 0666, DEVICE(1, 3) },
	{ "whiteout", S_IFCHR, 0 },
	{ "block", S_IFBLK | 0600, DEVICE(7, 300) },
};

TEST_F(files, every_kind)
{
	struct stat stat;
	size_t i;

	mount_own(NULL);
	umask(0);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		ASSERT_EQ(mknod(kinds[i].name, kinds[i].mode, kinds[i].dev), 0);
		stat = look(kinds[i].name);
		ASSERT_EQ(stat.st_mode, kinds[i].mode & S_IFMT ?
			  kinds[i].mode : kinds[i].mode | S_IFREG);
		ASSERT_EQ(stat.st_rdev, kinds[i].dev);
		ASSERT_EQ(stat.st_nlink, 1);
		ASSERT_EQ(stat.st_size, 0);
		ASSERT_FAILS(mknod(kinds[i].name, kinds[i].mode, kinds[i].dev),
			     EEXIST);
	}
	ASSERT_FAILS(mknod("dir", S_IFDIR | 0755, 0), EPERM);
	ASSERT_FAILS(mknod("link", S_IFLNK | 0755, 0), EINVAL);
	ASSERT_FAILS(mknod("odd", S_IFMT | 0755, 0), EINVAL);
	ASSERT_FAILS(open("whiteout", O_RDONLY), ENXIO);
	ASSERT_FAILS(open("socket", O_RDONLY), ENXIO);
	ASSERT_FAILS(open("regular/x", O_RDONLY), ENOTDIR);
}

TEST_F(files, fifos_sockets_and_devices_work)
{
	struct sockaddr_un addr = { AF_UNIX, "socket" };
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client, fd;
	char byte = 0;

	mount_own(NULL);
	ASSERT_EQ(mkfifo("fifo", 0600), 0);
	fd = open("fifo", O_RDWR);
	ASSERT_EQ(write(fd, "f", 1), 1);
	ASSERT_EQ(read(fd, &byte, 1), 1);
	ASSERT_EQ(byte, 'f');
	ASSERT_EQ(mknod("zero", S_IFCHR | 0600, DEVICE(1, 5)), 0);
	fd = open("zero", O_RDWR);
	ASSERT_EQ(read(fd, &byte, 1), 1);
	ASSERT_EQ(byte, 0);
	if (server < 0)
		SKIP(return, "no sockets: %s", strerror(errno));
	ASSERT_EQ(bind(server, (void *)&addr, sizeof(addr)), 0);
	ASSERT_EQ(listen(server, 1), 0);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	ASSERT_EQ(connect(client, (void *)&addr, sizeof(addr)), 0);
	ASSERT_EQ(write(client, "s", 1), 1);
	ASSERT_EQ(read(accept(server, NULL, NULL), &byte, 1), 1);
	ASSERT_EQ(byte, 's');
	ASSERT_POOL(0, 0);
}

TEST_F(files, directories)
{
	mount_own(NULL);
	ASSERT_EQ(look(".").st_nlink, 2);
	ASSERT_EQ(mkdir("dir", 0700), 0);
	ASSERT_EQ(mkdir("dir/in", 0700), 0);
	ASSERT_EQ(look("dir").st_nlink, 3);
	touch("dir/file");
	ASSERT_EQ(look("dir").st_nlink, 3);
	ASSERT_FAILS(mkdir("dir", 0700), EEXIST);
	ASSERT_FAILS(rmdir("dir"), ENOTEMPTY);
	ASSERT_FAILS(rmdir("dir/file"), ENOTDIR);
	ASSERT_FAILS(rmdir("dir/in/."), EINVAL);
	ASSERT_FAILS(unlink("dir/in"), EISDIR);
	ASSERT_EQ(rmdir("dir/in"), 0);
	ASSERT_EQ(look("dir").st_nlink, 2);
	ASSERT_EQ(unlink("dir/file"), 0);
	ASSERT_EQ(chdir("dir"), 0);
	ASSERT_EQ(rmdir("../dir"), 0);
	/* Somebody is still in it. */
	ASSERT_FAILS(open("file", O_CREAT | O_RDWR, 0600), ENOENT);
	ASSERT_FAILS(mkdir("dir", 0700), ENOENT);
	ASSERT_EQ(look(".").st_nlink, 0);
	ASSERT_EQ(look("..").st_nlink, 2);
}

/* --- links --------------------------------------------------------------- */

TEST_F(files, symbolic_links)
{
	static char target[PATH_MAX + 1], back[PATH_MAX + 1];
	char name[32], to[32] = "file";
	int i;

	mount_own(NULL);
	memset(target, 'x', PATH_MAX);
	ASSERT_FAILS(symlink(target, "long"), ENAMETOOLONG);
	ASSERT_FAILS(symlink("", "none"), ENOENT);
	target[PATH_MAX - 1] = '\0';
	ASSERT_EQ(symlink(target, "long"), 0);
	ASSERT_EQ(look("long").st_size, PATH_MAX - 1);
	ASSERT_EQ(look("long").st_mode, S_IFLNK | 0777);
	ASSERT_EQ(readlink("long", back, PATH_MAX), PATH_MAX - 1);
	ASSERT_EQ(strcmp(target, back), 0);
	ASSERT_EQ(readlink("long", back, 3), 3);
	ASSERT_FAILS(open("long", O_RDONLY), ENAMETOOLONG);
	ASSERT_EQ(symlink("self", "self"), 0);
	ASSERT_FAILS(open("self", O_RDONLY), ELOOP);
	touch("file");
	/* The kernel follows 40, and not one more. */
	for (i = 0; i < 41; i++) {
		snprintf(name, sizeof(name), "chain%d", i);
		ASSERT_EQ(symlink(to, name), 0);
		strcpy(to, name);
	}
	ASSERT_LE(0, open("chain39", O_RDWR));
	ASSERT_FAILS(open("chain40", O_RDWR), ELOOP);
	ASSERT_FAILS(open("chain0", O_RDWR | O_NOFOLLOW), ELOOP);
	ASSERT_FAILS(readlink("file", back, 10), EINVAL);
}

TEST_F(files, links)
{
	/* More than 16 bits count, where that does not take minutes. */
	int many = is_slow() ? 3000 : 66000, fd, i;
	char name[32];

	mount_own("nr_inodes=10");
	fd = make("file", 0600);
	ASSERT_EQ(pwrite(fd, "x", 1, 0), 1);
	ASSERT_EQ(mkdir("dir", 0700), 0);
	ASSERT_FAILS(link("dir", "dir2"), EPERM);
	ASSERT_FAILS(link("file", "dir"), EEXIST);
	ASSERT_FAILS(link("none", "dir2"), ENOENT);
	ASSERT_FAILS(link("file", "/tmp/file"), EXDEV);
	/* No other count of the mount than its inodes is limited, nor that of names. */
	for (i = 0; i < many; i++) {
		snprintf(name, sizeof(name), "dir/%d", i);
		must(link("file", name) == 0);
	}
	ASSERT_EQ(look("file").st_nlink, many + 1);
	ASSERT_EQ(inodes_free(), 7);
	ASSERT_EQ(look(name).st_ino, look("file").st_ino);
	for (i = 0; i < many; i++) {
		snprintf(name, sizeof(name), "dir/%d", i);
		must(unlink(name) == 0);
	}
	ASSERT_EQ(look("file").st_nlink, 1);
	ASSERT_POOL(1, 0);
}

TEST_F(files, temporary_files_get_names)
{
	char path[64], byte;
	struct stat stat;
	int fd;

	mount_own("nr_inodes=4");
	fd = open(".", O_TMPFILE | O_RDWR, 0640);
	ASSERT_EQ(pwrite(fd, "a", 1, HUGE), 1);
	ASSERT_EQ(fstat(fd, &stat), 0);
	ASSERT_EQ(stat.st_nlink, 0);
	ASSERT_EQ(inodes_free(), 2);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ASSERT_EQ(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW),
		  0);
	ASSERT_EQ(look("named").st_nlink, 1);
	ASSERT_FAILS(linkat(fd, "", AT_FDCWD, "named", AT_EMPTY_PATH), EEXIST);
	ASSERT_EQ(linkat(fd, "", AT_FDCWD, "again", AT_EMPTY_PATH), 0);
	ASSERT_EQ(look("again").st_nlink, 2);
	close(fd);
	ASSERT_EQ(pread(open("again", O_RDONLY), &byte, 1, HUGE), 1);
	ASSERT_EQ(byte, 'a');
	fd = open(".", O_TMPFILE | O_EXCL | O_RDWR, 0640);
	ASSERT_LE(0, fd);
	ASSERT_FAILS(linkat(fd, "", AT_FDCWD, "third", AT_EMPTY_PATH), ENOENT);
	ASSERT_EQ(inodes_free(), 1);
	close(fd);
	ASSERT_EQ(inodes_free(), 2);
	ASSERT_FAILS(open(".", O_TMPFILE | O_RDONLY, 0640), EINVAL);
	ASSERT_FAILS(open("named", O_TMPFILE | O_RDWR, 0640), ENOTDIR);
}

TEST_F(files, unlinked_while_open)
{
	struct stat stat;
	char byte;
	int fd;

	mount_own("nr_inodes=3");
	fd = make("file", 0600);
	ASSERT_EQ(pwrite(fd, "x", 1, HUGE), 1);
	ASSERT_EQ(unlink("file"), 0);
	ASSERT_FALSE(there("file"));
	ASSERT_EQ(fstat(fd, &stat), 0);
	ASSERT_EQ(stat.st_nlink, 0);
	ASSERT_EQ(pwrite(fd, "y", 1, 0), 1);
	ASSERT_EQ(pread(fd, &byte, 1, HUGE), 1);
	ASSERT_EQ(byte, 'x');
	ASSERT_POOL(2, 0);
	ASSERT_EQ(inodes_free(), 1);
	touch("file");
	ASSERT_EQ(inodes_free(), 0);
	close(fd);
	ASSERT_EQ(inodes_free(), 1);
	ASSERT_POOL(0, 0);
}

/* --- rename -------------------------------------------------------------- */

static int rename_with(const char *from, const char *to, unsigned int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void rename_scene(const char *options)
{
	mount_own(options);
	touch("a");
	touch("b");
	must(mkdir("empty", 0700) == 0 && mkdir("full", 0700) == 0 &&
	     mkdir("full/sub", 0700) == 0);
	touch("full/file");
}

static const struct {
	const char *from;
	const char *to;
	unsigned int flags;
	int error;
} renames[] = {
	{ "none", "c", 0, ENOENT },
	{ "a", "none/c", 0, ENOENT },
	{ "a", "b/c", 0, ENOTDIR },
	{ "a", "empty", 0, EISDIR },
	{ "empty", "a", 0, ENOTDIR },
	{ "empty", "full", 0, ENOTEMPTY },
	{ "full", "full/sub/in", 0, EINVAL },
	{ "full/sub", "full", 0, ENOTEMPTY },
	{ "a", ".", 0, EBUSY },
	{ "a", "/tmp/elsewhere", 0, EXDEV },
	{ "a", "b", RENAME_NOREPLACE, EEXIST },
	{ "a", "a", RENAME_NOREPLACE, EEXIST },
	{ "empty", "full", RENAME_NOREPLACE, EEXIST },
	{ "a", "none", RENAME_EXCHANGE, ENOENT },
	{ "full", "full/sub", RENAME_EXCHANGE, EINVAL },
	{ "full/sub", "full", RENAME_EXCHANGE, EINVAL },
	{ "empty", "full", RENAME_WHITEOUT, ENOTEMPTY },
	{ "none", "b", RENAME_WHITEOUT, ENOENT },
	{ "a", "b", RENAME_WHITEOUT | RENAME_NOREPLACE, EEXIST },
	{ "a", "b", RENAME_NOREPLACE | RENAME_EXCHANGE, EINVAL },
	{ "a", "b", RENAME_WHITEOUT | RENAME_EXCHANGE, EINVAL },
	{ "a", "b", 1U << 3, EINVAL },
	{ "a", "c", 1U << 31, EINVAL },
};

TEST_F(files, refused_renames)
{
	long inodes;
	size_t i;

	rename_scene("nr_inodes=100");
	inodes = inodes_free();
	for (i = 0; i < sizeof(renames) / sizeof(*renames); i++) {
		errno = 0;
		ASSERT_EQ(rename_with(renames[i].from, renames[i].to,
				      renames[i].flags), -1)
			TH_LOG("row %zu", i);
		ASSERT_EQ(errno, renames[i].error)
			TH_LOG("row %zu", i);
		ASSERT_EQ(inodes_free(), inodes);
		ASSERT_TRUE(there("a") && there("b") && there("empty") &&
			    there("full/sub") && there("full/file"));
		ASSERT_EQ(look("full").st_nlink, 3);
	}
}

TEST_F(files, renames)
{
	ino_t a, b;

	rename_scene(NULL);
	a = look("a").st_ino;
	b = look("b").st_ino;
	ASSERT_EQ(rename_with("a", "b", RENAME_EXCHANGE), 0);
	ASSERT_EQ(look("a").st_ino, b);
	ASSERT_EQ(look("b").st_ino, a);
	/* A directory and a file change places, and the counts of the parents with them. */
	ASSERT_EQ(rename_with("a", "full/sub", RENAME_EXCHANGE), 0);
	ASSERT_EQ(look("full/sub").st_ino, b);
	ASSERT_EQ(look("full").st_nlink, 2);
	ASSERT_EQ(look(".").st_nlink, 5);
	ASSERT_EQ(rmdir("a"), 0);
	ASSERT_EQ(rename_with("b", "a", RENAME_NOREPLACE), 0);
	ASSERT_EQ(look("a").st_ino, a);
	/* Two names of one file: nothing happens. */
	ASSERT_EQ(link("a", "b"), 0);
	ASSERT_EQ(rename("a", "b"), 0);
	ASSERT_TRUE(there("a") && there("b"));
	ASSERT_EQ(mkdir("other", 0700), 0);
	ASSERT_EQ(rename("other", "empty"), 0);
	ASSERT_EQ(rename("empty", "full/dir"), 0);
	ASSERT_EQ(look("full").st_nlink, 3);
	ASSERT_EQ(look(".").st_nlink, 3);
}

TEST_F(files, whiteouts)
{
	ino_t a;

	rename_scene("nr_inodes=9");
	a = look("a").st_ino;
	ASSERT_EQ(inodes_free(), 2);
	ASSERT_EQ(rename_with("a", "c", RENAME_WHITEOUT), 0);
	ASSERT_TRUE(is_whiteout("a"));
	ASSERT_EQ(look("c").st_ino, a);
	ASSERT_EQ(entries(".", "a"), 1);
	ASSERT_EQ(entries(".", "c"), 1);
	ASSERT_EQ(inodes_free(), 1);
	/* Over a file: one inode goes, one comes. */
	ASSERT_EQ(rename_with("c", "b", RENAME_WHITEOUT), 0);
	ASSERT_EQ(look("b").st_ino, a);
	ASSERT_TRUE(is_whiteout("c"));
	ASSERT_EQ(inodes_free(), 1);
	ASSERT_EQ(rename_with("full", "empty", RENAME_WHITEOUT), 0);
	ASSERT_TRUE(is_whiteout("full"));
	ASSERT_TRUE(there("empty/file"));
	ASSERT_EQ(look(".").st_nlink, 3);
	touch("last");
	/* No inode for it: nothing is moved. */
	ASSERT_EQ(inodes_free(), 0);
	ASSERT_FAILS(rename_with("last", "new", RENAME_WHITEOUT), ENOSPC);
	ASSERT_TRUE(there("last"));
	ASSERT_FALSE(there("new"));
	ASSERT_EQ(unlink("a"), 0);
	ASSERT_FALSE(there("a"));
	ASSERT_EQ(rename("c", "full"), 0);
	ASSERT_EQ(inodes_free(), 2);
}

/* --- how many there may be ----------------------------------------------- */

TEST_F(files, inodes_of_every_kind)
{
	char name[16];
	size_t i;

	mount_own("nr_inodes=12");
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		ASSERT_EQ(mknod(kinds[i].name, kinds[i].mode, kinds[i].dev), 0);
	ASSERT_EQ(symlink("x", "symlink"), 0);
	ASSERT_EQ(mkdir("dir", 0700), 0);
	ASSERT_EQ(inodes_free(), 2);
	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "dir/%zu", i);
		touch(name);
	}
	ASSERT_FAILS(symlink("x", "dir/x"), ENOSPC);
	ASSERT_FAILS(mkdir("dir/x", 0700), ENOSPC);
	ASSERT_FAILS(mkfifo("dir/x", 0700), ENOSPC);
	ASSERT_FAILS(open("dir/x", O_CREAT | O_RDWR, 0600), ENOSPC);
	ASSERT_FAILS(open(".", O_TMPFILE | O_RDWR, 0600), ENOSPC);
	ASSERT_EQ(link("dir/0", "dir/x"), 0);
	ASSERT_EQ(unlink("dir/x"), 0);
	ASSERT_EQ(inodes_free(), 0);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		ASSERT_EQ(unlink(kinds[i].name), 0);
	ASSERT_EQ(unlink("symlink"), 0);
	ASSERT_EQ(inodes_free(), 8);
}

/* --- reading directories ------------------------------------------------- */

#define STAYING	2000

/* Come and go between those that stay. */
static int come_and_go(void *arg)
{
	unsigned long *state = arg;
	char name[32];

	for (;;) {
		snprintf(name, sizeof(name), "many/x%lu", chance_of(state, 500));
		if (chance_of(state, 2))
			must(mknod(name, S_IFREG | 0600, 0) == 0 ||
			     errno == EEXIST);
		else
			must(unlink(name) == 0 || errno == ENOENT);
	}
	return 0;
}

static void make_many(void)
{
	char name[32];
	int i;

	must(mkdir("many", 0700) == 0);
	for (i = 0; i < STAYING; i++) {
		snprintf(name, sizeof(name), "many/s%d", i);
		touch(name);
	}
}

/* Whether each that stays is seen, once. */
static bool all_seen_once(DIR *stream)
{
	static unsigned char seen[STAYING];
	struct dirent *entry;
	int i;

	memset(seen, 0, STAYING);
	rewinddir(stream);
	while ((entry = readdir(stream)))
		if (entry->d_name[0] == 's')
			seen[atoi(entry->d_name + 1)]++;
	for (i = 0; i < STAYING && seen[i] == 1; i++)
		;
	return i == STAYING;
}

TEST_F_TIMEOUT(files, readdir_while_others_come_and_go, 60)
{
	unsigned long state[2];
	DIR *stream;
	pid_t pid[2];
	int i;

	state[0] = seed_get();
	state[1] = state[0] + 1;
	mount_own(NULL);
	make_many();
	stream = opendir("many");
	for (i = 0; i < 2; i++)
		pid[i] = spawn(come_and_go, &state[i]);
	for (i = 0; i < 50; i++)
		ASSERT_TRUE(all_seen_once(stream));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(kill(pid[i], SIGKILL), 0);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(waitpid(pid[i], NULL, 0), pid[i]);
}

TEST_F(files, telldir_and_seekdir)
{
	static char name[STAYING + 3][256];
	static long place[STAYING + 3];
	unsigned long state = seed_get();
	struct dirent *entry;
	int i, n = 0;
	DIR *stream;

	mount_own(NULL);
	make_many();
	stream = opendir("many");
	for (;;) {
		place[n] = telldir(stream);
		entry = readdir(stream);
		if (!entry)
			break;
		must(n < STAYING + 2);
		strcpy(name[n++], entry->d_name);
	}
	ASSERT_EQ(n, STAYING + 2);
	for (i = 0; i < 300; i++) {
		n = chance_of(&state, STAYING + 2);
		seekdir(stream, place[n]);
		entry = readdir(stream);
		ASSERT_NE(entry, NULL);
		ASSERT_EQ(strcmp(entry->d_name, name[n]), 0);
	}
}

TEST_HARNESS_MAIN
