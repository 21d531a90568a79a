/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* activations.c: what each layer of a network makes of a picture.
 *
 * Runs a copy of the network in which every layer's maps are outputs: slower,
 * and with all of them in memory at once. */

#include "activations.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "draw.h"
#include "model-file.h"
#include "tiles.h"

#define TILE_SIDE    32 /* smaller maps are enlarged */
#define CELL_SIDE    12 /* but no cell beyond this */
#define ASPECT       1.6
#define LABEL_HEIGHT 16
#define FONT         "Sans 11px"
#define MIN_WIDTH    320
#define MAX_HEIGHT   32767 /* of Cairo's surfaces */

/* One layer's maps. */
typedef struct
{
  char *name;
  float *values;
  ToolTiles tiles;
} Layer;

static void
clear_layer (gpointer data)
{
  Layer *layer = data;

  g_free (layer->name);
  g_free (layer->values);
}

/* The name, fit for a file's. */
static char *
file_name (const char *folder, int number, const Layer *layer)
{
  char *name = g_strdup (layer->name), *path;

  g_strcanon (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".-_", '_');
  path = g_strdup_printf ("%s/%02d-%s.png", folder, number, name);
  g_free (name);
  return path;
}

/* FALSE for what is no map: shapes, indices, single numbers. */
static gboolean
read_maps (const CnnTensor *tensor, ToolTiles *tiles, float **values)
{
  const int64_t *dims;
  size_t count;

  if (!tensor || !cnn_type_is_float (tensor->type))
    return FALSE;
  dims = tensor->shape.dims;
  if ((tensor->shape.rank != 4 && tensor->shape.rank != 2) || dims[0] != 1
      || cnn_shape_elements (&tensor->shape, &count) != CNN_OK || !count
      || count > G_MAXINT)
    return FALSE;
  *tiles = (ToolTiles){ .count = (int) dims[1],
    .height = tensor->shape.rank == 4 ? (int) dims[2] : 1,
    .width = tensor->shape.rank == 4 ? (int) dims[3] : 1 };
  *values = g_new (float, count);
  for (size_t i = 0; i < count; i++)
    (*values)[i] = (float) cnn_tensor_value (tensor, i);
  tiles->values = *values;
  tool_tiles_stretch (tiles);
  tool_tiles_arrange (tiles, TILE_SIDE, ASPECT);
  tiles->zoom = MIN (tiles->zoom, CELL_SIDE);
  return TRUE;
}

static GArray *
collect (const CnnSession *session)
{
  GArray *layers = g_array_new (FALSE, FALSE, sizeof (Layer));

  g_array_set_clear_func (layers, clear_layer);
  for (int i = 0; i < cnn_session_n_layers (session); i++) {
    CnnLayerInfo info;
    Layer layer;

    if (!read_maps (cnn_session_layer_output (session, i), &layer.tiles,
            &layer.values))
      continue;
    cnn_session_layer (session, i, &info);
    layer.name = g_strdup (info.name);
    g_array_append_val (layers, layer);
  }
  return layers;
}

static char *
caption (const Layer *layer)
{
  const ToolTiles *t = &layer->tiles;

  return g_strdup_printf ("%s: %d x %d x %d, %.3g to %.3g", layer->name,
      t->count, t->height, t->width, (double) t->low, (double) t->high);
}

/* Rows as long as the longest. */
static void
arrange_sheet (GArray *layers, int *width, int *height)
{
  *width = MIN_WIDTH;
  *height = TOOL_TILES_GAP;
  for (guint i = 0; i < layers->len; i++)
    *width = MAX (*width,
        tool_tiles_width (&g_array_index (layers, Layer, i).tiles));
  for (guint i = 0; i < layers->len; i++) {
    ToolTiles *tiles = &g_array_index (layers, Layer, i).tiles;

    tool_tiles_fill (tiles, *width);
    *height += LABEL_HEIGHT + tool_tiles_height (tiles);
  }
}

