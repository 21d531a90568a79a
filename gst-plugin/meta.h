/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* meta.h: boxes to regions of interest on a buffer, and back.
 *
 * `convnet` writes with this, `convnetoverlay` and `convnetjson` read. */

#ifndef GST_CONVNET_META_H
#define GST_CONVNET_META_H

#include <cnn/detect.h>
#include <gst/video/video.h>

#include "gstconvnetmodel.h"

G_BEGIN_DECLS

/**
 * GstConvnetObject:
 * @x, @y, @width, @height: frame pixels, inside of the frame
 * @x_min, @y_min, @x_max, @y_max: the same box, not rounded, as fractions of
 *   the frame
 * @region_type: what kind of region it is, for readers that know only that
 * @label: name of the class; (nullable) for regions of other elements
 * @label_id: index of the class; -1 for regions of other elements
 * @confidence: 0..1; -1 for regions of other elements
 *
 * One found object. Strings are borrowed.
 */
typedef struct
{
  gint x, y, width, height;
  gdouble x_min, y_min, x_max, y_max;
  const gchar *region_type;
  const gchar *label;
  gint label_id;
  gdouble confidence;
} GstConvnetObject;

/**
 * gst_convnet_object_from_detection:
 * @width, @height: of the frame
 *
 * The one place where boxes become whole pixels: edges go to the nearest, and
 * a box keeps at least one pixel.
 */
void gst_convnet_object_from_detection (GstConvnetObject *object,
    const CnnDetection *detection, const GstConvnetModel *model, gint width,
    gint height);

/** gst_convnet_meta_add_object: adds a region of interest to @buffer. */
void gst_convnet_meta_add_object (GstBuffer *buffer,
    const GstConvnetObject *object, GQuark label);

/**
 * gst_convnet_meta_next_object:
 * @state: NULL at the beginning
 * @all: also regions without a `detection` of ours
 * @width, @height: of the frame
 * @object: (out): valid as long as the buffer's metadata
 *
 * Returns: FALSE after the last one.
 */
gboolean gst_convnet_meta_next_object (GstBuffer *buffer, gpointer *state,
    gboolean all, gint width, gint height, GstConvnetObject *object);

G_END_DECLS

#endif
