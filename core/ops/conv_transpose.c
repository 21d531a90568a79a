/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_transpose.c: ConvTranspose: the gradient of a convolution as an operator
 * of its own, which makes maps larger.
 *
 * input n ic [d] h w, weights ic oc/group [kd] kh kw, output n oc [od] oh ow:
 *   y[o][i*stride + p*dilation - pad] += x[c][i] w[c][o][p]
 * As a matrix product for each sample and group, then a sum of what meets:
 *   columns[o, p][i] = sum over c of w[c][o, p] x[c][i]
 * Backward: gather the columns of g, then dx = w columns, dw = x columns'.
 *
 * Sizes: out = (in - 1) stride + extent + output_padding - pads, or as
 * output_shape says, pads following from that.
 *
 * Source: ONNX ConvTranspose, opsets 1 to 22. */

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "ops/matrix.h"
#include "ops/shapes.h"
#include "ops/table.h"
#include "ops/window.h"

#define AXES CNN_WINDOW_AXES

typedef struct
{
  CnnWindow window;
  int64_t group, more[AXES], sizes[AXES];
  bool sized;
} Params;

/* Values of an attribute that the window does not know, one an axis. */
static CnnStatus
parse_list (const CnnAttributes *attributes, const char *name, int *axes,
    int64_t *to, bool *given, CnnError *error)
{
  int64_t values[AXES];
  int count = 0;
  CnnStatus status = cnn_attributes_ints (attributes, name, 0, 1 << 30, AXES,
      values, &count, error);
  if (status || !count)
    return status;
  if (*axes && *axes != count)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "attribute '%s' has %d values, others speak of %d axes", name, count,
        *axes);
  *axes = count;
  *given = true;
  for (int axis = 0; axis < AXES; axis++) {
    int i = cnn_window_dim (count + 2, axis) - 2;
    if (i >= 0)
      to[axis] = values[i];
  }
  return CNN_OK;
}

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "auto_pad", "dilations", "group",
    "kernel_shape", "output_padding", "output_shape", "pads", "strides", NULL };
  Params *p = params;
  bool padded = false;
  p->group = 1;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_window_parse (attributes, &p->window, error);
  if (!status)
    status =
        cnn_attributes_int (attributes, "group", 1, 1 << 20, &p->group, error);
  if (!status)
    status = parse_list (attributes, "output_padding", &p->window.axes, p->more,
        &padded, error);
  if (!status)
    status = parse_list (attributes, "output_shape", &p->window.axes, p->sizes,
        &p->sized, error);
  return status;
}

/**
 * Sizes:
 * All in checked numbers. @pad: before element 0 of the output.
 */
typedef struct
{
  int axes, group, ic, oc;
  int64_t n, in[AXES], out[AXES], kernel[AXES];
  int64_t stride[AXES], dilation[AXES], pad[AXES];
} Sizes;

static CnnStatus
size_axis (const Params *p, Sizes *s, int axis, CnnError *error)
{
  const CnnWindow *w = &p->window;
  int64_t extent = (s->kernel[axis] - 1) * w->dilation[axis] + 1;
  int64_t full = (s->in[axis] - 1) * w->stride[axis] + extent + p->more[axis];
  int64_t total = w->pad_begin[axis] + w->pad_end[axis];
  bool same = w->pad == CNN_PAD_SAME_UPPER || w->pad == CNN_PAD_SAME_LOWER;
  s->pad[axis] = w->pad == CNN_PAD_EXPLICIT ? w->pad_begin[axis] : 0;
  if (w->pad == CNN_PAD_VALID)
    total = 0;
  if (p->sized || same) {
    int64_t want = p->sized ? p->sizes[axis] : s->in[axis] * w->stride[axis];
    total = full - want;
    s->pad[axis] = w->pad == CNN_PAD_SAME_UPPER ? total / 2 : total - total / 2;
    if (total < 0)
      s->pad[axis] = 0;
  }
  s->out[axis] = full - total;
  if (s->out[axis] < 1 || s->out[axis] > INT32_MAX)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "a size of %" PRId64 " would become %" PRId64, s->in[axis],
        s->out[axis]);
  return CNN_OK;
}

