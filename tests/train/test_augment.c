/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_augment.c: patches are what the options say, whatever they say. */

#include <glib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <cnn/train.h>

#include "base/rng.h"

#define SIDE 32

/* Twenty "digits": bars 20 high and 3 to 12 wide, in the middle of 28x28. */
static uint8_t pixels[20 * 28 * 28], labels[20], photo[64 * 48];

static CnnDigits
bars (void)
{
  for (int k = 0; k < 20; k++) {
    labels[k] = (uint8_t) (k % 10);
    for (int y = 4; y < 24; y++)
      memset (pixels + (k * 28 + y) * 28 + 14 - (3 + k % 10) / 2, 255,
          (size_t) (3 + k % 10));
  }
  return (CnnDigits){ 20, 28, 28, pixels, labels };
}

static CnnImage
photograph (void)
{
  for (int i = 0; i < 64 * 48; i++)
    photo[i] = (uint8_t) (cnn_rng_mix ((uint64_t) i) & 255);
  return (CnnImage){ .width = 64,
    .height = 48,
    .channels = 1,
    .data = { photo },
    .pitch_bytes = { 64 },
    .step_bytes = 1 };
}

static CnnAugment
everything (const CnnImage *background)
{
  return (CnnAugment){
    .window = SIDE,
    .object_size = 0.625,
    .background_class = 10,
    .background_share = 0.4,
    .shift = 3,
    .scale_min = 0.8,
    .scale_max = 1.25,
    .rotate = 15,
    .shear = 0.2,
    .neighbours = 0.5,
    .invert = 0.5,
    .contrast_min = 0.2,
    .lighting = 0.5,
    .noise = 0.1,
    .blur = 1,
    .thickness = 2,
    .clutter = 0.2,
    .backgrounds = background,
    .n_backgrounds = background ? 1 : 0,
  };
}

/* Ink's box in a dark-on-white patch. */
static void
ink_box (const float *patch, int *x0, int *y0, int *x1, int *y1)
{
  *x0 = *y0 = SIDE;
  *x1 = *y1 = -1;
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++)
      if (patch[i * SIDE + j] < 0.5f) {
        *x0 = MIN (*x0, j);
        *x1 = MAX (*x1, j);
        *y0 = MIN (*y0, i);
        *y1 = MAX (*y1, i);
      }
}

static void
test_centred_digit (void)
{
  CnnDigits digits = bars ();
  CnnAugment a = { .window = SIDE,
    .object_size = 0.625,
    .background_class = -1 };
  float patch[SIDE * SIDE];
  int label, x0, y0, x1, y1;
  for (int k = 0; k < 20; k++) {
    cnn_augment_patch (&a, &digits, k, 3, patch, &label);
    g_assert_cmpint (label, ==, k % 10);
    ink_box (patch, &x0, &y0, &x1, &y1);
    double ink = 0;
    for (int i = 0; i < SIDE * SIDE; i++)
      ink += 1 - (double) patch[i];
    g_assert_cmpint (y1 - y0 + 1, ==, 20);
    g_assert_cmpfloat_with_epsilon (ink, 20 * (3 + k % 10), 5);
    g_assert_cmpint (ABS (y0 + y1 - (SIDE - 1)), <=, 1);
    g_assert_cmpint (ABS (x0 + x1 - (SIDE - 1)), <=, 1);
  }
}

/* Shift and scale reach their bounds and do not pass them. */
static void
test_bounds (void)
{
  CnnDigits digits = bars ();
  CnnAugment a = { .window = SIDE,
    .object_size = 0.625,
    .background_class = -1,
    .shift = 4,
    .scale_min = 0.7,
    .scale_max = 1.2 };
  float patch[SIDE * SIDE];
  int label, x0, y0, x1, y1, least = SIDE, most = 0;
  double farthest = 0;
  for (uint64_t seed = 0; seed < 2000; seed++) {
    cnn_augment_patch (&a, &digits, 0, seed, patch, &label);
    ink_box (patch, &x0, &y0, &x1, &y1);
    least = MIN (least, y1 - y0 + 1);
    most = MAX (most, y1 - y0 + 1);
    farthest = MAX (farthest, fabs ((y0 + y1 + 1) / 2.0 - SIDE / 2.0));
  }
  g_assert_cmpint (least, >=, 13);
  g_assert_cmpint (least, <=, 15);
  g_assert_cmpint (most, >=, 23);
  g_assert_cmpint (most, <=, 25);
  g_assert_cmpfloat (farthest, >, 3.2);
  g_assert_cmpfloat (farthest, <, 4.6);
}

