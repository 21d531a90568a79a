/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reduce.c: the Reduce operators: one number of all elements along some axes.
 *
 * y = f (x over the axes), in double (or int64) whatever the type:
 *   Sum, Mean, Max, Min, Prod, L1 = sum |x|, L2 = sqrt (sum x^2), SumSquare,
 *   LogSum = log (sum x), LogSumExp = m + log (sum exp (x - m)), m the maximum
 * Of no elements: 0 for sums, 1 for Prod, the type's lowest for Max.
 *
 * Gradients: g, g / n, g at the first extreme, g y / x, g sign x, g x / y, 2 g
 * x, g / exp y, g exp (x - y).
 *
 * Source: ONNX Reduce*, opsets 1 to 20: axes are an attribute until 12 (Sum)
 * and 17 (the others), an input since. */

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "ops/moments.h"
#include "ops/shapes.h"
#include "ops/strided.h"
#include "ops/table.h"
#include "tensor/scalar.h"

typedef enum
{
  OP_SUM,
  OP_MEAN,
  OP_MAX,
  OP_MIN,
  OP_PROD,
  OP_L1,
  OP_L2,
  OP_SUM_SQUARE,
  OP_LOG_SUM,
  OP_LOG_SUM_EXP
} Op;

typedef struct
{
  int64_t axes[CNN_MAX_RANK], keep, noop;
  int count;
  bool input;
} Params;

static CnnStatus
parse_since (const CnnAttributes *attributes, int since, Params *p,
    CnnError *error)
{
  static const char *const old[] = { "axes", "keepdims", NULL };
  static const char *const newer[] = { "keepdims", "noop_with_empty_axes",
    NULL };
  p->keep = 1;
  p->count = -1;
  p->input = attributes->opset >= since;
  CnnStatus status =
      cnn_attributes_check (attributes, p->input ? newer : old, error);
  if (!status)
    status = cnn_attributes_int (attributes, "keepdims", 0, 1, &p->keep, error);
  if (!status)
    status = cnn_attributes_int (attributes, "noop_with_empty_axes", 0, 1,
        &p->noop, error);
  if (!status)
    status = cnn_attributes_ints (attributes, "axes", -CNN_MAX_RANK,
        CNN_MAX_RANK - 1, CNN_MAX_RANK, p->axes, &p->count, error);
  return status;
}

static CnnStatus
parse_sum (const CnnAttributes *attributes, void *params, CnnError *error)
{
  return parse_since (attributes, 13, params, error);
}

static CnnStatus
parse_other (const CnnAttributes *attributes, void *params, CnnError *error)
{
  return parse_since (attributes, 18, params, error);
}

/* Which dimensions go; @known: false while the axes are not known. */
static CnnStatus
read_axes (const Params *p, const CnnTensor *const *in, int n_in, bool *reduced,
    int *n_axes, bool *known, CnnError *error)
{
  int64_t axes[CNN_MAX_RANK];
  int rank = in[0]->shape.rank, count = p->count;
  CnnStatus status = CNN_OK;
  memcpy (axes, p->axes, sizeof axes);
  *known = true;
  if (p->input && n_in > 1 && in[1])
    status = cnn_values (in[1], CNN_MAX_RANK, axes, &count, known, error);
  *n_axes = count > 0 ? count : p->noop ? 0 : rank;
  for (int d = 0; d < rank; d++)
    reduced[d] = count <= 0 && !p->noop;
  if (status || !*known || count <= 0)
    return status;
  status = cnn_axes (axes, count, rank, error);
  for (int i = 0; i < count && !status; i++)
    reduced[axes[i]] = true;
  return status;
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    CNN_UNUSED int n_out, CnnError *error)
{
  const Params *p = params;
  const CnnShape *x = &in[0]->shape;
  bool reduced[CNN_MAX_RANK], known;
  CnnShape y = { 0 };
  int n_axes;
  if (!p->input && n_in > 1)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "axes are an attribute in this opset, not an input");
  CnnStatus status = read_axes (p, in, n_in, reduced, &n_axes, &known, error);
  if (status)
    return status;
  if (!known) {
    y.rank = p->keep ? x->rank : x->rank > n_axes ? x->rank - n_axes : 0;
    for (int d = 0; d < y.rank; d++)
      y.dims[d] = -1;
    return cnn_infer_output (&out[0], in[0]->type, &y, error);
  }
  for (int d = 0; d < x->rank; d++)
    if (!reduced[d] || p->keep)
      y.dims[y.rank++] = reduced[d] ? 1 : x->dims[d];
  return cnn_infer_output (&out[0], in[0]->type, &y, error);
}

