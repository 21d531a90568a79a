/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pooling.c: MaxPool, AveragePool, LpPool.
 *
 * input n c [d] h w, output n c [od] oh ow (or n c l):
 *   y[i][j] = max, mean or p-norm over p, q of
 *       x[i*stride + p*dilation - pad][j*stride + q*dilation - pad]
 * Padding never wins a maximum; a mean divides by the pixels that are there,
 * or with count_include_pad by those of the padded picture; since opset 19 that
 * includes what ceil_mode adds.
 *
 * Fast for windows of 2x2 with stride 2 and no padding. Others go through the
 * taps, and along a row for each: plain loops that compilers vectorise.
 *
 * Source: ONNX MaxPool, AveragePool, LpPool, opsets 1 to 22. */

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/shapes.h"
#include "ops/pooling.h"
#include "ops/table.h"
#include "ops/window.h"
#include "tensor/scalar.h"

#define TASK_PIXELS 16384

#define AXES        CNN_WINDOW_AXES
#define DEPTH       2

typedef struct
{
  CnnWindow window;
  int64_t count_include_pad, column_major, p;
  bool counts_all;
} Params;

typedef enum
{
  KIND_MAX,
  KIND_MEAN,
  KIND_LP
} Kind;

/* One pool in checked numbers; per axis, [0] vertical. @end: where the padded
 * picture ends, counted from pixel 0; @may_be_empty: a window may see no pixel. */
typedef struct
{
  const CnnKernels *kernels;
  int planes, in[AXES], out[AXES];
  int kernel[AXES], stride[AXES], dilation[AXES], pad[AXES], end[AXES];
  Kind kind;
  bool counts_padding, counts_all, may_be_empty;
  float p;
} Sizes;

static CnnStatus
parse (const CnnAttributes *attributes, Params *p, const char *const *known,
    CnnError *error)
{
  p->p = 2;
  p->counts_all = attributes->opset >= 19;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_window_parse (attributes, &p->window, error);
  if (!status)
    status = cnn_attributes_int (attributes, "count_include_pad", 0, 1,
        &p->count_include_pad, error);
  if (!status)
    status = cnn_attributes_int (attributes, "storage_order", 0, 1,
        &p->column_major, error);
  if (!status)
    status = cnn_attributes_int (attributes, "p", 1, 1 << 10, &p->p, error);
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
  return parse (attributes, params, known, error);
}

static CnnStatus
parse_average (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "auto_pad", "ceil_mode",
    "count_include_pad", "dilations", "kernel_shape", "pads", "strides", NULL };
  return parse (attributes, params, known, error);
}

static CnnStatus
parse_lp (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "auto_pad", "ceil_mode", "dilations",
    "kernel_shape", "p", "pads", "strides", NULL };
  return parse (attributes, params, known, error);
}

static CnnStatus
infer_window (const Params *p, const CnnTensor *const *in, CnnTensor *out,
    int n_out, CnnError *error)
{
  const CnnWindow *window = &p->window;
  CnnShape y = in[0]->shape;
  int64_t size[AXES];
  CnnStatus status = cnn_window_axes (window, &y, AXES, size, error);
  for (int axis = 0; axis < AXES && !status; axis++) {
    int dim = cnn_window_dim (y.rank, axis);
    int64_t extent = cnn_window_extent (window, axis);
    if (dim < 0)
      continue;
    if (window->pad_begin[axis] >= extent || window->pad_end[axis] >= extent)
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "padding of %d and %d for a window of %d",
          (int) window->pad_begin[axis], (int) window->pad_end[axis],
          (int) extent);
    else
      status =
          cnn_window_output (window, axis, size[axis], &y.dims[dim], error);
  }
  if (!status)
    status = cnn_infer_output (&out[0], in[0]->type, &y, error);
  if (!status && n_out > 1)
    status = cnn_infer_output (&out[1], CNN_TYPE_INT64, &y, error);
  return status;
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    int n_out, CnnError *error)
{
  CnnStatus status = cnn_infer_floats (in, n_in, error);
  return status ? status : infer_window (params, in, out, n_out, error);
}

