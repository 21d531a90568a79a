/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantize-model.c: `convnet quantize`: a classifier to one that computes with 8
 * bits, and what that costs in accuracy.
 *
 * Scales are chosen over patches like those a detector is trained on: digits of
 * mnist/train on pages before the backgrounds, or centred ones. Errors
 * are counted on mnist/t10k, on both networks as class maps, which is how they
 * run on frames. */

#include <stdio.h>
#include <string.h>

#include <cnn/detect.h>
#include <cnn/quantize.h>
#include <cnn/train.h>

#include "backgrounds.h"
#include "digits.h"
#include "idx.h"
#include "json.h"
#include "model-file.h"
#include "progress.h"
#include "tool.h"

#define DEFAULT_SAMPLES 2048
/* Of each scene. */
#define WINDOWS 32

typedef struct
{
  char *data, *out;
  int samples, seed, threads;
  gboolean json, quiet;

  CnnModel *model;
  CnnPool *pool;
  ToolDigits train, test;
  ToolBackgrounds backgrounds;
} Quantize;

/* What is known in the end. */
typedef struct
{
  int layers;
  ToolScore before, after, before_inverted, after_inverted;
} Outcome;

static const ToolUsage usage = { "MODEL",
  "Writes MODEL with 8-bit activations and weights (QDQ), scales chosen by "
  "what patches of DIR bring about, and prints the accuracy that this costs.",
  1, 1 };

static gboolean
parse (Quantize *q, int argc, char **argv, char ***args, GError **error)
{
  GOptionEntry entries[] = { { "data", 'd', 0, G_OPTION_ARG_FILENAME, &q->data,
                                 "Folder that holds mnist/ and backgrounds/",
                                 "DIR" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &q->out, "The file to write",
        "MODEL" },
    { "samples", 'n', 0, G_OPTION_ARG_INT, &q->samples,
        "Patches to choose scales by (default: 2048)", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT, &q->seed, "Which patches (default: 1)",
        "N" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &q->json, "Print JSON", NULL },
    { "threads", 0, 0, G_OPTION_ARG_INT, &q->threads,
        "Threads to use (0: all cores)", "N" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &q->quiet,
        "Print nothing but results and errors", NULL },
    G_OPTION_ENTRY_NULL };

  q->samples = DEFAULT_SAMPLES;
  q->seed = 1;
  if (!tool_parse_options (&usage, entries, argc, argv, args, error))
    return FALSE;
  if (!q->data)
    return tool_fail_usage (error, "--data is missing");
  if (!q->out)
    return tool_fail_usage (error, "--output is missing");
  if (q->samples < 1)
    return tool_fail_usage (error, "--samples: at least 1");
  return TRUE;
}

static gboolean
read_digits (const Quantize *q, const char *set, ToolDigits *digits,
    GError **error)
{
  char *prefix = g_build_filename (q->data, "mnist", set, NULL);
  gboolean ok = tool_digits_read (prefix, digits, error);

  g_free (prefix);
  return ok;
}

static gboolean
read_all (Quantize *q, const char *name, GError **error)
{
  char *folder = g_build_filename (q->data, "backgrounds", NULL);
  gboolean ok;

  q->model = tool_model_load (name, error);
  ok = q->model && read_digits (q, "train", &q->train, error)
      && read_digits (q, "t10k", &q->test, error)
      && (q->pool = tool_pool_new (q->threads, error));
  if (ok && cnn_model_info (q->model)->background >= 0)
    ok = tool_backgrounds_read (folder, &q->backgrounds, error);
  g_free (folder);
  return ok;
}