static CnnStatus
infer_number (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  CnnStatus status = cnn_check_number (in[0], 0, error);
  return status ? status : infer (params, in, n_in, out, n_out, error);
}

/* Over channels a cell stays where it is; over places it has none. */
static bool
geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry_)
{
  const Params *p = params;
  bool reduced[CNN_MAX_RANK], known;
  int n_axes, rank = in[0]->shape.rank;
  if (rank < 3 || rank > 4 || !p->keep
      || read_axes (p, in, 2, reduced, &n_axes, &known, NULL) || !known)
    return false;
  for (int d = 2; d < rank; d++)
    if (reduced[d])
      return false;
  return cnn_op_geometry_pointwise (params, in, geometry_);
}

/**
 * Groups:
 * @outer: walks the outputs, @inner the elements of each
 */
typedef struct
{
  CnnStrided outer, inner;
  int64_t n_inner;
} Groups;

/* Outputs that are computed side by side. */
#define CHUNK 64

static Groups
groups_of (const CnnOpCall *call)
{
  const CnnShape *x = &call->in[0]->shape;
  bool reduced[CNN_MAX_RANK], known;
  int64_t steps[CNN_MAX_RANK];
  Groups g = { 0 };
  size_t n_inner = 1;
  int n_axes;
  cnn_strides (x, steps);
  read_axes (call->params, call->in, call->n_in, reduced, &n_axes, &known,
      NULL);
  for (int d = 0; d < x->rank; d++) {
    cnn_strided_add_loop (reduced[d] ? &g.inner : &g.outer, x->dims[d],
        steps[d]);
    if (reduced[d])
      n_inner *= (size_t) x->dims[d];
  }
  g.n_inner = cnn_elements (call->in[0]) ? (int64_t) n_inner : 0;
  return g;
}

/* One float group's state: @a sums, @most is the maximum of LogSumExp. */
typedef struct
{
  double a, most;
} State;

static double
start_of (Op op)
{
  return op == OP_MAX ? -HUGE_VAL
      : op == OP_MIN  ? HUGE_VAL
      : op == OP_PROD ? 1
                      : 0;
}

static void
take (Op op, State *s, double x)
{
  switch (op) {
    case OP_MAX:
      s->a = x > s->a || isnan (x) ? x : s->a;
      break;
    case OP_MIN:
      s->a = x < s->a || isnan (x) ? x : s->a;
      break;
    case OP_PROD:
      s->a *= x;
      break;
    case OP_L1:
      s->a += fabs (x);
      break;
    case OP_L2:
    case OP_SUM_SQUARE:
      s->a += x * x;
      break;
    case OP_LOG_SUM_EXP:
      s->a += exp (x - s->most);
      break;
    default:
      s->a += x;
      break;
  }
}

static double
finish (Op op, const State *s, int64_t n)
{
  switch (op) {
    case OP_MEAN:
      return s->a / (double) n;
    case OP_L2:
      return sqrt (s->a);
    case OP_LOG_SUM:
      return log (s->a);
    case OP_LOG_SUM_EXP:
      return n ? s->most + log (s->a) : -HUGE_VAL;
    default:
      return s->a;
  }
}

/* take() of elements side by side. */
static void
take_run (Op op, const float *x, size_t n, State *s)
{
  switch (op) {
    case OP_SUM:
    case OP_MEAN:
    case OP_LOG_SUM:
      s->a += cnn_moment_sum (x, n);
      break;
    case OP_L2:
    case OP_SUM_SQUARE:
      s->a += cnn_moment_squares (x, n, 0);
      break;
    default:
      for (size_t i = 0; i < n; i++)
        take (op, s, (double) x[i]);
      break;
  }
}

