/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* softmax.h (internal): what Softmax, LogSoftmax and Hardmax mean by their
 * axis. */

#ifndef CNN_OPS_SOFTMAX_H
#define CNN_OPS_SOFTMAX_H

#include "ops/op.h"

/**
 * CnnSoftmaxParams:
 * @axis: untrusted until cnn_softmax_check_axis()
 * @matrix: all dimensions from the axis on are classes (until opset 12), not
 *   only that one
 */
typedef struct
{
  int64_t axis;
  bool matrix;
} CnnSoftmaxParams;

/** CnnSoftmaxSizes: the input as @outer x @n x @inner, @n classes. */
typedef struct
{
  size_t outer, n, inner;
} CnnSoftmaxSizes;

/** cnn_softmax_parse: a CnnSoftmaxParams, for CnnOp.parse. */
CnnStatus cnn_softmax_parse (const CnnAttributes *attributes, void *params,
    CnnError *error);

/** cnn_softmax_check_axis: CNN_ERROR_SHAPE if inputs of @rank have no such
 * axis. */
CnnStatus cnn_softmax_check_axis (const CnnSoftmaxParams *params, int rank,
    CnnError *error);

/** cnn_softmax_sizes: of a call whose axis was checked. */
CnnSoftmaxSizes cnn_softmax_sizes (const CnnOpCall *call);

/** cnn_softmax_geometry: along the channels each cell is for itself; along
 * places it has none. */
bool cnn_softmax_geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry);

#endif
