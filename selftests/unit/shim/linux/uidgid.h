/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of users, as far as the tests need them. */
#ifndef SHIM_LINUX_UIDGID_H
#define SHIM_LINUX_UIDGID_H

#ifndef kuid_t
struct shim_kuid {
	unsigned int val;
};

#define kuid_t	struct shim_kuid
#endif

#endif
