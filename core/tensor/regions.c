/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* regions.c: a short list of rectangles that merges what lies together.
 *
 * Used once a layer and frame on a handful of rectangles, so every new one is
 * simply compared with all. */

#include "tensor/regions.h"

/* What a rectangle costs beside its cells: calls, ragged ends of rows. */
#define APART_CELLS 64

static int
least (int a, int b)
{
  return a < b ? a : b;
}

static int
most (int a, int b)
{
  return a > b ? a : b;
}

int64_t
cnn_region_cells (const CnnRegion *r)
{
  if (r->x0 >= r->x1 || r->y0 >= r->y1)
    return 0;
  return (int64_t) (r->x1 - r->x0) * (r->y1 - r->y0);
}

CnnRegion
cnn_region_clip (const CnnRegion *r, int width, int height)
{
  return (CnnRegion){
    .x0 = most (r->x0, 0),
    .y0 = most (r->y0, 0),
    .x1 = least (r->x1, width),
    .y1 = least (r->y1, height),
  };
}

CnnRegion
cnn_region_bound (const CnnRegion *a, const CnnRegion *b)
{
  return (CnnRegion){
    .x0 = least (a->x0, b->x0),
    .y0 = least (a->y0, b->y0),
    .x1 = most (a->x1, b->x1),
    .y1 = most (a->y1, b->y1),
  };
}

static int64_t
cost (const CnnRegion *r, int margin)
{
  return (int64_t) (r->x1 - r->x0 + margin) * (r->y1 - r->y0 + margin);
}

/* Cells that would be computed for nothing if @a and @b were one. */
static int64_t
waste (const CnnRegion *a, const CnnRegion *b, int margin)
{
  CnnRegion both = cnn_region_bound (a, b);
  return cost (&both, margin) - cost (a, margin) - cost (b, margin);
}

/* Which of @regions goes with @region best. */
static int
nearest (const CnnRegions *regions, const CnnRegion *region, int margin,
    int64_t *wasted)
{
  int best = -1;
  for (int i = 0; i < regions->count; i++) {
    int64_t w = waste (&regions->items[i], region, margin);
    if (best < 0 || w < *wasted) {
      best = i;
      *wasted = w;
    }
  }
  return best;
}

/* A merged rectangle may now reach others: it goes in anew. */
void
cnn_regions_add (CnnRegions *regions, const CnnRegion *region, int margin)
{
  CnnRegion r = *region;
  if (!cnn_region_cells (&r))
    return;
  for (;;) {
    int64_t wasted = 0;
    int i = nearest (regions, &r, margin, &wasted);
    if (i < 0 || (wasted > APART_CELLS && regions->count < CNN_MAX_REGIONS))
      break;
    r = cnn_region_bound (&regions->items[i], &r);
    regions->items[i] = regions->items[--regions->count];
  }
  regions->items[regions->count++] = r;
}

int64_t
cnn_regions_cells (const CnnRegions *regions)
{
  int64_t cells = 0;
  for (int i = 0; i < regions->count; i++)
    cells += cnn_region_cells (&regions->items[i]);
  return cells;
}
