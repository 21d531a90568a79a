/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_convnet.c: frames in, the same frames with metadata out. */

#include <math.h>
#include <string.h>

#include "scene.h"

static GstBuffer *
push_pull (GstHarness *h, GstBuffer *in)
{
  GstBuffer *out = gst_harness_push_and_pull (h, in);
  g_assert_nonnull (out);
  return out;
}

/* The luma of every format that has one is read as it lies; the others are
 * converted. The same scene gives the same box. */
static void
test_formats (void)
{
  static const gchar *const formats[] = { "GRAY8", "I420", "YV12", "NV12",
    "NV21", "NV16", "NV24", "Y41B", "Y42B", "Y444", "A420", "YUY2", "UYVY",
    "YVYU", "VYUY", "AYUV", "RGB", "BGR", "RGBx", "BGRA", "GRAY16_LE",
    "I420_10LE", "P010_10LE", "v210" };
  gchar *launch = scene_launch ("");
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstVideoInfo info;
    GstHarness *h = scene_harness (launch, formats[i], 96, 64, &info);
    GstBuffer *out = push_pull (h, scene_frame (&info, 40, 28));
    g_test_message ("%s", formats[i]);
    scene_assert_box (out, "bright", 40, 28, 16, 16);
    gst_buffer_unref (out);
    gst_harness_teardown (h);
  }
  g_free (launch);
}

static void
test_odd_sizes (void)
{
  static const gchar *const formats[] = { "GRAY8", "I420", "NV12", "YUY2" };
  gchar *launch = scene_launch ("");
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    for (gint extra = 0; extra < 5; extra++) {
      GstVideoInfo info;
      GstHarness *h =
          scene_harness (launch, formats[i], 61 + extra, 43 + extra, &info);
      GstBuffer *out = push_pull (h, scene_frame (&info, 20, 12));
      scene_assert_box (out, "bright", 20, 12, 16, 16);
      gst_buffer_unref (out);
      gst_harness_teardown (h);
    }
  g_free (launch);
}

/* Rows that lie further apart than they are long, as GstVideoMeta says. */
static void
test_padded_strides (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "GRAY8", 50, 40, &info);
  GstBuffer *tight = scene_frame (&info, 24, 16);
  GstBuffer *padded = gst_buffer_new_allocate (NULL, 100 + 40 * 77, NULL);
  gsize offset[GST_VIDEO_MAX_PLANES] = { 100 };
  gint stride[GST_VIDEO_MAX_PLANES] = { 77 };
  GstVideoFrame from, to;

  gst_buffer_memset (padded, 0, 255, 100 + 40 * 77);
  gst_buffer_add_video_meta_full (padded, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_FORMAT_GRAY8, 50, 40, 1, offset, stride);
  g_assert_true (gst_video_frame_map (&from, &info, tight, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&to, &info, padded, GST_MAP_WRITE));
  g_assert_true (gst_video_frame_copy (&to, &from));
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
  GstBuffer *out = push_pull (h, padded);
  scene_assert_box (out, "bright", 24, 16, 16, 16);
  gst_buffer_unref (out);
  gst_buffer_unref (tight);
  gst_harness_teardown (h);
  g_free (launch);
}

static void
test_pixels_are_not_touched (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "I420", 64, 48, &info);
  GstBuffer *in = scene_frame (&info, 20, 12);
  GstMemory *memory = gst_buffer_peek_memory (in, 0);
  gst_buffer_ref (in);
  GstBuffer *out = push_pull (h, in);
  g_assert_true (gst_buffer_peek_memory (out, 0) == memory);
  g_assert_cmpuint (scene_count (in), ==, 0);
  g_assert_cmpuint (scene_count (out), ==, 1);
  gst_buffer_unref (in);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
}

static void
set_caps (GstHarness *h, const gchar *format, gint width, gint height,
    GstVideoInfo *info)
{
  gchar *text = scene_caps (format, width, height);
  GstCaps *caps = gst_caps_from_string (text);
  g_assert_true (gst_video_info_from_caps (info, caps));
  gst_harness_set_src_caps (h, caps);
  g_free (text);
}

