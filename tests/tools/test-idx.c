/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-idx.c: IDX files as they should be, and as they should not. */

#include <string.h>

#include "fixture.h"
#include "idx.h"

/* What a broken file is, and a word that its sentence must have. */
typedef struct
{
  const char *name;
  guint8 bytes[24];
  gsize size;
  const char *word;
} Broken;

#define HEADER3(n3, n2, n1, n0) 0, 0, 8, 3, n3, n2, n1, n0

static const Broken broken[] = {
  { "empty", { 0 }, 0, "too short" },
  { "three-bytes", { 0, 0, 8 }, 3, "too short" },
  { "not-idx", { 'P', 'K', 8, 3, 0, 0, 0, 1 }, 8, "no IDX file" },
  { "floats", { 0, 0, 13, 3, 0, 0, 0, 1 }, 8, "type 13" },
  { "rank-1", { 0, 0, 8, 1, 0, 0, 0, 1, 7 }, 9, "1 dimensions" },
  { "rank-255", { 0, 0, 8, 255, 0, 0, 0, 1, 7 }, 9, "255 dimensions" },
  { "cut-header", { HEADER3 (0, 0, 0, 1), 0, 0 }, 10, "cut short" },
  { "zero", { HEADER3 (0, 0, 0, 0), 0, 0, 0, 1, 0, 0, 0, 1 }, 16, "zero" },
  { "huge",
      { HEADER3 (255, 255, 255, 255), 255, 255, 255, 255, 255, 255, 255, 255 },
      16, "too large" },
  /* 2^16 x 2^16 x 2^32 wraps around to 0 in 64 bits. */
  { "wraps", { HEADER3 (0, 1, 0, 0), 0, 1, 0, 0, 255, 255, 255, 255 }, 16,
      "too large" },
  /* Within the limit, but the file has none of it. */
  { "promises", { HEADER3 (0, 0, 64, 0), 0, 0, 0, 128, 0, 0, 0, 128, 1, 2, 3 },
      19, "fewer" },
  { "too-long", { HEADER3 (0, 0, 0, 1), 0, 0, 0, 1, 0, 0, 0, 1, 9, 9 }, 18,
      "more" },
};

static void
check_fails (const char *folder, const char *name, const char *word)
{
  char *path = fixture_path (folder, name);
  ToolIdx idx = { .rank = 42 };
  GError *error = NULL;

  g_assert_false (tool_idx_read (path, 3, &idx, &error));
  g_assert_error (error, TOOL_ERROR, TOOL_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, name));
  g_assert_nonnull (strstr (error->message, word));
  g_assert_cmpint (idx.rank, ==, 42);
  g_clear_error (&error);
  g_free (path);
}

static void
test_broken (void)
{
  char *folder = fixture_folder ();

  for (gsize i = 0; i < G_N_ELEMENTS (broken); i++) {
    char *packed = g_strconcat (broken[i].name, ".gz", NULL);

    fixture_write (folder, broken[i].name, broken[i].bytes, broken[i].size);
    fixture_write_gzip (folder, packed, broken[i].bytes, broken[i].size);
    check_fails (folder, broken[i].name, broken[i].word);
    check_fails (folder, packed, broken[i].word);
    g_free (packed);
  }
  check_fails (folder, "missing", "No such file");
  fixture_remove (folder);
}

/* A gzip file cut anywhere, or with a flipped bit, must be noticed. */
static void
test_broken_gzip (void)
{
  char *folder = fixture_folder (), *path;
  gchar *bytes;
  gsize size;

  fixture_write_digits (folder, "d", 6);
  path = fixture_path (folder, "d-images-idx3-ubyte.gz");
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  for (gsize cut = 1; cut < size; cut += 7) {
    fixture_write (folder, "cut", bytes, cut);
    check_fails (folder, "cut", "");
  }
  for (gsize at = 12; at < size; at += 5) {
    bytes[at] ^= 0x10;
    fixture_write (folder, "flip", bytes, size);
    check_fails (folder, "flip", "");
    bytes[at] ^= 0x10;
  }
  g_free (bytes);
  g_free (path);
  fixture_remove (folder);
}

static void
test_digits (void)
{
  char *folder = fixture_folder ();
  char *prefix = fixture_path (folder, "mnist/train");
  ToolDigits digits = { 0 };
  GError *error = NULL;

  fixture_write_digits (folder, "mnist/train", 10);
  g_assert_true (tool_digits_read (prefix, &digits, &error));
  g_assert_no_error (error);
  g_assert_cmpint (digits.view.count, ==, 10);
  g_assert_cmpint (digits.view.width, ==, 28);
  g_assert_cmpint (digits.view.height, ==, 28);
  for (int i = 0; i < 10; i++)
    g_assert_cmpint (digits.view.labels[i], ==, i % 2);
  /* The first bar is upright: its column has ink, the corner has none. */
  g_assert_cmpint (digits.view.pixels[0], ==, 0);
  g_assert_cmpint (digits.view.pixels[14 * 28 + 10], ==, 255);
  tool_digits_clear (&digits);
  g_free (prefix);
  fixture_remove (folder);
}

