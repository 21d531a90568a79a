/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moves.c: digits to which one stroke moves that makes another digit of them.
 *
 * Drawn by Cairo with a round pen, all of one thickness: nothing changes from
 * one picture to the next but the place of that stroke. */

#include "moves.h"

#include <cairo.h>
#include <math.h>
#include <string.h>

#define PEN_WIDTH  11 /* hundredths of the height */
#define MAX_POINTS 10

typedef struct
{
  double x, y;
} Point;

typedef struct ToolStroke
{
  int n_points;
  Point points[MAX_POINTS];
} Stroke;

static const Stroke three[] = {
  { 6,
      { { 12, 14 }, { 32, 1 }, { 58, 4 }, { 68, 22 }, { 56, 40 },
          { 38, 47 } } },
  { 6,
      { { 38, 47 }, { 64, 54 }, { 74, 74 }, { 62, 94 }, { 36, 99 },
          { 12, 88 } } },
};
static const Stroke three_closed[] = {
  { 4, { { 32, 1 }, { 16, 12 }, { 18, 34 }, { 38, 47 } } },
  { 4, { { 38, 47 }, { 14, 60 }, { 10, 84 }, { 36, 99 } } },
};

static const Stroke one[] = { { 3, { { 58, 0 }, { 52, 48 }, { 44, 100 } } } };
static const Stroke bar_left[] = { { 2, { { 8, 1 }, { 58, 1 } } } };

static const Stroke nought[] = {
  { 9,
      { { 42, 0 }, { 22, 8 }, { 10, 34 }, { 10, 66 }, { 22, 92 }, { 42, 100 },
          { 62, 92 }, { 74, 66 }, { 74, 50 } } },
  { 4, { { 74, 50 }, { 74, 34 }, { 62, 8 }, { 42, 0 } } },
};
static const Stroke bar_inside[] = { { 2, { { 11, 50 }, { 73, 50 } } } };

static const Stroke five[] = {
  { 4, { { 66, 5 }, { 46, 2 }, { 28, 16 }, { 19, 47 } } },
  { 7,
      { { 19, 47 }, { 44, 39 }, { 66, 50 }, { 72, 70 }, { 60, 92 }, { 36, 99 },
          { 12, 90 } } },
};
static const Stroke five_closed[] = { { 3,
    { { 19, 47 }, { 10, 70 }, { 12, 90 } } } };

static const Stroke four[] = {
  { 4, { { 14, 2 }, { 12, 30 }, { 22, 48 }, { 62, 46 } } },
  { 3, { { 66, 2 }, { 64, 46 }, { 58, 100 } } },
};
static const Stroke bar_top[] = { { 2, { { 14, 2 }, { 66, 2 } } } };

#define STROKES(still, moving)                                                 \
  still, moving, G_N_ELEMENTS (still), G_N_ELEMENTS (moving)

const ToolMove tool_moves[] = {
  { "3 to 8", STROKES (three, three_closed), -60, 0 },
  { "1 to 7", STROKES (one, bar_left), -60, 0 },
  { "0 to 8", STROKES (nought, bar_inside), 0, -75 },
  { "5 to 6", STROKES (five, five_closed), -40, 0 },
  { "4 to 9", STROKES (four, bar_top), 0, -60 },
};
const int tool_n_moves = G_N_ELEMENTS (tool_moves);

/* A spline of Catmull and Rom, as Bézier curves. */
static void
draw_stroke (cairo_t *cr, const Stroke *stroke)
{
  int last = stroke->n_points - 1;
  const Point *p = stroke->points;

  cairo_move_to (cr, p[0].x, p[0].y);
  for (int i = 0; i < last; i++) {
    const Point *before = &p[MAX (i - 1, 0)], *after = &p[MIN (i + 2, last)];

    cairo_curve_to (cr, p[i].x + (p[i + 1].x - before->x) / 6,
        p[i].y + (p[i + 1].y - before->y) / 6,
        p[i + 1].x - (after->x - p[i].x) / 6,
        p[i + 1].y - (after->y - p[i].y) / 6, p[i + 1].x, p[i + 1].y);
  }
  cairo_stroke (cr);
}

static void
stretch_box (const Stroke *strokes, int count, Point *low, Point *high)
{
  for (int i = 0; i < count; i++)
    for (int k = 0; k < strokes[i].n_points; k++) {
      const Point *p = &strokes[i].points[k];

      *low = (Point){ fmin (low->x, p->x), fmin (low->y, p->y) };
      *high = (Point){ fmax (high->x, p->x), fmax (high->y, p->y) };
    }
}

/* So that the finished digit, ink included, is @object high, in the middle. */
static void
place (cairo_t *cr, const ToolMove *move, double object, int width, int height)
{
  Point low = { INFINITY, INFINITY }, high = { -INFINITY, -INFINITY };
  double scale;

  stretch_box (move->still, move->n_still, &low, &high);
  stretch_box (move->moving, move->n_moving, &low, &high);
  scale = object / (high.y - low.y + PEN_WIDTH);
  cairo_translate (cr, width / 2.0, height / 2.0);
  cairo_scale (cr, scale, scale);
  cairo_translate (cr, -(low.x + high.x) / 2, -(low.y + high.y) / 2);
}

gboolean
tool_move_draw (const ToolMove *move, double share, double object, int width,
    int height, guint8 *pixels, GError **error)
{
  cairo_surface_t *surface =
      cairo_image_surface_create (CAIRO_FORMAT_A8, width, height);
  cairo_t *cr = cairo_create (surface);
  cairo_status_t status;

  cairo_set_line_width (cr, PEN_WIDTH);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  place (cr, move, object, width, height);
  for (int i = 0; i < move->n_still; i++)
    draw_stroke (cr, &move->still[i]);
  cairo_translate (cr, -share * move->dx, -share * move->dy);
  for (int i = 0; i < move->n_moving; i++)
    draw_stroke (cr, &move->moving[i]);
  status = cairo_status (cr);
  cairo_surface_flush (surface);
  for (int y = 0; y < height && status == CAIRO_STATUS_SUCCESS; y++)
    memcpy (pixels + (gsize) y * (gsize) width,
        cairo_image_surface_get_data (surface)
            + (gsize) y * (gsize) cairo_image_surface_get_stride (surface),
        (gsize) width);
  cairo_destroy (cr);
  cairo_surface_destroy (surface);
  return status == CAIRO_STATUS_SUCCESS
      || tool_fail (error, "drawing %s: %s", move->name,
          cairo_status_to_string (status));
}
