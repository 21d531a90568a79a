/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* resize.c: Resize and Upsample: a tensor sampled at other places.
 *
 * Axis by axis: element j of the output lies at x (j) of the input and is the
 * weighted sum of the elements p around it,
 *   sum over p of K ((p - x) s) x[p] / sum over p of K ((p - x) s)
 * with K a box (nearest), a triangle (linear) or Keys' cubic, and s < 1 only
 * with antialias, where the kernel is as wide as the output's elements. Beyond
 * the ends the outermost element repeats.
 *
 * Source: ONNX Resize, opsets 10 to 19; Upsample, 7, 9; Keys, "Cubic
 * convolution interpolation for digital image processing", 1981. */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "tensor/scalar.h"
#include "ops/shapes.h"
#include "ops/table.h"

typedef enum
{
  MODE_NEAREST,
  MODE_LINEAR,
  MODE_CUBIC
} Mode;

typedef enum
{
  AT_HALF_PIXEL,
  AT_ASYMMETRIC,
  AT_ALIGN_CORNERS,
  AT_PYTORCH_HALF_PIXEL,
  AT_TF_HALF_PIXEL_FOR_NN,
  AT_TF_CROP_AND_RESIZE,
  AT_HALF_PIXEL_SYMMETRIC
} At;

typedef enum
{
  NEAREST_ROUND_PREFER_FLOOR,
  NEAREST_ROUND_PREFER_CEIL,
  NEAREST_FLOOR,
  NEAREST_CEIL
} Nearest;

typedef enum
{
  POLICY_STRETCH,
  POLICY_NOT_LARGER,
  POLICY_NOT_SMALLER
} Policy;

/**
 * Params:
 * @scales_in: which input has the scales; @roi_in, @sizes_in: -1 = there is
 *   none
 * @scales: Upsample's until opset 8, @n_scales of them
 * @axes: @n_axes of them, -1 = all
 */
typedef struct
{
  int mode, at, nearest, policy;
  int64_t antialias, exclude_outside;
  float cubic_a, extrapolation;
  int roi_in, scales_in, sizes_in;
  int64_t axes[CNN_MAX_RANK];
  int n_axes, n_scales;
  float scales[CNN_MAX_RANK];
} Params;

static const char *const modes[] = { "nearest", "linear", "cubic", NULL };

static CnnStatus
parse_resize (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "mode", "antialias", "axes",
    "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside",
    "extrapolation_value", "keep_aspect_ratio_policy", "nearest_mode", NULL };
  static const char *const places[] = { "half_pixel", "asymmetric",
    "align_corners", "pytorch_half_pixel", "tf_half_pixel_for_nn",
    "tf_crop_and_resize", "half_pixel_symmetric", NULL };
  static const char *const nearests[] = { "round_prefer_floor",
    "round_prefer_ceil", "floor", "ceil", NULL };
  static const char *const policies[] = { "stretch", "not_larger",
    "not_smaller", NULL };
  bool first = attributes->opset < 11;
  Params *p = params;
  *p = (Params){ .cubic_a = -0.75f,
    .at = first ? AT_ASYMMETRIC : AT_HALF_PIXEL,
    .nearest = first ? NEAREST_FLOOR : NEAREST_ROUND_PREFER_FLOOR,
    .roi_in = first ? -1 : 1,
    .scales_in = first ? 1 : 2,
    .sizes_in = first ? -1 : 3,
    .n_axes = -1 };
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_choice (attributes, "mode", modes, &p->mode, error);
  if (!status)
    status = cnn_attributes_choice (attributes,
        "coordinate_transformation_mode", places, &p->at, error);
  if (!status)
    status = cnn_attributes_choice (attributes, "nearest_mode", nearests,
        &p->nearest, error);
  if (!status)
    status = cnn_attributes_choice (attributes, "keep_aspect_ratio_policy",
        policies, &p->policy, error);
  if (!status)
    status = cnn_attributes_int (attributes, "antialias", 0, 1, &p->antialias,
        error);
  if (!status)
    status = cnn_attributes_int (attributes, "exclude_outside", 0, 1,
        &p->exclude_outside, error);
  if (!status)
    status =
        cnn_attributes_float (attributes, "cubic_coeff_a", &p->cubic_a, error);
  if (!status)
    status = cnn_attributes_float (attributes, "extrapolation_value",
        &p->extrapolation, error);
  if (!status)
    status = cnn_attributes_ints (attributes, "axes", -CNN_MAX_RANK,
        CNN_MAX_RANK - 1, CNN_MAX_RANK, p->axes, &p->n_axes, error);
  return status;
}

