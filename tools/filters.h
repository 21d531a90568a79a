/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* filters.h: what the first layer of a network looks for, as a picture. */

#ifndef TOOL_FILTERS_H
#define TOOL_FILTERS_H

#include "tool.h"

/**
 * tool_filters_write:
 *
 * Writes the kernels of @model's first convolution that looks at more than a
 * point as a PNG: a tile each, side by side those of a map's inputs, grey = 0,
 * all on one scale. A dense layer on the picture counts as a convolution with
 * kernels of the window's size.
 */
gboolean tool_filters_write (CnnModel *model, const char *path, GError **error);

#endif
