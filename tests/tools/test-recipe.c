/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-recipe.c: recipes that are right, and every way to get one wrong. */

#include <string.h>

#include "fixture.h"
#include "recipe.h"

#define MODEL                                                                  \
  "[model]\ninput=1x32x32\nlabels=0 1 none\nbackground=none\n"                 \
  "object-size=0.625\n"
#define LAYERS "layers=conv 4 5x5; relu; maxpool 2; dense 3\n"
#define DATA   "[data]\ntrain=mnist/train\n"
#define TRAIN  "[train]\nrate=0.1\n"

static ToolRecipe *
read_text (const char *text, GError **error)
{
  char *folder = fixture_folder ();
  char *path = fixture_path (folder, "recipe");
  ToolRecipe *recipe;

  fixture_write_text (folder, "recipe", text);
  recipe = tool_recipe_read (path, error);
  g_free (path);
  fixture_remove (folder);
  return recipe;
}

static void
test_all_keys (void)
{
  GError *error = NULL;
  ToolRecipe *r = read_text ("[model]\ninput=3x20x20\nlabels=0 1 2\n"
                             "range=-1..1\nthreshold=0.75\n"
                             "layers=dense 3;\n"
                             "[data]\ntrain=a/b\nvalidate=c\nbackgrounds=d\n"
                             "[warp]\nshift=3\nscale=0.5 2\n"
                             "[train]\nloss=cross-entropy\n"
                             "optimiser=adam beta2=0.99\n"
                             "rate=0.01 step every=3 factor=0.1 warmup=1\n"
                             "batch=7\nepochs=9\nseed=5\nweight-decay=0.01\n"
                             "label-smoothing=0.1\n",
      &error);

  g_assert_no_error (error);
  g_assert_cmpint (r->channels, ==, 3);
  g_assert_cmpint (r->height, ==, 20);
  g_assert_cmpint (r->background, ==, -1);
  g_assert_cmpint (r->range, ==, CNN_RANGE_1_1);
  g_assert_cmpfloat (r->threshold, ==, 0.75);
  g_assert_cmpstr (r->train, ==, "a/b");
  g_assert_cmpstr (r->validate, ==, "c");
  g_assert_cmpstr (r->backgrounds, ==, "d");
  g_assert_cmpint (r->warp.window, ==, 20);
  g_assert_cmpfloat (r->warp.shift, ==, 3);
  g_assert_cmpfloat (r->warp.scale_min, ==, 0.5);
  g_assert_cmpfloat (r->warp.scale_max, ==, 2);
  g_assert_cmpint (r->options.optimiser, ==, CNN_OPTIMISER_ADAM);
  g_assert_cmpfloat (r->options.momentum, ==, 0.9);
  g_assert_cmpfloat (r->options.beta2, ==, 0.99);
  g_assert_cmpfloat (r->options.weight_decay, ==, 0.01);
  g_assert_cmpfloat (r->options.label_smoothing, ==, 0.1);
  g_assert_cmpint (r->options.batch, ==, 7);
  g_assert_cmpuint (r->options.seed, ==, 5);
  g_assert_cmpint (r->epochs, ==, 9);
  g_assert_cmpint (r->rate.kind, ==, TOOL_RATE_STEP);
  g_assert_cmpfloat (r->rate.every, ==, 3);
  g_assert_cmpfloat (r->rate.factor, ==, 0.1);
  g_assert_cmpfloat (r->rate.warmup, ==, 1);
  tool_recipe_free (r);
}