/* Windows of scenes, for a network that knows a background. */
static CnnScenes *
make_scenes (const Quantize *q, const CnnModelInfo *info, GError **error)
{
  CnnScenesConfig config = { .window = info->height,
    .border = info->border,
    .object = info->object_size * info->height,
    .scale_factor = CNN_DEFAULT_SCALE_FACTOR,
    .background = info->background,
    .count = (q->samples + WINDOWS - 1) / WINDOWS,
    .windows = WINDOWS,
    .off_centre = 3.2,
    .size_min = 0.74,
    .size_max = 1.36 };
  CnnSceneSources sources = { .digits = &q->train.view,
    .backgrounds = q->backgrounds.images,
    .n_backgrounds = q->backgrounds.count,
    .black_share = 0.1,
    .empty_share = 0.25,
    .invert = 0.4,
    .contrast_min = 0.2,
    .noise = 0.08 };
  CnnScenes *scenes = NULL;
  CnnError cause = { 0 };

  if (cnn_scenes_new (&config, &sources, q->pool, &scenes, &cause) != CNN_OK
      || cnn_scenes_renew (scenes, NULL, (guint64) q->seed, &cause) != CNN_OK) {
    tool_fail_cnn (error, "scenes", &cause);
    cnn_scenes_free (scenes);
    return NULL;
  }
  return scenes;
}

/* A centred digit, varied, for one that does not; every other dark on light. */
static void
make_digit (const Quantize *q, const CnnModelInfo *info, int i, float *patch)
{
  CnnWarp warp = { .window = info->height,
    .zoom = tool_digits_zoom (&q->train, info->object_size, info->height),
    .shift = 0.06 * info->height,
    .scale_min = 0.8,
    .scale_max = 1.25,
    .rotate = 10,
    .shear = 0.2 };

  cnn_warp_digit (&warp, &q->train.view, i % q->train.view.count,
      (guint64) q->seed << 32 | (guint64) i, patch);
  for (int k = 0; i % 2 && k < info->height * info->height; k++)
    patch[k] = 1 - patch[k];
}

/* What 0..1 of a patch becomes for the network. */
static void
apply_range (CnnPixelRange range, float *values, gsize count)
{
  static const struct
  {
    float scale, offset;
  } ranges[] = { [CNN_RANGE_0_1] = { 1, 0 },
    [CNN_RANGE_0_255] = { 255, 0 },
    [CNN_RANGE_1_1] = { 2, -1 },
    [CNN_RANGE_16_235] = { 219, 16 } };

  for (gsize i = 0; i < count; i++)
    values[i] = values[i] * ranges[range].scale + ranges[range].offset;
}

static gboolean
show_patches (const Quantize *q, CnnQuantizer *quantizer, GError **error)
{
  const CnnModelInfo *info = cnn_model_info (q->model);
  gsize pixels = (gsize) info->height * (gsize) info->width;
  CnnScenes *scenes = NULL;
  ToolProgress *progress;
  float *patch;

  if (info->background >= 0 && !(scenes = make_scenes (q, info, error)))
    return FALSE;
  patch = g_new (float, pixels *(gsize) info->channels);
  progress = tool_progress_new ("patches", q->quiet || q->json);
  for (int i = 0; i < q->samples; i++) {
    CnnTarget target;

    if (scenes)
      cnn_scenes_sample (scenes, i, patch, &target);
    else
      make_digit (q, info, i, patch);
    apply_range (info->range, patch, pixels);
    for (int c = 1; c < info->channels; c++)
      memcpy (patch + (gsize) c * pixels, patch, pixels * sizeof *patch);
    cnn_quantizer_show (quantizer, patch);
    tool_progress_update (progress, (i + 1.0) / q->samples, "%d", i + 1);
  }
  tool_progress_free (progress);
  g_free (patch);
  cnn_scenes_free (scenes);
  return TRUE;
}

static gboolean
quantise (Quantize *q, const char *name, Outcome *outcome, CnnModel **model,
    GError **error)
{
  const CnnModelInfo *info = cnn_model_info (q->model);
  CnnQuantizer *quantizer = NULL;
  CnnError cause = { 0 };
  gboolean ok;

  if (info->height != info->width || info->height < 1)
    return tool_fail (error, "%s: patches are square, its input is not", name);
  ok = cnn_quantizer_new (q->model, q->pool, &quantizer, &cause) == CNN_OK;
  if (ok) {
    outcome->layers = cnn_quantizer_layers (quantizer);
    if (!show_patches (q, quantizer, error)) {
      cnn_quantizer_free (quantizer);
      return FALSE;
    }
    ok = cnn_quantizer_model (quantizer, model, &cause) == CNN_OK;
  }
  cnn_quantizer_free (quantizer);
  return ok || tool_fail_cnn (error, name, &cause);
}

