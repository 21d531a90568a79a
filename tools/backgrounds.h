/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* backgrounds.h: a folder of pictures as grounds for training. */

#ifndef TOOL_BACKGROUNDS_H
#define TOOL_BACKGROUNDS_H

#include <cnn/image.h>

#include "tool.h"

/** ToolBackgrounds: @images point into @pixels, one block a picture. */
typedef struct
{
  CnnImage *images;
  guint8 **pixels;
  int count;
} ToolBackgrounds;

/**
 * tool_backgrounds_read:
 * @folder: every file in it must be a picture; names beginning with a dot are
 *   passed over
 * @backgrounds: (out): grey, in the order of their names; release with
 *   tool_backgrounds_clear()
 */
gboolean tool_backgrounds_read (const char *folder,
    ToolBackgrounds *backgrounds, GError **error);

void tool_backgrounds_clear (ToolBackgrounds *backgrounds);

#endif
