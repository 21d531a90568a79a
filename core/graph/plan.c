/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan.c: which activations may share memory. One after the other goes into
 * the lowest gap that fits among those placed before it that live beside it;
 * of several orders (the largest first, the longest living first ...) and their
 * improvements the one with the smallest result counts. */

#include "graph/plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

/* More blocks than this are placed in one order only: each costs a square. */
#define MAX_TRIED 8192

/* How often an order is improved, and up to how many blocks. */
#define ROUNDS       32
#define MAX_IMPROVED 1024

/* Ties are broken by place, so that the plan does not depend on qsort(). */
static int
by_place (const CnnLifetime *x, const CnnLifetime *y)
{
  return x < y ? -1 : x > y;
}

static int
by_size (const void *a, const void *b)
{
  const CnnLifetime *x = *(CnnLifetime *const *) a;
  const CnnLifetime *y = *(CnnLifetime *const *) b;
  if (x->bytes != y->bytes)
    return x->bytes < y->bytes ? 1 : -1;
  return by_place (x, y);
}

static int
by_duration (const void *a, const void *b)
{
  const CnnLifetime *x = *(CnnLifetime *const *) a;
  const CnnLifetime *y = *(CnnLifetime *const *) b;
  int dx = x->last - x->first, dy = y->last - y->first;
  return dx != dy ? (dx < dy ? 1 : -1) : by_size (a, b);
}

static int
by_first (const void *a, const void *b)
{
  const CnnLifetime *x = *(CnnLifetime *const *) a;
  const CnnLifetime *y = *(CnnLifetime *const *) b;
  return x->first != y->first ? (x->first > y->first ? 1 : -1)
                              : by_duration (a, b);
}

static int
by_last (const void *a, const void *b)
{
  const CnnLifetime *x = *(CnnLifetime *const *) a;
  const CnnLifetime *y = *(CnnLifetime *const *) b;
  return x->last != y->last ? (x->last < y->last ? 1 : -1) : by_duration (a, b);
}

static int
by_area (const void *a, const void *b)
{
  const CnnLifetime *x = *(CnnLifetime *const *) a;
  const CnnLifetime *y = *(CnnLifetime *const *) b;
  double ax = (double) x->bytes * (x->last - x->first + 1);
  double ay = (double) y->bytes * (y->last - y->first + 1);
  return ax != ay ? (ax < ay ? 1 : -1) : by_place (x, y);
}

static bool
overlap (const CnnLifetime *a, const CnnLifetime *b)
{
  return a->first <= b->last && b->first <= a->last;
}

/* @placed is sorted by offset. Returns the index at which @block goes in. */
static size_t
find_gap (CnnLifetime *const *placed, size_t count, CnnLifetime *block)
{
  size_t end = 0, i;
  for (i = 0; i < count; i++) {
    if (!overlap (placed[i], block))
      continue;
    if (placed[i]->offset >= end && placed[i]->offset - end >= block->bytes)
      break;
    size_t behind = placed[i]->offset + placed[i]->bytes;
    end = behind > end ? behind : end;
  }
  block->offset = end;
  for (i = count; i > 0 && placed[i - 1]->offset > end; i--)
    ;
  return i;
}

/* Sizes begin and end; the running sum's maximum. @change has a place for each
 * node and one more. */
static size_t
largest_live_set (const CnnLifetime *blocks, size_t count, int n_nodes,
    ptrdiff_t *change)
{
  ptrdiff_t live = 0, best = 0;
  for (size_t i = 0; i < count; i++) {
    if (!blocks[i].bytes)
      continue;
    change[blocks[i].first] += (ptrdiff_t) blocks[i].bytes;
    change[blocks[i].last + 1] -= (ptrdiff_t) blocks[i].bytes;
  }
  for (int n = 0; n < n_nodes; n++) {
    live += change[n];
    best = live > best ? live : best;
  }
  return (size_t) best;
}

static int
count_nodes (const CnnLifetime *blocks, size_t count)
{
  int nodes = 0;
  for (size_t i = 0; i < count; i++)
    nodes = blocks[i].last >= nodes ? blocks[i].last + 1 : nodes;
  return nodes;
}