static void
check_patch (const float *patch, int label)
{
  for (int i = 0; i < SIDE * SIDE; i++)
    g_assert_true (patch[i] >= 0 && patch[i] <= 1);
  g_assert_true (label >= 0 && label <= 10);
}

static void
test_everything (void)
{
  CnnDigits digits = bars ();
  CnnImage background = photograph ();
  float patch[SIDE * SIDE], again[SIDE * SIDE];
  int label, label_again, none = 0, different = 0;
  CnnAugment a = everything (&background);
  for (uint64_t seed = 0; seed < 4000; seed++) {
    int k = (int) (seed % 20);
    cnn_augment_patch (&a, &digits, k, seed, patch, &label);
    check_patch (patch, label);
    none += label == 10;
    g_assert_true (label == 10 || label == k % 10);
    cnn_augment_patch (&a, &digits, k, seed, again, &label_again);
    g_assert_cmpint (label, ==, label_again);
    g_assert_cmpint (memcmp (patch, again, sizeof patch), ==, 0);
    cnn_augment_patch (&a, &digits, k, seed + 77777, again, &label_again);
    different += memcmp (patch, again, sizeof patch) != 0;
  }
  g_assert_cmpint (none, >, 1500);
  g_assert_cmpint (none, <, 1700);
  g_assert_cmpint (different, >, 3900);
}

/* Extremes: no digit's ink at all, nothing but background, huge values. */
static void
test_extremes (void)
{
  static uint8_t empty[28 * 28], label_zero[1];
  CnnDigits blank = { 1, 28, 28, empty, label_zero };
  float patch[SIDE * SIDE];
  int label;
  CnnAugment a = everything (NULL);
  for (uint64_t seed = 0; seed < 500; seed++) {
    cnn_augment_patch (&a, &blank, 0, seed, patch, &label);
    check_patch (patch, label);
  }
  a.shift = 100;
  a.rotate = 3600;
  a.shear = 10;
  a.thickness = 50;
  a.noise = 10;
  a.blur = 100;
  a.lighting = 5;
  a.scale_min = 0.01;
  a.scale_max = 50;
  CnnDigits digits = bars ();
  for (uint64_t seed = 0; seed < 500; seed++) {
    cnn_augment_patch (&a, &digits, (int) (seed % 20), seed, patch, &label);
    check_patch (patch, label);
  }
}

/* Thinning makes strokes thinner, and never makes them vanish. */
static void
test_thickness (void)
{
  CnnDigits digits = bars ();
  CnnAugment a = { .window = SIDE,
    .object_size = 0.625,
    .background_class = -1,
    .thickness = 2.5 };
  float patch[SIDE * SIDE];
  int label;
  double least = 1e9, most = 0;
  for (uint64_t seed = 0; seed < 500; seed++) {
    double ink = 0;
    cnn_augment_patch (&a, &digits, 0, seed, patch, &label);
    for (int i = 0; i < SIDE * SIDE; i++)
      ink += 1 - (double) patch[i];
    least = MIN (least, ink);
    most = MAX (most, ink);
  }
  g_assert_cmpfloat (least, >, 10);
  g_assert_cmpfloat (least, <, 45);
  g_assert_cmpfloat (most, >, 70);
}

static CnnWarp
still (double zoom)
{
  return (CnnWarp){ .window = SIDE,
    .zoom = zoom,
    .scale_min = 1,
    .scale_max = 1,
    .smooth = 4 };
}

