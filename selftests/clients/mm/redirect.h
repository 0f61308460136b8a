/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What "ld --wrap" takes calls of these functions for, and how the originals are called
 * then: see redirect.c.
 */
#ifndef REDIRECT_H
#define REDIRECT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

int __wrap_memfd_create(const char *name, unsigned int flags);
void *__wrap_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
FILE *__wrap_fopen(const char *path, const char *mode);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t len);
int __wrap_madvise(void *addr, size_t len, int advice);
int __wrap_uffd_register(int uffd, void *addr, uint64_t len, bool miss, bool wp, bool minor);

int __real_memfd_create(const char *name, unsigned int flags);
void *__real_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);
FILE *__real_fopen(const char *path, const char *mode);
int __real_fallocate(int fd, int mode, off_t offset, off_t len);
int __real_madvise(void *addr, size_t len, int advice);
int __real_uffd_register(int uffd, void *addr, uint64_t len, bool miss, bool wp, bool minor);

#endif
