/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_ink.c: digits as large, as wide and as thick as they are asked for. */

#include <glib.h>
#include <math.h>
#include <string.h>

#include "train/ink.h"

#define SIDE 96

/* A bar 20 high and 6 wide in the middle of 28x28. */
static uint8_t pixels[28 * 28];
static const uint8_t labels[] = { 1 };
static float cover[SIDE * SIDE];

static CnnDigits
bar (void)
{
  for (int y = 4; y < 24; y++)
    memset (pixels + y * 28 + 11, 255, 6);
  return (CnnDigits){ 1, 28, 28, pixels, labels };
}

/* Returns: the ink, in pixels. */
static double
draw (const CnnPose *pose, CnnInkBox *box)
{
  CnnDigits digits = bar ();
  CnnInk ink = { SIDE, SIDE, cover };
  double sum = 0;
  cnn_ink_clear (&ink);
  cnn_ink_digit (&ink, &digits, 0, pose, box);
  for (int i = 0; i < SIDE * SIDE; i++) {
    g_assert_true (cover[i] >= 0 && cover[i] <= 1);
    sum += (double) cover[i];
  }
  return sum;
}

/* The box is the digit's, wherever it is and however large. */
static void
test_box (void)
{
  for (int height = 10; height <= 80; height += 10) {
    CnnPose pose = { .x = 48, .y = 46, .height = (float) height };
    CnnInkBox box;
    double ink = draw (&pose, &box), scale = height / 20.0;
    g_assert_cmpfloat_with_epsilon (ink, 120 * scale * scale, 25 * scale);
    g_assert_cmpfloat_with_epsilon (box.y1 - box.y0, (float) height, 3);
    g_assert_cmpfloat_with_epsilon (box.x1 - box.x0, 0.3f * (float) height, 3);
    g_assert_cmpfloat_with_epsilon ((box.x0 + box.x1) / 2, 48, 1);
    g_assert_cmpfloat_with_epsilon ((box.y0 + box.y1) / 2, 46, 1);
  }
}

static void
test_shape (void)
{
  CnnPose pose = { .x = 48, .y = 48, .height = 40 };
  CnnInkBox plain, wide, turned, slanted;
  draw (&pose, &plain);
  pose.aspect = 2;
  draw (&pose, &wide);
  g_assert_cmpfloat_with_epsilon (wide.x1 - wide.x0, 2 * (plain.x1 - plain.x0),
      3);
  g_assert_cmpfloat_with_epsilon (wide.y1 - wide.y0, plain.y1 - plain.y0, 1);
  pose.aspect = 1;
  pose.angle = (float) G_PI_2;
  draw (&pose, &turned);
  g_assert_cmpfloat_with_epsilon (turned.x1 - turned.x0, plain.y1 - plain.y0,
      1);
  pose.angle = 0;
  pose.shear = 0.5f;
  draw (&pose, &slanted);
  g_assert_cmpfloat (slanted.x1 - slanted.x0, >, plain.x1 - plain.x0 + 15);
}

/* Thinning makes strokes thinner, and never makes them vanish. */
static void
test_thickness (void)
{
  CnnInkBox box;
  CnnPose pose = { .x = 48, .y = 48, .height = 20 };
  double plain = draw (&pose, &box), before = 0;
  for (float t = -10; t <= 3; t += 0.5f) {
    pose.thickness = t;
    double ink = draw (&pose, &box);
    g_assert_cmpfloat (ink, >, 0.15 * plain);
    if (t > -2)
      g_assert_cmpfloat (ink, >, 0.95 * before);
    before = ink;
  }
  g_assert_cmpfloat (before, >, 1.2 * plain);
}

/* Nothing drawn has no box; what lies outside of the paper does no harm. */
static void
test_outside (void)
{
  CnnInkBox box;
  CnnPose pose = { .x = -500, .y = 1e6f, .height = 50 };
  g_assert_cmpfloat (draw (&pose, &box), ==, 0);
  g_assert_cmpfloat (box.x1, <=, box.x0);
  pose = (CnnPose){ .x = 0, .y = 0, .height = 60 };
  g_assert_cmpfloat (draw (&pose, &box), >, 100);
  g_assert_cmpfloat (box.x0, ==, 0);

  CnnInk ink = { SIDE, SIDE, cover };
  cnn_ink_clear (&ink);
  cnn_ink_line (&ink, -1000, 10, 1000, 10, 3, 1);
  g_assert_cmpfloat (cover[10 * SIDE], ==, 1);
  g_assert_cmpfloat (cover[13 * SIDE], ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ink/box", test_box);
  g_test_add_func ("/ink/shape", test_shape);
  g_test_add_func ("/ink/thickness", test_thickness);
  g_test_add_func ("/ink/outside", test_outside);
  return g_test_run ();
}
