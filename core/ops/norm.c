/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* norm.c: InstanceNormalization, GroupNormalization, LayerNormalization: mean
 * and variance of a run of elements, which are then scaled and shifted.
 *
 * With h = (x - mean) r, r = 1 / sqrt (variance + epsilon), over the n elements
 * of a group:
 *   y = h scale + bias
 *   dx = r (g' - mean g' - h mean (g' h)),  g' = g scale
 *   dscale = sum g h,  dbias = sum g
 * Groups are the planes (Instance), channels of a group (Group), or everything
 * from an axis on (Layer): always elements that lie next to each other.
 *
 * Source: ONNX InstanceNormalization, 6; GroupNormalization, 18, 21;
 * LayerNormalization, 17. Ulyanov et al., 2016; Wu, He, 2018; Ba et al., 2016.
 */

#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "ops/moments.h"
#include "ops/shapes.h"
#include "ops/table.h"

typedef struct
{
  float epsilon;
  int64_t axis, groups, stash;
  bool per_group;
} Params;

/**
 * Sizes:
 * @layer: scale and bias of element k are number k, again and again where
 *   they are fewer; else those of element k of group g are number
 *   (g % cycle) * step + k / run, the same for a whole run
 * @run: elements whose scales and biases lie side by side, or are one
 */
typedef struct
{
  size_t groups, n, cycle, step, run;
  bool layer;
} Sizes;

typedef Sizes (*SizesOf) (const CnnOpCall *call);

/* -- attributes and shapes ---------------------------------------------- */

static CnnStatus
parse_epsilon (const CnnAttributes *attributes, Params *p, CnnError *error)
{
  p->epsilon = 1e-5f;
  CnnStatus status =
      cnn_attributes_float (attributes, "epsilon", &p->epsilon, error);
  if (!status && !(p->epsilon >= 0))
    status = cnn_error_set (error, CNN_ERROR_FORMAT, "epsilon is %g",
        (double) p->epsilon);
  return status;
}

static CnnStatus
parse_instance (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "epsilon", NULL };
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  return status ? status : parse_epsilon (attributes, params, error);
}

static CnnStatus
parse_group (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "epsilon", "num_groups", "stash_type",
    NULL };
  Params *p = params;
  p->per_group = attributes->opset < 21;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = parse_epsilon (attributes, p, error);
  if (!status)
    status = cnn_attributes_int (attributes, "num_groups", 1, 1 << 20,
        &p->groups, error);
  if (!status)
    status =
        cnn_attributes_int (attributes, "stash_type", 1, 16, &p->stash, error);
  if (!status && !p->groups)
    status = cnn_error_set (error, CNN_ERROR_FORMAT, "num_groups is missing");
  return status;
}

static CnnStatus
parse_layer (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "axis", "epsilon", "stash_type", NULL };
  Params *p = params;
  p->axis = -1;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = parse_epsilon (attributes, p, error);
  if (!status)
    status = cnn_attributes_int (attributes, "axis", -CNN_MAX_RANK,
        CNN_MAX_RANK - 1, &p->axis, error);
  if (!status)
    status =
        cnn_attributes_int (attributes, "stash_type", 1, 1, &p->stash, error);
  return status;
}

static CnnStatus
check_vector (const CnnTensor *t, const char *what, int64_t size,
    CnnError *error)
{
  char text[160];
  if (t->shape.rank == 1
      && (size < 0 || t->shape.dims[0] == size || t->shape.dims[0] < 0))
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_SHAPE,
      "%s has shape %s, %" PRId64 " values are expected", what,
      cnn_shape_format (&t->shape, text, sizeof text), size);
}

static CnnStatus
infer_channels (const CnnTensor *const *in, int n_in, int64_t size,
    CnnTensor *out, CnnError *error)
{
  CnnStatus status = cnn_infer_floats (in, n_in, error);
  if (!status && in[0]->shape.rank < 2)
    status = cnn_error_set (error, CNN_ERROR_SHAPE,
        "input has %d dimensions, 2 or more are expected", in[0]->shape.rank);
  if (!status)
    status = check_vector (in[1], "scale", size, error);
  if (!status)
    status = check_vector (in[2], "bias", size, error);
  return status ? status : cnn_infer_same (NULL, in, n_in, out, 1, error);
}

static CnnStatus
infer_instance (CNN_UNUSED const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  int64_t c = in[0]->shape.rank > 1 ? in[0]->shape.dims[1] : -1;
  return infer_channels (in, n_in, c, out, error);
}

static CnnStatus
infer_group (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const Params *p = params;
  int64_t c = in[0]->shape.rank > 1 ? in[0]->shape.dims[1] : -1;
  if (c >= 0 && c % p->groups)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "%" PRId64 " channels can't be cut into %" PRId64 " groups", c,
        p->groups);
  return infer_channels (in, n_in, p->per_group ? p->groups : c, out, error);
}

/* Scale and bias: one number, or those of the last dimensions from the axis
 * on. */
