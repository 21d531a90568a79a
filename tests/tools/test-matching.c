/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-matching.c: detections against truth, on cases done by hand. */

#include "matching.h"

static ToolBox
box (int label, double x, double y, double w, double h, double confidence)
{
  return (ToolBox){ label, 0, x, y, w, h, confidence };
}

static void
test_places (void)
{
  ToolBox truth[] = { box (3, 100, 100, 40, 60, 1), box (3, 200, 100, 4, 60, 1),
    box (5, 300, 100, 40, 60, 1) };
  ToolBox found[] = {
    box (3, 101, 90, 40, 60, 0.5),  /* right, but a surer one has taken it */
    box (3, 90, 110, 40, 60, 0.9),  /* right */
    box (3, 201, 101, 12, 60, 0.8), /* centre 3 pixels beside a thin digit */
    box (5, 333, 100, 40, 60, 0.7), /* centre 33 right: 13 beyond the edge */
    box (2, 300, 100, 40, 60, 0.6), /* another class */
  };
  gboolean right[5], hit[3];
  ToolMatches m = tool_match_places (truth, 3, found, 5, right, hit);

  g_assert_cmpint (m.right, ==, 2);
  g_assert_cmpint (m.wrong, ==, 3);
  g_assert_cmpint (m.truths, ==, 3);
  g_assert_false (right[0]);
  g_assert_true (right[1]);
  g_assert_true (right[2]);
  g_assert_false (right[3]);
  g_assert_true (hit[0] && hit[1] && !hit[2]);
  m = tool_match_places (NULL, 0, found, 5, NULL, NULL);
  g_assert_cmpint (m.wrong, ==, 5);
}

/* Ranked by confidence: right, wrong, right, of three digits: precision 1 at a
 * recall of 1/3, 2/3 at 2/3: (1 + 2/3) / 3. The other class is found: 1. */
static void
test_average_precision (void)
{
  ToolBox truth[] = { box (1, 0, 0, 10, 10, 1), box (1, 50, 0, 10, 10, 1),
    box (1, 90, 0, 10, 10, 1), box (7, 0, 50, 20, 20, 1) };
  ToolBox found[] = { box (1, 50, 1, 10, 10, 0.5), box (1, 0, 0, 10, 9, 0.9),
    box (7, 0, 50, 20, 11, 0.3), box (1, 1, 0, 10, 10, 0.7) };

  g_assert_cmpfloat_with_epsilon (tool_mean_average_precision (truth, 4, found,
                                      4),
      (5 / 9.0 + 1) / 2, 1e-9);
  /* overlaps by less than half, or in another picture: nothing is right */
  found[2].h = 9;
  found[0].picture = found[1].picture = found[3].picture = 1;
  g_assert_cmpfloat (tool_mean_average_precision (truth, 4, found, 4), ==, 0);
  g_assert_cmpfloat (tool_mean_average_precision (truth, 4, NULL, 0), ==, 0);
  g_assert_cmpfloat (tool_mean_average_precision (NULL, 0, found, 4), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/matching/places", test_places);
  g_test_add_func ("/tools/matching/average-precision", test_average_precision);
  return g_test_run ();
}
