/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* arithmetic.c: Add, Sub, Mul, Div with broadcasting.
 *
 * y = a op b; sizes are aligned at the last dimension and 1 stretches. Before
 * opset 7 only b stretches, from dimension `axis` of a on.
 *
 * Source: ONNX Add, Sub, Mul, Div, opsets 6, 7, 13; "Broadcasting in ONNX". */

#include <string.h>

#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/shapes.h"
#include "ops/table.h"

/**
 * Params:
 * @old: follows an opset before 7
 * @axis: -1 = aligned at the last dimension
 */
typedef struct
{
  int64_t old, broadcast, axis;
} Params;

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const old[] = { "axis", "broadcast", NULL };
  static const char *const none[] = { NULL };
  Params *p = params;
  p->old = attributes->opset < 7;
  p->axis = -1;
  CnnStatus status =
      cnn_attributes_check (attributes, p->old ? old : none, error);
  if (!status)
    status = cnn_attributes_int (attributes, "broadcast", 0, 1, &p->broadcast,
        error);
  if (!status)
    status = cnn_attributes_int (attributes, "axis", 0, CNN_MAX_RANK - 1,
        &p->axis, error);
  return status;
}

/* b's shape with sizes of 1 behind it, so that it lines up at the end. */
static CnnStatus
line_up (const Params *p, const CnnShape *a, const CnnShape *b, CnnShape *lined,
    CnnError *error)
{
  *lined = *b;
  if (p->axis < 0)
    return CNN_OK;
  if (p->axis + b->rank > a->rank)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "axis %d and %d dimensions do not fit into %d", (int) p->axis, b->rank,
        a->rank);
  while (p->axis + lined->rank < a->rank)
    lined->dims[lined->rank++] = 1;
  return CNN_OK;
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    CNN_UNUSED int n_out, CnnError *error)
{
  CnnShape b, y;
  CnnStatus status = cnn_infer_floats (in, n_in, error);
  if (!status)
    status = line_up (params, &in[0]->shape, &in[1]->shape, &b, error);
  if (!status)
    status = cnn_shape_broadcast (&in[0]->shape, &b, &y, error);
  return status ? status
                : cnn_infer_output (&out[0], CNN_TYPE_FLOAT32, &y, error);
}

/**
 * Walk:
 * @dims: sizes of the loops, outermost first; the last is the inner run
 * @a, @b: how far each loop moves in the operands: 0 where stretched
 *
 * The fewest loops: dimensions that both operands walk through alike are one.
 */
typedef struct
{
  int rank;
  size_t dims[CNN_MAX_RANK + 1], a[CNN_MAX_RANK + 1], b[CNN_MAX_RANK + 1];
} Walk;

static void
add_loop (Walk *walk, size_t size, size_t a, size_t b)
{
  /* Loops are added from the innermost; the new one is outside the last. */
  int last = walk->rank - 1;
  if (size == 1)
    return;
  if (last >= 0 && a == walk->a[last] * walk->dims[last]
      && b == walk->b[last] * walk->dims[last]) {
    walk->dims[last] *= size;
    return;
  }
  walk->dims[walk->rank] = size;
  walk->a[walk->rank] = a;
  walk->b[walk->rank++] = b;
}

static void
reverse (size_t *list, int n)
{
  for (int i = 0; i < n / 2; i++) {
    size_t t = list[i];
    list[i] = list[n - 1 - i];
    list[n - 1 - i] = t;
  }
}

static Walk
walk_of (const CnnOpCall *call)
{
  const CnnShape *y = &call->out[0]->shape, *a = &call->in[0]->shape;
  CnnShape b;
  size_t a_step = 1, b_step = 1;
  Walk walk = { 0 };
  line_up (call->params, a, &call->in[1]->shape, &b, NULL);
  for (int i = y->rank - 1; i >= 0; i--) {
    int ia = i - (y->rank - a->rank), ib = i - (y->rank - b.rank);
    size_t da = ia >= 0 ? (size_t) a->dims[ia] : 1;
    size_t db = ib >= 0 ? (size_t) b.dims[ib] : 1;
    add_loop (&walk, (size_t) y->dims[i], da > 1 ? a_step : 0,
        db > 1 ? b_step : 0);
    a_step *= da;
    b_step *= db;
  }
  if (!walk.rank)
    walk = (Walk){ .rank = 1, .dims = { 1 } };
  reverse (walk.dims, walk.rank);
  reverse (walk.a, walk.rank);
  reverse (walk.b, walk.rank);
  return walk;
}

