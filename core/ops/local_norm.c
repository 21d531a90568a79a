/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* local_norm.c: LRN, LpNormalization, MeanVarianceNormalization: elements by a
 * norm of those around them.
 *
 * LRN, over `size` channels around c:
 *   s = bias + alpha / size sum x^2,  y = x s^-beta
 *   dx_c = g_c s_c^-beta
 *          - 2 alpha beta / size x_c sum over k that see c of g_k x_k s_k^(-beta-1)
 * LpNormalization, along an axis: y = x / |x|_p (0 / 0 is 0)
 *   p = 1: dx = (g - sign x sum g y) / n;  p = 2: dx = (g - y sum g y) / n
 * MeanVarianceNormalization: y = (x - mean) / (deviation + 1e-9) over axes
 *
 * Source: ONNX LRN, 1, 13; LpNormalization, 1, 22; MeanVarianceNormalization,
 * 9, 13. Krizhevsky et al., 2012, section 3.3. */

#include <inttypes.h>
#include <math.h>

#include "base/error.h"
#include "ops/moments.h"
#include "ops/shapes.h"
#include "ops/strided.h"
#include "ops/table.h"

/* -- LRN ---------------------------------------------------------------- */

typedef struct
{
  float alpha, beta, bias;
  int64_t size;
} Lrn;

static CnnStatus
parse_lrn (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "alpha", "beta", "bias", "size", NULL };
  Lrn *p = params;
  *p = (Lrn){ 1e-4f, 0.75f, 1, 0 };
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_float (attributes, "alpha", &p->alpha, error);
  if (!status)
    status = cnn_attributes_float (attributes, "beta", &p->beta, error);
  if (!status)
    status = cnn_attributes_float (attributes, "bias", &p->bias, error);
  if (!status)
    status =
        cnn_attributes_int (attributes, "size", 1, 1 << 20, &p->size, error);
  if (!status && !p->size)
    status = cnn_error_set (error, CNN_ERROR_FORMAT, "size is missing");
  return status;
}

static CnnStatus
infer_lrn (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  if (in[0]->shape.rank < 2)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input has %d dimensions, 2 or more are expected", in[0]->shape.rank);
  return cnn_infer_same_float (params, in, n_in, out, n_out, error);
}

/* Channels that c's window covers. */
static void
window_of (const Lrn *p, int64_t c, int64_t channels, int64_t *first,
    int64_t *last)
{
  *first = c - (p->size - 1) / 2;
  *last = c + p->size / 2;
  *first = *first < 0 ? 0 : *first;
  *last = *last >= channels ? channels - 1 : *last;
}

/* The common beta by square roots, which are far cheaper than powf(). */
static float
power (float s, float beta)
{
  if (beta == 0.75f)
    return 1 / (sqrtf (s) * sqrtf (sqrtf (s)));
  return powf (s, -beta);
}

#define CHUNK 256

/* Channel @c of one sample: rows of sums side by side. */
static void
lrn_channel (const Lrn *p, const float *x, float *y, int64_t c,
    int64_t channels, size_t plane)
{
  int64_t first, last;
  float sum[CHUNK], scale = p->alpha / (float) p->size;
  window_of (p, c, channels, &first, &last);
  for (size_t i = 0; i < plane; i += CHUNK) {
    size_t n = plane - i < CHUNK ? plane - i : CHUNK;
    for (size_t k = 0; k < n; k++)
      sum[k] = 0;
    for (int64_t other = first; other <= last; other++) {
      const float *v = x + (size_t) other * plane + i;
      for (size_t k = 0; k < n; k++)
        sum[k] += v[k] * v[k];
    }
    const float *v = x + (size_t) c * plane + i;
    float *to = y + (size_t) c * plane + i;
    for (size_t k = 0; k < n; k++)
      to[k] = v[k] * power (p->bias + scale * sum[k], p->beta);
  }
}

