/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_metadata.c: what convnet attached, after other elements had the buffer. */

#include <math.h>

#include "scene.h"

static GstBuffer *
buffer_behind (const gchar *more, gint width, gint height, gint x, gint y)
{
  GstVideoInfo info;
  gchar *launch = scene_launch (more);
  GstHarness *h = scene_harness (launch, "GRAY8", width, height, &info);
  GstBuffer *out = scene_push (h, scene_frame (&info, x, y));
  gst_harness_teardown (h);
  g_free (launch);
  return out;
}

static void
get_scales (GstBuffer *buffer, gdouble *scale, gdouble *x, gdouble *y)
{
  g_assert_true (
      gst_structure_get (scene_level (buffer, 0), "scale", G_TYPE_DOUBLE, scale,
          "scale-x", G_TYPE_DOUBLE, x, "scale-y", G_TYPE_DOUBLE, y, NULL));
}

static void
test_scaled (void)
{
  gdouble scale, x, y;
  GstBuffer *out = buffer_behind (
      "! videoscale ! capsfilter caps=video/x-raw,width=160,height=128", 80, 64,
      20, 32);
  scene_assert_box (out, "bright", 40, 64, 32, 32);
  get_scales (out, &scale, &x, &y);
  g_assert_cmpfloat_with_epsilon (scale, 2, 1e-9);
  g_assert_cmpfloat_with_epsilon (x, 2, 1e-9);
  g_assert_cmpfloat_with_epsilon (y, 2, 1e-9);
  gst_buffer_unref (out);

  out = buffer_behind (
      "! videoscale ! capsfilter caps=video/x-raw,width=40,height=32", 80, 64,
      20, 32);
  get_scales (out, &scale, &x, &y);
  g_assert_cmpfloat_with_epsilon (scale, 0.5, 1e-9);
  gst_buffer_unref (out);
}

/* videoscale may have added borders: it doesn't say. */
static void
test_other_aspect_drops_the_map (void)
{
  GstBuffer *out = buffer_behind (
      "! videoscale ! capsfilter caps=video/x-raw,width=160,height=64", 80, 64,
      20, 32);
  g_assert_null (scene_map (out));
  gst_buffer_unref (out);
}

static void
test_rounding_is_no_other_aspect (void)
{
  gdouble scale, x, y;
  GstBuffer *out = buffer_behind (
      "! videoscale ! capsfilter caps=video/x-raw,width=75,height=61", 80, 64,
      20, 32);
  get_scales (out, &scale, &x, &y);
  g_assert_cmpfloat_with_epsilon (x, 75 / 80.0, 1e-9);
  g_assert_cmpfloat_with_epsilon (y, 61 / 64.0, 1e-9);
  gst_buffer_unref (out);
}

/* Whatever these do with metadata: never a map in the wrong place. */
static void
test_other_geometry_drops_the_map (void)
{
  static const gchar *const lines[] = { "! videocrop left=4 top=8",
    "! videoflip video-direction=horiz", "! videobox left=-8 top=-8",
    "! videoflip video-direction=90r" };
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    GstBuffer *out = buffer_behind (lines[i], 80, 64, 20, 32);
    g_test_message ("%s", lines[i]);
    g_assert_null (scene_map (out));
    gst_buffer_unref (out);
  }
}

static const GValue *
scores_of (GstBuffer *buffer)
{
  return gst_structure_get_value (scene_level (buffer, 0), "scores");
}

static void
test_copies_share_the_scores (void)
{
  GstBuffer *out = buffer_behind ("", 80, 64, 20, 32);
  GstBuffer *copy = gst_buffer_copy (out);
  GstBuffer *part = gst_buffer_copy_region (out,
      GST_BUFFER_COPY_META | GST_BUFFER_COPY_MEMORY, 10, 20);
  scene_assert_box (copy, "bright", 20, 32, 16, 16);
  g_assert_true (gst_value_get_buffer (scores_of (out))
      == gst_value_get_buffer (scores_of (copy)));
  g_assert_null (scene_map (part));
  gst_buffer_unref (part);
  gst_buffer_unref (out);
  g_assert_cmpuint (gst_buffer_get_size (
                        gst_value_get_buffer (scores_of (copy))),
      ==, 3 * 17 * 13 * sizeof (gfloat));
  gst_buffer_unref (copy);
}

/* Results of earlier frames stay as they are while later ones are computed. */
static void
test_scores_outlive_the_frame (void)
{
  GstVideoInfo info;
  GstMapInfo a, b;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstBuffer *first = scene_push (h, scene_frame (&info, 20, 32));
  GstBuffer *scores = gst_value_get_buffer (scores_of (first));
  GstBuffer *before = gst_buffer_copy_deep (scores);
  for (gint i = 0; i < 4; i++)
    gst_buffer_unref (scene_push (h, scene_frame (&info, 4 * i, 4 * i)));
  g_assert_true (gst_buffer_map (scores, &a, GST_MAP_READ));
  g_assert_true (gst_buffer_map (before, &b, GST_MAP_READ));
  g_assert_cmpmem (a.data, a.size, b.data, b.size);
  gst_buffer_unmap (before, &b);
  gst_buffer_unmap (scores, &a);
  gst_harness_teardown (h);
  gst_buffer_unref (before);
  gst_buffer_unref (first);
  g_free (launch);
}

static void
test_no_map (void)
{
  GstBuffer *out = buffer_behind ("attach-map=none", 80, 64, 20, 32);
  g_assert_null (scene_map (out));
  scene_assert_box (out, "bright", 20, 32, 16, 16);
  gst_buffer_unref (out);
}

