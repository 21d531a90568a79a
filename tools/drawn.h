/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* drawn.h: digits drawn by the library's pen, as sets to learn from. */

#ifndef TOOL_DRAWN_H
#define TOOL_DRAWN_H

#include "idx.h"

/**
 * tool_drawn_hands:
 * @count: digits, of all classes alike, each by another hand
 * @digits: (out): 32x32; release with tool_digits_clear()
 *
 * From fine to broad pens, in all the ways in which digits are written.
 */
void tool_drawn_hands (int count, guint64 seed, ToolDigits *digits);

/** TOOL_DRAWN_TRAIN, TOOL_DRAWN_TEST: names of the two parts of a drawn set. */
#define TOOL_DRAWN_TRAIN "pen/train"
#define TOOL_DRAWN_TEST  "pen/test"

/**
 * tool_drawn_set:
 * @name: TOOL_DRAWN_TRAIN or TOOL_DRAWN_TEST
 * @seed: which set
 * @digits: (out): 16x16; release with tool_digits_clear()
 *
 * 480 digits as drawn with a mouse: twelve drawings of each class, each at four
 * horizontal positions; eight of the twelve are to learn from, 320 pictures,
 * four to test, 160.
 *
 * Returns: FALSE if @name is neither.
 *
 * Source of the arrangement: LeCun, "Generalization and network design
 * strategies", 1989.
 */
gboolean tool_drawn_set (const char *name, guint64 seed, ToolDigits *digits);

#endif
