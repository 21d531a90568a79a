/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* message.c: what an application without access to the buffers gets told. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "message.h"

GstStructure *
gst_convnet_message_begin (const GstBuffer *buffer, const GstSegment *segment)
{
  const GstClockTime timestamp = GST_BUFFER_PTS (buffer);
  GstClockTime stream_time = GST_CLOCK_TIME_NONE;
  GstClockTime running_time = GST_CLOCK_TIME_NONE;

  if (GST_CLOCK_TIME_IS_VALID (timestamp)
      && segment->format == GST_FORMAT_TIME) {
    stream_time =
        gst_segment_to_stream_time (segment, GST_FORMAT_TIME, timestamp);
    running_time =
        gst_segment_to_running_time (segment, GST_FORMAT_TIME, timestamp);
  }
  /* clang-format off */
  return gst_structure_new ("convnet",
      "timestamp", G_TYPE_UINT64, timestamp,
      "stream-time", G_TYPE_UINT64, stream_time,
      "running-time", G_TYPE_UINT64, running_time,
      "duration", G_TYPE_UINT64, GST_BUFFER_DURATION (buffer), NULL);
  /* clang-format on */
}

void
gst_convnet_message_add (GValue *objects, const GstConvnetObject *object)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, GST_TYPE_STRUCTURE);
  /* clang-format off */
  g_value_take_boxed (&value,
      gst_structure_new ("object",
          "label", G_TYPE_STRING, object->label,
          "class-id", G_TYPE_INT, object->label_id,
          "confidence", G_TYPE_DOUBLE, object->confidence,
          "x", G_TYPE_INT, object->x,
          "y", G_TYPE_INT, object->y,
          "width", G_TYPE_INT, object->width,
          "height", G_TYPE_INT, object->height, NULL));
  /* clang-format on */
  gst_value_list_append_and_take_value (objects, &value);
}