static CnnStatus
sizes_of (const Params *p, const CnnTensor *x, const CnnTensor *weights,
    Sizes *s, CnnError *error)
{
  const CnnShape *w = &weights->shape;
  CnnStatus status = CNN_OK;
  *s = (Sizes){ .axes = x->shape.rank - 2,
    .group = (int) p->group,
    .n = x->shape.dims[0],
    .ic = (int) (w->dims[0] / p->group),
    .oc = (int) w->dims[1] };
  for (int axis = 0; axis < AXES && !status; axis++) {
    int dim = cnn_window_dim (x->shape.rank, axis);
    s->in[axis] = dim < 0 ? 1 : x->shape.dims[dim];
    s->out[axis] = 1;
    s->kernel[axis] = dim < 0 ? 1 : w->dims[dim];
    s->stride[axis] = p->window.stride[axis];
    s->dilation[axis] = p->window.dilation[axis];
    if (dim >= 0 && s->in[axis] >= 0)
      status = size_axis (p, s, axis, error);
    else if (dim >= 0)
      s->out[axis] = -1;
  }
  return status;
}

static CnnStatus
check_weights (const Params *p, const CnnTensor *const *in, int n_in,
    CnnError *error)
{
  const CnnShape *x = &in[0]->shape, *w = &in[1]->shape;
  char text[160];
  CnnStatus status =
      cnn_window_check_weights (&p->window, x, w, 1 << 24, error);
  if (status)
    return status;
  if (w->dims[0] % p->group || (x->dims[1] != -1 && x->dims[1] != w->dims[0]))
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input has %" PRId64 " channels, weights expect %" PRId64 " in %" PRId64
        " groups",
        x->dims[1], w->dims[0], p->group);
  if (n_in > 2 && in[2]
      && (in[2]->shape.rank != 1
          || in[2]->shape.dims[0] != w->dims[1] * p->group))
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "bias has shape %s, %" PRId64 " output channels are expected",
        cnn_shape_format (&in[2]->shape, text, sizeof text),
        w->dims[1] * p->group);
  return CNN_OK;
}

static size_t
product (const int64_t *sizes)
{
  return (size_t) sizes[0] * (size_t) sizes[1] * (size_t) sizes[2];
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    CNN_UNUSED int n_out, CnnError *error)
{
  const Params *p = params;
  CnnShape y = in[0]->shape;
  int64_t size[AXES];
  Sizes s;
  CnnStatus status = cnn_infer_floats (in, n_in, error);
  if (!status)
    status = cnn_window_axes (&p->window, &y, AXES, size, error);
  if (!status)
    status = check_weights (p, in, n_in, error);
  if (!status)
    status = sizes_of (p, in[0], in[1], &s, error);
  if (status)
    return status;
  y.dims[1] = s.oc * s.group;
  for (int axis = 0; axis < AXES; axis++) {
    int dim = cnn_window_dim (y.rank, axis);
    if (dim >= 0)
      y.dims[dim] = s.out[axis];
  }
  /* The columns must be possible, too. */
  CnnTensor unused;
  CnnShape columns = { 5,
    { s.oc, s.kernel[0] * s.kernel[1] * s.kernel[2], s.in[0] < 0 ? 1 : s.in[0],
        s.in[1] < 0 ? 1 : s.in[1], s.in[2] < 0 ? 1 : s.in[2] } };
  status = cnn_infer_output (&unused, CNN_TYPE_FLOAT32, &columns, error);
  return status ? status
                : cnn_infer_output (&out[0], CNN_TYPE_FLOAT32, &y, error);
}

static uint64_t
macs (CNN_UNUSED const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CNN_UNUSED const CnnTensor *out)
{
  const CnnShape *w = &in[1]->shape;
  return (uint64_t) cnn_elements (in[0]) * cnn_product (w, 1, w->rank);
}

/* Element i of the output gets elements j of the input with i = j * stride + p
 * * dilation - pad, p = 0 ... kernel - 1. */
