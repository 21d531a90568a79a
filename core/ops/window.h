/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* window.h (internal): the sliding window that Conv and the pools share:
 * attributes, output sizes, padding, geometry. */

#ifndef CNN_OPS_WINDOW_H
#define CNN_OPS_WINDOW_H

#include "ops/op.h"

typedef enum
{
  CNN_PAD_EXPLICIT,
  CNN_PAD_SAME_UPPER,
  CNN_PAD_SAME_LOWER,
  CNN_PAD_VALID
} CnnPad;

/** CNN_WINDOW_AXES: most axes that a window can have. */
#define CNN_WINDOW_AXES 3

/**
 * CnnWindow:
 * @axes: axes that attributes were given for, 1 to 3; 0 = none was given
 * @kernel: 0 = take it from the weights
 * @ceil_mode: round the output's size up
 *
 * Per axis, [0] vertical, [1] horizontal, [2] depth, which comes before the
 * others in shapes. Axes that are not there have the defaults (kernel 1, stride
 * 1, no padding).
 */
typedef struct
{
  int axes;
  CnnPad pad;
  int64_t kernel[CNN_WINDOW_AXES], stride[CNN_WINDOW_AXES];
  int64_t dilation[CNN_WINDOW_AXES];
  int64_t pad_begin[CNN_WINDOW_AXES], pad_end[CNN_WINDOW_AXES];
  int64_t ceil_mode;
} CnnWindow;

/** cnn_window_parse: reads auto_pad, dilations, kernel_shape, pads, strides,
 * and ceil_mode. */
CnnStatus cnn_window_parse (const CnnAttributes *attributes, CnnWindow *window,
    CnnError *error);

/** cnn_window_axes: checks that in's shape, n c [[d] h] w with at most @most
 * axes, goes with the attributes. @sizes: (out): along each axis, 1 where there
 * is none. */
CnnStatus cnn_window_axes (const CnnWindow *window, const CnnShape *in,
    int most, int64_t *sizes, CnnError *error);

/** cnn_window_dim: which dimension of a shape of @rank is @axis; -1 = none. */
int cnn_window_dim (int rank, int axis);

/** cnn_window_output: size along @axis of the output for an input of @size
 * (-1 for -1). Errors: CNN_ERROR_SHAPE if the window is larger. */
CnnStatus cnn_window_output (const CnnWindow *window, int axis, int64_t size,
    int64_t *output, CnnError *error);

/** cnn_window_extent: what the dilated kernel covers along @axis. */
int64_t cnn_window_extent (const CnnWindow *window, int axis);

/** cnn_window_pad: padding before pixel 0 of an input of @size along @axis,
 * and in all; with automatic padding that depends on the size. */
void cnn_window_pad (const CnnWindow *window, int axis, int64_t size,
    int64_t *begin, int64_t *total);

/**
 * cnn_window_reach:
 * @at: where the tap lies for cell 0, may be outside
 * @step: how far it moves from cell to cell
 * @size: places are 0 ... @size - 1
 * @cells: how many there are
 * @first, @last: (out): for cells first ... last - 1 it lies inside
 */
static inline void
cnn_window_reach (int64_t at, int64_t step, int64_t size, int64_t cells,
    int64_t *first, int64_t *last)
{
  *first = at < 0 ? (step - 1 - at) / step : 0;
  *last = at < size ? (size - 1 - at) / step + 1 : 0;
  *last = *last < cells ? *last : cells;
}

/** cnn_window_with_weights: Returns: @window with the kernel's size taken from
 * @weights, o i [[d] h] w. */
CnnWindow
cnn_window_with_weights (const CnnWindow *window, const CnnShape *weights);

/** cnn_window_check_weights: CNN_ERROR_SHAPE if @weights have not as many
 * dimensions as @in, more channels than @most, or another size than
 * kernel_shape says. */
CnnStatus cnn_window_check_weights (const CnnWindow *window, const CnnShape *in,
    const CnnShape *weights, int64_t most, CnnError *error);

/** cnn_window_geometry: for geometry() of the operators. */
bool cnn_window_geometry (const CnnWindow *window, const CnnShape *in,
    CnnOpGeometry *geometry);

#endif
