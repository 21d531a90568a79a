/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan.h: which activations may share memory. */

#ifndef CNN_GRAPH_PLAN_H
#define CNN_GRAPH_PLAN_H

#include <cnn/status.h>

#include <stddef.h>

/**
 * CnnLifetime:
 * @first, @last: first and last node during which the block is in use
 * @bytes: its size; 0 takes no place
 * @offset: (out of cnn_plan()): where it lies in the arena, a multiple of
 *   CNN_ALIGN_BYTES
 */
typedef struct
{
  int first, last;
  size_t bytes, offset;
} CnnLifetime;

/**
 * cnn_plan:
 * @blocks: @count lifetimes; their offsets are written
 * @arena_bytes: (out): size of the arena
 * @live_bytes: (out): the largest sum of sizes in use at one node: no plan
 *   can be smaller
 *
 * Blocks whose lifetimes overlap get places that do not.
 *
 * Cost: quadratic in @count at worst.
 *
 * Errors: CNN_ERROR_MEMORY, also if the sum of all sizes overflows.
 *
 * Source: greedy by size, Pisarchyk and Lee, "Efficient memory management for
 * deep neural net inference", 2020, algorithm 3.
 */
CnnStatus cnn_plan (CnnLifetime *blocks, size_t count, size_t *arena_bytes,
    size_t *live_bytes);

#endif
