/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* eval-scenes.c: runs a detector over pictures with truth, as `convnet run`
 * does, and counts. */

#include "eval-scenes.h"

#include <cairo.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cnn/detect.h>

#include "draw.h"
#include "json.h"
#include "matching.h"
#include "model-file.h"
#include "picture.h"
#include "progress.h"

/* Detections from here on count for the average precision. */
#define LOW 0.05
/* Pictures of errors that are written. */
#define MAX_WORST 20

static const double steps[] = { 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93,
  0.95, 0.97, 0.98, 0.99, 0.995 };
#define N_STEPS ((int) G_N_ELEMENTS (steps))

/* What one picture shows. */
typedef struct
{
  char *picture;
  GArray *digits, *ignored;
} Truth;

typedef struct
{
  int errors;
  char *picture;
} Worst;

/* Sums over pictures at one threshold. false_empty: detections in pictures
 * without digits. */
typedef struct
{
  ToolMatches all;
  int false_empty;
} Sums;

typedef struct
{
  const ToolEvalScenes *options;
  CnnModel *model;
  const CnnModelInfo *info;
  CnnPool *pool;
  CnnDetector *detector;
  CnnDetectorConfig config;
  int label_of[256]; /* number that a class's name is, -1 = none */
  double threshold;
  int pictures, empty;
  Sums now, at[N_STEPS];
  GArray *truth, *found, *worst;
} Eval;

/* -- truth -------------------------------------------------------------- */

static gboolean
read_number (JsonObject *object, const char *key, double *value)
{
  JsonNode *node = json_object_get_member (object, key);

  if (!node || !JSON_NODE_HOLDS_VALUE (node))
    return FALSE;
  *value = json_node_get_double (node);
  return isfinite (*value) && fabs (*value) < 1e9;
}

/* A label is a number, or its text. */
static gboolean
read_label (JsonObject *object, int *label)
{
  JsonNode *node = json_object_get_member (object, "label");
  gint64 value;

  if (!node || !JSON_NODE_HOLDS_VALUE (node))
    return FALSE;
  if (json_node_get_value_type (node) == G_TYPE_STRING) {
    if (!tool_parse_int (json_node_get_string (node), 0, 1000, &value, NULL))
      return FALSE;
  } else {
    value = json_node_get_int (node);
  }
  *label = (int) value;
  return value >= 0 && value <= 1000;
}

static GArray *
read_boxes (JsonObject *root, const char *key, gboolean labelled,
    const char *path, GError **error)
{
  JsonNode *node = json_object_get_member (root, key);
  GArray *boxes = g_array_new (FALSE, TRUE, sizeof (ToolBox));
  JsonArray *list =
      node && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; list && i < json_array_get_length (list); i++) {
    JsonNode *element = json_array_get_element (list, i);
    ToolBox box = { .confidence = 1 };
    JsonObject *o = JSON_NODE_HOLDS_OBJECT (element)
        ? json_node_get_object (element)
        : NULL;

    if (!o || !read_number (o, "x", &box.x) || !read_number (o, "y", &box.y)
        || !read_number (o, "w", &box.w) || !read_number (o, "h", &box.h)
        || (labelled && !read_label (o, &box.label))) {
      tool_fail (error, "%s: %s %u is no label, x, y, w, h", path, key, i);
      g_array_unref (boxes);
      return NULL;
    }
    g_array_append_val (boxes, box);
  }
  return boxes;
}

static void
clear_truth (Truth *truth)
{
  g_free (truth->picture);
  g_clear_pointer (&truth->digits, g_array_unref);
  g_clear_pointer (&truth->ignored, g_array_unref);
}

/* The picture that a truth is about has its name, but for the ending. */
static char *
picture_of (const char *path)
{
  static const char *const endings[] = { "png", "jpg", "jpeg", "JPG" };

  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++) {
    char *picture =
        g_strdup_printf ("%.*s%s", (int) strlen (path) - 4, path, endings[i]);

    if (g_file_test (picture, G_FILE_TEST_IS_REGULAR))
      return picture;
    g_free (picture);
  }
  return NULL;
}

