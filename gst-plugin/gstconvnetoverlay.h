/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstconvnetoverlay.h: the element `convnetoverlay`. */

#ifndef GST_CONVNET_OVERLAY_H
#define GST_CONVNET_OVERLAY_H

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstConvnetDraw:
 * @GST_CONVNET_DRAW_BOXES: a box around every object
 * @GST_CONVNET_DRAW_LABELS: the name of its class
 * @GST_CONVNET_DRAW_SCORES: its confidence in percent
 * @GST_CONVNET_DRAW_HEAT_MAP: where the network sees a class
 *
 * What `convnetoverlay` draws.
 */
typedef enum
{
  GST_CONVNET_DRAW_BOXES = 1 << 0,
  GST_CONVNET_DRAW_LABELS = 1 << 1,
  GST_CONVNET_DRAW_SCORES = 1 << 2,
  GST_CONVNET_DRAW_HEAT_MAP = 1 << 3
} GstConvnetDraw;

#define GST_TYPE_CONVNET_DRAW (gst_convnet_draw_get_type ())
GType gst_convnet_draw_get_type (void);

#define GST_TYPE_CONVNET_OVERLAY (gst_convnet_overlay_get_type ())
G_DECLARE_FINAL_TYPE (GstConvnetOverlay, gst_convnet_overlay, GST,
    CONVNET_OVERLAY, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (convnetoverlay);

G_END_DECLS

#endif
