/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pad.c: Pad: more elements around a tensor, or fewer.
 *
 * y[i] = x[i - begin] inside; outside a constant, the nearest edge, the mirror
 * image (without repeating the edge), or the other end (wrap). Negative pads
 * crop. Any type. The gradient adds back to where each element came from.
 *
 * Source: ONNX Pad, opsets 2 to 21. */

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ops/shapes.h"
#include "ops/table.h"

typedef enum
{
  MODE_CONSTANT,
  MODE_REFLECT,
  MODE_EDGE,
  MODE_WRAP
} Mode;

typedef struct
{
  int64_t pads[2 * CNN_MAX_RANK];
  int count, mode; /* a Mode */
  float value;
  bool input;
} Params;

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const old[] = { "mode", "pads", "value", NULL };
  static const char *const newer[] = { "mode", NULL };
  static const char *const modes[] = { "constant", "reflect", "edge", "wrap",
    NULL };
  Params *p = params;
  p->count = -1;
  p->input = attributes->opset >= 11;
  CnnStatus status =
      cnn_attributes_check (attributes, p->input ? newer : old, error);
  if (!status)
    status = cnn_attributes_ints (attributes, "pads", INT32_MIN, INT32_MAX,
        2 * CNN_MAX_RANK, p->pads, &p->count, error);
  if (!status)
    status = cnn_attributes_float (attributes, "value", &p->value, error);
  if (!status)
    status = cnn_attributes_choice (attributes, "mode", modes, &p->mode, error);
  return status;
}

/* Pads of every dimension, begins and ends. */
static CnnStatus
read_pads (const Params *p, const CnnTensor *const *in, int n_in,
    int64_t *begin, int64_t *end, bool *known, CnnError *error)
{
  int64_t pads[2 * CNN_MAX_RANK], axes[CNN_MAX_RANK];
  int count = p->count, n_axes = -1, rank = in[0]->shape.rank;
  bool axes_known = true;
  CnnStatus status = CNN_OK;
  *known = true;
  memcpy (pads, p->pads, sizeof pads);
  memset (begin, 0, CNN_MAX_RANK * sizeof *begin);
  memset (end, 0, CNN_MAX_RANK * sizeof *end);
  if (n_in > 1 && in[1] && p->input)
    status = cnn_values (in[1], 2 * CNN_MAX_RANK, pads, &count, known, error);
  if (!status && n_in > 3 && in[3])
    status =
        cnn_values (in[3], CNN_MAX_RANK, axes, &n_axes, &axes_known, error);
  *known = *known && axes_known;
  if (status || !*known)
    return status;
  for (int i = 0; i < rank && n_axes < 0; i++)
    axes[i] = i;
  if (n_axes < 0)
    n_axes = rank;
  if (count != 2 * n_axes)
    return cnn_error_set (error, CNN_ERROR_SHAPE, "%d pads for %d dimensions",
        count, n_axes);
  status = cnn_axes (axes, n_axes, rank, error);
  for (int i = 0; i < n_axes && !status; i++) {
    begin[axes[i]] = pads[i];
    end[axes[i]] = pads[n_axes + i];
    if (begin[axes[i]] < INT32_MIN || begin[axes[i]] > INT32_MAX
        || end[axes[i]] < INT32_MIN || end[axes[i]] > INT32_MAX)
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "pads of axis %d are too large", (int) axes[i]);
  }
  return status;
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    CNN_UNUSED int n_out, CnnError *error)
{
  const Params *p = params;
  CnnShape y = in[0]->shape;
  int64_t begin[CNN_MAX_RANK], end[CNN_MAX_RANK];
  bool known;
  CnnStatus status = read_pads (p, in, n_in, begin, end, &known, error);
  if (!status && n_in > 2 && in[2]
      && (in[2]->type != in[0]->type || in[2]->shape.rank > 1))
    status = cnn_error_set (error, CNN_ERROR_SHAPE,
        "the constant is no %s scalar", cnn_type_name (in[0]->type));
  for (int d = 0; d < y.rank && !status; d++) {
    int64_t size = y.dims[d];
    bool touched = !known || begin[d] || end[d];
    if (size < 0 || !known) {
      y.dims[d] = touched ? -1 : size;
      continue;
    }
    y.dims[d] = size + begin[d] + end[d];
    if (y.dims[d] < 0 || (!size && y.dims[d] && p->mode != MODE_CONSTANT))
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "dimension %d of size %" PRId64 " can't be padded by %" PRId64
          " and %" PRId64,
          d, size, begin[d], end[d]);
  }
  return status ? status : cnn_infer_output (&out[0], in[0]->type, &y, error);
}

/* Where element @i (may lie outside) comes from; -1 = the constant. */
static int64_t
source (Mode mode, int64_t i, int64_t size)
{
  if (i >= 0 && i < size)
    return i;
  switch (mode) {
    case MODE_EDGE:
      return i < 0 ? 0 : size - 1;
    case MODE_WRAP:
      return (i % size + size) % size;
    case MODE_REFLECT:
      {
        int64_t period = size > 1 ? 2 * (size - 1) : 1;
        i = (i % period + period) % period;
        return i < size ? i : period - i;
      }
    case MODE_CONSTANT:
      break;
  }
  return -1;
}

/* Source of the row of the output whose outer index is @index; -1 if it is all
 * constant. */
static int64_t
row_source (const Params *p, const CnnShape *x, const int64_t *index,
    const int64_t *begin)
{
  int64_t at = 0;
  for (int d = 0; d < x->rank - 1; d++) {
    int64_t i = source ((Mode) p->mode, index[d] - begin[d], x->dims[d]);
    if (i < 0)
      return -1;
    at = at * x->dims[d] + i;
  }
  return at;
}

