/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plan.c: which activations may share memory. Largest first, each into the
 * lowest gap that fits among those placed before it that live beside it. */

#include "graph/plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/size.h"

static int
by_size (const void *a, const void *b)
{
  const CnnLifetime *x = *(CnnLifetime *const *) a;
  const CnnLifetime *y = *(CnnLifetime *const *) b;
  if (x->bytes != y->bytes)
    return x->bytes < y->bytes ? 1 : -1;
  return x < y ? -1 : x > y;
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

CnnStatus
cnn_plan (CnnLifetime *blocks, size_t count, size_t *arena_bytes,
    size_t *live_bytes)
{
  CnnStatus status = CNN_ERROR_MEMORY;
  CnnLifetime **order = malloc ((count + 1) * sizeof *order);
  CnnLifetime **placed = malloc ((count + 1) * sizeof *placed);
  int n_nodes = count_nodes (blocks, count);
  ptrdiff_t *change = calloc ((size_t) n_nodes + 1, sizeof *change);
  size_t n_placed = 0, arena = 0;
  if (!order || !placed || !change || !round_sizes (blocks, count))
    goto done;

  for (size_t i = 0; i < count; i++)
    order[i] = &blocks[i];
  qsort (order, count, sizeof *order, by_size);
  for (size_t i = 0; i < count; i++) {
    CnnLifetime *block = order[i];
    if (!block->bytes) {
      block->offset = 0;
      continue;
    }
    size_t at = find_gap (placed, n_placed, block);
    memmove (&placed[at + 1], &placed[at], (n_placed++ - at) * sizeof *placed);
    placed[at] = block;
    size_t end = block->offset + block->bytes;
    arena = end > arena ? end : arena;
  }
  *arena_bytes = arena;
  *live_bytes = largest_live_set (blocks, count, n_nodes, change);
  status = CNN_OK;

done:
  free (change);
  free (placed);
  free (order);
  return status;
}
