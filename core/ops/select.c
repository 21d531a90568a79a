/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* select.c: Where, Min, Max, Sum, Mean, Clip: choosing among several.
 *
 * Where: y = c ? a : b, all three stretch. Min, Max, Sum, Mean: of any number
 * of inputs, which stretch; NaN wins. Clip: y = min (max (x, low), high); the
 * bounds are attributes until opset 10, scalar inputs since.
 *
 * Gradients: Where gives to the side it took; Min and Max to the first input
 * that is the result; Clip inside the bounds.
 *
 * Source: ONNX Where, 9, 16; Min, Max, 6 to 13; Sum, Mean, 6 to 13; Clip, 6 to
 * 13. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ops/broadcast.h"
#include "tensor/scalar.h"
#include "ops/shapes.h"
#include "ops/table.h"

/* -- Where -------------------------------------------------------------- */

static CnnStatus
infer_where (CNN_UNUSED const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  if (in[0]->type != CNN_TYPE_BOOL)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "the condition is %s, not bool", cnn_type_name (in[0]->type));
  CnnStatus status = cnn_infer_alike (in + 1, 2, error);
  return status ? status : cnn_infer_broadcast (in, 3, in[1]->type, out, error);
}

static void
run_where (CNN_UNUSED const void *data, const CnnTensor *in,
    const size_t *steps, CnnTensor *out, size_t n)
{
  size_t bytes = cnn_type_bytes (out->type);
  const uint8_t *c = in[0].data;
  const char *a = in[1].data, *b = in[2].data;
  char *y = out->data;
  for (size_t i = 0; i < n; i++)
    memcpy (y + i * bytes,
        c[i * steps[0]] ? a + i * steps[1] * bytes : b + i * steps[2] * bytes,
        bytes);
}

static void
forward_where (const CnnOpCall *call)
{
  cnn_walk_run (call, 3, run_where, NULL);
}

static void
backward_where (const CnnOpCall *call, const CnnOpGrad *grad)
{
  const CnnShape *shapes[] = { &call->in[0]->shape, &call->in[1]->shape,
    &call->in[2]->shape };
  size_t index[CNN_MAX_RANK + 1] = { 0 }, at[CNN_WALK_OPERANDS] = { 0 };
  CnnWalk walk;
  if (!grad->d_out[0] || !cnn_elements (call->out[0]))
    return;
  cnn_walk_init (&walk, &call->out[0]->shape, shapes, 3);
  int last = walk.rank - 1;
  const uint8_t *c = call->in[0]->data;
  const float *g = grad->d_out[0]->data;
  do {
    for (size_t i = 0; i < walk.dims[last]; i++, g++) {
      int side = c[at[0] + i * walk.steps[0][last]] ? 1 : 2;
      if (grad->d_in[side])
        ((float *) grad->d_in[side]
                ->data)[at[side] + i * walk.steps[side][last]] += *g;
    }
  } while (cnn_walk_next (&walk, index, at));
}

/* -- Min, Max, Sum, Mean ------------------------------------------------ */

typedef enum
{
  OP_MIN,
  OP_MAX,
  OP_SUM,
  OP_MEAN
} Op;

static CnnStatus
infer_several (const CnnTensor *const *in, int n_in, CnnTensor *out,
    CnnError *error)
{
  CnnStatus status = cnn_infer_alike (in, n_in, error);
  for (int i = 0; i < n_in && !status; i++)
    if (!in[i] || in[i]->type == CNN_TYPE_BOOL)
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "input %d is no tensor of numbers", i);
  return status ? status
                : cnn_infer_broadcast (in, n_in, in[0]->type, out, error);
}

static CnnStatus
infer_numbers (CNN_UNUSED const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  return infer_several (in, n_in, out, error);
}

static CnnStatus
infer_floats (CNN_UNUSED const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnStatus status = cnn_check_float (in[0], 0, error);
  return status ? status : infer_several (in, n_in, out, error);
}

#define CHOICE(T)                                                              \
  static T T##_of (Op op, T a, T b)                                            \
  {                                                                            \
    switch (op) {                                                              \
      case OP_MIN:                                                             \
        return isnan (a) || a < b ? a : b;                                     \
      case OP_MAX:                                                             \
        return isnan (a) || a > b ? a : b;                                     \
      default:                                                                 \
        return a + b;                                                          \
    }                                                                          \
  }

CHOICE (float)
CHOICE (double)

static int64_t
int_of (Op op, CnnType type, int64_t a, int64_t b)
{
  bool less = cnn_int_less (type, a, b);
  switch (op) {
    case OP_MIN:
      return less ? a : b;
    case OP_MAX:
      return less ? b : a;
    default:
      return (int64_t) ((uint64_t) a + (uint64_t) b);
  }
}

