/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* drawing.c: boxes as four thin strips, labels as small chips.
 *
 * Blending costs by the pixel, and most of a box is nothing: so every line is
 * an overlay rectangle of its own instead of one as large as the frame. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "drawing.h"

#include <math.h>
#include <string.h>

#include <pango/pangocairo.h>

#define DEFAULT_FAMILY "Sans Bold"
/* Dark rim around lines, so that they show on any ground. */
#define RIM 1

typedef struct
{
  gint x, y, width, height;
} Area;

typedef struct
{
  gdouble red, green, blue, alpha;
} Color;

typedef struct
{
  const GstConvnetStyle *style;
  PangoFontDescription *font;
  PangoContext *context;
  GArray *boxes; /* Area of every object, rim included */
  GArray *chips; /* Area of every label placed so far */
  GPtrArray *rectangles;
  gint line;
} Canvas;

static gint
intersection (const Area *a, const Area *b)
{
  gint width = MIN (a->x + a->width, b->x + b->width) - MAX (a->x, b->x);
  gint height = MIN (a->y + a->height, b->y + b->height) - MAX (a->y, b->y);

  return width > 0 && height > 0 ? width * height : 0;
}

/* Easy to tell apart, and to see on paper, on a blackboard and on skin. */
static const guint32 class_colors[] = { 0xffe53935, 0xff3d6be5, 0xffa6e22e,
  0xffe040fb, 0xff00bfa5, 0xffff9100, 0xff7e57c2, 0xffffd600, 0xffff80ab,
  0xff40c4ff, 0xffa1887f, 0xff2e7d32 };

static Color
color_of (guint32 argb)
{
  return (Color){ ((argb >> 16) & 255) / 255.0, ((argb >> 8) & 255) / 255.0,
    (argb & 255) / 255.0, (argb >> 24) / 255.0 };
}

static Color
object_color (const GstConvnetStyle *style, const GstConvnetObject *object)
{
  guint number;

  if (style->color != 0)
    return color_of (style->color);
  number = object->label_id >= 0 ? (guint) object->label_id
                                 : g_str_hash (object->region_type);
  return color_of (class_colors[number % G_N_ELEMENTS (class_colors)]);
}

static gboolean
is_light (const Color *color)
{
  return 0.299 * color->red + 0.587 * color->green + 0.114 * color->blue > 0.5;
}

