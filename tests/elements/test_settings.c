/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_settings.c: labels, background, colors, lateness, and what is wrong. */

#include <glib/gstdio.h>
#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>
#include <string.h>

#include "scene.h"

/* Starts a pipeline of one element that must refuse; returns its sentence. */
static gchar *
refusal (const gchar *launch, GQuark domain, gint code)
{
  GError *error = NULL;
  GstElement *element = gst_parse_launch (launch, &error);
  g_assert_no_error (error);
  GstBus *bus = gst_bus_new ();
  gst_element_set_bus (element, bus);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_PAUSED), ==,
      GST_STATE_CHANGE_FAILURE);
  GstMessage *message =
      gst_bus_timed_pop_filtered (bus, 5 * GST_SECOND, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_assert_error (error, domain, code);
  gchar *sentence = g_strdup (error->message);
  g_test_message ("%s", sentence);
  g_error_free (error);
  gst_message_unref (message);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (element);
  return sentence;
}

static void
refuses (const gchar *more, gint code, const gchar *part)
{
  gchar *launch = scene_launch (more);
  gchar *sentence = refusal (launch, GST_RESOURCE_ERROR, code);
  g_assert_nonnull (strstr (sentence, part));
  g_free (sentence);
  g_free (launch);
}

static void
test_wrong_settings (void)
{
  refuses ("labels=a,b", GST_RESOURCE_ERROR_SETTINGS, "2 labels");
  refuses ("label-file=/nowhere.txt", GST_RESOURCE_ERROR_NOT_FOUND,
      "/nowhere.txt");
  refuses ("label-file=/", GST_RESOURCE_ERROR_OPEN_READ, "'/'");
  refuses ("background-class=grey", GST_RESOURCE_ERROR_SETTINGS, "'grey'");
  refuses ("background-class=3", GST_RESOURCE_ERROR_SETTINGS, "'3'");
  gchar *sentence = refusal ("convnet model-file=/", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_OPEN_READ);
  g_free (sentence);
  sentence = refusal ("convnetjson tags=[1]", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS);
  g_free (sentence);
  sentence = refusal ("convnetjson tags={", GST_RESOURCE_ERROR,
      GST_RESOURCE_ERROR_SETTINGS);
  g_free (sentence);
}

static void
expect_label (const gchar *more, const gchar *label)
{
  GstVideoInfo info;
  gchar *launch = scene_launch (more);
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstBuffer *out = scene_push (h, scene_frame (&info, 20, 32));
  scene_assert_box (out, label, 20, 32, 16, 16);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
}

static void
test_label_file (void)
{
  gchar *path = g_strconcat (scene_model (), ".labels", NULL);
  gchar *more = g_strdup_printf ("label-file=%s", path);
  g_assert_true (
      g_file_set_contents (path, "hell\r\ndunkel\nnichts\n\n", -1, NULL));
  expect_label (more, "hell");
  g_free (more);
  /* labels win */
  more = g_strdup_printf ("label-file=%s labels=\"one, two, three\"", path);
  expect_label (more, "one");
  g_unlink (path);
  g_free (more);
  g_free (path);
}

static guint
count_with (const gchar *more)
{
  GstVideoInfo info;
  gchar *launch = scene_launch (more);
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstBuffer *out = scene_push (h, scene_frame (&info, 20, 32));
  guint count = scene_count (out);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
  return count;
}

static void
test_background (void)
{
  g_assert_cmpuint (count_with (""), ==, 1);
  g_assert_cmpuint (count_with ("background-class=none"), ==, 1);
  g_assert_cmpuint (count_with ("background-class=2"), ==, 1);
  /* without one, "none" is an object like others */
  g_assert_cmpuint (count_with ("background-class=\"\""), >, 1);
  g_assert_cmpuint (count_with ("background-class=\"\" max-detections=3"), ==,
      3);
}

