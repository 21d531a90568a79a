/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gather.c: Gather, GatherElements: elements by index, any type.
 *
 * Gather: y[before][i...][behind] = x[before][index[i...]][behind] along an
 * axis; GatherElements: y[i][j][k] = x[index[i][j][k]][j][k] (axis 0).
 * Negative indices count from the end; indices outside, which only values
 * computed on the way can have, are clamped.
 *
 * Source: ONNX Gather, 1 to 13; GatherElements, 11, 13. */

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "tensor/scalar.h"
#include "ops/shapes.h"
#include "ops/table.h"

typedef struct
{
  int64_t axis;
} Params;

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "axis", NULL };
  Params *p = params;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "axis", -CNN_MAX_RANK,
        CNN_MAX_RANK - 1, &p->axis, error);
  return status;
}

/* Indices that are known must lie inside. */
static CnnStatus
check_indices (const CnnTensor *index, int64_t size, CnnError *error)
{
  size_t n = 0;
  if (index->type != CNN_TYPE_INT64 && index->type != CNN_TYPE_INT32)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "indices are %s, int32 or int64 is expected",
        cnn_type_name (index->type));
  if (!index->data || size < 0 || cnn_shape_elements (&index->shape, &n))
    return CNN_OK;
  for (size_t i = 0; i < n; i++) {
    int64_t at = cnn_read_int (index->type, index->data, i);
    if (at < -size || at >= size)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "index %zu is %" PRId64 ", the axis has %" PRId64 " elements", i, at,
          size);
  }
  return CNN_OK;
}

static size_t
index_at (const CnnTensor *index, size_t i, int64_t size)
{
  int64_t at = cnn_read_int (index->type, index->data, i);
  at += at < 0 ? size : 0;
  return (size_t) (at < 0 ? 0 : at >= size ? size - 1 : at);
}

static CnnStatus
infer_gather (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const CnnShape *x = &in[0]->shape, *index = &in[1]->shape;
  CnnShape y = { 0 };
  int axis;
  CnnStatus status = cnn_axis (((const Params *) params)->axis, x->rank,
      x->rank - 1, &axis, error);
  if (!status && x->rank - 1 + index->rank > CNN_MAX_RANK)
    status = cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "output would have %d dimensions", x->rank - 1 + index->rank);
  if (!status)
    status = check_indices (in[1], x->dims[axis], error);
  if (status)
    return status;
  for (int i = 0; i < axis; i++)
    y.dims[y.rank++] = x->dims[i];
  for (int i = 0; i < index->rank; i++)
    y.dims[y.rank++] = index->dims[i];
  for (int i = axis + 1; i < x->rank; i++)
    y.dims[y.rank++] = x->dims[i];
  return cnn_infer_output (&out[0], in[0]->type, &y, error);
}

static void
forward_gather (const CnnOpCall *call)
{
  const CnnTensor *x = call->in[0], *index = call->in[1];
  int axis;
  cnn_axis (((const Params *) call->params)->axis, x->shape.rank,
      x->shape.rank - 1, &axis, NULL);
  size_t outer = cnn_product (&x->shape, 0, axis);
  size_t block = cnn_product (&x->shape, axis + 1, x->shape.rank)
      * cnn_type_bytes (x->type);
  int64_t size = x->shape.dims[axis];
  size_t n = cnn_elements (index);
  char *to = call->out[0]->data;
  if (!cnn_elements (call->out[0]) || !size)
    return;
  for (size_t o = 0; o < outer; o++)
    for (size_t i = 0; i < n; i++, to += block)
      memcpy (to,
          (const char *) x->data
              + (o * (size_t) size + index_at (index, i, size)) * block,
          block);
}

