/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* glyphs.c: draws signs and words with Pango. */

#include "glyphs.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <string.h>

#define SIDE       28
#define LONGER     20
#define SHEET_SIDE 320
#define PER_SHEET  50
/* Signs are measured at this size before they are drawn. */
#define MEASURED 64

/* Not: B D G I O Q S Z b g i l o q s z, strokes and brackets. */
static const char alone[] = "ACEFHJKLMNPRTUVWXYacdefhjkmnprtuvwxy"
                            "ΓΔΛΞΠΣΦΨΩЖИЛШЮЯ+=?&%#@*<>~^×÷€§¶→←↑↓✓★";
static const char in_words[] =
    "aaabccddeeeeeefgghhiiijkllmmnnnoooppqrrrsssttttuuuvwwxyyz"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static gboolean
is_installed (PangoFontFamily **families, int count, const char *name)
{
  for (int i = 0; i < count; i++)
    if (g_ascii_strcasecmp (pango_font_family_get_name (families[i]), name)
        == 0)
      return TRUE;
  return FALSE;
}

static gboolean
check_fonts (char **fonts, GError **error)
{
  PangoFontFamily **families;
  int count;
  gboolean ok = TRUE;

  pango_font_map_list_families (pango_cairo_font_map_get_default (), &families,
      &count);
  for (int i = 0; ok && fonts[i]; i++)
    if (!is_installed (families, count, fonts[i]))
      ok = tool_fail (error, "the font '%s' is not installed", fonts[i]);
  g_free (families);
  return ok;
}

/* A surface that writes into @pixels, whose rows are a multiple of four. */
static cairo_t *
context_for (guint8 *pixels, int side)
{
  cairo_surface_t *surface = cairo_image_surface_create_for_data (pixels,
      CAIRO_FORMAT_A8, side, side, side);
  cairo_t *cr = cairo_create (surface);
  cairo_font_options_t *options = cairo_font_options_create ();

  cairo_surface_destroy (surface);
  cairo_font_options_set_hint_style (options, CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics (options, CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  cairo_set_font_options (cr, options);
  cairo_font_options_destroy (options);
  return cr;
}

static PangoLayout *
layout_for (cairo_t *cr, GRand *rand, char **fonts, double size,
    const char *text)
{
  PangoLayout *layout = pango_cairo_create_layout (cr);
  PangoFontDescription *font = pango_font_description_new ();
  gint32 n = (gint32) g_strv_length (fonts);

  pango_font_description_set_family (font,
      fonts[g_rand_int_range (rand, 0, n)]);
  pango_font_description_set_absolute_size (font, size * PANGO_SCALE);
  if (g_rand_int_range (rand, 0, 4) == 0)
    pango_font_description_set_weight (font, PANGO_WEIGHT_BOLD);
  pango_layout_set_font_description (layout, font);
  pango_layout_set_text (layout, text, -1);
  pango_font_description_free (font);
  return layout;
}

/* Small signs, a point or a dash, stay small. */
static void
draw_sign (guint8 *pixels, GRand *rand, char **fonts)
{
  glong count = g_utf8_strlen (alone, -1);
  const char *sign = g_utf8_offset_to_pointer (alone,
      g_rand_int_range (rand, 0, (gint32) count));
  char text[8] = { 0 };
  cairo_t *cr = context_for (pixels, SIDE);
  PangoLayout *layout;
  PangoRectangle ink;
  double scale;

  g_utf8_strncpy (text, sign, 1);
  layout = layout_for (cr, rand, fonts, MEASURED, text);
  pango_layout_get_pixel_extents (layout, &ink, NULL);
  scale = (double) LONGER / MAX (MAX (ink.width, ink.height), MEASURED / 3);
  cairo_translate (cr, SIDE / 2.0, SIDE / 2.0);
  cairo_scale (cr, scale, scale);
  cairo_translate (cr, -ink.x - ink.width / 2.0, -ink.y - ink.height / 2.0);
  pango_cairo_show_layout (cr, layout);
  g_object_unref (layout);
  cairo_destroy (cr);
}

static char *
make_line (GRand *rand)
{
  GString *line = g_string_new (NULL);
  gint32 n = (gint32) strlen (in_words);
  gboolean capitals = g_rand_int_range (rand, 0, 6) == 0;

  while (line->len < 100) {
    int length = g_rand_int_range (rand, 1, 10);

    for (int i = 0; i < length; i++) {
      char c = in_words[g_rand_int_range (rand, 0, i ? n - 26 : n)];

      g_string_append_c (line, capitals ? g_ascii_toupper (c) : c);
    }
    g_string_append (line, g_rand_int_range (rand, 0, 8) ? " " : ", ");
  }
  return g_string_free (line, FALSE);
}

static void
draw_sheet (guint8 *pixels, GRand *rand, char **fonts)
{
  cairo_t *cr = context_for (pixels, SHEET_SIDE);
  double y = 2, size = exp (g_rand_double_range (rand, log (9), log (42)));

  while (y < SHEET_SIDE) {
    char *line = make_line (rand);
    PangoLayout *layout = layout_for (cr, rand, fonts, size, line);

    cairo_move_to (cr, g_rand_double_range (rand, 0, size), y);
    pango_cairo_show_layout (cr, layout);
    y += size * g_rand_double_range (rand, 1.1, 1.6);
    if (g_rand_int_range (rand, 0, 8) == 0)
      size = exp (g_rand_double_range (rand, log (9), log (42)));
    g_object_unref (layout);
    g_free (line);
  }
  cairo_destroy (cr);
}

gboolean
tool_glyphs_make (char **fonts, int count, guint32 seed, ToolGlyphs *glyphs,
    GError **error)
{
  GRand *rand;
  gsize sheet = SHEET_SIDE * SHEET_SIDE;

  if (!check_fonts (fonts, error))
    return FALSE;
  rand = g_rand_new_with_seed (seed);
  *glyphs = (ToolGlyphs){ .n_sheets = count / PER_SHEET };
  glyphs->pixels = g_malloc0 ((gsize) count * SIDE * SIDE);
  glyphs->labels = g_malloc0 ((gsize) count);
  glyphs->sheet_pixels = g_malloc0 ((gsize) glyphs->n_sheets * sheet + 1);
  glyphs->sheets = g_new0 (CnnImage, glyphs->n_sheets + 1);
  glyphs->letters =
      (CnnDigits){ count, SIDE, SIDE, glyphs->pixels, glyphs->labels };
  for (int i = 0; i < count; i++)
    draw_sign (glyphs->pixels + (gsize) i * SIDE * SIDE, rand, fonts);
  for (int i = 0; i < glyphs->n_sheets; i++) {
    guint8 *pixels = glyphs->sheet_pixels + (gsize) i * sheet;

    draw_sheet (pixels, rand, fonts);
    glyphs->sheets[i] = (CnnImage){ .width = SHEET_SIDE,
      .height = SHEET_SIDE,
      .channels = 1,
      .data = { pixels },
      .pitch_bytes = { SHEET_SIDE },
      .step_bytes = 1 };
  }
  g_rand_free (rand);
  return TRUE;
}

void
tool_glyphs_clear (ToolGlyphs *glyphs)
{
  g_free (glyphs->pixels);
  g_free (glyphs->labels);
  g_free (glyphs->sheet_pixels);
  g_free (glyphs->sheets);
  *glyphs = (ToolGlyphs){ 0 };
}
