/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-scenes-program.c: `convnet scenes` makes pictures with truth, `convnet
 * eval` counts on them. */

#include <json-glib/json-glib.h>
#include <string.h>

#include "fixture.h"
#include "program.h"

static JsonObject *
parse (JsonParser *parser, const char *text)
{
  GError *error = NULL;

  json_parser_load_from_data (parser, text, -1, &error);
  g_assert_no_error (error);
  return json_node_get_object (json_parser_get_root (parser));
}

static void
make (const char *data, const char *out, const char *kind, const char *seed)
{
  Result result;

  run (&result, "scenes", "--data", data, "-o", out, "--kind", kind, "--count",
      "3", "--seed", seed, NULL);
  expect_ok (&result);
  clear (&result);
}

static char *
contents (const char *folder, const char *name, gsize *size)
{
  char *path = g_build_filename (folder, name, NULL), *text = NULL;
  GError *error = NULL;

  g_file_get_contents (path, &text, size, &error);
  g_assert_no_error (error);
  g_free (path);
  return text;
}

/* Boxes lie in the picture and are as large as they may be. Returns: digits. */
static int
check_truth (const char *folder, const char *name, gboolean black)
{
  char *text = contents (folder, name, NULL);
  JsonParser *parser = json_parser_new ();
  JsonObject *o = parse (parser, text);
  JsonArray *digits = json_object_get_array_member (o, "digits");
  int count = (int) json_array_get_length (digits);
  gint64 width = json_object_get_int_member (o, "width");
  gint64 height = json_object_get_int_member (o, "height");

  g_assert_cmpint (width, ==, black ? 300 : 640);
  g_assert_cmpint (height, ==, black ? 300 : 480);
  for (int i = 0; i < count; i++) {
    JsonObject *d = json_array_get_object_element (digits, (guint) i);
    gint64 x = json_object_get_int_member (d, "x");
    gint64 y = json_object_get_int_member (d, "y");
    gint64 w = json_object_get_int_member (d, "w");
    gint64 h = json_object_get_int_member (d, "h");

    g_assert_cmpint (json_object_get_int_member (d, "label"), <=, 9);
    g_assert_cmpint (MIN (x, y), >=, 0);
    g_assert_cmpint (x + w, <=, width);
    g_assert_cmpint (y + h, <=, height);
    g_assert_cmpint (MIN (w, h), >, 0);
    g_assert_cmpint (MAX (w, h), >=, black ? 6 : 15);
    g_assert_cmpint (h, <=, black ? 100 : 290);
  }
  g_object_unref (parser);
  g_free (text);
  return count;
}

static void
test_scenes (void)
{
  char *folder = fixture_folder ();
  char *one = fixture_path (folder, "one"), *two = fixture_path (folder, "two");
  const char *const kinds[] = { "black", "paper", "empty" };
  Result result;

  fixture_write_digits (folder, "mnist/t10k", 60);
  for (int k = 0; k < 3; k++) {
    int digits = 0;
    char *name = g_strdup_printf ("%s-0001.png", kinds[k]);
    char *a, *b;
    gsize a_size, b_size;

    make (folder, one, kinds[k], "5");
    make (folder, two, kinds[k], "5");
    a = contents (one, name, &a_size);
    b = contents (two, name, &b_size);
    g_assert_cmpmem (a, a_size, b, b_size);
    g_free (b);
    make (folder, two, kinds[k], "6");
    b = contents (two, name, &b_size);
    g_assert_true (a_size != b_size || memcmp (a, b, a_size));
    g_free (b);
    g_free (a);
    g_free (name);
    for (int i = 0; i < 3; i++) {
      name = g_strdup_printf ("%s-%04d.json", kinds[k], i);
      digits += check_truth (one, name, k == 0);
      g_free (name);
    }
    if (k == 2)
      g_assert_cmpint (digits, ==, 0);
    else
      g_assert_cmpint (digits, >=, 3);
  }
  run (&result, "scenes", "--data", folder, "-o", one, "--kind", "pink", NULL);
  expect_failure (&result, 2, "pink");
  run (&result, "scenes", "--data", one, "-o", two, NULL);
  expect_failure (&result, 1, "t10k");
  fixture_remove (folder);
  g_free (two);
  g_free (one);
}

static double
member (const char *text, const char *name)
{
  JsonParser *parser = json_parser_new ();
  double value = json_object_get_double_member (parse (parser, text), name);

  g_object_unref (parser);
  return value;
}

/* The built-in detector on the project's own pictures: nearly all is found,
 * and with nonsense for truth nothing is right. */
static void
test_eval (void)
{
  char *folder = fixture_folder (), *picture, *worst;
  char *source =
      g_build_filename (g_getenv ("CONVNET_TEST_DATA"), "whiteboard.jpg", NULL);
  char *truth = g_build_filename (g_getenv ("CONVNET_TEST_DATA"),
      "whiteboard.json", NULL);
  char *bytes, *text;
  gsize size;
  Result result;

  g_assert_true (g_file_get_contents (source, &bytes, &size, NULL));
  g_assert_true (g_file_get_contents (truth, &text, NULL, NULL));
  fixture_write (folder, "a.jpg", bytes, size);
  fixture_write_text (folder, "a.json", text);
  run (&result, "eval", "digits", "--data", folder, "--json", NULL);
  expect_ok (&result);
  g_assert_cmpfloat (member (result.out, "precision"), >=, 0.8);
  g_assert_cmpfloat (member (result.out, "recall"), >=, 0.8);
  g_assert_cmpfloat (member (result.out, "map50"), >=, 0.6);
  g_assert_cmpfloat (member (result.out, "images"), ==, 1);
  clear (&result);

  fixture_write_text (folder, "a.json",
      "{\"digits\":[{\"label\":3,\"x\":1,\"y\":1,\"w\":5,\"h\":5}]}");
  worst = fixture_path (folder, "worst");
  run (&result, "eval", "digits", "--data", folder, "--worst", worst,
      "--thresholds", NULL);
  expect_ok (&result);
  g_assert_nonnull (strstr (result.out, "recall 0.000"));
  clear (&result);
  picture = g_build_filename (worst, "a.png", NULL);
  g_assert_true (g_file_test (picture, G_FILE_TEST_IS_REGULAR));

  fixture_write_text (folder, "a.json", "{\"digits\":[{\"x\":\"wide\"}]}");
  run (&result, "eval", "digits", "--data", folder, NULL);
  expect_failure (&result, 1, "a.json: digits 0");
  fixture_write_text (folder, "a.json", "{\"digits\":[");
  run (&result, "eval", "digits", "--data", folder, NULL);
  expect_failure (&result, 1, "a.json");
  fixture_remove (folder);
  g_free (picture);
  g_free (worst);
  g_free (text);
  g_free (bytes);
  g_free (truth);
  g_free (source);
}

int
main (int argc, char **argv)
{
  program_init (argc, argv);
  g_test_add_func ("/tools/scenes/make", test_scenes);
  g_test_add_func ("/tools/scenes/eval", test_eval);
  return g_test_run ();
}