static bool
geometry (const void *params, const CnnTensor *const *in, CnnOpGeometry *g)
{
  const Params *p = params;
  Sizes s;
  int rank = in[0]->shape.rank;
  if (rank > 4)
    return false;
  CnnTensor x = *in[0];
  for (int d = 0; d < rank; d++)
    if (x.shape.dims[d] < 1) {
      if (p->sized)
        return false;
      x.shape.dims[d] = 64;
    }
  if (sizes_of (p, &x, in[1], &s, NULL))
    return false;
  for (int axis = 0; axis < 2; axis++) {
    int64_t reach = (s.kernel[axis] - 1) * s.dilation[axis];
    g->up[axis] = (int) s.stride[axis];
    g->stride[axis] = 1;
    g->window[axis] = (int) (reach / s.stride[axis]) + 1;
    g->offset[axis] = (int) (s.pad[axis] - reach + s.stride[axis] - 1);
  }
  return true;
}

static size_t
columns_bytes (const Sizes *s)
{
  return cnn_align_up (
      (size_t) s->oc * product (s->kernel) * product (s->in) * sizeof (float)
      + CNN_SLACK_BYTES);
}

/* columns = w' x, with w of ic x rows, x of ic x n_in. */
static CnnProduct
forward_product (const Sizes *s, const float *w, const float *x)
{
  size_t rows = (size_t) s->oc * product (s->kernel);
  return (CnnProduct){
    .a = { w, 1, rows },
    .b = { x, product (s->in), 1 },
    .m = (int) rows,
    .n = (int) product (s->in),
    .k = s->ic,
    .alpha = 1,
    .fresh = 1,
  };
}

static CnnProduct
gradient_by_input (const Sizes *s, const float *w, const float *columns)
{
  size_t rows = (size_t) s->oc * product (s->kernel);
  return (CnnProduct){
    .a = { w, rows, 1 },
    .b = { columns, product (s->in), 1 },
    .m = s->ic,
    .n = (int) product (s->in),
    .k = (int) rows,
    .alpha = 1,
  };
}

static CnnProduct
gradient_by_weights (const Sizes *s, const float *x, const float *columns)
{
  size_t rows = (size_t) s->oc * product (s->kernel), n_in = product (s->in);
  return (CnnProduct){
    .a = { x, n_in, 1 },
    .b = { columns, 1, n_in },
    .m = s->ic,
    .n = (int) rows,
    .k = (int) n_in,
    .alpha = 1,
  };
}

static void
multiply (const CnnOpCall *call, const Sizes *s, CnnProduct product_, float *c)
{
  product_.kernels = call->kernels;
  product_.spare = (char *) call->scratch + columns_bytes (s);
  product_.c = c;
  cnn_matrix_multiply (&product_, call->pool);
}

static size_t
scratch_bytes (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CNN_UNUSED const CnnTensor *out,
    CNN_UNUSED int variant, const CnnPool *pool, int training)
{
  Sizes s;
  if (sizes_of (params, in[0], in[1], &s, NULL))
    return 0;
  CnnProduct back = gradient_by_weights (&s, NULL, NULL);
  return columns_bytes (&s)
      + (training ? cnn_matrix_spare_bytes (&back, pool) : 0);
}

/* Elements @first ... @last - 1 of an axis of the input that tap @t carries
 * inside the output; the first one lands at @to. */
static void
tap_range (const Sizes *s, int axis, int64_t t, int64_t *first, int64_t *last,
    int64_t *to)
{
  int64_t at = t * s->dilation[axis] - s->pad[axis];
  cnn_window_reach (at, s->stride[axis], s->out[axis], s->in[axis], first,
      last);
  *to = at + *first * s->stride[axis];
}

/* Between the columns of one output channel, [taps][in], and its plane: adds
 * columns to the plane, or copies the plane into the columns (@gather). */
static void
move_channel (const Sizes *s, float *columns, float *plane, bool gather)
{
  for (int64_t t = 0; t < (int64_t) product (s->kernel); t++) {
    int64_t first[AXES], last[AXES], to[AXES];
    int64_t tap[] = { t / s->kernel[1] % s->kernel[0], t % s->kernel[1],
      t / s->kernel[1] / s->kernel[0] };
    for (int axis = 0; axis < AXES; axis++)
      tap_range (s, axis, tap[axis], &first[axis], &last[axis], &to[axis]);
    float *column = columns + (size_t) t * product (s->in);
    if (gather)
      memset (column, 0, product (s->in) * sizeof *column);
    for (int64_t z = first[2]; z < last[2]; z++)
      for (int64_t y = first[0]; y < last[0]; y++) {
        int64_t oz = to[2] + (z - first[2]) * s->stride[2];
        int64_t oy = to[0] + (y - first[0]) * s->stride[0];
        float *c = column + (z * s->in[0] + y) * s->in[1];
        float *out = plane + (oz * s->out[0] + oy) * s->out[1] + to[1];
        int64_t step = s->stride[1];
        if (gather)
          for (int64_t x = first[1]; x < last[1]; x++)
            c[x] = out[(x - first[1]) * step];
        else
          for (int64_t x = first[1]; x < last[1]; x++)
            out[(x - first[1]) * step] += c[x];
      }
  }
}

