/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shapes.h (internal): what infer() of several operators share. */

#ifndef CNN_OPS_SHAPES_H
#define CNN_OPS_SHAPES_H

#include "ops/op.h"

/** cnn_infer_floats: every input that is there must be float32.
 * Errors: CNN_ERROR_SHAPE naming the input. */
CnnStatus
cnn_infer_floats (const CnnTensor *const *in, int n_in, CnnError *error);

/** cnn_infer_output: sets type and shape of @out after checking that the sizes
 * of @shape, those not fixed counted as 1, are not negative and their product
 * is possible. */
CnnStatus cnn_infer_output (CnnTensor *out, CnnType type, const CnnShape *shape,
    CnnError *error);

/** cnn_infer_same: out[0] is like in[0], any type. */
CnnStatus cnn_infer_same (const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, int n_out, CnnError *error);

/** cnn_infer_same_float: out[0] is like in[0], float32. */
CnnStatus cnn_infer_same_float (const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, int n_out, CnnError *error);

/** cnn_infer_float: out[0] is like in[0], which has to be of a float type. */
CnnStatus cnn_infer_float (const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, int n_out, CnnError *error);

/** cnn_infer_number: out[0] is like in[0], any type but bool. */
CnnStatus cnn_infer_number (const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, int n_out, CnnError *error);

/** cnn_check_number: CNN_ERROR_SHAPE if input @i is bool. */
CnnStatus cnn_check_number (const CnnTensor *in, int i, CnnError *error);

/** cnn_check_float: CNN_ERROR_SHAPE if input @i is of no float type. */
CnnStatus cnn_check_float (const CnnTensor *in, int i, CnnError *error);

/** cnn_check_integer: CNN_ERROR_SHAPE if input @i is of no integer type. */
CnnStatus cnn_check_integer (const CnnTensor *in, int i, CnnError *error);

/** cnn_shape_broadcast: shape of an element-wise result by ONNX's rules
 * (aligned at the last dimension; 1 stretches). Errors: CNN_ERROR_SHAPE. */
CnnStatus cnn_shape_broadcast (const CnnShape *a, const CnnShape *b,
    CnnShape *both, CnnError *error);

/** cnn_broadcast_at: element of a tensor of shape @x that meets element @e of
 * one of shape @y, to which it stretches. */
size_t cnn_broadcast_at (const CnnShape *x, const CnnShape *y, size_t e);

/** cnn_elements: elements of a tensor whose shape was checked. */
size_t cnn_elements (const CnnTensor *tensor);

/** cnn_axis: @axis counted from the front where negative.
 * Errors: CNN_ERROR_SHAPE outside 0..@limit after that. */
CnnStatus
cnn_axis (int64_t axis, int rank, int limit, int *from_front, CnnError *error);

/**
 * cnn_values:
 * @tensor: int32 or int64, rank 0 or 1
 * @values: (out): at most @max of them
 * @count: (out): how many; also where they are not known yet
 * @known: (out): false if they are not: @values is not written then
 *
 * Errors: CNN_ERROR_SHAPE for another type, rank or more than @max.
 */
CnnStatus cnn_values (const CnnTensor *tensor, int max, int64_t *values,
    int *count, bool *known, CnnError *error);

/** cnn_axes: @count axes of a tensor of @rank, counted from the front.
 * Errors: CNN_ERROR_SHAPE for one outside, or given twice. */
CnnStatus cnn_axes (int64_t *axes, int count, int rank, CnnError *error);

/** cnn_product: product of dims[@from] ... dims[@to - 1] of a checked shape.
 */
size_t cnn_product (const CnnShape *shape, int from, int to);

#endif
