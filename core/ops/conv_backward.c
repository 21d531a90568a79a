/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_backward.c: gradients of Conv.
 *
 * With g = gradient by the output, zeros put between its pixels where the
 * stride is not 1:
 *   d input   = g, padded, convolved with the weights turned by 180 degrees
 *               and their channels exchanged
 *   d weights = correlation of the input with g
 *   d bias    = sum of g
 * Runs in the calling thread: the trainer has a session a thread. Strides
 * cost as if they were 1. */

#include "ops/conv.h"

#include <string.h>

#include "base/memory.h"
#include "ops/planar.h"

/* g as the gradient by the input reads it: a plane of rows x pitch for each
 * output channel of a group. */
typedef struct
{
  int rows;
  size_t pitch, plane;
} Wide;

/* Scratch: taps, turned weights, then either g spread wide and spare memory
 * (for the input) or g spread to the input's pitch and copied input (for the
 * weights). */
typedef struct
{
  size_t turned, wide, spare, spread, planes, end;
} Layout;

static Wide
wide_of (const CnnConvSizes *s)
{
  Wide wide = { .rows = s->h + (s->kernel[0] - 1) * s->dilation[0] };
  wide.pitch = (size_t) s->w + (size_t) ((s->kernel[1] - 1) * s->dilation[1]);
  wide.plane = (size_t) wide.rows * wide.pitch;
  return wide;
}

/* Pixels of g at the input's pitch. */
static size_t
spread_size (const CnnConvSizes *s)
{
  return (size_t) (s->oh - 1) * (size_t) s->stride[0] * s->pitch
      + (size_t) s->ow;
}

/* The same, with whole cache lines. */
static size_t
spread_plane (const CnnConvSizes *s)
{
  return cnn_align_up (spread_size (s) * sizeof (float)) / sizeof (float);
}

static bool
is_dense (const CnnConvSizes *s)
{
  return spread_size (s) == (size_t) s->oh * (size_t) s->ow;
}

static Layout
layout_of (const CnnConvSizes *s)
{
  Wide wide = wide_of (s);
  size_t n_taps = (size_t) s->kernel[0] * (size_t) s->kernel[1], slack;
  size_t weights = (size_t) s->oc * (size_t) s->ic * n_taps * sizeof (float);
  Layout l;
  slack = CNN_SLACK_BYTES;
  l.turned = cnn_align_up (n_taps * sizeof (ptrdiff_t));
  l.wide = l.turned + cnn_align_up (weights);
  l.spare = l.wide
      + cnn_align_up ((size_t) s->oc * wide.plane * sizeof (float) + slack);
  size_t end = l.spare + cnn_planar_spare_bytes (s->h, s->w, wide.pitch);

  l.spread = l.turned;
  l.planes = l.spread;
  if (!is_dense (s))
    l.planes += cnn_align_up (
        (size_t) s->n * (size_t) s->oc * spread_plane (s) * sizeof (float)
        + slack);
  l.end = l.planes;
  if (s->copied)
    l.end += cnn_align_up ((size_t) s->ic * s->plane * sizeof (float) + slack);
  l.end = l.end > end ? l.end : end;
  return l;
}

size_t
cnn_conv_backward_bytes (const CnnConvSizes *sizes,
    CNN_UNUSED const CnnPool *pool)
{
  return layout_of (sizes).end;
}

/* A row of g into a row of a wide plane, from column @left on. */
static void
spread_row (const CnnConvSizes *s, const Wide *wide, const float *g, float *row,
    int left)
{
  int step = s->stride[1], from = left < 0 ? (-left + step - 1) / step : 0;
  int room = (int) wide->pitch - left;
  int to = (room + step - 1) / step;
  if (to > s->ow)
    to = s->ow;
  if (step == 1 && from < to)
    memcpy (row + left + from, g + from, (size_t) (to - from) * sizeof *row);
  else
    for (int j = from; j < to; j++)
      row[left + j * step] = g[j];
}

/* Puts g[i][j] where the turned kernel's last tap meets it. */
static void
spread_wide (const CnnConvSizes *s, const Wide *wide, const float *g, float *to)
{
  int top = (s->kernel[0] - 1) * s->dilation[0] - s->pad[0];
  int left = (s->kernel[1] - 1) * s->dilation[1] - s->pad[1];
  memset (to, 0, (size_t) s->oc * wide->plane * sizeof *to);
  for (int o = 0; o < s->oc; o++, to += wide->plane)
    for (int i = 0; i < s->oh; i++, g += s->ow) {
      int y = top + i * s->stride[0];
      if (y >= 0 && y < wide->rows)
        spread_row (s, wide, g, to + (size_t) y * wide->pitch, left);
    }
}

