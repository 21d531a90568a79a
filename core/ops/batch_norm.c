/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* batch_norm.c: BatchNormalization, in inference and in training mode.
 *
 * x n c ..., scale, bias, mean and variance c each:
 *   y = scale (x - mean) / sqrt (variance + epsilon) + bias
 * Backward: mean and variance are constants, while the trainer runs it, too:
 *   dx = g scale r,  dscale = sum g (x - mean) r,  dbias = sum g,
 *   r = 1 / sqrt (variance + epsilon)
 * With training_mode they are those of the batch, of n elements a channel, and
 * outputs 1 and 2 are the running ones, m = momentum:
 *   running = m running + (1 - m) batch's
 *   dx = scale r (g - mean g - h mean (g h)),  h = (x - mean) r
 *
 * Source: ONNX BatchNormalization, opsets 6 to 15; Ioffe, Szegedy, 2015. */

#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "ops/batch_norm.h"
#include "ops/moments.h"
#include "ops/shapes.h"
#include "ops/table.h"

typedef struct
{
  float epsilon, momentum;
  int64_t training;
} Params;

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "epsilon", "is_test", "momentum",
    "spatial", "training_mode", NULL };
  Params *p = params;
  int64_t unused = 0, spatial = 1;
  p->epsilon = 1e-5f;
  p->momentum = 0.9f;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_float (attributes, "epsilon", &p->epsilon, error);
  if (!status)
    status = cnn_attributes_float (attributes, "momentum", &p->momentum, error);
  if (!status)
    status = cnn_attributes_int (attributes, "is_test", 0, 1, &unused, error);
  if (!status)
    status = cnn_attributes_int (attributes, "training_mode", 0, 1,
        &p->training, error);
  if (!status)
    status = cnn_attributes_int (attributes, "spatial", 0, 1, &spatial, error);
  if (!status && !spatial)
    status = cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "spatial = 0 is not supported");
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
  if (!status && !x->rank)
    status = cnn_error_set (error, CNN_ERROR_SHAPE, "input is a scalar");
  int64_t c = x->rank > 1 ? x->dims[1] : 1;
  for (int i = 1; i < n_in && !status; i++) {
    const CnnShape *s = &in[i]->shape;
    char text[160];
    if (s->rank != 1 || (c != -1 && s->dims[0] != -1 && s->dims[0] != c))
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "input %d has shape %s, the picture has %" PRId64 " channels", i,
          cnn_shape_format (s, text, sizeof text), c);
  }
  if (!status && n_out > (((const Params *) params)->training ? 3 : 1))
    status = cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "%d outputs: there is 1, or 3 with training_mode = 1", n_out);
  if (!status)
    status = cnn_infer_same_float (params, in, n_in, out, 1, error);
  for (int i = 1; i < n_out && !status; i++)
    status = cnn_infer_output (&out[i], CNN_TYPE_FLOAT32, &in[3]->shape, error);
  return status;
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
  bool one = x->rank < 2;
  return (Sizes){
    .planes = one ? 1 : cnn_product (x, 0, 2),
    .channels = one ? 1 : (size_t) x->dims[1],
    .size = cnn_product (x, one ? 0 : 2, x->rank),
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
infer_plane (const Sizes *s, size_t plane, const float *x, float *y)
{
  size_t c = plane % s->channels;
  float gain = s->scale[c] * reciprocal (s, c), mean = s->mean[c];
  float bias = s->bias[c];
  for (size_t i = plane * s->size; i < (plane + 1) * s->size; i++)
    y[i] = (x[i] - mean) * gain + bias;
}

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const CnnOpCall *call = data;
  Sizes s = sizes_of (call);
  size_t per = cnn_rows_per_task (s.size), first = (size_t) number * per;
  for (size_t i = first; i < first + per && i < s.planes; i++)
    infer_plane (&s, i, call->in[0]->data, call->out[0]->data);
}

/* Mean and variance of channel @c over the batch. */
static void
statistics (const Sizes *s, const float *x, size_t c, double *mean,
    double *variance)
{
  double sum = 0, squares = 0;
  double n = (double) (s->planes / s->channels * s->size);
  for (size_t plane = c; plane < s->planes; plane += s->channels)
    sum += cnn_moment_sum (x + plane * s->size, s->size);
  *mean = sum / n;
  for (size_t plane = c; plane < s->planes; plane += s->channels)
    squares += cnn_moment_squares (x + plane * s->size, s->size, *mean);
  *variance = squares / n;
}