/* Calls take() for every element of a group that begins at @at. */
static void
take_group (Op op, const CnnTensor *x, const CnnStrided *inner, int64_t at,
    State *s)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 };
  int last = inner->rank - 1;
  int64_t n = last >= 0 ? inner->dims[last] : 1;
  int64_t step = last >= 0 ? inner->steps[last] : 0;
  do {
    if (x->type == CNN_TYPE_FLOAT32 && step == 1)
      take_run (op, (const float *) x->data + at, (size_t) n, s);
    else if (x->type == CNN_TYPE_FLOAT32)
      for (int64_t i = 0; i < n; i++)
        take (op, s, (double) ((const float *) x->data)[at + i * step]);
    else
      for (int64_t i = 0; i < n; i++)
        take (op, s,
            cnn_read_double (x->type, x->data, (size_t) (at + i * step)));
  } while (cnn_strided_next (inner, last, index, &at));
}

static double
reduce_floats (Op op, const CnnTensor *x, const Groups *g, int64_t at)
{
  State s = { start_of (op), 0 };
  if (op == OP_LOG_SUM_EXP && g->n_inner) {
    State most = { -HUGE_VAL, 0 };
    take_group (OP_MAX, x, &g->inner, at, &most);
    if (isinf (most.a) || isnan (most.a))
      return most.a;
    s = (State){ 0, most.a };
  }
  if (g->n_inner)
    take_group (op, x, &g->inner, at, &s);
  return finish (op, &s, g->n_inner);
}

static int64_t
lowest (CnnType type)
{
  if (!cnn_type_is_signed (type))
    return 0;
  return (int64_t) (~(uint64_t) 0 << (8 * cnn_type_bytes (type) - 1));
}

static int64_t
highest (CnnType type)
{
  if (type == CNN_TYPE_BOOL)
    return 1;
  return ~lowest (type)
      & (int64_t) (cnn_type_bytes (type) == 8
              ? ~(uint64_t) 0
              : ((uint64_t) 1 << (8 * cnn_type_bytes (type))) - 1);
}

/* Exact where doubles are not: sums, products and extremes of integers. */
static int64_t
reduce_ints (Op op, const CnnTensor *x, const Groups *g, int64_t at)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 };
  bool is_signed = cnn_type_is_signed (x->type);
  uint64_t a = op == OP_PROD ? 1
      : op == OP_MAX         ? (uint64_t) lowest (x->type)
      : op == OP_MIN         ? (uint64_t) highest (x->type)
                             : 0;
  for (int64_t k = 0; k < g->n_inner; k++) {
    uint64_t v = (uint64_t) cnn_read_int (x->type, x->data, (size_t) at);
    bool less = cnn_int_less (x->type, (int64_t) v, (int64_t) a);
    if (op == OP_MAX)
      a = less ? a : v;
    else if (op == OP_MIN)
      a = less ? v : a;
    else if (op == OP_PROD)
      a *= v;
    else if (op == OP_L1)
      a += is_signed && (int64_t) v < 0 ? 0 - v : v;
    else if (op == OP_SUM_SQUARE)
      a += v * v;
    else
      a += v;
    cnn_strided_next (&g->inner, g->inner.rank, index, &at);
  }
  return (int64_t) a;
}

static void
reduce_one (Op op, const CnnOpCall *call, const Groups *g, int64_t at,
    size_t to)
{
  const CnnTensor *x = call->in[0];
  void *y = call->out[0]->data;
  bool exact =
      op != OP_L2 && op != OP_LOG_SUM && op != OP_LOG_SUM_EXP && op != OP_MEAN;
  if (cnn_type_is_float (x->type))
    cnn_write_float (x->type, y, to, reduce_floats (op, x, g, at));
  else if (exact)
    cnn_write_int (x->type, y, to, reduce_ints (op, x, g, at));
  else
    cnn_write_int (x->type, y, to,
        cnn_int_of_double (x->type, reduce_floats (op, x, g, at)));
}

/* -- float32, along rows of memory -------------------------------------- */

/* Lane by lane what take() does; @most for LogSumExp. */
static void
take_row (Op op, const float *x, size_t n, const double *most, double *a)
{
#define EACH(expression)                                                       \
  for (size_t j = 0; j < n; j++) {                                             \
    double v = (double) x[j];                                                  \
    a[j] = expression;                                                         \
  }                                                                            \
  break
  switch (op) {
    case OP_MAX:
      EACH (((v > a[j]) | (v != v)) ? v : a[j]);
    case OP_MIN:
      EACH (((v < a[j]) | (v != v)) ? v : a[j]);
    case OP_PROD:
      EACH (a[j] * v);
    case OP_L1:
      EACH (a[j] + fabs (v));
    case OP_L2:
    case OP_SUM_SQUARE:
      EACH (a[j] + v * v);
    case OP_LOG_SUM_EXP:
      EACH (a[j] + exp (v - most[j]));
    default:
      EACH (a[j] + v);
  }
#undef EACH
}

