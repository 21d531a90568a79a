/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* meta.c: GstVideoRegionOfInterestMeta with a `detection` structure, written
 * and read in one place. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "meta.h"

#include <math.h>

#define DETECTION "detection"

static gint
nearest (gdouble position, gint low, gint high)
{
  return CLAMP ((gint) lround (position), low, high);
}

void
gst_convnet_object_from_detection (GstConvnetObject *object,
    const CnnDetection *detection, const GstConvnetModel *model, gint width,
    gint height)
{
  gint x0 = nearest (detection->x0, 0, width - 1);
  gint y0 = nearest (detection->y0, 0, height - 1);

  *object = (GstConvnetObject){ .x = x0,
    .y = y0,
    .width = nearest (detection->x1, x0 + 1, width) - x0,
    .height = nearest (detection->y1, y0 + 1, height) - y0,
    .x_min = detection->x0 / width,
    .y_min = detection->y0 / height,
    .x_max = detection->x1 / width,
    .y_max = detection->y1 / height,
    .region_type = model->labels[detection->class_id],
    .label = model->labels[detection->class_id],
    .label_id = detection->class_id,
    .confidence = detection->confidence };
}

void
gst_convnet_meta_add_object (GstBuffer *buffer, const GstConvnetObject *object,
    GQuark label)
{
  GstVideoRegionOfInterestMeta *region =
      gst_buffer_add_video_region_of_interest_meta_id (buffer, label,
          (guint) object->x, (guint) object->y, (guint) object->width,
          (guint) object->height);

  /* clang-format off */
  gst_video_region_of_interest_meta_add_param (region,
      gst_structure_new (DETECTION,
          "label_id", G_TYPE_INT, object->label_id,
          "confidence", G_TYPE_DOUBLE, object->confidence,
          "label", G_TYPE_STRING, object->label,
          "x_min", G_TYPE_DOUBLE, object->x_min,
          "y_min", G_TYPE_DOUBLE, object->y_min,
          "x_max", G_TYPE_DOUBLE, object->x_max,
          "y_max", G_TYPE_DOUBLE, object->y_max, NULL));
  /* clang-format on */
}

static void
read_region (const GstVideoRegionOfInterestMeta *region, gint width,
    gint height, GstConvnetObject *object)
{
  *object = (GstConvnetObject){ .x = (gint) region->x,
    .y = (gint) region->y,
    .width = (gint) region->w,
    .height = (gint) region->h,
    .x_min = (gdouble) region->x / width,
    .y_min = (gdouble) region->y / height,
    .x_max = (gdouble) (region->x + region->w) / width,
    .y_max = (gdouble) (region->y + region->h) / height,
    .region_type = g_quark_to_string (region->roi_type),
    .label_id = -1,
    .confidence = -1.0 };
}

/* Returns: FALSE if it isn't a detection of ours. */
static gboolean
read_detection (const GstVideoRegionOfInterestMeta *region,
    GstConvnetObject *object)
{
  const GstStructure *detection =
      gst_video_region_of_interest_meta_get_param ((GstVideoRegionOfInterestMeta
                                                           *) region,
          DETECTION);
  const gchar *label;
  gint label_id;
  gdouble confidence;

  if (!detection)
    return FALSE;
  label = gst_structure_get_string (detection, "label");
  if (!label || !gst_structure_get_int (detection, "label_id", &label_id)
      || !gst_structure_get_double (detection, "confidence", &confidence))
    return FALSE;

  object->label = label;
  object->label_id = label_id;
  object->confidence = confidence;
  gst_structure_get_double (detection, "x_min", &object->x_min);
  gst_structure_get_double (detection, "y_min", &object->y_min);
  gst_structure_get_double (detection, "x_max", &object->x_max);
  gst_structure_get_double (detection, "y_max", &object->y_max);
  return TRUE;
}

gboolean
gst_convnet_meta_next_object (GstBuffer *buffer, gpointer *state, gboolean all,
    gint width, gint height, GstConvnetObject *object)
{
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, state,
              GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
    const GstVideoRegionOfInterestMeta *region =
        (const GstVideoRegionOfInterestMeta *) meta;

    read_region (region, width, height, object);
    if (read_detection (region, object) || all)
      return TRUE;
  }
  return FALSE;
}
