/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memory.c: aligned memory, and lists that grow. */

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

static size_t
with_slack (size_t bytes)
{
  return cnn_align_up (bytes) + CNN_SLACK_BYTES;
}

void *
cnn_aligned_reserve (size_t bytes)
{
  void *memory;
  if (bytes > SIZE_MAX / 2
      || posix_memalign (&memory, CNN_ALIGN_BYTES, with_slack (bytes)))
    return NULL;
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
