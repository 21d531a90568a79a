/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* movement.c: Transpose, Expand, Tile, Slice, DepthToSpace, SpaceToDepth:
 * every element of the output is an element of the input, at a place that is
 * linear in its own. Any type.
 *
 * Each says with which strides its output reads its input (CnnStrided); the
 * gradient is added back along the same strides.
 *
 * Source: ONNX Transpose, 1 to 21; Expand, 8, 13; Tile, 6, 13; Slice, 1 to 13;
 * DepthToSpace, 1 to 13; SpaceToDepth, 1, 13. */

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"
#include "ops/shapes.h"
#include "ops/strided.h"
#include "ops/table.h"

typedef CnnStrided (*Places) (const CnnOpCall *call);

static void
forward (const CnnOpCall *call, Places places)
{
  if (!cnn_elements (call->out[0]))
    return;
  CnnStrided s = places (call);
  cnn_strided_get (&s, call->in[0]->data, call->out[0]->data,
      cnn_type_bytes (call->in[0]->type));
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad, Places places)
{
  if (!grad->d_out[0] || !grad->d_in[0] || !cnn_elements (call->out[0]))
    return;
  CnnStrided s = places (call);
  cnn_strided_add (&s, grad->d_out[0]->data, grad->d_in[0]->data);
}

#define MOVEMENT(lower)                                                        \
  static void forward_##lower (const CnnOpCall *call)                          \
  {                                                                            \
    forward (call, places_##lower);                                            \
  }                                                                            \
  static void backward_##lower (const CnnOpCall *call, const CnnOpGrad *grad)  \
  {                                                                            \
    backward (call, grad, places_##lower);                                     \
  }

/* -- Transpose ---------------------------------------------------------- */

typedef struct
{
  int64_t perm[CNN_MAX_RANK];
  int count;
} Transpose;

static CnnStatus
parse_transpose (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "perm", NULL };
  Transpose *p = params;
  p->count = -1;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_ints (attributes, "perm", 0, CNN_MAX_RANK - 1,
        CNN_MAX_RANK, p->perm, &p->count, error);
  return status;
}

static int
perm_of (const Transpose *p, int rank, int i)
{
  return p->count < 0 ? rank - 1 - i : (int) p->perm[i];
}

static CnnStatus
infer_transpose (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const Transpose *p = params;
  const CnnShape *x = &in[0]->shape;
  CnnShape y = { .rank = x->rank };
  int64_t perm[CNN_MAX_RANK];
  if (p->count >= 0 && p->count != x->rank)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "perm has %d values, the input %d dimensions", p->count, x->rank);
  memcpy (perm, p->perm, sizeof perm);
  CnnStatus status =
      p->count < 0 ? CNN_OK : cnn_axes (perm, p->count, x->rank, error);
  if (status)
    return status;
  for (int i = 0; i < x->rank; i++)
    y.dims[i] = x->dims[perm_of (p, x->rank, i)];
  return cnn_infer_output (&out[0], in[0]->type, &y, error);
}

static CnnStrided
places_transpose (const CnnOpCall *call)
{
  const CnnShape *x = &call->in[0]->shape;
  int64_t steps[CNN_MAX_RANK];
  CnnStrided s = { 0 };
  cnn_strides (x, steps);
  for (int i = 0; i < x->rank; i++) {
    int from = perm_of (call->params, x->rank, i);
    cnn_strided_add_loop (&s, x->dims[from], steps[from]);
  }
  return s;
}

MOVEMENT (transpose)

/* Batch and channels may change places, rows and columns not. */
static bool
geometry_transpose (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry)
{
  int rank = in[0]->shape.rank;
  if (rank < 3 || perm_of (params, rank, 0))
    return false;
  for (int i = rank < 4 ? rank - 1 : rank - 2; i < rank; i++)
    if (perm_of (params, rank, i) != i)
      return false;
  return cnn_op_geometry_pointwise (params, in, geometry);
}