GstVideoOverlayRectangle *
gst_convnet_rectangle_new (GstBuffer *pixels, gint width, gint height, gint x,
    gint y, gint render_width, gint render_height)
{
  GstVideoOverlayRectangle *rectangle;

  gst_buffer_add_video_meta (pixels, GST_VIDEO_FRAME_FLAG_NONE,
      GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, (guint) width, (guint) height);
  rectangle = gst_video_overlay_rectangle_new_raw (pixels, x, y,
      (guint) render_width, (guint) render_height,
      GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  gst_buffer_unref (pixels);
  return rectangle;
}

typedef void (*DrawFunction) (cairo_t *cairo, gconstpointer data);

/* One overlay rectangle at @area; @draw draws in frame coordinates. */
static void
add_drawing (Canvas *canvas, const Area *area, DrawFunction draw,
    gconstpointer data)
{
  gint stride = area->width * 4;
  gsize bytes = (gsize) stride * (gsize) area->height;
  cairo_surface_t *surface;
  cairo_t *cairo;
  GstBuffer *pixels;
  GstMapInfo map;

  if (area->width <= 0 || area->height <= 0)
    return;

  pixels = gst_buffer_new_allocate (NULL, bytes, NULL);
  gst_buffer_map (pixels, &map, GST_MAP_READWRITE);
  memset (map.data, 0, bytes);
  surface = cairo_image_surface_create_for_data (map.data, CAIRO_FORMAT_ARGB32,
      area->width, area->height, stride);
  cairo = cairo_create (surface);
  cairo_translate (cairo, -area->x, -area->y);
  draw (cairo, data);
  cairo_destroy (cairo);
  cairo_surface_flush (surface);
  cairo_surface_destroy (surface);
  gst_buffer_unmap (pixels, &map);

  g_ptr_array_add (canvas->rectangles,
      gst_convnet_rectangle_new (pixels, area->width, area->height, area->x,
          area->y, area->width, area->height));
}

typedef struct
{
  Area outer;
  gint line;
  Color color;
} Box;

static void
fill_frame (cairo_t *cairo, const Area *outer, gint inset, gint line)
{
  gint x = outer->x + inset, y = outer->y + inset;
  gint width = outer->width - 2 * inset, height = outer->height - 2 * inset;

  cairo_set_fill_rule (cairo, CAIRO_FILL_RULE_EVEN_ODD);
  cairo_rectangle (cairo, x, y, width, height);
  if (width > 2 * line && height > 2 * line)
    cairo_rectangle (cairo, x + line, y + line, width - 2 * line,
        height - 2 * line);
  cairo_fill (cairo);
}

static void
draw_box (cairo_t *cairo, gconstpointer data)
{
  const Box *box = data;
  const Color *color = &box->color;

  cairo_set_source_rgba (cairo, 0.0, 0.0, 0.0, 0.45 * color->alpha);
  fill_frame (cairo, &box->outer, 0, RIM);
  cairo_set_source_rgba (cairo, color->red, color->green, color->blue,
      color->alpha);
  fill_frame (cairo, &box->outer, RIM, box->line);
}

/* Lines lie outside of the object, as far as the frame has room. */
static Area
outer_area (const Canvas *canvas, const GstConvnetObject *object)
{
  const GstConvnetStyle *style = canvas->style;
  gint margin = canvas->line + RIM;
  gint x0 = CLAMP (object->x - margin, 0, style->width);
  gint y0 = CLAMP (object->y - margin, 0, style->height);
  gint x1 = CLAMP (object->x + object->width + margin, x0, style->width);
  gint y1 = CLAMP (object->y + object->height + margin, y0, style->height);

  return (Area){ x0, y0, x1 - x0, y1 - y0 };
}

static void
add_box (Canvas *canvas, const Area *outer, const Color *color)
{
  const gint edge = canvas->line + RIM;
  const Box box = { *outer, canvas->line, *color };
  const gint inner_height = outer->height - 2 * edge;

  if (outer->width <= 2 * edge || inner_height <= 0) {
    add_drawing (canvas, outer, draw_box, &box);
    return;
  }
  const Area strips[4] = {
    { outer->x, outer->y, outer->width, edge },
    { outer->x, outer->y + outer->height - edge, outer->width, edge },
    { outer->x, outer->y + edge, edge, inner_height },
    { outer->x + outer->width - edge, outer->y + edge, edge, inner_height },
  };
  for (gint i = 0; i < 4; i++)
    add_drawing (canvas, &strips[i], draw_box, &box);
}

typedef struct
{
  Area area;
  PangoLayout *layout;
  gint text_x, text_y;
  Color color;
} Chip;

static void
draw_chip (cairo_t *cairo, gconstpointer data)
{
  const Chip *chip = data;
  const Area *area = &chip->area;
  const Color *color = &chip->color;
  const gdouble ink = is_light (color) ? 0.0 : 1.0;

  cairo_rectangle (cairo, area->x, area->y, area->width, area->height);
  cairo_set_source_rgba (cairo, color->red, color->green, color->blue,
      0.9 * color->alpha);
  cairo_fill (cairo);
  cairo_set_source_rgba (cairo, ink, ink, ink, 1.0);
  cairo_move_to (cairo, area->x + chip->text_x, area->y + chip->text_y);
  pango_cairo_show_layout (cairo, chip->layout);
}

/* How much a label at @area would hide: other objects, and twice as bad,
 * other labels. */
static gint
hidden_pixels (const Canvas *canvas, guint object, const Area *area)
{
  gint hidden = 0;

  for (guint i = 0; i < canvas->boxes->len; i++)
    if (i != object)
      hidden += intersection (area, &g_array_index (canvas->boxes, Area, i));
  for (guint i = 0; i < canvas->chips->len; i++)
    hidden += 2 * intersection (area, &g_array_index (canvas->chips, Area, i));
  return hidden;
}

/* Above, below, beside or over the top of its box: the first place in the
 * frame that hides least. */
static Area
place_chip (const Canvas *canvas, guint object, gint width, gint height)
{
  const Area *box = &g_array_index (canvas->boxes, Area, object);
  const gint right = box->x + box->width, bottom = box->y + box->height;
  const gint last_x = canvas->style->width - width;
  const gint last_y = canvas->style->height - height;
  const gint over_y = MIN (box->y, last_y);
  const gint places[8][2] = { { box->x, box->y - height },
    { right - width, box->y - height }, { box->x, bottom },
    { right - width, bottom }, { right, over_y }, { box->x - width, over_y },
    { box->x, over_y }, { right - width, over_y } };
  Area best = { 0, 0, width, height };
  gint least = G_MAXINT;

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    Area area = { CLAMP (places[i][0], 0, last_x), places[i][1], width,
      height };
    gint hidden;

    if (area.y < 0 || area.y > last_y)
      continue;
    hidden = hidden_pixels (canvas, object, &area);
    if (hidden < least) {
      least = hidden;
      best = area;
    }
  }
  return best;
}

