/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* frame.c: from GstVideoFrame to CnnImage.
 *
 * Most video has its luma as bytes in a row, and that is all that a model with
 * one channel wants: it is read where it lies, with the format's own step and
 * stride. Only the rest pays for a conversion. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "frame.h"

static gboolean
is_bytes (const GstVideoFormatInfo *format, guint component)
{
  return GST_VIDEO_FORMAT_INFO_DEPTH (format, component) == 8
      && GST_VIDEO_FORMAT_INFO_PSTRIDE (format, component) > 0;
}

/* Whether @channels samples of the wanted kind lie there as bytes. */
static gboolean
can_view (const GstVideoFormatInfo *format, gint channels)
{
  if (GST_VIDEO_FORMAT_INFO_IS_TILED (format)
      || GST_VIDEO_FORMAT_INFO_HAS_PALETTE (format))
    return FALSE;

  if (channels == 1)
    return (GST_VIDEO_FORMAT_INFO_IS_YUV (format)
               || GST_VIDEO_FORMAT_INFO_IS_GRAY (format))
        && is_bytes (format, 0);

  return GST_VIDEO_FORMAT_INFO_IS_RGB (format) && is_bytes (format, 0)
      && is_bytes (format, 1) && is_bytes (format, 2);
}

static CnnImageLevels
levels_of (const GstVideoInfo *info)
{
  switch (GST_VIDEO_INFO_COLORIMETRY (info).range) {
    case GST_VIDEO_COLOR_RANGE_0_255:
      return CNN_LEVELS_FULL;
    case GST_VIDEO_COLOR_RANGE_16_235:
      return CNN_LEVELS_VIDEO;
    default:
      return GST_VIDEO_INFO_IS_YUV (info) ? CNN_LEVELS_VIDEO : CNN_LEVELS_FULL;
  }
}

/* A format of the same frames that can be viewed. Luma keeps its levels: from
 * YUV to GRAY8 the converter copies it whatever the two ranges say. */
static void
choose_read_info (GstConvnetFrame *frame)
{
  const GstVideoInfo *info = &frame->info;
  GstVideoInfo *read_info = &frame->read_info;

  gst_video_info_set_format (read_info,
      frame->channels == 1 ? GST_VIDEO_FORMAT_GRAY8 : GST_VIDEO_FORMAT_RGB,
      GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info));
  if (frame->channels == 1 && !GST_VIDEO_INFO_IS_RGB (info)) {
    read_info->colorimetry = info->colorimetry;
    read_info->colorimetry.range = levels_of (info) == CNN_LEVELS_VIDEO
        ? GST_VIDEO_COLOR_RANGE_16_235
        : GST_VIDEO_COLOR_RANGE_0_255;
  }
  /* The converter wants these to be equal. */
  read_info->fps_n = info->fps_n;
  read_info->fps_d = info->fps_d;
  read_info->interlace_mode = info->interlace_mode;
}

/* Dithering is left out: it is noise that the network need not see. */
static gboolean
add_converter (GstConvnetFrame *frame)
{
  choose_read_info (frame);
  frame->converter = gst_video_converter_new (&frame->info, &frame->read_info,
      gst_structure_new ("options", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
          GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL));
  if (!frame->converter)
    return FALSE;
  frame->scratch = gst_buffer_new_allocate (NULL, frame->read_info.size, NULL);
  return frame->scratch != NULL;
}

gboolean
gst_convnet_frame_init (GstConvnetFrame *frame, const GstVideoInfo *info,
    gint channels, CnnPixelFormat format)
{
  *frame = (GstConvnetFrame){ .info = *info,
    .read_info = *info,
    .channels = channels,
    .components = { 0, 1, 2 } };

  if (!can_view (info->finfo, channels) && !add_converter (frame)) {
    gst_convnet_frame_clear (frame);
    return FALSE;
  }
  if (format == CNN_PIXEL_BGR8) {
    frame->components[0] = 2;
    frame->components[2] = 0;
  }
  frame->levels = levels_of (&frame->read_info);
  return TRUE;
}

void
gst_convnet_frame_clear (GstConvnetFrame *frame)
{
  g_clear_pointer (&frame->converter, gst_video_converter_free);
  gst_clear_buffer (&frame->scratch);
}

gboolean
gst_convnet_frame_is_converted (const GstConvnetFrame *frame)
{
  return frame->converter != NULL;
}

static void
view (const GstConvnetFrame *frame, const GstVideoFrame *pixels,
    CnnImage *image)
{
  *image = (CnnImage){ .width = GST_VIDEO_INFO_WIDTH (&frame->info),
    .height = GST_VIDEO_INFO_HEIGHT (&frame->info),
    .channels = frame->channels,
    .step_bytes = GST_VIDEO_FRAME_COMP_PSTRIDE (pixels, 0),
    .levels = frame->levels };
  for (gint c = 0; c < frame->channels; c++) {
    gint component = frame->components[c];
    image->data[c] = GST_VIDEO_FRAME_COMP_DATA (pixels, component);
    image->pitch_bytes[c] = GST_VIDEO_FRAME_COMP_STRIDE (pixels, component);
  }
}

/* A video meta may say more than the caps did, where a decoder pads its
 * pictures; never less. */
static gboolean
is_large_enough (const GstConvnetFrame *frame)
{
  return GST_VIDEO_FRAME_WIDTH (&frame->source)
      >= GST_VIDEO_INFO_WIDTH (&frame->info)
      && GST_VIDEO_FRAME_HEIGHT (&frame->source)
      >= GST_VIDEO_INFO_HEIGHT (&frame->info)
      && GST_VIDEO_FRAME_FORMAT (&frame->source)
      == GST_VIDEO_INFO_FORMAT (&frame->info);
}

gboolean
gst_convnet_frame_map (GstConvnetFrame *frame, GstBuffer *buffer,
    CnnImage *image)
{
  if (!gst_video_frame_map (&frame->source, &frame->info, buffer, GST_MAP_READ))
    return FALSE;
  if (!is_large_enough (frame))
    goto fail;

  if (!frame->converter) {
    view (frame, &frame->source, image);
    return TRUE;
  }
  if (!gst_video_frame_map (&frame->converted, &frame->read_info,
          frame->scratch, GST_MAP_READWRITE))
    goto fail;
  gst_video_converter_frame (frame->converter, &frame->source,
      &frame->converted);
  view (frame, &frame->converted, image);
  return TRUE;

fail:
  gst_video_frame_unmap (&frame->source);
  return FALSE;
}

void
gst_convnet_frame_unmap (GstConvnetFrame *frame)
{
  if (frame->converter)
    gst_video_frame_unmap (&frame->converted);
  gst_video_frame_unmap (&frame->source);
}
