// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure: names and mounts. See sweep.h.
 */
#include "sweep_files.h"

#include <sys/mount.h>
#include <sys/sysmacros.h>

/* --- names --------------------------------------------------------------- */

#define NAME		"swept"
#define OTHER_NAME	"swept too"

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", mnt_dir(), name);
	return path;
}

static bool name_is(const char *name, mode_t type)
{
	struct stat stat;

	if (lstat(path_of(name), &stat)) {
		must(errno == ENOENT);
		return !type;
	}
	return (stat.st_mode & S_IFMT) == type;
}

/* Links of the root: one more for each directory in it. */
static unsigned long root_links(void)
{
	struct stat root;

	must(stat(mnt_dir(), &root) == 0);
	return root.st_nlink;
}

static void prepare_root(struct scene *scene)
{
	must(name_is(NAME, 0));
	must(name_is(OTHER_NAME, 0));
	scene->got = root_links();
}

static void prepare_name(struct scene *scene)
{
	prepare_root(scene);
	scene->fd = file_named(NAME);
	file_fill(scene->fd, 0, 1);
}

static void tidy_name(struct scene *scene)
{
	must(unlink(path_of(NAME)) == 0);
	must(root_links() == scene->got);
}

static void tidy_names(struct scene *scene)
{
	scene_close(scene);
	unlink(path_of(NAME));
	unlink(path_of(OTHER_NAME));
	must(root_links() == scene->got);
}

static int act_create(struct scene *scene)
{
	int fd = open(path_of(NAME), O_CREAT | O_EXCL | O_RDWR, 0600);

	if (fd < 0)
		return errno;
	must(close(fd) == 0);
	return 0;
}

static void verify_create(struct scene *scene, int err)
{
	must(name_is(NAME, err ? 0 : S_IFREG));
	scene_moved(scene, 0, 0);
}

SWEEP(create)
{
	.least = 1,
	.errnos = { ENOMEM },
	.prepare = prepare_root,
	.act = act_create,
	.verify = verify_create,
	.tidy = tidy_name,
};

static int act_mkdir(struct scene *scene)
{
	return mkdir(path_of(NAME), 0700) ? errno : 0;
}

static void verify_mkdir(struct scene *scene, int err)
{
	must(name_is(NAME, err ? 0 : S_IFDIR));
	must(root_links() == scene->got + !err);
}

static void tidy_mkdir(struct scene *scene)
{
	must(rmdir(path_of(NAME)) == 0);
	must(root_links() == scene->got);
}

SWEEP(mkdir)
{
	.least = 1,
	.errnos = { ENOMEM },
	.prepare = prepare_root,
	.act = act_mkdir,
	.verify = verify_mkdir,
	.tidy = tidy_mkdir,
};

static int act_mknod(struct scene *scene)
{
	return mknod(path_of(NAME), S_IFCHR | 0600, makedev(1, 3)) ? errno : 0;
}

static void verify_mknod(struct scene *scene, int err)
{
	must(name_is(NAME, err ? 0 : S_IFCHR));
}

SWEEP(mknod)
{
	.least = 1,
	.errnos = { ENOMEM },
	.prepare = prepare_root,
	.act = act_mknod,
	.verify = verify_mknod,
	.tidy = tidy_name,
};

#define TARGET		"/where/a/symbolic/link/may/lead"

static int act_symlink(struct scene *scene)
{
	return symlink(TARGET, path_of(NAME)) ? errno : 0;
}

static void verify_symlink(struct scene *scene, int err)
{
	char text[64];

	must(name_is(NAME, err ? 0 : S_IFLNK));
	if (err)
		return;
	must(readlink(path_of(NAME), text, sizeof(text)) == strlen(TARGET));
	must(!memcmp(text, TARGET, strlen(TARGET)));
}

SWEEP(symlink)
{
	.least = 2,
	.errnos = { ENOMEM },
	.prepare = prepare_root,
	.act = act_symlink,
	.verify = verify_symlink,
	.tidy = tidy_name,
};

static int act_link(struct scene *scene)
{
	char from[256];

	strcpy(from, path_of(NAME));
	return link(from, path_of(OTHER_NAME)) ? errno : 0;
}

static void verify_link(struct scene *scene, int err)
{
	must(name_is(NAME, S_IFREG));
	must(name_is(OTHER_NAME, err ? 0 : S_IFREG));
	must(file_filled(scene->fd, 0, 1));
}

/* Links, other names and no name need no memory of the module's. */
SWEEP(link)
{
	.least = 0,
	.prepare = prepare_name,
	.act = act_link,
	.verify = verify_link,
	.tidy = tidy_names,
};

