/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* arithmetic.c: Add, Sub, Mul, Div, Pow, Mod, PRelu with broadcasting.
 *
 * y = a op b; sizes are aligned at the last dimension and 1 stretches. Before
 * opset 7 only b stretches, from dimension `axis` of a on. Integers wrap
 * around; divided by zero they give zero.
 *
 * float32 is the fast path; other types go element by element through the
 * widest number of their kind (scalar.h).
 *
 * Source: ONNX Add, Sub, Mul, Div, opsets 6 to 14; Pow, 7 to 15; Mod, 10, 13;
 * PRelu, 6 to 16; "Broadcasting in ONNX". */

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/broadcast.h"
#include "tensor/scalar.h"
#include "ops/shapes.h"
#include "ops/table.h"

/**
 * Params:
 * @axis: -1 = aligned at the last dimension
 * @fmod: Mod's sign follows the dividend
 */
typedef struct
{
  int64_t broadcast, axis, fmod;
} Params;

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const old[] = { "axis", "broadcast", NULL };
  static const char *const none[] = { NULL };
  Params *p = params;
  p->axis = -1;
  CnnStatus status = cnn_attributes_check (attributes,
      attributes->opset < 7 ? old : none, error);
  if (!status)
    status = cnn_attributes_int (attributes, "broadcast", 0, 1, &p->broadcast,
        error);
  if (!status)
    status = cnn_attributes_int (attributes, "axis", 0, CNN_MAX_RANK - 1,
        &p->axis, error);
  return status;
}

static CnnStatus
parse_mod (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "fmod", NULL };
  Params *p = params;
  p->axis = -1;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "fmod", 0, 1, &p->fmod, error);
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
infer_shapes (const void *params, const CnnTensor *const *in, CnnTensor *out,
    CnnError *error)
{
  CnnShape b, y;
  CnnStatus status = line_up (params, &in[0]->shape, &in[1]->shape, &b, error);
  if (!status)
    status = cnn_shape_broadcast (&in[0]->shape, &b, &y, error);
  return status ? status : cnn_infer_output (out, in[0]->type, &y, error);
}

static CnnStatus
check_numbers (const CnnTensor *const *in, int n_in, CnnError *error)
{
  CnnStatus status = CNN_OK;
  for (int i = 0; i < n_in && !status; i++)
    status = cnn_check_number (in[i], i, error);
  return status;
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    CNN_UNUSED int n_out, CnnError *error)
{
  CnnStatus status = check_numbers (in, n_in, error);
  if (!status)
    status = cnn_infer_alike (in, n_in, error);
  return status ? status : infer_shapes (params, in, out, error);
}

/* The exponent may be of any type. */
static CnnStatus
infer_pow (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnStatus status = check_numbers (in, n_in, error);
  return status ? status : infer_shapes (params, in, out, error);
}

/* The slope stretches to the input, never the other way; until opset 7 it may
 * be one for each channel without saying so. */
static CnnStatus
infer_prelu (CNN_UNUSED const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const CnnShape *x = &in[0]->shape;
  CnnShape both;
  CnnStatus status = cnn_infer_alike (in, n_in, error);
  if (!status)
    status = cnn_shape_broadcast (x, &in[1]->shape, &both, error);
  if (!status && both.rank != x->rank)
    status = cnn_error_set (error, CNN_ERROR_SHAPE,
        "the slope has %d dimensions, the input %d", in[1]->shape.rank,
        x->rank);
  return status ? status : cnn_infer_same (params, in, n_in, out, 1, error);
}

typedef enum
{
  OP_ADD,
  OP_SUB,
  OP_MUL,
  OP_DIV,
  OP_POW,
  OP_MOD,
  OP_PRELU
} Op;

static double
mod_float (double a, double b, bool follow_dividend)
{
  double rest = fmod (a, b);
  return !follow_dividend && rest != 0 && (rest < 0) != (b < 0) ? rest + b
                                                                : rest;
}

static double
float_op (Op op, double a, double b, const Params *p)
{
  switch (op) {
    case OP_ADD:
      return a + b;
    case OP_SUB:
      return a - b;
    case OP_MUL:
      return a * b;
    case OP_DIV:
      return a / b;
    case OP_POW:
      return pow (a, b);
    case OP_MOD:
      return mod_float (a, b, p->fmod);
    case OP_PRELU:
      return a < 0 ? a * b : a;
  }
  return 0;
}

static int64_t
int_div (int64_t a, int64_t b, bool is_unsigned)
{
  if (!b)
    return 0;
  if (is_unsigned)
    return (int64_t) ((uint64_t) a / (uint64_t) b);
  return b == -1 ? (int64_t) (0 - (uint64_t) a) : a / b;
}

