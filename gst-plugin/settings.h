/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* settings.h: the properties of `convnet`: what there is and where it stands.
 *
 * The element keeps one GstConvnetSettings and one GstConvnetStats, both
 * guarded by its object lock. */

#ifndef GST_CONVNET_SETTINGS_H
#define GST_CONVNET_SETTINGS_H

#include "gstconvnet.h"

G_BEGIN_DECLS

/**
 * GstConvnetSettings:
 * @model_changed: set whenever @model_file was
 * @pyramid_changed: set whenever @scale_factor, @min_size, @max_size,
 *   @window_stride, @precision or @reuse was
 *
 * What was set, unchecked against any model. Other fields are the properties
 * of the same names.
 */
typedef struct
{
  gchar *model_file, *label_file, *labels, *background_class;
  gfloat class_confidence_threshold, iou_threshold;
  guint max_detections;
  gdouble scale_factor;
  guint min_size, max_size, window_stride, threads;
  gboolean post_messages;
  GstConvnetAttachMap attach_map;
  GstConvnetPrecision precision;
  GstConvnetReuse reuse;
  gboolean model_changed, pyramid_changed;
} GstConvnetSettings;

/**
 * GstConvnetStats:
 * @total_time: of all inferences, in ns
 *
 * What the read-only properties say.
 */
typedef struct
{
  guint64 processed, reused, late, objects;
  GstClockTime total_time, last_time;
  guint receptive_field, map_stride;
  guint64 macs_per_frame;
} GstConvnetStats;

/** gst_convnet_settings_init: every field to its property's default. */
void gst_convnet_settings_init (GstConvnetSettings *settings);
void gst_convnet_settings_clear (GstConvnetSettings *settings);

/** gst_convnet_settings_install: adds the properties to the class. */
void gst_convnet_settings_install (GObjectClass *klass);

/** gst_convnet_settings_set: Returns: FALSE if there is no such property. */
gboolean gst_convnet_settings_set (GstConvnetSettings *settings, guint id,
    const GValue *value);

/** gst_convnet_settings_get: Returns: FALSE if there is no such property. */
gboolean gst_convnet_settings_get (const GstConvnetSettings *settings,
    const GstConvnetStats *stats, guint id, GValue *value);

G_END_DECLS

#endif
