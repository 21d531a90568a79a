/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_winograd.c: Conv by Winograd's algorithm, for 3x3 and 5x5 kernels of
 * stride 1.
 *
 * Tiles are numbered row by row over the whole map, and a block of them goes
 * through all three stages while it is cached: pixels to V [alpha^2][ic][tiles],
 * for each group of output channels M [alpha^2][oc of the group][tiles] = U V,
 * which is the 1x1 convolution of kernels.h, and M to pixels, with bias,
 * activation and pooling. Blocks are tasks. Where the blocks are too few for
 * that, or V of one too large (small maps of many channels), one V of many
 * tiles is made by all threads, a channel a task, and then groups of output
 * channels are the tasks. A cell's sum is the same either way. */

#include "ops/conv.h"

#include <string.h>

#include "base/memory.h"
#include "ops/planar.h"
#include "ops/winograd_weights.h"

/* What is to stay in the second cache: V of a block that a task makes for
 * itself, M of a group. */
#define V_BYTES (1280 * 1024)
#define M_BYTES (256 * 1024)
/* V of a block that is shared. */
#define SHARED_BYTES (6 * 1024 * 1024)
/* So that products do not lie a power of two apart. */
#define STEP_PAD  16
#define MIN_TASKS 2

typedef struct
{
  const CnnConvSizes *sizes;
  CnnWinogradForm form;
  CnnWinogradSizes w;
  int products; /* alpha^2 */
  int wide;     /* cells of the output from tile to tile */
  int y0, x0;   /* the first tile */
  int tiles_y, tiles_x;
  int tiles; /* of a block */
  int blocks;
  bool shared;
  int group; /* blocks of output channels in a group */
  int groups;
  int part, parts; /* tiles of M, how many such a block of tiles has */
  size_t v_step, m_step;
} Plan;

static int
ceil_div (int a, int b)
{
  return (a + b - 1) / b;
}

static size_t
v_bytes (const Plan *p)
{
  return cnn_align_up (
      (size_t) p->products * p->v_step * sizeof (float) + CNN_SLACK_BYTES);
}

static size_t
m_bytes (const Plan *p)
{
  return cnn_align_up (
      (size_t) p->products * p->m_step * sizeof (float) + CNN_SLACK_BYTES);
}

static void
plan_blocks (Plan *p, int threads)
{
  const CnnConvSizes *s = p->sizes;
  int all = p->tiles_y * p->tiles_x;
  size_t tile_bytes = (size_t) p->products * (size_t) s->ic * sizeof (float);
  int own = CNN_WINOGRAD_TILES;
  p->shared = (size_t) own * tile_bytes > V_BYTES
      || (threads > 1 && ceil_div (all, own) < MIN_TASKS * threads);
  p->tiles = own;
  if (p->shared) {
    size_t most = SHARED_BYTES / tile_bytes / (size_t) own * (size_t) own;
    p->tiles = most < (size_t) own ? own
        : most < (size_t) all      ? (int) most
                                   : all;
  }
  if (p->tiles > all)
    p->tiles = all;
  p->blocks = ceil_div (all, p->tiles);
}

/* For @tiles_y x @tiles_x tiles. */
static Plan
plan_of (const CnnConvSizes *s, CnnWinogradForm form, int tiles_y, int tiles_x,
    int threads)
{
  Plan p = {
    .sizes = s,
    .form = form,
    .w = cnn_winograd_sizes (form),
    .tiles_y = tiles_y,
    .tiles_x = tiles_x,
  };
  int oc_blocks = cnn_planar_blocks (s->oc);
  p.products = p.w.alpha * p.w.alpha;
  p.wide = s->pooling ? p.w.m / 2 : p.w.m;
  plan_blocks (&p, threads);
  p.part = p.tiles < CNN_WINOGRAD_TILES ? p.tiles : CNN_WINOGRAD_TILES;
  p.parts = ceil_div (p.tiles, p.part);
  size_t block_bytes = (size_t) (p.products * CNN_CONV_BLOCK * p.part) * 4;
  p.group = (int) (M_BYTES / block_bytes);
  if (p.shared && p.group > ceil_div (oc_blocks, 4 * threads))
    p.group = ceil_div (oc_blocks, 4 * threads);
  if (p.group > oc_blocks)
    p.group = oc_blocks;
  if (p.group < 1)
    p.group = 1;
  p.groups = ceil_div (oc_blocks, p.group);
  p.v_step = (size_t) s->ic * (size_t) p.tiles + STEP_PAD;
  p.m_step = (size_t) (p.group * CNN_CONV_BLOCK * p.part) + STEP_PAD;
  return p;
}

