/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_overlay.c: where convnetoverlay draws, and where not. */

#include <string.h>

#include "scene.h"

#define FEATURES "memory:SystemMemory,meta:GstVideoOverlayComposition"

static void
add_region (GstBuffer *buffer, const gchar *label, guint x, guint y, guint w,
    guint h)
{
  GstVideoRegionOfInterestMeta *region =
      gst_buffer_add_video_region_of_interest_meta (buffer, label, x, y, w, h);
  gst_video_region_of_interest_meta_add_param (region,
      gst_structure_new ("detection", "label", G_TYPE_STRING, label, "label_id",
          G_TYPE_INT, 1, "confidence", G_TYPE_DOUBLE, 0.5, NULL));
}

/* A harness whose sink takes compositions. */
static GstHarness *
composing_harness (const gchar *launch, gint width, gint height,
    GstVideoInfo *info)
{
  GstHarness *h = gst_harness_new_parse (launch);
  gchar *caps = scene_caps ("I420", width, height);
  gst_harness_set_sink_caps_str (h, "video/x-raw(" FEATURES ")");
  gst_harness_add_propose_allocation_meta (h,
      GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  scene_set_caps (h, caps, info);
  g_free (caps);
  return h;
}

static guint
rectangles (GstBuffer *buffer)
{
  GstVideoOverlayCompositionMeta *meta =
      gst_buffer_get_video_overlay_composition_meta (buffer);
  return meta ? gst_video_overlay_composition_n_rectangles (meta->overlay) : 0;
}

static void
assert_inside (GstBuffer *buffer, gint width, gint height)
{
  GstVideoOverlayComposition *overlay =
      gst_buffer_get_video_overlay_composition_meta (buffer)->overlay;
  guint n = gst_video_overlay_composition_n_rectangles (overlay);
  for (guint i = 0; i < n; i++) {
    gint x, y;
    guint w, h;
    gst_video_overlay_rectangle_get_render_rectangle (
        gst_video_overlay_composition_get_rectangle (overlay, i), &x, &y, &w,
        &h);
    g_assert_cmpint (x, >=, 0);
    g_assert_cmpint (y, >=, 0);
    g_assert_cmpint (x + (gint) w, <=, width);
    g_assert_cmpint (y + (gint) h, <=, height);
  }
}

static GstBuffer *
compose (const gchar *launch, gint width, gint height, const gchar *label,
    guint x, guint y, guint w, guint h)
{
  GstVideoInfo info;
  GstHarness *harness = composing_harness (launch, width, height, &info);
  GstBuffer *in = scene_frame (&info, -1, 0);
  add_region (in, label, x, y, w, h);
  GstBuffer *out = scene_push (harness, in);
  gst_harness_teardown (harness);
  return out;
}

/* Boxes everywhere, labels long and short, frames small and large. */
static void
test_never_outside (void)
{
  static const gint sizes[][2] = { { 8, 8 }, { 33, 17 }, { 64, 48 },
    { 320, 240 }, { 90, 500 } };
  static const gchar *const labels[] = { "7",
    "a label that is longer than the frame is wide, by far" };
  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint l = 0; l < G_N_ELEMENTS (labels); l++)
      for (guint place = 0; place < 9; place++) {
        gint width = sizes[s][0], height = sizes[s][1];
        guint w = (guint) width / 3, h = (guint) height / 3;
        GstBuffer *out = compose ("convnetoverlay", width, height, labels[l],
            (guint) (width - (gint) w) * (place % 3) / 2,
            (guint) (height - (gint) h) * (place / 3) / 2, w, h);
        g_assert_cmpuint (rectangles (out), >, 0);
        assert_inside (out, width, height);
        gst_buffer_unref (out);
      }
}

