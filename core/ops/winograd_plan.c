/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* winograd_plan.c: cuts a layer so that what is read again stays cached, and so
 * that threads have equal shares. */

#include "ops/winograd_plan.h"

#include "base/memory.h"
#include "base/size.h"
#include "ops/planar.h"

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
/* Channels of a block before they go through the tail. */
#define GATHERED_BYTES (512 * 1024)


size_t
cnn_winograd_v_bytes (const CnnWinogradPlan *p)
{
  return cnn_align_up (
      (size_t) p->products * p->v_step * sizeof (float) + CNN_SLACK_BYTES);
}

size_t
cnn_winograd_m_bytes (const CnnWinogradPlan *p)
{
  return cnn_align_up (
      (size_t) p->products * p->m_step * sizeof (float) + CNN_SLACK_BYTES);
}

/* Tiles of a block of a shared V and M. */
static int
shared_tiles (const CnnWinogradPlan *p)
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
sharing_pays (const CnnWinogradPlan *p, int own)
{
  const CnnConvSizes *s = p->sizes;
  double all = p->tiles_y * p->tiles_x;
  double values = (double) p->products * sizeof (float);
  double weights = values * s->ic * s->oc;
  double shared = weights * cnn_ceil_div ((int) all, shared_tiles (p))
      + PASSES * all * values * (s->ic + s->oc);
  return p->far && weights * cnn_ceil_div ((int) all, own) > shared;
}

/* Too few blocks of @own tiles to be dealt out as they come: @own becomes a
 * thread's share if these are about equal and no larger. Returns: are they? */
static bool
shares_are_even (int all, int threads, int *own)
{
  int vecs = cnn_ceil_div (all, CNN_WINOGRAD_STEP),
      most = cnn_ceil_div (vecs, threads);
  if (most * CNN_WINOGRAD_STEP > *own || MOST_EVEN * vecs < most * threads)
    return false;
  *own = most * CNN_WINOGRAD_STEP;
  return true;
}

/* A block that a task makes for itself: as many tiles as one call takes, fewer
 * where V would be too large. With a tail that is the only way. */
static void
plan_blocks (CnnWinogradPlan *p, int threads)
{
  const CnnConvSizes *s = p->sizes;
  int all = p->tiles_y * p->tiles_x, own = CNN_WINOGRAD_TILES;
  size_t tile_bytes = (size_t) p->products * (size_t) s->ic * sizeof (float);
  while (own > CNN_WINOGRAD_STEP && (size_t) own * tile_bytes > V_BYTES)
    own -= CNN_WINOGRAD_STEP;
  bool few = threads > 1 && cnn_ceil_div (all, own) < MIN_TASKS * threads
      && !shares_are_even (all, threads, &own);
  bool whole = (size_t) all * tile_bytes <= V_BYTES;
  p->shared = !p->n_tail && ((few && !whole) || sharing_pays (p, own));
  p->split = !p->n_tail && few && whole;
  p->tiles = p->shared ? shared_tiles (p) : p->split ? all : own;
  if (p->n_tail && few)
    p->tiles = cnn_ceil_div (all, MIN_TASKS * threads * CNN_WINOGRAD_STEP)
        * CNN_WINOGRAD_STEP;
  if (p->tiles > all)
    p->tiles = all;
}

/* At most so many blocks of output channels are a task. */
static int
task_blocks (const CnnWinogradPlan *p, int threads)
{
  int tasks =
      threads > 1 && (p->shared || p->split) ? GROUP_TASKS * threads : 1;
  if (p->shared)
    tasks = cnn_ceil_div (tasks, p->products);
  return cnn_ceil_div (cnn_planar_blocks (p->sizes->oc), tasks);
}

/* Groups that M holds, and that are gathered before they go through the tail.
 */
