/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plot.c: the plots that training and measuring make. */

#include "plot.h"

#include <cairo.h>
#include <math.h>

#include "draw.h"

#define FONT "Sans 11px"

/* Of one plot of a trace. */
#define TRACE_LEFT    40
#define TRACE_TOP     34
#define TRACE_WIDTH   720.0
#define TRACE_HEIGHT  100
#define TRACE_WINDOWS 11
#define LIKELY        0.15

#define ANSWER_SIDE   176

/* Where data lands on the page; y is logarithmic. */
typedef struct
{
  double left, top, width, height;
  double low, high;
  int count;
} Axes;

static const double palette[][3] = { { 0.12, 0.38, 0.70 }, { 0.84, 0.30, 0.10 },
  { 0.17, 0.55, 0.22 }, { 0.52, 0.26, 0.64 } };

static cairo_t *
new_page (int width, int height)
{
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  cairo_t *cr = cairo_create (surface);

  cairo_surface_destroy (surface);
  cairo_set_source_rgb (cr, 1, 1, 1);
  cairo_paint (cr);
  cairo_set_source_rgb (cr, 0, 0, 0);
  return cr;
}

static gboolean
finish_page (cairo_t *cr, const char *path, GError **error)
{
  cairo_status_t status =
      cairo_surface_write_to_png (cairo_get_target (cr), path);

  cairo_destroy (cr);
  if (status != CAIRO_STATUS_SUCCESS)
    return tool_fail (error, "%s: %s", path, cairo_status_to_string (status));
  return TRUE;
}

/* Whole powers of ten around all values. */
static void
find_range (const ToolCurve *curves, int n_curves, Axes *axes)
{
  double low = INFINITY, high = -INFINITY;

  for (int c = 0; c < n_curves; c++)
    for (int i = 0; i < axes->count; i++) {
      double value = curves[c].values[i];

      if (isfinite (value) && value > 0) {
        low = MIN (low, value);
        high = MAX (high, value);
      }
    }
  axes->low = isfinite (low) ? floor (log10 (low)) : -1;
  axes->high = isfinite (high) ? ceil (log10 (high)) : 0;
  if (axes->high <= axes->low)
    axes->high = axes->low + 1;
}

static double
place_x (const Axes *axes, int i)
{
  return axes->left + axes->width * (i + 0.5) / axes->count;
}

static double
place_y (const Axes *axes, double value)
{
  double share = (log10 (value) - axes->low) / (axes->high - axes->low);

  return axes->top + axes->height * (1 - share);
}

static void
draw_axes (cairo_t *cr, const Axes *axes, const char *x_name)
{
  int step = MAX (1, (axes->count + 9) / 10);
  char text[32];

  cairo_set_line_width (cr, 1);
  for (double power = axes->low; power <= axes->high; power++) {
    double y = floor (place_y (axes, pow (10, power))) + 0.5;

    cairo_set_source_rgb (cr, 0.85, 0.85, 0.85);
    cairo_move_to (cr, axes->left, y);
    cairo_line_to (cr, axes->left + axes->width, y);
    cairo_stroke (cr);
    cairo_set_source_rgb (cr, 0, 0, 0);
    g_snprintf (text, sizeof text, "%g", pow (10, power));
    tool_draw_text (cr, FONT, 8, y - 7, text);
  }
  for (int i = 0; i < axes->count; i += step) {
    g_snprintf (text, sizeof text, "%d", i + 1);
    tool_draw_text (cr, FONT, place_x (axes, i) - 4,
        axes->top + axes->height + 4, text);
  }
  tool_draw_text (cr, FONT, axes->left + axes->width / 2 - 20,
      axes->top + axes->height + 20, x_name);
  cairo_rectangle (cr, axes->left + 0.5, axes->top + 0.5, axes->width,
      axes->height);
  cairo_stroke (cr);
}

static void
draw_curve (cairo_t *cr, const Axes *axes, const ToolCurve *curve)
{
  gboolean begun = FALSE;

  cairo_set_line_width (cr, 2);
  for (int i = 0; i < axes->count; i++) {
    double value = curve->values[i];

    if (!isfinite (value) || value <= 0) {
      begun = FALSE;
      continue;
    }
    cairo_arc (cr, place_x (axes, i), place_y (axes, value), 2.5, 0, 2 * G_PI);
    cairo_fill (cr);
    if (begun) {
      cairo_move_to (cr, place_x (axes, i - 1),
          place_y (axes, curve->values[i - 1]));
      cairo_line_to (cr, place_x (axes, i), place_y (axes, value));
      cairo_stroke (cr);
    }
    begun = TRUE;
  }
}