static const struct
{
  const char *text;
  const char *word;
} wrong[] = {
  { "no groups", "recipe" },
  { MODEL LAYERS DATA, "rate" },
  { MODEL DATA TRAIN, "layers" },
  { MODEL LAYERS TRAIN, "train" },
  { MODEL LAYERS DATA TRAIN "bacth=3\n", "bacth" },
  { MODEL LAYERS DATA TRAIN "[agument]\nshift=3\n", "agument" },
  { MODEL LAYERS DATA TRAIN "[scenes]\nnoize=3\n", "noize" },
  { MODEL LAYERS DATA TRAIN "[scenes]\nnoise=3\n", "not between" },
  { MODEL LAYERS DATA TRAIN "[scenes]\nnoise=nan\n", "no number" },
  { MODEL LAYERS DATA TRAIN "[warp]\nscale=2 1\n", "scale" },
  { MODEL LAYERS DATA TRAIN "[warp]\nscale=2\n", "[warp] scale" },
  { MODEL LAYERS DATA TRAIN "[warp]\nelastic=2\n", "elastic" },
  { MODEL LAYERS DATA TRAIN "[warp]\nelastic=2 0\n", "elastic" },
  { MODEL LAYERS DATA TRAIN "[warp]\nnoise=0.1\n", "noise" },
  { MODEL LAYERS DATA TRAIN "[warp]\n[scenes]\n", "exclude" },
  { "[model]\ninput=1x65x65\nlabels=0 1\n" LAYERS DATA TRAIN "[warp]\n", "64" },
  { MODEL LAYERS DATA "draw-train=-1\n" TRAIN, "draw-train" },
  { MODEL LAYERS DATA TRAIN "batch=0\n", "batch" },
  { MODEL LAYERS DATA TRAIN "batch=4x\n", "batch" },
  { MODEL LAYERS DATA TRAIN "epochs=99999999999999999999\n", "epochs" },
  { MODEL LAYERS DATA TRAIN "loss=hinge\n", "hinge" },
  { MODEL LAYERS DATA TRAIN "optimiser=adagrad\n", "adagrad" },
  { MODEL LAYERS DATA TRAIN "optimiser=sgd beta2=1\n", "beta2" },
  { MODEL "boxes=1\n" LAYERS DATA TRAIN "[scenes]\ncuont=3\n", "cuont" },
  { MODEL "border=-1\n" LAYERS DATA TRAIN, "border" },
  { "[model]\ninput=1x32x32\nlabels=0 1\n" LAYERS DATA TRAIN "[scenes]\n",
      "background" },
  { MODEL LAYERS DATA "[train]\nrate=fast\n", "fast" },
  { MODEL LAYERS DATA "[train]\nrate=0.1 zigzag\n", "zigzag" },
  { MODEL LAYERS DATA "[train]\nrate=0.1 step every=0\n", "every" },
  { "[model]\ninput=1x32\nlabels=0 1\n" LAYERS DATA TRAIN, "input" },
  { "[model]\ninput=1x32x31\nlabels=0 1\n" LAYERS DATA TRAIN, "input" },
  { "[model]\ninput=2x32x32\nlabels=0 1\n" LAYERS DATA TRAIN, "input" },
  { "[model]\ninput=1x32x32\nlabels=0\n" LAYERS DATA TRAIN, "labels" },
  { "[model]\ninput=1x32x32\nlabels=0 1\nbackground=x\n" LAYERS DATA TRAIN,
      "'x'" },
  { "[model]\ninput=1x32x32\nlabels=0 1\nrange=0..2\n" LAYERS DATA TRAIN,
      "0..2" },
};

static void
test_wrong (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    GError *error = NULL;
    ToolRecipe *recipe = read_text (wrong[i].text, &error);

    g_test_message ("%s", wrong[i].text);
    g_assert_null (recipe);
    g_assert_nonnull (error);
    g_assert_nonnull (strstr (error->message, "recipe: "));
    g_assert_nonnull (strstr (error->message, wrong[i].word));
    g_clear_error (&error);
  }
}

static CnnModel *
build (const char *layers, GError **error)
{
  char *text = g_strconcat (MODEL "layers=", layers, "\n" DATA TRAIN, NULL);
  ToolRecipe *recipe = read_text (text, error);
  CnnModel *model = recipe ? tool_recipe_model (recipe, error) : NULL;

  tool_recipe_free (recipe);
  g_free (text);
  return model;
}

static const char *const right_layers[] = {
  "dense 3",
  "conv 4 5x5; relu; maxpool 2; conv 6 5; tanh; avgpool 2; dense 20; sigmoid; "
  "dropout 0.3; dense 3",
  "conv 4 3x5 stride=2x1 pad=1; relu; conv 4 3 dilation=2 group=2; "
  "maxpool 2x3 stride=1; dense 3 ;",
  "conv 6 5 border=-1 pad=2 bias=unit; ltanh; subsample 2; "
  "conv 16 5 from table-lenet5 bias=map; local 2 3 stride=2; ltanh; dense 3; "
  "tanh",
};

static void
test_layers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (right_layers); i++) {
    GError *error = NULL;
    CnnModel *model = build (right_layers[i], &error);
    const CnnModelInfo *info;

    g_assert_no_error (error);
    info = cnn_model_info (model);
    g_assert_cmpint (info->channels, ==, 1);
    g_assert_cmpint (info->height, ==, 32);
    g_assert_cmpint (info->width, ==, 32);
    g_assert_cmpint (info->classes, ==, 3);
    g_assert_cmpstr (info->labels[2], ==, "none");
    g_assert_cmpint (info->background, ==, 2);
    g_assert_cmpint (info->output, ==, CNN_OUTPUT_LOGITS);
    g_assert_cmpfloat (info->object_size, ==, 0.625);
    g_assert_false (info->is_map);
    cnn_model_unref (model);
  }
}

