/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantized_product.c: ConvInteger, QLinearConv, MatMulInteger, QLinearMatMul:
 * products of 8-bit numbers, summed in 32 bits.
 *
 *   sum over (x - zero of x) (w - zero of w)                  [int32]
 *   y = saturate (round (sum * scale of x * scale of w / scale of y) + zero)
 * Exact; plain loops that compilers vectorise.
 *
 * Source: ONNX ConvInteger, QLinearConv, MatMulInteger, 10; QLinearMatMul, 10,
 * 21. */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "ops/conv.h"
#include "ops/matrix.h"
#include "ops/quantized.h"
#include "ops/shapes.h"
#include "ops/table.h"
#include "tensor/scalar.h"

/**
 * Inputs:
 * Which input is what; -1 = the operator has none.
 */
typedef struct
{
  int x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias;
} Inputs;

static const Inputs integer_inputs = { 0, -1, 2, 1, -1, 3, -1, -1, -1 };
static const Inputs linear_inputs = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };

static const CnnTensor *
input (const CnnTensor *const *in, int n_in, int i)
{
  return i >= 0 && i < n_in ? in[i] : NULL;
}

static bool
is_byte (const CnnTensor *t)
{
  return t->type == CNN_TYPE_INT8 || t->type == CNN_TYPE_UINT8;
}

static CnnStatus
check_types (const Inputs *k, const CnnTensor *const *in, int n_in,
    CnnError *error)
{
  const int zeros[] = { k->x_zero, k->w_zero }, of[] = { k->x, k->w };
  const int scales[] = { k->x_scale, k->w_scale, k->y_scale };
  if (!is_byte (in[k->x]) || !is_byte (in[k->w]))
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "%s by %s: int8 and uint8 are expected", cnn_type_name (in[k->x]->type),
        cnn_type_name (in[k->w]->type));
  for (int i = 0; i < 2; i++) {
    const CnnTensor *zero = input (in, n_in, zeros[i]);
    if (zero && zero->type != in[of[i]]->type)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "zero point %d is %s, not %s", i, cnn_type_name (zero->type),
          cnn_type_name (in[of[i]]->type));
  }
  for (int i = 0; i < 3; i++) {
    const CnnTensor *scale = input (in, n_in, scales[i]);
    if (scale && scale->type != CNN_TYPE_FLOAT32)
      return cnn_error_set (error, CNN_ERROR_SHAPE, "scale %d is %s", i,
          cnn_type_name (scale->type));
  }
  const CnnTensor *y = input (in, n_in, k->y_zero);
  if (y && !is_byte (y))
    return cnn_error_set (error, CNN_ERROR_SHAPE, "the output would be %s",
        cnn_type_name (y->type));
  return CNN_OK;
}

/* One number, or @n of them. */
static CnnStatus
check_numbers (const CnnTensor *t, int64_t n, const char *what, CnnError *error)
{
  char text[160];
  size_t count = 0;
  CnnShape known;
  if (!t)
    return CNN_OK;
  known = t->shape;
  if (!cnn_shape_elements (&known, &count)
      && (count == 1 || n < 0 || count == (size_t) n))
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_SHAPE,
      "%s have shape %s, 1 or %" PRId64 " are expected", what,
      cnn_shape_format (&t->shape, text, sizeof text), n);
}

static int64_t
int_of (const CnnTensor *t, size_t i)
{
  if (!t)
    return 0;
  return cnn_read_int (t->type, t->data, cnn_elements (t) == 1 ? 0 : i);
}

static double
scale_of (const CnnTensor *t, size_t i)
{
  return (double) ((const float *) t->data)[cnn_elements (t) == 1 ? 0 : i];
}

/* Writes sums: as they are, or scaled to 8 bits; @row, @column choose among
 * several scales. */
typedef struct
{
  const CnnTensor *x_scale, *w_scale, *y_scale, *y_zero;
} Output;

