/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memory.c: aligned memory, and lists that grow. */

#define _GNU_SOURCE /* madvise */

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/size.h"

static size_t
with_slack (size_t bytes)
{
  return cnn_align_up (bytes) + CNN_SLACK_BYTES;
}

/* Large blocks in huge pages, where the system has them: written sooner, found
 * faster. */
void *
cnn_aligned_reserve (size_t bytes)
{
  bool large = bytes >= CNN_HUGE_PAGE_BYTES;
  void *memory;
  if (bytes > SIZE_MAX / 2
      || posix_memalign (&memory, large ? CNN_HUGE_PAGE_BYTES : CNN_ALIGN_BYTES,
          with_slack (bytes)))
    return NULL;
#ifdef MADV_HUGEPAGE
  if (large)
    madvise (memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

void *
cnn_aligned_alloc (size_t bytes)
{
  void *memory = cnn_aligned_reserve (bytes);
  return memory ? memset (memory, 0, with_slack (bytes)) : NULL;
}

bool
cnn_list_grow (void *list, size_t count, size_t *room, size_t element_bytes)
{
  if (count < *room)
    return true;

  size_t more = *room ? *room : 4, bytes;
  if (!cnn_size_mul (more, 2, &more)
      || !cnn_size_mul (more, element_bytes, &bytes))
    return false;
  void **slot = list;
  void *grown = realloc (*slot, bytes);
  if (!grown)
    return false;
  *slot = grown;
  *room = more;
  return true;
}
