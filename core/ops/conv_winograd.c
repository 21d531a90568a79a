/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_winograd.c: Conv by Winograd's algorithm, for 3x3 and 5x5 kernels of
 * stride 1.
 *
 * Tiles are numbered row by row over the whole map, and a block of them goes
 * through all three stages while it is cached: pixels to V [alpha^2][ic][tiles],
 * for each group of output channels M [alpha^2][oc of the group][tiles] = U V,
 * which is the 1x1 convolution of kernels.h, and M to pixels, with bias,
 * activation and pooling. Blocks are tasks. Where the blocks are too few for
 * that, or so small that reading the weights for each of them would cost more
 * (maps of many channels), there is one V of many tiles, and if it stays cached,
 * groups of output channels are the tasks: each thread makes that V for itself,
 * which is sooner done than fetched from another core. Otherwise all make one
 * V, a channel a task, then one M, a product a task, for which weights and V are
 * read once, then pixels, a channel a task. A cell's sum is the same in all
 * ways. */

#include "ops/conv.h"

#include <string.h>

#include "base/memory.h"
#include "base/size.h"
#include "ops/planar.h"
#include "ops/winograd_plan.h"

/* A block of tiles: its V or M, @pitch from channel to channel. */
typedef struct
{
  int first, last;
  size_t pitch;
} Block;

/* One group of channels of one sample. */
typedef struct
{
  const CnnWinogradPlan *plan;
  const CnnKernels *kernels;
  const float *in, *weights, *bias;
  float *out;
  CnnActivation activation;
  const CnnConvTail *tail; /* nullable */
  char *scratch;           /* of the first thread */
  size_t scratch_bytes;
  float *v, *m; /* if shared */
  Block block;  /* if it is shared or split */
} Job;

/* Tiles beside each other. */
typedef struct
{
  int at, y, x, n;
} Segment;

/* The next of tiles @at ... @end - 1 that lie in one row. */
static Segment
segment_at (const CnnWinogradPlan *p, int at, int end)
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
input_stage (const Job *job, int c, const Block *block, float *v, float *spare)
{
  const CnnWinogradPlan *p = job->plan;
  const CnnConvSizes *s = p->sizes;
  const float *plane = job->in + (size_t) c * (size_t) s->h * (size_t) s->w;
  for (Segment at = segment_at (p, block->first, block->last); at.n > 0;
       at = segment_at (p, at.at + at.n, block->last)) {
    int y = at.y * p->w.m - s->pad[0], x = at.x * p->w.m - s->pad[1];
    job->kernels->winograd_input (&(CnnWinogradInput){
        .form = p->form,
        .in = plane,
        .h = s->h,
        .w = s->w,
        .y = y,
        .x = x,
        .n = at.n,
        .out = v + (size_t) c * block->pitch + (size_t) (at.at - block->first),
        .out_step = p->v_step,
        .spare = spare,
    });
  }
}

/* Where a thread's memory lies; @ready: not 0 if V is that of the block that
 * is split. */
typedef struct
{
  float *ready, *spare, *m, *v, *gathered, *sums, *last, *tail_spare;
} Memory;

static Memory
memory_of (const Job *job, int worker)
{
  const CnnWinogradPlan *p = job->plan;
  const CnnConvSizes *s = p->sizes;
  size_t pixels = (size_t) p->pixels;
  char *at = job->scratch + (size_t) worker * job->scratch_bytes;
  Memory memory = { .ready = (float *) at, .m = job->m, .v = job->v };
  memory.spare = memory.ready + CNN_WINOGRAD_READY;
  memory.gathered = memory.spare + CNN_WINOGRAD_SPARE;
  memory.sums = memory.gathered
      + (size_t) (p->gathered * p->group * CNN_CONV_BLOCK) * pixels;
  memory.last = memory.sums + (size_t) s->most_oc * pixels;
  memory.tail_spare = memory.last + (size_t) s->most_oc * pixels;
  if (!p->shared) {
    memory.v = (float *) (at + job->scratch_bytes - cnn_winograd_v_bytes (p));
    memory.m = (float *) ((char *) memory.v - cnn_winograd_m_bytes (p));
  }
  return memory;
}

/* First channel of group @group, or the end of the last. */
static int
group_channel (const CnnWinogradPlan *p, int group)
{
  int b = group * p->group, blocks = cnn_planar_blocks (p->sizes->oc);
  return cnn_planar_block (p->sizes->oc, b < blocks ? b : blocks);
}

/* Products @f ... @f + @products - 1 of @v with the weights of group @group,
 * into M from that product and group on. */
static void
product_stage (const Job *job, int f, int products, int group,
    const Block *block, const float *v, float *m)
{
  const CnnWinogradPlan *p = job->plan;
  const CnnConvSizes *s = p->sizes;
  int o0 = group_channel (p, group), o1 = group_channel (p, group + 1);
  size_t ic = (size_t) s->ic, step = ic * (size_t) s->oc;
  for (int b = group * p->group, o = o0, oc; o < o1; b++, o += oc) {
    oc = cnn_planar_block (s->oc, b + 1) - o;
    job->kernels->product (&(CnnProductRun){
        .in = v + (size_t) f * p->v_step,
        .in_plane = block->pitch,
        .in_step = p->v_step,
        .weights = job->weights + (size_t) f * step + (size_t) o * ic,
        .weights_step = step,
        .out = m + (size_t) (o - o0) * block->pitch,
        .out_plane = block->pitch,
        .out_step = p->m_step,
        .products = products,
        .ic = s->ic,
        .oc = oc,
        .n = block->last - block->first,
    });
  }
}