/* The next inner run: @index counts through the outer loops. Returns false
 * after the last. */
static bool
next_run (const Walk *walk, size_t *index, size_t *a, size_t *b)
{
  for (int i = walk->rank - 2; i >= 0; i--) {
    *a += walk->a[i];
    *b += walk->b[i];
    if (++index[i] < walk->dims[i])
      return true;
    *a -= walk->a[i] * walk->dims[i];
    *b -= walk->b[i] * walk->dims[i];
    index[i] = 0;
  }
  return false;
}

static void
forward (const CnnOpCall *call, CnnBinary op)
{
  Walk walk = walk_of (call);
  int last = walk.rank - 1;
  size_t index[CNN_MAX_RANK + 1] = { 0 }, a = 0, b = 0, n = walk.dims[last];
  const float *in0 = call->in[0]->data, *in1 = call->in[1]->data;
  float *y = call->out[0]->data;
  if (!cnn_elements (call->out[0]))
    return;
  do {
    call->kernels->binary (op, in0 + a, walk.a[last] != 0, in1 + b,
        walk.b[last] != 0, y, n);
    y += n;
  } while (next_run (&walk, index, &a, &b));
}

/* Gradients of one run of n:
 *   a + b: g, g;  a - b: g, -g;  a * b: g b, g a;  a / b: g / b, -g a / b^2
 * A stretched operand gets the sum. */
static void
run_backward (CnnBinary op, const float *a, size_t a_step, const float *b,
    size_t b_step, const float *g, float *d_a, float *d_b, size_t n)
{
  float sum_a = 0, sum_b = 0;
  for (size_t i = 0; i < n; i++) {
    float x = a[i * a_step], z = b[i * b_step], ga = g[i], gb = g[i];
    if (op == CNN_BINARY_SUB)
      gb = -gb;
    if (op == CNN_BINARY_MUL) {
      ga *= z;
      gb *= x;
    }
    if (op == CNN_BINARY_DIV) {
      ga /= z;
      gb *= -x / (z * z);
    }
    if (d_a && a_step)
      d_a[i] += ga;
    if (d_b && b_step)
      d_b[i] += gb;
    sum_a += ga;
    sum_b += gb;
  }
  if (d_a && !a_step)
    *d_a += sum_a;
  if (d_b && !b_step)
    *d_b += sum_b;
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad, CnnBinary op)
{
  Walk walk = walk_of (call);
  int last = walk.rank - 1;
  size_t index[CNN_MAX_RANK + 1] = { 0 }, a = 0, b = 0, n = walk.dims[last];
  if (!grad->d_out[0] || !cnn_elements (call->out[0]))
    return;
  const float *in0 = call->in[0]->data, *in1 = call->in[1]->data;
  const float *g = grad->d_out[0]->data;
  float *d_a = grad->d_in[0] ? grad->d_in[0]->data : NULL;
  float *d_b = grad->d_in[1] ? grad->d_in[1]->data : NULL;
  do {
    run_backward (op, in0 + a, walk.a[last], in1 + b, walk.b[last], g,
        d_a ? d_a + a : NULL, d_b ? d_b + b : NULL, n);
    g += n;
  } while (next_run (&walk, index, &a, &b));
}

#define ARITHMETIC(lower, title, kind)                                         \
  static void forward_##lower (const CnnOpCall *call)                          \
  {                                                                            \
    forward (call, kind);                                                      \
  }                                                                            \
  static void backward_##lower (const CnnOpCall *call, const CnnOpGrad *grad)  \
  {                                                                            \
    backward (call, grad, kind);                                               \
  }                                                                            \
  const CnnOp cnn_op_##lower = {                                               \
    .name = title,                                                             \
    .since = 6,                                                                \
    .min_in = 2,                                                               \
    .max_in = 2,                                                               \
    .max_out = 1,                                                              \
    .params_bytes = sizeof (Params),                                           \
    .inplace = true,                                                           \
    .parse = parse,                                                            \
    .infer = infer,                                                            \
    .geometry = cnn_op_geometry_pointwise,                                     \
    .forward = forward_##lower,                                                \
    .backward = backward_##lower,                                              \
  };

ARITHMETIC (add, "Add", CNN_BINARY_ADD)
ARITHMETIC (sub, "Sub", CNN_BINARY_SUB)
ARITHMETIC (mul, "Mul", CNN_BINARY_MUL)
ARITHMETIC (div, "Div", CNN_BINARY_DIV)
