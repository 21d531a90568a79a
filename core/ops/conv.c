/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv.c: the Conv operator: attributes, shapes, sizes.
 *
 * input n ic h w, weights oc ic/group kh kw, bias oc, output n oc oh ow; or
 * n ic l and so on for one axis:
 *   y[n][o][i][j] = bias[o] + sum over c, p, q of w[o][c][p][q]
 *       * x[n][c][i*stride + p*dilation - pad][j*stride + q*dilation - pad]
 *
 * Source: ONNX Conv, opsets 1, 11. */

#include "ops/conv.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "ops/batch_norm.h"
#include "ops/planar.h"
#include "ops/pooling.h"
#include "ops/shapes.h"
#include "ops/table.h"
#include "ops/winograd_weights.h"

/* Most weights of a 1x1 convolution that is taken over: 128 KiB. */
#define STAGE_WEIGHTS (32 * 1024)

CnnStatus
cnn_conv_parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "auto_pad", "dilations", "group",
    "kernel_shape", "pads", "strides", NULL };
  CnnConvParams *p = params;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  p->group = 1;
  if (!status)
    status = cnn_window_parse (attributes, &p->window, error);
  if (!status)
    status =
        cnn_attributes_int (attributes, "group", 1, 1 << 20, &p->group, error);
  return status;
}

CnnStatus
cnn_conv_check_weights (const CnnConvParams *p, const CnnShape *x,
    const CnnShape *w, int64_t most, CnnError *error)
{
  CnnStatus status = cnn_window_check_weights (&p->window, x, w, most, error);
  if (status)
    return status;
  if (x->dims[1] != -1 && x->dims[1] != w->dims[1] * p->group)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input has %" PRId64 " channels, weights expect %" PRId64, x->dims[1],
        w->dims[1] * p->group);
  if (w->dims[0] % p->group)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "%" PRId64 " output channels can't be cut into %" PRId64 " groups",
        w->dims[0], p->group);
  return CNN_OK;
}

static CnnStatus
check_bias (const CnnTensor *const *in, int n_in, CnnError *error)
{
  char text[160];
  int64_t channels = in[1]->shape.dims[0];
  if (n_in > 2 && in[2]
      && (in[2]->shape.rank != 1 || in[2]->shape.dims[0] != channels))
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "bias has shape %s, %" PRId64 " output channels are expected",
        cnn_shape_format (&in[2]->shape, text, sizeof text), channels);
  return CNN_OK;
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    CNN_UNUSED int n_out, CnnError *error)
{
  const CnnConvParams *p = params;
  const CnnShape *x = &in[0]->shape, *w = &in[1]->shape;
  int64_t size[CNN_WINDOW_AXES], pad;
  CnnStatus status = cnn_infer_floats (in, n_in, error);
  if (!status)
    status = cnn_window_axes (&p->window, x, 2, size, error);
  if (!status)
    status = cnn_conv_check_weights (p, x, w, 1 << 30, error);
  if (!status)
    status = check_bias (in, n_in, error);
  if (status)
    return status;

  CnnWindow window = cnn_window_with_weights (&p->window, w);
  const CnnWindow pool = { .axes = 2,
    .kernel = { 2, 2, 1 },
    .stride = { 2, 2, 1 },
    .dilation = { 1, 1, 1 } };
  CnnShape y = { .rank = x->rank,
    .dims = { x->dims[0],
        p->n_tail ? p->tail[p->n_tail - 1].oc : w->dims[0] } };
  int64_t channels = w->dims[1] * p->group;
  if (channels < w->dims[0])
    channels = w->dims[0];
  CnnShape padded = { .rank = 4, .dims = { 1, channels, 1, 1 } };
  for (int axis = x->rank == 3; axis < 2 && !status; axis++) {
    int64_t begin, *to = &y.dims[x->rank - 2 + axis];
    status = cnn_window_output (&window, axis, size[axis], to, error);
    if (!status && p->pooling)
      status = cnn_window_output (&pool, axis, *to, to, error);
    cnn_window_pad (&window, axis, size[axis] > 0 ? size[axis] : 1, &begin,
        &pad);
    padded.dims[2 + axis] = (size[axis] > 0 ? size[axis] : 1) + pad
        + cnn_window_extent (&window, axis);
  }
  /* So that forward() and backward() can copy it with its padding. */
  CnnTensor unused;
  if (!status)
    status = cnn_infer_output (&unused, CNN_TYPE_FLOAT32, &padded, error);
  if (!status)
    status = cnn_infer_output (&out[0], CNN_TYPE_FLOAT32, &y, error);
  return status;
}

