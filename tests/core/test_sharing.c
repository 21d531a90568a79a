/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_sharing.c: what is made of a model by rewriting is made once, for all
 * who ask for it, with the weights that are packed for it. */

#include <cnn/detect.h>

#include "graph/program.h"
#include "netbuild.h"

#define N_THREADS 8

static CnnModel *
classifier (void)
{
  Net net;
  net_begin (&net, 11, 1, 16, 16);
  net_conv (&net, 1, 6, 5, 1, 1);
  net_op (&net, "Relu");
  net_pool (&net, "MaxPool", 2, 2);
  net_op (&net, "Flatten");
  net_dense (&net, 216, 10);
  return net_end (&net);
}

static CnnModel *
prepared (CnnModel *model, int stride)
{
  CnnError error = { 0 };
  CnnModel *map = NULL, *dense = NULL, *scores = NULL;
  net_ok (cnn_model_to_map (model, &map, &error), &error);
  net_ok (cnn_model_with_stride (map, stride, &dense, &error), &error);
  net_ok (cnn_model_to_probabilities (dense, &scores, &error), &error);
  cnn_model_unref (dense);
  cnn_model_unref (map);
  return scores;
}

static void
test_made_once (void)
{
  CnnModel *model = classifier ();
  CnnModel *first = prepared (model, 1), *again = prepared (model, 1);
  CnnModel *other = prepared (model, 2);
  g_assert_true (first == again);
  g_assert_true (first != other);
  cnn_model_unref (first);
  first = prepared (model, 1);
  g_assert_true (first == again);
  cnn_model_unref (other);
  cnn_model_unref (again);
  /* It outlives what it was made of. */
  cnn_model_unref (model);
  g_assert_cmpint (cnn_model_info (first)->classes, ==, 10);
  cnn_model_unref (first);
}

static void
test_a_map_is_its_own (void)
{
  Net net;
  CnnError error = { 0 };
  CnnModel *map = NULL;
  net_begin (&net, 12, 1, -1, -1);
  net_conv (&net, 1, 3, 5, 1, 1);
  CnnModel *model = net_end (&net);
  net_ok (cnn_model_to_map (model, &map, &error), &error);
  g_assert_true (map == model);
  cnn_model_unref (map);
  cnn_model_unref (model);
}

static CnnDetector *
new_detector (CnnModel *model)
{
  CnnError error = { 0 };
  CnnDetector *detector = NULL;
  CnnDetectorConfig config = { .width = 120, .height = 90 };
  net_ok (cnn_detector_new (model, &config, &detector, &error), &error);
  return detector;
}

static void
test_weights_are_packed_once (void)
{
  CnnModel *model = classifier (), *map = NULL, *scores = NULL;
  CnnError error = { 0 };
  CnnDetector *first = new_detector (model);
  net_ok (cnn_model_to_map (model, &map, &error), &error);
  net_ok (cnn_model_to_probabilities (map, &scores, &error), &error);
  size_t packed = cnn_model_weight_bytes (scores);
  CnnDetector *second = new_detector (model);
  g_assert_cmpuint (cnn_model_weight_bytes (scores), ==, packed);
  g_assert_cmpuint (packed, >, (6 * 25 + 216 * 10) * sizeof (float));
  cnn_detector_free (second);
  cnn_detector_free (first);
  cnn_model_unref (scores);
  cnn_model_unref (map);
  cnn_model_unref (model);
}

static gpointer
prepare_in_thread (gpointer model)
{
  return prepared (model, 1);
}

static void
test_threads (void)
{
  for (int round = 0; round < 20; round++) {
    CnnModel *model = classifier (), *made[N_THREADS];
    GThread *threads[N_THREADS];
    for (int i = 0; i < N_THREADS; i++)
      threads[i] = g_thread_new ("prepare", prepare_in_thread, model);
    for (int i = 0; i < N_THREADS; i++)
      made[i] = g_thread_join (threads[i]);
    for (int i = 0; i < N_THREADS; i++) {
      g_assert_true (made[i] == made[0]);
      cnn_model_unref (made[i]);
    }
    cnn_model_unref (model);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sharing/made-once", test_made_once);
  g_test_add_func ("/sharing/a-map-is-its-own", test_a_map_is_its_own);
  g_test_add_func ("/sharing/packed-once", test_weights_are_packed_once);
  g_test_add_func ("/sharing/threads", test_threads);
  return g_test_run ();
}
