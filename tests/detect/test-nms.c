/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-nms.c: which boxes remain, and where they end up. */

#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "detect/nms.h"

#define SIDE 640

static CnnCandidates *
list_new (void)
{
  return g_new0 (CnnCandidates, 1);
}

static void
add (CnnCandidates *list, float cx, float cy, float side, float confidence,
    int class_id)
{
  CnnCandidate c = { .box = { cx, cy, side, side },
    .confidence = confidence,
    .class_id = class_id,
    .cell = list->count };
  cnn_candidates_add (list, &c);
}

static int
select_with (CnnCandidates *list, double iou, int most)
{
  CnnDetectParams params = { .iou_threshold = iou, .max_detections = most };
  return cnn_candidates_select (list, SIDE, SIDE, &params);
}

static void
assert_box (const CnnDetection *d, float cx, float cy, float side)
{
  g_assert_cmpfloat_with_epsilon ((d->x0 + d->x1) / 2, cx, 1e-3f);
  g_assert_cmpfloat_with_epsilon ((d->y0 + d->y1) / 2, cy, 1e-3f);
  g_assert_cmpfloat_with_epsilon (d->x1 - d->x0, side, 1e-3f);
  g_assert_cmpfloat_with_epsilon (d->y1 - d->y0, side, 1e-3f);
}

static void
test_none_and_one (void)
{
  CnnCandidates *list = list_new ();
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 0);
  add (list, 100, 200, 40, 0.75f, 3);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 1);
  assert_box (&list->found[0], 100, 200, 40);
  g_assert_cmpfloat (list->found[0].confidence, ==, 0.75f);
  g_assert_cmpint (list->found[0].class_id, ==, 3);
  g_assert_cmpint (list->count, ==, 0);
  g_free (list);
}

/* Neighbours of one class become one box at their weighted mean. */
static void
test_agreement (void)
{
  CnnCandidates *list = list_new ();
  add (list, 100, 100, 40, 0.9f, 1);
  add (list, 104, 100, 40, 0.6f, 1);
  add (list, 100, 104, 40, 0.3f, 1);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 1);
  assert_box (&list->found[0], 100 + 4 * 0.6f / 1.8f, 100 + 4 * 0.3f / 1.8f,
      40);
  g_assert_cmpfloat (list->found[0].confidence, ==, 0.9f);

  /* Levels are steps of a ratio: between 40 and 56 lies sqrt (40 * 56). */
  add (list, 100, 100, 40, 0.8f, 1);
  add (list, 100, 100, 56, 0.8f, 1);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 1);
  assert_box (&list->found[0], 100, 100, sqrtf (40 * 56));
  g_free (list);
}

static void
test_classes (void)
{
  CnnCandidates *list = list_new ();
  /* Another class at the same place goes, and does not move the box. */
  add (list, 100, 100, 40, 0.9f, 1);
  add (list, 106, 100, 40, 0.8f, 2);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 1);
  assert_box (&list->found[0], 100, 100, 40);
  g_assert_cmpint (list->found[0].class_id, ==, 1);

  /* Apart they stay, the surer one first. */
  add (list, 100, 100, 40, 0.8f, 1);
  add (list, 140, 100, 40, 0.9f, 2);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 2);
  g_assert_cmpint (list->found[0].class_id, ==, 2);
  g_assert_cmpint (list->found[1].class_id, ==, 1);
  g_free (list);
}

/* Equal digits side by side, overlapping a little: two boxes, neither pulled
 * towards the other, even if hardly any overlap is allowed. */
static void
test_twins (void)
{
  CnnCandidates *list = list_new ();
  add (list, 100, 100, 40, 0.9f, 1);
  add (list, 128, 100, 40, 0.8f, 1);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 2);
  assert_box (&list->found[0], 100, 100, 40);
  assert_box (&list->found[1], 128, 100, 40);

  add (list, 100, 100, 40, 0.9f, 1);
  add (list, 128, 100, 40, 0.8f, 1);
  g_assert_cmpint (select_with (list, 0.01, 10), ==, 1);
  assert_box (&list->found[0], 100, 100, 40);
  g_free (list);
}

/* Two boxes just outside of a result whose mean lies just inside */
static void
test_mean_inside (void)
{
  CnnCandidates *list = list_new ();
  add (list, 100, 100, 40, 0.9f, 2);
  add (list, 121.6f, 100, 40, 0.4f, 1);
  add (list, 116.2f, 109, 40, 0.4f, 1);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 2);
  assert_box (&list->found[0], 100, 100, 40);
  assert_box (&list->found[1], 121.6f, 100, 40);
  g_free (list);
}