static gboolean
read_truth (const char *path, Truth *truth, GError **error)
{
  JsonParser *parser = json_parser_new ();
  JsonNode *root;
  gboolean ok = json_parser_load_from_file (parser, path, error);

  *truth = (Truth){ 0 };
  root = ok ? json_parser_get_root (parser) : NULL;
  if (ok && (!root || !JSON_NODE_HOLDS_OBJECT (root)))
    ok = tool_fail (error, "%s: no JSON object", path);
  if (ok) {
    JsonObject *o = json_node_get_object (root);

    truth->picture = picture_of (path);
    ok = truth->picture
        || tool_fail (error, "%s: there is no picture of that name", path);
    ok = ok && (truth->digits = read_boxes (o, "digits", TRUE, path, error))
        && (truth->ignored = read_boxes (o, "ignore", FALSE, path, error));
  }
  if (!ok)
    clear_truth (truth);
  g_object_unref (parser);
  return ok;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Truth files, in the order of their names. */
static GPtrArray *
list_truth (const char *folder)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    if (g_str_has_suffix (name, ".json") && name[0] != '.')
      g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
  if (dir)
    g_dir_close (dir);
  g_ptr_array_sort (paths, compare_names);
  return paths;
}

gboolean
tool_eval_scenes_in (const char *folder)
{
  GPtrArray *paths = list_truth (folder);
  gboolean any = FALSE;

  for (guint i = 0; !any && i < paths->len; i++) {
    char *picture = picture_of (paths->pdata[i]);

    any = picture != NULL;
    g_free (picture);
  }
  g_ptr_array_unref (paths);
  return any;
}

/* -- detections --------------------------------------------------------- */

static gboolean
is_ignored (const Truth *truth, const ToolBox *box)
{
  double cx = box->x + box->w / 2, cy = box->y + box->h / 2;

  for (guint i = 0; i < truth->ignored->len; i++) {
    const ToolBox *t = &g_array_index (truth->ignored, ToolBox, i);

    if (cx >= t->x && cx <= t->x + t->w && cy >= t->y && cy <= t->y + t->h)
      return TRUE;
  }
  return FALSE;
}

/* What is found from @threshold on, but for what is to be ignored. */
static GArray *
detect (const Eval *eval, const Truth *truth, double threshold)
{
  CnnDetectParams params = { .background = eval->info->background,
    .threshold = threshold,
    .iou_threshold = CNN_DEFAULT_IOU_THRESHOLD,
    .max_detections = CNN_DEFAULT_MAX_DETECTIONS };
  const CnnDetection *d;
  int count = cnn_detector_detect (eval->detector, &params, &d);
  GArray *found = g_array_new (FALSE, TRUE, sizeof (ToolBox));

  for (int i = 0; i < count; i++) {
    ToolBox box = { .label = eval->label_of[MIN (d[i].class_id, 255)],
      .picture = eval->pictures,
      .x = (double) d[i].x0,
      .y = (double) d[i].y0,
      .w = (double) (d[i].x1 - d[i].x0),
      .h = (double) (d[i].y1 - d[i].y0),
      .confidence = (double) d[i].confidence };

    if (!is_ignored (truth, &box))
      g_array_append_val (found, box);
  }
  return found;
}

static ToolMatches
count (const Truth *truth, const GArray *found, Sums *sums)
{
  ToolMatches m = tool_match_places ((ToolBox *) (void *) truth->digits->data,
      (int) truth->digits->len, (ToolBox *) (void *) found->data,
      (int) found->len, NULL, NULL);

  sums->all.right += m.right;
  sums->all.wrong += m.wrong;
  sums->all.truths += m.truths;
  if (!m.truths)
    sums->false_empty += m.wrong;
  return m;
}

static gboolean
fit_detector (Eval *eval, const char *path, const CnnImage *image,
    GError **error)
{
  CnnError cause = { 0 };

  if (eval->detector && eval->config.width == image->width
      && eval->config.height == image->height)
    return TRUE;
  cnn_detector_free (eval->detector);
  eval->detector = NULL;
  eval->config.width = image->width;
  eval->config.height = image->height;
  eval->config.pool = eval->pool;
  if (cnn_detector_new (eval->model, &eval->config, &eval->detector, &cause)
      != CNN_OK)
    return tool_fail_cnn (error, path, &cause);
  return TRUE;
}

static void
note_errors (Eval *eval, const Truth *truth, const ToolMatches *m)
{
  Worst worst = { m->wrong + m->truths - m->right, g_strdup (truth->picture) };

  g_array_append_val (eval->worst, worst);
}

