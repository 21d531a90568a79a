/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_learn.c: Conv's forward pass in training.
 *
 * The pictures of a minibatch are small and many, so lanes are samples
 * (kernels/samples.h): the input is interleaved, convolved, pooled row by row
 * while the cells are cached, and only what comes out is written back. Runs in
 * the calling thread: the trainer has a chunk of the minibatch a thread. */

#include "ops/conv_learn.h"

#include <string.h>

#include "base/memory.h"

/* Scratch: packed weights, input, two rows of cells of a block of channels,
 * output. */
typedef struct
{
  size_t in, cells, out, end;
} Layout;

CnnLearnConv
cnn_learn_conv_of (const CnnConvSizes *s, CnnActivation activation, int lanes)
{
  int scale = s->pooling ? 2 : 1;
  CnnLearnConv c = {
    .s = *s,
    .activation = activation,
    .n_taps = s->kernel[0] * s->kernel[1],
    .ch = s->oh * scale,
    .cw = s->ow * scale,
  };
  c.rows = (c.ch - 1) * s->stride[0] + (s->kernel[0] - 1) * s->dilation[0] + 1;
  c.cols = (c.cw - 1) * s->stride[1] + (s->kernel[1] - 1) * s->dilation[1] + 1;
  c.in_plane = (size_t) c.rows * (size_t) c.cols * (size_t) lanes;
  c.cell_plane = (size_t) c.ch * (size_t) c.cw * (size_t) lanes;
  c.out_plane = (size_t) s->oh * (size_t) s->ow * (size_t) lanes;
  if (s->pooling == CNN_FUSED_POOL_MAX)
    c.kept_bytes = (size_t) s->oc * c.out_plane;
  else if (s->pooling && activation != CNN_ACTIVATION_NONE)
    c.kept_bytes = (size_t) s->oc * c.cell_plane * sizeof (float);
  return c;
}

CnnLearnConv
cnn_learn_conv (const CnnOpCall *call)
{
  const CnnConvParams *p = call->params;
  CnnConvSizes s = cnn_conv_sizes (p, call->in[0], call->in[1], call->out[0]);
  CnnLearnConv c = cnn_learn_conv_of (&s, p->activation, call->kernels->lanes);
  c.kernels = call->kernels;
  return c;
}

size_t
cnn_conv_learn_kept_bytes (const CnnConvSizes *sizes, CnnActivation activation)
{
  CnnLearnConv c = cnn_learn_conv_of (sizes, activation, CNN_MAX_LANES);
  size_t vectors = (size_t) (sizes->n + CNN_MAX_LANES - 1) / CNN_MAX_LANES;
  return vectors * (size_t) sizes->group * c.kept_bytes;
}

int
cnn_learn_conv_samples (const CnnLearnConv *c, int first)
{
  int left = c->s.n - first;
  return left < c->kernels->lanes ? left : c->kernels->lanes;
}

void *
cnn_learn_conv_kept (const CnnLearnConv *c, const CnnOpCall *call, int first,
    int group)
{
  int number = first / c->kernels->lanes * c->s.group + group;
  return (char *) call->kept + (size_t) number * c->kept_bytes;
}

void
cnn_learn_conv_read (const CnnLearnConv *c, const CnnOpCall *call, int first,
    int group, float *to)
{
  const CnnConvSizes *s = &c->s;
  size_t plane = (size_t) s->h * (size_t) s->w, lanes, sample;
  const float *in = call->in[0]->data;
  int samples = cnn_learn_conv_samples (c, first);
  lanes = (size_t) c->kernels->lanes;
  sample = (size_t) s->group * (size_t) s->ic * plane;
  in += (size_t) first * sample + (size_t) group * (size_t) s->ic * plane;
  if (c->rows == s->h && c->cols == s->w && !s->pad[0] && !s->pad[1]) {
    c->kernels->interleave (in, sample, samples, to, lanes,
        (size_t) s->ic * plane);
    return;
  }
  int left = s->pad[1] < c->cols ? s->pad[1] : c->cols;
  int width = c->cols - left < s->w ? c->cols - left : s->w;
  memset (to, 0, (size_t) s->ic * c->in_plane * sizeof *to);
  for (int i = 0; i < s->ic; i++, in += plane, to += c->in_plane)
    for (int r = s->pad[0]; r < c->rows && r < s->pad[0] + s->h; r++)
      c->kernels->interleave (in + (size_t) (r - s->pad[0]) * (size_t) s->w,
          sample, samples,
          to + ((size_t) r * (size_t) c->cols + (size_t) left) * lanes, lanes,
          (size_t) width);
}