static void
test_caps_change (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "I420", 64, 48, &info);
  static const struct
  {
    const gchar *format;
    gint width, height, x, y;
  } steps[] = { { "I420", 64, 48, 20, 12 }, { "NV12", 160, 120, 100, 80 },
    { "RGB", 33, 31, 4, 8 }, { "GRAY8", 640, 480, 400, 200 },
    { "I420", 64, 48, 20, 12 } };
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    set_caps (h, steps[i].format, steps[i].width, steps[i].height, &info);
    for (gint k = 0; k < 2; k++) {
      GstBuffer *out =
          push_pull (h, scene_frame (&info, steps[i].x, steps[i].y));
      scene_assert_box (out, "bright", steps[i].x, steps[i].y, 16, 16);
      gst_buffer_unref (out);
    }
  }
  gst_harness_teardown (h);
  g_free (launch);
}

static GstMessage *
wait_for (GstBus *bus, GstMessageType type)
{
  GstMessage *message = gst_bus_timed_pop_filtered (bus, 5 * GST_SECOND, type);
  g_assert_nonnull (message);
  return message;
}

static GstBus *
watch (GstHarness *h)
{
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (h->element, bus);
  return bus;
}

static void
test_frame_smaller_than_window (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = gst_harness_new_parse (launch);
  GstBus *bus = watch (h);
  set_caps (h, "GRAY8", 12, 10, &info);
  for (gint i = 0; i < 3; i++) {
    GstBuffer *out = push_pull (h, scene_frame (&info, -1, 0));
    g_assert_cmpuint (scene_count (out), ==, 0);
    gst_buffer_unref (out);
  }
  gint warnings = 0;
  GstMessage *message;
  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING))) {
    GError *error = NULL;
    gst_message_parse_warning (message, &error, NULL);
    g_assert_nonnull (strstr (error->message, "12x10"));
    g_error_free (error);
    gst_message_unref (message);
    warnings++;
  }
  g_assert_cmpint (warnings, ==, 1);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  g_free (launch);
}

