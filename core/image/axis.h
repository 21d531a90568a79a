/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* axis.h: which pixels of a row (or column) make one pixel of a resized one. */

#ifndef CNN_IMAGE_AXIS_H
#define CNN_IMAGE_AXIS_H

/**
 * CnnSpan:
 * @first: first source pixel
 * @count: source pixels that count, 1 or more
 * @w_first, @w_mid, @w_last: weight of the first, of each one between, and of
 *   the last; @w_last is 0 if @count is 1. Together they sum to 1
 *
 * A box that covers pixels only in part does so at its two ends, so three
 * weights describe it, however long it is.
 */
typedef struct
{
  int first, count;
  float w_first, w_mid, w_last;
} CnnSpan;

/**
 * cnn_axis_spans:
 * @src, @dst: pixels before and after, 1 to CNN_MAX_IMAGE_SIDE
 * @spans: (out caller-allocates): @dst spans
 *
 * Shrinking: the source pixels under the destination pixel, each with the
 * share that it covers. Enlarging: the two centres around the destination's
 * centre; beyond the outermost centres the picture goes on unchanged. Equal
 * sizes: each pixel itself. Computed in whole numbers, rounded once.
 *
 * Returns: the largest count.
 */
int cnn_axis_spans (int src, int dst, CnnSpan *spans);

#endif
