/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_forward.c: Conv's forward pass: prepares planes, then depthwise,
 * gathered or planar convolution; or one of the ways that need none.
 *
 * Without padding and with a horizontal stride of 1, which is what the small
 * networks have, the input is used where it lies. */

#include "ops/conv.h"

#include "base/memory.h"
#include "ops/conv_gather.h"
#include "ops/planar.h"
#include "ops/shapes.h"
#include "ops/table.h"

/* Padded rows of each vertical phase in one task of copying. */
#define COPY_ROWS 64
/* Output channels that pay for gathering, and channels and taps from where on
 * planes do not stay in the first cache. */
#define GATHER_OC   96
#define GATHER_ROWS 384

/* Groups are tasks from so many on, if one has no more to do, and no more
 * memory, than this. */
#define LEAST_GROUPS 8
#define GROUP_MACS   ((size_t) 8 << 20)
#define GROUP_FLOATS ((size_t) 256 * 1024)

typedef struct
{
  const CnnConvSizes *sizes;
  const CnnKernels *kernels;
  const float *in;
  float *to;
  int bands; /* tasks a channel */
} Copy;

static void
copy_task (void *data, int task, CNN_UNUSED int worker)
{
  const Copy *copy = data;
  const CnnConvSizes *s = copy->sizes;
  size_t channel = (size_t) (task / copy->bands);
  int first = task % copy->bands * COPY_ROWS, left = s->rows - first;
  CnnPadRun run = {
    .in = copy->in + channel * (size_t) s->h * (size_t) s->w,
    .w = s->w,
    .h = s->h,
    .x = -s->pad[1],
    .y = first * s->stride[0] - s->pad[0],
    .step = s->stride[1],
    .row_step = s->stride[0],
    .phases = s->phases[1],
    .out = copy->to + channel * s->plane + (size_t) first * s->pitch,
    .out_pitch = s->pitch,
    .out_phase = s->phase,
    .rows = left < COPY_ROWS ? left : COPY_ROWS,
    .n = (int) s->pitch,
  };
  for (int phase = 0; phase < s->phases[0]; phase++, run.y++) {
    copy->kernels->pad (&run);
    run.out += (size_t) s->phases[1] * s->phase;
  }
}

void
cnn_conv_copy (const CnnConvSizes *sizes, const CnnKernels *kernels,
    CnnPool *pool, const float *in, float *to)
{
  Copy copy = {
    .sizes = sizes,
    .kernels = kernels,
    .in = in,
    .to = to,
    .bands = (sizes->rows + COPY_ROWS - 1) / COPY_ROWS,
  };
  cnn_pool_run (pool, sizes->ic * copy.bands, copy_task, &copy);
}

/* Scratch: taps, packed weights, copied planes, spare memory of each thread.
 * There are planes for each thread where groups are @apart. */
typedef struct
{
  size_t weights, planes, spare, end, planes_bytes, spare_bytes;
  bool apart;
} Layout;

/* Cells that are computed for @n of the output. */
static int
cells (const CnnConvSizes *s, int n)
{
  return s->pooling ? 2 * n : n;
}

static int
taps_of (const CnnConvSizes *s)
{
  return s->kernel[0] * s->kernel[1];
}

/* Is it worth the copying to have what pixels look at together? */
static bool
gathers (const CnnConvSizes *s)
{
  if (s->pooling)
    return false;
  return taps_of (s) == 1
      || (s->oc >= GATHER_OC && s->ic * taps_of (s) >= GATHER_ROWS);
}

static size_t
spare_bytes (const CnnConvParams *params, const CnnConvSizes *s)
{
  if (cnn_conv_is_depthwise (s))
    return cnn_conv_depthwise_bytes (s);
  if (gathers (s))
    return cnn_conv_gather_bytes (s->ic * taps_of (s), s->most_oc);
  return cnn_planar_spare_bytes (cells (s, s->oh), cells (s, s->ow),
             s->row_step)
      + (params->n_tail ? cnn_planar_tail_bytes (s->oc, s->most_oc) : 0);
}

/* Are groups so small, and so many, that each is a task? */
static bool
groups_apart (const CnnConvSizes *s)
{
  size_t macs = (size_t) (s->oc * s->ic * taps_of (s))
      * (size_t) cells (s, s->oh) * (size_t) cells (s, s->ow);
  return s->group >= LEAST_GROUPS && macs <= GROUP_MACS
      && (size_t) s->ic * s->plane <= GROUP_FLOATS;
}

