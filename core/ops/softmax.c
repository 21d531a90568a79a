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

#include "ops/softmax.h"

#include <math.h>

#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/moments.h"
#include "ops/shapes.h"
#include "ops/table.h"

/* Cells that are computed side by side. */
#define CHUNK 64

CnnStatus
cnn_softmax_parse (const CnnAttributes *attributes, void *params,
    CnnError *error)
{
  static const char *const known[] = { "axis", NULL };
  CnnSoftmaxParams *p = params;
  p->matrix = attributes->opset < 13;
  p->axis = p->matrix ? 1 : -1;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "axis", -CNN_MAX_RANK,
        CNN_MAX_RANK, &p->axis, error);
  return status;
}

CnnStatus
cnn_softmax_check_axis (const CnnSoftmaxParams *p, int rank, CnnError *error)
{
  int axis;
  return cnn_axis (p->axis, rank, p->matrix ? rank : rank - 1, &axis, error);
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    int n_out, CnnError *error)
{
  CnnStatus status = cnn_softmax_check_axis (params, in[0]->shape.rank, error);
  return status ? status
                : cnn_infer_same_float (params, in, n_in, out, n_out, error);
}

CnnSoftmaxSizes
cnn_softmax_sizes (const CnnOpCall *call)
{
  const CnnSoftmaxParams *p = call->params;
  const CnnShape *x = &call->in[0]->shape;
  int axis = 0;
  cnn_axis (p->axis, x->rank, x->rank, &axis, NULL);
  int end = p->matrix ? x->rank : axis + 1;
  return (CnnSoftmaxSizes){
    .outer = cnn_product (x, 0, axis),
    .n = cnn_product (x, axis, end),
    .inner = cnn_product (x, end, x->rank),
  };
}

/* What each class is multiplied by, or reduced by. */
static float
finish (double sum, bool logarithm)
{
  return logarithm ? logf ((float) sum) : 1 / (float) sum;
}

/* One row of classes side by side in memory, however many: summed up in the
 * order of cells(), so that a patch gives what its cell of a map does. */
static void
row (const CnnKernels *k, const float *x, float *y, size_t n, bool logarithm)
{
  float most = cnn_moment_max (x, n), e[CHUNK];
  double sum = 0;
  for (size_t i = 0; i < n; i += CHUNK) {
    size_t part = n - i < CHUNK ? n - i : CHUNK;
    float *to = logarithm ? e : y + i, few = 0;
    k->binary (CNN_BINARY_SUB, x + i, 1, &most, 0, to, part);
    k->map (CNN_ACTIVATION_EXP, to, to, part);
    for (size_t j = 0; j < part; j++)
      few += to[j];
    sum += (double) few;
  }
  float last = finish (sum, logarithm);
  for (size_t i = 0; i < n; i++)
    y[i] = logarithm ? (x[i] - most) - last : y[i] * last;
}

/* Large numbers of classes would lose the small ones in one long sum. */
static void
add_up (float *few, double *sum, size_t part)
{
  for (size_t j = 0; j < part; j++) {
    sum[j] += (double) few[j];
    few[j] = 0;
  }
}

/* @part cells side by side, whose classes are @pitch apart. */
static void
cells (const CnnKernels *k, const float *x, float *y, size_t n, size_t pitch,
    size_t part, bool logarithm)
{
  float most[CHUNK], few[CHUNK] = { 0 }, e[CHUNK];
  double sum[CHUNK] = { 0 };
  for (size_t j = 0; j < part; j++)
    most[j] = x[j];
  for (size_t i = 1; i < n; i++)
    for (size_t j = 0; j < part; j++)
      most[j] = x[i * pitch + j] > most[j] ? x[i * pitch + j] : most[j];
  for (size_t i = 0; i < n; i++) {
    float *to = logarithm ? e : y + i * pitch;
    k->binary (CNN_BINARY_SUB, x + i * pitch, 1, most, 1, to, part);
    k->map (CNN_ACTIVATION_EXP, to, to, part);
    k->binary (CNN_BINARY_ADD, few, 1, to, 1, few, part);
    if (i % CHUNK == CHUNK - 1)
      add_up (few, sum, part);
  }
  add_up (few, sum, part);
  for (size_t j = 0; j < part; j++)
    few[j] = finish (sum[j], logarithm);
  for (size_t i = 0; i < n; i++) {
    float *to = y + i * pitch;
    if (logarithm)
      k->binary (CNN_BINARY_SUB, x + i * pitch, 1, most, 1, to, part);
    k->binary (logarithm ? CNN_BINARY_SUB : CNN_BINARY_MUL, to, 1, few, 1, to,
        part);
  }
}

typedef struct
{
  const CnnOpCall *call;
  CnnSoftmaxSizes sizes;
  size_t chunks, per_task; /* of one outer index; all */
  bool logarithm;
} Cut;

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const Cut *cut = data;
  CnnSoftmaxSizes s = cut->sizes;
  const CnnKernels *k = cut->call->kernels;
  const float *x = cut->call->in[0]->data;
  float *y = cut->call->out[0]->data;
  size_t first = (size_t) number * cut->per_task, last = first + cut->per_task;
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
  Cut cut = { .call = call,
    .sizes = cnn_softmax_sizes (call),
    .logarithm = logarithm };
  if (!cnn_elements (call->in[0]))
    return;
  cut.chunks = (cut.sizes.inner + CHUNK - 1) / CHUNK;
  cut.per_task = cnn_rows_per_task (
      cut.sizes.n * (cut.sizes.inner < CHUNK ? cut.sizes.inner : CHUNK));
  size_t all = cut.sizes.outer * cut.chunks;
  cnn_pool_run (call->pool, (int) ((all + cut.per_task - 1) / cut.per_task),
      task, &cut);
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
cell_backward (const CnnSoftmaxSizes *s, const float *y, const float *g,
    float *d, bool logarithm)
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
  CnnSoftmaxSizes s = cnn_softmax_sizes (call);
  if (!grad->d_out[0] || !grad->d_in[0] || !cnn_elements (call->in[0]))
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

bool
cnn_softmax_geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry)
{
  const CnnSoftmaxParams *p = params;
  int axis, rank = in[0]->shape.rank;
  return rank >= 3 && !p->matrix
      && !cnn_axis (p->axis, rank, rank - 1, &axis, NULL) && axis == 1
      && cnn_op_geometry_pointwise (params, in, geometry);
}

const CnnOp cnn_op_softmax = {
  .name = "Softmax",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (CnnSoftmaxParams),
  .inplace = true,
  .float32_only = true,
  .parse = cnn_softmax_parse,
  .infer = infer,
  .geometry = cnn_softmax_geometry,
  .cellwise = cnn_op_cellwise,
  .forward = forward_softmax,
  .backward = backward_softmax,
};

const CnnOp cnn_op_log_softmax = {
  .name = "LogSoftmax",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (CnnSoftmaxParams),
  .inplace = true,
  .float32_only = true,
  .parse = cnn_softmax_parse,
  .infer = infer,
  .geometry = cnn_softmax_geometry,
  .cellwise = cnn_op_cellwise,
  .forward = forward_log_softmax,
  .backward = backward_log_softmax,
};
