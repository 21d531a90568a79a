/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantized_weights.h (internal): a convolution's weights as integers. */

#ifndef CNN_GRAPH_QUANTIZED_WEIGHTS_H
#define CNN_GRAPH_QUANTIZED_WEIGHTS_H

#include "graph/nodes.h"

/**
 * CnnIntegerWeights:
 * @oc: output channels
 * @size: weights of one
 * @weights: [oc][size]
 * @bias: [oc], in units of the input's scale times @scales
 * @scales: [oc]: of the weights
 */
typedef struct
{
  int64_t oc;
  size_t size;
  int8_t *weights;
  int32_t *bias;
  float *scales;
} CnnIntegerWeights;

/**
 * cnn_integer_weights_of_floats:
 * @in_scale: @in_zero: of the input, as uint8
 * @bias: (nullable): float32, oc
 * @integers: (out): release with cnn_integer_weights_clear(), whatever happens
 *
 * Weights that were quantised and turned back into floats: whole multiples of
 * one number for each output channel, up to a float's precision. Looked for in
 * the numbers, so that it does not matter by which nodes, now folded, they came
 * to be. @in_zero's share of the sums goes into the bias.
 *
 * Returns: CNN_ERROR_UNSUPPORTED if they are something else, or sums could
 * exceed 32 bits.
 */
CnnStatus cnn_integer_weights_of_floats (const CnnTensor *weights,
    const CnnTensor *bias, float in_scale, int in_zero,
    CnnIntegerWeights *integers);

/** cnn_integer_weights_of_bytes: as above, of int8 or uint8 @weights with
 * @scales, one or oc of them, @zeros (nullable) of their type, and an int32
 * bias (nullable). */
CnnStatus cnn_integer_weights_of_bytes (const CnnTensor *weights,
    const CnnTensor *scales, const CnnTensor *zeros, const CnnTensor *bias,
    int in_zero, CnnIntegerWeights *integers);

void cnn_integer_weights_clear (CnnIntegerWeights *integers);

#endif
