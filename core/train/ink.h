/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ink.h: what is drawn on a patch, before paper and light. */

#ifndef CNN_TRAIN_INK_H
#define CNN_TRAIN_INK_H

#include <stdbool.h>

#include <cnn/train.h>

/** CNN_MAX_WINDOW: largest side of a patch; CNN_MAX_DIGIT: of a digit's
 * picture. Patches are made on the stack. */
#define CNN_MAX_WINDOW 64
#define CNN_MAX_DIGIT  32

/**
 * CnnInk:
 * @side: of the patch, in pixels
 * @cover: side x side: how much of each pixel is inked, 0..1
 */
typedef struct
{
  int side;
  float cover[CNN_MAX_WINDOW * CNN_MAX_WINDOW];
} CnnInk;

/**
 * CnnPose:
 * @x, @y: where the centre of the digit's box goes, pixels of the patch
 * @height: of the digit's box, pixels of the patch
 * @angle: radians
 * @shear: horizontal, as a slope
 * @thickness: change of the stroke's width, in pixels of a digit 20 high
 * @as_picture: the middle of the digit's picture, not of its box, goes to
 *   (@x, @y): data sets centre digits by their mass
 */
typedef struct
{
  float x, y, height, angle, shear, thickness;
  bool as_picture;
} CnnPose;

/**
 * cnn_ink_digit:
 * Draws digit @index. Strokes that thinning would break stay as wide as they
 * must.
 *
 * Returns: half of its width in pixels of the patch, before rotation.
 */
float cnn_ink_digit (CnnInk *ink, const CnnDigits *digits, int index,
    const CnnPose *pose);

/** cnn_ink_line: a stroke with round ends, @width pixels wide, drawn with
 * @strength 0..1. */
void cnn_ink_line (CnnInk *ink, float x0, float y0, float x1, float y1,
    float width, float strength);

/** cnn_ink_clear: @side: 1 to CNN_MAX_WINDOW. */
void cnn_ink_clear (CnnInk *ink, int side);

#endif
