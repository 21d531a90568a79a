/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* picture.h: frames of pictures and videos, upright, as CnnImage. */

#ifndef TOOL_PICTURE_H
#define TOOL_PICTURE_H

#include <cairo.h>

#include <cnn/image.h>

#include "tool.h"

typedef struct ToolPictures ToolPictures;

/**
 * ToolPicture:
 * @image: the frame, upright; valid until the next one is asked for
 * @timestamp_ns: when it is shown, -1 if the file does not say (pictures)
 * @number: of the frame, from 0
 */
typedef struct
{
  CnnImage image;
  gint64 timestamp_ns;
  guint64 number;
} ToolPicture;

/**
 * tool_pictures_open:
 * @path: a picture or a video; nothing but this file is read
 * @channels: 1 = grey, 3 = colour in the order of @format
 * @threads: for decoding, 0 = all cores
 *
 * Grey is the luma as it lies, where there is one.
 *
 * Returns: (transfer full): NULL on error; tool_pictures_close()
 */
ToolPictures *tool_pictures_open (const char *path, int channels,
    CnnPixelFormat format, int threads, GError **error);

/** tool_pictures_close: @pictures: (nullable) */
void tool_pictures_close (ToolPictures *pictures);

/** tool_pictures_next: Returns: 1 = a frame, 0 = no more, -1 = error. */
int tool_pictures_next (ToolPictures *pictures, ToolPicture *picture,
    GError **error);

/** tool_pictures_surface: Returns: (transfer full) (nullable): the frame in
 * colour, upright, to draw on. */
cairo_surface_t *tool_pictures_surface (ToolPictures *pictures, GError **error);

/** tool_pictures_is_video: Returns: TRUE if there may be several frames. */
gboolean tool_pictures_is_video (const ToolPictures *pictures);

/** tool_pictures_progress: Returns: share of the file that was decoded, 0..1,
 * or -1 if it has no known end. */
double tool_pictures_progress (const ToolPictures *pictures);

#endif