static void
lrn_task (void *data, int number, CNN_UNUSED int worker)
{
  const CnnOpCall *call = data;
  const CnnShape *s = &call->in[0]->shape;
  size_t plane = cnn_product (s, 2, s->rank), c = (size_t) s->dims[1];
  size_t per = cnn_rows_per_task (plane), first = (size_t) number * per;
  size_t planes = cnn_product (s, 0, 2);
  for (size_t i = first; i < first + per && i < planes; i++) {
    size_t sample = i / c * c * plane;
    lrn_channel (call->params, (const float *) call->in[0]->data + sample,
        (float *) call->out[0]->data + sample, (int64_t) (i % c), s->dims[1],
        plane);
  }
}

static void
forward_lrn (const CnnOpCall *call)
{
  const CnnShape *s = &call->in[0]->shape;
  CnnOpCall copy = *call;
  size_t per = cnn_rows_per_task (cnn_product (s, 2, s->rank));
  if (cnn_elements (call->in[0]))
    cnn_pool_run (call->pool, (int) ((cnn_product (s, 0, 2) + per - 1) / per),
        lrn_task, &copy);
}

/* s at channel @c of cell @x (channels @plane apart). */
static float
lrn_sum (const Lrn *p, const float *x, int64_t c, int64_t channels,
    size_t plane)
{
  int64_t first, last;
  float sum = 0;
  window_of (p, c, channels, &first, &last);
  for (int64_t k = first; k <= last; k++)
    sum += x[(size_t) k * plane] * x[(size_t) k * plane];
  return p->bias + p->alpha / (float) p->size * sum;
}

static void
lrn_cell_backward (const Lrn *p, const float *x, const float *g, float *d,
    int64_t channels, size_t plane)
{
  for (int64_t k = 0; k < channels; k++) {
    int64_t first, last;
    size_t at = (size_t) k * plane;
    float s = lrn_sum (p, x, k, channels, plane), f = powf (s, -p->beta);
    float back =
        -2 * p->alpha * p->beta / (float) p->size * g[at] * x[at] * f / s;
    d[at] += g[at] * f;
    window_of (p, k, channels, &first, &last);
    for (int64_t c = first; c <= last; c++)
      d[(size_t) c * plane] += back * x[(size_t) c * plane];
  }
}

static void
backward_lrn (const CnnOpCall *call, const CnnOpGrad *grad)
{
  const CnnShape *s = &call->in[0]->shape;
  size_t plane = cnn_product (s, 2, s->rank);
  size_t sample = (size_t) s->dims[1] * plane;
  if (!grad->d_out[0] || !grad->d_in[0] || !cnn_elements (call->in[0]))
    return;
  for (size_t n = 0; n < (size_t) s->dims[0]; n++)
    for (size_t i = 0; i < plane; i++) {
      size_t at = n * sample + i;
      lrn_cell_backward (call->params, (const float *) call->in[0]->data + at,
          (const float *) grad->d_out[0]->data + at,
          (float *) grad->d_in[0]->data + at, s->dims[1], plane);
    }
}

/* -- LpNormalization ---------------------------------------------------- */

typedef struct
{
  int64_t axis, p;
} Lp;

static CnnStatus
parse_lp (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "axis", "p", NULL };
  Lp *p = params;
  *p = (Lp){ -1, 2 };
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "axis", -CNN_MAX_RANK,
        CNN_MAX_RANK - 1, &p->axis, error);
  if (!status)
    status = cnn_attributes_int (attributes, "p", 1, 2, &p->p, error);
  return status;
}

static CnnStatus
infer_lp (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  int axis, rank = in[0]->shape.rank;
  CnnStatus status =
      cnn_axis (((const Lp *) params)->axis, rank, rank - 1, &axis, error);
  return status ? status
                : cnn_infer_same_float (params, in, n_in, out, n_out, error);
}

static float
lp_norm (const Lp *p, const float *x, size_t n, size_t step)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double v = (double) x[i * step];
    sum += p->p == 1 ? fabs (v) : v * v;
  }
  return (float) (p->p == 1 ? sum : sqrt (sum));
}

