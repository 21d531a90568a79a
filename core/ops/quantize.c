/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantize.c: QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear.
 *
 *   q = saturate (round (x / scale) + zero),  x = (q - zero) scale
 * rounding ties to even. Scale and zero are one number, one for each index of
 * an axis, or one for each block of `block_size` elements along it.
 * DynamicQuantizeLinear takes both from the range of x, 0 included.
 *
 * Source: ONNX QuantizeLinear, DequantizeLinear, 10 to 21;
 * DynamicQuantizeLinear, 11. */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "ops/quantized.h"
#include "ops/shapes.h"
#include "ops/table.h"
#include "tensor/scalar.h"

typedef struct
{
  int64_t axis, block, saturate, type;
} Params;

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "axis", "block_size", "output_dtype",
    "saturate", "precision", NULL };
  Params *p = params;
  int64_t unused;
  p->axis = 1;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "axis", -CNN_MAX_RANK,
        CNN_MAX_RANK - 1, &p->axis, error);
  if (!status)
    status = cnn_attributes_int (attributes, "block_size", 0, INT32_MAX,
        &p->block, error);
  if (!status)
    status =
        cnn_attributes_int (attributes, "saturate", 0, 1, &p->saturate, error);
  if (!status)
    status = cnn_attributes_int (attributes, "precision", 0, 1, &unused, error);
  if (!status)
    status = cnn_attributes_int (attributes, "output_dtype", 0, 1 << 10,
        &p->type, error);
  if (!status && p->type && !cnn_type_bytes ((CnnType) p->type))
    status = cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "elements of ONNX's type %d are not supported", (int) p->type);
  return status;
}

/**
 * Layout:
 * Which scale belongs to element e: e / inner % n (/ block), with blocks
 * e / outer besides.
 */
typedef struct
{
  size_t n, inner, block, blocks, lines;
} Layout;

static CnnStatus
layout_of (const Params *p, const CnnShape *x, const CnnShape *scale,
    Layout *layout, CnnError *error)
{
  char text[160], other[160];
  int axis = 0;
  bool single = true, fits = true;
  for (int d = 0; d < scale->rank; d++)
    single = single && scale->dims[d] == 1;
  *layout = (Layout){ .n = 1, .inner = 1, .block = 1, .blocks = 1, .lines = 1 };
  if (single && !p->block)
    return CNN_OK;
  CnnStatus status = cnn_axis (p->axis, x->rank, x->rank - 1, &axis, error);
  if (status)
    return status;
  if (p->block) {
    fits = scale->rank == x->rank;
    for (int d = 0; d < x->rank && fits; d++)
      fits = x->dims[d] < 0 || scale->dims[d] < 0
          || scale->dims[d]
              == (d == axis ? (x->dims[d] + p->block - 1) / p->block
                            : x->dims[d]);
  } else {
    fits = scale->rank == 1
        && (x->dims[axis] < 0 || scale->dims[0] == x->dims[axis]);
  }
  if (!fits)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "scale of shape %s for elements of shape %s, axis %d",
        cnn_shape_format (scale, text, sizeof text),
        cnn_shape_format (x, other, sizeof other), axis);
  layout->n = (size_t) x->dims[axis];
  layout->inner = cnn_product (x, axis + 1, x->rank);
  layout->block = p->block ? (size_t) p->block : 1;
  layout->blocks = (layout->n + layout->block - 1) / layout->block;
  layout->lines = p->block ? layout->inner : 1;
  return CNN_OK;
}

static size_t
scale_at (const Layout *l, size_t e)
{
  size_t line = e / l->inner, at = line % l->n / l->block;
  if (l->n == 1 && l->lines == 1 && l->block == 1)
    return 0;
  if (l->lines == 1 && l->block == 1)
    return at;
  return (line / l->n * l->blocks + at) * l->inner + e % l->inner;
}

static CnnStatus
check_zero (const CnnTensor *const *in, int n_in, CnnError *error)
{
  size_t scales = 0, zeros = 0;
  if (n_in < 3 || !in[2] || cnn_shape_elements (&in[1]->shape, &scales)
      || cnn_shape_elements (&in[2]->shape, &zeros))
    return CNN_OK;
  if (!cnn_shape_equal (&in[2]->shape, &in[1]->shape)
      && (scales != 1 || zeros != 1))
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "scale and zero point have different shapes");
  return CNN_OK;
}

static CnnStatus
infer_quantize (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const Params *p = params;
  CnnType type = p->type ? (CnnType) p->type : CNN_TYPE_UINT8;
  Layout unused;
  if (n_in > 2 && in[2])
    type = in[2]->type;
  if (in[1]->type != CNN_TYPE_FLOAT32 || !cnn_type_is_integer (type)
      || cnn_type_bytes (type) > 2)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "from %s with a scale of %s to %s", cnn_type_name (in[0]->type),
        cnn_type_name (in[1]->type), cnn_type_name (type));
  CnnStatus status = check_zero (in, n_in, error);
  if (!status)
    status = layout_of (p, &in[0]->shape, &in[1]->shape, &unused, error);
  return status ? status
                : cnn_infer_output (&out[0], type, &in[0]->shape, error);
}

