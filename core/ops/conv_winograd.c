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
#include "ops/planar.h"
#include "ops/winograd_weights.h"

/* What is to stay in the second cache: V of a block that a task makes for
 * itself, M of a group. */
#define V_BYTES (1280 * 1024)
#define M_BYTES (256 * 1024)
/* V and M of a block that is shared. */
#define SHARED_BYTES (16 * 1024 * 1024)
/* Weights beyond that are read from afar by every block. */
#define NEAR_BYTES (512 * 1024)
/* What is written to be read once, afar: it comes, goes, and comes again. */
#define PASSES 3
/* Tasks of groups for each thread. */
#define GROUP_TASKS 4
/* So that products do not lie a power of two apart. */
#define STEP_PAD  16
#define FAR_APART 256
#define MIN_TASKS 2
/* Shares are even if the largest is no more than that of the mean. */
#define MOST_EVEN 1.1
/* Tiles are whole vectors of any instruction set. */
#define TILE_STEP 16
/* Floats of a thread's mark, by itself in a cache line. */
#define READY 16
/* Channels of a block before they go through the tail. */
#define GATHERED_BYTES (512 * 1024)

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
  bool far;     /* are weights many? */
  bool split;   /* are groups of a block tasks? */
  bool shared;  /* do threads share V and M? */
  size_t pitch; /* from channel to channel, of the largest block */
  int group;    /* blocks of output channels in a group */
  int groups;
  int n_tail;
  int pixels;   /* of a channel in a block, for the tail */
  int gathered; /* groups that go through the tail at a time */
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

/* Tiles of a block of a shared V and M. */
static int
shared_tiles (const Plan *p)
{
  const CnnConvSizes *s = p->sizes;
  int all = p->tiles_y * p->tiles_x;
  size_t bytes =
      (size_t) p->products * (size_t) (s->ic + s->oc) * sizeof (float);
  size_t most = SHARED_BYTES / bytes / CNN_WINOGRAD_TILES * CNN_WINOGRAD_TILES;
  return most < CNN_WINOGRAD_TILES
      ? (all < CNN_WINOGRAD_TILES ? all : CNN_WINOGRAD_TILES)
      : most < (size_t) all ? (int) most
                            : all;
}

/* Does it move fewer bytes to share V and M than to read the weights for every
 * block of @own tiles? */
static bool
sharing_pays (const Plan *p, int own)
{
  const CnnConvSizes *s = p->sizes;
  double all = p->tiles_y * p->tiles_x;
  double values = (double) p->products * sizeof (float);
  double weights = values * s->ic * s->oc;
  double shared = weights * ceil_div ((int) all, shared_tiles (p))
      + PASSES * all * values * (s->ic + s->oc);
  return p->far && weights * ceil_div ((int) all, own) > shared;
}

/* Too few blocks of @own tiles to be dealt out as they come: @own becomes a
 * thread's share if these are about equal and no larger. Returns: are they? */
static bool
shares_are_even (int all, int threads, int *own)
{
  int vecs = ceil_div (all, TILE_STEP), most = ceil_div (vecs, threads);
  if (most * TILE_STEP > *own || MOST_EVEN * vecs < most * threads)
    return false;
  *own = most * TILE_STEP;
  return true;
}

/* A block that a task makes for itself: as many tiles as one call takes, fewer
 * where V would be too large. With a tail that is the only way. */
static void
plan_blocks (Plan *p, int threads)
{
  const CnnConvSizes *s = p->sizes;
  int all = p->tiles_y * p->tiles_x, own = CNN_WINOGRAD_TILES;
  size_t tile_bytes = (size_t) p->products * (size_t) s->ic * sizeof (float);
  while (own > TILE_STEP && (size_t) own * tile_bytes > V_BYTES)
    own -= TILE_STEP;
  bool few = threads > 1 && ceil_div (all, own) < MIN_TASKS * threads
      && !shares_are_even (all, threads, &own);
  bool whole = (size_t) all * tile_bytes <= V_BYTES;
  p->shared = !p->n_tail && ((few && !whole) || sharing_pays (p, own));
  p->split = !p->n_tail && few && whole;
  p->tiles = p->shared ? shared_tiles (p) : p->split ? all : own;
  if (p->n_tail && few)
    p->tiles = ceil_div (all, MIN_TASKS * threads * TILE_STEP) * TILE_STEP;
  if (p->tiles > all)
    p->tiles = all;
}

/* At most so many blocks of output channels are a task. */
static int
task_blocks (const Plan *p, int threads)
{
  int tasks =
      threads > 1 && (p->shared || p->split) ? GROUP_TASKS * threads : 1;
  if (p->shared)
    tasks = ceil_div (tasks, p->products);
  return ceil_div (cnn_planar_blocks (p->sizes->oc), tasks);
}

/* Groups that M holds, and that are gathered before they go through the tail.
 */
