/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* run.c: `convnet run`: detections in pictures and videos.
 *
 * The same path as the element: luma as it lies, the detector's pyramid, the
 * same rounding of boxes, the same JSON. */

#include <glib/gstdio.h>
#include <math.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cnn/detect.h>

#include "activations.h"
#include "draw.h"
#include "json.h"
#include "model-file.h"
#include "picture.h"
#include "progress.h"
#include "tool.h"

/* Options, and what lives as long as the command. */
typedef struct
{
  gboolean json;
  char *annotate, *activations;
  int threads, level;
  CnnDetectorConfig config;
  CnnDetectParams params;
  CnnModel *model;
  const CnnModelInfo *info;
  CnnPool *pool;
  CnnDetector *detector;
  GHashTable *written; /* paths of annotated pictures */
} Run;

static const ToolUsage usage = { "MODEL FILE…",
  "Finds what MODEL knows in pictures and videos: a line for each object, or "
  "with --json one for each frame.",
  2, 0 };

static gboolean
parse (Run *run, int argc, char **argv, char ***args, GError **error)
{
  char *precision = NULL;
  gboolean known;
  GOptionEntry entries[] = { { "json", 'j', 0, G_OPTION_ARG_NONE, &run->json,
                                 "Print a JSON line for each frame", NULL },
    { "annotate", 'a', 0, G_OPTION_ARG_FILENAME, &run->annotate,
        "Write pictures with boxes to DIR", "DIR" },
    { "activations", 0, 0, G_OPTION_ARG_FILENAME, &run->activations,
        "Write what each layer makes of FILE (its first frame) to DIR", "DIR" },
    { "level", 0, 0, G_OPTION_ARG_INT, &run->level,
        "Level of the pyramid to do so on (0: the first)", "N" },
    { "threshold", 't', 0, G_OPTION_ARG_DOUBLE, &run->params.threshold,
        "Least confidence, 0 to 1 (default: the model's)", "T" },
    { "iou-threshold", 0, 0, G_OPTION_ARG_DOUBLE, &run->params.iou_threshold,
        "Greatest overlap of two boxes, 0 to 1", "T" },
    { "max-detections", 0, 0, G_OPTION_ARG_INT, &run->params.max_detections,
        "Most objects in a frame", "N" },
    { "scale-factor", 0, 0, G_OPTION_ARG_DOUBLE, &run->config.scale_factor,
        "Step of the pyramid, 1.05 or more", "F" },
    { "min-size", 0, 0, G_OPTION_ARG_INT, &run->config.min_size,
        "Height of the smallest object in pixels (0: the model's own)", "N" },
    { "max-size", 0, 0, G_OPTION_ARG_INT, &run->config.max_size,
        "Height of the largest object in pixels (0: the frame's)", "N" },
    { "window-stride", 0, 0, G_OPTION_ARG_INT, &run->config.window_stride,
        "Distance of windows in pixels, less is denser (0 = the model's own)",
        "PIXELS" },
    { "precision", 0, 0, G_OPTION_ARG_STRING, &precision,
        "fast or exact: direct convolution only (fast)", "P" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &run->threads,
        "Threads to use (0: all cores)", "N" },
    G_OPTION_ENTRY_NULL };

  if (!tool_parse_options (&usage, entries, argc, argv, args, error))
    return FALSE;
  known = tool_parse_precision (precision, &run->config.precision, error);
  g_free (precision);
  if (!known)
    return FALSE;
  if (run->params.threshold > 1 || !(run->params.iou_threshold >= 0)
      || run->params.iou_threshold > 1)
    return tool_fail_usage (error, "thresholds are between 0 and 1");
  if (run->params.max_detections < 1)
    return tool_fail_usage (error, "--max-detections: at least 1");
  if (!(run->config.scale_factor >= CNN_MIN_SCALE_FACTOR))
    return tool_fail_usage (error, "--scale-factor: at least %g",
        CNN_MIN_SCALE_FACTOR);
  if (run->config.min_size < 0 || run->config.max_size < 0)
    return tool_fail_usage (error, "--min-size and --max-size: not negative");
  if (run->config.window_stride < 0)
    return tool_fail_usage (error, "--window-stride: not negative");
  if (run->activations && (*args)[2])
    return tool_fail_usage (error, "--activations: of one file only");
  return TRUE;
}

static int
nearest (float position, int low, int high)
{
  return CLAMP ((int) lroundf (position), low, high);
}

/* Box in whole pixels, rounded once and never empty: x, y, w, h. The element
 * rounds alike. */
