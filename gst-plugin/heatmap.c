/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heatmap.c: what the network thinks at every place.
 *
 * Drawn on a coarse grid, which the blender (or the graphics card) enlarges
 * smoothly: much cheaper than a picture of the frame's size. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "heatmap.h"

#include <math.h>

#include "drawing.h"

/* Most cells of the grid along the frame's longer side. */
#define GRID      96
#define MAX_ALPHA 0.65
/* Below this a place is not coloured at all. */
#define FLOOR 0.05f

typedef struct
{
  gint columns, rows;
  gdouble cell; /* frame pixels */
  gfloat *heat;
} Grid;

typedef struct
{
  gint width, height, classes;
  gint window_width, window_height, stride_x, stride_y, offset_x, offset_y;
  gdouble scale_x, scale_y;
  const gfloat *scores;
} Level;

static gboolean
read_level (const GstStructure *fields, const GstMapInfo *scores, Level *level)
{
  gdouble scale;

  /* clang-format off */
  if (!gst_structure_get (fields,
          "width", G_TYPE_INT, &level->width,
          "height", G_TYPE_INT, &level->height,
          "classes", G_TYPE_INT, &level->classes,
          "window-width", G_TYPE_INT, &level->window_width,
          "window-height", G_TYPE_INT, &level->window_height,
          "stride-x", G_TYPE_INT, &level->stride_x,
          "stride-y", G_TYPE_INT, &level->stride_y,
          "offset-x", G_TYPE_INT, &level->offset_x,
          "offset-y", G_TYPE_INT, &level->offset_y,
          "scale", G_TYPE_DOUBLE, &scale, NULL))
    return FALSE;
  /* clang-format on */
  level->scale_x = level->scale_y = scale;
  gst_structure_get_double (fields, "scale-x", &level->scale_x);
  gst_structure_get_double (fields, "scale-y", &level->scale_y);
  level->scores = (const gfloat *) scores->data;
  return level->stride_x > 0 && level->stride_y > 0 && level->scale_x > 0.0
      && level->scale_y > 0.0 && level->width > 0 && level->height > 0
      && level->classes > 0
      && scores->size / sizeof (gfloat) / (gsize) level->width
          / (gsize) level->height
      >= (gsize) level->classes;
}

/* The score to show at a cell of the map. */
static gfloat
cell_heat (const Level *level, gint row, gint column, gint wanted,
    gint background)
{
  const gsize plane = (gsize) level->width * (gsize) level->height;
  const gfloat *score =
      level->scores + (gsize) row * (gsize) level->width + column;
  gfloat heat = 0.0f;

  if (wanted >= 0)
    return score[plane * (gsize) wanted];
  for (gint c = 0; c < level->classes; c++)
    if (c != background)
      heat = MAX (heat, score[plane * (gsize) c]);
  return heat;
}

/* Number of the cell whose window's centre is next to a place in the frame. */
static gint
nearest_cell (gdouble place, gdouble scale, gint offset, gint window,
    gint stride)
{
  return (gint) lround ((place / scale - offset - window / 2.0) / stride);
}

static void
add_level (const Grid *grid, const Level *level, gint wanted, gint background)
{
  for (gint y = 0; y < grid->rows; y++) {
    gint row = nearest_cell ((y + 0.5) * grid->cell, level->scale_y,
        level->offset_y, level->window_height, level->stride_y);

    if (row < 0 || row >= level->height)
      continue;
    for (gint x = 0; x < grid->columns; x++) {
      gint column = nearest_cell ((x + 0.5) * grid->cell, level->scale_x,
          level->offset_x, level->window_width, level->stride_x);
      gfloat *heat = &grid->heat[y * grid->columns + x];

      if (column >= 0 && column < level->width)
        *heat = MAX (*heat, cell_heat (level, row, column, wanted, background));
    }
  }
}

/* Yellow to red, more opaque as it gets hotter; premultiplied. */
static guint32
heat_color (gfloat heat)
{
  gdouble h = CLAMP (heat, 0.0f, 1.0f);
  gdouble alpha = heat < FLOOR ? 0.0 : MAX_ALPHA * sqrt (h);

  return (guint32) (alpha * 255.0 + 0.5) << 24
      | (guint32) (alpha * 255.0 + 0.5) << 16
      | (guint32) (alpha * (1.0 - h) * 255.0 + 0.5) << 8;
}

static GstVideoOverlayRectangle *
paint (const Grid *grid)
{
  const gsize cells = (gsize) grid->columns * (gsize) grid->rows;
  GstBuffer *pixels = gst_buffer_new_allocate (NULL, cells * 4, NULL);
  GstMapInfo map;

  gst_buffer_map (pixels, &map, GST_MAP_WRITE);
  for (gsize i = 0; i < cells; i++)
    ((guint32 *) map.data)[i] = heat_color (grid->heat[i]);
  gst_buffer_unmap (pixels, &map);
  return gst_convnet_rectangle_new (pixels, grid->columns, grid->rows, 0, 0,
      (gint) lround (grid->columns * grid->cell),
      (gint) lround (grid->rows * grid->cell));
}

static gint
find_label (const GstStructure *map, const gchar *label)
{
  const GValue *labels = gst_structure_get_value (map, "labels");

  for (guint i = 0; labels && i < gst_value_array_get_size (labels); i++) {
    const gchar *name =
        g_value_get_string (gst_value_array_get_value (labels, i));
    if (g_strcmp0 (name, label) == 0)
      return (gint) i;
  }
  return -1;
}

static void
add_scores (const Grid *grid, const GstStructure *fields, gint wanted,
    gint background)
{
  const GValue *value = gst_structure_get_value (fields, "scores");
  GstBuffer *scores = value ? gst_value_get_buffer (value) : NULL;
  GstMapInfo map;
  Level level;

  if (!scores || !gst_buffer_map (scores, &map, GST_MAP_READ))
    return;
  if (read_level (fields, &map, &level) && wanted < level.classes)
    add_level (grid, &level, wanted, background);
  gst_buffer_unmap (scores, &map);
}

GstVideoOverlayRectangle *
gst_convnet_heat_map (const GstStructure *map, const gchar *label, gint width,
    gint height)
{
  const GValue *levels = gst_structure_get_value (map, "levels");
  const gdouble cell = MAX (1.0, MAX (width, height) / (gdouble) GRID);
  Grid grid = { .columns = (gint) ceil (width / cell),
    .rows = (gint) ceil (height / cell),
    .cell = cell };
  gint wanted = label ? find_label (map, label) : -1, background = -1;
  GstVideoOverlayRectangle *rectangle;

  if (!levels || (label && wanted < 0))
    return NULL;
  gst_structure_get_int (map, "background", &background);

  grid.heat = g_new0 (gfloat, grid.columns * grid.rows);
  for (guint i = 0; i < gst_value_array_get_size (levels); i++)
    add_scores (&grid,
        gst_value_get_structure (gst_value_array_get_value (levels, i)), wanted,
        background);
  rectangle = paint (&grid);
  g_free (grid.heat);
  return rectangle;
}