static bool
round_sizes (CnnLifetime *blocks, size_t count)
{
  size_t sum = 0;
  for (size_t i = 0; i < count; i++) {
    if (blocks[i].bytes > SIZE_MAX / 4)
      return false;
    blocks[i].bytes = cnn_align_up (blocks[i].bytes);
    if (!cnn_size_add (sum, blocks[i].bytes, &sum) || sum > SIZE_MAX / 4)
      return false;
  }
  return true;
}

/* Places all blocks in the order of @order. Returns the arena's size. */
static size_t
place_all (CnnLifetime *const *order, size_t count, CnnLifetime **placed)
{
  size_t n_placed = 0, arena = 0;
  for (size_t i = 0; i < count; i++) {
    CnnLifetime *block = order[i];
    block->offset = 0;
    if (!block->bytes)
      continue;
    size_t at = find_gap (placed, n_placed, block);
    memmove (&placed[at + 1], &placed[at], (n_placed - at) * sizeof *placed);
    placed[at] = block;
    n_placed++;
    if (block->offset + block->bytes > arena)
      arena = block->offset + block->bytes;
  }
  return arena;
}

/* The block that reaches highest goes in first. */
static void
promote_highest (CnnLifetime **order, size_t count)
{
  size_t highest = 0;
  for (size_t i = 1; i < count; i++)
    if (order[i]->offset + order[i]->bytes
        > order[highest]->offset + order[highest]->bytes)
      highest = i;
  CnnLifetime *block = order[highest];
  memmove (order + 1, order, highest * sizeof *order);
  order[0] = block;
}

/* Places all blocks, again and again with the one that reached highest before
 * the others. @best: the smallest arena so far, whose order is in @kept. */
static void
improve (CnnLifetime **order, size_t count, CnnLifetime **placed, size_t live,
    size_t *best, CnnLifetime **kept)
{
  int rounds = count > MAX_IMPROVED ? 1 : ROUNDS;
  for (int i = 0; i<rounds && * best> live; i++) {
    size_t arena = place_all (order, count, placed);
    if (arena < *best) {
      *best = arena;
      memcpy (kept, order, count * sizeof *kept);
    }
    promote_highest (order, count);
  }
}

/* No order is best for all networks: the smallest of several plans counts. */
static size_t
best_plan (CnnLifetime **order, size_t count, CnnLifetime **placed,
    CnnLifetime **kept, size_t live)
{
  static int (*const orders[]) (const void *, const void *) = { by_size,
    by_duration, by_area, by_first, by_last };
  size_t n_orders = count > MAX_TRIED ? 1 : sizeof orders / sizeof *orders;
  size_t best = SIZE_MAX;
  for (size_t i = 0; i < n_orders; i++) {
    qsort (order, count, sizeof *order, orders[i]);
    improve (order, count, placed, live, &best, kept);
  }
  return best == SIZE_MAX ? 0 : place_all (kept, count, placed);
}

CnnStatus
cnn_plan (CnnLifetime *blocks, size_t count, size_t *arena_bytes,
    size_t *live_bytes)
{
  CnnStatus status = CNN_ERROR_MEMORY;
  CnnLifetime **order = malloc ((count + 1) * sizeof *order);
  CnnLifetime **placed = malloc ((count + 1) * sizeof *placed);
  CnnLifetime **kept = malloc ((count + 1) * sizeof *kept);
  int n_nodes = count_nodes (blocks, count);
  ptrdiff_t *change = calloc ((size_t) n_nodes + 1, sizeof *change);
  size_t used = 0;
  if (!order || !placed || !kept || !change || !round_sizes (blocks, count))
    goto done;

  for (size_t i = 0; i < count; i++)
    if (blocks[i].bytes)
      order[used++] = &blocks[i];
    else
      blocks[i].offset = 0;
  *live_bytes = largest_live_set (blocks, count, n_nodes, change);
  *arena_bytes = best_plan (order, used, placed, kept, *live_bytes);
  status = CNN_OK;

done:
  free (change);
  free (kept);
  free (placed);
  free (order);
  return status;
}
