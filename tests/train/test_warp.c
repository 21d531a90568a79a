/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_warp.c: digits in a window, as varied as is asked for. */

#include <glib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <cnn/train.h>

#include "base/rng.h"

#define SIDE 32

/* Twenty "digits": bars 20 high and 3 to 12 wide, in the middle of 28x28. */
static uint8_t pixels[20 * 28 * 28], labels[20];

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
  return g_test_run ();
}
