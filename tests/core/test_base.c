/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_base.c: errors, sizes, memory, random numbers, shapes. */

#include <glib.h>
#include <math.h>
#include <string.h>

#include <cnn/tensor.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/size.h"

static void
test_error (void)
{
  CnnError error = { 0 };
  g_assert_cmpint (cnn_error_set (&error, CNN_ERROR_SHAPE, "%d is not %s", 3,
                       "four"),
      ==, CNN_ERROR_SHAPE);
  g_assert_cmpstr (error.message, ==, "3 is not four");
  cnn_error_prefix (&error, "Conv '%s'", "a");
  g_assert_cmpstr (error.message, ==, "Conv 'a': 3 is not four");
  g_assert_cmpint (cnn_error_set (NULL, CNN_ERROR_MEMORY, "x"), ==,
      CNN_ERROR_MEMORY);

  char longer[1000];
  memset (longer, 'y', sizeof longer);
  longer[sizeof longer - 1] = 0;
  cnn_error_set (&error, CNN_ERROR_FORMAT, "%s", longer);
  cnn_error_prefix (&error, "prefix");
  g_assert_cmpuint (strlen (error.message), ==, sizeof error.message - 1);
  g_assert_true (g_str_has_prefix (error.message, "prefix: yyy"));
}

static void
test_sizes (void)
{
  size_t s = 7;
  g_assert_false (cnn_size_mul (SIZE_MAX / 2, 3, &s));
  g_assert_false (cnn_size_add (SIZE_MAX, 1, &s));
  g_assert_cmpuint (s, ==, 7);
  g_assert_true (cnn_size_mul (6, 7, &s));
  g_assert_cmpuint (s, ==, 42);
}

static void
test_memory (void)
{
  g_assert_null (cnn_aligned_alloc (SIZE_MAX - 100));
  for (size_t bytes = 0; bytes < 200; bytes += 33) {
    unsigned char *m = cnn_aligned_alloc (bytes);
    g_assert_cmpuint ((uintptr_t) m % CNN_ALIGN_BYTES, ==, 0);
    for (size_t i = 0; i < bytes + CNN_SLACK_BYTES; i++)
      g_assert_cmpint (m[i], ==, 0);
    free (m);
  }
}

static void
test_rng (void)
{
  CnnRng a, b, c;
  double sum = 0, squares = 0;
  cnn_rng_init (&a, 1, 2);
  cnn_rng_init (&b, 1, 2);
  cnn_rng_init (&c, 1, 3);
  g_assert_cmpuint (cnn_rng_next (&a), ==, cnn_rng_next (&b));
  g_assert_cmpuint (cnn_rng_next (&a), !=, cnn_rng_next (&c));
  for (int i = 0; i < 100000; i++) {
    float u = cnn_rng_float (&a);
    g_assert_true (u >= 0 && u < 1);
    g_assert_cmpuint (cnn_rng_int (&a, 7), <, 7);
    double z = cnn_rng_normal (&a);
    sum += z;
    squares += z * z;
  }
  g_assert_cmpfloat (fabs (sum / 100000), <, 0.02);
  g_assert_cmpfloat (fabs (squares / 100000 - 1), <, 0.02);
}

static void
test_shapes (void)
{
  char text[160];
  size_t count = 0;
  CnnShape s = { 3, { 2, -1, 5 } }, huge = { 2, { 1ll << 40, 1ll << 40 } };
  g_assert_cmpstr (cnn_shape_format (&s, text, sizeof text), ==, "2x?x5");
  g_assert_cmpint (cnn_shape_elements (&s, &count), ==, CNN_ERROR_SHAPE);
  g_assert_cmpint (cnn_shape_elements (&huge, &count), ==, CNN_ERROR_SHAPE);
  s.dims[1] = 4;
  g_assert_cmpint (cnn_shape_elements (&s, &count), ==, CNN_OK);
  g_assert_cmpuint (count, ==, 40);
  CnnShape scalar = { 0 };
  g_assert_cmpstr (cnn_shape_format (&scalar, text, sizeof text), ==, "scalar");
  g_assert_cmpint (cnn_shape_elements (&scalar, &count), ==, CNN_OK);
  g_assert_cmpuint (count, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/error", test_error);
  g_test_add_func ("/base/sizes", test_sizes);
  g_test_add_func ("/base/memory", test_memory);
  g_test_add_func ("/base/rng", test_rng);
  g_test_add_func ("/base/shapes", test_shapes);
  return g_test_run ();
}