static CnnStatus
infer_dequantize (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  Layout unused;
  if (in[1]->type != CNN_TYPE_FLOAT32 || !cnn_type_is_integer (in[0]->type)
      || cnn_type_bytes (in[0]->type) > 4
      || (n_in > 2 && in[2] && in[2]->type != in[0]->type))
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "from %s with a scale of %s", cnn_type_name (in[0]->type),
        cnn_type_name (in[1]->type));
  CnnStatus status = check_zero (in, n_in, error);
  if (!status)
    status = layout_of (params, &in[0]->shape, &in[1]->shape, &unused, error);
  return status
      ? status
      : cnn_infer_output (&out[0], CNN_TYPE_FLOAT32, &in[0]->shape, error);
}

int64_t
cnn_quantized_saturate (CnnType type, double value)
{
  int bits = cnn_type_is_nibble (type) ? 4 : 8 * (int) cnn_type_bytes (type);
  int64_t low = cnn_type_is_signed (type) ? -((int64_t) 1 << (bits - 1)) : 0;
  int64_t high = low + ((int64_t) 1 << bits) - 1;
  return isnan (value)        ? 0
      : value < (double) low  ? low
      : value > (double) high ? high
                              : (int64_t) value;
}

static int64_t
zero_of (const CnnOpCall *call, size_t i)
{
  const CnnTensor *zero = call->n_in > 2 ? call->in[2] : NULL;
  return zero ? cnn_read_int (zero->type, zero->data, i) : 0;
}

static void
forward_quantize (const CnnOpCall *call)
{
  const CnnTensor *x = call->in[0], *y = call->out[0];
  const float *scale = call->in[1]->data;
  size_t n = cnn_elements (x);
  Layout l;
  layout_of (call->params, &x->shape, &call->in[1]->shape, &l, NULL);
  for (size_t e = 0; e < n; e++) {
    size_t i = scale_at (&l, e);
    float v = (float) cnn_read_double (x->type, x->data, e) / scale[i];
    cnn_write_int (y->type, y->data, e,
        cnn_quantized_saturate (y->type,
            nearbyint ((double) v) + (double) zero_of (call, i)));
  }
}

static void
forward_dequantize (const CnnOpCall *call)
{
  const CnnTensor *x = call->in[0];
  const float *scale = call->in[1]->data;
  float *y = call->out[0]->data;
  size_t n = cnn_elements (x);
  Layout l;
  layout_of (call->params, &x->shape, &call->in[1]->shape, &l, NULL);
  for (size_t e = 0; e < n; e++) {
    size_t i = scale_at (&l, e);
    y[e] = (float) (cnn_read_int (x->type, x->data, e) - zero_of (call, i))
        * scale[i];
  }
}

static CnnStatus
infer_dynamic (CNN_UNUSED const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, int n_out, CnnError *error)
{
  CnnShape scalar = { 0 };
  CnnStatus status = cnn_infer_floats (in, n_in, error);
  if (!status)
    status = cnn_infer_output (&out[0], CNN_TYPE_UINT8, &in[0]->shape, error);
  if (!status && n_out > 1)
    status = cnn_infer_output (&out[1], CNN_TYPE_FLOAT32, &scalar, error);
  if (!status && n_out > 2)
    status = cnn_infer_output (&out[2], CNN_TYPE_UINT8, &scalar, error);
  return status;
}

static void
forward_dynamic (const CnnOpCall *call)
{
  const float *x = call->in[0]->data;
  size_t n = cnn_elements (call->in[0]);
  float low = 0, high = 0;
  for (size_t i = 0; i < n; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  float scale = (high - low) / 255;
  double zero = scale > 0 ? nearbyint ((double) (-low / scale)) : 0;
  zero = (double) cnn_quantized_saturate (CNN_TYPE_UINT8, zero);
  for (size_t i = 0; i < n && call->out[0]; i++)
    ((uint8_t *) call->out[0]->data)[i] =
        (uint8_t) cnn_quantized_saturate (CNN_TYPE_UINT8,
            (scale > 0 ? nearbyint ((double) (x[i] / scale)) : 0) + zero);
  if (call->n_out > 1 && call->out[1])
    *(float *) call->out[1]->data = scale;
  if (call->n_out > 2 && call->out[2])
    *(uint8_t *) call->out[2]->data = (uint8_t) zero;
}

const CnnOp cnn_op_quantize_linear = {
  .name = "QuantizeLinear",
  .since = 10,
  .min_in = 2,
  .max_in = 3,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .float32_only = true,
  .parse = parse,
  .infer = infer_quantize,
  .geometry = cnn_op_geometry_pointwise,
  .cellwise = cnn_op_cellwise,
  .forward = forward_quantize,
};

const CnnOp cnn_op_dequantize_linear = {
  .name = "DequantizeLinear",
  .since = 10,
  .min_in = 2,
  .max_in = 3,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .float32_only = true,
  .parse = parse,
  .infer = infer_dequantize,
  .geometry = cnn_op_geometry_pointwise,
  .cellwise = cnn_op_cellwise,
  .forward = forward_dequantize,
};

const CnnOp cnn_op_dynamic_quantize_linear = {
  .name = "DynamicQuantizeLinear",
  .since = 11,
  .min_in = 1,
  .max_in = 1,
  .max_out = 3,
  .float32_only = true,
  .infer = infer_dynamic,
  .forward = forward_dynamic,
};
