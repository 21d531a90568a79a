/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* windows.h: from a cell of a class map to a box in the frame. */

#ifndef CNN_DETECT_WINDOWS_H
#define CNN_DETECT_WINDOWS_H

#include <cnn/detect.h>

/**
 * CnnBox:
 * @cx, @cy: centre
 * @width, @height: sides
 *
 * In frame pixels, may reach over the frame's edges.
 */
typedef struct
{
  float cx, cy, width, height;
} CnnBox;

/**
 * CnnWindows:
 * @first_x, @first_y: centre of the window of cell 0, 0
 * @step_x, @step_y: distance of neighbouring centres
 * @width, @height: sides of the box of every cell
 * @unit_x, @unit_y: a window's height, along both axes
 *
 * In frame pixels.
 */
typedef struct
{
  double first_x, first_y, step_x, step_y;
  double width, height;
  double unit_x, unit_y;
} CnnWindows;

/**
 * cnn_windows_init:
 * @geometry: of the map on its level
 * @scale_x, @scale_y: frame pixels per pixel of the level
 * @object_px: height of the trained object in pixels of the level
 * @window_px: height of the window in pixels of the level
 *
 * The box is a square of the object's height, in the middle of what the cell
 * sees: the object was trained to lie there.
 */
void cnn_windows_init (CnnWindows *windows, const CnnGeometry *geometry,
    double scale_x, double scale_y, double object_px, double window_px);

/** cnn_windows_box: Returns: the box of the cell in row @i, column @j. */
CnnBox cnn_windows_box (const CnnWindows *windows, int i, int j);

/**
 * cnn_windows_regressed:
 * @edges: distances of left, top, right and bottom from the window's centre, in
 *   window heights, as a network gives them
 *
 * Returns: the box of the cell in row @i, column @j; at least a small part of
 * the window wide and high, and not larger than a few windows, whatever @edges
 * are.
 */
CnnBox cnn_windows_regressed (const CnnWindows *windows, int i, int j,
    const float edges[4]);

/** cnn_box_intersection: Returns: area common to both, 0 if they only touch. */
float cnn_box_intersection (const CnnBox *a, const CnnBox *b);

#endif
