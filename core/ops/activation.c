/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* activation.c: Relu, Tanh, Sigmoid: y = f (x), any shape.
 *
 * Source: ONNX Relu, Tanh, Sigmoid, opset 6. */

#include <math.h>

#include "kernels/kernels.h"
#include "tensor/scalar.h"
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

/* Other types than float32, element by element. */
static double
function (CnnActivation f, double x)
{
  switch (f) {
    case CNN_ACTIVATION_RELU:
      return x > 0 || isnan (x) ? x : 0;
    case CNN_ACTIVATION_TANH:
      return tanh (x);
    default:
      return 1 / (1 + exp (-x));
  }
}

static void
forward_other (const CnnOpCall *call, CnnActivation f)
{
  CnnType type = call->in[0]->type;
  size_t n = cnn_elements (call->in[0]);
  const void *x = call->in[0]->data;
  void *y = call->out[0]->data;
  for (size_t i = 0; i < n; i++)
    if (cnn_type_is_float (type)) {
      cnn_write_float (type, y, i, function (f, cnn_read_float (type, x, i)));
    } else {
      int64_t v = cnn_read_int (type, x, i);
      cnn_write_int (type, y, i, v < 0 && cnn_type_is_signed (type) ? 0 : v);
    }
}

static void
forward (const CnnOpCall *call, CnnActivation f)
{
  if (call->in[0]->type != CNN_TYPE_FLOAT32) {
    forward_other (call, f);
    return;
  }
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
        grad->d_in[0]->data, cnn_elements (call->out[0]), !(grad->fresh & 1));
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
  .writes_fresh = 1,
  .infer = cnn_infer_number,
  .geometry = cnn_op_geometry_pointwise,
  .cellwise = cnn_op_cellwise,
  .forward = forward_relu,
  .samples = cnn_op_samples_apart,
  .backward = backward_relu,
};

const CnnOp cnn_op_tanh = {
  .name = "Tanh",
  .since = 6,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .inplace = true,
  .writes_fresh = 1,
  .infer = cnn_infer_float,
  .geometry = cnn_op_geometry_pointwise,
  .cellwise = cnn_op_cellwise,
  .forward = forward_tanh,
  .samples = cnn_op_samples_apart,
  .backward = backward_tanh,
};

const CnnOp cnn_op_sigmoid = {
  .name = "Sigmoid",
  .since = 6,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .inplace = true,
  .writes_fresh = 1,
  .infer = cnn_infer_float,
  .geometry = cnn_op_geometry_pointwise,
  .cellwise = cnn_op_cellwise,
  .forward = forward_sigmoid,
  .samples = cnn_op_samples_apart,
  .backward = backward_sigmoid,
};
