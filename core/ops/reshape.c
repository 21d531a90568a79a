/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reshape.c: Identity, Flatten, Reshape, Squeeze, Unsqueeze: the same elements
 * in another shape.
 *
 * Source: ONNX Identity, opset 1; Flatten, opsets 1 to 13; Reshape, opsets 5
 * to 21; Squeeze, Unsqueeze, 1 to 21. */

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"
#include "kernels/kernels.h"
#include "ops/shapes.h"
#include "ops/table.h"

typedef struct
{
  int64_t axis;
} Flatten;

typedef struct
{
  int64_t allow_zero;
} Reshape;

static void
forward (const CnnOpCall *call)
{
  const CnnTensor *in = call->in[0];
  if (call->out[0]->data != in->data)
    memcpy (call->out[0]->data, in->data,
        cnn_elements (in) * cnn_type_bytes (in->type));
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad)
{
  if (!grad->d_out[0] || !grad->d_in[0])
    return;
  call->kernels->map_gradient (CNN_ACTIVATION_NONE, grad->d_out[0]->data,
      grad->d_out[0]->data, grad->d_in[0]->data, cnn_elements (call->in[0]),
      !(grad->fresh & 1));
}

static CnnStatus
parse_flatten (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "axis", NULL };
  Flatten *p = params;
  p->axis = 1;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "axis", -CNN_MAX_RANK,
        CNN_MAX_RANK, &p->axis, error);
  return status;
}

/* Product of dims[from] ... dims[to - 1]; -1 if one of them is. */
static CnnStatus
product (const CnnShape *s, int from, int to, int64_t *result, CnnError *error)
{
  int64_t all = 1;
  bool open = false;
  for (int i = from; i < to; i++) {
    open |= s->dims[i] == -1;
    if (s->dims[i] != -1 && !cnn_dim_mul (all, s->dims[i], &all))
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "dimensions %d to %d are too large", from, to - 1);
  }
  *result = open ? -1 : all;
  return CNN_OK;
}

/* x d0 ... dn -> (d0 * ... * d(axis-1)) (d(axis) * ... * dn) */
static CnnStatus
infer_flatten (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const Flatten *p = params;
  const CnnShape *x = &in[0]->shape;
  CnnShape y = { .rank = 2 };
  int axis;
  CnnStatus status = cnn_axis (p->axis, x->rank, x->rank, &axis, error);
  if (!status)
    status = product (x, 0, axis, &y.dims[0], error);
  if (!status)
    status = product (x, axis, x->rank, &y.dims[1], error);
  return status ? status : cnn_infer_output (&out[0], in[0]->type, &y, error);
}

static CnnStatus
parse_reshape (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "allowzero", NULL };
  Reshape *p = params;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "allowzero", 0, 1, &p->allow_zero,
        error);
  return status;
}

/* Reads the target; sizes copied from the input that are not fixed stay -1,
 * @copied_open counts them; @free_at is the place of a -1. */
static CnnStatus
read_target (const Reshape *p, const CnnShape *x, const int64_t *target,
    CnnShape *y, int *free_at, int *copied_open, CnnError *error)
{
  *free_at = -1;
  *copied_open = 0;
  for (int i = 0; i < y->rank; i++) {
    y->dims[i] = target[i];
    if (target[i] < -1 || (target[i] == -1 && *free_at >= 0))
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "the shape's value %d is %" PRId64, i, target[i]);
    if (target[i] == -1)
      *free_at = i;
    if (target[i] || p->allow_zero)
      continue;
    if (i >= x->rank)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "the shape copies dimension %d, the input has %d", i, x->rank);
    y->dims[i] = x->dims[i];
    *copied_open += x->dims[i] == -1;
  }
  return CNN_OK;
}

/* Product of the sizes that are fixed, but that at @skip. */
static CnnStatus
fixed_product (const CnnShape *s, int skip, int64_t *result, CnnError *error)
{
  CnnShape fixed = *s;
  for (int i = 0; i < s->rank; i++)
    if (fixed.dims[i] == -1 || i == skip)
      fixed.dims[i] = 1;
  return product (&fixed, 0, fixed.rank, result, error);
}

static CnnStatus
infer_reshape (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const CnnShape *x = &in[0]->shape;
  CnnShape y;
  int free_at = -1, copied_open = 0, open = 0;
  int64_t from = 0, to = 0, target[CNN_MAX_RANK];
  bool known;
  CnnStatus status =
      cnn_values (in[1], CNN_MAX_RANK, target, &y.rank, &known, error);
  if (!status && !known) {
    for (int i = 0; i < y.rank; i++)
      y.dims[i] = -1;
    return cnn_infer_output (&out[0], in[0]->type, &y, error);
  }
  if (!status)
    status = read_target (params, x, target, &y, &free_at, &copied_open, error);
  if (!status)
    status = fixed_product (x, -1, &from, error);
  if (!status)
    status = fixed_product (&y, free_at, &to, error);
  if (status)
    return status;

  for (int i = 0; i < x->rank; i++)
    open += x->dims[i] == -1;
  /* Sizes that are not fixed cancel if the output copies each of them. */
  if (open == copied_open) {
    bool fits = free_at < 0 ? from == to : to > 0 && from % to == 0;
    char text[160];
    if (!fits)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "%" PRId64 " elements do not fit the shape %s", from,
          cnn_shape_format (&y, text, sizeof text));
    if (free_at >= 0)
      y.dims[free_at] = from / to;
  }
  return cnn_infer_output (&out[0], in[0]->type, &y, error);
}

/* -- Squeeze, Unsqueeze ------------------------------------------------- */