static bool
next_row (const CnnShape *y, int64_t *index)
{
  for (int d = y->rank - 2; d >= 0; d--) {
    if (++index[d] < y->dims[d])
      return true;
    index[d] = 0;
  }
  return false;
}

/* Rows of the output, each with the row of the input that it comes from. */
typedef void (*Row) (const void *data, const CnnOpCall *call, int64_t to,
    int64_t from, int64_t begin);

static void
each_row (const CnnOpCall *call, Row row, const void *data)
{
  const Params *p = call->params;
  const CnnShape *x = &call->in[0]->shape, *y = &call->out[0]->shape;
  int64_t begin[CNN_MAX_RANK], end[CNN_MAX_RANK], index[CNN_MAX_RANK] = { 0 };
  int64_t to = 0;
  bool known;
  if (!cnn_elements (call->out[0]))
    return;
  read_pads (p, call->in, call->n_in, begin, end, &known, NULL);
  do {
    row (data, call, to++, row_source (p, x, index, begin), begin[y->rank - 1]);
  } while (next_row (y, index));
}

static void
fill (char *to, const void *element, size_t bytes, int64_t n)
{
  for (int64_t i = 0; i < n; i++)
    memcpy (to + (size_t) i * bytes, element, bytes);
}

/* Elements @first ... @last - 1 of a row, which lie outside of the input's. */
static void
copy_edge (Mode mode, const char *from, char *to, const void *constant,
    size_t bytes, int64_t first, int64_t last, int64_t begin, int64_t size)
{
  for (int64_t j = first; j < last; j++) {
    int64_t i = source (mode, j - begin, size);
    memcpy (to + (size_t) j * bytes,
        i < 0 ? constant : from + (size_t) i * bytes, bytes);
  }
}

static void
copy_row (const void *data, const CnnOpCall *call, int64_t to, int64_t from,
    int64_t begin)
{
  const Params *p = call->params;
  const CnnShape *x = &call->in[0]->shape, *y = &call->out[0]->shape;
  size_t bytes = cnn_type_bytes (call->in[0]->type);
  int64_t size = x->dims[x->rank - 1], width = y->dims[y->rank - 1];
  char *out = (char *) call->out[0]->data + (size_t) (to * width) * bytes;
  if (from < 0) {
    fill (out, data, bytes, width);
    return;
  }
  const char *in =
      (const char *) call->in[0]->data + (size_t) (from * size) * bytes;
  /* What the input has, at once. */
  int64_t first = begin > 0 ? begin : 0, last = begin + size;
  first = first < width ? first : width;
  last = last < width ? last : width;
  last = last > first ? last : first;
  copy_edge ((Mode) p->mode, in, out, data, bytes, 0, first, begin, size);
  if (last > first)
    memcpy (out + (size_t) first * bytes, in + (size_t) (first - begin) * bytes,
        (size_t) (last - first) * bytes);
  copy_edge ((Mode) p->mode, in, out, data, bytes, last, width, begin, size);
}

static void
forward (const CnnOpCall *call)
{
  const Params *p = call->params;
  const uint64_t zero = 0;
  const void *constant = &zero;
  if (call->n_in > 2 && call->in[2])
    constant = call->in[2]->data;
  else if (call->in[0]->type == CNN_TYPE_FLOAT32)
    constant = &p->value;
  if (call->in[0]->shape.rank)
    each_row (call, copy_row, constant);
  else
    memcpy (call->out[0]->data, call->in[0]->data,
        cnn_type_bytes (call->in[0]->type));
}

static void
add_row (const void *data, const CnnOpCall *call, int64_t to, int64_t from,
    int64_t begin)
{
  const CnnOpGrad *grad = data;
  const CnnShape *x = &call->in[0]->shape, *y = &call->out[0]->shape;
  int64_t size = x->dims[x->rank - 1], width = y->dims[y->rank - 1];
  const float *g = (const float *) grad->d_out[0]->data + to * width;
  float *d = (float *) grad->d_in[0]->data + from * size;
  for (int64_t j = 0; j < width && from >= 0; j++) {
    int64_t i =
        source ((Mode) ((const Params *) call->params)->mode, j - begin, size);
    if (i >= 0)
      d[i] += g[j];
  }
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad)
{
  if (grad->d_out[0] && grad->d_in[0] && call->in[0]->shape.rank)
    each_row (call, add_row, grad);
}

static bool
geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry_)
{
  const CnnShape *x = &in[0]->shape;
  int64_t begin[CNN_MAX_RANK], end[CNN_MAX_RANK];
  bool known;
  if (x->rank < 3 || x->rank > 4
      || read_pads (params, in, ((const Params *) params)->input ? 4 : 1, begin,
          end, &known, NULL)
      || !known)
    return false;
  cnn_op_geometry_pointwise (params, in, geometry_);
  for (int d = 2; d < x->rank; d++)
    geometry_->offset[d - x->rank + 2] = (int) -begin[d];
  return !begin[0] && !end[0];
}

const CnnOp cnn_op_pad = {
  .name = "Pad",
  .since = 2,
  .min_in = 1,
  .max_in = 4,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .value_in = 1 << 1 | 1 << 3,
  .fixed_in = 1 << 2,
  .parse = parse,
  .infer = infer,
  .geometry = geometry,
  .forward = forward,
  .backward = backward,
};