static const struct
{
  const char *layers;
  const char *word;
} wrong_layers[] = {
  { ";", "no layers" },
  { "conv 4 5x5", "last layer" },
  { "dense 4", "last layer" },
  { "dense 3; relu; softmax", "softmax" },
  { "conv 4; dense 3", "wanted: conv" },
  { "conv 4 5x5 7; dense 3", "'7'" },
  { "conv 0 5x5; dense 3", "'0'" },
  { "conv 4 0x5; dense 3", "0x5" },
  { "conv 4 5x5x5; dense 3", "5x5x5" },
  { "conv 4 33x33; dense 3", "larger" },
  { "conv 4 5x5 strife=2; dense 3", "strife" },
  { "conv 4 5x5 stride=2 stride=2; dense 3", "twice" },
  { "conv 4 5x5 stride=; dense 3", "''" },
  { "conv 4 5x5 group=3; dense 3", "groups" },
  { "dense 3; conv 4 5x5; dense 3", "dense" },
  { "relu 3; dense 3", "'3'" },
  { "dropout 1; dense 3", "between" },
  { "conv 65536 1; conv 65536 1; dense 3", "million" },
  { "relu;; dense 3", "kind" },
  { "conv 16 5 from table-lenet5; dense 3", "for 16 maps from 6" },
  { "conv 4 5 from nowhere; dense 3", "nowhere" },
  { "conv 4 5 of table-lenet5; dense 3", "'of'" },
  { "conv 4 5 bias=cell; dense 3", "bias" },
  { "conv 4 5 pad=1 border=x; dense 3", "'x'" },
  { "local 1 5 border=x; dense 3", "'x'" },
  { "local 90 5; dense 3", "too many" },
  { "local 1 33; dense 3", "larger" },
  { "dense 3; local 1 1; dense 3", "dense" },
  { "dense 3; subsample 1; dense 3", "dense" },
  { "codes; dense 3", "84" },
  { "lcn 9x9; dense 3", "wanted: lcn" },
  { "lcn 9x9 0; dense 3", "between" },
  { "lcn 33x3 0.1; dense 3", "larger" },
};

static void
test_wrong_layers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (wrong_layers); i++) {
    GError *error = NULL;
    CnnModel *model = build (wrong_layers[i].layers, &error);

    g_test_message ("%s", wrong_layers[i].layers);
    g_assert_null (model);
    g_assert_nonnull (error);
    g_test_message ("-> %s", error->message);
    g_assert_nonnull (strstr (error->message, wrong_layers[i].word));
    g_clear_error (&error);
  }
}

static void
test_rates (void)
{
  ToolRate constant = { .rate = 2, .warmup = 4 };
  ToolRate step = { .kind = TOOL_RATE_STEP,
    .rate = 1,
    .every = 2,
    .factor = 0.5 };
  ToolRate cosine = { .kind = TOOL_RATE_COSINE, .rate = 1, .to = 0.1 };

  g_assert_cmpfloat (tool_rate_at (&constant, 1, 10), ==, 0.5);
  g_assert_cmpfloat (tool_rate_at (&constant, 9, 10), ==, 2);
  g_assert_cmpfloat (tool_rate_at (&step, 1.9, 10), ==, 1);
  g_assert_cmpfloat (tool_rate_at (&step, 4.1, 10), ==, 0.25);
  g_assert_cmpfloat_with_epsilon (tool_rate_at (&cosine, 0, 10), 1, 1e-12);
  g_assert_cmpfloat_with_epsilon (tool_rate_at (&cosine, 5, 10), 0.55, 1e-12);
  g_assert_cmpfloat_with_epsilon (tool_rate_at (&cosine, 10, 10), 0.1, 1e-12);
  cosine.warmup = 2;
  g_assert_cmpfloat_with_epsilon (tool_rate_at (&cosine, 1, 10), 0.5, 1e-12);
  g_assert_cmpfloat_with_epsilon (tool_rate_at (&cosine, 6, 10), 0.55, 1e-12);
}

#define DETECTOR                                                               \
  "[model]\ninput=1x24x24\nlabels=0 1 none\nbackground=none\n"                 \
  "object-size=0.5\nboxes=1\nborder=7\nmin-size=9\n"                           \
  "layers=lcn 5x7 0.001; conv 4 5x5; tanh; maxpool 2; dense 7\n"