/* -- Expand, Tile ------------------------------------------------------- */

static CnnStatus
infer_expand (CNN_UNUSED const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnShape y = { 0 }, shape = { 0 };
  bool known;
  CnnStatus status =
      cnn_values (in[1], CNN_MAX_RANK, shape.dims, &shape.rank, &known, error);
  if (status)
    return status;
  if (!known) {
    y.rank = shape.rank > in[0]->shape.rank ? shape.rank : in[0]->shape.rank;
    for (int i = 0; i < y.rank; i++)
      y.dims[i] = -1;
  }
  for (int i = 0; i < shape.rank && known; i++)
    if (shape.dims[i] < 0)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "the shape's value %d is %" PRId64, i, shape.dims[i]);
  if (known)
    status = cnn_shape_broadcast (&in[0]->shape, &shape, &y, error);
  return status ? status : cnn_infer_output (&out[0], in[0]->type, &y, error);
}

static CnnStrided
places_expand (const CnnOpCall *call)
{
  const CnnShape *x = &call->in[0]->shape, *y = &call->out[0]->shape;
  int64_t steps[CNN_MAX_RANK];
  CnnStrided s = { 0 };
  cnn_strides (x, steps);
  for (int i = 0; i < y->rank; i++) {
    int from = i - (y->rank - x->rank);
    bool moves = from >= 0 && x->dims[from] != 1;
    cnn_strided_add_loop (&s, y->dims[i], moves ? steps[from] : 0);
  }
  return s;
}

MOVEMENT (expand)

static bool
geometry_expand (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry)
{
  return in[0]->shape.rank >= 3
      && cnn_op_geometry_pointwise (params, in, geometry);
}

static CnnStatus
infer_tile (CNN_UNUSED const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnShape y = in[0]->shape;
  int64_t repeats[CNN_MAX_RANK];
  int count;
  bool known;
  CnnStatus status =
      cnn_values (in[1], CNN_MAX_RANK, repeats, &count, &known, error);
  if (!status && count != y.rank)
    status = cnn_error_set (error, CNN_ERROR_SHAPE,
        "%d repeats for %d dimensions", count, y.rank);
  for (int i = 0; i < y.rank && !status; i++) {
    if (!known || y.dims[i] < 0)
      y.dims[i] = -1;
    else if (repeats[i] < 0 || !cnn_dim_mul (y.dims[i], repeats[i], &y.dims[i]))
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "dimension %d can't be repeated %" PRId64 " times", i, repeats[i]);
  }
  return status ? status : cnn_infer_output (&out[0], in[0]->type, &y, error);
}

static CnnStrided
places_tile (const CnnOpCall *call)
{
  const CnnShape *x = &call->in[0]->shape, *y = &call->out[0]->shape;
  int64_t steps[CNN_MAX_RANK];
  CnnStrided s = { 0 };
  cnn_strides (x, steps);
  for (int i = 0; i < x->rank; i++) {
    cnn_strided_add_loop (&s, x->dims[i] ? y->dims[i] / x->dims[i] : 0, 0);
    cnn_strided_add_loop (&s, x->dims[i], steps[i]);
  }
  return s;
}

MOVEMENT (tile)

/* -- Slice -------------------------------------------------------------- */

/**
 * Slice:
 * Attributes until opset 9; @count -1 where they are inputs.
 */
typedef struct
{
  int64_t starts[CNN_MAX_RANK], ends[CNN_MAX_RANK], axes[CNN_MAX_RANK];
  int n_starts, n_ends, n_axes;
  bool inputs;
} Slice;