static int64_t
int_mod (int64_t a, int64_t b, bool is_unsigned, bool follow_dividend)
{
  if (!b || b == -1)
    return b && is_unsigned ? (int64_t) ((uint64_t) a % (uint64_t) b) : 0;
  if (is_unsigned)
    return (int64_t) ((uint64_t) a % (uint64_t) b);
  int64_t rest = a % b;
  return !follow_dividend && rest && (rest < 0) != (b < 0) ? rest + b : rest;
}

static int64_t
int_pow (int64_t a, int64_t b)
{
  uint64_t result = 1, base = (uint64_t) a;
  if (b < 0)
    return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0;
  for (; b; b >>= 1, base *= base)
    result *= b & 1 ? base : 1;
  return (int64_t) result;
}

static int64_t
int_op (Op op, int64_t a, int64_t b, bool is_unsigned, const Params *p)
{
  switch (op) {
    case OP_ADD:
      return (int64_t) ((uint64_t) a + (uint64_t) b);
    case OP_SUB:
      return (int64_t) ((uint64_t) a - (uint64_t) b);
    case OP_MUL:
      return (int64_t) ((uint64_t) a * (uint64_t) b);
    case OP_DIV:
      return int_div (a, b, is_unsigned);
    case OP_POW:
      return int_pow (a, b);
    case OP_MOD:
      return int_mod (a, b, is_unsigned, p->fmod);
    case OP_PRELU:
      return a < 0 && !is_unsigned ? (int64_t) ((uint64_t) a * (uint64_t) b)
                                   : a;
  }
  return 0;
}

typedef struct
{
  Op op;
  const CnnOpCall *call;
} Run;

static void
run_any (const void *data, const CnnTensor *in, const size_t *steps,
    CnnTensor *out, size_t n)
{
  const Run *r = data;
  CnnType a = in[0].type, b = in[1].type, y = out->type;
  bool is_unsigned = !cnn_type_is_signed (a);
  bool ints = !cnn_type_is_float (a) && !cnn_type_is_float (b);
  for (size_t i = 0; i < n; i++) {
    size_t ia = i * steps[0], ib = i * steps[1];
    if (ints) {
      int64_t v = int_op (r->op, cnn_read_int (a, in[0].data, ia),
          cnn_read_int (b, in[1].data, ib), is_unsigned, r->call->params);
      cnn_write_int (y, out->data, i, v);
      continue;
    }
    double v = float_op (r->op, cnn_read_double (a, in[0].data, ia),
        cnn_read_double (b, in[1].data, ib), r->call->params);
    if (cnn_type_is_float (y))
      cnn_write_float (y, out->data, i, v);
    else
      cnn_write_int (y, out->data, i, cnn_int_of_double (y, v));
  }
}

static void
run_kernel (const void *data, const CnnTensor *in, const size_t *steps,
    CnnTensor *out, size_t n)
{
  static const CnnBinary kinds[] = { CNN_BINARY_ADD, CNN_BINARY_SUB,
    CNN_BINARY_MUL, CNN_BINARY_DIV };
  const Run *r = data;
  r->call->kernels->binary (kinds[r->op], in[0].data, (int) steps[0],
      in[1].data, (int) steps[1], out->data, n);
}

static void
run_float32 (const void *data, const CnnTensor *in, const size_t *steps,
    CnnTensor *out, size_t n)
{
  const Run *r = data;
  const float *a = in[0].data, *b = in[1].data;
  float *y = out->data;
  if (r->op == OP_PRELU)
    for (size_t i = 0; i < n; i++) {
      float x = a[i * steps[0]], s = b[i * steps[1]];
      y[i] = x < 0 ? x * s : x;
    }
  else if (!steps[1] && *b == 2)
    for (size_t i = 0; i < n; i++)
      y[i] = a[i * steps[0]] * a[i * steps[0]];
  else
    for (size_t i = 0; i < n; i++)
      y[i] = powf (a[i * steps[0]], b[i * steps[1]]);
}

/* The call with b lined up, as old opsets mean it. */
static CnnOpCall
lined_up (const CnnOpCall *call, const CnnTensor **in, CnnTensor *b)
{
  CnnOpCall lined = *call;
  in[0] = call->in[0];
  in[1] = b;
  *b = *call->in[1];
  line_up (call->params, &call->in[0]->shape, &call->in[1]->shape, &b->shape,
      NULL);
  lined.in = in;
  return lined;
}

static void
forward (const CnnOpCall *call, Op op)
{
  const CnnTensor *in[2];
  CnnTensor b;
  CnnOpCall lined = lined_up (call, in, &b);
  Run r = { op, call };
  bool fast = in[0]->type == CNN_TYPE_FLOAT32 && b.type == CNN_TYPE_FLOAT32;
  cnn_walk_run (&lined, 2,
      !fast || op == OP_MOD ? run_any
          : op <= OP_DIV    ? run_kernel
                            : run_float32,
      &r);
}

