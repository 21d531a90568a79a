/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* analytics.c: detections as ODMtd and ClsMtd, class maps as GstTensorMeta.
 *
 * Compiled only where GStreamer has its analytics library. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "analytics.h"

#include <gst/analytics/analytics.h>

#define TENSOR_ID "Gst.Model.FCN.Map"

static GstAnalyticsRelationMeta *
relation_meta (GstBuffer *buffer)
{
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);

  return meta ? meta : gst_buffer_add_analytics_relation_meta (buffer);
}

/* Probabilities of all classes in the cell that saw the object, its own class
 * in front, with the confidence that is said everywhere else. */
static void
rank_classes (const CnnDetection *detection, const GstConvnetModel *model,
    const CnnDetector *detector, gfloat *levels, GQuark *quarks)
{
  const gint winner = detection->class_id;
  gsize cells, n = 1;
  CnnMap map;

  cnn_detector_map (detector, detection->level, &map);
  cells = (gsize) map.width * (gsize) map.height;
  levels[0] = detection->confidence;
  quarks[0] = model->quarks[winner];
  for (gint i = 0; i < model->classes; i++) {
    if (i == winner)
      continue;
    levels[n] = map.scores[(gsize) i * cells + (gsize) detection->cell];
    quarks[n] = model->quarks[i];
    n++;
  }
}

void
gst_convnet_analytics_add (GstBuffer *buffer, const GstConvnetObject *object,
    const CnnDetection *detection, const GstConvnetModel *model,
    const CnnDetector *detector)
{
  GstAnalyticsRelationMeta *meta = relation_meta (buffer);
  gfloat *levels = g_new (gfloat, model->classes);
  GQuark *quarks = g_new (GQuark, model->classes);
  GstAnalyticsODMtd box;
  GstAnalyticsClsMtd classes;

  rank_classes (detection, model, detector, levels, quarks);
  if (gst_analytics_relation_meta_add_od_mtd (meta, quarks[0], object->x,
          object->y, object->width, object->height, levels[0], &box)
      && gst_analytics_relation_meta_add_cls_mtd (meta, (gsize) model->classes,
          levels, quarks, &classes))
    gst_analytics_relation_meta_set_relation (meta,
        GST_ANALYTICS_REL_TYPE_RELATE_TO | GST_ANALYTICS_REL_TYPE_CONTAIN,
        box.id, classes.id);
  g_free (levels);
  g_free (quarks);
}

#ifdef HAVE_TENSOR_META

static GstTensor *
tensor_of (const GstStructure *level)
{
  gint classes = 0, height = 0, width = 0;
  GstBuffer *scores = NULL;

  /* clang-format off */
  gst_structure_get (level,
      "classes", G_TYPE_INT, &classes,
      "height", G_TYPE_INT, &height,
      "width", G_TYPE_INT, &width,
      "scores", GST_TYPE_BUFFER, &scores, NULL);
  /* clang-format on */
  gsize dims[4] = { 1, (gsize) classes, (gsize) height, (gsize) width };
  return gst_tensor_new_simple (g_quark_from_static_string (TENSOR_ID),
      GST_TENSOR_DATA_TYPE_FLOAT32, scores, GST_TENSOR_DIM_ORDER_ROW_MAJOR,
      G_N_ELEMENTS (dims), dims);
}

void
gst_convnet_analytics_add_tensors (GstBuffer *buffer,
    const GstConvnetMapWriter *writer)
{
  const GValue *levels = writer->fields
      ? gst_structure_get_value (writer->fields, "levels")
      : NULL;
  guint n = levels ? gst_value_array_get_size (levels) : 0;
  GstTensor **tensors;

  if (n == 0)
    return;
  tensors = g_new (GstTensor *, n);
  for (guint i = 0; i < n; i++)
    tensors[i] = tensor_of (
        gst_value_get_structure (gst_value_array_get_value (levels, i)));
  gst_tensor_meta_set (gst_buffer_add_tensor_meta (buffer), n, tensors);
}

#endif
