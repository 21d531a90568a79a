/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ink.h: what is drawn on a patch or a scene, before paper and light. */

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
 * @width, @height: in pixels
 * @cover: height x width: how much of each pixel is inked, 0..1
 */
typedef struct
{
  int width, height;
  float *cover;
} CnnInk;

/** CnnInkBox: edges in pixels. */
typedef struct
{
  float x0, y0, x1, y1;
} CnnInkBox;

/**
 * CnnPose:
 * @x, @y: where the centre of the digit's box goes, pixels of the patch
 * @height: of the digit's box, pixels of the patch
 * @angle: radians
 * @aspect: factor of the width, 0 = 1
 * @shear: horizontal, as a slope
 * @thickness: change of the stroke's width, in pixels of a digit 20 high
 */
typedef struct
{
  float x, y, height, angle, shear, thickness, aspect;
} CnnPose;

/**
 * cnn_ink_digit:
 * Draws digit @index. Strokes that thinning would break stay as wide as they
 * must.
 *
 * @drawn: (out) (nullable): the pixels that it inks; empty (x1 <= x0) if there
 *   are none
 *
 * Returns: half of its width in pixels of the patch, before rotation.
 */
float cnn_ink_digit (CnnInk *ink, const CnnDigits *digits, int index,
    const CnnPose *pose, CnnInkBox *drawn);

/** cnn_ink_line: a stroke with round ends, @width pixels wide, drawn with
 * @strength 0..1. */
void cnn_ink_line (CnnInk *ink, float x0, float y0, float x1, float y1,
    float width, float strength);

/** cnn_ink_clear: nothing is drawn. */
void cnn_ink_clear (CnnInk *ink);

#endif