/* The probability that a square just at the network's limit is bright. */
static gdouble
limit_score (const gchar *caps)
{
  GstVideoInfo info;
  GstMapInfo map;
  gchar *launch = scene_launch ("");
  GstHarness *h = gst_harness_new_parse (launch);
  scene_set_caps (h, caps, &info);
  GstBuffer *out =
      scene_push (h, scene_frame_of (&info, 20, 32, 0xd9d9d9, 0x808080));
  GstBuffer *scores = gst_value_get_buffer (
      gst_structure_get_value (scene_level (out, 0), "scores"));
  g_assert_true (gst_buffer_map (scores, &map, GST_MAP_READ));
  gdouble score = ((const gfloat *) map.data)[32 / 4 * 17 + 20 / 4];
  gst_buffer_unmap (scores, &map);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
  return score;
}

/* White is 235 here and 255 there: the network must not see a difference. */
static void
test_levels (void)
{
  static const gchar *const formats[] = { "format=GRAY8", "format=I420",
    "format=I420,colorimetry=1:4:0:0", "format=NV12,colorimetry=bt709",
    "format=YUY2", "format=UYVY,colorimetry=1:4:0:0", "format=RGB",
    "format=BGRx", "format=I420_10LE", "format=GRAY16_LE" };
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    gchar *caps =
        g_strdup_printf ("video/x-raw,%s,width=80,height=64,framerate=30/1",
            formats[i]);
    gdouble score = limit_score (caps);
    g_test_message ("%s: %.3f", formats[i], score);
    g_assert_cmpfloat_with_epsilon (score, 0.5, 0.13);
    g_free (caps);
  }
}

static void
test_colors (void)
{
  static const gchar *const orders[] = { "Rgb8", "Bgr8" };
  static const gchar *const formats[] = { "RGB", "BGR", "RGBx", "xBGR", "ARGB",
    "GBR", "RGB16", "I420", "YUY2", "GRAY8" };
  for (guint k = 0; k < 2; k++) {
    gchar *launch = g_strdup_printf (
        "convnet model-file=%s max-size=16 class-confidence-threshold=0.9",
        scene_color_model (orders[k]));
    for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
      gboolean grey = g_str_equal (formats[i], "GRAY8");
      GstVideoInfo info;
      GstHarness *h = scene_harness (launch, formats[i], 80, 64, &info);
      GstBuffer *out =
          scene_push (h, scene_frame_of (&info, 20, 32, 0xff0000, 0x808080));
      g_test_message ("%s from %s", orders[k], formats[i]);
      if (grey)
        g_assert_cmpuint (scene_count (out), ==, 0);
      else
        scene_assert_box (out, "red", 20, 32, 16, 16);
      gst_buffer_unref (out);
      if (!grey) {
        out =
            scene_push (h, scene_frame_of (&info, 20, 32, 0x00ff00, 0x808080));
        scene_assert_box (out, "green", 20, 32, 16, 16);
        gst_buffer_unref (out);
      }
      gst_harness_teardown (h);
    }
    g_free (launch);
  }
}

/* Another number of classes, another number of channels: while it runs. */
static void
test_other_models (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("labels=a,b,c");
  GstHarness *h = scene_harness (launch, "RGB", 80, 64, &info);
  GstBuffer *out = scene_push (h, scene_frame (&info, 20, 32));
  scene_assert_box (out, "a", 20, 32, 16, 16);
  gst_buffer_unref (out);

  gst_harness_set (h, "convnet", "model-file", scene_small_model (), NULL);
  out = scene_push (h, scene_frame (&info, 20, 32));
  scene_assert_box (out, "bright", 20, 32, 16, 16);
  gst_buffer_unref (out);

  gst_harness_set (h, "convnet", "model-file", scene_color_model ("Rgb8"),
      NULL);
  out = scene_push (h, scene_frame_of (&info, 20, 32, 0xff0000, 0x808080));
  scene_assert_box (out, "a", 20, 32, 16, 16);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
}

