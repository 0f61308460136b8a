/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mount of the test's own, in a namespace of its own: it ends with the test, however
 * that ends.
 */
#ifndef RHUGEFS_OWN_MOUNT_H
#define RHUGEFS_OWN_MOUNT_H

#include <grp.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "rhugefs_test.h"

#define OWN_DIR	"/tmp/own"

static inline void own_namespace(void)
{
	must(unshare(CLONE_NEWNS) == 0);
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

static inline void mount_at(const char *dir, const char *type,
			    unsigned long flags, const char *options)
{
	must(mkdir(dir, 0755) == 0 || errno == EEXIST);
	must(mount("none", dir, type, flags, options) == 0);
}

/* Mount, and be in it. */
static inline void mount_own(const char *options)
{
	own_namespace();
	mount_at(OWN_DIR, "rhugefs", 0, options);
	must(chdir(OWN_DIR) == 0);
}

/* Whether some line of a file of the kernel's has both. */
static inline bool line_has(const char *path, const char *one,
			    const char *other)
{
	FILE *file = fopen(path, "re");
	char line[512];
	bool found = false;

	must(file);
	while (fgets(line, sizeof(line), file))
		found |= strstr(line, one) && strstr(line, other);
	fclose(file);
	return found;
}

/* --- users in it ---------------------------------------------------------- */

static inline void become(uid_t user)
{
	must(setgroups(0, NULL) == 0 && setresgid(user, user, user) == 0 &&
	     setresuid(user, user, user) == 0);
}

/* Whether @work succeeds in the name of a user; it ends with 0 then. */
static inline bool works_for(uid_t user, int (*work)(void))
{
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid) {
		become(user);
		_exit(work());
	}
	return reap(pid) == 0;
}

/* --- files in it --------------------------------------------------------- */

/* A file without a name, of whoever makes it. */
static inline int own_file(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	must(fd >= 0);
	return fd;
}

static inline int make(const char *name, mode_t mode)
{
	int fd = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode);

	must(fd >= 0);
	return fd;
}

static inline struct stat look(const char *name)
{
	struct stat stat = { 0 };

	must(fstatat(AT_FDCWD, name, &stat, AT_SYMLINK_NOFOLLOW) == 0);
	return stat;
}

#endif