/* What is larger than the frame, or lies beyond it, comes from elsewhere. */
static void
test_regions_beyond_the_frame (void)
{
  GstBuffer *out = compose ("convnetoverlay", 64, 48, "7", 60, 40, 100, 100);
  assert_inside (out, 64, 48);
  gst_buffer_unref (out);
  out = compose ("convnetoverlay", 64, 48, "7", 0, 0, 64, 48);
  assert_inside (out, 64, 48);
  gst_buffer_unref (out);
  out = compose ("convnetoverlay", 64, 48, "7", 1000, 1000, 10, 10);
  assert_inside (out, 64, 48);
  gst_buffer_unref (out);
  out = compose ("convnetoverlay", 64, 48, "7", G_MAXUINT - 5, G_MAXUINT - 5,
      G_MAXUINT, G_MAXUINT);
  assert_inside (out, 64, 48);
  gst_buffer_unref (out);
}

static void
test_attached_pixels_stay (void)
{
  GstVideoInfo info;
  GstMapInfo a, b;
  gchar *launch = scene_launch ("! convnetoverlay");
  GstHarness *h = composing_harness (launch, 96, 64, &info);
  GstBuffer *in = scene_frame (&info, 20, 12), *before, *out;
  before = gst_buffer_copy_deep (in);
  out = scene_push (h, in);
  /* four lines and a label */
  g_assert_cmpuint (rectangles (out), ==, 5);
  g_assert_true (gst_buffer_map (before, &a, GST_MAP_READ));
  g_assert_true (gst_buffer_map (out, &b, GST_MAP_READ));
  g_assert_cmpmem (a.data, a.size, b.data, b.size);
  gst_buffer_unmap (out, &b);
  gst_buffer_unmap (before, &a);
  gst_buffer_unref (before);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
}

/* Two overlays: the second adds to what the first attached. */
static void
test_compositions_add_up (void)
{
  GstBuffer *out = compose ("convnetoverlay draw=boxes ! convnetoverlay "
                            "draw=labels",
      160, 120, "7", 60, 50, 20, 20);
  g_assert_cmpuint (rectangles (out), ==, 5);
  gst_buffer_unref (out);
}

static void
test_draw (void)
{
  static const struct
  {
    const gchar *draw;
    guint rectangles;
  } cases[] = { { "boxes", 4 }, { "labels", 1 }, { "scores", 1 },
    { "boxes+labels", 5 }, { "labels+scores", 1 }, { "0", 0 } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    gchar *launch = g_strdup_printf ("convnetoverlay draw=%s", cases[i].draw);
    GstBuffer *out = compose (launch, 160, 120, "7", 60, 50, 20, 20);
    g_test_message ("%s", launch);
    g_assert_cmpuint (rectangles (out), ==, cases[i].rectangles);
    gst_buffer_unref (out);
    g_free (launch);
  }
}

/* Objects at the same place: their labels lie side by side. */
static void
test_labels_apart (void)
{
  GstVideoInfo info;
  GstHarness *h =
      composing_harness ("convnetoverlay draw=labels", 320, 240, &info);
  GstBuffer *in = scene_frame (&info, -1, 0);
  struct
  {
    gint x, y;
    guint w, h;
  } rect[3];
  for (guint i = 0; i < 3; i++)
    add_region (in, "a name", 150, 110, 20, 20);
  GstBuffer *out = scene_push (h, in);
  GstVideoOverlayComposition *overlay =
      gst_buffer_get_video_overlay_composition_meta (out)->overlay;
  g_assert_cmpuint (rectangles (out), ==, 3);
  for (guint i = 0; i < 3; i++)
    gst_video_overlay_rectangle_get_render_rectangle (
        gst_video_overlay_composition_get_rectangle (overlay, i), &rect[i].x,
        &rect[i].y, &rect[i].w, &rect[i].h);
  for (guint i = 0; i < 3; i++)
    for (guint k = 0; k < i; k++)
      g_assert_true (rect[i].x + (gint) rect[i].w <= rect[k].x
          || rect[k].x + (gint) rect[k].w <= rect[i].x
          || rect[i].y + (gint) rect[i].h <= rect[k].y
          || rect[k].y + (gint) rect[k].h <= rect[i].y);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

static GstBuffer *
push_at (GstHarness *h, const GstVideoInfo *info, GstClockTime time,
    gboolean with_region)
{
  GstBuffer *in = scene_frame (info, -1, 0);
  GST_BUFFER_PTS (in) = time;
  if (with_region)
    add_region (in, "7", 60, 50, 20, 20);
  return scene_push (h, in);
}

static void
test_expiry (void)
{
  GstVideoInfo info;
  GstHarness *h =
      composing_harness ("convnetoverlay expire-after=100000000 draw=boxes",
          160, 120, &info);
  static const struct
  {
    guint ms;
    gboolean with_region;
    guint rectangles;
  } steps[] = { { 0, FALSE, 0 }, { 40, TRUE, 4 }, { 80, FALSE, 4 },
    { 120, FALSE, 4 }, { 139, FALSE, 4 }, { 140, FALSE, 0 }, { 141, FALSE, 0 },
    { 160, TRUE, 4 } };
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    GstBuffer *out =
        push_at (h, &info, steps[i].ms * GST_MSECOND, steps[i].with_region);
    g_assert_cmpuint (rectangles (out), ==, steps[i].rectangles);
    gst_buffer_unref (out);
  }
  gst_harness_teardown (h);
}

