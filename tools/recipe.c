/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* recipe.c: reads recipes (GKeyFile syntax) strictly: a group or key that is
 * not known is an error, because a misspelt one would train another network
 * without a word. */

#include "recipe.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include <cnn/detect.h>

#include "layers.h"

#define MAX_SIDE   1024
#define MAX_EPOCHS 100000
#define MAX_BORDER 256
#define MAX_WINDOW 64
#define MAX_SIZE   32768

typedef struct
{
  GKeyFile *file;
  ToolRecipe *recipe;
} Reader;

static const char *const model_keys[] = { "input", "labels", "background",
  "layers", "object-size", "range", "threshold", "boxes", "border", "min-size",
  NULL };
static const char *const data_keys[] = { "train", "validate", "backgrounds",
  "draw-train", "draw-validate", "draw-seed", NULL };
static const char *const warp_keys[] = { "shift", "scale", "rotate", "shear",
  "elastic", NULL };
static const char *const train_keys[] = { "loss", "optimiser", "rate", "batch",
  "epochs", "seed", "weight-decay", "label-smoothing", "average", "box-weight",
  NULL };

static const char *const scenes_keys[] = { "count", "windows", "scale-factor",
  "black", "empty", "enlarged", "pen", "letters", "fonts", "invert",
  "contrast-min", "noise", "photographs", "turned", "sizes", "off-centre",
  NULL };

static const struct
{
  const char *name;
  const char *onnx;
  CnnPixelRange range;
} ranges[] = {
  { "0..1", "Normalized_0_1", CNN_RANGE_0_1 },
  { "-1..1", "Normalized_1_1", CNN_RANGE_1_1 },
  { "0..255", "NominalRange_0_255", CNN_RANGE_0_255 },
};

/* Returns: (transfer full) (nullable): the value without blanks around. */
static char *
get (const Reader *reader, const char *group, const char *key)
{
  char *value = g_key_file_get_string (reader->file, group, key, NULL);

  return value ? g_strstrip (value) : NULL;
}

/* Words of a value, without the empty ones. */
static char **
get_words (const Reader *reader, const char *group, const char *key)
{
  char *value = get (reader, group, key);
  GPtrArray *words = g_ptr_array_new ();
  char **parts;

  if (value) {
    parts = g_strsplit_set (value, " \t", -1);
    for (int i = 0; parts[i]; i++)
      if (*parts[i])
        g_ptr_array_add (words, g_strdup (parts[i]));
    g_strfreev (parts);
  }
  g_ptr_array_add (words, NULL);
  g_free (value);
  return (char **) g_ptr_array_free (words, FALSE);
}

/* A missing key leaves *value as it is. */
static gboolean
get_double (const Reader *reader, const char *group, const char *key,
    double low, double high, double *value, GError **error)
{
  char *text = get (reader, group, key);
  gboolean ok = !text || tool_parse_double (text, low, high, value, error);

  if (!ok)
    g_prefix_error (error, "[%s] %s: ", group, key);
  g_free (text);
  return ok;
}

static gboolean
get_int (const Reader *reader, const char *group, const char *key, gint64 low,
    gint64 high, gint64 *value, GError **error)
{
  char *text = get (reader, group, key);
  gboolean ok = !text || tool_parse_int (text, low, high, value, error);

  if (!ok)
    g_prefix_error (error, "[%s] %s: ", group, key);
  g_free (text);
  return ok;
}

static gboolean
check_group (const Reader *reader, const char *group, GError **error)
{
  char **keys = g_key_file_get_keys (reader->file, group, NULL, NULL);
  const char *const *known = NULL;
  gboolean ok = TRUE;

  if (strcmp (group, "model") == 0)
    known = model_keys;
  else if (strcmp (group, "data") == 0)
    known = data_keys;
  else if (strcmp (group, "train") == 0)
    known = train_keys;
  else if (strcmp (group, "scenes") == 0)
    known = scenes_keys;
  else if (strcmp (group, "warp") == 0)
    known = warp_keys;
  else
    ok = tool_fail (error, "no such group: [%s]", group);
  for (int i = 0; ok && keys && keys[i]; i++)
    if (!g_strv_contains (known, keys[i]))
      ok = tool_fail (error, "[%s]: no such key: %s", group, keys[i]);
  g_strfreev (keys);
  return ok;
}