int
cnn_learn_blocks (int oc, int block)
{
  return (oc + block - 1) / block;
}

int
cnn_learn_block (int oc, int block, int b)
{
  return (int) ((int64_t) oc * b / cnn_learn_blocks (oc, block));
}

void
cnn_learn_pack (const CnnLearnWeights *w, int block, float *packed)
{
  for (int b = 0; b < cnn_learn_blocks (w->oc, block); b++) {
    int first = cnn_learn_block (w->oc, block, b);
    int last = cnn_learn_block (w->oc, block, b + 1);
    for (int i = 0; i < w->ic; i++)
      for (int t = 0; t < w->n_taps; t++) {
        const float *from = w->data + (size_t) i * w->i_step + (size_t) t;
        for (int o = first; o < last; o++)
          *packed++ = from[(size_t) o * w->o_step];
      }
  }
}

static Layout
layout_of (const CnnLearnConv *c, int block)
{
  const CnnConvSizes *s = &c->s;
  size_t weights = (size_t) s->oc * (size_t) s->ic * (size_t) c->n_taps;
  Layout l;
  l.in = cnn_align_up (weights * sizeof (float));
  l.cells = l.in + cnn_align_up ((size_t) s->ic * c->in_plane * sizeof (float));
  l.out = l.cells;
  if (s->pooling)
    l.out += cnn_align_up (
        (size_t) (2 * block * c->cw * CNN_MAX_LANES) * sizeof (float));
  l.end = l.out + cnn_align_up ((size_t) s->oc * c->out_plane * sizeof (float));
  return l;
}

size_t
cnn_conv_learn_bytes (const CnnConvSizes *sizes)
{
  CnnLearnConv c =
      cnn_learn_conv_of (sizes, CNN_ACTIVATION_NONE, CNN_MAX_LANES);
  return layout_of (&c, cnn_kernels ()->sample_block).end;
}

/* Where a block of channels is computed. */
typedef struct
{
  const CnnLearnConv *conv;
  CnnSampleConvRun run; /* of row 0 */
  float *cells, *out;
  char *kept;
} Block;

static void
convolve_row (const Block *b, int y, float *out, size_t out_plane)
{
  const CnnLearnConv *c = b->conv;
  CnnSampleConvRun run = b->run;
  run.in += (size_t) (y * c->s.stride[0] * c->cols * c->kernels->lanes);
  run.out = out;
  run.out_plane = out_plane;
  c->kernels->sample_conv (&run);
}

/* Cells of one row of the output, which are two rows, to their maximum. */
static void
pool_row_max (const Block *b, int y)
{
  const CnnLearnConv *c = b->conv;
  size_t lanes = (size_t) c->kernels->lanes, row = (size_t) c->cw * lanes;
  size_t at = (size_t) (y * c->s.ow) * lanes;
  for (int r = 0; r < 2; r++)
    convolve_row (b, 2 * y + r, b->cells + (size_t) r * row, 2 * row);
  for (int o = 0; o < b->run.oc; o++) {
    const float *cells = b->cells + (size_t) o * 2 * row;
    size_t to = (size_t) o * c->out_plane + at;
    c->kernels->sample_max_pool (cells, cells + row, b->out + to,
        (uint8_t *) b->kept + to, c->s.ow);
  }
}

/* To their mean, after the activation. */
static void
pool_row_average (const Block *b, int y)
{
  const CnnLearnConv *c = b->conv;
  size_t lanes = (size_t) c->kernels->lanes, row = (size_t) c->cw * lanes;
  size_t at = (size_t) (y * c->s.ow) * lanes, plane = 2 * row;
  float *cells = b->cells;
  if (c->kept_bytes) {
    cells = (float *) b->kept + (size_t) y * 2 * row;
    plane = c->cell_plane;
  }
  for (int r = 0; r < 2; r++)
    convolve_row (b, 2 * y + r, cells + (size_t) r * row, plane);
  for (int o = 0; o < b->run.oc; o++, cells += plane) {
    if (c->activation != CNN_ACTIVATION_NONE)
      c->kernels->map (c->activation, cells, cells, 2 * row);
    c->kernels->sample_average_pool (cells, cells + row,
        b->out + (size_t) o * c->out_plane + at, NULL, c->s.ow);
  }
}