static gchar *
object_text (const GstConvnetStyle *style, const GstConvnetObject *object)
{
  const gchar *name = object->label ? object->label : object->region_type;
  const gboolean with_name = (style->draw & GST_CONVNET_DRAW_LABELS) != 0;
  const gboolean with_score =
      (style->draw & GST_CONVNET_DRAW_SCORES) != 0 && object->confidence >= 0.0;
  const gint percent = (gint) (object->confidence * 100.0 + 0.5);

  if (with_name && with_score)
    return g_strdup_printf ("%s %d%%", name, percent);
  if (with_score)
    return g_strdup_printf ("%d%%", percent);
  return with_name ? g_strdup (name) : NULL;
}

static void
add_chip (Canvas *canvas, guint index, const GstConvnetObject *object,
    const Color *color)
{
  gchar *text = object_text (canvas->style, object);
  Chip chip = { .color = *color };
  PangoRectangle extents;
  gint pad, width, height;

  if (!text)
    return;
  chip.layout = pango_layout_new (canvas->context);
  pango_layout_set_font_description (chip.layout, canvas->font);
  pango_layout_set_single_paragraph_mode (chip.layout, TRUE);
  pango_layout_set_text (chip.layout, text, -1);
  pango_layout_get_pixel_extents (chip.layout, NULL, &extents);
  pad = MAX (2, extents.height / 6);
  if (extents.width + 2 * pad > canvas->style->width) {
    pango_layout_set_ellipsize (chip.layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_width (chip.layout,
        MAX (0, canvas->style->width - 2 * pad) * PANGO_SCALE);
    pango_layout_get_pixel_extents (chip.layout, NULL, &extents);
  }

  width = extents.width + 2 * pad;
  height = extents.height;
  if (width <= canvas->style->width && height <= canvas->style->height) {
    chip.area = place_chip (canvas, index, width, height);
    chip.text_x = pad - extents.x;
    chip.text_y = -extents.y;
    add_drawing (canvas, &chip.area, draw_chip, &chip);
    g_array_append_val (canvas->chips, chip.area);
  }
  g_object_unref (chip.layout);
  g_free (text);
}

/* Sizes follow the smaller side of the frame, seen as 4:3. */
static gdouble
reference_height (const GstConvnetStyle *style)
{
  return MIN (style->height, style->width * 0.75);
}

static PangoContext *
new_context (void)
{
  PangoContext *context =
      pango_font_map_create_context (pango_cairo_font_map_get_default ());
  cairo_font_options_t *options = cairo_font_options_create ();

  cairo_font_options_set_antialias (options, CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style (options, CAIRO_HINT_STYLE_SLIGHT);
  pango_cairo_context_set_font_options (context, options);
  cairo_font_options_destroy (options);
  return context;
}

static void
canvas_init (Canvas *canvas, const GstConvnetStyle *style,
    const GArray *objects, GPtrArray *rectangles)
{
  const gdouble height = reference_height (style);

  *canvas = (Canvas){ .style = style, .rectangles = rectangles };
  canvas->line = (gint) lround (style->line_width);
  if (style->line_width <= 0.0)
    canvas->line = (gint) CLAMP (lround (height / 240.0), 2, 16);
  canvas->line = MAX (canvas->line, 1);

  canvas->font = pango_font_description_from_string (
      style->font ? style->font : DEFAULT_FAMILY);
  if (pango_font_description_get_size (canvas->font) == 0)
    pango_font_description_set_absolute_size (canvas->font,
        CLAMP (height / 27.0, 11.0, 96.0) * PANGO_SCALE);
  canvas->context = new_context ();

  canvas->boxes = g_array_new (FALSE, FALSE, sizeof (Area));
  canvas->chips = g_array_new (FALSE, FALSE, sizeof (Area));
  for (guint i = 0; i < objects->len; i++) {
    Area outer =
        outer_area (canvas, &g_array_index (objects, GstConvnetObject, i));
    g_array_append_val (canvas->boxes, outer);
  }
}

static void
canvas_clear (Canvas *canvas)
{
  g_array_unref (canvas->boxes);
  g_array_unref (canvas->chips);
  g_object_unref (canvas->context);
  pango_font_description_free (canvas->font);
}

void
gst_convnet_draw_objects (const GstConvnetStyle *style, const GArray *objects,
    GPtrArray *rectangles)
{
  Canvas canvas;

  canvas_init (&canvas, style, objects, rectangles);
  for (guint i = 0; i < objects->len; i++) {
    const GstConvnetObject *object =
        &g_array_index (objects, GstConvnetObject, i);
    Color color = object_color (style, object);

    if (style->draw & GST_CONVNET_DRAW_BOXES)
      add_box (&canvas, &g_array_index (canvas.boxes, Area, i), &color);
  }
  for (guint i = 0; i < objects->len; i++) {
    const GstConvnetObject *object =
        &g_array_index (objects, GstConvnetObject, i);
    Color color = object_color (style, object);

    add_chip (&canvas, i, object, &color);
  }
  canvas_clear (&canvas);
}
