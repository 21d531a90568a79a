/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* activations.h: what each layer of a network makes of a picture, as PNG. */

#ifndef TOOL_ACTIVATIONS_H
#define TOOL_ACTIVATIONS_H

#include <cnn/detect.h>

#include "tool.h"

/**
 * tool_activations_write:
 * @image: a picture with the model's channels
 * @detector: (nullable): of @model, for pictures of that size
 * @level: of @detector's pyramid; where there is no detector, its window fits
 *   on no level, or @image is as large as the window, all of @image is shown in
 *   one window
 * @folder: is made if it is not there
 *
 * Writes 01-NAME.png for the first layer, and so on, its maps side by side, and
 * layers.png, all of them on one sheet, unless that would be too high for
 * Cairo. Black to white are a layer's smallest to greatest number, but for the
 * half percent at each end. What is no map, 1 c h w or 1 c, is left out.
 */
gboolean tool_activations_write (CnnModel *model, const CnnImage *image,
    const CnnDetector *detector, int level, CnnPool *pool, const char *folder,
    GError **error);

#endif