/* @n outputs side by side: the elements of each lie below one another. */
static void
reduce_columns (Op op, const float *x, const Groups *g, const double *most,
    size_t n, double *a)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 }, at = 0;
  for (size_t j = 0; j < n; j++)
    a[j] = start_of (op);
  for (int64_t k = 0; k < g->n_inner; k++) {
    take_row (op, x + at, n, most, a);
    cnn_strided_next (&g->inner, g->inner.rank, index, &at);
  }
}

/* The maxima that LogSumExp takes off: none where exp() would give NaN. */
static void
columns_most (const float *x, const Groups *g, size_t n, double *most)
{
  reduce_columns (OP_MAX, x, g, NULL, n, most);
  for (size_t j = 0; j < n; j++)
    most[j] = isinf (most[j]) ? 0 : most[j];
}

static void
columns_block (Op op, const CnnOpCall *call, const Groups *g, int64_t at,
    size_t to, size_t n)
{
  const float *x = (const float *) call->in[0]->data + at;
  float *y = (float *) call->out[0]->data + to;
  double a[CHUNK], most[CHUNK] = { 0 };
  if (op == OP_LOG_SUM_EXP)
    columns_most (x, g, n, most);
  reduce_columns (op, x, g, most, n, a);
  for (size_t j = 0; j < n; j++)
    y[j] = (float) finish (op, &(State){ a[j], most[j] }, g->n_inner);
}

/* -- cutting the work --------------------------------------------------- */

/**
 * Cut:
 * @run: outputs along the last loop over them, in @chunks blocks of CHUNK
 * @columns: they lie side by side and what they are made of does not
 */
typedef struct
{
  const CnnOpCall *call;
  Op op;
  Groups groups;
  int64_t run, step, chunks, blocks, per_task;
  bool columns;
} Cut;

static void
block (const Cut *c, int64_t number)
{
  const CnnStrided *outer = &c->groups.outer;
  int64_t first = number % c->chunks * CHUNK, line = number / c->chunks;
  int64_t n = c->run - first < CHUNK ? c->run - first : CHUNK;
  int64_t to = line * c->run + first, at = first * c->step;
  for (int d = outer->rank - 2; d >= 0; d--) {
    at += line % outer->dims[d] * outer->steps[d];
    line /= outer->dims[d];
  }
  if (c->columns)
    columns_block (c->op, c->call, &c->groups, at, (size_t) to, (size_t) n);
  else
    for (int64_t i = 0; i < n; i++)
      reduce_one (c->op, c->call, &c->groups, at + i * c->step,
          (size_t) (to + i));
}

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const Cut *c = data;
  int64_t first = number * c->per_task, end = first + c->per_task;
  for (int64_t i = first; i < end && i < c->blocks; i++)
    block (c, i);
}

static void
forward (const CnnOpCall *call, Op op)
{
  size_t n = cnn_elements (call->out[0]);
  if (!n)
    return;
  Cut c = { .call = call, .op = op, .groups = groups_of (call), .run = 1 };
  const CnnStrided *outer = &c.groups.outer, *inner = &c.groups.inner;
  if (outer->rank) {
    c.run = outer->dims[outer->rank - 1];
    c.step = outer->steps[outer->rank - 1];
  }
  c.columns = call->in[0]->type == CNN_TYPE_FLOAT32 && c.step == 1
      && c.groups.n_inner && inner->rank && inner->steps[inner->rank - 1] != 1;
  c.chunks = (c.run + CHUNK - 1) / CHUNK;
  c.blocks = (int64_t) n / c.run * c.chunks;
  size_t wide = (size_t) (c.run < CHUNK ? c.run : CHUNK);
  c.per_task =
      (int64_t) cnn_rows_per_task (wide * (size_t) (c.groups.n_inner + 1));
  cnn_pool_run (call->pool, (int) ((c.blocks + c.per_task - 1) / c.per_task),
      task, &c);
}

