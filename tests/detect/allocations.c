/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* allocations.c: stands in front of glibc's allocator and counts. */

#include "allocations.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define OTHER_ALLOCATOR 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define OTHER_ALLOCATOR 1
#endif

#ifdef OTHER_ALLOCATOR

long
allocations_count (void)
{
  return -1;
}

#else

static atomic_long calls;

void *__libc_malloc (size_t bytes);
void *__libc_calloc (size_t count, size_t bytes);
void *__libc_realloc (void *memory, size_t bytes);
void *__libc_memalign (size_t alignment, size_t bytes);

long
allocations_count (void)
{
  return atomic_load (&calls);
}

void *
malloc (size_t bytes)
{
  atomic_fetch_add (&calls, 1);
  return __libc_malloc (bytes);
}

void *
calloc (size_t count, size_t bytes)
{
  atomic_fetch_add (&calls, 1);
  return __libc_calloc (count, bytes);
}

void *
realloc (void *memory, size_t bytes)
{
  atomic_fetch_add (&calls, 1);
  return __libc_realloc (memory, bytes);
}

int
posix_memalign (void **memory, size_t alignment, size_t bytes)
{
  atomic_fetch_add (&calls, 1);
  void *made = __libc_memalign (alignment, bytes);
  if (!made)
    return ENOMEM;
  *memory = made;
  return 0;
}

#endif
