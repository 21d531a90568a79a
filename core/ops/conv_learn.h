/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_learn.h (internal): Conv as training computes it, a vector of samples
 * at a time: what its forward and its backward pass share. */

#ifndef CNN_OPS_CONV_LEARN_H
#define CNN_OPS_CONV_LEARN_H

#include "ops/conv.h"

/**
 * CnnLearnConv:
 * @s: sizes of the Conv
 * @kernels: whose lanes are samples
 * @activation: of the Conv
 * @n_taps: of its kernel
 * @ch, @cw: cells that are computed of a plane, pooled or not
 * @rows, @cols: of a plane of input with what padding is read
 * @in_plane, @cell_plane, @out_plane: floats from channel to channel of input,
 *   computed and pooled cells
 * @kept_bytes: what the forward pass leaves for the backward pass, for one
 *   group of channels of one vector of samples: which cell was the largest, or,
 *   where a mean follows an activation, the cells
 */
typedef struct
{
  CnnConvSizes s;
  const CnnKernels *kernels;
  CnnActivation activation;
  int n_taps, ch, cw, rows, cols;
  size_t in_plane, cell_plane, out_plane, kept_bytes;
} CnnLearnConv;

CnnLearnConv cnn_learn_conv (const CnnOpCall *call);

/** cnn_learn_conv_of: with so many lanes, without kernels: to know how much
 * memory it needs. */
CnnLearnConv cnn_learn_conv_of (const CnnConvSizes *sizes,
    CnnActivation activation, int lanes);

/** cnn_learn_conv_samples: Returns: samples of the vector that begins at
 * sample @first. */
int cnn_learn_conv_samples (const CnnLearnConv *conv, int first);

/** cnn_learn_conv_kept: Returns: what is kept of group @group of the vector
 * that begins at sample @first. */
void *cnn_learn_conv_kept (const CnnLearnConv *conv, const CnnOpCall *call,
    int first, int group);

/** cnn_learn_conv_read: cells of the input of group @group, padded, into
 * ic * in_plane floats. */
void cnn_learn_conv_read (const CnnLearnConv *conv, const CnnOpCall *call,
    int first, int group, float *to);

/**
 * CnnLearnWeights:
 * Weight (o, i, t) lies at data[o*o_step + i*i_step + t].
 */
typedef struct
{
  const float *data;
  size_t o_step, i_step;
  int oc, ic, n_taps;
} CnnLearnWeights;

/** cnn_learn_pack: writes oc * ic * n_taps floats: block by block of at most
 * @block channels [ic][n_taps][oc of the block]. */
void cnn_learn_pack (const CnnLearnWeights *weights, int block, float *packed);

/** cnn_learn_blocks: how many such blocks; cnn_learn_block: first channel of
 * block @b. */
int cnn_learn_blocks (int oc, int block);
int cnn_learn_block (int oc, int block, int b);

#endif
