/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reproduce.c: `convnet reproduce`: from data to the figures of
 * docs/history.md, by the other commands in turn.
 *
 * Every recipe of the models' folder is trained with its own seed and compared
 * with the model beside it, byte for byte; the five networks of 1989 are
 * trained with further seeds, for means and spreads. What a training gives is
 * read from the curves that it writes. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plot.h"
#include "recipe.h"
#include "reproduce-scenes.h"
#include "tool.h"

#define FIVE 5

typedef struct
{
  char *data, *out, *models;
  int epochs, seeds, threads, scenes;
  GString *table, *detectors;
} Reproduce;

static const ToolUsage usage = { "[NAME...]",
  "Trains the recipes of the models' folder (all, or those named) into OUT, "
  "compares them with the models there, and writes tables and plots. Takes as "
  "long as all trainings do.",
  0, 0 };

/* Accuracies of 1989, percent. */
static const double published[FIVE] = { 80.0, 87.0, 88.5, 94.0, 98.4 };

/* Where the five networks' digits come from; @lots: 320 and 160 of them. */
typedef struct
{
  const char *name, *train, *validate;
  gboolean lots;
} Source;

static const Source sources[] = {
  { "drawn, parted as in 1989", "pen/train-1989", "pen/test-1989", 0 },
  { "drawn, parted by drawing", "pen/train", "pen/test", 0 },
  { "postal, drawn lots", "usps/zip.train", "usps/zip.test", 1 },
};

static gboolean
parse (Reproduce *r, int argc, char **argv, char ***args, GError **error)
{
  GOptionEntry entries[] = {
    { "data", 'd', 0, G_OPTION_ARG_FILENAME, &r->data,
        "Folder that holds mnist/, usps/ and backgrounds/", "DIR" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &r->out,
        "Folder to write into (default: reproduced)", "OUT" },
    { "models", 0, 0, G_OPTION_ARG_FILENAME, &r->models,
        "Folder of the recipes (default: $CONVNET_MODELS or models)", "DIR" },
    { "epochs", 0, 0, G_OPTION_ARG_INT, &r->epochs,
        "Epochs to train (0: as the recipes say)", "N" },
    { "seeds", 0, 0, G_OPTION_ARG_INT, &r->seeds,
        "Trainings of each of the five networks of 1989 (10)", "N" },
    { "scenes", 0, 0, G_OPTION_ARG_INT, &r->scenes,
        "Scenes of each kind for detectors (100)", "N" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &r->threads,
        "Threads to use (0: all cores)", "N" },
    G_OPTION_ENTRY_NULL
  };

  if (!tool_parse_options (&usage, entries, argc, argv, args, error))
    return FALSE;
  if (!r->data)
    return tool_fail_usage (error, "--data is missing");
  if (r->epochs < 0 || r->seeds < 0 || r->scenes < 0)
    return tool_fail_usage (error, "--epochs, --seeds, --scenes: not negative");
  if (!r->out)
    r->out = g_strdup ("reproduced");
  if (!r->models)
    r->models = g_strdup (
        g_getenv ("CONVNET_MODELS") ? g_getenv ("CONVNET_MODELS") : "models");
  if (g_mkdir_with_parents (r->out, 0777))
    return tool_fail (error, "%s: can't be made", r->out);
  return TRUE;
}

/* The error after the last epoch, from the curves; NAN if nothing was
 * measured. */
static gboolean
read_last_error (const char *csv, double *last, GError **error)
{
  char *text = NULL, **lines;
  guint count;

  if (!g_file_get_contents (csv, &text, NULL, error))
    return FALSE;
  lines = g_strsplit (g_strchomp (text), "\n", -1);
  count = g_strv_length (lines);
  *last = NAN;
  if (count > 1) {
    const char *comma = strrchr (lines[count - 1], ',');

    if (comma && comma[1])
      *last = g_ascii_strtod (comma + 1, NULL);
  }
  g_strfreev (lines);
  g_free (text);
  return TRUE;
}