/**
 * Axes:
 * @count: -1 where there is no attribute
 * @input: they are an input
 */
typedef struct
{
  int64_t axes[CNN_MAX_RANK];
  int count;
  bool input;
} Axes;

static CnnStatus
parse_axes (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const old[] = { "axes", NULL };
  static const char *const none[] = { NULL };
  Axes *p = params;
  p->count = -1;
  p->input = attributes->opset >= 13;
  CnnStatus status =
      cnn_attributes_check (attributes, p->input ? none : old, error);
  if (!status)
    status = cnn_attributes_ints (attributes, "axes", -CNN_MAX_RANK,
        CNN_MAX_RANK - 1, CNN_MAX_RANK, p->axes, &p->count, error);
  return status;
}

static CnnStatus
read_axes (const Axes *p, const CnnTensor *const *in, int n_in, int64_t *axes,
    int *count, bool *known, CnnError *error)
{
  memcpy (axes, p->axes, sizeof p->axes);
  *count = p->count;
  *known = true;
  if (n_in < 2 || !in[1])
    return CNN_OK;
  return cnn_values (in[1], CNN_MAX_RANK, axes, count, known, error);
}

/* Dimensions of 1 go: the named ones, or all. */
static CnnStatus
infer_squeeze (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const CnnShape *x = &in[0]->shape;
  int64_t axes[CNN_MAX_RANK];
  bool known, gone[CNN_MAX_RANK] = { false };
  CnnShape y = { 0 };
  int count;
  CnnStatus status = read_axes (params, in, n_in, axes, &count, &known, error);
  if (!status && known && count >= 0)
    status = cnn_axes (axes, count, x->rank, error);
  if (status)
    return status;
  if (!known) {
    y.rank = count < x->rank ? x->rank - count : 0;
    for (int i = 0; i < y.rank; i++)
      y.dims[i] = -1;
    return cnn_infer_output (&out[0], in[0]->type, &y, error);
  }
  for (int i = 0; i < count; i++)
    gone[axes[i]] = true;
  for (int i = 0; i < x->rank; i++) {
    if (gone[i] && x->dims[i] != 1 && x->dims[i] != -1)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "dimension %d has size %" PRId64 ", not 1", i, x->dims[i]);
    if (count < 0 && x->dims[i] == -1)
      return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
          "whether dimension %d goes is not known: its size is open", i);
    if (count < 0 ? x->dims[i] != 1 : !gone[i])
      y.dims[y.rank++] = x->dims[i];
  }
  return cnn_infer_output (&out[0], in[0]->type, &y, error);
}

static CnnStatus
infer_unsqueeze (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const CnnShape *x = &in[0]->shape;
  int64_t axes[CNN_MAX_RANK];
  bool known, one[CNN_MAX_RANK] = { false };
  int count;
  CnnStatus status = read_axes (params, in, n_in, axes, &count, &known, error);
  if (!status && (count < 0 || x->rank + count > CNN_MAX_RANK))
    status = cnn_error_set (error, CNN_ERROR_SHAPE,
        "%d axes for an input with %d dimensions", count, x->rank);
  CnnShape y = { .rank = status ? 0 : x->rank + count };
  if (!status && known)
    status = cnn_axes (axes, count, y.rank, error);
  if (status)
    return status;
  for (int i = 0; i < count && known; i++)
    one[axes[i]] = true;
  for (int i = 0, from = 0; i < y.rank; i++)
    y.dims[i] = !known ? -1 : one[i] ? 1 : x->dims[from++];
  return cnn_infer_output (&out[0], in[0]->type, &y, error);
}

const CnnOp cnn_op_identity = {
  .name = "Identity",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .inplace = true,
  .infer = cnn_infer_same,
  .geometry = cnn_op_geometry_pointwise,
  .cellwise = cnn_op_cellwise,
  .forward = forward,
  .writes_fresh = 1,
  .samples = cnn_op_samples_apart,
  .backward = backward,
};

const CnnOp cnn_op_flatten = {
  .name = "Flatten",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Flatten),
  .inplace = true,
  .parse = parse_flatten,
  .infer = infer_flatten,
  .forward = forward,
  .writes_fresh = 1,
  .samples = cnn_op_samples_apart,
  .backward = backward,
};

const CnnOp cnn_op_reshape = {
  .name = "Reshape",
  .since = 5,
  .min_in = 2,
  .max_in = 2,
  .max_out = 1,
  .params_bytes = sizeof (Reshape),
  .inplace = true,
  .value_in = 1 << 1,
  .parse = parse_reshape,
  .infer = infer_reshape,
  .forward = forward,
  .writes_fresh = 1,
  .samples = cnn_op_samples_apart,
  .backward = backward,
};

const CnnOp cnn_op_squeeze = {
  .name = "Squeeze",
  .since = 1,
  .min_in = 1,
  .max_in = 2,
  .max_out = 1,
  .params_bytes = sizeof (Axes),
  .inplace = true,
  .value_in = 1 << 1,
  .parse = parse_axes,
  .infer = infer_squeeze,
  .forward = forward,
  .writes_fresh = 1,
  .samples = cnn_op_samples_apart,
  .backward = backward,
};

const CnnOp cnn_op_unsqueeze = {
  .name = "Unsqueeze",
  .since = 1,
  .min_in = 1,
  .max_in = 2,
  .max_out = 1,
  .params_bytes = sizeof (Axes),
  .inplace = true,
  .value_in = 1 << 1,
  .parse = parse_axes,
  .infer = infer_unsqueeze,
  .forward = forward,
  .writes_fresh = 1,
  .samples = cnn_op_samples_apart,
  .backward = backward,
};
