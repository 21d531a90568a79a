/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-glyphs.c: letters and print for scenes, with whatever font there is. */

#include <pango/pangocairo.h>
#include <string.h>

#include "glyphs.h"

/* Returns: (transfer full): some family that is installed. */
static char *
some_font (void)
{
  PangoFontFamily **families;
  int count;
  char *name;

  pango_font_map_list_families (pango_cairo_font_map_get_default (), &families,
      &count);
  name = count ? g_strdup (pango_font_family_get_name (families[0])) : NULL;
  g_free (families);
  return name;
}

static double
mean_of (const guint8 *pixels, gsize count)
{
  double sum = 0;

  for (gsize i = 0; i < count; i++)
    sum += pixels[i] / 255.0;
  return sum / (double) count;
}

static void
test_make (void)
{
  GError *error = NULL;
  char *font = some_font ();
  char *fonts[] = { font, NULL };
  ToolGlyphs glyphs, again, other;
  int blank = 0;

  if (!font) {
    g_test_skip ("there is no font");
    return;
  }
  g_assert_true (tool_glyphs_make (fonts, 120, 3, &glyphs, &error));
  g_assert_true (tool_glyphs_make (fonts, 120, 3, &again, &error));
  g_assert_true (tool_glyphs_make (fonts, 120, 4, &other, &error));
  g_assert_cmpint (glyphs.letters.count, ==, 120);
  g_assert_cmpint (glyphs.letters.width, ==, 28);
  g_assert_cmpint (glyphs.n_sheets, ==, 2);
  g_assert_cmpmem (glyphs.pixels, 120 * 784, again.pixels, 120 * 784);
  g_assert_cmpint (memcmp (glyphs.pixels, other.pixels, 120 * 784), !=, 0);
  for (int i = 0; i < 120; i++) {
    double ink = mean_of (glyphs.pixels + i * 784, 784);

    blank += ink < 0.01;
    g_assert_cmpfloat (ink, <, 0.6);
  }
  g_assert_cmpint (blank, <, 30);
  for (int i = 0; i < 2; i++) {
    double ink = mean_of (glyphs.sheets[i].data[0], 320 * 320);

    g_assert_cmpfloat (ink, >, 0.01);
    g_assert_cmpfloat (ink, <, 0.6);
  }
  tool_glyphs_clear (&other);
  tool_glyphs_clear (&again);
  tool_glyphs_clear (&glyphs);
  g_free (font);
}

static void
test_missing_font (void)
{
  GError *error = NULL;
  char *fonts[] = { (char *) "No Such Font 77", NULL };
  ToolGlyphs glyphs;

  g_assert_false (tool_glyphs_make (fonts, 10, 1, &glyphs, &error));
  g_assert_nonnull (strstr (error->message, "No Such Font 77"));
  g_clear_error (&error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/glyphs/make", test_make);
  g_test_add_func ("/tools/glyphs/missing-font", test_missing_font);
  return g_test_run ();
}