static CnnStatus
parse_upsample (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "mode", "scales", NULL };
  Params *p = params;
  *p = (Params){ .at = AT_ASYMMETRIC,
    .nearest = NEAREST_FLOOR,
    .roi_in = -1,
    .scales_in = attributes->opset < 9 ? -1 : 1,
    .sizes_in = -1,
    .n_axes = -1 };
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  const char *mode = "nearest";
  if (!status)
    status = cnn_attributes_string (attributes, "mode", &mode, error);
  if (!status && !strcmp (mode, "bilinear"))
    p->mode = MODE_LINEAR;
  else if (!status)
    status = cnn_attributes_choice (attributes, "mode", modes, &p->mode, error);
  for (int i = 0; i < attributes->count && !status; i++) {
    const CnnAttribute *a = &attributes->items[i];
    if (strcmp (a->name, "scales"))
      continue;
    if (a->type != CNN_ATTRIBUTE_FLOATS || a->count > CNN_MAX_RANK)
      return cnn_error_set (error, CNN_ERROR_FORMAT,
          "scales are no list of at most %d floats", CNN_MAX_RANK);
    p->n_scales = a->count;
    memcpy (p->scales, a->floats, (size_t) a->count * sizeof *a->floats);
  }
  return status;
}

/**
 * Axis:
 * @in, @out: sizes
 * @scale: of one to the other
 * @begin, @end: region of interest, as fractions
 */
typedef struct
{
  int64_t in, out;
  double scale, begin, end;
} Axis;

static const CnnTensor *
input (const CnnTensor *const *in, int n_in, int i)
{
  size_t elements;
  if (i < 0 || i >= n_in || !in[i]
      || cnn_shape_elements (&in[i]->shape, &elements) || !elements)
    return NULL;
  return in[i];
}

static CnnStatus
check_list (const CnnTensor *t, bool ints, int count, const char *what,
    CnnError *error)
{
  size_t elements = 0;
  bool right = ints ? t->type == CNN_TYPE_INT64 || t->type == CNN_TYPE_INT32
                    : cnn_type_is_float (t->type);
  cnn_shape_elements (&t->shape, &elements);
  if (right && t->shape.rank == 1 && elements == (size_t) count)
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_SHAPE, "%s are no list of %d %s", what,
      count, ints ? "integers" : "floats");
}

static CnnStatus
scale_axis (Axis *axis, double scale, CnnError *error)
{
  if (!(scale > 0) || scale > 1e6 || (double) axis->in * scale > 0x1p31)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "a size of %" PRId64 " can't be scaled by %g", axis->in, scale);
  axis->scale = scale;
  axis->out = (int64_t) floor ((double) axis->in * scale);
  return CNN_OK;
}

static CnnStatus
size_axis (Axis *axis, double size, CnnError *error)
{
  if (size < 0 || size > INT32_MAX || !axis->in)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "a size of %" PRId64 " can't become %g", axis->in, size);
  axis->out = (int64_t) size;
  axis->scale = size / (double) axis->in;
  return CNN_OK;
}

/* Sizes that keep the ratio: all axes get the smallest scale, or the largest.
 */
