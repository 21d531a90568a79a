/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_reuse.c: with reuse=exact a stream gets the results that it gets without,
 * to the bit, whatever changes: pixels, caps, model, pyramid. */

#include <string.h>

#include "scene.h"

/* Two streams of the same frames: without and with. */
typedef struct
{
  GstHarness *whole, *part;
  GstVideoInfo info;
  GstBuffer *frame;
  GRand *rand;
} Streams;

static void
streams_init (Streams *s, const gchar *more, const gchar *format, gint width,
    gint height)
{
  gchar *launch = scene_launch (more);
  gchar *exact = g_strdup_printf ("%s reuse=exact", launch);
  s->whole = scene_harness (launch, format, width, height, &s->info);
  s->part = scene_harness (exact, format, width, height, &s->info);
  s->frame = scene_frame (&s->info, 20, 32);
  s->rand = g_rand_new_with_seed (1);
  g_free (exact);
  g_free (launch);
}

static void
streams_clear (Streams *s)
{
  g_rand_free (s->rand);
  gst_buffer_unref (s->frame);
  gst_harness_teardown (s->whole);
  gst_harness_teardown (s->part);
}

static void
compare (GstBuffer *a, GstBuffer *b)
{
  const GValue *levels = gst_structure_get_value (scene_map (a), "levels");
  guint count = gst_value_array_get_size (levels);
  levels = gst_structure_get_value (scene_map (b), "levels");
  g_assert_cmpuint (gst_value_array_get_size (levels), ==, count);
  for (guint i = 0; i < count; i++) {
    GstBuffer *x, *y;
    GstMapInfo left, right;
    gst_structure_get (scene_level (a, i), "scores", GST_TYPE_BUFFER, &x, NULL);
    gst_structure_get (scene_level (b, i), "scores", GST_TYPE_BUFFER, &y, NULL);
    g_assert_true (gst_buffer_map (x, &left, GST_MAP_READ));
    g_assert_true (gst_buffer_map (y, &right, GST_MAP_READ));
    g_assert_cmpmem (left.data, left.size, right.data, right.size);
    gst_buffer_unmap (x, &left);
    gst_buffer_unmap (y, &right);
    gst_buffer_unref (x);
    gst_buffer_unref (y);
  }
  g_assert_cmpuint (scene_count (a), ==, scene_count (b));
}

/* The frame as it is now through both. */
static void
push (Streams *s)
{
  GstBuffer *whole = scene_push (s->whole, gst_buffer_copy_deep (s->frame));
  GstBuffer *part = scene_push (s->part, gst_buffer_copy_deep (s->frame));
  compare (whole, part);
  gst_buffer_unref (whole);
  gst_buffer_unref (part);
}

/* A rectangle of every plane gets other bytes. */
static void
change (Streams *s)
{
  GstVideoFrame pixels;
  gint x = g_rand_int_range (s->rand, 0, GST_VIDEO_INFO_WIDTH (&s->info));
  gint y = g_rand_int_range (s->rand, 0, GST_VIDEO_INFO_HEIGHT (&s->info));
  gint side = g_rand_int_range (s->rand, 1, 40);
  g_assert_true (
      gst_video_frame_map (&pixels, &s->info, s->frame, GST_MAP_READWRITE));
  for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES (&pixels); p++) {
    guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (&pixels, p);
    gint pitch = GST_VIDEO_FRAME_PLANE_STRIDE (&pixels, p);
    gint rows = GST_VIDEO_FRAME_COMP_HEIGHT (&pixels, p);
    for (gint i = y; i < y + side && i < rows; i++)
      for (gint j = x; j < x + side && j < pitch; j++)
        data[i * pitch + j] = (guint8) g_rand_int (s->rand);
  }
  gst_video_frame_unmap (&pixels);
}

static void
run (Streams *s, gint frames)
{
  for (gint i = 0; i < frames; i++) {
    for (gint k = g_rand_int_range (s->rand, 0, 4); k > 0; k--)
      change (s);
    push (s);
  }
}

static guint64
count_of (GstHarness *h, const gchar *which)
{
  GstStructure *stats = NULL;
  guint64 count;
  gst_harness_get (h, "convnet", "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, which, &count));
  gst_structure_free (stats);
  return count;
}

/* Luma where it lies, with steps, and formats that are converted. */
static void
test_formats (void)
{
  static const gchar *const formats[] = { "GRAY8", "I420", "NV12", "YUY2",
    "RGB", "I420_10LE" };
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++) {
    Streams s;
    streams_init (&s, "max-size=64 scale-factor=1.3", formats[i], 85, 67);
    run (&s, 20);
    streams_clear (&s);
  }
}

