/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-look-program.c: pictures of a network at work: `convnet run
 * --activations`, `convnet info --filters`, `convnet bind`. */

#include <cairo.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "program.h"

/* Returns: how many different greys the PNG has. */
static int
check_png (const char *folder, const char *name)
{
  char *path = g_build_filename (folder, name, NULL);
  cairo_surface_t *surface = cairo_image_surface_create_from_png (path);
  int pitch = cairo_image_surface_get_stride (surface), greys = 0;
  const guint8 *data = cairo_image_surface_get_data (surface);
  gboolean seen[256] = { FALSE };

  if (cairo_surface_status (surface) != CAIRO_STATUS_SUCCESS)
    g_error ("%s: %s", path,
        cairo_status_to_string (cairo_surface_status (surface)));
  for (int y = 0; y < cairo_image_surface_get_height (surface); y++)
    for (int x = 0; x < cairo_image_surface_get_width (surface); x++)
      seen[data[y * pitch + 4 * x + 1]] = TRUE;
  for (int i = 0; i < 256; i++)
    greys += seen[i];
  cairo_surface_destroy (surface);
  g_free (path);
  return greys;
}

static char *
file_in (const char *folder, const char *prefix)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;
  char *found = NULL;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)))
    if (g_str_has_prefix (name, prefix)) {
      g_assert_null (found);
      found = g_strdup (name);
    }
  g_dir_close (dir);
  return found;
}

/* One picture a layer, numbered without gaps, and the sheet. */
static int
count_layers (const char *folder)
{
  for (int i = 1;; i++) {
    char *prefix = g_strdup_printf ("%02d-", i), *name;

    name = file_in (folder, prefix);
    g_free (prefix);
    if (!name)
      return i - 1;
    g_assert_cmpint (check_png (folder, name), >=, 2);
    g_free (name);
  }
}

static void
test_activations (void)
{
  char *folder = fixture_folder (), *out = fixture_path (folder, "out");
  char *picture =
      g_build_filename (g_getenv ("CONVNET_TEST_DATA"), "marker.jpg", NULL);
  char *small = fixture_path (folder, "small.png");
  char *name;
  Result result;

  run (&result, "run", "lenet-5", picture, "--activations", out, "--level", "4",
      NULL);
  expect_ok (&result);
  clear (&result);
  g_assert_cmpint (count_layers (out), >=, 10);
  name = file_in (out, "01-");
  g_assert_cmpstr (name, ==, "01-conv1.png");
  g_assert_cmpint (check_png (out, name), >, 100);
  g_assert_cmpint (check_png (out, "layers.png"), >, 100);
  g_free (name);

  /* one that has no map network sees the whole picture */
  fixture_write_png (folder, "small.png", 40, 40);
  g_free (out);
  out = fixture_path (folder, "whole");
  run (&result, "run", "net-5", small, "--activations", out, NULL);
  expect_ok (&result);
  g_assert_cmpstr (result.out, ==, "");
  clear (&result);
  g_assert_cmpint (count_layers (out), >=, 5);

  run (&result, "run", "lenet-5", picture, "--activations", out, "--level",
      "99", NULL);
  expect_failure (&result, 2, "levels 0 to");
  run (&result, "run", "lenet-5", picture, picture, "--activations", out, NULL);
  expect_failure (&result, 2, "one file");
  run (&result, "run", "net-5", small, NULL);
  expect_failure (&result, 1, "small.png");
  fixture_remove (folder);
  g_free (small);
  g_free (picture);
  g_free (out);
}

static void
test_filters (void)
{
  char *folder = fixture_folder (), *path = fixture_path (folder, "f.png");
  Result result;

  /* 6 filters of 25 weights, and the ground */
  run (&result, "info", "lenet-5", "--filters", path, NULL);
  expect_ok (&result);
  clear (&result);
  g_assert_cmpint (check_png (folder, "f.png"), >, 60);
  g_assert_cmpint (check_png (folder, "f.png"), <=, 151);
  /* dense on the picture: 10 of 256 */
  run (&result, "info", "net-1", "--filters", path, NULL);
  expect_ok (&result);
  clear (&result);
  g_assert_cmpint (check_png (folder, "f.png"), >, 100);
  run (&result, "info", "lenet-5", "--filters", folder, NULL);
  expect_failure (&result, 1, folder);
  fixture_remove (folder);
  g_free (path);
}