static CnnStatus
infer_max (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  bool bytes = in[0]->type == CNN_TYPE_INT8 || in[0]->type == CNN_TYPE_UINT8;
  CnnStatus status = bytes ? CNN_OK : cnn_infer_floats (in, n_in, error);
  return status ? status : infer_window (params, in, out, n_out, error);
}

static bool
geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry_)
{
  const Params *p = params;
  return in[0]->shape.rank <= 4
      && cnn_window_geometry (&p->window, &in[0]->shape, geometry_);
}

/* Where padding is less than the window, every maximum is one of something. */
static bool
may_be_empty (const Sizes *s)
{
  for (int axis = 0; axis < AXES; axis++)
    if (s->dilation[axis] != 1 || s->pad[axis] >= s->kernel[axis]
        || (s->out[axis] - 1) * s->stride[axis] - s->pad[axis] >= s->in[axis])
      return true;
  return false;
}

static Sizes
sizes_of (const CnnOpCall *call, Kind kind)
{
  const Params *p = call->params;
  const CnnShape *x = &call->in[0]->shape, *y = &call->out[0]->shape;
  Sizes s = {
    .kernels = call->kernels,
    .planes = (int) (x->dims[0] * x->dims[1]),
    .kind = kind,
    .counts_padding = p->count_include_pad,
    .counts_all = p->counts_all,
    .p = (float) p->p,
  };
  for (int axis = 0; axis < AXES; axis++) {
    int dim = cnn_window_dim (x->rank, axis);
    int64_t begin, total;
    s.in[axis] = dim < 0 ? 1 : (int) x->dims[dim];
    s.out[axis] = dim < 0 ? 1 : (int) y->dims[dim];
    cnn_window_pad (&p->window, axis, s.in[axis], &begin, &total);
    s.kernel[axis] = (int) p->window.kernel[axis];
    s.stride[axis] = (int) p->window.stride[axis];
    s.dilation[axis] = (int) p->window.dilation[axis];
    s.pad[axis] = (int) begin;
    s.end[axis] = s.in[axis] + (int) (total - begin);
  }
  s.may_be_empty = may_be_empty (&s);
  return s;
}

static bool
is_2x2 (const Sizes *s)
{
  for (int axis = 0; axis < 2; axis++)
    if (s->kernel[axis] != 2 || s->stride[axis] != 2 || s->dilation[axis] != 1
        || s->pad[axis] || s->out[axis] * 2 > s->in[axis])
      return false;
  return s->in[DEPTH] == 1 && s->kernel[DEPTH] == 1 && s->kind != KIND_LP;
}

/* Positions first, first + dilation ... of a window along an axis, @n of
 * them, that lie within 0 ... size - 1. @counted: within the padded size. */
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
    span.counted += at < s->end[axis] || s->counts_all;
    if (at < 0 || at >= s->in[axis])
      continue;
    if (!span.n++)
      span.first = at;
  }
  return span;
}

static float
divisor_of (const Sizes *s, Span z, Span y, Span x)
{
  int n =
      s->counts_padding ? z.counted * y.counted * x.counted : z.n * y.n * x.n;
  return n ? (float) n : 1.0f;
}

/* y[j] = y[j] with x[j * step]: one tap along a row. */
static void
take_row (const Sizes *s, const float *restrict x, int step, float *restrict y,
    int n)
{
  if (s->kind == KIND_MAX && step <= 2)
    s->kernels->max_tap (x, step, y, n);
  else if (s->kind == KIND_MAX)
    for (int j = 0; j < n; j++)
      y[j] = x[j * step] > y[j] ? x[j * step] : y[j];
  else if (s->kind == KIND_MEAN && step == 1)
    s->kernels->binary (CNN_BINARY_ADD, y, 1, x, 1, y, (size_t) n);
  else if (s->kind == KIND_MEAN)
    for (int j = 0; j < n; j++)
      y[j] += x[j * step];
  else if (s->p == 1)
    for (int j = 0; j < n; j++)
      y[j] += fabsf (x[j * step]);
  else if (s->p == 2)
    for (int j = 0; j < n; j++)
      y[j] += x[j * step] * x[j * step];
  else
    for (int j = 0; j < n; j++)
      y[j] += powf (fabsf (x[j * step]), s->p);
}

