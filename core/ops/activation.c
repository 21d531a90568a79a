/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* activation.c: Relu, Tanh, Sigmoid: y = f (x), any shape.
 *
 * Source: ONNX Relu, Tanh, Sigmoid, opset 6. */

#include "kernels/kernels.h"
#include "ops/shapes.h"
#include "ops/table.h"

#define TASK_ELEMENTS ((size_t) 16384)

typedef struct
{
  const CnnOpCall *call;
  CnnActivation f;
  size_t n;
} Map;

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const Map *map = data;
  size_t first = (size_t) number * TASK_ELEMENTS, left = map->n - first;
  const float *x = map->call->in[0]->data;
  float *y = map->call->out[0]->data;
  map->call->kernels->map (map->f, x + first, y + first,
      left < TASK_ELEMENTS ? left : TASK_ELEMENTS);
}

static void
forward (const CnnOpCall *call, CnnActivation f)
{
  Map map = { .call = call, .f = f, .n = cnn_elements (call->in[0]) };
  cnn_pool_run (call->pool, (int) ((map.n + TASK_ELEMENTS - 1) / TASK_ELEMENTS),
      task, &map);
}

static void
forward_relu (const CnnOpCall *call)
{
  forward (call, CNN_ACTIVATION_RELU);
}

static void
forward_tanh (const CnnOpCall *call)
{
  forward (call, CNN_ACTIVATION_TANH);
}

static void
forward_sigmoid (const CnnOpCall *call)
{
  forward (call, CNN_ACTIVATION_SIGMOID);
}

/* dx += g * (y > 0) */
static void
backward_relu (const CnnOpCall *call, const CnnOpGrad *grad)
{
  if (!grad->d_out[0] || !grad->d_in[0])
    return;
  size_t n = cnn_elements (call->out[0]);
  const float *y = call->out[0]->data, *g = grad->d_out[0]->data;
  float *d = grad->d_in[0]->data;
  for (size_t i = 0; i < n; i++)
    d[i] += y[i] > 0 ? g[i] : 0;
}

/* dx += g * (1 - y^2) */
static void
backward_tanh (const CnnOpCall *call, const CnnOpGrad *grad)
{
  if (!grad->d_out[0] || !grad->d_in[0])
    return;
  size_t n = cnn_elements (call->out[0]);
  const float *y = call->out[0]->data, *g = grad->d_out[0]->data;
  float *d = grad->d_in[0]->data;
  for (size_t i = 0; i < n; i++)
    d[i] += g[i] * (1 - y[i] * y[i]);
}

/* dx += g * y * (1 - y) */
static void
backward_sigmoid (const CnnOpCall *call, const CnnOpGrad *grad)
{
  if (!grad->d_out[0] || !grad->d_in[0])
    return;
  size_t n = cnn_elements (call->out[0]);
  const float *y = call->out[0]->data, *g = grad->d_out[0]->data;
  float *d = grad->d_in[0]->data;
  for (size_t i = 0; i < n; i++)
    d[i] += g[i] * y[i] * (1 - y[i]);
}

const CnnOp cnn_op_relu = {
  .name = "Relu",
  .since = 6,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .inplace = true,
  .infer = cnn_infer_same_float,
  .geometry = cnn_op_geometry_pointwise,
  .forward = forward_relu,
  .backward = backward_relu,
};

const CnnOp cnn_op_tanh = {
  .name = "Tanh",
  .since = 6,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .inplace = true,
  .infer = cnn_infer_same_float,
  .geometry = cnn_op_geometry_pointwise,
  .forward = forward_tanh,
  .backward = backward_tanh,
};

const CnnOp cnn_op_sigmoid = {
  .name = "Sigmoid",
  .since = 6,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .inplace = true,
  .infer = cnn_infer_same_float,
  .geometry = cnn_op_geometry_pointwise,
  .forward = forward_sigmoid,
  .backward = backward_sigmoid,
};