static void
keep_ratio (const Params *p, const int64_t *axes, int n, Axis *axis)
{
  double scale = axis[axes[0]].scale;
  for (int i = 1; i < n; i++) {
    double other = axis[axes[i]].scale;
    if ((other < scale) == (p->policy == POLICY_NOT_LARGER))
      scale = other;
  }
  for (int i = 0; i < n; i++) {
    Axis *a = &axis[axes[i]];
    a->scale = scale;
    a->out = (int64_t) fmin (floor (scale * (double) a->in + 0.5), 0x1p62);
  }
}

/* Sizes and scales of all axes; @known: false if they are not known yet. */
static CnnStatus
read_axes (const Params *p, const CnnTensor *const *in, int n_in, Axis *axis,
    bool *known, CnnError *error)
{
  const CnnShape *x = &in[0]->shape;
  const CnnTensor *scales = input (in, n_in, p->scales_in);
  const CnnTensor *sizes = input (in, n_in, p->sizes_in);
  const CnnTensor *roi = input (in, n_in, p->roi_in);
  int64_t axes[CNN_MAX_RANK];
  int n = p->n_axes < 0 ? x->rank : p->n_axes;
  CnnStatus status = CNN_OK;
  *known = true;
  for (int i = 0; i < n; i++)
    axes[i] = p->n_axes < 0 ? i : p->axes[i];
  if (p->n_axes >= 0)
    status = cnn_axes (axes, n, x->rank, error);
  for (int d = 0; d < x->rank; d++)
    axis[d] = (Axis){ x->dims[d], x->dims[d], 1, 0, 1 };
  if (status)
    return status;
  if (!scales && !sizes && !p->n_scales)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "neither scales nor sizes are given");
  if (scales)
    status = check_list (scales, false, n, "scales", error);
  else if (sizes)
    status = check_list (sizes, true, n, "sizes", error);
  else if (p->n_scales != n)
    status = cnn_error_set (error, CNN_ERROR_SHAPE,
        "%d scales for %d dimensions", p->n_scales, n);
  if (!status && roi && p->at == AT_TF_CROP_AND_RESIZE)
    status = check_list (roi, false, 2 * n, "regions", error);
  *known = (!scales || scales->data) && (!sizes || sizes->data)
      && (!roi || roi->data || p->at != AT_TF_CROP_AND_RESIZE);
  for (int i = 0; i < n && !status && *known; i++) {
    Axis *a = &axis[axes[i]];
    if (a->in < 0)
      continue;
    if (scales)
      status = scale_axis (a,
          cnn_read_float (scales->type, scales->data, (size_t) i), error);
    else if (sizes)
      status = size_axis (a,
          cnn_read_double (sizes->type, sizes->data, (size_t) i), error);
    else
      status = scale_axis (a, (double) p->scales[i], error);
    if (roi && p->at == AT_TF_CROP_AND_RESIZE) {
      a->begin = cnn_read_float (roi->type, roi->data, (size_t) i);
      a->end = cnn_read_float (roi->type, roi->data, (size_t) (i + n));
    }
  }
  if (!status && *known && sizes && !scales && p->policy && n)
    keep_ratio (p, axes, n, axis);
  return status;
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    CNN_UNUSED int n_out, CnnError *error)
{
  const Params *p = params;
  Axis axis[CNN_MAX_RANK];
  CnnShape y = in[0]->shape;
  bool known;
  if (p->mode != MODE_NEAREST && in[0]->type != CNN_TYPE_FLOAT32)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input 0 is %s: only nearest works on other types than float32",
        cnn_type_name (in[0]->type));
  CnnStatus status = read_axes (p, in, n_in, axis, &known, error);
  for (int d = 0; d < y.rank && !status; d++) {
    if (!known || y.dims[d] < 0)
      y.dims[d] = -1;
    else if (!axis[d].in && axis[d].out)
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "dimension %d is empty and can't be enlarged", d);
    else
      y.dims[d] = axis[d].out;
  }
  return status ? status : cnn_infer_output (&out[0], in[0]->type, &y, error);
}