static size_t
thread_bytes (const Plan *p)
{
  return CNN_WINOGRAD_SPARE * sizeof (float) + m_bytes (p)
      + (p->shared ? 0 : v_bytes (p));
}

static size_t
plan_bytes (const Plan *p, int threads)
{
  return (size_t) threads * thread_bytes (p) + (p->shared ? v_bytes (p) : 0);
}

/* A region of the map may be so small that its V is shared where that of the
 * whole is not: the most tiles for which that can be. */
size_t
cnn_conv_winograd_bytes (const CnnConvSizes *s, CnnWinogradForm form,
    const CnnPool *pool)
{
  int threads = cnn_pool_threads (pool);
  int scale = s->pooling ? 2 : 1, m = cnn_winograd_sizes (form).m;
  int y = ceil_div (s->oh * scale, m), x = ceil_div (s->ow * scale, m);
  int few = MIN_TASKS * threads * CNN_WINOGRAD_TILES;
  Plan whole = plan_of (s, form, y, x, threads);
  Plan part = plan_of (s, form, 1, y * x < few ? y * x : few - 1, threads);
  size_t a = plan_bytes (&whole, threads), b = plan_bytes (&part, threads);
  return a > b ? a : b;
}

size_t
cnn_conv_winograd_packed (const CnnConvSizes *s, CnnWinogradForm form)
{
  CnnWinogradSizes w = cnn_winograd_sizes (form);
  return (size_t) s->group * (size_t) s->oc * (size_t) s->ic
      * (size_t) (w.alpha * w.alpha) * sizeof (float);
}

/* The kernels of block @block into [products][ic][oc of the block]. */
static void
pack_block (const CnnConvSizes *s, const CnnWinogradRows *rows,
    const float *weights, int block, float *packed)
{
  double u[CNN_WINOGRAD_ALPHA * CNN_WINOGRAD_ALPHA];
  size_t products = (size_t) (rows->sizes.alpha * rows->sizes.alpha);
  size_t taps = (size_t) (rows->sizes.r * rows->sizes.r);
  size_t first = (size_t) cnn_planar_block (s->oc, block);
  size_t oc = (size_t) cnn_planar_block (s->oc, block + 1) - first;
  size_t ic = (size_t) s->ic;
  weights += first * ic * taps;
  packed += first * ic * products;
  for (size_t i = 0; i < ic; i++)
    for (size_t o = 0; o < oc; o++, packed++) {
      cnn_winograd_kernel (rows, weights + (o * ic + i) * taps, u);
      for (size_t f = 0; f < products; f++)
        packed[f * ic * oc] = (float) u[f];
    }
}

void
cnn_conv_winograd_pack (const CnnConvSizes *s, CnnWinogradForm form,
    const float *weights, float *packed)
{
  CnnWinogradRows rows;
  cnn_winograd_rows (form, &rows);
  size_t kernels = (size_t) s->oc * (size_t) s->ic;
  for (int g = 0; g < s->group; g++) {
    for (int b = 0; b < cnn_planar_blocks (s->oc); b++)
      pack_block (s, &rows, weights, b, packed);
    weights += kernels * (size_t) (rows.sizes.r * rows.sizes.r);
    packed += kernels * (size_t) (rows.sizes.alpha * rows.sizes.alpha);
  }
}

/* One group of channels of one sample. */
typedef struct
{
  const Plan *plan;
  const CnnKernels *kernels;
  const float *in, *weights, *bias;
  float *out;
  CnnActivation activation;
  char *scratch; /* of the first thread */
  size_t scratch_bytes;
  float *v;        /* if shared */
  int first, last; /* tiles of the block, if shared */
} Job;

