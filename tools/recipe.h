/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* recipe.h: what a network is made of and how it is trained, from a text
 * file. The grammar is in docs/recipes.md. */

#ifndef TOOL_RECIPE_H
#define TOOL_RECIPE_H

#include <cnn/train.h>

#include "tool.h"

/** How the learning rate changes during training. */
typedef enum
{
  TOOL_RATE_CONSTANT,
  TOOL_RATE_STEP,
  TOOL_RATE_COSINE
} ToolRateKind;

/**
 * ToolRate:
 * @rate: its greatest value
 * @warmup: epochs in which it rises from 0
 * @every, @factor: of STEP: after each @every epochs it is multiplied
 * @to: of COSINE: where it ends, as a fraction of @rate
 */
typedef struct
{
  ToolRateKind kind;
  double rate, warmup, every, factor, to;
} ToolRate;

/**
 * ToolRecipe:
 * @channels, @height, @width: of the input
 * @labels: names of the classes, NULL-terminated
 * @background: class that means "nothing here", -1 = none
 * @threshold: confidence threshold to write into the model, -1 = none
 * @boxes: whether there is a box head
 * @border: pixels around frames that windows may reach over
 * @min_size: height of the smallest objects to look for, 0 = the model's own
 * @layers: as written, see layers.h
 * @train, @validate, @backgrounds: (nullable): paths below the data folder
 * @draw_train, @draw_validate: how many digits to draw of them, 0 = all
 * @draw_seed: which
 * @warp: without a zoom
 * @has_scenes: whether windows are cut from scenes, as @scenes and @sources say,
 *   instead of made one by one as @warp says
 * @letters: pictures of letters to draw for them, in @fonts (families)
 */
typedef struct
{
  int channels, height, width;
  CnnPixelRange range;
  char **labels;
  int background;
  double object_size, threshold;
  gboolean boxes;
  int border, min_size;
  char *layers;
  char *train, *validate, *backgrounds;
  int draw_train, draw_validate;
  guint64 draw_seed;
  gboolean has_scenes;
  CnnScenesConfig scenes;
  CnnSceneSources sources;
  int letters;
  CnnWarp warp;
  char **fonts;
  CnnTrainOptions options;
  ToolRate rate;
  int epochs;
} ToolRecipe;

/** tool_recipe_read: Returns: (transfer full): NULL on error, which names
 * file, group and key. Free with tool_recipe_free(). */
ToolRecipe *tool_recipe_read (const char *path, GError **error);

/** tool_recipe_free: @recipe: (nullable) */
void tool_recipe_free (ToolRecipe *recipe);

/** tool_recipe_model: Returns: (transfer full): the network with weights of
 * zero and the metadata of the recipe. */
CnnModel *tool_recipe_model (const ToolRecipe *recipe, GError **error);

/** tool_rate_at: Returns: the rate after @epoch epochs (with a fraction) of
 * @epochs. */
double tool_rate_at (const ToolRate *rate, double epoch, double epochs);

#endif