/* `convnet train RECIPE` to OUT/NAME.onnx; @seed: -1 = the recipe's. */
static gboolean
train (const Reproduce *r, const char *recipe, const char *name, int seed,
    double *last, GError **error)
{
  char *model = g_strdup_printf ("%s/%s.onnx", r->out, name);
  char *csv = g_strdup_printf ("%s/%s.csv", r->out, name);
  char *epochs = g_strdup_printf ("--epochs=%d", r->epochs);
  char *threads = g_strdup_printf ("--threads=%d", r->threads);
  char *number = g_strdup_printf ("--seed=%d", seed);
  char *argv[] = { (char *) "train", (char *) recipe, (char *) "--data",
    r->data, (char *) "--output", model, epochs, threads, number,
    (char *) "--quiet", NULL };
  gboolean ok = tool_train (G_N_ELEMENTS (argv) - 1, argv, error)
      && read_last_error (csv, last, error);

  g_free (number);
  g_free (threads);
  g_free (epochs);
  g_free (csv);
  g_free (model);
  return ok;
}

/* "the same file", or what else. */
static const char *
compare (const Reproduce *r, const char *name)
{
  char *mine = g_strdup_printf ("%s/%s.onnx", r->out, name);
  char *theirs = g_build_filename (r->models, name, "model.onnx", NULL);
  char *a = NULL, *b = NULL;
  gsize n = 0, m = 0;
  const char *answer = "there is none to compare with";

  if (g_file_get_contents (mine, &a, &n, NULL)
      && g_file_get_contents (theirs, &b, &m, NULL))
    answer = n == m && memcmp (a, b, n) == 0 ? "the same file" : "another file";
  g_free (a);
  g_free (b);
  g_free (theirs);
  g_free (mine);
  return answer;
}

/* What has a class for "nothing here" is measured on scenes, too. */
static gboolean
measure_detector (Reproduce *r, const char *path, const char *name,
    GError **error)
{
  ToolRecipe *recipe = tool_recipe_read (path, error);
  gboolean detects = recipe && recipe->background >= 0, ok = recipe != NULL;

  tool_recipe_free (recipe);
  if (detects && r->scenes) {
    char *model = g_strdup_printf ("%s/%s.onnx", r->out, name);
    char *folder = g_build_filename (r->out, "scenes", NULL);

    ok = tool_reproduce_scenes (model, name, r->data, folder, r->scenes,
        r->detectors, error);
    g_free (folder);
    g_free (model);
  }
  return ok;
}

static gboolean
reproduce_model (Reproduce *r, const char *name, GError **error)
{
  char *recipe = g_build_filename (r->models, name, "recipe", NULL);
  gint64 begin = g_get_monotonic_time ();
  double last, seconds;
  gboolean ok = train (r, recipe, name, -1, &last, error);

  if (!ok) {
    g_free (recipe);
    return FALSE;
  }
  seconds = (double) (g_get_monotonic_time () - begin) * 1e-6;
  g_string_append_printf (r->table, "| %s | %.2f %% | %.0f s | %s |\n", name,
      100 * last, seconds, compare (r, name));
  printf ("%s: %.2f %% error, %.0f s, %s\n", name, 100 * last, seconds,
      compare (r, name));
  fflush (stdout);
  ok = measure_detector (r, recipe, name, error);
  g_free (recipe);
  return ok;
}

/* The recipe with other digits, as OUT/net-N.recipe. */
static char *
write_recipe (const Reproduce *r, int net, const Source *source, GError **error)
{
  char *from = g_strdup_printf ("%s/net-%d/recipe", r->models, net);
  char *to = g_strdup_printf ("%s/net-%d.recipe", r->out, net);
  GKeyFile *file = g_key_file_new ();

  if (g_key_file_load_from_file (file, from, G_KEY_FILE_NONE, error)) {
    g_key_file_set_string (file, "data", "train", source->train);
    g_key_file_set_string (file, "data", "validate", source->validate);
    if (source->lots) {
      g_key_file_set_integer (file, "data", "draw-train", 320);
      g_key_file_set_integer (file, "data", "draw-validate", 160);
    }
    if (!g_key_file_save_to_file (file, to, error))
      g_clear_pointer (&to, g_free);
  } else {
    g_clear_pointer (&to, g_free);
  }
  g_key_file_unref (file);
  g_free (from);
  return to;
}

/* Mean and standard deviation of the accuracy over seeds 1 to r->seeds. */
static gboolean
measure_net (const Reproduce *r, int net, const Source *source, double *mean,
    double *spread, GError **error)
{
  char *recipe = write_recipe (r, net, source, error);
  double sum = 0, squares = 0;
  gboolean ok = recipe != NULL;

  for (int seed = 1; ok && seed <= r->seeds; seed++) {
    double last = 0;

    ok = train (r, recipe, "draw", seed, &last, error);
    sum += 100 * (1 - last);
    squares += 1e4 * (1 - last) * (1 - last);
  }
  *mean = sum / r->seeds;
  *spread = r->seeds > 1
      ? sqrt (MAX (0, squares - sum * *mean) / (r->seeds - 1))
      : NAN;
  g_free (recipe);
  return ok;
}

