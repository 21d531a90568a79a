/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* draw.h: boxes and labels on a picture. */

#ifndef TOOL_DRAW_H
#define TOOL_DRAW_H

#include <cairo.h>

#include <cnn/detect.h>

/**
 * tool_draw_detections:
 * @surface: a picture of the size of the frame
 * @labels: names of the classes
 */
void tool_draw_detections (cairo_surface_t *surface,
    const CnnDetection *detections, int count, const char *const *labels);

/** tool_draw_class_colour: @rgb: (out): a colour of its own for each class. */
void tool_draw_class_colour (int class_id, double rgb[3]);

/** tool_draw_text: @text with its top left corner at @x, @y. Returns: its
 * width. */
double tool_draw_text (cairo_t *cr, const char *font, double x, double y,
    const char *text);

#endif
