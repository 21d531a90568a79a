/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tiles.c: maps and filters side by side in one picture.
 *
 * The sheets are Cairo's A8: as PNG that is 8-bit grey, a third of the bytes
 * of colour. */

#include "tiles.h"

#include <math.h>
#include <stdlib.h>

#define GAP_GREY     40
#define MAX_ZOOM     64
#define CLIPPED_PART 200 /* one in so many at each end */

static int
by_value (const void *a, const void *b)
{
  float x = *(const float *) a, y = *(const float *) b;

  return (x > y) - (x < y);
}

void
tool_tiles_stretch (ToolTiles *tiles)
{
  gsize n = (gsize) tiles->count * (gsize) tiles->height * (gsize) tiles->width;
  float *sorted = g_new (float, n);
  gsize left = 0, clipped;

  for (gsize i = 0; i < n; i++)
    if (isfinite (tiles->values[i]))
      sorted[left++] = tiles->values[i];
  qsort (sorted, left, sizeof *sorted, by_value);
  clipped = left / CLIPPED_PART;
  tiles->low = left ? sorted[clipped] : 0;
  tiles->high = left ? sorted[left - 1 - clipped] : 0;
  /* where hardly anything stands out, what does */
  if (left && tiles->low == tiles->high) {
    tiles->low = sorted[0];
    tiles->high = sorted[left - 1];
  }
  g_free (sorted);
}

void
tool_tiles_arrange (ToolTiles *tiles, int side, double aspect)
{
  int longer = MAX (tiles->height, tiles->width);
  double columns;

  tiles->zoom = CLAMP ((side + longer - 1) / longer, 1, MAX_ZOOM);
  columns = sqrt (tiles->count * aspect * tiles->height / tiles->width);
  tiles->columns = CLAMP ((int) ceil (columns), 1, tiles->count);
}

void
tool_tiles_fill (ToolTiles *tiles, int width)
{
  int room =
      (width - TOOL_TILES_GAP) / (tiles->width * tiles->zoom + TOOL_TILES_GAP);

  tiles->columns = CLAMP (room, 1, tiles->count);
}

int
tool_tiles_width (const ToolTiles *tiles)
{
  return TOOL_TILES_GAP
      + tiles->columns * (tiles->width * tiles->zoom + TOOL_TILES_GAP);
}

int
tool_tiles_height (const ToolTiles *tiles)
{
  int rows = (tiles->count + tiles->columns - 1) / tiles->columns;

  return TOOL_TILES_GAP + rows * (tiles->height * tiles->zoom + TOOL_TILES_GAP);
}

cairo_surface_t *
tool_tiles_sheet (int width, int height)
{
  cairo_surface_t *sheet =
      cairo_image_surface_create (CAIRO_FORMAT_A8, width, height);
  cairo_t *cr = cairo_create (sheet);

  cairo_set_source_rgba (cr, 1, 1, 1, GAP_GREY / 255.0);
  cairo_paint (cr);
  cairo_destroy (cr);
  return sheet;
}

static guint8
grey (const ToolTiles *tiles, float value)
{
  float range = tiles->high - tiles->low;
  float share = range > 0 ? (value - tiles->low) / range : 0.5f;

  if (isnan (share))
    return GAP_GREY;
  return (guint8) lrintf (255 * CLAMP (share, 0.0f, 1.0f));
}

static void
draw_tile (const ToolTiles *tiles, const float *values, guint8 *pixels,
    gsize pitch)
{
  for (int y = 0; y < tiles->height * tiles->zoom; y++) {
    const float *row = values + y / tiles->zoom * tiles->width;

    for (int x = 0; x < tiles->width * tiles->zoom; x++)
      pixels[(gsize) y * pitch + (gsize) x] =
          grey (tiles, row[x / tiles->zoom]);
  }
}

void
tool_tiles_draw (const ToolTiles *tiles, cairo_surface_t *sheet, int left,
    int top)
{
  gsize pitch = (gsize) cairo_image_surface_get_stride (sheet);
  gsize cells = (gsize) tiles->height * (gsize) tiles->width;
  guint8 *pixels = cairo_image_surface_get_data (sheet);

  if (!pixels)
    return;
  cairo_surface_flush (sheet);
  for (int i = 0; i < tiles->count; i++) {
    int x = left + TOOL_TILES_GAP
        + i % tiles->columns * (tiles->width * tiles->zoom + TOOL_TILES_GAP);
    int y = top + TOOL_TILES_GAP
        + i / tiles->columns * (tiles->height * tiles->zoom + TOOL_TILES_GAP);

    draw_tile (tiles, tiles->values + (gsize) i * cells,
        pixels + (gsize) y * pitch + (gsize) x, pitch);
  }
  cairo_surface_mark_dirty (sheet);
}

gboolean
tool_tiles_save (cairo_surface_t *sheet, const char *path, GError **error)
{
  cairo_status_t status = cairo_surface_write_to_png (sheet, path);

  return status == CAIRO_STATUS_SUCCESS
      || tool_fail (error, "%s: %s", path, cairo_status_to_string (status));
}

gboolean
tool_tiles_write (const ToolTiles *tiles, const char *path, GError **error)
{
  cairo_surface_t *sheet =
      tool_tiles_sheet (tool_tiles_width (tiles), tool_tiles_height (tiles));
  gboolean ok;

  tool_tiles_draw (tiles, sheet, 0, 0);
  ok = tool_tiles_save (sheet, path, error);
  cairo_surface_destroy (sheet);
  return ok;
}