static bool
geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry_)
{
  const CnnConvParams *p = params;
  CnnWindow window = cnn_window_with_weights (&p->window, &in[1]->shape);
  if (!cnn_window_geometry (&window, &in[0]->shape, geometry_))
    return false;
  for (int axis = 0; axis < 2 && p->pooling; axis++) {
    geometry_->window[axis] += geometry_->stride[axis];
    geometry_->stride[axis] *= 2;
  }
  return true;
}

/* Winograd's tiles lie where they lie. */
static void
region_grid (const CnnOpCall *call, int grid[2])
{
  const CnnConvParams *p = call->params;
  int m = call->variant < CNN_CONV_WINOGRAD
      ? 1
      : cnn_winograd_sizes (call->variant - CNN_CONV_WINOGRAD).m;
  grid[0] = grid[1] = p->pooling && m > 1 ? m / 2 : m;
}

static uint64_t
macs (const void *params, const CnnTensor *const *in, CNN_UNUSED int n_in,
    const CnnTensor *out)
{
  const CnnConvParams *p = params;
  const CnnShape *w = &in[1]->shape;
  uint64_t channels = (uint64_t) out->shape.dims[1];
  uint64_t cells = channels ? (uint64_t) cnn_elements (out) / channels : 0;
  uint64_t each = cnn_product (w, 0, w->rank);
  for (int k = 0; k < p->n_tail; k++)
    each += cnn_elements (in[cnn_conv_stage_input (p, k)]);
  return cells * each * (p->pooling ? 4 : 1);
}

void
cnn_conv_lay_out (CnnConvSizes *s)
{
  int cells[2] = { s->oh, s->ow }, reach[2];
  for (int axis = 0; axis < 2; axis++) {
    reach[axis] = (s->kernel[axis] - 1) * s->dilation[axis];
    s->phases[axis] = !s->copied            ? 1
        : s->stride[axis] < reach[axis] + 1 ? s->stride[axis]
                                            : reach[axis] + 1;
    cells[axis] *= s->pooling ? 2 : 1;
  }
  s->rows = s->copied ? cells[0] + reach[0] / s->stride[0] : s->h;
  s->pitch = (size_t) (s->copied ? cells[1] + reach[1] / s->stride[1] : s->w);
  s->phase = (size_t) s->rows * s->pitch;
  s->plane = (size_t) (s->phases[0] * s->phases[1]) * s->phase;
  s->row_step = s->copied ? s->pitch : (size_t) s->stride[0] * s->pitch;
}