static void
test_colors (void)
{
  static const gchar *const formats[] = { "RGB", "BGRx", "I420" };
  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++) {
    Streams s;
    gchar *more = g_strdup_printf ("model-file=%s", scene_color_model ("Rgb8"));
    streams_init (&s, more, formats[i], 85, 67);
    run (&s, 20);
    streams_clear (&s);
    g_free (more);
  }
}

static void
test_pixels (void)
{
  Streams s;
  gchar *more = g_strdup_printf ("model-file=%s", scene_pixel_model ());
  streams_init (&s, more, "GRAY8", 86, 68);
  run (&s, 20);
  streams_clear (&s);
  g_free (more);
}

static void
set_both (Streams *s, const gchar *property, const gchar *value)
{
  GstHarness *const both[] = { s->whole, s->part };
  for (gsize i = 0; i < G_N_ELEMENTS (both); i++) {
    GstElement *element = gst_harness_find_element (both[i], "convnet");
    gst_util_set_object_arg (G_OBJECT (element), property, value);
    gst_object_unref (element);
  }
}

/* Frames of another size, another model, another pyramid, in mid-stream. */
static void
test_changes_of_all_kinds (void)
{
  Streams s;
  streams_init (&s, "max-size=64", "GRAY8", 85, 67);
  run (&s, 5);
  gchar *caps = scene_caps ("YUY2", 120, 50);
  scene_set_caps (s.whole, caps, &s.info);
  scene_set_caps (s.part, caps, &s.info);
  gst_buffer_unref (s.frame);
  s.frame = scene_frame (&s.info, 30, 20);
  run (&s, 5);
  set_both (&s, "model-file", scene_small_model ());
  run (&s, 5);
  set_both (&s, "window-stride", "2");
  run (&s, 5);
  set_both (&s, "scale-factor", "1.2");
  run (&s, 5);
  gst_harness_set (s.part, "convnet", "reuse", 0, NULL);
  run (&s, 5);
  gst_harness_set (s.part, "convnet", "reuse", 1, NULL);
  run (&s, 5);
  g_free (caps);
  streams_clear (&s);
}

/* Frames in which nothing is new count as reused, and as of this frame; with
 * maps or without. */
static void
test_stats (void)
{
  Streams s;
  gint age;
  streams_init (&s, "", "GRAY8", 80, 64);
  for (gint i = 0; i < 4; i++)
    push (&s);
  change (&s);
  push (&s);
  push (&s);
  g_assert_cmpuint (count_of (s.whole, "processed"), ==, 6);
  g_assert_cmpuint (count_of (s.whole, "reused"), ==, 0);
  g_assert_cmpuint (count_of (s.part, "processed"), ==, 2);
  g_assert_cmpuint (count_of (s.part, "reused"), ==, 4);
  g_assert_cmpuint (count_of (s.part, "late"), ==, 0);

  set_both (&s, "attach-map", "none");
  gst_buffer_unref (scene_push (s.part, gst_buffer_copy_deep (s.frame)));
  set_both (&s, "attach-map", "scores");
  GstBuffer *out = scene_push (s.part, gst_buffer_copy_deep (s.frame));
  g_assert_true (gst_structure_get_int (scene_map (out), "age", &age));
  g_assert_cmpint (age, ==, 0);
  gst_buffer_unref (out);
  push (&s);

  /* Switched off between two frames, and on again. */
  gst_harness_set (s.part, "convnet", "reuse", 0, NULL);
  guint64 processed = count_of (s.part, "processed");
  for (gint i = 0; i < 3; i++)
    push (&s);
  g_assert_cmpuint (count_of (s.part, "processed"), ==, processed + 3);
  gst_harness_set (s.part, "convnet", "reuse", 1, NULL);
  for (gint i = 0; i < 3; i++)
    push (&s);
  g_assert_cmpuint (count_of (s.part, "processed"), ==, processed + 4);
  streams_clear (&s);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func ("/reuse/" name, function)
  TEST ("formats", test_formats);
  TEST ("colors", test_colors);
  TEST ("pixels", test_pixels);
  TEST ("changes", test_changes_of_all_kinds);
  TEST ("stats", test_stats);
  return g_test_run ();
}