static gboolean
check_keys (const Reader *reader, GError **error)
{
  char **groups = g_key_file_get_groups (reader->file, NULL);
  gboolean ok = TRUE;

  for (int i = 0; ok && groups[i]; i++)
    ok = check_group (reader, groups[i], error);
  g_strfreev (groups);
  return ok;
}

static gboolean
read_input (Reader *reader, GError **error)
{
  ToolRecipe *recipe = reader->recipe;
  char *text = get (reader, "model", "input");
  char **parts = g_strsplit (text ? text : "", "x", 4);
  gint64 c = 0, h = 0, w = 0;
  gboolean ok = g_strv_length (parts) == 3
      && tool_parse_int (parts[0], 1, 3, &c, NULL) && c != 2
      && tool_parse_int (parts[1], 1, MAX_SIDE, &h, NULL)
      && tool_parse_int (parts[2], 1, MAX_SIDE, &w, NULL) && w == h;

  recipe->channels = (int) c;
  recipe->height = (int) h;
  recipe->width = (int) w;
  if (!ok)
    tool_fail (error,
        "[model] input: '%s' is not like 1x32x32: 1 or 3 channels and two "
        "equal sides",
        text ? text : "");
  g_strfreev (parts);
  g_free (text);
  return ok;
}

static gboolean
read_labels (Reader *reader, GError **error)
{
  ToolRecipe *recipe = reader->recipe;
  char *background = get (reader, "model", "background");
  gboolean ok = TRUE;

  recipe->labels = get_words (reader, "model", "labels");
  recipe->background = -1;
  if (g_strv_length (recipe->labels) < 2)
    ok = tool_fail (error, "[model] labels: at least two are needed");
  if (ok && background && *background) {
    for (int i = 0; recipe->labels[i]; i++)
      if (strcmp (recipe->labels[i], background) == 0)
        recipe->background = i;
    if (recipe->background < 0)
      ok = tool_fail (error, "[model] background: '%s' is none of the labels",
          background);
  }
  g_free (background);
  return ok;
}

static gboolean
read_range (Reader *reader, GError **error)
{
  char *text = get (reader, "model", "range");
  gboolean ok = !text;

  reader->recipe->range = CNN_RANGE_0_1;
  for (gsize i = 0; text && i < G_N_ELEMENTS (ranges); i++)
    if (strcmp (text, ranges[i].name) == 0) {
      reader->recipe->range = ranges[i].range;
      ok = TRUE;
    }
  if (!ok)
    tool_fail (error, "[model] range: '%s' is none of 0..1, -1..1, 0..255",
        text);
  g_free (text);
  return ok;
}

static gboolean
read_model (Reader *reader, GError **error)
{
  ToolRecipe *recipe = reader->recipe;
  gint64 boxes = 0, border = 0, least = 0;
  gboolean ok;

  recipe->object_size = 1;
  recipe->threshold = -1;
  recipe->layers = get (reader, "model", "layers");
  if (!recipe->layers)
    return tool_fail (error, "[model] layers is missing");
  ok = read_input (reader, error) && read_labels (reader, error)
      && read_range (reader, error)
      && get_double (reader, "model", "object-size", 0.01, 1,
          &recipe->object_size, error)
      && get_double (reader, "model", "threshold", 0, 1, &recipe->threshold,
          error)
      && get_int (reader, "model", "boxes", 0, 1, &boxes, error)
      && get_int (reader, "model", "border", 0, MAX_BORDER, &border, error)
      && get_int (reader, "model", "min-size", 0, MAX_SIZE, &least, error);
  recipe->boxes = boxes != 0;
  recipe->border = (int) border;
  recipe->min_size = (int) least;
  return ok;
}

