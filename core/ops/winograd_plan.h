/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* winograd_plan.h (internal): how a layer is cut for Winograd's algorithm:
 * blocks of tiles, who makes them, what stays in which cache. */

#ifndef CNN_OPS_WINOGRAD_PLAN_H
#define CNN_OPS_WINOGRAD_PLAN_H

#include <stdbool.h>

#include "ops/conv.h"
#include "ops/winograd_weights.h"

/** CNN_WINOGRAD_STEP: tiles are counted in whole vectors of any instruction
 * set. */
#define CNN_WINOGRAD_STEP 16

/** CNN_WINOGRAD_READY: floats of a thread's mark, by itself in a cache line. */
#define CNN_WINOGRAD_READY 16

/**
 * CnnWinogradPlan:
 * @products: alpha^2
 * @wide: cells of the output from tile to tile
 * @y0, @x0: the first tile
 * @tiles, @blocks: tiles of a block, how many blocks
 * @far: are weights too many for the second cache?
 * @split: are groups of the only block tasks?
 * @shared: do threads share V and M of a block?
 * @pitch: elements from channel to channel of V and M of the largest block
 * @group, @groups: blocks of output channels in a group, how many groups
 * @pixels: of a channel in a block, for the tail
 * @gathered: groups that go through the tail at a time
 * @v_step, @m_step: elements from product to product
 */
typedef struct
{
  const CnnConvSizes *sizes;
  CnnWinogradForm form;
  CnnWinogradSizes w;
  int products, wide;
  int y0, x0, tiles_y, tiles_x;
  int tiles, blocks;
  bool far, split, shared;
  size_t pitch;
  int group, groups;
  int n_tail, pixels, gathered;
  size_t v_step, m_step;
} CnnWinogradPlan;

/** cnn_winograd_plan: for @tiles_y x @tiles_x tiles. */
CnnWinogradPlan cnn_winograd_plan (const CnnConvParams *params,
    const CnnConvSizes *sizes, CnnWinogradForm form, int tiles_y, int tiles_x,
    int threads);

/** cnn_winograd_v_bytes, cnn_winograd_m_bytes: of a block. */
size_t cnn_winograd_v_bytes (const CnnWinogradPlan *plan);
size_t cnn_winograd_m_bytes (const CnnWinogradPlan *plan);

/** cnn_winograd_thread_bytes: of each thread; V and M come last, unless they
 * are shared and follow all threads'. */
size_t cnn_winograd_thread_bytes (const CnnWinogradPlan *plan);

#endif