CnnConvSizes
cnn_conv_sizes (const CnnConvParams *params, const CnnTensor *in,
    const CnnTensor *weights, const CnnTensor *out)
{
  const CnnShape *x = &in->shape, *w = &weights->shape, *y = &out->shape;
  CnnWindow window = cnn_window_with_weights (&params->window, w);
  bool flat = x->rank == 3;
  CnnConvSizes s = {
    .n = (int) x->dims[0],
    .group = (int) params->group,
    .pooling = params->pooling,
    .last_oc = params->n_tail ? params->tail[params->n_tail - 1].oc
                              : (int) (w->dims[0] / params->group),
    .ic = (int) w->dims[1],
    .oc = (int) (w->dims[0] / params->group),
    .h = flat ? 1 : (int) x->dims[2],
    .w = (int) x->dims[x->rank - 1],
    .oh = flat ? 1 : (int) y->dims[2],
    .ow = (int) y->dims[y->rank - 1],
  };
  s.most_oc = s.oc;
  for (int k = 0; k < params->n_tail; k++)
    if (params->tail[k].oc > s.most_oc)
      s.most_oc = params->tail[k].oc;
  int64_t size[2] = { s.h, s.w }, begin, total;
  for (int axis = 0; axis < 2; axis++) {
    cnn_window_pad (&window, axis, size[axis], &begin, &total);
    s.kernel[axis] = (int) window.kernel[axis];
    s.stride[axis] = (int) window.stride[axis];
    s.dilation[axis] = (int) window.dilation[axis];
    s.pad[axis] = (int) begin;
    s.copied |= total > 0;
  }
  s.copied |= s.stride[1] > 1;
  cnn_conv_lay_out (&s);
  return s;
}

void
cnn_conv_taps (const CnnConvSizes *s, ptrdiff_t *taps)
{
  int sy = s->copied ? s->stride[0] : 1, sx = s->copied ? s->stride[1] : 1;
  for (int p = 0; p < s->kernel[0]; p++)
    for (int q = 0; q < s->kernel[1]; q++) {
      int y = p * s->dilation[0], x = q * s->dilation[1];
      int phase = y % sy * s->phases[1] + x % sx;
      *taps++ =
          (ptrdiff_t) ((size_t) phase * s->phase + (size_t) (y / sy) * s->pitch)
          + x / sx;
    }
}

static CnnConvSizes
sizes_of (const void *params, const CnnTensor *const *in, const CnnTensor *out)
{
  return cnn_conv_sizes (params, in[0], in[1], out);
}

static int
variant (const void *params, const CnnTensor *const *in, CNN_UNUSED int n_in,
    const CnnTensor *out, CnnPrecision precision)
{
  CnnConvSizes s = sizes_of (params, in, out);
  if (!in[1]->data)
    return CNN_CONV_DIRECT;
  if (cnn_conv_is_dot (&s) && !((const CnnConvParams *) params)->normalised)
    return CNN_CONV_DOT;
  if (precision == CNN_PRECISION_EXACT)
    return CNN_CONV_DIRECT;
  return cnn_conv_choose (&s, cnn_kernels ()->lanes);
}

/* Weights that are not constant are packed by forward() itself. */
static size_t
scratch_bytes (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, const CnnTensor *out, int variant_,
    const CnnPool *pool, int training)
{
  CnnConvSizes s = sizes_of (params, in, out);
  if (training) {
    size_t bytes = cnn_conv_learn_bytes (&s);
    size_t back = cnn_conv_backward_bytes (&s);
    return back > bytes ? back : bytes;
  }
  if (variant_ == CNN_CONV_DOT)
    return cnn_conv_dot_bytes (&s);
  if (variant_ != CNN_CONV_DIRECT)
    return cnn_conv_winograd_bytes (params, &s, variant_ - CNN_CONV_WINOGRAD,
        pool);
  return cnn_conv_forward_bytes (params, &s, !in[1]->data, pool);
}

static size_t
kept_bytes (const void *params, const CnnTensor *const *in,
    const CnnTensor *out)
{
  const CnnConvParams *p = params;
  CnnConvSizes s = sizes_of (params, in, out);
  return cnn_conv_learn_kept_bytes (&s, p->activation);
}

/* Groups and channels, all that packing goes by. */
static CnnConvSizes
weight_sizes (const CnnConvParams *p, const CnnShape *w)
{
  return (CnnConvSizes){
    .group = (int) p->group,
    .oc = (int) (w->dims[0] / p->group),
    .ic = (int) w->dims[1],
  };
}

size_t
cnn_conv_packed_floats (const CnnConvParams *params, const CnnShape *weights,
    int variant_)
{
  CnnConvSizes s = weight_sizes (params, weights);
  if (variant_ != CNN_CONV_DIRECT)
    return cnn_conv_winograd_packed (&s, variant_ - CNN_CONV_WINOGRAD);
  return cnn_product (weights, 0, weights->rank);
}

