/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_gather.h (internal): convolutions of many channels, and 1x1 ones in a
 * row: what some pixels look at is copied together. */

#ifndef CNN_OPS_CONV_GATHER_H
#define CNN_OPS_CONV_GATHER_H

#include <cnn/pool.h>

#include "ops/conv_tail.h"

/**
 * CnnConvGather:
 * @tail: all stages; an input channel of the first is a channel and tap
 * @in: first pixel of channel 0; @in_plane elements to the next of @ic
 *   channels, @in_pitch from what an output row reads to what the next reads
 * @taps: @n_taps offsets
 * @out: first pixel; @out_plane to the next channel, @out_pitch to the next row
 * @spare: cnn_conv_gather_bytes() of memory for each thread of @pool
 */
typedef struct
{
  const CnnConvTail *tail;
  CnnPool *pool;
  const float *in;
  size_t in_plane, in_pitch;
  int ic;
  const ptrdiff_t *taps;
  int n_taps;
  float *out;
  size_t out_plane, out_pitch;
  int oh, ow;
  void *spare;
} CnnConvGather;

/** cnn_conv_gather_bytes: for @rows channels and taps, and stages of which the
 * largest has @oc channels. */
size_t cnn_conv_gather_bytes (int rows, int oc);

void cnn_conv_gather_run (const CnnConvGather *gather);

#endif
