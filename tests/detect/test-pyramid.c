/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-pyramid.c: levels of a frame, and boxes of cells in frame pixels. */

#include <glib.h>
#include <math.h>
#include <string.h>

#include "detect/pyramid.h"
#include "detect/windows.h"

/* A network like the built-in one: 20 of 32 pixels. */
static const int window[2] = { 32, 32 };
#define OBJECT 20.0

static int
plan (const CnnDetectorConfig *config, CnnLevel *levels)
{
  int n = -1;
  CnnError error = { 0 };
  if (cnn_pyramid_plan (config, window, 0, OBJECT, levels, &n, &error))
    g_error ("%s", error.message);
  return n;
}

static void
assert_level (const CnnLevel *level, int width, int height)
{
  g_assert_cmpint (level->width, ==, width);
  g_assert_cmpint (level->height, ==, height);
}

static void
test_default (void)
{
  static const int expected[][2] = { { 640, 480 }, { 427, 320 }, { 284, 213 },
    { 190, 142 }, { 126, 95 }, { 84, 63 }, { 56, 42 } };
  CnnLevel levels[CNN_MAX_LEVELS];
  int n = plan (&(CnnDetectorConfig){ .width = 640, .height = 480 }, levels);
  g_assert_cmpint (n, ==, G_N_ELEMENTS (expected));
  for (int k = 0; k < n; k++)
    assert_level (&levels[k], expected[k][0], expected[k][1]);
}

static void
test_small_frame (void)
{
  CnnLevel levels[CNN_MAX_LEVELS];
  CnnDetectorConfig config = { .width = 31,
    .height = 480,
    .scale_factor = 1.4 };
  g_assert_cmpint (plan (&config, levels), ==, 0);
  config.width = 640;
  config.height = 31;
  g_assert_cmpint (plan (&config, levels), ==, 0);
  config.width = config.height = 32;
  g_assert_cmpint (plan (&config, levels), ==, 1);
  assert_level (&levels[0], 32, 32);
  /* Enlarged, the window fits. */
  config.width = config.height = 20;
  config.min_size = 10;
  g_assert_cmpint (plan (&config, levels), ==, 1);
  assert_level (&levels[0], 39, 39);
}

static void
test_sizes (void)
{
  CnnLevel levels[CNN_MAX_LEVELS];
  CnnDetectorConfig config = { .width = 640, .height = 480, .scale_factor = 2 };
  /* 10 of 20 pixels: one level twice as large */
  config.min_size = 10;
  g_assert_cmpint (plan (&config, levels), ==, 5);
  assert_level (&levels[0], 1280, 960);
  assert_level (&levels[1], 640, 480);
  /* The frame as it is is nearer to 16 than twice the frame. */
  config.min_size = 16;
  g_assert_cmpint (plan (&config, levels), ==, 4);
  assert_level (&levels[0], 640, 480);
  /* Larger than the model's own: finer levels are left out. */
  config.min_size = 40;
  g_assert_cmpint (plan (&config, levels), ==, 3);
  assert_level (&levels[0], 320, 240);
  config.max_size = 80;
  g_assert_cmpint (plan (&config, levels), ==, 2);
  assert_level (&levels[1], 160, 120);
  config.max_size = 40;
  g_assert_cmpint (plan (&config, levels), ==, 1);
  config.min_size = 0;
  config.max_size = 9;
  g_assert_cmpint (plan (&config, levels), ==, 1);
}

/* Every object between the two sizes has a level on which it is at most half
 * a factor from the model's own. */
static void
test_cover (void)
{
  static const double factors[] = { 1.1, 1.25, 1.4, 2 };
  for (size_t f = 0; f < G_N_ELEMENTS (factors); f++)
    for (int min = 5; min < 200; min += 7) {
      CnnDetectorConfig config = { .width = 1920,
        .height = 1080,
        .scale_factor = factors[f],
        .min_size = min,
        .max_size = min * 3 };
      CnnLevel levels[CNN_MAX_LEVELS];
      int n = plan (&config, levels);
      for (int size = min; size <= 3 * min; size++) {
        double nearest = G_MAXDOUBLE;
        for (int k = 0; k < n; k++) {
          double own = OBJECT * 1080 / levels[k].height;
          double ratio = own > size ? own / size : size / own;
          nearest = MIN (nearest, ratio * ratio);
        }
        g_assert_cmpfloat (nearest, <, factors[f] * 1.03);
      }
    }
}

static void
expect_error (CnnDetectorConfig config, const char *part)
{
  CnnLevel levels[CNN_MAX_LEVELS];
  CnnError error = { 0 };
  int n = 4711;
  g_assert_cmpint (cnn_pyramid_plan (&config, window, 0, OBJECT, levels, &n,
                       &error),
      ==, CNN_ERROR_ARGUMENT);
  g_assert_nonnull (strstr (error.message, part));
  g_assert_cmpint (n, ==, 4711);
}