static void
backward_gather (const CnnOpCall *call, const CnnOpGrad *grad)
{
  const CnnTensor *x = call->in[0], *index = call->in[1];
  int axis;
  if (!grad->d_out[0] || !grad->d_in[0])
    return;
  cnn_axis (((const Params *) call->params)->axis, x->shape.rank,
      x->shape.rank - 1, &axis, NULL);
  size_t outer = cnn_product (&x->shape, 0, axis);
  size_t block = cnn_product (&x->shape, axis + 1, x->shape.rank);
  int64_t size = x->shape.dims[axis];
  size_t n = cnn_elements (index);
  const float *g = grad->d_out[0]->data;
  for (size_t o = 0; o < outer; o++)
    for (size_t i = 0; i < n; i++) {
      float *d = (float *) grad->d_in[0]->data
          + (o * (size_t) size + index_at (index, i, size)) * block;
      for (size_t k = 0; k < block; k++)
        d[k] += *g++;
    }
}

/* Channels by number keep their places. */
static bool
geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry_)
{
  int axis, rank = in[0]->shape.rank;
  return rank >= 3 && in[1] && in[1]->shape.rank == 1
      && !cnn_axis (((const Params *) params)->axis, rank, rank - 1, &axis,
          NULL)
      && axis == 1 && cnn_op_geometry_pointwise (params, in, geometry_);
}

static CnnStatus
infer_elements (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const CnnShape *x = &in[0]->shape, *index = &in[1]->shape;
  int axis;
  CnnStatus status = cnn_axis (((const Params *) params)->axis, x->rank,
      x->rank - 1, &axis, error);
  if (!status && index->rank != x->rank)
    status = cnn_error_set (error, CNN_ERROR_SHAPE,
        "indices have %d dimensions, the input %d", index->rank, x->rank);
  for (int d = 0; d < x->rank && !status; d++)
    if (d != axis && x->dims[d] >= 0 && index->dims[d] > x->dims[d])
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "indices reach beyond dimension %d of the input", d);
  if (!status)
    status = check_indices (in[1], x->dims[axis], error);
  return status ? status
                : cnn_infer_output (&out[0], in[0]->type, index, error);
}

static void
forward_elements (const CnnOpCall *call)
{
  const CnnTensor *x = call->in[0], *index = call->in[1];
  const CnnShape *s = &index->shape;
  size_t n = cnn_elements (index), bytes = cnn_type_bytes (x->type);
  int axis;
  cnn_axis (((const Params *) call->params)->axis, s->rank, s->rank - 1, &axis,
      NULL);
  if (!cnn_elements (x))
    return;
  for (size_t e = 0; e < n; e++) {
    size_t rest = e, at = 0, step = 1;
    for (int d = s->rank - 1; d >= 0; d--) {
      size_t i = rest % (size_t) s->dims[d];
      rest /= (size_t) s->dims[d];
      at += step * (d == axis ? index_at (index, e, x->shape.dims[d]) : i);
      step *= (size_t) x->shape.dims[d];
    }
    memcpy ((char *) call->out[0]->data + e * bytes,
        (const char *) x->data + at * bytes, bytes);
  }
}

/* Channels are chosen alike in every cell. */
static bool
cellwise (const void *params, const CnnTensor *const *in)
{
  int64_t axis = ((const Params *) params)->axis;
  return in[0]->shape.rank == 4 && in[1]->shape.rank == 1
      && (axis == 1 || axis == -3);
}

/* Samples are along axis 0. */
static CnnSamples
samples (const void *params)
{
  return ((const Params *) params)->axis > 0 ? CNN_SAMPLES_APART
                                             : CNN_SAMPLES_TOGETHER;
}

const CnnOp cnn_op_gather = {
  .name = "Gather",
  .since = 1,
  .min_in = 2,
  .max_in = 2,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .parse = parse,
  .infer = infer_gather,
  .geometry = geometry,
  .cellwise = cellwise,
  .samples = samples,
  .forward = forward_gather,
  .backward = backward_gather,
};

const CnnOp cnn_op_gather_elements = {
  .name = "GatherElements",
  .since = 11,
  .min_in = 2,
  .max_in = 2,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .parse = parse,
  .infer = infer_elements,
  .forward = forward_elements,
};