/* Nothing varied: the picture's own pixels, two away from the window's edge. */
static void
test_warp_still (void)
{
  CnnDigits digits = bars ();
  CnnWarp warp = still (1);
  float patch[SIDE * SIDE];
  for (int k = 0; k < 20; k++) {
    cnn_warp_digit (&warp, &digits, k, (uint64_t) k, patch);
    for (int y = 0; y < SIDE; y++)
      for (int x = 0; x < SIDE; x++) {
        bool inside = y >= 2 && x >= 2 && y < 30 && x < 30;
        int pixel = inside ? pixels[(k * 28 + y - 2) * 28 + x - 2] : 0;
        g_assert_cmpfloat (patch[y * SIDE + x], ==, (float) pixel / 255);
      }
  }
}

/* Rows of ink, columns of ink, and where their middle is. */
static void
measure (const float *patch, float *height, float *width, float *x0)
{
  float sum = 0, moment = 0;
  *height = *width = 0;
  for (int i = 0; i < SIDE; i++) {
    float row = 0, column = 0;
    for (int j = 0; j < SIDE; j++) {
      row = fmaxf (row, patch[i * SIDE + j]);
      column = fmaxf (column, patch[j * SIDE + i]);
      sum += patch[j * SIDE + i];
      moment += (float) i * patch[j * SIDE + i];
    }
    *height += row;
    *width += column;
  }
  *x0 = moment / sum;
}

static void
test_warp_ranges (void)
{
  CnnDigits digits = bars ();
  CnnWarp grown = still (1), moved = still (1), turned = still (1);
  float patch[SIDE * SIDE], height, width, middle, low = 99, high = 0;
  grown.scale_min = grown.scale_max = 1.2;
  cnn_warp_digit (&grown, &digits, 7, 1, patch);
  measure (patch, &height, &width, &middle);
  g_assert_cmpfloat_with_epsilon (height, 24, 0.6);
  g_assert_cmpfloat_with_epsilon (width, 12, 0.6);

  moved.shift = 3;
  for (uint64_t seed = 0; seed < 50; seed++) {
    cnn_warp_digit (&moved, &digits, 7, seed, patch);
    measure (patch, &height, &width, &middle);
    low = fminf (low, middle);
    high = fmaxf (high, middle);
  }
  g_assert_cmpfloat (low, >, 12.4);
  g_assert_cmpfloat (low, <, 13.5);
  g_assert_cmpfloat (high, <, 18.6);
  g_assert_cmpfloat (high, >, 17.5);

  turned.rotate = 90;
  cnn_warp_digit (&turned, &digits, 0, 5, patch);
  measure (patch, &height, &width, &middle);
  g_assert_cmpfloat (width, >, 4);
}

/* As far as it is told to: the column in which a bar's edge is found has the
 * standard deviation of the distortion; the same seed gives the same. */
static void
test_warp_elastic (void)
{
  CnnDigits digits = bars ();
  CnnWarp warp = still (1);
  float patch[SIDE * SIDE], again[SIDE * SIDE];
  double square = 0;
  int count = 0;
  warp.elastic = 1;
  for (uint64_t seed = 0; seed < 400; seed++) {
    float row = 0;
    cnn_warp_digit (&warp, &digits, 9, seed, patch);
    for (int x = 0; x < SIDE / 2; x++)
      row += patch[16 * SIDE + x];
    /* six columns of ink left of the middle */
    square += (row - 6) * (row - 6);
    count++;
  }
  g_assert_cmpfloat_with_epsilon (sqrt (square / count), 1, 0.15);
  cnn_warp_digit (&warp, &digits, 9, 399, again);
  g_assert_cmpmem (patch, sizeof patch, again, sizeof again);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/warp/still", test_warp_still);
  g_test_add_func ("/warp/ranges", test_warp_ranges);
  g_test_add_func ("/warp/elastic", test_warp_elastic);
  g_test_add_func ("/augment/centred", test_centred_digit);
  g_test_add_func ("/augment/bounds", test_bounds);
  g_test_add_func ("/augment/everything", test_everything);
  g_test_add_func ("/augment/extremes", test_extremes);
  g_test_add_func ("/augment/thickness", test_thickness);
  return g_test_run ();
}