/* Gradients of y = a op b by a and b, times g. */
static void
gradient (Op op, float a, float b, float g, float *ga, float *gb)
{
  *ga = *gb = g;
  switch (op) {
    case OP_ADD:
    case OP_MOD:
      break;
    case OP_SUB:
      *gb = -g;
      break;
    case OP_MUL:
      *ga = g * b;
      *gb = g * a;
      break;
    case OP_DIV:
      *ga = g / b;
      *gb = g * (-a / (b * b));
      break;
    case OP_POW:
      *ga = g * b * powf (a, b - 1);
      *gb = a > 0 ? g * powf (a, b) * logf (a) : 0;
      break;
    case OP_PRELU:
      *ga = a < 0 ? g * b : g;
      *gb = a < 0 ? g * a : 0;
      break;
  }
}

/* One run of n; a stretched operand gets the sum. */
static void
run_backward (Op op, const float *a, size_t a_step, const float *b,
    size_t b_step, const float *g, float *d_a, float *d_b, size_t n)
{
  float sum_a = 0, sum_b = 0, ga, gb;
  for (size_t i = 0; i < n; i++) {
    gradient (op, a[i * a_step], b[i * b_step], g[i], &ga, &gb);
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
backward (const CnnOpCall *call, const CnnOpGrad *grad, Op op)
{
  const CnnTensor *in[2];
  CnnTensor lined;
  if (!grad->d_out[0] || !cnn_elements (call->out[0]))
    return;
  lined_up (call, in, &lined);
  const CnnShape *shapes[] = { &in[0]->shape, &lined.shape };
  CnnWalk walk;
  cnn_walk_init (&walk, &call->out[0]->shape, shapes, 2);
  size_t index[CNN_MAX_RANK + 1] = { 0 }, at[CNN_WALK_OPERANDS] = { 0 };
  int last = walk.rank - 1;
  const float *a = in[0]->data, *b = lined.data, *g = grad->d_out[0]->data;
  float *d_a = grad->d_in[0] ? grad->d_in[0]->data : NULL;
  float *d_b = grad->d_in[1] ? grad->d_in[1]->data : NULL;
  do {
    run_backward (op, a + at[0], walk.steps[0][last], b + at[1],
        walk.steps[1][last], g, d_a ? d_a + at[0] : NULL,
        d_b ? d_b + at[1] : NULL, walk.dims[last]);
    g += walk.dims[last];
  } while (cnn_walk_next (&walk, index, at));
}

static CnnSamples
samples (CNN_UNUSED const void *params)
{
  return CNN_SAMPLES_STRETCHED;
}

/* A constant that is added is a bias. */
static uint64_t
links_add (CNN_UNUSED const void *params, const CnnTensor *const *in,
    const CnnTensor *out)
{
  bool constant =
      (in[0]->data && in[0]->shape.rank) || (in[1]->data && in[1]->shape.rank);
  return constant ? (uint64_t) cnn_elements (out) : 0;
}

#define ARITHMETIC(lower, title, kind, first, parse_, infer_, links_, back)    \
  static void forward_##lower (const CnnOpCall *call)                          \
  {                                                                            \
    forward (call, kind);                                                      \
  }                                                                            \
  CNN_UNUSED static void backward_##lower (const CnnOpCall *call,              \
      const CnnOpGrad *grad)                                                   \
  {                                                                            \
    backward (call, grad, kind);                                               \
  }                                                                            \
  const CnnOp cnn_op_##lower = {                                               \
    .name = title,                                                             \
    .since = first,                                                            \
    .min_in = 2,                                                               \
    .max_in = 2,                                                               \
    .max_out = 1,                                                              \
    .params_bytes = sizeof (Params),                                           \
    .inplace = true,                                                           \
    .parse = parse_,                                                           \
    .infer = infer_,                                                           \
    .geometry = cnn_op_geometry_pointwise,                                     \
    .cellwise = cnn_op_cellwise,                                               \
    .links = links_,                                                           \
    .samples = samples,                                                        \
    .forward = forward_##lower,                                                \
    .backward = back,                                                          \
  };

ARITHMETIC (add, "Add", OP_ADD, 6, parse, infer, links_add, backward_add)
ARITHMETIC (sub, "Sub", OP_SUB, 6, parse, infer, NULL, backward_sub)
ARITHMETIC (mul, "Mul", OP_MUL, 6, parse, infer, NULL, backward_mul)
ARITHMETIC (div, "Div", OP_DIV, 6, parse, infer, NULL, backward_div)
ARITHMETIC (pow, "Pow", OP_POW, 1, parse, infer_pow, NULL, backward_pow)
ARITHMETIC (mod, "Mod", OP_MOD, 10, parse_mod, infer, NULL, NULL)
ARITHMETIC (prelu, "PRelu", OP_PRELU, 6, parse, infer_prelu, NULL,
    backward_prelu)
