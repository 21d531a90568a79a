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

/* dx += g f': y > 0, 1 - y^2, y (1 - y) */
static void
backward (const CnnOpCall *call, const CnnOpGrad *grad, CnnActivation f)
{
  if (grad->d_out[0] && grad->d_in[0])
    call->kernels->map_gradient (f, call->out[0]->data, grad->d_out[0]->data,
        grad->d_in[0]->data, cnn_elements (call->out[0]));
}

static void
backward_relu (const CnnOpCall *call, const CnnOpGrad *grad)
{
  backward (call, grad, CNN_ACTIVATION_RELU);
}

static void
backward_tanh (const CnnOpCall *call, const CnnOpGrad *grad)
{
  backward (call, grad, CNN_ACTIVATION_TANH);
}

static void
backward_sigmoid (const CnnOpCall *call, const CnnOpGrad *grad)
{
  backward (call, grad, CNN_ACTIVATION_SIGMOID);
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
