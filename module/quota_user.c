// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is charged for pages of a mount with user_size=: the owner of a file for all that
 * the file has and was promised, whoever maps it, and for a private mapping the user who
 * has made it, also for what a child gets that inherits it.
 *
 * Everywhere else, and for root, one and the same takes all charges, has no limit, and
 * costs nothing to find.
 */
#include <linux/cred.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "quota.h"

/**
 * quota_users_init() - Prepare to charge users.
 * @quota: a share in the making
 * @max_hpages: most huge pages of each user, SUBPOOL_NO_MAX where users are not told
 *	apart
 */
void quota_users_init(struct quota *quota, unsigned long max_hpages)
{
	quota->users_apart = max_hpages != SUBPOOL_NO_MAX;
	quota->user_max = max_hpages;
	quota->everybody.quota = quota;
	xa_init_flags(&quota->users, XA_FLAGS_ACCOUNT);
}

/**
 * quota_users_exit() - End what quota_users_init() has begun.
 * @quota: a share that charges nobody any more
 */
void quota_users_exit(struct quota *quota)
{
	/* Where memory was short a node may be left that has no user. */
	xa_destroy(&quota->users);
}

static struct quota_user *quota_user_find(struct quota *quota, kuid_t uid)
{
	struct quota_user *user;

	xa_lock(&quota->users);
	user = xa_load(&quota->users, __kuid_val(uid));
	if (user)
		user->ref++;
	xa_unlock(&quota->users);
	return user;
}

/**
 * quota_user_get() - Find who is to be charged.
 * @quota: the mount's share
 * @uid: whose page or promise it will be
 *
 * Context: may sleep.
 * Return: the user, for quota_user_put(), or NULL where memory is short.
 */
struct quota_user *quota_user_get(struct quota *quota, kuid_t uid)
{
	struct quota_user *user, *new;
	int err;

	if (!quota->users_apart || uid_eq(uid, GLOBAL_ROOT_UID))
		return &quota->everybody;
	user = quota_user_find(quota, uid);
	if (user)
		return user;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return NULL;
	new->quota = quota;
	new->uid = uid;
	new->ref = 1;
	do {
		err = xa_insert(&quota->users, __kuid_val(uid), new,
				GFP_KERNEL);
		if (!err)
			return new;
		user = quota_user_find(quota, uid);
	} while (err == -EBUSY && !user);
	kfree(new);
	return user;
}

/**
 * quota_user_hold() - Keep who is charged for one more.
 * @user: a user who is held already
 *
 * Return: the same.
 */
struct quota_user *quota_user_hold(struct quota_user *user)
{
	struct quota *quota = user->quota;

	if (user == &quota->everybody)
		return user;
	xa_lock(&quota->users);
	user->ref++;
	xa_unlock(&quota->users);
	return user;
}

/**
 * quota_user_put() - Let go of who was charged.
 * @user: a user who is held, and not charged any more for what he was held for
 */
void quota_user_put(struct quota_user *user)
{
	struct quota *quota = user->quota;
	bool last;

	if (user == &quota->everybody)
		return;
	xa_lock(&quota->users);
	last = !--user->ref;
	if (last)
		__xa_erase(&quota->users, __kuid_val(user->uid));
	xa_unlock(&quota->users);
	if (!last)
		return;
	WARN_ON_ONCE(user->used_hpages);
	kfree(user);
}

/**
 * quota_user_charged() - What all users together are charged for.
 * @quota: the mount's share
 *
 * Return: huge pages; the sum of moments that differ where others are at work.
 */
unsigned long quota_user_charged(struct quota *quota)
{
	struct quota_user *user;
	unsigned long uid, sum;

	sum = READ_ONCE(quota->everybody.used_hpages);
	xa_lock(&quota->users);
	xa_for_each(&quota->users, uid, user)
		sum += READ_ONCE(user->used_hpages);
	xa_unlock(&quota->users);
	return sum;
}