gboolean
tool_plot_curves (const char *path, const char *title, const char *x_name,
    const ToolCurve *curves, int n_curves, int count, GError **error)
{
  cairo_t *cr = new_page (800, 500);
  Axes axes = { .left = 64,
    .top = 56,
    .width = 716,
    .height = 396,
    .count = count };
  double x = axes.left;

  find_range (curves, n_curves, &axes);
  tool_draw_text (cr, "Sans Bold 14px", axes.left, 8, title);
  draw_axes (cr, &axes, x_name);
  for (int c = 0; c < n_curves; c++) {
    const double *rgb = palette[c % G_N_ELEMENTS (palette)];

    cairo_set_source_rgb (cr, rgb[0], rgb[1], rgb[2]);
    x += tool_draw_text (cr, "Sans Bold 11px", x, 34, curves[c].name) + 24;
    draw_curve (cr, &axes, &curves[c]);
  }
  return finish_page (cr, path, error);
}

/* Pixels of a window, enlarged, as they are. */
static void
draw_window (cairo_t *cr, const ToolTrace *trace, int step, double x, double y,
    double side)
{
  const guint8 *window = trace->windows
      + (gsize) step * (gsize) trace->height * (gsize) trace->width;
  cairo_surface_t *image = cairo_image_surface_create (CAIRO_FORMAT_RGB24,
      trace->width, trace->height);
  guint8 *data = cairo_image_surface_get_data (image);
  gsize pitch = (gsize) cairo_image_surface_get_stride (image);
  double scale = side / MAX (trace->height, trace->width);

  for (int i = 0; data && i < trace->height; i++)
    for (int k = 0; k < trace->width; k++)
      ((guint32 *) (data + (gsize) i * pitch))[k] =
          window[i * trace->width + k] * 0x010101u;
  cairo_surface_mark_dirty (image);
  cairo_save (cr);
  cairo_translate (cr, x, y);
  cairo_scale (cr, scale, scale);
  cairo_set_source_surface (cr, image, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_NEAREST);
  cairo_paint (cr);
  cairo_restore (cr);
  cairo_surface_destroy (image);
}

static double
trace_x (const ToolTrace *trace, int step)
{
  return TRACE_LEFT + (double) step * TRACE_WIDTH / MAX (1, trace->steps - 1);
}

/* Its name stands where a class is surest. */
static void
draw_class (cairo_t *cr, const ToolTrace *trace, int class_id)
{
  const double *values = trace->values + class_id;
  int best = 0;
  double rgb[3];

  for (int i = 0; i < trace->steps; i++)
    if (values[i * trace->classes] > values[best * trace->classes])
      best = i;
  if (values[best * trace->classes] < LIKELY)
    return;
  tool_draw_class_colour (class_id, rgb);
  cairo_set_source_rgb (cr, rgb[0] * 0.8, rgb[1] * 0.8, rgb[2] * 0.8);
  cairo_new_path (cr);
  for (int i = 0; i < trace->steps; i++)
    cairo_line_to (cr, trace_x (trace, i),
        TRACE_TOP + TRACE_HEIGHT * (1 - values[i * trace->classes]));
  cairo_set_line_width (cr, 2);
  cairo_stroke (cr);
  tool_draw_text (cr, "Sans Bold 13px", trace_x (trace, best) - 4,
      TRACE_TOP + TRACE_HEIGHT * (1 - values[best * trace->classes]) - 17,
      trace->labels[class_id]);
}

static void
draw_trace (cairo_t *cr, const ToolTrace *trace)
{
  int shown = MIN (trace->steps, TRACE_WINDOWS);
  double side = TRACE_WIDTH / TRACE_WINDOWS - 4;

  cairo_set_source_rgb (cr, 0, 0, 0);
  tool_draw_text (cr, "Sans Bold 13px", 8, 0, trace->title);
  tool_draw_text (cr, FONT, 28, TRACE_TOP - 7, "1");
  tool_draw_text (cr, FONT, 28, TRACE_TOP + TRACE_HEIGHT - 7, "0");
  cairo_set_source_rgb (cr, 0.8, 0.8, 0.8);
  cairo_set_line_width (cr, 1);
  cairo_rectangle (cr, TRACE_LEFT + 0.5, TRACE_TOP + 0.5, TRACE_WIDTH,
      TRACE_HEIGHT);
  cairo_stroke (cr);
  for (int k = 0; k < trace->classes; k++)
    draw_class (cr, trace, k);
  for (int i = 0; i < shown; i++) {
    int step = shown > 1 ? i * (trace->steps - 1) / (shown - 1) : 0;

    draw_window (cr, trace, step, trace_x (trace, step) - side / 2,
        TRACE_TOP + TRACE_HEIGHT + 6, side);
  }
}