static CnnStatus
parse_slice (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const old[] = { "starts", "ends", "axes", NULL };
  static const char *const none[] = { NULL };
  Slice *p = params;
  p->inputs = attributes->opset >= 10;
  p->n_axes = -1;
  CnnStatus status =
      cnn_attributes_check (attributes, p->inputs ? none : old, error);
  if (!status)
    status = cnn_attributes_ints (attributes, "starts", INT64_MIN, INT64_MAX,
        CNN_MAX_RANK, p->starts, &p->n_starts, error);
  if (!status)
    status = cnn_attributes_ints (attributes, "ends", INT64_MIN, INT64_MAX,
        CNN_MAX_RANK, p->ends, &p->n_ends, error);
  if (!status)
    status = cnn_attributes_ints (attributes, "axes", -CNN_MAX_RANK,
        CNN_MAX_RANK, CNN_MAX_RANK, p->axes, &p->n_axes, error);
  return status;
}

/* One axis' cut, before sizes are known, and after: @first element, @size. */
typedef struct
{
  int64_t start, end, step, first, size;
  bool cut;
} Cut;

static int64_t
clamp (int64_t v, int64_t low, int64_t high)
{
  return v < low ? low : v > high ? high : v;
}

/* Source: numpy's rules, as ONNX states them. */
static void
cut_axis (Cut *cut, int64_t size)
{
  int64_t step = cut->step, start = cut->start, end = cut->end;
  start = start < 0 ? (start < -size ? -1 - (size == 0) : start + size) : start;
  end = end < 0 ? (end < -size ? -1 : end + size) : end;
  if (step > 0) {
    start = clamp (start, 0, size);
    end = clamp (end, 0, size);
    cut->size = end > start ? (end - start - 1) / step + 1 : 0;
  } else {
    start = clamp (start, cut->start < -size ? -1 : 0, size - 1);
    end = clamp (end, -1, size - 1);
    uint64_t back = 0 - (uint64_t) step;
    cut->size =
        start > end ? (int64_t) ((uint64_t) (start - end - 1) / back) + 1 : 0;
  }
  cut->first = cut->size ? start : 0;
}

static CnnStatus
read_list (const CnnTensor *const *in, int n_in, int i, int64_t *values,
    int *count, bool *known, CnnError *error)
{
  bool now = true;
  *count = -1;
  if (i >= n_in || !in[i])
    return CNN_OK;
  CnnStatus status =
      cnn_values (in[i], CNN_MAX_RANK, values, count, &now, error);
  *known = *known && now;
  return status;
}

/* The lists of a Slice, wherever they come from. */
static CnnStatus
read_cuts (const Slice *p, const CnnTensor *const *in, int n_in, Cut *cuts,
    bool *known, CnnError *error)
{
  Slice list = *p;
  int64_t steps[CNN_MAX_RANK];
  int n_steps = -1, rank = in[0]->shape.rank;
  CnnStatus status = CNN_OK;
  *known = true;
  if (p->inputs) {
    status = read_list (in, n_in, 1, list.starts, &list.n_starts, known, error);
    if (!status)
      status = read_list (in, n_in, 2, list.ends, &list.n_ends, known, error);
    if (!status)
      status = read_list (in, n_in, 3, list.axes, &list.n_axes, known, error);
    if (!status)
      status = read_list (in, n_in, 4, steps, &n_steps, known, error);
  }
  if (status || !*known)
    return status;
  if (list.n_starts < 0 || list.n_ends != list.n_starts
      || (list.n_axes >= 0 && list.n_axes != list.n_starts)
      || (n_steps >= 0 && n_steps != list.n_starts) || list.n_starts > rank)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "%d starts, %d ends, %d axes and %d steps do not go together",
        list.n_starts, list.n_ends, list.n_axes, n_steps);
  for (int i = 0; i < list.n_starts && list.n_axes < 0; i++)
    list.axes[i] = i;
  status = cnn_axes (list.axes, list.n_starts, rank, error);
  for (int d = 0; d < rank; d++)
    cuts[d] = (Cut){ .end = INT64_MAX, .step = 1 };
  for (int i = 0; i < list.n_starts && !status; i++) {
    int64_t step = n_steps < 0 ? 1 : steps[i];
    if (!step)
      return cnn_error_set (error, CNN_ERROR_SHAPE, "step %d is 0", i);
    cuts[list.axes[i]] =
        (Cut){ list.starts[i], list.ends[i], step, 0, 0, true };
  }
  return status;
}

