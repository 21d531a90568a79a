/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* window.c: the sliding window that Conv and the pools share.
 *
 * With p the padding in all, e = (kernel - 1) * dilation + 1:
 *   output = floor ((input + p - e) / stride) + 1     (ceil with ceil_mode)
 * Automatic padding makes output = ceil (input / stride). */

#include "ops/window.h"

#include <inttypes.h>

#include "base/error.h"

/* The product of two extents fits an int. */
#define MAX_EXTENT 32767
#define MAX_SIZE   ((int64_t) 1 << 30)

static CnnStatus
parse_pad (const CnnAttributes *attributes, CnnWindow *window, CnnError *error)
{
  static const char *const names[] = { "NOTSET", "SAME_UPPER", "SAME_LOWER",
    "VALID", NULL };
  int pad = CNN_PAD_EXPLICIT;
  CnnStatus status =
      cnn_attributes_choice (attributes, "auto_pad", names, &pad, error);
  window->pad = (CnnPad) pad;
  return status;
}

/* Reads one value an axis (@ends = 1), or begins and ends (2), into vertical
 * and horizontal places. */
static CnnStatus
parse_axes (const CnnAttributes *attributes, const char *name, int64_t low,
    CnnWindow *window, int64_t *first, int64_t *second, CnnError *error)
{
  int64_t values[2 * CNN_WINDOW_AXES];
  int ends = second ? 2 : 1, count = 0;
  CnnStatus status = cnn_attributes_ints (attributes, name, low, MAX_EXTENT,
      CNN_WINDOW_AXES * ends, values, &count, error);
  if (status || !count)
    return status;
  int axes = count / ends;
  if (count % ends || (window->axes && window->axes != axes))
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "attribute '%s' has %d values, others speak of %d axes", name, count,
        window->axes);
  window->axes = axes;
  for (int axis = 0; axis < CNN_WINDOW_AXES; axis++) {
    int i = cnn_window_dim (axes + 2, axis) - 2;
    if (i < 0)
      continue;
    first[axis] = values[i];
    if (second)
      second[axis] = values[axes + i];
  }
  return CNN_OK;
}

CnnStatus
cnn_window_parse (const CnnAttributes *attributes, CnnWindow *window,
    CnnError *error)
{
  CnnWindow w = {
    .stride = { 1, 1, 1 },
    .dilation = { 1, 1, 1 },
  };
  CnnStatus status = parse_pad (attributes, &w, error);
  if (!status)
    status =
        parse_axes (attributes, "kernel_shape", 1, &w, w.kernel, NULL, error);
  if (!status)
    status = parse_axes (attributes, "strides", 1, &w, w.stride, NULL, error);
  if (!status)
    status =
        parse_axes (attributes, "dilations", 1, &w, w.dilation, NULL, error);
  if (!status)
    status =
        parse_axes (attributes, "pads", 0, &w, w.pad_begin, w.pad_end, error);
  if (!status)
    status =
        cnn_attributes_int (attributes, "ceil_mode", 0, 1, &w.ceil_mode, error);
  for (int axis = 0; axis < CNN_WINDOW_AXES; axis++)
    if (w.axes && cnn_window_dim (w.axes + 2, axis) < 0)
      w.kernel[axis] = 1;
  if (!status)
    *window = w;
  return status;
}

int
cnn_window_dim (int rank, int axis)
{
  int dim = axis == 2 ? rank - 3 : rank - 2 + axis;
  return dim < 2 ? -1 : dim;
}

CnnStatus
cnn_window_axes (const CnnWindow *window, const CnnShape *in, int most,
    int64_t *sizes, CnnError *error)
{
  int axes = in->rank - 2;
  if (axes < 1 || axes > most)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input has %d dimensions, 3 to %d are expected", in->rank, most + 2);
  if (window->axes && window->axes != axes)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input has %d axes, the attributes speak of %d", axes, window->axes);
  for (int i = 0; i < in->rank; i++)
    if (!in->dims[i] || in->dims[i] < -1 || in->dims[i] > MAX_SIZE)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "dimension %d of the input has size %" PRId64, i, in->dims[i]);
  for (int axis = 0; axis < CNN_WINDOW_AXES; axis++) {
    int dim = cnn_window_dim (in->rank, axis);
    sizes[axis] = dim < 0 ? 1 : in->dims[dim];
  }
  return CNN_OK;
}

