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

/** TOOL_DRAWN_TRAIN_1989, TOOL_DRAWN_TEST_1989: of one that is parted as it was
 * in 1989: pictures at random, so that drawings are in both parts, at other
 * positions. */
#define TOOL_DRAWN_TRAIN_1989 "pen/train-1989"
#define TOOL_DRAWN_TEST_1989  "pen/test-1989"

/**
 * tool_drawn_set:
 * @name: one of the four above
 * @seed: which set
 * @digits: (out): 16x16; release with tool_digits_clear()
 *
 * 480 digits as drawn with a mouse: twelve drawings of each class, each at four
 * horizontal positions. Eight of the twelve are to learn from, 320 pictures,
 * four to test, 160; or as in 1989, 32 and 16 of the 48 pictures of a class,
 * drawn on 16x13 pixels, at positions side by side.
 *
 * Returns: FALSE if @name is none of them.
 *
 * Source of the arrangement: LeCun, "Generalization and network design
 * strategies", 1989.
 */
gboolean tool_drawn_set (const char *name, guint64 seed, ToolDigits *digits);

#endif
