/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_pointwise.h (internal): 1x1 convolutions, several in a row. */

#ifndef CNN_OPS_CONV_POINTWISE_H
#define CNN_OPS_CONV_POINTWISE_H

#include <cnn/pool.h>

#include "ops/conv_tail.h"

/**
 * CnnPointwise:
 * @tail: all stages
 * @in: first pixel of channel 0; @in_plane elements to the next channel,
 *   @in_pitch from row to row
 * @out: the same
 * @spare: cnn_pointwise_spare_bytes() of memory for each thread of @pool
 */
typedef struct
{
  const CnnConvTail *tail;
  CnnPool *pool;
  const float *in;
  size_t in_plane, in_pitch;
  float *out;
  size_t out_plane, out_pitch;
  int oh, ow;
  void *spare;
} CnnPointwise;

/** cnn_pointwise_spare_bytes: for an input of @ic channels, and stages of
 * which the largest has @oc. */
size_t cnn_pointwise_spare_bytes (int ic, int oc);

void cnn_pointwise_run (const CnnPointwise *pointwise);

#endif