static gboolean
eval_picture (Eval *eval, const Truth *truth, const CnnImage *image,
    GError **error)
{
  GArray *found;
  ToolMatches m;

  if (!fit_detector (eval, truth->picture, image, error))
    return FALSE;
  cnn_detector_run (eval->detector, image);
  found = detect (eval, truth, eval->threshold);
  m = count (truth, found, &eval->now);
  note_errors (eval, truth, &m);
  g_array_unref (found);
  for (int i = 0; i < N_STEPS && eval->options->thresholds; i++) {
    found = detect (eval, truth, steps[i]);
    count (truth, found, &eval->at[i]);
    g_array_unref (found);
  }
  found = detect (eval, truth, LOW);
  g_array_append_vals (eval->found, found->data, found->len);
  g_array_unref (found);
  for (guint i = 0; i < truth->digits->len; i++) {
    ToolBox box = g_array_index (truth->digits, ToolBox, i);

    box.picture = eval->pictures;
    g_array_append_val (eval->truth, box);
  }
  eval->empty += !truth->digits->len;
  eval->pictures++;
  return TRUE;
}

static gboolean
eval_truth (Eval *eval, const char *path, GError **error)
{
  ToolPictures *pictures = NULL;
  ToolPicture picture;
  Truth truth;
  gboolean ok = read_truth (path, &truth, error);

  if (!ok)
    return FALSE;
  pictures = tool_pictures_open (truth.picture, eval->info->channels,
      eval->info->format, eval->options->threads, error);
  ok = pictures && tool_pictures_next (pictures, &picture, error) == 1
      && eval_picture (eval, &truth, &picture.image, error);
  tool_pictures_close (pictures);
  clear_truth (&truth);
  return ok;
}

/* -- what is printed ---------------------------------------------------- */

static double
ratio (int part, int whole)
{
  return whole ? (double) part / whole : 0;
}

static double
precision_of (const Sums *s)
{
  return ratio (s->all.right, s->all.right + s->all.wrong);
}

static double
recall_of (const Sums *s)
{
  return ratio (s->all.right, s->all.truths);
}

static double
mean_average_precision (const Eval *eval)
{
  return tool_mean_average_precision ((ToolBox *) (void *) eval->truth->data,
      (int) eval->truth->len, (ToolBox *) (void *) eval->found->data,
      (int) eval->found->len);
}

/* Of pictures without digits, or, if there are none, of all. */
static double
false_per_image (const Eval *eval)
{
  return eval->empty ? ratio (eval->now.false_empty, eval->empty)
                     : ratio (eval->now.all.wrong, eval->pictures);
}

static void
print_json (const Eval *eval)
{
  JsonBuilder *b = json_builder_new ();

  json_builder_begin_object (b);
  tool_json_double (b, "precision", precision_of (&eval->now));
  tool_json_double (b, "recall", recall_of (&eval->now));
  tool_json_double (b, "map50", mean_average_precision (eval));
  tool_json_double (b, "false_per_image", false_per_image (eval));
  tool_json_int (b, "images", eval->pictures);
  tool_json_int (b, "objects", eval->now.all.truths);
  json_builder_end_object (b);
  tool_json_print (b);
}

static void
print_text (const Eval *eval)
{
  printf ("%d pictures, %d digits, threshold %g\n", eval->pictures,
      eval->now.all.truths, eval->threshold);
  printf ("precision %.3f, recall %.3f (by class and place)\n",
      precision_of (&eval->now), recall_of (&eval->now));
  printf ("mAP@0.5 %.3f\n", mean_average_precision (eval));
  printf ("%.2f false boxes a picture%s\n", false_per_image (eval),
      eval->empty ? " without digits" : "");
  if (!eval->options->thresholds)
    return;
  printf ("\n%9s %9s %9s %9s\n", "threshold", "precision", "recall",
      "false/pic");
  for (int i = 0; i < N_STEPS; i++)
    printf ("%9g %9.3f %9.3f %9.2f\n", steps[i], precision_of (&eval->at[i]),
        recall_of (&eval->at[i]),
        eval->empty ? ratio (eval->at[i].false_empty, eval->empty)
                    : ratio (eval->at[i].all.wrong, eval->pictures));
}

static int
compare_worst (gconstpointer a, gconstpointer b)
{
  const Worst *one = a, *other = b;

  return one->errors != other->errors ? other->errors - one->errors
                                      : strcmp (one->picture, other->picture);
}