/* Of all that pack() writes: the Conv itself, the stages of its tail, and, if it
 * is normalised, the bias behind them. */
static size_t
packed_floats (const CnnConvParams *p, const CnnTensor *const *in, int variant_)
{
  size_t floats = cnn_conv_packed_floats (p, &in[1]->shape, variant_);
  for (int k = 0; k < p->n_tail; k++)
    floats += cnn_elements (in[cnn_conv_stage_input (p, k)]);
  return floats;
}

const float *
cnn_conv_bias (const CnnOpCall *call, const void *packed)
{
  const CnnConvParams *p = call->params;
  if (p->normalised)
    return (const float *) packed + packed_floats (p, call->in, call->variant);
  return call->n_in > 2 && call->in[2] ? call->in[2]->data : NULL;
}

static size_t
packed_bytes (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, int variant_)
{
  const CnnConvParams *p = params;
  if (!in[1]->data || variant_ == CNN_CONV_DOT)
    return 0;
  size_t bias = p->normalised ? (size_t) in[1]->shape.dims[0] : 0;
  return (packed_floats (p, in, variant_) + bias) * sizeof (float);
}

static void
pack_planar (const CnnConvParams *p, const CnnTensor *w, const float *scale,
    float *packed)
{
  CnnConvSizes s = weight_sizes (p, &w->shape);
  size_t taps = cnn_product (&w->shape, 2, w->shape.rank);
  CnnPlanarWeights weights = {
    .data = w->data,
    .o_step = (size_t) s.ic * taps,
    .i_step = taps,
    .oc = s.oc,
    .ic = s.ic,
    .n_taps = (int) taps,
    .scale = scale,
  };
  size_t group_size = (size_t) weights.oc * weights.o_step;
  for (int g = 0; g < s.group; g++) {
    cnn_planar_pack (&weights, packed + (size_t) g * group_size);
    weights.data += group_size;
    weights.scale += scale ? s.oc : 0;
  }
}

/* scale (y - mean) / sqrt (variance + epsilon) + shift, of y = W x + b, is
 * (s W) x + s (b - mean) + shift. Writes s; write_bias(), when the weights are
 * packed, the rest in its place. */
static void
write_scale (const CnnConvParams *p, const CnnTensor *const *in, float *s)
{
  const float *scale = in[CNN_CONV_INPUTS]->data;
  const float *variance = in[CNN_CONV_INPUTS + 3]->data;
  for (int64_t o = 0; o < in[1]->shape.dims[0]; o++)
    s[o] = scale[o] / sqrtf (variance[o] + p->epsilon);
}

static void
write_bias (const CnnTensor *const *in, float *s)
{
  const float *shift = in[CNN_CONV_INPUTS + 1]->data;
  const float *mean = in[CNN_CONV_INPUTS + 2]->data;
  const float *bias = in[2] ? in[2]->data : NULL;
  for (int64_t o = 0; o < in[1]->shape.dims[0]; o++)
    s[o] = s[o] * ((bias ? bias[o] : 0) - mean[o]) + shift[o];
}

static void
pack (const void *params, const CnnTensor *const *in, CNN_UNUSED int n_in,
    int variant_, void *packed)
{
  const CnnConvParams *p = params;
  CnnConvSizes s = weight_sizes (p, &in[1]->shape);
  float *to = packed, *bias = to + packed_floats (p, in, variant_);
  const float *scale = p->normalised ? bias : NULL;
  if (p->normalised)
    write_scale (p, in, bias);
  if (variant_ != CNN_CONV_DIRECT)
    cnn_conv_winograd_pack (&s, variant_ - CNN_CONV_WINOGRAD, in[1]->data,
        scale, to);
  else
    pack_planar (p, in[1], scale, to);
  to += cnn_conv_packed_floats (p, &in[1]->shape, variant_);
  for (int k = 0; k < p->n_tail; k++) {
    const CnnTensor *w = in[cnn_conv_stage_input (p, k)];
    pack_planar (&(CnnConvParams){ .group = 1 }, w, NULL, to);
    to += cnn_elements (w);
  }
  if (p->normalised)
    write_bias (in, bias);
}