/* A line of the table: probabilities that sum to 1. */
static void
check_line (const char *line, int classes)
{
  char **words = g_strsplit (line, ",", -1);
  double sum = 0;

  g_assert_cmpint ((int) g_strv_length (words), ==, 2 + classes);
  for (int i = 0; i < classes; i++) {
    double value = g_ascii_strtod (words[2 + i], NULL);

    g_assert_cmpfloat (value, >=, 0);
    sum += value;
  }
  g_assert_cmpfloat_with_epsilon (sum, 1, 1e-4);
  g_strfreev (words);
}

/* Far away the stroke is none of the digit's; in its place it is. */
static void
test_bind (void)
{
  char *folder = fixture_folder (), *table, **lines, **answers;
  char *csv = fixture_path (folder, "traces.csv");
  Result result;

  run (&result, "bind", "lenet-5", "-o", folder, "--steps", "11", NULL);
  expect_ok (&result);
  answers = g_strsplit (result.out, "\n", -1);
  g_assert_cmpint ((int) g_strv_length (answers), ==, 6);
  for (int i = 0; i < 5; i++) {
    g_assert_cmpint ((int) strlen (answers[i]), ==, 6 + 2 + 11);
    g_assert_cmpint (strspn (answers[i] + 8, "0123456789"), ==, 11);
  }
  g_assert_cmpint (strncmp (answers[0], "3 to 8  3", 9), ==, 0);
  g_assert_cmpint (answers[0][8 + 5], ==, '8');
  g_assert_cmpint (answers[4][8 + 5], ==, '9');
  g_strfreev (answers);
  clear (&result);

  g_assert_true (g_file_get_contents (csv, &table, NULL, NULL));
  lines = g_strsplit (g_strchomp (table), "\n", -1);
  g_assert_cmpint ((int) g_strv_length (lines), ==, 1 + 5 * 11);
  for (int i = 1; lines[i]; i++)
    check_line (lines[i], 10);
  g_strfreev (lines);
  g_free (table);
  g_assert_cmpint (check_png (folder, "traces.png"), >, 20);
  g_assert_cmpint (check_png (folder, "frame-0000.png"), >, 5);
  g_assert_cmpint (check_png (folder, "frame-0054.png"), >, 5);
  g_assert_null (file_in (folder, "frame-0055"));

  run (&result, "bind", "lenet-5", NULL);
  expect_failure (&result, 2, "--output");
  run (&result, "bind", "lenet-5", "-o", folder, "--steps", "2", NULL);
  expect_failure (&result, 2, "--steps");
  fixture_remove (folder);
  g_free (csv);
}

/* The detector reads both polarities, background included. */
static void
test_bind_detector (void)
{
  char *folder = fixture_folder ();
  const char *const polarity[] = { NULL, "--inverted" };

  for (int i = 0; i < 2; i++) {
    Result result;

    run (&result, "bind", "digits", "-o", folder, "--steps", "5", polarity[i],
        NULL);
    expect_ok (&result);
    g_assert_nonnull (strstr (result.out, "3 to 8  "));
    g_assert_cmpint (result.out[8 + 2], ==, '8');
    clear (&result);
  }
  fixture_remove (folder);
}

int
main (int argc, char **argv)
{
  program_init (argc, argv);
  g_test_add_func ("/tools/look/activations", test_activations);
  g_test_add_func ("/tools/look/filters", test_filters);
  g_test_add_func ("/tools/look/bind", test_bind);
  g_test_add_func ("/tools/look/bind-detector", test_bind_detector);
  return g_test_run ();
}
