/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* memory.c: aligned memory, and lists that grow. */

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

void *
cnn_aligned_alloc (size_t bytes)
{
  if (bytes > SIZE_MAX / 2)
    return NULL;
  bytes = cnn_align_up (bytes) + CNN_SLACK_BYTES;

  void *memory;
  if (posix_memalign (&memory, CNN_ALIGN_BYTES, bytes))
    return NULL;
  return memset (memory, 0, bytes);
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
