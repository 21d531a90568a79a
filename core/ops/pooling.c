/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pooling.c: MaxPool and AveragePool.
 *
 * input n c h w, output n c oh ow (or n c l):
 *   y[i][j] = max or mean over p, q of
 *       x[i*stride + p*dilation - pad][j*stride + q*dilation - pad]
 * Padding never wins a maximum; a mean divides by the pixels that are there,
 * or with count_include_pad by those of the padded picture.
 *
 * Fast for windows of 2x2 with stride 2 and no padding; others are plain.
 *
 * Source: ONNX MaxPool, AveragePool, opsets 1 to 22. */

#include <float.h>
#include <string.h>

#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/shapes.h"
#include "ops/table.h"
#include "ops/window.h"

#define TASK_PIXELS 16384

typedef struct
{
  CnnWindow window;
  int64_t count_include_pad;
} Params;

/* One pool in checked numbers; per axis, [0] vertical. @end: where the padded
 * picture ends, counted from pixel 0. */
typedef struct
{
  int planes, in[2], out[2];
  int kernel[2], stride[2], dilation[2], pad[2], end[2];
  bool max, counts_padding;
} Sizes;

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  Params *p = params;
  int64_t storage_order = 0;
  CnnStatus status = cnn_window_parse (attributes, &p->window, error);
  if (!status)
    status = cnn_attributes_int (attributes, "count_include_pad", 0, 1,
        &p->count_include_pad, error);
  if (!status)
    status = cnn_attributes_int (attributes, "storage_order", 0, 0,
        &storage_order, error);
  if (!status && !p->window.kernel[1])
    status = cnn_error_set (error, CNN_ERROR_FORMAT,
        "attribute 'kernel_shape' is missing");
  return status;
}

static CnnStatus
parse_max (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "auto_pad", "ceil_mode", "dilations",
    "kernel_shape", "pads", "storage_order", "strides", NULL };
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  return status ? status : parse (attributes, params, error);
}

static CnnStatus
parse_average (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "auto_pad", "ceil_mode",
    "count_include_pad", "dilations", "kernel_shape", "pads", "strides", NULL };
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  return status ? status : parse (attributes, params, error);
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    CNN_UNUSED int n_out, CnnError *error)
{
  const CnnWindow *window = &((const Params *) params)->window;
  CnnShape y = in[0]->shape;
  int64_t size[2];
  CnnStatus status = cnn_infer_floats (in, n_in, error);
  if (!status)
    status = cnn_window_axes (window, &y, &size[0], &size[1], error);
  for (int axis = y.rank == 3; axis < 2 && !status; axis++) {
    int64_t extent = cnn_window_extent (window, axis);
    if (window->pad_begin[axis] >= extent || window->pad_end[axis] >= extent)
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "padding of %d and %d for a window of %d",
          (int) window->pad_begin[axis], (int) window->pad_end[axis],
          (int) extent);
    else
      status = cnn_window_output (window, axis, size[axis],
          &y.dims[y.rank - 2 + axis], error);
  }
  return status ? status
                : cnn_infer_output (&out[0], CNN_TYPE_FLOAT32, &y, error);
}

static bool
geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry_)
{
  const Params *p = params;
  return cnn_window_geometry (&p->window, &in[0]->shape, geometry_);
}

static Sizes
sizes_of (const CnnOpCall *call, bool max)
{
  const Params *p = call->params;
  const CnnShape *x = &call->in[0]->shape, *y = &call->out[0]->shape;
  Sizes s = {
    .planes = (int) (x->dims[0] * x->dims[1]),
    .max = max,
    .counts_padding = p->count_include_pad,
  };
  for (int axis = 0; axis < 2; axis++) {
    int at = x->rank - 2 + axis;
    bool used = axis || x->rank == 4;
    int64_t begin, total;
    s.in[axis] = used ? (int) x->dims[at] : 1;
    s.out[axis] = used ? (int) y->dims[at] : 1;
    cnn_window_pad (&p->window, axis, s.in[axis], &begin, &total);
    s.kernel[axis] = (int) p->window.kernel[axis];
    s.stride[axis] = (int) p->window.stride[axis];
    s.dilation[axis] = (int) p->window.dilation[axis];
    s.pad[axis] = (int) begin;
    s.end[axis] = s.in[axis] + (int) (total - begin);
  }
  return s;
}

