/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-resize.c: regions of interest, sizes and scales that no honest file
 * has. What Resize computes is the conformance cases' business. */

#include <math.h>

#include "op-case.h"

static const CnnShape list = { 1, { 2 } }, regions = { 1, { 4 } };

/* Resize of 0 1 2 ... 15, 4x4, to 3x3 by tf_crop_and_resize. */
static void
crop (OpCase *c, const char *mode, const float roi[4])
{
  static const gint64 sizes[] = { 3, 3 };
  static const CnnShape square = { 2, { 4, 4 } };
  CnnError error = { 0 };
  float x[16];

  for (int i = 0; i < 16; i++)
    x[i] = (float) i;
  *c = (OpCase){ .op = "Resize" };
  op_case_input (c, CNN_TYPE_FLOAT32, &square, x);
  op_case_input (c, CNN_TYPE_FLOAT32, &regions, roi);
  op_case_input (c, CNN_TYPE_NONE, NULL, NULL);
  op_case_input (c, CNN_TYPE_INT64, &list, sizes);
  c->constant[1] = c->constant[3] = TRUE;
  op_case_string (c, "mode", mode);
  op_case_string (c, "coordinate_transformation_mode", "tf_crop_and_resize");
  op_case_float (c, "extrapolation_value", -5);
  if (op_case_prepare (c, &error))
    g_error ("%s", error.message);
  op_case_forward (c);
}

/* A region that is nowhere is outside. */
static void
test_hostile_regions (void)
{
  static const char *const modes[] = { "nearest", "linear", "cubic" };
  static const float numbers[] = { NAN, INFINITY, -INFINITY, 3e38f, -3e38f,
    1e19f };

  for (gsize m = 0; m < G_N_ELEMENTS (modes); m++)
    for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++) {
      const float roi[] = { numbers[i], 0, numbers[i], 1 };
      OpCase c;
      crop (&c, modes[m], roi);
      for (int k = 0; k < 9; k++)
        g_assert_cmpfloat (((float *) c.out.data)[k], ==, -5);
      op_case_clear (&c);
    }
}

/* A region that is half outside: only that half is replaced. */
static void
test_partial_region (void)
{
  static const float roi[] = { 0, 0, 2, 1 };
  static const float expected[] = { 0, 1.5f, 3, 12, 13.5f, 15, -5, -5, -5 };
  OpCase c;

  crop (&c, "linear", roi);
  for (int k = 0; k < 9; k++)
    g_assert_cmpfloat (((float *) c.out.data)[k], ==, expected[k]);
  op_case_clear (&c);
}

static CnnStatus
try_scale (float scale, gint64 dim)
{
  const float scales[] = { 1, scale };
  const CnnShape shape = { 2, { 0, dim } };
  CnnError error = { 0 };
  OpCase c = { .op = "Resize" };

  op_case_input (&c, CNN_TYPE_FLOAT32, &shape, NULL);
  op_case_input (&c, CNN_TYPE_NONE, NULL, NULL);
  op_case_input (&c, CNN_TYPE_FLOAT32, &list, scales);
  c.constant[2] = TRUE;
  CnnStatus status = op_case_prepare (&c, &error);
  op_case_clear (&c);
  return status;
}

static void
test_scales (void)
{
  static const float bad[] = { 0, -1, NAN, INFINITY, 1e9f };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_cmpint (try_scale (bad[i], 4), ==, CNN_ERROR_SHAPE);
  g_assert_cmpint (try_scale (2, (gint64) 1 << 60), ==, CNN_ERROR_SHAPE);
  g_assert_cmpint (try_scale (2, 4), ==, CNN_OK);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ops/resize/hostile-regions", test_hostile_regions);
  g_test_add_func ("/ops/resize/partial-region", test_partial_region);
  g_test_add_func ("/ops/resize/scales", test_scales);
  return g_test_run ();
}