/* Where element @j of the output lies in the input. */
static double
place (const Params *p, const Axis *a, int64_t j)
{
  double x = (double) j, in = (double) a->in, out = a->scale * in;
  switch ((At) p->at) {
    case AT_HALF_PIXEL:
      return (x + 0.5) / a->scale - 0.5;
    case AT_ASYMMETRIC:
      return x / a->scale;
    case AT_ALIGN_CORNERS:
      return out == 1 || a->out == 1 ? 0 : x * (in - 1) / (out - 1);
    case AT_PYTORCH_HALF_PIXEL:
      return a->out == 1 ? -0.5 : (x + 0.5) / a->scale - 0.5;
    case AT_TF_HALF_PIXEL_FOR_NN:
      return (x + 0.5) / a->scale;
    case AT_TF_CROP_AND_RESIZE:
      return a->begin * (in - 1)
          + (a->out == 1 ? (a->end - a->begin) * (in - 1) / 2
                         : x * (a->end - a->begin) * (in - 1) / (out - 1));
    case AT_HALF_PIXEL_SYMMETRIC:
      return in / 2 * (1 - (double) a->out / out) + (x + 0.5) / a->scale - 0.5;
  }
  return 0;
}

static int64_t
nearest (const Params *p, double x)
{
  double low = floor (x), part = x - low;
  bool up;
  switch ((Nearest) p->nearest) {
    case NEAREST_ROUND_PREFER_FLOOR:
      up = part > 0.5;
      break;
    case NEAREST_ROUND_PREFER_CEIL:
      up = part >= 0.5;
      break;
    case NEAREST_FLOOR:
      up = false;
      break;
    default:
      up = part > 0;
      break;
  }
  return (int64_t) low + up;
}