/* Tiles beside each other. */
typedef struct
{
  int at, y, x, n;
} Segment;

/* The next of tiles @at ... @end - 1 that lie in one row. */
static Segment
segment_at (const Plan *p, int at, int end)
{
  int x = at % p->tiles_x;
  Segment s = { at, p->y0 + at / p->tiles_x, p->x0 + x, end - at };
  if (s.n > p->tiles_x - x)
    s.n = p->tiles_x - x;
  if (s.n > CNN_WINOGRAD_TILES)
    s.n = CNN_WINOGRAD_TILES;
  return s;
}

/* Channel @c of tiles @first ... @last - 1 into @v. */
static void
input_stage (const Job *job, int c, int first, int last, float *v, float *spare)
{
  const Plan *p = job->plan;
  const CnnConvSizes *s = p->sizes;
  const float *plane = job->in + (size_t) c * (size_t) s->h * (size_t) s->w;
  size_t tiles = (size_t) (last - first);
  for (Segment at = segment_at (p, first, last); at.n > 0;
       at = segment_at (p, at.at + at.n, last)) {
    int y = at.y * p->w.m - s->pad[0], x = at.x * p->w.m - s->pad[1];
    job->kernels->winograd_input (&(CnnWinogradInput){
        .form = p->form,
        .in = plane,
        .h = s->h,
        .w = s->w,
        .y = y,
        .x = x,
        .n = at.n,
        .out = v + (size_t) c * tiles + (size_t) (at.at - first),
        .out_step = p->v_step,
        .spare = spare,
    });
  }
}

/* M of group @group, for @n tiles of V from @v on, @tiles apart. */
static void
product_stage (const Job *job, int group, const float *v, size_t tiles, int n,
    float *m)
{
  const Plan *p = job->plan;
  const CnnConvSizes *s = p->sizes;
  int b0 = group * p->group, b1 = b0 + p->group;
  int blocks = cnn_planar_blocks (s->oc), o0 = cnn_planar_block (s->oc, b0);
  size_t ic = (size_t) s->ic;
  for (int b = b0; b < b1 && b < blocks; b++) {
    int first = cnn_planar_block (s->oc, b);
    int oc = cnn_planar_block (s->oc, b + 1) - first;
    job->kernels->product (&(CnnProductRun){
        .in = v,
        .in_plane = tiles,
        .in_step = p->v_step,
        .weights = job->weights + (size_t) first * ic * (size_t) p->products,
        .weights_step = ic * (size_t) oc,
        .out = m + (first - o0) * n,
        .out_plane = (size_t) n,
        .out_step = p->m_step,
        .products = p->products,
        .ic = s->ic,
        .oc = oc,
        .n = n,
    });
  }
}

static void
output_stage (const Job *job, int group, int first, int last, const float *m)
{
  const Plan *p = job->plan;
  const CnnConvSizes *s = p->sizes;
  int n = last - first;
  int b1 = (group + 1) * p->group, blocks = cnn_planar_blocks (s->oc);
  int o0 = cnn_planar_block (s->oc, group * p->group);
  int o1 = cnn_planar_block (s->oc, b1 < blocks ? b1 : blocks);
  size_t plane = (size_t) s->oh * (size_t) s->ow;
  for (int o = o0; o < o1; o++)
    for (Segment at = segment_at (p, first, last); at.n > 0;
         at = segment_at (p, at.at + at.n, last)) {
      int y = at.y * p->wide, x = at.x * p->wide;
      job->kernels->winograd_output (&(CnnWinogradOutput){
          .form = p->form,
          .in = m + (o - o0) * n + (at.at - first),
          .in_step = p->m_step,
          .n = at.n,
          .bias = job->bias ? job->bias[o] : 0,
          .activation = job->activation,
          .pooling = s->pooling,
          .out = job->out + (size_t) o * plane + (size_t) y * (size_t) s->ow
              + (size_t) x,
          .pitch = (size_t) s->ow,
          .rows = s->oh - y,
          .columns = s->ow - x,
      });
    }
}

