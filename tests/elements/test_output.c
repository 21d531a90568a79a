/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_output.c: convnetjson and convnetoverlay, and the digits that the
 * built-in model reads from pictures of our own. */

#include <json-glib/json-glib.h>
#include <string.h>

#include "scene.h"

static JsonNode *
parse_line (GstBuffer *buffer)
{
  GstMapInfo map;
  GError *error = NULL;
  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  g_assert_cmpint (map.data[map.size - 1], ==, '\n');
  g_assert_null (memchr (map.data, '\n', map.size - 1));
  JsonParser *parser = json_parser_new ();
  json_parser_load_from_data (parser, (const gchar *) map.data,
      (gssize) map.size, &error);
  g_assert_no_error (error);
  JsonNode *root = json_parser_steal_root (parser);
  g_object_unref (parser);
  gst_buffer_unmap (buffer, &map);
  return root;
}

static JsonNode *
line_of (const gchar *more, gint x, gint y)
{
  GstVideoInfo info;
  gchar *launch = scene_launch (more);
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstBuffer *in = scene_frame (&info, x, y);
  GST_BUFFER_PTS (in) = 33333333;
  GstBuffer *out = gst_harness_push_and_pull (h, in);
  JsonNode *root = parse_line (out);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
  return root;
}

static void
test_json (void)
{
  JsonNode *root =
      line_of ("! convnetjson source=cam tags=\"{\\\"room\\\":3}\"", 20, 32);
  JsonObject *line = json_node_get_object (root);
  g_assert_cmpstr (json_object_get_string_member (line, "source"), ==, "cam");
  g_assert_cmpint (json_object_get_int_member (line, "timestamp"), ==,
      33333333);
  JsonObject *size = json_object_get_object_member (line, "resolution");
  g_assert_cmpint (json_object_get_int_member (size, "width"), ==, 80);
  g_assert_cmpint (json_object_get_int_member (size, "height"), ==, 64);
  JsonArray *objects = json_object_get_array_member (line, "objects");
  g_assert_cmpuint (json_array_get_length (objects), ==, 1);
  JsonObject *o = json_array_get_object_element (objects, 0);
  g_assert_cmpint (json_object_get_int_member (o, "x"), ==, 20);
  g_assert_cmpint (json_object_get_int_member (o, "y"), ==, 32);
  g_assert_cmpint (json_object_get_int_member (o, "w"), ==, 16);
  g_assert_cmpint (json_object_get_int_member (o, "h"), ==, 16);
  g_assert_cmpstr (json_object_get_string_member (o, "roi_type"), ==, "bright");
  JsonObject *d = json_object_get_object_member (o, "detection");
  g_assert_cmpstr (json_object_get_string_member (d, "label"), ==, "bright");
  g_assert_cmpint (json_object_get_int_member (d, "label_id"), ==, 0);
  g_assert_cmpfloat (json_object_get_double_member (d, "confidence"), >, 0.99);
  JsonObject *box = json_object_get_object_member (d, "bounding_box");
  g_assert_cmpfloat_with_epsilon (json_object_get_double_member (box, "x_max"),
      36 / 80.0, 1e-5);
  json_node_unref (root);
}

static void
test_json_empty (void)
{
  JsonNode *root = line_of ("! convnetjson", -1, 0);
  JsonObject *line = json_node_get_object (root);
  JsonArray *objects = json_object_get_array_member (line, "objects");
  g_assert_cmpuint (json_array_get_length (objects), ==, 0);
  json_node_unref (root);

  GstVideoInfo info;
  gchar *launch = scene_launch ("! convnetjson empty-results=false");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  g_assert_cmpint (gst_harness_push (h, scene_frame (&info, -1, 0)), ==,
      GST_FLOW_OK);
  g_assert_null (gst_harness_try_pull (h));
  g_assert_cmpint (gst_harness_push (h, scene_frame (&info, 20, 32)), ==,
      GST_FLOW_OK);
  GstBuffer *out = gst_harness_pull (h);
  g_assert_nonnull (out);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
}

