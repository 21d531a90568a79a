/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_forward.c: Conv's forward pass: prepares planes, then planar.c.
 *
 * Without padding and with a horizontal stride of 1, which is what the small
 * networks have, the input is used where it lies. */

#include "ops/conv.h"

#include <string.h>

#include "base/memory.h"
#include "ops/planar.h"
#include "ops/table.h"

/* Rows of padded input in one task of copying. */
#define COPY_ROWS 64

typedef struct
{
  const CnnConvSizes *sizes;
  const float *in;
  float *to;
  int bands;
} Copy;

/* Row @r of a padded plane: columns x = j * stride + f of phase f. */
static void
copy_row (const CnnConvSizes *s, const float *in, float *to, int r)
{
  int y = r - s->pad[0];
  memset (to, 0, s->pitch * sizeof *to);
  if (y < 0 || y >= s->h)
    return;
  in += (size_t) y * (size_t) s->w;
  for (int f = 0; f < s->phases; f++, to += s->phase) {
    ptrdiff_t x = f - s->pad[1], step = s->stride[1], j = 0;
    ptrdiff_t end = (ptrdiff_t) s->phase;
    if (x < 0)
      j = (-x + step - 1) / step;
    for (x += j * step; j < end && x < s->w; j++, x += step)
      to[j] = in[x];
  }
}

static void
copy_task (void *data, int task, CNN_UNUSED int worker)
{
  const Copy *copy = data;
  const CnnConvSizes *s = copy->sizes;
  size_t channel = (size_t) (task / copy->bands);
  int first = task % copy->bands * COPY_ROWS;
  const float *in = copy->in + channel * (size_t) s->h * (size_t) s->w;
  float *to = copy->to + channel * s->plane;
  for (int r = first; r < first + COPY_ROWS && r < s->rows; r++)
    copy_row (s, in, to + (size_t) r * s->pitch, r);
}

void
cnn_conv_copy (const CnnConvSizes *sizes, CnnPool *pool, const float *in,
    float *to)
{
  Copy copy = {
    .sizes = sizes,
    .in = in,
    .to = to,
    .bands = (sizes->rows + COPY_ROWS - 1) / COPY_ROWS,
  };
  cnn_pool_run (pool, sizes->ic * copy.bands, copy_task, &copy);
}

/* Scratch: taps, packed weights, copied planes, spare memory of each thread. */
typedef struct
{
  size_t weights, planes, spare, end;
} Layout;

/* Cells that are computed for @n of the output. */
static int
cells (const CnnConvSizes *s, int n)
{
  return s->pooling ? 2 * n : n;
}

static Layout
layout_of (const CnnConvSizes *s, bool packs, const CnnPool *pool)
{
  size_t n_taps = (size_t) s->kernel[0] * (size_t) s->kernel[1];
  size_t weights = (size_t) s->group * (size_t) s->oc * (size_t) s->ic * n_taps;
  Layout l;
  l.weights = cnn_align_up (n_taps * sizeof (ptrdiff_t));
  l.planes = l.weights + (packs ? cnn_align_up (weights * sizeof (float)) : 0);
  l.spare = l.planes;
  if (s->copied)
    l.spare += cnn_align_up (
        (size_t) s->ic * s->plane * sizeof (float) + CNN_SLACK_BYTES);
  l.end = l.spare
      + (size_t) cnn_pool_threads (pool)
          * cnn_planar_spare_bytes (cells (s, s->oh), cells (s, s->ow),
              (size_t) s->stride[0] * s->pitch);
  return l;
}

/* What computes @region of a map: a smaller convolution. Where planes are
 * copied, only what it needs of them: its padding begins elsewhere. */
static CnnConvSizes
crop (const CnnConvSizes *sizes, const CnnRegion *region)
{
  CnnConvSizes s = *sizes;
  s.oh = region->y1 - region->y0;
  s.ow = region->x1 - region->x0;
  if (!s.copied)
    return s;
  s.pad[0] -= cells (&s, region->y0) * s.stride[0];
  s.pad[1] -= cells (&s, region->x0) * s.stride[1];
  cnn_conv_lay_out (&s);
  return s;
}

size_t
cnn_conv_forward_bytes (const CnnConvSizes *sizes, bool packs,
    const CnnPool *pool)
{
  return layout_of (sizes, packs, pool).end;
}

void
cnn_conv_forward (const CnnOpCall *call)
{
  const CnnConvParams *params = call->params;
  CnnConvSizes whole =
      cnn_conv_sizes (params, call->in[0], call->in[1], call->out[0]);
  CnnRegion all = { 0, 0, whole.ow, whole.oh };
  const CnnRegion *region = call->region ? call->region : &all;
  if (call->training) {
    cnn_conv_learn_forward (call);
    return;
  }
  if (call->variant != CNN_CONV_DIRECT) {
    cnn_conv_winograd (call, &whole, region, call->variant - CNN_CONV_WINOGRAD);
    return;
  }
  CnnConvSizes s = crop (&whole, region);
  Layout l = layout_of (&whole, !call->packed, call->pool);
  char *scratch = call->scratch;
  ptrdiff_t *taps = (ptrdiff_t *) scratch;
  const float *packed = call->packed;
  const float *bias = call->n_in > 2 && call->in[2] ? call->in[2]->data : NULL;
  const float *in = call->in[0]->data;
  float *out = call->out[0]->data, *planes = (float *) (scratch + l.planes);
  size_t in_size = (size_t) s.ic * (size_t) s.h * (size_t) s.w;
  size_t out_plane = (size_t) whole.oh * (size_t) whole.ow;
  size_t out_size = (size_t) s.oc * out_plane;
  int n_taps = s.kernel[0] * s.kernel[1];

  if (!packed) {
    cnn_op_conv.pack (params, call->in, call->n_in, CNN_CONV_DIRECT,
        scratch + l.weights);
    packed = (float *) (scratch + l.weights);
  }
  if (!s.copied)
    in += (size_t) (cells (&s, region->y0) * s.stride[0]) * s.pitch
        + (size_t) cells (&s, region->x0);
  out += (size_t) region->y0 * (size_t) whole.ow + region->x0;
  cnn_conv_taps (&s, taps);
  for (int i = 0; i < s.n * s.group; i++, in += in_size, out += out_size) {
    int g = i % s.group;
    if (s.copied)
      cnn_conv_copy (&s, call->pool, in, planes);
    cnn_planar_run (&(CnnPlanar){
        .kernels = call->kernels,
        .pool = call->pool,
        .in = s.copied ? planes : in,
        .in_plane = s.plane,
        .row_step = (size_t) s.stride[0] * s.pitch,
        .ic = s.ic,
        .oc = s.oc,
        .oh = cells (&s, s.oh),
        .ow = cells (&s, s.ow),
        .pooling = s.pooling,
        .taps = taps,
        .n_taps = n_taps,
        .weights = packed
            + (size_t) g * (size_t) s.oc * (size_t) s.ic * (size_t) n_taps,
        .bias = bias ? bias + (size_t) g * (size_t) s.oc : NULL,
        .out = out,
        .out_pitch = (size_t) whole.ow,
        .out_plane = out_plane,
        .activation = params->activation,
        .spare = scratch + l.spare,
    });
  }
}
