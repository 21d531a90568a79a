/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantized_conv.h (internal): operators that no file can name, which
 * graph/fuse_quantized.c puts in the place of quantised convolutions.
 *
 * Packed: what they hand to each other. n c h w with c rounded up to a multiple
 * of 4, uint8, but in memory [n][h][c / 4][w][4]. int8 is packed as uint8, 128
 * more, with a zero point that is 128 more. */

#ifndef CNN_OPS_QUANTIZED_CONV_H
#define CNN_OPS_QUANTIZED_CONV_H

#include "ops/window.h"

/**
 * CnnQuantizedConvParams:
 * @inverse: @in_zero: of the input where it is float32: 1 / scale, zero point
 * @zero: @low: of packed results: zero point, least value
 * @pool: the maximum of 2 x 2 follows
 * @to_float: float32 results, n oc h w, instead of packed ones
 *
 * Inputs: x, float32 n c h w or packed; weights, int8 oc ic kh kw; bias, int32
 * oc, in units of x's scale times the weights'; float32 oc, what sums are
 * multiplied with.
 */
typedef struct
{
  CnnWindow window;
  float inverse;
  int in_zero, zero, low;
  bool pool, to_float;
} CnnQuantizedConvParams;

/**
 * CnnUnpackParams:
 * @channels: of the output
 * @shift: what is taken off each number: 128 for int8
 * @scale: where it is not 0, the output is float32: (x - @shift) * @scale
 */
typedef struct
{
  int channels, shift;
  float scale;
} CnnUnpackParams;

extern const CnnOp cnn_op_quantized_conv;

/** cnn_op_unpack: packed to n c h w. */
extern const CnnOp cnn_op_unpack;

#endif