/* Columns first ... last - 1 of those from @x0 to @x1 whose windows lie within
 * the row, all of them. */
static void
whole_windows (const Sizes *s, int x0, int x1, int *first, int *last)
{
  int64_t reach = (s->kernel[1] - 1) * s->dilation[1], a, b, c, d;
  cnn_window_reach (-s->pad[1], s->stride[1], s->in[1], s->out[1], &a, &b);
  cnn_window_reach (reach - s->pad[1], s->stride[1], s->in[1], s->out[1], &c,
      &d);
  a = a > c ? a : c;
  b = b < d ? b : d;
  *first = a > x0 ? (a < x1 ? (int) a : x1) : x0;
  *last = b < x1 ? (int) b : x1;
  *last = *last > *first ? *last : *first;
}

static void
divide_row (const Sizes *s, Span z, Span y, int x0, int x1, float *to)
{
  int first, last;
  whole_windows (s, x0, x1, &first, &last);
  for (int j = x0; j < first; j++)
    to[j] /= divisor_of (s, z, y, span_of (s, 1, j));
  for (int j = last; j < x1; j++)
    to[j] /= divisor_of (s, z, y, span_of (s, 1, j));
  if (last == first)
    return;
  float divisor = divisor_of (s, z, y, span_of (s, 1, first));
  s->kernels->binary (CNN_BINARY_DIV, to + first, 1, &divisor, 0, to + first,
      (size_t) (last - first));
}

static void
finish_row (const Sizes *s, Span z, Span y, int x0, int x1, float *to)
{
  if (s->kind == KIND_MAX && !s->may_be_empty)
    return;
  if (s->kind == KIND_MEAN) {
    divide_row (s, z, y, x0, x1, to);
    return;
  }
  for (int j = x0; j < x1; j++) {
    if (s->kind == KIND_MAX)
      to[j] = to[j] == -HUGE_VALF && !span_of (s, 1, j).n ? 0 : to[j];
    else
      to[j] = s->p == 1 ? to[j]
          : s->p == 2   ? sqrtf (to[j])
                        : powf (to[j], 1 / s->p);
  }
}

/* Columns x0 ... x1 - 1 of a row of the output, which begins at @to. */
static void
pool_row (const Sizes *s, const float *in, Span z, Span y, int x0, int x1,
    float *to)
{
  for (int j = x0; j < x1; j++)
    to[j] = s->kind == KIND_MAX ? -HUGE_VALF : 0;
  for (int q = 0; q < s->kernel[1]; q++) {
    int64_t first, last, at = q * s->dilation[1] - s->pad[1];
    cnn_window_reach (at, s->stride[1], s->in[1], s->out[1], &first, &last);
    first = first > x0 ? first : x0;
    last = last < x1 ? last : x1;
    const float *tap = in + first * s->stride[1] + at;
    for (int k = 0; k < z.n * y.n && last > first; k++) {
      int row = (z.first + k / y.n * s->dilation[DEPTH]) * s->in[0] + y.first
          + k % y.n * s->dilation[0];
      take_row (s, tap + (size_t) row * (size_t) s->in[1], s->stride[1],
          to + first, (int) (last - first));
    }
  }
  finish_row (s, z, y, x0, x1, to);
}

typedef struct
{
  const CnnOpCall *call;
  Sizes sizes;
  CnnRegion region; /* rows count through all depths */
  int rows, bands;  /* rows of a task, tasks a plane */
} Cut;

