/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* frame.h: a video buffer as the CnnImage that a model reads. */

#ifndef GST_CONVNET_FRAME_H
#define GST_CONVNET_FRAME_H

#include <cnn/image.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

/**
 * GstConvnetFrame:
 *
 * How frames of one format become pictures for one kind of model: as they lie
 * where the samples that the model wants lie in memory as bytes, else through
 * a converter into one buffer that is used again for every frame.
 */
typedef struct
{
  GstVideoInfo info;
  GstVideoInfo read_info;
  gint channels;
  gint components[3];
  CnnImageLevels levels;
  GstVideoConverter *converter;
  GstBuffer *scratch;
  GstVideoFrame source, converted;
} GstConvnetFrame;

/**
 * gst_convnet_frame_init:
 * @info: of the frames to come
 * @channels: 1 or 3
 * @format: order of the channels
 *
 * Returns: FALSE if no converter is known for the format.
 */
gboolean gst_convnet_frame_init (GstConvnetFrame *frame,
    const GstVideoInfo *info, gint channels, CnnPixelFormat format);

void gst_convnet_frame_clear (GstConvnetFrame *frame);

/** gst_convnet_frame_is_converted: Returns: FALSE if pixels are read as they
 * lie. */
gboolean gst_convnet_frame_is_converted (const GstConvnetFrame *frame);

/**
 * gst_convnet_frame_map:
 * @buffer: a frame; mapped for reading only
 * @image: (out): a view that lives until gst_convnet_frame_unmap()
 *
 * Returns: FALSE if the buffer can't be mapped, or is smaller than announced
 * or of another format.
 */
gboolean gst_convnet_frame_map (GstConvnetFrame *frame, GstBuffer *buffer,
    CnnImage *image);

void gst_convnet_frame_unmap (GstConvnetFrame *frame);

G_END_DECLS

#endif
