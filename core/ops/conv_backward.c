/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_backward.c: gradients of Conv.
 *
 * With g = gradient by the cells before pool and activation:
 *   d input   [i][y][x] = sum over o, p, q of w[o][i][p][q] * g[o][v][u], where
 *               y + pad = v*stride + p*dilation, and likewise x
 *   d weights [o][i][p][q] = sum over v, u of g[o][v][u]
 *               * input[i][v*stride + p*dilation - pad][u*stride + ...]
 *   d bias    [o] = sum of g[o]
 * A vector of samples at a time, as the forward pass (conv_learn.c); taps that
 * meet no cell of g cost nothing. Runs in the calling thread. */

#include "ops/conv_learn.h"

#include <string.h>

#include "base/memory.h"

/* Which taps of an axis a pixel of the input meets: @first, and @count of them
 * one step apart; the first at cell @cell, the next one step before. */
typedef struct
{
  int first, count, cell;
} Span;

/* Scratch: taps and spans, weights, g by output cells and what the activation
 * made of them, g by computed cells, input or its gradient. */
typedef struct
{
  size_t spans, weights, out, values, cells, in, end;
} Layout;

static Layout
layout_of (const CnnLearnConv *c)
{
  const CnnConvSizes *s = &c->s;
  size_t oc = (size_t) s->oc, ic = (size_t) s->ic, taps = (size_t) c->n_taps;
  size_t out = cnn_align_up (oc * c->out_plane * sizeof (float));
  size_t plane = (size_t) (s->h * s->w) * CNN_MAX_LANES;
  Layout l;
  l.spans = cnn_align_up (taps * sizeof (ptrdiff_t));
  l.weights = l.spans + cnn_align_up ((size_t) (s->h + s->w) * sizeof (Span));
  l.out = l.weights + cnn_align_up (oc * ic * taps * sizeof (float));
  l.values = l.out + out;
  l.cells = l.values + out;
  l.in = l.cells;
  if (s->pooling)
    l.in += cnn_align_up (oc * c->cell_plane * sizeof (float));
  plane = plane > c->in_plane ? plane : c->in_plane;
  l.end = l.in + cnn_align_up (ic * plane * sizeof (float));
  return l;
}

size_t
cnn_conv_backward_bytes (const CnnConvSizes *sizes)
{
  CnnLearnConv c =
      cnn_learn_conv_of (sizes, CNN_ACTIVATION_NONE, CNN_MAX_LANES);
  return layout_of (&c).end;
}

/* One group of channels of one vector of samples. */
typedef struct
{
  const CnnLearnConv *conv;
  const CnnOpCall *call;
  const CnnOpGrad *grad;
  int first, group;
  float *out, *values, *cells, *in, *weights;
  ptrdiff_t *taps;
  Span *rows, *cols;
} Group;

static int
divisor (int a, int b)
{
  return b ? divisor (b, a % b) : a;
}

/* g as the output has it, through the activation. */
static void
read_gradient (const Group *p)
{
  const CnnLearnConv *c = p->conv;
  const CnnConvSizes *s = &c->s;
  size_t pixels = (size_t) s->oh * (size_t) s->ow, count;
  size_t sample = (size_t) s->group * (size_t) s->oc * pixels;
  size_t at = (size_t) p->first * sample + (size_t) (p->group * s->oc) * pixels;
  size_t lanes = (size_t) c->kernels->lanes;
  int samples = cnn_learn_conv_samples (c, p->first);
  const float *g = p->grad->d_out[0]->data, *y = p->call->out[0]->data;
  count = (size_t) s->oc * pixels;
  c->kernels->interleave (g + at, sample, samples, p->out, lanes, count);
  if (c->activation == CNN_ACTIVATION_NONE
      || s->pooling == CNN_FUSED_POOL_AVERAGE)
    return;
  c->kernels->interleave (y + at, sample, samples, p->values, lanes, count);
  c->kernels->map_gradient (c->activation, p->values, p->out, p->out,
      (size_t) s->oc * c->out_plane, 0);
}