static CnnStatus
infer_slice (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnShape y = in[0]->shape;
  Cut cuts[CNN_MAX_RANK];
  bool known;
  if (((const Slice *) params)->inputs && n_in < 3)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "starts or ends are missing");
  CnnStatus status = read_cuts (params, in, n_in, cuts, &known, error);
  for (int d = 0; d < y.rank && !status; d++) {
    if (!known || (y.dims[d] < 0 && cuts[d].cut))
      y.dims[d] = -1;
    if (y.dims[d] < 0)
      continue;
    cut_axis (&cuts[d], y.dims[d]);
    y.dims[d] = cuts[d].size;
  }
  return status ? status : cnn_infer_output (&out[0], in[0]->type, &y, error);
}

static CnnStrided
places_slice (const CnnOpCall *call)
{
  const CnnShape *x = &call->in[0]->shape, *y = &call->out[0]->shape;
  int64_t steps[CNN_MAX_RANK];
  Cut cuts[CNN_MAX_RANK];
  CnnStrided s = { 0 };
  bool known;
  cnn_strides (x, steps);
  read_cuts (call->params, call->in, call->n_in, cuts, &known, NULL);
  for (int d = 0; d < x->rank; d++) {
    cut_axis (&cuts[d], x->dims[d]);
    s.offset += cuts[d].first * steps[d];
    cnn_strided_add_loop (&s, y->dims[d],
        y->dims[d] > 1 ? steps[d] * cuts[d].step : 0);
  }
  return s;
}

/* Cells @call->region of each plane of n c h w. */
static void
slice_region (const CnnOpCall *call)
{
  const CnnShape *x = &call->in[0]->shape, *y = &call->out[0]->shape;
  const CnnRegion *r = call->region;
  size_t bytes = cnn_type_bytes (call->in[0]->type);
  int64_t steps[CNN_MAX_RANK];
  Cut cuts[CNN_MAX_RANK];
  bool known;
  cnn_strides (x, steps);
  read_cuts (call->params, call->in, call->n_in, cuts, &known, NULL);
  for (int d = 0; d < x->rank; d++)
    cut_axis (&cuts[d], x->dims[d]);
  for (int64_t c = 0; c < y->dims[1]; c++)
    for (int64_t i = r->y0; i < r->y1; i++) {
      int64_t from = cuts[0].first * steps[0]
          + (cuts[1].first + c * cuts[1].step) * steps[1]
          + (cuts[2].first + i * cuts[2].step) * steps[2] + cuts[3].first;
      int64_t to = (c * y->dims[2] + i) * y->dims[3];
      for (int64_t j = r->x0; j < r->x1; j++)
        memcpy ((char *) call->out[0]->data + (size_t) (to + j) * bytes,
            (const char *) call->in[0]->data
                + (size_t) (from + j * cuts[3].step) * bytes,
            bytes);
    }
}

static void
forward_slice (const CnnOpCall *call)
{
  if (call->region)
    slice_region (call);
  else
    forward (call, places_slice);
}

static void
backward_slice (const CnnOpCall *call, const CnnOpGrad *grad)
{
  backward (call, grad, places_slice);
}

/* Samples stay apart, unless it is them that are chosen; opset 10 and later
 * have that in inputs. */
static CnnSamples
samples_slice (const void *params)
{
  return ((const Slice *) params)->inputs ? CNN_SAMPLES_APART
                                          : CNN_SAMPLES_TOGETHER;
}