gboolean
tool_plot_traces (const char *path, const ToolTrace *traces, int n_traces,
    GError **error)
{
  double side = TRACE_WIDTH / TRACE_WINDOWS - 4;
  int height = (int) (TRACE_TOP + TRACE_HEIGHT + side + 16);
  cairo_t *cr = new_page (TRACE_LEFT * 2 + TRACE_WIDTH, height * n_traces);

  for (int i = 0; i < n_traces; i++) {
    draw_trace (cr, &traces[i]);
    cairo_translate (cr, 0, height);
  }
  return finish_page (cr, path, error);
}

gboolean
tool_plot_answer (const char *path, const ToolTrace *trace, int step,
    GError **error)
{
  const double *values = trace->values + step * trace->classes;
  int side = ANSWER_SIDE, row = side / MAX (11, MIN (trace->classes, 20));
  cairo_t *cr = new_page (2 * side, side);

  draw_window (cr, trace, step, 0, 0, side);
  for (int k = 0; k < trace->classes && k < 20; k++) {
    double rgb[3];

    cairo_set_source_rgb (cr, 0, 0, 0);
    tool_draw_text (cr, FONT, side + 6, row * k, trace->labels[k]);
    tool_draw_class_colour (k, rgb);
    cairo_set_source_rgb (cr, rgb[0], rgb[1], rgb[2]);
    cairo_rectangle (cr, side + 40, row * k + 2,
        floor ((side - 44) * values[k]), row - 4);
    cairo_fill (cr);
  }
  return finish_page (cr, path, error);
}

/* One field: the darker, the larger its share of the row; green on the
 * diagonal, red beside it. */
static void
draw_field (cairo_t *cr, double x, double y, double side, guint32 value,
    double share, gboolean right)
{
  double dark = value ? 0.15 + 0.85 * sqrt (share) : 0;
  char text[16];

  cairo_set_source_rgb (cr, 1 - dark * (right ? 0.75 : 0.15),
      1 - dark * (right ? 0.35 : 0.8), 1 - dark * (right ? 0.65 : 0.8));
  cairo_rectangle (cr, x, y, side - 1, side - 1);
  cairo_fill (cr);
  if (!value)
    return;
  cairo_set_source_rgb (cr, 0, 0, 0);
  g_snprintf (text, sizeof text, "%u", value);
  tool_draw_text (cr, FONT, x + 4, y + side / 2 - 7, text);
}

gboolean
tool_plot_confusion (const char *path, const ToolScore *score,
    const char *const *labels, GError **error)
{
  int n = score->classes;
  double side = n > 40 ? 20 : 44, left = 64, top = 64;
  int page = (int) (left + side * n + 16);
  cairo_t *cr;
  char *title;

  if (n > 256)
    return tool_fail (error, "%s: %d classes are too many to draw", path, n);
  cr = new_page (page, page);
  title = g_strdup_printf ("%d errors in %d (%.2f %%): row truth, column "
                           "answer",
      score->errors, score->count, 100.0 * score->errors / score->count);
  tool_draw_text (cr, "Sans Bold 13px", 8, 8, title);
  g_free (title);
  for (int row = 0; row < n; row++) {
    double sum = 0;

    cairo_set_source_rgb (cr, 0, 0, 0);
    tool_draw_text (cr, FONT, 8, top + side * (row + 0.5) - 7, labels[row]);
    tool_draw_text (cr, FONT, left + side * row + 4, top - 18, labels[row]);
    for (int column = 0; column < n; column++)
      sum += score->confusion[row * n + column];
    for (int column = 0; column < n; column++) {
      guint32 value = score->confusion[row * n + column];

      draw_field (cr, left + side * column, top + side * row, side, value,
          sum > 0 ? value / sum : 0, row == column);
    }
  }
  return finish_page (cr, path, error);
}