static void
test_arguments (void)
{
  expect_error ((CnnDetectorConfig){ .width = 0, .height = 5 }, "0x5");
  expect_error ((CnnDetectorConfig){ .width = 5, .height = 40000 }, "40000");
  for (int i = 0; i < 4; i++) {
    double factors[] = { 1, -2, (double) NAN, (double) INFINITY };
    expect_error ((CnnDetectorConfig){ .width = 640,
                      .height = 480,
                      .scale_factor = factors[i] },
        "scale factor");
  }
  expect_error ((CnnDetectorConfig){ .width = 640,
                    .height = 480,
                    .min_size = -1 },
      "-1");
  expect_error ((CnnDetectorConfig){ .width = 640,
                    .height = 480,
                    .min_size = 30,
                    .max_size = 20 },
      "30 to 20");
  expect_error ((CnnDetectorConfig){ .width = 30000,
                    .height = 300,
                    .min_size = 5 },
      "enlarged");
  expect_error ((CnnDetectorConfig){ .width = 32768,
                    .height = 32768,
                    .scale_factor = 1.05 },
      "levels");
}

static void
test_windows (void)
{
  /* LeNet: 32 pixels, every 4th; 20 of them are the object. */
  CnnGeometry geometry = { .window = { 32, 32 },
    .stride = { 4, 4 },
    .offset = { 0, 0 } };
  CnnWindows windows;
  cnn_windows_init (&windows, &geometry, 1, 1, OBJECT, 32);
  CnnBox box = cnn_windows_box (&windows, 0, 0);
  g_assert_cmpfloat (box.cx - box.width / 2, ==, 6);
  g_assert_cmpfloat (box.cy + box.height / 2, ==, 26);
  box = cnn_windows_box (&windows, 3, 5);
  g_assert_cmpfloat (box.cy, ==, 16 + 3 * 4);
  g_assert_cmpfloat (box.cx, ==, 16 + 5 * 4);

  /* Half as wide, a third as high */
  cnn_windows_init (&windows, &geometry, 2, 3, OBJECT, 32);
  box = cnn_windows_box (&windows, 3, 5);
  g_assert_cmpfloat (box.cx, ==, (16 + 5 * 4) * 2);
  g_assert_cmpfloat (box.cy, ==, (16 + 3 * 4) * 3);
  g_assert_cmpfloat (box.width, ==, 40);
  g_assert_cmpfloat (box.height, ==, 60);

  /* Two pixels of padding: the window grows at both ends, its middle stays. */
  CnnGeometry padded = { .window = { 36, 37 },
    .stride = { 2, 8 },
    .offset = { -2, -3 },
    .padded = 1 };
  cnn_windows_init (&windows, &padded, 1, 1, OBJECT, 32);
  box = cnn_windows_box (&windows, 1, 1);
  g_assert_cmpfloat (box.cy, ==, 16 + 2);
  g_assert_cmpfloat (box.cx, ==, 15.5 + 8);
}

/* A box head's answer, and the worst that a network may answer. */
static void
test_regressed (void)
{
  CnnGeometry geometry = { .window = { 32, 32 },
    .stride = { 4, 4 },
    .offset = { -8, -8 } };
  CnnWindows windows;
  cnn_windows_init (&windows, &geometry, 2, 2, OBJECT, 32);
  const float edges[] = { 0.25f, 0.375f, -0.125f, 0.5f };
  CnnBox box = cnn_windows_regressed (&windows, 1, 2, edges);
  g_assert_cmpfloat (box.cx - box.width / 2, ==, 2 * (16 - 8 + 8 - 8));
  g_assert_cmpfloat (box.cx + box.width / 2, ==, 2 * (16 - 8 + 8 - 4));
  g_assert_cmpfloat (box.cy - box.height / 2, ==, 2 * (16 - 8 + 4 - 12));
  g_assert_cmpfloat (box.cy + box.height / 2, ==, 2 * (16 - 8 + 4 + 16));

  const float bad[][4] = { { NAN, NAN, NAN, NAN }, { -1, -1, -1, -1 },
    { INFINITY, 1e30f, -INFINITY, -1e30f } };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    box = cnn_windows_regressed (&windows, 1, 2, bad[i]);
    g_assert_true (isfinite (box.cx) && isfinite (box.cy));
    g_assert_cmpfloat (box.width, >, 1);
    g_assert_cmpfloat (box.height, <, 64 * 5);
  }
}

static void
test_intersection (void)
{
  CnnBox a = { 10, 10, 20, 20 }, b = { 20, 15, 20, 20 }, c = { 10, 10, 4, 2 };
  CnnBox beside = { 30, 10, 20, 20 };
  g_assert_cmpfloat (cnn_box_intersection (&a, &a), ==, 400);
  g_assert_cmpfloat (cnn_box_intersection (&a, &b), ==, 150);
  g_assert_cmpfloat (cnn_box_intersection (&b, &a), ==, 150);
  g_assert_cmpfloat (cnn_box_intersection (&a, &c), ==, 8);
  g_assert_cmpfloat (cnn_box_intersection (&a, &beside), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pyramid/regressed", test_regressed);
  g_test_add_func ("/pyramid/default", test_default);
  g_test_add_func ("/pyramid/small-frame", test_small_frame);
  g_test_add_func ("/pyramid/sizes", test_sizes);
  g_test_add_func ("/pyramid/cover", test_cover);
  g_test_add_func ("/pyramid/arguments", test_arguments);
  g_test_add_func ("/windows/places", test_windows);
  g_test_add_func ("/windows/intersection", test_intersection);
  return g_test_run ();
}