static void
push_at (GstHarness *h, const GstVideoInfo *info, GstClockTime time, gint x,
    gint expected_x, gint age)
{
  GstBuffer *in = scene_frame (info, x, 32);
  gint value = -1;
  GST_BUFFER_PTS (in) = time;
  GstBuffer *out = scene_push (h, in);
  scene_assert_box (out, "bright", expected_x, 32, 16, 16);
  g_assert_true (gst_structure_get_int (scene_map (out), "age", &value));
  g_assert_cmpint (value, ==, age);
  gst_buffer_unref (out);
}

/* A frame that the sink can't use in time gets the last result; none is
 * dropped. */
static void
test_late_frames (void)
{
  GstVideoInfo info;
  GstStructure *stats = NULL;
  guint64 processed, reused, late;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  push_at (h, &info, 0, 20, 20, 0);
  gst_harness_push_upstream_event (h,
      gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 1.5, 100 * GST_MSECOND, 0));
  push_at (h, &info, 40 * GST_MSECOND, 24, 20, 1);
  push_at (h, &info, 80 * GST_MSECOND, 28, 20, 2);
  push_at (h, &info, 100 * GST_MSECOND, 28, 20, 3);
  push_at (h, &info, 120 * GST_MSECOND, 32, 32, 0);
  gst_harness_push_upstream_event (h,
      gst_event_new_qos (GST_QOS_TYPE_OVERFLOW, 0.5, -20 * GST_MSECOND,
          120 * GST_MSECOND));
  push_at (h, &info, 160 * GST_MSECOND, 36, 36, 0);

  GstElement *element = gst_harness_find_element (h, "convnet");
  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get (stats, "processed", G_TYPE_UINT64,
      &processed, "reused", G_TYPE_UINT64, &reused, "late", G_TYPE_UINT64,
      &late, NULL));
  g_assert_cmpuint (processed, ==, 3);
  g_assert_cmpuint (reused, ==, 3);
  g_assert_cmpuint (late, ==, 3);
  gst_structure_free (stats);
  gst_object_unref (element);
  gst_harness_teardown (h);
  g_free (launch);
}

static guint
boxes_at (GstHarness *h, const GstVideoInfo *info, GstClockTime time)
{
  GstBuffer *in = scene_frame (info, 20, 32);
  GST_BUFFER_PTS (in) = time;
  GstBuffer *out = scene_push (h, in);
  guint count = scene_count (out);
  gst_buffer_unref (out);
  return count;
}

static void
test_controlled_threshold (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstElement *element = gst_harness_find_element (h, "convnet");
  GstControlSource *source = gst_interpolation_control_source_new ();
  GstTimedValueControlSource *values = GST_TIMED_VALUE_CONTROL_SOURCE (source);
  g_object_set (source, "mode", GST_INTERPOLATION_MODE_NONE, NULL);
  gst_timed_value_control_source_set (values, 0, 0.5);
  gst_timed_value_control_source_set (values, GST_SECOND, 0.99999);
  g_assert_true (gst_object_add_control_binding (GST_OBJECT (element),
      gst_direct_control_binding_new (GST_OBJECT (element),
          "class-confidence-threshold", source)));
  g_assert_cmpuint (boxes_at (h, &info, 0), ==, 1);
  g_assert_cmpuint (boxes_at (h, &info, 2 * GST_SECOND), ==, 0);
  gst_object_unref (source);
  gst_object_unref (element);
  gst_harness_teardown (h);
  g_free (launch);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func ("/settings/" name, function)
  TEST ("wrong", test_wrong_settings);
  TEST ("label-file", test_label_file);
  TEST ("background", test_background);
  TEST ("levels", test_levels);
  TEST ("colors", test_colors);
  TEST ("other-models", test_other_models);
  TEST ("late", test_late_frames);
  TEST ("controlled", test_controlled_threshold);
#undef TEST
  int result = g_test_run ();
  gst_deinit ();
  return result;
}