static bool
is_2x2 (const Sizes *s)
{
  for (int axis = 0; axis < 2; axis++)
    if (s->kernel[axis] != 2 || s->stride[axis] != 2 || s->dilation[axis] != 1
        || s->pad[axis] || s->out[axis] * 2 > s->in[axis])
      return false;
  return true;
}

/* Positions first, first + dilation ... of a window along an axis, at most
 * @n, that lie within 0 ... size - 1. */
typedef struct
{
  int first, n, counted;
} Span;

static Span
span_of (const Sizes *s, int axis, int cell)
{
  Span span = { 0 };
  int begin = cell * s->stride[axis] - s->pad[axis];
  for (int k = 0; k < s->kernel[axis]; k++) {
    int at = begin + k * s->dilation[axis];
    span.counted += at < s->end[axis];
    if (at < 0 || at >= s->in[axis])
      continue;
    if (!span.n++)
      span.first = at;
  }
  return span;
}

static float
divisor_of (const Sizes *s, Span y, Span x)
{
  int n = s->counts_padding ? y.counted * x.counted : y.n * x.n;
  return n ? (float) n : 1.0f;
}

static float
cell (const Sizes *s, const float *in, Span y, Span x)
{
  float most = -FLT_MAX, sum = 0;
  for (int p = 0; p < y.n; p++) {
    const float *row =
        in + (size_t) (y.first + p * s->dilation[0]) * (size_t) s->in[1];
    for (int q = 0; q < x.n; q++) {
      float v = row[x.first + q * s->dilation[1]];
      most = v > most ? v : most;
      sum += v;
    }
  }
  if (s->max)
    return x.n && y.n ? most : 0;
  return sum / divisor_of (s, y, x);
}

typedef struct
{
  const CnnOpCall *call;
  Sizes sizes;
  int rows, bands; /* rows of a task, tasks a plane */
} Cut;

static void
rows_2x2 (const Cut *cut, const float *in, float *out, int y0, int y1)
{
  const Sizes *s = &cut->sizes;
  const CnnKernels *k = cut->call->kernels;
  CnnPoolKernel pool = s->max ? k->max_pool_2x2 : k->average_pool_2x2;
  size_t w = (size_t) s->in[1], ow = (size_t) s->out[1];
  for (int y = y0; y < y1; y++) {
    const float *row = in + 2 * (size_t) y * w;
    pool (row, row + w, out + (size_t) y * ow, (int) ow);
  }
}

static void
rows_any (const Cut *cut, const float *in, float *out, int y0, int y1)
{
  const Sizes *s = &cut->sizes;
  out += (size_t) y0 * (size_t) s->out[1];
  for (int y = y0; y < y1; y++) {
    Span down = span_of (s, 0, y);
    for (int x = 0; x < s->out[1]; x++)
      *out++ = cell (s, in, down, span_of (s, 1, x));
  }
}

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const Cut *cut = data;
  const Sizes *s = &cut->sizes;
  size_t plane = (size_t) (number / cut->bands);
  int y0 = number % cut->bands * cut->rows, y1 = y0 + cut->rows;
  const float *in = cut->call->in[0]->data;
  float *out = cut->call->out[0]->data;
  in += plane * (size_t) s->in[0] * (size_t) s->in[1];
  out += plane * (size_t) s->out[0] * (size_t) s->out[1];
  (is_2x2 (s) ? rows_2x2 : rows_any) (cut, in, out, y0,
      y1 < s->out[0] ? y1 : s->out[0]);
}