typedef struct
{
  size_t outer, n, inner;
} Lines;

static Lines
lines_of (const CnnOpCall *call)
{
  const CnnShape *s = &call->in[0]->shape;
  int axis;
  cnn_axis (((const Lp *) call->params)->axis, s->rank, s->rank - 1, &axis,
      NULL);
  return (Lines){ cnn_product (s, 0, axis), (size_t) s->dims[axis],
    cnn_product (s, axis + 1, s->rank) };
}

static void
forward_lp (const CnnOpCall *call)
{
  Lines l = lines_of (call);
  if (!cnn_elements (call->in[0]))
    return;
  for (size_t o = 0; o < l.outer; o++)
    for (size_t i = 0; i < l.inner; i++) {
      size_t at = o * l.n * l.inner + i;
      const float *x = (const float *) call->in[0]->data + at;
      float *y = (float *) call->out[0]->data + at;
      float norm = lp_norm (call->params, x, l.n, l.inner);
      for (size_t k = 0; k < l.n; k++)
        y[k * l.inner] = norm ? x[k * l.inner] / norm : 0;
    }
}

static void
backward_lp (const CnnOpCall *call, const CnnOpGrad *grad)
{
  const Lp *p = call->params;
  Lines l = lines_of (call);
  if (!grad->d_out[0] || !grad->d_in[0] || !cnn_elements (call->in[0]))
    return;
  for (size_t o = 0; o < l.outer; o++)
    for (size_t i = 0; i < l.inner; i++) {
      size_t at = o * l.n * l.inner + i;
      const float *x = (const float *) call->in[0]->data + at;
      const float *y = (const float *) call->out[0]->data + at;
      const float *g = (const float *) grad->d_out[0]->data + at;
      float *d = (float *) grad->d_in[0]->data + at, sum = 0;
      float norm = lp_norm (p, x, l.n, l.inner);
      for (size_t k = 0; k < l.n; k++)
        sum += g[k * l.inner] * y[k * l.inner];
      for (size_t k = 0; k < l.n && norm; k++) {
        size_t e = k * l.inner;
        float sign = (float) ((x[e] > 0) - (x[e] < 0));
        d[e] += (g[e] - (p->p == 1 ? sign : y[e]) * sum) / norm;
      }
    }
}

static bool
geometry_lp (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry)
{
  int axis, rank = in[0]->shape.rank;
  return rank >= 3
      && !cnn_axis (((const Lp *) params)->axis, rank, rank - 1, &axis, NULL)
      && axis == 1 && cnn_op_geometry_pointwise (params, in, geometry);
}

/* -- MeanVarianceNormalization ------------------------------------------ */

#define MVN_EPSILON 1e-9

typedef struct
{
  int64_t axes[CNN_MAX_RANK];
  int count;
} Mvn;

static CnnStatus
parse_mvn (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "axes", NULL };
  Mvn *p = params;
  *p = (Mvn){ { 0, 2, 3 }, 3 };
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_ints (attributes, "axes", -CNN_MAX_RANK,
        CNN_MAX_RANK - 1, CNN_MAX_RANK, p->axes, &p->count, error);
  return status;
}

static CnnStatus
infer_mvn (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  Mvn p = *(const Mvn *) params;
  CnnStatus status = cnn_axes (p.axes, p.count, in[0]->shape.rank, error);
  return status ? status
                : cnn_infer_same_float (params, in, n_in, out, n_out, error);
}

typedef struct
{
  CnnStrided outer, inner;
  int64_t groups, n;
} Groups;

static Groups
groups_of (const CnnOpCall *call)
{
  Mvn p = *(const Mvn *) call->params;
  const CnnShape *x = &call->in[0]->shape;
  int64_t steps[CNN_MAX_RANK];
  bool reduced[CNN_MAX_RANK] = { false };
  Groups g = { .groups = 1, .n = 1 };
  cnn_axes (p.axes, p.count, x->rank, NULL);
  for (int i = 0; i < p.count; i++)
    reduced[p.axes[i]] = true;
  cnn_strides (x, steps);
  for (int d = 0; d < x->rank; d++) {
    cnn_strided_add_loop (reduced[d] ? &g.inner : &g.outer, x->dims[d],
        steps[d]);
    *(reduced[d] ? &g.n : &g.groups) *= x->dims[d];
  }
  return g;
}

