/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* make-scenes.c: `convnet scenes`: pictures of digits with their truth, to measure
 * detectors on.
 *
 * Drawn with Cairo and shaded here, not with what the trainer draws its scenes
 * with: a detector should not be measured on what only the trainer does. */

#include <cairo.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <string.h>

#include "backgrounds.h"
#include "idx.h"
#include "json.h"
#include "tool.h"

#define MAX_DIGITS 24
#define TRIES      40
/* Ink from which on a pixel belongs to a digit's box. */
#define BOX_INK 0.3

typedef struct
{
  int label, x, y, w, h;
} Truth;

/* ink: 0..1, width x height. */
typedef struct
{
  int width, height, count;
  double *ink, *light;
  Truth truth[MAX_DIGITS];
} Scene;

typedef struct
{
  char *data, *out, *kind, *set;
  int count;
  gint64 seed;

  GRand *rand;
  ToolDigits digits;
  ToolBackgrounds backgrounds;
} Scenes;

static const ToolUsage usage = { "",
  "Makes pictures of digits of DIR, each with its truth in a JSON file beside "
  "it, for convnet eval --scenes.",
  0, 0 };

static gboolean
parse (Scenes *s, int argc, char **argv, char ***args, GError **error)
{
  GOptionEntry entries[] = { { "data", 'd', 0, G_OPTION_ARG_FILENAME, &s->data,
                                 "Folder that holds mnist/ and backgrounds/",
                                 "DIR" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &s->out, "Folder to write to",
        "DIR" },
    { "kind", 'k', 0, G_OPTION_ARG_STRING, &s->kind,
        "black: 300x300, white on black (default); paper: 640x480; empty: "
        "paper and photographs without digits",
        "KIND" },
    { "count", 'n', 0, G_OPTION_ARG_INT, &s->count, "Pictures (default: 100)",
        "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &s->seed, "Which (default: 1)", "S" },
    { "set", 's', 0, G_OPTION_ARG_STRING, &s->set,
        "IDX files below DIR (default: mnist/t10k)", "SET" },
    G_OPTION_ENTRY_NULL };

  if (!tool_parse_options (&usage, entries, argc, argv, args, error))
    return FALSE;
  if (!s->data)
    return tool_fail_usage (error, "--data is missing");
  if (!s->out)
    return tool_fail_usage (error, "--output is missing");
  if (!s->kind)
    s->kind = g_strdup ("black");
  if (s->count < 1 || s->count > 1000000)
    return tool_fail_usage (error, "--count: 1 to 1000000");
  if (strcmp (s->kind, "black") != 0 && strcmp (s->kind, "paper") != 0
      && strcmp (s->kind, "empty") != 0)
    return tool_fail_usage (error,
        "--kind: '%s' is none of black, paper, empty", s->kind);
  return TRUE;
}

static double
range (Scenes *s, double low, double high)
{
  return g_rand_double_range (s->rand, low, high);
}

/* Every factor is as likely. */
static double
log_range (Scenes *s, double low, double high)
{
  return low * exp (g_rand_double_range (s->rand, 0, log (high / low)));
}

static gboolean
chance (Scenes *s, double share)
{
  return g_rand_double (s->rand) < share;
}

static int
any (Scenes *s, int count)
{
  return g_rand_int_range (s->rand, 0, count);
}

/* -- drawing ------------------------------------------------------------ */

/* An empty surface of ink. */
static cairo_surface_t *
ink_surface (int width, int height)
{
  return cairo_image_surface_create (CAIRO_FORMAT_A8, width, height);
}

static cairo_surface_t *
digit_surface (Scenes *s, int index)
{
  const CnnDigits *d = &s->digits.view;
  cairo_surface_t *surface = ink_surface (d->width, d->height);
  int pitch = cairo_image_surface_get_stride (surface);
  guint8 *to = cairo_image_surface_get_data (surface);

  for (int y = 0; y < d->height; y++)
    memcpy (to + y * pitch,
        d->pixels
            + ((gsize) index * (gsize) d->height + (gsize) y)
                * (gsize) d->width,
        (gsize) d->width);
  cairo_surface_mark_dirty (surface);
  return surface;
}

/* A digit's picture turned and enlarged, in the middle of a square. */
static cairo_surface_t *
enlarged_digit (Scenes *s, int index, double scale, double turn, int side)
{
  cairo_surface_t *picture = digit_surface (s, index);
  cairo_surface_t *square = ink_surface (side, side);
  cairo_t *cr = cairo_create (square);

  cairo_translate (cr, side / 2.0, side / 2.0);
  cairo_rotate (cr, turn);
  cairo_scale (cr, scale, scale);
  cairo_translate (cr, -s->digits.view.width / 2.0,
      -s->digits.view.height / 2.0);
  cairo_set_source_surface (cr, picture, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_GOOD);
  cairo_paint (cr);
  cairo_destroy (cr);
  cairo_surface_destroy (picture);
  cairo_surface_flush (square);
  return square;
}

/* Adds @surface's ink at (@x, @y), steepened: 0 below @low, 1 above @high. */
static Truth
add_ink (Scene *scene, cairo_surface_t *surface, int x, int y, double low,
    double high)
{
  int w = cairo_image_surface_get_width (surface);
  int h = cairo_image_surface_get_height (surface);
  int pitch = cairo_image_surface_get_stride (surface);
  const guint8 *data = cairo_image_surface_get_data (surface);
  int x0 = scene->width, y0 = scene->height, x1 = -1, y1 = -1;

  for (int i = MAX (0, -y); i < h && y + i < scene->height; i++)
    for (int j = MAX (0, -x); j < w && x + j < scene->width; j++) {
      double ink = (data[i * pitch + j] / 255.0 - low) / (high - low);
      double *to = &scene->ink[(y + i) * scene->width + x + j];

      ink = CLAMP (ink, 0, 1);
      *to = MAX (*to, ink);
      if (ink > BOX_INK) {
        x0 = MIN (x0, x + j);
        x1 = MAX (x1, x + j);
        y0 = MIN (y0, y + i);
        y1 = MAX (y1, y + i);
      }
    }
  return (Truth){ -1, x0, y0, x1 + 1 - x0, y1 + 1 - y0 };
}

static gboolean
has_room (const Scene *scene, const Truth *box, double margin)
{
  for (int i = 0; i < scene->count; i++) {
    const Truth *t = &scene->truth[i];

    if (box->x - margin < t->x + t->w && t->x < box->x + box->w + margin
        && box->y - margin < t->y + t->h && t->y < box->y + box->h + margin)
      return FALSE;
  }
  return TRUE;
}

/* Box that the digit would have, alone on a page. */
static Truth
measure (cairo_surface_t *square, double low, double high)
{
  int side = cairo_image_surface_get_width (square);
  Scene page = { .width = side, .height = side };
  Truth box;

  page.ink = g_new0 (double, side *side);
  box = add_ink (&page, square, 0, 0, low, high);
  g_free (page.ink);
  return box;
}

/* -- white on black ----------------------------------------------------- */

static void
draw_black (Scenes *s, Scene *scene)
{
  int count = 1 + any (s, 20);

  for (int i = 0; i < count * TRIES && scene->count < count; i++) {
    int index = any (s, s->digits.view.count);
    int side = 15 + any (s, 86), x, y;
    cairo_surface_t *square = enlarged_digit (s, index,
        (double) side / s->digits.view.width, 0, side);
    Truth box = measure (square, 0, 1);

    x = any (s, scene->width - side + 1);
    y = any (s, scene->height - side + 1);
    box.x += x;
    box.y += y;
    if (box.w > 0 && has_room (scene, &box, 0)) {
      box = add_ink (scene, square, x, y, 0, 1);
      box.label = s->digits.view.labels[index];
      scene->truth[scene->count++] = box;
    }
    cairo_surface_destroy (square);
  }
}

/* -- on paper ----------------------------------------------------------- */

static void
clear_around (Scene *scene, const Truth *box, int margin)
{
  for (int y = MAX (0, box->y - margin);
       y < MIN (scene->height, box->y + box->h + margin); y++)
    for (int x = MAX (0, box->x - margin);
         x < MIN (scene->width, box->x + box->w + margin); x++)
      scene->ink[y * scene->width + x] = 0;
}

/* One digit of about that height, @heavy -1 (thin) to 1 (thick). */
static void
put_digit (Scenes *s, Scene *scene, double height, double heavy)
{
  int index = any (s, s->digits.view.count);
  double scale = height / 20, middle = 0.45 - 0.2 * heavy;
  int side = (int) ceil (1.5 * scale * s->digits.view.width);
  cairo_surface_t *square =
      enlarged_digit (s, index, scale, range (s, -0.15, 0.15), side);
  double low = middle - 0.12, high = middle + 0.12;
  Truth box = measure (square, low, high), at = box;

  if (box.w > 1 && box.h > 8 && box.w < scene->width - 8
      && box.h < scene->height - 8) {
    at.x = 4 + any (s, scene->width - box.w - 8);
    at.y = 4 + any (s, scene->height - box.h - 8);
    if (has_room (scene, &at, 0.1 * height)) {
      clear_around (scene, &at, (int) (0.12 * height));
      at = add_ink (scene, square, at.x - box.x, at.y - box.y, low, high);
      at.label = s->digits.view.labels[index];
      scene->truth[scene->count++] = at;
    }
  }
  cairo_surface_destroy (square);
}

static void
put_digits (Scenes *s, Scene *scene)
{
  int count = 1 + any (s, 15);
  double base = log_range (s, 24, 150), heavy = range (s, -0.7, 1);

  for (int i = 0; i < count * TRIES && scene->count < count; i++)
    put_digit (s, scene, CLAMP (base * range (s, 0.7, 1.4), 21, 240), heavy);
}

static void
put_text (Scenes *s, cairo_t *cr, int width, int height)
{
  static const char letters[] = "aceefhjkmnprtuvwxyACEFHKLMNPRTUVWXY";
  static const char *const families[] = { "Sans", "Serif", "Monospace",
    "Cursive" };
  PangoLayout *layout = pango_cairo_create_layout (cr);
  char *font = g_strdup_printf ("%s %s%dpx", families[any (s, 4)],
      chance (s, 0.3) ? "Bold " : "", (int) log_range (s, 10, 90));
  PangoFontDescription *description = pango_font_description_from_string (font);
  GString *text = g_string_new (NULL);
  int words = 1 + any (s, 8);

  for (int i = 0; i < words; i++) {
    for (int k = 2 + any (s, 7); k > 0; k--)
      g_string_append_c (text, letters[any (s, (int) strlen (letters))]);
    g_string_append_c (text, chance (s, 0.3) ? '\n' : ' ');
  }
  pango_layout_set_font_description (layout, description);
  pango_layout_set_text (layout, text->str, -1);
  cairo_move_to (cr, range (s, -20, width), range (s, -20, height));
  pango_cairo_show_layout (cr, layout);
  g_string_free (text, TRUE);
  pango_font_description_free (description);
  g_free (font);
  g_object_unref (layout);
}

/* Lines, curves and signs that are no digits. */
static void
put_figure (Scenes *s, cairo_t *cr, int width, int height)
{
  double x = range (s, 0, width), y = range (s, 0, height);
  double size = log_range (s, 15, 200);

  cairo_set_line_width (cr, log_range (s, 1, 7));
  cairo_move_to (cr, x, y);
  switch (any (s, 4)) {
    case 0:
      cairo_rectangle (cr, x, y, 2 * size, size);
      break;
    case 1:
      cairo_line_to (cr, x + 3 * size, y + range (s, -0.3, 0.3) * size);
      break;
    case 2:
      for (int i = 0; i < 6; i++)
        cairo_rel_line_to (cr, size / 3, (i % 2 ? 1 : -1) * size / 3);
      break;
    default:
      cairo_rel_curve_to (cr, size, -size, 2 * size, size, 3 * size,
          range (s, -1, 1) * size);
  }
  cairo_stroke (cr);
}

static void
put_distractors (Scenes *s, Scene *scene, int most)
{
  cairo_surface_t *surface = ink_surface (scene->width, scene->height);
  cairo_t *cr = cairo_create (surface);

  for (int i = any (s, most + 1); i > 0; i--)
    if (chance (s, 0.5))
      put_text (s, cr, scene->width, scene->height);
    else
      put_figure (s, cr, scene->width, scene->height);
  cairo_destroy (cr);
  cairo_surface_flush (surface);
  add_ink (scene, surface, 0, 0, 0, 1);
  cairo_surface_destroy (surface);
}

static void
put_ruling (Scenes *s, Scene *scene)
{
  double pitch = log_range (s, 16, 70), strength = range (s, 0.1, 0.4);
  gboolean squared = chance (s, 0.5);

  for (int y = 0; y < scene->height; y++)
    for (int x = 0; x < scene->width; x++) {
      double *to = &scene->ink[y * scene->width + x];

      if (fmod (y, pitch) < 1 || (squared && fmod (x, pitch) < 1))
        *to = MAX (*to, strength);
    }
}

/* -- light, lens, sensor ------------------------------------------------ */

static void
lay_light (Scenes *s, Scene *scene)
{
  double turn = range (s, 0, 2 * G_PI), slope = range (s, 0, 0.5);
  double shadow = chance (s, 0.4) ? range (s, 0.2, 0.55) : 0;
  double edge = range (s, 0, 2 * G_PI), at = range (s, -150, 150);
  double soft = log_range (s, 3, 80), paper = range (s, 0.4, 0.95);

  for (int y = 0; y < scene->height; y++)
    for (int x = 0; x < scene->width; x++) {
      double u = x - scene->width / 2.0, v = y - scene->height / 2.0;
      double light = 1
          + slope
              * (u / scene->width * cos (turn)
                  + v / scene->height * sin (turn));
      double d = u * cos (edge) + v * sin (edge) - at;

      light *= 1 - shadow / (1 + exp (-d / soft));
      scene->light[y * scene->width + x] = paper * light;
    }
}

/* Three boxes are nearly a Gaussian of standard deviation sqrt (r (r + 1)). */
static void
blur (double *values, int width, int height, double strength)
{
  double *copy = g_new (double, width *height);

  for (int pass = 0; pass < 2; pass++) {
    memcpy (copy, values, (gsize) (width * height) * sizeof *copy);
    for (int y = 0; y < height; y++)
      for (int x = 0; x < width; x++) {
        int step = pass ? width : 1, i = pass ? y : x;
        int last = (pass ? height : width) - 1;
        const double *p = copy + y * width + x;

        values[y * width + x] = (1 - strength) * *p
            + strength / 2
                * ((i > 0 ? p[-step] : *p) + (i < last ? p[step] : *p));
      }
  }
  g_free (copy);
}

static double
normal (Scenes *s)
{
  double sum = -6;

  for (int i = 0; i < 12; i++)
    sum += g_rand_double (s->rand);
  return sum;
}

/* Ink and light become what a camera sees. */
static void
expose (Scenes *s, Scene *scene)
{
  double contrast = range (s, 0.45, 0.92), noise = range (s, 0, 0.035);
  int count = scene->width * scene->height, blurs = any (s, 5);
  gboolean board = chance (s, 0.2);

  for (int i = 0; i < count; i++) {
    double v = scene->light[i] * (1 - contrast * scene->ink[i]);

    scene->light[i] = board ? 1 - v : v;
  }
  for (int i = 0; i < blurs; i++)
    blur (scene->light, scene->width, scene->height, 0.4);
  for (int i = 0; i < count; i++)
    scene->light[i] += noise * normal (s);
}

/* A photograph, as large as fits. */
static void
draw_photograph (Scenes *s, Scene *scene)
{
  const CnnImage *image = &s->backgrounds.images[any (s, s->backgrounds.count)];
  int x0 = any (s, MAX (1, image->width - scene->width));
  int y0 = any (s, MAX (1, image->height - scene->height));

  for (int y = 0; y < scene->height; y++)
    for (int x = 0; x < scene->width; x++) {
      int u = MIN (x0 + x, image->width - 1);
      int v = MIN (y0 + y, image->height - 1);

      scene->light[y * scene->width + x] =
          image->data[0][v * image->pitch_bytes[0] + u] / 255.0;
    }
}

static void
draw_scene (Scenes *s, Scene *scene)
{
  gboolean empty = strcmp (s->kind, "empty") == 0;

  if (strcmp (s->kind, "black") == 0) {
    draw_black (s, scene);
    memcpy (scene->light, scene->ink,
        (gsize) (scene->width * scene->height) * sizeof *scene->ink);
    return;
  }
  if (empty && s->backgrounds.count && chance (s, 0.4)) {
    draw_photograph (s, scene);
    return;
  }
  if (empty || chance (s, 0.35))
    put_distractors (s, scene, empty ? 12 : 5);
  if (!empty)
    put_digits (s, scene);
  if (chance (s, 0.3))
    put_ruling (s, scene);
  lay_light (s, scene);
  expose (s, scene);
}

/* -- files -------------------------------------------------------------- */

static gboolean
write_picture (const Scene *scene, const char *path, GError **error)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24,
      scene->width, scene->height);
  int pitch = cairo_image_surface_get_stride (surface);
  guint8 *data = cairo_image_surface_get_data (surface);
  cairo_status_t status;

  for (int y = 0; y < scene->height; y++)
    for (int x = 0; x < scene->width; x++) {
      double v = scene->light[y * scene->width + x];

      memset (data + y * pitch + 4 * x, (int) lround (255 * CLAMP (v, 0, 1)),
          4);
    }
  cairo_surface_mark_dirty (surface);
  status = cairo_surface_write_to_png (surface, path);
  cairo_surface_destroy (surface);
  if (status != CAIRO_STATUS_SUCCESS)
    return tool_fail (error, "%s: %s", path, cairo_status_to_string (status));
  return TRUE;
}