static void
plan_groups (Plan *p, int threads)
{
  int oc_blocks = cnn_planar_blocks (p->sizes->oc);
  size_t block_bytes =
      (size_t) (p->products * CNN_CONV_BLOCK * p->tiles) * sizeof (float);
  int most = task_blocks (p, threads);
  p->group = p->shared ? most : (int) (M_BYTES / block_bytes);
  if (p->group > most)
    p->group = most;
  if (p->group < 1)
    p->group = 1;
  p->groups = ceil_div (oc_blocks, p->group);
  p->pixels = ceil_div (p->tiles, TILE_STEP) * TILE_STEP * p->w.m * p->w.m;
  size_t gathered = (size_t) (p->group * CNN_CONV_BLOCK * p->pixels);
  p->gathered = (int) (GATHERED_BYTES / (gathered * sizeof (float)));
  if (p->gathered > p->groups)
    p->gathered = p->groups;
  if (p->gathered < 1)
    p->gathered = 1;
}

/* What follows from the tiles of a block. */
static void
plan_memory (Plan *p, int threads)
{
  const CnnConvSizes *s = p->sizes;
  p->blocks = ceil_div (p->tiles_y * p->tiles_x, p->tiles);
  plan_groups (p, threads);
  p->pitch = (size_t) p->tiles;
  if (p->shared)
    p->pitch = (size_t) (ceil_div (p->tiles, TILE_STEP) * TILE_STEP);
  if (p->pitch % FAR_APART == 0)
    p->pitch += TILE_STEP;
  int oc = p->shared ? s->oc : p->group * CNN_CONV_BLOCK;
  p->v_step = (size_t) s->ic * p->pitch + STEP_PAD;
  p->m_step = (size_t) oc * p->pitch + STEP_PAD;
}

/* For @tiles_y x @tiles_x tiles. */
static Plan
plan_of (const CnnConvParams *params, const CnnConvSizes *s,
    CnnWinogradForm form, int tiles_y, int tiles_x, int threads)
{
  Plan p = {
    .sizes = s,
    .form = form,
    .w = cnn_winograd_sizes (form),
    .n_tail = params->n_tail,
    .tiles_y = tiles_y,
    .tiles_x = tiles_x,
  };
  p.products = p.w.alpha * p.w.alpha;
  p.wide = s->pooling ? p.w.m / 2 : p.w.m;
  p.far = (size_t) p.products * (size_t) s->ic * (size_t) s->oc
      > NEAR_BYTES / sizeof (float);
  plan_blocks (&p, threads);
  plan_memory (&p, threads);
  return p;
}

/* Floats of the gathered channels, of the first stage's sums where channels
 * are gathered several times, of the last stage, and spare. */
static size_t
tail_floats (const Plan *p)
{
  const CnnConvSizes *s = p->sizes;
  size_t pixels = (size_t) p->pixels;
  size_t channels =
      (size_t) (p->gathered * p->group * CNN_CONV_BLOCK + 2 * s->most_oc);
  return p->n_tail ? channels * pixels + cnn_conv_tail_floats (s->most_oc) : 0;
}

static size_t
thread_bytes (const Plan *p)
{
  size_t floats = READY + CNN_WINOGRAD_SPARE + tail_floats (p);
  return cnn_align_up (floats * sizeof (float))
      + (p->shared ? 0 : v_bytes (p) + m_bytes (p));
}

static size_t
plan_bytes (const Plan *p, int threads)
{
  return (size_t) threads * thread_bytes (p)
      + (p->shared ? v_bytes (p) + m_bytes (p) : 0);
}

/* For the whole map and for each region of it: with fewer tiles V may be shared
 * where that of all is not, and a group or what is gathered be larger. */
size_t
cnn_conv_winograd_bytes (const CnnConvParams *params, const CnnConvSizes *s,
    CnnWinogradForm form, const CnnPool *pool)
{
  int threads = cnn_pool_threads (pool);
  int scale = s->pooling ? 2 : 1, m = cnn_winograd_sizes (form).m;
  int y = ceil_div (s->oh * scale, m), x = ceil_div (s->ow * scale, m);
  int few = MIN_TASKS * threads * CNN_WINOGRAD_TILES;
  Plan plan = plan_of (params, s, form, y, x, threads);
  size_t most = plan_bytes (&plan, threads);
  for (int tiles = 1; tiles <= few && tiles < y * x; tiles++) {
    plan = plan_of (params, s, form, 1, tiles, threads);
    size_t bytes = plan_bytes (&plan, threads);
    most = bytes > most ? bytes : most;
  }
  if (!plan.n_tail && plan.far) {
    plan = plan_of (params, s, form, y, x, threads);
    plan.shared = true;
    plan.tiles = shared_tiles (&plan);
    plan_memory (&plan, threads);
    size_t bytes = plan_bytes (&plan, threads);
    most = bytes > most ? bytes : most;
  }
  return most;
}