/* Regions of other elements are no detections: they come if one asks. */
static void
test_json_other_regions (void)
{
  for (gint all = 0; all < 2; all++) {
    GstVideoInfo info;
    GstHarness *h =
        scene_harness (all ? "convnetjson all-regions=true" : "convnetjson",
            "GRAY8", 80, 64, &info);
    GstBuffer *in = scene_frame (&info, -1, 0);
    gst_buffer_add_video_region_of_interest_meta (in, "a \"face\"", 1, 2, 3, 4);
    GstBuffer *out = gst_harness_push_and_pull (h, in);
    JsonNode *root = parse_line (out);
    JsonArray *objects =
        json_object_get_array_member (json_node_get_object (root), "objects");
    g_assert_cmpuint (json_array_get_length (objects), ==, (guint) all);
    if (all) {
      JsonObject *o = json_array_get_object_element (objects, 0);
      g_assert_cmpstr (json_object_get_string_member (o, "roi_type"), ==,
          "a \"face\"");
      g_assert_cmpint (json_object_get_int_member (o, "h"), ==, 4);
      g_assert_false (json_object_has_member (o, "detection"));
    }
    json_node_unref (root);
    gst_buffer_unref (out);
    gst_harness_teardown (h);
  }
}

/* Pixels change at the box and nowhere far from it. */
static void
test_overlay (const gchar *format, gint x, gint y, gboolean changes)
{
  GstVideoInfo info;
  GstVideoFrame a, b;
  gchar *launch = scene_launch ("! convnetoverlay line-width=2");
  GstHarness *h = scene_harness (launch, format, 320, 240, &info);
  GstBuffer *before = scene_frame (&info, x, y);
  GstBuffer *after =
      gst_harness_push_and_pull (h, gst_buffer_copy_deep (before));
  gint near = 0, far = 0;
  g_assert_true (gst_video_frame_map (&a, &info, before, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&b, &info, after, GST_MAP_READ));
  const guint8 *p = GST_VIDEO_FRAME_PLANE_DATA (&a, 0);
  const guint8 *q = GST_VIDEO_FRAME_PLANE_DATA (&b, 0);
  gint pitch = GST_VIDEO_FRAME_PLANE_STRIDE (&a, 0);
  gint step = GST_VIDEO_FRAME_COMP_PSTRIDE (&a, 0);
  for (gint i = 0; i < 240; i++)
    for (gint k = 0; k < 320; k++) {
      gboolean close = ABS (k - x - 8) < 130 && ABS (i - y - 8) < 50;
      gint differ = ABS (p[i * pitch + k * step] - q[i * pitch + k * step]) > 8;
      near += close && differ;
      far += !close && differ;
    }
  gst_video_frame_unmap (&b);
  gst_video_frame_unmap (&a);
  if (changes)
    g_assert_cmpint (near, >, 60);
  else
    g_assert_cmpint (near, ==, 0);
  g_assert_cmpint (far, ==, 0);
  gst_buffer_unref (before);
  gst_buffer_unref (after);
  gst_harness_teardown (h);
  g_free (launch);
}

static void
test_overlay_draws (void)
{
  static const gchar *const formats[] = { "I420", "NV12", "YUY2", "RGB",
    "BGRx" };
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    test_overlay (formats[i], 160, 120, TRUE);
    test_overlay (formats[i], 0, 0, TRUE);
    test_overlay (formats[i], 304, 224, TRUE);
    test_overlay (formats[i], -1, 0, FALSE);
  }
}

/* How many digits of a picture's truth the built-in model names at their
 * place, and how many it names that are not there. */
