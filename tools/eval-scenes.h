/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* eval-scenes.h: how well a detector finds digits in pictures with truth. */

#ifndef TOOL_EVAL_SCENES_H
#define TOOL_EVAL_SCENES_H

#include "tool.h"

/**
 * ToolEvalScenes:
 * @folder: pictures, each with its truth beside it (docs/scenes.md)
 * @worst: (nullable): folder for pictures of the worst errors
 * @threshold: -1 = the model's
 * @json: print JSON
 * @thresholds: print a table of what other thresholds would do
 * @threads: 0 = all cores
 */
typedef struct
{
  const char *folder, *worst;
  double threshold;
  gboolean json, thresholds;
  int threads;
} ToolEvalScenes;

/** tool_eval_scenes_in: Returns: whether there are pictures with truth in
 * @folder. */
gboolean tool_eval_scenes_in (const char *folder);

/** tool_eval_scenes: prints the scores of model @name. */
gboolean tool_eval_scenes (const ToolEvalScenes *options, const char *name,
    GError **error);

#endif