static Output
output_of (const Inputs *k, const CnnOpCall *call)
{
  return (Output){ input (call->in, call->n_in, k->x_scale),
    input (call->in, call->n_in, k->w_scale),
    input (call->in, call->n_in, k->y_scale),
    input (call->in, call->n_in, k->y_zero) };
}

static void
write_sum (const Output *o, const CnnTensor *y, size_t at, int32_t sum,
    size_t row, size_t column)
{
  if (!o->y_scale) {
    ((int32_t *) y->data)[at] = sum;
    return;
  }
  float scale = (float) (scale_of (o->x_scale, row)
      * scale_of (o->w_scale, column) / scale_of (o->y_scale, row));
  double v = nearbyint ((double) ((float) sum * scale))
      + (double) int_of (o->y_zero, row);
  cnn_write_int (y->type, y->data, at, cnn_quantized_saturate (y->type, v));
}

/* -- convolutions ------------------------------------------------------- */

static CnnStatus
check_conv (const CnnConvParams *p, const Inputs *k, const CnnTensor *const *in,
    int n_in, CnnError *error)
{
  const CnnShape *x = &in[k->x]->shape, *w = &in[k->w]->shape;
  CnnStatus status = cnn_conv_check_weights (p, x, w, 1 << 24, error);
  if (!status)
    status = check_numbers (input (in, n_in, k->w_scale), w->dims[0],
        "scales of the weights", error);
  if (!status)
    status = check_numbers (input (in, n_in, k->w_zero), w->dims[0],
        "zero points of the weights", error);
  const int singles[] = { k->x_scale, k->x_zero, k->y_scale, k->y_zero };
  for (int i = 0; i < 4 && !status; i++)
    status = check_numbers (input (in, n_in, singles[i]), 1,
        "scales and zero points", error);
  const CnnTensor *bias = input (in, n_in, k->bias);
  if (!status && bias
      && (bias->type != CNN_TYPE_INT32 || bias->shape.rank != 1
          || bias->shape.dims[0] != w->dims[0]))
    status = cnn_error_set (error, CNN_ERROR_SHAPE,
        "bias is no list of %" PRId64 " int32", w->dims[0]);
  return status;
}

static CnnStatus
infer_conv (const CnnConvParams *p, const Inputs *k, const CnnTensor *const *in,
    int n_in, CnnTensor *out, CnnError *error)
{
  CnnShape y = in[k->x]->shape;
  int64_t size[CNN_WINDOW_AXES];
  CnnStatus status = check_types (k, in, n_in, error);
  if (!status)
    status = cnn_window_axes (&p->window, &y, 2, size, error);
  if (!status)
    status = check_conv (p, k, in, n_in, error);
  if (status)
    return status;
  CnnWindow window = cnn_window_with_weights (&p->window, &in[k->w]->shape);
  y.dims[1] = in[k->w]->shape.dims[0];
  for (int axis = 0; axis < 2 && !status; axis++) {
    int dim = cnn_window_dim (y.rank, axis);
    if (dim >= 0)
      status =
          cnn_window_output (&window, axis, size[axis], &y.dims[dim], error);
  }
  const CnnTensor *zero = input (in, n_in, k->y_zero);
  CnnType type = k->y_scale < 0 ? CNN_TYPE_INT32
      : zero                    ? zero->type
                                : CNN_TYPE_UINT8;
  return status ? status : cnn_infer_output (out, type, &y, error);
}

static CnnStatus
infer_conv_integer (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  return infer_conv (params, &integer_inputs, in, n_in, &out[0], error);
}

static CnnStatus
infer_qlinear_conv (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  return infer_conv (params, &linear_inputs, in, n_in, &out[0], error);
}

typedef struct
{
  const CnnOpCall *call;
  const Inputs *inputs;
  CnnWindow window;
  int64_t group, ic, oc, in[2], out[2], pad[2];
} Conv;

