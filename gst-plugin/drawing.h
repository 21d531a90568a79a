/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* drawing.h: objects to overlay rectangles, with Cairo and Pango. */

#ifndef GST_CONVNET_DRAWING_H
#define GST_CONVNET_DRAWING_H

#include <gst/video/video.h>

#include "gstconvnetoverlay.h"
#include "meta.h"

G_BEGIN_DECLS

/**
 * GstConvnetStyle:
 * @width, @height: of the frame
 * @draw: what to draw
 * @line_width: in pixels; 0 = by the frame's size
 * @font: (nullable): as pango_font_description_from_string() reads it; without
 *   a size it is as large as suits the frame
 * @color: ARGB; 0 = one for each class
 */
typedef struct
{
  gint width, height;
  GstConvnetDraw draw;
  gdouble line_width;
  const gchar *font;
  guint32 color;
} GstConvnetStyle;

/**
 * gst_convnet_rectangle_new:
 * @pixels: (transfer full): width x height premultiplied ARGB, native endian
 * @x, @y, @render_width, @render_height: where they go in the frame
 *
 * Returns: (transfer full)
 */
GstVideoOverlayRectangle *gst_convnet_rectangle_new (GstBuffer *pixels,
    gint width, gint height, gint x, gint y, gint render_width,
    gint render_height);

/**
 * gst_convnet_draw_objects:
 * @objects: of GstConvnetObject
 * @rectangles: of GstVideoOverlayRectangle; what is drawn is added
 *
 * Boxes, labels and scores. Labels are placed where they hide least, and
 * always inside of the frame.
 *
 * Cost: proportional to the pixels of lines and labels, not of the frame.
 */
void gst_convnet_draw_objects (const GstConvnetStyle *style,
    const GArray *objects, GPtrArray *rectangles);

G_END_DECLS

#endif
