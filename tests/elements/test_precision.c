/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_precision.c: what precision=fast may change, and that precision=exact
 * takes it back. With the built-in model, whose maps are probabilities. */

#include <math.h>

#include "scene.h"

/* docs/winograd.md */
#define BOUND 1e-4

/* All probabilities of the largest level of a frame of noise. */
static GBytes *
scores_of (GstHarness *h, const GstVideoInfo *info)
{
  GstBuffer *frame = scene_frame (info, -1, 0), *scores;
  GstMapInfo map;
  GRand *rand = g_rand_new_with_seed (3);
  g_assert_true (gst_buffer_map (frame, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = (guint8) g_rand_int (rand);
  gst_buffer_unmap (frame, &map);
  g_rand_free (rand);

  GstBuffer *out = scene_push (h, frame);
  gst_structure_get (scene_level (out, 0), "scores", GST_TYPE_BUFFER, &scores,
      NULL);
  g_assert_true (gst_buffer_map (scores, &map, GST_MAP_READ));
  GBytes *bytes = g_bytes_new (map.data, map.size);
  gst_buffer_unmap (scores, &map);
  gst_buffer_unref (scores);
  gst_buffer_unref (out);
  return bytes;
}

static gdouble
difference (GBytes *a, GBytes *b)
{
  gsize size, other;
  const gfloat *x = g_bytes_get_data (a, &size);
  const gfloat *y = g_bytes_get_data (b, &other);
  gdouble most = 0;
  g_assert_cmpuint (size, ==, other);
  for (gsize i = 0; i < size / sizeof *x; i++)
    most = fmax (most, fabs ((gdouble) x[i] - y[i]));
  return most;
}

static void
test_bound (void)
{
  static const gchar launch[] =
      "convnet name=convnet attach-map=scores threads=1";
  GstVideoInfo info;
  GstHarness *h = scene_harness (launch, "GRAY8", 320, 240, &info);
  GBytes *fast = scores_of (h, &info);
  gst_harness_set (h, "convnet", "precision", 1, NULL);
  GBytes *exact = scores_of (h, &info);
  gst_harness_set (h, "convnet", "precision", 0, NULL);
  GBytes *again = scores_of (h, &info);
  gst_harness_teardown (h);
  h = scene_harness ("convnet name=convnet attach-map=scores precision=exact",
      "GRAY8", 320, 240, &info);
  GBytes *first = scores_of (h, &info);

  g_assert_cmpfloat (difference (fast, exact), <, BOUND);
  g_assert_false (g_bytes_equal (fast, exact));
  g_assert_true (g_bytes_equal (fast, again));
  g_assert_true (g_bytes_equal (exact, first));
  g_bytes_unref (fast);
  g_bytes_unref (exact);
  g_bytes_unref (again);
  g_bytes_unref (first);
  gst_harness_teardown (h);
}

static void
test_property (void)
{
  GstElement *convnet = gst_element_factory_make ("convnet", NULL);
  gint precision = -1;
  g_object_get (convnet, "precision", &precision, NULL);
  g_assert_cmpint (precision, ==, 0);
  gst_util_set_object_arg (G_OBJECT (convnet), "precision", "exact");
  g_object_get (convnet, "precision", &precision, NULL);
  g_assert_cmpint (precision, ==, 1);
  gst_object_unref (convnet);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/precision/property", test_property);
  g_test_add_func ("/precision/bound", test_bound);
  return g_test_run ();
}