static gboolean
read_draw (Reader *reader, GError **error)
{
  ToolRecipe *recipe = reader->recipe;
  gint64 train = 0, validate = 0, seed = 1;
  gboolean ok =
      get_int (reader, "data", "draw-train", 0, G_MAXINT, &train, error)
      && get_int (reader, "data", "draw-validate", 0, G_MAXINT, &validate,
          error)
      && get_int (reader, "data", "draw-seed", 0, G_MAXINT64, &seed, error);

  recipe->draw_train = (int) train;
  recipe->draw_validate = (int) validate;
  recipe->draw_seed = (guint64) seed;
  return ok;
}

static gboolean
read_data (Reader *reader, GError **error)
{
  ToolRecipe *recipe = reader->recipe;

  recipe->train = get (reader, "data", "train");
  recipe->validate = get (reader, "data", "validate");
  recipe->backgrounds = get (reader, "data", "backgrounds");
  if (!recipe->train)
    return tool_fail (error, "[data] train is missing");
  return read_draw (reader, error);
}

static gboolean
read_scale (Reader *reader, const char *group, double *min, double *max,
    GError **error)
{
  char **words = get_words (reader, group, "scale");
  guint count = g_strv_length (words);
  gboolean ok = TRUE;

  *min = *max = 1;
  if (count)
    ok = count == 2 && tool_parse_double (words[0], 0.05, 20, min, NULL)
        && tool_parse_double (words[1], *min, 20, max, NULL);
  g_strfreev (words);
  if (!ok)
    return tool_fail (error,
        "[%s] scale: two sizes are wanted, the smaller first, like: 0.8 1.25",
        group);
  return TRUE;
}

/* "elastic=0.8 4": how far, and how far it hangs together. */
static gboolean
read_elastic (Reader *reader, GError **error)
{
  CnnWarp *warp = &reader->recipe->warp;
  char **words = get_words (reader, "warp", "elastic");
  guint count = g_strv_length (words);
  gboolean ok = !count
      || (count == 2
          && tool_parse_double (words[0], 0, 16, &warp->elastic, NULL)
          && tool_parse_double (words[1], 0.5, 16, &warp->smooth, NULL));

  g_strfreev (words);
  if (!ok)
    return tool_fail (error,
        "[warp] elastic: its size in pixels and its smoothness, 0.5 to 16, "
        "are wanted, like: 0.8 4");
  return TRUE;
}

static gboolean
read_warp (Reader *reader, GError **error)
{
  ToolRecipe *recipe = reader->recipe;
  CnnWarp *warp = &recipe->warp;

  warp->window = recipe->height;
  if (recipe->has_scenes && g_key_file_has_group (reader->file, "warp"))
    return tool_fail (error, "[warp] and [scenes] exclude each other");
  if (recipe->height > MAX_WINDOW)
    return tool_fail (error,
        "[model] input: windows to learn from have at most %d pixels a side",
        MAX_WINDOW);
  return get_double (reader, "warp", "shift", 0, MAX_SIDE, &warp->shift, error)
      && get_double (reader, "warp", "rotate", 0, 180, &warp->rotate, error)
      && get_double (reader, "warp", "shear", 0, 2, &warp->shear, error)
      && read_scale (reader, "warp", &warp->scale_min, &warp->scale_max, error)
      && read_elastic (reader, error);
}

/* Families parted by semicolons: their names have blanks. */
static gboolean
read_fonts (Reader *reader, GError **error)
{
  ToolRecipe *recipe = reader->recipe;
  char *text = get (reader, "scenes", "fonts");

  recipe->fonts = g_strsplit (text ? text : "", ";", -1);
  for (int i = 0; recipe->fonts[i]; i++)
    g_strstrip (recipe->fonts[i]);
  g_free (text);
  if (recipe->letters && !recipe->fonts[0])
    return tool_fail (error, "[scenes] letters without fonts");
  return TRUE;
}

