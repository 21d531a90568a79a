/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* planar.h (internal): convolution over planes, as Conv's forward pass and its
 * gradient need it: where the pixels lie, how the work is cut. */

#ifndef CNN_OPS_PLANAR_H
#define CNN_OPS_PLANAR_H

#include <stddef.h>

#include <cnn/pool.h>

#include "kernels/kernels.h"
#include "ops/conv_tail.h"

/**
 * CnnPlanar:
 * @in: first pixel of input channel 0; @in_plane elements to the next
 * @row_step: elements from what an output row reads to what the next reads
 * @lines: rows of a channel that an output row reads
 * @taps: @n_taps offsets
 * @weights: from cnn_planar_pack()
 * @out: oc planes of oh x ow, or half as high and wide, if @pooling
 * @out_pitch, @out_plane: elements from row to row, from plane to plane of
 *   @out; 0 = dense
 * @tail: (nullable): what each pixel goes through on its way out; @out is of
 *   its last stage
 * @spare: cnn_planar_spare_bytes() of memory for each thread of @pool, and
 *   cnn_planar_tail_bytes() if there is a tail
 *
 * out[o][y][x] = f (bias[o] + sum over i, t of
 *     weight (o, i, t) * in[i*in_plane + y*row_step + x + taps[t]])
 * If @pooling, oh and ow are even, and the cells are pooled on their way out.
 */
typedef struct
{
  const CnnKernels *kernels;
  CnnPool *pool;
  const float *in;
  size_t in_plane, row_step;
  int lines, ic, oc, oh, ow;
  const ptrdiff_t *taps;
  int n_taps;
  const float *weights, *bias;
  float *out;
  size_t out_pitch, out_plane;
  CnnActivation activation;
  CnnFusedPool pooling;
  const CnnConvTail *tail;
  void *spare;
} CnnPlanar;

/** cnn_planar_run: Cost: oc * ic * n_taps * oh * ow multiply-adds. */
void cnn_planar_run (const CnnPlanar *planar);

/** cnn_planar_spare_bytes: memory that one thread needs, a multiple of
 * CNN_ALIGN_BYTES; smaller sizes never need more. */
size_t cnn_planar_spare_bytes (int oh, int ow, size_t row_step);

/** cnn_planar_tail_bytes: for @oc channels and stages of which the largest has
 * @most_oc. */
size_t cnn_planar_tail_bytes (int oc, int most_oc);

/** cnn_planar_block: first output channel of block @block of those that @oc
 * channels are cut into: at most CNN_CONV_BLOCK each, as equal as can be. */
int cnn_planar_block (int oc, int block);
int cnn_planar_blocks (int oc);

/**
 * CnnPlanarWeights:
 * Weight (o, i, t) lies at data[o*o_step + i*i_step + t], times scale[o]
 * (nullable).
 */
typedef struct
{
  const float *data;
  size_t o_step, i_step;
  int oc, ic, n_taps;
  const float *scale;
} CnnPlanarWeights;

/** cnn_planar_pack: writes oc * ic * n_taps floats: block by block
 * [ic][n_taps][oc of the block]. */
void cnn_planar_pack (const CnnPlanarWeights *weights, float *packed);

#endif
