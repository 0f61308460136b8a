/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second mount of a test's own one, on which users are others than on the first: an
 * idmapped mount, as containers have.
 */
#ifndef RHUGEFS_SHIFTED_MOUNT_H
#define RHUGEFS_SHIFTED_MOUNT_H

#include <linux/mount.h>

#include "own_mount.h"

#define OTHER_DIR	"/tmp/own-other"
#define SHIFT		10000

static inline void write_text(pid_t pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	must(tell_kernel(path, text) == 0);
}

static inline int be_a_namespace(void *arg)
{
	must(unshare(CLONE_NEWUSER) == 0);
	sync_meet(arg);
	pause();
	return 0;
}

/* A user namespace where 0 to 999 are 10000 to 10999 outside. */
static inline int shifted_namespace(void)
{
	struct sync *sync = share(sizeof(*sync));
	char path[64];
	pid_t pid;
	int fd;

	sync->parties = 2;
	pid = spawn(be_a_namespace, sync);
	sync_meet(sync);
	write_text(pid, "uid_map", "0 10000 1000");
	write_text(pid, "gid_map", "0 10000 1000");
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0);
	return fd;
}

/* Mount OWN_DIR a second time, as others see it; an errno. */
static inline int mount_shifted(int users)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = users,
	};
	int tree = syscall(SYS_open_tree, AT_FDCWD, OWN_DIR,
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	must(tree >= 0);
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr,
		    sizeof(attr)))
		return errno;
	must(mkdir(OTHER_DIR, 0755) == 0 || errno == EEXIST);
	must(syscall(SYS_move_mount, tree, "", AT_FDCWD, OTHER_DIR,
		     MOVE_MOUNT_F_EMPTY_PATH) == 0);
	close(tree);
	return 0;
}

#endif
