/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What callers find: a mount with files that they may change, and some that they may
 * not, which are the same afterwards.
 */
#ifndef RHUGEFS_CALLS_WORLD_H
#define RHUGEFS_CALLS_WORLD_H

#include "../own_mount.h"
#include "../pool_size.h"
#include "caller.h"

#define NOBODY		65534

/* What they may use, in huge pages. */
#define LIMIT		16
#define OPTIONS		"mode=1777,size=32M,nr_inodes=40"

#define KEPT_PAGES	2

/* Pages that anybody can take have been another's before. */
static inline void fill_pool_with(unsigned long secret)
{
	long pages = pool_unpromised(), i;
	unsigned long *map = (unsigned long *)map_new(pages, 0);

	must(map);
	for (i = 0; i < pages * (long)HUGE / 8; i++)
		map[i] = secret;
	must(unmap_huge((char *)map, pages) == 0);
}

/* A file of root's, with the secret if there is one. */
static inline void keep(const char *name, mode_t mode, unsigned long secret)
{
	int fd = make(name, mode);
	char *map = map_huge(fd, 0, KEPT_PAGES, 0);
	unsigned long i;

	must(map && fchmod(fd, mode) == 0);
	if (secret)
		for (i = 0; i < KEPT_PAGES * HUGE / 8; i++)
			((unsigned long *)map)[i] = secret;
	else
		bytes_stir(map, KEPT_PAGES * HUGE, mode);
	must(unmap_huge(map, KEPT_PAGES) == 0);
	close(fd);
}

static inline bool is_kept(const char *name, mode_t mode, unsigned long secret)
{
	struct stat stat = look(name);
	int fd = open(name, O_RDWR | O_CLOEXEC);
	char *map = map_huge(fd, 0, KEPT_PAGES, 0);
	bool same;

	must(fd >= 0 && map);
	if (secret)
		same = *(unsigned long *)map == secret &&
		       !memcmp(map, map + 8, KEPT_PAGES * HUGE - 8);
	else
		same = bytes_stirred(map, KEPT_PAGES * HUGE, mode);
	must(unmap_huge(map, KEPT_PAGES) == 0);
	close(fd);
	same = same && stat.st_size == (off_t)(KEPT_PAGES * HUGE) &&
	       stat.st_mode == (S_IFREG | mode) && !stat.st_uid && !stat.st_gid;
	if (!same)
		dprintf(STDOUT_FILENO,
			"# %s has changed: mode %o, size %ld, user %d\n", name,
			stat.st_mode, (long)stat.st_size, stat.st_uid);
	return same;
}

/* Where nothing is zeroed in the background it has to be when a page is handed out. */
static inline void world_begin(unsigned long secret, bool zeroes)
{
	must(zeroes || watermarks(0, 0) == 0);
	fill_pool_with(secret);
	mount_at(OWN_DIR, "rhugefs", 0, OPTIONS);
	must(chdir(OWN_DIR) == 0);
	keep("secret", 0600, secret);
	keep("public", 0644, 0);
	must(symlink("f0", "link") == 0);
}

/* Nobody calls any more: whether all is as it must be. */
static inline bool world_holds(const struct pools *before, unsigned long secret)
{
	struct pool now = pool_read();
	long used = before->all.free - before->all.resv - (now.free - now.resv);

	if (used > LIMIT)
		dprintf(STDOUT_FILENO, "# %ld pages are in use or promised\n",
			used);
	return used <= LIMIT && is_kept("secret", 0600, secret) &&
	       is_kept("public", 0644, 0) && selfcheck_ok();
}

/* What the last of the dead had open is closed when they are, or just after. */
static inline bool world_end(const struct pools *before)
{
	long end = now_ms() + POOL_PATIENCE * (is_slow() ? 4 : 1);

	must(chdir("/") == 0 && watermarks(75, 100) == 0);
	while (umount(OWN_DIR)) {
		must(errno == EBUSY && now_ms() < end);
		usleep(20000);
	}
	return pools_restored(before) && selfcheck_ok();
}

#endif
