/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scene.c: a network that knows bright squares, and pictures of them. */

#include "scene.h"

#include <glib/gstdio.h>
#include <stdlib.h>

#include <cnn/onnx.h>

static void
must (CnnStatus status, const CnnError *error)
{
  if (status)
    g_error ("%s", error->message);
}

static CnnModel *
build_model (void)
{
  CnnError error = { 0 };
  CnnGraph *graph = NULL;
  CnnModel *model = NULL;
  float weights[3 * SCENE_WINDOW * SCENE_WINDOW] = { 0 };
  float bias[3] = { -40 * 0.85f, 40 * 0.15f, 0 };
  gint area = SCENE_WINDOW * SCENE_WINDOW;
  for (gint i = 0; i < area; i++) {
    weights[i] = 40.0f / (float) area;
    weights[area + i] = -40.0f / (float) area;
  }
  CnnShape open = { 4, { 1, 1, -1, -1 } };
  CnnTensor w = { CNN_TYPE_FLOAT32, { 4, { 3, 1, SCENE_WINDOW, SCENE_WINDOW } },
    weights };
  CnnTensor b = { CNN_TYPE_FLOAT32, { 1, { 3 } }, bias };
  const int64_t strides[] = { SCENE_STRIDE, SCENE_STRIDE };
  CnnAttribute attribute = { .name = "strides",
    .type = CNN_ATTRIBUTE_INTS,
    .count = 2,
    .ints = strides };
  const char *in[] = { "x", "w", "b" }, *out[] = { "y" };

  must (cnn_graph_new (CNN_GRAPH_OPSET, &graph, &error), &error);
  must (cnn_graph_add_input (graph, "x", CNN_TYPE_FLOAT32, &open, &error),
      &error);
  must (cnn_graph_add_constant (graph, "w", &w, &error), &error);
  must (cnn_graph_add_constant (graph, "b", &b, &error), &error);
  must (cnn_graph_add_node (graph, "Conv", "mean", in, 3, out, 1, &attribute, 1,
            &error),
      &error);
  must (cnn_graph_add_output (graph, "y", &error), &error);
  must (cnn_graph_set_metadata (graph, "convnet.labels", "bright\ndark\nnone",
            &error),
      &error);
  must (cnn_graph_set_metadata (graph, "convnet.background", "none", &error),
      &error);
  must (cnn_model_new (graph, &model, &error), &error);
  return model;
}

const gchar *
scene_model (void)
{
  static gchar *path;
  CnnError error = { 0 };
  void *bytes;
  size_t size;
  if (path)
    return path;

  CnnModel *model = build_model ();
  must (cnn_onnx_write (model, &bytes, &size, &error), &error);
  path = g_build_filename (g_get_tmp_dir (), "convnet-scene-XXXXXX", NULL);
  gint fd = g_mkstemp (path);
  g_assert_cmpint (fd, >=, 0);
  g_assert_true (g_close (fd, NULL));
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
  free (bytes);
  cnn_model_unref (model);
  return path;
}

gchar *
scene_launch (const gchar *more)
{
  return g_strdup_printf (
      "convnet name=c model-file=%s max-size=%d class-confidence-threshold=0.9 "
      "%s",
      scene_model (), SCENE_WINDOW, more);
}

gchar *
scene_caps (const gchar *format, gint width, gint height)
{
  return g_strdup_printf (
      "video/x-raw,format=%s,width=%d,height=%d,framerate=30/1", format, width,
      height);
}

/* Drawn as 8-bit grey and converted as GStreamer does. */
GstBuffer *
scene_frame (const GstVideoInfo *info, gint x, gint y)
{
  GstVideoInfo grey;
  GstVideoFrame from, to;
  gint width = GST_VIDEO_INFO_WIDTH (info),
       height = GST_VIDEO_INFO_HEIGHT (info);
  gst_video_info_set_format (&grey, GST_VIDEO_FORMAT_GRAY8, width, height);
  grey.fps_n = info->fps_n;
  grey.fps_d = info->fps_d;
  GstBuffer *drawn = gst_buffer_new_allocate (NULL, grey.size, NULL);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);

  g_assert_true (gst_video_frame_map (&from, &grey, drawn, GST_MAP_WRITE));
  guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (&from, 0);
  gint pitch = GST_VIDEO_FRAME_PLANE_STRIDE (&from, 0);
  for (gint i = 0; i < height; i++)
    for (gint k = 0; k < width; k++) {
      gboolean inside = x >= 0 && i >= y && i < y + SCENE_WINDOW && k >= x
          && k < x + SCENE_WINDOW;
      data[i * pitch + k] = inside ? 255 : 128;
    }
  g_assert_true (gst_video_frame_map (&to, info, buffer, GST_MAP_WRITE));
  GstVideoConverter *converter = gst_video_converter_new (&grey, info, NULL);
  g_assert_nonnull (converter);
  gst_video_converter_frame (converter, &from, &to);
  gst_video_converter_free (converter);
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
  gst_buffer_unref (drawn);
  GST_BUFFER_PTS (buffer) = 0;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
  return buffer;
}

GstHarness *
scene_harness (const gchar *launch, const gchar *format, gint width,
    gint height, GstVideoInfo *info)
{
  GstHarness *h = gst_harness_new_parse (launch);
  gchar *text = scene_caps (format, width, height);
  GstCaps *caps = gst_caps_from_string (text);
  g_assert_true (gst_video_info_from_caps (info, caps));
  gst_harness_set_src_caps (h, caps);
  g_free (text);
  return h;
}

guint
scene_count (GstBuffer *buffer)
{
  return gst_buffer_get_n_meta (buffer,
      GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
}

void
scene_assert_box (GstBuffer *buffer, const gchar *label, gint x, gint y, gint w,
    gint h)
{
  GstVideoRegionOfInterestMeta *roi =
      (GstVideoRegionOfInterestMeta *) gst_buffer_get_meta (buffer,
          GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
  g_assert_cmpuint (scene_count (buffer), ==, 1);
  g_assert_cmpstr (g_quark_to_string (roi->roi_type), ==, label);
  g_assert_cmpint (roi->x, ==, x);
  g_assert_cmpint (roi->y, ==, y);
  g_assert_cmpint (roi->w, ==, w);
  g_assert_cmpint (roi->h, ==, h);
}