/* A detector with weights as training begins with. */
static CnnModel *
fresh_detector (void)
{
  GError *error = NULL;
  CnnError cause = { 0 };
  ToolRecipe *recipe =
      read_text (DETECTOR DATA "[scenes]\ncount=5\nwindows=7\nblack=0.25\n"
                               "pen=0.5\n" TRAIN,
          &error);
  CnnModel *model, *fresh = NULL;
  CnnTrainer *trainer = NULL;

  g_assert_no_error (error);
  g_assert_true (recipe->has_scenes);
  g_assert_cmpint (recipe->scenes.window, ==, 24);
  g_assert_cmpint (recipe->scenes.border, ==, 7);
  g_assert_cmpfloat (recipe->scenes.object, ==, 12);
  g_assert_cmpint (recipe->scenes.count, ==, 5);
  g_assert_cmpfloat (recipe->sources.black_share, ==, 0.25);
  model = tool_recipe_model (recipe, &error);
  g_assert_no_error (error);
  recipe->options.batch = 4;
  g_assert_cmpint (cnn_trainer_new (model, &recipe->options, NULL, &trainer,
                       &cause),
      ==, CNN_OK);
  g_assert_cmpint (cnn_trainer_model (trainer, &fresh, &cause), ==, CNN_OK);
  cnn_trainer_free (trainer);
  cnn_model_unref (model);
  tool_recipe_free (recipe);
  return fresh;
}

static CnnSession *
session_for (CnnModel *model, int side)
{
  CnnError cause = { 0 };
  CnnSession *session = NULL;
  CnnShape shape = { 4, { 1, 1, side, side } };

  if (cnn_session_new (model, &shape, NULL, &session, &cause) != CNN_OK)
    g_error ("%s", cause.message);
  return session;
}

/* Both heads of a detector answer for each cell of a map what they answer for
 * its window, and do not see how bright the picture is or of what contrast. */
static void
test_detector (void)
{
  CnnModel *model = fresh_detector (), *map = NULL;
  CnnError cause = { 0 };
  const CnnModelInfo *info = cnn_model_info (model);
  CnnSession *whole, *patch;
  float x[40 * 40], *p;
  float contrast[] = { 1, 0.5f }, brightness[] = { 0, 0.3f };

  g_assert_cmpint (info->classes, ==, 3);
  g_assert_cmpint (info->boxes, ==, 1);
  g_assert_cmpint (info->border, ==, 7);
  g_assert_cmpint (info->min_size, ==, 9);
  g_assert_cmpint (cnn_model_to_map (model, &map, &cause), ==, CNN_OK);
  g_assert_cmpint (cnn_model_info (map)->boxes, ==, 1);
  whole = session_for (map, 40);
  patch = session_for (model, 24);
  p = cnn_session_input (patch, 0)->data;
  for (int i = 0; i < 40 * 40; i++)
    x[i] = (float) (i * 7919 % 1000) / 1000;
  memcpy (cnn_session_input (whole, 0)->data, x, sizeof x);
  cnn_session_run (whole);
  for (int k = 0; k < 2; k++)
    for (int cell = 0; cell < 81; cell += 10) {
      int top = cell / 9 * 2, left = cell % 9 * 2;

      for (int i = 0; i < 24 * 24; i++)
        p[i] = brightness[k]
            + contrast[k] * x[(top + i / 24) * 40 + left + i % 24];
      cnn_session_run (patch);
      for (int head = 0; head < 2; head++) {
        const CnnTensor *maps = cnn_session_output (whole, head);
        const CnnTensor *answers = cnn_session_output (patch, head);
        const float *here = (const float *) maps->data + cell;

        g_assert_cmpint (maps->shape.dims[1], ==, head ? 4 : 3);
        g_assert_cmpint (maps->shape.dims[2], ==, 9);
        for (int c = 0; c < maps->shape.dims[1]; c++)
          g_assert_cmpfloat_with_epsilon (((const float *) answers->data)[c],
              here[c * 81], k ? 1e-3 : 1e-5);
      }
    }
  cnn_session_free (patch);
  cnn_session_free (whole);
  cnn_model_unref (map);
  cnn_model_unref (model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/recipe/all-keys", test_all_keys);
  g_test_add_func ("/tools/recipe/wrong", test_wrong);
  g_test_add_func ("/tools/recipe/layers", test_layers);
  g_test_add_func ("/tools/recipe/wrong-layers", test_wrong_layers);
  g_test_add_func ("/tools/recipe/detector", test_detector);
  g_test_add_func ("/tools/recipe/rates", test_rates);
  return g_test_run ();
}