/* Errors, on a logarithmic axis. */
static gboolean
plot_five (const Reproduce *r, double errors[][FIVE], GError **error)
{
  const ToolCurve curves[] = { { "published 1989", errors[0] },
    { sources[0].name, errors[1] }, { sources[1].name, errors[2] },
    { sources[2].name, errors[3] } };
  char *path = g_build_filename (r->out, "five.png", NULL);
  gboolean ok = tool_plot_curves (path, "Test error of the five networks",
      "network", curves, G_N_ELEMENTS (curves), FIVE, error);

  g_free (path);
  return ok;
}

static gboolean
reproduce_five (Reproduce *r, GError **error)
{
  double errors[1 + G_N_ELEMENTS (sources)][FIVE];

  g_string_append_printf (r->table,
      "\n%d seeds each, accuracy with its standard deviation:\n\n"
      "| network | published | %s | %s | %s |\n|---|---|---|---|---|\n",
      r->seeds, sources[0].name, sources[1].name, sources[2].name);
  for (int net = 1; net <= FIVE; net++) {
    errors[0][net - 1] = 1 - published[net - 1] / 100;
    g_string_append_printf (r->table, "| Net-%d | %.1f %% |", net,
        published[net - 1]);
    printf ("Net-%d: published %.1f %%", net, published[net - 1]);
    for (gsize s = 0; s < G_N_ELEMENTS (sources); s++) {
      double mean, spread;

      if (!measure_net (r, net, &sources[s], &mean, &spread, error))
        return FALSE;
      errors[1 + s][net - 1] = 1 - mean / 100;
      g_string_append_printf (r->table, " %.1f ± %.1f %% |", mean, spread);
      printf (", %s %.1f ± %.1f %%", sources[s].name, mean, spread);
    }
    g_string_append_c (r->table, '\n');
    putchar ('\n');
    fflush (stdout);
  }
  return plot_five (r, errors, error);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Names of all folders with a recipe, in order. */
static char **
find_models (const Reproduce *r, GError **error)
{
  GPtrArray *names = g_ptr_array_new ();
  GDir *dir = g_dir_open (r->models, 0, error);
  const char *name;

  while (dir && (name = g_dir_read_name (dir))) {
    char *recipe = g_build_filename (r->models, name, "recipe", NULL);

    if (g_file_test (recipe, G_FILE_TEST_IS_REGULAR))
      g_ptr_array_add (names, g_strdup (name));
    g_free (recipe);
  }
  if (dir)
    g_dir_close (dir);
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

static gboolean
reproduce (Reproduce *r, char **names, GError **error)
{
  char **all = *names ? g_strdupv (names) : find_models (r, error);
  char *path = g_build_filename (r->out, "figures.md", NULL);
  gboolean ok = *all != NULL || (error && *error)
      ? *all != NULL
      : tool_fail (error, "%s: no recipes", r->models);

  r->table = g_string_new ("| model | error | training | beside the one here "
                           "|\n|---|---|---|---|\n");
  r->detectors = g_string_new (
      "\n| detector | scenes | precision | recall | mAP@0.5 | false a picture "
      "|\n|---|---|---|---|---|---|\n");
  for (int i = 0; ok && all[i]; i++)
    ok = reproduce_model (r, all[i], error);
  g_string_append (r->table, r->detectors->str);
  ok = ok && (!r->seeds || reproduce_five (r, error))
      && g_file_set_contents (path, r->table->str, (gssize) r->table->len,
          error);
  g_string_free (r->detectors, TRUE);
  g_string_free (r->table, TRUE);
  g_free (path);
  g_strfreev (all);
  return ok;
}

gboolean
tool_reproduce (int argc, char **argv, GError **error)
{
  Reproduce r = { .seeds = 10, .scenes = 100 };
  char **args = NULL;
  gboolean ok =
      parse (&r, argc, argv, &args, error) && reproduce (&r, args, error);

  g_strfreev (args);
  g_free (r.models);
  g_free (r.out);
  g_free (r.data);
  return ok;
}
