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
 * Scale and bias of element k of group g: number (g % cycle) * step + k / per.
 */
typedef struct
{
  size_t groups, n, cycle, step, per;
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

/* Scale and bias: one number, or one for each element from the axis on. */
static CnnStatus
check_layer (const CnnTensor *t, const CnnShape *x, int axis, CnnError *error)
{
  char text[160], whole[160];
  CnnShape rest = { .rank = x->rank - axis }, both;
  size_t elements;
  for (int d = axis; d < x->rank; d++)
    rest.dims[d - axis] = x->dims[d];
  if ((!cnn_shape_elements (&t->shape, &elements) && elements == 1)
      || (t->shape.rank == rest.rank
          && !cnn_shape_broadcast (&t->shape, &rest, &both, NULL)
          && cnn_shape_equal (&both, &t->shape)))
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_SHAPE,
      "scale or bias of shape %s for elements of shape %s",
      cnn_shape_format (&t->shape, text, sizeof text),
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
  return (Sizes){ cnn_product (x, 0, 2), n, (size_t) x->dims[1], 1, n };
}

static Sizes
sizes_group (const CnnOpCall *call)
{
  const Params *p = call->params;
  const CnnShape *x = &call->in[0]->shape;
  size_t groups = (size_t) p->groups, channels = (size_t) x->dims[1] / groups;
  size_t plane = cnn_product (x, 2, x->rank), n = channels * plane;
  return (Sizes){ (size_t) x->dims[0] * groups, n, groups,
    p->per_group ? 1 : channels, p->per_group ? n : plane };
}

static Sizes
sizes_layer (const CnnOpCall *call)
{
  const CnnShape *x = &call->in[0]->shape;
  int axis;
  cnn_axis (((const Params *) call->params)->axis, x->rank, x->rank - 1, &axis,
      NULL);
  size_t n = cnn_product (x, axis, x->rank);
  return (Sizes){ cnn_product (x, 0, axis), n, 1, 0,
    cnn_elements (call->in[1]) == 1 ? n : 1 };
}

/* -- computing ---------------------------------------------------------- */

static void
statistics (const float *x, size_t n, float epsilon, double *mean, double *r)
{
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++)
    sum += (double) x[i];
  *mean = sum / (double) n;
  for (size_t i = 0; i < n; i++)
    squares += ((double) x[i] - *mean) * ((double) x[i] - *mean);
  *r = 1 / sqrt (squares / (double) n + (double) epsilon);
}

/* The number for element @k; @bias may be a single one beside many scales. */
static float
of (const CnnTensor *t, const Sizes *s, size_t group, size_t k)
{
  if (!t)
    return 0;
  const float *v = t->data;
  return cnn_elements (t) == 1 ? *v
                               : v[group % s->cycle * s->step + k / s->per];
}

typedef struct
{
  const CnnOpCall *call;
  Sizes sizes;
} Work;

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const Work *w = data;
  const CnnOpCall *call = w->call;
  const Sizes *s = &w->sizes;
  size_t group = (size_t) number;
  const float *x = (const float *) call->in[0]->data + group * s->n;
  float *y = (float *) call->out[0]->data + group * s->n;
  const CnnTensor *bias = call->n_in > 2 ? call->in[2] : NULL;
  double mean, r;
  statistics (x, s->n, ((const Params *) call->params)->epsilon, &mean, &r);
  for (size_t k = 0; k < s->n; k++)
    y[k] = (float) (((double) x[k] - mean) * r) * of (call->in[1], s, group, k)
        + of (bias, s, group, k);
  if (call->n_out > 1 && call->out[1])
    ((float *) call->out[1]->data)[group] = (float) mean;
  if (call->n_out > 2 && call->out[2])
    ((float *) call->out[2]->data)[group] = (float) r;
}

static void
forward (const CnnOpCall *call, SizesOf sizes)
{
  if (!cnn_elements (call->in[0]))
    return;
  Work w = { call, sizes (call) };
  cnn_pool_run (call->pool, (int) w.sizes.groups, task, &w);
}

static void
add_to (CnnTensor *d, const Sizes *s, size_t group, size_t k, float g)
{
  size_t at =
      cnn_elements (d) == 1 ? 0 : group % s->cycle * s->step + k / s->per;
  ((float *) d->data)[at] += g;
}

static void
group_backward (const CnnOpCall *call, const CnnOpGrad *grad, const Sizes *s,
    size_t group)
{
  const float *x = (const float *) call->in[0]->data + group * s->n;
  const float *g = (const float *) grad->d_out[0]->data + group * s->n;
  double mean, r, sum = 0, product = 0, n = (double) s->n;
  statistics (x, s->n, ((const Params *) call->params)->epsilon, &mean, &r);
  for (size_t k = 0; k < s->n; k++) {
    double h = ((double) x[k] - mean) * r;
    double gs = (double) (g[k] * of (call->in[1], s, group, k));
    sum += gs;
    product += gs * h;
    if (grad->d_in[1])
      add_to (grad->d_in[1], s, group, k, g[k] * (float) h);
    if (call->n_in > 2 && grad->d_in[2])
      add_to (grad->d_in[2], s, group, k, g[k]);
  }
  float *d =
      grad->d_in[0] ? (float *) grad->d_in[0]->data + group * s->n : NULL;
  for (size_t k = 0; d && k < s->n; k++) {
    double h = ((double) x[k] - mean) * r;
    double gs = (double) (g[k] * of (call->in[1], s, group, k));
    d[k] += (float) (r * (gs - sum / n - h * product / n));
  }
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad, SizesOf sizes)
{
  if (!grad->d_out[0] || !cnn_elements (call->in[0]))
    return;
  Sizes s = sizes (call);
  for (size_t group = 0; group < s.groups; group++)
    group_backward (call, grad, &s, group);
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