size_t
cnn_conv_winograd_packed (const CnnConvSizes *s, CnnWinogradForm form)
{
  CnnWinogradSizes w = cnn_winograd_sizes (form);
  return (size_t) s->group * (size_t) s->oc * (size_t) s->ic
      * (size_t) (w.alpha * w.alpha);
}

/* The kernels of block @block into [products][...][ic][oc of the block], where
 * other blocks of a product come before and after. */
static void
pack_block (const CnnConvSizes *s, const CnnWinogradRows *rows,
    const float *weights, const float *scale, int block, float *packed)
{
  double u[CNN_WINOGRAD_ALPHA * CNN_WINOGRAD_ALPHA];
  size_t products = (size_t) (rows->sizes.alpha * rows->sizes.alpha);
  size_t taps = (size_t) (rows->sizes.r * rows->sizes.r);
  size_t first = (size_t) cnn_planar_block (s->oc, block);
  size_t oc = (size_t) cnn_planar_block (s->oc, block + 1) - first;
  size_t ic = (size_t) s->ic, step = ic * (size_t) s->oc;
  weights += first * ic * taps;
  packed += first * ic;
  for (size_t i = 0; i < ic; i++)
    for (size_t o = 0; o < oc; o++, packed++) {
      cnn_winograd_kernel (rows, weights + (o * ic + i) * taps, u);
      for (size_t f = 0; f < products; f++)
        packed[f * step] = (float) (scale ? u[f] * scale[first + o] : u[f]);
    }
}

void
cnn_conv_winograd_pack (const CnnConvSizes *s, CnnWinogradForm form,
    const float *weights, const float *scale, float *packed)
{
  CnnWinogradRows rows;
  cnn_winograd_rows (form, &rows);
  size_t kernels = (size_t) s->oc * (size_t) s->ic;
  for (int g = 0; g < s->group; g++) {
    for (int b = 0; b < cnn_planar_blocks (s->oc); b++)
      pack_block (s, &rows, weights, scale ? scale + g * s->oc : NULL, b,
          packed);
    weights += kernels * (size_t) (rows.sizes.r * rows.sizes.r);
    packed += kernels * (size_t) (rows.sizes.alpha * rows.sizes.alpha);
  }
}

/* A block of tiles: its V or M, @pitch from channel to channel. */
typedef struct
{
  int first, last;
  size_t pitch;
} Block;

/* One group of channels of one sample. */
typedef struct
{
  const Plan *plan;
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
input_stage (const Job *job, int c, const Block *block, float *v, float *spare)
{
  const Plan *p = job->plan;
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
  const Plan *p = job->plan;
  const CnnConvSizes *s = p->sizes;
  size_t pixels = (size_t) p->pixels;
  char *at = job->scratch + (size_t) worker * job->scratch_bytes;
  Memory memory = { .ready = (float *) at, .m = job->m, .v = job->v };
  memory.spare = memory.ready + READY;
  memory.gathered = memory.spare + CNN_WINOGRAD_SPARE;
  memory.sums = memory.gathered
      + (size_t) (p->gathered * p->group * CNN_CONV_BLOCK) * pixels;
  memory.last = memory.sums + (size_t) s->most_oc * pixels;
  memory.tail_spare = memory.last + (size_t) s->most_oc * pixels;
  if (!p->shared) {
    memory.v = (float *) (at + job->scratch_bytes - v_bytes (p));
    memory.m = (float *) ((char *) memory.v - m_bytes (p));
  }
  return memory;
}

/* First channel of group @group, or the end of the last. */
static int
group_channel (const Plan *p, int group)
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
  const Plan *p = job->plan;
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
  const Plan *p = job->plan;
  int products = p->far ? 1 : p->products;
  for (int f = 0; f < p->products; f += products)
    product_stage (job, f, products, group, block, memory->v,
        memory->m + (size_t) f * p->m_step);
}

/* M of output channel @o to its pixels. */
static void
output_stage (const Job *job, int o, const Block *block, const float *m)
{
  const Plan *p = job->plan;
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
  const Plan *p = job->plan;
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
  const Plan *p = job->plan;
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
  const Plan *p = job->plan;
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
block_at (const Plan *p, int number)
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
  const Plan *p = job->plan;
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
  const Plan *p = job->plan;
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
  const Plan *p = job->plan;
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
  Plan p =
      plan_of (params, s, form, ceil_div ((region->y1 - region->y0) * scale, m),
          ceil_div ((region->x1 - region->x0) * scale, m), threads);
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
    .scratch_bytes = thread_bytes (&p),
  };
  job.v = (float *) (job.scratch + (size_t) threads * job.scratch_bytes);
  job.m = (float *) ((char *) job.v + v_bytes (&p));
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