/* From the pooled cells to all. */
static void
unpool (const Group *p)
{
  const CnnLearnConv *c = p->conv;
  const CnnConvSizes *s = &c->s;
  const CnnKernels *k = c->kernels;
  void *kept = cnn_learn_conv_kept (c, p->call, p->first, p->group);
  bool max = s->pooling == CNN_FUSED_POOL_MAX;
  size_t row = (size_t) (c->cw * k->lanes);
  for (int o = 0; o < s->oc; o++)
    for (int y = 0; y < s->oh; y++) {
      size_t at = (size_t) o * c->out_plane + (size_t) (y * s->ow * k->lanes);
      float *cells =
          p->cells + (size_t) o * c->cell_plane + (size_t) y * 2 * row;
      (max ? k->sample_max_pool_gradient : k->sample_average_pool_gradient) (max
              ? (uint8_t *) kept + at
              : NULL,
          p->out + at, cells, cells + row, s->ow);
    }
  if (!max && c->activation != CNN_ACTIVATION_NONE)
    k->map_gradient (c->activation, kept, p->cells, p->cells,
        (size_t) s->oc * c->cell_plane, 0);
}

/* A maximum has as much gradient as its cells. */
static void
bias_gradient (const Group *p, float *d_bias)
{
  const CnnLearnConv *c = p->conv;
  bool max = c->s.pooling == CNN_FUSED_POOL_MAX;
  size_t plane = max ? c->out_plane : c->cell_plane;
  const float *g = max ? p->out : p->cells;
  for (int o = 0; o < c->s.oc; o++)
    d_bias[p->group * c->s.oc + o] +=
        c->kernels->sum (g + (size_t) o * plane, plane);
}

static void
weight_gradient (const Group *p, float *d_weights)
{
  const CnnLearnConv *c = p->conv;
  const CnnConvSizes *s = &c->s;
  int lanes = c->kernels->lanes, t = 0;
  size_t pitch = (size_t) s->ic * (size_t) c->n_taps;
  for (int q = 0; q < s->kernel[0]; q++)
    for (int r = 0; r < s->kernel[1]; r++)
      p->taps[t++] =
          (q * s->dilation[0] * c->cols + r * s->dilation[1]) * lanes;
  cnn_learn_conv_read (c, p->call, p->first, p->group, p->in);
  c->kernels->correlate (&(CnnCorrelateRun){
      .g = p->cells,
      .g_plane = c->cell_plane,
      .oc = s->oc,
      .rows = c->ch,
      .cols = c->cw,
      .x = p->in,
      .x_plane = c->in_plane,
      .ic = s->ic,
      .x_row = (size_t) (s->stride[0] * c->cols * lanes),
      .x_step = (size_t) (s->stride[1] * lanes),
      .taps = p->taps,
      .n_taps = c->n_taps,
      .out = d_weights + (size_t) (p->group * s->oc) * pitch,
      .out_pitch = pitch,
  });
}

static Span
span_of (const CnnConvSizes *s, int axis, int at, int cells)
{
  Span span = { 0 };
  for (int k = 0; k < s->kernel[axis]; k++) {
    int place = at + s->pad[axis] - k * s->dilation[axis];
    if (place < 0 || place % s->stride[axis]
        || place / s->stride[axis] >= cells)
      continue;
    if (!span.count++) {
      span.first = k;
      span.cell = place / s->stride[axis];
    }
  }
  return span;
}

/* Pixels of one row that meet the same taps: x, x + stride ... */
static int
equal_pixels (const Group *p, int x)
{
  int step = p->conv->s.stride[1], n = 1;
  const Span *cols = p->cols;
  while (x + n * step < p->conv->s.w
      && cols[x + n * step].count == cols[x].count
      && cols[x + n * step].first == cols[x].first)
    n++;
  return n;
}

static void
input_row (const Group *p, const CnnSampleConvRun *block, int y)
{
  const CnnLearnConv *c = p->conv;
  const CnnConvSizes *s = &c->s;
  int lanes = c->kernels->lanes, step = s->stride[1];
  Span row = p->rows[y];
  for (int phase = 0; phase < step && phase < s->w; phase++)
    for (int x = phase, n; x < s->w; x += n * step) {
      CnnSampleConvRun run = *block;
      Span col = p->cols[x];
      n = equal_pixels (p, x);
      run.in += (row.cell * c->cw + col.cell) * lanes;
      run.rows = row.count;
      run.cols = col.count;
      run.weights += (row.first * s->kernel[1] + col.first) * run.oc;
      run.out += (y * s->w + x) * lanes;
      run.n = n;
      c->kernels->sample_conv (&run);
    }
}