/* The result so far (in[1], the output itself) and one more input. */
static void
run_more (const void *data, const CnnTensor *in, const size_t *steps,
    CnnTensor *out, size_t n)
{
  Op op = *(const Op *) data;
  CnnType type = out->type;
  if (type == CNN_TYPE_FLOAT32) {
    const float *x = in[0].data;
    float *y = out->data;
    for (size_t i = 0; i < n; i++)
      y[i] = float_of (op, y[i], x[i * steps[0]]);
    return;
  }
  for (size_t i = 0; i < n; i++)
    if (cnn_type_is_float (type))
      cnn_write_float (type, out->data, i,
          double_of (op, cnn_read_float (type, out->data, i),
              cnn_read_float (type, in[0].data, i * steps[0])));
    else
      cnn_write_int (type, out->data, i,
          int_of (op, type, cnn_read_int (type, out->data, i),
              cnn_read_int (type, in[0].data, i * steps[0])));
}

static void
run_first (CNN_UNUSED const void *data, const CnnTensor *in,
    const size_t *steps, CnnTensor *out, size_t n)
{
  size_t bytes = cnn_type_bytes (out->type);
  if (steps[0]) {
    memmove (out->data, in[0].data, n * bytes);
    return;
  }
  for (size_t i = 0; i < n; i++)
    memcpy ((char *) out->data + i * bytes, in[0].data, bytes);
}

static void
divide (const CnnTensor *y, int count)
{
  size_t n = cnn_elements (y);
  for (size_t i = 0; i < n; i++)
    cnn_write_float (y->type, y->data, i,
        cnn_read_float (y->type, y->data, i) / count);
}

static void
forward_several (const CnnOpCall *call, Op op)
{
  for (int i = 0; i < call->n_in; i++) {
    CnnOpCall one = *call;
    one.in = call->in + i;
    cnn_walk_run (&one, 1, i ? run_more : run_first, &op);
  }
  if (op == OP_MEAN && call->n_in > 1)
    divide (call->out[0], call->n_in);
}

/* Which input the result of Min and Max came from: the first that is it. */
static int
winner (const CnnOpCall *call, float y, const size_t *at)
{
  for (int k = 0; k < call->n_in; k++)
    if (((const float *) call->in[k]->data)[at[k]] == y)
      return k;
  return 0;
}

static void
backward_several (const CnnOpCall *call, const CnnOpGrad *grad, Op op)
{
  const CnnTensor *y = call->out[0];
  size_t n = cnn_elements (y), at[CNN_MAX_NODE_TENSORS];
  if (!grad->d_out[0])
    return;
  for (size_t e = 0; e < n; e++) {
    float g = ((const float *) grad->d_out[0]->data)[e];
    for (int k = 0; k < call->n_in; k++)
      at[k] = cnn_broadcast_at (&call->in[k]->shape, &y->shape, e);
    int only =
        op <= OP_MAX ? winner (call, ((const float *) y->data)[e], at) : -1;
    for (int k = 0; k < call->n_in; k++)
      if (grad->d_in[k] && (only < 0 || only == k))
        ((float *) grad->d_in[k]->data)[at[k]] +=
            op == OP_MEAN ? g / (float) call->n_in : g;
  }
}

#define SEVERAL(lower, title, kind, infer_)                                    \
  static void forward_##lower (const CnnOpCall *call)                          \
  {                                                                            \
    forward_several (call, kind);                                              \
  }                                                                            \
  static void backward_##lower (const CnnOpCall *call, const CnnOpGrad *grad)  \
  {                                                                            \
    backward_several (call, grad, kind);                                       \
  }                                                                            \
  const CnnOp cnn_op_##lower = {                                               \
    .name = title,                                                             \
    .since = 6,                                                                \
    .min_in = 1,                                                               \
    .max_in = CNN_MAX_NODE_TENSORS,                                            \
    .max_out = 1,                                                              \
    .infer = infer_,                                                           \
    .geometry = cnn_op_geometry_pointwise,                                     \
    .cellwise = cnn_op_cellwise,                                               \
    .forward = forward_##lower,                                                \
    .backward = backward_##lower,                                              \
  };

SEVERAL (min, "Min", OP_MIN, infer_numbers)
SEVERAL (max, "Max", OP_MAX, infer_numbers)
SEVERAL (sum, "Sum", OP_SUM, infer_floats)
SEVERAL (mean, "Mean", OP_MEAN, infer_floats)