static Conv
conv_of (const CnnOpCall *call, const Inputs *k)
{
  const CnnConvParams *p = call->params;
  const CnnShape *x = &call->in[k->x]->shape, *w = &call->in[k->w]->shape;
  Conv c = { .call = call,
    .inputs = k,
    .window = cnn_window_with_weights (&p->window, w),
    .group = p->group,
    .ic = w->dims[1],
    .oc = w->dims[0] };
  for (int axis = 0; axis < 2; axis++) {
    int dim = cnn_window_dim (x->rank, axis);
    int64_t total;
    c.in[axis] = dim < 0 ? 1 : x->dims[dim];
    c.out[axis] = dim < 0 ? 1 : call->out[0]->shape.dims[dim];
    cnn_window_pad (&c.window, axis, c.in[axis], &c.pad[axis], &total);
  }
  return c;
}

/* Sums that 32 bits can't hold wrap around. */
static inline int32_t
wrapped (int32_t a, int32_t b)
{
  return (int32_t) ((uint32_t) a + (uint32_t) b);
}

/* sums[j] += w * (x - zero) for the cells of a row that tap @q reaches. */
static void
add_tap (const Conv *c, const CnnTensor *x, size_t row, int32_t zero, int32_t w,
    int64_t q, int32_t *sums)
{
  int64_t step = c->window.stride[1];
  int64_t at = q * c->window.dilation[1] - c->pad[1];
  int64_t first, last;
  cnn_window_reach (at, step, c->in[1], c->out[1], &first, &last);
  if (x->type == CNN_TYPE_UINT8) {
    const uint8_t *from = (const uint8_t *) x->data + row;
    for (int64_t j = first; j < last; j++)
      sums[j] = wrapped (sums[j], w * (from[at + j * step] - zero));
  } else {
    const int8_t *from = (const int8_t *) x->data + row;
    for (int64_t j = first; j < last; j++)
      sums[j] = wrapped (sums[j], w * (from[at + j * step] - zero));
  }
}

/* Row @i of output channel @o of sample @n. Padding is the zero point: it adds
 * nothing. */
static void
conv_row (const Conv *c, int64_t n, int64_t o, int64_t i, int32_t *sums)
{
  const CnnOpCall *call = c->call;
  const CnnTensor *x = call->in[c->inputs->x], *w = call->in[c->inputs->w];
  const CnnTensor *bias = input (call->in, call->n_in, c->inputs->bias);
  int32_t zero =
      (int32_t) int_of (input (call->in, call->n_in, c->inputs->x_zero), 0);
  int32_t w_zero =
      (int32_t) int_of (input (call->in, call->n_in, c->inputs->w_zero),
          (size_t) o);
  int64_t kh = c->window.kernel[0], kw = c->window.kernel[1];
  int64_t first = o / (c->oc / c->group) * c->ic;
  for (int64_t j = 0; j < c->out[1]; j++)
    sums[j] = bias ? ((const int32_t *) bias->data)[o] : 0;
  for (int64_t k = 0; k < c->ic; k++)
    for (int64_t p = 0; p < kh; p++) {
      int64_t y =
          i * c->window.stride[0] + p * c->window.dilation[0] - c->pad[0];
      if (y < 0 || y >= c->in[0])
        continue;
      int64_t row =
          ((n * c->ic * c->group + first + k) * c->in[0] + y) * c->in[1];
      for (int64_t q = 0; q < kw; q++) {
        size_t at = (size_t) (((o * c->ic + k) * kh + p) * kw + q);
        int32_t weight = (int32_t) cnn_read_int (w->type, w->data, at) - w_zero;
        add_tap (c, x, (size_t) row, zero, weight, q, sums);
      }
    }
}

