/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* changes.c: compares each picture with a copy of the one before.
 *
 * Most rows of a still scene are equal from end to end, which memcmp() finds
 * out as fast as memory delivers them. Where a row is not, tiles of it are
 * compared, and each tile keeps the smallest rectangle around what differs:
 * exact, because every pixel more costs the network a window. */

#include "image/changes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "image/rows.h"

#define TILE_WIDTH 64
#define TILE_ROWS  32

/* tiles: @down rows of @across rectangles. room: a row of samples for each row
 * of tiles. before: channels x height x width. */
struct CnnChanges
{
  int width, height, channels, across, down;
  bool has_before;
  CnnImageLevels levels;
  uint8_t *before, *room;
  CnnRegion *tiles;
};

typedef struct
{
  CnnChanges *changes;
  const CnnImage *image;
} Job;

/* @a and @b differ. */
static void
first_and_last (const uint8_t *a, const uint8_t *b, int n, int *first,
    int *last)
{
  int begin = 0, end = n - 1;
  while (a[begin] == b[begin])
    begin++;
  while (a[end] == b[end])
    end--;
  *first = begin;
  *last = end;
}

/* Row @y, from column @x on, of one tile. */
static void
take_row (CnnRegion *tile, int x, int y, const uint8_t *now, uint8_t *before,
    int n)
{
  int first, last;
  if (!memcmp (now, before, (size_t) n))
    return;
  first_and_last (now, before, n, &first, &last);
  CnnRegion r = { x + first, y, x + last + 1, y + 1 };
  *tile = cnn_region_cells (tile) ? cnn_region_bound (tile, &r) : r;
  memcpy (before, now, (size_t) n);
}

static void
compare_rows (void *data, int task, CNN_UNUSED int worker)
{
  const Job *job = data;
  CnnChanges *c = job->changes;
  CnnRegion *tiles = c->tiles + (size_t) task * (size_t) c->across;
  size_t width = (size_t) c->width;
  uint8_t *room = c->room + (size_t) task * width;
  int begin = task * TILE_ROWS, end = begin + TILE_ROWS;

  memset (tiles, 0, (size_t) c->across * sizeof *tiles);
  for (int channel = 0; channel < c->channels; channel++)
    for (int y = begin; y < end && y < c->height; y++) {
      size_t row = (size_t) channel * (size_t) c->height + (size_t) y;
      const uint8_t *now = cnn_image_row (job->image, channel, y, room);
      uint8_t *before = c->before + row * width;
      if (!memcmp (now, before, width))
        continue;
      for (int t = 0, x = 0; t < c->across; t++, x += TILE_WIDTH)
        take_row (&tiles[t], x, y, now + x, before + x,
            c->width - x < TILE_WIDTH ? c->width - x : TILE_WIDTH);
    }
}

static void
keep_all (CnnChanges *c, const CnnImage *image)
{
  size_t width = (size_t) c->width;
  uint8_t *to = c->before;
  for (int channel = 0; channel < c->channels; channel++)
    for (int y = 0; y < c->height; y++, to += width)
      memcpy (to, cnn_image_row (image, channel, y, c->room), width);
  c->levels = image->levels;
  c->has_before = true;
}

void
cnn_changes_find (CnnChanges *changes, const CnnImage *image, int margin,
    CnnPool *pool, CnnRegions *regions)
{
  CnnChanges *c = changes;
  regions->count = 0;
  if (!c->has_before || c->levels != image->levels) {
    keep_all (c, image);
    cnn_regions_add (regions, &(CnnRegion){ 0, 0, c->width, c->height },
        margin);
    return;
  }
  cnn_pool_run (pool, c->down, compare_rows, &(Job){ c, image });
  for (int i = 0; i < c->across * c->down; i++)
    cnn_regions_add (regions, &c->tiles[i], margin);
}

CnnStatus
cnn_changes_new (int width, int height, int channels, CnnChanges **changes,
    CnnError *error)
{
  CnnChanges *c = calloc (1, sizeof *c);
  size_t pixels = (size_t) width * (size_t) height;
  if (!c)
    return cnn_error_memory (error, sizeof *c, "the last picture");
  *c = (CnnChanges){
    .width = width,
    .height = height,
    .channels = channels,
    .across = (width + TILE_WIDTH - 1) / TILE_WIDTH,
    .down = (height + TILE_ROWS - 1) / TILE_ROWS,
  };
  size_t tiles = (size_t) c->across * (size_t) c->down;
  c->before = cnn_aligned_alloc ((size_t) channels * pixels);
  c->room = malloc ((size_t) c->down * (size_t) width);
  c->tiles = calloc (tiles, sizeof *c->tiles);
  if (!c->before || !c->room || !c->tiles) {
    cnn_changes_free (c);
    return cnn_error_memory (error, (size_t) channels * pixels,
        "the last picture");
  }
  *changes = c;
  return CNN_OK;
}

void
cnn_changes_free (CnnChanges *changes)
{
  if (!changes)
    return;
  free (changes->tiles);
  free (changes->room);
  free (changes->before);
  free (changes);
}
