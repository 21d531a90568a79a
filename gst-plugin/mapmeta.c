/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mapmeta.c: class maps into structures, and structures through transforms.
 *
 * Scores travel as buffers from a pool: a frame's metadata is copied often
 * (tee, videoconvert), its scores never. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "mapmeta.h"

#include <math.h>
#include <string.h>

#include <gst/video/video.h>

/* Vectors of downstream readers like their rows aligned to a cache line. */
#define SCORES_ALIGN 63
/* Rounding of frame sizes is no change of the aspect ratio: half a pixel in
 * 32 is 1.6 %. */
#define ASPECT_TOLERANCE 0.02

static gboolean
copy_field (GQuark id, const GValue *value, gpointer data)
{
  gst_structure_id_set_value (data, id, value);
  return TRUE;
}

static GstStructure *
add_meta (GstBuffer *buffer, const GstStructure *fields)
{
  GstCustomMeta *meta =
      gst_buffer_add_custom_meta (buffer, GST_CONVNET_MAP_META_NAME);
  GstStructure *structure;

  if (!meta)
    return NULL;
  structure = gst_custom_meta_get_structure (meta);
  gst_structure_foreach (fields, copy_field, structure);
  return structure;
}

static void
multiply (GstStructure *level, const gchar *field, gdouble factor)
{
  gdouble value;

  if (gst_structure_get_double (level, field, &value))
    gst_structure_set (level, field, G_TYPE_DOUBLE, value * factor, NULL);
}

static void
scale_levels (GstStructure *map, gdouble factor_x, gdouble factor_y)
{
  const GValue *levels = gst_structure_get_value (map, "levels");
  GValue scaled = G_VALUE_INIT;

  if (!levels || !GST_VALUE_HOLDS_ARRAY (levels))
    return;

  g_value_init (&scaled, GST_TYPE_ARRAY);
  for (guint i = 0; i < gst_value_array_get_size (levels); i++) {
    const GValue *item = gst_value_array_get_value (levels, i);
    GstStructure *level = gst_structure_copy (gst_value_get_structure (item));
    GValue value = G_VALUE_INIT;

    multiply (level, "scale", sqrt (factor_x * factor_y));
    multiply (level, "scale-x", factor_x);
    multiply (level, "scale-y", factor_y);
    g_value_init (&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&value, level);
    gst_value_array_append_and_take_value (&scaled, &value);
  }
  gst_structure_take_value (map, "levels", &scaled);
}

/* A change of the aspect ratio may have come with borders, of which the
 * transform says nothing: no map is better than one in the wrong place. */
static void
transform_scale (GstBuffer *out, const GstStructure *fields,
    const GstVideoMetaTransform *scale)
{
  gdouble factor_x = (gdouble) GST_VIDEO_INFO_WIDTH (scale->out_info)
      / GST_VIDEO_INFO_WIDTH (scale->in_info);
  gdouble factor_y = (gdouble) GST_VIDEO_INFO_HEIGHT (scale->out_info)
      / GST_VIDEO_INFO_HEIGHT (scale->in_info);
  GstStructure *map;

  if (fabs (factor_x / factor_y - 1.0) > ASPECT_TOLERANCE)
    return;
  map = add_meta (out, fields);
  if (map && (factor_x != 1.0 || factor_y != 1.0))
    scale_levels (map, factor_x, factor_y);
}

/* Copied with the whole buffer, scaled with the picture, and otherwise left
 * behind. */
static gboolean
transform_map (GstBuffer *out, GstCustomMeta *meta, GstBuffer *in G_GNUC_UNUSED,
    GQuark type, gpointer data, gpointer user_data G_GNUC_UNUSED)
{
  const GstStructure *fields = gst_custom_meta_get_structure (meta);

  if (GST_META_TRANSFORM_IS_COPY (type)) {
    const GstMetaTransformCopy *copy = data;
    if (!copy->region)
      add_meta (out, fields);
    return TRUE;
  }
  if (GST_VIDEO_META_TRANSFORM_IS_SCALE (type)) {
    transform_scale (out, fields, data);
    return TRUE;
  }
  return FALSE;
}

void
gst_convnet_map_meta_register (void)
{
  static gsize once = 0;
  static const gchar *tags[] = { GST_META_TAG_VIDEO_STR,
    GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_ORIENTATION_STR, NULL };

  if (g_once_init_enter (&once)) {
    gst_meta_register_custom (GST_CONVNET_MAP_META_NAME, tags, transform_map,
        NULL, NULL);
    g_once_init_leave (&once, 1);
  }
}