static void
forward (const CnnOpCall *call, bool max)
{
  Cut cut = { .call = call, .sizes = sizes_of (call, max) };
  cut.rows = TASK_PIXELS / (cut.sizes.in[1] * cut.sizes.stride[0]) + 1;
  cut.bands = (cut.sizes.out[0] + cut.rows - 1) / cut.rows;
  cnn_pool_run (call->pool, cut.sizes.planes * cut.bands, task, &cut);
}

static void
forward_max (const CnnOpCall *call)
{
  forward (call, true);
}

static void
forward_average (const CnnOpCall *call)
{
  forward (call, false);
}

/* The gradient of a maximum goes to the first pixel that has it. */
static void
spread_max (const Sizes *s, const float *in, float *d_in, Span y, Span x,
    float g)
{
  size_t best = 0;
  bool any = false;
  for (int p = 0; p < y.n; p++)
    for (int q = 0; q < x.n; q++) {
      size_t at = (size_t) (y.first + p * s->dilation[0]) * (size_t) s->in[1]
          + (size_t) (x.first + q * s->dilation[1]);
      if (!any || in[at] > in[best])
        best = at;
      any = true;
    }
  if (any)
    d_in[best] += g;
}

static void
spread_mean (const Sizes *s, float *d_in, Span y, Span x, float g)
{
  g /= divisor_of (s, y, x);
  for (int p = 0; p < y.n; p++)
    for (int q = 0; q < x.n; q++)
      d_in[(size_t) (y.first + p * s->dilation[0]) * (size_t) s->in[1]
          + (size_t) (x.first + q * s->dilation[1])] += g;
}

static void
plane_2x2 (const CnnKernels *k, const Sizes *s, const float *in, float *d_in,
    const float *g)
{
  CnnPoolGradientKernel gradient =
      s->max ? k->max_pool_2x2_gradient : k->average_pool_2x2_gradient;
  size_t w = (size_t) s->in[1];
  for (int i = 0; i < s->out[0]; i++, in += 2 * w, d_in += 2 * w) {
    gradient (in, in + w, g, d_in, d_in + w, s->out[1]);
    g += s->out[1];
  }
}

static void
plane_any (const Sizes *s, const float *in, float *d_in, const float *g)
{
  for (int i = 0; i < s->out[0]; i++) {
    Span y = span_of (s, 0, i);
    for (int j = 0; j < s->out[1]; j++, g++) {
      Span x = span_of (s, 1, j);
      if (s->max)
        spread_max (s, in, d_in, y, x, *g);
      else
        spread_mean (s, d_in, y, x, *g);
    }
  }
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad, bool max)
{
  Sizes s = sizes_of (call, max);
  if (!grad->d_out[0] || !grad->d_in[0])
    return;
  const float *in = call->in[0]->data, *g = grad->d_out[0]->data;
  float *d_in = grad->d_in[0]->data;
  for (int i = 0; i < s.planes; i++) {
    if (is_2x2 (&s))
      plane_2x2 (call->kernels, &s, in, d_in, g);
    else
      plane_any (&s, in, d_in, g);
    in += (size_t) s.in[0] * (size_t) s.in[1];
    d_in += (size_t) s.in[0] * (size_t) s.in[1];
    g += (size_t) s.out[0] * (size_t) s.out[1];
  }
}

static void
backward_max (const CnnOpCall *call, const CnnOpGrad *grad)
{
  backward (call, grad, true);
}

static void
backward_average (const CnnOpCall *call, const CnnOpGrad *grad)
{
  backward (call, grad, false);
}

const CnnOp cnn_op_max_pool = {
  .name = "MaxPool",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .parse = parse_max,
  .infer = infer,
  .geometry = geometry,
  .forward = forward_max,
  .backward = backward_max,
};

const CnnOp cnn_op_average_pool = {
  .name = "AveragePool",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .parse = parse_average,
  .infer = infer,
  .geometry = geometry,
  .forward = forward_average,
  .backward = backward_average,
};