static void
conv_task (void *data, int number, int worker)
{
  const Conv *c = data;
  const CnnTensor *y = c->call->out[0];
  Output output = output_of (c->inputs, c->call);
  int32_t *sums = (int32_t *) c->call->scratch
      + (size_t) worker
          * (cnn_align_up ((size_t) c->out[1] * sizeof *sums) / sizeof *sums);
  int64_t n = number / c->oc, o = number % c->oc;
  for (int64_t i = 0; i < c->out[0]; i++) {
    size_t at = (size_t) ((number * c->out[0] + i) * c->out[1]);
    conv_row (c, n, o, i, sums);
    for (int64_t j = 0; j < c->out[1]; j++)
      write_sum (&output, y, at + (size_t) j, sums[j], 0, (size_t) o);
  }
}

static void
forward_conv (const CnnOpCall *call, const Inputs *inputs)
{
  Conv c = conv_of (call, inputs);
  int n = (int) call->in[inputs->x]->shape.dims[0];
  cnn_pool_run (call->pool, n * (int) c.oc, conv_task, &c);
}

static void
forward_conv_integer (const CnnOpCall *call)
{
  forward_conv (call, &integer_inputs);
}

static void
forward_qlinear_conv (const CnnOpCall *call)
{
  forward_conv (call, &linear_inputs);
}

static size_t
scratch_conv (CNN_UNUSED const void *params,
    CNN_UNUSED const CnnTensor *const *in, CNN_UNUSED int n_in,
    const CnnTensor *out, CNN_UNUSED int variant, const CnnPool *pool,
    CNN_UNUSED int training)
{
  size_t width = (size_t) out->shape.dims[out->shape.rank - 1];
  return (size_t) cnn_pool_threads (pool)
      * cnn_align_up (width * sizeof (int32_t));
}

static bool
geometry_with (const CnnConvParams *p, const CnnTensor *const *in,
    const Inputs *k, CnnOpGeometry *geometry)
{
  CnnWindow window = cnn_window_with_weights (&p->window, &in[k->w]->shape);
  return in[k->x]->shape.rank <= 4
      && cnn_window_geometry (&window, &in[k->x]->shape, geometry);
}

static bool
geometry_conv_integer (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry)
{
  return geometry_with (params, in, &integer_inputs, geometry);
}

static bool
geometry_qlinear_conv (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry)
{
  return geometry_with (params, in, &linear_inputs, geometry);
}

static uint64_t
macs_with (const CnnTensor *w, const CnnTensor *out)
{
  return (uint64_t) cnn_elements (out)
      * cnn_product (&w->shape, 1, w->shape.rank);
}

static uint64_t
macs_conv_integer (CNN_UNUSED const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, const CnnTensor *out)
{
  return macs_with (in[integer_inputs.w], out);
}

static uint64_t
macs_qlinear_conv (CNN_UNUSED const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, const CnnTensor *out)
{
  return macs_with (in[linear_inputs.w], out);
}

/* -- matrices ----------------------------------------------------------- */

static CnnStatus
infer_matrix (const Inputs *k, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CnnError *error)
{
  CnnTensor a = *in[k->x], b = *in[k->w], y;
  const CnnTensor *floats[] = { &a, &b };
  CnnStatus status = check_types (k, in, n_in, error);
  a.type = b.type = CNN_TYPE_FLOAT32;
  if (!status)
    status = cnn_op_matmul.infer (NULL, floats, 2, &y, 1, error);
  if (status)
    return status;
  if (a.shape.rank < 2 || b.shape.rank < 2)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "vectors of quantised numbers are not supported");
  int64_t m = a.shape.dims[a.shape.rank - 2];
  int64_t n = b.shape.dims[b.shape.rank - 1];
  const int rows[] = { k->x_scale, k->x_zero, k->y_scale, k->y_zero };
  const int columns[] = { k->w_scale, k->w_zero };
  for (int i = 0; i < 4 && !status; i++)
    status = check_numbers (input (in, n_in, rows[i]), m,
        "scales and zero points of rows", error);
  for (int i = 0; i < 2 && !status; i++)
    status = check_numbers (input (in, n_in, columns[i]), n,
        "scales and zero points of columns", error);
  const CnnTensor *zero = input (in, n_in, k->y_zero);
  CnnType type = k->y_scale < 0 ? CNN_TYPE_INT32
      : zero                    ? zero->type
                                : CNN_TYPE_UINT8;
  return status ? status : cnn_infer_output (out, type, &y.shape, error);
}

