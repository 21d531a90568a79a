/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* batch_norm.c: BatchNormalization as inference has it.
 *
 * x n c ..., scale, bias, mean and variance c each:
 *   y = scale (x - mean) / sqrt (variance + epsilon) + bias
 * Backward: mean and variance are constants, also while training:
 *   dx = g scale r,  dscale = sum g (x - mean) r,  dbias = sum g,
 *   r = 1 / sqrt (variance + epsilon)
 *
 * Source: ONNX BatchNormalization, opsets 6 to 15; Ioffe, Szegedy, 2015. */

#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "ops/shapes.h"
#include "ops/table.h"

typedef struct
{
  float epsilon;
} Params;

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "epsilon", "is_test", "momentum",
    "spatial", "training_mode", NULL };
  Params *p = params;
  float momentum;
  int64_t flag = 0, spatial = 1;
  p->epsilon = 1e-5f;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_float (attributes, "epsilon", &p->epsilon, error);
  if (!status)
    status = cnn_attributes_float (attributes, "momentum", &momentum, error);
  if (!status)
    status = cnn_attributes_int (attributes, "is_test", 0, 1, &flag, error);
  flag = 0;
  if (!status)
    status =
        cnn_attributes_int (attributes, "training_mode", 0, 1, &flag, error);
  if (!status)
    status = cnn_attributes_int (attributes, "spatial", 0, 1, &spatial, error);
  if (!status && (flag || !spatial))
    status = cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "training_mode = 1 and spatial = 0 are not supported");
  if (!status && !(p->epsilon >= 0))
    status = cnn_error_set (error, CNN_ERROR_FORMAT, "epsilon is %g",
        (double) p->epsilon);
  return status;
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    int n_out, CnnError *error)
{
  const CnnShape *x = &in[0]->shape;
  CnnStatus status = cnn_infer_floats (in, n_in, error);
  if (!status && x->rank < 2)
    status = cnn_error_set (error, CNN_ERROR_SHAPE,
        "input has %d dimensions, 2 or more are expected", x->rank);
  for (int i = 1; i < n_in && !status; i++) {
    const CnnShape *s = &in[i]->shape;
    char text[160];
    if (s->rank != 1 || (x->dims[1] != -1 && s->dims[0] != x->dims[1]))
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "input %d has shape %s, the picture has %" PRId64 " channels", i,
          cnn_shape_format (s, text, sizeof text), x->dims[1]);
  }
  return status ? status
                : cnn_infer_same_float (params, in, n_in, out, n_out, error);
}

typedef struct
{
  size_t planes, channels, size;
  const float *scale, *bias, *mean, *variance;
  float epsilon;
} Sizes;

static Sizes
sizes_of (const CnnOpCall *call)
{
  const CnnShape *x = &call->in[0]->shape;
  return (Sizes){
    .planes = cnn_product (x, 0, 2),
    .channels = (size_t) x->dims[1],
    .size = cnn_product (x, 2, x->rank),
    .scale = call->in[1]->data,
    .bias = call->in[2]->data,
    .mean = call->in[3]->data,
    .variance = call->in[4]->data,
    .epsilon = ((const Params *) call->params)->epsilon,
  };
}

static float
reciprocal (const Sizes *s, size_t c)
{
  return 1 / sqrtf (s->variance[c] + s->epsilon);
}

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const CnnOpCall *call = data;
  Sizes s = sizes_of (call);
  size_t plane = (size_t) number, c = plane % s.channels;
  const float *x = (const float *) call->in[0]->data + plane * s.size;
  float *y = (float *) call->out[0]->data + plane * s.size;
  float r = reciprocal (&s, c), gain = s.scale[c] * r;
  for (size_t i = 0; i < s.size; i++)
    y[i] = (x[i] - s.mean[c]) * gain + s.bias[c];
}

static void
forward (const CnnOpCall *call)
{
  CnnOpCall copy = *call;
  cnn_pool_run (call->pool, (int) sizes_of (call).planes, task, &copy);
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad)
{
  Sizes s = sizes_of (call);
  if (!grad->d_out[0])
    return;
  const float *x = call->in[0]->data, *g = grad->d_out[0]->data;
  float *d = grad->d_in[0] ? grad->d_in[0]->data : NULL;
  float *d_scale = grad->d_in[1] ? grad->d_in[1]->data : NULL;
  float *d_bias = grad->d_in[2] ? grad->d_in[2]->data : NULL;

  for (size_t plane = 0; plane < s.planes; plane++) {
    size_t c = plane % s.channels;
    float r = reciprocal (&s, c), sum = 0, product = 0;
    for (size_t i = 0; i < s.size; i++) {
      sum += g[i];
      product += g[i] * (x[i] - s.mean[c]);
      if (d)
        d[i] += g[i] * s.scale[c] * r;
    }
    if (d_scale)
      d_scale[c] += product * r;
    if (d_bias)
      d_bias[c] += sum;
    x += s.size;
    g += s.size;
    if (d)
      d += s.size;
  }
}

const CnnOp cnn_op_batch_normalization = {
  .name = "BatchNormalization",
  .since = 6,
  .min_in = 5,
  .max_in = 5,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .inplace = true,
  .parse = parse,
  .infer = infer,
  .fixed_in = 1 << 3 | 1 << 4, /* running mean and variance */
  .geometry = cnn_op_geometry_pointwise,
  .forward = forward,
  .backward = backward,
};
