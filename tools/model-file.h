/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* model-file.h: MODEL on the command line: a file, or an installed name. */

#ifndef TOOL_MODEL_FILE_H
#define TOOL_MODEL_FILE_H

#include "tool.h"

/**
 * tool_model_find:
 * @name: a path, or the name of a model under $CONVNET_MODELS or the
 *   installed models
 *
 * Returns: (transfer full): the path of its ONNX file; @name itself if there
 * is no model of that name.
 */
char *tool_model_find (const char *name);

/**
 * tool_model_load:
 * @name: as for tool_model_find()
 *
 * A model without labels takes those of a `labels.txt` beside it.
 *
 * Returns: (transfer full): release with cnn_model_unref(); NULL on error.
 */
CnnModel *tool_model_load (const char *name, GError **error);

/**
 * tool_model_save:
 *
 * Writes a file beside @path that is renamed when it is whole.
 */
gboolean
tool_model_save (const CnnModel *model, const char *path, GError **error);

/**
 * tool_model_window:
 * @height, @width: (out): size of the patch that one answer looks at: the
 *   declared size of a classifier, the receptive field of a map network
 */
gboolean
tool_model_window (CnnModel *model, int *height, int *width, GError **error);

#endif