static gboolean
draw_errors (Eval *eval, const char *path, GError **error)
{
  ToolPictures *pictures = tool_pictures_open (path, eval->info->channels,
      eval->info->format, eval->options->threads, error);
  CnnDetectParams params = { .background = eval->info->background,
    .threshold = eval->threshold,
    .iou_threshold = CNN_DEFAULT_IOU_THRESHOLD,
    .max_detections = CNN_DEFAULT_MAX_DETECTIONS };
  const CnnDetection *found;
  ToolPicture picture;
  cairo_surface_t *surface = NULL;
  char *base = g_path_get_basename (path);
  char *out = g_strdup_printf ("%s/%.*s.png", eval->options->worst,
      (int) (strrchr (base, '.') - base), base);
  gboolean ok = pictures && tool_pictures_next (pictures, &picture, error) == 1
      && fit_detector (eval, path, &picture.image, error)
      && (surface = tool_pictures_surface (pictures, error));

  if (ok) {
    int n;

    cnn_detector_run (eval->detector, &picture.image);
    n = cnn_detector_detect (eval->detector, &params, &found);
    tool_draw_detections (surface, found, n, eval->info->labels);
    ok = cairo_surface_write_to_png (surface, out) == CAIRO_STATUS_SUCCESS
        || tool_fail (error, "%s can't be written", out);
    cairo_surface_destroy (surface);
  }
  tool_pictures_close (pictures);
  g_free (out);
  g_free (base);
  return ok;
}

static gboolean
write_worst (Eval *eval, GError **error)
{
  gboolean ok = TRUE;

  if (!eval->options->worst)
    return TRUE;
  if (g_mkdir_with_parents (eval->options->worst, 0777) != 0)
    return tool_fail (error, "%s: %s", eval->options->worst,
        g_strerror (errno));
  g_array_sort (eval->worst, compare_worst);
  for (guint i = 0; ok && i < eval->worst->len && i < MAX_WORST; i++) {
    const Worst *w = &g_array_index (eval->worst, Worst, i);

    if (w->errors)
      ok = draw_errors (eval, w->picture, error);
  }
  return ok;
}

static gboolean
prepare (Eval *eval, const char *name, GError **error)
{
  eval->model = tool_model_load (name, error);
  if (!eval->model)
    return FALSE;
  eval->info = cnn_model_info (eval->model);
  eval->threshold = eval->options->threshold < 0 ? eval->info->threshold
                                                 : eval->options->threshold;
  for (int i = 0; i < 256; i++) {
    gint64 value = -1;

    if (i < eval->info->classes)
      tool_parse_int (eval->info->labels[i], 0, 1000, &value, NULL);
    eval->label_of[i] = (int) value;
  }
  eval->pool = tool_pool_new (eval->options->threads, error);
  return eval->pool != NULL;
}

static gboolean
eval_all (Eval *eval, GError **error)
{
  GPtrArray *paths = list_truth (eval->options->folder);
  ToolProgress *progress = tool_progress_new ("pictures", eval->options->json);
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < paths->len; i++) {
    ok = eval_truth (eval, paths->pdata[i], error);
    tool_progress_update (progress, (i + 1.0) / paths->len, "%u", i + 1);
  }
  tool_progress_free (progress);
  g_ptr_array_unref (paths);
  return ok;
}

gboolean
tool_eval_scenes (const ToolEvalScenes *options, const char *name,
    GError **error)
{
  Eval eval = { .options = options,
    .truth = g_array_new (FALSE, TRUE, sizeof (ToolBox)),
    .found = g_array_new (FALSE, TRUE, sizeof (ToolBox)),
    .worst = g_array_new (FALSE, TRUE, sizeof (Worst)) };
  gboolean ok = prepare (&eval, name, error) && eval_all (&eval, error);

  if (ok && options->json)
    print_json (&eval);
  else if (ok)
    print_text (&eval);
  ok = ok && write_worst (&eval, error);
  for (guint i = 0; i < eval.worst->len; i++)
    g_free (g_array_index (eval.worst, Worst, i).picture);
  g_array_unref (eval.worst);
  g_array_unref (eval.found);
  g_array_unref (eval.truth);
  cnn_detector_free (eval.detector);
  cnn_pool_free (eval.pool);
  cnn_model_unref (eval.model);
  return ok;
}