/* A crop: cells begin further in; every second, every third one. */
static bool
geometry_slice (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry)
{
  const Slice *p = params;
  const CnnShape *x = &in[0]->shape;
  Cut cuts[CNN_MAX_RANK];
  bool known;
  if (x->rank < 3 || x->rank > 4
      || read_cuts (p, in, p->inputs ? 5 : 1, cuts, &known, NULL) || !known)
    return false;
  cnn_op_geometry_pointwise (params, in, geometry);
  for (int d = 2; d < x->rank; d++) {
    int axis = d - x->rank + 2;
    Cut *c = &cuts[d];
    if (!c->cut)
      continue;
    if (c->step < 0 || c->step > INT32_MAX || (c->start < 0 && x->dims[d] < 0))
      return false;
    cut_axis (c, x->dims[d] < 0 ? INT32_MAX : x->dims[d]);
    geometry->stride[axis] = (int) c->step;
    geometry->offset[axis] = (int) c->first;
  }
  return true;
}

/* -- DepthToSpace, SpaceToDepth ----------------------------------------- */

typedef struct
{
  int64_t block;
  bool column_row;
} Depth;

static CnnStatus
parse_depth (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "blocksize", "mode", NULL };
  Depth *p = params;
  const char *mode = "DCR";
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "blocksize", 1, 1 << 15, &p->block,
        error);
  if (!status)
    status = cnn_attributes_string (attributes, "mode", &mode, error);
  if (!status && strcmp (mode, "DCR") && strcmp (mode, "CRD"))
    status = cnn_error_set (error, CNN_ERROR_FORMAT,
        "mode '%.40s' is neither DCR nor CRD", mode);
  if (!status && !p->block)
    status = cnn_error_set (error, CNN_ERROR_FORMAT, "blocksize is missing");
  p->column_row = !strcmp (mode, "CRD");
  return status;
}

static CnnStatus
check_divides (int64_t size, int64_t by, int d, CnnError *error)
{
  if (size < 0 || size % by == 0)
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_SHAPE,
      "dimension %d of the input, %" PRId64 ", is no multiple of %" PRId64, d,
      size, by);
}

static CnnStatus
infer_depth (const Depth *p, const CnnTensor *in, bool to_space, CnnTensor *out,
    CnnError *error)
{
  CnnShape y = in->shape;
  int64_t area = p->block * p->block;
  if (y.rank != 4)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input has %d dimensions, 4 are expected", y.rank);
  CnnStatus status = CNN_OK;
  for (int d = 1; d < 4 && !status; d++) {
    int64_t by = d == 1 ? area : p->block;
    bool divides = (d == 1) == to_space;
    if (y.dims[d] < 0)
      continue;
    if (divides)
      status = check_divides (y.dims[d], by, d, error);
    if (!status && divides)
      y.dims[d] /= by;
    else if (!status && !cnn_dim_mul (y.dims[d], by, &y.dims[d]))
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "dimension %d of the input is too large", d);
  }
  return status ? status : cnn_infer_output (out, in->type, &y, error);
}

static CnnStatus
infer_to_space (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  return infer_depth (params, in[0], true, &out[0], error);
}

static CnnStatus
infer_to_depth (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  return infer_depth (params, in[0], false, &out[0], error);
}

/* y[n][c][i*b + p][j*b + q] = x[n][(p*b + q)*C + c][i][j] (DCR), or
 * x[n][(c*b + p)*b + q][i][j] (CRD) */
static CnnStrided
places_to_space (const CnnOpCall *call)
{
  const Depth *p = call->params;
  const CnnShape *x = &call->in[0]->shape, *y = &call->out[0]->shape;
  int64_t plane = x->dims[2] * x->dims[3], b = p->block, c = y->dims[1];
  int64_t step_c = p->column_row ? b * b : 1;
  int64_t step_q = p->column_row ? 1 : c, step_p = step_q * b;
  CnnStrided s = { 0 };
  cnn_strided_add_loop (&s, x->dims[0], x->dims[1] * plane);
  cnn_strided_add_loop (&s, c, step_c * plane);
  cnn_strided_add_loop (&s, x->dims[2], x->dims[3]);
  cnn_strided_add_loop (&s, b, step_p * plane);
  cnn_strided_add_loop (&s, x->dims[3], 1);
  cnn_strided_add_loop (&s, b, step_q * plane);
  return s;
}