static gboolean
write_truth (const Scenes *s, const Scene *scene, const char *picture,
    const char *path, GError **error)
{
  JsonBuilder *b = json_builder_new ();
  JsonNode *root;
  char *text;
  gboolean ok;

  json_builder_begin_object (b);
  tool_json_string (b, "image", picture);
  tool_json_int (b, "width", scene->width);
  tool_json_int (b, "height", scene->height);
  tool_json_string (b, "kind", s->kind);
  json_builder_set_member_name (b, "digits");
  json_builder_begin_array (b);
  for (int i = 0; i < scene->count; i++) {
    const Truth *t = &scene->truth[i];

    json_builder_begin_object (b);
    tool_json_int (b, "label", t->label);
    tool_json_int (b, "x", t->x);
    tool_json_int (b, "y", t->y);
    tool_json_int (b, "w", t->w);
    tool_json_int (b, "h", t->h);
    json_builder_end_object (b);
  }
  json_builder_end_array (b);
  json_builder_end_object (b);
  root = json_builder_get_root (b);
  text = json_to_string (root, FALSE);
  ok = g_file_set_contents (path, text, -1, error);
  g_free (text);
  json_node_unref (root);
  g_object_unref (b);
  return ok;
}

static gboolean
write_scene (const Scenes *s, const Scene *scene, int number, GError **error)
{
  char *name = g_strdup_printf ("%s-%04d.png", s->kind, number);
  char *picture = g_build_filename (s->out, name, NULL);
  char *truth =
      g_strdup_printf ("%.*sjson", (int) strlen (picture) - 3, picture);
  gboolean ok = write_picture (scene, picture, error)
      && write_truth (s, scene, name, truth, error);

  g_free (truth);
  g_free (picture);
  g_free (name);
  return ok;
}

