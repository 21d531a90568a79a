/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-drawn.c: drawn digits, and the sets made of them. */

#include <string.h>

#include "drawn.h"

#define CLASSES 10

static double
ink_of (const CnnDigits *digits, int i, int *columns)
{
  const guint8 *p =
      digits->pixels + (gsize) i * (gsize) (digits->width * digits->height);
  double ink = 0;
  int first = digits->width, last = -1;

  for (int k = 0; k < digits->width * digits->height; k++) {
    ink += p[k] / 255.0;
    if (p[k] > 64) {
      first = MIN (first, k % digits->width);
      last = MAX (last, k % digits->width);
    }
  }
  *columns = last - first + 1;
  return ink;
}

/* Every digit has some ink, and not too much; ones are narrow, noughts not. */
static void
test_hands (void)
{
  ToolDigits digits, again, other;
  double width[CLASSES] = { 0 };
  gsize bytes = 400 * 32 * 32;

  tool_drawn_hands (400, 5, &digits);
  tool_drawn_hands (400, 5, &again);
  tool_drawn_hands (400, 6, &other);
  g_assert_cmpint (digits.view.count, ==, 400);
  g_assert_cmpmem (digits.view.pixels, bytes, again.view.pixels, bytes);
  g_assert_cmpint (memcmp (digits.view.pixels, other.view.pixels, bytes), !=,
      0);
  for (int i = 0; i < 400; i++) {
    int columns;
    double ink = ink_of (&digits.view, i, &columns);

    g_assert_cmpint (digits.view.labels[i], ==, i % CLASSES);
    g_assert_cmpfloat (ink, >, 15);
    g_assert_cmpfloat (ink, <, 450);
    width[i % CLASSES] += columns / 40.0;
  }
  g_assert_cmpfloat (width[1], <, 0.7 * width[0]);
  g_assert_cmpfloat (width[1], >, 1);
  tool_digits_clear (&other);
  tool_digits_clear (&again);
  tool_digits_clear (&digits);
}

/* Is a picture the other, moved across? */
static gboolean
is_moved (const guint8 *a, const guint8 *b)
{
  for (int columns = -6; columns <= 6; columns++) {
    gboolean same = TRUE;

    for (int k = 0; same && k < 256; k++) {
      int x = k % 16 - columns;

      same = b[k] == (x >= 0 && x < 16 ? a[k - columns] : 0);
    }
    if (same)
      return TRUE;
  }
  return FALSE;
}

/* 320 and 160, as many of each class, and no drawing is in both. */
static void
test_set (void)
{
  ToolDigits train, test, none;
  int counts[2][CLASSES] = { { 0 } };

  g_assert_false (tool_drawn_set ("mnist/train", 1, &none));
  g_assert_true (tool_drawn_set (TOOL_DRAWN_TRAIN, 1, &train));
  g_assert_true (tool_drawn_set (TOOL_DRAWN_TEST, 1, &test));
  g_assert_cmpint (train.view.count, ==, 320);
  g_assert_cmpint (test.view.count, ==, 160);
  g_assert_cmpint (train.view.width, ==, 16);
  for (int i = 0; i < 320; i++)
    counts[0][train.view.labels[i]]++;
  for (int i = 0; i < 160; i++) {
    const guint8 *picture = test.view.pixels + i * 256;

    counts[1][test.view.labels[i]]++;
    for (int k = 0; k < 320; k++)
      g_assert_false (is_moved (train.view.pixels + k * 256, picture));
    g_assert_true (
        is_moved (test.view.pixels + i / 4 * 4 * 256 + 256, picture));
  }
  for (int c = 0; c < CLASSES; c++) {
    g_assert_cmpint (counts[0][c], ==, 32);
    g_assert_cmpint (counts[1][c], ==, 16);
  }
  tool_digits_clear (&test);
  tool_digits_clear (&train);
}

/* Every picture of the 480 is in one part, once; drawings are in both. */
static void
test_1989 (void)
{
  ToolDigits train, test;
  int counts[2][CLASSES] = { { 0 } }, shared = 0;

  g_assert_true (tool_drawn_set (TOOL_DRAWN_TRAIN_1989, 1, &train));
  g_assert_true (tool_drawn_set (TOOL_DRAWN_TEST_1989, 1, &test));
  g_assert_cmpint (train.view.count, ==, 320);
  g_assert_cmpint (test.view.count, ==, 160);
  for (int i = 0; i < 320; i++)
    counts[0][train.view.labels[i]]++;
  for (int i = 0; i < 160; i++) {
    const guint8 *picture = test.view.pixels + i * 256;
    gboolean found = FALSE;

    counts[1][test.view.labels[i]]++;
    for (int k = 0; k < 320; k++) {
      const guint8 *other = train.view.pixels + k * 256;

      g_assert_cmpint (memcmp (other, picture, 256), !=, 0);
      found = found || is_moved (other, picture);
    }
    shared += found;
  }
  g_assert_cmpint (shared, >, 120);
  for (int c = 0; c < CLASSES; c++) {
    g_assert_cmpint (counts[0][c], ==, 32);
    g_assert_cmpint (counts[1][c], ==, 16);
  }
  tool_digits_clear (&test);
  tool_digits_clear (&train);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/drawn/hands", test_hands);
  g_test_add_func ("/tools/drawn/set", test_set);
  g_test_add_func ("/tools/drawn/1989", test_1989);
  return g_test_run ();
}
