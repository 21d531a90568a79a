/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* argmax.c: ArgMax, ArgMin, Hardmax: where the largest element along an axis
 * is. Of equal ones the first, or with select_last_index the last; NaN is both
 * larger and smaller than any number, as numpy has it.
 *
 * What labels each place of a map, ArgMax of float32 over channels, goes along
 * rows of cells; anything else takes one element after the other.
 *
 * Source: ONNX ArgMax, ArgMin, 1 to 13; Hardmax, 1 to 13. */

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "ops/moments.h"
#include "ops/shapes.h"
#include "ops/softmax.h"
#include "ops/table.h"
#include "tensor/scalar.h"

/* Cells that are looked at side by side. */
#define CHUNK 64

typedef struct
{
  int64_t axis, keep, last;
} Params;

static CnnStatus
parse_arg (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "axis", "keepdims", "select_last_index",
    NULL };
  Params *p = params;
  p->keep = 1;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "axis", -CNN_MAX_RANK,
        CNN_MAX_RANK - 1, &p->axis, error);
  if (!status)
    status = cnn_attributes_int (attributes, "keepdims", 0, 1, &p->keep, error);
  if (!status)
    status = cnn_attributes_int (attributes, "select_last_index", 0, 1,
        &p->last, error);
  return status;
}

static CnnStatus
infer_arg (const void *params, const CnnTensor *const *in, CNN_UNUSED int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const Params *p = params;
  const CnnShape *x = &in[0]->shape;
  CnnShape y = { 0 };
  int axis;
  CnnStatus status = cnn_axis (p->axis, x->rank, x->rank - 1, &axis, error);
  if (!status)
    status = cnn_check_number (in[0], 0, error);
  if (!status && !x->dims[axis])
    status = cnn_error_set (error, CNN_ERROR_SHAPE,
        "there is no largest number along axis %d of size 0", axis);
  for (int d = 0; d < x->rank && !status; d++)
    if (d != axis || p->keep)
      y.dims[y.rank++] = d == axis ? 1 : x->dims[d];
  return status ? status
                : cnn_infer_output (&out[0], CNN_TYPE_INT64, &y, error);
}

static CnnStatus
infer_hardmax (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  CnnStatus status = cnn_softmax_check_axis (params, in[0]->shape.rank, error);
  return status ? status
                : cnn_infer_float (params, in, n_in, out, n_out, error);
}

static bool
is_better (const CnnTensor *x, size_t a, size_t b, bool least, bool or_equal)
{
  if (cnn_type_is_float (x->type)) {
    double va = cnn_read_float (x->type, x->data, a);
    double vb = cnn_read_float (x->type, x->data, b);
    if (isnan (va) || isnan (vb))
      return isnan (va) && (or_equal || !isnan (vb));
    return (least ? va < vb : va > vb) || (or_equal && va == vb);
  }
  int64_t va = cnn_read_int (x->type, x->data, a);
  int64_t vb = cnn_read_int (x->type, x->data, b);
  return va == vb ? or_equal : cnn_int_less (x->type, va, vb) == least;
}

static size_t
best_of (const CnnTensor *x, size_t at, size_t n, size_t step, bool least,
    bool or_equal)
{
  size_t best = 0;
  for (size_t i = 1; i < n; i++)
    if (is_better (x, at + i * step, at + best * step, least, or_equal))
      best = i;
  return best;
}

/**
 * Cut:
 * The input as @outer x @n x @inner, cut into runs of CHUNK cells.
 */
typedef struct
{
  const CnnOpCall *call;
  size_t outer, n, inner, chunks, per_task;
  bool least, last;
} Cut;