static int act_rename(struct scene *scene)
{
	char from[256];

	strcpy(from, path_of(NAME));
	return rename(from, path_of(OTHER_NAME)) ? errno : 0;
}

static void verify_rename(struct scene *scene, int err)
{
	must(name_is(NAME, err ? S_IFREG : 0));
	must(name_is(OTHER_NAME, err ? 0 : S_IFREG));
	must(file_filled(scene->fd, 0, 1));
}

SWEEP(rename)
{
	.least = 0,
	.prepare = prepare_name,
	.act = act_rename,
	.verify = verify_rename,
	.tidy = tidy_names,
};

/* The last name of a file that nobody has open: it ends here. */
static void prepare_unlink(struct scene *scene)
{
	prepare_name(scene);
	scene_close(scene);
}

static int act_unlink(struct scene *scene)
{
	return unlink(path_of(NAME)) ? errno : 0;
}

static void verify_unlink(struct scene *scene, int err)
{
	must(name_is(NAME, err ? S_IFREG : 0));
	scene_moved(scene, err ? 0 : -1, 0);
}

static void tidy_nothing(struct scene *scene)
{
}

SWEEP(unlink)
{
	.least = 0,
	.prepare = prepare_unlink,
	.act = act_unlink,
	.verify = verify_unlink,
	.tidy = tidy_nothing,
};

static int act_tmpfile(struct scene *scene)
{
	scene->fd = open(mnt_dir(), O_TMPFILE | O_RDWR, 0600);
	return scene->fd < 0 ? errno : 0;
}

static void verify_tmpfile(struct scene *scene, int err)
{
	if (err)
		return;
	file_fill(scene->fd, 0, 1);
	scene_moved(scene, 1, 0);
}

SWEEP(tmpfile)
{
	.least = 1,
	.errnos = { ENOMEM },
	.prepare = prepare_root,
	.act = act_tmpfile,
	.verify = verify_tmpfile,
	.tidy = scene_close,
};

/* --- mounts -------------------------------------------------------------- */

/* Another mount than the one that all else is done in. */
#define MOUNT_DIR	"/tmp/swept"

static bool mounted(struct scene *scene)
{
	must(statfs(MOUNT_DIR, &scene->statfs) == 0);
	return scene->statfs.f_type == 0x72687567;
}

static void prepare_mount(struct scene *scene)
{
	mkdir(MOUNT_DIR, 0700);
	must(!mounted(scene));
}

static int act_mount(struct scene *scene)
{
	return mount("none", MOUNT_DIR, "rhugefs", 0,
		     "nr_inodes=10,mode=0700,uid=1,gid=2,pagesize=2M") ?
		       errno : 0;
}

static void verify_mount(struct scene *scene, int err)
{
	must(mounted(scene) == !err);
	must(err || scene->statfs.f_files == 10);
}

static void tidy_mount(struct scene *scene)
{
	must(umount(MOUNT_DIR) == 0);
}

SWEEP(mount)
{
	.least = 5,
	.errnos = { ENOMEM },
	.prepare = prepare_mount,
	.act = act_mount,
	.verify = verify_mount,
	.tidy = tidy_mount,
};

static void prepare_mounted(struct scene *scene)
{
	prepare_mount(scene);
	must(act_mount(scene) == 0);
}

static int act_remount(struct scene *scene)
{
	return mount(NULL, MOUNT_DIR, NULL, MS_REMOUNT, "nr_inodes=20") ?
		       errno : 0;
}

static void verify_remount(struct scene *scene, int err)
{
	must(mounted(scene));
	must(scene->statfs.f_files == (err ? 10 : 20));
}

SWEEP(remount)
{
	.least = 1,
	.errnos = { ENOMEM },
	.prepare = prepare_mounted,
	.act = act_remount,
	.verify = verify_remount,
	.tidy = tidy_mount,
};

/* All that is in it ends with it. */
static void prepare_umount(struct scene *scene)
{
	int fd;

	prepare_mounted(scene);
	must(mkdir(MOUNT_DIR "/dir", 0700) == 0);
	fd = open(MOUNT_DIR "/dir/file", O_CREAT | O_RDWR, 0600);
	must(fd >= 0);
	file_fill(fd, 0, 1);
	must(close(fd) == 0);
}

static int act_umount(struct scene *scene)
{
	return umount(MOUNT_DIR) ? errno : 0;
}

static void verify_umount(struct scene *scene, int err)
{
	must(mounted(scene) == !!err);
	scene_moved(scene, err ? 0 : -1, 0);
}

SWEEP(umount)
{
	.least = 0,
	.prepare = prepare_umount,
	.act = act_umount,
	.verify = verify_umount,
	.tidy = tidy_nothing,
};

int main(int argc, char **argv)
{
	return sweep_with_files(argc, argv);
}
