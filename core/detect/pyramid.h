/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pyramid.h: which sizes of a frame a detector looks at. */

#ifndef CNN_DETECT_PYRAMID_H
#define CNN_DETECT_PYRAMID_H

#include <cnn/detect.h>

/**
 * CnnLevel:
 * @width, @height: of the resized frame, in pixels
 */
typedef struct
{
  int width, height;
} CnnLevel;

/**
 * cnn_pyramid_plan:
 * @config: frame, factor and range of sizes, see docs/geometry.md
 * @window: height and width of the network's window, in pixels
 * @border: pixels around each level that windows may reach over
 * @object_px: height of the trained object, in pixels of the window
 * @levels: (out caller-allocates): the finest first
 * @n_levels: (out): how many; 0 if the window fits nowhere
 *
 * Level k has the frame's size divided by factor^k: 0 is the frame as it is,
 * so that at least one level costs no sharpness. @config's sizes choose the
 * first and the last k, negative ones enlarge. Without them the last is where
 * the window still fits or, with a border, where an object is as high as the
 * frame.
 *
 * Errors: CNN_ERROR_ARGUMENT for values out of range, for more than
 * CNN_MAX_LEVELS, or a level larger than CNN_MAX_IMAGE_SIDE.
 */
CnnStatus cnn_pyramid_plan (const CnnDetectorConfig *config,
    const int window[2], int border, double object_px,
    CnnLevel levels[CNN_MAX_LEVELS], int *n_levels, CnnError *error);

#endif