typedef struct
{
  const Sizes *sizes;
  float *columns, *out;
  const float *bias;
} Work;

static void
channel_task (void *data, int o, CNN_UNUSED int worker)
{
  const Work *w = data;
  const Sizes *s = w->sizes;
  size_t size = product (s->out);
  float *out = w->out + (size_t) o * size;
  for (size_t i = 0; i < size; i++)
    out[i] = w->bias ? w->bias[o] : 0;
  move_channel (s,
      w->columns + (size_t) o * product (s->kernel) * product (s->in), out,
      false);
}

static void
forward (const CnnOpCall *call)
{
  Sizes s;
  sizes_of (call->params, call->in[0], call->in[1], &s, NULL);
  size_t n_in = product (s.in), taps = product (s.kernel);
  size_t rows = (size_t) s.oc * taps;
  float *columns = call->scratch;
  const float *x = call->in[0]->data, *bias = NULL;
  float *y = call->out[0]->data;
  if (call->n_in > 2 && call->in[2])
    bias = call->in[2]->data;
  for (int64_t i = 0; i < s.n * s.group; i++) {
    int64_t g = i % s.group;
    const float *w =
        (const float *) call->in[1]->data + (size_t) (g * s.ic) * rows;
    multiply (call, &s, forward_product (&s, w, x), columns);
    Work work = { &s, columns, y, bias ? bias + g * s.oc : NULL };
    cnn_pool_run (call->pool, s.oc, channel_task, &work);
    x += (size_t) s.ic * n_in;
    y += (size_t) s.oc * product (s.out);
  }
}

static void
add_bias_gradient (const Sizes *s, const float *g, float *d)
{
  for (int o = 0; o < s->oc; o++)
    for (size_t i = 0; i < product (s->out); i++)
      d[o] += *g++;
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad)
{
  Sizes s;
  if (!grad->d_out[0])
    return;
  sizes_of (call->params, call->in[0], call->in[1], &s, NULL);
  size_t n_in = product (s.in), taps = product (s.kernel);
  size_t rows = (size_t) s.oc * taps, n_out = product (s.out);
  float *columns = call->scratch;
  for (int64_t i = 0; i < s.n * s.group; i++) {
    int64_t group = i % s.group;
    size_t x_at = (size_t) i * (size_t) s.ic * n_in;
    size_t w_at = (size_t) (group * s.ic) * rows;
    float *g =
        (float *) grad->d_out[0]->data + (size_t) i * (size_t) s.oc * n_out;
    for (int o = 0; o < s.oc; o++)
      move_channel (&s, columns + (size_t) o * taps * n_in,
          g + (size_t) o * n_out, true);
    const float *w = (const float *) call->in[1]->data + w_at;
    const float *x = (const float *) call->in[0]->data + x_at;
    if (grad->d_in[0])
      multiply (call, &s, gradient_by_input (&s, w, columns),
          (float *) grad->d_in[0]->data + x_at);
    if (grad->d_in[1])
      multiply (call, &s, gradient_by_weights (&s, x, columns),
          (float *) grad->d_in[1]->data + w_at);
    if (call->n_in > 2 && grad->d_in[2])
      add_bias_gradient (&s, g, (float *) grad->d_in[2]->data + group * s.oc);
  }
}

const CnnOp cnn_op_conv_transpose = {
  .name = "ConvTranspose",
  .since = 1,
  .min_in = 2,
  .max_in = 3,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .float32_only = true,
  .parse = parse,
  .infer = infer,
  .geometry = geometry,
  .macs = macs,
  .scratch_bytes = scratch_bytes,
  .forward = forward,
  .samples = cnn_op_samples_apart,
  .backward = backward,
};