static void
run_on (const CnnOpCall *call, int output, size_t c, float was, double now)
{
  float m = ((const Params *) call->params)->momentum;
  if (output < call->n_out && call->out[output])
    ((float *) call->out[output]->data)[c] = was * m + (float) now * (1 - m);
}

static void
forward_training (const CnnOpCall *call)
{
  Sizes s = sizes_of (call);
  const float *x = call->in[0]->data;
  float *y = call->out[0]->data;
  for (size_t c = 0; c < s.channels; c++) {
    double mean, variance;
    statistics (&s, x, c, &mean, &variance);
    float gain = s.scale[c] / (float) sqrt (variance + (double) s.epsilon);
    run_on (call, 1, c, s.mean[c], mean);
    run_on (call, 2, c, s.variance[c], variance);
    for (size_t plane = c; plane < s.planes; plane += s.channels)
      for (size_t i = plane * s.size; i < (plane + 1) * s.size; i++)
        y[i] = (x[i] - (float) mean) * gain + s.bias[c];
  }
}

static void
channel_backward (const CnnOpCall *call, const CnnOpGrad *grad, const Sizes *s,
    size_t c)
{
  const float *x = call->in[0]->data, *g = grad->d_out[0]->data;
  double mean, variance, sum = 0, product = 0;
  double n = (double) (s->planes / s->channels * s->size);
  statistics (s, x, c, &mean, &variance);
  double r = 1 / sqrt (variance + (double) s->epsilon);
  for (size_t plane = c; plane < s->planes; plane += s->channels)
    for (size_t i = plane * s->size; i < (plane + 1) * s->size; i++) {
      sum += (double) g[i];
      product += (double) g[i] * ((double) x[i] - mean) * r;
    }
  if (grad->d_in[1])
    ((float *) grad->d_in[1]->data)[c] += (float) product;
  if (grad->d_in[2])
    ((float *) grad->d_in[2]->data)[c] += (float) sum;
  float *d = grad->d_in[0] ? grad->d_in[0]->data : NULL;
  for (size_t plane = c; d && plane < s->planes; plane += s->channels)
    for (size_t i = plane * s->size; i < (plane + 1) * s->size; i++) {
      double h = ((double) x[i] - mean) * r;
      d[i] += (float) ((double) s->scale[c] * r
          * ((double) g[i] - sum / n - h * product / n));
    }
}

static void
forward (const CnnOpCall *call)
{
  CnnOpCall copy = *call;
  if (!cnn_elements (call->in[0])) {
    cnn_moments_of_nothing (call);
    return;
  }
  if (((const Params *) call->params)->training) {
    forward_training (call);
    return;
  }
  Sizes s = sizes_of (call);
  size_t per = cnn_rows_per_task (s.size);
  cnn_pool_run (call->pool, (int) ((s.planes + per - 1) / per), task, &copy);
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad)
{
  Sizes s = sizes_of (call);
  if (!grad->d_out[0] || !cnn_elements (call->in[0]))
    return;
  if (((const Params *) call->params)->training) {
    for (size_t c = 0; c < s.channels; c++)
      channel_backward (call, grad, &s, c);
    return;
  }
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

/* In training mode all cells decide what one is. */
static bool
cellwise (const void *params, CNN_UNUSED const CnnTensor *const *in)
{
  return !((const Params *) params)->training;
}

static CnnSamples
samples (const void *params)
{
  return ((const Params *) params)->training ? CNN_SAMPLES_TOGETHER
                                             : CNN_SAMPLES_APART;
}

bool
cnn_batch_norm_fusable (const CnnOp *op, const void *params, float *epsilon)
{
  const Params *p = params;
  if (op != &cnn_op_batch_normalization || p->training)
    return false;
  *epsilon = p->epsilon;
  return true;
}

const CnnOp cnn_op_batch_normalization = {
  .name = "BatchNormalization",
  .since = 6,
  .min_in = 5,
  .max_in = 5,
  .max_out = 5,
  .params_bytes = sizeof (Params),
  .inplace = true,
  .float32_only = true,
  .parse = parse,
  .infer = infer,
  .fixed_in = 1 << 3 | 1 << 4, /* running mean and variance */
  .geometry = cnn_op_geometry_pointwise,
  .cellwise = cellwise,
  .samples = samples,
  .forward = forward,
  .backward = backward,
};