/* The threshold is the greatest overlap that two results may have. */
static void
test_threshold (void)
{
  CnnCandidates *list = list_new ();
  for (int i = 0; i < 2; i++) {
    /* 20 of 40 pixels common: 1/3 */
    add (list, 100, 100, 40, 0.9f, 1);
    add (list, 120, 100, 40, 0.8f, 2);
    g_assert_cmpint (select_with (list, i ? 0.30 : 0.35, 10), ==, i ? 1 : 2);
  }
  g_free (list);
}

/* A part of a digit may look like another one and be surer of it; the digit
 * itself is seen by more cells. */
static void
test_support (void)
{
  CnnCandidates *list = list_new ();
  add (list, 110, 115, 30, 0.99f, 0);
  add (list, 100, 100, 80, 0.6f, 6);
  add (list, 104, 100, 80, 0.7f, 6);
  add (list, 108, 100, 80, 0.6f, 6);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 1);
  assert_box (&list->found[0], 104, 100, 80);
  g_assert_cmpint (list->found[0].class_id, ==, 6);
  g_assert_cmpfloat (list->found[0].confidence, ==, 0.7f);

  /* Results still come most confident first. */
  add (list, 400, 400, 30, 0.99f, 0);
  add (list, 100, 100, 80, 0.6f, 6);
  add (list, 104, 100, 80, 0.7f, 6);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 2);
  g_assert_cmpint (list->found[0].class_id, ==, 0);
  g_free (list);
}

/* Intersection over union is 1/16 here, but one lies in the other. */
static void
test_contained (void)
{
  CnnCandidates *list = list_new ();
  add (list, 100, 100, 80, 0.9f, 6);
  add (list, 110, 115, 20, 0.8f, 0);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 1);
  assert_box (&list->found[0], 100, 100, 80);

  add (list, 100, 100, 80, 0.8f, 6);
  add (list, 110, 115, 20, 0.9f, 0);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 1);
  assert_box (&list->found[0], 110, 115, 20);

  /* Half in, half out: something beside it */
  add (list, 100, 100, 80, 0.9f, 6);
  add (list, 140, 100, 20, 0.8f, 0);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 2);
  g_free (list);
}

static void
test_clip (void)
{
  CnnCandidates *list = list_new ();
  add (list, 10, SIDE - 5, 40, 0.9f, 1);
  /* A padded map's window beside the frame */
  add (list, -30, 300, 40, 0.95f, 1);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 1);
  g_assert_cmpfloat (list->found[0].x0, ==, 0);
  g_assert_cmpfloat (list->found[0].x1, ==, 30);
  g_assert_cmpfloat (list->found[0].y0, ==, SIDE - 25);
  g_assert_cmpfloat (list->found[0].y1, ==, SIDE);
  g_free (list);
}

/* A model may say that its object is a billionth of the window. */
static void
test_no_area (void)
{
  CnnCandidates *list = list_new ();
  for (int i = 0; i < 5; i++)
    add (list, 100, 100 + 10.f * (float) i, 1e-20f, 0.9f, 1);
  g_assert_cmpint (select_with (list, 0.3, 10), ==, 0);
  g_free (list);
}

static void
test_most (void)
{
  CnnCandidates *list = list_new ();
  for (int i = 0; i < 8; i++)
    add (list, 40 + 70.f * (float) i, 100, 40, 0.1f * (float) (i + 1), 1);
  g_assert_cmpint (select_with (list, 0.3, 3), ==, 3);
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat (list->found[i].confidence, ==, 0.1f * (float) (8 - i));
  g_free (list);
}

static void
shuffle (CnnCandidate *items, int count, CnnRng *rng)
{
  for (int i = count - 1; i > 0; i--) {
    int j = (int) cnn_rng_int (rng, (uint32_t) i + 1);
    CnnCandidate t = items[i];
    items[i] = items[j];
    items[j] = t;
  }
}

/* Few levels of confidence, so that ties decide most. */
static CnnCandidate *
noisy (int count, CnnRng *rng)
{
  CnnCandidate *items = g_new0 (CnnCandidate, count);
  for (int i = 0; i < count; i++) {
    float side = 20 * powf (1.4f, (float) (i % 5));
    items[i] = (CnnCandidate){
      .box = { cnn_rng_range (rng, 0, SIDE), cnn_rng_range (rng, 0, SIDE), side,
          side },
      .confidence = (float) (1 + cnn_rng_int (rng, 12)) / 12,
      .class_id = (int) cnn_rng_int (rng, 10),
      .level = i % 5,
      .cell = i / 5,
    };
  }
  return items;
}

