/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moves.h: digits to which one stroke moves that makes another digit of them.
 */

#ifndef TOOL_MOVES_H
#define TOOL_MOVES_H

#include "tool.h"

/**
 * ToolMove:
 * @name: of the digits without and with the stroke in its place, "3 to 8"
 * @still, @moving: strokes: splines through @x, @y in hundredths of the
 *   digit's height, x to the right, y down from 0 to 100
 * @dx, @dy: how far the stroke is from its place when it starts; it ends as
 *   far on the other side
 */
typedef struct
{
  const char *name;
  const struct ToolStroke *still, *moving;
  int n_still, n_moving;
  double dx, dy;
} ToolMove;

/** tool_moves: @tool_n_moves of them. */
extern const ToolMove tool_moves[];
extern const int tool_n_moves;

/**
 * tool_move_draw:
 * @share: where the stroke is: -1 at its start, 0 in its place, 1 at its end
 * @object: height of the finished digit, in pixels; its middle is the window's
 * @pixels: (out caller-allocates): height x width, 0 = paper, 255 = ink
 */
gboolean tool_move_draw (const ToolMove *move, double share, double object,
    int width, int height, guint8 *pixels, GError **error);

#endif