int64_t
cnn_window_extent (const CnnWindow *window, int axis)
{
  return (window->kernel[axis] - 1) * window->dilation[axis] + 1;
}

static bool
pads_automatically (const CnnWindow *window)
{
  return window->pad == CNN_PAD_SAME_UPPER || window->pad == CNN_PAD_SAME_LOWER;
}

void
cnn_window_pad (const CnnWindow *window, int axis, int64_t size, int64_t *begin,
    int64_t *total)
{
  *begin = *total = 0;
  if (window->pad == CNN_PAD_EXPLICIT) {
    *begin = window->pad_begin[axis];
    *total = *begin + window->pad_end[axis];
  } else if (pads_automatically (window)) {
    int64_t stride = window->stride[axis], last = (size - 1) / stride * stride;
    int64_t needed = last + cnn_window_extent (window, axis) - size;
    *total = needed > 0 ? needed : 0;
    *begin = (*total + (window->pad == CNN_PAD_SAME_LOWER)) / 2;
  }
}

CnnStatus
cnn_window_output (const CnnWindow *window, int axis, int64_t size,
    int64_t *output, CnnError *error)
{
  int64_t begin, total, extent = cnn_window_extent (window, axis);
  int64_t stride = window->stride[axis];
  if (size == -1) {
    *output = -1;
    return CNN_OK;
  }
  cnn_window_pad (window, axis, size, &begin, &total);
  int64_t room = size + total - extent;
  if (room < 0)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "a %s of %" PRId64 " (kernel %" PRId64 ", dilation %" PRId64
        ") does not fit into an input of %" PRId64 " with padding %" PRId64,
        axis == 2  ? "depth"
            : axis ? "width"
                   : "height",
        extent, window->kernel[axis], window->dilation[axis], size, total);
  *output = room / stride + 1;
  /* A window that would begin in the end's padding is left out. */
  if (window->ceil_mode && room % stride && *output * stride < size + begin)
    *output += 1;
  return CNN_OK;
}

CnnWindow
cnn_window_with_weights (const CnnWindow *window, const CnnShape *weights)
{
  CnnWindow with = *window;
  for (int axis = 0; axis < CNN_WINDOW_AXES; axis++) {
    int dim = cnn_window_dim (weights->rank, axis);
    with.kernel[axis] = dim < 0 ? 1 : weights->dims[dim];
  }
  return with;
}

CnnStatus
cnn_window_check_weights (const CnnWindow *window, const CnnShape *in,
    const CnnShape *weights, int64_t most, CnnError *error)
{
  char text[160];
  if (weights->rank != in->rank)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input has %d dimensions, weights have %d", in->rank, weights->rank);
  for (int i = 0; i < weights->rank; i++)
    if (weights->dims[i] < 1 || weights->dims[i] > (i < 2 ? most : 32767))
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "weights have the impossible shape %s",
          cnn_shape_format (weights, text, sizeof text));
  CnnWindow with = cnn_window_with_weights (window, weights);
  for (int axis = 0; axis < CNN_WINDOW_AXES && window->axes; axis++)
    if (cnn_window_dim (weights->rank, axis) >= 0 && window->kernel[axis]
        && window->kernel[axis] != with.kernel[axis])
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "kernel_shape says %" PRId64 ", weights have shape %s",
          window->kernel[axis], cnn_shape_format (weights, text, sizeof text));
  return CNN_OK;
}

bool
cnn_window_geometry (const CnnWindow *window, const CnnShape *in,
    CnnOpGeometry *geometry)
{
  *geometry = (CnnOpGeometry){ 0 };
  for (int axis = 0; axis < 2; axis++) {
    bool used = axis || in->rank == 4;
    int64_t size = used ? in->dims[in->rank - 2 + axis] : 1, begin, total;
    /* Not fixed: as for a multiple of the stride. */
    if (size < 1)
      size = window->stride[axis];
    cnn_window_pad (window, axis, size, &begin, &total);
    geometry->window[axis] = (int) cnn_window_extent (window, axis);
    geometry->stride[axis] = (int) window->stride[axis];
    geometry->offset[axis] = (int) -begin;
  }
  return true;
}