static CnnRegion
region_of (const CnnOpCall *call, const Sizes *s)
{
  CnnRegion all = { 0, 0, s->out[1], s->out[0] * s->out[DEPTH] };
  return call->region ? *call->region : all;
}

static void
rows_2x2 (const Cut *cut, const float *in, float *out, int y0, int y1)
{
  const Sizes *s = &cut->sizes;
  const CnnKernels *k = cut->call->kernels;
  CnnPoolKernel pool =
      s->kind == KIND_MAX ? k->max_pool_2x2 : k->average_pool_2x2;
  size_t w = (size_t) s->in[1], x0 = (size_t) cut->region.x0;
  int n = cut->region.x1 - cut->region.x0;
  for (int y = y0; y < y1; y++) {
    const float *row = in + 2 * ((size_t) y * w + x0);
    pool (row, row + w, out + (size_t) y * (size_t) s->out[1] + x0, n);
  }
}

static void
rows_any (const Cut *cut, const float *in, float *out, int y0, int y1)
{
  const Sizes *s = &cut->sizes;
  for (int y = y0; y < y1; y++)
    pool_row (s, in, span_of (s, DEPTH, y / s->out[0]),
        span_of (s, 0, y % s->out[0]), cut->region.x0, cut->region.x1,
        out + (size_t) y * (size_t) s->out[1]);
}

static size_t
volume (const int *size)
{
  return (size_t) size[0] * (size_t) size[1] * (size_t) size[DEPTH];
}

/* The mean of whole planes, what a global pool of a classifier becomes. */
static bool
is_whole_mean (const Sizes *s)
{
  for (int axis = 0; axis < AXES; axis++)
    if (s->out[axis] != 1 || s->kernel[axis] != s->in[axis] || s->pad[axis]
        || s->end[axis] != s->in[axis]
        || (s->in[axis] > 1 && s->dilation[axis] != 1))
      return false;
  return s->kind == KIND_MEAN;
}

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const Cut *cut = data;
  const Sizes *s = &cut->sizes;
  size_t plane = (size_t) (number / cut->bands);
  int y0 = cut->region.y0 + number % cut->bands * cut->rows;
  int y1 = y0 + cut->rows, end = cut->region.y1;
  const float *in = cut->call->in[0]->data;
  float *out = cut->call->out[0]->data;
  in += plane * volume (s->in);
  out += plane * volume (s->out);
  if (is_whole_mean (s))
    *out = s->kernels->sum (in, volume (s->in)) / (float) volume (s->in);
  else
    (is_2x2 (s) ? rows_2x2 : rows_any) (cut, in, out, y0, y1 < end ? y1 : end);
}

static void
forward (const CnnOpCall *call, Kind kind)
{
  Cut cut = { .call = call, .sizes = sizes_of (call, kind) };
  cut.region = region_of (call, &cut.sizes);
  cut.rows = TASK_PIXELS / (cut.sizes.in[1] * cut.sizes.stride[0]) + 1;
  cut.bands = (cut.region.y1 - cut.region.y0 + cut.rows - 1) / cut.rows;
  cnn_pool_run (call->pool, cut.sizes.planes * cut.bands, task, &cut);
}

/* -- one cell at a time: indices, bytes, gradients ---------------------- */

typedef struct
{
  Span x, y, z;
} Cell;

static Cell
cell_of (const Sizes *s, int number)
{
  return (Cell){
    .x = span_of (s, 1, number % s->out[1]),
    .y = span_of (s, 0, number / s->out[1] % s->out[0]),
    .z = span_of (s, DEPTH, number / s->out[1] / s->out[0]),
  };
}

static int
cell_size (const Cell *c)
{
  return c->x.n * c->y.n * c->z.n;
}

/* Element @i of a cell's window, in its plane. */
static size_t
cell_at (const Sizes *s, const Cell *c, int i)
{
  int x = c->x.first + i % c->x.n * s->dilation[1];
  int y = c->y.first + i / c->x.n % c->y.n * s->dilation[0];
  int z = c->z.first + i / c->x.n / c->y.n * s->dilation[DEPTH];
  return ((size_t) z * (size_t) s->in[0] + (size_t) y) * (size_t) s->in[1]
      + (size_t) x;
}

