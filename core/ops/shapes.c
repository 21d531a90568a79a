/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shapes.c: shape arithmetic that does not trust its input. */

#include "ops/shapes.h"

#include <inttypes.h>

#include "base/error.h"
#include "tensor/convert.h"

CnnStatus
cnn_infer_floats (const CnnTensor *const *in, int n_in, CnnError *error)
{
  for (int i = 0; i < n_in; i++)
    if (in[i] && in[i]->type != CNN_TYPE_FLOAT32)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "input %d has type %s, not float32", i, cnn_type_name (in[i]->type));
  return CNN_OK;
}

CnnStatus
cnn_infer_output (CnnTensor *out, CnnType type, const CnnShape *shape,
    CnnError *error)
{
  CnnShape known = *shape;
  char text[160];
  size_t elements;

  for (int i = 0; i < known.rank; i++)
    if (known.dims[i] == -1)
      known.dims[i] = 1;
  if (cnn_shape_elements (&known, &elements))
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "output would have the impossible size %s",
        cnn_shape_format (shape, text, sizeof text));
  out->type = type;
  out->shape = *shape;
  return CNN_OK;
}

CnnStatus
cnn_infer_same (CNN_UNUSED const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  return cnn_infer_output (&out[0], in[0]->type, &in[0]->shape, error);
}

CnnStatus
cnn_infer_same_float (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  CnnStatus status = cnn_infer_floats (in, 1, error);
  return status ? status : cnn_infer_same (params, in, n_in, out, n_out, error);
}

CnnStatus
cnn_check_number (const CnnTensor *in, int i, CnnError *error)
{
  if (in->type != CNN_TYPE_BOOL)
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_SHAPE,
      "input %d is bool, numbers are expected", i);
}

CnnStatus
cnn_check_float (const CnnTensor *in, int i, CnnError *error)
{
  if (cnn_type_is_float (in->type))
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_SHAPE,
      "input %d is %s, floats are expected", i, cnn_type_name (in->type));
}

CnnStatus
cnn_check_integer (const CnnTensor *in, int i, CnnError *error)
{
  if (cnn_type_is_integer (in->type))
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_SHAPE,
      "input %d is %s, integers are expected", i, cnn_type_name (in->type));
}

CnnStatus
cnn_infer_float (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  CnnStatus status = cnn_check_float (in[0], 0, error);
  return status ? status : cnn_infer_same (params, in, n_in, out, n_out, error);
}

CnnStatus
cnn_infer_number (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  CnnStatus status = cnn_check_number (in[0], 0, error);
  return status ? status : cnn_infer_same (params, in, n_in, out, n_out, error);
}

/* Size of one dimension, -2 if they don't fit. Not fixed against 1 is not
 * fixed, against n > 1 is n: it can't be anything else. */
static int64_t
broadcast_dim (int64_t a, int64_t b)
{
  if (a == b)
    return a;
  if (a == 1 || (a == -1 && b != 1))
    return b;
  if (b == 1 || b == -1)
    return a;
  return -2;
}

CnnStatus
cnn_shape_broadcast (const CnnShape *a, const CnnShape *b, CnnShape *both,
    CnnError *error)
{
  CnnShape shape = { .rank = a->rank > b->rank ? a->rank : b->rank };
  for (int i = 0; i < shape.rank; i++) {
    int ia = i - (shape.rank - a->rank), ib = i - (shape.rank - b->rank);
    shape.dims[i] =
        broadcast_dim (ia >= 0 ? a->dims[ia] : 1, ib >= 0 ? b->dims[ib] : 1);
    if (shape.dims[i] == -2) {
      char text_a[160], text_b[160];
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "shapes %s and %s can't be combined",
          cnn_shape_format (a, text_a, sizeof text_a),
          cnn_shape_format (b, text_b, sizeof text_b));
    }
  }
  *both = shape;
  return CNN_OK;
}

size_t
cnn_broadcast_at (const CnnShape *x, const CnnShape *y, size_t e)
{
  size_t at = 0, step = 1;
  for (int d = y->rank - 1; d >= 0; d--) {
    int dx = d - (y->rank - x->rank);
    size_t i = e % (size_t) y->dims[d];
    e /= (size_t) y->dims[d];
    if (dx < 0)
      break;
    at += x->dims[dx] > 1 ? i * step : 0;
    step *= (size_t) x->dims[dx];
  }
  return at;
}

size_t
cnn_elements (const CnnTensor *tensor)
{
  return cnn_product (&tensor->shape, 0, tensor->shape.rank);
}

CnnStatus
cnn_axis (int64_t axis, int rank, int limit, int *from_front, CnnError *error)
{
  int64_t front = axis < 0 && axis >= -rank ? axis + rank : axis;
  if (front < 0 || front > limit)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "axis %" PRId64 " of an input with %d dimensions", axis, rank);
  *from_front = (int) front;
  return CNN_OK;
}

size_t
cnn_product (const CnnShape *shape, int from, int to)
{
  size_t product = 1;
  for (int i = from; i < to; i++)
    product *= (size_t) shape->dims[i];
  return product;
}

CnnStatus
cnn_values (const CnnTensor *tensor, int max, int64_t *values, int *count,
    bool *known, CnnError *error)
{
  char text[160];
  const CnnShape *s = &tensor->shape;
  bool is_int =
      tensor->type == CNN_TYPE_INT64 || tensor->type == CNN_TYPE_INT32;
  int64_t n = s->rank ? s->dims[0] : 1;
  if (!is_int || s->rank > 1 || n > max || n < -1)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "a list of at most %d integers is expected, not %s of size %s", max,
        cnn_type_name (tensor->type), cnn_shape_format (s, text, sizeof text));
  *known = (tensor->data && n >= 0) || !n;
  *count = n < 0 ? 0 : (int) n;
  for (int i = 0; i < *count && *known; i++)
    values[i] = tensor->type == CNN_TYPE_INT64
        ? ((const int64_t *) tensor->data)[i]
        : ((const int32_t *) tensor->data)[i];
  if (n < 0)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "how many values a list has is not known");
  return CNN_OK;
}

CnnStatus
cnn_axes (int64_t *axes, int count, int rank, CnnError *error)
{
  bool seen[CNN_MAX_RANK] = { false };
  CnnStatus status = CNN_OK;
  for (int i = 0; i < count && !status; i++) {
    int front = 0;
    status = cnn_axis (axes[i], rank, rank - 1, &front, error);
    if (!status && seen[front])
      status = cnn_error_set (error, CNN_ERROR_SHAPE, "axis %d is given twice",
          front);
    if (status)
      break;
    seen[front] = true;
    axes[i] = front;
  }
  return status;
}
