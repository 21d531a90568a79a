/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cast.c: Cast and CastLike, between any two types.
 *
 * To integers floats are cut towards zero; what an integer can't hold wraps
 * around; from floats that is undefined by the standard, and here the nearest
 * 64-bit integer's lowest bits, or for 4 bits the nearest that fits. To bool:
 * anything but zero is true.
 *
 * Source: ONNX Cast, opsets 6 to 21; CastLike, 15 to 21. */

#include "base/error.h"
#include "tensor/scalar.h"
#include "ops/shapes.h"
#include "ops/table.h"

typedef struct
{
  int64_t to, saturate;
} Params;

static CnnStatus
parse_cast (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "to", "saturate", NULL };
  Params *p = params;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "to", 0, 1 << 10, &p->to, error);
  if (!status)
    status =
        cnn_attributes_int (attributes, "saturate", 0, 1, &p->saturate, error);
  if (!status && !cnn_type_bytes ((CnnType) p->to))
    status = cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "elements of ONNX's type %d are not supported", (int) p->to);
  return status;
}

static CnnStatus
parse_like (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "saturate", NULL };
  Params *p = params;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status =
        cnn_attributes_int (attributes, "saturate", 0, 1, &p->saturate, error);
  return status;
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    CNN_UNUSED int n_out, CnnError *error)
{
  const Params *p = params;
  CnnType to = n_in > 1 ? in[1]->type : (CnnType) p->to;
  return cnn_infer_output (&out[0], to, &in[0]->shape, error);
}

static int64_t
to_int (CnnType to, double x)
{
  if (to == CNN_TYPE_INT4)
    return x >= 7 ? 7 : x <= -8 ? -8 : cnn_int_of_double (to, x);
  if (to == CNN_TYPE_UINT4)
    return x >= 15 ? 15 : x <= 0 ? 0 : cnn_int_of_double (to, x);
  return cnn_int_of_double (to, x);
}

static void
cast_element (CnnType from, const void *x, CnnType to, void *y, size_t i)
{
  if (cnn_type_is_float (to)) {
    cnn_write_float (to, y, i, cnn_read_double (from, x, i));
  } else if (!cnn_type_is_float (from)) {
    cnn_write_int (to, y, i, cnn_read_int (from, x, i));
  } else {
    double v = cnn_read_float (from, x, i);
    cnn_write_int (to, y, i, to == CNN_TYPE_BOOL ? v != 0 : to_int (to, v));
  }
}

/* Pairs that networks of other precisions are made of. */
static bool
cast_fast (CnnType from, const void *x, CnnType to, void *y, size_t n)
{
  if (from == CNN_TYPE_UINT8 && to == CNN_TYPE_FLOAT32)
    for (size_t i = 0; i < n; i++)
      ((float *) y)[i] = ((const uint8_t *) x)[i];
  else if (from == CNN_TYPE_FLOAT32 && to == CNN_TYPE_FLOAT32)
    for (size_t i = 0; i < n; i++)
      ((float *) y)[i] = ((const float *) x)[i];
  else if (from == CNN_TYPE_FLOAT16 && to == CNN_TYPE_FLOAT32)
    for (size_t i = 0; i < n; i++)
      ((float *) y)[i] = cnn_half_to_float (((const uint16_t *) x)[i]);
  else if (from == CNN_TYPE_FLOAT64 && to == CNN_TYPE_FLOAT32)
    for (size_t i = 0; i < n; i++)
      ((float *) y)[i] = (float) ((const double *) x)[i];
  else
    return false;
  return true;
}

static void
forward (const CnnOpCall *call)
{
  const CnnTensor *x = call->in[0], *y = call->out[0];
  size_t n = cnn_elements (x);
  if (!cast_fast (x->type, x->data, y->type, y->data, n))
    for (size_t i = 0; i < n; i++)
      cast_element (x->type, x->data, y->type, y->data, i);
}

const CnnOp cnn_op_cast = {
  .name = "Cast",
  .since = 6,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .parse = parse_cast,
  .infer = infer,
  .geometry = cnn_op_geometry_pointwise,
  .cellwise = cnn_op_cellwise,
  .forward = forward,
};

const CnnOp cnn_op_cast_like = {
  .name = "CastLike",
  .since = 15,
  .min_in = 2,
  .max_in = 2,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .parse = parse_like,
  .infer = infer,
  .geometry = cnn_op_geometry_pointwise,
  .cellwise = cnn_op_cellwise,
  .forward = forward,
};