/* @part cells side by side, whose candidates are @pitch apart. */
static void
best_cells (const float *x, size_t n, size_t pitch, size_t part, bool least,
    bool last, int64_t *y)
{
  float best[CHUNK];
  int32_t which[CHUNK] = { 0 };
  memcpy (best, x, part * sizeof *best);
  for (size_t k = 1; k < n; k++) {
    const float *v = x + k * pitch;
    for (size_t j = 0; j < part; j++) {
      bool better = least ? v[j] < best[j] : v[j] > best[j];
      bool same = v[j] == best[j], nan = isnan (v[j]);
      better |= (last & same) | (nan & (last | !isnan (best[j])));
      best[j] = better ? v[j] : best[j];
      which[j] = better ? (int32_t) k : which[j];
    }
  }
  for (size_t j = 0; j < part; j++)
    y[j] = which[j];
}

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const Cut *c = data;
  const CnnTensor *x = c->call->in[0];
  int64_t *y = c->call->out[0]->data;
  size_t first = (size_t) number * c->per_task, end = first + c->per_task;
  end = end < c->outer * c->chunks ? end : c->outer * c->chunks;
  for (size_t i = first; i < end; i++) {
    size_t o = i / c->chunks, cell = i % c->chunks * CHUNK;
    size_t part = c->inner - cell < CHUNK ? c->inner - cell : CHUNK;
    size_t at = o * c->n * c->inner + cell;
    int64_t *to = y + o * c->inner + cell;
    if (x->type == CNN_TYPE_FLOAT32 && c->n <= INT32_MAX)
      best_cells ((const float *) x->data + at, c->n, c->inner, part, c->least,
          c->last, to);
    else
      for (size_t j = 0; j < part; j++)
        to[j] =
            (int64_t) best_of (x, at + j, c->n, c->inner, c->least, c->last);
  }
}

static void
forward_arg (const CnnOpCall *call, bool least)
{
  const Params *p = call->params;
  const CnnShape *x = &call->in[0]->shape;
  int axis;
  if (!cnn_elements (call->in[0]))
    return;
  cnn_axis (p->axis, x->rank, x->rank - 1, &axis, NULL);
  Cut c = {
    .call = call,
    .outer = cnn_product (x, 0, axis),
    .n = (size_t) x->dims[axis],
    .inner = cnn_product (x, axis + 1, x->rank),
    .least = least,
    .last = p->last,
  };
  c.chunks = (c.inner + CHUNK - 1) / CHUNK;
  c.per_task = cnn_rows_per_task (c.n * (c.inner < CHUNK ? c.inner : CHUNK));
  size_t all = c.outer * c.chunks;
  cnn_pool_run (call->pool, (int) ((all + c.per_task - 1) / c.per_task), task,
      &c);
}

static void
forward_argmax (const CnnOpCall *call)
{
  forward_arg (call, false);
}

static void
forward_argmin (const CnnOpCall *call)
{
  forward_arg (call, true);
}

static void
forward_hardmax (const CnnOpCall *call)
{
  const CnnTensor *x = call->in[0], *y = call->out[0];
  CnnSoftmaxSizes s = cnn_softmax_sizes (call);
  if (!cnn_elements (x))
    return;
  for (size_t o = 0; o < s.outer; o++)
    for (size_t i = 0; i < s.inner; i++) {
      size_t at = o * s.n * s.inner + i;
      size_t best = best_of (x, at, s.n, s.inner, false, false);
      for (size_t k = 0; k < s.n; k++)
        cnn_write_float (y->type, y->data, at + k * s.inner, k == best);
    }
}

/* The winning channel of each cell. */
static bool
geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry_)
{
  const Params *p = params;
  int axis, rank = in[0]->shape.rank;
  return rank >= 3 && !cnn_axis (p->axis, rank, rank - 1, &axis, NULL)
      && axis == 1 && p->keep
      && cnn_op_geometry_pointwise (params, in, geometry_);
}

const CnnOp cnn_op_argmax = {
  .name = "ArgMax",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .parse = parse_arg,
  .infer = infer_arg,
  .geometry = geometry,
  .cellwise = cnn_op_cellwise,
  .forward = forward_argmax,
};

const CnnOp cnn_op_argmin = {
  .name = "ArgMin",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .parse = parse_arg,
  .infer = infer_arg,
  .geometry = geometry,
  .cellwise = cnn_op_cellwise,
  .forward = forward_argmin,
};

const CnnOp cnn_op_hardmax = {
  .name = "Hardmax",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (CnnSoftmaxParams),
  .parse = cnn_softmax_parse,
  .infer = infer_hardmax,
  .geometry = cnn_softmax_geometry,
  .cellwise = cnn_op_cellwise,
  .forward = forward_hardmax,
};