static void
block_task (void *data, int number, int worker)
{
  const Job *job = data;
  const Plan *p = job->plan;
  int first = number * p->tiles, all = p->tiles_y * p->tiles_x;
  int last = first + p->tiles < all ? first + p->tiles : all;
  char *scratch = job->scratch + (size_t) worker * job->scratch_bytes;
  float *spare = (float *) scratch, *m = spare + CNN_WINOGRAD_SPARE;
  float *v = (float *) ((char *) m + m_bytes (p));
  for (int c = 0; c < p->sizes->ic; c++)
    input_stage (job, c, first, last, v, spare);
  for (int g = 0; g < p->groups; g++) {
    product_stage (job, g, v, (size_t) (last - first), last - first, m);
    output_stage (job, g, first, last, m);
  }
}

static void
channel_task (void *data, int number, int worker)
{
  const Job *job = data;
  char *scratch = job->scratch + (size_t) worker * job->scratch_bytes;
  input_stage (job, number, job->first, job->last, job->v, (float *) scratch);
}

static void
group_task (void *data, int number, int worker)
{
  const Job *job = data;
  const Plan *p = job->plan;
  int group = number / p->parts, at = number % p->parts * p->part;
  int first = job->first + at, last = first + p->part;
  char *scratch = job->scratch + (size_t) worker * job->scratch_bytes;
  float *m = (float *) scratch + CNN_WINOGRAD_SPARE;
  if (last > job->last)
    last = job->last;
  if (last <= first)
    return;
  product_stage (job, group, job->v + at, (size_t) (job->last - job->first),
      last - first, m);
  output_stage (job, group, first, last, m);
}

static void
run_shared (Job *job, CnnPool *pool)
{
  const Plan *p = job->plan;
  int all = p->tiles_y * p->tiles_x;
  for (int b = 0; b < p->blocks; b++) {
    job->first = b * p->tiles;
    job->last = job->first + p->tiles < all ? job->first + p->tiles : all;
    cnn_pool_run (pool, p->sizes->ic, channel_task, job);
    cnn_pool_run (pool, p->groups * p->parts, group_task, job);
  }
}

void
cnn_conv_winograd (const CnnOpCall *call, const CnnConvSizes *s,
    const CnnRegion *region, CnnWinogradForm form)
{
  const CnnConvParams *params = call->params;
  int threads = cnn_pool_threads (call->pool), scale = s->pooling ? 2 : 1;
  int m = cnn_winograd_sizes (form).m;
  Plan p = plan_of (s, form, ceil_div ((region->y1 - region->y0) * scale, m),
      ceil_div ((region->x1 - region->x0) * scale, m), threads);
  p.y0 = region->y0 / p.wide;
  p.x0 = region->x0 / p.wide;
  const float *bias = call->n_in > 2 && call->in[2] ? call->in[2]->data : NULL;
  size_t in_size = (size_t) s->ic * (size_t) s->h * (size_t) s->w;
  size_t out_size = (size_t) s->oc * (size_t) s->oh * (size_t) s->ow;
  size_t weights_size = (size_t) s->oc * (size_t) s->ic * (size_t) p.products;
  Job job = {
    .plan = &p,
    .kernels = call->kernels,
    .activation = params->activation,
    .scratch = call->scratch,
    .scratch_bytes = thread_bytes (&p),
  };
  job.v = (float *) (job.scratch + (size_t) threads * job.scratch_bytes);
  for (int i = 0; i < s->n * s->group; i++) {
    size_t g = (size_t) (i % s->group);
    job.in = (const float *) call->in[0]->data + (size_t) i * in_size;
    job.out = (float *) call->out[0]->data + (size_t) i * out_size;
    job.weights = (const float *) call->packed + g * weights_size;
    job.bias = bias ? bias + g * (size_t) s->oc : NULL;
    if (p.shared)
      run_shared (&job, call->pool);
    else
      cnn_pool_run (call->pool, p.blocks, block_task, &job);
  }
}