/* Errors of a network as it runs on frames. */
static gboolean
score (const Quantize *q, CnnModel *model, ToolScore *plain,
    ToolScore *inverted, GError **error)
{
  CnnModel *map = NULL;
  CnnError cause = { 0 };
  gboolean ok = cnn_model_to_map (model, &map, &cause) == CNN_OK;

  ok = ok ? tool_digits_score (map, &q->test, FALSE, q->pool, plain, error)
          && tool_digits_score (map, &q->test, TRUE, q->pool, inverted, error)
          : tool_fail_cnn (error, "class map", &cause);
  cnn_model_unref (map);
  return ok;
}

static double
accuracy (const ToolScore *score)
{
  return 100 * (1 - (double) score->errors / score->count);
}

static void
print_json (const Outcome *o)
{
  JsonBuilder *b = json_builder_new ();

  json_builder_begin_object (b);
  tool_json_int (b, "layers", o->layers);
  tool_json_int (b, "count", o->before.count);
  tool_json_double (b, "accuracy", accuracy (&o->before));
  tool_json_double (b, "accuracy_quantized", accuracy (&o->after));
  tool_json_double (b, "lost", accuracy (&o->before) - accuracy (&o->after));
  tool_json_double (b, "accuracy_inverted", accuracy (&o->before_inverted));
  tool_json_double (b, "accuracy_inverted_quantized",
      accuracy (&o->after_inverted));
  tool_json_double (b, "lost_inverted",
      accuracy (&o->before_inverted) - accuracy (&o->after_inverted));
  json_builder_end_object (b);
  tool_json_print (b);
}

static void
print_line (const char *what, const ToolScore *before, const ToolScore *after)
{
  printf ("%-16s %9.2f %% %9.2f %% %9.2f\n", what, accuracy (before),
      accuracy (after), accuracy (before) - accuracy (after));
}

static void
print_text (const Outcome *o)
{
  printf ("%d layers with 8 bits; accuracy on %d digits:\n", o->layers,
      o->before.count);
  printf ("%-16s %11s %11s %9s\n", "", "floats", "8 bits", "lost");
  print_line ("centred digits", &o->before, &o->after);
  print_line ("dark on white", &o->before_inverted, &o->after_inverted);
}

static gboolean
work (Quantize *q, const char *name, GError **error)
{
  Outcome o = { 0 };
  CnnModel *model = NULL;
  gboolean ok = read_all (q, name, error)
      && quantise (q, name, &o, &model, error)
      && score (q, q->model, &o.before, &o.before_inverted, error)
      && score (q, model, &o.after, &o.after_inverted, error)
      && tool_model_save (model, q->out, error);

  if (ok && q->json)
    print_json (&o);
  else if (ok)
    print_text (&o);
  g_free (o.before.confusion);
  g_free (o.after.confusion);
  g_free (o.before_inverted.confusion);
  g_free (o.after_inverted.confusion);
  cnn_model_unref (model);
  return ok;
}

gboolean
tool_quantize (int argc, char **argv, GError **error)
{
  Quantize q = { 0 };
  char **args = NULL;
  gboolean ok =
      parse (&q, argc, argv, &args, error) && work (&q, args[0], error);

  tool_digits_clear (&q.train);
  tool_digits_clear (&q.test);
  tool_backgrounds_clear (&q.backgrounds);
  cnn_pool_free (q.pool);
  cnn_model_unref (q.model);
  g_strfreev (args);
  g_free (q.data);
  g_free (q.out);
  return ok;
}
