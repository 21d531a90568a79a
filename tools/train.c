/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* train.c: `convnet train`: a recipe and data to a model file.
 *
 * The trainer takes arrays and a callback; reading, the order of the pictures,
 * the schedule and everything that is printed is here. The order and each
 * picture's distortion are functions of the seed, so the same recipe gives
 * the same file, with any number of threads. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cnn/train.h>

#include "backgrounds.h"
#include "digits.h"
#include "glyphs.h"
#include "idx.h"
#include "model-file.h"
#include "drawn.h"
#include "plot.h"
#include "progress.h"
#include "recipe.h"
#include "tool.h"

/* Largest side of a digit's picture that can be varied. */
#define MAX_PICTURE 32

/* What is known after each epoch; columns of the CSV. */
typedef struct
{
  double *rate, *loss, *error, *validation;
  int count;
} History;

typedef struct
{
  char *data, *out, *curves;
  int threads, epochs;
  gint64 seed;
  gboolean quiet;

  ToolRecipe *recipe;
  CnnWarp warp;
  ToolBackgrounds backgrounds;
  ToolDigits train, validate;
  guint8 *classes; /* of the training digits */
  CnnDigits digits;
  ToolGlyphs glyphs;
  ToolDigits pen;
  CnnScenes *scenes; /* NULL: patches one by one */
  int samples;       /* of an epoch */
  CnnPool *pool;
  CnnModel *model;
  CnnTrainer *trainer;
  ToolProgress *progress;
  History history;

  guint32 *order;
  int epoch, step, steps;
} Train;

/* Drawn ones, beside those of the data set. */
#define PEN_DIGITS 20000

static const ToolUsage usage = { "RECIPE",
  "Trains the network that RECIPE describes and writes it as an ONNX file, "
  "with its curves beside it. The same recipe, data and seed give the same "
  "file.",
  1, 1 };

static gboolean
parse (Train *train, int argc, char **argv, char ***args, GError **error)
{
  GOptionEntry entries[] = {
    { "data", 'd', 0, G_OPTION_ARG_FILENAME, &train->data,
        "Folder that the recipe's paths begin at", "DIR" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &train->out, "The file to write",
        "MODEL" },
    { "curves", 0, 0, G_OPTION_ARG_FILENAME, &train->curves,
        "Write curves to PREFIX.csv and PREFIX.png (default: MODEL without "
        ".onnx)",
        "PREFIX" },
    { "epochs", 0, 0, G_OPTION_ARG_INT, &train->epochs,
        "Epochs to train (0: as the recipe says)", "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &train->seed,
        "Seed of weights, order, variations and draws (-1: as the recipe says)",
        "N" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &train->threads,
        "Threads to use (0: all cores)", "N" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &train->quiet,
        "Print nothing but errors", NULL },
    G_OPTION_ENTRY_NULL
  };

  if (!tool_parse_options (&usage, entries, argc, argv, args, error))
    return FALSE;
  if (!train->data)
    return tool_fail_usage (error, "--data is missing");
  if (!train->out)
    return tool_fail_usage (error, "--output is missing");
  if (train->epochs < 0)
    return tool_fail_usage (error, "--epochs: not negative");
  if (!train->curves)
    train->curves = g_str_has_suffix (train->out, ".onnx")
        ? g_strndup (train->out, strlen (train->out) - 5)
        : g_strdup (train->out);
  return TRUE;
}

static gboolean
read_digits (const Train *train, const char *name, int draw, ToolDigits *digits,
    GError **error)
{
  guint64 seed = train->recipe->draw_seed;
  char *prefix = g_build_filename (train->data, name, NULL);
  gboolean ok = tool_drawn_set (name, seed, digits)
      || tool_digits_read (prefix, digits, error);

  ok = ok && tool_digits_draw (digits, draw, seed, error);

  g_free (prefix);
  return ok;
}

static gboolean
read_backgrounds (Train *train, GError **error)
{
  char *folder;
  gboolean ok;

  if (!train->recipe->backgrounds)
    return TRUE;
  folder = g_build_filename (train->data, train->recipe->backgrounds, NULL);
  ok = tool_backgrounds_read (folder, &train->backgrounds, error);
  g_free (folder);
  return ok;
}

