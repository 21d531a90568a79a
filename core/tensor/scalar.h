/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scalar.h (internal): single elements of any type, as the widest number of
 * their kind. For the types that networks do not spend their time on: one
 * loop instead of one for each of fourteen types. */

#ifndef CNN_TENSOR_SCALAR_H
#define CNN_TENSOR_SCALAR_H

#include "tensor/convert.h"

/** cnn_read_float: element @i of a float type. */
static inline double
cnn_read_float (CnnType type, const void *data, size_t i)
{
  switch (type) {
    case CNN_TYPE_FLOAT32:
      return (double) ((const float *) data)[i];
    case CNN_TYPE_FLOAT64:
      return ((const double *) data)[i];
    case CNN_TYPE_FLOAT16:
      return (double) cnn_half_to_float (((const uint16_t *) data)[i]);
    case CNN_TYPE_BFLOAT16:
      return (double) cnn_bfloat_to_float (((const uint16_t *) data)[i]);
    default:
      return 0;
  }
}

/** cnn_write_float: rounds to the type. */
static inline void
cnn_write_float (CnnType type, void *data, size_t i, double value)
{
  switch (type) {
    case CNN_TYPE_FLOAT32:
      ((float *) data)[i] = (float) value;
      break;
    case CNN_TYPE_FLOAT64:
      ((double *) data)[i] = value;
      break;
    case CNN_TYPE_FLOAT16:
      ((uint16_t *) data)[i] = cnn_half_from_double (value);
      break;
    case CNN_TYPE_BFLOAT16:
      ((uint16_t *) data)[i] = cnn_bfloat_from_float ((float) value);
      break;
    default:
      break;
  }
}

/** cnn_read_int: element @i of an integer type or bool; uint64 as the int64 of
 * the same bits. */
static inline int64_t
cnn_read_int (CnnType type, const void *data, size_t i)
{
  switch (type) {
    case CNN_TYPE_INT8:
    case CNN_TYPE_INT4:
      return ((const int8_t *) data)[i];
    case CNN_TYPE_UINT8:
    case CNN_TYPE_UINT4:
    case CNN_TYPE_BOOL:
      return ((const uint8_t *) data)[i];
    case CNN_TYPE_INT16:
      return ((const int16_t *) data)[i];
    case CNN_TYPE_UINT16:
      return ((const uint16_t *) data)[i];
    case CNN_TYPE_INT32:
      return ((const int32_t *) data)[i];
    case CNN_TYPE_UINT32:
      return ((const uint32_t *) data)[i];
    case CNN_TYPE_INT64:
    case CNN_TYPE_UINT64:
      return ((const int64_t *) data)[i];
    default:
      return 0;
  }
}

/** cnn_int_less: a < b, both from cnn_read_int(). */
static inline bool
cnn_int_less (CnnType type, int64_t a, int64_t b)
{
  return type == CNN_TYPE_UINT64 ? (uint64_t) a < (uint64_t) b : a < b;
}

/** cnn_write_int: keeps the lowest bits. */
static inline void
cnn_write_int (CnnType type, void *data, size_t i, int64_t value)
{
  switch (type) {
    case CNN_TYPE_INT4:
      ((int8_t *) data)[i] = (int8_t) (((value & 15) ^ 8) - 8);
      break;
    case CNN_TYPE_UINT4:
      ((uint8_t *) data)[i] = (uint8_t) (value & 15);
      break;
    case CNN_TYPE_BOOL:
      ((uint8_t *) data)[i] = value != 0;
      break;
    case CNN_TYPE_INT8:
    case CNN_TYPE_UINT8:
      ((uint8_t *) data)[i] = (uint8_t) value;
      break;
    case CNN_TYPE_INT16:
    case CNN_TYPE_UINT16:
      ((uint16_t *) data)[i] = (uint16_t) value;
      break;
    case CNN_TYPE_INT32:
    case CNN_TYPE_UINT32:
      ((uint32_t *) data)[i] = (uint32_t) value;
      break;
    case CNN_TYPE_INT64:
    case CNN_TYPE_UINT64:
      ((int64_t *) data)[i] = value;
      break;
    default:
      break;
  }
}

/** cnn_int_of_double: cut towards zero; NaN is 0, what 64 bits can't hold the
 * nearest that they can. uint64 as the int64 of the same bits. */
static inline int64_t
cnn_int_of_double (CnnType type, double x)
{
  if (x != x)
    return 0;
  if (type == CNN_TYPE_UINT64 && x >= 0x1p63)
    return x >= 0x1p64 ? -1 : (int64_t) (uint64_t) x;
  return x >= 0x1p63 ? INT64_MAX : x <= -0x1p63 ? INT64_MIN : (int64_t) x;
}

/** cnn_read_double: element @i of any type. */
static inline double
cnn_read_double (CnnType type, const void *data, size_t i)
{
  if (cnn_type_is_float (type))
    return cnn_read_float (type, data, i);
  int64_t value = cnn_read_int (type, data, i);
  return type == CNN_TYPE_UINT64 ? (double) (uint64_t) value : (double) value;
}

#endif