static CnnActivation
activation_of (const CnnOp *op)
{
  return op == &cnn_op_relu   ? CNN_ACTIVATION_RELU
      : op == &cnn_op_tanh    ? CNN_ACTIVATION_TANH
      : op == &cnn_op_sigmoid ? CNN_ACTIVATION_SIGMOID
                              : CNN_ACTIVATION_NONE;
}

/* Is it a 1x1 convolution, of constant weights that fit a cache? */
static bool
is_stage (const CnnOpFusion *f)
{
  const CnnConvParams *p = f->next_params;
  const CnnShape *w = f->next_n_in > 1 ? &f->next_in[1]->shape : NULL;
  if (f->next != &cnn_op_conv || w->rank != 4 || w->dims[2] != 1
      || w->dims[3] != 1 || p->group != 1
      || w->dims[0] * w->dims[1] > STAGE_WEIGHTS
      || (p->window.pad != CNN_PAD_EXPLICIT && p->window.pad != CNN_PAD_VALID))
    return false;
  for (int axis = 0; axis < 2; axis++)
    if (p->window.stride[axis] != 1 || p->window.pad_begin[axis]
        || p->window.pad_end[axis])
      return false;
  return true;
}

static bool
add_norm (CnnConvParams *p, const CnnOpFusion *f)
{
  return !f->learning && f->in[1]->data && !p->normalised && !p->activation
      && !p->pooling && !p->n_tail
      && cnn_batch_norm_fusable (f->next, f->next_params, &p->epsilon);
}

static bool
add_stage (CnnConvParams *p, const CnnOpFusion *f)
{
  if (f->learning || p->group != 1 || p->pooling
      || p->n_tail == CNN_CONV_STAGES - 1 || !f->in[1]->data
      || f->in[1]->shape.rank != 4 || !is_stage (f))
    return false;
  p->tail[p->n_tail++] =
      (CnnConvTailParams){ .oc = (int) f->next_in[1]->shape.dims[0] };
  return true;
}

/* An activation may follow a maximum, which it commutes with, but not a mean.
 */
static bool
fuse (void *params, const CnnOpFusion *fusion)
{
  CnnConvParams *p = params;
  CnnActivation f = activation_of (fusion->next);
  CnnActivation *mine =
      p->n_tail ? &p->tail[p->n_tail - 1].activation : &p->activation;
  CnnFusedPool pool = cnn_pool_fusable (fusion->next, fusion->next_params);
  if (add_norm (p, fusion))
    p->normalised = true;
  else if (pool && !p->pooling && !p->n_tail)
    p->pooling = pool;
  else if (f && !*mine && p->pooling != CNN_FUSED_POOL_AVERAGE)
    *mine = f;
  else
    return add_stage (p, fusion);
  return true;
}

const CnnOp cnn_op_conv = {
  .name = "Conv",
  .since = 1,
  .min_in = 2,
  .max_in = CNN_CONV_INPUTS,
  .max_out = 1,
  .float32_only = true,
  .params_bytes = sizeof (CnnConvParams),
  .parse = cnn_conv_parse,
  .infer = infer,
  .geometry = geometry,
  .writes_fresh = 1,
  .regional = true,
  .region_grid = region_grid,
  .macs = macs,
  .variant = variant,
  .scratch_bytes = scratch_bytes,
  .kept_bytes = kept_bytes,
  .packed_bytes = packed_bytes,
  .pack = pack,
  .fuse = fuse,
  .forward = cnn_conv_forward,
  .samples = cnn_op_samples_apart,
  .backward = cnn_conv_backward,
};
