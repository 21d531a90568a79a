/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* draw.c: Cairo for lines, Pango for text. Not optimised: pictures that are
 * looked at. */

#include "draw.h"

#include <math.h>
#include <pango/pangocairo.h>

/* Hues a golden ratio apart, so that neighbouring classes differ. */
void
tool_draw_class_colour (int class_id, double rgb[3])
{
  double hue = fmod (0.33 + class_id * 0.6180339887, 1) * 6;

  for (int i = 0; i < 3; i++) {
    double distance = fabs (fmod (hue + 4.0 * i, 6) - 3) - 1;

    rgb[i] = CLAMP (distance, 0, 1) * 0.9;
  }
}

static PangoLayout *
make_layout (cairo_t *cr, const char *font, const char *text)
{
  PangoLayout *layout = pango_cairo_create_layout (cr);
  PangoFontDescription *description = pango_font_description_from_string (font);

  pango_layout_set_font_description (layout, description);
  pango_layout_set_text (layout, text, -1);
  pango_font_description_free (description);
  return layout;
}

double
tool_draw_text (cairo_t *cr, const char *font, double x, double y,
    const char *text)
{
  PangoLayout *layout = make_layout (cr, font, text);
  int width;

  pango_layout_get_pixel_size (layout, &width, NULL);
  cairo_move_to (cr, x, y);
  pango_cairo_show_layout (cr, layout);
  g_object_unref (layout);
  return width;
}

/* The label stands on the box, or in it where there is no room above. */
static void
draw_label (cairo_t *cr, const CnnDetection *d, const char *text,
    const double rgb[3], double size)
{
  char *font = g_strdup_printf ("Sans Bold %dpx", (int) lround (size));
  PangoLayout *layout = make_layout (cr, font, text);
  int width, height;
  double x = d->x0, y;

  pango_layout_get_pixel_size (layout, &width, &height);
  y = d->y0 - height < 0 ? d->y0 : d->y0 - height;
  cairo_set_source_rgba (cr, rgb[0], rgb[1], rgb[2], 0.85);
  cairo_rectangle (cr, x, y, width + 4, height);
  cairo_fill (cr);
  cairo_set_source_rgb (cr, 1, 1, 1);
  if (rgb[0] * 0.3 + rgb[1] * 0.6 + rgb[2] * 0.1 > 0.5)
    cairo_set_source_rgb (cr, 0, 0, 0);
  cairo_move_to (cr, x + 2, y);
  pango_cairo_show_layout (cr, layout);
  g_object_unref (layout);
  g_free (font);
}

void
tool_draw_detections (cairo_surface_t *surface, const CnnDetection *detections,
    int count, const char *const *labels)
{
  cairo_t *cr = cairo_create (surface);
  double side = MIN (cairo_image_surface_get_width (surface),
      cairo_image_surface_get_height (surface));
  double line = MAX (1, side / 300), size = CLAMP (side / 30, 10, 48);

  cairo_set_line_width (cr, line);
  /* The surest last, on top. */
  for (int i = count - 1; i >= 0; i--) {
    const CnnDetection *d = &detections[i];
    char *text = g_strdup_printf ("%s %.0f%%", labels[d->class_id],
        100.0 * d->confidence);
    double rgb[3];

    tool_draw_class_colour (d->class_id, rgb);
    cairo_set_source_rgb (cr, rgb[0], rgb[1], rgb[2]);
    cairo_rectangle (cr, d->x0 + line / 2, d->y0 + line / 2,
        MAX (0, d->x1 - d->x0 - line), MAX (0, d->y1 - d->y0 - line));
    cairo_stroke (cr);
    draw_label (cr, d, text, rgb, size);
    g_free (text);
  }
  cairo_destroy (cr);
}
