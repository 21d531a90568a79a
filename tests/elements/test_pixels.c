/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_pixels.c: a network that ends in a map with a cell for each pixel (a
 * U-Net) gives classes at full resolution, and no boxes. */

#include <string.h>

#include "scene.h"

static GstHarness *
harness (const gchar *more, gint width, gint height, GstVideoInfo *info)
{
  gchar *launch = g_strdup_printf ("convnet name=c model-file=%s %s",
      scene_pixel_model (), more);
  GstHarness *h = scene_harness (launch, "GRAY8", width, height, info);
  g_free (launch);
  return h;
}

static gint
int_of (const GstStructure *s, const gchar *name)
{
  gint value = 0;
  g_assert_true (gst_structure_get_int (s, name, &value));
  return value;
}

/* Class of the most probable score at a cell. */
static gint
winner (const GstStructure *level, gint x, gint y)
{
  const GValue *value = gst_structure_get_value (level, "scores");
  GstBuffer *scores = gst_value_get_buffer (value);
  gint w = int_of (level, "width"), h = int_of (level, "height"), best = 0;
  GstMapInfo map;
  g_assert_true (gst_buffer_map (scores, &map, GST_MAP_READ));
  g_assert_cmpuint (map.size, >=, (gsize) (3 * w * h) * sizeof (gfloat));
  const gfloat *p = (const gfloat *) map.data;
  for (gint k = 1; k < 3; k++)
    if (p[(k * h + y) * w + x] > p[(best * h + y) * w + x])
      best = k;
  gst_buffer_unmap (scores, &map);
  return best;
}

static void
test_full_resolution (void)
{
  GstVideoInfo info;
  GstHarness *h = harness ("", 80, 64, &info);
  GstBuffer *out = scene_push (h, scene_frame (&info, 20, 32));
  const GstStructure *level = scene_level (out, 0);
  const GValue *levels = gst_structure_get_value (scene_map (out), "levels");
  g_assert_cmpuint (gst_value_array_get_size (levels), ==, 1);
  g_assert_cmpint (int_of (level, "width"), ==, 80);
  g_assert_cmpint (int_of (level, "height"), ==, 64);
  g_assert_cmpint (int_of (level, "stride-x"), ==, 1);
  g_assert_cmpint (int_of (level, "classes"), ==, 3);
  for (gint y = 0; y < 64; y++)
    for (gint x = 0; x < 80; x++) {
      gboolean inside = x >= 20 && x < 36 && y >= 32 && y < 48;
      g_assert_cmpint (winner (level, x, y), ==, inside ? 0 : 2);
    }
  g_assert_cmpuint (scene_count (out), ==, 0);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

/* 2x2 pools take even sides only: the frame is resized a little. */
static void
test_odd_size (void)
{
  GstVideoInfo info;
  GstHarness *h = harness ("", 81, 65, &info);
  GstBuffer *out = scene_push (h, scene_frame (&info, 20, 32));
  const GstStructure *level = scene_level (out, 0);
  g_assert_cmpint (int_of (level, "width"), ==, 80);
  g_assert_cmpint (int_of (level, "height"), ==, 64);
  g_assert_cmpint (winner (level, 27, 39), ==, 0);
  g_assert_cmpint (winner (level, 5, 5), ==, 2);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

/* The overlay paints it. */
static void
test_heat_map (void)
{
  GstVideoInfo info;
  GstHarness *h =
      harness ("! convnetoverlay draw=heat-map heat-map-class=bright", 80, 64,
          &info);
  GstBuffer *in = scene_frame (&info, 20, 32);
  GstBuffer *before = gst_buffer_copy_deep (in);
  GstBuffer *out = scene_push (h, in);
  GstMapInfo a, b;
  g_assert_true (gst_buffer_map (before, &a, GST_MAP_READ));
  g_assert_true (gst_buffer_map (out, &b, GST_MAP_READ));
  g_assert_cmpuint (a.size, ==, b.size);
  g_assert_cmpint (a.data[40 * 80 + 28], !=, b.data[40 * 80 + 28]);
  gst_buffer_unmap (out, &b);
  gst_buffer_unmap (before, &a);
  gst_buffer_unref (out);
  gst_buffer_unref (before);
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pixels/full-resolution", test_full_resolution);
  g_test_add_func ("/pixels/odd-size", test_odd_size);
  g_test_add_func ("/pixels/heat-map", test_heat_map);
  return g_test_run ();
}
