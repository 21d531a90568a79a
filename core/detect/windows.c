/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* windows.c: from a cell of a class map to a box in the frame.
 *
 * Cell j sees pixels offset + j*stride to offset + j*stride + window - 1 of
 * its level, so the middle of its window lies at the pixel edge
 * offset + j*stride + window/2. An edge at x of a level lies at x*scale of the
 * frame; that holds for edges, not for the numbers of pixels. */

#include "detect/windows.h"

/* Bounds of a regressed edge and of a side, in window heights. */
#define FAR   2.0f
#define LEAST 0.02f

static double
first_centre (const CnnGeometry *geometry, int axis)
{
  return geometry->offset[axis] + geometry->window[axis] / 2.0;
}

void
cnn_windows_init (CnnWindows *windows, const CnnGeometry *geometry,
    double scale_x, double scale_y, double object_px, double window_px)
{
  *windows = (CnnWindows){
    .first_x = first_centre (geometry, 1) * scale_x,
    .first_y = first_centre (geometry, 0) * scale_y,
    .step_x = geometry->stride[1] * scale_x,
    .step_y = geometry->stride[0] * scale_y,
    .width = object_px * scale_x,
    .height = object_px * scale_y,
    .unit_x = window_px * scale_x,
    .unit_y = window_px * scale_y,
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
within (float x, float low, float high)
{
  return x >= low ? (x < high ? x : high) : low;
}

CnnBox
cnn_windows_regressed (const CnnWindows *windows, int i, int j,
    const float edges[4])
{
  CnnBox box = cnn_windows_box (windows, i, j);
  float e[4];
  for (int k = 0; k < 4; k++)
    e[k] = within (edges[k], -FAR, FAR);
  box.cx += (e[2] - e[0]) / 2 * (float) windows->unit_x;
  box.cy += (e[3] - e[1]) / 2 * (float) windows->unit_y;
  box.width = within (e[0] + e[2], LEAST, 2 * FAR) * (float) windows->unit_x;
  box.height = within (e[1] + e[3], LEAST, 2 * FAR) * (float) windows->unit_y;
  return box;
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