static void
compute_block (const Block *b)
{
  const CnnLearnConv *c = b->conv;
  size_t row = (size_t) (c->cw * c->kernels->lanes);
  for (int y = 0; y < c->s.oh; y++)
    if (c->s.pooling == CNN_FUSED_POOL_MAX)
      pool_row_max (b, y);
    else if (c->s.pooling == CNN_FUSED_POOL_AVERAGE)
      pool_row_average (b, y);
    else
      convolve_row (b, y, b->out + (size_t) y * row, c->out_plane);
  if (c->activation != CNN_ACTIVATION_NONE
      && c->s.pooling != CNN_FUSED_POOL_AVERAGE)
    c->kernels->map (c->activation, b->out, b->out,
        (size_t) b->run.oc * c->out_plane);
}

/* One group of channels of one vector of samples. */
static void
compute_group (const CnnLearnConv *c, const CnnOpCall *call, int first,
    int group)
{
  const CnnConvSizes *s = &c->s;
  int most = c->kernels->sample_block, lanes = c->kernels->lanes;
  Layout l = layout_of (c, most);
  char *scratch = call->scratch;
  float *in = (float *) (scratch + l.in), *out = (float *) (scratch + l.out);
  const float *bias = call->n_in > 2 && call->in[2] ? call->in[2]->data : NULL;
  size_t kept = s->oc ? c->kept_bytes / (size_t) s->oc : 0;
  size_t pixels = (size_t) s->oh * (size_t) s->ow;
  size_t sample = (size_t) s->group * (size_t) s->oc * pixels;

  cnn_learn_conv_read (c, call, first, group, in);
  for (int b = 0; b < cnn_learn_blocks (s->oc, most); b++) {
    int o = cnn_learn_block (s->oc, most, b);
    int oc = cnn_learn_block (s->oc, most, b + 1) - o;
    Block block = {
      .conv = c,
      .cells = (float *) (scratch + l.cells),
      .out = out + (size_t) o * c->out_plane,
      .kept = (char *) cnn_learn_conv_kept (c, call, first, group)
          + (size_t) o * kept,
      .run = {
        .in = in,
        .in_plane = c->in_plane,
        .in_step = (size_t) (s->stride[1] * lanes),
        .ic = s->ic,
        .rows = s->kernel[0],
        .cols = s->kernel[1],
        .row_step = s->dilation[0] * c->cols * lanes,
        .col_step = s->dilation[1] * lanes,
        .weights = (float *) scratch
            + (size_t) o * (size_t) s->ic * (size_t) c->n_taps,
        .w_plane = c->n_taps * oc,
        .w_row = s->kernel[1] * oc,
        .w_col = oc,
        .bias = bias ? bias + group * s->oc + o : NULL,
        .out_step = (size_t) lanes,
        .oc = oc,
        .n = c->cw,
      },
    };
    compute_block (&block);
  }
  c->kernels->deinterleave (out, (size_t) lanes,
      (float *) call->out[0]->data + (size_t) first * sample
          + (size_t) (group * s->oc) * pixels,
      sample, cnn_learn_conv_samples (c, first), (size_t) s->oc * pixels, 0);
}

void
cnn_conv_learn_forward (const CnnOpCall *call)
{
  CnnLearnConv c = cnn_learn_conv (call);
  const CnnConvSizes *s = &c.s;
  size_t i_step = (size_t) c.n_taps, o_step = (size_t) s->ic * i_step;
  for (int g = 0; g < s->group; g++) {
    cnn_learn_pack (
        &(CnnLearnWeights){
            .data = (const float *) call->in[1]->data
                + (size_t) (g * s->oc) * o_step,
            .o_step = o_step,
            .i_step = i_step,
            .oc = s->oc,
            .ic = s->ic,
            .n_taps = c.n_taps,
        },
        c.kernels->sample_block, call->scratch);
    for (int n = 0; n < s->n; n += c.kernels->lanes)
      compute_group (&c, call, n, g);
  }
}
