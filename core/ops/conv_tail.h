/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_tail.h (internal): the 1x1 convolutions that a Conv has taken over.
 *
 * They look at one pixel each, so they can follow while the pixel's channels
 * are still cached, in whatever order the pixels lie: the maps between them
 * never exist as a whole. */

#ifndef CNN_OPS_CONV_TAIL_H
#define CNN_OPS_CONV_TAIL_H

#include "kernels/kernels.h"

/** CNN_CONV_STAGES: most stages of a tail; the first may be the Conv itself. */
#define CNN_CONV_STAGES 4

/** CNN_CONV_TAIL_PIXELS: pixels that go through all stages at a time. */
#define CNN_CONV_TAIL_PIXELS 48

/**
 * CnnConvStage:
 * @weights: from cnn_planar_pack()
 * @bias: (nullable)
 */
typedef struct
{
  const float *weights, *bias;
  int ic, oc;
  CnnActivation activation;
} CnnConvStage;

/**
 * CnnConvTail:
 * @stages: @count of them
 * @first_block, @last_block: blocks of output channels that are wanted of the
 *   only stage; 0, 0 = all
 */
typedef struct
{
  const CnnKernels *kernels;
  CnnConvStage stages[CNN_CONV_STAGES];
  int count;
  int first_block, last_block;
} CnnConvTail;

/** cnn_conv_tail_floats: spare memory that a run needs, for stages of which
 * the largest has @oc channels. */
size_t cnn_conv_tail_floats (int oc);

/** cnn_conv_tail_run: @n pixels of channels @in_plane apart through all stages
 * to channels @out_plane apart. */
void cnn_conv_tail_run (const CnnConvTail *tail, const float *in,
    size_t in_plane, int n, float *out, size_t out_plane, float *spare);

/** cnn_conv_tail_add: the first stage of @channels channels from @first on:
 * begins with the bias where @first is 0, else adds to @sums. Without its
 * activation: cnn_conv_tail_finish() applies it. */
void cnn_conv_tail_add (const CnnConvTail *tail, int first, int channels,
    const float *in, size_t in_plane, int n, float *sums, size_t sums_plane);

/** cnn_conv_tail_finish: Returns: where the result is, @plane apart: @sums
 * itself if there is but one stage, else @out. */
const float *cnn_conv_tail_finish (const CnnConvTail *tail, float *sums,
    size_t plane, int n, float *out, float *spare);

#endif
