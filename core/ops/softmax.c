/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* softmax.c: Softmax and LogSoftmax.
 *
 * Over n classes x_k, with m their maximum:
 *   softmax:      y_k = exp (x_k - m) / sum exp (x_j - m)
 *   log-softmax:  y_k = x_k - m - log sum exp (x_j - m)
 * From opset 13 on the classes are those of dimension `axis`; before, the
 * input is seen as a matrix with all dimensions from `axis` on as classes.
 *
 * Backward, g = gradient by y:
 *   softmax:      dx_k = y_k (g_k - sum g_j y_j)
 *   log-softmax:  dx_k = g_k - exp (y_k) sum g_j
 *
 * Source: ONNX Softmax, LogSoftmax, opsets 1, 11, 13. */

#include <math.h>

#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/shapes.h"
#include "ops/table.h"

/* Cells that are computed side by side. */
#define CHUNK       64
#define TASK_CHUNKS 16

typedef struct
{
  int64_t axis, matrix;
} Params;

/* The input as outer x n x inner. */
typedef struct
{
  size_t outer, n, inner;
} Sizes;

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "axis", NULL };
  Params *p = params;
  p->matrix = attributes->opset < 13;
  p->axis = p->matrix ? 1 : -1;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "axis", -CNN_MAX_RANK,
        CNN_MAX_RANK, &p->axis, error);
  return status;
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    int n_out, CnnError *error)
{
  const Params *p = params;
  int rank = in[0]->shape.rank, axis;
  CnnStatus status =
      cnn_axis (p->axis, rank, p->matrix ? rank : rank - 1, &axis, error);
  return status ? status
                : cnn_infer_same_float (params, in, n_in, out, n_out, error);
}

static Sizes
sizes_of (const CnnOpCall *call)
{
  const Params *p = call->params;
  const CnnShape *x = &call->in[0]->shape;
  int axis = 0;
  cnn_axis (p->axis, x->rank, x->rank, &axis, NULL);
  int end = p->matrix ? x->rank : axis + 1;
  return (Sizes){
    .outer = cnn_product (x, 0, axis),
    .n = cnn_product (x, axis, end),
    .inner = cnn_product (x, end, x->rank),
  };
}

/* One row of classes side by side in memory. */
static void
row (const CnnKernels *k, const float *x, float *y, size_t n, bool logarithm)
{
  float most = x[0], sum = 0, e[CHUNK];
  for (size_t i = 1; i < n; i++)
    most = x[i] > most ? x[i] : most;
  for (size_t i = 0; i < n; i += CHUNK) {
    size_t part = n - i < CHUNK ? n - i : CHUNK;
    k->binary (CNN_BINARY_SUB, x + i, 1, &most, 0, e, part);
    k->map (CNN_ACTIVATION_EXP, e, e, part);
    for (size_t j = 0; j < part; j++) {
      sum += e[j];
      y[i + j] = logarithm ? x[i + j] : e[j];
    }
  }
  float shift = most + logf (sum), scale = 1 / sum;
  for (size_t i = 0; i < n; i++)
    y[i] = logarithm ? y[i] - shift : y[i] * scale;
}

/* @part cells side by side, whose classes are @pitch apart. */
static void
cells (const CnnKernels *k, const float *x, float *y, size_t n, size_t pitch,
    size_t part, bool logarithm)
{
  float most[CHUNK], sum[CHUNK] = { 0 }, e[CHUNK];
  for (size_t j = 0; j < part; j++)
    most[j] = x[j];
  for (size_t i = 1; i < n; i++)
    for (size_t j = 0; j < part; j++)
      most[j] = x[i * pitch + j] > most[j] ? x[i * pitch + j] : most[j];
  for (size_t i = 0; i < n; i++) {
    k->binary (CNN_BINARY_SUB, x + i * pitch, 1, most, 1, e, part);
    float *to = logarithm ? e : y + i * pitch;
    k->map (CNN_ACTIVATION_EXP, e, to, part);
    k->binary (CNN_BINARY_ADD, sum, 1, to, 1, sum, part);
  }
  for (size_t j = 0; j < part; j++)
    sum[j] = logarithm ? most[j] + logf (sum[j]) : 1 / sum[j];
  for (size_t i = 0; i < n; i++)
    k->binary (logarithm ? CNN_BINARY_SUB : CNN_BINARY_MUL,
        (logarithm ? x : y) + i * pitch, 1, sum, 1, y + i * pitch, part);
}