static void
test_detection_structure (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstBuffer *out = push_pull (h, scene_frame (&info, 20, 32));
  GstVideoRegionOfInterestMeta *roi =
      (GstVideoRegionOfInterestMeta *) gst_buffer_get_meta (out,
          GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
  GstStructure *s =
      gst_video_region_of_interest_meta_get_param (roi, "detection");
  gint id;
  gdouble confidence, x0, y0, x1, y1;
  const gchar *label = gst_structure_get_string (s, "label");
  g_assert_true (gst_structure_get (s, "label_id", G_TYPE_INT, &id,
      "confidence", G_TYPE_DOUBLE, &confidence, "x_min", G_TYPE_DOUBLE, &x0,
      "y_min", G_TYPE_DOUBLE, &y0, "x_max", G_TYPE_DOUBLE, &x1, "y_max",
      G_TYPE_DOUBLE, &y1, NULL));
  g_assert_cmpstr (label, ==, "bright");
  g_assert_cmpint (id, ==, 0);
  /* softmax of 40 * 0.15, 40 * -0.85, 0 */
  g_assert_cmpfloat_with_epsilon (confidence,
      exp (6) / (exp (6) + exp (-34) + 1), 1e-4);
  g_assert_cmpfloat_with_epsilon (x0, 20 / 80.0, 1e-6);
  g_assert_cmpfloat_with_epsilon (y0, 32 / 64.0, 1e-6);
  g_assert_cmpfloat_with_epsilon (x1, 36 / 80.0, 1e-6);
  g_assert_cmpfloat_with_epsilon (y1, 48 / 64.0, 1e-6);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
}

static const GstStructure *
map_level (GstBuffer *buffer, guint level, const GstStructure **map)
{
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (buffer, "GstConvnetMapMeta");
  g_assert_nonnull (meta);
  *map = gst_custom_meta_get_structure (meta);
  const GValue *levels = gst_structure_get_value (*map, "levels");
  g_assert_true (GST_VALUE_HOLDS_ARRAY (levels));
  return gst_value_get_structure (gst_value_array_get_value (levels, level));
}

static void
test_map (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstBuffer *out = push_pull (h, scene_frame (&info, 20, 32));
  const GstStructure *map, *level = map_level (out, 0, &map);
  gint width, height, classes, stride, window, offset, background, age;
  gdouble scale;
  GstBuffer *scores = NULL;
  GstMapInfo mapped;
  g_assert_true (gst_structure_get (map, "background", G_TYPE_INT, &background,
      "age", G_TYPE_INT, &age, NULL));
  g_assert_cmpint (background, ==, 2);
  g_assert_cmpint (age, ==, 0);
  g_assert_true (gst_structure_get (level, "width", G_TYPE_INT, &width,
      "height", G_TYPE_INT, &height, "classes", G_TYPE_INT, &classes,
      "stride-x", G_TYPE_INT, &stride, "window-height", G_TYPE_INT, &window,
      "offset-x", G_TYPE_INT, &offset, "scale", G_TYPE_DOUBLE, &scale, "scores",
      GST_TYPE_BUFFER, &scores, NULL));
  g_assert_cmpint (width, ==, 17);
  g_assert_cmpint (height, ==, 13);
  g_assert_cmpint (classes, ==, 3);
  g_assert_cmpint (stride, ==, 4);
  g_assert_cmpint (window, ==, 16);
  g_assert_cmpint (offset, ==, 0);
  g_assert_cmpfloat (scale, ==, 1);

  g_assert_true (gst_buffer_map (scores, &mapped, GST_MAP_READ));
  g_assert_cmpuint (mapped.size, ==, 3 * 13 * 17 * sizeof (gfloat));
  const gfloat *p = (const gfloat *) mapped.data;
  gint bright = 0;
  for (gint cell = 0; cell < 13 * 17; cell++) {
    gfloat sum = p[cell] + p[221 + cell] + p[442 + cell];
    g_assert_cmpfloat_with_epsilon (sum, 1, 1e-5);
    bright += p[cell] > 0.9f;
    if (p[cell] > 0.9f)
      g_assert_cmpint (cell, ==, 32 / 4 * 17 + 20 / 4);
  }
  g_assert_cmpint (bright, ==, 1);
  gst_buffer_unmap (scores, &mapped);
  gst_buffer_unref (scores);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
}

/* What is behind videoscale and videoconvert still is where it was. */
static void
test_metadata_survives_scaling (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch (
      "! videoconvert ! capsfilter caps=video/x-raw,format=RGB ! videoscale "
      "! capsfilter caps=video/x-raw,width=160,height=128");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstBuffer *out = push_pull (h, scene_frame (&info, 20, 32));
  const GstStructure *map, *level = map_level (out, 0, &map);
  gdouble scale = 0;
  scene_assert_box (out, "bright", 40, 64, 32, 32);
  g_assert_true (gst_structure_get_double (level, "scale", &scale));
  g_assert_cmpfloat_with_epsilon (scale, 2, 1e-9);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
}

static void
test_bus_message (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = gst_harness_new_parse (launch);
  GstBus *bus = watch (h);
  set_caps (h, "GRAY8", 80, 64, &info);
  GstBuffer *in = scene_frame (&info, 20, 32);
  GST_BUFFER_PTS (in) = 7 * GST_SECOND;
  gst_buffer_unref (push_pull (h, in));

  GstMessage *message = wait_for (bus, GST_MESSAGE_ELEMENT);
  const GstStructure *s = gst_message_get_structure (message);
  guint64 timestamp, running, stream, duration;
  g_assert_true (gst_structure_has_name (s, "convnet"));
  g_assert_true (gst_structure_get (s, "timestamp", G_TYPE_UINT64, &timestamp,
      "running-time", G_TYPE_UINT64, &running, "stream-time", G_TYPE_UINT64,
      &stream, "duration", G_TYPE_UINT64, &duration, NULL));
  g_assert_cmpuint (timestamp, ==, 7 * GST_SECOND);
  g_assert_cmpuint (running, ==, 7 * GST_SECOND);
  g_assert_cmpuint (stream, ==, 7 * GST_SECOND);
  g_assert_cmpuint (duration, ==, GST_SECOND / 30);
  const GValue *objects = gst_structure_get_value (s, "objects");
  g_assert_true (GST_VALUE_HOLDS_LIST (objects));
  g_assert_cmpuint (gst_value_list_get_size (objects), ==, 1);
  const GstStructure *o =
      gst_value_get_structure (gst_value_list_get_value (objects, 0));
  gint id, x, y, w, hh;
  g_assert_true (gst_structure_get (o, "class-id", G_TYPE_INT, &id, "x",
      G_TYPE_INT, &x, "y", G_TYPE_INT, &y, "width", G_TYPE_INT, &w, "height",
      G_TYPE_INT, &hh, NULL));
  g_assert_cmpstr (gst_structure_get_string (o, "label"), ==, "bright");
  g_assert_cmpint (id, ==, 0);
  g_assert_cmpint (x, ==, 20);
  g_assert_cmpint (y, ==, 32);
  g_assert_cmpint (w, ==, 16);
  g_assert_cmpint (hh, ==, 16);
  gst_message_unref (message);

  gst_harness_set (h, "convnet", "post-messages", FALSE, NULL);
  gst_buffer_unref (push_pull (h, scene_frame (&info, 20, 32)));
  g_assert_null (gst_bus_pop_filtered (bus, GST_MESSAGE_ELEMENT));
  gst_object_unref (bus);
  gst_harness_teardown (h);
  g_free (launch);
}

static guint
boxes_now (GstHarness *h, const GstVideoInfo *info)
{
  GstBuffer *out = push_pull (h, scene_frame (info, 20, 32));
  guint count = scene_count (out);
  gst_buffer_unref (out);
  return count;
}

static void
test_live_properties (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  g_assert_cmpuint (boxes_now (h, &info), ==, 1);
  gst_harness_set (h, "convnet", "class-confidence-threshold", 0.9999, NULL);
  g_assert_cmpuint (boxes_now (h, &info), ==, 0);
  gst_harness_set (h, "convnet", "class-confidence-threshold", 0.5, NULL);
  g_assert_cmpuint (boxes_now (h, &info), ==, 1);
  gst_harness_set (h, "convnet", "min-size", 40, "max-size", 60, NULL);
  g_assert_cmpuint (boxes_now (h, &info), ==, 0);
  gst_harness_set (h, "convnet", "min-size", 0, "max-size", 16, NULL);
  g_assert_cmpuint (boxes_now (h, &info), ==, 1);
  guint stride = 0;
  GstElement *element = gst_harness_find_element (h, "convnet");
  gst_harness_set (h, "convnet", "window-stride", 2, NULL);
  g_assert_cmpuint (boxes_now (h, &info), ==, 1);
  g_object_get (element, "map-stride", &stride, NULL);
  g_assert_cmpuint (stride, ==, 2);
  gst_object_unref (element);
  gst_harness_teardown (h);
  g_free (launch);
}

static void
test_statistics (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstElement *element = gst_harness_find_element (h, "convnet");
  GstStructure *stats = NULL;
  guint64 processed, objects, average, macs;
  guint field, stride;
  for (gint i = 0; i < 3; i++)
    boxes_now (h, &info);
  g_object_get (element, "stats", &stats, "receptive-field", &field,
      "map-stride", &stride, "macs-per-frame", &macs, NULL);
  g_assert_true (gst_structure_has_name (stats, "application/x-convnet-stats"));
  g_assert_true (gst_structure_get (stats, "processed", G_TYPE_UINT64,
      &processed, "objects", G_TYPE_UINT64, &objects, "avg-inference-time",
      G_TYPE_UINT64, &average, NULL));
  g_assert_cmpuint (processed, ==, 3);
  g_assert_cmpuint (objects, ==, 3);
  g_assert_cmpuint (average, >, 0);
  g_assert_cmpuint (field, ==, 16);
  g_assert_cmpuint (stride, ==, 4);
  g_assert_cmpuint (macs, ==, 3 * 256 * 17 * 13);
  gst_structure_free (stats);
  gst_object_unref (element);
  gst_harness_teardown (h);
  g_free (launch);
}

static void
test_flush_and_eos (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstSegment segment;
  g_assert_cmpuint (boxes_now (h, &info), ==, 1);
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_start ()));
  g_assert_true (gst_harness_push_event (h, gst_event_new_flush_stop (TRUE)));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  g_assert_true (gst_harness_push_event (h, gst_event_new_segment (&segment)));
  g_assert_cmpuint (boxes_now (h, &info), ==, 1);
  g_assert_true (gst_harness_push_event (h, gst_event_new_eos ()));
  g_assert_cmpint (gst_harness_push (h, scene_frame (&info, 20, 32)), ==,
      GST_FLOW_EOS);
  gst_harness_teardown (h);
  g_free (launch);
}

