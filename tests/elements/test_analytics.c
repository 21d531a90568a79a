/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_analytics.c: results in the terms of GStreamer's analytics library,
 * where the plugin was built with it. */

#include "scene.h"

#ifdef HAVE_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

static GstBuffer *
result_of (const gchar *more)
{
  GstVideoInfo info;
  gchar *launch = scene_launch (more);
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstBuffer *out = scene_push (h, scene_frame (&info, 20, 32));
  gst_harness_teardown (h);
  g_free (launch);
  return out;
}

#ifdef HAVE_ANALYTICS

static void
assert_object (GstBuffer *buffer, gint x, gint y, gint w, gint h)
{
  GstAnalyticsRelationMeta *meta =
      gst_buffer_get_analytics_relation_meta (buffer);
  GstAnalyticsODMtd box;
  GstAnalyticsClsMtd classes;
  gpointer state = NULL, related = NULL;
  gint place[4];
  gfloat confidence, sum = 0;

  g_assert_nonnull (meta);
  g_assert_true (gst_analytics_relation_meta_iterate (meta, &state,
      gst_analytics_od_mtd_get_mtd_type (), &box));
  g_assert_true (gst_analytics_od_mtd_get_location (&box, &place[0], &place[1],
      &place[2], &place[3], &confidence));
  g_assert_cmpint (place[0], ==, x);
  g_assert_cmpint (place[1], ==, y);
  g_assert_cmpint (place[2], ==, w);
  g_assert_cmpint (place[3], ==, h);
  g_assert_cmpfloat (confidence, >, 0.99);
  g_assert_cmpstr (g_quark_to_string (gst_analytics_od_mtd_get_obj_type (&box)),
      ==, "bright");

  g_assert_true (gst_analytics_relation_meta_get_direct_related (meta, box.id,
      GST_ANALYTICS_REL_TYPE_RELATE_TO, gst_analytics_cls_mtd_get_mtd_type (),
      &related, &classes));
  related = NULL;
  g_assert_true (gst_analytics_relation_meta_get_direct_related (meta, box.id,
      GST_ANALYTICS_REL_TYPE_CONTAIN, gst_analytics_cls_mtd_get_mtd_type (),
      &related, &classes));
  g_assert_cmpuint (gst_analytics_cls_mtd_get_length (&classes), ==, 3);
  for (gsize i = 0; i < 3; i++)
    sum += gst_analytics_cls_mtd_get_level (&classes, i);
  g_assert_cmpfloat_with_epsilon (sum, 1, 1e-4);
  g_assert_cmpfloat_with_epsilon (gst_analytics_cls_mtd_get_level (&classes, 0),
      confidence, 1e-9);
  g_assert_cmpint (gst_analytics_cls_mtd_get_index_by_quark (&classes,
                       g_quark_from_string ("bright")),
      ==, 0);
  g_assert_false (gst_analytics_relation_meta_iterate (meta, &state,
      gst_analytics_od_mtd_get_mtd_type (), &box));
}

static void
test_relations (void)
{
  GstBuffer *out = result_of ("");
  assert_object (out, 20, 32, 16, 16);
  gst_buffer_unref (out);
}

/* The winner stands in front whatever its number is. */
static void
test_winner_first (void)
{
  GstVideoInfo info;
  gchar *launch = scene_launch ("");
  GstHarness *h = scene_harness (launch, "GRAY8", 80, 64, &info);
  GstBuffer *out =
      scene_push (h, scene_frame_of (&info, 20, 32, 0x000000, 0x808080));
  GstAnalyticsRelationMeta *meta = gst_buffer_get_analytics_relation_meta (out);
  static const gchar *const names[] = { "dark", "bright", "none" };
  GstAnalyticsClsMtd classes;
  gpointer state = NULL;
  g_assert_true (gst_analytics_relation_meta_iterate (meta, &state,
      gst_analytics_cls_mtd_get_mtd_type (), &classes));
  for (gsize i = 0; i < 3; i++)
    g_assert_cmpstr (g_quark_to_string (
                         gst_analytics_cls_mtd_get_quark (&classes, i)),
        ==, names[i]);
  gst_buffer_unref (out);
  gst_harness_teardown (h);
  g_free (launch);
}

static void
test_relations_scaled (void)
{
  GstBuffer *out = result_of (
      "! videoscale ! capsfilter caps=video/x-raw,width=160,height=128");
  assert_object (out, 40, 64, 32, 32);
  gst_buffer_unref (out);
}

#else

static void
test_relations (void)
{
  g_test_skip ("built without GStreamer's analytics library");
}

#define test_relations_scaled test_relations
#define test_winner_first     test_relations

#endif

#ifdef HAVE_TENSOR_META

static void
test_tensor (void)
{
  GstBuffer *out = result_of ("attach-map=tensor max-size=32");
  GstTensorMeta *meta = gst_buffer_get_tensor_meta (out);
  g_assert_null (scene_map (out));
  g_assert_nonnull (meta);
  g_assert_cmpuint (meta->num_tensors, ==, 3);
  g_assert_cmpint (gst_tensor_meta_get_index_from_id (meta,
                       g_quark_from_string ("Gst.Model.FCN.Map")),
      ==, 0);
  const GstTensor *tensor = gst_tensor_meta_get (meta, 0);
  g_assert_cmpint (tensor->data_type, ==, GST_TENSOR_DATA_TYPE_FLOAT32);
  g_assert_cmpuint (tensor->num_dims, ==, 4);
  g_assert_cmpuint (tensor->dims[0], ==, 1);
  g_assert_cmpuint (tensor->dims[1], ==, 3);
  g_assert_cmpuint (tensor->dims[2], ==, 13);
  g_assert_cmpuint (tensor->dims[3], ==, 17);
  g_assert_cmpuint (gst_buffer_get_size (tensor->data), ==,
      3 * 13 * 17 * sizeof (gfloat));
  gst_buffer_unref (out);
}

#else

/* Without tensors it acts as scores. */
static void
test_tensor (void)
{
  GstBuffer *out = result_of ("attach-map=tensor");
  g_assert_nonnull (scene_map (out));
  gst_buffer_unref (out);
}

#endif

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/analytics/relations", test_relations);
  g_test_add_func ("/analytics/winner-first", test_winner_first);
  g_test_add_func ("/analytics/scaled", test_relations_scaled);
  g_test_add_func ("/analytics/tensor", test_tensor);
  int result = g_test_run ();
  gst_deinit ();
  return result;
}