/* All layers, one below the other. */
static gboolean
write_sheet (GArray *layers, const char *folder, GError **error)
{
  int width, height, y = 0;
  char *path;
  cairo_surface_t *sheet;
  cairo_t *cr;
  gboolean ok;

  arrange_sheet (layers, &width, &height);
  if (height > MAX_HEIGHT)
    return TRUE;
  path = g_build_filename (folder, "layers.png", NULL);
  sheet = tool_tiles_sheet (width, height);
  cr = cairo_create (sheet);
  for (guint i = 0; i < layers->len; i++) {
    const Layer *layer = &g_array_index (layers, Layer, i);
    char *text = caption (layer);

    cairo_set_source_rgba (cr, 1, 1, 1, 1);
    tool_draw_text (cr, FONT, TOOL_TILES_GAP, y + 1, text);
    y += LABEL_HEIGHT;
    tool_tiles_draw (&layer->tiles, sheet, 0, y);
    y += tool_tiles_height (&layer->tiles);
    g_free (text);
  }
  cairo_destroy (cr);
  ok = tool_tiles_save (sheet, path, error);
  cairo_surface_destroy (sheet);
  g_free (path);
  return ok;
}

static gboolean
write_layers (GArray *layers, const char *folder, GError **error)
{
  gboolean ok = TRUE;

  if (g_mkdir_with_parents (folder, 0777) != 0)
    return tool_fail (error, "%s: %s", folder, g_strerror (errno));
  for (guint i = 0; ok && i < layers->len; i++) {
    const Layer *layer = &g_array_index (layers, Layer, i);
    char *path = file_name (folder, (int) i + 1, layer);

    ok = tool_tiles_write (&layer->tiles, path, error);
    g_free (path);
  }
  return ok && write_sheet (layers, folder, error);
}

/* Shows @image, scaled to @width x @height with @border pixels around it, to
 * all layers of @model. */
static gboolean
run (CnnModel *model, const CnnImage *image, int width, int height, int border,
    CnnPool *pool, GArray **layers, GError **error)
{
  const CnnModelInfo *info = cnn_model_info (model);
  CnnSessionOptions options = { .pool = pool };
  CnnShape shape = { 4,
    { 1, info->channels, height + 2 * border, width + 2 * border } };
  CnnModel *open = NULL;
  CnnSession *session = NULL;
  CnnResampler *resampler = NULL;
  CnnError cause = { 0 };
  gboolean ok;

  ok = cnn_model_with_layers (model, &open, &cause) == CNN_OK
      && cnn_session_new (open, &shape, &options, &session, &cause) == CNN_OK
      && cnn_resampler_new (image->width, image->height, width, height, border,
             &resampler, &cause)
          == CNN_OK;
  if (ok) {
    cnn_resampler_run (resampler, image, info->range, pool,
        cnn_session_input (session, 0)->data);
    cnn_session_run (session);
    *layers = collect (session);
  }
  cnn_resampler_free (resampler);
  cnn_session_free (session);
  cnn_model_unref (open);
  return ok || tool_fail_cnn (error, "layers of the network", &cause);
}

static gboolean
run_level (CnnModel *model, const CnnImage *image, const CnnDetector *detector,
    int level, CnnPool *pool, GArray **layers, GError **error)
{
  int levels = cnn_detector_n_levels (detector);
  CnnModel *map = NULL;
  CnnError cause = { 0 };
  CnnMap scores;
  gboolean ok;

  if (level < 0 || level >= levels)
    return tool_fail_usage (error, "--level: the pyramid has levels 0 to %d",
        levels - 1);
  if (cnn_model_to_map (model, &map, &cause) != CNN_OK)
    return tool_fail_cnn (error, "map network", &cause);
  cnn_detector_map (detector, level, &scores);
  ok = run (map, image, (int) lround (image->width / scores.scale_x),
      (int) lround (image->height / scores.scale_y),
      cnn_model_info (map)->border, pool, layers, error);
  cnn_model_unref (map);
  return ok;
}

gboolean
tool_activations_write (CnnModel *model, const CnnImage *image,
    const CnnDetector *detector, int level, CnnPool *pool, const char *folder,
    GError **error)
{
  GArray *layers = NULL;
  int height, width;
  gboolean ok, whole;

  if (!tool_model_window (model, &height, &width, error))
    return FALSE;
  whole = !detector || cnn_detector_n_levels (detector) == 0
      || (image->width == width && image->height == height);
  if (whole)
    ok = run (model, image, width, height, 0, pool, &layers, error);
  else
    ok = run_level (model, image, detector, level, pool, &layers, error);
  ok = ok && write_layers (layers, folder, error);
  if (layers)
    g_array_unref (layers);
  return ok;
}