/* Labels of the pictures become classes of the network. */
static gboolean
classify (const Train *train, const CnnDigits *view, guint8 *to, GError **error)
{
  char **labels = train->recipe->labels;
  int classes[TOOL_MAX_LABEL + 1];

  if (!tool_digits_classes (view, (const char *const *) labels,
          (int) g_strv_length (labels), classes, error))
    return FALSE;
  for (int i = 0; i < view->count; i++)
    to[i] = (guint8) classes[view->labels[i]];
  return TRUE;
}

static gboolean
classify_digits (Train *train, GError **error)
{
  const CnnDigits *view = &train->train.view;

  if (view->width > MAX_PICTURE || view->height > MAX_PICTURE)
    return tool_fail (error, "%s: pictures of %dx%d pixels, at most %d a side",
        train->recipe->train, view->width, view->height, MAX_PICTURE);
  train->classes = g_malloc ((gsize) view->count);
  if (!classify (train, view, train->classes, error))
    return FALSE;
  train->digits = *view;
  train->digits.labels = train->classes;
  return TRUE;
}

static gboolean
read_all (Train *train, const char *path, GError **error)
{
  train->recipe = tool_recipe_read (path, error);
  if (!train->recipe)
    return FALSE;
  if (train->epochs)
    train->recipe->epochs = train->epochs;
  if (train->seed >= 0)
    train->recipe->draw_seed = train->recipe->options.seed =
        (guint64) train->seed;
  train->model = tool_recipe_model (train->recipe, error);
  if (!train->model) {
    g_prefix_error (error, "%s: ", path);
    return FALSE;
  }
  if (!read_digits (train, train->recipe->train, train->recipe->draw_train,
          &train->train, error)
      || (train->recipe->validate
          && !read_digits (train, train->recipe->validate,
              train->recipe->draw_validate, &train->validate, error))
      || !read_backgrounds (train, error) || !classify_digits (train, error))
    return FALSE;
  train->warp = train->recipe->warp;
  train->warp.zoom = tool_digits_zoom (&train->train,
      train->recipe->object_size, train->recipe->height);
  return TRUE;
}

static gboolean
prepare_scenes (Train *train, GError **error)
{
  ToolRecipe *recipe = train->recipe;
  CnnSceneSources *sources = &recipe->sources;
  CnnError cause = { 0 };

  if (!recipe->has_scenes)
    return TRUE;
  sources->digits = &train->digits;
  sources->backgrounds = train->backgrounds.images;
  sources->n_backgrounds = train->backgrounds.count;
  if (sources->pen_share > 0) {
    tool_drawn_hands (PEN_DIGITS, recipe->options.seed, &train->pen);
    if (!classify (train, &train->pen.view, train->pen.labels.bytes, error))
      return FALSE;
    sources->pen = &train->pen.view;
  }
  if (recipe->letters) {
    if (!tool_glyphs_make (recipe->fonts, recipe->letters,
            (guint32) recipe->options.seed, &train->glyphs, error))
      return FALSE;
    sources->letters = &train->glyphs.letters;
    sources->sheets = train->glyphs.sheets;
    sources->n_sheets = train->glyphs.n_sheets;
  }
  if (cnn_scenes_new (&recipe->scenes, sources, train->pool, &train->scenes,
          &cause)
      != CNN_OK)
    return tool_fail_cnn (error, "scenes", &cause);
  return TRUE;
}

static gboolean
prepare (Train *train, const char *path, GError **error)
{
  CnnError cause = { 0 };
  int epochs = train->recipe->epochs;

  train->pool = tool_pool_new (train->threads, error);
  if (!train->pool)
    return FALSE;
  if (cnn_trainer_new (train->model, &train->recipe->options, train->pool,
          &train->trainer, &cause)
      != CNN_OK)
    return tool_fail_cnn (error, path, &cause);
  if (!prepare_scenes (train, error))
    return FALSE;
  train->samples =
      train->scenes ? cnn_scenes_size (train->scenes) : train->digits.count;
  train->steps = MAX (1, train->samples / train->recipe->options.batch);
  train->order = g_new (guint32, train->samples);
  train->history.rate = g_new0 (double, epochs);
  train->history.loss = g_new0 (double, epochs);
  train->history.error = g_new0 (double, epochs);
  train->history.validation = g_new0 (double, epochs);
  train->progress = tool_progress_new ("training", train->quiet);
  return TRUE;
}

/* splitmix64's finishing hash: every bit of the result depends on all. */
static guint64
mix (guint64 x)
{
  x += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return x ^ (x >> 31);
}

static guint64
random_at (const Train *train, guint64 what, guint64 position)
{
  return mix (mix (mix (train->recipe->options.seed) + what)
      ^ mix ((guint64) train->epoch << 32 | position));
}

