/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* strided.c: elements in another order, in loops over strides. Loops that run
 * on in both tensors are one; inner runs of whole blocks are copied at once. */

#include "ops/strided.h"

#include <string.h>

void
cnn_strides (const CnnShape *shape, int64_t *steps)
{
  int64_t step = 1;
  for (int i = shape->rank - 1; i >= 0; i--) {
    steps[i] = step;
    step *= shape->dims[i];
  }
}

void
cnn_strided_add_loop (CnnStrided *s, int64_t size, int64_t step)
{
  int last = s->rank - 1;
  if (size == 1)
    return;
  if (last >= 0 && s->steps[last] == step * size) {
    s->dims[last] *= size;
    s->steps[last] = step;
    return;
  }
  s->dims[s->rank] = size;
  s->steps[s->rank++] = step;
}

static bool
is_empty (const CnnStrided *s)
{
  for (int i = 0; i < s->rank; i++)
    if (!s->dims[i])
      return true;
  return false;
}

#define COPY(type)                                                             \
  do {                                                                         \
    const type *x = (const type *) from;                                       \
    type *y = (type *) to;                                                     \
    for (int64_t i = 0; i < n; i++)                                            \
      y[i] = x[i * step];                                                      \
  } while (0)

static void
copy_run (const char *from, int64_t step, char *to, int64_t n, size_t bytes)
{
  if (step == 1)
    memcpy (to, from, (size_t) n * bytes);
  else if (bytes == 1)
    COPY (uint8_t);
  else if (bytes == 2)
    COPY (uint16_t);
  else if (bytes == 4)
    COPY (uint32_t);
  else
    COPY (uint64_t);
}

void
cnn_strided_get (const CnnStrided *s, const void *from, void *dense,
    size_t bytes)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 }, at = s->offset;
  int64_t n = s->rank ? s->dims[s->rank - 1] : 1;
  int64_t step = s->rank ? s->steps[s->rank - 1] : 1;
  char *to = dense;
  if (is_empty (s))
    return;
  do {
    copy_run ((const char *) from + at * (int64_t) bytes, step, to, n, bytes);
    to += (size_t) n * bytes;
  } while (cnn_strided_next (s, s->rank - 1, index, &at));
}

void
cnn_strided_add (const CnnStrided *s, const float *dense, float *to)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 }, at = s->offset;
  int64_t n = s->rank ? s->dims[s->rank - 1] : 1;
  int64_t step = s->rank ? s->steps[s->rank - 1] : 1;
  if (is_empty (s))
    return;
  do {
    for (int64_t i = 0; i < n; i++)
      to[at + i * step] += *dense++;
  } while (cnn_strided_next (s, s->rank - 1, index, &at));
}
