/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memory.h: aligned memory, and lists that grow. */

#ifndef CNN_BASE_MEMORY_H
#define CNN_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/** CNN_ALIGN_BYTES: alignment of every tensor: a cache line, a zmm register. */
#define CNN_ALIGN_BYTES 64

/** CNN_SLACK_BYTES: kernels may read, never write, this far past the last
 * element of any tensor of a session; every block from cnn_aligned_alloc() is
 * that much longer than asked for. What is read there is never used. */
#define CNN_SLACK_BYTES 512

/** CNN_HUGE_PAGE_BYTES: blocks from here on are advised to be huge pages. */
#define CNN_HUGE_PAGE_BYTES ((size_t) 2 << 20)

/** cnn_align_up: Returns: @bytes rounded up to CNN_ALIGN_BYTES. */
static inline size_t
cnn_align_up (size_t bytes)
{
  return (bytes + CNN_ALIGN_BYTES - 1) & ~(size_t) (CNN_ALIGN_BYTES - 1);
}

/**
 * cnn_aligned_alloc:
 * @bytes: may be 0
 *
 * Returns: (nullable): zeroed, aligned memory with slack behind it; release
 * with free(). NULL if there is none, or @bytes is absurd.
 */
void *cnn_aligned_alloc (size_t bytes);

/** cnn_aligned_reserve: as cnn_aligned_alloc(), but not zeroed: what is never
 * written need never be there. */
void *cnn_aligned_reserve (size_t bytes);

/** cnn_copy: memcpy() that allows NULL where @bytes is 0. */
static inline void
cnn_copy (void *to, const void *from, size_t bytes)
{
  if (bytes)
    memcpy (to, from, bytes);
}

/**
 * cnn_list_grow:
 * @list: pointer to a malloc'ed array of @count elements, or to NULL
 * @count: elements in use
 * @room: (inout): elements it has room for
 *
 * Makes room for one more element, doubling.
 *
 * Returns: false if there is no memory; the list is as it was.
 */
bool
cnn_list_grow (void *list, size_t count, size_t *room, size_t element_bytes);

#endif