const CnnOp cnn_op_where = {
  .name = "Where",
  .since = 9,
  .min_in = 3,
  .max_in = 3,
  .max_out = 1,
  .infer = infer_where,
  .geometry = cnn_op_geometry_pointwise,
  .cellwise = cnn_op_cellwise,
  .forward = forward_where,
  .backward = backward_where,
};

/* -- Clip --------------------------------------------------------------- */

/**
 * Clip:
 * @low, @high: the bounds where they are attributes
 */
typedef struct
{
  float low, high;
  bool attributes;
} Clip;

static CnnStatus
parse_clip (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const old[] = { "min", "max", NULL };
  static const char *const none[] = { NULL };
  Clip *p = params;
  *p = (Clip){ -HUGE_VALF, HUGE_VALF, attributes->opset < 11 };
  CnnStatus status =
      cnn_attributes_check (attributes, p->attributes ? old : none, error);
  if (!status)
    status = cnn_attributes_float (attributes, "min", &p->low, error);
  if (!status)
    status = cnn_attributes_float (attributes, "max", &p->high, error);
  return status;
}

static CnnStatus
infer_clip (CNN_UNUSED const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnStatus status = cnn_check_number (in[0], 0, error);
  if (!status)
    status = cnn_infer_alike (in, n_in, error);
  for (int i = 1; i < n_in && !status; i++)
    for (int d = 0; in[i] && d < in[i]->shape.rank; d++)
      if (in[i]->shape.dims[d] != 1 && in[i]->shape.dims[d] != -1)
        status = cnn_error_set (error, CNN_ERROR_SHAPE,
            "bound %d is no single number", i);
  return status ? status : cnn_infer_same (params, in, n_in, out, 1, error);
}

static void
clip_float32 (const float *x, float *y, size_t n, float low, float high)
{
  for (size_t i = 0; i < n; i++) {
    float v = x[i] < low ? low : x[i];
    y[i] = v > high ? high : v;
  }
}

static const CnnTensor *
bound (const CnnOpCall *call, int i)
{
  return i < call->n_in ? call->in[i] : NULL;
}

static void
float_bounds (const CnnOpCall *call, double *low, double *high)
{
  const Clip *p = call->params;
  const CnnTensor *a = bound (call, 1), *b = bound (call, 2);
  *low = a ? cnn_read_float (a->type, a->data, 0) : (double) p->low;
  *high = b ? cnn_read_float (b->type, b->data, 0) : (double) p->high;
}

static void
clip_ints (const CnnOpCall *call)
{
  const CnnTensor *x = call->in[0], *a = bound (call, 1), *b = bound (call, 2);
  size_t n = cnn_elements (x);
  for (size_t i = 0; i < n; i++) {
    int64_t v = cnn_read_int (x->type, x->data, i);
    if (a)
      v = int_of (OP_MAX, x->type, v, cnn_read_int (a->type, a->data, 0));
    if (b)
      v = int_of (OP_MIN, x->type, v, cnn_read_int (b->type, b->data, 0));
    cnn_write_int (x->type, call->out[0]->data, i, v);
  }
}

static void
forward_clip (const CnnOpCall *call)
{
  const CnnTensor *x = call->in[0];
  size_t n = cnn_elements (x);
  double low, high;
  if (!cnn_type_is_float (x->type)) {
    clip_ints (call);
    return;
  }
  float_bounds (call, &low, &high);
  if (x->type == CNN_TYPE_FLOAT32) {
    clip_float32 (x->data, call->out[0]->data, n, (float) low, (float) high);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    double v = cnn_read_float (x->type, x->data, i);
    v = v < low ? low : v;
    cnn_write_float (x->type, call->out[0]->data, i, v > high ? high : v);
  }
}

static void
backward_clip (const CnnOpCall *call, const CnnOpGrad *grad)
{
  size_t n = cnn_elements (call->in[0]);
  double low, high;
  if (!grad->d_out[0] || !grad->d_in[0])
    return;
  float_bounds (call, &low, &high);
  const float *x = call->in[0]->data, *g = grad->d_out[0]->data;
  float *d = grad->d_in[0]->data;
  for (size_t i = 0; i < n; i++)
    if ((double) x[i] >= low && (double) x[i] <= high)
      d[i] += g[i];
}

const CnnOp cnn_op_clip = {
  .name = "Clip",
  .since = 6,
  .min_in = 1,
  .max_in = 3,
  .max_out = 1,
  .params_bytes = sizeof (Clip),
  .inplace = true,
  .fixed_in = 1 << 1 | 1 << 2,
  .parse = parse_clip,
  .infer = infer_clip,
  .geometry = cnn_op_geometry_pointwise,
  .cellwise = cnn_op_cellwise,
  .forward = forward_clip,
  .backward = backward_clip,
};
