/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* join.c: Concat and Split: tensors next to each other along one axis.
 *
 * Before the axis lie `outer` blocks; a tensor's share of each is `size *
 * inner` elements.
 *
 * Source: ONNX Concat, 4 to 13; Split, 2 to 18. */

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ops/shapes.h"
#include "ops/table.h"

/**
 * Params:
 * @axis: untrusted until infer()
 * @split: sizes of Split where they are an attribute, @n_split of them
 * @num_outputs: 0 = as many as there are
 */
typedef struct
{
  int64_t axis, num_outputs;
  int64_t split[CNN_MAX_NODE_TENSORS];
  int n_split;
  bool input;
} Params;

static CnnStatus
parse_concat (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "axis", NULL };
  Params *p = params;
  p->axis = INT64_MIN;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "axis", -CNN_MAX_RANK,
        CNN_MAX_RANK - 1, &p->axis, error);
  if (!status && p->axis == INT64_MIN)
    status = cnn_error_set (error, CNN_ERROR_FORMAT, "axis is missing");
  return status;
}

/* Sizes along @axis add up; the others have to be the same. */
static CnnStatus
add_size (CnnShape *y, const CnnTensor *x, int i, int axis, CnnError *error)
{
  char text[160], other[160];
  bool fits = x->shape.rank == y->rank;
  for (int d = 0; d < y->rank && fits; d++) {
    int64_t *have = &y->dims[d], more = x->shape.dims[d];
    if (d == axis)
      *have = *have < 0 || more < 0 ? -1 : *have + more;
    else if (*have < 0)
      *have = more;
    else
      fits = more < 0 || more == *have;
  }
  if (fits)
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_SHAPE,
      "input %d, %s, does not go next to %s along axis %d", i,
      cnn_shape_format (&x->shape, text, sizeof text),
      cnn_shape_format (y, other, sizeof other), axis);
}

static CnnStatus
infer_concat (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnShape y = in[0]->shape;
  int axis;
  CnnStatus status = cnn_axis (((const Params *) params)->axis, y.rank,
      y.rank - 1, &axis, error);
  for (int i = 1; i < n_in && !status; i++) {
    if (!in[i] || in[i]->type != in[0]->type)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "input %d is %s, input 0 is %s", i,
          cnn_type_name (in[i] ? in[i]->type : CNN_TYPE_NONE),
          cnn_type_name (in[0]->type));
    status = add_size (&y, in[i], i, axis, error);
  }
  return status ? status : cnn_infer_output (&out[0], in[0]->type, &y, error);
}

/**
 * Blocks:
 * How a tensor lies in the whole: @outer times @block bytes, @whole apart.
 */
typedef struct
{
  size_t outer, inner, whole;
} Blocks;

static Blocks
blocks_of (const CnnTensor *whole, int64_t axis, int *front)
{
  const CnnShape *s = &whole->shape;
  cnn_axis (axis, s->rank, s->rank - 1, front, NULL);
  Blocks b = { .outer = cnn_product (s, 0, *front),
    .inner = cnn_product (s, *front + 1, s->rank) };
  b.whole = b.inner * (size_t) s->dims[*front];
  return b;
}

static void
forward_concat (const CnnOpCall *call)
{
  int axis;
  Blocks b =
      blocks_of (call->out[0], ((const Params *) call->params)->axis, &axis);
  size_t bytes = cnn_type_bytes (call->out[0]->type);
  char *to = call->out[0]->data;
  for (int i = 0; i < call->n_in; i++) {
    size_t part = b.inner * (size_t) call->in[i]->shape.dims[axis] * bytes;
    const char *from = call->in[i]->data;
    for (size_t o = 0; o < b.outer && part; o++)
      memcpy (to + o * b.whole * bytes, from + o * part, part);
    to += part;
  }
}

static void
add (float *d, const float *g, size_t n)
{
  for (size_t i = 0; i < n; i++)
    d[i] += g[i];
}

static void
backward_concat (const CnnOpCall *call, const CnnOpGrad *grad)
{
  int axis;
  Blocks b =
      blocks_of (call->out[0], ((const Params *) call->params)->axis, &axis);
  if (!grad->d_out[0])
    return;
  const float *from = grad->d_out[0]->data;
  for (int i = 0; i < call->n_in; i++) {
    size_t part = b.inner * (size_t) call->in[i]->shape.dims[axis];
    float *to = grad->d_in[i] ? grad->d_in[i]->data : NULL;
    for (size_t o = 0; o < b.outer && to; o++)
      add (to + o * part, from + o * b.whole, part);
    from += part;
  }
}

/* Channels next to each other keep their places. */
static bool
geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry_)
{
  const Params *p = params;
  int axis, rank = in[0]->shape.rank;
  return rank >= 3 && !cnn_axis (p->axis, rank, rank - 1, &axis, NULL)
      && axis == 1 && cnn_op_geometry_pointwise (params, in, geometry_);
}

/* -- Split -------------------------------------------------------------- */

static CnnStatus
parse_split (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const old[] = { "axis", "split", NULL };
  static const char *const newer[] = { "axis", "num_outputs", NULL };
  Params *p = params;
  p->n_split = -1;
  p->input = attributes->opset >= 13;
  CnnStatus status =
      cnn_attributes_check (attributes, p->input ? newer : old, error);
  if (!status)
    status = cnn_attributes_int (attributes, "axis", -CNN_MAX_RANK,
        CNN_MAX_RANK - 1, &p->axis, error);
  if (!status)
    status = cnn_attributes_ints (attributes, "split", 0, INT32_MAX,
        CNN_MAX_NODE_TENSORS, p->split, &p->n_split, error);
  if (!status)
    status = cnn_attributes_int (attributes, "num_outputs", 1,
        CNN_MAX_NODE_TENSORS, &p->num_outputs, error);
  return status;
}

/* Sizes of the parts of @size elements; -1 where they are not known. */
static CnnStatus
read_split (const Params *p, const CnnTensor *const *in, int n_in, int n_out,
    int64_t size, int64_t *parts, CnnError *error)
{
  bool known = true, given = p->n_split >= 0;
  int count = p->n_split;
  CnnStatus status = CNN_OK;
  memcpy (parts, p->split, sizeof p->split);
  if (n_in > 1 && in[1] && p->input) {
    given = true;
    status =
        cnn_values (in[1], CNN_MAX_NODE_TENSORS, parts, &count, &known, error);
  }
  if (!status && given && count != n_out)
    status = cnn_error_set (error, CNN_ERROR_SHAPE, "%d sizes for %d outputs",
        count, n_out);
  if (status || (given && known))
    return status;
  int64_t chunk = size < 0 ? -1 : (size + n_out - 1) / n_out;
  for (int i = 0; i < n_out; i++) {
    int64_t left = size - i * chunk;
    parts[i] = given || size < 0 ? -1
        : left < 0               ? 0
        : left < chunk           ? left
                                 : chunk;
  }
  if (!given && size >= 0 && size % n_out && !p->num_outputs)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "%" PRId64 " can't be split into %d equal parts", size, n_out);
  return CNN_OK;
}

static CnnStatus
infer_split (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  const Params *p = params;
  CnnShape y = in[0]->shape;
  int64_t parts[CNN_MAX_NODE_TENSORS], sum = 0;
  int axis;
  CnnStatus status = cnn_axis (p->axis, y.rank, y.rank - 1, &axis, error);
  if (!status && p->num_outputs && p->num_outputs != n_out)
    status = cnn_error_set (error, CNN_ERROR_FORMAT,
        "num_outputs is %" PRId64 ", there are %d", p->num_outputs, n_out);
  int64_t size = status ? 0 : y.dims[axis];
  if (!status)
    status = read_split (p, in, n_in, n_out, size, parts, error);
  for (int i = 0; i < n_out && !status; i++) {
    if (parts[i] < -1 || parts[i] > INT32_MAX)
      return cnn_error_set (error, CNN_ERROR_SHAPE, "size %d is %" PRId64, i,
          parts[i]);
    sum = sum < 0 || parts[i] < 0 ? -1 : sum + parts[i];
    y.dims[axis] = parts[i];
    status = cnn_infer_output (&out[i], in[0]->type, &y, error);
  }
  if (!status && sum >= 0 && size >= 0 && sum != size)
    status = cnn_error_set (error, CNN_ERROR_SHAPE,
        "the sizes add up to %" PRId64 ", dimension %d is %" PRId64, sum, axis,
        size);
  return status;
}

/* Sizes of outputs that nobody wants are not in call->out. */
static void
parts_of (const CnnOpCall *call, int axis, int64_t *parts)
{
  read_split (call->params, call->in, call->n_in, call->n_out,
      call->in[0]->shape.dims[axis], parts, NULL);
}

static void
forward_split (const CnnOpCall *call)
{
  int axis;
  int64_t parts[CNN_MAX_NODE_TENSORS];
  Blocks b =
      blocks_of (call->in[0], ((const Params *) call->params)->axis, &axis);
  size_t bytes = cnn_type_bytes (call->in[0]->type);
  const char *from = call->in[0]->data;
  parts_of (call, axis, parts);
  for (int i = 0; i < call->n_out; i++) {
    size_t part = b.inner * (size_t) parts[i] * bytes;
    char *to = call->out[i] ? call->out[i]->data : NULL;
    for (size_t o = 0; o < b.outer && to && part; o++)
      memcpy (to + o * part, from + o * b.whole * bytes, part);
    from += part;
  }
}

static void
backward_split (const CnnOpCall *call, const CnnOpGrad *grad)
{
  int axis;
  int64_t parts[CNN_MAX_NODE_TENSORS];
  Blocks b =
      blocks_of (call->in[0], ((const Params *) call->params)->axis, &axis);
  if (!grad->d_in[0])
    return;
  float *to = grad->d_in[0]->data;
  parts_of (call, axis, parts);
  for (int i = 0; i < call->n_out; i++) {
    size_t part = b.inner * (size_t) parts[i];
    const float *from = grad->d_out[i] ? grad->d_out[i]->data : NULL;
    for (size_t o = 0; o < b.outer && from; o++)
      add (to + o * b.whole, from + o * part, part);
    to += part;
  }
}

/* Samples are along axis 0. */
static CnnSamples
samples (const void *params)
{
  return ((const Params *) params)->axis > 0 ? CNN_SAMPLES_STRETCHED
                                             : CNN_SAMPLES_TOGETHER;
}

const CnnOp cnn_op_concat = {
  .name = "Concat",
  .since = 4,
  .min_in = 1,
  .max_in = CNN_MAX_NODE_TENSORS,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .parse = parse_concat,
  .infer = infer_concat,
  .geometry = geometry,
  .cellwise = cnn_op_cellwise,
  .samples = samples,
  .forward = forward_concat,
  .backward = backward_concat,
};

const CnnOp cnn_op_split = {
  .name = "Split",
  .since = 2,
  .min_in = 1,
  .max_in = 2,
  .max_out = CNN_MAX_NODE_TENSORS,
  .params_bytes = sizeof (Params),
  .value_in = 1 << 1,
  .parse = parse_split,
  .infer = infer_split,
  .geometry = geometry,
  .forward = forward_split,
  .backward = backward_split,
};