static void
round_box (const Run *run, const CnnDetection *d, int box[4])
{
  int width = run->config.width, height = run->config.height;

  box[0] = nearest (d->x0, 0, width - 1);
  box[1] = nearest (d->y0, 0, height - 1);
  box[2] = nearest (d->x1, box[0] + 1, width) - box[0];
  box[3] = nearest (d->y1, box[1] + 1, height) - box[1];
}

static void
build_object (JsonBuilder *b, const Run *run, const CnnDetection *d)
{
  const char *label = run->info->labels[d->class_id];
  int box[4];

  round_box (run, d, box);
  json_builder_begin_object (b);
  tool_json_int (b, "x", box[0]);
  tool_json_int (b, "y", box[1]);
  tool_json_int (b, "w", box[2]);
  tool_json_int (b, "h", box[3]);
  tool_json_string (b, "roi_type", label);
  json_builder_set_member_name (b, "detection");
  json_builder_begin_object (b);
  tool_json_string (b, "label", label);
  tool_json_int (b, "label_id", d->class_id);
  tool_json_double (b, "confidence", d->confidence);
  json_builder_set_member_name (b, "bounding_box");
  json_builder_begin_object (b);
  tool_json_double (b, "x_min", d->x0 / run->config.width);
  tool_json_double (b, "y_min", d->y0 / run->config.height);
  tool_json_double (b, "x_max", d->x1 / run->config.width);
  tool_json_double (b, "y_max", d->y1 / run->config.height);
  json_builder_end_object (b);
  json_builder_end_object (b);
  json_builder_end_object (b);
}

static void
print_json (const Run *run, const char *path, const ToolPicture *picture,
    const CnnDetection *detections, int count)
{
  JsonBuilder *b = json_builder_new ();
  char *name = g_filename_display_name (path);

  json_builder_begin_object (b);
  tool_json_string (b, "source", name);
  if (picture->timestamp_ns >= 0)
    tool_json_int (b, "timestamp", picture->timestamp_ns);
  json_builder_set_member_name (b, "resolution");
  json_builder_begin_object (b);
  tool_json_int (b, "width", run->config.width);
  tool_json_int (b, "height", run->config.height);
  json_builder_end_object (b);
  json_builder_set_member_name (b, "objects");
  json_builder_begin_array (b);
  for (int i = 0; i < count; i++)
    build_object (b, run, &detections[i]);
  json_builder_end_array (b);
  json_builder_end_object (b);
  tool_json_print (b);
  g_free (name);
}

static void
print_lines (const Run *run, const char *path, const ToolPicture *picture,
    const CnnDetection *detections, int count)
{
  for (int i = 0; i < count; i++) {
    int box[4];

    round_box (run, &detections[i], box);
    printf ("%s", path);
    if (picture->timestamp_ns >= 0)
      printf (" %.3fs", (double) picture->timestamp_ns * 1e-9);
    printf (": %s %.2f at %d,%d size %dx%d\n",
        run->info->labels[detections[i].class_id],
        (double) detections[i].confidence, box[0], box[1], box[2], box[3]);
  }
}

/* DIR/photo.png; the frames of videos are numbered, and so are files of one
 * name from several folders. */
static char *
annotated_path (Run *run, const char *path, const ToolPictures *pictures,
    guint64 number)
{
  char *base = g_path_get_basename (path), *dot = strrchr (base, '.');
  char *name, *result;

  if (dot && dot != base)
    *dot = '\0';
  name = tool_pictures_is_video (pictures)
      ? g_strdup_printf ("%s-%06" G_GUINT64_FORMAT, base, number)
      : g_strdup (base);
  result = g_strdup_printf ("%s/%s.png", run->annotate, name);
  for (int i = 2; g_hash_table_contains (run->written, result); i++) {
    g_free (result);
    result = g_strdup_printf ("%s/%s-%d.png", run->annotate, name, i);
  }
  g_hash_table_add (run->written, g_strdup (result));
  g_free (name);
  g_free (base);
  return result;
}

static gboolean
annotate (Run *run, const char *path, ToolPictures *pictures, guint64 number,
    const CnnDetection *detections, int count, GError **error)
{
  cairo_surface_t *surface = tool_pictures_surface (pictures, error);
  char *out;
  cairo_status_t status;

  if (!surface)
    return FALSE;
  tool_draw_detections (surface, detections, count, run->info->labels);
  out = annotated_path (run, path, pictures, number);
  status = cairo_surface_write_to_png (surface, out);
  if (status != CAIRO_STATUS_SUCCESS)
    tool_fail (error, "%s: %s", out, cairo_status_to_string (status));
  g_free (out);
  cairo_surface_destroy (surface);
  return status == CAIRO_STATUS_SUCCESS;
}