static void
test_unequal (void)
{
  static const guint8 labels[] = { 0, 0, 8, 1, 0, 0, 0, 2, 1, 2 };
  char *folder = fixture_folder ();
  char *prefix = fixture_path (folder, "d");
  ToolDigits digits = { 0 };
  GError *error = NULL;

  fixture_write_digits (folder, "d", 4);
  fixture_write_gzip (folder, "d-labels-idx1-ubyte.gz", labels, sizeof labels);
  g_assert_false (tool_digits_read (prefix, &digits, &error));
  g_assert_nonnull (strstr (error->message, "4 pictures, but 2 labels"));
  g_clear_error (&error);
  g_free (prefix);
  fixture_remove (folder);
}

/* A line of @label and 256 times @value. */
static void
append_postal (GString *text, int label, const char *value)
{
  g_string_append_printf (text, "%d.0000", label);
  for (int i = 0; i < 256; i++)
    g_string_append_printf (text, " %s", value);
  g_string_append (text, " \n");
}

static void
test_postal (void)
{
  char *folder = fixture_folder ();
  char *prefix = fixture_path (folder, "usps/zip.train");
  GString *text = g_string_new (NULL);
  ToolDigits digits = { 0 };
  GError *error = NULL;

  append_postal (text, 3, "-1.000");
  append_postal (text, 9, "0.5");
  fixture_write_gzip (folder, "usps/zip.train.gz", text->str, text->len);
  g_assert_true (tool_digits_read (prefix, &digits, &error));
  g_assert_no_error (error);
  g_assert_cmpint (digits.view.count, ==, 2);
  g_assert_cmpint (digits.view.width, ==, 16);
  g_assert_cmpint (digits.view.height, ==, 16);
  g_assert_cmpfloat (digits.object_size, ==, 1);
  g_assert_cmpint (digits.view.labels[0], ==, 3);
  g_assert_cmpint (digits.view.labels[1], ==, 9);
  g_assert_cmpint (digits.view.pixels[255], ==, 0);
  g_assert_cmpint (digits.view.pixels[256], ==, 191);
  tool_digits_clear (&digits);
  g_string_free (text, TRUE);
  g_free (prefix);
  fixture_remove (folder);
}

static void
test_broken_postal (void)
{
  static const struct
  {
    int label;
    const char *value, *more, *message;
  } wrong[] = {
    { 3, "1.01", "", "line 2: 1.01 is no value of -1 to 1" },
    { 12, "0", "", "line 2: 12 is no digit" },
    { 3, "x", "", "line 2 has 1 numbers" },
    { 3, "nan", "", "line 2: nan is no value" },
    { 3, "0", "5\n", "line 3 has 1 numbers" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    char *folder = fixture_folder ();
    char *prefix = fixture_path (folder, "zip");
    GString *text = g_string_new (NULL);
    ToolDigits digits = { 0 };
    GError *error = NULL;

    append_postal (text, 1, "0");
    append_postal (text, wrong[i].label, wrong[i].value);
    g_string_append (text, wrong[i].more);
    fixture_write_text (folder, "zip", text->str);
    g_assert_false (tool_digits_read (prefix, &digits, &error));
    g_assert_nonnull (strstr (error->message, wrong[i].message));
    g_clear_error (&error);
    g_string_free (text, TRUE);
    g_free (prefix);
    fixture_remove (folder);
  }
}

/* As many of each label, in their order, others with another seed. */
static void
test_draw (void)
{
  char *folder = fixture_folder ();
  char *prefix = fixture_path (folder, "d");
  gboolean differs = FALSE;
  guint8 first[8 * 784];
  GError *error = NULL;
  ToolDigits digits = { 0 };

  fixture_write_digits (folder, "d", 60);
  for (int seed = 1; seed <= 2; seed++)
    for (int again = 0; again < 2; again++) {
      int ones = 0;

      g_assert_true (tool_digits_read (prefix, &digits, &error));
      g_assert_true (tool_digits_draw (&digits, 8, (guint64) seed, &error));
      g_assert_cmpint (digits.view.count, ==, 8);
      for (int i = 0; i < 8; i++)
        ones += digits.view.labels[i];
      g_assert_cmpint (ones, ==, 4);
      if (seed == 1 && !again)
        memcpy (first, digits.view.pixels, sizeof first);
      else if (seed == 1)
        g_assert_cmpmem (first, sizeof first, digits.view.pixels, sizeof first);
      else
        differs =
            differs || memcmp (first, digits.view.pixels, sizeof first) != 0;
      tool_digits_clear (&digits);
    }
  g_assert_true (differs);

  g_assert_true (tool_digits_read (prefix, &digits, &error));
  g_assert_false (tool_digits_draw (&digits, 9, 1, &error));
  g_clear_error (&error);
  g_assert_false (tool_digits_draw (&digits, 62, 1, &error));
  g_clear_error (&error);
  g_assert_true (tool_digits_draw (&digits, 0, 1, &error));
  g_assert_cmpint (digits.view.count, ==, 60);
  tool_digits_clear (&digits);
  g_free (prefix);
  fixture_remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/idx/digits", test_digits);
  g_test_add_func ("/tools/idx/postal", test_postal);
  g_test_add_func ("/tools/idx/broken-postal", test_broken_postal);
  g_test_add_func ("/tools/idx/draw", test_draw);
  g_test_add_func ("/tools/idx/broken", test_broken);
  g_test_add_func ("/tools/idx/broken-gzip", test_broken_gzip);
  g_test_add_func ("/tools/idx/unequal", test_unequal);
  return g_test_run ();
}