typedef struct
{
  const CnnOpCall *call;
  Sizes sizes;
  size_t chunks; /* of one outer index */
  bool logarithm;
} Cut;

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const Cut *cut = data;
  Sizes s = cut->sizes;
  const CnnKernels *k = cut->call->kernels;
  const float *x = cut->call->in[0]->data;
  float *y = cut->call->out[0]->data;
  size_t first = (size_t) number * TASK_CHUNKS, last = first + TASK_CHUNKS;
  if (last > s.outer * cut->chunks)
    last = s.outer * cut->chunks;
  for (size_t i = first; i < last; i++) {
    size_t cell = i % cut->chunks * CHUNK, left = s.inner - cell;
    size_t at = i / cut->chunks * s.n * s.inner + cell;
    if (s.inner == 1)
      row (k, x + at, y + at, s.n, cut->logarithm);
    else
      cells (k, x + at, y + at, s.n, s.inner, left < CHUNK ? left : CHUNK,
          cut->logarithm);
  }
}

static void
forward (const CnnOpCall *call, bool logarithm)
{
  Cut cut = { .call = call, .sizes = sizes_of (call), .logarithm = logarithm };
  if (!cnn_elements (call->in[0]))
    return;
  cut.chunks = (cut.sizes.inner + CHUNK - 1) / CHUNK;
  size_t all = cut.sizes.outer * cut.chunks;
  cnn_pool_run (call->pool, (int) ((all + TASK_CHUNKS - 1) / TASK_CHUNKS), task,
      &cut);
}

static void
forward_softmax (const CnnOpCall *call)
{
  forward (call, false);
}

static void
forward_log_softmax (const CnnOpCall *call)
{
  forward (call, true);
}

static void
cell_backward (const Sizes *s, const float *y, const float *g, float *d,
    bool logarithm)
{
  size_t size = s->n * s->inner;
  float sum = 0;
  for (size_t i = 0; i < size; i += s->inner)
    sum += logarithm ? g[i] : g[i] * y[i];
  for (size_t i = 0; i < size; i += s->inner)
    d[i] += logarithm ? g[i] - expf (y[i]) * sum : y[i] * (g[i] - sum);
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad, bool logarithm)
{
  Sizes s = sizes_of (call);
  if (!grad->d_out[0] || !grad->d_in[0])
    return;
  const float *y = call->out[0]->data, *g = grad->d_out[0]->data;
  float *d = grad->d_in[0]->data;
  for (size_t o = 0; o < s.outer; o++)
    for (size_t j = 0; j < s.inner; j++) {
      size_t at = o * s.n * s.inner + j;
      cell_backward (&s, y + at, g + at, d + at, logarithm);
    }
}

static void
backward_softmax (const CnnOpCall *call, const CnnOpGrad *grad)
{
  backward (call, grad, false);
}

static void
backward_log_softmax (const CnnOpCall *call, const CnnOpGrad *grad)
{
  backward (call, grad, true);
}

/* Along the channels each cell is for itself; along places it has none. */
static bool
geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry_)
{
  const Params *p = params;
  int axis, rank = in[0]->shape.rank;
  return rank >= 3 && !p->matrix
      && !cnn_axis (p->axis, rank, rank - 1, &axis, NULL) && axis == 1
      && cnn_op_geometry_pointwise (params, in, geometry_);
}

const CnnOp cnn_op_softmax = {
  .name = "Softmax",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .inplace = true,
  .float32_only = true,
  .parse = parse,
  .infer = infer,
  .geometry = geometry,
  .forward = forward_softmax,
  .backward = backward_softmax,
};

const CnnOp cnn_op_log_softmax = {
  .name = "LogSoftmax",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .inplace = true,
  .float32_only = true,
  .parse = parse,
  .infer = infer,
  .geometry = geometry,
  .forward = forward_log_softmax,
  .backward = backward_log_softmax,
};