static guint32
luma_at (GstBuffer *buffer, const GstVideoInfo *info, gint x, gint y)
{
  GstVideoFrame frame;
  g_assert_true (gst_video_frame_map (&frame, info, buffer, GST_MAP_READ));
  guint8 luma = ((const guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame,
      0))[y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0) + x];
  gst_video_frame_unmap (&frame);
  return luma;
}

/* Red lies where the network is sure, and nothing where it is not. */
static void
heat (const gchar *more, gint x, gint y, gboolean hot)
{
  GstVideoInfo info;
  gchar *overlay =
      g_strdup_printf ("! convnetoverlay draw=heat-map heat-map-class=%s",
          more);
  gchar *launch = scene_launch (overlay);
  GstHarness *h = scene_harness (launch, "GRAY8", 192, 144, &info);
  GstBuffer *out = scene_push (h, scene_frame (&info, 40, 28));
  gint square = (gint) luma_at (out, &info, x, y);
  if (hot)
    g_assert_cmpint (square, <, 200);
  else
    g_assert_cmpint (ABS (square - (x > 60 ? 128 : 255)), <, 3);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
  g_free (overlay);
}

static void
test_heat_map (void)
{
  heat ("bright", 48, 36, TRUE);
  heat ("bright", 150, 100, FALSE);
  heat ("dark", 48, 36, FALSE);
  heat ("unknown", 48, 36, FALSE);
}

/* One colour for all, if one is set: bright lines on a dark frame. */
static void
test_color (void)
{
  GstVideoInfo info;
  GstHarness *h =
      scene_harness ("convnetoverlay draw=boxes line-width=2 color=0xffffffff",
          "I420", 160, 120, &info);
  GstBuffer *in = scene_frame_of (&info, -1, 0, 0, 0);
  add_region (in, "7", 60, 50, 20, 20);
  GstBuffer *out = scene_push (h, in);
  g_assert_cmpint (luma_at (out, &info, 59, 60), >, 230);
  g_assert_cmpint (luma_at (out, &info, 58, 60), >, 230);
  g_assert_cmpint (luma_at (out, &info, 81, 60), >, 230);
  g_assert_cmpint (luma_at (out, &info, 60, 60), ==, 16);
  g_assert_cmpint (luma_at (out, &info, 70, 60), ==, 16);
  g_assert_cmpint (luma_at (out, &info, 56, 60), ==, 16);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define TEST(name, function) g_test_add_func ("/overlay/" name, function)
  TEST ("never-outside", test_never_outside);
  TEST ("beyond-the-frame", test_regions_beyond_the_frame);
  TEST ("attached", test_attached_pixels_stay);
  TEST ("add-up", test_compositions_add_up);
  TEST ("draw", test_draw);
  TEST ("labels-apart", test_labels_apart);
  TEST ("expiry", test_expiry);
  TEST ("heat-map", test_heat_map);
  TEST ("color", test_color);
#undef TEST
  int result = g_test_run ();
  gst_deinit ();
  return result;
}