static double
kernel (const Params *p, double x)
{
  double a = (double) p->cubic_a;
  x = fabs (x);
  if (p->mode == MODE_LINEAR)
    return x < 1 ? 1 - x : 0;
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/**
 * Taps:
 * Elements first ... first + n - 1 count, weighted by kernel ((p - x) * s) /
 * sum.
 */
typedef struct
{
  int64_t first, n;
  double x, s, sum;
  bool outside;
} Taps;

static double
weight (const Params *p, const Axis *a, const Taps *t, int64_t at)
{
  if (p->exclude_outside && (at < 0 || at >= a->in))
    return 0;
  return kernel (p, ((double) at - t->x) * t->s) / t->sum;
}

static int64_t
inside (const Axis *a, int64_t at)
{
  return at < 0 ? 0 : at >= a->in ? a->in - 1 : at;
}

/* Neither moved nor scaled. */
static bool
is_kept (const Params *p, const Axis *a)
{
  return a->in == a->out && a->scale == 1 && p->at != AT_TF_CROP_AND_RESIZE;
}

static Taps
taps_of (const Params *p, const Axis *a, int64_t j)
{
  double x = place (p, a, j);
  /* Regions of interest may be anything, NaN too. Outside of the input the
   * element is replaced in the end. */
  bool outside =
      p->at == AT_TF_CROP_AND_RESIZE && !(x >= 0 && x <= (double) (a->in - 1));
  if (outside)
    x = x > 0 ? (double) (a->in - 1) : 0;
  Taps t = { .x = x, .s = 1, .sum = 1, .outside = outside };
  if (is_kept (p, a))
    return (Taps){ .first = j, .n = 1, .s = 0, .sum = 1, .x = (double) j };
  if (p->mode == MODE_NEAREST) {
    t.first = nearest (p, x);
    t.n = 1;
    return t;
  }
  if (p->antialias && a->scale < 1)
    t.s = a->scale;
  double radius = p->mode == MODE_LINEAR ? 1 : 2;
  int64_t start = (int64_t) floor (-radius / t.s) + 1;
  t.first = (int64_t) ceil (x) - 1 + start;
  t.n = 2 - 2 * start;
  double sum = 0;
  for (int64_t k = 0; k < t.n; k++)
    sum += weight (p, a, &t, t.first + k);
  t.sum = sum ? sum : 1;
  return t;
}

/* One axis: @from is outer x in x inner, @to outer x out x inner. */
static void
resize_axis (const Params *p, const Axis *a, size_t outer, size_t inner,
    const float *from, float *to)
{
  size_t in = (size_t) a->in, out = (size_t) a->out;
  for (size_t j = 0; j < out; j++) {
    Taps t = taps_of (p, a, (int64_t) j);
    for (size_t o = 0; o < outer; o++)
      memset (to + (o * out + j) * inner, 0, inner * sizeof *to);
    for (int64_t k = 0; k < t.n; k++) {
      float w = (float) weight (p, a, &t, t.first + k);
      size_t at = (size_t) inside (a, t.first + k);
      for (size_t o = 0; o < outer && w; o++) {
        const float *x = from + (o * in + at) * inner;
        float *y = to + (o * out + j) * inner;
        for (size_t i = 0; i < inner; i++)
          y[i] += w * x[i];
      }
    }
  }
}

/* The same backwards: @d += of each weight times @g. */
static void
resize_axis_back (const Params *p, const Axis *a, size_t outer, size_t inner,
    const float *g, float *d)
{
  size_t in = (size_t) a->in, out = (size_t) a->out;
  for (size_t j = 0; j < out; j++) {
    Taps t = taps_of (p, a, (int64_t) j);
    for (int64_t k = 0; k < t.n; k++) {
      float w = p->mode == MODE_NEAREST || t.s == 0
          ? 1
          : (float) weight (p, a, &t, t.first + k);
      size_t at = (size_t) inside (a, t.first + k);
      for (size_t o = 0; o < outer && w; o++)
        for (size_t i = 0; i < inner; i++)
          d[(o * in + at) * inner + i] += w * g[(o * out + j) * inner + i];
    }
  }
}

/* Elements of the largest tensor on the way, if axes are resized in order. */
static size_t
largest (const Axis *axis, int rank)
{
  size_t best = 0;
  for (int done = 0; done <= rank; done++) {
    size_t n = 1;
    for (int d = 0; d < rank; d++)
      n *= (size_t) (d < done ? axis[d].out : axis[d].in);
    best = n > best ? n : best;
  }
  return best;
}

static size_t
scratch_bytes (const void *params, const CnnTensor *const *in, int n_in,
    CNN_UNUSED const CnnTensor *out, CNN_UNUSED int variant,
    CNN_UNUSED const CnnPool *pool, CNN_UNUSED int training)
{
  Axis axis[CNN_MAX_RANK];
  bool known;
  if (read_axes (params, in, n_in, axis, &known, NULL) || !known)
    return 0;
  return 2 * cnn_align_up (largest (axis, in[0]->shape.rank) * sizeof (float));
}

#define COPY(type)                                                             \
  do {                                                                         \
    const type *x = (const type *) from;                                       \
    type *y = (type *) to;                                                     \
    for (size_t j = 0; j < n; j++)                                             \
      y[j] = x[at[j]];                                                         \
  } while (0)

/* to[j] = from[at[j]], elements of @bytes. */
static void
copy_chosen (const char *from, const size_t *at, char *to, size_t n,
    size_t bytes)
{
  if (bytes == 1)
    COPY (uint8_t);
  else if (bytes == 2)
    COPY (uint16_t);
  else if (bytes == 4)
    COPY (uint32_t);
  else
    COPY (uint64_t);
}

/* Row of the input that the output's row @index is taken from. */
static size_t
nearest_row (const Params *p, const CnnShape *x, const Axis *axis,
    const int64_t *index)
{
  size_t row = 0;
  for (int d = 0; d < x->rank - 1; d++) {
    Taps t = taps_of (p, &axis[d], index[d]);
    row = row * (size_t) x->dims[d] + (size_t) inside (&axis[d], t.first);
  }
  return row;
}

/* Nearest, any type: elements are copied, by one list of places for all rows;
 * a row that is the one before is copied as a whole. */
static void
forward_nearest (const CnnOpCall *call, const Axis *axis)
{
  const Params *p = call->params;
  const CnnShape *x = &call->in[0]->shape, *y = &call->out[0]->shape;
  size_t bytes = cnn_type_bytes (call->in[0]->type);
  int last = x->rank - 1;
  size_t width = (size_t) y->dims[last], in_width = (size_t) x->dims[last];
  size_t rows = cnn_product (y, 0, last), before = SIZE_MAX;
  size_t *at = call->scratch;
  int64_t index[CNN_MAX_RANK] = { 0 };
  char *to = call->out[0]->data;
  for (size_t j = 0; j < width; j++) {
    Taps t = taps_of (p, &axis[last], (int64_t) j);
    at[j] = (size_t) inside (&axis[last], t.first);
  }
  for (size_t r = 0; r < rows; r++, to += width * bytes) {
    size_t row = nearest_row (p, x, axis, index);
    if (row == before)
      memcpy (to, to - width * bytes, width * bytes);
    else
      copy_chosen ((const char *) call->in[0]->data + row * in_width * bytes,
          at, to, width, bytes);
    before = row;
    for (int d = last - 1; d >= 0 && ++index[d] == y->dims[d]; d--)
      index[d] = 0;
  }
}

/* What lies outside of the region's input gets the extrapolation value. */
static void
extrapolate (const CnnOpCall *call, const Axis *axis)
{
  const Params *p = call->params;
  const CnnShape *y = &call->out[0]->shape;
  size_t n = cnn_elements (call->out[0]);
  for (size_t e = 0; e < n; e++) {
    size_t rest = e;
    bool outside = false;
    for (int d = y->rank - 1; d >= 0; d--) {
      outside = outside
          || taps_of (p, &axis[d], (int64_t) (rest % (size_t) y->dims[d]))
                 .outside;
      rest /= (size_t) y->dims[d];
    }
    if (outside)
      cnn_write_float (call->out[0]->type, call->out[0]->data, e,
          (double) p->extrapolation);
  }
}

static void
forward_weighted (const CnnOpCall *call, const Axis *axis)
{
  const Params *p = call->params;
  const CnnShape *x = &call->in[0]->shape;
  size_t half = cnn_align_up (largest (axis, x->rank) * sizeof (float));
  const float *from = call->in[0]->data;
  float *buffers[] = { call->scratch,
    (float *) ((char *) call->scratch + half) };
  int turn = 0;
  size_t outer = 1;
  for (int d = 0; d < x->rank; d++) {
    size_t inner = cnn_product (x, d + 1, x->rank);
    if (!is_kept (p, &axis[d])) {
      resize_axis (p, &axis[d], outer, inner, from, buffers[turn]);
      from = buffers[turn];
      turn = !turn;
    }
    outer *= (size_t) axis[d].out;
  }
  memcpy (call->out[0]->data, from, outer * sizeof *from);
}

static void
forward (const CnnOpCall *call)
{
  const Params *p = call->params;
  Axis axis[CNN_MAX_RANK];
  bool known;
  if (!cnn_elements (call->out[0]))
    return;
  read_axes (p, call->in, call->n_in, axis, &known, NULL);
  if (!call->in[0]->shape.rank)
    memcpy (call->out[0]->data, call->in[0]->data,
        cnn_type_bytes (call->in[0]->type));
  else if (p->mode == MODE_NEAREST)
    forward_nearest (call, axis);
  else
    forward_weighted (call, axis);
  if (p->at == AT_TF_CROP_AND_RESIZE && cnn_type_is_float (call->in[0]->type))
    extrapolate (call, axis);
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad)
{
  const Params *p = call->params;
  const CnnShape *x = &call->in[0]->shape;
  Axis axis[CNN_MAX_RANK];
  bool known;
  if (!grad->d_out[0] || !grad->d_in[0] || !x->rank)
    return;
  read_axes (p, call->in, call->n_in, axis, &known, NULL);
  size_t half = cnn_align_up (largest (axis, x->rank) * sizeof (float));
  const float *from = grad->d_out[0]->data;
  float *buffers[] = { call->scratch,
    (float *) ((char *) call->scratch + half) };
  int turn = 0;
  for (int d = x->rank - 1; d >= 0; d--) {
    size_t outer = 1, inner = cnn_product (x, d + 1, x->rank);
    for (int k = 0; k < d; k++)
      outer *= (size_t) axis[k].out;
    if (is_kept (p, &axis[d]))
      continue;
    memset (buffers[turn], 0,
        outer * (size_t) axis[d].in * inner * sizeof (float));
    resize_axis_back (p, &axis[d], outer, inner, from, buffers[turn]);
    from = buffers[turn];
    turn = !turn;
  }
  float *d = grad->d_in[0]->data;
  size_t n = cnn_elements (call->in[0]);
  for (size_t i = 0; i < n; i++)
    d[i] += from[i];
}

/* Whole factors, up or down. Places that depend on the size (align_corners)
 * have no geometry. */
static bool
axis_geometry (const Params *p, const Axis *a, int i, CnnOpGeometry *g)
{
  double up = a->scale >= 1 ? a->scale : 1;
  double down = a->scale < 1 ? 1 / a->scale : 1;
  bool half = p->at == AT_HALF_PIXEL || p->at == AT_PYTORCH_HALF_PIXEL;
  if (fabs (up - nearbyint (up)) > 1e-6 || fabs (down - nearbyint (down)) > 1e-6
      || (!half && p->at != AT_ASYMMETRIC) || p->antialias || up > 1024
      || down > 1024)
    return false;
  int f = (int) nearbyint (up), k = (int) nearbyint (down);
  if (f == 1 && k == 1)
    return true;
  /* x = (2 j + 1) k / (2 f) - 1/2, or j k / f */
  g->up[i] = half ? 2 * f : f;
  g->stride[i] = half ? 2 * k : k;
  g->offset[i] = half ? k - f : 0;
  g->window[i] = 2;
  if (p->mode == MODE_CUBIC) {
    g->window[i] = 4;
    g->offset[i] -= g->up[i];
  }
  bool floors = p->nearest == NEAREST_FLOOR || half;
  if (p->mode == MODE_NEAREST && floors) {
    g->window[i] = 1;
    g->offset[i] = half && k > 1 ? (k - 1) / 2 * 2 * f : 0;
    if (half && k == 1)
      g->up[i] = f, g->stride[i] = 1;
  }
  return true;
}

static bool
geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry_)
{
  const Params *p = params;
  int rank = in[0]->shape.rank;
  CnnTensor sized = *in[0];
  const CnnTensor *all[4] = { &sized, in[1], in[2], in[3] };
  Axis axis[CNN_MAX_RANK];
  bool known;
  if (rank < 3 || rank > 4)
    return false;
  /* Scales do not depend on sizes that are still open. */
  for (int d = 0; d < rank; d++)
    if (sized.shape.dims[d] < 0)
      sized.shape.dims[d] = 1 << 10;
  if (read_axes (p, all, 4, axis, &known, NULL) || !known || axis[0].scale != 1
      || axis[1].scale != 1)
    return false;
  cnn_op_geometry_pointwise (params, in, geometry_);
  for (int d = 2; d < rank; d++)
    if (!axis_geometry (p, &axis[d], d - rank + 2, geometry_))
      return false;
  return true;
}

const CnnOp cnn_op_resize = {
  .name = "Resize",
  .since = 10,
  .min_in = 1,
  .max_in = 4,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .float32_only = true,
  .value_in = 1 << 1 | 1 << 2 | 1 << 3,
  .parse = parse_resize,
  .infer = infer,
  .geometry = geometry,
  .scratch_bytes = scratch_bytes,
  .forward = forward,
  .backward = backward,
};

const CnnOp cnn_op_upsample = {
  .name = "Upsample",
  .since = 7,
  .min_in = 1,
  .max_in = 2,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .float32_only = true,
  .value_in = 1 << 1,
  .parse = parse_upsample,
  .infer = infer,
  .geometry = geometry,
  .scratch_bytes = scratch_bytes,
  .forward = forward,
  .backward = backward,
};