/* Fisher and Yates: a new order for each epoch. */
static void
shuffle (Train *train)
{
  guint32 *order = train->order;
  guint32 count = (guint32) train->samples;

  for (guint32 i = 0; i < count; i++)
    order[i] = i;
  for (guint32 i = count - 1; i > 0; i--) {
    guint32 j = (guint32) (random_at (train, 1, i) % (i + 1));
    guint32 keep = order[i];

    order[i] = order[j];
    order[j] = keep;
  }
}

/* What 0..1 of a patch becomes for the network, as cnn_resampler_run() would
 * make it of pixels. */
static void
apply_range (CnnPixelRange range, float *values, gsize count)
{
  float scale = 1, offset = 0;

  if (range == CNN_RANGE_0_255) {
    scale = 255;
  } else if (range == CNN_RANGE_1_1) {
    scale = 2;
    offset = -1;
  }
  for (gsize i = 0; i < count; i++)
    values[i] = values[i] * scale + offset;
}

static void
give_sample (void *data, int sample, float *input, CnnTarget *target)
{
  const Train *train = data;
  const ToolRecipe *recipe = train->recipe;
  gsize pixels = (gsize) recipe->height * (gsize) recipe->width;
  guint64 position = (guint64) train->step * (guint64) recipe->options.batch
      + (guint64) sample;
  guint32 index = train->order[position % (guint64) train->samples];

  target->has_box = FALSE;
  if (train->scenes) {
    cnn_scenes_sample (train->scenes, (int) index, input, target);
  } else {
    cnn_warp_digit (&train->warp, &train->digits, (int) index,
        random_at (train, 2, position), input);
    target->label = train->digits.labels[index];
  }
  apply_range (recipe->range, input, pixels);
  for (int c = 1; c < recipe->channels; c++)
    memcpy (input + (gsize) c * pixels, input, pixels * sizeof (float));
}

/* A step's place in the whole training, in epochs; its middle, so that
 * warming up begins above 0 and a cosine ends above 0. */
static double
now_epochs (const Train *train)
{
  return train->epoch + (train->step + 0.5) / train->steps;
}

/* Short enough for 80 columns: epoch, means of this epoch, samples a second. */
static void
show_progress (Train *train, double loss, double error, gint64 begin)
{
  double seconds = (double) (g_get_monotonic_time () - begin) * 1e-6 + 1e-9;
  double seen = (double) (train->step + 1) * train->recipe->options.batch;

  tool_progress_update (train->progress,
      now_epochs (train) / train->recipe->epochs,
      "%d/%d  loss %.4f  error %.1f %%  %.0f/s", train->epoch + 1,
      train->recipe->epochs, loss, 100 * error, seen / seconds);
}

static gboolean
run_epoch (Train *train, GError **error)
{
  const ToolRecipe *recipe = train->recipe;
  gint64 begin = g_get_monotonic_time ();
  double loss = 0, errors = 0, rate = 0;
  CnnError cause = { 0 };

  shuffle (train);
  if (train->scenes
      && cnn_scenes_renew (train->scenes, train->epoch ? train->model : NULL,
             random_at (train, 3, 0), &cause)
          != CNN_OK)
    return tool_fail_cnn (error, "scenes", &cause);
  for (train->step = 0; train->step < train->steps; train->step++) {
    double done = train->step + 1;
    CnnTrainResult result;

    rate = tool_rate_at (&recipe->rate, now_epochs (train), recipe->epochs);
    cnn_trainer_step (train->trainer, give_sample, train, rate, &result);
    if (!isfinite (result.loss))
      return tool_fail (error,
          "the loss is no number in step %d of epoch %d: is the rate too "
          "high?",
          train->step + 1, train->epoch + 1);
    loss += result.loss;
    errors += (double) result.errors / recipe->options.batch;
    show_progress (train, loss / done, errors / done, begin);
  }
  train->history.rate[train->epoch] = rate;
  train->history.loss[train->epoch] = loss / train->steps;
  train->history.error[train->epoch] = errors / train->steps;
  train->history.count = train->epoch + 1;
  return TRUE;
}