/* y[n][(p*b + q)*C + c][i][j] = x[n][c][i*b + p][j*b + q] */
static CnnStrided
places_to_depth (const CnnOpCall *call)
{
  const Depth *p = call->params;
  const CnnShape *x = &call->in[0]->shape, *y = &call->out[0]->shape;
  int64_t plane = x->dims[2] * x->dims[3], w = x->dims[3], b = p->block;
  CnnStrided s = { 0 };
  cnn_strided_add_loop (&s, x->dims[0], x->dims[1] * plane);
  cnn_strided_add_loop (&s, b, w);
  cnn_strided_add_loop (&s, b, 1);
  cnn_strided_add_loop (&s, x->dims[1], plane);
  cnn_strided_add_loop (&s, y->dims[2], w * b);
  cnn_strided_add_loop (&s, y->dims[3], b);
  return s;
}

MOVEMENT (to_space)
MOVEMENT (to_depth)

static bool
geometry_to_space (const void *params, CNN_UNUSED const CnnTensor *const *in,
    CnnOpGeometry *geometry)
{
  int b = (int) ((const Depth *) params)->block;
  *geometry = (CnnOpGeometry){ { 1, 1 }, { 1, 1 }, { 0, 0 }, { b, b } };
  return true;
}

static bool
geometry_to_depth (const void *params, CNN_UNUSED const CnnTensor *const *in,
    CnnOpGeometry *geometry)
{
  int b = (int) ((const Depth *) params)->block;
  *geometry = (CnnOpGeometry){ { b, b }, { b, b }, { 0, 0 }, { 1, 1 } };
  return true;
}

const CnnOp cnn_op_transpose = {
  .name = "Transpose",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Transpose),
  .parse = parse_transpose,
  .infer = infer_transpose,
  .geometry = geometry_transpose,
  .forward = forward_transpose,
  .backward = backward_transpose,
};

const CnnOp cnn_op_expand = {
  .name = "Expand",
  .since = 8,
  .min_in = 2,
  .max_in = 2,
  .max_out = 1,
  .value_in = 1 << 1,
  .infer = infer_expand,
  .geometry = geometry_expand,
  .forward = forward_expand,
  .backward = backward_expand,
};

const CnnOp cnn_op_tile = {
  .name = "Tile",
  .since = 6,
  .min_in = 2,
  .max_in = 2,
  .max_out = 1,
  .value_in = 1 << 1,
  .infer = infer_tile,
  .forward = forward_tile,
  .backward = backward_tile,
};

const CnnOp cnn_op_slice = {
  .name = "Slice",
  .since = 1,
  .min_in = 1,
  .max_in = 5,
  .max_out = 1,
  .params_bytes = sizeof (Slice),
  .value_in = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4,
  .parse = parse_slice,
  .infer = infer_slice,
  .geometry = geometry_slice,
  .regional = true,
  .samples = samples_slice,
  .forward = forward_slice,
  .backward = backward_slice,
};

const CnnOp cnn_op_depth_to_space = {
  .name = "DepthToSpace",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Depth),
  .parse = parse_depth,
  .infer = infer_to_space,
  .geometry = geometry_to_space,
  .forward = forward_to_space,
  .backward = backward_to_space,
};

const CnnOp cnn_op_space_to_depth = {
  .name = "SpaceToDepth",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Depth),
  .parse = parse_depth,
  .infer = infer_to_depth,
  .geometry = geometry_to_depth,
  .forward = forward_to_depth,
  .backward = backward_to_depth,
};