static CnnStatus
infer_matmul_integer (CNN_UNUSED const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  return infer_matrix (&integer_inputs, in, n_in, &out[0], error);
}

static CnnStatus
infer_qlinear_matmul (CNN_UNUSED const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  return infer_matrix (&linear_inputs, in, n_in, &out[0], error);
}

static void
forward_matrix (const CnnOpCall *call, const Inputs *k)
{
  const CnnTensor *a = call->in[k->x], *b = call->in[k->w], *y = call->out[0];
  const CnnTensor *a_zero = input (call->in, call->n_in, k->x_zero);
  const CnnTensor *b_zero = input (call->in, call->n_in, k->w_zero);
  CnnShape batches = y->shape;
  batches.rank -= 2;
  size_t m = (size_t) batches.dims[batches.rank];
  size_t n = (size_t) batches.dims[batches.rank + 1];
  size_t depth = (size_t) a->shape.dims[a->shape.rank - 1];
  size_t count = cnn_product (&batches, 0, batches.rank);
  Output output = output_of (k, call);
  for (size_t batch = 0; batch < count; batch++) {
    size_t at = cnn_matrix_at (&a->shape, &batches, batch);
    size_t bt = cnn_matrix_at (&b->shape, &batches, batch);
    for (size_t e = 0; e < m * n; e++) {
      size_t i = e / n, j = e % n;
      int64_t za = int_of (a_zero, i), zb = int_of (b_zero, j), sum = 0;
      for (size_t l = 0; l < depth; l++)
        sum += (cnn_read_int (a->type, a->data, at + i * depth + l) - za)
            * (cnn_read_int (b->type, b->data, bt + l * n + j) - zb);
      write_sum (&output, y, batch * m * n + e, (int32_t) sum, i, j);
    }
  }
}

static void
forward_matmul_integer (const CnnOpCall *call)
{
  forward_matrix (call, &integer_inputs);
}

static void
forward_qlinear_matmul (const CnnOpCall *call)
{
  forward_matrix (call, &linear_inputs);
}

const CnnOp cnn_op_conv_integer = {
  .name = "ConvInteger",
  .since = 10,
  .min_in = 2,
  .max_in = 4,
  .max_out = 1,
  .params_bytes = sizeof (CnnConvParams),
  .parse = cnn_conv_parse,
  .infer = infer_conv_integer,
  .geometry = geometry_conv_integer,
  .macs = macs_conv_integer,
  .scratch_bytes = scratch_conv,
  .forward = forward_conv_integer,
};

const CnnOp cnn_op_qlinear_conv = {
  .name = "QLinearConv",
  .since = 10,
  .min_in = 8,
  .max_in = 9,
  .max_out = 1,
  .params_bytes = sizeof (CnnConvParams),
  .parse = cnn_conv_parse,
  .infer = infer_qlinear_conv,
  .geometry = geometry_qlinear_conv,
  .macs = macs_qlinear_conv,
  .scratch_bytes = scratch_conv,
  .forward = forward_qlinear_conv,
};

const CnnOp cnn_op_matmul_integer = {
  .name = "MatMulInteger",
  .since = 10,
  .min_in = 2,
  .max_in = 4,
  .max_out = 1,
  .infer = infer_matmul_integer,
  .forward = forward_matmul_integer,
};

const CnnOp cnn_op_qlinear_matmul = {
  .name = "QLinearMatMul",
  .since = 10,
  .min_in = 8,
  .max_in = 8,
  .max_out = 1,
  .float32_only = true,
  .infer = infer_qlinear_matmul,
  .forward = forward_qlinear_matmul,
};