static void
test_state_cycles (void)
{
  GstElement *element = gst_element_factory_make ("convnet", NULL);
  g_object_set (element, "model-file", scene_model (), NULL);
  for (gint i = 0; i < 5; i++) {
    g_assert_cmpint (gst_element_set_state (element, GST_STATE_PAUSED), !=,
        GST_STATE_CHANGE_FAILURE);
    g_assert_cmpint (gst_element_set_state (element, GST_STATE_NULL), ==,
        GST_STATE_CHANGE_SUCCESS);
  }
  gst_object_unref (element);
}

static void
expect_start_error (const gchar *path, GQuark domain, gint code,
    const gchar *sentence)
{
  GstElement *element = gst_element_factory_make ("convnet", NULL);
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  g_object_set (element, "model-file", path, NULL);
  for (gint i = 0; i < 2; i++) {
    GError *error = NULL;
    g_assert_cmpint (gst_element_set_state (element, GST_STATE_PAUSED), ==,
        GST_STATE_CHANGE_FAILURE);
    GstMessage *message = wait_for (bus, GST_MESSAGE_ERROR);
    gst_message_parse_error (message, &error, NULL);
    g_test_message ("%s", error->message);
    g_assert_error (error, domain, code);
    g_assert_nonnull (strstr (error->message, sentence));
    g_error_free (error);
    gst_message_unref (message);
    gst_element_set_state (element, GST_STATE_NULL);
    gst_bus_set_flushing (bus, TRUE);
    gst_bus_set_flushing (bus, FALSE);
  }
  /* the next start works */
  g_object_set (element, "model-file", scene_model (), NULL);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_PAUSED), !=,
      GST_STATE_CHANGE_FAILURE);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
}

