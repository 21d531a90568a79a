/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* windows.c: from a cell of a class map to a box in the frame.
 *
 * Cell j sees pixels offset + j*stride to offset + j*stride + window - 1 of
 * its level, so the middle of its window lies at the pixel edge
 * offset + j*stride + window/2. An edge at x of a level lies at x*scale of the
 * frame; that holds for edges, not for the numbers of pixels. */

#include "detect/windows.h"

static double
first_centre (const CnnGeometry *geometry, int axis)
{
  return geometry->offset[axis] + geometry->window[axis] / 2.0;
}

void
cnn_windows_init (CnnWindows *windows, const CnnGeometry *geometry,
    double scale_x, double scale_y, double object_px)
{
  *windows = (CnnWindows){
    .first_x = first_centre (geometry, 1) * scale_x,
    .first_y = first_centre (geometry, 0) * scale_y,
    .step_x = geometry->stride[1] * scale_x,
    .step_y = geometry->stride[0] * scale_y,
    .width = object_px * scale_x,
    .height = object_px * scale_y,
  };
}

CnnBox
cnn_windows_box (const CnnWindows *windows, int i, int j)
{
  return (CnnBox){
    .cx = (float) (windows->first_x + j * windows->step_x),
    .cy = (float) (windows->first_y + i * windows->step_y),
    .width = (float) windows->width,
    .height = (float) windows->height,
  };
}

static float
overlap (float a, float a_side, float b, float b_side)
{
  float a0 = a - a_side / 2, a1 = a + a_side / 2;
  float b0 = b - b_side / 2, b1 = b + b_side / 2;
  float from = a0 > b0 ? a0 : b0, to = a1 < b1 ? a1 : b1;
  return to > from ? to - from : 0;
}

float
cnn_box_intersection (const CnnBox *a, const CnnBox *b)
{
  return overlap (a->cx, a->width, b->cx, b->width)
      * overlap (a->cy, a->height, b->cy, b->height);
}
