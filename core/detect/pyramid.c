/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pyramid.c: which sizes of a frame a detector looks at.
 *
 * An object of h frame pixels fits the model best on level
 * log (h / object) / log (factor); a level is as good as its neighbour half
 * way between them, so sizes are rounded to the nearest level. */

#include "detect/pyramid.h"

#include <math.h>
#include <stdbool.h>

#include "base/error.h"

static CnnStatus
check (const CnnDetectorConfig *config, double factor, CnnError *error)
{
  if (config->width < 1 || config->height < 1
      || config->width > CNN_MAX_IMAGE_SIDE
      || config->height > CNN_MAX_IMAGE_SIDE)
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "frame of %dx%d: sides must be 1 to %d", config->width, config->height,
        CNN_MAX_IMAGE_SIDE);
  if (!(factor >= CNN_MIN_SCALE_FACTOR) || !isfinite (factor))
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "scale factor %g is less than %g", factor, CNN_MIN_SCALE_FACTOR);
  if (config->min_size < 0 || config->max_size < 0
      || (config->max_size && config->max_size < config->min_size))
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "no objects of %d to %d pixels: sizes must be positive and ascend",
        config->min_size, config->max_size);
  return CNN_OK;
}

/* Number of the level, not yet whole, on which @size is the model's own. */
static double
level_of (double size, double object_px, double factor)
{
  return log (size / object_px) / log (factor);
}

static bool
window_fits (const int window[2], int border, double width, double height)
{
  return width >= 1 && height >= 1 && width + 2 * border >= window[1]
      && height + 2 * border >= window[0];
}

CnnStatus
cnn_pyramid_plan (const CnnDetectorConfig *config, const int window[2],
    int border, double object_px, CnnLevel levels[CNN_MAX_LEVELS],
    int *n_levels, CnnError *error)
{
  double factor =
      config->scale_factor ? config->scale_factor : CNN_DEFAULT_SCALE_FACTOR;
  CnnStatus status = check (config, factor, error);
  if (status)
    return status;

  double first = 0, last = HUGE_VAL;
  if (config->min_size)
    first = round (level_of (config->min_size, object_px, factor));
  if (config->max_size)
    last = round (level_of (config->max_size, object_px, factor));
  else if (border)
    last = fmax (first, floor (level_of (config->height, object_px, factor)));
  if (last < first)
    first = last;

  int count = 0;
  for (double k = first; k <= last; k++) {
    double scale = pow (factor, k);
    double width = round (config->width / scale);
    double height = round (config->height / scale);
    if (!window_fits (window, border, width, height))
      break;
    if (width > CNN_MAX_IMAGE_SIDE || height > CNN_MAX_IMAGE_SIDE)
      return cnn_error_set (error, CNN_ERROR_ARGUMENT,
          "objects of %d pixels would need frames enlarged to %.0fx%.0f, "
          "sides can be %d",
          config->min_size, width, height, CNN_MAX_IMAGE_SIDE);
    if (count == CNN_MAX_LEVELS)
      return cnn_error_set (error, CNN_ERROR_ARGUMENT,
          "a scale factor of %g gives more than %d levels", factor,
          CNN_MAX_LEVELS);
    levels[count++] = (CnnLevel){ (int) width, (int) height };
  }
  *n_levels = count;
  return CNN_OK;
}