static gboolean
read_sizes (Reader *reader, GError **error)
{
  CnnScenesConfig *c = &reader->recipe->scenes;
  char **words = get_words (reader, "scenes", "sizes");
  guint count = g_strv_length (words);
  gboolean ok;

  c->size_min = 0.74;
  c->size_max = 1.36;
  ok = !count
      || (count == 2
          && tool_parse_double (words[0], 0.55, 1, &c->size_min, NULL)
          && tool_parse_double (words[1], 1, 1.85, &c->size_max, NULL)
          && c->size_min < c->size_max);
  g_strfreev (words);
  if (!ok)
    return tool_fail (error,
        "[scenes] sizes: two are wanted, 0.55 to 1 and 1 to 1.85, like: 0.74 "
        "1.36");
  return TRUE;
}

static gboolean
read_scenes (Reader *reader, GError **error)
{
  ToolRecipe *recipe = reader->recipe;
  CnnScenesConfig *c = &recipe->scenes;
  CnnSceneSources *s = &recipe->sources;
  gint64 count = 600, windows = 96, letters = 0;

  recipe->has_scenes = g_key_file_has_group (reader->file, "scenes");
  if (!recipe->has_scenes)
    return TRUE;
  if (recipe->background < 0 || recipe->channels != 1)
    return tool_fail (error,
        "[scenes] are for networks with one channel and a background class");
  c->scale_factor = CNN_DEFAULT_SCALE_FACTOR;
  c->off_centre = 3.2;
  s->contrast_min = 1;
  if (!get_int (reader, "scenes", "count", 1, 1000000, &count, error)
      || !get_int (reader, "scenes", "windows", 4, 1000, &windows, error)
      || !get_double (reader, "scenes", "scale-factor", 1.1, 4,
          &c->scale_factor, error)
      || !get_double (reader, "scenes", "black", 0, 1, &s->black_share, error)
      || !get_double (reader, "scenes", "empty", 0, 1, &s->empty_share, error)
      || !get_double (reader, "scenes", "enlarged", 0, 1, &c->enlarged_share,
          error)
      || !get_double (reader, "scenes", "pen", 0, 1, &s->pen_share, error)
      || !get_int (reader, "scenes", "letters", 0, 100000, &letters, error)
      || !get_double (reader, "scenes", "invert", 0, 1, &s->invert, error)
      || !get_double (reader, "scenes", "contrast-min", 0, 1, &s->contrast_min,
          error)
      || !get_double (reader, "scenes", "noise", 0, 1, &s->noise, error)
      || !get_double (reader, "scenes", "turned", 0, 1, &s->turned, error)
      || !get_double (reader, "scenes", "photographs", 0, 1, &s->bare_share,
          error)
      || !get_double (reader, "scenes", "off-centre", 1, 6, &c->off_centre,
          error)
      || !read_sizes (reader, error))
    return FALSE;
  c->window = recipe->height;
  c->border = recipe->border;
  c->object = recipe->object_size * recipe->height;
  c->background = recipe->background;
  c->count = (int) count;
  c->windows = (int) windows;
  recipe->letters = (int) letters;
  return read_fonts (reader, error);
}