static void
test_bad_models (void)
{
  gchar *bytes, *path = g_strconcat (scene_model (), ".bad", NULL);
  gsize size;
  g_assert_true (g_file_get_contents (scene_model (), &bytes, &size, NULL));
  expect_start_error ("/nowhere/model.onnx", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_NOT_FOUND, "/nowhere/model.onnx");
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size / 2, NULL));
  expect_start_error (path, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, path);
  g_assert_true (g_file_set_contents (path, "not a model\n", -1, NULL));
  expect_start_error (path, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, path);
  /* an operator that nobody knows */
  for (gsize i = 0; i + 4 < size; i++)
    if (!memcmp (bytes + i, "Conv", 4) && bytes[i + 4] != 'n') {
      memcpy (bytes + i, "Zonk", 4);
      break;
    }
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
  expect_start_error (path, GST_STREAM_ERROR, GST_STREAM_ERROR_NOT_IMPLEMENTED,
      "Zonk");
  g_free (bytes);
  g_free (path);
}

/* A new model that can't be read leaves the old one at work, with a warning. */
static void
test_model_change (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = gst_harness_new_parse (launch);
  GstBus *bus = watch (h);
  set_caps (h, "GRAY8", 80, 64, &info);
  g_assert_cmpuint (boxes_now (h, &info), ==, 1);
  gst_harness_set (h, "convnet", "model-file", "/nowhere.onnx", NULL);
  g_assert_cmpuint (boxes_now (h, &info), ==, 1);
  gst_message_unref (wait_for (bus, GST_MESSAGE_WARNING));
  gst_harness_set (h, "convnet", "model-file", scene_model (), NULL);
  g_assert_cmpuint (boxes_now (h, &info), ==, 1);
  gst_object_unref (bus);
  gst_harness_teardown (h);
  g_free (launch);
}

