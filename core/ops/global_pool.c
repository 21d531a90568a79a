/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* global_pool.c: GlobalAveragePool, GlobalMaxPool, GlobalLpPool: one number for
 * each plane, n c ... to n c 1 ...
 *
 * dx = g / size; g at the first maximum; g sign x (|x| / y)^(p-1)
 *
 * Source: ONNX, opsets 1 to 22. */

#include <math.h>

#include "base/error.h"
#include "ops/shapes.h"
#include "ops/table.h"

typedef enum
{
  KIND_MEAN,
  KIND_MAX,
  KIND_LP
} Kind;

typedef struct
{
  int64_t p;
} Params;

static CnnStatus
parse_none (const CnnAttributes *attributes, CNN_UNUSED void *params,
    CnnError *error)
{
  static const char *const none[] = { NULL };
  return cnn_attributes_check (attributes, none, error);
}

static CnnStatus
parse_lp (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "p", NULL };
  Params *p = params;
  p->p = 2;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  return status
      ? status
      : cnn_attributes_int (attributes, "p", 1, 1 << 10, &p->p, error);
}

static CnnStatus
infer (CNN_UNUSED const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnShape y = in[0]->shape;
  CnnStatus status = cnn_infer_floats (in, n_in, error);
  if (!status && y.rank < 3)
    status = cnn_error_set (error, CNN_ERROR_SHAPE,
        "input has %d dimensions, 3 or more are expected", y.rank);
  for (int d = 2; d < y.rank && !status; d++) {
    if (!y.dims[d])
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "dimension %d of the input is empty", d);
    y.dims[d] = 1;
  }
  return status ? status
                : cnn_infer_output (&out[0], CNN_TYPE_FLOAT32, &y, error);
}

static double
pool (Kind kind, const float *x, size_t n, double p)
{
  double sum = 0;
  float most = x[0];
  for (size_t i = 0; i < n; i++) {
    if (kind == KIND_MEAN)
      sum += (double) x[i];
    else if (kind == KIND_MAX)
      most = x[i] > most ? x[i] : most;
    else
      sum += p == 2 ? (double) x[i] * (double) x[i]
                    : pow (fabs ((double) x[i]), p);
  }
  return kind == KIND_MEAN ? sum / (double) n
      : kind == KIND_MAX   ? (double) most
      : p == 2             ? sqrt (sum)
                           : pow (sum, 1 / p);
}

typedef struct
{
  const CnnOpCall *call;
  Kind kind;
  size_t n;
} Work;

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const Work *w = data;
  const float *x =
      (const float *) w->call->in[0]->data + (size_t) number * w->n;
  ((float *) w->call->out[0]->data)[number] = (float) pool (w->kind, x, w->n,
      (double) ((const Params *) w->call->params)->p);
}

static void
forward (const CnnOpCall *call, Kind kind)
{
  const CnnShape *x = &call->in[0]->shape;
  Work w = { call, kind, cnn_product (x, 2, x->rank) };
  cnn_pool_run (call->pool, (int) cnn_product (x, 0, 2), task, &w);
}

static void
plane_backward (Kind kind, const float *x, float y, float g, size_t n, float p,
    float *d)
{
  for (size_t i = 0; i < n; i++) {
    float sign = (float) ((x[i] > 0) - (x[i] < 0));
    if (kind == KIND_MEAN)
      d[i] += g / (float) n;
    else if (kind == KIND_LP)
      d[i] += y ? g * sign * powf (fabsf (x[i]) / y, p - 1) : 0;
    else if (x[i] == y) {
      d[i] += g;
      return;
    }
  }
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad, Kind kind)
{
  const CnnShape *x = &call->in[0]->shape;
  size_t n = cnn_product (x, 2, x->rank), planes = cnn_product (x, 0, 2);
  if (!grad->d_out[0] || !grad->d_in[0])
    return;
  for (size_t i = 0; i < planes; i++)
    plane_backward (kind, (const float *) call->in[0]->data + i * n,
        ((const float *) call->out[0]->data)[i],
        ((const float *) grad->d_out[0]->data)[i], n,
        (float) ((const Params *) call->params)->p,
        (float *) grad->d_in[0]->data + i * n);
}

#define POOL(lower, title, kind, since_, parse_)                               \
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
    .since = since_,                                                           \
    .min_in = 1,                                                               \
    .max_in = 1,                                                               \
    .max_out = 1,                                                              \
    .params_bytes = sizeof (Params),                                           \
    .float32_only = true,                                                      \
    .parse = parse_,                                                           \
    .infer = infer,                                                            \
    .forward = forward_##lower,                                                \
    .samples = cnn_op_samples_apart,                                           \
    .backward = backward_##lower,                                              \
  };

POOL (global_average_pool, "GlobalAveragePool", KIND_MEAN, 1, parse_none)
POOL (global_max_pool, "GlobalMaxPool", KIND_MAX, 1, parse_none)
POOL (global_lp_pool, "GlobalLpPool", KIND_LP, 2, parse_lp)
