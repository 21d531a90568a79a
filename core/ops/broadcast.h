/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* broadcast.h (internal): walking several tensors of which some stretch. */

#ifndef CNN_OPS_BROADCAST_H
#define CNN_OPS_BROADCAST_H

#include "ops/op.h"

/** CNN_WALK_OPERANDS: most tensors that are walked side by side. */
#define CNN_WALK_OPERANDS 3

/**
 * CnnWalk:
 * @dims: sizes of the loops, outermost first; the last is the inner run
 * @steps: how far each loop moves in each operand, in elements; 0 where it is
 *   stretched; 0 or 1 in the last
 *
 * The fewest loops: dimensions that all operands walk through alike are one.
 */
typedef struct
{
  int rank, n;
  size_t dims[CNN_MAX_RANK + 1];
  size_t steps[CNN_WALK_OPERANDS][CNN_MAX_RANK + 1];
} CnnWalk;

/** cnn_walk_init: @operands: shapes that stretch to @shape, aligned at the last
 * dimension. */
void cnn_walk_init (CnnWalk *walk, const CnnShape *shape,
    const CnnShape *const *operands, int n);

/**
 * cnn_walk_next:
 * @index: counts the outer loops; zeros to begin with
 * @at: first elements of the run in each operand; zeros to begin with
 *
 * Returns: false after the last run.
 */
bool cnn_walk_next (const CnnWalk *walk, size_t *index, size_t *at);

/** CnnRun: one inner run of @n elements: @in: where operands begin, with steps
 * of 0 or 1 elements. */
typedef void (*CnnRun) (const void *data, const CnnTensor *in,
    const size_t *steps, CnnTensor *out, size_t n);

/** cnn_walk_run: all runs of @call, whose first @n inputs are the operands;
 * @out gets run after run. */
void cnn_walk_run (const CnnOpCall *call, int n, CnnRun run, const void *data);

/** cnn_infer_broadcast: out[0] is of type @type and of the shape to which the
 * first @n inputs stretch. */
CnnStatus cnn_infer_broadcast (const CnnTensor *const *in, int n, CnnType type,
    CnnTensor *out, CnnError *error);

/** cnn_infer_alike: CNN_ERROR_SHAPE if one of the inputs that are there has
 * another type than the first. */
CnnStatus
cnn_infer_alike (const CnnTensor *const *in, int n_in, CnnError *error);

#endif