/* -- gradients ---------------------------------------------------------- */

/* Product of the elements that are not 0, and how many are. */
static double
product_of_others (const float *x, const Groups *g, int64_t at, int64_t *zeros)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 };
  double product = 1;
  *zeros = 0;
  for (int64_t k = 0; k < g->n_inner; k++) {
    if (x[at] == 0)
      ++*zeros;
    else
      product *= (double) x[at];
    cnn_strided_next (&g->inner, g->inner.rank, index, &at);
  }
  return product;
}

static void
product_backward (const float *x, float gy, const Groups *g, int64_t at,
    float *d)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 }, zeros;
  double product = product_of_others (x, g, at, &zeros);
  for (int64_t k = 0; k < g->n_inner; k++) {
    if (!zeros)
      d[at] += gy * (float) (product / (double) x[at]);
    else if (zeros == 1 && x[at] == 0)
      d[at] += gy * (float) product;
    cnn_strided_next (&g->inner, g->inner.rank, index, &at);
  }
}

static float
slope (Op op, float x, float y, int64_t n)
{
  switch (op) {
    case OP_MEAN:
      return 1 / (float) n;
    case OP_L1:
      return (float) ((x > 0) - (x < 0));
    case OP_L2:
      return y ? x / y : 0;
    case OP_SUM_SQUARE:
      return 2 * x;
    case OP_LOG_SUM:
      return expf (-y);
    case OP_LOG_SUM_EXP:
      return expf (x - y);
    default:
      return 1;
  }
}

static void
group_backward (Op op, const float *x, float y, float gy, const Groups *g,
    int64_t begin, float *d)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 }, at = begin;
  bool taken = false;
  if (op == OP_PROD) {
    product_backward (x, gy, g, begin, d);
    return;
  }
  for (int64_t k = 0; k < g->n_inner; k++) {
    if (op == OP_MAX || op == OP_MIN) {
      d[at] += !taken && x[at] == y ? gy : 0;
      taken = taken || x[at] == y;
    } else {
      d[at] += gy * slope (op, x[at], y, g->n_inner);
    }
    cnn_strided_next (&g->inner, g->inner.rank, index, &at);
  }
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad, Op op)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 }, at = 0;
  size_t n = cnn_elements (call->out[0]);
  Groups g = groups_of (call);
  if (!grad->d_out[0] || !grad->d_in[0])
    return;
  const float *y = call->out[0]->data, *gy = grad->d_out[0]->data;
  for (size_t i = 0; i < n; i++) {
    group_backward (op, call->in[0]->data, y[i], gy[i], &g, at,
        grad->d_in[0]->data);
    cnn_strided_next (&g.outer, g.outer.rank, index, &at);
  }
}

#define REDUCE(lower, title, kind, parse_, infer_)                             \
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
    .since = 1,                                                                \
    .min_in = 1,                                                               \
    .max_in = 2,                                                               \
    .max_out = 1,                                                              \
    .params_bytes = sizeof (Params),                                           \
    .value_in = 1 << 1,                                                        \
    .parse = parse_,                                                           \
    .infer = infer_,                                                           \
    .geometry = geometry,                                                      \
    .forward = forward_##lower,                                                \
    .backward = backward_##lower,                                              \
  };

REDUCE (reduce_sum, "ReduceSum", OP_SUM, parse_sum, infer_number)
REDUCE (reduce_mean, "ReduceMean", OP_MEAN, parse_other, infer_number)
REDUCE (reduce_max, "ReduceMax", OP_MAX, parse_other, infer)
REDUCE (reduce_min, "ReduceMin", OP_MIN, parse_other, infer)
REDUCE (reduce_prod, "ReduceProd", OP_PROD, parse_other, infer_number)
REDUCE (reduce_l1, "ReduceL1", OP_L1, parse_other, infer_number)
REDUCE (reduce_l2, "ReduceL2", OP_L2, parse_other, infer_number)
REDUCE (reduce_sum_square, "ReduceSumSquare", OP_SUM_SQUARE, parse_other,
    infer_number)
REDUCE (reduce_log_sum, "ReduceLogSum", OP_LOG_SUM, parse_other, infer_number)
REDUCE (reduce_log_sum_exp, "ReduceLogSumExp", OP_LOG_SUM_EXP, parse_other,
    infer_number)