static void
plan_groups (CnnWinogradPlan *p, int threads)
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
  p->groups = cnn_ceil_div (oc_blocks, p->group);
  p->pixels = cnn_ceil_div (p->tiles, CNN_WINOGRAD_STEP) * CNN_WINOGRAD_STEP
      * p->w.m * p->w.m;
  size_t gathered = (size_t) (p->group * CNN_CONV_BLOCK * p->pixels);
  p->gathered = (int) (GATHERED_BYTES / (gathered * sizeof (float)));
  if (p->gathered > p->groups)
    p->gathered = p->groups;
  if (p->gathered < 1)
    p->gathered = 1;
}

/* What follows from the tiles of a block. */
static void
plan_memory (CnnWinogradPlan *p, int threads)
{
  const CnnConvSizes *s = p->sizes;
  p->blocks = cnn_ceil_div (p->tiles_y * p->tiles_x, p->tiles);
  plan_groups (p, threads);
  p->pitch = (size_t) p->tiles;
  if (p->shared) {
    p->pitch = (size_t) (cnn_ceil_div (p->tiles, CNN_WINOGRAD_STEP)
        * CNN_WINOGRAD_STEP);
    if (p->pitch % FAR_APART == 0)
      p->pitch += CNN_WINOGRAD_STEP;
  }
  int oc = p->shared ? s->oc : p->group * CNN_CONV_BLOCK;
  p->v_step = (size_t) s->ic * p->pitch + STEP_PAD;
  p->m_step = (size_t) oc * p->pitch + STEP_PAD;
}

CnnWinogradPlan
cnn_winograd_plan (const CnnConvParams *params, const CnnConvSizes *s,
    CnnWinogradForm form, int tiles_y, int tiles_x, int threads)
{
  CnnWinogradPlan p = {
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
tail_floats (const CnnWinogradPlan *p)
{
  const CnnConvSizes *s = p->sizes;
  size_t pixels = (size_t) p->pixels;
  size_t channels =
      (size_t) (p->gathered * p->group * CNN_CONV_BLOCK + 2 * s->most_oc);
  return p->n_tail ? channels * pixels + cnn_conv_tail_floats (s->most_oc) : 0;
}

size_t
cnn_winograd_thread_bytes (const CnnWinogradPlan *p)
{
  size_t floats = CNN_WINOGRAD_READY + CNN_WINOGRAD_SPARE + tail_floats (p);
  return cnn_align_up (floats * sizeof (float))
      + (p->shared ? 0 : cnn_winograd_v_bytes (p) + cnn_winograd_m_bytes (p));
}

static size_t
plan_bytes (const CnnWinogradPlan *p, int threads)
{
  return (size_t) threads * cnn_winograd_thread_bytes (p)
      + (p->shared ? cnn_winograd_v_bytes (p) + cnn_winograd_m_bytes (p) : 0);
}

/* For the whole map and for each region of it: with fewer tiles V may be shared
 * where that of all is not, and a group or what is gathered be larger. */
size_t
cnn_conv_winograd_bytes (const CnnConvParams *params, const CnnConvSizes *s,
    CnnWinogradForm form, const CnnPool *pool)
{
  int threads = cnn_pool_threads (pool);
  int scale = s->pooling ? 2 : 1, m = cnn_winograd_sizes (form).m;
  int y = cnn_ceil_div (s->oh * scale, m), x = cnn_ceil_div (s->ow * scale, m);
  int few = MIN_TASKS * threads * CNN_WINOGRAD_TILES;
  CnnWinogradPlan plan = cnn_winograd_plan (params, s, form, y, x, threads);
  size_t most = plan_bytes (&plan, threads);
  for (int tiles = 1; tiles <= few && tiles < y * x; tiles++) {
    plan = cnn_winograd_plan (params, s, form, 1, tiles, threads);
    size_t bytes = plan_bytes (&plan, threads);
    most = bytes > most ? bytes : most;
  }
  if (!plan.n_tail && plan.far) {
    plan = cnn_winograd_plan (params, s, form, y, x, threads);
    plan.shared = true;
    plan.tiles = shared_tiles (&plan);
    plan_memory (&plan, threads);
    size_t bytes = plan_bytes (&plan, threads);
    most = bytes > most ? bytes : most;
  }
  return most;
}