static void
input_gradient (const CnnOpCall *call, const CnnConvSizes *s, const float *g,
    float *d_in)
{
  Layout l = layout_of (s);
  Wide wide = wide_of (s);
  char *scratch = call->scratch;
  ptrdiff_t *taps = (ptrdiff_t *) scratch;
  float *turned = (float *) (scratch + l.turned);
  float *planes = (float *) (scratch + l.wide);
  const float *weights = call->in[1]->data;
  size_t n_taps = (size_t) s->kernel[0] * (size_t) s->kernel[1];
  size_t group_size = (size_t) s->oc * (size_t) s->ic * n_taps;

  for (int p = 0, t = 0; p < s->kernel[0]; p++)
    for (int q = 0; q < s->kernel[1]; q++)
      taps[t++] = (ptrdiff_t) p * s->dilation[0] * (ptrdiff_t) wide.pitch
          + q * s->dilation[1];
  for (int group = 0; group < s->group; group++) {
    cnn_planar_pack (
        &(CnnPlanarWeights){
            .data = weights + (size_t) group * group_size,
            .o_step = n_taps,
            .i_step = (size_t) s->ic * n_taps,
            .oc = s->ic,
            .ic = s->oc,
            .n_taps = (int) n_taps,
            .flip = 1,
        },
        turned);
    for (int n = 0; n < s->n; n++) {
      size_t at = (size_t) n * (size_t) s->group + (size_t) group;
      spread_wide (s, &wide,
          g + at * (size_t) s->oc * (size_t) s->oh * (size_t) s->ow, planes);
      cnn_planar_run (&(CnnPlanar){
          .kernels = call->kernels,
          .in = planes,
          .in_plane = wide.plane,
          .row_step = wide.pitch,
          .ic = s->oc,
          .oc = s->ic,
          .oh = s->h,
          .ow = s->w,
          .taps = taps,
          .n_taps = (int) n_taps,
          .weights = turned,
          .out = d_in + at * (size_t) s->ic * (size_t) s->h * (size_t) s->w,
          .add = 1,
          .spare = scratch + l.spare,
      });
    }
  }
}

/* All samples of one group of g, at the pitch of the input, zeros between. */
static void
spread_to_pitch (const CnnConvSizes *s, const float *g, float *to)
{
  size_t size = spread_plane (s), step = (size_t) s->stride[0] * s->pitch;
  size_t row_bytes = (size_t) s->ow * sizeof *to;
  size_t plane = (size_t) s->oh * (size_t) s->ow;
  for (int n = 0; n < s->n; n++)
    for (int o = 0; o < s->oc; o++, to += size) {
      const float *from = g
          + ((size_t) n * (size_t) s->group * (size_t) s->oc + (size_t) o)
              * plane;
      for (int i = 0; i < s->oh; i++) {
        float *row = to + (size_t) i * step;
        memcpy (row, from + (size_t) i * (size_t) s->ow, row_bytes);
        if (i + 1 < s->oh)
          memset (row + s->ow, 0, step * sizeof *row - row_bytes);
      }
    }
}

static void
correlate (const CnnOpCall *call, const CnnConvSizes *s, CnnCorrelateRun run,
    float *d_weights)
{
  for (int c = 0; c < s->ic; c++) {
    run.out = d_weights + (size_t) c * (size_t) run.n_taps;
    call->kernels->correlate (&run);
    run.x += s->plane;
  }
}

static void
weight_gradient (const CnnOpCall *call, const CnnConvSizes *s, const float *g,
    float *d_weights)
{
  Layout l = layout_of (s);
  char *scratch = call->scratch;
  float *spread = (float *) (scratch + l.spread);
  float *planes = (float *) (scratch + l.planes);
  size_t n_taps = (size_t) s->kernel[0] * (size_t) s->kernel[1];
  size_t in_size = (size_t) s->ic * (size_t) s->h * (size_t) s->w;
  size_t g_size = (size_t) s->oc * (size_t) s->oh * (size_t) s->ow;
  CnnCorrelateRun run = {
    .g_plane = is_dense (s) ? spread_size (s) : spread_plane (s),
    .oc = s->oc,
    .x_sample = (size_t) s->group * in_size,
    .taps = (ptrdiff_t *) scratch,
    .n_taps = (int) n_taps,
    .n = (int) spread_size (s),
    .samples = s->copied ? 1 : s->n,
    .out_pitch = (size_t) s->ic * n_taps,
  };

  cnn_conv_taps (s, (ptrdiff_t *) scratch);
  for (int group = 0; group < s->group; group++) {
    const float *x = call->in[0]->data;
    x += (size_t) group * in_size;
    run.g = g + (size_t) group * g_size;
    run.g_sample = (size_t) s->group * g_size;
    if (!is_dense (s)) {
      spread_to_pitch (s, run.g, spread);
      run.g = spread;
      run.g_sample = (size_t) s->oc * run.g_plane;
    }
    for (int n = 0; n < s->n; n += run.samples) {
      if (s->copied)
        cnn_conv_copy (s, NULL, x, planes);
      run.x = s->copied ? planes : x;
      correlate (call, s, run,
          d_weights + (size_t) group * (size_t) s->oc * run.out_pitch);
      run.g += run.g_sample;
      x += run.x_sample;
    }
  }
}

static void
bias_gradient (const CnnOpCall *call, const CnnConvSizes *s, const float *g,
    float *d_bias)
{
  size_t plane = (size_t) s->oh * (size_t) s->ow;
  for (int n = 0; n < s->n; n++)
    for (int o = 0; o < s->group * s->oc; o++, g += plane)
      d_bias[o] += call->kernels->sum (g, plane);
}

void
cnn_conv_backward (const CnnOpCall *call, const CnnOpGrad *grad)
{
  CnnConvSizes s =
      cnn_conv_sizes (call->params, call->in[0], call->in[1], call->out[0]);
  if (!grad->d_out[0])
    return;
  const float *g = grad->d_out[0]->data;
  if (grad->d_in[0])
    input_gradient (call, &s, g, grad->d_in[0]->data);
  if (grad->d_in[1])
    weight_gradient (call, &s, g, grad->d_in[1]->data);
  if (call->n_in > 2 && grad->d_in[2])
    bias_gradient (call, &s, g, grad->d_in[2]->data);
}
