/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* weights.h: everything that a network learns, as one row of numbers. */

#ifndef CNN_TRAIN_WEIGHTS_H
#define CNN_TRAIN_WEIGHTS_H

#include <stdbool.h>

#include <cnn/train.h>

#include "graph/nodes.h"

/**
 * CnnSegment:
 * @value: number of the constant in the graph
 * @begin, @count: where its elements stand in the row
 * @decays: true for weights, false for biases and scales
 * @rows: rows of gradients that are summed, from the first on
 */
typedef struct
{
  int value;
  size_t begin, count;
  bool decays;
  int rows;
} CnnSegment;

/**
 * CnnWeights:
 * @segments: @n_segments constants, in the order of the graph's values
 * @count: numbers in a row, gaps for alignment included
 * @now: the weights
 * @first, @second: running moments: momentum; Adam's mean of squares
 * @mean: running average of the weights, if there is to be one
 * @steps: updates so far
 */
typedef struct
{
  CnnSegment *segments;
  size_t n_segments, count;
  float *now, *first, *second, *mean;
  uint64_t steps;
} CnnWeights;

/**
 * cnn_weights_init:
 * Finds what @graph learns: constants that Conv, Gemm, MatMul and
 * BatchNormalization read, what Add adds to a MatMul, and what Mul and Add do
 * to maps (three dimensions), but for constants that are fixed.
 *
 * Errors: CNN_ERROR_ARGUMENT if there is nothing to learn; CNN_ERROR_MEMORY.
 */
CnnStatus cnn_weights_init (CnnWeights *weights, const CnnGraph *graph,
    const CnnTrainOptions *options, CnnError *error);

void cnn_weights_clear (CnnWeights *weights);

/**
 * cnn_weights_update:
 * @gradients: as many rows as the segments say, summed in that order
 * @pool: (nullable): threads; each number is updated by one of them
 */
void cnn_weights_update (CnnWeights *weights, const CnnTrainOptions *options,
    const float *const *gradients, double rate, CnnPool *pool);

#endif
