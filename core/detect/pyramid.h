/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pyramid.h: which sizes of a frame the network is slid over. */

#ifndef CNN_DETECT_PYRAMID_H
#define CNN_DETECT_PYRAMID_H

#include <cnn/detect.h>

/**
 * CnnLevel:
 * @width, @height: of the frame on this level, in pixels
 */
typedef struct
{
  int width, height;
} CnnLevel;

/**
 * cnn_pyramid_levels:
 * @config: frame, factor and sizes; checked before
 * @window_width, @window_height: of the network, in pixels
 * @object_height: of the trained object, in pixels of a level
 * @levels: (out): the levels, largest first
 *
 * Level k shows the frame divided by s0 * factor^k; s0 is 1, or less to find
 * objects smaller than the model's own. The last level is the one that comes
 * nearest to max_size, or the last on which the window fits.
 *
 * Returns: how many, 0 to CNN_MAX_LEVELS.
 */
int cnn_pyramid_levels (const CnnDetectorConfig *config, int window_width,
    int window_height, double object_height, CnnLevel levels[CNN_MAX_LEVELS]);

#endif