static Layout
layout_of (const CnnConvParams *params, const CnnConvSizes *s, bool packs,
    const CnnPool *pool)
{
  size_t n_taps = (size_t) s->kernel[0] * (size_t) s->kernel[1];
  size_t weights = (size_t) s->group * (size_t) s->oc * (size_t) s->ic * n_taps;
  size_t threads = (size_t) cnn_pool_threads (pool);
  Layout l = { .apart = groups_apart (s) };
  l.spare_bytes = spare_bytes (params, s);
  if (s->copied && !cnn_conv_is_depthwise (s))
    l.planes_bytes = cnn_align_up (
        (size_t) s->ic * s->plane * sizeof (float) + CNN_SLACK_BYTES);
  l.weights = cnn_align_up (n_taps * sizeof (ptrdiff_t));
  l.planes = l.weights + (packs ? cnn_align_up (weights * sizeof (float)) : 0);
  l.spare = l.planes + (l.apart ? threads : 1) * l.planes_bytes;
  l.end = l.spare + threads * l.spare_bytes;
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
cnn_conv_forward_bytes (const CnnConvParams *params, const CnnConvSizes *sizes,
    bool packs, const CnnPool *pool)
{
  return layout_of (params, sizes, packs, pool).end;
}

CnnConvTail
cnn_conv_tail (const CnnOpCall *call, const void *packed, bool with_head)
{
  const CnnConvParams *p = call->params;
  const CnnShape *w = &call->in[1]->shape;
  const float *weights = packed;
  CnnConvTail tail = { .kernels = call->kernels };
  if (with_head)
    tail.stages[tail.count++] = (CnnConvStage){
      .weights = weights,
      .bias = cnn_conv_bias (call, packed),
      .ic = (int) (cnn_product (w, 1, w->rank)),
      .oc = (int) (w->dims[0] / p->group),
      .activation = p->activation,
    };
  weights += cnn_conv_packed_floats (p, w, call->variant);
  for (int k = 0; k < p->n_tail; k++) {
    int i = cnn_conv_stage_input (p, k);
    const CnnTensor *stage = call->in[i];
    tail.stages[tail.count++] = (CnnConvStage){
      .weights = weights,
      .bias =
          i + 1 < call->n_in && call->in[i + 1] ? call->in[i + 1]->data : NULL,
      .ic = (int) stage->shape.dims[1],
      .oc = p->tail[k].oc,
      .activation = p->tail[k].activation,
    };
    weights += stage->shape.dims[0] * stage->shape.dims[1];
  }
  return tail;
}

/* All samples and groups, and then one: its planes, copied if they are to be,
 * its output, and memory for each thread of @pool. */
typedef struct
{
  const CnnOpCall *call;
  const CnnConvSizes *sizes;
  Layout layout;
  CnnPool *pool;
  const float *in, *weights, *bias;
  float *out;
  size_t out_pitch, out_plane;
  const ptrdiff_t *taps;
  const CnnConvTail *tail;
  char *planes, *spare;
} Part;

static void
run_gather (const Part *part)
{
  const CnnConvSizes *s = part->sizes;
  CnnConvTail tail = *part->tail;
  tail.stages[0].weights = part->weights;
  tail.stages[0].bias = part->bias;
  cnn_conv_gather_run (&(CnnConvGather){
      .tail = &tail,
      .pool = part->pool,
      .in = part->in,
      .in_plane = s->plane,
      .in_pitch = s->row_step,
      .ic = s->ic,
      .taps = part->taps,
      .n_taps = taps_of (s),
      .out = part->out,
      .out_plane = part->out_plane,
      .out_pitch = part->out_pitch,
      .oh = s->oh,
      .ow = s->ow,
      .spare = part->spare,
  });
}

static void
run_planar (const Part *part)
{
  const CnnConvSizes *s = part->sizes;
  const CnnConvParams *params = part->call->params;
  cnn_planar_run (&(CnnPlanar){
      .kernels = part->call->kernels,
      .pool = part->pool,
      .in = part->in,
      .in_plane = s->plane,
      .row_step = s->row_step,
      .lines = s->kernel[0] * s->phases[1],
      .ic = s->ic,
      .oc = s->oc,
      .oh = cells (s, s->oh),
      .ow = cells (s, s->ow),
      .pooling = s->pooling,
      .taps = part->taps,
      .n_taps = s->kernel[0] * s->kernel[1],
      .weights = part->weights,
      .bias = part->bias,
      .out = part->out,
      .out_pitch = part->out_pitch,
      .out_plane = part->out_plane,
      .activation = params->activation,
      .tail = params->n_tail ? part->tail : NULL,
      .spare = part->spare,
  });
}

static void
run_depthwise (const Part *part, const CnnConvSizes *whole,
    const CnnRegion *region)
{
  cnn_conv_depthwise_run (&(CnnConvDepthwise){
      .kernels = part->call->kernels,
      .pool = part->pool,
      .sizes = whole,
      .region = *region,
      .in = part->in,
      .weights = part->weights,
      .bias = part->bias,
      .out = part->call->out[0]->data,
      .activation = ((const CnnConvParams *) part->call->params)->activation,
      .spare = part->spare,
  });
}

/* Group @number % group of sample @number / group. */
static void
run_group (const Part *all, int number)
{
  Part part = *all;
  const CnnConvSizes *s = part.sizes;
  size_t oc = (size_t) s->oc, ic = (size_t) s->ic;
  size_t g = (size_t) (number % s->group), i = (size_t) number;
  float *planes = (float *) part.planes;
  part.in += i * ic * (size_t) s->h * (size_t) s->w;
  part.out += i * (size_t) s->last_oc * part.out_plane;
  part.weights += g * oc * ic * (size_t) taps_of (s);
  part.bias += part.bias ? g * oc : 0;
  if (s->copied) {
    cnn_conv_copy (s, part.call->kernels, part.pool, part.in, planes);
    part.in = planes;
  }
  (gathers (s) ? run_gather : run_planar) (&part);
}

static void
group_task (void *data, int task, int worker)
{
  Part part = *(const Part *) data;
  part.pool = NULL;
  part.planes += (size_t) worker * part.layout.planes_bytes;
  part.spare += (size_t) worker * part.layout.spare_bytes;
  run_group (&part, task);
}

static void
run_groups (Part *part)
{
  int parts = part->sizes->n * part->sizes->group;
  if (part->layout.apart)
    cnn_pool_run (part->pool, parts, group_task, part);
  else
    for (int i = 0; i < parts; i++)
      run_group (part, i);
}

static void
forward_direct (const CnnOpCall *call, const CnnConvSizes *whole,
    const CnnRegion *region)
{
  const CnnConvParams *params = call->params;
  CnnConvSizes s = crop (whole, region);
  Layout l = layout_of (params, whole, !call->packed, call->pool);
  char *scratch = call->scratch;
  ptrdiff_t *taps = (ptrdiff_t *) scratch;
  const float *packed = call->packed;
  if (!packed) {
    cnn_op_conv.pack (params, call->in, call->n_in, CNN_CONV_DIRECT,
        scratch + l.weights);
    packed = (float *) (scratch + l.weights);
  }
  CnnConvTail tail = cnn_conv_tail (call, packed, gathers (&s));
  Part part = {
    .call = call,
    .sizes = &s,
    .layout = l,
    .pool = call->pool,
    .in = call->in[0]->data,
    .weights = packed,
    .bias = cnn_conv_bias (call, packed),
    .out = (float *) call->out[0]->data
        + (size_t) region->y0 * (size_t) whole->ow + region->x0,
    .out_pitch = (size_t) whole->ow,
    .out_plane = (size_t) whole->oh * (size_t) whole->ow,
    .taps = taps,
    .tail = &tail,
    .planes = scratch + l.planes,
    .spare = scratch + l.spare,
  };
  if (cnn_conv_is_depthwise (whole)) {
    run_depthwise (&part, whole, region);
    return;
  }
  if (!s.copied)
    part.in += (size_t) cells (&s, region->y0) * s.row_step
        + (size_t) cells (&s, region->x0);
  cnn_conv_taps (&s, taps);
  run_groups (&part);
}

void
cnn_conv_forward (const CnnOpCall *call)
{
  CnnConvSizes sizes =
      cnn_conv_sizes (call->params, call->in[0], call->in[1], call->out[0]);
  CnnRegion all = { 0, 0, sizes.ow, sizes.oh };
  const CnnRegion *region = call->region ? call->region : &all;
  if (call->training)
    cnn_conv_learn_forward (call);
  else if (call->variant == CNN_CONV_DOT)
    cnn_conv_dot (call, &sizes);
  else if (call->variant == CNN_CONV_DIRECT)
    forward_direct (call, &sizes, region);
  else
    cnn_conv_winograd (call, &sizes, region, call->variant - CNN_CONV_WINOGRAD);
}