/* All products, in the order of their weights if these come from afar. */
static void
group_stage (const Job *job, int group, const Block *block,
    const Memory *memory)
{
  const CnnWinogradPlan *p = job->plan;
  int products = p->far ? 1 : p->products;
  for (int f = 0; f < p->products; f += products)
    product_stage (job, f, products, group, block, memory->v,
        memory->m + (size_t) f * p->m_step);
}

/* M of output channel @o to its pixels. */
static void
output_stage (const Job *job, int o, const Block *block, const float *m)
{
  const CnnWinogradPlan *p = job->plan;
  const CnnConvSizes *s = p->sizes;
  int y = p->y0 * p->wide, x = p->x0 * p->wide;
  float *plane = job->out + (size_t) o * (size_t) s->oh * (size_t) s->ow;
  job->kernels->winograd_output (&(CnnWinogradOutput){
      .form = p->form,
      .in = m,
      .in_step = p->m_step,
      .first = block->first,
      .n = block->last - block->first,
      .across = p->tiles_x,
      .bias = job->bias ? job->bias[o] : 0,
      .activation = job->activation,
      .pooling = s->pooling,
      .out = plane + (size_t) y * (size_t) s->ow + (size_t) x,
      .pitch = (size_t) s->ow,
      .rows = s->oh - y,
      .columns = s->ow - x,
  });
}

/* Pixels of all tiles of a group, apart: their order does not matter to 1x1
 * convolutions. */
static void
gather_stage (const Job *job, int group, int n, const float *m, float *out)
{
  const CnnWinogradPlan *p = job->plan;
  int o0 = group_channel (p, group), o1 = group_channel (p, group + 1);
  for (int o = o0; o < o1; o++, out += p->pixels)
    job->kernels->winograd_output (&(CnnWinogradOutput){
        .form = p->form,
        .in = m + (o - o0) * n,
        .in_step = p->m_step,
        .n = n,
        .bias = job->bias ? job->bias[o] : 0,
        .activation = job->activation,
        .out = out,
        .pitch = (size_t) (p->pixels / (p->w.m * p->w.m)),
        .apart = 1,
    });
}

/* All channels of a block through the tail. Returns: the last stage's. */
static const float *
tail_stage (const Job *job, const Block *block, const Memory *memory)
{
  const CnnWinogradPlan *p = job->plan;
  size_t pixels = (size_t) p->pixels;
  for (int g = 0; g < p->groups; g += p->gathered) {
    int end = g + p->gathered < p->groups ? g + p->gathered : p->groups;
    int first = group_channel (p, g), last = group_channel (p, end);
    for (int k = g; k < end; k++) {
      int o = group_channel (p, k);
      group_stage (job, k, block, memory);
      gather_stage (job, k, block->last - block->first, memory->m,
          memory->gathered + (size_t) (o - first) * pixels);
    }
    if (p->gathered == p->groups)
      cnn_conv_tail_run (job->tail, memory->gathered, pixels, p->pixels,
          memory->last, pixels, memory->tail_spare);
    else
      cnn_conv_tail_add (job->tail, first, last - first, memory->gathered,
          pixels, p->pixels, memory->sums, pixels);
  }
  return p->gathered == p->groups
      ? memory->last
      : cnn_conv_tail_finish (job->tail, memory->sums, pixels, p->pixels,
          memory->last, memory->tail_spare);
}

/* Channel by channel, the pixels of tiles @first ... @last - 1 to their
 * places. */
static void
weave_stage (const Job *job, int first, int last, const float *from)
{
  const CnnWinogradPlan *p = job->plan;
  const CnnConvSizes *s = p->sizes;
  int m = p->w.m, step = p->pixels / (m * m);
  for (int o = 0; o < s->last_oc; o++, from += p->pixels)
    for (Segment at = segment_at (p, first, last); at.n > 0;
         at = segment_at (p, at.at + at.n, last)) {
      int y = at.y * m, x = at.x * m;
      int columns = s->ow - x < at.n * m ? s->ow - x : at.n * m;
      float *out = job->out
          + ((size_t) o * (size_t) s->oh + (size_t) y) * (size_t) s->ow
          + (size_t) x;
      for (int i = 0; i < m && y + i < s->oh; i++, out += s->ow)
        job->kernels->weave (from + i * m * step + (at.at - first),
            (size_t) step, m, out, columns);
    }
}

/* Tiles of block @number; own ones lie dense. */
static Block
block_at (const CnnWinogradPlan *p, int number)
{
  int first = number * p->tiles, all = p->tiles_y * p->tiles_x;
  int last = first + p->tiles < all ? first + p->tiles : all;
  return (Block){ first, last, p->shared ? p->pitch : (size_t) (last - first) };
}