static void
test_labels (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("labels=hell,dunkel,nichts");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstBuffer *out = push_pull (h, scene_frame (&info, 20, 32));
  scene_assert_box (out, "hell", 20, 32, 16, 16);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);

  /* with the bright class as background nothing is left */
  launch = scene_launch ("background-class=bright");
  h = scene_harness (launch, "GRAY8", 80, 64, &info);
  out = push_pull (h, scene_frame (&info, 20, 32));
  for (guint i = 0; i < scene_count (out); i++)
    g_assert_cmpuint (scene_count (out), >, 0);
  GstVideoRegionOfInterestMeta *roi;
  gpointer state = NULL;
  while ((roi = (GstVideoRegionOfInterestMeta *)
              gst_buffer_iterate_meta_filtered (out, &state,
                  GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)))
    g_assert_cmpstr (g_quark_to_string (roi->roi_type), !=, "bright");
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
}

static gpointer
run_one (gpointer data)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("threads=2");
  GstHarness *h = scene_harness (launch, "NV12", 80, 64, &info);
  for (gint i = 0; i < 30; i++)
    g_assert_cmpuint (boxes_now (h, &info), ==, 1);
  gst_harness_teardown (h);
  g_free (launch);
  return data;
}

static void
test_two_elements (void)
{
  GThread *a = g_thread_new ("a", run_one, NULL);
  GThread *b = g_thread_new ("b", run_one, NULL);
  g_thread_join (a);
  g_thread_join (b);
}

/* Every property begins as its pspec says, in every element. */
static void
test_defaults (void)
{
  static const gchar *const elements[] = { "convnet", "convnetoverlay",
    "convnetjson" };
  for (guint e = 0; e < G_N_ELEMENTS (elements); e++) {
    GstElement *element = gst_element_factory_make (elements[e], NULL);
    guint count;
    GParamSpec **specs =
        g_object_class_list_properties (G_OBJECT_GET_CLASS (element), &count);
    for (guint i = 0; i < count; i++) {
      GValue value = G_VALUE_INIT;
      const gchar *name = specs[i]->name;
      if (!(specs[i]->flags & G_PARAM_WRITABLE) || !strcmp (name, "name")
          || !strcmp (name, "parent"))
        continue;
      g_value_init (&value, specs[i]->value_type);
      g_object_get_property (G_OBJECT (element), name, &value);
      if (!g_param_value_defaults (specs[i], &value)
          && strcmp (name, "qos") != 0)
        g_error ("%s: %s does not begin with its default", elements[e], name);
      g_value_unset (&value);
    }
    g_free (specs);
    gst_object_unref (element);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func ("/convnet/" name, function)
  TEST ("formats", test_formats);
  TEST ("odd-sizes", test_odd_sizes);
  TEST ("padded-strides", test_padded_strides);
  TEST ("pixels", test_pixels_are_not_touched);
  TEST ("caps-change", test_caps_change);
  TEST ("small-frame", test_frame_smaller_than_window);
  TEST ("detection", test_detection_structure);
  TEST ("map", test_map);
  TEST ("scaling", test_metadata_survives_scaling);
  TEST ("message", test_bus_message);
  TEST ("live-properties", test_live_properties);
  TEST ("statistics", test_statistics);
  TEST ("flush-eos", test_flush_and_eos);
  TEST ("states", test_state_cycles);
  TEST ("bad-models", test_bad_models);
  TEST ("model-change", test_model_change);
  TEST ("labels", test_labels);
  TEST ("two-elements", test_two_elements);
  TEST ("defaults", test_defaults);
#undef TEST
  int result = g_test_run ();
  gst_deinit ();
  return result;
}
