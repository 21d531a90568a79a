/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* message.h: the bus message `convnet`. */

#ifndef GST_CONVNET_MESSAGE_H
#define GST_CONVNET_MESSAGE_H

#include <gst/gst.h>

#include "meta.h"

G_BEGIN_DECLS

/**
 * gst_convnet_message_begin:
 * @segment: of the stream, for stream and running time
 *
 * Returns: (transfer full): the message's structure, without objects. Times
 * that are not known are GST_CLOCK_TIME_NONE.
 */
GstStructure *
gst_convnet_message_begin (const GstBuffer *buffer, const GstSegment *segment);

/** gst_convnet_message_add: @objects: of type GST_TYPE_LIST */
void gst_convnet_message_add (GValue *objects, const GstConvnetObject *object);

G_END_DECLS

#endif
