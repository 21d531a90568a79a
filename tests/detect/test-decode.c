/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-decode.c: class maps to candidates, cell by cell. */

#include <glib.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "detect/decode.h"

typedef struct
{
  CnnMap map;
  CnnWindows windows;
  float *scores;
} Scene;

static void
scene_init (Scene *scene, int classes, int height, int width)
{
  scene->scores = g_new0 (float, classes *height *width);
  scene->map = (CnnMap){
    .width = width,
    .height = height,
    .classes = classes,
    .scale_x = 1,
    .scale_y = 1,
    .geometry = { .window = { 16, 16 }, .stride = { 4, 4 } },
    .scores = scene->scores,
  };
  cnn_windows_init (&scene->windows, &scene->map.geometry, 1, 1, 10, 16);
}

static float *
score (Scene *scene, int c, int cell)
{
  return &scene->scores[c * scene->map.width * scene->map.height + cell];
}

/* In two pieces, as after changes. */
static void
decode (Scene *scene, int background, float threshold, CnnCandidates *list)
{
  const CnnMap *map = &scene->map;
  int cells = map->width * map->height, x = map->width / 3;
  CnnWinners winners = { g_new0 (float, cells), g_new0 (int, cells) };
  CnnRegion left = { 0, 0, x, map->height };
  CnnRegion right = { x, 0, map->width, map->height };
  list->count = 0;
  cnn_decode_winners (map, background, &left, &winners);
  cnn_decode_winners (map, background, &right, &winners);
  cnn_decode_candidates (map, 2, &scene->windows, NULL, &winners, threshold,
      list);
  g_free (winners.best);
  g_free (winners.class_id);
}

/* Against the definition, over sizes around the length of a run. */
static void
test_random (void)
{
  static const int widths[] = { 1, 7, 255, 256, 257, 600 };
  CnnCandidates *list = g_new0 (CnnCandidates, 1);
  CnnRng rng;
  cnn_rng_init (&rng, 1, 0);
  for (size_t w = 0; w < G_N_ELEMENTS (widths); w++)
    for (int background = -1; background < 4; background++) {
      Scene scene;
      int cells = 3 * widths[w], expected = 0;
      float threshold = 0.8f;
      scene_init (&scene, 4, 3, widths[w]);
      for (int i = 0; i < 4 * cells; i++)
        scene.scores[i] = cnn_rng_float (&rng);
      decode (&scene, background, threshold, list);

      for (int cell = 0; cell < cells; cell++) {
        int best = -1;
        for (int c = 0; c < 4; c++)
          if (c != background
              && (best < 0
                  || *score (&scene, c, cell) > *score (&scene, best, cell)))
            best = c;
        if (*score (&scene, best, cell) < threshold)
          continue;
        expected++;
        const CnnCandidate *found = NULL;
        for (int i = 0; i < list->count; i++)
          if (list->items[i].cell == cell)
            found = &list->items[i];
        g_assert_nonnull (found);
        g_assert_cmpint (found->class_id, ==, best);
        g_assert_cmpint (found->level, ==, 2);
        g_assert_cmpfloat (found->confidence, ==, *score (&scene, best, cell));
        g_assert_cmpfloat (found->box.cx, ==, 8 + 4 * (cell % widths[w]));
        g_assert_cmpfloat (found->box.cy, ==, 8 + 4 * (cell / widths[w]));
      }
      g_assert_cmpint (list->count, ==, expected);
      g_free (scene.scores);
    }
  g_free (list);
}

static void
test_threshold (void)
{
  CnnCandidates *list = g_new0 (CnnCandidates, 1);
  Scene scene;
  scene_init (&scene, 2, 1, 3);
  *score (&scene, 0, 0) = 0.5f;
  *score (&scene, 0, 1) = 0.49999f;
  *score (&scene, 1, 2) = 0.9f;
  decode (&scene, 1, 0.5, list);
  g_assert_cmpint (list->count, ==, 1);
  g_assert_cmpint (list->items[0].cell, ==, 0);
  decode (&scene, 1, 0, list);
  g_assert_cmpint (list->count, ==, 3);
  g_free (scene.scores);
  g_free (list);
}

/* What is no probability: NaN is nothing, more than 1 is 1. */
static void
test_hostile (void)
{
  CnnCandidates *list = g_new0 (CnnCandidates, 1);
  Scene scene;
  scene_init (&scene, 2, 1, 4);
  *score (&scene, 0, 0) = NAN;
  *score (&scene, 0, 1) = INFINITY;
  *score (&scene, 0, 2) = -INFINITY;
  *score (&scene, 0, 3) = -NAN;
  *score (&scene, 1, 3) = 7;
  for (float threshold = 0; threshold <= 1; threshold += 0.5f) {
    /* Without the background, class 1 is 0 everywhere but in cell 3. */
    decode (&scene, -1, threshold, list);
    for (int i = 0; i < list->count; i++) {
      g_assert_true (list->items[i].confidence >= 0);
      g_assert_true (list->items[i].confidence <= 1);
      if (list->items[i].cell == 0 || list->items[i].cell == 3)
        g_assert_cmpint (list->items[i].class_id, ==, 1);
    }
    decode (&scene, 1, threshold, list);
    g_assert_cmpint (list->count, ==, 1);
    g_assert_cmpint (list->items[0].cell, ==, 1);
    g_assert_cmpfloat (list->items[0].confidence, ==, 1);
  }
  g_free (scene.scores);
  g_free (list);
}

/* Every cell of a large map is sure: a bounded list, a bounded time. */
static void
test_all_hot (void)
{
  CnnCandidates *list = g_new0 (CnnCandidates, 1);
  CnnRng rng;
  Scene scene;
  cnn_rng_init (&rng, 2, 0);
  scene_init (&scene, 11, 400, 400);
  for (int i = 0; i < 11 * 400 * 400; i++)
    scene.scores[i] = 0.9f + 0.1f * cnn_rng_float (&rng);
  decode (&scene, 10, 0.5, list);
  g_assert_cmpint (list->count, ==, CNN_MAX_CANDIDATES);
  g_test_timer_start ();
  decode (&scene, 10, 0.5, list);
  CnnDetectParams params = { .background = 10,
    .iou_threshold = 1,
    .max_detections = 100000 };
  int n = cnn_candidates_select (list, 1616, 1616, &params);
  g_test_message ("%d detections in %.1f ms", n, g_test_timer_elapsed () * 1e3);
  g_assert_cmpint (n, <=, CNN_MAX_CANDIDATES);
  g_assert_cmpint (n, >, 100);
  g_free (scene.scores);
  g_free (list);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/decode/random", test_random);
  g_test_add_func ("/decode/threshold", test_threshold);
  g_test_add_func ("/decode/hostile", test_hostile);
  g_test_add_func ("/decode/all-hot", test_all_hot);
  return g_test_run ();
}