static void
test_map_names_its_classes (void)
{
  GstBuffer *out = buffer_behind ("", 80, 64, 20, 32);
  const GValue *labels = gst_structure_get_value (scene_map (out), "labels");
  static const gchar *const names[] = { "bright", "dark", "none" };
  g_assert_cmpuint (gst_value_array_get_size (labels), ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpstr (g_value_get_string (gst_value_array_get_value (labels, i)),
        ==, names[i]);
  gst_buffer_unref (out);
}

/* One behind the other: each adds its own. */
static void
test_two_in_a_row (void)
{
  gchar *more = g_strdup_printf (
      "! convnet model-file=%s max-size=16 class-confidence-threshold=0.9 "
      "labels=a,b,c",
      scene_model ());
  GstBuffer *out = buffer_behind (more, 80, 64, 20, 32);
  gpointer state = NULL;
  guint metas = 0;
  const GstMeta *meta;
  g_assert_cmpuint (scene_count (out), ==, 2);
  while ((meta = gst_buffer_iterate_meta (out, &state)))
    metas += gst_meta_info_is_custom (meta->info);
  g_assert_cmpuint (metas, ==, 2);
  gst_buffer_unref (out);
  g_free (more);
}

/* Edges go to the nearest pixel, each for itself. */
static void
test_rounding (void)
{
  static const gint sizes[][2] = { { 96, 72 }, { 101, 77 }, { 97, 83 } };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    gint width = sizes[i][0], height = sizes[i][1];
    GstBuffer *out = buffer_behind ("min-size=11 max-size=11 scale-factor=1.4",
        width, height, 21, 17);
    GstVideoRegionOfInterestMeta *roi =
        (GstVideoRegionOfInterestMeta *) gst_buffer_get_meta (out,
            GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
    gdouble x0, y0, x1, y1;
    g_assert_nonnull (roi);
    g_assert_true (
        gst_structure_get (gst_video_region_of_interest_meta_get_param (roi,
                               "detection"),
            "x_min", G_TYPE_DOUBLE, &x0, "y_min", G_TYPE_DOUBLE, &y0, "x_max",
            G_TYPE_DOUBLE, &x1, "y_max", G_TYPE_DOUBLE, &y1, NULL));
    g_test_message ("%.3f %.3f %.3f %.3f", x0 * width, y0 * height, x1 * width,
        y1 * height);
    g_assert_cmpint (roi->x, ==, lround (x0 * width));
    g_assert_cmpint (roi->y, ==, lround (y0 * height));
    g_assert_cmpint (roi->x + roi->w, ==, lround (x1 * width));
    g_assert_cmpint (roi->y + roi->h, ==, lround (y1 * height));
    gst_buffer_unref (out);
  }
}

/* A buffer too short for its caps passes, and nothing is read of it. */
static void
test_short_buffer (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstBuffer *out = scene_push (h, gst_buffer_new_allocate (NULL, 100, NULL));
  g_assert_cmpuint (scene_count (out), ==, 0);
  g_assert_null (scene_map (out));
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
}

/* The picture lies in a larger one, as decoders do it. */
static void
test_larger_than_announced (void)
{
  static const gchar *const formats[] = { "GRAY8", "NV12", "RGB" };
  gchar *launch = scene_launch ("");
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    GstVideoInfo info, larger;
    GstHarness *h = scene_harness (launch, formats[i], 80, 64, &info);
    gst_video_info_set_format (&larger, GST_VIDEO_INFO_FORMAT (&info), 96, 80);
    larger.fps_n = info.fps_n;
    larger.fps_d = info.fps_d;
    GstBuffer *in = scene_frame (&larger, 20, 32);
    gst_buffer_add_video_meta (in, GST_VIDEO_FRAME_FLAG_NONE,
        GST_VIDEO_INFO_FORMAT (&info), 96, 80);
    GstBuffer *out = scene_push (h, in);
    scene_assert_box (out, "bright", 20, 32, 16, 16);
    gst_buffer_unref (out);
    gst_harness_teardown (h);
  }
  g_free (launch);
}

/* Behind a tee the buffer is shared: the pixels stay so, the metadata not. */
static void
test_shared_buffer (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("! convnetoverlay");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstBuffer *in = scene_frame (&info, 20, 32);
  GstBuffer *before = gst_buffer_copy_deep (in), *out;
  GstMapInfo a, b;
  out = scene_push (h, gst_buffer_ref (in));
  g_assert_cmpuint (scene_count (in), ==, 0);
  g_assert_cmpuint (scene_count (out), ==, 1);
  g_assert_true (gst_buffer_map (in, &a, GST_MAP_READ));
  g_assert_true (gst_buffer_map (before, &b, GST_MAP_READ));
  g_assert_cmpmem (a.data, a.size, b.data, b.size);
  gst_buffer_unmap (before, &b);
  gst_buffer_unmap (in, &a);
  gst_buffer_unref (before);
  gst_buffer_unref (out);
  gst_buffer_unref (in);
  gst_harness_teardown (h);
  g_free (launch);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func ("/metadata/" name, function)
  TEST ("scaled", test_scaled);
  TEST ("other-aspect", test_other_aspect_drops_the_map);
  TEST ("rounded-aspect", test_rounding_is_no_other_aspect);
  TEST ("other-geometry", test_other_geometry_drops_the_map);
  TEST ("copies", test_copies_share_the_scores);
  TEST ("scores-outlive", test_scores_outlive_the_frame);
  TEST ("no-map", test_no_map);
  TEST ("labels", test_map_names_its_classes);
  TEST ("two-in-a-row", test_two_in_a_row);
  TEST ("rounding", test_rounding);
  TEST ("short", test_short_buffer);
  TEST ("larger", test_larger_than_announced);
  TEST ("shared-buffer", test_shared_buffer);
#undef TEST
  int result = g_test_run ();
  gst_deinit ();
  return result;
}
