/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tiles.h: maps and filters side by side in one picture. */

#ifndef TOOL_TILES_H
#define TOOL_TILES_H

#include <cairo.h>

#include "tool.h"

/** TOOL_TILES_GAP: pixels around each tile. */
#define TOOL_TILES_GAP 2

/**
 * ToolTiles:
 * @values: @count x @height x @width
 * @low, @high: what black and white are; numbers beyond them as well
 * @zoom: pixels a number, each way, at least 1
 * @columns: tiles in a row, at least 1
 */
typedef struct
{
  const float *values;
  int count, height, width;
  float low, high;
  int zoom, columns;
} ToolTiles;

/** tool_tiles_stretch: @tiles' range becomes that of its values, but for the
 * half percent at each end. */
void tool_tiles_stretch (ToolTiles *tiles);

/** tool_tiles_arrange: small tiles are enlarged until a side has @side pixels,
 * and @tiles stand in a field that is about @aspect times as wide as high. */
void tool_tiles_arrange (ToolTiles *tiles, int side, double aspect);

/** tool_tiles_fill: as many tiles in a row as there is room for in @width. */
void tool_tiles_fill (ToolTiles *tiles, int width);

/** tool_tiles_width, tool_tiles_height: of the field, in pixels. */
int tool_tiles_width (const ToolTiles *tiles);
int tool_tiles_height (const ToolTiles *tiles);

/** tool_tiles_sheet: Returns: (transfer full): an empty sheet of greys, to be
 * written as PNG. */
cairo_surface_t *tool_tiles_sheet (int width, int height);

/** tool_tiles_draw: @sheet: of tool_tiles_sheet(), with room for the field at
 * @left, @top. */
void tool_tiles_draw (const ToolTiles *tiles, cairo_surface_t *sheet, int left,
    int top);

/** tool_tiles_write: draws @tiles alone to the PNG @path. */
gboolean
tool_tiles_write (const ToolTiles *tiles, const char *path, GError **error);

/** tool_tiles_save: writes @sheet to the PNG @path. */
gboolean
tool_tiles_save (cairo_surface_t *sheet, const char *path, GError **error);

#endif
