/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-tiles.c: maps side by side: where each pixel lands, and how bright. */

#include <math.h>

#include "tiles.h"

static const guint8 *
pixel (cairo_surface_t *sheet, int x, int y)
{
  return cairo_image_surface_get_data (sheet)
      + y * cairo_image_surface_get_stride (sheet) + x;
}

/* Three tiles of 1x2 numbers, two in a row, three pixels a number. */
static void
test_places (void)
{
  const float values[] = { 0, 1, -1, 2, 0.5f, 0.25f };
  ToolTiles tiles = { values, 3, 1, 2, 0, 1, 3, 2 };
  const int gap = TOOL_TILES_GAP, width = 6 + gap, height = 3 + gap;
  const struct
  {
    int x, y;
    guint8 grey;
  } wanted[] = { { 0, 0, 0 }, { 2, 2, 0 }, { 3, 0, 255 }, { 5, 2, 255 },
    { width, 0, 0 }, { width + 3, 1, 255 }, { 0, height, 128 },
    { 5, height + 2, 64 } };
  cairo_surface_t *sheet;

  g_assert_cmpint (tool_tiles_width (&tiles), ==, gap + 2 * width);
  g_assert_cmpint (tool_tiles_height (&tiles), ==, gap + 2 * height);
  sheet = tool_tiles_sheet (gap + 2 * width + 5, gap + 2 * height + 1);
  tool_tiles_draw (&tiles, sheet, 5, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    g_assert_cmpint (*pixel (sheet, 5 + gap + wanted[i].x,
                         1 + gap + wanted[i].y),
        ==, wanted[i].grey);
  /* what is no tile keeps the ground's grey */
  g_assert_cmpint (*pixel (sheet, 0, 0), ==, *pixel (sheet, 5 + width, 3));
  g_assert_cmpint (*pixel (sheet, 5 + gap + width, 1 + gap + height), ==,
      *pixel (sheet, 0, 0));
  cairo_surface_destroy (sheet);
}

/* A few wild numbers do not darken the others; equal ones are grey. */
static void
test_stretch (void)
{
  float values[1000];
  ToolTiles tiles = { .values = values,
    .count = 10,
    .height = 10,
    .width = 10 };

  for (int i = 0; i < 1000; i++)
    values[i] = (float) (i % 500);
  values[3] = -1e6f;
  values[4] = 1e6f;
  values[5] = NAN;
  tool_tiles_stretch (&tiles);
  g_assert_cmpfloat (tiles.low, >=, 0);
  g_assert_cmpfloat (tiles.low, <, 10);
  g_assert_cmpfloat (tiles.high, >, 490);
  g_assert_cmpfloat (tiles.high, <=, 499);
  for (int i = 0; i < 1000; i++)
    values[i] = 7;
  tool_tiles_stretch (&tiles);
  g_assert_cmpfloat (tiles.low, ==, tiles.high);
  values[0] = 8;
  tool_tiles_stretch (&tiles);
  g_assert_cmpfloat (tiles.high, ==, 8);
}

static void
test_arrange (void)
{
  ToolTiles tiles = { .count = 24, .height = 5, .width = 10 };

  tool_tiles_arrange (&tiles, 32, 2);
  g_assert_cmpint (tiles.zoom, ==, 4);
  g_assert_cmpint (tiles.columns, ==, 5);
  tool_tiles_fill (&tiles, 10 * 4 * 3 + 4 * TOOL_TILES_GAP);
  g_assert_cmpint (tiles.columns, ==, 3);
  tool_tiles_fill (&tiles, 1);
  g_assert_cmpint (tiles.columns, ==, 1);
  tiles.width = 100;
  tool_tiles_arrange (&tiles, 32, 2);
  g_assert_cmpint (tiles.zoom, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/tiles/places", test_places);
  g_test_add_func ("/tools/tiles/stretch", test_stretch);
  g_test_add_func ("/tools/tiles/arrange", test_arrange);
  return g_test_run ();
}
