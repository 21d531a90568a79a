/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shape.c: Shape, Size, ConstantOfShape, Range: arithmetic on shapes, which is
 * computed before anything runs.
 *
 * Source: ONNX Shape, 1 to 21; Size, 1 to 21; ConstantOfShape, 9 to 21; Range,
 * 11. */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "tensor/scalar.h"
#include "ops/shapes.h"
#include "ops/table.h"

typedef struct
{
  int64_t start, end;
} Shape;

static CnnStatus
parse_shape (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "start", "end", NULL };
  Shape *p = params;
  *p = (Shape){ 0, INT64_MAX };
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, "start", INT64_MIN, INT64_MAX,
        &p->start, error);
  if (!status)
    status = cnn_attributes_int (attributes, "end", INT64_MIN, INT64_MAX,
        &p->end, error);
  return status;
}

static int
clamp (int64_t axis, int rank)
{
  int64_t front = axis < 0 ? (axis < -rank ? 0 : axis + rank) : axis;
  return (int) (front > rank ? rank : front);
}

static CnnStatus
infer_shape (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const Shape *p = params;
  int rank = in[0]->shape.rank;
  int size = clamp (p->end, rank) - clamp (p->start, rank);
  return cnn_infer_output (&out[0], CNN_TYPE_INT64,
      &(CnnShape){ 1, { size > 0 ? size : 0 } }, error);
}

static void
forward_shape (const CnnOpCall *call)
{
  const Shape *p = call->params;
  const CnnShape *x = &call->in[0]->shape;
  int64_t *to = call->out[0]->data;
  for (int i = clamp (p->start, x->rank); i < clamp (p->end, x->rank); i++)
    *to++ = x->dims[i];
}

static CnnStatus
infer_size (CNN_UNUSED const void *params,
    CNN_UNUSED const CnnTensor *const *in, CNN_UNUSED int n_in, CnnTensor *out,
    CNN_UNUSED int n_out, CnnError *error)
{
  return cnn_infer_output (&out[0], CNN_TYPE_INT64, &(CnnShape){ 0 }, error);
}

static void
forward_size (const CnnOpCall *call)
{
  *(int64_t *) call->out[0]->data = (int64_t) cnn_elements (call->in[0]);
}

/* The attribute is borrowed: the node that has these parameters owns it. */
typedef struct
{
  const CnnTensor *value;
} Fill;

static CnnStatus
parse_fill (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "value", NULL };
  Fill *p = params;
  size_t elements;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (status || !attributes->count)
    return status;
  const CnnAttribute *a = attributes->items;
  if (a->type != CNN_ATTRIBUTE_TENSOR
      || cnn_shape_elements (&a->t->shape, &elements) || elements != 1)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "value is no tensor of one element");
  p->value = a->t;
  return CNN_OK;
}

static CnnStatus
infer_fill (const void *params, const CnnTensor *const *in, CNN_UNUSED int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const Fill *p = params;
  CnnShape y;
  bool known;
  CnnStatus status =
      cnn_values (in[0], CNN_MAX_RANK, y.dims, &y.rank, &known, error);
  for (int i = 0; i < y.rank && !status; i++) {
    if (!known)
      y.dims[i] = -1;
    else if (y.dims[i] < 0)
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "the shape's value %d is %" PRId64, i, y.dims[i]);
  }
  return status ? status
                : cnn_infer_output (&out[0],
                    p->value ? p->value->type : CNN_TYPE_FLOAT32, &y, error);
}

static void
forward_fill (const CnnOpCall *call)
{
  const Fill *p = call->params;
  size_t n = cnn_elements (call->out[0]);
  size_t bytes = cnn_type_bytes (call->out[0]->type);
  if (!p->value) {
    memset (call->out[0]->data, 0, n * bytes);
    return;
  }
  for (size_t i = 0; i < n; i++)
    memcpy ((char *) call->out[0]->data + i * bytes, p->value->data, bytes);
}

/* Elements of a Range: ceil ((limit - start) / delta). */
static CnnStatus
count_range (const CnnTensor *const *in, int64_t *count, CnnError *error)
{
  double v[3];
  *count = -1;
  for (int i = 0; i < 3; i++) {
    if (!in[i]->data)
      return CNN_OK;
    v[i] = cnn_read_double (in[i]->type, in[i]->data, 0);
  }
  double n = ceil ((v[1] - v[0]) / v[2]);
  if (v[2] == 0 || isnan (n) || n > INT32_MAX)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "from %g to %g in steps of %g is no range", v[0], v[1], v[2]);
  *count = n > 0 ? (int64_t) n : 0;
  return CNN_OK;
}

static CnnStatus
infer_range (CNN_UNUSED const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnShape y = { .rank = 1 };
  size_t elements;
  for (int i = 0; i < 3; i++)
    if (in[i]->type != in[0]->type
        || cnn_shape_elements (&in[i]->shape, &elements) || elements != 1)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "input %d is no scalar of the first one's type", i);
  CnnStatus status = count_range (in, &y.dims[0], error);
  return status ? status : cnn_infer_output (&out[0], in[0]->type, &y, error);
}

static void
forward_range (const CnnOpCall *call)
{
  CnnType type = call->out[0]->type;
  size_t n = cnn_elements (call->out[0]);
  const void *start = call->in[0]->data, *delta = call->in[2]->data;
  for (size_t i = 0; i < n; i++)
    if (cnn_type_is_float (type))
      cnn_write_float (type, call->out[0]->data, i,
          cnn_read_float (type, start, 0)
              + (double) i * cnn_read_float (type, delta, 0));
    else
      cnn_write_int (type, call->out[0]->data, i,
          (int64_t) ((uint64_t) cnn_read_int (type, start, 0)
              + i * (uint64_t) cnn_read_int (type, delta, 0)));
}

const CnnOp cnn_op_shape = {
  .name = "Shape",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Shape),
  .reads_shape = true,
  .parse = parse_shape,
  .infer = infer_shape,
  .forward = forward_shape,
};

const CnnOp cnn_op_size = {
  .name = "Size",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .reads_shape = true,
  .infer = infer_size,
  .forward = forward_size,
};

const CnnOp cnn_op_constant_of_shape = {
  .name = "ConstantOfShape",
  .since = 9,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (Fill),
  .value_in = 1,
  .parse = parse_fill,
  .infer = infer_fill,
  .forward = forward_fill,
};

const CnnOp cnn_op_range = {
  .name = "Range",
  .since = 11,
  .min_in = 3,
  .max_in = 3,
  .max_out = 1,
  .value_in = 7,
  .infer = infer_range,
  .forward = forward_range,
};