/* Takes the weights of now, and the error of the validation digits. */
static gboolean
validate (Train *train, GError **error)
{
  CnnModel *model = NULL;
  CnnError cause = { 0 };
  ToolScore score = { 0 };

  if (cnn_trainer_model (train->trainer, &model, &cause) != CNN_OK)
    return tool_fail_cnn (error, "trained network", &cause);
  cnn_model_unref (train->model);
  train->model = model;
  train->history.validation[train->epoch] = NAN;
  if (!train->recipe->validate)
    return TRUE;
  if (!tool_digits_score (model, &train->validate, FALSE, train->pool, &score,
          error))
    return FALSE;
  train->history.validation[train->epoch] = (double) score.errors / score.count;
  g_free (score.confusion);
  return TRUE;
}

static void
print_epoch (const Train *train, gint64 begin)
{
  const History *h = &train->history;
  double seconds = (double) (g_get_monotonic_time () - begin) * 1e-6;
  int e = train->epoch;

  if (train->quiet)
    return;
  tool_progress_clear (train->progress);
  printf ("epoch %d/%d  rate %.5f  loss %.4f  error %.2f %%", e + 1,
      train->recipe->epochs, h->rate[e], h->loss[e], 100 * h->error[e]);
  if (isfinite (h->validation[e]))
    printf ("  validation error %.2f %%", 100 * h->validation[e]);
  printf ("  %.1f s\n", seconds);
  fflush (stdout);
}

static gboolean
write_csv (const Train *train, GError **error)
{
  const History *h = &train->history;
  GString *text = g_string_new ("epoch,rate,loss,error,validation_error\n");
  char *path = g_strconcat (train->curves, ".csv", NULL);
  gboolean ok;

  for (int i = 0; i < h->count; i++) {
    g_string_append_printf (text, "%d,%.8g,%.8g,%.8g,", i + 1, h->rate[i],
        h->loss[i], h->error[i]);
    if (isfinite (h->validation[i]))
      g_string_append_printf (text, "%.8g", h->validation[i]);
    g_string_append_c (text, '\n');
  }
  ok = g_file_set_contents (path, text->str, (gssize) text->len, error);
  g_string_free (text, TRUE);
  g_free (path);
  return ok;
}

static gboolean
write_plot (const Train *train, GError **error)
{
  const History *h = &train->history;
  const ToolCurve curves[] = {
    { train->recipe->options.loss == CNN_LOSS_SQUARED_ERROR ? "loss"
                                                            : "loss (nats)",
        h->loss },
    { "training error", h->error }, { "validation error", h->validation }
  };
  char *path = g_strconcat (train->curves, ".png", NULL);
  char *title = g_path_get_basename (train->out);
  gboolean ok = tool_plot_curves (path, title, "epoch", curves,
      train->recipe->validate ? 3 : 2, h->count, error);

  g_free (title);
  g_free (path);
  return ok;
}

/* Curves are written now and then: long trainings can be watched. */
static gboolean
run_epochs (Train *train, GError **error)
{
  gint64 written = g_get_monotonic_time ();

  for (train->epoch = 0; train->epoch < train->recipe->epochs; train->epoch++) {
    gint64 begin = g_get_monotonic_time ();

    if (!run_epoch (train, error) || !validate (train, error))
      return FALSE;
    print_epoch (train, begin);
    if (train->epoch + 1 < train->recipe->epochs
        && g_get_monotonic_time () - written < G_TIME_SPAN_SECOND)
      continue;
    if (!write_csv (train, error) || !write_plot (train, error))
      return FALSE;
    written = g_get_monotonic_time ();
  }
  return tool_model_save (train->model, train->out, error);
}

static void
clear (Train *train)
{
  tool_progress_free (train->progress);
  cnn_trainer_free (train->trainer);
  cnn_scenes_free (train->scenes);
  cnn_pool_free (train->pool);
  cnn_model_unref (train->model);
  tool_digits_clear (&train->train);
  tool_digits_clear (&train->validate);
  tool_digits_clear (&train->pen);
  tool_glyphs_clear (&train->glyphs);
  tool_backgrounds_clear (&train->backgrounds);
  tool_recipe_free (train->recipe);
  g_free (train->classes);
  g_free (train->order);
  g_free (train->history.rate);
  g_free (train->history.loss);
  g_free (train->history.error);
  g_free (train->history.validation);
  g_free (train->data);
  g_free (train->out);
  g_free (train->curves);
}

gboolean
tool_train (int argc, char **argv, GError **error)
{
  Train train = { .seed = -1 };
  char **args = NULL;
  gboolean ok = parse (&train, argc, argv, &args, error)
      && read_all (&train, args[0], error) && prepare (&train, args[0], error)
      && run_epochs (&train, error);

  clear (&train);
  g_strfreev (args);
  return ok;
}
