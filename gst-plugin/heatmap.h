/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* heatmap.h: GstConvnetMapMeta to a coloured overlay. */

#ifndef GST_CONVNET_HEAT_MAP_H
#define GST_CONVNET_HEAT_MAP_H

#include <gst/video/video.h>

G_BEGIN_DECLS

/**
 * gst_convnet_heat_map:
 * @map: structure of a GstConvnetMapMeta
 * @label: (nullable): class to show; NULL = at each place the most probable
 *   one that is not the background
 * @width, @height: of the frame
 *
 * At each place the greatest probability of all levels: nothing for 0, yellow,
 * red for 1.
 *
 * Returns: (transfer full) (nullable): NULL if the map has no such class.
 */
GstVideoOverlayRectangle *gst_convnet_heat_map (const GstStructure *map,
    const gchar *label, gint width, gint height);

G_END_DECLS

#endif
