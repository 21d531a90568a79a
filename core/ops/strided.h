/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* strided.h (internal): elements in another order, in loops over strides. */

#ifndef CNN_OPS_STRIDED_H
#define CNN_OPS_STRIDED_H

#include "ops/op.h"

/** CNN_STRIDED_LOOPS: Tile has two for each dimension. */
#define CNN_STRIDED_LOOPS (2 * CNN_MAX_RANK)

/**
 * CnnStrided:
 * @dims: sizes of the loops, outermost first
 * @steps: elements of the other tensor from one to the next, may be negative
 *   or 0
 * @offset: its first element
 *
 * A dense tensor, all of it in row-major order, beside one with strides.
 */
typedef struct
{
  int rank;
  int64_t dims[CNN_STRIDED_LOOPS], steps[CNN_STRIDED_LOOPS], offset;
} CnnStrided;

/** cnn_strides: @steps: (out): of a dense tensor of @shape, in elements. */
void cnn_strides (const CnnShape *shape, int64_t *steps);

/** cnn_strided_add_loop: one more loop, inside those that are there. */
void cnn_strided_add_loop (CnnStrided *strided, int64_t size, int64_t step);

/**
 * cnn_strided_next:
 * @loops: how many of the loops count, from the outermost
 * @index: counts them; zeros to begin with
 * @at: the element; @offset, or wherever the walk begins
 *
 * Returns: false after the last element; both are as they began then.
 */
static inline bool
cnn_strided_next (const CnnStrided *s, int loops, int64_t *index, int64_t *at)
{
  for (int i = loops - 1; i >= 0; i--) {
    *at += s->steps[i];
    if (++index[i] < s->dims[i])
      return true;
    *at -= s->steps[i] * s->dims[i];
    index[i] = 0;
  }
  return false;
}

/** cnn_strided_get: dense = strided; elements of @bytes. */
void cnn_strided_get (const CnnStrided *strided, const void *from, void *dense,
    size_t bytes);

/** cnn_strided_add: strided += dense, float32: the gradient of that. */
void cnn_strided_add (const CnnStrided *strided, const float *dense, float *to);

#endif