/* The first largest element of a window; its plane begins at @base. */
static size_t
cell_best (const Sizes *s, const Cell *c, const CnnTensor *x, size_t base)
{
  size_t best = cell_at (s, c, 0);
  for (int i = 1; i < cell_size (c); i++) {
    size_t at = cell_at (s, c, i);
    if (cnn_read_double (x->type, x->data, base + at)
        > cnn_read_double (x->type, x->data, base + best))
      best = at;
  }
  return best;
}

/* Place of an element with columns instead of rows next to each other. */
static size_t
column_major (const Sizes *s, size_t at)
{
  size_t w = (size_t) s->in[1], h = (size_t) s->in[0],
         d = (size_t) s->in[DEPTH];
  size_t x = at % w, y = at / w % h, z = at / w / h;
  return (x * h + y) * d + z;
}

static void
forward_cells (const CnnOpCall *call)
{
  const Params *p = call->params;
  Sizes s = sizes_of (call, KIND_MAX);
  const CnnTensor *x = call->in[0];
  CnnTensor *y = call->out[0];
  int64_t *indices =
      call->n_out > 1 && call->out[1] ? call->out[1]->data : NULL;
  size_t bytes = cnn_type_bytes (x->type);
  CnnRegion r = region_of (call, &s);
  for (int plane = 0; plane < s.planes; plane++)
    for (int row = r.y0; row < r.y1; row++)
      for (int column = r.x0; column < r.x1; column++) {
        int i = row * s.out[1] + column;
        Cell c = cell_of (&s, i);
        size_t base = (size_t) plane * volume (s.in);
        size_t best = cell_size (&c) ? cell_best (&s, &c, x, base) : 0;
        size_t to = (size_t) plane * volume (s.out) + (size_t) i;
        if (cell_size (&c))
          memcpy ((char *) y->data + to * bytes,
              (const char *) x->data + (base + best) * bytes, bytes);
        else
          memset ((char *) y->data + to * bytes, 0, bytes);
        if (indices)
          indices[to] = (int64_t) (base
              + (p->column_major ? column_major (&s, best) : best));
      }
}

static void
forward_max (const CnnOpCall *call)
{
  bool indices = call->n_out > 1 && call->out[1];
  if (indices || call->in[0]->type != CNN_TYPE_FLOAT32)
    forward_cells (call);
  else
    forward (call, KIND_MAX);
}

static void
forward_average (const CnnOpCall *call)
{
  forward (call, KIND_MEAN);
}

static void
forward_lp (const CnnOpCall *call)
{
  forward (call, KIND_LP);
}

static void
plane_2x2 (const CnnKernels *k, const Sizes *s, const float *in, float *d_in,
    const float *g)
{
  CnnPoolGradientKernel gradient = s->kind == KIND_MAX
      ? k->max_pool_2x2_gradient
      : k->average_pool_2x2_gradient;
  size_t w = (size_t) s->in[1];
  for (int i = 0; i < s->out[0]; i++, in += 2 * w, d_in += 2 * w) {
    gradient (in, in + w, g, d_in, d_in + w, s->out[1]);
    g += s->out[1];
  }
}

/* d |x|_p / dx = sign x |x|^(p-1) / |x|_p^(p-1) */
static float
lp_slope (const Sizes *s, float x, float y)
{
  float sign = (float) ((x > 0) - (x < 0));
  if (s->p == 1)
    return sign;
  return y ? sign * powf (fabsf (x) / y, s->p - 1) : 0;
}