static gboolean
make_scene (Scenes *s, int number, GError **error)
{
  gboolean black = strcmp (s->kind, "black") == 0, ok;
  Scene scene = { .width = black ? 300 : 640, .height = black ? 300 : 480 };

  scene.ink = g_new0 (double, scene.width *scene.height);
  scene.light = g_new0 (double, scene.width *scene.height);
  s->rand =
      g_rand_new_with_seed_array ((guint32[]){ (guint32) s->seed,
                                      (guint32) (s->seed >> 32),
                                      (guint32) number, g_str_hash (s->kind) },
          4);
  draw_scene (s, &scene);
  g_rand_free (s->rand);
  ok = write_scene (s, &scene, number, error);
  g_free (scene.light);
  g_free (scene.ink);
  return ok;
}

static gboolean
read_all (Scenes *s, GError **error)
{
  char *prefix =
      g_build_filename (s->data, s->set ? s->set : "mnist/t10k", NULL);
  char *folder = g_build_filename (s->data, "backgrounds", NULL);
  gboolean ok = tool_digits_read (prefix, &s->digits, error);

  if (ok && strcmp (s->kind, "empty") == 0
      && g_file_test (folder, G_FILE_TEST_IS_DIR))
    ok = tool_backgrounds_read (folder, &s->backgrounds, error);
  if (ok && g_mkdir_with_parents (s->out, 0777) != 0)
    ok = tool_fail (error, "%s: %s", s->out, g_strerror (errno));
  g_free (folder);
  g_free (prefix);
  return ok;
}

gboolean
tool_scenes (int argc, char **argv, GError **error)
{
  Scenes s = { .count = 100, .seed = 1 };
  char **args = NULL;
  gboolean ok = parse (&s, argc, argv, &args, error) && read_all (&s, error);

  for (int i = 0; ok && i < s.count; i++)
    ok = make_scene (&s, i, error);
  tool_digits_clear (&s.digits);
  tool_backgrounds_clear (&s.backgrounds);
  g_strfreev (args);
  g_free (s.data);
  g_free (s.out);
  g_free (s.kind);
  g_free (s.set);
  return ok;
}
