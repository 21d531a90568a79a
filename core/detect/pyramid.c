/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pyramid.c: which sizes of a frame the network is slid over. */

#include "detect/pyramid.h"

#include <math.h>
#include <stdbool.h>

int
cnn_pyramid_levels (const CnnDetectorConfig *config, int window_width,
    int window_height, double object_height, CnnLevel levels[CNN_MAX_LEVELS])
{
  double factor = config->scale_factor;
  double scale = config->min_size ? config->min_size / object_height : 1;
  double largest = config->max_size ? config->max_size : config->height;
  int count = 0;

  /* Half a step beyond the largest object the level before is nearer. */
  for (; count < CNN_MAX_LEVELS; scale *= factor) {
    double width = round (config->width / scale);
    double height = round (config->height / scale);
    bool beyond = count && scale * object_height > largest * sqrt (factor);
    if (beyond || width < window_width || height < window_height)
      break;
    if (width > CNN_MAX_IMAGE_SIDE || height > CNN_MAX_IMAGE_SIDE)
      continue;
    levels[count++] = (CnnLevel){ (int) width, (int) height };
  }
  return count;
}
