/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layers.h: "conv 8 5x5; relu; maxpool 2; dense 10" to a graph. */

#ifndef TOOL_LAYERS_H
#define TOOL_LAYERS_H

#include <cnn/graph.h>

#include "tool.h"

/** Names of the values that a graph made here begins and ends with. */
#define TOOL_LAYERS_INPUT  "image"
#define TOOL_LAYERS_OUTPUT "logits"
#define TOOL_LAYERS_BOXES  "boxes"

/**
 * tool_layers_build:
 * @layers: layers parted by semicolons; see docs/recipes.md
 * @channels, @height, @width: of the input
 * @classes: what the last layer must give
 * @boxes: whether it gives four numbers more: they become a second output
 * @graph: (transfer none): an empty graph; input, nodes, weights of zero and
 *   output are added
 */
gboolean tool_layers_build (CnnGraph *graph, const char *layers, int channels,
    int height, int width, int classes, gboolean boxes, GError **error);

#endif