static CnnStatus
check_layer (const CnnTensor *t, const CnnShape *x, int axis, CnnError *error)
{
  char text[160], whole[160];
  const CnnShape *s = &t->shape;
  CnnShape rest = { .rank = x->rank - axis };
  bool fits = true;
  int ones = 0;
  for (int d = axis; d < x->rank; d++)
    rest.dims[d - axis] = x->dims[d];
  while (ones < s->rank && s->dims[ones] == 1)
    ones++;
  for (int d = ones; d < s->rank; d++) {
    int at = rest.rank - s->rank + d;
    int64_t size = at >= 0 ? rest.dims[at] : -2;
    fits = fits && (size == s->dims[d] || size == -1 || s->dims[d] == -1)
        && size != -2;
  }
  if (fits)
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_SHAPE,
      "scale or bias of shape %s for elements of shape %s",
      cnn_shape_format (s, text, sizeof text),
      cnn_shape_format (&rest, whole, sizeof whole));
}

static CnnStatus
infer_layer (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  const CnnShape *x = &in[0]->shape;
  CnnShape means = *x;
  int axis;
  CnnStatus status = cnn_infer_floats (in, n_in, error);
  if (!status)
    status = cnn_axis (((const Params *) params)->axis, x->rank, x->rank - 1,
        &axis, error);
  for (int i = 1; i < n_in && !status; i++)
    if (in[i])
      status = check_layer (in[i], x, axis, error);
  if (!status)
    status = cnn_infer_same (params, in, n_in, out, 1, error);
  for (int d = status ? x->rank : axis; d < x->rank; d++)
    means.dims[d] = 1;
  for (int i = 1; i < n_out && !status; i++)
    status = cnn_infer_output (&out[i], CNN_TYPE_FLOAT32, &means, error);
  return status;
}

static Sizes
sizes_instance (const CnnOpCall *call)
{
  const CnnShape *x = &call->in[0]->shape;
  size_t n = cnn_product (x, 2, x->rank);
  return (Sizes){ cnn_product (x, 0, 2), n, (size_t) x->dims[1], 1, n, false };
}

static Sizes
sizes_group (const CnnOpCall *call)
{
  const Params *p = call->params;
  const CnnShape *x = &call->in[0]->shape;
  size_t groups = (size_t) p->groups, channels = (size_t) x->dims[1] / groups;
  size_t plane = cnn_product (x, 2, x->rank), n = channels * plane;
  return (Sizes){ (size_t) x->dims[0] * groups, n, groups,
    p->per_group ? 1 : channels, p->per_group ? n : plane, false };
}

static Sizes
sizes_layer (const CnnOpCall *call)
{
  const CnnShape *x = &call->in[0]->shape;
  int axis;
  cnn_axis (((const Params *) call->params)->axis, x->rank, x->rank - 1, &axis,
      NULL);
  size_t n = cnn_product (x, axis, x->rank), run = n;
  for (int i = 1; i < call->n_in; i++) {
    size_t size = call->in[i] ? cnn_elements (call->in[i]) : 1;
    run = size > 1 && size < run ? size : run;
  }
  return (Sizes){ cnn_product (x, 0, axis), n, 1, 0, run, true };
}

/* -- computing ---------------------------------------------------------- */

static void
statistics (const float *x, size_t n, float epsilon, double *mean, double *r)
{
  *mean = cnn_moment_sum (x, n) / (double) n;
  double squares = cnn_moment_squares (x, n, *mean);
  *r = 1 / sqrt (squares / (double) n + (double) epsilon);
}

/* The numbers for elements @k and on of a group: @step apart, 0 or 1. */
static float *
locate (const CnnTensor *t, const Sizes *s, size_t group, size_t k,
    size_t *step)
{
  size_t n = s->layer ? cnn_elements (t) : 1;
  size_t at = s->layer ? k % n : group % s->cycle * s->step + k / s->run;
  *step = n > 1;
  return (float *) t->data + at;
}

static void
scale_run (const CnnOpCall *call, const Sizes *s, size_t group, size_t k,
    double mean, double r)
{
  static const float none = 0;
  size_t n = s->run, next, next_b = 0;
  const float *x = (const float *) call->in[0]->data + group * s->n + k;
  float *y = (float *) call->out[0]->data + group * s->n + k;
  const float *scale = locate (call->in[1], s, group, k, &next), *bias = &none;
  if (call->n_in > 2 && call->in[2])
    bias = locate (call->in[2], s, group, k, &next_b);
  float one = *scale, shift = *bias;
  if (next && next_b)
    for (size_t i = 0; i < n; i++)
      y[i] = (float) (((double) x[i] - mean) * r) * scale[i] + bias[i];
  else if (next || next_b)
    for (size_t i = 0; i < n; i++)
      y[i] = (float) (((double) x[i] - mean) * r) * scale[i * next]
          + bias[i * next_b];
  else
    for (size_t i = 0; i < n; i++)
      y[i] = (float) (((double) x[i] - mean) * r) * one + shift;
}