static void
cell_backward (const Sizes *s, const CnnTensor *x, size_t base, const Cell *c,
    float y, float g, float *d)
{
  const float *in = (const float *) x->data + base;
  int n = cell_size (c);
  if (!n)
    return;
  if (s->kind == KIND_MAX) {
    d[cell_best (s, c, x, base)] += g;
    return;
  }
  if (s->kind == KIND_MEAN)
    g /= divisor_of (s, c->z, c->y, c->x);
  for (int i = 0; i < n; i++) {
    size_t at = cell_at (s, c, i);
    d[at] += s->kind == KIND_MEAN ? g : g * lp_slope (s, in[at], y);
  }
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad, Kind kind)
{
  Sizes s = sizes_of (call, kind);
  if (!grad->d_out[0] || !grad->d_in[0])
    return;
  const CnnTensor *x = call->in[0];
  const float *y = call->out[0]->data, *g = grad->d_out[0]->data;
  size_t n = volume (s.out);
  for (int plane = 0; plane < s.planes; plane++, y += n, g += n) {
    size_t base = (size_t) plane * volume (s.in);
    float *d = (float *) grad->d_in[0]->data + base;
    if (is_2x2 (&s)) {
      plane_2x2 (call->kernels, &s, (const float *) x->data + base, d, g);
      continue;
    }
    for (int i = 0; i < (int) n; i++) {
      Cell c = cell_of (&s, i);
      cell_backward (&s, x, base, &c, y[i], g[i], d);
    }
  }
}

static void
backward_max (const CnnOpCall *call, const CnnOpGrad *grad)
{
  backward (call, grad, KIND_MAX);
}

static void
backward_average (const CnnOpCall *call, const CnnOpGrad *grad)
{
  backward (call, grad, KIND_MEAN);
}

static void
backward_lp (const CnnOpCall *call, const CnnOpGrad *grad)
{
  backward (call, grad, KIND_LP);
}

CnnFusedPool
cnn_pool_fusable (const CnnOp *op, const void *params)
{
  const Params *p = params;
  if (op != &cnn_op_max_pool && op != &cnn_op_average_pool)
    return CNN_FUSED_POOL_NONE;
  const CnnWindow *w = &p->window;
  if (w->axes != 2 || w->ceil_mode
      || (w->pad != CNN_PAD_EXPLICIT && w->pad != CNN_PAD_VALID))
    return CNN_FUSED_POOL_NONE;
  for (int axis = 0; axis < 2; axis++)
    if (w->kernel[axis] != 2 || w->stride[axis] != 2 || w->dilation[axis] != 1
        || w->pad_begin[axis] || w->pad_end[axis])
      return CNN_FUSED_POOL_NONE;
  return op == &cnn_op_max_pool ? CNN_FUSED_POOL_MAX : CNN_FUSED_POOL_AVERAGE;
}

const CnnOp cnn_op_max_pool = {
  .name = "MaxPool",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 2,
  .params_bytes = sizeof (Params),
  .float32_only = true,
  .parse = parse_max,
  .infer = infer_max,
  .geometry = geometry,
  .regional = true,
  .forward = forward_max,
  .samples = cnn_op_samples_apart,
  .backward = backward_max,
};

/* A unit that averages has a link to each cell that it sees, padding too. */
static uint64_t
links_average (const void *params, CNN_UNUSED const CnnTensor *const *in,
    const CnnTensor *out)
{
  const CnnWindow *w = &((const Params *) params)->window;
  return (uint64_t) cnn_elements (out)
      * (uint64_t) (w->kernel[0] * w->kernel[1]);
}

const CnnOp cnn_op_average_pool = {
  .name = "AveragePool",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .float32_only = true,
  .parse = parse_average,
  .infer = infer,
  .geometry = geometry,
  .links = links_average,
  .regional = true,
  .forward = forward_average,
  .samples = cnn_op_samples_apart,
  .backward = backward_average,
};

const CnnOp cnn_op_lp_pool = {
  .name = "LpPool",
  .since = 2,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .float32_only = true,
  .parse = parse_lp,
  .infer = infer,
  .geometry = geometry,
  .regional = true,
  .forward = forward_lp,
  .samples = cnn_op_samples_apart,
  .backward = backward_lp,
};