/* Block @b of the channels of the input. */
static CnnSampleConvRun
input_block (const Group *p, int b)
{
  const CnnLearnConv *c = p->conv;
  const CnnConvSizes *s = &c->s;
  int most = c->kernels->sample_block, lanes = c->kernels->lanes;
  int i = cnn_learn_block (s->ic, most, b);
  int n = cnn_learn_block (s->ic, most, b + 1) - i;
  int common[2] = { divisor (s->stride[0], s->dilation[0]),
    divisor (s->stride[1], s->dilation[1]) };
  size_t plane = (size_t) (s->h * s->w * lanes);
  return (CnnSampleConvRun){
    .in = p->cells,
    .in_plane = c->cell_plane,
    .in_step = (size_t) lanes,
    .ic = s->oc,
    .row_step = -(s->dilation[0] / common[0]) * c->cw * lanes,
    .col_step = -(s->dilation[1] / common[1]) * lanes,
    .weights = p->weights + (size_t) i * (size_t) s->oc * (size_t) c->n_taps,
    .w_plane = c->n_taps * n,
    .w_row = s->stride[0] / common[0] * s->kernel[1] * n,
    .w_col = s->stride[1] / common[1] * n,
    .out = p->in + (size_t) i * plane,
    .out_plane = plane,
    .out_step = (size_t) (s->stride[1] * lanes),
    .oc = n,
  };
}

static void
input_gradient (const Group *p, float *d_in, int add)
{
  const CnnLearnConv *c = p->conv;
  const CnnConvSizes *s = &c->s;
  size_t pixels = (size_t) s->h * (size_t) s->w;
  size_t sample = (size_t) s->group * (size_t) s->ic * pixels;
  for (int b = 0; b < cnn_learn_blocks (s->ic, c->kernels->sample_block); b++) {
    CnnSampleConvRun run = input_block (p, b);
    for (int y = 0; y < s->h; y++)
      input_row (p, &run, y);
  }
  c->kernels->deinterleave (p->in, (size_t) c->kernels->lanes,
      d_in + (size_t) p->first * sample + (size_t) (p->group * s->ic) * pixels,
      sample, cnn_learn_conv_samples (c, p->first), (size_t) s->ic * pixels,
      add);
}

static void
prepare (const Group *p)
{
  const CnnLearnConv *c = p->conv;
  const CnnConvSizes *s = &c->s;
  size_t taps = (size_t) c->n_taps;
  for (int y = 0; y < s->h; y++)
    p->rows[y] = span_of (s, 0, y, c->ch);
  for (int x = 0; x < s->w; x++)
    p->cols[x] = span_of (s, 1, x, c->cw);
  cnn_learn_pack (
      &(CnnLearnWeights){
          .data = (const float *) p->call->in[1]->data
              + (size_t) (p->group * s->oc * s->ic) * taps,
          .o_step = taps,
          .i_step = (size_t) s->ic * taps,
          .oc = s->ic,
          .ic = s->oc,
          .n_taps = c->n_taps,
      },
      c->kernels->sample_block, p->weights);
}

static void
group_gradients (const Group *p)
{
  CnnTensor *const *d_in = p->grad->d_in;
  read_gradient (p);
  if (p->conv->s.pooling)
    unpool (p);
  if (p->call->n_in > 2 && d_in[2])
    bias_gradient (p, d_in[2]->data);
  if (d_in[1])
    weight_gradient (p, d_in[1]->data);
  if (d_in[0])
    input_gradient (p, d_in[0]->data, !(p->grad->fresh & 1));
}

void
cnn_conv_backward (const CnnOpCall *call, const CnnOpGrad *grad)
{
  CnnLearnConv c = cnn_learn_conv (call);
  Layout l = layout_of (&c);
  char *scratch = call->scratch;
  Group p = {
    .conv = &c,
    .call = call,
    .grad = grad,
    .out = (float *) (scratch + l.out),
    .values = (float *) (scratch + l.values),
    .cells = (float *) (scratch + (c.s.pooling ? l.cells : l.out)),
    .in = (float *) (scratch + l.in),
    .weights = (float *) (scratch + l.weights),
    .taps = (ptrdiff_t *) scratch,
    .rows = (Span *) (scratch + l.spans),
  };
  p.cols = p.rows + c.s.h;
  if (!grad->d_out[0])
    return;
  for (p.group = 0; p.group < c.s.group; p.group++) {
    if (grad->d_in[0])
      prepare (&p);
    for (p.first = 0; p.first < c.s.n; p.first += c.kernels->lanes)
      group_gradients (&p);
  }
}