static void
test_order (void)
{
  CnnRng rng;
  cnn_rng_init (&rng, 5, 0);
  int count = 3 * CNN_MAX_CANDIDATES, first = 0;
  CnnCandidate *items = noisy (count, &rng);
  CnnDetection expected[500];
  CnnCandidates *list = list_new ();

  for (int round = 0; round < 6; round++) {
    for (int i = 0; i < count; i++)
      cnn_candidates_add (list, &items[i]);
    g_assert_cmpint (list->count, ==, CNN_MAX_CANDIDATES);
    int n = select_with (list, 0.3, G_N_ELEMENTS (expected));
    if (!round) {
      first = n;
      memcpy (expected, list->found, sizeof *expected * (size_t) n);
    }
    g_assert_cmpmem (expected, sizeof *expected * (size_t) first, list->found,
        sizeof *list->found * (size_t) n);
    shuffle (items, count, &rng);
  }
  g_assert_cmpint (first, >, 50);
  g_free (list);
  g_free (items);
}

static int
by_confidence (const void *a, const void *b)
{
  float x = ((const CnnCandidate *) a)->confidence;
  float y = ((const CnnCandidate *) b)->confidence;
  return (x < y) - (x > y);
}

/* Too many candidates: the best are kept. */
static void
test_room (void)
{
  CnnRng rng;
  cnn_rng_init (&rng, 6, 0);
  int count = CNN_MAX_CANDIDATES + 1500;
  CnnCandidate *items = noisy (count, &rng);
  CnnCandidates *list = list_new ();
  for (int i = 0; i < count; i++) {
    items[i].confidence = cnn_rng_float (&rng);
    cnn_candidates_add (list, &items[i]);
  }
  qsort (items, (size_t) count, sizeof *items, by_confidence);
  float least = items[CNN_MAX_CANDIDATES - 1].confidence;
  for (int i = 0; i < list->count; i++)
    g_assert_cmpfloat (list->items[i].confidence, >=, least);
  g_free (list);
  g_free (items);
}

static float
overlap (const CnnDetection *a, const CnnDetection *b)
{
  float w = fminf (a->x1, b->x1) - fmaxf (a->x0, b->x0);
  float h = fminf (a->y1, b->y1) - fmaxf (a->y0, b->y0);
  float both = fmaxf (w, 0) * fmaxf (h, 0);
  return both
      / ((a->x1 - a->x0) * (a->y1 - a->y0) + (b->x1 - b->x0) * (b->y1 - b->y0)
          - both);
}

/* No two results overlap more than allowed; each is inside the frame. */
static void
test_invariants (void)
{
  CnnRng rng;
  CnnCandidates *list = list_new ();
  for (int round = 0; round < 50; round++) {
    cnn_rng_init (&rng, 7, (uint64_t) round);
    int count = 1 + (int) cnn_rng_int (&rng, 600);
    CnnCandidate *items = noisy (count, &rng);
    for (int i = 0; i < count; i++)
      cnn_candidates_add (list, &items[i]);
    int n = select_with (list, 0.3, 1000);
    g_assert_cmpint (n, >=, 1);
    for (int i = 0; i < n; i++) {
      const CnnDetection *d = &list->found[i];
      g_assert_true (d->x0 >= 0 && d->y0 >= 0 && d->x1 <= SIDE && d->y1 <= SIDE
          && d->x0 < d->x1 && d->y0 < d->y1);
      if (i)
        g_assert_cmpfloat (d->confidence, <=, d[-1].confidence);
      for (int j = 0; j < i; j++)
        g_assert_cmpfloat (overlap (d, &list->found[j]), <, 0.3001f);
    }
    g_free (items);
  }
  g_free (list);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nms/none-and-one", test_none_and_one);
  g_test_add_func ("/nms/agreement", test_agreement);
  g_test_add_func ("/nms/classes", test_classes);
  g_test_add_func ("/nms/twins", test_twins);
  g_test_add_func ("/nms/mean-inside", test_mean_inside);
  g_test_add_func ("/nms/threshold", test_threshold);
  g_test_add_func ("/nms/support", test_support);
  g_test_add_func ("/nms/contained", test_contained);
  g_test_add_func ("/nms/clip", test_clip);
  g_test_add_func ("/nms/no-area", test_no_area);
  g_test_add_func ("/nms/most", test_most);
  g_test_add_func ("/nms/order", test_order);
  g_test_add_func ("/nms/room", test_room);
  g_test_add_func ("/nms/invariants", test_invariants);
  return g_test_run ();
}
