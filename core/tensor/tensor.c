/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tensor.c: types and shapes. */

#include <cnn/tensor.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/size.h"
#include "tensor/scalar.h"

static const struct
{
  const char *name;
  size_t bytes;
} types[] = {
  [CNN_TYPE_FLOAT32] = { "float32", 4 },
  [CNN_TYPE_UINT8] = { "uint8", 1 },
  [CNN_TYPE_INT8] = { "int8", 1 },
  [CNN_TYPE_UINT16] = { "uint16", 2 },
  [CNN_TYPE_INT16] = { "int16", 2 },
  [CNN_TYPE_INT32] = { "int32", 4 },
  [CNN_TYPE_INT64] = { "int64", 8 },
  [CNN_TYPE_BOOL] = { "bool", 1 },
  [CNN_TYPE_FLOAT16] = { "float16", 2 },
  [CNN_TYPE_FLOAT64] = { "float64", 8 },
  [CNN_TYPE_UINT32] = { "uint32", 4 },
  [CNN_TYPE_UINT64] = { "uint64", 8 },
  [CNN_TYPE_BFLOAT16] = { "bfloat16", 2 },
  [CNN_TYPE_UINT4] = { "uint4", 1 },
  [CNN_TYPE_INT4] = { "int4", 1 },
};

static bool
is_type (CnnType type)
{
  return (unsigned) type < sizeof types / sizeof *types && types[type].name;
}

size_t
cnn_type_bytes (CnnType type)
{
  return is_type (type) ? types[type].bytes : 0;
}

const char *
cnn_type_name (CnnType type)
{
  return is_type (type) ? types[type].name : "none";
}

double
cnn_tensor_value (const CnnTensor *tensor, size_t i)
{
  return cnn_read_double (tensor->type, tensor->data, i);
}

CnnStatus
cnn_shape_elements (const CnnShape *shape, size_t *elements)
{
  size_t product = 1;
  for (int i = 0; i < shape->rank; i++) {
    if (shape->dims[i] < 0
        || !cnn_size_mul (product, (size_t) shape->dims[i], &product)
        || product > SIZE_MAX / 32)
      return CNN_ERROR_SHAPE;
  }
  *elements = product;
  return CNN_OK;
}

CnnStatus
cnn_tensor_bytes (const CnnTensor *tensor, size_t *bytes)
{
  size_t elements;
  CnnStatus status = cnn_shape_elements (&tensor->shape, &elements);
  if (!status)
    *bytes = elements * cnn_type_bytes (tensor->type);
  return status;
}

int
cnn_shape_equal (const CnnShape *a, const CnnShape *b)
{
  if (a->rank != b->rank)
    return 0;
  for (int i = 0; i < a->rank; i++)
    if (a->dims[i] != b->dims[i])
      return 0;
  return 1;
}

char *
cnn_shape_format (const CnnShape *shape, char *text, size_t text_bytes)
{
  size_t used = 0;
  if (!shape->rank) {
    snprintf (text, text_bytes, "scalar");
    return text;
  }
  for (int i = 0; i < shape->rank && used < text_bytes; i++) {
    const char *x = i ? "x" : "";
    int n = shape->dims[i] < 0
        ? snprintf (text + used, text_bytes - used, "%s?", x)
        : snprintf (text + used, text_bytes - used, "%s%" PRId64, x,
            shape->dims[i]);
    used += n > 0 ? (size_t) n : 0;
  }
  return text;
}