static void
norm_group (const CnnOpCall *call, const Sizes *s, size_t group)
{
  const float *x = (const float *) call->in[0]->data + group * s->n;
  double mean, r;
  statistics (x, s->n, ((const Params *) call->params)->epsilon, &mean, &r);
  for (size_t k = 0; k < s->n; k += s->run)
    scale_run (call, s, group, k, mean, r);
  if (call->n_out > 1 && call->out[1])
    ((float *) call->out[1]->data)[group] = (float) mean;
  if (call->n_out > 2 && call->out[2])
    ((float *) call->out[2]->data)[group] = (float) r;
}

typedef struct
{
  const CnnOpCall *call;
  Sizes sizes;
  size_t per_task;
} Work;

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const Work *w = data;
  size_t first = (size_t) number * w->per_task, end = first + w->per_task;
  end = end < w->sizes.groups ? end : w->sizes.groups;
  for (size_t group = first; group < end; group++)
    norm_group (w->call, &w->sizes, group);
}

static void
forward (const CnnOpCall *call, SizesOf sizes)
{
  if (!cnn_elements (call->in[0])) {
    cnn_moments_of_nothing (call);
    return;
  }
  Work w = { call, sizes (call), 0 };
  w.per_task = cnn_rows_per_task (w.sizes.n);
  size_t tasks = (w.sizes.groups + w.per_task - 1) / w.per_task;
  cnn_pool_run (call->pool, (int) tasks, task, &w);
}

/* One run's part of the gradients of scale and bias, and of the two means. */
static void
run_backward (const CnnOpCall *call, const CnnOpGrad *grad, const Sizes *s,
    size_t group, size_t k, const double *moments, double *sums)
{
  const float *x = (const float *) call->in[0]->data + group * s->n + k;
  const float *g = (const float *) grad->d_out[0]->data + group * s->n + k;
  float unused = 0, *d_scale = &unused, *d_bias = &unused;
  size_t next, next_scale = 0, next_bias = 0;
  const float *scale = locate (call->in[1], s, group, k, &next);
  if (grad->d_in[1])
    d_scale = locate (grad->d_in[1], s, group, k, &next_scale);
  if (call->n_in > 2 && grad->d_in[2])
    d_bias = locate (grad->d_in[2], s, group, k, &next_bias);
  for (size_t i = 0; i < s->run; i++) {
    double h = ((double) x[i] - moments[0]) * moments[1];
    double gs = (double) (g[i] * scale[i * next]);
    sums[0] += gs;
    sums[1] += gs * h;
    d_scale[i * next_scale] += g[i] * (float) h;
    d_bias[i * next_bias] += g[i];
  }
}

static void
norm_group_backward (const CnnOpCall *call, const CnnOpGrad *grad,
    const Sizes *s, size_t group)
{
  const float *x = (const float *) call->in[0]->data + group * s->n;
  const float *g = (const float *) grad->d_out[0]->data + group * s->n;
  double m[2], sums[2] = { 0, 0 }, n = (double) s->n;
  statistics (x, s->n, ((const Params *) call->params)->epsilon, &m[0], &m[1]);
  for (size_t k = 0; k < s->n; k += s->run)
    run_backward (call, grad, s, group, k, m, sums);
  float *d =
      grad->d_in[0] ? (float *) grad->d_in[0]->data + group * s->n : NULL;
  for (size_t k = 0; d && k < s->n; k += s->run) {
    size_t next;
    const float *scale = locate (call->in[1], s, group, k, &next);
    for (size_t i = 0; i < s->run; i++) {
      double h = ((double) x[k + i] - m[0]) * m[1];
      double gs = (double) (g[k + i] * scale[i * next]);
      d[k + i] += (float) (m[1] * (gs - sums[0] / n - h * sums[1] / n));
    }
  }
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad, SizesOf sizes)
{
  if (!grad->d_out[0] || !cnn_elements (call->in[0]))
    return;
  Sizes s = sizes (call);
  for (size_t group = 0; group < s.groups; group++)
    norm_group_backward (call, grad, &s, group);
}

/* Over channels only, each cell for itself: a 1-D axis of channels last has no
 * rows and columns behind it. */
#define NORM(lower, title, first, least, outputs)                              \
  static void forward_##lower (const CnnOpCall *call)                          \
  {                                                                            \
    forward (call, sizes_##lower);                                             \
  }                                                                            \
  static void backward_##lower (const CnnOpCall *call, const CnnOpGrad *grad)  \
  {                                                                            \
    backward (call, grad, sizes_##lower);                                      \
  }                                                                            \
  const CnnOp cnn_op_##lower##_normalization = {                               \
    .name = title,                                                             \
    .since = first,                                                            \
    .min_in = least,                                                           \
    .max_in = 3,                                                               \
    .max_out = outputs,                                                        \
    .params_bytes = sizeof (Params),                                           \
    .float32_only = true,                                                      \
    .parse = parse_##lower,                                                    \
    .infer = infer_##lower,                                                    \
    .forward = forward_##lower,                                                \
    .backward = backward_##lower,                                              \
  };

NORM (instance, "InstanceNormalization", 6, 3, 1)
NORM (group, "GroupNormalization", 18, 3, 1)
NORM (layer, "LayerNormalization", 17, 2, 3)
