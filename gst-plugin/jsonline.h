/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jsonline.h: what was found in a frame as one line of JSON. */

#ifndef GST_CONVNET_JSON_LINE_H
#define GST_CONVNET_JSON_LINE_H

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstConvnetJsonLine:
 * @source: (nullable): name of the stream; NULL leaves the field out
 * @tags: (nullable): text of a JSON object; NULL leaves the field out
 * @width, @height: of the frame
 * @all_regions: also regions of interest of other elements
 *
 * What doesn't change from frame to frame. Strings are borrowed.
 */
typedef struct
{
  const gchar *source;
  const gchar *tags;
  gint width, height;
  gboolean all_regions;
} GstConvnetJsonLine;

/**
 * gst_convnet_json_line:
 * @buffer: a frame with metadata
 * @objects: (out): how many there are in the line
 *
 * Returns: (transfer full): the line, with its newline.
 */
GString *gst_convnet_json_line (const GstConvnetJsonLine *line,
    GstBuffer *buffer, guint *objects);

/**
 * gst_convnet_json_check_object:
 * @text: claimed to be a JSON object
 *
 * Returns: (transfer full) (nullable): the object in compact form; NULL with
 * @error set.
 */
gchar *gst_convnet_json_check_object (const gchar *text, GError **error);

G_END_DECLS

#endif