static GstBufferPool *
new_pool (gsize bytes)
{
  GstBufferPool *pool = gst_buffer_pool_new ();
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstAllocationParams params;

  gst_allocation_params_init (&params);
  params.align = SCORES_ALIGN;
  gst_buffer_pool_config_set_params (config, NULL, (guint) bytes, 0, 0);
  gst_buffer_pool_config_set_allocator (config, NULL, &params);
  if (gst_buffer_pool_set_config (pool, config)
      && gst_buffer_pool_set_active (pool, TRUE))
    return pool;
  gst_object_unref (pool);
  return NULL;
}

void
gst_convnet_map_writer_clear (GstConvnetMapWriter *writer)
{
  for (gint i = 0; i < CNN_MAX_LEVELS; i++) {
    if (writer->pools[i])
      gst_buffer_pool_set_active (writer->pools[i], FALSE);
    gst_clear_object (&writer->pools[i]);
  }
  gst_convnet_map_writer_forget (writer);
}

void
gst_convnet_map_writer_forget (GstConvnetMapWriter *writer)
{
  g_clear_pointer (&writer->fields, gst_structure_free);
}

/* Returns: (transfer full) (nullable): the level's scores in pool memory. */
static GstBuffer *
copy_scores (GstBufferPool **pool, const CnnMap *map)
{
  gsize bytes = (gsize) map->classes * (gsize) map->height * (gsize) map->width
      * sizeof (float);
  GstBuffer *scores = NULL;

  if (bytes > G_MAXUINT)
    return NULL;
  if (!*pool)
    *pool = new_pool (bytes);
  if (!*pool
      || gst_buffer_pool_acquire_buffer (*pool, &scores, NULL) != GST_FLOW_OK)
    return NULL;
  gst_buffer_fill (scores, 0, map->scores, bytes);
  return scores;
}

static GstStructure *
describe_level (const CnnMap *map, GstBuffer *scores)
{
  const CnnGeometry *geometry = &map->geometry;

  /* clang-format off */
  return gst_structure_new ("level",
      "width", G_TYPE_INT, map->width,
      "height", G_TYPE_INT, map->height,
      "classes", G_TYPE_INT, map->classes,
      "scale", G_TYPE_DOUBLE, sqrt (map->scale_x * map->scale_y),
      "scale-x", G_TYPE_DOUBLE, map->scale_x,
      "scale-y", G_TYPE_DOUBLE, map->scale_y,
      "window-width", G_TYPE_INT, geometry->window[1],
      "window-height", G_TYPE_INT, geometry->window[0],
      "stride-x", G_TYPE_INT, geometry->stride[1],
      "stride-y", G_TYPE_INT, geometry->stride[0],
      "offset-x", G_TYPE_INT, geometry->offset[1],
      "offset-y", G_TYPE_INT, geometry->offset[0],
      "scores", GST_TYPE_BUFFER, scores, NULL);
  /* clang-format on */
}

static void
collect_levels (GstConvnetMapWriter *writer, const CnnDetector *detector,
    GValue *levels)
{
  for (gint i = 0; i < cnn_detector_n_levels (detector); i++) {
    GValue value = G_VALUE_INIT;
    GstBuffer *scores;
    CnnMap map;

    cnn_detector_map (detector, i, &map);
    scores = copy_scores (&writer->pools[i], &map);
    if (!scores)
      continue;
    g_value_init (&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed (&value, describe_level (&map, scores));
    gst_value_array_append_and_take_value (levels, &value);
    gst_buffer_unref (scores);
  }
}

static void
collect_labels (const GstConvnetModel *model, GValue *labels)
{
  for (gint i = 0; i < model->classes; i++) {
    GValue value = G_VALUE_INIT;

    g_value_init (&value, G_TYPE_STRING);
    g_value_set_string (&value, model->labels[i]);
    gst_value_array_append_and_take_value (labels, &value);
  }
}

void
gst_convnet_map_writer_update (GstConvnetMapWriter *writer,
    const GstConvnetModel *model, const CnnDetector *detector)
{
  GstStructure *fields = gst_structure_new (GST_CONVNET_MAP_META_NAME,
      "background", G_TYPE_INT, model->background, NULL);
  GValue levels = G_VALUE_INIT, labels = G_VALUE_INIT;

  g_value_init (&levels, GST_TYPE_ARRAY);
  g_value_init (&labels, GST_TYPE_ARRAY);
  collect_levels (writer, detector, &levels);
  collect_labels (model, &labels);
  gst_structure_take_value (fields, "levels", &levels);
  gst_structure_take_value (fields, "labels", &labels);

  if (writer->fields)
    gst_structure_free (writer->fields);
  writer->fields = fields;
}

void
gst_convnet_map_writer_attach (const GstConvnetMapWriter *writer,
    GstBuffer *buffer, gint age)
{
  GstStructure *map;

  if (!writer->fields)
    return;
  map = add_meta (buffer, writer->fields);
  if (map)
    gst_structure_set (map, "age", G_TYPE_INT, age, NULL);
}