static void
group_to_pixels (const Job *job, int group, const Block *block,
    const Memory *memory)
{
  int o0 = group_channel (job->plan, group);
  int o1 = group_channel (job->plan, group + 1);
  group_stage (job, group, block, memory);
  for (int o = o0; o < o1; o++)
    output_stage (job, o, block, memory->m + (size_t) (o - o0) * block->pitch);
}

static void
block_input (const Job *job, const Block *block, const Memory *memory)
{
  for (int c = 0; c < job->plan->sizes->ic; c++)
    input_stage (job, c, block, memory->v, memory->spare);
}

static void
block_task (void *data, int number, int worker)
{
  const Job *job = data;
  const CnnWinogradPlan *p = job->plan;
  Block block = block_at (p, number);
  Memory memory = memory_of (job, worker);
  block_input (job, &block, &memory);
  if (job->tail)
    weave_stage (job, block.first, block.last,
        tail_stage (job, &block, &memory));
  for (int g = 0; g < p->groups && !job->tail; g++)
    group_to_pixels (job, g, &block, &memory);
}

static void
group_task (void *data, int number, int worker)
{
  const Job *job = data;
  Memory memory = memory_of (job, worker);
  if (!*memory.ready)
    block_input (job, &job->block, &memory);
  *memory.ready = 1;
  group_to_pixels (job, number, &job->block, &memory);
}

/* There is one block. */
static void
run_split (Job *job, CnnPool *pool)
{
  job->block = block_at (job->plan, 0);
  for (int i = 0; i < cnn_pool_threads (pool); i++)
    *memory_of (job, i).ready = 0;
  cnn_pool_run (pool, job->plan->groups, group_task, job);
}

static void
input_task (void *data, int number, int worker)
{
  const Job *job = data;
  input_stage (job, number, &job->block, job->v, memory_of (job, worker).spare);
}

static void
product_task (void *data, int number, int worker)
{
  const Job *job = data;
  const CnnWinogradPlan *p = job->plan;
  int f = number / p->groups, group = number % p->groups;
  (void) worker;
  product_stage (job, f, 1, group, &job->block, job->v,
      job->m + (size_t) f * p->m_step
          + (size_t) group_channel (p, group) * job->block.pitch);
}

static void
output_task (void *data, int number, int worker)
{
  const Job *job = data;
  (void) worker;
  output_stage (job, number, &job->block,
      job->m + (size_t) number * job->block.pitch);
}

static void
run_shared (Job *job, CnnPool *pool)
{
  const CnnWinogradPlan *p = job->plan;
  for (int b = 0; b < p->blocks; b++) {
    job->block = block_at (p, b);
    cnn_pool_run (pool, p->sizes->ic, input_task, job);
    cnn_pool_run (pool, p->products * p->groups, product_task, job);
    cnn_pool_run (pool, p->sizes->oc, output_task, job);
  }
}

void
cnn_conv_winograd (const CnnOpCall *call, const CnnConvSizes *s,
    const CnnRegion *region, CnnWinogradForm form)
{
  const CnnConvParams *params = call->params;
  int threads = cnn_pool_threads (call->pool), scale = s->pooling ? 2 : 1;
  int m = cnn_winograd_sizes (form).m;
  CnnWinogradPlan p = cnn_winograd_plan (params, s, form,
      cnn_ceil_div ((region->y1 - region->y0) * scale, m),
      cnn_ceil_div ((region->x1 - region->x0) * scale, m), threads);
  p.y0 = region->y0 / p.wide;
  p.x0 = region->x0 / p.wide;
  const float *bias = cnn_conv_bias (call, call->packed);
  size_t in_size = (size_t) s->ic * (size_t) s->h * (size_t) s->w;
  size_t out_size = (size_t) s->last_oc * (size_t) s->oh * (size_t) s->ow;
  size_t weights_size = (size_t) s->oc * (size_t) s->ic * (size_t) p.products;
  CnnConvTail tail = cnn_conv_tail (call, call->packed, false);
  Job job = {
    .plan = &p,
    .tail = tail.count ? &tail : NULL,
    .kernels = call->kernels,
    .activation = params->activation,
    .scratch = call->scratch,
    .scratch_bytes = cnn_winograd_thread_bytes (&p),
  };
  job.v = (float *) (job.scratch + (size_t) threads * job.scratch_bytes);
  job.m = (float *) ((char *) job.v + cnn_winograd_v_bytes (&p));
  for (int i = 0; i < s->n * s->group; i++) {
    size_t g = (size_t) (i % s->group);
    job.in = (const float *) call->in[0]->data + (size_t) i * in_size;
    job.out = (float *) call->out[0]->data + (size_t) i * out_size;
    job.weights = (const float *) call->packed + g * weights_size;
    job.bias = bias ? bias + g * (size_t) s->oc : NULL;
    if (p.shared)
      run_shared (&job, call->pool);
    else if (p.split)
      run_split (&job, call->pool);
    else
      cnn_pool_run (call->pool, p.blocks, block_task, &job);
  }
}