static void
score_picture (const gchar *folder, const gchar *name, guint *truth,
    guint *hits, guint *false_ones)
{
  gchar *file = g_strconcat (name, ".jpg", NULL);
  gchar *path = g_build_filename (folder, file, NULL);
  gchar *json = g_strconcat (name, ".json", NULL);
  gchar *json_path = g_build_filename (folder, json, NULL);
  gchar *line = g_strdup_printf ("filesrc location=%s ! jpegdec ! videoconvert "
                                 "! convnet ! appsink name=s sync=false",
      path);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (line, &error), *sink;
  GstSample *sample = NULL;
  g_assert_no_error (error);
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "s");
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  g_signal_emit_by_name (sink, "pull-sample", &sample);
  g_assert_nonnull (sample);

  JsonParser *parser = json_parser_new ();
  g_assert_true (json_parser_load_from_file (parser, json_path, NULL));
  JsonArray *digits =
      json_object_get_array_member (json_node_get_object (
                                        json_parser_get_root (parser)),
          "digits");
  GstVideoRegionOfInterestMeta *roi;
  gpointer state = NULL;
  guint found = 0, right = 0;
  while ((roi = (GstVideoRegionOfInterestMeta *)
              gst_buffer_iterate_meta_filtered (gst_sample_get_buffer (sample),
                  &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))) {
    gint cx = (gint) (roi->x + roi->w / 2), cy = (gint) (roi->y + roi->h / 2);
    found++;
    for (guint i = 0; i < json_array_get_length (digits); i++) {
      JsonObject *d = json_array_get_object_element (digits, i);
      gint64 x = json_object_get_int_member (d, "x");
      gint64 y = json_object_get_int_member (d, "y");
      gint64 w = json_object_get_int_member (d, "w");
      gint64 h = json_object_get_int_member (d, "h");
      gint64 gx = MAX (6, w * 15 / 100), gy = MAX (6, h * 15 / 100);
      gchar *label = g_strdup_printf ("%d",
          (gint) json_object_get_int_member (d, "label"));
      if (cx >= x - gx && cx <= x + w + gx && cy >= y - gy && cy <= y + h + gy
          && !strcmp (label, g_quark_to_string (roi->roi_type))) {
        right++;
        json_object_set_int_member (d, "label", -1);
        i = json_array_get_length (digits);
      }
      g_free (label);
    }
  }
  g_test_message ("%s: %u of %u digits, %u false", name, right,
      json_array_get_length (digits), found - right);
  *truth += json_array_get_length (digits);
  *hits += right;
  *false_ones += found - right;
  g_object_unref (parser);
  gst_sample_unref (sample);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (sink);
  gst_object_unref (pipeline);
  g_free (line);
  g_free (json_path);
  g_free (json);
  g_free (path);
  g_free (file);
}

static void
check_pictures (const gchar *folder, const gchar *const *names, guint count)
{
  guint truth = 0, hits = 0, false_ones = 0;
  for (guint i = 0; i < count; i++)
    score_picture (folder, names[i], &truth, &hits, &false_ones);
  g_test_message ("recall %.3f, precision %.3f", hits / (gdouble) truth,
      hits / (gdouble) (hits + false_ones));
  g_assert_cmpfloat (hits / (gdouble) truth, >=, 0.80);
  g_assert_cmpfloat (hits / (gdouble) (hits + false_ones), >=, 0.80);
}

static void
test_own_pictures (void)
{
  static const gchar *const names[] = { "pencil", "marker", "ruled",
    "whiteboard", "blackboard", "empty" };
  check_pictures (g_getenv ("CONVNET_TEST_DATA"), names, G_N_ELEMENTS (names));
}

static void
test_photographs (void)
{
  static const gchar *const names[] = { "p1", "p2", "p3", "p4", "p5" };
  gchar *folder =
      g_build_filename (g_getenv ("CONVNET_SHARED_DATA"), "photos", NULL);
  if (g_file_test (folder, G_FILE_TEST_IS_DIR))
    check_pictures (folder, names, G_N_ELEMENTS (names));
  else
    g_test_skip ("the photographs are not here");
  g_free (folder);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/line", test_json);
  g_test_add_func ("/json/empty", test_json_empty);
  g_test_add_func ("/json/other-regions", test_json_other_regions);
  g_test_add_func ("/overlay/draws", test_overlay_draws);
  g_test_add_func ("/digits/own-pictures", test_own_pictures);
  g_test_add_func ("/digits/photographs", test_photographs);
  int result = g_test_run ();
  gst_deinit ();
  return result;
}
