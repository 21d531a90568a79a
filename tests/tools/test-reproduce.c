/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-reproduce.c: the recipes of 1989 to 1998 and their tables, in small: one
 * epoch on bars instead of digits. */

#include <glib/gstdio.h>
#include <string.h>

#include "fixture.h"
#include "program.h"

static const char *const names[] = { "net-1", "net-2", "net-3", "net-4",
  "net-5", "zip-1989", "lenet-1990", "lenet-1990-lecture", "lenet-5",
  "lenet5-lecture" };

/* Upright bars are 0, lying bars 1, a value and a blank for each pixel. */
static void
write_postal (const char *folder, const char *name, int count)
{
  GString *text = g_string_new (NULL);

  for (int i = 0; i < count; i++) {
    int label = i % 2, at = 3 + i / 2 % 9;

    g_string_append_printf (text, "%d.0000", label);
    for (int p = 0; p < 256; p++) {
      int across = label ? p / 16 : p % 16, along = label ? p % 16 : p / 16;
      gboolean ink = across >= at && across < at + 2 && along > 1 && along < 14;

      g_string_append (text, ink ? " 0.875" : " -1.000");
    }
    g_string_append (text, " \n");
  }
  fixture_write_gzip (folder, name, text->str, text->len);
  g_string_free (text, TRUE);
}

static void
reproduce (const char *folder, const char *out, const char *threads)
{
  char *to = fixture_path (folder, out);
  Result result;

  run (&result, "reproduce", "--data", folder, "--output", to, "--models",
      g_getenv ("CONVNET_MODELS"), "--epochs", "1", "--seeds", "2", "--threads",
      threads, names[0], names[1], names[2], names[3], names[4], names[5],
      names[6], names[7], names[8], names[9], NULL);
  expect_ok (&result);
  g_assert_nonnull (strstr (result.out, "lenet5-lecture: "));
  g_assert_nonnull (strstr (result.out, "Net-5: published 98.4 %"));
  clear (&result);
  g_free (to);
}

static char *
contents (const char *folder, const char *out, const char *name,
    const char *suffix, gsize *size)
{
  char *path = g_strdup_printf ("%s/%s/%s%s", folder, out, name, suffix);
  char *bytes = NULL;

  g_assert_true (g_file_get_contents (path, &bytes, size, NULL));
  g_free (path);
  return bytes;
}

static void
test_small (void)
{
  char *folder = fixture_folder (), *table;
  gsize n, m;

  fixture_write_digits (folder, "mnist/train", 256);
  fixture_write_digits (folder, "mnist/t10k", 32);
  write_postal (folder, "usps/zip.train.gz", 400);
  write_postal (folder, "usps/zip.test.gz", 200);
  reproduce (folder, "one", "1");
  reproduce (folder, "two", "2");
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    char *one = contents (folder, "one", names[i], ".onnx", &n);
    char *two = contents (folder, "two", names[i], ".onnx", &m);

    g_assert_cmpmem (one, n, two, m);
    g_free (one);
    g_free (two);
  }
  table = contents (folder, "one", "figures", ".md", &n);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    char *row = g_strdup_printf ("| %s | ", names[i]);

    g_assert_nonnull (strstr (table, row));
    g_free (row);
  }
  g_assert_nonnull (strstr (table, "| Net-1 | 80.0 % | "));
  g_free (table);
  g_free (contents (folder, "one", "five", ".png", &n));
  fixture_remove (folder);
}

/* A network with a class for "nothing here" is measured on scenes. */
static void
test_detector (void)
{
  static const char recipe[] =
      "[model]\ninput=1x32x32\nlabels=0 1 none\nbackground=none\n"
      "object-size=0.625\nlayers=conv 4 5x5 stride=4; relu; dense 3\n"
      "[data]\ntrain=mnist/train\nvalidate=mnist/t10k\n"
      "[scenes]\ncount=4\nwindows=16\nblack=1\n"
      "[train]\nrate=0.1\n";
  static const char *const kinds[] = { "black", "paper", "empty" };
  char *folder = fixture_folder (), *models = fixture_path (folder, "models");
  char *out = fixture_path (folder, "out"), *table;
  char *backgrounds = fixture_path (folder, "backgrounds");
  gsize n;
  Result result;

  fixture_write_digits (folder, "mnist/train", 256);
  fixture_write_digits (folder, "mnist/t10k", 32);
  g_mkdir (backgrounds, 0777);
  fixture_write_png (folder, "backgrounds/a.png", 640, 480);
  fixture_write_text (folder, "models/tiny/recipe", recipe);
  run (&result, "reproduce", "--data", folder, "--output", out, "--models",
      models, "--seeds", "0", "--scenes", "2", NULL);
  expect_ok (&result);
  clear (&result);
  table = contents (folder, "out", "figures", ".md", &n);
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
    char *row =
        g_strdup_printf ("\\| tiny \\| %s \\|( [0-9.]+ \\|){4}\n", kinds[i]);

    g_assert_true (g_regex_match_simple (row, table, 0, 0));
    g_free (row);
  }
  g_free (table);
  g_free (backgrounds);
  g_free (out);
  g_free (models);
  fixture_remove (folder);
}

static void
test_wrong (void)
{
  Result result;

  run (&result, "reproduce", NULL);
  expect_failure (&result, 2, "--data");
  run (&result, "reproduce", "--data", "/nowhere", "--output", g_get_tmp_dir (),
      "--models", "/nowhere", NULL);
  expect_failure (&result, 1, "/nowhere");
}

int
main (int argc, char **argv)
{
  program_init (argc, argv);
  g_test_add_func ("/tools/reproduce/small", test_small);
  g_test_add_func ("/tools/reproduce/detector", test_detector);
  g_test_add_func ("/tools/reproduce/wrong", test_wrong);
  return g_test_run ();
}