/* Sum over a group of (x - mean)^power, or of g h. */
static double
group_sum (const CnnStrided *inner, int64_t n, int64_t at, const float *x,
    double mean, int power_)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 };
  double sum = 0;
  for (int64_t k = 0; k < n; k++) {
    double v = (double) x[at] - mean;
    sum += power_ == 2 ? v * v : v;
    cnn_strided_next (inner, inner->rank, index, &at);
  }
  return sum;
}

static void
mvn_group (const Groups *g, int64_t begin, const float *x, float *y,
    const float *gy, float *d)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 }, at = begin;
  double n = (double) g->n;
  double mean = group_sum (&g->inner, g->n, begin, x, 0, 1) / n;
  double deviation = sqrt (group_sum (&g->inner, g->n, begin, x, mean, 2) / n);
  double r = 1 / (deviation + MVN_EPSILON), sum = 0, product = 0;
  for (int64_t k = 0; k < g->n; k++) {
    double h = ((double) x[at] - mean) * r;
    if (y)
      y[at] = (float) h;
    sum += gy ? (double) gy[at] : 0;
    product += gy ? (double) gy[at] * h : 0;
    cnn_strided_next (&g->inner, g->inner.rank, index, &at);
  }
  for (int64_t k = 0; d && k < g->n; k++) {
    double h = ((double) x[at] - mean) * r;
    d[at] += (float) (r * ((double) gy[at] - sum / n - h * product / n));
    cnn_strided_next (&g->inner, g->inner.rank, index, &at);
  }
}

static void
forward_mvn (const CnnOpCall *call)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 }, at = 0;
  if (!cnn_elements (call->in[0]))
    return;
  Groups g = groups_of (call);
  for (int64_t i = 0; i < g.groups; i++) {
    mvn_group (&g, at, call->in[0]->data, call->out[0]->data, NULL, NULL);
    cnn_strided_next (&g.outer, g.outer.rank, index, &at);
  }
}

static void
backward_mvn (const CnnOpCall *call, const CnnOpGrad *grad)
{
  int64_t index[CNN_STRIDED_LOOPS] = { 0 }, at = 0;
  if (!grad->d_out[0] || !grad->d_in[0] || !cnn_elements (call->in[0]))
    return;
  Groups g = groups_of (call);
  for (int64_t i = 0; i < g.groups; i++) {
    mvn_group (&g, at, call->in[0]->data, NULL, grad->d_out[0]->data,
        grad->d_in[0]->data);
    cnn_strided_next (&g.outer, g.outer.rank, index, &at);
  }
}

static bool
geometry_lrn (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry)
{
  return in[0]->shape.rank >= 3
      && cnn_op_geometry_pointwise (params, in, geometry);
}

const CnnOp cnn_op_lrn = {
  .name = "LRN",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Lrn),
  .float32_only = true,
  .parse = parse_lrn,
  .infer = infer_lrn,
  .geometry = geometry_lrn,
  .cellwise = cnn_op_cellwise,
  .forward = forward_lrn,
  .samples = cnn_op_samples_apart,
  .backward = backward_lrn,
};

const CnnOp cnn_op_lp_normalization = {
  .name = "LpNormalization",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Lp),
  .float32_only = true,
  .parse = parse_lp,
  .infer = infer_lp,
  .geometry = geometry_lp,
  .forward = forward_lp,
  .backward = backward_lp,
};

const CnnOp cnn_op_mean_variance_normalization = {
  .name = "MeanVarianceNormalization",
  .since = 9,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Mvn),
  .float32_only = true,
  .parse = parse_mvn,
  .infer = infer_mvn,
  .forward = forward_mvn,
  .backward = backward_mvn,
};