/* Compiles the model for the size of this frame, if it is another one. */
static gboolean
fit_detector (Run *run, const char *path, const CnnImage *image, GError **error)
{
  CnnError cause = { 0 };

  if (run->detector && run->config.width == image->width
      && run->config.height == image->height)
    return TRUE;
  cnn_detector_free (run->detector);
  run->detector = NULL;
  run->config.width = image->width;
  run->config.height = image->height;
  run->config.pool = run->pool;
  if (cnn_detector_new (run->model, &run->config, &run->detector, &cause)
      != CNN_OK)
    return tool_fail_cnn (error, path, &cause);
  if (cnn_detector_n_levels (run->detector) == 0)
    g_printerr ("%s: %dx%d pixels are less than the model's window at every "
                "level, nothing can be found\n",
        path, image->width, image->height);
  return TRUE;
}

/* Of classifiers without a map network, too: they find nothing. */
static gboolean
write_activations (Run *run, const CnnImage *image, GError **error)
{
  return tool_activations_write (run->model, image, run->detector, run->level,
      run->pool, run->activations, error);
}

static gboolean
run_frame (Run *run, const char *path, ToolPictures *pictures,
    const ToolPicture *picture, GError **error)
{
  const CnnDetection *detections = NULL;
  int count;
  gboolean first = run->activations && picture->number == 0, fits;

  fits = fit_detector (run, path, &picture->image, first ? NULL : error);
  if (first && !write_activations (run, &picture->image, error))
    return FALSE;
  if (!fits)
    return first;
  cnn_detector_run (run->detector, &picture->image);
  count = cnn_detector_detect (run->detector, &run->params, &detections);
  if (run->json)
    print_json (run, path, picture, detections, count);
  else
    print_lines (run, path, picture, detections, count);
  return !run->annotate
      || annotate (run, path, pictures, picture->number, detections, count,
          error);
}

static gboolean
run_file (Run *run, const char *path, GError **error)
{
  ToolPictures *pictures = tool_pictures_open (path, run->info->channels,
      run->info->format, run->threads, error);
  ToolProgress *progress;
  ToolPicture picture;
  int more = 1;

  if (!pictures)
    return FALSE;
  progress = tool_progress_new (path, !tool_pictures_is_video (pictures));
  while (more == 1) {
    more = tool_pictures_next (pictures, &picture, error);
    if (more != 1)
      break;
    tool_progress_clear (progress);
    if (!run_frame (run, path, pictures, &picture, error))
      more = -1;
    tool_progress_update (progress, tool_pictures_progress (pictures),
        "frame %" G_GUINT64_FORMAT, picture.number + 1);
  }
  tool_progress_free (progress);
  tool_pictures_close (pictures);
  return more == 0;
}

/* A file that fails does not keep the others from being looked at; all but
 * the last failure are reported here. */
static gboolean
run_files (Run *run, char **paths, GError **error)
{
  GError *failure = NULL;

  for (int i = 0; paths[i]; i++) {
    GError *cause = NULL;

    if (run_file (run, paths[i], &cause))
      continue;
    if (failure)
      tool_print_error (failure);
    g_clear_error (&failure);
    failure = cause;
  }
  if (!failure)
    return TRUE;
  g_propagate_error (error, failure);
  return FALSE;
}

static gboolean
prepare (Run *run, const char *name, GError **error)
{
  run->model = tool_model_load (name, error);
  if (!run->model)
    return FALSE;
  run->info = cnn_model_info (run->model);
  run->params.background = run->info->background;
  if (run->params.threshold < 0)
    run->params.threshold = run->info->threshold;
  run->pool = tool_pool_new (run->threads, error);
  if (!run->pool)
    return FALSE;
  if (run->annotate && g_mkdir_with_parents (run->annotate, 0777) != 0)
    return tool_fail (error, "%s: %s", run->annotate, g_strerror (errno));
  return TRUE;
}

gboolean
tool_run (int argc, char **argv, GError **error)
{
  Run run = { .config = { .scale_factor = CNN_DEFAULT_SCALE_FACTOR },
    .params = { .threshold = -1,
        .iou_threshold = CNN_DEFAULT_IOU_THRESHOLD,
        .max_detections = CNN_DEFAULT_MAX_DETECTIONS } };
  char **args = NULL;
  gboolean ok;

  run.written = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  ok = parse (&run, argc, argv, &args, error) && prepare (&run, args[0], error)
      && run_files (&run, args + 1, error);
  g_hash_table_unref (run.written);
  cnn_detector_free (run.detector);
  cnn_pool_free (run.pool);
  cnn_model_unref (run.model);
  g_strfreev (args);
  g_free (run.annotate);
  g_free (run.activations);
  return ok;
}