/* "momentum=0.9" of @words[1...] into *values, by @keys. */
static gboolean
read_settings (char **words, const char *const *keys, double *const *values,
    double low, double high, GError **error)
{
  for (int i = 1; words[i]; i++) {
    char *equals = strchr (words[i], '=');
    int k = 0;

    if (!equals)
      return tool_fail (error, "'%s' is not like key=value", words[i]);
    *equals = '\0';
    while (keys[k] && strcmp (keys[k], words[i]) != 0)
      k++;
    if (!keys[k])
      return tool_fail (error, "'%s' has no setting '%s'", words[0], words[i]);
    if (!tool_parse_double (equals + 1, low, high, values[k], error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_optimiser (Reader *reader, GError **error)
{
  CnnTrainOptions *options = &reader->recipe->options;
  char **words = get_words (reader, "train", "optimiser");
  const char *const sgd_keys[] = { "momentum", NULL };
  const char *const adam_keys[] = { "beta1", "beta2", NULL };
  double *values[] = { &options->momentum, &options->beta2 };
  gboolean ok;

  options->momentum = 0.9;
  options->beta2 = 0.999;
  if (!words[0] || strcmp (words[0], "sgd") == 0) {
    options->optimiser = CNN_OPTIMISER_SGD;
    ok =
        !words[0] || read_settings (words, sgd_keys, values, 0, 0.99999, error);
  } else if (strcmp (words[0], "adam") == 0) {
    options->optimiser = CNN_OPTIMISER_ADAM;
    ok = read_settings (words, adam_keys, values, 0, 0.99999, error);
  } else {
    ok = tool_fail (error, "'%s' is neither sgd nor adam", words[0]);
  }
  if (!ok)
    g_prefix_error (error, "[train] optimiser: ");
  g_strfreev (words);
  return ok;
}

/* "0.05 cosine warmup=0.5": the number, the schedule, its settings. */
static gboolean
parse_rate (char **words, ToolRate *rate, GError **error)
{
  const char *const keys[3][4] = { { "warmup", NULL },
    { "warmup", "every", "factor", NULL }, { "warmup", "to", NULL } };
  double *values[3][3] = { { &rate->warmup },
    { &rate->warmup, &rate->every, &rate->factor },
    { &rate->warmup, &rate->to } };
  const char *const names[] = { "constant", "step", "cosine" };

  *rate = (ToolRate){ .every = 1, .factor = 0.5 };
  if (!words[0])
    return tool_fail (error, "it is missing");
  if (!tool_parse_double (words[0], 0, 1000, &rate->rate, error))
    return FALSE;
  if (!words[1])
    return TRUE;
  for (int i = 0; i < 3; i++)
    if (strcmp (words[1], names[i]) == 0) {
      rate->kind = (ToolRateKind) i;
      if (!read_settings (words + 1, keys[i], values[i], 0, MAX_EPOCHS, error))
        return FALSE;
      if (rate->every <= 0)
        return tool_fail (error, "every=0 makes no sense");
      return TRUE;
    }
  return tool_fail (error, "'%s' is none of constant, step, cosine", words[1]);
}

static gboolean
read_rate (Reader *reader, GError **error)
{
  char **words = get_words (reader, "train", "rate");
  gboolean ok = parse_rate (words, &reader->recipe->rate, error);

  if (!ok)
    g_prefix_error (error, "[train] rate: ");
  g_strfreev (words);
  return ok;
}

static gboolean
read_train (Reader *reader, GError **error)
{
  ToolRecipe *recipe = reader->recipe;
  CnnTrainOptions *options = &recipe->options;
  char *loss = get (reader, "train", "loss");
  gint64 batch = 64, epochs = 1, seed = 1;

  options->box_weight = 1;
  gboolean ok = TRUE;

  if (loss && strcmp (loss, "squared-error") == 0)
    options->loss = CNN_LOSS_SQUARED_ERROR;
  else if (loss && strcmp (loss, "cross-entropy") != 0)
    ok = tool_fail (error,
        "[train] loss: '%s' is neither cross-entropy nor squared-error", loss);
  g_free (loss);
  ok = ok && read_optimiser (reader, error) && read_rate (reader, error)
      && get_int (reader, "train", "batch", 1, 65536, &batch, error)
      && get_int (reader, "train", "epochs", 1, MAX_EPOCHS, &epochs, error)
      && get_int (reader, "train", "seed", 0, G_MAXINT64, &seed, error)
      && get_double (reader, "train", "weight-decay", 0, 1,
          &options->weight_decay, error)
      && get_double (reader, "train", "label-smoothing", 0, 0.9,
          &options->label_smoothing, error)
      && get_double (reader, "train", "box-weight", 0, 100,
          &options->box_weight, error)
      && get_double (reader, "train", "average", 0, 0.999999, &options->average,
          error);
  options->batch = (int) batch;
  options->seed = (guint64) seed;
  recipe->epochs = (int) epochs;
  return ok;
}

ToolRecipe *
tool_recipe_read (const char *path, GError **error)
{
  Reader reader = { .file = g_key_file_new (),
    .recipe = g_new0 (ToolRecipe, 1) };
  gboolean ok =
      g_key_file_load_from_file (reader.file, path, G_KEY_FILE_NONE, error)
      && check_keys (&reader, error) && read_model (&reader, error)
      && read_data (&reader, error) && read_scenes (&reader, error)
      && read_warp (&reader, error) && read_train (&reader, error);

  g_key_file_unref (reader.file);
  if (ok)
    return reader.recipe;
  g_prefix_error (error, "%s: ", path);
  tool_recipe_free (reader.recipe);
  return NULL;
}

void
tool_recipe_free (ToolRecipe *recipe)
{
  if (!recipe)
    return;
  g_strfreev (recipe->labels);
  g_free (recipe->layers);
  g_strfreev (recipe->fonts);
  g_free (recipe->train);
  g_free (recipe->validate);
  g_free (recipe->backgrounds);
  g_free (recipe);
}

static CnnStatus
set_metadata (const ToolRecipe *recipe, CnnGraph *graph, CnnError *cause)
{
  char *labels = g_strjoinv ("\n", recipe->labels);
  char size[G_ASCII_DTOSTR_BUF_SIZE], threshold[G_ASCII_DTOSTR_BUF_SIZE];
  char border[16], least[16];
  const char *range = NULL;
  CnnStatus status = CNN_OK;

  for (gsize i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (ranges[i].range == recipe->range)
      range = ranges[i].onnx;
  g_ascii_formatd (size, sizeof size, "%.6g", recipe->object_size);
  g_ascii_formatd (threshold, sizeof threshold, "%.6g", recipe->threshold);
  g_snprintf (border, sizeof border, "%d", recipe->border);
  g_snprintf (least, sizeof least, "%d", recipe->min_size);

  const char *const pairs[][2] = {
    { "Image.BitmapPixelFormat", recipe->channels == 1 ? "Gray8" : "Rgb8" },
    { "Image.NominalPixelRange", range },
    { "convnet.labels", labels },
    { "convnet.background",
        recipe->background < 0 ? NULL : recipe->labels[recipe->background] },
    { "convnet.output", "logits" },
    { "convnet.object-size", size },
    { "convnet.threshold", recipe->threshold < 0 ? NULL : threshold },
    { "convnet.boxes", recipe->boxes ? TOOL_LAYERS_BOXES : NULL },
    { "convnet.border", recipe->border ? border : NULL },
    { "convnet.min-size", recipe->min_size ? least : NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (pairs) && status == CNN_OK; i++)
    if (pairs[i][1])
      status = cnn_graph_set_metadata (graph, pairs[i][0], pairs[i][1], cause);
  g_free (labels);
  return status;
}

CnnModel *
tool_recipe_model (const ToolRecipe *recipe, GError **error)
{
  CnnGraph *graph = NULL;
  CnnModel *model = NULL;
  CnnError cause = { 0 };

  if (cnn_graph_new (CNN_GRAPH_OPSET, &graph, &cause) != CNN_OK
      || set_metadata (recipe, graph, &cause) != CNN_OK) {
    tool_fail_cnn (error, "network", &cause);
    goto fail;
  }
  if (!tool_layers_build (graph, recipe->layers, recipe->channels,
          recipe->height, recipe->width, (int) g_strv_length (recipe->labels),
          recipe->boxes, error))
    goto fail;
  if (cnn_model_new (graph, &model, &cause) != CNN_OK) {
    tool_fail_cnn (error, "network", &cause);
    return NULL;
  }
  return model;

fail:
  cnn_graph_free (graph);
  return NULL;
}

double
tool_rate_at (const ToolRate *rate, double epoch, double epochs)
{
  double value = rate->rate, done;

  if (epoch < rate->warmup)
    return value * epoch / rate->warmup;
  switch (rate->kind) {
    case TOOL_RATE_CONSTANT:
      break;
    case TOOL_RATE_STEP:
      value *= pow (rate->factor, floor (epoch / rate->every));
      break;
    case TOOL_RATE_COSINE:
      done = epochs > rate->warmup
          ? (epoch - rate->warmup) / (epochs - rate->warmup)
          : 1;
      value *= rate->to + (1 - rate->to) * 0.5 * (1 + cos (G_PI * done));
      break;
  }
  return value;
}
